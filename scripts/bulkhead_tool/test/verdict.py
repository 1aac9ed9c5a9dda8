# SPDX-License-Identifier: BSD-2-Clause
"""What a case may end in.

Some verdicts are what was seen: the guest made a triple fault, was reset too often,
ended.  The others are about a step that was not met in its time, and are ruled out
in this order, by a short look at the guest behind the limit:

	halted		it executes nothing: HLT, and no interrupt comes
	hang		it goes round in one place, or runs away: all that is
			seen of it is that it executes
	limit		it was at work: something new was said not long ago
	wrong-text	it is at rest, or waits, and has said something else
	wrong-picture	the same of a picture

A guest that polls a device in one place waits; it hangs only if where it should
have spoken it has said nothing since the step began, or anywhere for long.
"""

from .. import Problem

PASSED = "passed"
WRONG_TEXT = "wrong-text"
WRONG_PICTURE = "wrong-picture"
LIMIT = "limit"
TRIPLE_FAULT = "triple-fault"
RESET_LOOP = "reset-loop"
HANG = "hang"
HALTED = "halted"
MACHINE_ERROR = "machine-error"
NO_FAULT = "no-fault"
HOST_ERROR = "host-error"
STALLED = "stalled-simulator"
CASE_ERROR = "case-error"

MEANING = {
    PASSED: "all steps were met, within all limits",
    WRONG_TEXT: "another text than the one expected",
    WRONG_PICTURE: "another picture than the one expected",
    LIMIT: "a limit was reached while the guest was at work",
    TRIPLE_FAULT: "the guest made a triple fault",
    RESET_LOOP: "the guest was reset again and again",
    HANG: "the guest goes round in one place",
    HALTED: "the guest has ended, or executes nothing any more",
    MACHINE_ERROR: "the guest's machine failed",
    NO_FAULT: "all steps were met, but the fault did not come",
    HOST_ERROR: "the host or its simulator failed",
    STALLED: "the simulator did not move for minutes of real time",
    CASE_ERROR: "the case is wrong",
}
# That a case may want.
WANTED = tuple(v for v in MEANING if v not in (STALLED, CASE_ERROR))

HANG_SPAN = 1024    # bytes: a loop, and what it calls beside it
RECENT = 4    # "not long ago" is this part of what was waited


def is_recent(silent, waited):
    """Of instructions and of seconds: a guest in HLT takes few of the former.

    Seconds are whole ones: one may have begun just before.
    """
    return silent[0] * RECENT < max(1, waited[0]) and \
        (silent[1] - 1) * RECENT < max(1, waited[1])


class Outcome(Exception):
    """The case has ended before its last step was met."""

    def __init__(self, verdict, why, where=()):
        super().__init__(why)
        self.verdict, self.why, self.where = verdict, why, list(where)


class Stalled(Problem):
    """The simulator did not move."""


class Look:
    """What a guest did in some short slices behind a limit."""

    def __init__(self, addresses, blocks, halts, exits):
        self.addresses = addresses    # one of each slice
        self.blocks = blocks    # of instructions that it began in all of them
        self.halts, self.exits = halts, exits    # the latter of its own

    def is_halted(self):
        return self.blocks == 0

    def goes_round(self):
        return bool(self.addresses) and not self.halts and \
            max(self.addresses) - min(self.addresses) < HANG_SPAN

    def polls(self):
        return self.exits > 0

    def runs_away(self):
        """It computes, or executes what is no code: the world sees nothing."""
        return not self.exits and not self.halts


def unmet(look, kind, has_spoken, is_recent):
    """The verdict of a step that was not met.

    kind: "text", "picture" or None; has_spoken: whether where it looks there was
    anything new since it began; is_recent: whether anything was said anywhere not
    long ago.
    """
    if look.is_halted():
        return HALTED
    has_spoken = has_spoken or kind is None and is_recent
    if look.goes_round() and not (look.polls() and has_spoken):
        return HANG
    if look.runs_away() and not is_recent:
        return HANG
    if kind is None or is_recent:
        return LIMIT
    return WRONG_PICTURE if kind == "picture" else WRONG_TEXT
