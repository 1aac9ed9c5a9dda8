/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: the only way between the monitor (ring 0, one per host) and a
 * machine (ring 3, one per VM: emulator, device models, firmware tables).
 *
 * Each vCPU has a monitor thread.  That thread runs the machine in ring 3
 * until the machine calls GATE_RESUME, then the guest until it does something
 * that needs the machine, then returns from GATE_RESUME with the reason in
 * the vCPU's shared page, and so on.  Everything else the machine wants from
 * the monitor is one of the calls below.
 *
 * The monitor trusts nothing that comes through here: every argument and
 * every field of the shared page that it reads is checked or harmless.  A bad
 * argument makes the call fail with -EINVAL (or as stated) and changes
 * nothing; a state that the processor refuses stops this VM with a report.
 *
 * Calls are made by SYSCALL: number in RAX, arguments in RDI RSI RDX R10,
 * result in RAX (0 or more, or -errno).  RBX RBP RSP R12-R15 are kept, all
 * other registers are lost.  A call never blocks, but for GATE_RESUME,
 * GATE_YIELD and GATE_WAIT.
 */
#ifndef BULKHEAD_GATE_H
#define BULKHEAD_GATE_H

#include "include/compiler.h"
#include "include/domain.h"
#include "include/x86_state.h"

#define GATE_VERSION 10

/* ---- The machine's address space --------------------------------------- */

/* The machine's program, wherever its file says between the two. */
#define GATE_PROGRAM_BASE 0x400000ULL
#define GATE_PROGRAM_END  0x40000000ULL
#define GATE_PROGRAM_MAX  MIB(16)
/* Shared page of vCPU n, read-write: struct gate_page. */
#define GATE_PAGE_VA(n)	  (GATE_OWN_VA + KIB(256) + (uint64_t)(n)*PAGE_SIZE)
/* What the VM is made of, read-only: struct gate_config. */
#define GATE_CONFIG_VA	  GATE_OWN_VA
/* The VM's memory as one piece: RAM, then video memory, then ROM. */
#define GATE_WINDOW_VA	  0x100000000000ULL
/* What init maps for a program: boot modules; up to MODULE_END. */
#define GATE_MODULE_VA	  0x200000000000ULL
#define GATE_MODULE_END	  0x300000000000ULL
/* Stack of vCPU n's thread, unmapped pages below each. */
#define GATE_STACK_SIZE	  KIB(32)
#define GATE_STACK_TOP(n) \
	(GATE_OWN_VA + KIB(512) + ((uint64_t)(n) + 1) * KIB(128))

#define GATE_MAX_VCPUS GATE_THREADS_MAX

/* ---- Configuration ------------------------------------------------------ */

struct gate_config {
	uint32_t version;
	uint32_t vcpu_count; /* threads, of a program without a VM */
	char name[GATE_NAME_SIZE];
	uint64_t rights;    /* GATE_RIGHT_* */
	uint64_t vm_memory; /* bytes at GATE_WINDOW_VA; 0: no VM */
	/*
	 * VM time in ns = ((TSC - tsc_base) * tsc_mult) >> 32, where TSC is
	 * what RDTSC yields in the machine.  The guest's own TSC is zero at
	 * tsc_base and runs at tsc_hz.
	 */
	uint64_t tsc_base;
	uint64_t tsc_mult;
	uint64_t tsc_hz;
	uint64_t epoch_s; /* wall clock at VM time 0, seconds since 1970 */
	/* Since GATE_CPUID_SET, what CPUID shows the guest: CR4's bits, its
	 * MAXPHYADDR. */
	uint64_t cr4_valid;
	uint32_t physical_bits;
	uint32_t apic_timer_hz;
	struct gate_device device[GATE_DEVICES_MAX];
};
_Static_assert(sizeof(struct gate_config) <= PAGE_SIZE, "one page");

/* ---- The shared page ---------------------------------------------------- */

/* Why GATE_RESUME returned. */
enum gate_exit {
	GATE_EXIT_NONE, /* only .events */
	/*
	 * IN or OUT of a register: .io.  RIP is past the instruction.  For IN
	 * the machine puts the result into gpr[RAX].
	 */
	GATE_EXIT_IO,
	/* INS or OUTS: emulate; .io says where.  RIP is at the instruction. */
	GATE_EXIT_IO_STRING,
	/*
	 * The guest touched .mmio.gpa, which is not RAM or is read-only:
	 * emulate the instruction at RIP.  Of 64-bit code no more than
	 * X86_GROUP_FETCH may be valid.
	 */
	GATE_EXIT_MMIO,
	/*
	 * The monitor has done the instruction at RIP, which is .length.expect
	 * (enum emul_expect); the machine moves RIP past it.
	 */
	GATE_EXIT_LENGTH,
	/* Emulate one instruction. */
	GATE_EXIT_EMULATE,
	/*
	 * Emulate the instruction in an interrupt shadow, which this processor
	 * would not keep.  One that is not known is left to it all the same.
	 */
	GATE_EXIT_SHADOWED,
	/*
	 * The processor cannot run the guest as it is now: deliver .run.event
	 * if there is one, then emulate up to .run.count instructions, fewer
	 * once CR0.PE changes.  Faults are delivered by the machine as well.
	 */
	GATE_EXIT_EMULATE_RUN,
	/*
	 * The local APIC ended a level-triggered interrupt: .eoi.vector.  Or
	 * GATE_EOI_CHANGED, which is no vector: IA32_APIC_BASE may have
	 * changed, and what GATE_MSI could not deliver be accepted now.
	 */
	GATE_EXIT_EOI,
	/* Triple fault: reset, as the board does. */
	GATE_EXIT_SHUTDOWN,
	/*
	 * Another vCPU has called GATE_RESET.  The state is that after
	 * reset; vCPU 0's the machine may change.  No exit of before comes
	 * after it.
	 */
	GATE_EXIT_RESET,
	GATE_EXIT_COUNT,
};

/*
 * The 8259 pair's output, kept in vCPU 0's page, atomic.  The machine sets the
 * vector that the pair would answer with and LEVEL; the monitor injects it when
 * the guest takes it and sets TAKEN, at most once.  The machine then does the
 * acknowledge cycle in its model, at its next visit or before anybody else
 * looks at the pair, and writes the next state without TAKEN.  With MORE the
 * pair asks for another as soon as this one is acknowledged (automatic EOI):
 * once it is TAKEN, and the guest could take one more, GATE_RESUME returns.
 * Before the machine looks at the pair it withdraws what it offers, by an
 * exchange with 0; with KNOWN a LEVEL that is clear is the pair's own.  After a
 * change by another thread than vCPU 0's: GATE_INTR.
 */
#define GATE_EXTINT_VECTOR MASK(7, 0)
#define GATE_EXTINT_LEVEL  BIT(8)
#define GATE_EXTINT_TAKEN  BIT(9)
#define GATE_EXTINT_MORE   BIT(10)
#define GATE_EXTINT_KNOWN  BIT(11)

/*
 * A write to a port that may wait: while enabled, an OUT of one byte of that
 * value to that port is only counted, and the guest goes on; but not while the
 * same page's extint has LEVEL without TAKEN.  The machine does
 * the counted ones, before all else that comes later, at its next visit.  To
 * disable: clear enabled, then look at count; the monitor counts, then looks at
 * enabled, and if that is clear by now returns from GATE_RESUME at once.  Only
 * the page's own thread enables, the first of them if any; any may disable.
 */
#define GATE_POSTS 2

struct gate_post {
	uint16_t port;
	uint8_t value;
	bool enabled;	/* atomic */
	uint32_t count; /* ever, atomic; written by the monitor alone */
};

/*
 * IN, OUT, INS or OUTS: as AMD-V's EXITINFO1 has it in its low half, other bits
 * zero, so that it is copied as a word.
 */
#define GATE_IO_IN     BIT(0)
#define GATE_IO_STRING BIT(2)
#define GATE_IO_SIZE   MASK(6, 4) /* bytes: 1, 2, 4 */

struct gate_io {
	uint8_t access; /* GATE_IO_* */
	uint8_t reserved;
	uint16_t port;
};
ASSERT_SIZE(struct gate_io, 4);

/*
 * What an access was that the nested tables refused.  With neither FETCH nor
 * WALK it is data, and the processor has found nothing else against it: it has
 * checked segment and page tables, and set accessed and dirty bits.
 */
#define GATE_MMIO_WRITE BIT(1)
#define GATE_MMIO_FETCH BIT(4)
#define GATE_MMIO_WALK	BIT(5) /* of the guest's page tables, or not known */

struct gate_mmio {
	uint64_t gpa;
	uint32_t access; /* GATE_MMIO_* */
	/* Read from the local APIC's page: the register there, which need not
	 * be asked for again. */
	uint32_t apic_value;
};

/* What the machine wants injected at the next entry. */
struct gate_injection {
	bool is_valid;
	uint8_t vector; /* an exception, 0..31 but NMI */
	bool has_error_code;
	uint8_t reserved;
	uint32_t error_code;
};

/* .run.event: what both vendors inject, as both lay it out. */
#define GATE_RUN_VECTOR	   MASK(7, 0)
#define GATE_RUN_TYPE	   MASK(10, 8) /* enum emul_event_type */
#define GATE_RUN_HAS_ERROR BIT(11)
#define GATE_RUN_VALID	   BIT(31)
#define GATE_RUN_ERROR	   MASK(63, 32)

struct gate_page {
	struct x86_state state;

	/* Monitor to machine, written before GATE_RESUME returns. */
	uint32_t exit; /* enum gate_exit */
	uint32_t reserved0;
	uint64_t events; /* see include/domain.h */
	union {
		struct gate_io io;
		struct gate_mmio mmio;
		struct {
			uint32_t expect; /* enum emul_expect */
		} length;
		struct {
			uint32_t vector;
		} eoi;
		struct {
			uint32_t count;
			uint64_t event; /* GATE_RUN_*, or 0 */
		} run;
	};
	/*
	 * Ticks of the TSC that the vCPU has waited in HLT, or for its SIPI,
	 * ever.  While it does, less the TSC when it began: negative, as a
	 * signed number.
	 */
	uint64_t idle_ticks;

	/* And ready to run, but another thread had its CPU: as the vCPU's
	 * thread last got it. */
	uint64_t waited_ticks;

	/*
	 * Both ways: where in the VM's memory, as an offset of GATE_WINDOW_VA,
	 * a byte becomes 1 when the vCPU's thread next loses its CPU; 0:
	 * nowhere.  That makes this 0, too, and GATE_RESUME return before the
	 * guest runs again, with GATE_EXIT_NONE if it has no other reason.
	 * Beyond the memory nothing comes of it but the 0.
	 */
	uint64_t away_offset;

	/* Machine to monitor, read when GATE_RESUME is called. */
	struct gate_injection inject;
	bool halt; /* HLT was emulated: wait for an interrupt */
	/* Nothing of the guest's runs on the processor: its entries are
	 * GATE_EXIT_EMULATE_RUN.  A change wants X86_GROUP_DEBUG dirty. */
	bool is_emulated;
	bool takes_hypercalls; /* GATE_EXIT_EMULATE; else all are unknown */
	uint64_t msr_value;    /* answer of GATE_MSR_READ */
	uint32_t extint;       /* GATE_EXTINT_*, atomic */
	struct gate_post post[GATE_POSTS];

	/* X86_GROUP_XSTATE, by GATE_STATE_LOAD only. */
	struct x86_xstate xstate;
};
_Static_assert(sizeof(struct gate_page) <= PAGE_SIZE, "one page");

/* ---- Calls ------------------------------------------------------------- */

enum gate_call {
	/*
	 * Run the guest until it needs the machine; without a CPUID table the
	 * domain ends.  Groups marked dirty in
	 * state are loaded, .inject is injected.  Returns 0 with .exit and
	 * .events set.  Does not return when the VM was stopped.
	 */
	GATE_RESUME,
	/* (groups): fetch state groups into the page.  0. */
	GATE_STATE_LOAD,
	/*
	 * (line, level): drive one of enum gate_line into the vCPUs.  0,
	 * -EINVAL.
	 */
	GATE_LINE,
	/* (address, data): a message as PCI and the IOAPIC send them.  Returns
	 * how many local APICs have accepted it, or -EINVAL. */
	GATE_MSI,
	/* (offset 0..0xff0): read the calling vCPU's local APIC register.
	 * Returns the 32-bit value, or -EINVAL. */
	GATE_APIC_READ,
	/* (offset, value).  0, -EINVAL. */
	GATE_APIC_WRITE,
	/* (deadline): VM time in ns of the next GATE_EVENT_TIMER; UINT64_MAX:
	 * none.  Replaces the one before.  0. */
	GATE_TIMER,
	/*
	 * (gpa, length, window offset | kind, 0): make guest-physical
	 * [gpa, gpa + length) show the VM's memory at that window offset as
	 * enum gate_map says; nothing, where that is absent (GATE_RELEASE,
	 * GATE_DOMAIN_LAZY).  All multiples of 4 KiB; gpa below 2^46.
	 * 0, -EINVAL, -ERANGE (past the VM's memory), -ENOMEM.
	 * GATE_MAP_MODULE: the offset is from GATE_MODULE_VA on, where the
	 * machine has boot modules' own pages, that are not copied on write;
	 * else -EINVAL.
	 */
	GATE_MAP,
	/* (level, address, bytes, id): one line for the monitor's log,
	 * printable characters, at most GATE_LOG_MAX.  Limited in rate.  id is
	 * of GATE_RIGHT_HOST: the domain that it is about, or 0, the host.
	 * 0. */
	GATE_LOG,
	/*
	 * (n): let others run.  n is 0, or thread n - 1 of the caller's domain
	 * is meant: if it waits for the caller's CPU, it is the next one there,
	 * unless the domain has had more than its share.  0.
	 */
	GATE_YIELD,
	/*
	 * (msr): the guest's MSR, as RDMSR: 0 with the value in .msr_value,
	 * -EINVAL where RDMSR would raise #GP, -ENOENT where no processor state
	 * is behind it: then it is the machine's, or nobody's.
	 */
	GATE_MSR_READ,
	/* (msr, value): as WRMSR.  0, -EINVAL, -ENOENT. */
	GATE_MSR_WRITE,
	/* (leaf, subleaf): results replace gpr RAX RBX RCX RDX.  0. */
	GATE_CPUID,
	/*
	 * (leaf, subleaf, address): what the processor says there, as far as a
	 * guest may see it, into the struct cpuid_regs at address.  0, -EFAULT.
	 */
	GATE_CPUID_FACTS,
	/*
	 * (address): the struct cpuid_table there becomes the guest's, once and
	 * before the first GATE_RESUME.  Features that are not in the facts are
	 * taken from it; see include/cpuid.h for what the monitor puts in.  0,
	 * -EINVAL (subleaves past the table's end), -EFAULT, -ENOMEM, -EEXIST
	 * (there is one).
	 */
	GATE_CPUID_SET,
	/* (value): XSETBV of XCR0.  0, or -EINVAL where it would be #GP. */
	GATE_XCR0_SET,
	/* (): .extint of vCPU 0's page has changed.  0. */
	GATE_INTR,
	/*
	 * (): reset.  0: no other vCPU runs guest code, and each is in the
	 * state of the manual's "Processor State After Reset" before it does
	 * again, whatever its machine has put into its page meanwhile: the next
	 * GATE_RESUME of every vCPU but the caller returns GATE_EXIT_RESET.
	 * vCPU 0 then runs, the others wait for SIPI.  The machine resets its
	 * devices, and sees to it that no access of before reaches them.
	 */
	GATE_RESET,
	/* (vCPU, what): its present GATE_RESUME, or else its next, returns,
	 * with GATE_EXIT_NONE if it has no other reason; or, with
	 * GATE_KICK_HALT, its present HLT, or else its next, ends.  0, -EINVAL.
	 */
	GATE_KICK,

	/* Of every program, and init's: include/domain.h, grant.h. */
	GATE_WAIT,
	GATE_WAKE,
	GATE_EVENT_ROUTE,
	GATE_EXIT,
	GATE_DOORBELL,
	GATE_CHANNEL_STATE,
	GATE_CHANNEL_DETACH,
	GATE_PORT_READ,
	GATE_PORT_WRITE,
	GATE_PORT_WRITE_STRING,
	GATE_IRQ_ACK,
	GATE_LOG_READ,
	GATE_LOG_LEVEL,
	GATE_DOMAIN_CREATE,
	GATE_DOMAIN_MAP,
	GATE_DOMAIN_WRITE,
	GATE_DOMAIN_READ,
	GATE_DOMAIN_START,
	GATE_DOMAIN_STOP,
	GATE_DOMAIN_QUERY,
	GATE_DOMAIN_DESTROY,
	GATE_CHANNEL_CREATE,
	GATE_CHANNEL_ATTACH,
	GATE_CHANNEL_CLOSE,
	GATE_HOST_INFO,
	GATE_HOST_OFF,
	GATE_DEVICE_READ,
	GATE_DEVICE_WRITE,
	GATE_DEVICE_ACK,
	GATE_PCI_INFO,
	GATE_DEVICE_GRANT,
	GATE_CHANNEL_MEMORY,
	/*
	 * (window offset, length): of the VM's memory there the pieces of 2 MiB
	 * that are present, and that GATE_MAP has ever shown at one place only,
	 * in one aligned 2 MiB, are given back to the host.  On return no vCPU
	 * and no thread reaches them; what the machine touches next is there
	 * again, zeroed; what the guest touches is GATE_EXIT_MMIO until
	 * GATE_MAP is called anew.  How many bytes that were: none where
	 * devices reach the VM's memory.  -EINVAL (no multiple of 2 MiB),
	 * -ERANGE.
	 */
	GATE_RELEASE,
	/*
	 * (window offset, length, address): of the VM's memory there a piece
	 * of 2 MiB that is absent is made with so many bytes of the machine's
	 * from that address on, all else in it zero: what is written over at
	 * once need not be cleared first.  -EINVAL (nothing, or more than one
	 * piece), -ERANGE, -EEXIST (it is there), -EFAULT (it is absent
	 * still), -ENOMEM.
	 */
	GATE_FILL,
	GATE_CALL_COUNT,
};

#define GATE_EOI_CHANGED 0

/* What GATE_KICK ends. */
#define GATE_KICK_RESUME 0
#define GATE_KICK_HALT	 1

enum gate_line {
	GATE_LINE_NMI, /* to LINT1 of every vCPU */
	GATE_LINE_COUNT,
};

/* Kinds of GATE_MAP, in the low bits of its third argument. */
enum gate_map {
	GATE_MAP_NONE, /* every access is GATE_EXIT_MMIO */
	GATE_MAP_RAM,
	GATE_MAP_ROM, /* writes are GATE_EXIT_MMIO */
	/* One page, which for no vCPU is its local APIC's or for all: where
	 * the processor knows of that page, some accesses do not exit. */
	GATE_MAP_APIC,
	GATE_MAP_MODULE, /* as ROM, of GATE_MEMORY_MODULE_SHOWN */
	GATE_MAP_COUNT,
};

#define GATE_LOG_MAX 200

/* RAX of a hypercall that nobody knows: KVM's -KVM_ENOSYS. */
#define GATE_HYPERCALL_UNKNOWN (uint64_t)(-(int64_t)1000)

#endif
