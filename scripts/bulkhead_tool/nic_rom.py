# SPDX-License-Identifier: BSD-2-Clause
"""Expansion ROMs of PCI cards: firmware runs one that names its card only.

References: PCI Firmware Specification 3.0, 5.1: PCI Expansion ROM Contents.
"""

import struct

from . import Problem

SIGNATURE = b"\x55\xaa"
BLOCK = 512
PCIR_AT = 0x18    # where a header says that its data structure is
CHECKSUM_AT = 6    # a byte that iPXE keeps free for it
CODE_PC = 0
LAST = 0x80


def images(data):
    """(offset, of its data structure, length, code type) of each."""
    at = 0
    while True:
        try:
            if data[at:at + 2] != SIGNATURE:
                raise Problem("it has no ROM's signature at 0x%x" % at)
            pcir = at + struct.unpack_from("<H", data, at + PCIR_AT)[0]
            blocks, = struct.unpack_from("<H", data, pcir + 0x10)
            code, indicator = struct.unpack_from("<BB", data, pcir + 0x14)
        except struct.error:
            raise Problem("it ends within a header at 0x%x" % at) from None
        end = at + blocks * BLOCK
        if data[pcir:pcir + 4] != b"PCIR" or not blocks or end > len(data):
            raise Problem("its image at 0x%x is damaged" % at)
        yield at, pcir, end - at, code
        at = end
        if indicator & LAST:
            return


def named(data, vendor, device):
    """The ROM with the card's IDs, and a BIOS's images with their sums right."""
    rom = bytearray(data)
    for at, pcir, length, code in images(data):
        struct.pack_into("<HH", rom, pcir + 4, vendor, device)
        if code == CODE_PC:
            rom[at + CHECKSUM_AT] = 0
            rom[at + CHECKSUM_AT] = -sum(rom[at:at + length]) & 0xff
    return bytes(rom)
