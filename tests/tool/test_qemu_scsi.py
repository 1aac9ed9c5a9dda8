# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead qemu` with a SCSI adapter and its drives, without a simulator."""

import unittest

import test_qemu_options as options

DRIVES = ("-drive if=none,id=d,file=disk.img,format=raw -drive "
          "if=none,id=c,file=cd.iso ")


class Scsi(options.PcTest):
    def nodes(self, line):
        return {n.name: n for n in self.make(line)[2].guests[0].children}

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
