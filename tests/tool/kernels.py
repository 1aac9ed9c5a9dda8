# SPDX-License-Identifier: BSD-2-Clause
"""The bulkhead tool: guests with a kernel.  test_tool.py runs them."""

import os

from folder import ManifestTest


class Kernels(ManifestTest):
    def test_kernels_that_no_loader_knows_are_refused(self):
        for size, why in ((0, "is empty"), (1, "neither"), (70000, "neither")):
            self.write("k", "x" * size)
            self.guest_refused('memory-mib = <64>; kernel = "k";',
                               "/guests/one: kernel", why)

    def flat_kernel(self):
        """Multiboot's header alone, which says to load it at 2 MiB."""
        at, size = 2 << 20, 64
        words = (0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16)) % (1 << 32),
                 at, at, at + size, 0, at)
        path = os.path.join(self.folder, "flat")
        with open(path, "wb") as f:
            f.write(b"".join(w.to_bytes(4, "little") for w in words))
            f.write(bytes(size - 4 * len(words)))

    def test_a_multiboot_kernel_has_a_bios(self):
        def firmware(more=""):
            names = [m.name for m in self.guest(
                'memory-mib = <16>; kernel = "flat";' + more).modules]
            return "bios.bin" in names and "vgabios.bin" in names

        self.flat_kernel()
        self.assertTrue(firmware())
        self.assertTrue(firmware("boot-through-bios;"))
        self.assertFalse(firmware("boot-without-bios;"))
        self.guest_refused('memory-mib = <16>; kernel = "flat";'
                           'boot-through-bios; boot-without-bios;',
                           "/guests/one: boot-without-bios", "excludes")
        self.write("i", "x" * ((2 << 20) - 4096))
        self.guest('memory-mib = <4>; kernel = "flat"; initrd = "i";'
                   'boot-without-bios;')
        self.guest_refused('memory-mib = <4>; kernel = "flat"; initrd = "i";',
                           "/guests/one: initrd", "do not fit")

    def test_memory_has_to_hold_kernel_and_initrd(self):
        self.flat_kernel()
        self.guest('memory-mib = <4>; kernel = "flat";')
        self.guest_refused('memory-mib = <2>; kernel = "flat";',
                           "/guests/one: kernel", "not RAM")
        self.write("i", "x" * (5 << 20))
        self.guest_refused('memory-mib = <4>; kernel = "flat"; initrd = "i";',
                           "/guests/one: initrd", "do not fit")
        self.guest('memory-mib = <8>; kernel = "flat"; initrd = "i";')
        self.write("i", "")
        self.guest_refused('memory-mib = <8>; kernel = "flat"; initrd = "i";',
                           "/guests/one: initrd", "is empty")
