# SPDX-License-Identifier: BSD-2-Clause
"""-nic, -netdev and -device of a network card, and QEMU's user network."""

from ..control import far_end
from .syntax import Keys, Refused

ONE = "the board has one network card here"
# By QEMU's names.
MODELS = {"e1000": "e1000", "e1000-82540em": "e1000", "e1000e": "e1000e",
          "rtl8139": "rtl8139", "pcnet": "pcnet", "ne2k_pci": "ne2000-pci", "ne2k_isa": "ne2000",
          "virtio-net-pci": "virtio", "virtio-net": "virtio"}
NIC_NAMES = {"virtio": "virtio-net-pci"}    # of -nic alone
IRQS = (3, 5, 7)    # of the ISA bus
OTHERS = "known is user: 'bulkhead join' has others for a host that runs"


class Nic:
    """The card; far_end is what `bulkhead run --net` would have, None: nothing."""

    letter = "n"

    def __init__(self, far, mac=None, boot_index=None, model="e1000"):
        self.far_end, self.mac, self.boot_index = far, mac, boot_index
        self.model = model
        self.port = self.irq = None    # of an ISA card

    @property
    def has_rom(self):
        return self.model != "ne2000"


def take_user(option, keys):
    """The user network of what is left; Refused."""
    words = ["user"]
    for name in list(keys.values):
        value = keys.take(name)
        if "," in value:
            raise Refused(option, "%s has a comma" % name)
        words.append("%s=%s" % (name, value))
    text = ",".join(words)
    try:
        far_end.parse(text)
    except ValueError as error:
        raise Refused(option, str(error)) from None
    return text


def add(pc, option, nic):
    if pc.nic:
        raise Refused(option, ONE)
    pc.nic = nic


def do_netdev(pc, text):
    keys = Keys("-netdev", text, "type")
    kind, name = keys.take("type"), keys.take("id")
    if kind != "user":
        raise Refused("-netdev %s" % kind, OTHERS)
    if not name or name in pc.networks:
        raise Refused("-netdev", "it has to have an id of its own")
    pc.networks[name] = take_user("-netdev", keys)


def do_nic(pc, text):
    keys = Keys("-nic", text, "type")
    kind = keys.take("type")
    if kind == "none":
        return
    if kind != "user":
        raise Refused("-nic %s" % kind, OTHERS)
    model, mac = keys.take("model", "e1000"), keys.take("mac")
    model = NIC_NAMES.get(model, model)
    if model not in MODELS:
        raise Refused("-nic", "model=%s: there is no such card here; known "
                      "are %s" % (model, ", ".join(MODELS)))
    keys.ignore("id", "name")
    add(pc, "-nic", Nic(take_user("-nic", keys), mac, model=MODELS[model]))


def do_net(_pc, text):
    if text.split(",", maxsplit=1)[0] != "none":
        raise Refused("-net " + text, "say -nic user")


def do_card(pc, keys, name):
    """-device of QEMU's NAME."""
    netdev, mac = keys.take("netdev"), keys.take("mac")
    if netdev is not None and netdev not in pc.networks:
        raise Refused(keys.option, "there is no -netdev user,id=%s" % netdev)
    keys.ignore("id", "bus", "addr", "romfile", "rombar")
    nic = Nic(pc.networks.get(netdev), mac, keys.number("bootindex"),
              MODELS[name])
    if not nic.has_rom:
        nic.port, nic.irq = keys.number("iobase"), keys.number("irq")
        if nic.irq not in (None,) + IRQS:
            raise Refused(keys.option, "irq=%d: the board has 3, 5 or 7 for "
                          "it" % nic.irq)
        if nic.boot_index is not None:
            raise Refused(keys.option, "bootindex: it has no ROM: say "
                          "ne2k_pci")
    add(pc, keys.option, nic)
