/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GDB remote protocol, packet by packet, against the appendix "Remote
 * Protocol" of "Debugging with GDB".
 */
#include "tests/unit/gdb_test.h"

/* ---- Frames -------------------------------------------------------------- */

static void acknowledgments(void **state)
{
	(void)state;
	target_open(state_long);
	say_raw("+$qC#b4");
	assert_string_equal(take(), "+$QC1#c5");
	/* It came broken: once more. */
	say_raw("-");
	assert_string_equal(take(), "$QC1#c5");
	say_raw("-");
	assert_string_equal(take(), "$QC1#c5");
	/* What we get is broken. */
	say_raw("$qC#b5");
	assert_string_equal(take(), "-");
	say_raw("$qC#zz");
	assert_string_equal(take(), "-");
	say_raw("z$qC$qC#b4");
	assert_string_equal(take(), "+$QC1#c5");
	assert_string_equal(ask("QStartNoAckMode"), "OK");
	say_packet("qC");
	assert_string_equal(take(), "$QC1#c5");
	say_raw("-");
	assert_string_equal(take(), "");
}

/* Two at once: the second waits until the first one's answer was taken. */
static void one_at_a_time(void **state)
{
	char byte[2] = "";

	(void)state;
	target_open(state_long);
	assert_string_equal(ask("QStartNoAckMode"), "OK");
	say_raw("$qC#b4$T2#86");
	assert_int_equal(gdb_output(&target.gdb, byte, 1), 1);
	assert_string_equal(byte, "$");
	assert_string_equal(take(), "QC1#c5$OK#9a");
	for (unsigned i = 0; i < 2 * GDB_INPUT_MAX; i++)
		say_raw("$qC#b4");
	/* What did not fit was lost; what did is answered. */
	while (gdb_output(&target.gdb, byte, 1))
		;
	assert_int_equal(target.gdb.queue_count, 0);
	assert_string_equal(ask("T2"), "OK");
}

static void long_packets(void **state)
{
	static char packet[GDB_PACKET_MAX + 2];

	(void)state;
	target_open(state_long);
	memset(packet, 'x', sizeof(packet));
	say_bytes(packet, GDB_PACKET_MAX);
	assert_string_equal(take(), "+$#00");
	say_bytes(packet, GDB_PACKET_MAX + 1);
	assert_string_equal(take(), "+$E16#ac");
	assert_string_equal(ask("qC"), "QC1");
}

/* ---- Coming and going ---------------------------------------------------- */

static void opening_waits(void **state)
{
	(void)state;
	target_open(state_long);
	gdb_open(&target.gdb);
	assert_int_equal(target.interrupts, 2);
	target.is_running = true;
	say_packet("?");
	assert_string_equal(take(), "");
	stop_now((struct gdb_stop){ .vcpu = 1 });
	assert_string_equal(take(), "+$T02thread:2;#d5");
}

static void leaving(void **state)
{
	(void)state;
	target_open(state_long);
	assert_string_equal(ask("qAttached"), "1");
	assert_string_equal(ask("D"), "OK");
	assert_int_equal(target.closes, 1);
	assert_int_equal(target.powers, 0);
	say_raw("+$qC#b4");
	assert_string_equal(take(), "");
	gdb_close(&target.gdb);
	assert_int_equal(target.closes, 1);
	target_open(state_long);
	say_packet("k");
	assert_string_equal(take(), "+");
	assert_int_equal(target.powers, 1);
	target_open(state_long);
	assert_string_equal(ask("vKill;1"), "OK");
	assert_int_equal(target.powers, 1);
	target_open(state_long);
	gdb_close(&target.gdb);
	assert_int_equal(target.closes, 1);
	assert_int_equal(target.powers, 0);
}

/* The next one finds the guest where it stood, without anybody's stopping it.
 */
static void staying(void **state)
{
	(void)state;
	target_open(state_long);
	say_packet("c");
	take();
	stop_now((struct gdb_stop){ .kind = GDB_STOP_STEP, .vcpu = 1 });
	take();
	/* monitor stay */
	ask("qRcmd,73746179");
	assert_string_equal(ask("D"), "OK");
	assert_int_equal(target.closes, 1);
	gdb_close(&target.gdb);
	assert_int_equal(target.closes, 1);
	assert_int_equal(target.gdb.state, GDB_HELD);
	say_packet("?");
	assert_string_equal(take(), "");
	target.is_running = false;
	gdb_open(&target.gdb);
	assert_int_equal(target.interrupts, 1);
	assert_string_equal(ask("?"), "T02thread:2;");
	/* It was for once. */
	assert_string_equal(ask("D"), "OK");
	assert_int_equal(target.gdb.state, GDB_CLOSED);
}

/* What runs is not stopped by the end of a debugger, nor what has no power. */
static void not_staying(void **state)
{
	(void)state;
	target_open(state_long);
	ask("qRcmd,73746179");
	say_packet("c");
	gdb_close(&target.gdb);
	assert_int_equal(target.gdb.state, GDB_CLOSED);
	target_open(state_long);
	ask("qRcmd,73746179");
	say_packet("k");
	assert_int_equal(target.powers, 1);
	assert_int_equal(target.gdb.state, GDB_CLOSED);
	/* monitor stay off */
	target_open(state_long);
	ask("qRcmd,73746179");
	ask("qRcmd,73746179206f6666");
	assert_string_equal(ask("D"), "OK");
	assert_int_equal(target.gdb.state, GDB_CLOSED);
}

/* ---- Running and stopping ------------------------------------------------ */

struct resume_row {
	const char *packet;
	uint32_t run, step;
};

static void resumes(void **state)
{
	static const struct resume_row rows[] = {
		{ "c", 3, 0 },
		{ "s", 3, 1 },
		{ "C05", 3, 0 },
		{ "S05", 3, 1 },
		{ "vCont;c", 3, 0 },
		{ "vCont;s", 3, 3 },
		{ "vCont;s:2", 2, 2 },
		{ "vCont;s:2;c", 3, 2 },
		{ "vCont;c:1", 1, 0 },
		{ "vCont;S05:1;C05:2", 3, 1 },
		{ "vCont;c:-1;s:1", 3, 0 },
	};

	(void)state;
	target_open(state_long);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		say_packet(rows[i].packet);
		assert_string_equal(take(), "+");
		assert_int_equal(target.resumes, i + 1);
		assert_int_equal(target.run, rows[i].run);
		assert_int_equal(target.step, rows[i].step);
		stop_now((struct gdb_stop){ .kind = GDB_STOP_STEP });
		assert_string_equal(take(), "$T05thread:1;#d7");
	}
	assert_string_equal(ask("Hc2"), "OK");
	say_packet("s");
	assert_int_equal(target.step, 2);
}

static void bad_resumes(void **state)
{
	static const char *const packets[] = {
		"vCont",     "vCont;",	   "vCont;x",	 "vCont;c:3",
		"vCont;c:x", "vCont;s:1,", "vCont;C",	 "vCont;t",
		"C",	     "Cxx",	   "c81000000",	 "vCont;c;s:",
		"vContc",    "vCont;c:0x", "vCont;c:1;",
	};

	(void)state;
	target_open(state_long);
	for (unsigned i = 0; i < ARRAY_SIZE(packets); i++)
		assert_string_equal(ask(packets[i]), "E01");
	assert_int_equal(target.resumes, 0);
	assert_string_equal(ask("vCont?"), "vCont;c;C;s;S");
}

static void run_and_stop(struct gdb_stop stop)
{
	say_packet("c");
	assert_string_equal(take(), "+");
	stop_now(stop);
}

static void stops(void **state)
{
	struct gdb_stop stop = { .kind = GDB_STOP_BREAKPOINT, .vcpu = 1 };

	(void)state;
	target_open(state_long);
	run_and_stop(stop);
	assert_string_equal(take(), "$T05thread:2;#d8");
	assert_non_null(strstr(ask("qSupported:multiprocess+;swbreak+"),
			       "PacketSize=1000;QStartNoAckMode+"));
	run_and_stop(stop);
	assert_string_equal(take(), "$T05thread:2;swbreak:;#3c");
	stop.breakpoint = GDB_BREAK_HARDWARE;
	run_and_stop(stop);
	assert_string_equal(take(), "$T05thread:2;#d8");
	ask("qSupported:hwbreak+");
	run_and_stop(stop);
	assert_non_null(strstr(take(), "hwbreak:;"));
	stop.address = 0xffff888000001230;
	stop.breakpoint = GDB_WATCH_WRITE;
	run_and_stop(stop);
	assert_non_null(strstr(take(), ";watch:ffff888000001230;#"));
	stop.breakpoint = GDB_WATCH_READ;
	run_and_stop(stop);
	assert_non_null(strstr(take(), ";rwatch:ffff888000001230;#"));
	stop.breakpoint = GDB_WATCH_ACCESS;
	run_and_stop(stop);
	assert_non_null(strstr(take(), ";awatch:ffff888000001230;#"));
	/* It is the thread now that is asked about. */
	assert_string_equal(ask("qC"), "QC2");
	assert_non_null(strstr(ask("?"), "thread:2;awatch:"));
}

/* Only the byte 3 is heard while the guest runs. */
static void interrupts(void **state)
{
	(void)state;
	target_open(state_long);
	assert_int_equal(target.interrupts, 1);
	say_raw("\x03");
	assert_int_equal(target.interrupts, 1);
	say_packet("c");
	assert_string_equal(take(), "+");
	say_packet("g");
	assert_string_equal(take(), "+");
	say_packet("m10000,4");
	assert_string_equal(take(), "+");
	say_raw("\x03");
	assert_int_equal(target.interrupts, 2);
	stop_now((struct gdb_stop){ .kind = GDB_STOP_INTERRUPT });
	assert_string_equal(take(), "$T02thread:1;#d4");
	/* Once is enough. */
	stop_now((struct gdb_stop){ .kind = GDB_STOP_STEP });
	assert_string_equal(take(), "");
}

/* ---- Threads ------------------------------------------------------------- */

static void threads(void **state)
{
	(void)state;
	target_open(state_long);
	assert_string_equal(ask("qfThreadInfo"), "m1,2");
	assert_string_equal(ask("qsThreadInfo"), "l");
	assert_string_equal(ask("T1"), "OK");
	assert_string_equal(ask("T2"), "OK");
	assert_string_equal(ask("T3"), "E01");
	assert_string_equal(ask("T0"), "E01");
	assert_string_equal(ask("T"), "E01");
	assert_string_equal(ask("qThreadExtraInfo,2"), "764350552031");
	assert_string_equal(ask("qThreadExtraInfo,9"), "E01");
	assert_string_equal(ask("Hg2"), "OK");
	assert_string_equal(ask("qC"), "QC2");
	assert_string_equal(ask("Hg0"), "OK");
	assert_string_equal(ask("Hc-1"), "OK");
	assert_string_equal(ask("Hg3"), "E01");
	assert_string_equal(ask("Hx1"), "E01");
	assert_string_equal(ask("qXfer:threads:read::0,1000"),
			    "l<?xml version=\"1.0\"?><threads>"
			    "<thread id=\"1\" core=\"0\" name=\"vCPU 0\"/>"
			    "<thread id=\"2\" core=\"1\" name=\"vCPU 1\"/>"
			    "</threads>");
}

/* ---- Memory -------------------------------------------------------------- */

static void memory_read(void **state)
{
	(void)state;
	target_open(state_long);
	assert_string_equal(ask("m10000,4"), "00070e15");
	assert_string_equal(ask("m10001,1"), "07");
	assert_string_equal(ask("m10000,0"), "");
	assert_string_equal(ask("mffff,4"), "E0e");
	/* As far as there is something. */
	assert_int_equal(strlen(ask("m12ffe,10")), 4);
	assert_int_equal(strlen(ask("m12f00,200")), 0x200);
	/* Not more than an answer has room for. */
	assert_int_equal(strlen(ask("m10000,ffffffffffffffff")),
			 GDB_PACKET_MAX);
	assert_string_equal(ask("m10000"), "E01");
	assert_string_equal(ask("m10000,"), "E01");
	assert_string_equal(ask("mx,1"), "E01");
	assert_string_equal(ask("m11111111111111111,1"), "E01");
}

static void memory_write(void **state)
{
	/* } is an escape, of itself, too. */
	static const char binary[] = "X10010,4:\x01}\x03}\x5d\xff";

	(void)state;
	target_open(state_long);
	assert_string_equal(ask("M10000,4:deadBEEF"), "OK");
	assert_string_equal(ask("m10000,5"), "deadbeef1c");
	assert_string_equal(ask("M10000,4:dead"), "E01");
	assert_string_equal(ask("M10000,1:deadbeef"), "E01");
	assert_string_equal(ask("M10000,1:dx"), "E01");
	assert_string_equal(ask("M10000,ffffffffffffffff:00"), "E01");
	assert_string_equal(ask("M12fff,2:0000"), "E0e");
	say_bytes(binary, sizeof(binary) - 1);
	assert_string_equal(take(), "+$OK#9a");
	assert_string_equal(ask("m10010,4"), "01237dff");
	assert_string_equal(ask("X10010,0:"), "OK");
	assert_string_equal(ask("X10010,2:a"), "E01");
	assert_string_equal(ask("X0,1:a"), "E0e");
}

static void memory_physical(void **state)
{
	(void)state;
	target_open(state_long);
	assert_string_equal(ask("m0,1"), "E0e");
	assert_string_equal(ask("qqemu.PhyMemMode"), "0");
	assert_string_equal(ask("Qqemu.PhyMemMode:1"), "OK");
	assert_string_equal(ask("qqemu.PhyMemMode"), "1");
	assert_string_equal(ask("m1,1"), "07");
	assert_string_equal(ask("Qqemu.PhyMemMode:0"), "OK");
	assert_string_equal(ask("m1,1"), "E0e");
}

/* ---- Breakpoints --------------------------------------------------------- */

static void breakpoints(void **state)
{
	(void)state;
	target_open(state_long);
	assert_string_equal(ask("Z0,7c00,1"), "OK");
	assert_int_equal(target.kind, GDB_BREAK_SOFTWARE);
	assert_int_equal(target.address, 0x7c00);
	assert_true(target.is_set);
	assert_string_equal(ask("z1,ffffffff81000000,4"), "OK");
	assert_int_equal(target.kind, GDB_BREAK_HARDWARE);
	assert_int_equal(target.address, 0xffffffff81000000);
	assert_int_equal(target.length, 1);
	assert_false(target.is_set);
	assert_string_equal(ask("Z2,1000,8"), "OK");
	assert_int_equal(target.kind, GDB_WATCH_WRITE);
	assert_int_equal(target.length, 8);
	assert_int_equal(target.breaks, 3);
	/* Nothing that could be taken for another. */
	assert_string_equal(ask("Z5,1000,1"), "");
	assert_string_equal(ask("Z0,1000,1;X1,0"), "");
	assert_string_equal(ask("Z0,1000"), "E01");
	assert_string_equal(ask("Z"), "E01");
	assert_string_equal(ask("z0,,1"), "E01");
	assert_int_equal(target.breaks, 3);
	target.error = -ENOSPC;
	assert_string_equal(ask("Z3,1000,8"), "E1c");
	target.error = -EINVAL;
	assert_string_equal(ask("Z4,1000,8"), "E02");
}

/* ---- monitor ------------------------------------------------------------- */

static const char *monitor(const char *line)
{
	static char text[GDB_PACKET_MAX];
	char packet[512] = "qRcmd,";
	const char *answer;
	size_t i;

	for (i = 0; line[i]; i++)
		sprintf(packet + 6 + 2 * i, "%02x", (uint8_t)line[i]);
	answer = ask(packet);
	for (i = 0; answer[2 * i]; i++) {
		unsigned byte;

		assert_int_equal(sscanf(answer + 2 * i, "%2x", &byte), 1);
		text[i] = (char)byte;
	}
	text[i] = 0;
	return text;
}

static void monitor_commands(void **state)
{
	(void)state;
	target_open(state_long);
	assert_non_null(strstr(monitor("help"), "\nphysical "));
	assert_non_null(strstr(monitor("  help  "), "\nreset "));
	assert_non_null(strstr(monitor("no such"), "no such command"));
	assert_non_null(strstr(monitor(""), "no such command"));
	assert_non_null(strstr(monitor("physical"), "linear"));
	assert_non_null(strstr(monitor("physical on"), "physical"));
	assert_string_equal(ask("qqemu.PhyMemMode"), "1");
	assert_non_null(strstr(monitor("physical off"), "linear"));
	assert_int_equal(target.resets, 0);
	assert_non_null(strstr(monitor("reset"), "reset"));
	assert_int_equal(target.resets, 1);
	assert_string_equal(ask("qRcmd,686"), "E01");
	assert_string_equal(ask("qRcmd,zz"), "E01");
}

/* At physical addresses, whatever others are at. */
static void monitor_flip(void **state)
{
	(void)state;
	target_open(state_long);
	assert_int_equal(target.memory[8], 0x38);
	assert_string_equal(monitor("flip 0x8 3"), "38, now 30\n");
	assert_int_equal(target.memory[8], 0x30);
	assert_string_equal(monitor("flip 8 7"), "30, now b0\n");
	assert_int_equal(target.memory[7], 7 * 7);
	assert_int_equal(target.memory[9], 9 * 7);
	assert_string_equal(monitor("flip 3000 0"), "there is no memory\n");
	assert_non_null(strstr(monitor("flip 8 8"), "flip ADDRESS BIT"));
	assert_non_null(strstr(monitor("flip 8"), "flip ADDRESS BIT"));
	assert_non_null(strstr(monitor("flip x 1"), "flip ADDRESS BIT"));
	assert_int_equal(target.memory[8], 0xb0);
}

static void monitor_catch(void **state)
{
	static const char *const bad[] = {
		"catch",	   "catch port",       "catch port x",
		"catch port 0x",   "catch port 10000", "catch exception 20",
		"catch int 100",   "catch reset 1",    "catch nothing 1",
		"catch port 1 on", "catch off",	       "catch msr 100000000",
	};

	(void)state;
	target_open(state_long);
	assert_string_equal(monitor("catch exception e"), "ok\n");
	assert_int_equal(target.kind, GDB_CATCH_EXCEPTION);
	assert_int_equal(target.address, 14);
	assert_true(target.is_set);
	assert_string_equal(monitor("catch port 0x3f8 off"), "ok\n");
	assert_int_equal(target.kind, GDB_CATCH_PORT);
	assert_int_equal(target.address, 0x3f8);
	assert_false(target.is_set);
	assert_string_equal(monitor("catch msr c0000080"), "ok\n");
	assert_int_equal(target.address, 0xc0000080);
	assert_string_equal(monitor("catch int 80"), "ok\n");
	assert_string_equal(monitor("catch reset"), "ok\n");
	assert_int_equal(target.kind, GDB_CATCH_RESET);
	assert_int_equal(target.catches, 5);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_non_null(strstr(monitor(bad[i]), "hexadecimal"));
	assert_int_equal(target.catches, 5);
	target.error = -ENOSPC;
	assert_non_null(strstr(monitor("catch port 1"), "no more"));
	/* Said before the stop, in hex. */
	run_and_stop((struct gdb_stop){ .kind = GDB_STOP_CATCH,
					.caught = GDB_CATCH_PORT,
					.address = 0x3f8 });
	/* "vCPU 0: port 0x3f8\n" */
	assert_non_null(
		strstr(take(), "$O7643505520303a20706f72742030783366380a#"));
	assert_non_null(strstr(ask("?"), "T05thread:1;"));
}

static void unknown(void **state)
{
	(void)state;
	target_open(state_long);
	assert_string_equal(ask("vMustReplyEmpty"), "");
	assert_string_equal(ask("qTStatus"), "");
	assert_string_equal(ask("qCRC:0,1"), "");
	assert_string_equal(ask("!"), "");
	assert_string_equal(ask("QNonStop:1"), "");
	assert_string_equal(ask("qXfer:auxv:read::0,1000"), "E00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledgments),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(long_packets),
		cmocka_unit_test(opening_waits),
		cmocka_unit_test(leaving),
		cmocka_unit_test(staying),
		cmocka_unit_test(not_staying),
		cmocka_unit_test(resumes),
		cmocka_unit_test(bad_resumes),
		cmocka_unit_test(stops),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(threads),
		cmocka_unit_test(memory_read),
		cmocka_unit_test(memory_write),
		cmocka_unit_test(memory_physical),
		cmocka_unit_test(breakpoints),
		cmocka_unit_test(monitor_commands),
		cmocka_unit_test(monitor_flip),
		cmocka_unit_test(monitor_catch),
		cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
