# SPDX-License-Identifier: BSD-2-Clause
"""The PC that a command line asks for."""

import os

from .. import Problem, host
from . import ports
from .syntax import Refused

FIRMWARE_FOLDERS = (host.FIRMWARE, "/usr/share/qemu", "/usr/share/ovmf",
                    "/usr/share/OVMF")
EXIT_PORT = 0xf4
DEBUG_PORTS = (0x402, 0xe9)
IDE_UNITS = 4
SCSI_UNITS = 7
SCSI_DRIVES = 6    # a manifest has names for, beside those of IDE
FLOPPY_UNITS = 2


class Disk:
    """A drive; unit is channel * 2 + drive of IDE, or a SCSI ID, and None while
    it is if=none."""

    def __init__(self, path, form, is_cdrom):
        self.path, self.format, self.is_cdrom = path, form, is_cdrom
        self.unit, self.bus = None, "ide"
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
        self.drives, self.named = [], {}    # by unit at the end; by id
        self.floppies = []
        self.scsi = None    # what -device lsi53c895a calls its bus
        self.networks, self.nic = {}, None    # by id; a nics.Nic
        self.kernel = self.initrd = self.cmdline = None
        self.chardevs = {}
        self.serial_words, self.debug_words = [], []    # (option, word)
        self.debug_port = 0xe9    # of those that say none
        self.debug_ports = []
        self.serial = None    # ports.Port at the end
        self.debug = {}    # the same, by port
        self.is_graphics_off = self.is_nographic = False
        self.has_exit = self.is_snapshot = False
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

    def is_free(self, unit, bus="ide"):
        return all((d.bus, d.unit) != (bus, unit) for d in self.drives)

    def attach(self, option, disk, unit=None, units=range(IDE_UNITS)):
        """A drive of an IDE unit, or of the first one free."""
        if unit is None:
            unit = next((u for u in units if self.is_free(u)), None)
        if unit is None:
            raise Refused(option, "no IDE unit is free: the board has four")
        if not 0 <= unit < IDE_UNITS:
            raise Refused(option, "IDE unit %d: the board has 0 to 3" % unit)
        if not self.is_free(unit):
            raise Refused(option, "IDE unit %d has a drive already" % unit)
        disk.unit = unit
        self.drives.append(disk)

    def attach_scsi(self, option, disk, unit):
        """A drive with that SCSI ID, or the first one free."""
        if unit is None:
            unit = next((u for u in range(SCSI_UNITS)
                         if self.is_free(u, "lsi")), SCSI_UNITS)
        if not 0 <= unit < SCSI_UNITS:
            raise Refused(option, "scsi-id=%d: the adapter has 0 to 6" % unit)
        if not self.is_free(unit, "lsi"):
            raise Refused(option, "scsi-id=%d has a drive already" % unit)
        if len([d for d in self.drives if d.bus == "lsi"]) == SCSI_DRIVES:
            raise Refused(option, "there can be six SCSI drives")
        disk.unit, disk.bus = unit, "lsi"
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
        if self.kernel and (self.firmware or self.flash):
            self._check_firmware_for_kernel()
        if (self.initrd or self.cmdline) and not self.kernel:
            raise Refused("-initrd" if self.initrd else "-append",
                          "it needs -kernel")
        if self.flash and 0 not in self.flash:
            raise Refused("-drive if=pflash", "unit 1 without unit 0: there "
                          "is no firmware")
        if self.boot_nic and self.is_strict:
            self.note("-boot strict", "with a network card the others are "
                      "tried, too")
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
        self.serial = self._only(self.serial_words, "the board has one serial "
                                 "port, COM1")
        if self.serial is None and self.is_nographic:
            self.serial = ports.Port("stdio", is_muxed=True)
        if self.serial is None:
            self.serial = ports.Port("null")

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
                              "scsi-hd or scsi-cd has it" % name)
        if self.is_snapshot:
            for disk in self.drives:
                disk.is_snapshot = True
        self.drives.sort(key=lambda d: (d.bus, d.unit))

    # ---- What is booted from ---------------------------------------------

    @property
    def boot_nic(self):
        """The card, if it has a ROM that starts from it."""
        return self.nic if self.nic and self.nic.has_rom else None

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
