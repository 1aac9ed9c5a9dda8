# SPDX-License-Identifier: BSD-2-Clause
"""The bulkhead tool: manifests, modules, expectations, and how runs end.

Shell scripts stand in for simulators, but in the last class.
"""

import argparse
import contextlib
import io
import os
import pty
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import time
import unittest

from folder import ManifestTest, ToolTest    # and the way to the tool
from kernels import Kernels    # noqa: F401: its tests are run, too
from bulkhead_tool import (Problem, bochs, fdt, host, iso, main, qemu,
                           session)

MANIFEST = """/dts-v1/;
/ {
	compatible = "bulkhead,host-v1";
	guests {
		one { board = "pc"; memory-mib = <%s>; vcpus = <1>;
			disk0 { bus = "ide"; image = "%s"; };
			disk1 { bus = "ide"; image = "%s"; };
		};
	};
};
"""


class Manifests(ManifestTest):
    def host(self, memory="64", image="a.img", second="a.img"):
        source = self.write("host.dts", MANIFEST % (memory, image, second))
        return host.Host(source, self.work)

    def test_packed_host_boots_as_it_is(self):
        path = os.path.realpath(self.write("x.iso", "\0" * 32768 + "\1CD001"))
        self.assertTrue(iso.is_iso(path))
        self.assertEqual(iso.medium(iso.IsoHost(path), self.work), path)

    def test_what_is_no_iso_is_not_booted(self):
        for text in ("", "x", "\0" * 40000):
            path = self.write("y.iso", text)
            with self.assertRaisesRegex(Problem, "no ISO 9660 image"):
                iso.is_iso(path)
        self.assertFalse(iso.is_iso(self.write("z.dts", "")))
        self.assertFalse(iso.is_iso(self.folder))

    def test_tree_is_read_as_written(self):
        source = self.write("t.dts", '/dts-v1/; / { a = "x", "y"; '
                            'n = <7>; flag; b { c { }; }; d { }; };')
        root = fdt.parse(fdt.compile_source(source))
        self.assertEqual(root.strings("a"), ["x", "y"])
        self.assertEqual(root.number("n"), 7)
        self.assertIn("flag", root.properties)
        self.assertEqual([c.name for c in root.children], ["b", "d"])
        self.assertEqual(root.child("b").children[0].name, "c")

    def test_syntax_error_names_file_and_line(self):
        source = self.write("bad.dts", "/dts-v1/;\n/ { a = ; };\n")
        with self.assertRaisesRegex(Problem, r"bad\.dts:2"):
            fdt.compile_source(source)

    def test_modules_are_firmware_and_each_file_once(self):
        self.write("a.img", "x" * 512)
        names = [m.name for m in self.host().modules]
        self.assertEqual(names, ["manifest.dtb", "init.elf", "seat.elf",
                                 "machine.elf", "bios.bin", "vgabios.bin",
                                 "a.img"])

    def test_command_line_has_what_is_wanted_before_init(self):
        def line(text):
            source = self.write("l.dts", '/dts-v1/; / { %s };' % text)
            return host.command_line(fdt.parse(fdt.compile_source(source)))

        self.assertEqual(line(""), [])
        self.assertEqual(line('mitigations = "auto";'), [])
        self.assertEqual(line('log-level = "debug"; mitigations = "off";'),
                         ["mitigations=off", "log-level=debug"])

    def test_wrong_value_names_node_and_property(self):
        self.write("a.img", "x" * 512)
        self.refused("/guests/one", "memory-mib", memory="0")

    def test_missing_file_says_where_it_was_looked_for(self):
        self.refused("missing.img", self.folder, image="missing.img")

    def test_space_in_a_name_is_refused(self):
        self.write("a b.img", "x" * 512)
        self.refused("/guests/one/disk0: image", "spaces", image="a b.img")

    def test_folders_in_a_name_are_refused(self):
        for name in ("/etc/passwd", "./a.img", "x/a.img"):
            self.refused("/guests/one/disk1: image", "folders", second=name)

    def test_disks_that_boot_refuses_are_refused(self):
        self.write("a.img", "x" * 512)
        for size in (0, 1, 511, 1000):
            self.write("b.img", "x" * size)
            self.refused("/guests/one/disk1: image", '"b.img"',
                         "%d bytes" % size, second="b.img")

    def test_cdroms_that_boot_refuses_are_refused(self):
        self.write("c.img", "x" * 2560)
        self.guest_refused('memory-mib = <64>; '
                           'cdrom0 { bus = "ide"; image = "c.img"; };',
                           "/guests/one/cdrom0: image", "2048")

    def test_firmware_that_the_board_refuses_is_refused(self):
        for size in (0, 1, 65537, (8 << 20) + 65536):
            self.write("fw.bin", "x" * size)
            self.guest_refused('memory-mib = <64>; firmware = "fw.bin";',
                               "/guests/one: firmware", "%d bytes" % size)
        self.write("fw.bin", "x" * 65536)
        names = [m.name for m in self.guest(
            'memory-mib = <64>; firmware = "fw.bin";').modules]
        self.assertEqual(names, ["manifest.dtb", "init.elf", "seat.elf",
                                 "machine.elf", "vgabios.bin", "fw.bin"])

    def test_more_files_than_boot_modules_are_refused(self):
        def guests(count):
            text = ""
            for g in range(8):
                disks = ""
                for d in range(min(4, max(0, count - 4 * g))):
                    name = "d%d.img" % (4 * g + d)
                    self.write(name, "x" * 512)
                    disks += 'disk%d { bus = "ide"; image = "%s"; };' % (
                        d, name)
                text += 'g%d { board = "pc"; memory-mib = <64>; %s };' % (
                    g, disks)
            source = self.write("host.dts", '/dts-v1/; / { compatible = "'
                                'bulkhead,host-v1"; guests { %s }; };' % text)
            return host.Host(source, self.work)

        self.assertEqual(len(guests(26).modules), 32)
        with self.assertRaisesRegex(Problem, "33 files.*at most 32"):
            guests(27)

    def test_what_is_no_file_is_no_manifest(self):
        os.mkfifo(os.path.join(self.folder, "pipe"))
        for name, why in (("", "is a folder"), ("none.dts", "is no file"),
                          ("pipe", "no ordinary file")):
            with self.assertRaisesRegex(Problem, "manifest: .*" + why):
                host.Host(os.path.join(self.folder, name), self.work)
        with open(os.path.join(self.folder, "b.dts"), "wb") as f:
            f.write(bytes(range(256)) * 64)
        with self.assertRaisesRegex(Problem, "does not compile"):
            host.Host(os.path.join(self.folder, "b.dts"), self.work)

    def test_host_memory_covers_guests_modules_and_copies(self):
        with open(os.path.join(self.folder, "a.img"), "wb") as f:
            f.truncate(32 << 20)
        mib = self.host().memory_mib()
        self.assertGreaterEqual(mib, 64 + 2 * 32 + host.HOST_RESERVE_MIB)

    def test_commas_in_paths_are_doubled_for_qemu(self):
        folder = os.path.join(self.folder, "a,b")
        os.mkdir(folder)
        path = self.write("a,b/x.img", "x")
        text = qemu.module_list([host.Module("x.img", path)], folder)
        self.assertEqual(text, self.folder + "/a,,b/0/x.img")


SPEAKS = "echo '[   0.000001] Bulkhead'; "


class Sessions(unittest.TestCase):
    """A shell stands in for the simulator."""

    def run_steps(self, script, steps, host_end="power-off", **change):
        settings = {"timeout": 5.0, "fail": [], "until_end": False,
                    "quiet": True, "sim": "qemu"}
        settings.update(change)
        settings["fail"] = [session.pattern(p) for p in settings["fail"]]
        convert = {"expect": session.pattern, "send": session.unescape}
        steps = [(kind, convert[kind](text)) for kind, text in steps]
        args = argparse.Namespace(**settings)
        with contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()):
            return session.Scripted(["/bin/sh", "-c", script], steps, args,
                                    host_end).run()

    def unmet(self, pattern, script, steps, **change):
        with self.assertRaisesRegex(Problem, pattern):
            self.run_steps(script, steps, **change)

    def test_expectations_in_order_are_met(self):
        self.run_steps("echo a1; echo b2; sleep 9",
                       [("expect", r"a\d"), ("expect", r"b\d")])

    def test_control_sequences_do_not_hide_what_is_expected(self):
        self.run_steps(r"printf 'g\r\033[09;0'; sleep 0.3; printf '2Hrub> '; "
                       "sleep 9", [("expect", "grub> ")])

    def test_order_counts(self):
        self.unmet("expectation 2 of 2: 'first'", "echo first; echo second",
                   [("expect", "second"), ("expect", "first")])

    def test_lines_begin_where_they_begin(self):
        self.run_steps("printf 'a\\nFAIL'; sleep 9", [("expect", "^FAIL")])
        self.unmet("not within", "echo a-b; sleep 9",
                   [("expect", "a-"), ("expect", "^b")], timeout=0.5)

    def test_what_is_sent_arrives(self):
        self.run_steps("read x; echo got-$x; sleep 9",
                       [("send", "a long line of text\\n"),
                        ("expect", "got-a long line of text")])

    def test_what_nobody_reads_does_not_block(self):
        self.unmet("not within 1 s: that what --send", "sleep 9",
                   [("send", "x" * 100000)], timeout=1.0)

    def test_escapes_stand_for_bytes(self):
        self.assertEqual(session.unescape(r"a\r\e[B\x7f\\e\0"),
                         b"a\r\x1b[B\x7f\\e\0")
        self.assertEqual(session.unescape("\u20ac"), "\u20ac".encode())
        for text in ("\\", "\\x", "\\x1", "\\xgg", "\\q", "\\u1234"):
            with self.assertRaisesRegex(ValueError, "unknown escape"):
                session.unescape(text)

    def test_silence_ends_at_the_time_limit(self):
        self.unmet("not within 0.5 s: expectation 1 of 1", "sleep 9",
                   [("expect", "x")], timeout=0.5)

    def test_a_failure_pattern_ends_at_once(self):
        self.unmet("'panic' appeared", "echo panic; sleep 9",
                   [("expect", "x")], fail=["panic"])

    def test_own_end_is_waited_for(self):
        self.run_steps(SPEAKS + "echo a; sleep 0.2", [("expect", "a")],
                       until_end=True)
        self.unmet("simulator's own end", SPEAKS + "echo a; sleep 9",
                   [("expect", "a")], until_end=True, timeout=1.0)

    def test_an_end_without_the_host_is_none(self):
        for status in (0, 1, 3, 77):
            self.unmet("status %d before the host said a word" % status,
                       "echo a; echo why >&2; exit %d" % status,
                       [("expect", "a")], until_end=True)
        self.unmet("why", "echo why >&2; exit 1", [], until_end=True)
        self.unmet("status 1 before the host", "exit 1", [("expect", "x")])

    def test_bad_ends_after_the_host_are_bad(self):
        for ending, why, end in (
                ("exit 1", "failed with status 1", "power-off"),
                ("exit 3", "the host ended with an error", "isa-debug-exit"),
                ("exit 3", "the host ended with an error", None),
                ("exit 2", "failed with status 2", "isa-debug-exit"),
                ("kill -SEGV $$", "ended by signal SIGSEGV", "power-off"),
                ("kill -KILL $$", "ended by signal SIGKILL", None)):
            self.unmet(why, SPEAKS + ending, [], until_end=True, host_end=end)

    def test_the_hosts_own_status_is_known(self):
        for end in ("isa-debug-exit", None):
            self.run_steps(SPEAKS + "exit 1", [], until_end=True,
                           host_end=end)

    def test_a_panic_is_never_good(self):
        panic = "echo '[   1.000000] error: monitor panic: x'; "
        self.unmet("monitor panic", SPEAKS + panic, [], until_end=True)
        self.unmet("monitor panic", SPEAKS + panic + "echo then; sleep 9",
                   [("expect", "then")])
        reset = r"printf 'half a line\030\033\\\033c'; "
        self.unmet("monitor panic", SPEAKS + reset + panic, [],
                   until_end=True)
        self.run_steps(SPEAKS + "printf '[guest] '; " + panic + "echo then; "
                       "sleep 9", [("expect", "then")])
        nothing = "echo '[   1.000000] error: nothing is started: x'; "
        self.run_steps(SPEAKS + nothing,
                       [("expect", "error: nothing is started: x")],
                       until_end=True)
        self.unmet("nothing is started", SPEAKS + nothing, [],
                   until_end=True)

    def test_a_line_in_two_pieces_is_one(self):
        halves = ("printf '[   1.000000] error: nothing is started: no g'; "
                  "sleep 0.5; echo uest; ")
        self.run_steps(SPEAKS + halves,
                       [("expect", "error: nothing is started: no guest")],
                       until_end=True)

    def test_a_flood_is_searched_and_forgotten(self):
        began = time.monotonic()
        self.run_steps("yes 0123456789012345678901234567890123456789 | "
                       "head -c 8000000; echo last; sleep 9",
                       [("expect", "last")], timeout=30.0)
        # A control sequence without an end.
        self.run_steps(r"printf '\033['; yes 1 | head -c 2000000 | tr -d '\n';"
                       " echo; echo last; sleep 9", [("expect", "last")],
                       timeout=30.0)
        self.assertLess(time.monotonic() - began, 20)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.assertLess(memory, 200 << 10)    # KiB


class Tool(ToolTest):
    """The command itself, with scripts of the simulators' names on PATH."""

    def test_bad_arguments_start_nothing(self):
        self.simulator("touch %s/began" % self.folder)
        self.refused(2, "no regular expression", "--expect", "(")
        for words, why in (
                ("--cpus -3", "--cpus"), ("--cpus 0", "--cpus"),
                ("--cpus abc", "--cpus"), ("--cpus 1000", "--cpus"),
                ("--cpus 1.5", "--cpus"),
                ("--host-memory -1", "--host-memory"),
                ("--host-memory 0", "--host-memory"),
                ("--host-memory 1G", "--host-memory"),
                ("--timeout -1", "--timeout"), ("--timeout 0", "--timeout"),
                ("--timeout nan", "--timeout"), ("--timeout x", "--timeout"),
                ("--timeout inf", "--timeout"),
                ("--fail [", "no regular expression"),
                ("--expect a{2,1}", "no regular expression"),
                ("--send \\x", "unknown escape"),
                ("--send a\\", "unknown escape")):
            complaint = io.StringIO()
            with contextlib.redirect_stderr(complaint), \
                    self.assertRaises(SystemExit) as caught:
                main.parse_arguments(["run", self.manifest] + words.split())
            self.assertEqual(caught.exception.code, 2)
            self.assertIn(why, complaint.getvalue())

    def test_options_that_do_not_go_together_start_nothing(self):
        self.simulator("touch %s/began" % self.folder)
        self.simulator("touch %s/began" % self.folder, "bochs")
        here = self.folder
        for words, why in (
                ("--serial-log %s/no/log" % here, "--serial-log.*no/log"),
                ("--serial-log " + here, "--serial-log.*directory"),
                ("--until-end --serial-log " + here, "--serial-log"),
                ("--bios %s/no" % here, "--bios: there is no file"),
                ("--bios " + here, "--bios: .*is a folder"),
                ("--uefi --bios " + self.manifest, "exclude each other"),
                ("--icount --cpus 2", "--icount"),
                ("--icount --cpus 1 --parallel", "--parallel"),
                ("--sim bochs --parallel", "--parallel: for QEMU only"),
                ("--quiet", "--quiet"),
                ("--sim bochs --uefi", "--uefi: for QEMU only"),
                ("--sim bochs --gdb --qemu=-S", "--gdb, --qemu: for QEMU"),
                ("--sim bochs --cpu a,b", "--cpu")):
            self.refused(1, why, *words.split())

    def test_cpus_run_at_the_same_time_only_where_asked(self):
        self.simulator(SPEAKS + "echo \"$@\"")
        for options, thread, cpus, has_idle in (
                ("", b"single", 2, False), ("--parallel", b"multi", 3, True),
                ("--parallel --cpus 1", b"multi", 1, False)):
            done = self.run_tool("run", self.manifest, *options.split())
            self.assertIn(b"-accel tcg,thread=%s -smp %d" % (thread, cpus),
                          done.stdout)
            self.assertEqual(b"-append boot-cpu=idle" in done.stdout, has_idle)

    def test_drives_reach_qemu_and_nothing_else(self):
        self.simulator(SPEAKS + "echo \"$@\"")
        self.simulator("touch %s/began" % self.folder, "bochs")
        self.write("a.img", "x" * 512)
        manifest = self.write("d.dts", '/dts-v1/; / { compatible = "bulkhead,'
                              'host-v1"; guests { one { board = "pc"; memory-'
                              'mib = <64>; disk0 { bus = "ide"; source = '
                              '"file:a.img"; }; }; }; };')
        done = self.run_tool("run", manifest)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"serial=one/disk0,disable-legacy=on", done.stdout)
        for image, waits in (self.manifest, "off"), (manifest, "on"):
            done = self.run_tool("run", image, "--icount", "--cpus", "1")
            self.assertIn(b"-icount shift=0,sleep=%s," % waits.encode(),
                          done.stdout)
        self.manifest = manifest
        self.refused(1, "/guests/one/disk0: source: .*bochs", "--sim", "bochs")
        done = self.run_tool("image", manifest, "-o",
                             os.path.join(self.folder, "x.iso"))
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr.decode(), "disk0: source: .*travel")

    def test_a_file_that_another_host_has_is_named(self):
        # As QEMU 7.2 says it; Simulators has the real one.
        self.simulator("echo 'qemu: -device x: Failed to get \"write\" lock' >&2;"
                       "echo 'Is another process using the image [/a/b.img]?' "
                       ">&2; exit 1")
        done = self.run_tool("run", self.manifest)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"'/a/b.img' is a drive of another simulated host",
                      done.stderr)

    def test_firmware_reaches_qemu(self):
        self.simulator(SPEAKS + "echo \"$@\"")
        done = self.run_tool("run", self.manifest, "--bios", self.manifest)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"-bios %s " % self.manifest.encode(), done.stdout)

    def test_a_simulator_that_does_not_run_is_a_failure(self):
        for ending, options in (
                ("exit 1", ("", "--until-end", "--expect x", "--fail x",
                            "--send x")),
                ("exit 0", ("", "--until-end")), ("exit 3", ("",)),
                ("kill -ABRT $$", ("", "--until-end"))):
            self.simulator("echo what-was-wrong >&2; " + ending)
            for words in options:
                done = self.run_tool("run", self.manifest, *words.split())
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(b"It said: what-was-wrong", done.stderr)

    def test_a_panic_is_a_failure_for_people_too(self):
        self.simulator(SPEAKS + "echo '[   1.5] x'; "
                       "echo '[   1.500000] error: monitor panic: x'")
        done = self.run_tool("run", self.manifest)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"the host failed: [   1.500000] error: monitor panic",
                      done.stderr)

    def test_a_panic_is_shown_with_names(self):
        os.symlink(os.path.join(host.BUILD, "bulkhead.elf"),
                   os.path.join(self.folder, "build/bulkhead.elf"))
        names = subprocess.run(["nm", os.path.join(host.BUILD, "bulkhead.elf")],
                               stdout=subprocess.PIPE, check=True).stdout
        at = {w[2]: int(w[0], 16) for w in
              (line.split() for line in names.splitlines()) if len(w) == 3}
        log = "".join("[   1.500000] error: %s\n" % text for text in (
            "monitor panic: x", "    %016x" % (at[b"host_enter"] + 5),
            "    0000000000000001"))
        self.simulator(SPEAKS + "printf '%s'" % log)
        done = self.run_tool("run", self.manifest)
        self.assertIn(b" host_enter+0x5\n", done.stderr)
        done = self.run_tool("symbolize", self.write("log", log))
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, rb"panic: x\n.* host_enter\+0x5\n"
                         rb".*0000000000000001 \?")

    def test_people_type_and_leave(self):
        self.simulator("stty raw -echo; dd bs=1 count=2 2>/dev/null | od -c")
        done = self.run_tool("run", self.manifest, stdin=None, input=b"\1x")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"001   x", done.stdout)

    def test_a_terminal_is_lent_and_given_back(self):
        self.simulator("stty raw -echo; echo ready; "
                       "dd bs=1 count=3 2>/dev/null | od -c; exit 1")
        ours, theirs = pty.openpty()
        before = termios.tcgetattr(theirs)
        tool = subprocess.Popen(self.command("run", self.manifest),
                                stdin=theirs, stdout=theirs,
                                stderr=subprocess.DEVNULL, env=self.env,
                                start_new_session=True)
        said = b""
        while b"ready" not in said:
            said += os.read(ours, 4096)
        os.write(ours, b"\3\x1a\r")    # for the guest: no signals, no changes
        while b"\\r" not in said:
            said += os.read(ours, 4096)
        self.assertRegex(said, rb"003 032  \\r")
        self.assertEqual(tool.wait(20), 1)
        self.assertEqual(termios.tcgetattr(theirs), before)
        os.close(ours)
        os.close(theirs)

    def test_a_lost_terminal_ends_all_of_it(self):
        self.simulator("while :; do echo x; sleep 0.1; done")
        ours, theirs = pty.openpty()
        tool = subprocess.Popen(self.command("run", self.manifest),
                                stdin=theirs, stdout=theirs,
                                stderr=subprocess.DEVNULL, env=self.env,
                                start_new_session=True)
        os.close(theirs)
        os.read(ours, 100)
        os.close(ours)
        self.assertNotEqual(tool.wait(20), 0)
        self.assert_tidy()

    def test_missing_programs_are_named(self):
        self.env["PATH"] = os.path.join(self.folder, "bin")
        os.symlink(shutil.which("dtc"), os.path.join(self.folder, "bin/dtc"))
        for words, why in (([], b"qemu-system-x86_64 is missing: install"),
                           (["--iso"], b"grub-mkrescue is missing: install"),
                           (["--sim", "bochs"], b"Bochs is missing: install")):
            done = self.run_tool("run", self.manifest, *words)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(why, done.stderr)
        os.unlink(os.path.join(self.folder, "bin/dtc"))
        done = self.run_tool("check", self.manifest)
        self.assertIn(b"dtc is missing: install", done.stderr)

    def test_images_are_whole_or_not_there(self):
        self.simulator("while [ $1 != -o ]; do shift; done; echo half >$2; "
                       "exit 5", "grub-mkrescue")
        out = os.path.join(self.folder, "out")
        for output in (out + ".iso", self.folder, out + "/no/x.iso"):
            done = self.run_tool("image", self.manifest, "-o", output)
            self.assertEqual(done.returncode, 1, done)
        self.assertFalse([f for f in os.listdir(self.folder) if "out" in f])

    # ---- Signals ---------------------------------------------------------

    def ended_by(self, number, *words, stdout=subprocess.DEVNULL):
        pid_file = os.path.join(self.folder, "pid")
        self.simulator("echo $$ >%s.new; mv %s.new %s; exec sleep 60" %
                       ((pid_file,) * 3))
        with contextlib.suppress(OSError):
            os.unlink(pid_file)
        tool = subprocess.Popen(self.command("run", self.manifest, *words),
                                stdin=subprocess.DEVNULL, stdout=stdout,
                                stderr=subprocess.PIPE, env=self.env,
                                preexec_fn=self.heed_signals)
        until = time.monotonic() + 20
        while not os.path.exists(pid_file) and time.monotonic() < until:
            time.sleep(0.02)
        with open(pid_file) as f:
            pid = int(f.read())
        tool.send_signal(number)
        tool.send_signal(number)    # impatience changes nothing
        _, complaint = tool.communicate(timeout=20)
        self.assertNotIn(b"Traceback", complaint)
        self.assertEqual(tool.returncode, 128 + number, complaint)
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)
        self.assert_tidy()

    def test_signals_end_all_of_it(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            self.ended_by(number)
            self.ended_by(number, "--expect", "x")

    def test_helpers_end_with_the_tool(self):
        self.simulator("echo $$ >%s/pid.new; mv %s/pid.new %s/pid; sleep 60" %
                       ((self.folder,) * 3), "grub-mkrescue")
        tool = subprocess.Popen(
            self.command("image", self.manifest, "-o", self.folder + "/x.iso"),
            stderr=subprocess.PIPE, env=self.env)
        while not os.path.exists(self.folder + "/pid"):
            time.sleep(0.02)
        tool.send_signal(signal.SIGTERM)
        tool.communicate(timeout=20)
        self.assertEqual(tool.returncode, 128 + signal.SIGTERM)
        with open(self.folder + "/pid") as f, \
                self.assertRaises(ProcessLookupError):
            os.kill(int(f.read()), 0)
        self.assert_tidy()

    def test_nobody_reads_on(self):
        self.simulator("yes")
        for words in ([], ["--expect", "x"]):
            tool = subprocess.Popen(
                self.command("run", self.manifest, *words),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=self.env)
            tool.stdout.read(1000)
            tool.stdout.close()
            complaint = tool.stderr.read()
            tool.stderr.close()
            self.assertEqual(tool.wait(20), 128 + signal.SIGPIPE)
            self.assertNotIn(b"Traceback", complaint)
            self.assert_tidy()

    def test_nobody_reads_for_too_long(self):
        self.simulator("yes")
        tool = subprocess.Popen(
            self.command("run", self.manifest, "--timeout", "2"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.env)
        self.assertEqual(tool.wait(20), 1)
        self.assertIn(b"not within 2 s", tool.stderr.read())
        tool.stdout.close()
        tool.stderr.close()

    def test_closed_standard_files(self):
        self.simulator(SPEAKS + "echo a")
        script = " ".join(self.command("run", self.manifest, "--expect", "a"))
        for redirection in (">&-", "<&-", "<&- >&- 2>&-"):
            done = subprocess.run(script + redirection, shell=True, check=False,
                                  stderr=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, env=self.env)
            self.assertEqual(done.returncode, 0, redirection)

    def test_a_flood_takes_no_memory(self):
        self.simulator(SPEAKS + "yes 'many lines' | head -c 10000000; "
                       "exit 0")
        for words in (["--until-end"], []):
            tool = subprocess.Popen(
                self.command("run", self.manifest, *words),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env=self.env)
            _, status, usage = os.wait4(tool.pid, 0)
            tool.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(tool.returncode, 0)
            self.assertLess(usage.ru_maxrss, 100 << 10)    # KiB

    # ---- Bochs -----------------------------------------------------------

    def bochs(self, script, *words):
        """Its console is where its configuration says."""
        if not os.path.exists(bochs.BIOS):
            self.skipTest("bochsbios is not installed")
        self.simulator("log=$(sed -n 's/^log: //p' bochsrc)\n"
                       "exec 3>$(sed -n 's/.*dev=//p' bochsrc)\n" + script,
                       "bochs")
        path = self.write("x.iso", "\0" * 32768 + "\1CD001")
        return self.run_tool("run", path, "--sim", "bochs", *words)

    def test_bochs_ends_well_by_its_log(self):
        for words in ([], ["--until-end"], ["--expect", "Bulkhead"]):
            done = self.bochs(SPEAKS[:-2] + " >&3; sleep 0.3; echo 'p[UNMAP] "
                              ">>PANIC<< Shutdown port: shutdown requested' "
                              ">$log; exit 1", *words)
            self.assertEqual(done.returncode, 0, done)

    def test_bochs_ends_badly_by_its_log(self):
        for script, why in (
                ("echo 'p >>PANIC<< no such thing' >&2", b"no such thing"),
                ("echo 'p >>PANIC<< no such thing' >$log", b"no such thing"),
                ("printf 'Bochs is exiting with the following message:\\n"
                 "[ ] rc:3: malformed\\n' >&2", b"rc:3: malformed"),
                ("kill -KILL $$", b"did not say why")):
            for words in ([], ["--until-end"]):
                done = self.bochs(script + "; exit 1", *words)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(why, done.stderr)

    def test_a_locked_medium_is_not_booted(self):
        self.write("x.iso.lock", "")
        done = self.bochs("touch %s/began" % self.folder, "--until-end")
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr.decode(), r"x\.iso.* in use.*remove")
        self.assertFalse(os.path.exists(self.folder + "/began"))


class Simulators(unittest.TestCase):
    """What the real ones say and return."""

    def test_no_such_cpu(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "h.dts")
            with open(path, "w") as f:
                f.write('/dts-v1/; / { compatible = "bulkhead,host-v1"; guests'
                        ' { one { board = "pc"; memory-mib = <64>; }; }; };')
            for words in (["--until-end"], [], ["--qemu=-nosuch"]):
                if "--qemu=-nosuch" not in words:
                    words = words + ["--cpu", "nosuch"]
                done = subprocess.run(
                    [os.path.join(host.TOP, "scripts/bulkhead"), "run", path] +
                    words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, timeout=30, check=False)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(b"before the host said a word", done.stderr)

    def test_one_host_has_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            image = os.path.join(folder, "a.img")
            with open(image, "wb") as f:
                f.truncate(1 << 20)
            manifest = os.path.join(folder, "h.dts")
            with open(manifest, "w") as f:
                f.write('/dts-v1/; / { compatible = "bulkhead,host-v1"; guests'
                        ' { one { board = "pc"; memory-mib = <64>; disk0 { '
                        'bus = "ide"; source = "file:a.img"; }; }; }; };')
            line = [os.path.join(host.TOP, "scripts/bulkhead"), "run", manifest,
                    "--until-end", "--timeout", "60"]
            options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                       "stderr": subprocess.PIPE,
                       "env": dict(os.environ, BULKHEAD_SERVICES="seat.elf")}
            # It waits before its first instruction, its devices made.
            with subprocess.Popen(
                    line + ["--qemu=-S", "--qemu=-monitor", "--qemu=unix:%s/m,"
                            "server=on,wait=off" % folder],
                    **options) as first, socket.socket(socket.AF_UNIX) as m:
                m.settimeout(30)
                while m.connect_ex(folder + "/m"):
                    self.assertIsNone(first.poll())
                    time.sleep(0.05)
                self.assertIn(b"QEMU", m.recv(100))
                done = subprocess.run(line, timeout=60, check=False, **options)
                first.terminate()
                first.communicate()
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(b"a.img' is a drive of another simulated host",
                          done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
