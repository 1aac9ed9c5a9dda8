# SPDX-License-Identifier: BSD-2-Clause
"""FAT12, FAT16 and FAT32: the root directory, and files that are in it.

Reference: Microsoft, "FAT: General Overview of On-Disk Format", 1.03.
"""

from . import Broken, unpack

DIRECTORY, VOLUME, LONG = 0x10, 0x08, 0x0f
ENTRY = 32
ROOT_MAX = 1 << 20    # bytes of a FAT32's root that are looked at
FILE_MAX = 1 << 20


class Fat:
    def __init__(self, part):
        self.part = part
        boot = part.read(0, 512)
        (self.sector, self.cluster, reserved, fats, entries, small, _,
         fat16) = unpack("<HBHBHHBH", boot, 11)
        large, fat32 = unpack("<II", boot, 32)
        sectors, fat_size = small or large, fat16 or fat32
        if self.sector not in (512, 1024, 2048, 4096) or \
                self.cluster not in (1, 2, 4, 8, 16, 32, 64, 128) or \
                not 1 <= fats <= 4 or not reserved or not fat_size or \
                not sectors:
            raise Broken("no FAT file system")
        self.fat_at = reserved * self.sector
        self.root_at = self.fat_at + fats * fat_size * self.sector
        self.root_size = entries * ENTRY
        self.data_at = self.root_at + self.root_size
        clusters = (sectors - self.data_at // self.sector) // self.cluster
        self.bits = 12 if clusters < 4085 else 16 if clusters < 65525 else 32
        self.root_cluster = unpack("<I", boot, 44)[0] if self.bits == 32 else 0
        self.oem = boot[3:11].decode("ascii", "replace").strip()
        self.files = {}
        self.label = None
        self._read_root()

    def _next(self, cluster):
        if self.bits == 12:
            word = unpack("<H", self.part.read(self.fat_at + cluster * 3 // 2,
                                               2))[0]
            return word >> 4 if cluster & 1 else word & 0xfff
        size = self.bits // 8
        raw = self.part.read(self.fat_at + cluster * size, size)
        return unpack("<H" if size == 2 else "<I", raw)[0] & 0x0fffffff

    def _chain(self, cluster, most):
        data, size = b"", self.cluster * self.sector
        end = {12: 0xff8, 16: 0xfff8, 32: 0x0ffffff8}[self.bits]
        while 2 <= cluster < end and len(data) < most:
            data += self.part.read(self.data_at + (cluster - 2) * size, size)
            cluster = self._next(cluster)
        return data

    def _read_root(self):
        data = self._chain(self.root_cluster, ROOT_MAX) if self.bits == 32 \
            else self.part.read(self.root_at, self.root_size)
        for at in range(0, len(data) - ENTRY + 1, ENTRY):
            entry = data[at:at + ENTRY]
            if not entry[0]:
                break
            if entry[0] == 0xe5 or entry[11] & LONG == LONG:
                continue
            stem = entry[:8].decode("cp437").rstrip()
            rest = entry[8:11].decode("cp437").rstrip()
            if entry[11] & VOLUME:
                self.label = entry[:11].decode("cp437").rstrip()
                continue
            cluster = unpack("<H", entry, 26)[0]
            if self.bits == 32:
                cluster |= unpack("<H", entry, 20)[0] << 16
            size = unpack("<I", entry, 28)[0]
            name = stem + ("." + rest if rest else "")
            self.files[name.upper()] = (cluster, size,
                                        bool(entry[11] & DIRECTORY))

    def names(self):
        """Of the root directory, in capitals."""
        return set(self.files)

    def read(self, name):
        """What a file of the root directory holds; None: there is none."""
        cluster, size, is_folder = self.files.get(name.upper(), (0, 0, True))
        if is_folder:
            return None
        size = min(size, FILE_MAX)
        return self._chain(cluster, size)[:size]
