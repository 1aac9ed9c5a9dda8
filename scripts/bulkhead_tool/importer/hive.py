# SPDX-License-Identifier: BSD-2-Clause
"""A text value of a Windows registry hive, by its name alone.

Keys are not followed: the first value of that name that makes sense is it.
That is enough for names that only one key has.
"""

from . import Broken, unpack

BINS_AT = 4096
TEXT = 1    # REG_SZ
IN_PLACE = 0x80000000
LENGTH_MAX = 512


def text(data, name):
    """None: it is not there, or this is no hive."""
    wanted, at = name.encode("ascii"), 0
    if data[:4] != b"regf":
        return None
    while True:
        at = data.find(wanted, at)
        if at < 0:
            return None
        cell, at = at - 20, at + 1
        try:
            if data[cell:cell + 2] != b"vk" or cell < BINS_AT:
                continue
            length, size, where, kind = unpack("<HIII", data, cell + 2)
        except Broken:
            continue
        if length != len(wanted) or kind != TEXT or size & IN_PLACE or \
                not 2 <= size <= LENGTH_MAX:
            continue
        begin = BINS_AT + where + 4
        found = data[begin:begin + size].decode("utf-16-le", "replace")
        if found.rstrip("\0"):
            return found.split("\0")[0]
