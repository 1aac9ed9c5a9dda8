# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead qemu` without a simulator: options, manifests, folders as disks."""

import os
import re
import socket
import subprocess
import unittest
import unittest.mock

from folder import ManifestTest, ToolTest    # and the way to the tool
from bulkhead_tool import Problem, host, processes
from bulkhead_tool.control import client
from bulkhead_tool.dropin import (devices, drives, fat, manifest, options, pc,
                                  ports, run, syntax)

# How four projects start their firmware, as their scripts and pages have it, with
# names in place of paths.
EDK2 = ("-debugcon stdio -global isa-debugcon.iobase=0x402 -net none -smp 4 "
        "-cpu IvyBridge,+rdrand "
        "-drive file=fat:rw:VirtualDrive,format=raw,media=disk "
        "-device virtio-rng-pci -display none -pflash OVMF.fd")
EDK2_SMM = ("-debugcon stdio -global isa-debugcon.iobase=0x402 -net none "
            "-smp 4 -drive file=fat:rw:VirtualDrive,format=raw,media=disk "
            "-display none -machine q35,smm=on --accel tcg,thread=single "
            "-global driver=cfi.pflash01,property=secure,value=on "
            "-drive if=pflash,format=raw,unit=0,file=CODE.fd,readonly=on "
            "-drive if=pflash,format=raw,unit=1,file=VARS.fd")
EDK2_TWO = ("-machine pc,accel=tcg -m 512 -nodefaults -vga std "
            "-drive if=pflash,format=raw,unit=0,file=CODE.fd,readonly=on "
            "-drive if=pflash,format=raw,unit=1,file=VARS.fd "
            "-debugcon file:debug.log -global isa-debugcon.iobase=0x402 "
            "-serial file:serial.log -hda fat:rw:VirtualDrive -net none")
UBOOT = "-nographic -bios u-boot.rom"
UBOOT_MORE = "-nographic -bios u-boot.rom -m 1024 -smp 2 -hda disk.img"
UBOOT_Q35 = "-nographic -bios u-boot.rom -M q35"
UBOOT_NET = ("-nographic -bios u-boot.rom -netdev user,id=net0,tftp=. "
             "-device e1000,netdev=net0")
COREBOOT = "-bios coreboot.rom -serial stdio -M pc"
SEABIOS = ("-chardev stdio,id=seabios -device "
           "isa-debugcon,iobase=0x402,chardev=seabios -bios bios.bin")
SEABIOS_PIPE = ("-chardev pipe,path=qemudebugpipe,id=seabios -device "
                "isa-debugcon,iobase=0x402,chardev=seabios -bios bios.bin "
                "-hda disk.img")

VARIABLES = 0x21000    # bytes


def variable_store():
    """What firmware finds as one: the header of a volume, then nothing."""
    head = bytes(16) + manifest.VARIABLES + VARIABLES.to_bytes(8, "little") + \
        b"_FVH"
    return head.ljust(VARIABLES, b"\xff")


class Syntax(unittest.TestCase):
    def test_keys_and_doubled_commas(self):
        self.assertEqual(syntax.split("file=a,,b,if=ide,readonly"),
                         [("file", "a,b"), ("if", "ide"), ("readonly", "on")])
        self.assertEqual(syntax.split("pc,smm=off", "type"),
                         [("type", "pc"), ("smm", "off")])
        self.assertEqual(syntax.split("a,,,b=c", "x"), [("x", "a,"),
                                                        ("b", "c")])
        self.assertEqual(syntax.split("a=b=c", "x"), [("a", "b=c")])
        self.assertEqual(syntax.split("", "x"), [("x", "")])
        self.assertEqual(syntax.split(""), [])

    def test_sizes(self):
        for text, found in (("256", 256 << 20), ("1G", 1 << 30),
                            ("1.5g", 3 << 29), ("512K", 512 << 10),
                            ("64M", 64 << 20), ("64MiB", 64 << 20)):
            self.assertEqual(syntax.size("-m", text), found)
        for text in ("", "x", "-1", "1Q", "1 G", "0x10"):
            with self.assertRaises(syntax.Refused):
                syntax.size("-m", text)

    def test_a_key_that_nobody_took_is_named(self):
        keys = syntax.Keys("-drive", "file=a,colour=red")
        keys.take("file")
        with self.assertRaisesRegex(syntax.Refused, "-drive: colour=red: .*"
                                    "qemu-options.md"):
            keys.end()
        with self.assertRaisesRegex(syntax.Refused, "on or off"):
            syntax.Keys("-x", "a=maybe").flag("a")
        with self.assertRaisesRegex(syntax.Refused, "no number"):
            syntax.Keys("-x", "a=one").number("a")


class PcTest(ManifestTest):
    """In a folder with files of the names that command lines have."""

    def setUp(self):
        super().setUp()
        build = os.path.join(self.folder, "build")
        os.makedirs(os.path.join(build, "programs"))
        os.symlink(os.path.join(host.BUILD, "manifest-check"),
                   os.path.join(build, "manifest-check"))
        for name in ("init.elf", "machine.elf", "seat.elf", "disk.elf",
                     "switch.elf"):
            self.write("build/programs/" + name, "")
        for name in ("u-boot.rom", "coreboot.rom", "bios.bin", "CODE.fd"):
            self.binary(name, b"\xff" * (1 << 16))
        self.binary("VARS.fd", variable_store())
        self.binary("OVMF.fd", variable_store() + b"c" * (1 << 16))
        self.binary("disk.img", bytes(1 << 20))
        self.binary("fd.img", bytes(1440 << 10))
        self.binary("cd.iso", bytes(1 << 15))
        self.binary("q.qcow2", b"QFI\xfb" + bytes(1020))
        os.mkdir(os.path.join(self.folder, "VirtualDrive"))
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)
        for patch in (unittest.mock.patch.object(host, "BUILD", build),
                      unittest.mock.patch.dict(os.environ)):
            patch.start()
            self.addCleanup(patch.stop)
        os.environ.pop("BULKHEAD_SERVICES", None)
        self.count = 0

    def binary(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(data)

    def pc(self, line):
        return options.parse(line.split())

    def make(self, line):
        """The manifest's text, its files, and the host that init would have."""
        self.count += 1
        folder = os.path.join(self.work, "f%d" % self.count)
        os.mkdir(folder)
        text, files = manifest.make(self.pc(line), folder)
        return text, files, manifest.host_of(files, self.work)

    def nodes(self, line):
        """The guest's nodes by name, as init has them."""
        return {n.name: n for n in self.make(line)[2].guests[0].children}

    def wrong(self, line, *words):
        with self.assertRaises(Problem) as caught:
            self.make(line)
        for word in words:
            self.assertIn(word, str(caught.exception))
        return caught.exception


class Machine(PcTest):
    def test_what_is_not_said_is_as_qemu_has_it(self):
        found = self.pc("")
        self.assertEqual(found.memory, 128 << 20)
        self.assertEqual(found.serials[0].kind, "null")
        self.assertEqual(found.debug, {})
        text, _, _ = self.make("-machine pc-i440fx-7.2,accel=kvm:tcg,usb=off")
        self.assertIn("memory-mib = <128>;", text)
        self.assertNotIn("debug-console", text)
        self.assertNotIn("isa-debug-exit", text)

    def test_memory_comes_in_2_mib(self):
        for said, mib in (("33", 34), ("1G", 1024), ("1M", 2),
                          ("size=256M,slots=2", 256)):
            text, _, _ = self.make("-m " + said)
            self.assertIn("memory-mib = <%d>;" % mib, text)

    def test_vcpus(self):
        for said, wanted in (("4", {"vcpus": 4}),
                             ("cpus=4,cores=2,threads=1,sockets=2",
                              {"vcpus": 4, "sockets": 2, "cores": 2,
                               "threads": 1}),
                             ("sockets=1,cores=3", {"vcpus": 3, "sockets": 1,
                                                    "cores": 3}),
                             ("2,maxcpus=4", {"vcpus": 2})):
            _, _, the_host = self.make("-smp " + said)
            for name, value in wanted.items():
                self.assertEqual(the_host.guests[0].number(name), value)
        self.wrong("-smp 99", "-smp", "1 to 32")

    def test_what_a_pc_is_not(self):
        for words in ("-machine q35", "-M pc-q35-8.0", "-machine microvm",
                      "-machine pc,smm=on", "-machine pc,nvdimm=on",
                      "-machine pc,hpet=off", "-M virt"):
            self.wrong(words, "-machine", "docs/qemu-options.md")
        self.wrong("-machine q35", "no PCI Express")
        self.wrong("-machine pc,colour=red", "colour=red")

    def test_kernel(self):
        self.binary("bz", bytes(0x202) + b"HdrS" + bytes(0x1000))
        self.binary("rd", b"rd")
        folder = os.path.join(self.work, "k")
        os.mkdir(folder)
        found = options.parse(["-kernel", "bz", "-initrd", "rd", "-append",
                               'a="b\\c" d'])
        text, _ = manifest.make(found, folder)
        self.assertIn('cmdline = "a=\\"b\\\\c\\" d";', text)
        self.assertIn("boot-through-bios;", text)
        self.wrong("-initrd rd", "-initrd: it needs -kernel")
        self.wrong("-append x", "-append: it needs -kernel")
        self.wrong("-kernel bz -initrd rd,rd", "the board takes one")
        self.wrong("-kernel bz -pflash OVMF.fd", "-kernel: with -pflash")
        self.wrong("-kernel none", "there is no file 'none'")

    def test_files_are_called_as_they_were(self):
        self.binary("small.rom", bytes(1000))
        for words in ("-bios small.rom", "-pflash small.rom",
                      "-hda small.rom"):
            problem = self.wrong(words, "small.rom", "1000 bytes"
                                 if words[1] != "h" else "512 bytes")
            self.assertNotIn("qemu.dts", str(problem))
            self.assertNotIn(self.work, str(problem))

    def test_firmware_is_looked_for_where_l_says(self):
        os.mkdir("roms")
        self.binary("roms/my.rom", bytes(1 << 16))
        found = self.pc("-bios my.rom -L roms")
        self.assertEqual(found.firmware, "roms/my.rom")
        self.wrong("-bios none.rom", "there is no file 'none.rom'")

    def test_no_display_adapter_has_no_bios(self):
        text, files, _ = self.make("-vga none")
        self.assertIn('vga-bios = "no-vga.bin";', text)
        with open(files.path("no-vga.bin"), "rb") as f:
            self.assertNotEqual(f.read(2), b"\x55\xaa")
        self.assertNotIn("vga-bios", self.make("-vga std")[0])

    def test_ends(self):
        text, _, _ = self.make("-no-reboot -device "
                               "isa-debug-exit,iobase=0xf4,iosize=0x04")
        self.assertIn("no-reboot;", text)
        self.assertIn("isa-debug-exit;", text)
        self.assertIn("no-reboot;", self.make("-action reboot=shutdown")[0])
        self.wrong("-device isa-debug-exit", "iobase=0x501", "0xf4")
        self.wrong("-no-shutdown", "bulkhead dump")

    def test_parts_of_the_board(self):
        for words, line in (("-device pc-testdev", "test-device;"),
                            ("-machine pc,vmport=on", "vmware-backdoor;"),
                            ("-device vmmouse", "vmware-backdoor;"),
                            ("-machine pc,acpi=off", 'acpi = "off";'),
                            ("-no-acpi", 'acpi = "off";')):
            self.assertIn(line, self.make(words)[0])
            self.assertNotIn(line, self.make("-machine pc,vmport=auto")[0])

    def test_options_that_are_not_there(self):
        self.wrong("-fooo bar", "-fooo", "no such option")
        self.wrong("-no-rebot", "did you mean -no-reboot?")
        self.wrong("-m", "-m: a value has to follow")
        for words, word in (("-device e1000,netdev=n", "no -netdev user,id=n"),
                            ("-device vmxnet3", "-nic user, or -nic none"),
                            ("-nic tap", "-nic tap: known is user"),
                            ("-nic user,model=i82551", "model=i82551"),
                            ("-nic user,smb=/", "no option 'smb=/'"),
                            ("-nic user,tftp=none", "no folder"),
                            ("-nic user -nic user", "one network card"),
                            ("-netdev user", "an id of its own"),
                            ("-netdev tap,id=n", "known is user"),
                            ("-device usb-ehci", "there are piix3-usb-uhci"),
                            ("-device usb-serial", "known at USB are usb-kbd"),
                            ("-device usb-kbd", "no USB controller"),
                            ("-usbdevice disk", "keyboard, mouse and tablet"),
                            ("-usb -device qemu-xhci -device piix3-usb-uhci",
                             "one USB controller"),
                            ("-device ahci", "without an id"),
                            ("-device ahci,id=a -device ahci,id=b",
                             "there is one"),
                            ("-device nvme,drive=x", "ide-hd"),
                            ("-device strange", "known are isa-debug-exit"),
                            ("-net nic -net user", "say -nic user"),
                            ("-fda q.qcow2", "a floppy disk's is raw"),
                            ("-fda fd.img -drive if=floppy,index=0,"
                             "file=fd.img", "two floppy drives"),
                            ("-device floppy", "-fda"),
                            ("-drive if=virtio,media=cdrom,file=cd.iso",
                             "if=virtio"),
                            ("-device virtio-serial-pci", "of virtio there"),
                            ("-monitor stdio", "bulkhead ctl"),
                            ("-global kvm-pit.x=1", "kvm-pit.x"),
                            ("-vga cirrus", "-vga cirrus"),
                            ("-vnc 0.0.0.0:1", "password")):
            self.wrong(words, word, "docs/qemu-options.md")

    def test_a_network_card(self):
        text, _, _ = self.make("-nic user,mac=52:54:00:11:22:33,"
                               "hostfwd=tcp::2222-:22,bootfile=a")
        self.assertRegex(text, r'nic0 {\s+boot-index = <1>;\s+model = "e1000";'
                         r'\s+switch = "net";\s+mac = "52:54:00:11:22:33";')
        found = self.pc("-device e1000,netdev=n -netdev user,id=n,tftp=.")
        self.assertEqual(found.nic.far_end, "user,tftp=.")
        self.assertIsNone(self.pc("-device e1000").nic.far_end)
        self.wrong("-nic user,bootfile=a,,b", "bootfile has a comma")
        # In its place among the drives, behind them if nothing is said.
        for words, index in (("", 3), ("-boot n", 1), ("-boot cn", 2)):
            text, _, _ = self.make("-nic user -hda disk.img -cdrom cd.iso " +
                                   words)
            self.assertRegex(text, r'nic0 {\s+boot-index = <%d>' % index)
        text, _, _ = self.make("-device e1000,bootindex=0 -hda disk.img")
        self.assertRegex(text, r'nic0 {\s+boot-index = <1>')
        self.assertRegex(text, r'disk0 {\s+boot-index = <2>')
        self.assertNotIn("bootorder", text)
        # A kernel is what is started.
        found = self.pc("-nic user -kernel disk.img")
        self.assertEqual(manifest.boot_indexes(found), {})
        self.assertIsNone(manifest.boot_order(found))

    def test_other_network_cards(self):
        for name, model in (("rtl8139", "rtl8139"), ("pcnet", "pcnet"),
                            ("ne2k_pci", "ne2000-pci"), ("e1000e", "e1000e"),
                            ("virtio-net-pci", "virtio")):
            for words in ("-nic user,model=" + name, "-device " + name):
                text, _, _ = self.make(words)
                self.assertRegex(text, r'boot-index = <1>;\s+model = "%s";' %
                                 model)
        # That on the ISA bus starts nothing.
        text, _, _ = self.make("-device ne2k_isa,iobase=0x280,irq=5 "
                               "-hda disk.img")
        self.assertRegex(text, r'nic0 {\s+model = "ne2000";\s+switch = "net";'
                         r"\s+port = <640>;\s+irq = <5>;")
        self.assertNotIn("boot-index", text)
        self.wrong("-device ne2k_isa,irq=9", "irq=9", "3, 5 or 7")
        self.wrong("-device ne2k_isa,bootindex=1", "say ne2k_pci")
        self.wrong("-device ne2k_pci,irq=5", "irq=5")

    def test_what_means_nothing_is_taken(self):
        text, _, _ = self.make(
            "-enable-kvm -accel tcg -nodefaults -no-user-config -name x "
            "-display none -monitor none -parallel none -nic none -vga std "
            "-uuid 1 --accel kvm -k de -vnc none -overcommit mem-lock=off")
        self.assertEqual(text, self.make("")[0])

    def test_differences_are_said(self):
        found = self.pc("-cpu host -vga none -boot menu=on")
        self.assertEqual([option for option, _ in found.notes],
                         ["-cpu host", "-vga none", "-boot menu=on"])


class Ports(PcTest):
    def test_serial(self):
        found = self.pc("-serial file:s.log -serial none")
        self.assertEqual((found.serials[0].kind, found.serials[0].path),
                         ("file", "s.log"))
        found = self.pc("-nographic")
        self.assertTrue(found.serials[0].is_stdio and found.serials[0].is_muxed)
        found = self.pc("-nographic -serial null")
        self.assertEqual(found.serials[0].kind, "null")
        found = self.pc("-chardev stdio,id=a,mux=on,signal=off -serial "
                        "chardev:a -chardev null,id=b -device "
                        "isa-serial,chardev=a")
        self.assertTrue(found.serials[0].is_stdio and found.serials[0].is_muxed)
        found = self.pc("-serial stdio -serial file:x")
        self.assertEqual([p.kind for p in found.serials], ["stdio", "file"])
        self.assertEqual(found.keyboard, 0)
        text, _, _ = self.make("-serial null -serial stdio")
        self.assertIn("serial1;", text)
        self.assertNotIn("serial1", self.make("-serial stdio -serial none")[0])
        self.assertEqual(self.pc("-serial null -serial stdio").keyboard, 1)
        self.assertIsNone(self.pc("").keyboard)
        self.wrong("-serial null -serial null -serial stdio",
                   "two serial ports")
        self.wrong("-serial tcp::4444", "tcp::4444", "known are")
        self.wrong("-serial chardev:x", "no -chardev with id=x")
        self.wrong("-chardev socket,id=x,path=y", "known are stdio")
        self.wrong("-chardev stdio", "no id")
        self.wrong("-chardev null,id=a -chardev null,id=a", "there already")
        for words in ("index=1", "iobase=0x2f8", "irq=3"):
            found = self.pc("-chardev file,path=x,id=a -device "
                            "isa-serial,chardev=a,%s -serial null" % words)
            self.assertEqual([p.kind for p in found.serials],
                             ["null", "file"])
        found = self.pc("-chardev file,path=x,id=a -device "
                        "isa-serial,chardev=a -serial null")
        self.assertEqual([p.kind for p in found.serials], ["null", "file"])
        self.wrong("-chardev null,id=a -device isa-serial,chardev=a,index=2",
                   "COM1 and COM2")
        self.wrong("-chardev null,id=a -device isa-serial,chardev=a,"
                   "iobase=0x3e8", "COM2 at 0x2f8")
        self.wrong("-serial null -chardev null,id=a -device "
                   "isa-serial,chardev=a,index=0", "COM1 leads elsewhere")

    def test_parallel(self):
        self.assertIsNone(self.pc("-parallel none").parallel)
        for line in ("-parallel file:p", "-chardev file,path=p,id=a -device "
                     "isa-parallel,chardev=a"):
            self.assertEqual(self.pc(line).parallel, ports.Port("file", "p"))
            self.assertIn("parallel0;", self.make(line)[0])
        self.assertNotIn("parallel0;", self.make("-parallel none")[0])
        self.wrong("-parallel file:p -parallel file:q", "one parallel port")
        self.wrong("-parallel /dev/parport0", "known are stdio")
        self.wrong("-device isa-parallel,chardev=a,iobase=0x278", "LPT1")

    def test_firmware_shows_itself_where_there_are_no_graphics(self):
        self.assertIn("firmware-on-serial;", self.make("-nographic")[0])
        self.assertIn("firmware-on-serial;",
                      self.make("-machine pc,graphics=off")[0])
        self.assertNotIn("firmware-on-serial;", self.make("-display none")[0])

    def test_debug_console(self):
        for line, port in (
                ("-debugcon file:d -global isa-debugcon.iobase=0x402", 0x402),
                ("-chardev file,path=d,id=a -device isa-debugcon,"
                 "iobase=0x402,chardev=a", 0x402),
                ("-debugcon file:d", 0xe9),
                ("-device isa-debugcon,chardev=a -chardev file,path=d,id=a",
                 0xe9)):
            self.assertEqual(self.pc(line).debug,
                             {port: ports.Port("file", "d")})
            self.assertIn("debug-console;", self.make(line)[0])
        self.assertEqual(self.pc(
            "-debugcon file:d -chardev file,path=e,id=a -device "
            "isa-debugcon,iobase=0x402,chardev=a").debug,
            {0xe9: ports.Port("file", "d"), 0x402: ports.Port("file", "e")})
        self.wrong("-global isa-debugcon.iobase=0x403", "0x403")
        self.wrong("-chardev null,id=a -device "
                   "isa-debugcon,iobase=0x3f8,chardev=a", "0x3f8")
        self.wrong("-debugcon stdio -debugcon file:x", "0xe9 is one console")

    def test_ports_write_where_they_lead(self):
        for text, mode in (("old", False), ("oldnew", True)):
            self.write("p", "old")
            port = ports.Port("file", "p", is_appended=mode)
            port.open()
            port.write(b"new")
            port.close()
            with open("p", "rb") as f:
                self.assertEqual(f.read(), b"new" if not mode
                                 else text.encode())
        os.mkfifo("q.out")
        reader = os.open("q.out", os.O_RDONLY | os.O_NONBLOCK)
        port = ports.Port("pipe", "q")
        port.open()
        port.write(b"words")
        self.assertEqual(os.read(reader, 10), b"words")
        port.close()
        os.close(reader)
        with self.assertRaisesRegex(Problem, "cannot be written"):
            ports.Port("file", "none/x").open()

    def test_the_monitors_keys(self):
        keyboard = run.Keyboard(True)
        self.assertEqual(keyboard.plain(b"a\x01"), b"a")
        self.assertEqual(keyboard.plain(b"\x01b\x01cd"), b"\x01bd")
        self.assertFalse(keyboard.has_left)
        self.assertEqual(keyboard.plain(b"e\x01X"), b"e")
        self.assertTrue(keyboard.has_left)

    def test_screens_and_debuggers(self):
        found = self.pc("-s -S -vnc :3")
        self.assertEqual((found.gdb, found.is_paused, found.vnc),
                         (("127.0.0.1", 1234), True, ("127.0.0.1", 5903)))
        self.assertEqual(self.pc("-gdb tcp:localhost:99").gdb,
                         ("localhost", 99))
        self.assertEqual(self.pc("-display vnc=127.0.0.1:0").vnc,
                         ("127.0.0.1", 5900))
        self.assertEqual(self.pc("-display gtk").display, "gtk")
        self.wrong("-gdb stdio", "tcp::PORT")
        self.wrong("-vnc unix:/x", "HOST:NUMBER")


class Items(PcTest):
    def test_files_of_fw_cfg(self):
        self.binary("blob", b"\0\1")
        text, files, the_host = self.make(
            "-fw_cfg name=opt/a,file=blob -fw_cfg opt/b,string=x,,y "
            "-fw_cfg opt/c,string=%s" % ("z" * 300))
        nodes = [n for n in the_host.guests[0].children]
        self.assertEqual([n.string("item") for n in nodes],
                         ["opt/a", "opt/b", "opt/c"])
        self.assertEqual(nodes[1].string("string"), "x,y")
        self.assertTrue(os.path.samefile(files.path(nodes[0].string("file")),
                                         "blob"))
        with open(files.path(nodes[2].string("file")), "rb") as f:
            self.assertEqual(f.read(), b"z" * 300)
        self.assertIn("fw-cfg2 {", text)

    def test_option_roms(self):
        self.binary("my.rom", b"rom")
        _, _, the_host = self.make("-option-rom my.rom")
        self.assertEqual(the_host.guests[0].children[0].string("item"),
                         "genroms/my.rom")

    def test_wrong_ones(self):
        self.wrong("-fw_cfg opt/a", "a file or a string")
        self.wrong("-fw_cfg string=x", "1 to 55")
        self.wrong("-fw_cfg opt/a,string=x -fw_cfg opt/a,string=y",
                   "is there already")
        self.wrong(" ".join("-fw_cfg opt/%d,string=x" % n
                            for n in range(11)), "at most 10")


class Recorded(PcTest):
    """Command lines of other projects' scripts."""

    def test_what_runs(self):
        for line, debug, serial, firmware in (
                (EDK2, "stdio", "null", 1 << 16),
                (EDK2_TWO, "file", "file", 1 << 16),
                (UBOOT, None, "stdio", 1 << 16),
                (UBOOT_MORE, None, "stdio", 1 << 16),
                (COREBOOT, None, "stdio", 1 << 16),
                (SEABIOS, "stdio", "null", 1 << 16),
                (SEABIOS_PIPE, "pipe", "null", 1 << 16)):
            with self.subTest(line):
                found = self.pc(line)
                _, files, the_host = self.make(line)
                self.assertEqual([p.kind for p in found.debug.values()],
                                 [debug] if debug else [])
                self.assertEqual(found.serials[0].kind, serial)
                self.assertEqual(os.path.getsize(files.path("firmware.bin")),
                                 firmware)
                self.assertEqual(the_host.guests[0].string("board"), "pc")

    def test_edk2s_folder_is_a_disk(self):
        with open("VirtualDrive/startup.nsh", "w", encoding="ascii") as f:
            f.write("reset -s\n")
        _, files, the_host = self.make(EDK2)
        self.assertEqual(the_host.guests[0].number("vcpus"), 4)
        self.assertTrue(files.fats[0].is_written)
        listing = subprocess.run(
            ["mdir", "-i", files.path("disk0.fat") + "@@1M", "-b", "::"],
            stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(listing.split(), [b"::/startup.nsh"])

    def test_u_boots_network(self):
        self.assertIn("nic0", self.make(UBOOT_NET)[0])

    def test_what_does_not_run_says_why(self):
        for line, word in ((EDK2_SMM, "-machine q35"),
                           (UBOOT_Q35, "-machine q35")):
            self.wrong(line, word, "docs/qemu-options.md")


class Folders(PcTest):
    def setUp(self):
        super().setUp()
        os.makedirs("VirtualDrive/EFI/BOOT")
        for name in ("A.TXT", "EFI/BOOT/bootx64.efi", "gone.txt",
                     "a long name.nsh"):
            with open(os.path.join("VirtualDrive", name), "w",
                      encoding="ascii") as f:
                f.write(name)
        self.disk = fat.Folder("VirtualDrive", os.path.join(self.work, "d"),
                               True)

    def guest(self, *words):
        subprocess.run(words[:1] + ("-i", self.disk.image + "@@1M") +
                       words[1:], check=True, stdin=subprocess.DEVNULL)

    def test_partition_table(self):
        with open(self.disk.image, "rb") as f:
            record = f.read(512)
        self.assertEqual(record[510:], b"\x55\xaa")
        self.assertEqual((record[446], record[450]), (0x80, fat.FAT16))
        start, count = (int.from_bytes(record[n:n + 4], "little")
                        for n in (454, 458))
        self.assertEqual(start, 2048)
        self.assertEqual((start + count) * 512,
                         os.path.getsize(self.disk.image))
        self.assertEqual(fat.chs(0), b"\0\1\0")
        self.assertEqual(fat.chs(1 << 30), b"\x0f\xff\xff")

    def test_nothing_comes_back_that_was_not_written(self):
        before = fat.tree("VirtualDrive")
        self.assertEqual(self.disk.bring_back(self.work), 0)
        self.assertEqual(fat.tree("VirtualDrive"), before)

    def test_changes_come_back(self):
        self.write("new", "new")
        self.guest("mcopy", "new", "::EFI/new.txt")
        self.guest("mcopy", "-o", "new", "::A.TXT")
        self.guest("mdel", "::gone.txt")
        self.assertEqual(self.disk.bring_back(self.work), 3)
        self.assertFalse(os.path.exists("VirtualDrive/gone.txt"))
        for name in ("EFI/new.txt", "A.TXT"):
            with open(os.path.join("VirtualDrive", name), "rb") as f:
                self.assertEqual(f.read(), b"new")
        self.assertTrue(os.path.exists("VirtualDrive/a long name.nsh"))
        self.assertEqual(self.disk.bring_back(self.work), 0)

    def test_they_come_back_however_it_ends(self):
        def ends_by(what):
            def simulate(_pc, the_host, _work):
                self.disk.image = the_host.drives[0].path
                self.guest("mcopy", "-o", "new", "::A.TXT")
                raise what
            return unittest.mock.patch.object(run, "simulate", simulate)

        for number, what in enumerate((processes.Ended(15),
                                       Problem("the host failed"))):
            self.write("new", "new %d" % number)
            work = os.path.join(self.work, "w%d" % number)
            os.mkdir(work)
            found = self.pc("-hda fat:rw:VirtualDrive")
            with ends_by(what), unittest.mock.patch.object(run, "note"):
                if number == 0:
                    self.assertEqual(run.run(found, work), 0)
                else:
                    with self.assertRaises(Problem):
                        run.run(found, work)
            with open("VirtualDrive/A.TXT", encoding="ascii") as f:
                self.assertEqual(f.read(), "new %d" % number)

    def test_a_folder_that_is_not_rw_keeps_what_it_has(self):
        disk = fat.Folder("VirtualDrive", os.path.join(self.work, "e"), False)
        self.disk = disk
        self.guest("mdel", "::gone.txt")
        self.assertEqual(disk.bring_back(self.work), 0)
        self.assertTrue(os.path.exists("VirtualDrive/gone.txt"))
        _, files, the_host = self.make("-hda fat:VirtualDrive")
        self.assertFalse(files.fats[0].is_written)
        self.assertFalse(the_host.drives[0].is_written)
        self.assertFalse(self.make("-hda fat:rw:VirtualDrive -snapshot")[1]
                         .fats[0].is_written)


class Page(unittest.TestCase):
    """docs/qemu-options.md has all of them."""

    def test_every_option_is_there(self):
        with open(os.path.join(host.TOP, syntax.PAGE), encoding="utf-8") as f:
            page = set(re.findall(r"`-([\w-]+)", f.read()))
        for table in (options.DONE, options.IGNORED, options.REFUSED):
            self.assertEqual(sorted(set(table) - page), [])

    def test_every_device_is_there(self):
        with open(os.path.join(host.TOP, syntax.PAGE), encoding="utf-8") as f:
            page = set(re.findall(r"`(?:if=)?([\w-]+)`", f.read()))
        self.assertEqual(set(devices.DEVICES) - page, set())
        self.assertEqual(set(drives.INTERFACES) - page, set())

    def test_no_option_is_two_things(self):
        tables = (options.DONE, options.IGNORED, options.REFUSED)
        names = [name for table in tables for name in table]
        self.assertEqual(len(names), len(set(names)))


class Command(ToolTest):
    """The command itself: what is QEMU's is no option of the tool's."""

    def test_manifest(self):
        done = self.run_tool("qemu", "--manifest", "-m", "64", "-serial",
                             "stdio", "-no-reboot")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"memory-mib = <64>;", done.stdout)

    def test_the_page_says_why_there_is_no_q35(self):
        with open(os.path.join(host.TOP, syntax.PAGE), encoding="utf-8") as f:
            self.assertIn("\n## Why there is no q35\n", f.read())
        for board in ("q35", "microvm"):
            path = os.path.join(self.folder, board + ".dts")
            with open(path, "w", encoding="ascii") as f:
                f.write('/dts-v1/; / { compatible = "bulkhead,host-v1"; guests '
                        '{ a { board = "%s"; memory-mib = <64>; }; }; };' %
                        board)
            done = self.run_tool("check", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b'board: is "%s", known are: pc, pc-1, pv; see '
                          b"docs/qemu-options.md" % board.encode(),
                          done.stderr)

    def test_help(self):
        done = self.run_tool("qemu", "-help")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"-fw_cfg", done.stdout)

    def test_errors(self):
        for words, why in ((("-M", "q35"), b"-machine q35"),
                           (("-x",), b"-x: there is no such option"),
                           (("-hda", "none"), b"there is no file 'none'")):
            done = self.run_tool("qemu", *words)
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)
            self.assertEqual(done.stdout, b"")

    def test_a_port_that_is_taken_is_known_before_the_start(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = self.run_tool("qemu", "-gdb", "tcp::%d" %
                                 taken.getsockname()[1])
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"nothing can listen at 127.0.0.1", done.stderr)

    def test_a_simulator_that_fails(self):
        self.simulator("exit 7")
        done = self.run_tool("qemu", "-serial", "stdio")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"before the host said a word", done.stderr)


class Defaults(unittest.TestCase):
    def test_two_pcs_have_nothing_in_common(self):
        one, other = pc.Pc(), pc.Pc()
        one.note("a", "b")
        one.topology["cores"] = 2
        self.assertEqual((other.notes, other.topology), ([], {}))


class Ending(unittest.TestCase):
    """The simulator has ended, and what the guest said last is on its way."""

    class Link:
        def __init__(self, wait):
            self.wait, self.ends = wait, socket.socketpair()
            self.is_read = False

        def next_part(self, seconds):
            if seconds:
                self.wait(self.ends[0].fileno(), 0.01)
                self.is_read = True
                raise client.Gone("")
            return None

    def test_the_end_is_not_taken_for_none_of_a_beginning(self):
        over = unittest.mock.Mock(is_over=True)
        over.watch.failure = over.why_bad.return_value = None
        over.seconds.return_value = 1.0
        one = run.Run.__new__(run.Run)
        one.session, one.keyboard, one.sinks = over, None, {}
        one.link = self.Link(one.wait)
        for end in one.link.ends:
            self.addCleanup(end.close)
        one.go_on()
        self.assertTrue(one.link.is_read)


if __name__ == "__main__":
    unittest.main(verbosity=2)
