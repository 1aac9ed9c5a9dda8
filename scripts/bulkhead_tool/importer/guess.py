# SPDX-License-Identifier: BSD-2-Clause
"""Which system a disk has, and why.

Each file system is asked for what only one system leaves there. What is not
certain is said to be a guess: who imports the disk knows better.
"""

import re

from . import Broken, hive, partitions
from .ext import Ext
from .fat import Fat
from .ntfs import Ntfs

HIVE = "WINDOWS/SYSTEM32/CONFIG/SOFTWARE"
HIVE_MAX = 192 << 20

# What BOOT.INI, or the registry's ProductName, calls it; the first that fits.
# Windows 11 says in its registry that it is 10.
WINDOWS = (
    ("Windows NT", "windows-nt4"), ("Windows 2000", "windows-2000"),
    ("Windows XP", "windows-xp"), ("Server 2003", "windows-2003"),
    ("Windows Vista", "windows-vista"), ("Server 2008 R2", "windows-7"),
    ("Server 2008", "windows-vista"), ("Windows 7", "windows-7"),
    ("Windows 8", "windows-8"), ("Server 2012", "windows-8"),
    ("Windows 10", "windows-10"), ("Windows 11", "windows-10"),
    ("Server 20", "windows-10"),
)
# MSDOS.SYS has it from Windows 95's second edition on.
WINVER = (("4.90", "windows-me"), ("4.1", "windows-98"),
          ("4.0", "windows-95"))

# (where, what is there, what it is): file systems without a reader here.
MAGICS = (
    (0, b"XFSB", "XFS"), (0x10040, b"_BHRfS_M", "btrfs"),
    (544, b"1SFB", "BFS"), (544, b"BFS1", "BFS"),
    (8192 + 0x55c, b"\x54\x19\x01\x00", "UFS"),
    (65536 + 0x55c, b"\x19\x01\x54\x19", "UFS2"),
    (8192, b"\x49\xe8\x95\xf9", "HPFS"), (512, b"LABELONE", "LVM"),
    (4086, b"SWAPSPACE2", "swap"), (4086, b"SWAP-SPACE", "swap"),
)
KINDS = {    # a partition's type, where nothing in it says more
    "FreeBSD": "freebsd", "OpenBSD": "openbsd", "NetBSD": "netbsd",
    "Solaris": "solaris", "BFS": "haiku", "OS/2 boot manager": "os2",
    "Linux": "linux", "Linux LVM": "linux", "Linux swap": "linux",
}


class Finding:
    """That it is this system; sure, or likely."""

    def __init__(self, system, why, is_sure=True):
        self.system, self.why, self.is_sure = system, why, is_sure


class Guess:
    def __init__(self):
        self.table = None
        self.partitions = []    # (partition, what is in it)
        self.findings = []
        self.notes = []         # what to know, or to look after

    @property
    def best(self):
        return next((f for f in self.findings if f.is_sure),
                    self.findings[0] if self.findings else None)


def windows(text):
    return next((system for words, system in WINDOWS if words in text), None)


def of_boot_ini(data):
    """What the first entry with a name is called; NT's own loader reads it."""
    text = data.decode("cp1252", "replace")
    at = text.lower().find("[operating systems]")
    for name in re.findall(r'="([^"]*)"', text[max(at, 0):]):
        system = windows(name)
        if system:
            yield Finding(system, 'BOOT.INI names "%s"' % name)


def of_msdos_sys(data):
    text = data.decode("cp437", "replace")
    found = re.search(r"WinVer=([0-9.]+)", text)
    if found:
        for begins, system in WINVER:
            if found.group(1).startswith(begins):
                yield Finding(system, "MSDOS.SYS says %s" % found.group(0))
                return
    if re.search(r"WinDir=\S", text):
        yield Finding("windows-95", "MSDOS.SYS names a Windows, and no "
                      "version", False)


def of_fat(fat):
    names = fat.names()
    if "BOOT.INI" in names and "NTLDR" in names:
        yield from of_boot_ini(fat.read("BOOT.INI"))
    if "MSDOS.SYS" in names:
        yield from of_msdos_sys(fat.read("MSDOS.SYS") or b"")
    if "OS2LDR" in names or "OS2KRNL" in names:
        yield Finding("os2", "OS2LDR or OS2KRNL is there")
    if "FREELDR.SYS" in names or "FREELDR.INI" in names:
        yield Finding("reactos", "ReactOS' loader is there")
    if "NTLDR" in names:
        yield Finding("windows-xp", "NTLDR is there", False)
    if "KERNEL.SYS" in names:
        yield Finding("dos", "FreeDOS' KERNEL.SYS is there")
    if "IO.SYS" in names or "IBMBIO.COM" in names:
        if "WINDOWS" in names:
            yield Finding("windows-3.11", "DOS is there, and a folder WINDOWS",
                          False)
        yield Finding("dos", "IO.SYS or IBMBIO.COM is there", False)


def of_hive(ntfs):
    data = ntfs.read(HIVE, HIVE_MAX)
    name = hive.text(data, "ProductName") if data else None
    if name and windows(name):
        yield Finding(windows(name), 'the registry\'s ProductName is "%s"' %
                      name)


def of_ntfs(ntfs):
    names = ntfs.names()
    if "BOOT.INI" in names:
        yield from of_boot_ini(ntfs.read("BOOT.INI") or b"")
    yield from of_hive(ntfs)
    if "FREELDR.SYS" in names:
        yield Finding("reactos", "ReactOS' loader is there")
    if "BOOTNXT" in names:
        yield Finding("windows-10", "BOOTNXT is there, since Windows 8", False)
    if "BOOTMGR" in names or "$WINDOWS.~BT" in names:
        yield Finding("windows-7", "BOOTMGR is there, since Vista", False)
    if "NTLDR" in names:
        system = {"1.2": "windows-nt4", "3.0": "windows-2000"}.get(
            ntfs.version, "windows-xp")
        yield Finding(system, "NTLDR is there, and NTFS %s" % ntfs.version,
                      False)
    if "WINDOWS" in names and "PROGRAMDATA" in names:
        yield Finding("windows-7", "WINDOWS and PROGRAMDATA are there, since "
                      "Vista", False)


def of_kernels(releases):
    """The oldest line of kernels that there is counts: the newest is booted."""
    found = sorted((int(m.group(1)), int(m.group(2)))
                   for m in (re.match(r"(?:vmlinu[xz]-)?(\d+)\.(\d+)", name)
                             for name in releases) if m)
    if not found:
        return
    newest = found[-1]
    system = "linux" if newest >= (2, 6) else \
        "linux-2.4" if newest >= (2, 4) else "linux-2.2"
    yield Finding(system, "its newest kernel is a %d.%d" % newest)


def of_ext(ext):
    yield from of_kernels(ext.names("lib/modules") | ext.names("boot"))
    release = ext.read("etc/os-release")
    if release:
        name = re.search(r'PRETTY_NAME="?([^"\n]*)',
                         release.decode(errors="replace"))
        yield Finding("linux", "/etc/os-release says %s" %
                      (name.group(1) if name else "nothing"))
    if "vmlinuz" in ext.names():
        yield Finding("linux", "there is a /vmlinuz", False)


READERS = ((Fat, of_fat), (Ntfs, of_ntfs), (Ext, of_ext))


def describe(fs):
    if isinstance(fs, Fat):
        return "FAT%d" % fs.bits
    if isinstance(fs, Ntfs):
        return "NTFS %s" % fs.version
    return fs.kind


def look(part, guess):
    """What is in a partition, in words."""
    for reader, asks in READERS:
        try:
            fs = reader(part)
        except Broken:
            continue
        try:
            guess.findings += asks(fs)
        except Broken as error:
            guess.notes.append("partition %d: %s" % (part.number, error))
        label = ' "%s"' % fs.label if fs.label else ""
        return describe(fs) + label
    try:
        return next((name for at, magic, name in MAGICS
                     if part.read(at, len(magic)) == magic), None)
    except Broken:
        return None


def of_loader(name, where):
    systems = {"NTLDR": "windows-xp", "BOOTMGR": "windows-7",
               "KERNEL.SYS": "dos", "IO.SYS": "dos", "IBMBIO.COM": "dos",
               "WINBOOT.SYS": "windows-98", "OS2LDR": "os2", "OS2BOOT": "os2",
               "FREELDR.SYS": "reactos", "GRUB": "linux", "LILO": "linux",
               "EXTLINUX": "linux", "haiku_loader": "haiku"}
    if name in systems:
        yield Finding(systems[name], "the %s starts %s" % (where, name), False)


def make(image):
    guess = Guess()
    guess.table, parts = partitions.find(image)
    code = image.read(0, 446)
    sector = image.read(0, 512)
    guess.is_cd = image.read(32769, 5) == b"CD001" and \
        not image.size % 2048
    if guess.is_cd:
        guess.notes.append("it is a CD")
    weak = []
    for part in parts:
        inside = look(part, guess)
        guess.partitions.append((part, inside))
        boot = part.read(0, 8192)
        weak += of_loader(partitions.loader_of(boot), "boot sector") \
            if inside else []
        system = "os2" if inside == "HPFS" else KINDS.get(part.kind)
        if system and not (system == "linux" and inside == "swap"):
            weak.append(Finding(system, "a partition is of type %s" %
                                part.kind, False))
    weak += of_loader(partitions.loader_of(code), "master boot record")
    guess.findings += weak
    guess.is_disk = guess.is_cd or bool(guess.table) or \
        any(inside for _, inside in guess.partitions) or \
        (sector[510:512] == partitions.SIGNATURE and any(code))
    guess.is_efi = guess.table == "GPT" and \
        any(part.kind == "EFI system" for part, _ in guess.partitions) and \
        not any(code)
    return guess
