# SPDX-License-Identifier: BSD-2-Clause
"""Tests that have a folder of their own, which goes with them."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../scripts"))

from bulkhead_tool import Problem, host    # noqa: E402


class FolderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        """The path of a file of these bytes, below 256."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="latin-1") as f:
            f.write(text)
        return path


class ManifestTest(FolderTest):
    """self.host() of the class that follows makes a host in self.work."""

    def setUp(self):
        super().setUp()
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.work)

    def refused(self, *words, **change):
        with self.assertRaises(Problem) as caught:
            self.host(**change)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def guest(self, text):
        """A host with one guest of these properties and nodes."""
        source = self.write("host.dts", '/dts-v1/; / { compatible = "bulkhead,'
                            'host-v1"; guests { one { board = "pc"; %s }; }; '
                            '};' % text)
        return host.Host(source, self.work)

    def guest_refused(self, text, *words):
        with self.assertRaises(Problem) as caught:
            self.guest(text)
        for word in words:
            self.assertIn(word, str(caught.exception))
