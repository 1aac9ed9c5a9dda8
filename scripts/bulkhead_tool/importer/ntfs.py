# SPDX-License-Identifier: BSD-2-Clause
"""NTFS: its version, directories, and files by their paths.

Attributes that lie in other records than their file's first (lists of
attributes) are not followed: what has them looks empty.

Reference: the documentation of the Linux-NTFS project.
"""

from . import Broken, unpack

MFT, VOLUME, ROOT = 0, 3, 5
NAME, VOLUME_NAME, VOLUME_INFORMATION = 0x30, 0x60, 0x70
DATA, INDEX_ROOT, INDEX_ALLOCATION, LAST = 0x80, 0x90, 0xa0, 0xffffffff
INDEX_MAX = 4 << 20    # bytes of a directory that are looked at
RECORD_MASK = (1 << 48) - 1
RUNS_MAX = 4096
DOS_NAME = 2


def fixed(record, signature):
    """A record whose sectors' ends are as they were before it was written."""
    record = bytearray(record)
    if record[:4] != signature:
        raise Broken("an NTFS record without its signature")
    at, count = unpack("<HH", record, 4)
    if at + 2 * count > len(record) or (count - 1) * 512 > len(record):
        raise Broken("an NTFS record with a wrong update sequence")
    for i in range(1, count):
        record[i * 512 - 2:i * 512] = record[at + 2 * i:at + 2 * i + 2]
    return bytes(record)


def runs_of(data):
    """(clusters, first cluster or None) of a mapping's pairs."""
    at, lcn, found = 0, 0, []
    while at < len(data) and data[at] and len(found) < RUNS_MAX:
        lengths, offsets = data[at] & 15, data[at] >> 4
        at += 1
        count = int.from_bytes(data[at:at + lengths], "little")
        at += lengths
        move = int.from_bytes(data[at:at + offsets], "little", signed=True)
        at += offsets
        lcn += move
        if lcn < 0:
            raise Broken("an NTFS run before the volume")
        found.append((count, lcn if offsets else None))
    return found


class Ntfs:
    def __init__(self, part):
        self.part = part
        boot = part.read(0, 512)
        if boot[3:11] != b"NTFS    ":
            raise Broken("no NTFS file system")
        sector, per_cluster = unpack("<HB", boot, 11)
        mft, = unpack("<Q", boot, 48)
        record, = unpack("<b", boot, 64)
        if per_cluster > 128:    # a power of two, negative
            per_cluster = 1 << (256 - per_cluster)
        self.cluster = sector * per_cluster
        self.record = record * self.cluster if record > 0 else 1 << -record
        if sector not in (512, 1024, 2048, 4096) or \
                not 512 <= self.record <= 1 << 16 or \
                not 512 <= self.cluster <= 1 << 21:
            raise Broken("an NTFS of sizes that cannot be")
        self.mft_runs = [(1 << 20, mft)]
        self.mft_runs = self._runs(self._attribute(MFT, DATA))
        self.version = self._version()
        self.label = self._label()

    def _at(self, runs, offset, length):
        """Bytes of what lies in these runs."""
        data = bytearray()
        for count, lcn in runs:
            size = count * self.cluster
            if offset < size and len(data) < length:
                part = min(size - offset, length - len(data))
                data += bytes(part) if lcn is None else \
                    self.part.read(lcn * self.cluster + offset, part)
                offset = 0
            else:
                offset -= size if offset >= size else 0
        return bytes(data)

    def _attributes(self, number):
        """(type, name's length, the attribute's bytes) of a file."""
        record = fixed(self._at(self.mft_runs, number * self.record,
                                self.record), b"FILE")
        at, = unpack("<H", record, 20)
        while True:
            kind, = unpack("<I", record, at)
            if kind == LAST:
                return
            length, = unpack("<I", record, at + 4)
            if length < 16 or at + length > len(record):
                raise Broken("an NTFS attribute beyond its record")
            yield kind, record[at + 9], record[at:at + length]
            at += length

    def _attribute(self, number, kind, is_named=False):
        return next((data for found, name, data in self._attributes(number)
                     if found == kind and bool(name) == is_named), None)

    @staticmethod
    def _resident(attribute):
        if attribute is None or attribute[8]:
            return b""
        length, at = unpack("<IH", attribute, 16)
        return attribute[at:at + length]

    @staticmethod
    def _runs(attribute):
        if attribute is None or not attribute[8]:
            return []
        return runs_of(attribute[unpack("<H", attribute, 32)[0]:])

    def _contents(self, attribute, most):
        if attribute is None or not attribute[8]:
            return self._resident(attribute)[:most]
        size, = unpack("<Q", attribute, 48)
        return self._at(self._runs(attribute), 0, min(size, most))

    def _version(self):
        data = self._resident(self._attribute(VOLUME, VOLUME_INFORMATION))
        return "%d.%d" % unpack("<BB", data, 8)

    def _label(self):
        data = self._resident(self._attribute(VOLUME, VOLUME_NAME))
        return data.decode("utf-16-le", "replace") or None

    @staticmethod
    def _entries(data, at, end):
        """(name in capitals, record's number) of an index's entries."""
        while at + 16 <= min(end, len(data)):
            number, length, stream, flags = unpack("<QHHI", data, at)
            if flags & 2 or length < 16 or at + length > len(data):
                return
            if 0x42 <= stream <= length - 16 and \
                    data[at + 16 + 0x41] != DOS_NAME:
                count = data[at + 16 + 0x40]
                name = data[at + 16 + 0x42:at + 16 + 0x42 + 2 * count]
                yield (name.decode("utf-16-le", "replace").upper(),
                       number & RECORD_MASK)
            at += length

    def folder(self, number=ROOT):
        """{name in capitals: record's number} of a directory."""
        found = {}
        root = self._resident(self._attribute(number, INDEX_ROOT, True))
        if not root:
            return found
        size, = unpack("<I", root, 8)
        first, total = unpack("<II", root, 16)
        found.update(self._entries(root, 16 + first, 16 + total))
        more = self._attribute(number, INDEX_ALLOCATION, True)
        if more is None or not 512 <= size <= 1 << 16:
            return found
        data = self._contents(more, INDEX_MAX)
        for at in range(0, len(data) - size + 1, size):
            if data[at:at + 4] != b"INDX":    # not used, or not any more
                continue
            block = fixed(data[at:at + size], b"INDX")
            first, total = unpack("<II", block, 24)
            found.update(self._entries(block, 24 + first, 24 + total))
        return found

    def names(self):
        """Of the root directory, in capitals."""
        return set(self.folder())

    def read(self, path, most=1 << 20):
        """What a file holds; None: there is none. Folders have / between."""
        number = ROOT
        for name in path.upper().split("/"):
            number = self.folder(number).get(name)
            if number is None:
                return None
        return self._contents(self._attribute(number, DATA), most)
