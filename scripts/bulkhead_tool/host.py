# SPDX-License-Identifier: BSD-2-Clause
"""A host as its manifest describes it, and the boot modules it needs.

init holds the schema: build/manifest-check is its very code, run here
so that a wrong manifest is refused before anything boots.  This module only
picks out what has to travel along: the files that guests name.
"""

import os
import struct

from . import Problem, fdt, folders, nic_rom, processes

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(TOP, "build"))
FIRMWARE = "/usr/share/seabios"
IPXE = "/usr/lib/ipxe/qemu"
MIB = 1 << 20

# The program of guests that name none.
MACHINE = "machine.elf"
# What reads the manifest.
INIT = "init.elf"
# Those that init starts when it finds them, the second where a guest has a disk
# with a source.
SEAT, DISK, SWITCH = "seat.elf", "disk.elf", "switch.elf"

# Room for the monitor, the machines and the nested tables.
HOST_RESERVE_MIB = 256
# A guest's video memory and ROM, and what its machine may take.
GUEST_BESIDE_MIB = 16

# Properties that name files, in a guest or in one of its devices.
FILE_PROPERTIES = ("image", "images", "program", "kernel", "initrd",
                   "firmware", "vga-bios", "file")

# What the built-in machine has in ROM unless it boots a kernel without: the module's name, Debian's file,
# and the property that names another.
PC_FIRMWARE = (("bios.bin", "bios-256k.bin", "firmware"),
               ("vgabios.bin", "vgabios-stdvga.bin", "vga-bios"))
# For a display without a ROM of its own: it has not the signature of one.
NO_ROM = bytes(512)

# Of a network card that firmware starts from: iPXE, for a BIOS and for UEFI.
NIC_ROMS = {
    "e1000": ("nic.rom", IPXE, "efi-e1000.rom"),
    "rtl8139": ("nic-rtl8139.rom", IPXE, "efi-rtl8139.rom"),
    "pcnet": ("nic-pcnet.rom", IPXE, "efi-pcnet.rom"),
    "ne2000-pci": ("nic-ne2000-pci.rom", IPXE, "efi-ne2k_pci.rom"),
    "e1000e": ("nic-e1000e.rom", IPXE, "efi-e1000e.rom"),
    "virtio": ("nic-virtio.rom", IPXE, "efi-virtio.rom"),
}
# Vendor and device, where Debian's file does not name its card.  Of virtio's it
# names the modern one; the board pc has the transitional one.
NIC_ROM_IDS = {"ne2000-pci": (0x10ec, 0x8029), "virtio": (0x1af4, 0x1000)}


def monitor():
    """The monitor's image; tests name another."""
    path = os.environ.get("BULKHEAD_MONITOR",
                          os.path.join(BUILD, "bulkhead32.elf"))
    if not os.path.exists(path):
        raise Problem("%s is missing: run 'make' first" % path)
    return path


def is_multiboot(path):
    """As include/multiboot_header.h has it."""
    with open(path, "rb") as f:
        head = f.read(8192)
    if head[0x202:0x206] == b"HdrS":
        return False
    words = struct.unpack("<%dI" % (len(head) // 4),
                          head[:len(head) // 4 * 4])
    return any(words[i] == 0x1badb002 and
               not sum(words[i:i + 3]) & 0xffffffff
               for i in range(len(words) - 2))


class Module:
    """A file that the boot loader hands to the monitor under a name."""

    def __init__(self, name, path):
        self.name = name
        self.path = readable(path, name)
        self.size = os.path.getsize(path)


# What a file that is not raw begins with, and where: what QEMU would know.
SIGNATURES = (("qcow2", 0, b"QFI\xfb"), ("vmdk", 0, b"KDMV"),
              ("vmdk", 0, b"# Disk DescriptorFile"),
              ("vdi", 64, b"\x7f\x10\xda\xbe"))


class Drive:
    """A file that is a drive of the simulated host, found by its serial."""

    def __init__(self, folder, node, serial, access, form, name):
        self.node, self.serial, self.format = node, serial, form
        self.is_written = access == "rw"
        what = node + ": source"
        # Beside the manifest and in build/, as all others, unless it says.
        self.path = find_file(name, folder) if "/" not in name else \
            os.path.normpath(os.path.join(folder, name))
        own = os.path.relpath(self.path, TOP)
        if own == "disks/debian.img" and not os.path.exists(self.path):
            raise Problem("%s: there is no '%s' yet: 'make %s' makes it" %
                          (what, self.path, own))
        readable(self.path, what)
        if self.is_written and not os.access(self.path, os.W_OK):
            raise Problem("%s: '%s' may not be written: look at its "
                          "permissions, or say read-only or overlay" %
                          (what, self.path))
        self._look_inside(what)

    def _look_inside(self, what):
        with open(self.path, "rb") as f:
            start = f.read(512)
        if not start:
            raise Problem("%s: '%s' is empty" % (what, self.path))
        if self.format != "raw":
            return
        for form, at, words in SIGNATURES:
            if start[at:].startswith(words):
                raise Problem('%s: \'%s\' looks like a %s image: say format = '
                              '"%s"' % (what, self.path, form, form))
        unit = 2048 if "/cdrom" in self.node else 512
        if os.path.getsize(self.path) % unit:
            raise Problem("%s: '%s' is no multiple of %d bytes" %
                          (what, self.path, unit))


def drives(blob_path, folder):
    """The drives that a checked manifest wants; no file may be two things."""
    status, output, complaints = processes.run(
        [os.path.join(BUILD, "manifest-check"), "--drives", blob_path])
    if status:
        raise Problem("manifest-check --drives: %s" % complaints.strip())
    found = [Drive(folder, *line.split("\t"))
             for line in os.fsdecode(output).splitlines()]
    for number, one in enumerate(found):
        for other in found[:number]:
            if (one.is_written or other.is_written) and \
                    os.path.samefile(one.path, other.path):
                raise Problem("%s: source: '%s' is that of %s, too: both must "
                              "be read-only or have an overlay" %
                              (one.node, one.path, other.node))
    return found


def asked(option, blob_path):
    """Lines of what manifest-check knows of a manifest that is right."""
    status, output, complaints = processes.run(
        [os.path.join(BUILD, "manifest-check"), option, blob_path])
    if status:
        raise Problem("manifest-check %s: %s" % (option, complaints.strip()))
    return os.fsdecode(output).splitlines()


def roms(blob_path):
    """Models of the cards that firmware starts from, as presets have them."""
    return asked("--roms", blob_path)


def presets(blob_path):
    """What each guest's os came to, in words."""
    return asked("--presets", blob_path)


def refusals(blob_path):
    """Which guests the policy refuses, and who is never up with whom."""
    return asked("--refusals", blob_path)


def policy(source, work, form):
    """Who reaches whom, by a manifest whose files need not be there."""
    blob_path = os.path.join(work, "manifest.dtb")
    with open(blob_path, "wb") as f:
        f.write(fdt.compile_source(readable(source, "manifest")))
    check(source, blob_path)
    option = "--policy" if form == "text" else "--policy=" + form
    return "".join(line + "\n" for line in asked(option, blob_path))


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
    """The words that the monitor has to know before init reads the manifest."""
    words = []
    for name in ("mitigations", "log-level"):
        value = root.string(name)
        if value and (name, value) != ("mitigations", "auto"):
            words.append("%s=%s" % (name, value))
    return words


def copies(guest):
    """How many guests a node makes."""
    return guest.number("count", 1)


def names(guests):
    """What the guests of these nodes are called."""
    return [guest.name if "count" not in guest.properties else
            "%s-%d" % (guest.name, number + 1)
            for guest in guests for number in range(copies(guest))]


def has_source(guests):
    """A disk or CD-ROM that is not in memory."""
    return any(node.string("source")
               for guest in guests for node in guest.children)


def has_nic(guests):
    """A network card: they are the nodes with a switch."""
    return any(node.string("switch")
               for guest in guests for node in guest.children)


def services(guests):
    """Programs beside the machines; tests name others by an environment
    variable, with commas between, or none; a folder before the name says which
    of several."""
    named = os.environ.get("BULKHEAD_SERVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    return [SEAT] + [DISK] * has_source(guests) + [SWITCH] * has_nic(guests)


def nic_rom_file(model, work):
    """As NIC_ROMS has it, or a copy that names its card."""
    name, folder, file = NIC_ROMS[model]
    if model not in NIC_ROM_IDS:
        return name, folder, file
    path = find_file(file, folder)
    with open(path, "rb") as f:
        data = f.read()
    try:
        data = nic_rom.named(data, *NIC_ROM_IDS[model])
    except Problem as problem:
        raise Problem("%s: %s" % (path, problem)) from None
    with open(os.path.join(work, name), "wb") as f:
        f.write(data)
    return name, work, name


class Host:
    """A compiled and checked manifest with its modules."""

    iso = None    # not packed yet
    drives = ()   # files beside the boot modules
    has_source = False    # by whatever name

    def __init__(self, source, work, folder=None):
        """folder: of the files that it names, if not the source's."""
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
        self.has_source = has_source(self.guests)
        self.modules = [Module("manifest.dtb", self.dtb)]
        self._work = work
        folder = folder or os.path.dirname(os.path.realpath(source))
        self._collect(folder)
        check(source, self.dtb, self.modules[1:])
        self.drives = drives(self.dtb, folder)

    def _collect(self, folder):
        for model in roms(self.dtb):
            self._add(*nic_rom_file(model, self._work))
        for program in [INIT] + services(self.guests):
            self._add(os.path.basename(program),
                      os.path.join(BUILD, "programs"), program)
        if not all(guest.string("program") for guest in self.guests):
            self._add(MACHINE, os.path.join(BUILD, "programs"), MACHINE)
        for guest in self.guests:
            if self._has_bios(guest, folder):
                for name, file, instead in PC_FIRMWARE:
                    if not guest.string(instead):
                        self._add(name, FIRMWARE, file)
            for node in guest.children:
                if folders.is_folder(node):
                    self.modules.append(Module(*folders.make(
                        guest, node, folder, self._work)))
            for node in [guest] + guest.children:
                for name in FILE_PROPERTIES:
                    for file in node.strings(name):
                        self._add(file, folder, file)

    @staticmethod
    def _has_bios(guest, folder):
        if (guest.string("program") or guest.string("board") == "pv" or
                "boot-without-bios" in guest.properties):
            return False
        kernel = guest.string("kernel")
        return (not kernel or "boot-through-bios" in guest.properties or
                is_multiboot(find_file(kernel, folder)))

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
        guests = sum((g.number("memory-mib") + GUEST_BESIDE_MIB) * copies(g)
                     for g in self.guests)
        # Who writes to a disk gets a copy of what is written, in the end of
        # all of it.
        written = [f for g in self.guests for _ in range(copies(g))
                   for d in g.children for f in d.strings("image")
                   if not d.name.startswith("cdrom") and
                   "read-only" not in d.properties]
        written += [folders.module_name(g, d) for g in self.guests
                    for _ in range(copies(g)) for d in g.children if folders.is_written(d)]
        private = sum(written.count(m.name) * (m.size + 2 * MIB)
                     for m in self.modules)
        modules = sum(m.size for m in self.modules)
        return guests + (private + modules) // MIB + HOST_RESERVE_MIB
