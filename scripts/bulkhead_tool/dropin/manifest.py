# SPDX-License-Identifier: BSD-2-Clause
"""The PC as a manifest, in a folder with the files that it names."""

import json
import os
import shutil

from .. import Problem, host, processes
from . import fat

GUEST, SOURCE = "guest", "qemu.dts"
MIB = 1 << 20
TEXT_MAX = 255    # bytes of an item that stand in the manifest
ITEMS_MAX = 10
CMDLINE_MAX = 1023
INDEXES_MAX = 8
ROM_UNIT = 4096

# UEFI's GUID of a firmware volume of variables, as it lies in memory, and where
# such a volume says what it is and how long.
VARIABLES = bytes.fromhex("8d2bf1ff96768b4ca9852747075b4f50")
GUID_AT, LENGTH_AT, SIGNATURE_AT, SIGNATURE = 16, 32, 40, b"_FVH"

# How SeaBIOS and OVMF name an IDE drive in the file bootorder, by IDE unit.
BOOT_PATH = "/pci@i0cf8/ide@1,1/drive@%d/disk@%d"
FLOPPY_PATH = "/pci@i0cf8/isa@1/fdc@03f0/floppy@%d"


def quoted(text):
    """A string of a device-tree source."""
    return '"%s"' % "".join(
        "\\x%02x" % byte if byte < 32 or byte > 126 else
        "\\" + chr(byte) if chr(byte) in '"\\' else chr(byte)
        for byte in os.fsencode(text))


def variables_size(path):
    """How many of the file's first bytes are a store of variables; 0: none."""
    with open(path, "rb") as f:
        head = f.read(64)
        rest = f.seek(0, os.SEEK_END)
    if head[GUID_AT:GUID_AT + 16] != VARIABLES or \
            head[SIGNATURE_AT:SIGNATURE_AT + 4] != SIGNATURE:
        return 0
    size = int.from_bytes(head[LENGTH_AT:LENGTH_AT + 8], "little")
    return size if 0 < size < rest and size % ROM_UNIT == 0 else 0


class Files:
    """A folder of links and copies under names that boot loaders can carry."""

    def __init__(self, folder):
        self.folder = folder
        self.fats = []    # folders that are disks
        self.lasting = []    # what is written to
        self.originals = {}    # by name

    def path(self, name):
        return os.path.join(self.folder, name)

    def link(self, name, path):
        os.symlink(os.path.realpath(path), self.path(name))
        self.originals[name] = path
        return name

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return name

    def tail(self, name, path, start):
        with open(path, "rb") as source, open(self.path(name), "wb") as to:
            source.seek(start)
            shutil.copyfileobj(source, to)
        self.originals[name] = path
        return name

    def explained(self, text):
        """A complaint about these files, by the names that they had."""
        text = text.replace(self.path(SOURCE), "what these options ask for")
        for name, path in self.originals.items():
            text = text.replace(self.path(name), path)
            text = text.replace('"%s"' % name, '"%s"' % path)
        return text


def source(files, name, path, form):
    """The lines of a drive of the simulated host's."""
    files.link(name, path)
    lines = ['source = "file:%s";' % name]
    if form != "raw":
        lines.append('format = "%s";' % form)
    return lines


def disk_node(files, disk):
    kind = "cdrom" if disk.is_cdrom else "disk"
    name = "%s%d" % (kind, disk.number)
    path = disk.path
    if disk.fat:
        path = files.path(name + ".fat")
        files.fats.append(fat.Folder(disk.path, path, disk.fat == "rw" and
                                     not disk.is_snapshot))
    lines = ['bus = "%s";' % disk.bus]
    if disk.bus != "usb":
        lines.append("unit = <%d>;" % disk.unit)
    lines += ["%s = %s;" % (what, quoted(text)) for what, text in
              (("serial", disk.serial), ("model", disk.model)) if text]
    lines += source(files, name + ".img", path, disk.format)
    if disk.is_cdrom:
        pass
    elif disk.is_read_only:
        lines.append("read-only;")
    elif disk.is_snapshot or disk.fat == "ro":
        lines.append('overlay = "memory";')
    elif not disk.fat:
        files.lasting.append(disk.path)
    return node(name, lines)


def floppy_node(files, floppy):
    name = "floppy%d" % floppy.unit
    lines = ['image = "%s";' % files.link(name + ".img", floppy.path)]
    if floppy.is_read_only:
        lines.append("read-only;")
    return node(name, lines)


def node(name, lines):
    return ["%s {" % name] + ["\t" + line for line in lines] + ["};"]


def flash_node(files, flash, size, is_copy):
    if is_copy:
        if flash.format != "raw":
            raise Problem("-drive if=pflash: with -snapshot it has to be a "
                          "raw file")
        with open(flash.path, "rb") as f:
            lines = ['image = "%s";' % files.write("flash.img", f.read(size))]
    else:
        lines = source(files, "flash.img", flash.path, flash.format)
        lines.append("size-kib = <%d>;" % (size // 1024))
        if not flash.is_read_only:
            files.lasting.append(flash.path)
    if flash.is_read_only:
        lines.append("read-only;")
    return node("flash0", lines)


def virtual_size(flash):
    """What a guest sees of the file."""
    if flash.format == "raw":
        return os.path.getsize(flash.path)
    status, output, words = processes.run(
        ["qemu-img", "info", "--output=json", "-f", flash.format, "--",
         flash.path])
    if status:
        raise Problem("qemu-img: %s" % words.strip())
    return json.loads(output)["virtual-size"]


def firmware_lines(pc, files):
    """The properties and nodes of firmware and its variables."""
    if pc.firmware:
        return ['firmware = "%s";' % files.link("firmware.bin",
                                                pc.firmware)], []
    if not pc.flash:
        return [], []
    code, variables = pc.flash[0], pc.flash.get(1)
    if code.format != "raw":
        raise Problem("-drive if=pflash: unit 0 has to be a raw file")
    if variables:
        return (['firmware = "%s";' % files.link("firmware.bin", code.path)],
                flash_node(files, variables, virtual_size(variables),
                           pc.is_snapshot))
    size = 0 if code.is_read_only else variables_size(code.path)
    if not size:
        return ['firmware = "%s";' % files.link("firmware.bin",
                                                code.path)], []
    return (['firmware = "%s";' % files.tail("firmware.bin", code.path, size)],
            flash_node(files, code, size, pc.is_snapshot))


def kernel_lines(pc, files):
    if not pc.kernel:
        return []
    lines = ['kernel = "%s";' % files.link("kernel", pc.kernel),
             "boot-through-bios;"]
    if pc.initrd:
        lines.append('initrd = "%s";' % files.link("initrd", pc.initrd))
    if pc.cmdline:
        if len(os.fsencode(pc.cmdline)) > CMDLINE_MAX:
            raise Problem("-append: has more than %d bytes" % CMDLINE_MAX)
        lines.append("cmdline = %s;" % quoted(pc.cmdline))
    return lines


def is_text(data):
    return 0 < len(data) <= TEXT_MAX and all(31 < b < 127 or b == 10
                                             for b in data)


def boot_path(drive):
    if drive.letter == "a":
        return FLOPPY_PATH % drive.unit
    return BOOT_PATH % divmod(drive.unit, 2)


def boot_order(pc):
    """The file bootorder; None: the board's own order."""
    drives = pc.boot_order()
    if drives is None or pc.kernel or pc.is_indexed:
        return None
    lines = [boot_path(d) for d in drives]
    return "\n".join(lines + ["HALT"] * pc.is_strict).encode()


def boot_indexes(pc):
    """Lines for each drive's node; the card has its ROM with an index alone."""
    drives = pc.boot_order()
    if drives is None or pc.kernel or not pc.is_indexed:
        return {}
    return {d: ["\tboot-index = <%d>;" % n]
            for n, d in enumerate(drives[:INDEXES_MAX], 1)}


def nic_node(nic):
    lines = ["model = %s;" % quoted(nic.model), 'switch = "net";']
    if nic.mac:
        lines.append("mac = %s;" % quoted(nic.mac))
    lines += ["%s = <%d>;" % (name, value)
              for name, value in (("port", nic.port), ("irq", nic.irq))
              if value is not None]
    return node("nic0", lines)


def usb_node(pc):
    return node("usb0", ['controller = "%s";' % pc.usb] +
                [name + ";" for name in sorted(pc.usb_devices)])


def item_nodes(pc, files):
    items = list(pc.items)
    order = boot_order(pc)
    if order:
        items.append(("bootorder", None, order))
    if len(items) > ITEMS_MAX:
        raise Problem("-fw_cfg: %d files: at most %d can be there" %
                      (len(items), ITEMS_MAX))
    found = []
    for number, (name, path, data) in enumerate(items):
        lines = ["item = %s;" % quoted(name)]
        if path is None and is_text(data):
            lines.append("string = %s;" % quoted(data))
        else:
            file = "item%d.bin" % number
            lines.append('file = "%s";' % (files.link(file, path) if path else
                                           files.write(file, data)))
        found += node("fw-cfg%d" % number, lines)
    return found


def guest_lines(pc, files):
    firmware, flash = firmware_lines(pc, files)
    memory = max(2, -(-pc.memory // (2 * MIB)) * 2)
    lines = ['board = "pc";', "memory-mib = <%d>;" % memory]
    if pc.vcpus:
        lines.append("vcpus = <%d>;" % pc.vcpus)
    lines += ["%s = <%d>;" % pair for pair in pc.topology.items()]
    lines += firmware + kernel_lines(pc, files)
    if not pc.has_vga_bios:
        lines.append('vga-bios = "%s";' % files.write("no-vga.bin",
                                                      host.NO_ROM))
    for is_there, flag in ((pc.debug, "debug-console"),
                           (pc.parallel, "parallel0"),
                           (pc.has_exit, "isa-debug-exit"),
                           (pc.is_graphics_off and not pc.flash,
                            "firmware-on-serial"),
                           (len(pc.serials) > 1, "serial1"),
                           (pc.has_test_device, "test-device"),
                           (pc.has_vmport, "vmware-backdoor"),
                           (pc.has_rng, "rng"), (pc.has_balloon, "balloon"),
                           (pc.no_reboot, "no-reboot")):
        if is_there:
            lines.append(flag + ";")
    if pc.is_acpi_off:
        lines.append('acpi = "off";')
    # What it says first has to be heard, so it waits for who hears it.
    lines.append("start-paused;")
    indexes = boot_indexes(pc)
    nodes = [(d, floppy_node(files, d)) for d in pc.floppies]
    nodes += [(d, disk_node(files, d)) for d in pc.drives]
    if pc.nic:
        nodes.append((pc.nic, nic_node(pc.nic)))
    for drive, words in nodes:
        lines += words[:1] + indexes.get(drive, []) + words[1:]
    return lines + (usb_node(pc) if pc.usb else []) + flash + \
        item_nodes(pc, files)


def make(pc, folder):
    """The manifest's text, and its Files in a folder that is there."""
    files = Files(folder)
    lines = node("guests", node(GUEST, guest_lines(pc, files)))
    text = "/dts-v1/;\n/ {\n\tcompatible = \"bulkhead,host-v1\";\n%s};\n" % \
        "".join("\t%s\n" % line for line in lines)
    files.write(SOURCE, text.encode())
    return text, files


def host_of(files, work):
    """The host.Host of what make() made; Problem."""
    try:
        the_host = host.Host(files.path(SOURCE), work)
    except Problem as problem:
        raise Problem(files.explained(str(problem))) from None
    for drive in the_host.drives:
        # The simulator complains about files by their names, too.
        drive.path = os.path.realpath(drive.path)
    return the_host
