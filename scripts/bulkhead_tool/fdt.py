# SPDX-License-Identifier: BSD-2-Clause
"""Flattened device trees: compile the source, read the result.

Reads structure and strings only; memory reservations and phandles are not
used by manifests.  Reference: Devicetree Specification, "Flattened Devicetree
(DTB) Format".
"""

import os
import struct

from . import Problem, processes

MAGIC = 0xd00dfeed
BEGIN_NODE, END_NODE, PROPERTY, NOP, END = 1, 2, 3, 4, 9


class Node:
    """A node: its name, its properties as raw bytes, its children in order."""

    def __init__(self, name):
        self.name = name
        self.properties = {}
        self.children = []

    def child(self, name):
        return next((c for c in self.children if c.name == name), None)

    def strings(self, name):
        """A property's strings; [] when it is absent."""
        raw = self.properties.get(name, b"")
        return [os.fsdecode(s) for s in raw.split(b"\0") if s]

    def string(self, name, default=None):
        found = self.strings(name)
        return found[0] if found else default

    def number(self, name, default=0):
        raw = self.properties.get(name)
        if raw is None:
            return default
        if len(raw) != 4:
            raise Problem("%s: %s has to be one number in <>" %
                          (self.name, name))
        return struct.unpack(">I", raw)[0]


def compile_source(path):
    """Compile a .dts file with dtc; returns the tree's bytes."""
    status, blob, complaints = processes.run(
        ["dtc", "-q", "-I", "dts", "-O", "dtb", path])
    if status:
        raise Problem("%s does not compile:\n%s" %
                      (path, complaints.strip()))
    return blob


def parse(blob):
    """The root Node of a tree that dtc made."""
    magic, _, structure, strings = struct.unpack_from(">IIII", blob)
    if magic != MAGIC:
        raise Problem("not a device tree")
    stack, at, root = [], structure, None
    while True:
        token = struct.unpack_from(">I", blob, at)[0]
        at += 4
        if token == BEGIN_NODE:
            end = blob.index(b"\0", at)
            node = Node(blob[at:end].decode())
            at = (end + 4) & ~3
            if stack:
                stack[-1].children.append(node)
            else:
                root = node
            stack.append(node)
        elif token == PROPERTY:
            length, offset = struct.unpack_from(">II", blob, at)
            begin = strings + offset
            name = blob[begin:blob.index(b"\0", begin)].decode()
            stack[-1].properties[name] = blob[at + 8:at + 8 + length]
            at = (at + 8 + length + 3) & ~3
        elif token == END_NODE:
            stack.pop()
        elif token == END:
            return root
        elif token != NOP:
            raise Problem("unknown token %d in the device tree" % token)
