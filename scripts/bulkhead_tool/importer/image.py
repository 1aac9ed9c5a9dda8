# SPDX-License-Identifier: BSD-2-Clause
"""A disk image as its guest sees it, whatever format it has.

Raw ones are read as they are, others by qemu-img in pieces, so that nothing
of the size of a disk is ever copied.
"""

import json
import os
import re

from .. import Problem, host, processes
from . import Broken

SECTOR = 512
PIECE = 1 << 20
PIECES_KEPT = 64
READS_MAX = 200000    # a damaged file system may be without end
FORMATS = ("raw", "qcow2", "vmdk", "vdi")    # what a disk's source may be
DESCRIPTOR_MAX = 128 << 10
SPARSE_MAGIC = b"KDMV"
ADAPTER = re.compile(rb'ddb\.adapterType\s*=\s*"([^"]*)"')


def qemu_img(*words):
    status, output, complaints = processes.run(("qemu-img",) + words)
    if status:
        raise Problem("qemu-img: %s" % complaints.strip())
    return output


def head(path, size=DESCRIPTOR_MAX):
    with open(path, "rb") as f:
        return f.read(size)


def format_of(path):
    """By what is inside: names lie."""
    start = head(path, 4096)
    for form, at, words in host.SIGNATURES:
        if start[at:].startswith(words):
            return form
    for form, words in (("VHDX", b"vhdxfile"), ("VHD", b"conectix"),
                        ("QED", b"QED\0"), ("parallels", b"WithoutFreeSpace"),
                        ("Bochs", b"Bochs Virtual HD Image")):
        if start.startswith(words):
            raise Problem("'%s' is a %s image, which no disk's source may be: "
                          "'qemu-img convert -O qcow2' makes one that can" %
                          (path, form))
    return "raw"


class Image:
    def __init__(self, path, work):
        self.path = host.readable(path, "disk")
        self.format = format_of(path)
        self._piece_file = os.path.join(work, "piece")
        self._pieces = {}
        self._reads = 0
        self.size = os.path.getsize(path)
        if self.format != "raw":
            info = json.loads(qemu_img("info", "-f", self.format,
                                       "--output=json", path))
            self.size = info["virtual-size"]
            self.backing = info.get("backing-filename")
        if not self.size:
            raise Problem("'%s' is empty" % path)

    backing = None

    def adapter(self):
        """The controller that a VMDK's descriptor names; None."""
        if self.format != "vmdk":
            return None
        found = ADAPTER.search(head(self.path))
        return found.group(1).decode(errors="replace").lower() if found \
            else None

    def read(self, offset, length):
        """So many bytes, fewer at the end."""
        if offset < 0 or length < 0:
            raise Broken("it points before its beginning")
        self._reads += 1
        if self._reads > READS_MAX:
            raise Broken("it has no end")
        length = max(0, min(length, self.size - offset))
        if not length:
            return b""
        if self.format == "raw":
            with open(self.path, "rb") as f:
                f.seek(offset)
                return f.read(length)
        data = bytearray()
        while len(data) < length:
            at = offset + len(data)
            piece = self._piece(at // PIECE)[at % PIECE:]
            if not piece:
                raise Broken("it ends early")
            data += piece[:length - len(data)]
        return bytes(data)

    def _piece(self, number):
        if number not in self._pieces:
            if len(self._pieces) >= PIECES_KEPT:
                self._pieces.clear()
            at = number * PIECE
            size = min(PIECE, (self.size - at) // SECTOR * SECTOR)
            if size <= 0:
                raise Broken("it ends early")
            source = {"driver": "raw", "offset": at, "size": size,
                      "file": {"driver": self.format, "file": {
                          "driver": "file", "filename": self.path}}}
            qemu_img("convert", "-O", "raw", "json:" + json.dumps(source),
                     self._piece_file)
            with open(self._piece_file, "rb") as f:
                self._pieces[number] = f.read(PIECE)
            os.unlink(self._piece_file)
        return self._pieces[number]


class Part:
    """A piece of an image: offsets count from its beginning."""

    def __init__(self, image, offset, size):
        self.image, self.offset, self.size = image, offset, size

    def read(self, offset, length):
        if offset < 0 or length < 0:
            raise Broken("it points before its beginning")
        return self.image.read(self.offset + offset,
                               max(0, min(length, self.size - offset)))
