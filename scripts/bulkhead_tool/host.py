# SPDX-License-Identifier: BSD-2-Clause
"""A host as its manifest describes it, and the boot modules it needs.

The monitor holds the schema: build/manifest-check is its very code, run here
so that a wrong manifest is refused before anything boots.  This module only
picks out what has to travel along: the files that guests name.
"""

import os
import subprocess

from . import Problem, fdt

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(TOP, "build"))
FIRMWARE = "/usr/share/seabios"
MIB = 1 << 20

# Room for the monitor, the machines and the nested tables.
HOST_RESERVE_MIB = 256

# Properties that name files, in a guest or in one of its devices.
FILE_PROPERTIES = ("image", "program", "kernel", "initrd", "firmware",
                   "vga-bios")

# Boards with a BIOS; test-crash is a PC whose machine fails.
PC_BOARDS = ("pc", "test-crash")

# What a PC has in ROM: the module's name and Debian's file.
PC_FIRMWARE = (("bios.bin", "bios-256k.bin"),
               ("vgabios.bin", "vgabios-stdvga.bin"))


class Module:
    """A file that the boot loader hands to the monitor under a name."""

    def __init__(self, name, path):
        self.name = name
        self.path = path
        self.size = os.path.getsize(path)


def check(blob_path, source):
    """Have the monitor's own reader judge the compiled manifest."""
    checker = os.path.join(BUILD, "manifest-check")
    if not os.path.exists(checker):
        raise Problem("%s is missing: run 'make' first" % checker)
    done = subprocess.run([checker, blob_path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Problem("%s is refused:\n%s" %
                      (source, done.stdout.decode(errors="replace").strip()))


def find_file(name, folder):
    """A file a manifest names: beside it, among the images, in build/."""
    places = [folder, os.path.join(BUILD, "images"),
              os.path.join(BUILD, "guest"),
              os.path.join(BUILD, "hostile"), BUILD]
    for place in places:
        path = os.path.join(place, name)
        if os.path.isfile(path):
            return path
    hint = ""
    if name in ("quick.img", "debian.img"):
        hint = "\n'make build/images/%s' makes it." % name
    raise Problem("the manifest names '%s', which is in none of:\n  %s%s" %
                  (name, "\n  ".join(places), hint))


class Host:
    """A compiled and checked manifest with its modules."""

    iso = None    # not packed yet

    def __init__(self, source, work):
        if not os.path.isfile(source):
            raise Problem("there is no manifest '%s'" % source)
        self.source = source
        self.dtb = os.path.join(work, "manifest.dtb")
        blob = fdt.compile_source(source)
        with open(self.dtb, "wb") as f:
            f.write(blob)
        check(self.dtb, source)
        guests = fdt.parse(blob).child("guests")
        self.guests = guests.children if guests else []
        self.modules = [Module("manifest.dtb", self.dtb)]
        self._collect(os.path.dirname(os.path.realpath(source)))

    def _collect(self, folder):
        for guest in self.guests:
            if guest.string("board") in PC_BOARDS and \
                    not guest.string("kernel") and \
                    not guest.string("program"):
                for name, file in PC_FIRMWARE:
                    self._add(name, FIRMWARE, file)
            for node in [guest] + guest.children:
                for name in FILE_PROPERTIES:
                    for file in node.strings(name):
                        self._add(file, folder, file)

    def _add(self, file, folder, source):
        """Modules go by the last part of the name in the manifest."""
        name = os.path.basename(file)
        path = find_file(source, folder)
        if len(name.split()) != 1:
            raise Problem("'%s': a file a manifest names may have no spaces" %
                          file)
        same = [m for m in self.modules if m.name == name]
        if not same:
            self.modules.append(Module(name, path))
        elif not os.path.samefile(same[0].path, path):
            raise Problem("two different files are called '%s'" % name)

    def memory_mib(self):
        """What a simulated host needs: guests, modules, the monitor."""
        guests = sum(g.number("memory-mib") for g in self.guests)
        # Who writes a file that others use too gets a copy, in 2 MiB pages.
        used = [os.path.basename(f) for g in self.guests
                for node in [g] + g.children for name in FILE_PROPERTIES
                for f in node.strings(name)]
        written = [os.path.basename(f) for g in self.guests
                   for d in g.children for f in d.strings("image")
                   if not d.name.startswith("cdrom") and
                   "read-only" not in d.properties]
        copies = sum(written.count(m.name) * (m.size + 2 * MIB)
                     for m in self.modules if used.count(m.name) > 1)
        modules = sum(m.size for m in self.modules)
        return guests + (copies + modules) // MIB + HOST_RESERVE_MIB
