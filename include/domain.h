/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of the gate that every program has, and what init alone may do:
 * domains, their memory, channels, ports, interrupts, the log.
 *
 * A domain is an address space with threads, a quota of memory, rights and
 * channels; a machine's has one VM.  Everything in ring 3 is a domain that runs
 * a program.  init, the first of them, makes all others:
 *
 *           CREATE            START              last thread gone
 *   (none) ───────► BUILDING ───────► RUNNING ─────────────────► ENDED
 *      ▲               │                 EXIT, STOP, fault         │
 *      └───────────────┴────────────────── DESTROY ────────────────┘
 *
 * Calls return 0 or more, or -errno: -EPERM without the right, -EINVAL for
 * arguments that make no sense, -EFAULT for addresses that are not the
 * caller's or, where a call writes, a COW page that it has not written itself
 * yet, -ENOENT for a domain or channel that does not exist (any more).  A
 * call that fails changes nothing, but for GATE_DOMAIN_MAP, which may have done
 * a part.
 */
#ifndef BULKHEAD_INCLUDE_DOMAIN_H
#define BULKHEAD_INCLUDE_DOMAIN_H

#include "include/compiler.h"
#include "include/grant.h"

#define GATE_NAME_SIZE	       32
#define GATE_THREADS_MAX       32  /* of a domain; vCPUs of a VM */
#define GATE_CHANNELS_MAX      120 /* ends, of a domain: its slots */
#define GATE_CHANNEL_PAGES_MAX 64
#define GATE_PORT_RANGES       5
#define GATE_IRQS	       4
#define GATE_MODULES_MAX       32
#define GATE_MODULE_NAME_MAX   64

/* ---- Address space ------------------------------------------------------ */

/*
 * What a program has beside its file lies close together, here and in gate.h:
 * most of it within 2 MiB, which is one page table instead of three for each.
 */
#define GATE_OWN_VA	   0x7f0000000000ULL
/* FS base of every thread in ring 3: for libraries with stack protectors. */
#define GATE_FS_VA	   (GATE_OWN_VA + KIB(64))
/* init, before start, puts the program's configuration here, read-only. */
#define GATE_ARGUMENT_VA   (GATE_OWN_VA + KIB(128))
#define GATE_ARGUMENT_MAX  KIB(64)
/* The channel in slot n; read-write, not executable. */
#define GATE_CHANNEL_VA(n) (GATE_OWN_VA + MIB(16) + (uint64_t)(n)*MIB(1))

/* ---- Events ------------------------------------------------------------- */

/*
 * A word of bits for each thread, set by the monitor and cleared when told:
 * GATE_WAIT returns it; a vCPU's thread finds it in its page after GATE_RESUME.
 * An event goes to thread 0 unless GATE_EVENT_ROUTE names another.
 */
#define GATE_EVENT_TIMER_BIT	     0 /* the deadline of GATE_TIMER has passed */
#define GATE_EVENT_DOMAIN_BIT	     1 /* init: a domain has ended */
#define GATE_EVENT_LOG_BIT	     2 /* RIGHT_LOG: GATE_LOG_READ has more */
#define GATE_EVENT_IRQ_BIT(n)	     (4 + (n)) /* of spec.irq[n] */
#define GATE_EVENT_DEVICE_BIT(n)     (8 + (n)) /* gate_config.device[n] */
/* The peer rang, came or went.  Slots that are GATE_CHANNEL_EVENTS apart share
 * an event: who has that many looks at all of them. */
#define GATE_CHANNEL_EVENTS	     40
#define GATE_EVENT_CHANNEL_BIT(slot) (16 + (slot) % GATE_CHANNEL_EVENTS)
#define GATE_EVENT_COUNT	     56

/* ---- Rights ------------------------------------------------------------- */

#define GATE_RIGHT_HOST BIT(0) /* domains, channels, power: init */
#define GATE_RIGHT_LOG	BIT(1) /* read the monitor's log: seat */
#define GATE_RIGHT_DMA	BIT(2) /* see where memory of clients is: disk */
#define GATE_RIGHTS	(GATE_RIGHT_HOST | GATE_RIGHT_LOG | GATE_RIGHT_DMA)

/* ---- Domains ------------------------------------------------------------ */

typedef uint64_t gate_id; /* of a domain or channel; never used twice; not 0 */
#define GATE_SELF 0ULL

#define GATE_WEIGHT_DEFAULT 100
#define GATE_WEIGHT_MAX	    10000
#define GATE_CPUS_MAX	    64 /* that a domain's threads can be kept to */

#define GATE_DOMAIN_EMULATE	BIT(0) /* VM: the processor runs no guest code */
#define GATE_DOMAIN_PAUSE_EXITS BIT(1) /* VM: PAUSE yields the CPU */
/* VM: each 2 MiB of its memory but the first are absent until the machine
 * touches them; where there is no memory then, the domain ends. */
#define GATE_DOMAIN_LAZY	BIT(2)

struct gate_domain_spec {
	char name[GATE_NAME_SIZE]; /* ends with 0; printable */
	uint64_t rights;	   /* of those that the caller has */
	/* Pages of 4 KiB that it may take, tables and the monitor's own for it
	 * included, RAM of its VM not. */
	uint64_t quota_pages;
	/* Bytes of VM memory: RAM, then video memory, then ROM at
	 * GATE_WINDOW_VA, a multiple of 2 MiB, zeroed; 0: no VM. */
	uint64_t vm_memory;
	uint32_t thread_count; /* 1 to GATE_THREADS_MAX; with a VM, its vCPUs */
	uint32_t flags;	       /* GATE_DOMAIN_* */
	struct {
		uint16_t first, count; /* count 0: unused */
	} port[GATE_PORT_RANGES];
	/* ISA interrupts that become GATE_EVENT_IRQ(n), 1 to 15, no two domains
	 * alike; 0: unused.  Masked until GATE_IRQ_ACK(n), and from the
	 * domain's end on. */
	uint8_t irq[GATE_IRQS];
	/* Its share of the CPUs beside others, all its threads together: 1 to
	 * GATE_WEIGHT_MAX; 0: GATE_WEIGHT_DEFAULT. */
	uint32_t weight;
	/* Percent of one CPU that it has at most, all its threads together; 0:
	 * no limit. */
	uint32_t cap_percent;
	/* Where each thread may run: bit n is the nth CPU that runs domains; 0:
	 * on any.  -EINVAL for a CPU that is not there. */
	uint64_t cpus[GATE_THREADS_MAX];
};

enum gate_memory {
	GATE_MEMORY_ZERO = 1,	/* fresh pages */
	GATE_MEMORY_MODULE,	/* a boot module's own pages; never writable */
	GATE_MEMORY_MODULE_COW, /* the same, but a write makes a private copy of
				 * the page, charged to the domain; and of some
				 * behind it, if those before it have one */
	GATE_MEMORY_ZERO_COW,	/* reads as zero; a write makes a page of it */
	/* gate_init_info.screen, uncached; offset is from the page on that
	 * .address lies in.  Any number of domains may have it. */
	GATE_MEMORY_SCREEN,
	/* As GATE_MEMORY_MODULE, with room in a VM's nested tables to show it
	 * to the guest, by GATE_MAP_MODULE. */
	GATE_MEMORY_MODULE_SHOWN,
};

#define GATE_PROT_READ	BIT(0)
#define GATE_PROT_WRITE BIT(1)
#define GATE_PROT_EXEC	BIT(2) /* never with WRITE */

/*
 * For GATE_DOMAIN_MAP: [va, va + size) of a domain that is not started.  va,
 * size and offset are multiples of 4 KiB; of a module's last page the bytes
 * behind its end read as zero.
 */
struct gate_domain_map {
	uint64_t va, size;
	uint32_t kind;	 /* enum gate_memory */
	uint32_t prot;	 /* GATE_PROT_* */
	uint32_t module; /* index into gate_init_info.module */
	uint32_t reserved;
	uint64_t offset; /* in the module */
};

enum gate_domain_state {
	GATE_DOMAIN_BUILDING = 1,
	GATE_DOMAIN_RUNNING,
	GATE_DOMAIN_ENDED,
};

enum gate_end {
	GATE_END_NONE,
	GATE_END_EXIT,	  /* GATE_EXIT: code is the program's */
	GATE_END_STOPPED, /* GATE_DOMAIN_STOP */
	GATE_END_FAULT,	  /* an exception in ring 3: vector, error, address */
	GATE_END_GUEST,	  /* an exit that nobody can handle: raw */
	GATE_END_REFUSED, /* the processor refused the guest's state */
	GATE_END_MACHINE_CHECK,
	GATE_END_MEMORY, /* out of quota or of pages where it could not be told
			  */
};

struct gate_domain_status {
	uint32_t state; /* enum gate_domain_state */
	uint32_t end;	/* enum gate_end, of an ENDED one */
	uint64_t code;
	uint32_t thread; /* that ended it */
	uint32_t vector;
	uint64_t error, address;
	uint64_t rip, rsp, rflags; /* 0: not by an exception */
	/* R15 to R8, RBP, RDI, RSI, RDX, RCX, RBX, RAX. */
	uint64_t gpr[15];
	/*
	 * What the VM's thread last ran its guest for: enum exit_reason, the
	 * back end's words.  The guest's state is in the thread's gate page.
	 */
	uint32_t exit_reason;
	uint32_t pending;
	uint64_t raw[3];
	/* Charged to it now: the page tables of its address space, what the
	 * monitor keeps of it and its threads, copies on write of modules, and
	 * the rest: the program's data, stacks, configuration. */
	uint64_t pages;
	uint64_t pages_peak;
	uint64_t table_pages, monitor_pages, copied_pages;
	uint64_t vm_pages, nested_pages; /* beside those */
};

/* ---- What init is told -------------------------------------------------- */

struct gate_module {
	char name[GATE_MODULE_NAME_MAX];
	uint64_t va;   /* mapped read-only in init */
	uint64_t size; /* bytes */
};

enum gate_screen_type {
	GATE_SCREEN_INDEXED, /* by a palette */
	GATE_SCREEN_RGB,
	GATE_SCREEN_TEXT,   /* cells as a VGA has them */
	GATE_SCREEN_UNTOLD, /* nothing was told: where a VGA's text would be */
};

/*
 * The screen as the boot loader has left and described it, up to .colour in
 * Multiboot's own layout.  The monitor has checked that .size bytes are
 * neither RAM nor an interrupt controller's, and nothing else of it.
 */
struct gate_screen {
	uint64_t address;
	uint32_t pitch;		/* bytes from line to line */
	uint32_t width, height; /* pixels, or cells */
	uint8_t bpp;
	uint8_t type; /* enum gate_screen_type, or another */
	uint16_t reserved;
	uint8_t colour[6]; /* RGB: of red, green, blue the lowest bit and how
			    * many */
	uint64_t size;	   /* of GATE_MEMORY_SCREEN; 0: it cannot be had */
};

/* At GATE_ARGUMENT_VA of init. */
struct gate_init_info {
	uint32_t version;   /* GATE_VERSION */
	uint32_t cpu_count; /* that run domains */
	uint32_t module_count;
	bool has_vm;		 /* VMs can be made: there is a back end */
	bool is_mitigations_off; /* as the boot command line said */
	uint8_t reserved[2];
	char vendor[16];
	struct gate_screen screen;
	struct gate_module module[GATE_MODULES_MAX];
};

struct gate_host_info {
	uint64_t pages_total, pages_free;
	uint32_t domains, channels;
	uint32_t threads; /* the monitor's own among them */
	uint32_t timers;  /* armed, the monitor's own among them */
};

enum gate_off {
	GATE_OFF_POWER, /* ACPI */
	GATE_OFF_ISA_DEBUG,
	GATE_OFF_BOCHS,
};

enum gate_channel_state {
	GATE_CHANNEL_NONE,  /* the slot is empty */
	GATE_CHANNEL_OPEN,  /* both ends are attached */
	GATE_CHANNEL_ALONE, /* the peer is gone, or not there yet */
};

/*
 * Calls of every program (numbers: enum gate_call in gate.h):
 *
 * GATE_WAIT ()		events of the calling thread, cleared; blocks while
 *			there are none and nobody wakes it.  May return 0.  A
 *			vCPU's thread: 0, its events stay for GATE_RESUME.
 * GATE_WAKE (thread)	the next or present GATE_WAIT of that thread of the same
 *			domain returns.
 * GATE_TIMER (deadline_ns)  domain time (gate_config); UINT64_MAX: none.  One a
 *			domain.
 * GATE_EVENT_ROUTE (event bit, thread)
 * GATE_EXIT (code)	the domain ends.
 * GATE_LOG (level, address, bytes)
 * GATE_DOORBELL (slot)	sets the event at the peer.  -EPIPE: no peer now.
 * GATE_CHANNEL_STATE (slot)  enum gate_channel_state.
 * GATE_CHANNEL_DETACH (slot)  its memory goes; the peer is told.
 * GATE_PORT_READ (port, size)	value.  -EPERM: not one of spec.port.
 * GATE_PORT_WRITE (port, size, value)
 * GATE_PORT_WRITE_STRING (port, address, bytes <= 64)  OUTSB.
 * GATE_IRQ_ACK (n)	spec.irq[n] may come (again): once, on the caller's CPU;
 *			it is masked from its event on.  -EPERM: unused;
 *			-ENODEV, -ERANGE: this host cannot deliver it.
 * RIGHT_LOG:
 * GATE_LOG_READ (address, bytes)  takes whole lines of the log as text, as many
 *			as fit; 0: none.  From the first call on until the
 *			caller's domain ends the monitor writes no more to its
 *			UART, and a line's coming is GATE_EVENT_LOG.  -EBUSY:
 *			another domain has it.
 * RIGHT_HOST:
 * GATE_DOMAIN_CREATE (struct gate_domain_spec *)  id; -ENOMEM, -ENOSPC, -EBUSY
 *			(an interrupt is another domain's).
 * GATE_DOMAIN_MAP (id, struct gate_domain_map *)  BUILDING only; -EBUSY,
 *			-EEXIST (something is there), -ENOMEM.
 * GATE_DOMAIN_WRITE (id, va, address, bytes <= 32 KiB)  BUILDING only, into
 *			pages of its own (ZERO).
 * GATE_DOMAIN_READ (id, va, address, bytes <= 32 KiB)  ENDED only.
 * GATE_DOMAIN_START (id, entry)  threads 0..n-1 begin at entry with RDI the
 *			thread's number and RSP the top of a stack.
 * GATE_DOMAIN_STOP (id)  -EBUSY: not started.  0 when it has ended already.
 * GATE_DOMAIN_QUERY (id, struct gate_domain_status *)
 * GATE_DOMAIN_DESTROY (id)  -EBUSY while RUNNING.  On return all its memory is
 *			free again.
 * GATE_CHANNEL_CREATE (pages)	id.  Zeroed; no domain's quota pays for it.
 *			-ENOSPC: the host has as many as it takes.
 * GATE_CHANNEL_ATTACH (id | end << 63, domain, slot)  end 0 or 1; -EBUSY: end
 *			or slot taken.  Both sides get the event.
 * GATE_CHANNEL_CLOSE (id)  no more attaching; it goes when both ends have left.
 * GATE_HOST_INFO (struct gate_host_info *)
 * GATE_HOST_OFF (enum gate_off, code)	does not return.
 * GATE_LOG_LEVEL (level)
 */

#endif
