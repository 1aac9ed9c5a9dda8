# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead import`: a manifest for a disk that somebody has.

	image.py	a disk image of any format, read by offset
	partitions.py	MBR and GPT, and what boot code says of itself
	fat.py ntfs.py	file systems, read as far as a guess needs it
	ext.py
	hive.py		a value of a Windows registry hive
	guess.py	which system it is, and why
	commands.py	the command, and the manifest that it writes

All of it is read only, and everything in an image may be wrong: whatever
does not make sense raises Broken, or is not there.
"""

import struct


class Broken(Exception):
    """An image that says something of itself that cannot be."""


def unpack(form, data, at=0):
    """struct's, of data that may end early."""
    if at < 0 or at + struct.calcsize(form) > len(data):
        raise Broken("it ends early")
    return struct.unpack_from(form, data, at)
