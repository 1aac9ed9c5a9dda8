# SPDX-License-Identifier: BSD-2-Clause
"""-device and -global: the devices that the board has, and what it has not."""

import functools

from . import nics
from .drives import INTERFACES
from .pc import DEBUG_PORTS, EXIT_PORT
from .syntax import Keys, Refused, number

NO_NETWORK = ("known cards are %s: say -nic user, or -nic none" %
              ", ".join(nics.MODELS))
# Models by how they begin, and why they are not there.
MISSING = (
    ("i825", NO_NETWORK), ("vmxnet", NO_NETWORK),
    ("virtio-net", NO_NETWORK), ("igb", NO_NETWORK),
    ("virtio", INTERFACES["virtio"].split(":", maxsplit=1)[0]),
    ("vhost", INTERFACES["virtio"].split(":", maxsplit=1)[0]),
    ("scsi", INTERFACES["scsi"]), ("lsi", INTERFACES["scsi"]),
    ("megasas", INTERFACES["scsi"]), ("am53c974", INTERFACES["scsi"]),
    ("usb", "the board has no USB"), ("qemu-xhci", "the board has no USB"),
    ("nec-usb", "the board has no USB"), ("piix3-usb", "the board has no USB"),
    ("ich9-usb", "the board has no USB"),
    ("floppy", "say -fda or -drive if=floppy"),
    ("isa-fdc", "it is there with -fda or -drive if=floppy"),
    ("ahci", "the board has IDE alone"), ("ich9-ahci", "the board has IDE "
                                          "alone"),
    ("nvme", "the board has IDE alone"), ("sd", INTERFACES["sd"]),
    ("tpm", "the board has no TPM"), ("isa-parallel", "the board has no "
                                      "parallel port"),
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
    if keys.number("index", 0) or keys.number("iobase", 0x3f8) != 0x3f8 or \
            keys.number("irq", 4) != 4:
        raise Refused(keys.option, "the board has one serial port, COM1 at "
                      "0x3f8, IRQ 4")
    pc.serial_words.append((keys.option,
                            "chardev:%s" % keys.take("chardev", "")))
    keys.ignore("id")


def do_ide(pc, keys, is_cdrom):
    name = keys.take("drive")
    bus, unit = keys.take("bus"), keys.number("unit")
    if bus not in (None, "ide.0", "ide.1"):
        raise Refused(keys.option, "bus=%s: the board has ide.0 and ide.1" %
                      bus)
    if name not in pc.named:
        raise Refused(keys.option, "there is no -drive if=none,id=%s before "
                      "it" % name)
    disk = pc.named[name]
    disk.is_cdrom = is_cdrom or disk.is_cdrom
    disk.boot_index = keys.number("bootindex")
    first = 2 * int(bus[4:]) if bus else 0
    pc.attach(keys.option, disk, None if unit is None else first + unit,
              range(first, first + 2) if bus else range(4))
    keys.ignore("id", "serial", "ver", "model", "wwn", "logical_block_size",
                "physical_block_size", "write-cache", "share-rw", "discard*")


def do_rng(pc, keys):
    pc.note(keys.option, "there is no such device: the guest has the "
            "processor's RDRAND")
    keys.ignore("rng", "id", "bus", "addr", "max-bytes", "period")


def do_vga(_pc, keys):
    memory = keys.number("vgamem_mb", 8)
    if memory > 8:
        raise Refused(keys.option, "vgamem_mb=%d: the board has 8 MiB" % memory)
    keys.ignore("id", "bus", "addr", "xres", "yres", "edid", "romfile")


DEVICES = {
    "isa-debug-exit": do_exit,
    "isa-debugcon": do_debug_console,
    "isa-serial": do_serial,
    "ide-hd": lambda pc, keys: do_ide(pc, keys, False),
    "ide-drive": lambda pc, keys: do_ide(pc, keys, False),
    "ide-cd": lambda pc, keys: do_ide(pc, keys, True),
    "virtio-rng-pci": do_rng,
    "virtio-rng": do_rng,
    "VGA": do_vga,
}
DEVICES.update((name, functools.partial(nics.do_card, name=name))
               for name in nics.MODELS)


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
