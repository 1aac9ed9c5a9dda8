/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate's calls.  What arrives here comes from a program that may be bad:
 * nothing is believed, and a bad call changes nothing.
 */
#include "vm/vm.h"

#include "kernel/cpu.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/string.h"

#define GPA_LIMIT   (1ULL << 46)
#define BLOCK_BYTES 512
#define BLOCK_MAX   MIB(1)
/* Copied between two looks at host interrupts. */
#define BLOCK_PIECE KIB(32)

#define GATE_GROUPS_ALL                                              \
	(X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL | \
	 X86_GROUP_DEBUG | X86_GROUP_SYSCALL)

struct gate_row;
typedef long (*gate_fn)(struct vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c,
			uint64_t d, const struct gate_row *row);

/*
 * A call.  What it may touch, its scope, decides what is done around it, which
 * is entry's business: the calling vCPU's own and what is atomic needs nothing
 * (entry is fn), what the VM's vCPUs share needs vm_lock() (gate_call_vm).
 */
struct gate_row {
	gate_fn entry; /* what vm/gate_entry.asm calls */
	gate_fn fn;
};
_Static_assert(sizeof(struct gate_row) == 1 << GATE_ROW_SHIFT, "for the entry");

#define GATE_CALL(name)                                                        \
	static long name(struct vcpu *vcpu, uint64_t a __maybe_unused,         \
			 uint64_t b __maybe_unused, uint64_t c __maybe_unused, \
			 uint64_t d __maybe_unused,                            \
			 const struct gate_row *row __maybe_unused)

GATE_CALL(call_resume)
{
	return vcpu_resume(vcpu);
}

GATE_CALL(call_state_load)
{
	struct x86_state *state = vcpu->vendor.state;
	uint32_t missing = (uint32_t)a & ~state->valid;

	vcpu->back->state_load(&vcpu->vendor, missing & GATE_GROUPS_ALL);
	if (missing & X86_GROUP_XSTATE)
		fpu_load_page(vcpu);
	return 0;
}

GATE_CALL(call_line)
{
	struct vm *vm = vcpu->vm;
	bool level = b & 1;

	switch (a) {
	case GATE_LINE_INTR:
		if (!__atomic_exchange_n(&vm->intr_level, level,
					 __ATOMIC_ACQ_REL) &&
		    level)
			apic_lint_raise(&vm->vcpu[0]->apic, 0);
		if (level)
			vcpu_notify(vm->vcpu[0], PENDING_EXTINT);
		return 0;
	case GATE_LINE_NMI:
		for (unsigned i = 0; level && i < vm->vcpu_count; i++)
			apic_lint_raise(&vm->vcpu[i]->apic, 1);
		return 0;
	default:
		return -EINVAL;
	}
}

GATE_CALL(call_msi)
{
	struct apic_message message;

	if (!apic_msi_decode(a, (uint32_t)b, &message))
		return -EINVAL;
	apic_route(vcpu->vm->apic, vcpu->vm->vcpu_count, NULL, &message);
	return 0;
}

GATE_CALL(call_apic_read)
{
	if (a >= PAGE_SIZE)
		return -EINVAL;
	return apic_mmio_read(&vcpu->apic, (uint32_t)a, 4);
}

/* Of an instruction from before a reset: what it sends would be seen after it.
 */
static bool is_before_reset(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST) &
	       PENDING_RESET;
}

GATE_CALL(call_apic_write)
{
	if (a >= PAGE_SIZE)
		return -EINVAL;
	if (is_before_reset(vcpu))
		return 0;
	apic_mmio_write(&vcpu->apic, (uint32_t)a, (uint32_t)b);
	vcpu_priority_changed(vcpu);
	return 0;
}

GATE_CALL(call_timer)
{
	struct vm *vm = vcpu->vm;

	if (a == UINT64_MAX)
		timer_cancel(&vm->timer);
	else
		timer_arm(&vm->timer, vm_deadline_tsc(vm, a));
	return 0;
}

/* ---- Block ------------------------------------------------------------- */

enum { BLOCK_OP_READ, BLOCK_OP_WRITE, BLOCK_OP_FLUSH }; /* enum block_op */

static int disk_move_piece(uint8_t *data, unsigned op, uint64_t user,
			   uint64_t bytes)
{
	if (op == BLOCK_OP_READ)
		return copy_to_user((void *)user, data, bytes);
	return copy_from_user(data, (const void *)user, bytes);
}

static int disk_move(struct vcpu *vcpu, struct vm_disk *disk, unsigned op,
		     uint64_t sector, uint64_t user, uint64_t bytes)
{
	uint8_t *data = disk->data + sector * BLOCK_BYTES;

	if (op == BLOCK_OP_FLUSH)
		return 0;
	for (uint64_t done = 0; done < bytes; done += BLOCK_PIECE) {
		int error;

		if (done)
			vcpu_breathe(vcpu);
		error = disk_move_piece(data + done, op, user + done,
					MIN(bytes - done, BLOCK_PIECE));
		if (error)
			return error;
	}
	return 0;
}

/* The disks are in memory: a request is complete when it is submitted. */
GATE_CALL(call_block)
{
	struct gate_page *page = vcpu->page;
	unsigned op = a & 0xff, index = (a >> 8) & 0xff;
	struct vm_disk *disk;
	struct gate_completion *done;
	/* Read once: another thread of the machine may write it any time. */
	uint32_t count =
		__atomic_load_n(&page->completion_count, __ATOMIC_RELAXED);

	if (op > BLOCK_OP_FLUSH || index >= vcpu->vm->config->disk_count ||
	    d % BLOCK_BYTES || d > BLOCK_MAX)
		return -EINVAL;
	disk = &vcpu->vm->disk[index_nospec(index, GATE_MAX_DISKS)];
	if (b > disk->sector_count || d / BLOCK_BYTES > disk->sector_count - b)
		return -ERANGE;
	if (op == BLOCK_OP_WRITE && disk->is_read_only)
		return -EROFS;
	if (count >= GATE_COMPLETIONS)
		return -EAGAIN;
	b = index_nospec(b, disk->sector_count + 1);
	done = &page->completion[index_nospec(count, GATE_COMPLETIONS)];
	done->tag = a >> 16;
	done->status = disk_move(vcpu, disk, op, b, c, d);
	page->completion_count = count + 1;
	return 0;
}

/* ---- Console and log --------------------------------------------------- */

#define CONSOLE_PIECE 128

/* Takes one piece at most, but waits until there is room for some of it. */
GATE_CALL(call_console_write)
{
	struct vm *vm = vcpu->vm;
	char piece[CONSOLE_PIECE];
	size_t length = MIN(c, sizeof(piece)), taken;

	if (a >= GATE_STREAM_COUNT || c > GATE_CONSOLE_MAX)
		return -EINVAL;
	if (copy_from_user(piece, (const char *)b, length))
		return -EFAULT;
	if (!length || (a == GATE_STREAM_DEBUG &&
			!(vm->config->devices & GATE_DEVICE_DEBUG_CONSOLE)))
		return (long)c;
	for (;;) {
		taken = console_write(&vm->host->console, &vm->console, piece,
				      length);
		if (taken)
			return (long)taken;
		if (__atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST) &
		    PENDING_STOP)
			vcpu_exit(vcpu);
		console_wait(&vm->host->console, &vm->console, vcpu->thread);
	}
}

GATE_CALL(call_console_read)
{
	struct vm *vm = vcpu->vm;
	uint8_t piece[VM_INPUT_MAX];
	uint64_t flags, n;
	bool was_full;

	flags = spin_lock_irqsave(&vm->input_lock);
	was_full = vm->input_count == sizeof(vm->input);
	n = MIN(b, vm->input_count);
	memcpy(piece, vm->input, n);
	memmove(vm->input, vm->input + n, vm->input_count - n);
	vm->input_count -= (uint32_t)n;
	spin_unlock_irqrestore(&vm->input_lock, flags);
	if (was_full && n)
		console_poll_input(&vm->host->console);
	if (copy_to_user((void *)a, piece, n))
		return -EFAULT;
	return (long)n;
}

/* "[12345.123456] warning: [] ", the name, the text: one row. */
#define LOG_ROW_TEXT (TERMINAL_COLUMNS - 1 - 28)

/*
 * A terminal breaks what is longer than its rows, and what then begins one must
 * not be the machine's choice where others share it.
 */
static size_t log_row_length(const struct vm *vm)
{
	if (!console_is_shared(&vm->host->console))
		return GATE_LOG_MAX;
	return LOG_ROW_TEXT - strlen(vm->log.name);
}

GATE_CALL(call_log)
{
	struct vm *vm = vcpu->vm;
	size_t columns = log_row_length(vm), at = 0;
	char text[GATE_LOG_MAX + 1];

	if (a > LOG_DEBUG || c > GATE_LOG_MAX)
		return -EINVAL;
	if (copy_from_user(text, (const void *)b, c))
		return -EFAULT;
	for (uint64_t i = 0; i < c; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '.';
	text[c] = 0;
	do {
		vlog_print(&vm->log, (enum log_level)a, "%.*s", (int)columns,
			   text + at);
		at += columns;
	} while (at < c);
	return 0;
}

/* ---- Memory map -------------------------------------------------------- */

/*
 * A change of the map may be long: it goes in pieces, and between two of them
 * the lock is free and others have their turn.  Siblings that change the same
 * addresses meanwhile get a mixture; nobody else is concerned.
 */
#define MAP_PIECE KIB(32) /* of 4 KiB leaves */

static void map_pause(struct vcpu *vcpu)
{
	vm_unlock(vcpu);
	vcpu_breathe(vcpu);
	vm_lock(vcpu);
}

/* How much of it can go in one piece: one large leaf, or some small ones. */
static uint64_t map_piece(const struct vm *vm, gpa_t gpa, uint64_t offset,
			  uint64_t length)
{
	uint64_t left = PAGE_2M - offset % PAGE_2M; /* of the chunk */

	if (IS_ALIGNED(gpa | offset, PAGE_2M) && length >= PAGE_2M &&
	    !table_has_small(&vm->nested, gpa))
		return PAGE_2M;
	return MIN(MIN(length, left), MAP_PIECE);
}

/* [gpa, +length) onto the VM's memory at offset. */
static int map_chunks(struct vcpu *vcpu, gpa_t gpa, uint64_t length,
		      uint64_t offset, unsigned prot)
{
	struct vm *vm = vcpu->vm;
	/* Of a large leaf: see exit_fetch(). */
	unsigned never = vm->host->speculation.itlb_multihit ? MAP_EXEC : 0;

	for (;;) {
		uint64_t n = map_piece(vm, gpa, offset, length);
		unsigned rights = n == PAGE_2M ? prot & ~never : prot;
		uint64_t chunk =
			index_nospec(offset / PAGE_2M, vm->chunk_count);
		hpa_t hpa = vm->chunk[chunk] + offset % PAGE_2M;
		int error = table_map(&vm->nested, gpa, hpa, n, rights,
				      MAP_WRITE_BACK);

		gpa += n;
		offset += n;
		length -= n;
		if (error || !length)
			return error;
		map_pause(vcpu);
	}
}

static int map_nothing(struct vcpu *vcpu, gpa_t gpa, uint64_t length)
{
	struct vm *vm = vcpu->vm;
	gpa_t end = gpa + length;

	for (;;) {
		int error = table_unmap_some(&vm->nested, &gpa, end);

		if (error || gpa == end)
			return error;
		if (table_is_reap_due(&vm->nested))
			vm_flush(vm);
		map_pause(vcpu);
	}
}

GATE_CALL(call_map)
{
	struct vm *vm = vcpu->vm;
	uint64_t size = (uint64_t)vm->chunk_count * PAGE_2M;
	uint64_t kind = c & (PAGE_SIZE - 1), offset = c - kind;
	int error;

	if (!IS_ALIGNED(a | b, PAGE_SIZE) || kind >= GATE_MAP_COUNT || !b)
		return -EINVAL;
	if (a >= GPA_LIMIT || b > GPA_LIMIT - a)
		return -ERANGE;
	if (kind != GATE_MAP_NONE && (offset > size || b > size - offset))
		return -ERANGE;
	if (kind == GATE_MAP_NONE)
		error = map_nothing(vcpu, a, b);
	else
		error = map_chunks(vcpu, a, b, offset,
				   kind == GATE_MAP_RAM
					   ? MAP_READ | MAP_WRITE | MAP_EXEC
					   : MAP_READ | MAP_EXEC);
	vm_flush(vm);
	return error;
}

/* ---- The rest ---------------------------------------------------------- */

GATE_CALL(call_stop)
{
	switch (a) {
	case GATE_STOP_POWER_OFF:
		vm_stop(vcpu->vm, "powered off");
		break;
	case GATE_STOP_DEBUG_EXIT:
		vcpu->vm->exit_code = (uint32_t)b;
		vm_stop(vcpu->vm, "ended by the guest through port 0xf4");
		break;
	case GATE_STOP_ERROR:
		vm_stop(vcpu->vm, "its machine gave up");
		break;
	case GATE_STOP_RESET:
		vlog_info(&vcpu->vm->log, "reset");
		vm_reset(vcpu->vm, vcpu);
		return 0;
	default:
		return -EINVAL;
	}
	vcpu_pend(vcpu, PENDING_STOP);
	return 0; /* to the dispatcher, which ends the thread */
}

GATE_CALL(call_yield)
{
	(void)vcpu;
	sched_yield();
	return 0;
}

GATE_CALL(call_msr_read)
{
	uint64_t value = 0;
	int error = msr_exit_read(vcpu, (uint32_t)a, &value);

	vcpu->page->msr_value = value;
	return error;
}

GATE_CALL(call_msr_write)
{
	if (is_before_reset(vcpu))
		return 0;
	return msr_exit_write(vcpu, (uint32_t)a, b);
}

GATE_CALL(call_cpuid)
{
	cpuid_execute(vcpu, (uint32_t)a, (uint32_t)b);
	return 0;
}

GATE_CALL(call_xcr0_set)
{
	return fpu_xcr0_set(vcpu, a);
}

static long gate_call_vm(struct vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c,
			 uint64_t d, const struct gate_row *row)
{
	long result;

	vm_lock(vcpu);
	result = row->fn(vcpu, a, b, c, d, row);
	vm_unlock(vcpu);
	if (__atomic_load_n(&vcpu->pending, __ATOMIC_RELAXED) & PENDING_STOP)
		vcpu_exit(vcpu);
	return result;
}

#define ROW_THREAD(name)   \
	{                  \
		name, name \
	}
#define ROW_VM(name)               \
	{                          \
		gate_call_vm, name \
	}

/* clang-format off */
extern const struct gate_row gate_calls[GATE_ROWS];
const struct gate_row gate_calls[GATE_ROWS] = {
	[GATE_RESUME]        = ROW_THREAD(call_resume),
	[GATE_STATE_LOAD]    = ROW_THREAD(call_state_load),
	[GATE_LINE]          = ROW_THREAD(call_line),
	[GATE_MSI]           = ROW_THREAD(call_msi),
	[GATE_APIC_READ]     = ROW_THREAD(call_apic_read),
	[GATE_APIC_WRITE]    = ROW_THREAD(call_apic_write),
	[GATE_TIMER]         = ROW_VM(call_timer),
	[GATE_BLOCK]         = ROW_THREAD(call_block),
	[GATE_CONSOLE_WRITE] = ROW_THREAD(call_console_write),
	[GATE_CONSOLE_READ]  = ROW_THREAD(call_console_read),
	[GATE_MAP]           = ROW_VM(call_map),
	[GATE_LOG]           = ROW_THREAD(call_log),
	[GATE_STOP]          = ROW_VM(call_stop),
	[GATE_YIELD]         = ROW_THREAD(call_yield),
	[GATE_MSR_READ]      = ROW_THREAD(call_msr_read),
	[GATE_MSR_WRITE]     = ROW_THREAD(call_msr_write),
	[GATE_CPUID]         = ROW_THREAD(call_cpuid),
	[GATE_XCR0_SET]      = ROW_THREAD(call_xcr0_set),
};
/* clang-format on */

/* ---- Entry ------------------------------------------------------------- */

#define EFER_SCE     BIT(0)
#define STAR_SYSRET  MASK(63, 48)
#define STAR_SYSCALL MASK(47, 32)
/* Cleared on the way in: TF IF DF IOPL NT AC. */
#define SFMASK_GATE                                                \
	(X86_FLAG_TF | X86_FLAG_IF | X86_FLAG_DF | X86_FLAG_IOPL | \
	 X86_FLAG_NT | X86_FLAG_AC | X86_FLAG_RF)

extern char gate_syscall[], gate_syscall_isolated[];
extern char gate_syscall32[], gate_syscall32_isolated[];

void gate_init_cpu(void)
{
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE);
	msr_write(MSR_STAR,
		  FIELD_PUT(STAR_SYSCALL, SELECTOR_KERNEL_CODE) |
			  FIELD_PUT(STAR_SYSRET, SELECTOR_USER_CODE32));
	msr_write(MSR_LSTAR,
		  (uint64_t)(this_cpu()->is_isolated ? gate_syscall_isolated
						     : gate_syscall));
	msr_write(MSR_CSTAR,
		  (uint64_t)(this_cpu()->is_isolated ? gate_syscall32_isolated
						     : gate_syscall32));
	msr_write(MSR_SFMASK, SFMASK_GATE);
	/* #GP, where the processor has SYSENTER in this mode at all. */
	msr_write(MSR_SYSENTER_CS, 0);
}

bool gate_is_entry(uint64_t rip)
{
	return rip == (uint64_t)gate_syscall ||
	       rip == (uint64_t)gate_syscall_isolated ||
	       rip == (uint64_t)gate_syscall32 ||
	       rip == (uint64_t)gate_syscall32_isolated;
}

__noreturn void gate_bad_entry(void);

void gate_bad_entry(void)
{
	struct vcpu *vcpu = vcpu_current();

	irq_enable();
	vlog_err(&vcpu->vm->log, "machine: SYSCALL from 32-bit code");
	vm_stop(vcpu->vm, "its machine crashed");
	vcpu_exit(vcpu);
}

/* A machine did something that ring 3 may not: its VM ends, nothing else. */
void machine_fault(struct trap_frame *frame)
{
	struct vcpu *vcpu = vcpu_current();

	console_wait_log(&vcpu->vm->host->console, vcpu->thread);
	vlog_err(&vcpu->vm->log,
		 "machine: exception %lu, error %lx, at %lx, address %lx",
		 frame->vector, frame->error, frame->rip, cr2_read());
	log_err("rax %016lx rbx %016lx rcx %016lx rdx %016lx", frame->rax,
		frame->rbx, frame->rcx, frame->rdx);
	log_err("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", frame->rsi,
		frame->rdi, frame->rbp, frame->rsp);
	log_err("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", frame->r8,
		frame->r9, frame->r10, frame->r11);
	log_err("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", frame->r12,
		frame->r13, frame->r14, frame->r15);
	vcpu_report(vcpu);
	vm_stop(vcpu->vm, "its machine crashed");
	vcpu_exit(vcpu);
}
