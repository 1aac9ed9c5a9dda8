# SPDX-License-Identifier: BSD-2-Clause
"""Folders as CDs and disks: a manifest's folder0 to folder9.

The image is made anew whenever a manifest is read, from what is in the folder
then, and travels as a boot module. From the same folder comes the same image:
names are sorted, and what a file system has of its own is no time of now.
"""

import os
import re
import shutil
import stat

from . import Problem, processes
from .dropin import fat

NAME = re.compile(r"folder[0-9]$")
MIB = 1 << 20
BYTES_MAX = 1 << 30    # it is all in memory
FILES_MAX = 65536
ROOM, SMALLEST = 4 * MIB, 16 * MIB    # of a FAT disk, for what is written
FAT_BAD = set('"*/:<>?\\|')
FAT_NAME_MAX, JOLIET_NAME_MAX = 255, 64
RESERVED = {"CON", "PRN", "AUX", "NUL"} | \
    {port + digit for port in ("COM", "LPT") for digit in "123456789"}


def is_folder(node):
    return bool(NAME.match(node.name))


def is_written(node):
    return is_folder(node) and node.string("as") == "fat" and \
        "read-only" not in node.properties


def module_name(guest, node):
    """As init/manifest_folder.c calls it."""
    return "%s-%s.%s" % (guest.name, node.name, node.string("as"))


class Tree:
    """All that is in a folder: links are what they point at."""

    def __init__(self, what, top):
        self.what, self.top = what, top
        self.folders, self.files = [], []    # by their paths, sorted
        self.bytes, self.newest = 0, 0
        self._walk("", {os.path.realpath(top)})
        if self.bytes > BYTES_MAX:
            raise Problem("%s: '%s' has %d MiB, and at most %d MiB can be a "
                          "guest's disk in memory: make an image of it, and "
                          "name it as a source" %
                          (what, top, self.bytes // MIB, BYTES_MAX // MIB))

    def _walk(self, place, above):
        path = os.path.join(self.top, place)
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise Problem("%s: '%s' cannot be read: %s" %
                          (self.what, path, error.strerror)) from None
        for name in names:
            self._take(os.path.join(place, name), above)

    def _take(self, place, above):
        path = os.path.join(self.top, place)
        try:
            found = os.stat(path)
        except OSError as error:
            raise Problem("%s: '%s' cannot be read: %s" %
                          (self.what, path, error.strerror)) from None
        if stat.S_ISDIR(found.st_mode):
            real = os.path.realpath(path)
            if real in above:
                raise Problem("%s: '%s' is a link to a folder that it is in" %
                              (self.what, path))
            self.folders.append(place)
            self._walk(place, above | {real})
            return
        if not stat.S_ISREG(found.st_mode):
            raise Problem("%s: '%s' is neither a file nor a folder" %
                          (self.what, path))
        if not os.access(path, os.R_OK):
            raise Problem("%s: '%s' may not be read: look at its permissions" %
                          (self.what, path))
        self.files.append(place)
        self.bytes += found.st_size
        self.newest = max(self.newest, int(found.st_mtime))
        if len(self.files) > FILES_MAX:
            raise Problem("%s: '%s' has more than %d files" %
                          (self.what, self.top, FILES_MAX))

    def check_names(self, kind, why):
        """why: of a name, what is wrong with it, or None."""
        seen = {}
        for place in self.folders + self.files:
            name = os.path.basename(place)
            try:
                name.encode("utf-8")
                wrong = why(name)
            except UnicodeEncodeError:
                wrong = "is not UTF-8"
            other = seen.setdefault(place.upper(), place)
            if other != place:
                wrong = "is the same as '%s' there" % other
            if wrong:
                raise Problem("%s: '%s' cannot be on a %s: its name %s" %
                              (self.what, os.path.join(self.top, place), kind,
                               wrong))


def wrong_for_fat(name):
    if any(c in FAT_BAD or c < " " for c in name):
        return 'has one of " * / : < > ? \\ | or a control character'
    if name[-1] in ". ":
        return "ends with a dot or a space"
    if name.split(".")[0].upper() in RESERVED:
        return "is that of a DOS device"
    if len(name) > FAT_NAME_MAX:
        return "has more than %d characters" % FAT_NAME_MAX
    return None


def wrong_for_iso(name):
    if any(c in "*/:;?\\" or c < " " for c in name):
        return "has one of * / : ; ? \\ or a control character"
    if len(name) > JOLIET_NAME_MAX:
        return "has more than the %d characters of Joliet" % JOLIET_NAME_MAX
    return None


def at_time(tree, line):
    """A helper, run as if it were when the newest file was written."""
    if not shutil.which(line[0]):
        raise Problem("%s: %s is missing: install %s" % (
            tree.what, line[0], processes.PACKAGES.get(line[0], line[0])))
    status, _, words = processes.run(
        ["env", "SOURCE_DATE_EPOCH=%d" % tree.newest, "TZ=UTC"] + line)
    if status:
        raise Problem("%s: %s: %s" % (tree.what, line[0], words.strip() or
                                      "status %d" % status))


def label_of(node):
    return node.name.upper()


def make_iso(tree, image, label):
    """With Joliet for Windows, Rock Ridge for others."""
    tree.check_names("CD", wrong_for_iso)
    at_time(tree, ["xorriso", "-as", "mkisofs", "-quiet", "-f", "-J", "-R",
                   "-iso-level", "3", "-V", label, "-o", image, tree.top])
    if not os.path.exists(image):
        raise Problem("%s: there is nothing in '%s', and no CD of nothing" %
                      (tree.what, tree.top))


def make_fat(tree, image, label):
    """One partition, FAT16 or FAT32 by its size."""
    tree.check_names("FAT disk", wrong_for_fat)
    unit = fat.HEADS * fat.SECTORS * fat.SECTOR
    need = tree.bytes + fat.CLUSTER * (len(tree.files) + len(tree.folders))
    size = -(-max(need + ROOM, SMALLEST) // unit) * unit
    count = size // fat.SECTOR - fat.START
    is_large = size >= fat.FAT32_FROM
    with open(image, "wb") as f:
        f.truncate(size)
        f.write(fat.boot_record(fat.FAT32 if is_large else fat.FAT16, count))
    part = "%s@@%d" % (image, fat.START * fat.SECTOR)
    at_time(tree, ["mformat", "-i", part, "-T", str(count), "-h",
                   str(fat.HEADS), "-s", str(fat.SECTORS), "-H",
                   str(fat.START), "-N", "42554c4b", "-v", label] +
            ["-F"] * is_large + ["::"])
    for place in tree.folders:
        at_time(tree, ["mmd", "-i", part, "::" + place])
    for place in [""] + tree.folders:
        names = [os.path.join(tree.top, name) for name in tree.files
                 if os.path.dirname(name) == place]
        for at in range(0, len(names), 256):
            at_time(tree, ["mcopy", "-m", "-Q", "-i", part] +
                    names[at:at + 256] + ["::" + place])


def make(guest, node, folder, work):
    """The module's name and its file, made from what there is now."""
    what = "/guests/%s/%s: path" % (guest.name, node.name)
    top = os.path.join(folder, node.string("path"))
    if not os.path.isdir(top):
        raise Problem("%s: there is no folder '%s'" % (what, top)
                      if not os.path.exists(top) else
                      "%s: '%s' is no folder" % (what, top))
    name = module_name(guest, node)
    image = os.path.join(work, name)
    if os.path.exists(image):
        os.unlink(image)
    tree = Tree(what, top)
    maker = make_iso if node.string("as") == "iso" else make_fat
    maker(tree, image, label_of(node))
    return name, image
