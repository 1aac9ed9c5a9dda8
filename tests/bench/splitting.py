# SPDX-License-Identifier: BSD-2-Clause
"""Which functions the instructions of an exit are, for `scripts/bench --split`.

A row is an operation of the exit benchmark's.  The plugin build/bench/split.so
counts each instruction from the operation's first to its RET; functions that the
compiler has inlined are named apart, behind those they are in.
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
GUEST = "exitbench/guest.c"
SLACK = 8       # instructions: a device's clock may take one branch or another


def operation(row):
    """The function that a row of the exit benchmark measures, or None."""
    with open(os.path.join(TOP, "tests/bench", GUEST), encoding="utf-8") as file:
        found = re.findall(r'\b(?:T|test)\("(\S+)", (op_\w+)', file.read())
    return dict(found).get(row)


def symbol(file, name):
    """Address and size of a function, as hexadecimal words."""
    names = subprocess.run(["nm", "-S", file], stdout=subprocess.PIPE,
                           check=True).stdout.decode()
    words = next(w for w in map(str.split, names.splitlines())
                 if w[-1] == name)
    return words[0], words[1]


def functions(file, addresses):
    """For each address the function that it is in, and what is inlined there."""
    text = subprocess.run(["addr2line", "-a", "-i", "-f", "-e", file],
                          input="\n".join("%x" % a for a in addresses),
                          stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout
    found = {}
    for part in re.split(r"^(?=0x)", text, flags=re.MULTILINE)[1:]:
        lines = part.split("\n")
        names = lines[1:-1:2]
        found[int(lines[0], 16)] = (names[-1], names[0])
    return found


def split(row, build, guest, figures):
    """Print it.  guest, figures: scripts/bench's guest() and eb_figures().

    Exit status 1 if it is not the row's median, but for what a timer may add.
    """
    name = operation(row)
    if not name:
        sys.exit("scripts/bench: %s is no row of the exit benchmark's" % row)
    image = os.path.join(build, "bench/exitbench.elf.64")
    open_va, size = symbol(image, name)
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "split")
        text = guest(
            ["exitbench.elf"], 'kernel = "exitbench.elf"; boot-without-bios;',
            "split.log",
            ["--icount", "--qemu=-plugin",
             "--qemu=%s,open=%s,size=%s,out=%s"
             % (os.path.join(build, "bench/split.so"), open_va, size, out)])
        with open(out, encoding="ascii") as file:
            head, *lines = file.read().splitlines()
    counts = {int(va, 16): int(count)
              for va, count in map(str.split, lines)}
    print("%s, instructions of %s" % (row, head))
    show("the guest", image, {a: n for a, n in counts.items() if a < 0x400000})
    show("the monitor", os.path.join(build, "bulkhead.elf"),
         {a: n for a, n in counts.items() if a >= 1 << 63})
    show("the machine", os.path.join(build, "programs/machine.elf.full"),
         {a: n for a, n in counts.items() if 0x400000 <= a < 1 << 63})
    # An operation's RET is the empty one's, too; one of its own is RDTSC's.
    total = sum(counts.values())
    median = figures(text).get(row)
    print("%6d in all; the row's median is %s" % (total, median))
    if median is None or abs(total - 1 - median) > SLACK:
        sys.exit(1)


def show(title, file, counts):
    """One program's part, the dearest function first."""
    names = functions(file, sorted(counts))
    outer, inner = collections.Counter(), collections.Counter()
    for address, count in counts.items():
        function, inlined = names[address]
        outer[function] += count
        inner[function, inlined] += count
    print("%6d %s" % (sum(counts.values()), title))
    for function, count in outer.most_common():
        print("%6d     %s" % (count, function))
        parts = [(part[1], n) for part, n in inner.most_common()
                 if part[0] == function and part[1] != function]
        if parts:
            print("               of it " +
                  ", ".join("%s %d" % part for part in parts))
