/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers in the order of the descriptions that GDB is given, against the
 * manuals' layouts: "Standard Target Features" of "Debugging with GDB"; SDM
 * volume 1, "x87 FPU Tag Word".
 */
#include "tests/unit/gdb_test.h"

/* Numbers in the two descriptions. */
#define R64_RAX	   0
#define R64_RBX	   1
#define R64_RIP	   16
#define R64_EFLAGS 17
#define R64_CS	   18
#define R64_ST0	   24
#define R64_FCTRL  32
#define R64_FTAG   34
#define R64_FOP	   39
#define R64_XMM0   40
#define R64_MXCSR  56
#define R64_FS	   57
#define R64_KGS	   59
#define R64_CR0	   60
#define R64_CR3	   62
#define R64_CR8	   64
#define R64_EFER   65
#define R64_COUNT  66

#define R32_ECX	   1
#define R32_EIP	   8
#define R32_CS	   10
#define R32_DS	   12
#define R32_XMM0   32
#define R32_MXCSR  40
#define R32_CSBASE 41
#define R32_COUNT  52

static const char *read_register(unsigned n)
{
	char packet[16];

	sprintf(packet, "p%x", n);
	return ask(packet);
}

static const char *write_register(unsigned n, const char *value)
{
	char packet[64];

	sprintf(packet, "P%x=%s", n, value);
	return ask(packet);
}

static const char *document(void)
{
	static char text[16384];
	size_t length = 0;
	char packet[64];
	const char *answer;

	/* In pieces that have nothing to do with where lines end. */
	do {
		sprintf(packet, "qXfer:features:read:target.xml:%zx,1f3",
			length);
		answer = ask(packet);
		assert_true(*answer == 'm' || *answer == 'l');
		if (*answer == 'm')
			assert_int_equal(strlen(answer), 1 + 0x1f3);
		strcpy(text + length, answer + 1);
		length += strlen(answer + 1);
	} while (*answer == 'm');
	return text;
}

static unsigned occurrences(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* The bits of all registers are the digits of `g`. */
static size_t described_digits(const char *text)
{
	size_t bits = 0;

	while ((text = strstr(text, "bitsize=\""))) {
		text += strlen("bitsize=\"");
		bits += strtoul(text, NULL, 10);
	}
	return bits / 4;
}

static void description_64(void **state)
{
	const char *text;

	(void)state;
	target_open(state_long);
	text = document();
	assert_non_null(strstr(text, "<architecture>i386:x86-64<"));
	assert_int_equal(occurrences(text, "<feature "), 4);
	assert_int_equal(occurrences(text, "</feature>"), 4);
	assert_int_equal(occurrences(text, "<reg "), R64_COUNT);
	assert_int_equal(strlen(ask("g")), described_digits(text));
	assert_string_equal(read_register(R64_COUNT), "E01");
	assert_string_equal(ask("qXfer:features:read:target.xml:ffffffff,100"),
			    "l");
	assert_string_equal(ask("qXfer:features:read:target.xml:0,0"), "m");
	assert_string_equal(ask("qXfer:features:read:target.xml:0"), "E00");
	assert_string_equal(ask("qXfer:features:read:other.xml:0,1"), "E00");
}

static void description_32(void **state)
{
	const char *text;

	(void)state;
	target_open(state_real);
	text = document();
	assert_non_null(strstr(text, "<architecture>i8086<"));
	assert_int_equal(occurrences(text, "<reg "), R32_COUNT);
	assert_int_equal(strlen(ask("g")), described_digits(text));
}

static void state_protected(struct x86_state *s)
{
	state_real(s);
	s->cr0 |= X86_CR0_PE;
	s->seg[X86_CS].attributes |= X86_ATTR_DB;
}

static void description_by_code(void **state)
{
	const char *text;

	(void)state;
	target_open(state_protected);
	text = document();
	assert_non_null(strstr(text, "<architecture>i386<"));
	assert_int_equal(occurrences(text, "<reg "), R32_COUNT);
	/* Protected mode's 16-bit code. */
	target_open(state_protected);
	target.state[0].seg[X86_CS].attributes &= ~(uint32_t)X86_ATTR_DB;
	assert_non_null(strstr(document(), "<architecture>i8086<"));
}

/* What was described stays, whatever the guest does; the next has it anew. */
static void description_stays(void **state)
{
	(void)state;
	target_open(state_real);
	assert_string_equal(read_register(R32_EIP), "057c0000");
	say_packet("c");
	take();
	target.is_running = false;
	state_long(&target.state[0]);
	stop_now((struct gdb_stop){ .kind = GDB_STOP_STEP });
	/* It is told so. */
	assert_non_null(strstr(take(), "$O74686520"));
	assert_string_equal(read_register(R32_EIP), "00000081");
	assert_int_equal(strncmp(document(), "<?xml", 5), 0);
	assert_non_null(strstr(document(), ">i8086<"));
	gdb_close(&target.gdb);
	gdb_open(&target.gdb);
	stop_now((struct gdb_stop){ .kind = GDB_STOP_INTERRUPT });
	assert_string_equal(read_register(R64_RIP), "00000081ffffffff");
}

static void description_wanted(void **state)
{
	(void)state;
	target_open(state_real);
	/* monitor arch x86-64 */
	ask("qRcmd,61726368207838362d3634");
	assert_non_null(strstr(document(), ">i8086<"));
	gdb_close(&target.gdb);
	gdb_open(&target.gdb);
	stop_now((struct gdb_stop){ .kind = GDB_STOP_INTERRUPT });
	assert_non_null(strstr(document(), ">i386:x86-64<"));
	assert_string_equal(read_register(R64_RIP), "057c000000000000");
	/* monitor arch i386 */
	ask("qRcmd,617263682069333836");
	gdb_close(&target.gdb);
	gdb_open(&target.gdb);
	stop_now((struct gdb_stop){ .kind = GDB_STOP_INTERRUPT });
	assert_non_null(strstr(document(), ">i386<"));
}

static void general(void **state)
{
	(void)state;
	target_open(state_long);
	target.state[1].gpr[X86_RBX] = 0x0123456789abcdef;
	assert_string_equal(read_register(R64_RBX), "3333333333333333");
	assert_string_equal(ask("Hg2"), "OK");
	assert_string_equal(read_register(R64_RBX), "efcdab8967452301");
	assert_string_equal(write_register(R64_RAX, "0100000000000080"), "OK");
	assert_int_equal(target.state[1].gpr[X86_RAX], 0x8000000000000001);
	assert_int_equal(target.state[0].gpr[X86_RAX], 0);
	assert_string_equal(write_register(R64_RAX, "01"), "E01");
	assert_string_equal(ask("P0"), "E01");
	assert_string_equal(ask("P=00"), "E01");
	assert_string_equal(ask("pz"), "E01");
	/* Of 64 bits, 32. */
	target_open(state_real);
	target.state[0].gpr[X86_RCX] = 0xffffffff00000000;
	assert_string_equal(write_register(R32_ECX, "78563412"), "OK");
	assert_int_equal(target.state[0].gpr[X86_RCX], 0xffffffff12345678);
}

static void flags(void **state)
{
	(void)state;
	target_open(state_long);
	assert_string_equal(read_register(R64_EFLAGS), "02020000");
	assert_string_equal(write_register(R64_EFLAGS, "ffffffff"), "OK");
	/* All there are, but for virtual-8086 mode's. */
	assert_int_equal(target.state[0].rflags,
			 (X86_FLAGS_ALL & ~X86_FLAG_VM) | X86_FLAG_ONE);
}

static void program_counter(void **state)
{
	struct x86_state *s = &target.state[0];

	(void)state;
	target_open(state_long);
	assert_string_equal(read_register(R64_RIP), "00000081ffffffff");
	assert_string_equal(write_register(R64_RIP, "0000000000000080"), "E02");
	assert_string_equal(write_register(R64_RIP, "0010000000000000"), "OK");
	assert_int_equal(s->rip, 0x1000);
	/* Compatibility mode has bases again. */
	s->seg[X86_CS].attributes = X86_ATTR_DB;
	s->seg[X86_CS].base = 0xfffff000;
	s->rip = 0x1234;
	assert_string_equal(read_register(R64_RIP), "3402000000000000");
	/* Linear, whatever CS is. */
	target_open(state_real);
	assert_string_equal(read_register(R32_EIP), "057c0000");
	assert_string_equal(write_register(R32_EIP, "107c0000"), "OK");
	assert_int_equal(s->rip, 0x10);
	assert_string_equal(write_register(R32_EIP, "00000100"), "OK");
	assert_int_equal(s->rip, 0x8400);
	assert_string_equal(write_register(R32_EIP, "007b0000"), "E02");
	assert_int_equal(s->rip, 0x8400);
}

static void segments(void **state)
{
	struct x86_state *s = &target.state[0];

	(void)state;
	target_open(state_real);
	assert_string_equal(read_register(R32_CS), "c0070000");
	assert_string_equal(read_register(R32_CSBASE), "007c0000");
	assert_string_equal(write_register(R32_DS, "00b80000"), "OK");
	assert_int_equal(s->seg[X86_DS].base, 0xb8000);
	assert_int_equal(s->dirty, X86_GROUP_SEGMENTS);
	s->rflags |= X86_FLAG_VM;
	assert_string_equal(write_register(R32_CSBASE, "00000000"), "E02");
	s->rflags &= ~X86_FLAG_VM;
	s->cr0 |= X86_CR0_PE;
	assert_string_equal(write_register(R32_DS, "08000000"), "E02");
	/* The value that it has. */
	assert_string_equal(write_register(R32_DS, "00b80000"), "OK");
	target_open(state_long);
	assert_string_equal(write_register(R64_FS, "0000000088880100"), "E02");
	assert_string_equal(write_register(R64_FS, "00000000ffff0000"), "E02");
	assert_string_equal(write_register(R64_FS, "0000000080ffffff"), "OK");
	assert_int_equal(s->seg[X86_FS].base, 0xffffff8000000000);
	assert_string_equal(write_register(R64_KGS, "0100000000000000"), "OK");
	assert_int_equal(s->kernel_gs_base, 1);
	assert_int_equal(s->dirty, X86_GROUP_SEGMENTS | X86_GROUP_SYSCALL);
}

static void control(void **state)
{
	struct x86_state *s = &target.state[0];

	(void)state;
	target_open(state_long);
	s->cr3 = 0x1234000;
	assert_string_equal(read_register(R64_CR0), "1100008000000000");
	assert_string_equal(read_register(R64_CR3), "0040230100000000");
	assert_string_equal(read_register(R64_EFER), "0005000000000000");
	assert_string_equal(write_register(R64_CR0, "1000000000000000"), "E02");
	assert_string_equal(write_register(R64_EFER, "0000000000000000"),
			    "E02");
	assert_int_equal(s->dirty, 0);
	assert_string_equal(write_register(R64_CR3, "0000200000000000"), "OK");
	assert_int_equal(s->cr3, 0x200000);
	assert_int_equal(s->dirty, X86_GROUP_CONTROL);
	assert_string_equal(write_register(R64_CR8, "ff00000000000000"), "OK");
	assert_int_equal(s->cr8, 15);
}

static void floating_point(void **state)
{
	static const uint8_t one[10] = { [7] = 0x80, 0xff, 0x3f };
	struct x86_xstate *x = &target.xstate[0];

	(void)state;
	target_open(state_long);
	x->fcw = 0x37f;
	x->fsw = 7 << 11; /* one push: register 7 is ST0 */
	x->ftw = 0xe0;	  /* 7, 6, 5 */
	memcpy(x->st[0], one, sizeof(one));
	memset(x->st[1], 0xff, 10); /* register 0: empty, whatever it holds */
	memset(x->st[6], 0xff, 10); /* 5: a NaN */
	assert_string_equal(read_register(R64_FCTRL), "7f030000");
	assert_string_equal(read_register(R64_ST0), "0000000000000080ff3f");
	/* 7 valid, 6 (ST7) zero, 5 special, the others empty. */
	assert_string_equal(read_register(R64_FTAG), "ff1b0000");
	assert_string_equal(write_register(R64_FTAG, "fcff0000"), "OK");
	assert_int_equal(x->ftw, 1);
	assert_int_equal(target.state[0].dirty, X86_GROUP_XSTATE);
	assert_int_equal(x->xstate_bv, X86_XCR0_X87 | X86_XCR0_SSE);
	x->fip = 0x0000123487654321;
	assert_string_equal(read_register(R64_FCTRL + 3), "34120000");
	assert_string_equal(read_register(R64_FCTRL + 4), "21436587");
	assert_string_equal(write_register(R64_FCTRL + 5, "ffffffff"), "OK");
	assert_string_equal(write_register(R64_FCTRL + 6, "01000080"), "OK");
	assert_int_equal(x->fdp, 0x0000ffff80000001);
	assert_string_equal(write_register(R64_FOP, "ff070000"), "OK");
	assert_int_equal(x->fop, 0x7ff);
}

static void vectors(void **state)
{
	struct x86_xstate *x = &target.xstate[0];

	(void)state;
	target_open(state_long);
	for (unsigned i = 0; i < 16; i++)
		x->xmm[15][i] = (uint8_t)(i * 17);
	x->mxcsr = 0x1f80;
	assert_string_equal(read_register(R64_XMM0 + 15),
			    "00112233445566778899aabbccddeeff");
	assert_string_equal(read_register(R64_MXCSR), "801f0000");
	assert_string_equal(
		write_register(R64_XMM0, "ffeeddccbbaa99887766554433221100"),
		"OK");
	assert_int_equal(x->xmm[0][0], 0xff);
	assert_int_equal(x->xmm[0][15], 0);
	target_open(state_real);
	x->xmm[0][0] = 0x42;
	x->mxcsr = 0x1f80;
	assert_string_equal(read_register(R32_MXCSR), "801f0000");
	assert_string_equal(read_register(R32_XMM0),
			    "42000000000000000000000000000000");
}

/* All at once and back: nothing changes, nothing is dirty. */
static void all_at_once(void **state)
{
	static char packet[4096];
	struct x86_state before;

	(void)state;
	target_open(state_long);
	before = target.state[0];
	packet[0] = 'G';
	strcpy(packet + 1, ask("g"));
	assert_string_equal(ask(packet), "OK");
	assert_memory_equal(&before, &target.state[0], sizeof(before));
	/* RAX and RBX alone; what may not be changed is left out. */
	memcpy(packet + 1, "0200000000000000", 16);
	packet[17 + 16] = 0;
	assert_string_equal(ask(packet), "OK");
	assert_int_equal(target.state[0].gpr[X86_RAX], 2);
	assert_string_equal(ask("G0200"), "E01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(description_64),
		cmocka_unit_test(description_32),
		cmocka_unit_test(description_stays),
		cmocka_unit_test(description_by_code),
		cmocka_unit_test(description_wanted),
		cmocka_unit_test(general),
		cmocka_unit_test(flags),
		cmocka_unit_test(program_counter),
		cmocka_unit_test(segments),
		cmocka_unit_test(control),
		cmocka_unit_test(floating_point),
		cmocka_unit_test(vectors),
		cmocka_unit_test(all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
