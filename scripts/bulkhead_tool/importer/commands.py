# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead import` itself, and the manifest that it writes."""

import os
import re

from .. import Problem, processes
from . import Broken, guess, image

# MiB; systems before 1999 or so do not start with much more.
MEMORY = {
    "dos": 32, "windows-3.11": 32, "windows-95": 64, "windows-98": 128,
    "windows-me": 256, "windows-nt4": 128, "windows-2000": 256,
    "windows-xp": 512, "windows-2003": 512, "os2": 64, "linux-2.2": 128,
    "linux-2.4": 256, "reactos": 512, "windows-vista": 2048,
    "windows-7": 2048, "windows-8": 2048, "windows-10": 4096,
}
MEMORY_ELSE = 1024
NAME_MAX = 23
SOURCE_MAX = 127

# VMDK's words for a controller.
ADAPTERS = {"ide": "IDE", "lsilogic": "LSI Logic's SCSI",
            "buslogic": "BusLogic's SCSI", "lsisas1068": "LSI Logic's SAS",
            "pvscsi": "VMware's paravirtual SCSI", "legacyesx": "SCSI"}

TEMPLATE = """/dts-v1/;
/*
%s */
/ {
	compatible = "bulkhead,host-v1";

	guests {
		%s {
			board = "pc";
%s			memory-mib = <%d>;
%s
			%s {
				bus = "ide";
				source = "%s";
%s			};
		};
	};
};
"""

OVERLAY = """				/* So that the file stays as it is:
				overlay = "memory"; */
"""

EFI = """			/* It starts from UEFI alone; Debian's package ovmf has these,
			 * and vars.fd is a copy of its OVMF_VARS_4M.fd. */
			firmware = "OVMF_CODE_4M.fd";
			flash0 { source = "file:./vars.fd"; size-kib = <528>; };
"""


def size_of(count):
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return "%.4g %s" % (count / unit, name)
    return "%d bytes" % count


def guest_name(path):
    stem = re.sub(r"[^A-Za-z0-9_-]", "-",
                  os.path.splitext(os.path.basename(path))[0])
    if not stem[:1].isalpha():
        stem = "disk-" + stem
    return stem[:NAME_MAX].rstrip("-")


def source_of(path, output):
    """As the manifest says it: from its own folder on, with a folder."""
    folder = os.path.dirname(os.path.realpath(output)) if output \
        else os.getcwd()
    name = os.path.relpath(os.path.realpath(path), folder)
    if not name.startswith("../"):
        name = "./" + name
    if any(not " " <= c for c in name):
        raise Problem("'%s' has a control character in its name: a manifest "
                      "cannot name it" % path)
    text = "file:" + name
    if len(os.fsencode(text)) > SOURCE_MAX:
        raise Problem("'%s' is further away than the %d characters of a "
                      "source: put the manifest beside it" %
                      (path, SOURCE_MAX))
    return text.replace("\\", "\\\\").replace('"', '\\"')


def lines_of(disk, found):
    """What is known, for people."""
    yield "%s: %s, %s" % (os.path.basename(disk.path), disk.format,
                          size_of(disk.size))
    for part, inside in found.partitions:
        if not found.table:
            yield "no partitions: %s" % (inside or "no file system known here")
            continue
        yield "%s partition %d: %s, %s%s%s" % (
            found.table, part.number, part.kind, size_of(part.size),
            ", active" if part.is_active else "",
            ": " + inside if inside else "")
    best = found.best
    if not best:
        yield "Which system it has is not known: say os yourself, or nothing"
        return
    yield "%s %s, for %s" % ("It is" if best.is_sure else "It may be",
                             best.system, best.why)
    told = {best.system}
    for other in found.findings:
        if other.system not in told:
            told.add(other.system)
            yield "but then %s, for %s" % (other.system, other.why)
    if not best.is_sure:
        yield "That is a guess: look at it before you trust it"


def notes_of(disk, found):
    adapter = disk.adapter()
    if adapter:
        name = ADAPTERS.get(adapter, adapter)
        yield "its controller was %s (%s)" % (name, adapter)
        if adapter != "ide":
            yield ("here it is IDE: a Windows without that driver stops with "
                   "7Bh, a Linux may not find its root; install the IDE "
                   "driver in it before you move it")
    if disk.backing:
        yield "it is an overlay on '%s', which has to stay" % disk.backing
    if found.is_efi:
        yield "it has no boot code for a BIOS: it starts from UEFI"
    if not found.is_efi and found.table == "MBR" and \
            not any(part.is_active for part, _ in found.partitions):
        yield "no partition is active: a BIOS may not start it"
    if disk.size % image.SECTOR:
        yield "its size is no multiple of 512 bytes: it has to be"
    yield from found.notes


def manifest(disk, found, output):
    best = found.best
    words = list(lines_of(disk, found)) + list(notes_of(disk, found))
    return TEMPLATE % (
        "".join(" * %s\n" % line.replace("*/", "* /") for line in words),
        guest_name(disk.path),
        '			os = "%s";\n' % best.system if best else "",
        MEMORY.get(best.system if best else "", MEMORY_ELSE),
        EFI if found.is_efi else "",
        "cdrom0" if found.is_cd else "disk0", source_of(disk.path, output),
        ('				format = "%s";\n' % disk.format
         if disk.format != "raw" else "") + ("" if found.is_cd else OVERLAY))


def do_import(args, work):
    disk = image.Image(args.disk, work)
    try:
        found = guess.make(disk)
    except Broken as error:
        raise Problem("'%s' cannot be read as a disk: %s" %
                      (args.disk, error)) from None
    if not found.is_disk:
        raise Problem("'%s' is no disk: it has neither a partition table, nor "
                      "a boot sector, nor a file system known here" %
                      args.disk)
    text = manifest(disk, found, args.output)
    if not args.output:
        processes.say(text.rstrip())
        return 0
    if os.path.exists(args.output) and not args.force:
        raise Problem("'%s' is there already: --force replaces it" %
                      args.output)
    try:
        with open(args.output, "w", encoding="utf-8",
                  errors="surrogateescape") as f:
            f.write(text)
    except OSError as error:
        raise Problem("'%s' cannot be written: %s" %
                      (args.output, error.strerror)) from None
    for line in list(lines_of(disk, found)) + list(notes_of(disk, found)):
        processes.say(line)
    processes.say("%s is ready: 'bulkhead run %s' boots it" %
                  (args.output, args.output))
    return 0


def add(commands):
    command = commands.add_parser(
        "import", help="write a manifest for a disk that there is",
        description="Looks at a disk image, raw, qcow2, vmdk or vdi, says which "
        "system it has and why, and writes a manifest for it. The disk is only "
        "read (docs/import.md).")
    command.add_argument("disk", metavar="DISK")
    command.add_argument("-o", "--output", metavar="HOST.dts",
                         help="where to write it (default: standard output)")
    command.add_argument("--force", action="store_true",
                         help="replace it if it is there")
    command.set_defaults(action=do_import)
