# SPDX-License-Identifier: BSD-2-Clause
"""A folder as a disk with one FAT partition, and what was written there back.

The disk is a copy: a change to the folder while the guest runs is not seen, and what
the guest writes comes back when it has ended.
"""

import hashlib
import os
import shutil
import struct

from .. import Problem, processes

SECTOR = 512
START = 2048    # the partition's first sector
HEADS, SECTORS = 16, 63    # of what a BIOS is told
ROOM = 32 << 20    # bytes for what the guest writes
SMALLEST, FAT32_FROM = 64 << 20, 512 << 20
CLUSTER = 32 << 10    # a file takes whole ones, at most so large
FAT16, FAT32 = 0x0e, 0x0c    # types of partitions, LBA


def run(line):
    status, _, words = processes.run(line)
    if status:
        raise Problem("%s: %s" % (line[0], words.strip() or
                                  "status %d" % status))


def tree(folder):
    """{path from the folder: digest} of all files in it."""
    found = {}
    for place, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as f:
                digest = hashlib.file_digest(f, "sha256").digest()
            found[os.path.relpath(path, folder)] = digest
    return found


def bytes_of(folder):
    total = 0
    for place, folders, names in os.walk(folder, followlinks=True):
        total += CLUSTER * (len(folders) + len(names))
        total += sum(os.path.getsize(os.path.join(place, name))
                     for name in names)
    return total


def chs(sector):
    """A sector's address in a partition table."""
    cylinder, rest = divmod(sector, HEADS * SECTORS)
    head, number = divmod(rest, SECTORS)
    if cylinder > 1023:
        cylinder, head, number = 1023, HEADS - 1, SECTORS - 1
    return bytes([head, (number + 1) | (cylinder >> 8 << 6),
                  cylinder & 0xff])


def boot_record(kind, count):
    entry = b"\x80" + chs(START) + bytes([kind]) + chs(START + count - 1) + \
        struct.pack("<II", START, count)
    return bytes(440) + b"BLKH" + bytes(2) + entry + bytes(48) + b"\x55\xaa"


class Folder:
    """The disk at `image` of a folder; is_written: changes come back."""

    def __init__(self, folder, image, is_written):
        self.folder, self.image, self.is_written = folder, image, is_written
        self.before = tree(folder)
        self._make()

    @property
    def _partition(self):
        return "%s@@%d" % (self.image, START * SECTOR)

    def _make(self):
        size = max(bytes_of(self.folder) + ROOM, SMALLEST)
        unit = HEADS * SECTORS * SECTOR
        size = -(-size // unit) * unit
        count = size // SECTOR - START
        is_large = size >= FAT32_FROM
        with open(self.image, "wb") as f:
            f.truncate(size)
            f.write(boot_record(FAT32 if is_large else FAT16, count))
        run(["mformat", "-i", self._partition, "-T", str(count), "-h",
             str(HEADS), "-s", str(SECTORS), "-H", str(START), "-v",
             "BULKHEAD"] + ["-F"] * is_large + ["::"])
        names = sorted(os.listdir(self.folder))
        if names:
            run(["mcopy", "-s", "-m", "-Q", "-i", self._partition] +
                [os.path.join(self.folder, name) for name in names] + ["::"])

    def bring_back(self, work):
        """What the guest wrote, changed and deleted; how many files."""
        if not self.is_written:
            return 0
        place = os.path.join(work, "back")
        shutil.rmtree(place, ignore_errors=True)
        os.mkdir(place)
        run(["mcopy", "-s", "-m", "-n", "-Q", "-i", self._partition, "::*",
             place])
        return self._take(place)

    def _take(self, place):
        after = tree(place)
        changed = [name for name, digest in after.items()
                   if self.before.get(name) != digest]
        gone = [name for name in self.before if name not in after]
        for name in changed:
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy2(os.path.join(place, name), path)
        for name in gone:
            os.unlink(os.path.join(self.folder, name))
        self.before = after
        return len(changed) + len(gone)
