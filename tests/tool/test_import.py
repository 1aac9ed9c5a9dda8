#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead import`, on disks that the systems' own tools make."""

import os
import random
import shutil
import struct
import subprocess
import sys
import unittest
import unittest.mock

import folder
from bulkhead_tool import Problem, fdt, host
from bulkhead_tool.importer import Broken, commands, guess, hive, image, ntfs

MIB = 1 << 20
FIRST = 2048 * 512    # of the first partition
BOOT_INI = """[boot loader]\r
timeout=30\r
[operating systems]\r
multi(0)disk(0)rdisk(0)partition(1)\\WINNT="%s" /fastdetect\r
"""


def run(*words, **options):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **options)


class ImportTest(folder.FolderTest):
    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, size):
        with open(self.path(name), "wb") as f:
            f.truncate(size)
        return self.path(name)

    def table(self, path, kind, size=30 * MIB, script=None):
        run("sfdisk", "-q", path, input=(script or "start=2048, size=%d, "
            "type=%s, bootable\n" % (size // 512, kind)).encode())

    def put(self, path, part, at=FIRST):
        """A file system's file into its partition."""
        with open(part, "rb") as f, open(path, "r+b") as disk:
            disk.seek(at)
            shutil.copyfileobj(f, disk)

    def fat(self, names, size=30 * MIB, words=()):
        """A FAT file system with these files."""
        part = self.make("fat.part", size)
        run("mformat", "-i", part, "-T", str(size // 512), "-h", "16", "-s",
            "63", *words, "::")
        for name, text in names.items():
            if text is None:
                run("mmd", "-i", part, "::" + name)
                continue
            run("mcopy", "-i", part, self.write("f", text), "::" + name)
        return part

    def fat_disk(self, names, kind="6", size=30 * MIB, words=()):
        path = self.make("disk.img", size + 2 * MIB)
        self.table(path, kind, size)
        self.put(path, self.fat(names, size, words))
        return path

    def look(self, path):
        return guess.make(image.Image(path, self.folder))

    def best(self, path):
        found = self.look(path).best
        return (found.system, found.is_sure)

    # ---- FAT ----------------------------------------------------------------

    def test_windows_9x(self):
        for version, system in (("4.00.0950", "windows-95"),
                                ("4.10.2222", "windows-98"),
                                ("4.90.3000", "windows-me")):
            path = self.fat_disk({
                "IO.SYS": "x", "COMMAND.COM": "x", "WINDOWS": None,
                "MSDOS.SYS": ";SYS\r\n[Paths]\r\nWinDir=C:\\WINDOWS\r\n"
                "[Options]\r\nWinVer=%s\r\n" % version}, "c", 40 * MIB,
                ("-F", "-c", "1"))
            self.assertEqual(self.best(path), (system, True))
            self.assertEqual(self.look(path).partitions[0][1], "FAT32")

    def test_dos(self):
        path = self.fat_disk({"IO.SYS": "x", "COMMAND.COM": "x"})
        self.assertEqual(self.best(path), ("dos", False))
        path = self.fat_disk({"KERNEL.SYS": "x", "COMMAND.COM": "x"})
        self.assertEqual(self.best(path), ("dos", True))
        path = self.fat_disk({"IO.SYS": "x", "WINDOWS": None})
        self.assertEqual(self.best(path), ("windows-3.11", False))

    def test_boot_ini_on_fat(self):
        path = self.fat_disk({
            "NTLDR": "x", "BOOT.INI": BOOT_INI %
            "Windows NT Workstation Version 4.00"})
        self.assertEqual(self.best(path), ("windows-nt4", True))

    def test_long_file(self):
        """Over many clusters, by the table."""
        path = self.fat_disk({"NTLDR": "x", "BOOT.INI":
                              ";" * 100000 + "\r\n" + BOOT_INI %
                              "Microsoft Windows 2000 Professional"})
        self.assertEqual(self.best(path), ("windows-2000", True))

    def test_fat12_whole(self):
        """A file system without a table, and OS/2's names."""
        path = self.fat({"OS2LDR": "x", "OS2KRNL": "x"}, 4 * MIB)
        found = self.look(path)
        self.assertIsNone(found.table)
        self.assertEqual(found.partitions[0][1], "FAT12")
        self.assertEqual(found.best.system, "os2")

    # ---- NTFS ---------------------------------------------------------------

    def ntfs(self, files):
        part = self.make("ntfs.part", 30 * MIB)
        run("mkntfs", "-F", "-Q", "-L", "volume", "-p", "2048", "-H", "255",
            "-S", "63", part)
        for name, text in files.items():
            run("ntfscp", "-f", part, self.write("f", text), name)
        path = self.make("disk.img", 32 * MIB)
        self.table(path, "7")
        self.put(path, part)
        return path

    @unittest.skipUnless(shutil.which("mkntfs"), "no ntfs-3g")
    def test_boot_ini_on_ntfs(self):
        path = self.ntfs({"ntldr": "x", "boot.ini": BOOT_INI %
                          "Microsoft Windows XP Professional"})
        found = self.look(path)
        self.assertEqual(found.best.system, "windows-xp")
        self.assertTrue(found.best.is_sure)
        self.assertEqual(found.partitions[0][1], 'NTFS 3.1 "volume"')

    @unittest.skipUnless(shutil.which("mkntfs"), "no ntfs-3g")
    def test_bootmgr(self):
        path = self.ntfs({"bootmgr": "x"})
        self.assertEqual(self.best(path), ("windows-7", False))
        path = self.ntfs({"bootmgr": "x", "BOOTNXT": "x"})
        self.assertEqual(self.best(path), ("windows-10", False))

    @unittest.skipUnless(shutil.which("mkntfs"), "no ntfs-3g")
    def test_ntfs_reads(self):
        """Many names, a long file, a folder in a folder."""
        many = {"a-file-with-a-long-name-%03d" % i: "x" for i in range(80)}
        text = "".join(chr(32 + i % 90) for i in range(300000))
        path = self.ntfs(dict(many, big=text))
        disk = image.Image(path, self.folder)
        fs = ntfs.Ntfs(image.Part(disk, FIRST, 30 * MIB))
        self.assertTrue({n.upper() for n in many} <= fs.names())
        self.assertEqual(fs.read("BIG"), text.encode())
        self.assertIsNone(fs.read("BIGGER"))
        self.assertIsNotNone(fs.read("$Extend/$ObjId"))
        self.assertIsNone(fs.read("$Extend/none"))

    def test_hive(self):
        """A hive as far as a value goes: its cell, and the text elsewhere."""
        text = "Windows 7 Ultimate\0".encode("utf-16-le")
        data = bytearray(12288)
        data[:4] = b"regf"
        data[5000:5011] = b"ProductName"    # by chance: no value
        struct.pack_into("<2sHIIIHH", data, 8192, b"vk", 11, len(text), 512,
                         1, 1, 0)
        data[8212:8223] = b"ProductName"
        data[4096 + 516:4096 + 516 + len(text)] = text
        self.assertEqual(hive.text(bytes(data), "ProductName"),
                         "Windows 7 Ultimate")
        self.assertIsNone(hive.text(bytes(data), "EditionID"))
        self.assertIsNone(hive.text(b"x" + bytes(data), "ProductName"))

    # ---- Linux and others -----------------------------------------------------

    def ext(self, kind, kernels, release=None, words=()):
        tree = self.path("tree")
        shutil.rmtree(tree, ignore_errors=True)
        for name in kernels:
            os.makedirs(os.path.join(tree, "lib/modules", name))
        os.makedirs(os.path.join(tree, "etc"))
        if release:
            os.makedirs(os.path.join(tree, "usr/lib"))
            with open(os.path.join(tree, "usr/lib/os-release"), "w") as f:
                f.write("#" * 40000 + "\n" + release)
            os.symlink("../usr/lib/os-release",
                       os.path.join(tree, "etc/os-release"))
        part = self.make("ext.part", 30 * MIB)
        run("mke2fs", "-q", "-F", "-t", kind, "-d", tree, *words, part)
        path = self.make("disk.img", 32 * MIB)
        self.table(path, "83")
        self.put(path, part)
        return path

    def test_kernels(self):
        for kind, names, system in (
                ("ext2", ["2.2.26"], "linux-2.2"),
                ("ext3", ["2.4.37", "2.2.20"], "linux-2.4"),
                ("ext4", ["6.1.0-18-amd64"], "linux"),
                ("ext4", ["2.6.32-5-686"], "linux")):
            path = self.ext(kind, names)
            self.assertEqual(self.best(path), (system, True), names)
            self.assertEqual(self.look(path).partitions[0][1], kind)

    def test_release(self):
        """By a link, and over blocks of blocks."""
        for words in ((), ("-b", "1024"), ("-O", "64bit")):
            path = self.ext("ext4", [], 'PRETTY_NAME="Debian 12"\n', words)
            self.assertEqual(self.look(path).best.why,
                             "/etc/os-release says Debian 12")
        path = self.ext("ext2", [], 'PRETTY_NAME="Debian 3"\n', ("-b", "1024"))
        self.assertEqual(self.look(path).best.why,
                         "/etc/os-release says Debian 3")

    def test_cd(self):
        """A CD has no partitions, and is the CD-ROM drive's."""
        tree, path = self.path("cd"), self.path("setup.iso")
        os.mkdir(tree)
        os.rename(self.write("f", "x"), os.path.join(tree, "file"))
        run("xorriso", "-as", "mkisofs", "-o", path, tree)
        text = self.output(path)
        self.assertIn("cdrom0 {", text)
        self.assertNotIn("overlay", text)
        self.assertNotIn("os =", text)

    def test_types(self):
        for kind, system in (("a5", "freebsd"), ("a6", "openbsd"),
                             ("a9", "netbsd"), ("bf", "solaris"),
                             ("eb", "haiku"), ("a", "os2")):
            path = self.make("disk.img", 32 * MIB)
            self.table(path, kind)
            self.assertEqual(self.best(path), (system, False))

    def test_logical(self):
        path = self.make("disk.img", 32 * MIB)
        self.table(path, None, script="start=2048, size=40960, type=5\n"
                   "start=4096, size=8192, type=83\n"
                   "start=16384, size=8192, type=a5\n")
        numbers = [(part.number, part.kind, part.offset // 512)
                   for part, _ in self.look(path).partitions]
        self.assertEqual(numbers, [(5, "Linux", 4096),
                                   (6, "FreeBSD", 16384)])

    def test_efi(self):
        path = self.make("disk.img", 64 * MIB)
        self.table(path, None, script="label: gpt\n"
                   "size=40960, type=U\ntype=L\n")
        found = self.look(path)
        self.assertTrue(found.is_efi)
        self.assertEqual(found.table, "GPT")
        self.assertEqual([part.kind for part, _ in found.partitions],
                         ["EFI system", "Linux"])
        self.assertIn("OVMF_CODE_4M.fd", self.output(path))

    # ---- Formats ---------------------------------------------------------------

    def output(self, path, name="host.dts"):
        args = unittest.mock.Mock(disk=path, output=self.path(name),
                                  force=True)
        with unittest.mock.patch("bulkhead_tool.processes.say"):
            commands.do_import(args, self.folder)
        with open(self.path(name)) as f:
            return f.read()

    def test_formats(self):
        raw = self.ext("ext4", ["2.4.37"])
        for form in ("qcow2", "vmdk", "vdi"):
            path = self.path("old disk." + form)
            run("qemu-img", "convert", "-O", form, raw, path)
            self.assertEqual(self.best(path), ("linux-2.4", True), form)
            text = self.output(path)
            self.assertIn('format = "%s";' % form, text)
            self.assertIn('os = "linux-2.4";', text)

    def test_adapter(self):
        raw = self.fat_disk({"IO.SYS": "x"})
        path = self.path("scsi.vmdk")
        run("qemu-img", "convert", "-O", "vmdk", "-o", "adapter_type=lsilogic",
            raw, path)
        self.assertEqual(image.Image(path, self.folder).adapter(), "lsilogic")
        self.assertIn("its controller was LSI Logic's SCSI (lsilogic)",
                      self.output(path))

    def test_manifest_is_right(self):
        """What is written the manifest's own reader takes."""
        os.mkdir(self.path("work"))
        for name in ("disk.img", "1 odd \"name\".img", "x" * 40 + ".img"):
            path = self.path(name)
            os.rename(self.fat_disk({"KERNEL.SYS": "x"}), path)
            self.output(path)
            found = host.Host(self.path("host.dts"), self.path("work"))
            self.assertEqual(found.drives[0].path, os.path.realpath(path))
            self.assertEqual(found.guests[0].string("os"), "dos")
            os.unlink(path)

    # ---- What is no disk ---------------------------------------------------------

    def refused(self, path, words):
        with self.assertRaisesRegex(Problem, words):
            self.output(path)

    def test_no_disk(self):
        self.refused(self.path("none"), "there is no file")
        self.refused(self.make("empty", 0), "is empty")
        self.refused(self.make("zeros", MIB), "is no disk: it has neither")
        self.refused(self.write("text", "hello\n" * 1000), "is no disk")
        path = self.path("disk.vhdx")
        run("qemu-img", "create", "-f", "vhdx", path, "8M")
        self.refused(path, "is a VHDX image.*qemu-img convert")
        path = self.write("half.qcow2", "QFI\xfb\0\0\0\3")
        self.refused(path, "qemu-img: ")

    def test_there_already(self):
        path = self.fat_disk({"IO.SYS": "x"})
        args = unittest.mock.Mock(disk=path, output=self.write("h.dts", ""),
                                  force=False)
        with self.assertRaisesRegex(Problem, "is there already"):
            commands.do_import(args, self.folder)

    def test_damaged(self):
        """Bytes changed at random end in no exception but Broken."""
        dice = random.Random(1)
        makers = [lambda: self.ext("ext4", ["6.1.0"], "PRETTY_NAME=x\n"),
                  lambda: self.ext("ext2", ["2.4.1"], "PRETTY_NAME=x\n"),
                  lambda: self.fat_disk({"NTLDR": "x", "BOOT.INI": BOOT_INI})]
        if shutil.which("mkntfs"):
            makers.append(lambda: self.ntfs({"boot.ini": "x", "bootmgr": "x"}))
        for maker in makers:
            path = maker()
            with open(path, "rb") as f:
                whole = f.read()
            used = [at for at in range(0, len(whole), 512)
                    if any(whole[at:at + 512])]
            for _ in range(60):
                self.damage(path, whole, used, dice)

    def damage(self, path, whole, used, dice):
        places = [dice.choice(used) + dice.randrange(512)
                  for _ in range(dice.choice((1, 8, 64, 500)))]
        with open(path, "r+b") as f:
            for at in places:
                f.seek(at)
                f.write(bytes([dice.randrange(256)]))
        try:
            self.look(path)
        except Broken:
            pass
        with open(path, "r+b") as f:
            for at in places:
                f.seek(at)
                f.write(whole[at:at + 1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
