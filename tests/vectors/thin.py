#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make the sample: every STEPth case of each file of a vector set.

usage: thin.py SOURCE-SET TARGET-SET STEP
"""
import gzip
import os
import struct
import sys

HEADER = 32
COUNT_AT = 8


def thin(data, step):
    records = []
    at = HEADER
    while at < len(data):
        length = struct.unpack_from("<H", data, at)[0]
        records.append(data[at:at + length])
        at += length
    kept = records[::step]
    head = bytearray(data[:HEADER])
    struct.pack_into("<I", head, COUNT_AT, len(kept))
    return bytes(head) + b"".join(kept)


def main():
    source, target, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.makedirs(target, exist_ok=True)
    for name in sorted(os.listdir(source)):
        if not name.endswith(".xst.gz"):
            continue
        data = gzip.open(os.path.join(source, name)).read()
        with open(os.path.join(target, name), "wb") as out:
            out.write(gzip.compress(thin(data, step), 9, mtime=0))


if __name__ == "__main__":
    main()
