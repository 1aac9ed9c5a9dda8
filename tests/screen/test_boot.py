# SPDX-License-Identifier: BSD-2-Clause
"""Debian's gdb on a guest with two vCPUs from its reset through SeaBIOS, GRUB and
Linux, and back.

With a breakpoint the guest is emulated, some tens of times slower: breakpoints are set
shortly before what they are at, and not over GRUB's and Linux' decompression.
"""

import os
import struct
import unittest

import debugger
import rig

rig.LIMIT = 400    # seconds; the longest wait takes 50 where nobody else works

NODE = ('quick { board = "pc"; memory-mib = <256>; vcpus = <2>; '
        'disk0 { bus = "ide"; image = "quick.img"; }; };')
KERNEL = os.path.join(rig.BUILD, "kernel/vmlinuz")
IMAGE = os.path.join(rig.BUILD, "images/quick.img")
RESET, BOOT_SECTOR, GRUB_CORE = 0xfffffff0, 0x7c00, 0x8200
INT_13H, JUMP_RAX, JUMP_SELF = b"\xcd\x13", b"\xff\xe0", b"\xeb\xfe"
HLT = b"\xf4"
PE, PG, LMA = 1 << 0, 1 << 31, 1 << 10
SYMBOLS = ("start_kernel", "linux_banner", "scheduler_tick")
SECTOR = 512
# Of the boot protocol's header: where what is packed is, and how long.
SETUP_SECTORS, PAYLOAD, PREFERRED_ADDRESS, STARTUP_64 = 0x1f1, 0x248, 0x258, 0x200


def image():
    """GRUB waits for ever, and Linux lies where its symbols say; as long as before."""
    with open(IMAGE, "rb") as f:
        disk = f.read()
    for old, new in ((b"set timeout=1", b"unset timeout"),
                     (b" console=tty0 ", b" nokaslr      ")):
        if disk.count(old) != 1:
            raise rig.Failure("%s is not in %s once" % (old, IMAGE))
        disk = disk.replace(old, new)
    return disk


class Kernel:
    """Where a bzImage's unpacking program begins, and its last jump."""

    def __init__(self):
        with open(KERNEL, "rb") as f:
            data = f.read()
        self.base, = struct.unpack_from("<Q", data, PREFERRED_ADDRESS)
        begin = SECTOR * (1 + data[SETUP_SECTORS])
        packed = begin + sum(struct.unpack_from("<II", data, PAYLOAD))
        self.jump = self.base - begin + data.index(JUMP_RAX + HLT, packed)


class Boot(rig.HostTest):
    gdb = None

    def start(self):
        self.machine = self.host(NODE, files={"quick.img": image()})
        self.serial = rig.Serial(self.machine, "quick")
        self.gdb = debugger.Debugger(self.machine, "quick")

    def run(self, result=None):
        super().run(result)
        if self.gdb and (result.errors or result.failures):
            print("\n".join("  gdb | " + line
                            for line in self.gdb.log[-60:]), flush=True)
        return result

    def shown(self, words):
        self.machine.tool("wait", "quick", "--text", words, "--timeout",
                          str(rig.LIMIT))

    # ---- Its parts, one after the other ----------------------------------

    def to_boot_sector(self):
        gdb = self.gdb
        gdb.do("break *%#x" % BOOT_SECTOR)
        self.assertEqual(gdb.hits(BOOT_SECTOR), 1)
        self.assertEqual(gdb.value("$cs_base + $eip"), BOOT_SECTOR)
        self.assertEqual(gdb.value("$cs"), 0)
        self.assertEqual(gdb.value("$cr0 & %d" % PE), 0)
        self.assertEqual(gdb.value("$edx & 0xff"), 0x80)    # the first disk
        with open(IMAGE, "rb") as f:
            self.assertEqual(gdb.bytes_at(BOOT_SECTOR, SECTOR), f.read(SECTOR))
        gdb.do("delete")

    def through_boot_sector(self):
        """Its first instructions, its first INT 13h as one, its end."""
        gdb = self.gdb
        self.assertIn("i8086", gdb.do("show architecture"))
        self.assertRegex(gdb.do("x/i $pc"), r"\sjmp\s")
        for _ in range(3):
            at = gdb.value("$pc")
            gdb.run("stepi")
            self.assertNotEqual(gdb.value("$pc"), at)
        at = BOOT_SECTOR + gdb.bytes_at(BOOT_SECTOR, SECTOR).index(INT_13H)
        gdb.do("tbreak *%#x" % at)
        gdb.hits(at)
        self.assertRegex(gdb.do("x/i $pc"), r"\sint\s+\$0x13")
        self.assertEqual(gdb.value("$eax >> 8 & 0xff"), 0x41)    # are there EDD?
        gdb.run("stepi")
        self.assertEqual(gdb.value("$cs"), 0xf000)
        gdb.do("tbreak *%#x" % (at + len(INT_13H)))
        gdb.hits(at + len(INT_13H))
        self.assertEqual(gdb.value("$ebx & 0xffff"), 0xaa55)    # there are

    def into_protected_mode(self):
        gdb = self.gdb
        gdb.do("tbreak *%#x" % GRUB_CORE)
        gdb.hits(GRUB_CORE)
        self.assertEqual(gdb.value("$cr0 & %d" % PE), 0)
        gdb.steps("$cr0 & %d" % PE, 200)
        # Its 32-bit code comes by a far jump.
        gdb.steps("$cs", 5)
        gdb.again()
        self.assertIn("i386", gdb.do("show architecture"))
        self.assertIn("mov    $0x", gdb.do("x/4i $pc"))
        self.assertEqual(gdb.value("$cs_base"), 0)
        # What its code does is what its disassembly says.
        at = gdb.value("$pc")
        gdb.run("stepi")
        self.assertGreater(gdb.value("$pc"), at)

    def symbols(self):
        """Of the Linux that runs."""
        found = {}
        for name in SYMBOLS:
            self.serial.send("grep ' %s$' /proc/kallsyms\n" % name)
            found[name] = int(self.serial.expect(
                "^([0-9a-f]{16}) . %s$" % name)[1], 16)
        return found

    def to_long_mode(self, kernel):
        """GRUB's commands by keys; where the kernel unpacks itself in long mode."""
        gdb = self.gdb
        for line, answer in (
                ("c", "^grub> *$"),
                ("linux /boot/vmlinuz root=/dev/sda1 console=ttyS0,115200 "
                 "nokaslr{ret}", "nokaslr\n+grub> *$"),
                ("initrd /boot/initrd.gz{ret}", "initrd.gz\n+grub> *$")):
            self.machine.tool("type", "quick", line)
            self.shown(answer)
        gdb.interrupt()
        gdb.do("break *%#x" % (kernel.base + STARTUP_64))
        gdb.go()
        self.machine.tool("type", "quick", "boot{ret}")
        self.assertIn("breakpoint-hit", gdb.stopped())
        self.assertIn("long mode now", gdb.said)
        gdb.do("delete")
        gdb.again()
        self.assertIn("i386:x86-64", gdb.do("show architecture"))
        self.assertEqual(gdb.value("$rip"), kernel.base + STARTUP_64)
        self.assertTrue(gdb.value("$efer & %d" % LMA))
        self.assertTrue(gdb.value("$cr0 & %d" % PG))

    def to_unpacked(self, kernel):
        """A loop in place of its last jump, while it unpacks at full speed."""
        gdb = self.gdb
        self.assertEqual(gdb.bytes_at(kernel.jump, 2), JUMP_RAX)
        gdb.do("set var *(unsigned short *)%#x = 0xfeeb" % kernel.jump)
        self.assertEqual(gdb.bytes_at(kernel.jump, 2), JUMP_SELF)
        until = rig.later()
        while True:
            gdb.go()
            self.machine.pump(0.5)
            gdb.interrupt()
            pc = gdb.value("$pc")
            if gdb.bytes_at(pc, 2) == JUMP_SELF:
                break
            self.assertLess(rig.time.monotonic(), until)
        gdb.do("set var *(unsigned short *)$pc = 0xe0ff")
        self.assertEqual(gdb.value("$rax"), kernel.base)
        gdb.run("stepi")
        self.assertEqual(gdb.value("$rip"), kernel.base)

    def in_linux(self, symbols):
        gdb = self.gdb
        gdb.do("hbreak *%#x" % symbols["start_kernel"])
        self.assertEqual(gdb.hits(symbols["start_kernel"]), 1)
        self.assertIn("Linux version 6.", gdb.do("x/s %#x" %
                                                 symbols["linux_banner"]))
        # Memory is the same at its physical address.
        linear = gdb.bytes_at(symbols["start_kernel"], 16)
        gdb.do("monitor physical on")
        self.assertEqual(linear, gdb.bytes_at(
            symbols["start_kernel"] & 0x7fffffff, 16))
        gdb.do("monitor physical off")
        self.assertRegex(gdb.do("info threads"), r"\* 1 .*vCPU 0")
        gdb.do("thread 2")
        # Where firmware left it, for Linux has not begun it.
        self.assertEqual(gdb.value("$efer & %d" % LMA), 0)
        self.assertLess(gdb.value("$pc"), 1 << 20)
        gdb.do("thread 1")
        gdb.do("delete")

    def two_vcpus(self, symbols):
        """Both run Linux, each with its own data, and each can be stopped."""
        gdb = self.gdb
        gdb.go()
        self.serial.expect("quick# ")
        self.serial.send("for i in 1 2; do while :; do :; done & done; nproc\n")
        self.serial.expect("^2$")
        gdb.interrupt()
        threads = gdb.do("info threads")
        self.assertRegex(threads, "Thread 1.*vCPU 0")
        self.assertRegex(threads, "Thread 2.*vCPU 1")
        gdb.do("break *%#x" % symbols["scheduler_tick"])
        met, own = set(), {}
        while len(met) < 2:
            met.add(gdb.hits(symbols["scheduler_tick"]))
        for thread in (1, 2):
            gdb.do("thread %d" % thread)
            self.assertTrue(gdb.value("$efer & %d" % LMA))
            own[thread] = max(gdb.value("$gs_base"), gdb.value("$k_gs_base"))
            self.assertGreater(own[thread], 1 << 63)
        self.assertNotEqual(own[1], own[2])
        gdb.do("delete")
        gdb.go()
        self.serial.send("echo goes on; kill %1 %2\n")
        self.serial.expect("goes on$")

    # ---- All of it -------------------------------------------------------

    def test_through_and_back(self):
        kernel = Kernel()
        self.start()
        gdb = self.gdb
        self.assertIn("ok", gdb.do("monitor catch reset"))
        gdb.do("monitor reset")
        gdb.run()
        self.assertIn("reset", gdb.said)
        gdb.again()
        self.assertEqual(gdb.value("$pc"), RESET)
        self.to_boot_sector()
        self.through_boot_sector()
        self.into_protected_mode()
        gdb.go()
        self.shown("Quick guest")
        self.machine.tool("type", "quick", "{ret}")
        self.serial.expect("quick# ")
        symbols = self.symbols()
        # The guest resets itself, as long as nobody is there to catch it.
        self.serial.send("reboot -f\n")
        self.serial.expect("reboot: Restarting system")
        self.shown("Quick guest")
        self.to_long_mode(kernel)
        self.to_unpacked(kernel)
        self.in_linux(symbols)
        self.two_vcpus(symbols)
        # And back: the guest's reset is caught, in long mode's description.
        gdb.interrupt()
        gdb.do("monitor catch reset")
        gdb.go()
        self.serial.send("reboot -f\n")
        gdb.stopped()
        self.assertIn("reset", gdb.said)
        self.assertEqual(gdb.value("$pc"), RESET)
        gdb.again()
        self.to_boot_sector()
        gdb.do("detach")
        self.shown("Quick guest")


if __name__ == "__main__":
    unittest.main(verbosity=2)
