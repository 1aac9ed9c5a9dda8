# SPDX-License-Identifier: BSD-2-Clause
"""scripts/systems-table, and whether docs/systems.md has a row for each case."""

import json
import os
import subprocess
import unittest

from PIL import Image

from folder import FolderTest
from bulkhead_tool import host
from bulkhead_tool.test import case

TABLE = os.path.join(host.TOP, "scripts/systems-table")
PAGE = """before
<!-- systems-table: begin -->
| [`b`](x) | of old | 1 | 2 | |
| [`gone`](x) | of old | 1 | 2 | |
<!-- systems-table: end -->
after
"""


class Table(FolderTest):
    def setUp(self):
        super().setUp()
        for folder in ("examples/systems", "docs", "runs"):
            os.makedirs(os.path.join(self.folder, folder))
        self.write("docs/systems.md", PAGE)
        for name in ("a", "b", "c"):
            self.write("examples/systems/%s.toml" % name,
                       'description = "of %s"\n' %
                       ("old" if name == "b" else name))

    def run_table(self, *words):
        return subprocess.run([TABLE, "--top", self.folder, *words],
                              stdout=subprocess.PIPE, text=True, check=False)

    def page(self):
        with open(os.path.join(self.folder, "docs/systems.md"),
                  encoding="utf-8") as f:
            return f.read()

    def ran(self, name):
        self.write("runs/%s.last.json" % name, json.dumps({
            "counts": {"instructions": 1234567890},
            "exits": {"io": 1, "total": 45678}}))
        Image.new("RGB", (960, 600), (1, 2, 3)).save(
            os.path.join(self.folder, "runs", name + ".last.png"))

    def test_rows_are_of_runs(self):
        self.ran("a")
        runs = os.path.join(self.folder, "runs")
        self.assertEqual(self.run_table(runs).returncode, 0)
        text = self.page()
        self.assertTrue(text.startswith("before\n"))
        self.assertTrue(text.endswith("\nafter\n"))
        self.assertIn("| of a | 1,235 | 45,678 | ![a](images/systems/a.png) |",
                      text)
        self.assertIn("| of old | 1 | 2 | |", text)    # was not run
        self.assertNotIn("gone", text)
        self.assertIn("| of c | no green run yet | | |", " ".join(text.split()))
        with Image.open(os.path.join(self.folder,
                                     "docs/images/systems/a.png")) as picture:
            self.assertEqual(picture.size, (480, 300))
        self.run_table(runs)
        self.assertEqual(self.page(), text)

    def test_a_row_without_a_run_is_made_anew(self):
        self.run_table(os.path.join(self.folder, "runs"))
        self.assertIn("| of c | no green run yet |", self.page())
        self.write("examples/systems/c.toml", 'description = "another"\n')
        self.run_table(os.path.join(self.folder, "runs"))
        self.assertIn("| another | no green run yet |", self.page())

    def test_what_is_missing(self):
        found = self.run_table("--check")
        self.assertEqual(found.returncode, 1)
        self.assertIn("no row for examples/systems/a.toml", found.stdout)
        self.assertIn("a row for gone, which is no case", found.stdout)
        self.assertNotIn("examples/systems/b.toml", found.stdout)

    def test_a_picture_that_is_gone(self):
        self.ran("a")
        self.run_table(os.path.join(self.folder, "runs"))
        os.unlink(os.path.join(self.folder, "docs/images/systems/a.png"))
        self.assertIn("there is no docs/images/systems/a.png",
                      self.run_table("--check").stdout)


class Ours(unittest.TestCase):
    def test_each_case_has_its_row(self):
        found = subprocess.run([TABLE, "--check"], stdout=subprocess.PIPE,
                               text=True, check=False)
        self.assertEqual((found.returncode, found.stdout), (0, ""))

    def test_cases_are_right(self):
        folder = os.path.join(host.TOP, "examples/systems")
        for name in os.listdir(folder):
            if name.endswith(".toml"):
                case.Case(os.path.join(folder, name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
