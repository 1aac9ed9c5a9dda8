# SPDX-License-Identifier: BSD-2-Clause
"""Guests' disks by the service `disk`, in a simulated host: what sources mean,
drives that fail, are slow or say nothing, and the service killed."""

import hashlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import drive
import rig

MIB = 1 << 20
SECTOR = 512
EIO = 5
# `disk` resets a drive after 5 seconds of the host's, whose clock may be slow:
# it stands still while this machine gives the simulator no time.
UNANSWERED = 15    # seconds of this machine
RESTARTS = 6


class DiskTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="disk-")
        self.addCleanup(shutil.rmtree, self.folder)

    def image(self, name="a.img", size=8 * MIB, content=None):
        """The path of a sparse file; content: what each sector is filled with."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.truncate(size)
            for number in range(size // SECTOR if content else 0):
                f.write(content(number))
        return path

    def run_host(self, *guests, qemu=(), **options):
        """What a host said until it ended by itself."""
        path = rig.manifest(self.folder, *guests)
        with rig.Host(self.folder, path, qemu, **options) as host:
            host.end()
            return host.text

    def probe(self, name, words, disks, more=""):
        return rig.guest(name, words, disks, memory=16, kernel="probe.elf",
                         more="isa-debug-exit; " + more)

    def seen(self, text, *words):
        """All of these regular expressions, in this order, in lines' heads."""
        at = 0
        for word in words:
            found = re.compile(r"^(?:\[\w+\] )?" + word, re.MULTILINE).search(
                text, at)
            self.assertIsNotNone(found, "'%s' is not in:\n%s" % (
                word, text[-6000:]))
            at = found.end()


def numbered(number):
    return struct.pack("<Q", number) * (SECTOR // 8)


def fnv_of(path, count):
    """The sum that `probe.elf scan` prints."""
    value = 0xcbf29ce484222325
    with open(path, "rb") as f:
        for byte in f.read(count * SECTOR):
            value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return "sum %016x" % value


def raw_with(path, filters):
    """A raw file behind blkdebug with these of its options."""
    return ("driver=raw,file.driver=blkdebug,file.image.driver=file,"
            "file.image.filename=%s,%s" % (path, ",".join(
                "file." + one for one in filters)))


def fails(kind, sector, once="off"):
    return ["inject-error.0.event=none", "inject-error.0.iotype=" + kind,
            "inject-error.0.sector=%d" % sector, "inject-error.0.errno=5",
            "inject-error.0.once=" + once]


class Faults(DiskTest):
    """Drives that are not as they should be."""

    def scan(self, option, count=64, more="count=64"):
        return self.run_host(
            self.probe("g", "scan " + more, rig.disk("serial:T")),
            qemu=rig.attach(0, option, "T"))

    def test_a_sector_that_cannot_be_read_is_uncorrectable(self):
        path = self.image(content=numbered, size=64 * SECTOR)
        text = self.scan(raw_with(path, fails("read", 17)))
        # ERR and UNC, and which sector it was; its neighbours are whole.
        self.seen(text, "disk 64", "bad 17: status 0x[57]1, error 0x40, at 17$",
                  "sum", "done")
        self.assertEqual(len(re.findall("bad", text)), 1)

    def test_a_write_that_fails_names_its_sector(self):
        path = self.image()
        text = self.run_host(
            self.probe("g", "put from=0 count=64 value=7", rig.disk("serial:T")),
            qemu=rig.attach(0, raw_with(path, fails("write", 33)), "T"))
        self.seen(text, "put 0: status 0x[57]1, error 0x[0-9a-f]+, at 33$",
                  "flush 0: good", "done")
        with open(path, "rb") as f:
            self.assertEqual(f.read(33 * SECTOR), b"\7" * 33 * SECTOR)

    def test_a_flush_that_fails_is_told_once(self):
        path = self.image()
        text = self.run_host(
            self.probe("g", "put from=0 count=8 value=7", rig.disk("serial:T")),
            qemu=rig.attach(0, raw_with(path, [
                "inject-error.0.event=none", "inject-error.0.iotype=flush",
                "inject-error.0.errno=5"]), "T"))
        self.seen(text, "put 0: good", "flush 0: status 0x[57]1", "done")

    def test_a_slow_drive_is_slow(self):
        path = self.image(content=numbered, size=64 * SECTOR)
        text = self.run_host(
            self.probe("g", "scan count=64", rig.disk("serial:T")),
            qemu=["-object", "throttle-group,id=slow,x-iops-total=40"] +
            rig.attach(0, "driver=throttle,throttle-group=slow,file.driver=raw,"
                       "file.file.driver=file,file.file.filename=" + path, "T"))
        self.seen(text, fnv_of(path, 64), "done")
        self.assertNotIn("bad", text)

    def serve(self, path, rules):
        served = drive.Drive(os.path.join(self.folder, "nbd"),
                             drive.Contents(path), rules=rules)
        self.addCleanup(served.contents.close)
        return served

    def test_a_drive_that_does_not_answer_is_reset(self):
        # For longer than `disk` waits; then it does all again, as it was.
        path = self.image(content=numbered, size=64 * SECTOR)
        held = []

        def rules(command, sector, _):
            if command == drive.READ and sector == 20 and not held:
                held.append(sector)
                time.sleep(UNANSWERED)
            return 0

        served = self.serve(path, rules)
        text = self.scan(served.option())
        served.join()
        self.assertTrue(held)
        self.seen(text, "disk 64", r".*\[disk\] drive .*: reset",
                  fnv_of(path, 64), "done")
        self.assertNotIn("bad", text)

    def test_large_requests_that_fail_are_done_in_halves(self):
        path = self.image(content=numbered)
        served = self.serve(path, lambda command, sector, count:
                            EIO if command == drive.WRITE and count > 16 else 0)
        text = self.run_host(
            self.probe("g", "put from=0 count=256 value=9", rig.disk("serial:T")),
            qemu=rig.attach(0, served.option(), "T"))
        served.join()
        self.seen(text, "put 0: good", "flush 0: good", "done")
        with open(path, "rb") as f:
            self.assertEqual(f.read(256 * SECTOR), b"\x09" * 256 * SECTOR)

    def test_interrupts_go_by_intx_too(self):
        path = self.image()
        qemu = rig.attach(0, rig.raw(path), "T")
        qemu[-1] += ",vectors=0"
        text = self.run_host(
            self.probe("g", "put from=8 count=600 value=5", rig.disk("serial:T")),
            qemu=qemu)
        self.seen(text, "put 8: good", "put 520: good", "flush 8: good")
        with open(path, "rb") as f:
            f.seek(8 * SECTOR)
            self.assertEqual(f.read(600 * SECTOR), b"\5" * 600 * SECTOR)


    def test_a_function_with_a_reset_of_its_own_is_reset(self):
        """Behind a port of PCI Express it has one, which takes 100 ms."""
        path = self.image()
        qemu = rig.attach(0, rig.raw(path), "T")
        qemu[-1] += ",bus=rp"
        text = self.run_host(
            self.probe("g", "put from=8 count=600 value=5", rig.disk("serial:T")),
            qemu=["-machine", "q35", "-device",
                  "pcie-root-port,id=rp,chassis=1", *qemu])
        self.seen(text, r".*disk: drives 01:00\.0", "put 8: good", "flush 8: good")
        given, found = (float(re.search(r"^\[ *([0-9.]+)\] " + words, text,
                                        re.MULTILINE)[1])
                        for words in ("disk: drives", r"\[disk\] drive"))
        self.assertGreater(found - given, 0.1)


class Sources(DiskTest):
    """What `source` and the properties beside it mean."""

    figures = ""

    @classmethod
    def tearDownClass(cls):
        print(cls.figures)

    def test_a_serial_that_is_not_there_is_refused(self):
        self.image("b.img")
        text = self.run_host(
            self.probe("a", "get", rig.disk("serial:NONE")),
            self.probe("b", "get", rig.disk("file:b.img")))
        self.seen(text, ".*a is not started: /guests/a/disk0: .*NONE",
                  "get 0: good")

    def test_formats_are_what_they_say(self):
        for form in "qcow2", "vmdk", "vdi":
            path = os.path.join(self.folder, "x." + form)
            out = os.path.join(self.folder, "x.raw")
            subprocess.run(["qemu-img", "create", "-q", "-f", form, path, "8M"],
                           check=True)
            text = self.run_host(self.probe(
                "g", "put from=5 count=300 value=7", rig.disk(
                    "file:x." + form, 'format = "%s";' % form)))
            self.seen(text, "disk 16384", "put 5: good", "flush 5: good")
            subprocess.run(["qemu-img", "convert", "-O", "raw", path, out],
                           check=True)
            with open(out, "rb") as f:
                self.assertEqual(f.read(306 * SECTOR), bytes(5 * SECTOR) +
                                 b"\7" * 300 * SECTOR + bytes(SECTOR))

    def test_a_cdrom_has_a_source(self):
        # Which has sectors of its own size, and two readers.
        self.image("a.iso", size=100 * 2048, content=numbered)
        cdrom = 'cdrom0 { bus = "ide"; source = "file:a.iso"; };'
        text = self.run_host(
            rig.guest("a", "job=cdrom", cdrom),
            rig.guest("b", "job=cdrom", cdrom))
        digest = hashlib.md5()
        for number in range(400):
            digest.update(numbered(number))
        self.assertEqual(len(re.findall(
            "cdrom: 400 sectors, %s" % digest.hexdigest(), text)), 2,
            text[-4000:])

    def test_read_only_is(self):
        path = self.image(content=lambda n: b"\3" * SECTOR, size=MIB)
        text = self.run_host(self.probe("g", "put from=0 count=8 value=7",
                                        rig.disk("file:a.img", "read-only;")))
        self.seen(text, "put 0: status 0x[57]1", "done")
        with open(path, "rb") as f:
            self.assertEqual(f.read(8 * SECTOR), b"\3" * 8 * SECTOR)

    def test_an_overlay_forgets(self):
        path = self.image(content=lambda n: b"\3" * SECTOR, size=MIB)
        text = self.run_host(
            self.probe("a", "put from=0 count=300 value=7",
                       rig.disk("file:a.img", 'overlay = "memory";')))
        self.seen(text, "put 0: good", "put 256: good", "flush 0: good", "done")
        with open(path, "rb") as f:
            self.assertEqual(f.read(), b"\3" * MIB)

    def test_an_overlay_is_its_guests_own(self):
        self.image(content=lambda n: b"\3" * SECTOR, size=MIB)
        node = rig.disk("file:a.img", 'overlay = "memory";')
        text = self.run_host(
            self.probe("a", "put from=0 count=8 value=7", node),
            self.probe("b", "get", node))
        self.seen(text, r"\[b\] get 0: good|get 0: good", "byte 3")

    def gpt(self, path, *parts):
        """Partitions (name, first, last sector) by sfdisk."""
        script = "label: gpt\nfirst-lba: 34\n" + "".join(
            "start=%d, size=%d, name=%s\n" % (first, last - first + 1, name)
            for name, first, last in parts)
        subprocess.run(["sfdisk", "-q", path], input=script.encode(),
                       check=True, env=dict(os.environ, PATH=os.environ["PATH"] +
                                            ":/usr/sbin:/sbin"),
                       stdout=subprocess.DEVNULL)

    def test_a_partition_is_a_disk(self):
        path = self.image()
        self.gpt(path, ("one", 2048, 4095), ("two", 4096, 8191))
        text = self.run_host(
            self.probe("g", "put from=0 count=4 value=7", rig.disk("gpt:two")),
            qemu=rig.attach(0, rig.raw(path), "T"))
        self.seen(text, "disk 4096", "put 0: good", "flush 0: good")
        with open(path, "rb") as f:
            f.seek(4095 * SECTOR)
            self.assertEqual(f.read(6 * SECTOR), bytes(SECTOR) +
                             b"\7" * 4 * SECTOR + bytes(SECTOR))

    def test_two_writers_of_one_partition_are_refused_with_both_names(self):
        path = self.image()
        self.gpt(path, ("one", 2048, 4095))
        text = self.run_host(
            self.probe("a", "move sectors=8 count=64", rig.disk("serial:T")),
            self.probe("b", "get", rig.disk("gpt:one")),
            qemu=rig.attach(0, rig.raw(path), "T"))
        refusal = re.search(r"b is not started: .*", text)
        self.assertIsNotNone(refusal, text)
        self.assertIn("/guests/b/disk0", refusal[0])
        self.assertIn("/guests/a/disk0", refusal[0])

    def test_a_flood_leaves_the_other_its_share(self):
        # Two guests on partitions of a drive: one writes 128 KiB at a time, as
        # much as it can, while the other reads 4 KiB a thousand times.
        path = self.image(size=16 * MIB)
        self.gpt(path, ("flood", 2048, 12287), ("polite", 12288, 32000))
        flood = self.probe("flood", "move sectors=256 write=1 count=0",
                           rig.disk("gpt:flood"))
        polite = self.probe("polite", "move sectors=8 count=1000",
                            rig.disk("gpt:polite"))
        served = drive.Drive(os.path.join(self.folder, "nbd"),
                             drive.Contents(path))
        self.addCleanup(served.contents.close)
        order = []
        served.rules = lambda command, sector, count: order.append(
            (sector >= 12288, count))
        manifest = rig.manifest(self.folder, flood, polite)
        with rig.Host(self.folder, manifest,
                      rig.attach(0, served.option(), "T")) as host:
            host.expect(r"moved 64$")
            host.expect(r"done$")
            host.kill()
        served.join()
        first = next(n for n, (is_polite, count) in enumerate(order)
                     if is_polite and count == 8)
        last = max(n for n, one in enumerate(order) if one[0])
        during = order[first:last]
        sectors = [sum(count for is_polite, count in during if is_polite == who)
                   for who in (True, False)]
        self.assertGreaterEqual(sectors[0], 1000 * 8 - 8)
        # One that asks for one thing at a time goes first: between two of its
        # requests there are two of the flood's at most.
        between, most = 0, 0
        for is_polite, _ in during:
            between = 0 if is_polite else between + 1
            most = max(most, between)
        type(self).figures = (
            "polite %d sectors, flood %d; at most %d of the flood's requests "
            "between two" % (*sectors, most))
        self.assertLess(most, 5)

    def test_what_is_asked_for_is_read_and_nothing_else(self):
        # Of 20 GiB as much as of 20 MiB, by QEMU's own count.
        moved = []
        for size in (20 * MIB, 20 << 30):
            path = self.image("%d.img" % size, size)
            where = os.path.join(self.folder, "qmp")
            manifest = rig.manifest(self.folder, self.probe(
                "g", "get from=100", rig.disk("serial:T")) .replace(
                    "isa-debug-exit;", ""))
            with rig.Host(self.folder, manifest, rig.attach(
                    0, rig.raw(path), "T") +
                    ["-qmp", "unix:%s,server=on,wait=off" % where]) as host:
                host.expect("^done")
                moved.append(self.statistics(where))
                host.kill()
            os.unlink(where)
        small, large = moved
        self.assertEqual(small["rd_operations"], large["rd_operations"])
        self.assertEqual(small["rd_bytes"], large["rd_bytes"])
        self.assertLess(large["rd_bytes"], 200 * 1024)
        self.assertEqual(large["wr_bytes"], 0)

    def statistics(self, where):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(where)
            with s.makefile("rw") as f:
                f.readline()    # its greeting
                for command in ("qmp_capabilities", "query-blockstats"):
                    f.write(json.dumps({"execute": command}) + "\n")
                    f.flush()
                    while True:
                        answer = json.loads(f.readline())
                        if "return" in answer:
                            break
        found = [one["stats"] for one in answer["return"]
                 if one.get("qdev") or one["stats"]["rd_operations"]]
        self.assertEqual(len(found), 1)
        return found[0]


class Restart(DiskTest):
    """The service is killed again and again under a Linux that checks all that
    it reads."""

    def kill_disk(self, host):
        """At its next tick; on return the next one runs."""
        host.expect("fio: tick")
        host.type("restart disk\r")
        host.expect(r"\[disk\] is stopped: by the operator")
        host.expect(r"\[disk\] drive ")

    def test_fio_verifies_while_disk_is_killed(self):
        self.image(size=64 * MIB)
        # The operator has a console where there is more than one.
        path = rig.manifest(self.folder, rig.guest(
            "g", "job=fio,16,1000", rig.disk("file:a.img")),
            self.probe("other", "idle", ""))
        with rig.Host(self.folder, path, options=()) as host:
            host.expect("fio: begin")
            host.type("\x1d\x1d")
            host.expect("input goes to host")
            for _ in range(RESTARTS):
                self.kill_disk(host)
            # However much of its work that took: not before it is told to.
            self.assertNotIn("fio: status", host.text)
            host.type("\x1d")
            host.expect("input goes to g")
            host.type("enough\r\x1d\x1d")
            host.expect("input goes to host")
            self.assertEqual(host.expect(r"fio: status \d+")[0],
                             "fio: status 0", host.tail())
            host.expect("fio: end 0")
            host.expect(r"\[g\] stopped: powered off")
            host.type("off\r")
            host.end()


if __name__ == "__main__":
    unittest.main(verbosity=2)
