# SPDX-License-Identifier: BSD-2-Clause
"""-drive, -hda and their like: IDE drives, floppy drives, flash memory."""

import os

from .. import Problem, host
from . import pc as parts
from .syntax import Keys, Refused

FORMATS = ("raw", "qcow2", "vmdk", "vdi")
# About speed, safety against power cuts, and errors of this system's.
NO_DIFFERENCE = ("cache", "cache.*", "aio", "discard", "detect-zeroes",
                 "werror", "rerror", "copy-on-read", "throttling.*",
                 "file.locking", "locking", "auto-read-only", "serial")
NO_FAT_FLOPPY = "a folder can be a hard disk, not a floppy disk"
INTERFACES = {
    "scsi": "say if=none,id=NAME, -device lsi53c895a or virtio-scsi-pci, and "
            "-device scsi-hd,drive=NAME",
    "sd": "the board has no SD card",
    "mtd": "the board has no such flash memory: say if=pflash",
    "xen": "the board is none of Xen's",
}


def probe(path):
    """The format, by how the file begins, as QEMU does without format=."""
    with open(path, "rb") as f:
        start = f.read(512)
    return next((form for form, at, words in host.SIGNATURES
                 if start[at:].startswith(words)), "raw")


def fat_folder(option, name):
    """("rw" or "ro", the folder) of 'fat:rw:DIR'; None."""
    if not name.startswith("fat:"):
        return None
    words = name.split(":")[1:]
    mode = "ro"
    while len(words) > 1 and words[0] in ("rw", "ro", "floppy", "12", "16",
                                          "32"):
        word = words.pop(0)
        if word == "floppy":
            raise Refused(option, "fat:floppy: %s" % NO_FAT_FLOPPY)
        mode = word if word in ("rw", "ro") else mode
    folder = ":".join(words)
    if not os.path.isdir(folder):
        raise Problem("%s: '%s' is no folder" % (option, folder))
    return mode, folder


def disk_of(option, name, form, is_cdrom):
    fat = fat_folder(option, name)
    if fat:
        disk = parts.Disk(fat[1], "raw", is_cdrom)
        disk.fat = fat[0]
        return disk
    for scheme in ("nbd:", "http:", "https:", "ssh:", "iscsi:", "json:",
                   "null-co:", "blkdebug:"):
        if name.startswith(scheme):
            raise Refused(option, "'%s': only files and fat:" % name)
    path = parts.check_file(option, name[5:] if name.startswith("file:")
                            else name)
    form = form or probe(path)
    if form not in FORMATS:
        raise Refused(option, "format=%s: known are %s" %
                      (form, ", ".join(FORMATS)))
    return parts.Disk(path, form, is_cdrom)


def unit_of(keys):
    """What index=, or bus= and unit=, say; None."""
    index, bus, unit = (keys.number(n) for n in ("index", "bus", "unit"))
    if index is not None:
        return index
    if bus is None and unit is None:
        return None
    return (bus or 0) * 2 + (unit or 0)


def add_flash(pc, keys, name, form):
    unit = keys.number("unit", keys.number("index"))
    if unit is None:
        unit = next(n for n in range(3) if n not in pc.flash)
    if unit in pc.flash or unit > 1:
        raise Refused(keys.option, "if=pflash: unit %d: the board has 0 and "
                      "1, a file each" % unit)
    path = parts.check_file(keys.option, name)
    is_read_only = keys.flag("readonly") or keys.flag("read-only")
    pc.flash[unit] = parts.Flash(path, form or probe(path), is_read_only)
    keys.ignore("snapshot", "id", *NO_DIFFERENCE)
    keys.end()


def add_floppy(pc, keys, name, form):
    unit = keys.number("index", keys.number("unit"))
    is_read_only = keys.flag("readonly") or keys.flag("read-only")
    keys.ignore("snapshot", "id", "bus", "media", *NO_DIFFERENCE)
    keys.end()
    put_floppy(pc, keys.option, name, form, unit, is_read_only)


def put_floppy(pc, option, name, form, unit, is_read_only):
    disk = disk_of(option, name, form, False)
    if disk.fat:
        raise Refused(option, "fat: %s" % NO_FAT_FLOPPY)
    if disk.format != "raw":
        raise Refused(option, "format=%s: a floppy disk's is raw" %
                      disk.format)
    pc.attach_floppy(option, disk.path, unit, is_read_only)


def do_drive(pc, text, option="-drive"):
    keys = Keys(option, text, "file")
    interface = keys.take("if", "ide")
    name, form = keys.take("file"), keys.take("format", keys.take("driver"))
    if interface in INTERFACES:
        raise Refused(option, "if=%s: %s" % (interface,
                                             INTERFACES[interface]))
    if not name:
        raise Refused(option, "it has no file: a drive without a medium is "
                      "not there")
    if interface == "pflash":
        add_flash(pc, keys, name, form)
        return
    if interface == "floppy":
        add_floppy(pc, keys, name, form)
        return
    if interface not in ("ide", "virtio", "none"):
        raise Refused(option, "if=%s: known are ide, virtio, floppy, pflash "
                      "and none" % interface)
    media = keys.take("media", "disk")
    if media not in ("disk", "cdrom"):
        raise Refused(option, "media=%s: has to be disk or cdrom" % media)
    disk = disk_of(option, name, form, media == "cdrom")
    disk.is_read_only = keys.flag("readonly") or keys.flag("read-only")
    disk.is_snapshot = keys.flag("snapshot")
    unit, number = unit_of(keys), keys.take("id")
    keys.ignore(*NO_DIFFERENCE)
    keys.end()
    if interface == "none":
        if not number or number in pc.named:
            raise Refused(option, "if=none: it has to have an id of its own")
        pc.named[number] = disk
    elif interface == "virtio" and disk.is_cdrom:
        raise Refused(option, "if=virtio: a CD-ROM drive is at IDE, or at "
                      "-device virtio-scsi-pci")
    else:
        pc.attach(option, disk, unit, bus=interface)


def do_hd(option, unit):
    def do(pc, name):
        pc.attach(option, disk_of(option, name, None, False), unit)
    return do


def do_cdrom(pc, name):
    pc.attach("-cdrom", disk_of("-cdrom", name, None, True), 2)


def do_pflash(pc, name):
    add_flash(pc, Keys("-pflash", ""), name, None)


def do_floppy(option, unit):
    def do(pc, name):
        put_floppy(pc, option, name, None, unit, False)
    return do
