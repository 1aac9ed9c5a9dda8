#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Folders that are CDs and disks: a manifest's folder0."""

import hashlib
import os
import subprocess
import time
import unittest

import folder
from bulkhead_tool import Problem, folders, host

MANIFEST = """/dts-v1/;
/ {
	compatible = "bulkhead,host-v1";
	guests {
		web {
			board = "pc";
			memory-mib = <64>;
			folder0 { path = "%s"; as = "%s"; %s };
		};
	};
};
"""


class FolderDiskTest(folder.ManifestTest):
    def setUp(self):
        super().setUp()
        self.top = os.path.join(self.folder, "stuff")
        os.mkdir(self.top)
        self.add("readme.txt", "hello\n")
        self.add("sub/deep/A Long Name of a File.dat", "x" * 70000)
        os.mkdir(os.path.join(self.top, "empty"))

    def add(self, name, text):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.utime(path, (1000000000, 1000000000))

    def host(self, path="stuff", kind="iso", more=""):
        return host.Host(self.write("m.dts", MANIFEST % (path, kind, more)),
                         self.work)

    def image(self, **words):
        return next(m for m in self.host(**words).modules
                    if m.name.startswith("web-folder0"))

    def digest(self, **words):
        with open(self.image(**words).path, "rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()

    @staticmethod
    def output(*words):
        return subprocess.run(words, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout.decode()

    def test_iso(self):
        path = self.image().path
        self.assertEqual(os.path.getsize(path) % 2048, 0)
        names = self.output("xorriso", "-indev", path, "-find", "/")
        self.assertIn("'/sub/deep/A Long Name of a File.dat'", names)
        self.assertIn("'/empty'", names)
        out = os.path.join(self.folder, "out")
        self.output("xorriso", "-osirrox", "on", "-indev", path, "-extract",
                    "/sub/deep/A Long Name of a File.dat", out)
        with open(out) as f:
            self.assertEqual(f.read(), "x" * 70000)
        with open(path, "rb") as f:
            f.seek(32768 + 40)
            self.assertEqual(f.read(7), b"FOLDER0")

    def test_fat(self):
        part = self.image(kind="fat").path + "@@%d" % (2048 * 512)
        names = self.output("mdir", "-b", "-s", "-i", part, "::")
        self.assertIn("::/readme.txt", names)
        self.assertIn("::/sub/deep/A Long Name of a File.dat", names)
        self.assertIn("::/empty", names)
        text = self.output("mtype", "-i", part,
                           "::/sub/deep/A Long Name of a File.dat")
        self.assertEqual(text, "x" * 70000)

    def test_same_again(self):
        """Later, and after the files were read; other contents, another one."""
        for kind in ("iso", "fat"):
            first = self.digest(kind=kind)
            time.sleep(2.1)    # what FAT's clock counts
            with open(os.path.join(self.top, "readme.txt")) as f:
                f.read()
            self.assertEqual(self.digest(kind=kind), first, kind)
            self.add("readme.txt", "hallo\n")
            self.assertNotEqual(self.digest(kind=kind), first, kind)
            self.add("readme.txt", "hello\n")
            self.assertEqual(self.digest(kind=kind), first, kind)

    def test_memory(self):
        """A disk that is written is there twice."""
        plain = self.host(kind="fat", more="read-only;").memory_mib()
        self.assertGreaterEqual(self.host(kind="fat").memory_mib(), plain + 16)

    def test_links(self):
        os.symlink("readme.txt", os.path.join(self.top, "link.txt"))
        self.assertIn("'/link.txt'", self.output(
            "xorriso", "-indev", self.image().path, "-find", "/", "-type",
            "f"))
        os.symlink("..", os.path.join(self.top, "sub/up"))
        self.refused("is a link to a folder that it is in")

    def test_refused(self):
        self.refused("/guests/web/folder0: path: there is no folder",
                     path="none")
        self.refused("is no folder", path="stuff/readme.txt")
        os.symlink("gone", os.path.join(self.top, "broken"))
        self.refused("'%s/broken' cannot be read: No such file" % self.top)
        os.unlink(os.path.join(self.top, "broken"))
        os.mkfifo(os.path.join(self.top, "pipe"))
        self.refused("is neither a file nor a folder")

    def test_names(self):
        for name, why in (("what?", "has one of"), ("con.txt", "is that of a DOS device"),
                          ("dot.", "ends with a dot"),
                          ("README.TXT", "is the same as 'README.TXT' there")):
            self.add(name, "")
            self.refused("cannot be on a FAT disk: its name " + why,
                         kind="fat")
            os.unlink(os.path.join(self.top, name))
        self.add("x" * 65, "")
        self.refused("cannot be on a CD: its name has more than the 64")
        self.digest(kind="fat")

    def test_too_large(self):
        with open(os.path.join(self.top, "large"), "wb") as f:
            f.truncate(folders.BYTES_MAX + 1)
        self.refused("at most 1024 MiB can be a guest's disk in memory")

    def test_manifests_words(self):
        with self.assertRaisesRegex(Problem, "folder0: as: is \"ext4\""):
            self.host(kind="ext4")


if __name__ == "__main__":
    unittest.main(verbosity=2)
