# SPDX-License-Identifier: BSD-2-Clause
"""-device and -global: the devices that the board has, and what it has not."""

import functools

from . import buses, nics
from .drives import INTERFACES
from .pc import DEBUG_PORTS, EXIT_PORT
from .syntax import Keys, Refused, number

NO_NETWORK = ("known cards are %s: say -nic user, or -nic none" %
              ", ".join(nics.MODELS))
NO_EHCI = "of USB controllers there are %s" % ", ".join(buses.USB_CONTROLLERS)
LSI_ONLY = "the board's SCSI adapters are lsi53c895a and virtio-scsi-pci"
NO_VIRTIO = ("of virtio there are virtio-blk-pci, virtio-scsi-pci, "
             "virtio-net-pci, virtio-rng-pci and virtio-balloon-pci")
# Models by how they begin, and why they are not there.
MISSING = (
    ("i825", NO_NETWORK), ("vmxnet", NO_NETWORK),
    ("virtio-net", NO_NETWORK), ("igb", NO_NETWORK),
    ("virtio", NO_VIRTIO), ("vhost", NO_VIRTIO),
    ("virtconsole", NO_VIRTIO), ("virtserial", NO_VIRTIO),
    ("scsi", "known are scsi-hd and scsi-cd"), ("lsi", LSI_ONLY),
    ("megasas", LSI_ONLY), ("mptsas", LSI_ONLY), ("pvscsi", LSI_ONLY),
    ("am53c974", LSI_ONLY), ("dc390", LSI_ONLY),
    ("usb-ehci", NO_EHCI), ("ich9-usb", NO_EHCI), ("pci-ohci", NO_EHCI),
    ("usb", "known at USB are %s and usb-storage" %
     ", ".join(buses.USB_DEVICES)),
    ("floppy", "say -fda or -drive if=floppy"),
    ("isa-fdc", "it is there with -fda or -drive if=floppy"),
    ("nvme", "say ide-hd, or usb-storage"), ("sd", INTERFACES["sd"]),
    ("tpm", "the board has no TPM"),
    ("pcie", "the board has no PCI Express"), ("ioh3420", "the board has no "
                                               "PCI Express"),
    ("pci-bridge", "the board has no second PCI bus"),
    ("intel-iommu", "the board has no IOMMU"),
    ("amd-iommu", "the board has no IOMMU"),
    ("cirrus", "the board's display adapter is QEMU's VGA"),
    ("qxl", "the board's display adapter is QEMU's VGA"),
    ("vmware-svga", "the board's display adapter is QEMU's VGA"),
    ("bochs-display", "the board's display adapter is QEMU's VGA"),
    ("ramfb", "the board's display adapter is QEMU's VGA"),
    ("secondary-vga", "the board has one display adapter"),
    ("ac97", "the board has no sound"), ("intel-hda", "the board has no sound"),
    ("hda-", "the board has no sound"), ("sb16", "the board has no sound"),
    ("vfio", "a device of the host's cannot be given to a guest here"),
    ("ipmi", "the board has no IPMI"), ("i6300esb", "the board has no watchdog"),
    ("ib700", "the board has no watchdog"), ("pvpanic", "there is none here"),
    ("ivshmem", "there is none here"), ("edu", "there is none here"),
    ("pci-testdev", "there is none here"),
)
VGA = ("vga", "std")
SERIALS = ((0x3f8, 4), (0x2f8, 3))


def do_exit(pc, keys):
    port = keys.number("iobase", 0x501)
    keys.ignore("iosize", "id")
    if port != EXIT_PORT:
        raise Refused(keys.option, "iobase=0x%x: the board's exit port is "
                      "0xf4: say isa-debug-exit,iobase=0xf4" % port)
    pc.has_exit = True


def do_debug_console(pc, keys):
    pc.debug_ports.append((keys.option, keys.take("chardev"),
                           keys.number("iobase")))
    keys.ignore("id", "readback")


def do_serial(pc, keys):
    number, at = keys.number("index"), keys.number("iobase")
    irq = keys.number("irq")
    if at is not None or irq is not None:
        number = next((n for n, (base, line) in enumerate(SERIALS)
                       if at in (None, base) and irq in (None, line)), None)
        if number is None:
            raise Refused(keys.option, "the board has COM1 at 0x3f8 with IRQ "
                          "4, and COM2 at 0x2f8 with IRQ 3")
    pc.serial_words.append((keys.option,
                            "chardev:%s" % keys.take("chardev", ""), number))
    keys.ignore("id")


def do_parallel(pc, keys):
    if keys.number("index", 0) or keys.number("iobase", 0x378) != 0x378 or \
            keys.number("irq", 7) != 7:
        raise Refused(keys.option, "the board has one parallel port, LPT1 at "
                      "0x378, IRQ 7")
    pc.parallel_words.append((keys.option,
                              "chardev:%s" % keys.take("chardev", "")))
    keys.ignore("id")


def do_rng(pc, keys):
    pc.has_rng = True
    keys.ignore("rng", "id", "bus", "addr", "max-bytes", "period",
                *buses.VIRTIO_KEYS)


def do_balloon(pc, keys):
    pc.has_balloon = True
    keys.ignore("id", "bus", "addr", "deflate-on-oom", "guest-stats*",
                "free-page-reporting", *buses.VIRTIO_KEYS)


def do_test_device(pc, keys):
    pc.has_test_device = True
    keys.ignore("id")


def do_pointer(pc, keys):
    """vmmouse, the part of the backdoor that QEMU names."""
    pc.has_vmport = True
    keys.ignore("id", "i8042")


def do_vga(_pc, keys):
    memory = keys.number("vgamem_mb", 8)
    if memory > 8:
        raise Refused(keys.option, "vgamem_mb=%d: the board has 8 MiB" % memory)
    keys.ignore("id", "bus", "addr", "xres", "yres", "edid", "romfile")


DEVICES = {
    "isa-debug-exit": do_exit,
    "isa-debugcon": do_debug_console,
    "isa-serial": do_serial,
    "isa-parallel": do_parallel,
    "ide-hd": lambda pc, keys: buses.do_disk(pc, keys, False),
    "ide-drive": lambda pc, keys: buses.do_disk(pc, keys, False),
    "ide-cd": lambda pc, keys: buses.do_disk(pc, keys, True),
    "scsi-hd": lambda pc, keys: buses.do_scsi_disk(pc, keys, False),
    "scsi-cd": lambda pc, keys: buses.do_scsi_disk(pc, keys, True),
    "usb-storage": buses.do_usb_disk,
    "pc-testdev": do_test_device,
    "vmmouse": do_pointer,
    "vmport": do_pointer,
    "virtio-blk-pci": buses.do_virtio_disk,
    "virtio-blk": buses.do_virtio_disk,
    "virtio-rng-pci": do_rng,
    "virtio-rng": do_rng,
    "virtio-balloon-pci": do_balloon,
    "virtio-balloon": do_balloon,
    "VGA": do_vga,
}
for _do, _names in ((nics.do_card, nics.MODELS),
                    (buses.do_usb_controller, buses.USB_CONTROLLERS),
                    (buses.do_usb_device, buses.USB_DEVICES),
                    (buses.do_scsi_adapter, buses.SCSI_ADAPTERS)):
    DEVICES.update((name, functools.partial(_do, name=name)) for name in _names)
DEVICES.update((name, buses.do_ahci) for name in buses.AHCI_CONTROLLERS)


def do_device(pc, text):
    name = text.split(",", maxsplit=1)[0].removeprefix("driver=")
    keys = Keys("-device " + name, text, "driver")
    keys.take("driver")
    if name not in DEVICES:
        why = next((why for start, why in MISSING
                    if name.lower().startswith(start)),
                   "there is no such device here; known are " +
                   ", ".join(DEVICES))
        raise Refused(keys.option, why)
    DEVICES[name](pc, keys)
    keys.end()


def do_vga_option(pc, name):
    if name == "none":
        pc.note("-vga none", "the adapter is there, without a BIOS of its own")
        pc.has_vga_bios = False
    elif name not in VGA:
        raise Refused("-vga " + name, "the board's display adapter is QEMU's "
                      "VGA: say std")


# ---- -global ---------------------------------------------------------------

# What the board is like anyway, as driver.property=value.
SAME = ("cfi.pflash01.secure=off", "ICH9-LPC.disable_s3=1",
        "ICH9-LPC.disable_s4=1", "PIIX4_PM.disable_s3=1",
        "PIIX4_PM.disable_s4=1", "ICH9-LPC.noreboot=false",
        "kvm-pit.lost_tick_policy=discard",
        "mc146818rtc.lost_tick_policy=discard", "isa-fdc.driveA=")
SECURE = "cfi.pflash01.secure=on"


def global_words(text):
    """driver.property and value, of both ways to write it."""
    keys = Keys("-global", text)
    if "driver" in keys.values:
        driver, name = keys.take("driver"), keys.take("property")
        value = keys.take("value")
        keys.end()
        return "%s.%s" % (driver, name), value or ""
    name, _, value = text.partition("=")
    return name, value


def do_global(pc, text):
    name, value = global_words(text)
    option = "-global " + name
    if name == "isa-debugcon.iobase":
        pc.debug_port = number(option, value)
        if pc.debug_port not in DEBUG_PORTS:
            raise Refused(option, "%s: the board's debug consoles are at 0x402 "
                          "and 0xe9" % value)
    elif name == "isa-debug-exit.iobase" and \
            number(option, value) == EXIT_PORT:
        pass
    elif "%s=%s" % (name, value) == SECURE:
        raise Refused(option, "on: flash memory that only system management "
                      "mode may write, which the board has not: build "
                      "without SMM_REQUIRE")
    elif "%s=%s" % (name, value) not in SAME:
        raise Refused(option, "%s: no such property can be set here" % value)
