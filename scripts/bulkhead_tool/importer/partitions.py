# SPDX-License-Identifier: BSD-2-Clause
"""Partition tables, and what boot code says of itself.

References: UEFI specification, "GUID Partition Table (GPT) Disk Layout"; the
IBM PC's master boot record.
"""

import uuid

from . import Broken, unpack
from .image import SECTOR, Part

SIGNATURE = b"\x55\xaa"
EXTENDED = (0x05, 0x0f, 0x85)
GPT_PROTECTIVE = 0xee
LOGICAL_MAX = 60
GPT_MAX = 256

TYPES = {
    0x01: "FAT12", 0x04: "FAT16", 0x06: "FAT16", 0x07: "NTFS or HPFS",
    0x0a: "OS/2 boot manager", 0x0b: "FAT32", 0x0c: "FAT32", 0x0e: "FAT16",
    0x27: "Windows recovery", 0x63: "System V", 0x81: "Minix",
    0x82: "Linux swap or Solaris", 0x83: "Linux", 0x8e: "Linux LVM",
    0xa5: "FreeBSD", 0xa6: "OpenBSD", 0xa9: "NetBSD", 0xbf: "Solaris",
    0xeb: "BFS", 0xef: "EFI system", 0xfd: "Linux RAID",
}
GUIDS = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
    "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
    "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
    "83bd6b9d-7f41-11dc-be0b-001560b84f0f": "FreeBSD boot",
    "516e7cb6-6ecf-11d6-8ff8-00022d09712b": "FreeBSD",
    "516e7cba-6ecf-11d6-8ff8-00022d09712b": "FreeBSD",
    "824cc7a0-36a8-11e3-890a-952519ad3f61": "OpenBSD",
    "49f48d5a-b10e-11dc-b99b-0019d1879648": "NetBSD",
    "42465331-3ba3-10f1-802a-4861696b7521": "BFS",
}

# What the code in a boot record has in it; the first that is found. Names in
# directories have no dot, and spaces between.
LOADERS = (
    (b"GRUB", "GRUB"), (b"LILO", "LILO"), (b"BOOTMGR", "BOOTMGR"),
    (b"NTLDR", "NTLDR"), (b"OS2LDR", "OS2LDR"), (b"OS2BOOT", "OS2BOOT"),
    (b"KERNEL  SYS", "KERNEL.SYS"), (b"WINBOOT SYS", "WINBOOT.SYS"),
    (b"IBMBIO  COM", "IBMBIO.COM"), (b"IO      SYS", "IO.SYS"),
    (b"FREELDR SYS", "FREELDR.SYS"), (b"ISOLINUX", "ISOLINUX"),
    (b"SYSLINUX", "SYSLINUX"), (b"EXTLINUX", "EXTLINUX"),
    (b"haiku_loader", "haiku_loader"),
)


def loader_of(code):
    return next((name for words, name in LOADERS if words in code), None)


class Partition(Part):
    def __init__(self, image, number, offset, size, kind, is_active=False):
        super().__init__(image, offset, size)
        self.number, self.kind, self.is_active = number, kind, is_active


def entries(sector):
    """(active, type, first sector, sectors) of the four."""
    for i in range(4):
        state, kind, first, count = unpack("<B3xB3xII", sector, 446 + 16 * i)
        yield state, kind, first, count


def is_table(sector):
    """A boot record's, and no file system's boot sector with text there."""
    found = list(entries(sector))
    return sector[510:512] == SIGNATURE and \
        all(state in (0, 0x80) for state, _, _, _ in found) and \
        any(kind and count for _, kind, _, count in found) and \
        all(first for _, kind, first, _ in found if kind)


def name_of(kind):
    return TYPES.get(kind, "type %02Xh" % kind)


def logical(image, base):
    """The partitions of a chain of extended tables, each of which is one."""
    at, seen = base, set()
    while at not in seen and len(seen) < LOGICAL_MAX:
        seen.add(at)
        sector = image.read(at * SECTOR, SECTOR)
        if len(sector) < SECTOR or sector[510:512] != SIGNATURE:
            return
        table = list(entries(sector))
        _, kind, first, count = table[0]
        if kind and count:
            yield Partition(image, 4 + len(seen), (at + first) * SECTOR,
                            count * SECTOR, name_of(kind))
        _, kind, first, count = table[1]
        if kind not in EXTENDED or not count:
            return
        at = base + first


def mbr(image, sector):
    for number, (state, kind, first, count) in enumerate(entries(sector), 1):
        if kind in EXTENDED:
            yield from logical(image, first)
        elif kind and count:
            yield Partition(image, number, first * SECTOR, count * SECTOR,
                            name_of(kind), state == 0x80)


def gpt(image):
    header = image.read(SECTOR, SECTOR)
    if not header.startswith(b"EFI PART"):
        raise Broken("its table says GPT, and there is none")
    first, count, size = unpack("<QII", header, 72)
    if not 128 <= size <= 4096:
        raise Broken("its GPT has entries of %d bytes" % size)
    table = image.read(first * SECTOR, min(count, GPT_MAX) * size)
    for number in range(min(count, GPT_MAX)):
        entry = table[number * size:(number + 1) * size]
        if len(entry) < size or not any(entry[:16]):
            continue
        begin, end = unpack("<QQ", entry, 32)
        kind = str(uuid.UUID(bytes_le=entry[:16]))
        yield Partition(image, number + 1, begin * SECTOR,
                        max(0, end + 1 - begin) * SECTOR,
                        GUIDS.get(kind, "type %s" % kind))


def find(image):
    """("MBR", "GPT" or None, the partitions); None: one file system at most."""
    sector = image.read(0, SECTOR)
    if len(sector) < SECTOR or not is_table(sector):
        return None, [Partition(image, 0, 0, image.size, "the whole disk",
                                True)]
    if any(kind == GPT_PROTECTIVE for _, kind, _, _ in entries(sector)):
        return "GPT", list(gpt(image))
    return "MBR", list(mbr(image, sector))
