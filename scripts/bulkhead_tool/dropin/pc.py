# SPDX-License-Identifier: BSD-2-Clause
"""The PC that a command line asks for."""

import os

from .. import Problem, host
from . import buses, ports
from .syntax import Refused

FIRMWARE_FOLDERS = (host.FIRMWARE, "/usr/share/qemu", "/usr/share/ovmf",
                    "/usr/share/OVMF")
EXIT_PORT = 0xf4
DEBUG_PORTS = (0x402, 0xe9)
# Drives of a bus, and of all.
UNITS = {"ide": 2 * buses.IDE_CHANNELS, "ahci": buses.AHCI_PORTS,
         "lsi": buses.SCSI_IDS, "usb": 4, "virtio": 8, "virtio-scsi": 8}
NAMES = {"ide": "IDE unit", "ahci": "AHCI port", "lsi": "SCSI ID",
         "usb": "USB disk", "virtio": "virtio disk",
         "virtio-scsi": "SCSI ID"}
DISKS_MAX = 8
FLOPPY_UNITS = 2
SERIAL_PORTS = 2


class Disk:
    """A drive; unit is channel * 2 + drive or a port, None while it is if=none.

    number is of its node in the manifest, of all drives another.
    """

    def __init__(self, path, form, is_cdrom):
        self.path, self.format, self.is_cdrom = path, form, is_cdrom
        self.bus, self.unit, self.number = "ide", None, None
        self.serial = self.model = None
        self.is_read_only = self.is_snapshot = False
        self.fat = None    # a folder: "ro" or "rw"
        self.boot_index = None

    @property
    def letter(self):
        """As -boot names its kind."""
        return "d" if self.is_cdrom else "c"


class Floppy:
    """A floppy drive with its disk."""

    letter = "a"
    boot_index = None

    def __init__(self, unit, path, is_read_only):
        self.unit, self.path = unit, path
        self.is_read_only = is_read_only


class Flash:
    def __init__(self, path, form, is_read_only):
        self.path, self.format = path, form
        self.is_read_only = is_read_only


class Pc:
    """What an option says is noted; finish() makes sense of all of it."""

    def __init__(self):
        self.notes = []    # (option, what is different)
        self.memory = 128 << 20
        self.vcpus, self.topology = None, {}
        self.folders = []    # of -L
        self.firmware = None
        self.has_vga_bios = True
        self.flash = {}    # by unit
        self.drives, self.named = [], {}    # by number at the end; by id
        self.ahci = self.scsi = None    # ids
        self.scsi_bus = None    # of the adapter's disks: "lsi", "virtio-scsi"
        self.usb = None    # buses.UHCI or XHCI
        self.is_usb_wanted = False    # whichever
        self.usb_devices = {}    # names, and the options that plug them in
        self.floppies = []
        self.networks, self.nic = {}, None    # by id; a nics.Nic
        self.kernel = self.initrd = self.cmdline = None
        self.chardevs = {}
        self.debug_words = []    # (option, word)
        self.serial_words = []    # (option, word, number or None)
        self.serial_options = []    # of -serial
        self.debug_port = 0xe9    # of those that say none
        self.debug_ports = []
        self.serials = []    # ports.Port of COM1, COM2 at the end
        self.parallel_words = []    # (option, word)
        self.parallel = None    # the same of LPT1; None: there is no such port
        self.debug = {}    # the same, by port
        self.is_graphics_off = self.is_nographic = False
        self.has_exit = self.is_snapshot = False
        self.has_test_device = self.has_vmport = self.is_acpi_off = False
        self.has_rng = self.has_balloon = False
        self.no_reboot = self.is_paused = False
        self.items = []    # (name, path or None, bytes or None)
        self.order, self.is_strict = None, False
        self.option_roms = []
        self.clock = None
        self.gdb = self.vnc = None    # (host, port)
        self.display = "none"
        self.pid_file = None

    def note(self, option, text):
        self.notes.append((option, text))

    def find(self, option, name, folders=()):
        """The path of a file that is there; Problem."""
        for place in ("", *folders):
            path = os.path.join(place, name)
            if os.path.isfile(path):
                return path
        return host.readable(name, option)

    def find_firmware(self, option, name):
        return self.find(option, name, self.folders + list(FIRMWARE_FOLDERS))

    # ---- Drives ----------------------------------------------------------

    def is_free(self, bus, unit):
        return all((d.bus, d.unit) != (bus, unit) for d in self.drives)

    def attach(self, option, disk, unit=None, units=None, bus="ide"):
        """A drive of a bus' unit, or of the first one free."""
        count, name = UNITS[bus], NAMES[bus]
        if unit is None:
            unit = next((u for u in units or range(count)
                         if self.is_free(bus, u)), None)
        if unit is None:
            raise Refused(option, "no %s is free: the board has %d" %
                          (name, count))
        if not 0 <= unit < count:
            raise Refused(option, "%s %d: the board has 0 to %d" %
                          (name, unit, count - 1))
        if not self.is_free(bus, unit):
            raise Refused(option, "%s %d has a drive already" % (name, unit))
        if len(self.drives) == DISKS_MAX:
            raise Refused(option, "a guest has %d drives at most" % DISKS_MAX)
        disk.bus, disk.unit = bus, unit
        self.drives.append(disk)

    def attach_floppy(self, option, path, unit, is_read_only):
        taken = [f.unit for f in self.floppies]
        if unit is None:
            unit = next((u for u in range(FLOPPY_UNITS) if u not in taken),
                        FLOPPY_UNITS)
        if not 0 <= unit < FLOPPY_UNITS or unit in taken:
            raise Refused(option, "the board has two floppy drives, a disk "
                          "each")
        self.floppies.append(Floppy(unit, path, is_read_only))
        self.floppies.sort(key=lambda f: f.unit)
        if not is_read_only:
            self.note(option, "what is written to it is lost when the guest "
                      "ends")

    # ---- The end ---------------------------------------------------------

    def finish(self):
        self._finish_ports()
        self._finish_drives()
        buses.finish(self)
        if self.kernel and (self.firmware or self.flash):
            self._check_firmware_for_kernel()
        if (self.initrd or self.cmdline) and not self.kernel:
            raise Refused("-initrd" if self.initrd else "-append",
                          "it needs -kernel")
        if self.flash and 0 not in self.flash:
            raise Refused("-drive if=pflash", "unit 1 without unit 0: there "
                          "is no firmware")
        if self.is_indexed and self.is_strict:
            self.note("-boot strict", "with a network card, AHCI, SCSI, USB or virtio "
                      "the others are tried, too")
        if self.flash and self.firmware:
            raise Refused("-bios", "-pflash has the firmware: give one of "
                          "them")

    def _check_firmware_for_kernel(self):
        """Only SeaBIOS runs the option ROM that starts a kernel."""
        if self.flash:
            raise Refused("-kernel", "with -pflash it is for the firmware, "
                          "which does not find it here: it is for SeaBIOS")

    def _finish_ports(self):
        words = [(option, "chardev:" + chardev if chardev else "null", port)
                 for option, chardev, port in self.debug_ports]
        words += [(*pair, None) for pair in self.debug_words]
        by_port = {}
        for option, word, port in words:
            where = self.debug_port if port is None else port
            if where not in DEBUG_PORTS:
                raise Refused(option, "iobase=0x%x: the board's debug "
                              "consoles are at 0x402 and 0xe9" % where)
            by_port.setdefault(where, []).append((option, word))
        self.debug = {where: self._only(pairs, "port 0x%x is one console" %
                                        where)
                      for where, pairs in by_port.items()}
        self._finish_serials()
        self.parallel = self._only(self.parallel_words, "the board has one "
                                   "parallel port, LPT1")

    def _finish_serials(self):
        """Those that say no number have the next one."""
        found = {}
        for option, word, number in sorted(self.serial_words,
                                           key=lambda w: w[2] is None):
            if number is None:
                number = next(n for n in range(len(found) + 1)
                              if n not in found)
            if not 0 <= number < SERIAL_PORTS:
                raise Refused(option, "%s: the board has two serial ports, "
                              "COM1 and COM2" % word)
            if number in found:
                raise Refused(option, "%s: COM%d leads elsewhere already" %
                              (word, number + 1))
            found[number] = None if word == "none" else \
                ports.of_word(option, word, self.chardevs)
        if not found and self.is_nographic:
            found[0] = ports.Port("stdio", is_muxed=True)
        self.serials = [found.get(0) or ports.Port("null")]
        if found.get(1):
            self.serials.append(found[1])

    @property
    def keyboard(self):
        """The number of the serial port that standard input types to, or None."""
        return next((n for n, port in enumerate(self.serials)
                     if port.is_stdio), None)

    def all_ports(self):
        return [*self.serials, *self.debug.values()] + \
            [self.parallel] * bool(self.parallel)

    def _only(self, words, why):
        found = None
        for option, word in words:
            port = ports.of_word(option, word, self.chardevs)
            if port.kind == "null" and found:
                continue
            if found and found != port and found.kind != "null":
                raise Refused(option, "%s: a second one: %s" % (word, why))
            found = port
        return found

    def _finish_drives(self):
        for name, disk in self.named.items():
            if disk.unit is None:
                raise Refused("-drive", "id=%s: no -device ide-hd, ide-cd, "
                              "scsi-hd, scsi-cd, virtio-blk-pci or "
                              "usb-storage has it" % name)
        if self.is_snapshot:
            for disk in self.drives:
                disk.is_snapshot = True
        numbers = set(range(DISKS_MAX))
        for disk in sorted(self.drives, key=lambda d: (d.bus != "ide", d.bus,
                                                       d.unit)):
            disk.number = disk.unit if disk.bus == "ide" else \
                min(numbers - set(range(UNITS["ide"])) or numbers)
            numbers.discard(disk.number)
        self.drives.sort(key=lambda d: d.number)

    # ---- What is booted from ---------------------------------------------

    @property
    def boot_nic(self):
        """The card, if it has a ROM that starts from it."""
        return self.nic if self.nic and self.nic.has_rom else None

    @property
    def is_indexed(self):
        """The order is written as numbers of the drives, for their paths in the
        file bootorder are the board's business."""
        return bool(self.boot_nic) or any(d.bus != "ide" for d in self.drives)

    def boot_order(self):
        """The drives in the order that is asked for; None: the board's."""
        if not self.order and not self.floppies and not self.boot_nic and \
                all(d.boot_index is None for d in self.drives):
            return None
        drives = self.floppies + self.drives + [self.boot_nic] * bool(self.boot_nic)
        letters = self.order or ("cad" if self.floppies or self.boot_nic else "")
        found = sorted((d for d in drives if d.boot_index is not None),
                       key=lambda d: d.boot_index)
        for letter in letters:
            found += [d for d in drives if d not in found and
                      d.letter == letter.replace("b", "a")]
        if not self.is_strict:
            found += [d for d in drives if d not in found]
        return found


def check_file(option, path):
    if os.path.isdir(path):
        raise Problem("%s: '%s' is a folder" % (option, path))
    return host.readable(path, option)
