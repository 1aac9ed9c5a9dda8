# SPDX-License-Identifier: BSD-2-Clause
"""Files of captured frames: pcapng (draft-ietf-opsawg-pcapng), one Ethernet."""

import struct

SECTION, INTERFACE, PACKET = 0x0a0d0d0a, 1, 6    # blocks
BYTE_ORDER = 0x1a2b3c4d
LINK_ETHERNET = 1
# Options: of all blocks, of an interface, of a packet.
END = 0
IF_NAME, IF_TSRESOL = 2, 9
EPB_DROPCOUNT = 4
NANOSECONDS = 9    # IF_TSRESOL: negative powers of ten
USERAPPL = 4    # of the section: which program wrote it


def padded(data):
    return data + bytes(-len(data) % 4)


def option(code, data):
    return struct.pack("<HH", code, len(data)) + padded(data)


def block(kind, body):
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


class Writer:
    """Each frame is in the file when frame() returns."""

    def __init__(self, file, name):
        self.file = file
        end = option(END, b"")
        self._write(block(SECTION, struct.pack("<IHHq", BYTE_ORDER, 1, 0, -1) +
                          option(USERAPPL, b"bulkhead") + end))
        self._write(block(INTERFACE, struct.pack("<HHI", LINK_ETHERNET, 0, 0) +
                          option(IF_NAME, name.encode()) +
                          option(IF_TSRESOL, bytes([NANOSECONDS])) + end))

    def _write(self, data):
        self.file.write(data)
        self.file.flush()

    def frame(self, time_ns, data, lost=0):
        """lost: frames that are missing between the one before and this one."""
        more = option(EPB_DROPCOUNT, struct.pack("<Q", lost)) + \
            option(END, b"") if lost else b""
        self._write(block(PACKET, struct.pack(
            "<IIIII", 0, time_ns >> 32, time_ns & 0xffffffff, len(data),
            len(data)) + padded(data) + more))
