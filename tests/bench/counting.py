# SPDX-License-Identifier: BSD-2-Clause
"""A host with QEMU's plugin build/bench/paths.so, for the benchmarks."""

import os
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.realpath(os.environ.get("BULKHEAD_BUILD",
                                        os.path.join(TOP, "build")))
MONITOR = os.path.join(BUILD, "bulkhead.elf")
# What the plugin wants to know of the monitor.
SYMBOLS = (("entries", "trap_entries"), ("gate", "gate_syscall"),
           ("gate", "gate_syscall_isolated"), ("gate", "gate_syscall32"),
           ("gate", "gate_syscall32_isolated"), ("from", "gate_exit"),
           ("to", "host_power_off"), ("start", "boot_entry"),
           ("main", "boot_main"))


def addresses(file, symbols):
    """What the plugin is told of an ELF file."""
    names = subprocess.run(["nm", file], stdout=subprocess.PIPE,
                           check=True).stdout.decode()
    address = {w[2]: w[0] for w in map(str.split, names.splitlines())
               if len(w) == 3}
    return ",".join("%s=%s" % (key, address[name]) for key, name in symbols)


def run(manifest, files, options, more=""):
    """What a host of that manifest prints, and the plugin's figures.

    files: of build/bench, by the names that the manifest has for them; options:
    more of `bulkhead run`'s; more: of the plugin's.
    """
    with tempfile.TemporaryDirectory() as work:
        for name, file in files.items():
            os.symlink(os.path.join(BUILD, "bench", file),
                       os.path.join(work, name))
        path = os.path.join(work, "bench.dts")
        with open(path, "w", encoding="utf-8") as out:
            out.write(manifest)
        figures = os.path.join(work, "figures")
        words = "%s,out=%s,%s%s" % (os.path.join(BUILD, "bench/paths.so"),
                                    figures, addresses(MONITOR, SYMBOLS), more)
        result = subprocess.run(
            [os.path.join(TOP, "scripts/bulkhead"), "run", path, "--cpus", "1",
             "--icount", "--qemu=-plugin", "--qemu=" + words] + options,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        text = result.stdout.decode(errors="replace")
        if result.returncode or not os.path.exists(figures):
            sys.exit("the host failed with %d:\n%s" % (result.returncode,
                                                       text[-900:]))
        with open(figures, encoding="ascii") as file:
            return text, {key: int(value, 16 if key in ("off", "on") else 10)
                          for key, value in (word.split("=")
                                             for word in file.read().split())}
