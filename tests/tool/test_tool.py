# SPDX-License-Identifier: BSD-2-Clause
"""The bulkhead tool without a simulator: manifests, modules, expectations."""

import argparse
import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../scripts"))

from bulkhead_tool import Problem, fdt, host, iso, qemu, session    # noqa: E402

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


class Manifests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.work)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def host(self, memory="64", image="a.img", second="a.img"):
        source = self.write("host.dts", MANIFEST % (memory, image, second))
        return host.Host(source, self.work)

    def refused(self, *words, **change):
        with self.assertRaises(Problem) as caught:
            self.host(**change)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_packed_host_boots_as_it_is(self):
        path = os.path.realpath(self.write("x.iso", "not looked into"))
        self.assertEqual(iso.medium(iso.IsoHost(path), self.work), path)
        with self.assertRaises(Problem) as caught:
            iso.IsoHost(path + ".iso")
        self.assertIn("x.iso.iso", str(caught.exception))

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
        self.assertEqual(names, ["manifest.dtb", "bios.bin", "vgabios.bin",
                                 "a.img"])

    def test_wrong_value_names_node_and_property(self):
        self.write("a.img", "x" * 512)
        self.refused("/guests/one", "memory-mib", memory="0")

    def test_missing_file_says_where_it_was_looked_for(self):
        self.refused("missing.img", self.folder, image="missing.img")

    def test_space_in_a_name_is_refused(self):
        self.write("a b.img", "x" * 512)
        self.refused("a b.img", "spaces", image="a b.img", second="a b.img")

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


class Sessions(unittest.TestCase):
    """A shell stands in for the simulator."""

    def run_steps(self, script, steps, **change):
        settings = {"timeout": 5.0, "fail": [], "until_end": False,
                    "quiet": True, "sim": "qemu"}
        settings.update(change)
        args = argparse.Namespace(**settings)
        with contextlib.redirect_stdout(io.StringIO()):
            return session.Scripted(["/bin/sh", "-c", script], steps,
                                    args).run()

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

    def test_what_is_sent_arrives(self):
        self.run_steps("read x; echo got-$x; sleep 9",
                       [("send", "a long line of text\\r"),
                        ("expect", "got-a long line of text")])

    def test_silence_ends_at_the_time_limit(self):
        self.unmet("not within 0.5 s: expectation 1 of 1", "sleep 9",
                   [("expect", "x")], timeout=0.5)

    def test_a_failure_pattern_ends_at_once(self):
        self.unmet("'panic' appeared", "echo panic; sleep 9",
                   [("expect", "x")], fail=["panic"])

    def test_own_end_is_waited_for(self):
        self.run_steps("echo a; sleep 0.2", [("expect", "a")],
                       until_end=True)
        self.unmet("simulator's own end", "echo a; sleep 9",
                   [("expect", "a")], until_end=True, timeout=1.0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
