# SPDX-License-Identifier: BSD-2-Clause
"""A host as its manifest describes it, and the boot modules it needs.

init holds the schema: build/manifest-check is its very code, run here
so that a wrong manifest is refused before anything boots.  This module only
picks out what has to travel along: the files that guests name.
"""

import os

from . import Problem, fdt, processes

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(TOP, "build"))
FIRMWARE = "/usr/share/seabios"
MIB = 1 << 20

# The program of guests that name none.
MACHINE = "machine.elf"
# What reads the manifest.
INIT = "init.elf"
# Those that init starts when it finds them; tests name others, with commas
# between, or none; a folder before the name says which of several.
SERVICES = [name for name in
            os.environ.get("BULKHEAD_SERVICES", "seat.elf").split(",") if name]

# Room for the monitor, the machines and the nested tables.
HOST_RESERVE_MIB = 256
# A guest's video memory and ROM, and what its machine may take.
GUEST_BESIDE_MIB = 14

# Properties that name files, in a guest or in one of its devices.
FILE_PROPERTIES = ("image", "program", "kernel", "initrd", "firmware",
                   "vga-bios")

# What the built-in machine has in ROM unless it boots a kernel: the module's name, Debian's file,
# and the property that names another.
PC_FIRMWARE = (("bios.bin", "bios-256k.bin", "firmware"),
               ("vgabios.bin", "vgabios-stdvga.bin", "vga-bios"))


def monitor():
    """The monitor's image; tests name another."""
    path = os.environ.get("BULKHEAD_MONITOR",
                          os.path.join(BUILD, "bulkhead32.elf"))
    if not os.path.exists(path):
        raise Problem("%s is missing: run 'make' first" % path)
    return path


class Module:
    """A file that the boot loader hands to the monitor under a name."""

    def __init__(self, name, path):
        self.name = name
        self.path = readable(path, name)
        self.size = os.path.getsize(path)


def readable(path, what):
    """The path of a file that can be read."""
    if os.path.isdir(path):
        raise Problem("%s: '%s' is a folder, not a file" % (what, path))
    if not os.path.exists(path):
        raise Problem("%s: there is no file '%s'" % (what, path))
    if not os.path.isfile(path):
        raise Problem("%s: '%s' is no ordinary file" % (what, path))
    if not os.access(path, os.R_OK):
        raise Problem("%s: '%s' may not be read: look at its permissions" %
                      (what, path))
    return path


def check(source, blob_path, modules=()):
    """Have init's own code check the manifest, and then its files."""
    checker = os.path.join(BUILD, "manifest-check")
    if not os.path.exists(checker):
        raise Problem("%s is missing: run 'make' first" % checker)
    status, output, complaints = processes.run(
        [checker, blob_path] + ["%s=%s" % (m.name, m.path) for m in modules])
    if status:
        words = output.decode(errors="replace") + complaints
        raise Problem("%s is refused:\n%s" % (
            source, words.strip() or "manifest-check has status %d" % status))


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


def command_line(root):
    """What the monitor has to know before init reads the manifest."""
    words = []
    for name in ("mitigations", "log-level"):
        value = root.string(name)
        if value and (name, value) != ("mitigations", "auto"):
            words.append("%s=%s" % (name, value))
    return " ".join(words)


class Host:
    """A compiled and checked manifest with its modules."""

    iso = None    # not packed yet

    def __init__(self, source, work):
        self.source = readable(source, "manifest")
        self.dtb = os.path.join(work, "manifest.dtb")
        blob = fdt.compile_source(source)
        with open(self.dtb, "wb") as f:
            f.write(blob)
        check(source, self.dtb)
        root = fdt.parse(blob)
        self.end = root.string("end", "power-off")
        self.command_line = command_line(root)
        guests = root.child("guests")
        self.guests = guests.children if guests else []
        self.modules = [Module("manifest.dtb", self.dtb)]
        self._collect(os.path.dirname(os.path.realpath(source)))
        check(source, self.dtb, self.modules[1:])

    def _collect(self, folder):
        for program in [INIT] + SERVICES:
            self._add(os.path.basename(program),
                      os.path.join(BUILD, "programs"), program)
        if not all(guest.string("program") for guest in self.guests):
            self._add(MACHINE, os.path.join(BUILD, "programs"), MACHINE)
        for guest in self.guests:
            if not guest.string("kernel") and not guest.string("program"):
                for name, file, instead in PC_FIRMWARE:
                    if not guest.string(instead):
                        self._add(name, FIRMWARE, file)
            for node in [guest] + guest.children:
                for name in FILE_PROPERTIES:
                    for file in node.strings(name):
                        self._add(file, folder, file)

    def _add(self, file, folder, source):
        path = find_file(source, folder)
        same = [m for m in self.modules if m.name == file]
        if not same:
            self.modules.append(Module(file, path))
        elif not os.path.samefile(same[0].path, path):
            raise Problem("two different files are called '%s':\n  %s\n  %s" %
                          (file, same[0].path, path))

    def memory_mib(self):
        """What a simulated host needs: guests, modules, the monitor."""
        guests = sum(g.number("memory-mib") + GUEST_BESIDE_MIB
                     for g in self.guests)
        # Who writes to a disk gets a copy of what is written, in the end of
        # all of it.
        written = [f for g in self.guests
                   for d in g.children for f in d.strings("image")
                   if not d.name.startswith("cdrom") and
                   "read-only" not in d.properties]
        copies = sum(written.count(m.name) * (m.size + 2 * MIB)
                     for m in self.modules)
        modules = sum(m.size for m in self.modules)
        return guests + (copies + modules) // MIB + HOST_RESERVE_MIB
