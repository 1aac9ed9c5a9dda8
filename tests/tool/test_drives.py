# SPDX-License-Identifier: BSD-2-Clause
"""Files that manifests name as sources: the simulated host's drives."""

import os
import subprocess
import unittest
import unittest.mock

from folder import ManifestTest    # and the way to the tool
from bulkhead_tool import Problem, host, qemu


class Drives(ManifestTest):
    def setUp(self):
        super().setUp()
        build = os.path.join(self.folder, "build")
        os.makedirs(os.path.join(build, "programs"))
        os.symlink(os.path.join(host.BUILD, "manifest-check"),
                   os.path.join(build, "manifest-check"))
        for name in ("init.elf", "machine.elf", "seat.elf", "disk.elf"):
            self.write("build/programs/" + name, "")
        for patch in (unittest.mock.patch.object(host, "BUILD", build),
                      unittest.mock.patch.dict(os.environ)):
            patch.start()
            self.addCleanup(patch.stop)
        os.environ.pop("BULKHEAD_SERVICES", None)

    def host(self, text, name="one"):
        """A host with one guest of these properties and nodes."""
        source = self.write("host.dts", '/dts-v1/; / { compatible = "bulkhead,'
                            'host-v1"; guests { %s { board = "pc"; %s }; }; };'
                            % (name, text))
        return host.Host(source, self.work)

    def disks(self, *disks):
        """A host with disks of these properties, all in one guest."""
        nodes = "".join('disk%d { bus = "ide"; %s };' % disk
                        for disk in enumerate(disks))
        return "memory-mib = <64>; " + nodes

    def test_sources_are_virtio_drives(self):
        self.write("a.img", "x" * 512)
        os.mkdir(os.path.join(self.folder, "d,e"))
        self.write("d,e/b.img", "x" * 512)
        self.write("c.img", "QFI\xfb")
        found = self.host(self.disks(
            'source = "file:a.img";', 'source = "file:d,e/b.img"; read-only;',
            'source = "file:c.img"; format = "qcow2"; overlay = "memory";',
            'source = "serial:ABC";'))
        self.assertEqual([m.name for m in found.modules if "img" in m.name], [])
        self.assertEqual(
            [(d.node, d.serial, d.is_written) for d in found.drives],
            [("/guests/one/disk0", "one/disk0", True),
             ("/guests/one/disk1", "one/disk1", False),
             ("/guests/one/disk2", "one/disk2", False)])
        line = qemu.drives(found)
        folder = os.path.realpath(self.folder)
        self.assertEqual(line[0:4], [
            "-blockdev", "driver=raw,node-name=drive0,read-only=off,"
            "discard=unmap,file.driver=file,file.filename=%s/a.img" % folder,
            "-device", "virtio-blk-pci,drive=drive0,serial=one/disk0,"
            "disable-legacy=on,num-queues=2,vectors=3,write-cache=on,"
            "werror=report,rerror=report"])
        self.assertIn("read-only=on,discard=unmap,file.driver=file,"
                      "file.filename=%s/d,,e/b.img" % folder, line[5])
        self.assertIn("driver=qcow2,node-name=drive2,read-only=on", line[9])

    def test_sources_need_disk_and_images_do_not(self):
        self.write("a.img", "x" * 512)
        for what, services in (
                ('image = "a.img";', ["seat.elf"]),
                ('source = "file:a.img";', ["seat.elf", "disk.elf"]),
                ('source = "gpt:data";', ["seat.elf", "disk.elf"])):
            found = self.host(self.disks(what))
            self.assertEqual([m.name for m in found.modules if m.name in
                              ("seat.elf", "disk.elf")], services)
        os.environ["BULKHEAD_SERVICES"] = "seat.elf"
        found = self.host(self.disks('source = "gpt:data";'))
        self.assertNotIn("disk.elf", [m.name for m in found.modules])

    def test_more_drives_than_slots_are_refused(self):
        self.write("a.img", "x" * 512)
        found = self.host(self.disks('source = "file:a.img"; read-only;'))
        found.drives = found.drives * qemu.DRIVES_MAX
        self.assertEqual(len(qemu.drives(found)), 4 * qemu.DRIVES_MAX)
        found.drives = found.drives + found.drives[:1]
        with self.assertRaisesRegex(Problem, "30 files .* 29 drives"):
            qemu.drives(found)

    def test_long_names_make_short_serials(self):
        self.write("a.img", "x" * 512)
        found = self.host(self.disks('source = "file:a.img"; read-only;',
                                     'source = "file:a.img"; read-only;'),
                          "a-guest-of-a-long-name")
        serials = [d.serial for d in found.drives]
        self.assertEqual(len(set(serials)), 2)
        for serial in serials:
            self.assertRegex(serial, "^#[0-9a-f]{16}$")

    def test_sources_that_cannot_be_had_are_refused(self):
        self.write("a.img", "x" * 512)
        self.write("b.img", "x" * 1000)
        self.write("empty.img", "")
        self.write("c.img", "QFI\xfb" + "x" * 500)
        self.write("v.img", "x" * 64 + "\x7f\x10\xda\xbe" + "x" * 444)
        os.symlink("a.img", os.path.join(self.folder, "same.img"))
        for disks, words in (
                (['source = "file:none.img";'], ("none.img", self.folder)),
                (['source = "file:x/none.img";'],
                 ("/guests/one/disk0: source", "there is no file")),
                (['source = "file:../";'], ("source", "is a folder")),
                (['source = "file:empty.img";'], ("disk0: source", "is empty")),
                (['source = "file:b.img";'], ("multiple of 512",)),
                (['source = "file:c.img";'], ('format = "qcow2"',)),
                (['source = "file:v.img";'], ('format = "vdi"',)),
                (['source = "file:a.img"; image = "a.img";'],
                 ("/guests/one/disk0: source: excludes an image",)),
                (['source = "floppy:a.img";'], ("must begin with",)),
                (['source = "file:a.img";', 'source = "file:a.img";'],
                 ("/guests/one/disk1", "/guests/one/disk0", "too")),
                (['source = "file:a.img"; read-only;',
                  'source = "file:same.img";'],
                 ("/guests/one/disk1", "/guests/one/disk0", "too"))):
            self.refused(*words, text=self.disks(*disks))
        self.refused("multiple of 2048", text='memory-mib = <64>; cdrom0 { '
                     'bus = "ide"; source = "file:a.img"; };')

    def test_what_may_not_be_written_is_read_only(self):
        path = self.write("a.img", "x" * 512)
        real = os.access
        with unittest.mock.patch("os.access", lambda name, mode:
                                 mode != os.W_OK and real(name, mode)):
            self.refused("/guests/one/disk0: source", path,
                         "may not be written",
                         text=self.disks('source = "file:a.img";'))
            for kept in ("read-only;", 'overlay = "memory";'):
                self.host(self.disks('source = "file:a.img"; ' + kept))

    def test_a_users_disk_is_made_once(self):
        for name in ("b/images", "disks"):
            os.makedirs(os.path.join(self.folder, name))
        pristine = self.write("b/images/debian.img", "as installed")
        mine = os.path.join(self.folder, "disks/debian.img")
        line = ["make", "-s", "-C", host.TOP, "B=%s/b" % self.folder,
                "DISKS=%s/disks" % self.folder, mine]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        with open(mine, "r+", encoding="ascii") as f:
            self.assertEqual(f.read(), "as installed")
            f.write(", and used")
        # Another image, now or later, is not the user's.
        os.utime(mine, (1, 1))
        self.write("b/images/debian.img", "another")
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        os.unlink(pristine)
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        with open(mine, encoding="ascii") as f:
            self.assertEqual(f.read(), "as installed, and used")


if __name__ == "__main__":
    unittest.main(verbosity=2)
