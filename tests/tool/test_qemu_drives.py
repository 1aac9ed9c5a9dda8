# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead qemu` without a simulator: drives of all buses, floppies, flash."""

import os
import unittest

from test_qemu_options import EDK2_TWO, VARIABLES, PcTest    # and the way
from bulkhead_tool import Problem
from bulkhead_tool.dropin import manifest

DRIVES = ("-drive if=none,id=d,file=disk.img,format=raw -drive "
          "if=none,id=c,file=cd.iso ")


class Drives(PcTest):
    def test_units(self):
        found = self.nodes("-drive file=disk.img,format=raw -cdrom cd.iso "
                           "-hdb q.qcow2 -drive file=disk.img,readonly=on,"
                           "format=raw,index=3,cache=none,aio=native -snapshot")
        self.assertEqual({name: n.number("unit") for name, n in
                          found.items()},
                         {"disk0": 0, "disk1": 1, "cdrom2": 2, "disk3": 3})
        self.assertEqual(found["disk1"].string("format"), "qcow2")
        self.assertEqual(found["disk0"].string("overlay"), "memory")
        self.assertIn("read-only", found["disk3"].properties)
        self.wrong("-hda disk.img -hda disk.img", "unit 0 has a drive")
        self.wrong("-drive file=disk.img,index=4", "the board has 0 to 3")

    def test_devices_have_the_drives_of_no_interface(self):
        found = self.nodes("-device ide-cd,drive=c,bus=ide.1,unit=1 -device "
                           "ide-hd,drive=d,bus=ide.1 -drive "
                           "if=none,id=c,file=cd.iso -drive "
                           "if=none,id=d,file=disk.img,format=raw")
        self.assertEqual({name: n.number("unit") for name, n in
                          found.items()}, {"cdrom3": 3, "disk2": 2})
        self.wrong("-drive if=none,id=d,file=disk.img", "id=d: no -device")
        self.wrong("-device ide-hd,drive=x", "id=x")
        self.wrong("-drive if=none,file=disk.img", "an id of its own")

    def test_other_buses(self):
        drives = ("-drive if=none,id=d,file=disk.img,format=raw -drive "
                  "if=none,id=c,file=cd.iso ")
        found = self.nodes("-device ahci,id=sata -device ide-hd,drive=d,"
                           "bus=sata.2,serial=S1,model=M,bootindex=3 -device "
                           "ide-cd,drive=c,bus=ide.0 " + drives)
        self.assertEqual(sorted(found), ["cdrom0", "disk4"])
        self.assertEqual([found["disk4"].string(n) for n in
                          ("bus", "serial", "model")], ["ahci", "S1", "M"])
        self.assertEqual([found["disk4"].number(n) for n in
                          ("unit", "boot-index")], [2, 1])
        self.assertEqual(found["cdrom0"].number("boot-index"), 2)
        found = self.nodes("-device qemu-xhci,id=x -device usb-storage,"
                           "bus=x.0,drive=d -device usb-kbd,bus=x.0 -cdrom "
                           "cd.iso -boot d " + drives.split(" -drive")[0])
        self.assertEqual(found["usb0"].string("controller"), "xhci")
        self.assertIn("keyboard", found["usb0"].properties)
        self.assertEqual(found["disk4"].string("bus"), "usb")
        self.assertEqual(found["disk4"].number("boot-index"), 2)
        for words in ("-usb", "-machine pc,usb=on", "-usbdevice tablet",
                      "-device piix3-usb-uhci"):
            self.assertEqual(self.nodes(words)["usb0"].string("controller"),
                             "uhci")
        self.wrong("-device usb-storage,drive=d -drive "
                   "if=none,id=d,file=disk.img", "no USB contr")
        self.wrong("-usb -device usb-storage,drive=c -drive "
                   "if=none,id=c,file=cd.iso,media=cdrom", "CD-ROM")
        self.wrong("-device ahci,id=a -device ide-hd,drive=d,bus=a.6 " +
                   drives, "AHCI port 6: the board has 0 to 5")
        self.wrong("-device ahci,id=a -device ide-hd,drive=d,bus=b.0 " +
                   drives, "ide.0 and ide.1, and a.0 to a.5")
        self.wrong("-device ahci,id=a -device ide-hd,drive=d,bus=a.0 -device "
                   "ide-cd,drive=c,bus=a.0 " + drives, "has a drive already")
        self.wrong("-device ide-hd,drive=d -device ide-hd,drive=d " + drives,
                   "another device has it")
        self.assertEqual([option for option, _ in
                          self.pc("-device ahci,id=a").notes],
                         ["-device ahci"])

    def test_positional_is_the_first_disk(self):
        self.assertEqual(list(self.nodes("disk.img")), ["disk0"])

    def test_writes_last_or_do_not(self):
        _, files, the_host = self.make("-hda disk.img")
        self.assertEqual(files.lasting, ["disk.img"])
        self.assertTrue(the_host.drives[0].is_written)
        self.assertTrue(os.path.samefile(the_host.drives[0].path, "disk.img"))
        for line in ("-hda disk.img -snapshot",
                     "-drive file=disk.img,snapshot=on",
                     "-drive file=disk.img,readonly", "-cdrom cd.iso"):
            _, files, the_host = self.make(line)
            self.assertEqual(files.lasting, [])
            self.assertFalse(the_host.drives[0].is_written)

    def test_what_drives_are_not(self):
        self.wrong("-hda none.img", "-hda", "there is no file 'none.img'")
        self.wrong("-hda VirtualDrive", "is a folder")
        self.wrong("-drive media=cdrom", "it has no file")
        self.wrong("-drive file=disk.img,format=vpc", "format=vpc")
        self.wrong("-drive file=nbd:x:1", "only files and fat:")
        self.wrong("-drive file=disk.img,media=tape", "disk or cdrom")
        self.wrong("-hda fat:none", "is no folder")
        self.wrong("-hda fat:floppy:VirtualDrive",
                   "not a floppy disk")
        self.wrong("-fda none.img", "there is no file 'none.img'")

    def test_floppies(self):
        text, files, the_host = self.make(
            "-fdb fd.img -drive if=floppy,file=fd.img,format=raw,readonly=on")
        guest = the_host.guests[0]
        self.assertEqual(guest.child("floppy1").string("image"), "floppy1.img")
        self.assertIn('floppy0 {\n\t\t\t\timage = "floppy0.img";\n'
                      '\t\t\t\tread-only;\n', text)
        self.assertEqual(files.lasting, [])
        self.assertIn("-fdb", [n[0] for n in self.pc("-fdb fd.img").notes])
        with self.assertRaises(Problem) as caught:
            self.make("-fda disk.img")    # of 1 MiB: no floppy disk's size
        self.assertIn("1200, 1440", str(caught.exception))
        paths = [manifest.FLOPPY_PATH % 0, manifest.BOOT_PATH % (0, 0),
                 manifest.BOOT_PATH % (1, 0)]
        for words, wanted in (("", (1, 0, 2)), ("-boot a", (0, 1, 2)),
                              ("-boot dba", (2, 0, 1))):
            order = manifest.boot_order(self.pc(
                "-hda disk.img -cdrom cd.iso -fda fd.img " + words))
            self.assertEqual(order.decode().split("\n"),
                             [paths[n] for n in wanted])

    def test_flash(self):
        text, files, the_host = self.make(EDK2_TWO)
        flash = the_host.guests[0].child("flash0")
        self.assertEqual(flash.number("size-kib"), VARIABLES // 1024)
        self.assertEqual(files.lasting, ["VARS.fd"])
        self.assertIn('firmware = "firmware.bin";', text)
        flash = self.make(EDK2_TWO + " -snapshot")[2].guests[0].child("flash0")
        self.assertEqual(flash.string("image"), "flash.img")
        self.wrong("-drive if=pflash,unit=1,file=VARS.fd", "unit 1 without")
        self.wrong("-pflash CODE.fd -pflash VARS.fd -pflash VARS.fd",
                   "the board has 0 and 1")
        self.wrong("-pflash CODE.fd -bios bios.bin", "-pflash has the firm")

    def test_one_file_of_code_and_variables(self):
        _, files, the_host = self.make("-pflash OVMF.fd")
        guest = the_host.guests[0]
        self.assertEqual(guest.child("flash0").number("size-kib"),
                         VARIABLES // 1024)
        self.assertEqual(os.path.getsize(files.path("firmware.bin")), 1 << 16)
        self.assertEqual(files.lasting, ["OVMF.fd"])
        for line in ("-pflash CODE.fd", "-bios OVMF.fd",
                     "-drive if=pflash,file=OVMF.fd,readonly=on"):
            self.assertIsNone(self.make(line)[2].guests[0].child("flash0"))

    def test_boot_order(self):
        both = "-hda disk.img -cdrom cd.iso "
        paths = [manifest.BOOT_PATH % (0, 0), manifest.BOOT_PATH % (1, 0)]
        for words, wanted in (
                ("", None), ("-boot d", paths[::-1]), ("-boot c", paths),
                ("-boot order=nda", paths[::-1]),
                ("-boot order=d,strict=on", [paths[1], "HALT"]),
                ("-boot once=d", paths[::-1])):
            order = manifest.boot_order(self.pc(both + words))
            self.assertEqual(order and order.decode().split("\n"), wanted)
        found = self.pc("-drive if=none,id=a,file=disk.img -drive "
                        "if=none,id=b,file=cd.iso -device "
                        "ide-hd,drive=a,bootindex=2 -device "
                        "ide-cd,drive=b,bootindex=1")
        self.assertEqual([d.is_cdrom for d in found.boot_order()],
                         [True, False])
        self.assertIn('item = "bootorder";', self.make(both + "-boot d")[0])


class Virtio(PcTest):
    def places(self, line):
        return {name: (n.string("bus"), n.number("unit"))
                for name, n in self.nodes(line).items()}

    def test_disks(self):
        self.assertEqual(self.places(
            DRIVES + "-hda q.qcow2 -drive if=virtio,file=disk.img -snapshot "
            "-device virtio-blk-pci,drive=d,num-queues=2 -cdrom cd.iso "
            "-device virtio-scsi-pci,id=s -device "
            "scsi-cd,drive=c,bus=s.0,scsi-id=7"),
            {"disk0": ("ide", 0), "cdrom2": ("ide", 2),
             "disk4": ("virtio", 0), "disk5": ("virtio", 1),
             "cdrom6": ("virtio-scsi", 7)})

    def test_order(self):
        order = self.pc(DRIVES + "-hda disk.img -device virtio-scsi-pci "
                        "-device scsi-cd,drive=c -device "
                        "virtio-blk-pci,drive=d,bootindex=1").boot_order()
        self.assertEqual([d.bus for d in order],
                         ["virtio", "ide", "virtio-scsi"])

    def test_other_devices(self):
        text = self.make("-device virtio-rng-pci,rng=r -device "
                         "virtio-balloon")[0]
        self.assertIn("rng;", text)
        self.assertIn("balloon;", text)

    def test_what_is_not_there_is_refused(self):
        for line, why in (("-drive if=none,id=x,media=cdrom,file=cd.iso "
                           "-device virtio-blk-pci,drive=x", "CD-ROM"),
                          ("-device virtio-scsi-pci -device lsi",
                           "one SCSI adapter"),
                          ("-device vhost-vsock-pci", "of virtio there are")):
            self.wrong(DRIVES + line, why)


class Scsi(PcTest):
    def test_adapter_and_drives(self):
        found = self.nodes(DRIVES + "-device lsi53c895a,id=s -device "
                           "scsi-hd,drive=d,bus=s.0,scsi-id=3 -device "
                           "scsi-cd,drive=c")
        self.assertEqual({name: (n.string("bus"), n.number("unit"))
                          for name, n in found.items()},
                         {"cdrom4": ("lsi", 0), "disk5": ("lsi", 3)})

    def test_order(self):
        order = self.pc(DRIVES + "-hda disk.img -device lsi -device "
                        "scsi-hd,drive=d,bootindex=1 -device scsi-cd,drive=c")
        self.assertEqual([(d.bus, d.unit) for d in order.boot_order()],
                         [("lsi", 0), ("ide", 0), ("lsi", 1)])
        self.assertEqual(self.nodes(
            DRIVES + "-device lsi -device scsi-hd,drive=d,bootindex=1 -device "
            "scsi-cd,drive=c")["disk4"].number("boot-index"), 1)

    def test_what_is_not_there_is_refused(self):
        for line, why in (("-device scsi-hd,drive=d", "no adapter before it"),
                          ("-device lsi -device scsi-hd,drive=d,bus=x.0",
                           "with the bus x.0"),
                          ("-device lsi -device scsi-hd,drive=d,scsi-id=7",
                           "SCSI ID 7: the board has 0 to 6"),
                          ("-device lsi -device scsi-hd,drive=d,lun=1",
                           "LUN 0 alone"),
                          ("-device lsi -device lsi", "one SCSI adapter"),
                          ("-device megasas", "lsi53c895a"),
                          ("-drive if=scsi,file=disk.img",
                           "-device lsi53c895a")):
            self.wrong(DRIVES + line, why)


if __name__ == "__main__":
    unittest.main(verbosity=2)
