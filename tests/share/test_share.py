# SPDX-License-Identifier: BSD-2-Clause
"""What guests get of one CPU: weights and caps within 2 %, and waking beside busy
ones within a millisecond; and what they get of two.  The simulators count
instructions as their clock, so that a busy machine changes nothing: QEMU does so with
one CPU alone, Bochs with several."""

import os
import re
import subprocess
import tempfile
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.realpath(os.environ.get("BULKHEAD_BUILD",
                                        os.path.join(TOP, "build")))
PARTS = 100000      # as in guest.c
# All have started long before the first counts, and none has ended before the
# last has counted.
BUSY = "from-ms=200 to-ms=%d end-ms=%d"
GUEST = """		%s {
			board = "pc"; memory-mib = <8>; kernel = "guest.elf";
			boot-without-bios; isa-debug-exit;
			vcpus = <%d>; cmdline = "%s"; %s
		};
"""


def busy(ms):
    return BUSY % (200 + ms, 500 + ms)


class ShareTest(unittest.TestCase):
    options = ["--icount", "--cpus", "1"]

    def run_host(self, **guests):
        """What each guest printed; guests: their vCPUs, words, more of a node."""
        with tempfile.TemporaryDirectory() as work:
            os.symlink(os.path.join(BUILD, "share/guest.elf"),
                       os.path.join(work, "guest.elf"))
            path = os.path.join(work, "host.dts")
            with open(path, "w", encoding="utf-8") as file:
                file.write('/dts-v1/;\n/ {\n\tcompatible = "bulkhead,host-v1";'
                           '\n\tguests {\n')
                for name, node in guests.items():
                    file.write(GUEST % ((name,) + node))
                file.write("\t};\n};\n")
            result = subprocess.run(
                [os.path.join(TOP, "scripts/bulkhead"), "run", path,
                 *self.options, "--timeout", "500", "--until-end"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, check=False)
        text = result.stdout.decode(errors="replace")
        self.assertEqual(result.returncode, 0, text[-3000:])
        self.assertEqual(text.count("PASS share"), len(guests), text[-3000:])
        return text

    def had(self, text, name):
        """The part of a CPU that it counted."""
        found = re.search(r"^(?:\[%s\] )?has (\d+) of" % name, text,
                          re.MULTILINE)
        self.assertIsNotNone(found, text[-3000:])
        return int(found.group(1)) / PARTS

    def near(self, value, wanted, text, part=0.02):
        self.assertLessEqual(abs(value - wanted), part * wanted,
                             "%.4f, not %.4f:\n%s" % (value, wanted,
                                                      text[-1500:]))


class Weights(ShareTest):
    def ratio(self, vcpus):
        """2 to 1, with so many vCPUs each."""
        text = self.run_host(
            heavy=(vcpus[0], busy(2400), "weight = <200>;"),
            light=(vcpus[1], busy(2400), "weight = <100>;"))
        self.near(self.had(text, "heavy"), 2 / 3, text)
        self.near(self.had(text, "light"), 1 / 3, text)

    def test_one_vcpu_each(self):
        self.ratio((1, 1))

    def test_light_has_three(self):
        self.ratio((1, 3))

    def test_heavy_has_three(self):
        self.ratio((3, 1))


class Caps(ShareTest):
    def test_beside_another(self):
        text = self.run_host(capped=(2, busy(1200), "cap-percent = <25>;"),
                             free=(1, busy(1200), ""))
        self.near(self.had(text, "capped"), 0.25, text)
        self.near(self.had(text, "free"), 0.75, text)

    def test_alone(self):
        text = self.run_host(capped=(1, busy(1200), "cap-percent = <25>;"))
        self.near(self.had(text, "capped"), 0.25, text)


class Waking(ShareTest):
    def test_beside_busy(self):
        """Of 1200 times one in a thousand may be late."""
        text = self.run_host(sleeper=(1, "wakes=1200", ""),
                             busy=(2, busy(1600), ""))
        found = re.search(r"of 1200 wakes (\d+) late, worst (\d+) us", text)
        self.assertIsNotNone(found, text[-3000:])
        self.assertLessEqual(int(found.group(1)), 1, text[-1500:])


class TwoCpus(ShareTest):
    options = ["--sim", "bochs", "--cpu", "corei7_haswell_4770", "--cpus", "2"]

    def test_three_guests(self):
        """Who is ahead may be so by some turns: 4 % of this time."""
        text = self.run_host(**{name: (1, busy(4000), "") for name in "abc"})
        for name in "abc":
            self.near(self.had(text, name), 2 / 3, text, 0.04)

    def test_unequal_counts(self):
        text = self.run_host(
            heavy=(2, busy(2400), "weight = <200>;"),
            light=(3, busy(2400), "weight = <100>;"))
        heavy, light = self.had(text, "heavy"), self.had(text, "light")
        self.near(heavy / light, 2, text)
        # Switches, of 250 a second each, on a simulated CPU that is slow.
        self.assertGreaterEqual(heavy + light, 2 * 0.97, text[-1500:])

    def test_eight_vcpus(self):
        text = self.run_host(guest=(8, busy(1200), ""))
        self.assertGreaterEqual(self.had(text, "guest"), 2 * 0.98,
                                text[-1500:])


class Alone(ShareTest):
    options = TwoCpus.options

    def gaps(self, text, name):
        """How often it was interrupted."""
        found = re.search(r"^(?:\[%s\] )?has .* interrupted (\d+) times" % name,
                          text, re.MULTILINE)
        self.assertIsNotNone(found, text[-3000:])
        return int(found.group(1))

    def test_pinned(self):
        """Beside two that share the other CPU, which takes tens of interrupts, and
        talk, for which seat works."""
        guests = {name: (1, busy(1200) + " talks=200", "cpus = <0>;")
                  for name in "ab"}
        guests["alone"] = (1, busy(1200), "cpus = <1>;")
        text = self.run_host(**guests)
        self.assertGreaterEqual(self.gaps(text, "a"), 50, text[-1500:])
        self.assertEqual(self.gaps(text, "alone"), 0, text[-1500:])
        self.near(self.had(text, "alone"), 1, text, 0.005)


if __name__ == "__main__":
    unittest.main(verbosity=2)
