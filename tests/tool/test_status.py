# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead run`'s status where the guest ended itself with an exit code."""

import unittest

import test_tool

SPEAKS = test_tool.SPEAKS


class Status(unittest.TestCase):
    """A shell stands in for the simulator."""

    run_steps = test_tool.Sessions.run_steps
    unmet = test_tool.Sessions.unmet

    def test_the_guests_exit_code_is_the_status(self):
        said = ("echo '[   1.000000] exit code 42'; "
                "echo '[   1.000001] all guests have stopped'; ")
        for end, ending in (("power-off", "exit 0"), (None, "exit 85"),
                            ("isa-debug-exit", "exit 85")):
            self.assertEqual(self.run_steps(SPEAKS + said + ending, [],
                                            until_end=True, host_end=end), 42)
        self.assertEqual(self.run_steps(
            SPEAKS + "printf '[   1.000000] exit co'; sleep 0.3; "
            "echo 'de 7'; printf '[   1.000001] all gue'; sleep 0.3; "
            "echo 'sts have stopped'", [], until_end=True), 7)
        # Not what anything else says; nor does it hide a failure.
        for text in ("echo 'exit code 42'; ", "echo '[   1.000000] exit code "
                     "42'; ", "echo '[a] [   1.000000] exit code 42'; echo "
                     "'[   1.000001] all guests have stopped'; "):
            self.assertEqual(self.run_steps(SPEAKS + text, [],
                                            until_end=True), 0)
        self.unmet("failed with status 2", SPEAKS + said + "exit 2", [],
                   until_end=True)
        self.unmet("ended with an error", SPEAKS + said + "exit 3", [],
                   until_end=True, host_end="isa-debug-exit")
        self.unmet("expectation 1 of 1", SPEAKS + said, [("expect", "qq")])


if __name__ == "__main__":
    unittest.main(verbosity=2)
