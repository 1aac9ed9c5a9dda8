# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead test`: what firmware does, compared with what it should do.

case.py          a case's TOML file, read and checked
simulation.py    a simulated host that runs so many instructions at a time
sources.py       what a guest says, by where it says it
steps.py         what a case does and waits for, in order
runner.py        one case, from power-on to its verdict
fault.py         what goes wrong on purpose in a case
sweep.py         a case at each k of a range, and what all of them came to
verdict.py       what a case may end in, and how that is told apart
places.py        names for the guest's addresses
golden.py        what a case took when it was last good, and what moved since
pool.py          many cases at a time, each in a process of its own
report_*.py      JUnit XML, TAP, one page of HTML
commands.py      the command line
pytest_plugin.py the same steps as functions of a fixture

Time. The only clock of a case is the number of instructions that the simulated
host's CPU has executed since power-on, the monitor's and the machine's included.
A plugin of QEMU's (scripts/pace/pace.c) runs the host a slice at a time and stops
it in between.  While it stands, this side reads what was said, decides, and sends
what is to be typed; only when QEMU has handed that to the host does the next
slice begin.  So what a case sees and does depends on counted instructions alone:
where QEMU's clock is counted, too (`clock = "instructions"`, the default), two runs
make the same counts, however busy this system is.  Limits are counts for the
same reason.  Real time has one use: a simulator that does not move at all, for
minutes, is ended as "stalled simulator".

What is counted.  Marks in the plugin count how often the monitor's handlers of
exits ran (exit_NAME in its ELF), and how often the guest was reset, without the
host's knowledge: counts are there however a guest ends, and cost it nothing.  The
plugin also knows the guest's last block of instructions: where it is when nothing
happens any more.

Isolation.  Disks, CDs and firmware are copies in memory of the host, which is
thrown away; a source that is a file is copied first.  Nothing of a run is left
for the next.

Verdicts.  A step that is not met ends in the verdict that says most: the order in
which they are ruled out is in verdict.py.
"""
