# SPDX-License-Identifier: BSD-2-Clause
"""The attacks: what runs beside the good guest, and how its VM has to end."""

import fnmatch

VCPUS = (1, 2, 4, 16)
CPUS = (1, 2)

# How an attacker's VM may end, as the monitor says it.
OFF = r"powered off"
EXIT = r"ended by the guest through port 0xf4, code 0"
CRASH = r"its machine crashed"
ERROR = r"its machine gave up"
REFUSED = r"the processor refused the guest's state"
STOPPED = "|".join((OFF, EXIT, ERROR))
WILD = "|".join((OFF, REFUSED))
ANY = r".*"
NEVER = None    # alone it can not end; the good guest's end is enough


# Written by tests/hostile/run; half of the first is the guest's, the other is
# that of a machine which attacks the service.
DRIVE, EVIL_DRIVE = "victim.img", "evil.img"
DRIVE_SECTORS = 2048

DRIVES = """
		disk0 { bus = "ide"; source = "%s"; };"""
# A drive of another kind than the tool makes of a file.
INTX = ("-blockdev", "driver=raw,node-name=intx,file.driver=file,"
        "file.filename={work}/" + DRIVE, "-device", "virtio-blk-pci,drive=intx,"
        "serial=intx,disable-legacy=on,vectors=0")

DISKS = """
		disk0 { bus = "ide"; image = "disk.img"; };
		cdrom0 { bus = "ide"; image = "cdrom.img"; };"""


class Attack:
    """One row: a program of evil.elf, or a guest of bad.elf."""

    def __init__(self, name, end=OFF, guest=False, alone=None, vcpus=VCPUS,
                 ms=200, mib=16, disk=0, neighbour=False, sims=("qemu",
                 "bochs"), says=None, words=None, services=None,
                 restart=False, log=(), is_heard=True, is_good_heard=True,
                 good_ms=0, file=None, source=None, victim=False, qemu=()):
        self.name = name
        self.end = end
        # The guest's kernel, or the program in the machine's place.
        self.file = file or ("bad.elf" if guest else "evil.elf")
        self.is_guest = guest
        self.alone = end if alone is None else alone    # with one vCPU
        self.vcpus = vcpus
        self.ms = ms
        self.mib = mib
        self.disk_kib = disk        # writable, and a CD-ROM with the same
        self.source = source        # of a drive of the service disk's
        self.has_victim = victim    # another guest with a drive
        self.qemu = qemu            # options
        self.has_neighbour = neighbour
        self.sims = sims
        self.says = says    # a line that has to come from the attacker
        self.words = words or name
        self.services = services    # their files, with commas between
        self.restart = restart      # whenever it crashes
        # What they write is seen: nobody takes it from console and log.
        self.is_heard, self.is_good_heard = is_heard, is_good_heard
        self.good_ms = good_ms      # how long the good guest beats at least
        self.log = log      # what the monitor's log has to say besides

    def end_with(self, vcpus):
        if self.alone == "never":
            return NEVER if vcpus == 1 else self.end
        return self.alone if vcpus == 1 else self.end

    def node(self, name, vcpus, ms=None, seed=1):
        """The attacker's node of the manifest."""
        command = "%s ms=%d" % (self.words, ms or self.ms)
        if not self.is_guest:
            command += " seed=%d" % seed
        file = ('kernel = "%s"; boot-without-bios; isa-debug-exit'
                if self.is_guest else 'program = "%s"') % self.file
        disk = DISKS * bool(self.disk_kib) + \
            (DRIVES % self.source if self.source else "")
        if self.restart:
            disk += ' restart = "on-crash";'
        return """
	%s { board = "pc"; memory-mib = <%d>; vcpus = <%d>;
		%s; cmdline = "%s"; %s };""" % (name, self.mib, vcpus, file,
                                               command, disk)


SEAT = "seat.elf"
AT_SEAT = "PASS a seat is at the other end"


def ring(name, end=OFF, **more):
    """Against seat, at the other end of the console's channel."""
    return Attack("ring" + name, end, services=SEAT, ms=more.pop("ms", 60),
                  says=more.pop("says", AT_SEAT), **more)


def fake(name, *log, **more):
    """Against init, and machines, in seat's place: tests/hostile/seat.
    Beside it runs a machine that ends, whose end init has to see."""
    return Attack("seat-" + name, more.pop("end", OFF),
                  words=more.pop("words", "yield"), vcpus=(1,),
                  ms=more.pop("ms", 150),
                  services="hostile/seat-%s/seat.elf" %
                  more.pop("program", name), log=log, **more)


STOPPED_FOR = r"\[seat\] is stopped: "
SEAT_CRASHED = r"\[seat\] has ended: reason 3,"
DISK_STOPPED_FOR = r"\[disk\] is stopped: "
DISK_CRASHED = r"\[disk\] has ended: reason 3,"


def fake_disk(name, *log, **more):
    """In disk's place: tests/hostile/disk. Beside it runs a guest with a disk of
    the service, whose every sector has to be right in the end; with lies, which
    may fail, it only has to end."""
    lies = more.pop("lies", False)
    words = "errors=1 wait-ms=2000" if lies else ""
    if lies:    # who crashes before has attacked nobody
        log += meetings(1)
    return Attack("disk-" + name, more.pop("end", EXIT), guest=True,
                  file="victim.elf", words=words, vcpus=(1,),
                  source=more.pop("source", "file:" + DRIVE),
                  ms=more.pop("ms", 150), sims=("qemu",),
                  services="%s,hostile/disk-%s/disk.elf" %
                  (SEAT, more.pop("program", name)),
                  says=more.pop("says", "PASS the end" if lies
                                else "PASS disk"),
                  log=log, **more)


def disk(name, end=OFF, *log, **more):
    """A machine against the service disk: tests/hostile/programs/disks.c."""
    return Attack("disk" + name, end, vcpus=more.pop("vcpus", (1,)),
                  ms=more.pop("ms", 60), sims=("qemu",), victim=True,
                  source="file:" + EVIL_DRIVE, log=log, **more)


def victim():
    return fake_disk("victim")


def lives(count):
    return [r"\[disk\] life %d begins" % n for n in range(count + 1)]


def meetings(count):
    return tuple(r"\[disk\] life %d meets its client" % n
                 for n in range(count))


def guest(name, **more):
    return Attack("guest-" + name, more.pop("end", EXIT), guest=True,
                  words=name, **more)


ATTACKS = [
    # Lifetime.
    Attack("uaf"),
    Attack("spin"),
    Attack("stop", STOPPED),
    Attack("crash", CRASH),
    Attack("sleep"),
    Attack("reset"),
    Attack("yield"),
    # Timers.
    Attack("timer"),
    Attack("storm"),
    Attack("apictimer"),
    # Memory.
    Attack("eat", ms=600, neighbour=True, says="PASS the quota holds"),
    Attack("give"),
    Attack("long", ms=600, neighbour=True),
    Attack("maprace"),
    Attack("release"),
    # Console and log.
    Attack("console", ms=60),
    Attack("endless", ms=60),
    Attack("forge"),
    Attack("log"),
    Attack("input"),
    Attack("rings"),
    # The shared page.
    Attack("state", WILD),
    Attack("race", WILD),
    Attack("mix", WILD),
    Attack("garbage", CRASH),
    # Rights, waits, channels.
    Attack("rights", says="PASS nothing without the right"),
    Attack("wait", says="PASS each wake ended a wait"),
    Attack("waitend"),
    Attack("route", says="PASS events go where they may"),
    Attack("doorbell", says="PASS no other slot has a channel"),
    # Disks whose pages are copied when they are written.
    Attack("cow", disk=160, says="PASS what all write at once is there"),
    Attack("cowall", disk=4096, neighbour=True,
           says="PASS the whole disk is written"),
    Attack("cowread", disk=32, says="PASS calls read the disk"),
    # What CPUID tells the guest.
    Attack("cpuidlie", WILD, says="PASS no lie is shown"),
    Attack("cpuidbad", WILD,
           says="PASS tables that make no sense are refused"),
    Attack("cpuidrace", WILD, says="PASS what was read is what was checked"),
    Attack("cpuidnone", CRASH, 
           says="machine: GATE_RESUME before GATE_CPUID_SET"),
    # Signals.
    Attack("apic"),
    Attack("ipi"),
    Attack("eoi"),
    Attack("line"),
    Attack("away"),
    # The rest.
    Attack("copy", disk=32),
    Attack("calls"),
    Attack("leak", says="PASS nothing of ring 0 is seen"),
    Attack("fuzz", WILD),
    # Its console's rings and doorbells, with seat at the other end.
    ring("scribble"),
    ring("index"),
    ring("race"),
    ring("bells"),
    ring("full"),
    ring("crash", CRASH),
    ring("forge"),
    ring("detach", says="PASS nothing is left of the channel"),
    ring("touch", CRASH),
    # It crashes and is there again, as long as the good guest beats.
    Attack("ringagain", NEVER, services=SEAT, words="ringcrash", ms=20,
           restart=True, says=AT_SEAT, good_ms=1600,
           log=(r"\[evil0\] to be started again, time 2",)),
    # In seat's place.
    fake("garbage", STOPPED_FOR + "it answers what was not asked"),
    fake("lengths", STOPPED_FOR + "it says what nobody understands"),
    fake("scribble", STOPPED_FOR),
    fake("flicker", STOPPED_FOR),
    fake("bells", SEAT_CRASHED),
    fake("typist", SEAT_CRASHED),
    fake("silent", STOPPED_FOR + "it does not answer", is_good_heard=False),
    # A guest that writes without end finds nobody who reads.
    fake("unread", r"\[evil0\] .*nobody reads the console", program="silent",
         words="uartflood", guest=True, end=EXIT, is_heard=False,
         is_good_heard=False, ms=1000),
    fake("hog", is_heard=False),
    fake("rights", r"\[seat\] PASS nothing without the right", SEAT_CRASHED),
    fake("module", SEAT_CRASHED),
    fake("consoles", SEAT_CRASHED,
         r"\[evil0\] .*the console's channel is broken", words="uartflood",
         guest=True, end=EXIT, is_heard=False),
    fake("crash", SEAT_CRASHED, r"\[seat\] life 2 begins", ms=400),
    # In disk's place: what is granted, and memory.
    fake_disk("config", r"\[disk\] PASS of a configuration bus mastering "
              "alone is written", DISK_CRASHED),
    fake_disk("rights", r"\[disk\] PASS nothing without the right",
              DISK_CRASHED),
    fake_disk("vectors", DISK_CRASHED, *lives(3)),
    fake_disk("memory", DISK_CRASHED, *lives(4)),
    fake_disk("storm", r"\[disk\] [1-9]\d+ acknowledgements of [1-9]",
              DISK_CRASHED),
    fake_disk("intx", r"\[disk\] [1-9]\d+ acknowledgements of [1-9]",
              DISK_CRASHED, program="storm", source="serial:intx", qemu=INTX),
    fake_disk("dma", r"\[disk\] PASS by DMA it reads the monitor's image",
              r"\[disk\] PASS by DMA it sends an interrupt's message",
              DISK_CRASHED),
    fake_disk("die", DISK_CRASHED, *lives(4), *meetings(4)),
    # Against init.
    fake_disk("garbage", DISK_STOPPED_FOR),
    fake_disk("lengths", DISK_STOPPED_FOR + "it says what nobody understands"),
    fake_disk("scribble", DISK_STOPPED_FOR),
    fake_disk("flicker", DISK_STOPPED_FOR),
    fake_disk("bells", DISK_CRASHED),
    fake_disk("silent", DISK_STOPPED_FOR + "it does not answer"),
    fake_disk("answers", DISK_STOPPED_FOR + "it answers what was not asked",
              *lives(4)),
    fake_disk("crash", DISK_CRASHED, *lives(2)),
    # Against machines.
    fake_disk("replies", DISK_CRASHED, lies=True),
    fake_disk("early", DISK_CRASHED, lies=True),
    fake_disk("hellos", DISK_CRASHED, lies=True),
    fake_disk("records", DISK_CRASHED, lies=True),
    fake_disk("counters", DISK_CRASHED, lies=True),
    fake_disk("channel", DISK_CRASHED, lies=True),
    # Its machine finds no drive then.
    fake_disk("start", DISK_CRASHED, lies=True, end=STOPPED, says=None,
              is_heard=False),
    fake_disk("mute", lies=True),
    fake_disk("keeps", DISK_STOPPED_FOR + "it does not answer", *lives(1),
              lies=True),
    # A machine against the real disk.
    disk("asks", says="PASS every request was answered"),
    disk("lies", OFF, r"\[disk\] \[evil0\] has broken the protocol"),
    disk("scribble", OFF, r"\[disk\] \[evil0\] has broken the protocol",
         vcpus=(1, 4)),
    disk("bells", vcpus=(1, 4)),
    disk("gone", CRASH),
    # Guests. QEMU checks no alignment, and #DB loops end it.
    guest("acloop", alone="never", sims=("bochs",)),
    guest("dbloop", alone="never", sims=("bochs",)),
    guest("lme", sims=("bochs",)),
    guest("spin"),
    guest("dead", alone="never"),
    guest("touch", ms=100),
    guest("triple"),
    guest("reboot"),
    guest("ipi", ms=100),
    guest("x2apic", ms=100),
    guest("nmi", ms=100),
    guest("init", ms=100),
    guest("mixed", ms=100),
    guest("uartflood", ms=60),
    guest("forge", ms=60),
    guest("cpuid", ms=100),
    guest("pci", ms=100),
    guest("ports", ms=100),
]

# Several at once, each with all its vCPUs, beside the one good guest.
CROWD = ("spin", "maprace", "apictimer", "log", "ipi", "give", "reset")

# What ring 3 tries, each in a VM of its own, many on one host. LET are
# harmless; EITHER depends on the processor; all others must end the VM.
TRIES = """cli sti hlt in out insb clts lmsw mov_cr0 mov_cr3 mov_cr8 mov_dr7
lgdt lidt lldt ltr ldt_ds rdmsr wrmsr rdpmc xsetbv invlpg invd wbinvd swapgs
sysret sysexit sysenter monitor mwait vmcall vmmcall vmrun vmload vmsave stgi
clgi skinit vmlaunch vmxoff vmxon rsm ud2 int1 int3 ss_kernel ss_null gs_null
gs_user wrfsbase wrgsbase iret_kernel retf_kernel iret_nt iret_wild tf
tf_syscall tf_ss_syscall ss_tf_syscall ss_int3 ss_syscall tf_int tf_sysenter ac
ac_syscall df_syscall nt_syscall iopl nc_jump nc_hole nc_return nc_read nc_stack
stack_none stack_kernel rsp_kernel rsp_wild rsp_none x87_pending df_interrupt
ac_interrupt rsp_interrupt far_kernel far_conforming read_physmap read_image
read_null read_other_page write_text write_config run_data run_stack run_window
run_page run_physmap compat_syscall_stack compat_syscall_nowhere
compat_sysenter_stack compat_int80_stack""".split()
LET = """gs_null gs_user ss_syscall ac_syscall df_syscall nt_syscall rsp_kernel
rsp_wild rsp_none x87_pending df_interrupt ac_interrupt rsp_interrupt""".split()
EITHER = """ac wrfsbase wrgsbase compat_syscall_stack compat_syscall_nowhere
compat_sysenter_stack sysenter""".split()
# The ones worth a try with every `make test`.
TRIES_SHORT = """cli out mov_cr3 wrmsr swapgs int1 int3 tf tf_syscall
tf_ss_syscall ss_tf_syscall ss_int3 df_interrupt ac_interrupt rsp_interrupt
rsp_wild rsp_kernel nc_return nc_stack far_kernel iret_kernel wrgsbase
x87_pending write_text run_window compat_syscall_stack compat_syscall_nowhere
compat_sysenter_stack iret_wild read_physmap stack_kernel""".split()
INTS_SHORT = (0, 1, 2, 3, 4, 8, 13, 14, 18, 30, 32, 128, 240, 242, 254, 255)


def crowd():
    return [a for name in CROWD for a in ATTACKS if a.name == name]


def a_try(name):
    end = OFF if name in LET else ANY if name in EITHER else CRASH
    return Attack("try-" + name, end, words="try " + name, mib=2)


def an_int(vector):
    return Attack("int-%d" % vector, CRASH, words="int %d" % vector, mib=2)


def tries(is_short):
    names = TRIES_SHORT if is_short else TRIES
    vectors = INTS_SHORT if is_short else range(256)
    return [a_try(n) for n in names] + [an_int(v) for v in vectors]


def select(patterns):
    return [a for a in ATTACKS
            if any(fnmatch.fnmatch(a.name, p) for p in patterns)]
