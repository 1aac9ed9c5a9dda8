# SPDX-License-Identifier: BSD-2-Clause
"""-device of disks and of what they are at: IDE, AHCI, SCSI, USB."""

from .syntax import Refused

UHCI, XHCI = "uhci", "xhci"
# By QEMU's names.
USB_CONTROLLERS = {"piix3-usb-uhci": UHCI, "piix4-usb-uhci": UHCI,
                   "qemu-xhci": XHCI, "nec-usb-xhci": XHCI}
USB_DEVICES = {"usb-kbd": "keyboard", "usb-mouse": "mouse",
               "usb-tablet": "tablet"}
AHCI_CONTROLLERS = ("ahci", "ich9-ahci")
AHCI_PORTS = 6
# By QEMU's names, and what the manifest calls their bus.
SCSI_ADAPTERS = {"lsi53c895a": "lsi", "lsi": "lsi",
                 "virtio-scsi-pci": "virtio-scsi", "virtio-scsi": "virtio-scsi"}
SCSI_IDS = 7    # but the adapter's own
IDE_CHANNELS = 2
# The board's are transitional, and go by their drivers.
VIRTIO_KEYS = ("disable-legacy", "disable-modern", "event_idx",
               "indirect_desc", "packed", "romfile", "iommu_platform", "ats")


# ---- Disks -----------------------------------------------------------------

def take_disk(pc, keys):
    """The drive that it is, of a -drive without an interface."""
    name = keys.take("drive")
    if name not in pc.named:
        raise Refused(keys.option, "there is no -drive if=none,id=%s before "
                      "it" % name)
    disk = pc.named[name]
    if disk.unit is not None:
        raise Refused(keys.option, "drive=%s: another device has it" % name)
    disk.boot_index = keys.number("bootindex")
    disk.serial = keys.take("serial")
    return disk


def do_disk(pc, keys, is_cdrom):
    """ide-hd, ide-cd: at one of the board's channels or of AHCI's ports."""
    disk = take_disk(pc, keys)
    bus, unit = keys.take("bus"), keys.number("unit")
    name, _, number = (bus or "").rpartition(".")
    disk.is_cdrom = is_cdrom or disk.is_cdrom
    disk.model = keys.take("model")
    keys.ignore("id", "ver", "wwn", "logical_block_size",
                "physical_block_size", "write-cache", "share-rw", "discard*",
                "rotation_rate")
    if name and name == pc.ahci and number.isdigit():
        if unit:
            raise Refused(keys.option, "unit=%d: a port has one drive" % unit)
        pc.attach(keys.option, disk, int(number), bus="ahci")
        return
    if bus not in (None, "ide.0", "ide.1"):
        raise Refused(keys.option, "bus=%s: the board has ide.0 and ide.1%s" %
                      (bus, ", and %s.0 to %s.%d" % (
                          pc.ahci, pc.ahci, AHCI_PORTS - 1) if pc.ahci else ""))
    first = 2 * int(number) if bus else 0
    pc.attach(keys.option, disk, None if unit is None else first + unit,
              range(first, first + 2) if bus else None)


def do_usb_disk(pc, keys):
    disk = take_disk(pc, keys)
    if disk.is_cdrom:
        raise Refused(keys.option, "a CD-ROM drive: at USB there are disks "
                      "alone")
    keys.ignore("id", "bus", "port", "removable", "write-cache", "share-rw",
                "logical_block_size", "physical_block_size", "discard*")
    pc.attach(keys.option, disk, bus="usb")


def do_scsi_disk(pc, keys, is_cdrom):
    bus, unit = keys.take("bus"), keys.number("scsi-id")
    if not pc.scsi or bus not in (None, pc.scsi + ".0"):
        raise Refused(keys.option, "there is no adapter before it%s: say "
                      "-device lsi53c895a or virtio-scsi-pci" %
                      (" with the bus " + bus if bus else ""))
    if keys.number("lun", 0) or keys.number("channel", 0):
        raise Refused(keys.option, "a target has LUN 0 alone")
    disk = take_disk(pc, keys)
    disk.is_cdrom = is_cdrom or disk.is_cdrom
    keys.ignore("id", "ver", "vendor", "product", "wwn", "device_id",
                "logical_block_size", "physical_block_size", "write-cache",
                "share-rw", "discard*", "removable", "dpofua", "rotation_rate")
    pc.attach(keys.option, disk, unit, bus=pc.scsi_bus)


def do_virtio_disk(pc, keys):
    disk = take_disk(pc, keys)
    if disk.is_cdrom:
        raise Refused(keys.option, "a CD-ROM drive: say scsi-cd at -device "
                      "virtio-scsi-pci")
    keys.ignore("id", "bus", "addr", "num-queues", "queue-size", "iothread",
                "scsi", "write-cache", "config-wce", "share-rw", "discard*",
                "write-zeroes", "logical_block_size", "physical_block_size",
                *VIRTIO_KEYS)
    pc.attach(keys.option, disk, bus="virtio")


# ---- Controllers and what else is at them ------------------------------------

def do_ahci(pc, keys):
    if pc.ahci:
        raise Refused(keys.option, "a second one: there is one")
    pc.ahci = keys.take("id")
    if not pc.ahci:
        raise Refused(keys.option, "without an id no drive can be at it")
    keys.ignore("bus", "addr", "multifunction")


def do_scsi_adapter(pc, keys, name):
    if pc.scsi:
        raise Refused(keys.option, "the board has one SCSI adapter")
    pc.scsi, pc.scsi_bus = keys.take("id", "scsi"), SCSI_ADAPTERS[name]
    keys.ignore("bus", "addr", "multifunction", "num_queues", "iothread",
                *VIRTIO_KEYS)


def add_usb(pc, option, kind):
    if pc.usb not in (None, kind):
        raise Refused(option, "a second one: there is one USB controller")
    pc.usb = kind


def do_usb_controller(pc, keys, name):
    add_usb(pc, keys.option, USB_CONTROLLERS[name])
    keys.ignore("id", "bus", "addr", "multifunction", "p2", "p3", "masterbus",
                "firstport")


def do_usb_device(pc, keys, name):
    pc.usb_devices.setdefault(USB_DEVICES[name], keys.option)
    keys.ignore("id", "bus", "port", "usb_version", "pcap", "display", "head")


def do_usb_word(pc, word):
    """-usbdevice, whose controller comes with it."""
    name = {"keyboard": "usb-kbd"}.get(word, "usb-" + word)
    if name not in USB_DEVICES:
        raise Refused("-usbdevice " + word, "known are keyboard, mouse and "
                      "tablet")
    pc.is_usb_wanted = True
    pc.usb_devices.setdefault(USB_DEVICES[name], "-usbdevice " + word)


def finish(pc):
    """The controllers that there are at the end."""
    if pc.is_usb_wanted and not pc.usb:
        pc.usb = UHCI
    options = list(pc.usb_devices.values())
    options += ["-device usb-storage" for d in pc.drives if d.bus == "usb"]
    if options and not pc.usb:
        raise Refused(options[0], "there is no USB controller: say -usb or "
                      "-device qemu-xhci")
    for option, bus in (("-device ahci", pc.ahci and "ahci"),
                        ("-device lsi53c895a" if pc.scsi_bus == "lsi" else
                         "-device virtio-scsi-pci", pc.scsi_bus)):
        if bus and all(d.bus != bus for d in pc.drives):
            pc.note(option, "it has no drive, so that it is not there")
