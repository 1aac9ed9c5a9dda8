# SPDX-License-Identifier: BSD-2-Clause
"""ext2, ext3 and ext4: files and directories by their paths.

Reference: Linux, Documentation/filesystems/ext4.
"""

from . import Broken, unpack

MAGIC = 0xef53
ROOT = 2
JOURNAL, EXTENTS_FEATURE, BITS64, INLINE = 0x4, 0x40, 0x80, 0x8000
EXTENTS, INLINE_DATA = 0x80000, 0x10000000
EXTENT_MAGIC = 0xf30a
TYPE, FOLDER, FILE, LINK = 0xf000, 0x4000, 0x8000, 0xa000
FOLDER_MAX, FILE_MAX = 1 << 20, 1 << 20
DEPTH_MAX, LINKS_MAX = 5, 8


class Ext:
    def __init__(self, part):
        self.part = part
        head = part.read(1024, 1024)
        if unpack("<H", head, 56)[0] != MAGIC:
            raise Broken("no ext file system")
        log, = unpack("<I", head, 24)
        if log > 6:
            raise Broken("an ext file system with blocks of 2^%d bytes" %
                         (10 + log))
        self.block = 1024 << log
        first, = unpack("<I", head, 20)
        self.per_group, = unpack("<I", head, 40)
        revision, = unpack("<I", head, 76)
        self.inode_size = unpack("<H", head, 88)[0] if revision else 128
        compatible, incompatible = unpack("<II", head, 92)
        self.group_size = 32
        if incompatible & BITS64:
            self.group_size = max(32, unpack("<H", head, 254)[0])
        if not self.per_group or not 128 <= self.inode_size <= 1 << 16:
            raise Broken("an ext file system of sizes that cannot be")
        self.groups_at = (first + 1) * self.block
        self.kind = "ext4" if incompatible & EXTENTS_FEATURE else \
            "ext3" if compatible & JOURNAL else "ext2"
        self.label = head[120:136].split(b"\0")[0].decode(errors="replace") \
            or None

    def _inode(self, number):
        if not number:
            raise Broken("an ext inode 0")
        group, index = divmod(number - 1, self.per_group)
        group = self.part.read(self.groups_at + group * self.group_size,
                               self.group_size)
        table = unpack("<I", group, 8)[0]
        if self.group_size >= 64:
            table |= unpack("<I", group, 40)[0] << 32
        inode = self.part.read(table * self.block + index * self.inode_size,
                               self.inode_size)
        unpack("<128x", inode)
        return inode

    def _extents(self, node, depth=0):
        """(first logical block, blocks, first physical one)."""
        magic, count, _, height = unpack("<HHHH", node)
        if magic != EXTENT_MAGIC or depth > DEPTH_MAX:
            raise Broken("an ext extent without its signature")
        for i in range(count):
            at = 12 + 12 * i
            if height:
                low, high = unpack("<4xIH", node, at)
                block = self.part.read((high << 32 | low) * self.block,
                                       self.block)
                yield from self._extents(block, depth + 1)
            else:
                logical, length, high, low = unpack("<IHHI", node, at)
                # Longer ones are not written yet.
                if length <= 32768:
                    yield logical, length, high << 32 | low

    def _blocks(self, number, depth):
        """Those that a block of numbers names, in their order."""
        if not number:
            return
        data = self.part.read(number * self.block, self.block)
        for one in unpack("<%dI" % (self.block // 4), data):
            if depth:
                yield from self._blocks(one, depth - 1)
            elif one:
                yield one

    def _contents(self, inode, most):
        size = min(unpack("<I", inode, 4)[0], most)
        flags, = unpack("<I", inode, 32)
        if flags & INLINE_DATA:
            return inode[40:100][:size]
        if flags & EXTENTS:
            data = bytearray(size)
            for logical, count, block in self._extents(inode[40:100]):
                at = logical * self.block
                if at < size:
                    piece = self.part.read(block * self.block,
                                           min(count * self.block, size - at))
                    data[at:at + len(piece)] = piece
            return bytes(data)
        numbers = unpack("<15I", inode, 40)
        data = b"".join(self.part.read(n * self.block, self.block)
                        for n in numbers[:12] if n)
        for depth, number in enumerate(numbers[12:]):
            for one in self._blocks(number, depth):
                if len(data) >= size:
                    break
                data += self.part.read(one * self.block, self.block)
        return data[:size]

    def _folder(self, inode):
        data, at, found = self._contents(inode, FOLDER_MAX), 0, {}
        while at + 8 <= len(data):
            number, length, name = unpack("<IHB", data, at)
            if length < 8:
                break
            if number:
                found[data[at + 8:at + 8 + name].decode(errors="replace")] = \
                    number
            at += length
        return found

    def _find(self, path, links=0):
        number, inode = ROOT, self._inode(ROOT)
        parts = [part for part in path.split("/") if part]
        for i, name in enumerate(parts):
            if unpack("<H", inode)[0] & TYPE != FOLDER:
                return None
            number = self._folder(inode).get(name)
            if number is None:
                return None
            inode = self._inode(number)
            if unpack("<H", inode)[0] & TYPE == LINK:
                if links >= LINKS_MAX:
                    return None
                size = unpack("<I", inode, 4)[0]
                to = (inode[40:100][:size] if size < 60 else
                      self._contents(inode, 4096)).decode(errors="replace")
                base = "" if to.startswith("/") else "/".join(parts[:i])
                flat = []
                for part in (base + "/" + to).split("/"):
                    if part == "..":
                        flat = flat[:-1]
                    elif part not in ("", "."):
                        flat.append(part)
                return self._find("/".join(flat + parts[i + 1:]), links + 1)
        return inode

    def names(self, path=""):
        """Of a directory; none if it is not one."""
        inode = self._find(path)
        if inode is None or unpack("<H", inode)[0] & TYPE != FOLDER:
            return set()
        return set(self._folder(inode)) - {".", ".."}

    def read(self, path):
        """What a file holds; None: there is none."""
        inode = self._find(path)
        if inode is None or unpack("<H", inode)[0] & TYPE != FILE:
            return None
        return self._contents(inode, FILE_MAX)
