# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead qemu` in a simulator: SeaBIOS and OVMF by other projects' options."""

import os
import shutil
import socket
import struct
import subprocess
import time
import unittest

from folder import FolderTest    # and the way to the tool
from bulkhead_tool import host

TOOL = os.path.join(host.TOP, "scripts/bulkhead")
OVMF = "/usr/share/ovmf/OVMF.fd"
LIMIT = 400    # seconds, of a simulator that hangs
WORDS = b"the boot sector's words\n"
TEXT_AT = 0x60    # behind the longest code

# What a boot sector does behind its words.
EXIT = b"\xb0%c\xe6\xf4\xf4"    # mov al, N; out f4h, al; hlt
RESET = b"\xba\xf9\x0c\xb0\x06\xee\xf4"    # mov dx, cf9h; mov al, 6; out
# Reads from COM1 and writes it back until it is a 'q'.
ECHO = (b"\xba\xfd\x03\xec\xa8\x01\x74\xf8\xba\xf8\x03\xec\x3c\x71\x74\x03\xee"
        b"\xeb\xed")
# Writes five bytes of fw_cfg's last file to COM1: its key is 1Fh and their number,
# the last byte of the first word of the directory, 19h.
ITEM = (b"\xba\x10\x05\xb8\x19\x00\xef\x42"    # mov dx, 510h; out dx, 19h
        b"\xec\xec\xec\xec\x30\xe4"    # four times in al, dx; xor ah, ah
        b"\x05\x1f\x00\x4a\xef\x42"    # add ax, 1fh; dec dx; out; inc dx
        b"\xb9\x05\x00\xec\x52\xba\xf8\x03\xee\x5a\xe2\xf7")    # loop


def sector(end):
    """Writes WORDS to COM1 and to port 402h, then does what end is.

    Without interrupts, for at the timer's SeaBIOS writes to COM1, too.
    """
    code = (b"\xfa\xfc\xbe" + struct.pack("<H", 0x7c00 + TEXT_AT) +    # mov si
            b"\xac\x84\xc0\x74\x0a"    # lodsb; test al, al; jz end
            b"\xba\xf8\x03\xee"    # mov dx, 3f8h; out dx, al
            b"\xba\x02\x04\xee"    # mov dx, 402h; out dx, al
            b"\xeb\xf1" + end)
    assert len(code) <= TEXT_AT
    text = code.ljust(TEXT_AT, b"\x90") + WORDS + b"\0"
    return text.ljust(510, b"\0") + b"\x55\xaa"


class BootTest(FolderTest):
    def setUp(self):
        super().setUp()
        # As a script finds QEMU, and as that finds the simulator.
        os.mkdir(os.path.join(self.folder, "bin"))
        program = os.path.join(self.folder, "bin/qemu-system-x86_64")
        with open(program, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nPATH=/usr/bin:/bin exec %s qemu "$@"\n' % TOOL)
        os.chmod(program, 0o755)
        self.env = dict(os.environ, PATH=os.path.join(self.folder, "bin") +
                        ":" + os.environ["PATH"])

    def disk(self, end):
        path = os.path.join(self.folder, "disk.img")
        with open(path, "wb") as f:
            f.write(sector(end))
            f.truncate(1 << 20)
        return path

    def qemu(self, *words, **options):
        done = subprocess.run(["qemu-system-x86_64", *words], env=self.env,
                              cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=LIMIT,
                              check=False, **(options or
                                              {"stdin": subprocess.DEVNULL}))
        self.assertNotIn(b"Traceback", done.stderr)
        return done

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as f:
            return f.read()


class SeaBios(BootTest):
    def test_debug_console_on_stdio_and_the_exit_port(self):
        """SeaBIOS's own line, with a disk; QEMU's status of port F4h."""
        done = self.qemu(
            "-chardev", "stdio,id=seabios", "-device",
            "isa-debugcon,iobase=0x402,chardev=seabios", "-bios",
            "bios-256k.bin", "-hda", self.disk(EXIT % 5), "-serial",
            "file:serial.log", "-device", "isa-debug-exit,iobase=0xf4",
            "-snapshot")
        self.assertEqual(done.returncode, 5 * 2 + 1, done.stderr)
        self.assertTrue(done.stdout.startswith(b"SeaBIOS (version"),
                        done.stdout)
        self.assertIn(b"Booting from Hard Disk", done.stdout)
        self.assertTrue(done.stdout.endswith(WORDS), done.stdout)
        self.assertEqual(self.read("serial.log"), WORDS)

    def test_each_debug_console_leads_elsewhere(self):
        done = self.qemu(
            "-debugcon", "file:e9.log", "-chardev", "file,id=seabios,"
            "path=402.log", "-device", "isa-debugcon,iobase=0x402,chardev="
            "seabios", "-hda", self.disk(b"\xb09\xe6\xe9" + EXIT % 1),
            "-device", "isa-debug-exit,iobase=0xf4")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(self.read("e9.log"), b"9")    # mov al, '9'; out e9h
        self.assertTrue(self.read("402.log").startswith(b"SeaBIOS (version"))
        self.assertTrue(self.read("402.log").endswith(WORDS))

    def test_disks_of_other_buses_and_the_second_serial_port(self):
        path = self.disk(b"\xba\xf8\x02\xb0\x21\xee" + EXIT % 3)
        for words in ("-device ahci,id=s -device ide-hd,drive=d,bus=s.1",
                      "-device qemu-xhci -device usb-storage,drive=d"):
            done = self.qemu(
                *words.split(), "-drive", "if=none,id=d,format=raw,file=" +
                path, "-device", "isa-debug-exit,iobase=0xf4", "-serial",
                "stdio", "-serial", "file:second")
            self.assertEqual((done.returncode, done.stdout), (7, WORDS))
            self.assertEqual(self.read("second"), b"!")

    def test_exit_port_with_0_is_no_power_off(self):
        done = self.qemu("-hda", self.disk(EXIT % 0), "-serial", "stdio",
                         "-device", "isa-debug-exit,iobase=0xf4")
        self.assertEqual((done.returncode, done.stdout), (1, WORDS),
                         done.stderr)

    def test_no_reboot(self):
        done = self.qemu("-serial", "stdio", "-no-reboot", "-hda",
                         self.disk(RESET))
        self.assertEqual((done.returncode, done.stdout), (0, WORDS),
                         done.stderr)

    def test_typing_on_the_terminal_without_graphics(self):
        """U-Boot's line; SeaBIOS shows itself there, too."""
        line = ["qemu-system-x86_64", "-nographic", "-bios", "bios-256k.bin",
                "-hda", self.disk(ECHO + EXIT % 7), "-device",
                "isa-debug-exit,iobase=0xf4"]
        with subprocess.Popen(line, env=self.env, cwd=self.folder,
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as child:
            said = b""
            while not said.endswith(WORDS):
                piece = child.stdout.read1(4096)
                self.assertTrue(piece, said)
                said += piece
            child.stdin.write(b"typed\x01\x01")
            child.stdin.flush()
            while not said.endswith(b"typed\x01"):
                piece = child.stdout.read1(4096)
                self.assertTrue(piece, said)
                said += piece
            child.stdin.write(b"q")
            child.stdin.close()
            self.assertEqual(child.wait(LIMIT), 7 * 2 + 1)
        self.assertIn(b"Booting from Hard Disk", said)

    def test_ctrl_a_x_leaves(self):
        with subprocess.Popen(["qemu-system-x86_64", "-nographic", "-hda",
                               self.disk(ECHO)], env=self.env,
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as child:
            said = b""
            while WORDS not in said:
                piece = child.stdout.read1(4096)
                self.assertTrue(piece, said)
                said += piece
            child.stdin.write(b"\x01x")
            child.stdin.flush()
            self.assertEqual(child.wait(LIMIT), 0)

    @unittest.skipUnless(shutil.which("gdb"), "package gdb is not installed")
    def test_gdb_has_the_first_instruction(self):
        """-S waits for gdb, and gdb's `continue` is all that it takes."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with subprocess.Popen(
                ["qemu-system-x86_64", "-S", "-gdb", "tcp::%d" % port, "-hda",
                 self.disk(EXIT % 9), "-serial", "stdio", "-device",
                 "isa-debug-exit,iobase=0xf4"], env=self.env,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL) as child:
            gdb = self.gdb(child, port)
            said = child.stdout.read()
            self.assertEqual(child.wait(LIMIT), 9 * 2 + 1, gdb)
        self.assertIn("0xfffffff0", gdb)
        self.assertRegex(gdb, r"Breakpoint 1, 0x0*7c00 ")
        self.assertEqual(said, WORDS)

    def gdb(self, child, port):
        """What gdb says, which goes on trying until somebody listens."""
        until = time.monotonic() + LIMIT
        while time.monotonic() < until and child.poll() is None:
            done = subprocess.run(
                ["gdb", "-q", "-nx", "-batch", "-ex", "target remote "
                 "127.0.0.1:%d" % port, "-ex", "hbreak *0x7c00", "-ex",
                 "continue", "-ex", "delete", "-ex", "continue"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, timeout=LIMIT, check=False)
            text = done.stdout.decode()
            if "Connection refused" not in text:
                return text
            time.sleep(0.5)
        self.fail("nobody listens for gdb")

    def test_virtio_disk(self):
        done = self.qemu("-drive", "if=virtio,file=" +
                         self.disk(EXIT % 3), "-device", "virtio-balloon-pci",
                         "-serial", "stdio", "-device",
                         "isa-debug-exit,iobase=0xf4", "-vga", "none")
        self.assertEqual((done.returncode, done.stdout), (7, WORDS),
                         done.stderr)

    def test_fw_cfg(self):
        done = self.qemu("-hda", self.disk(ITEM + EXIT % 3), "-serial",
                         "stdio", "-device", "isa-debug-exit,iobase=0xf4",
                         "-fw_cfg", "name=opt/org.example/x,string=hello")
        self.assertEqual((done.returncode, done.stdout), (7, WORDS +
                                                          b"hello"),
                         done.stderr)


@unittest.skipUnless(os.path.exists(OVMF), "package ovmf is not installed")
class Ovmf(BootTest):
    def test_startup_script_of_a_folder(self):
        """edk2's own line: a script on a folder's disk, which turns it off."""
        drive = os.path.join(self.folder, "VirtualDrive")
        os.makedirs(os.path.join(drive, "EFI/BOOT"))
        with open(os.path.join(drive, "startup.nsh"), "w",
                  encoding="ascii") as f:
            f.write("echo BOOT SUCCESS !!!\r\necho new >a fs0:\\new.txt\r\n"
                    "cp fs0:\\new.txt fs0:\\EFI\\BOOT\\copy.txt\r\n"
                    "rm -q fs0:\\new.txt\r\nreset -s\r\n")
        shutil.copy(OVMF, os.path.join(self.folder, "OVMF.fd"))
        done = self.qemu(
            "-debugcon", "file:debug.log", "-serial", "stdio", "-global",
            "isa-debugcon.iobase=0x402", "-net", "none", "-smp", "4", "-cpu",
            "IvyBridge,+rdrand", "-drive",
            "file=fat:rw:VirtualDrive,format=raw,media=disk", "-device",
            "virtio-rng-pci", "-display", "none", "-pflash", "OVMF.fd")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"BOOT SUCCESS !!!\r\n", done.stdout)
        self.assertIn(b"-cpu IvyBridge,+rdrand: the guest has", done.stderr)
        # What the guest wrote is there, in the folder and in its variables.
        self.assertIn(b"new", self.read("VirtualDrive/EFI/BOOT/copy.txt"))
        self.assertFalse(os.path.exists(os.path.join(drive, "new.txt")))
        with open(OVMF, "rb") as f:
            before = f.read()
        after = self.read("OVMF.fd")
        self.assertEqual(len(after), len(before))
        self.assertNotEqual(after[:0x84000], before[:0x84000])
        self.assertEqual(after[0x84000:], before[0x84000:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
