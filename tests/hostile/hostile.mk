# SPDX-License-Identifier: BSD-2-Clause
#
# What misbehaves on purpose, none of it in an image by default:
# build/hostile/evil.elf, a ring-3 program with all attacks on the gate,
# build/hostile/crash.elf, a machine with a bug, and
# build/hostile/NAME.elf, tiny guests.

HOSTILE_OBJS := $(patsubst %,$B/machine/%.o,$(wildcard \
	tests/hostile/programs/*.c tests/hostile/programs/*.asm) \
	machine/cpuid_table.c machine/cpuid_quirks.c machine/console.c lib/user/entry.asm \
	lib/user/gate_calls.c lib/user/ring.c $(call c_in,lib))

$B/hostile/evil.elf: $(HOSTILE_OBJS) lib/user/program.ld
	@mkdir -p $(@D)
	$(call say,LD)
	$Q$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--build-id=none --gc-sections -T lib/user/program.ld -o $@.full \
		$(HOSTILE_OBJS)
	$Q$(OBJCOPY) --strip-all $@.full $@

# The machine with a bug: a board of its own.
CRASH_OBJS := $B/machine/tests/hostile/crash/boards.c.o \
	$(filter-out %/boards.c.o,$(call objs,$(PROGRAM_machine),$B/machine)) \
	$(USER_OBJS)

$B/hostile/crash.elf: $(CRASH_OBJS) lib/user/program.ld
	@mkdir -p $(@D)
	$(call say,LD)
	$Q$(PROGRAM_LINK) -o $@.full $(CRASH_OBJS)
	$Q$(OBJCOPY) --strip-all $@.full $@

# Programs in a service's place: each binds `fake` to an attack of its own, and
# holds the real service for the lives after that.  What is in disk's place reaches
# its devices as the real one does, by its own functions.
FAKE_SEATS := garbage lengths scribble flicker bells typist silent hog rights \
	module consoles crash
FAKE_DISKS := config vectors storm memory dma die garbage lengths scribble \
	flicker bells silent answers replies early hellos records counters \
	channel start mute keeps rights crash

fake_objs = $(sort $B/hostile/evil_main.o $B/hostile/$1_service.o \
	$(patsubst %,$B/machine/%.o,\
		$(wildcard tests/hostile/fake/*.c tests/hostile/$1/*.c)) \
	$(filter-out %/evil.c.o,$(HOSTILE_OBJS)) \
	$(filter-out %/main.c.o,$(call objs,$(PROGRAM_$1),$B/machine)) $(USER_OBJS))
FAKE_SEAT_OBJS := $(call fake_objs,seat)
FAKE_DISK_OBJS := $(call fake_objs,disk)

$B/hostile/evil_main.o: $B/machine/tests/hostile/programs/evil.c.o
	@mkdir -p $(@D)
	$Q$(OBJCOPY) --redefine-sym program_main=evil_main $< $@

$B/hostile/seat_service.o $B/hostile/disk_service.o: $B/hostile/%_service.o: \
		$B/machine/services/%/main.c.o
	@mkdir -p $(@D)
	$Q$(OBJCOPY) --redefine-sym program_main=service_main \
		--globalize-symbol=pci_ops $< $@

FAKE_LINK = @mkdir -p $(@D); \
	$(PROGRAM_LINK) --defsym=fake=fake_$* -o $@.full $(filter %.o,$^) && \
	$(OBJCOPY) --strip-all $@.full $@

$B/hostile/seat-%/seat.elf: $(FAKE_SEAT_OBJS) lib/user/program.ld
	$(FAKE_LINK)

$B/hostile/disk-%/disk.elf: $(FAKE_DISK_OBJS) lib/user/program.ld
	$(FAKE_LINK)

# Guests: NAME.c with what they share, but for bad.elf, which is many files.
HOSTILE_GUEST_LIB := $(patsubst %,$B/guest/obj/tests/hostile/guests/%.o,\
	hostile.c processors.asm) $(GUEST_LIB)
HOSTILE_BAD := $(patsubst %,$B/guest/obj/%.o,\
	$(wildcard tests/hostile/guests/bad*.c tests/hostile/guests/bad*.asm))

HOSTILE_GUEST_LINK = @mkdir -p $(@D); \
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments --build-id=none \
		-T tests/guest/lib/guest.ld -o $@.64 $(filter %.o,$^) && \
	$(OBJCOPY) --strip-all -O elf32-i386 $@.64 $@

$B/hostile/bad.elf: $(HOSTILE_BAD) $(HOSTILE_GUEST_LIB)
	$(HOSTILE_GUEST_LINK)

$B/hostile/beat.elf $B/hostile/idle.elf $B/hostile/victim.elf: $B/hostile/%.elf: \
		$B/guest/obj/tests/hostile/guests/%.c.o $(HOSTILE_GUEST_LIB)
	$(HOSTILE_GUEST_LINK)

HOSTILE := $(addprefix $B/hostile/,evil.elf crash.elf bad.elf beat.elf \
	idle.elf victim.elf $(FAKE_SEATS:%=seat-%/seat.elf) \
	$(FAKE_DISKS:%=disk-%/disk.elf))

.PHONY: hostile-programs test-hostile fuzz-gate
hostile-programs: $(HOSTILE)

HOSTILE_RUN = BULKHEAD_BUILD=$(abspath $B) tests/hostile/run
SECONDS ?= 600

test-hostile: $(HOSTILE) $B/bulkhead32.elf programs $B/manifest-check
	@$(HOSTILE_RUN) --full

fuzz-gate: $(HOSTILE) $B/bulkhead32.elf programs $B/manifest-check
	@$(HOSTILE_RUN) --fuzz $(SECONDS)

## test-hostile   every attack with 1 to 16 vCPUs on 1 and 2 CPUs
## fuzz-gate      random calls from all vCPUs at once (SECONDS=n)
