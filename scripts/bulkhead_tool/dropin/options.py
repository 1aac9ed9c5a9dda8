# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's options by name: what each says about the PC, or why it is refused."""

import difflib
import os
import re

from .. import processes
from ..control import gdb
from . import buses, devices, drives, nics, ports
from .pc import Pc
from .syntax import PAGE, Keys, Refused, size

VCPUS_MAX = 32
VNC_PORT = 5900
ITEM_NAME_MAX = 55


# ---- The machine -----------------------------------------------------------

MACHINES = {
    "q35": "the board is QEMU's pc, an i440FX: no PCI Express, no AHCI, no "
           "ICH9. Firmware for it needs a build for i440FX",
    "microvm": "the board is QEMU's pc",
    "isapc": "the board is QEMU's pc",
    "none": "the board is QEMU's pc",
}


def do_machine(pc, text):
    keys = Keys("-machine", text, "type")
    name = keys.take("type", "pc")
    if name != "pc" and not re.match(r"pc-(i440fx|\d)", name):
        kind = "q35" if name.startswith("pc-q35") else name
        raise Refused("-machine " + name, MACHINES.get(
            kind, "the board is QEMU's pc"))
    if keys.flag("smm"):
        raise Refused("-machine smm=on", "the board has no system management "
                      "mode: build without SMM_REQUIRE, or say smm=off")
    if keys.flag("nvdimm"):
        raise Refused("-machine nvdimm=on", "the board has no NVDIMM")
    pc.is_usb_wanted |= keys.flag("usb")
    pc.is_acpi_off |= not keys.flag("acpi", True)
    pc.has_vmport |= keys.values.get("vmport") != "auto" and \
        keys.flag("vmport")
    for flag in ("hpet", "pit", "pic", "rtc", "i8042"):
        if not keys.flag(flag, True):
            raise Refused("-machine %s=off" % flag, "the board always has it")
    pc.is_graphics_off |= not keys.flag("graphics", True)
    keys.ignore("accel", "kernel_irqchip", "kernel-irqchip", "vmport",
                "dump-guest-core", "mem-merge", "kvm-type", "sata", "smbus",
                "fd-bootchk", "memory-backend", "pcspk-audiodev",
                "default-bus-bypass-iommu", "hpet", "suppress-vmdesc")
    keys.end()


def do_memory(pc, text):
    keys = Keys("-m", text, "size")
    pc.memory = size("-m", keys.take("size", "128"))
    keys.ignore("slots", "maxmem")
    keys.end()


def do_smp(pc, text):
    keys = Keys("-smp", text, "cpus")
    cpus = keys.number("cpus")
    pc.topology = {n: keys.number(n) for n in ("sockets", "cores", "threads")
                   if n in keys.values}
    most = keys.number("maxcpus", cpus)
    for name in ("dies", "clusters", "books", "drawers", "modules"):
        if keys.number(name, 1) != 1:
            raise Refused("-smp", "%s: has to be 1" % name)
    keys.end()
    if cpus is None and most is None and pc.topology:
        cpus = 1
        for count in pc.topology.values():
            cpus *= count
    cpus = cpus or most or 1
    if most not in (None, cpus):
        pc.note("-smp maxcpus", "processors cannot be added while it runs")
        pc.topology = {}
    if not 1 <= cpus <= VCPUS_MAX:
        raise Refused("-smp", "%d: the board has 1 to %d vCPUs" %
                      (cpus, VCPUS_MAX))
    pc.vcpus = cpus


def do_cpu(pc, text):
    pc.note("-cpu " + text, "the guest has the simulated host's processor")


def do_bios(pc, name):
    pc.firmware = pc.find_firmware("-bios", name)


def do_kernel(pc, name):
    pc.kernel = pc.find("-kernel", name)


def do_initrd(pc, name):
    if "," in name and not os.path.exists(name):
        raise Refused("-initrd", "several modules: the board takes one")
    pc.initrd = pc.find("-initrd", name)


def do_append(pc, text):
    pc.cmdline = text


# ---- Ports -----------------------------------------------------------------

def do_serial(pc, word):
    pc.serial_words.append(("-serial", word, len(pc.serial_options)))
    pc.serial_options.append(word)


def do_debugcon(pc, word):
    pc.debug_words.append(("-debugcon", word))


def do_chardev(pc, text):
    name, port = ports.of_chardev(text)
    if name in pc.chardevs:
        raise Refused("-chardev", "id=%s is there already" % name)
    pc.chardevs[name] = port


def do_monitor(_pc, word):
    if word not in ports.NOWHERE:
        raise Refused("-monitor " + word, "there is no such monitor: "
                      "'bulkhead ctl' steers a guest that runs; say none")


def do_parallel(pc, word):
    if word != "none":
        pc.parallel_words.append(("-parallel", word))


def do_nographic(pc):
    pc.is_nographic = pc.is_graphics_off = True


# ---- Screens and debuggers -------------------------------------------------

def do_display(pc, text):
    name = text.split(",", maxsplit=1)[0]
    if name in ("gtk", "sdl"):
        pc.display = name
    elif name.startswith("vnc"):
        do_vnc(pc, text.partition("=")[2])
    elif name not in ("none", "curses", "default"):
        raise Refused("-display " + name, "known are none, gtk, sdl and vnc")
    elif name != "none":
        raise Refused("-display " + name, "'bulkhead screenshot --text' shows "
                      "a text screen, -vnc any")


def do_vnc(pc, text):
    if text == "none":
        pc.vnc = None
        return
    found = re.fullmatch(r"([\w.-]*):(\d{1,4})", text, re.ASCII)
    if not found:
        raise Refused("-vnc", "'%s' has to be HOST:NUMBER, without more" %
                      text)
    name = found[1] or "127.0.0.1"
    if name not in ("127.0.0.1", "localhost"):
        raise Refused("-vnc", "%s: others could connect: 'bulkhead vnc "
                      "--password-file' is for them" % text)
    if not found[1]:
        pc.note("-vnc " + text, "at 127.0.0.1 only")
    pc.vnc = name, VNC_PORT + int(found[2])


def do_gdb(pc, text):
    if text == "none":
        return
    found = re.fullmatch(r"tcp:([\w.-]*):(\d{1,5})(,server.*)?", text,
                         re.ASCII)
    if not found:
        raise Refused("-gdb", "'%s' has to be tcp::PORT" % text)
    pc.gdb = found[1] or "127.0.0.1", int(found[2])


def do_s(pc):
    pc.gdb = "127.0.0.1", gdb.PORT


def do_stop(pc):
    pc.is_paused = True


# ---- The start and the end -------------------------------------------------

def do_boot(pc, text):
    keys = Keys("-boot", text, "order")
    order, once = keys.take("order"), keys.take("once")
    if once:
        pc.note("-boot once", "it holds for every start of the guest's")
    pc.order = once or order or pc.order
    for letter in pc.order or "":
        if not "a" <= letter <= "p":
            raise Refused("-boot", "'%s' is no drive" % letter)
    if keys.flag("menu"):
        pc.note("-boot menu=on", "SeaBIOS shows no menu here")
    pc.is_strict = keys.flag("strict")
    keys.ignore("splash", "splash-time", "reboot-timeout")
    keys.end()


def do_no_reboot(pc):
    pc.no_reboot = True


def do_action(pc, text):
    keys = Keys("-action", text)
    reboot = keys.take("reboot", "reset")
    if reboot not in ("reset", "shutdown"):
        raise Refused("-action", "reboot=%s: has to be reset or shutdown" %
                      reboot)
    pc.no_reboot |= reboot == "shutdown"
    if keys.take("shutdown", "poweroff") != "poweroff":
        raise Refused("-action", "shutdown=pause: a guest that is off has no "
                      "machine here")
    keys.ignore("watchdog", "panic")
    keys.end()


def do_rtc(pc, text):
    keys = Keys("-rtc", text)
    base = keys.take("base")
    keys.ignore("clock", "driftfix")
    keys.end()
    pc.clock = base or pc.clock


def do_fw_cfg(pc, text):
    keys = Keys("-fw_cfg", text, "name")
    name, path, words = (keys.take(n) for n in ("name", "file", "string"))
    keys.end()
    if not name or len(name) > ITEM_NAME_MAX:
        raise Refused("-fw_cfg", "a name has 1 to %d characters" %
                      ITEM_NAME_MAX)
    if (path is None) == (words is None):
        raise Refused("-fw_cfg " + name, "it has to have a file or a string")
    if path is None:
        pc.items.append((name, None, os.fsencode(words)))
    else:
        pc.items.append((name, pc.find("-fw_cfg", path), None))


def do_option_rom(pc, text):
    name = pc.find_firmware("-option-rom", text.split(",", maxsplit=1)[0]
                            .removeprefix("romfile="))
    pc.items.append(("genroms/" + os.path.basename(name), name, None))


def do_usb(pc):
    pc.is_usb_wanted = True


def do_no_acpi(pc):
    pc.is_acpi_off = True


def do_snapshot(pc):
    pc.is_snapshot = True


def do_folder(pc, name):
    pc.folders.append(name)


def do_pid_file(pc, name):
    pc.pid_file = name


# ---- The table -------------------------------------------------------------

# Whether it has a value, and who does it.
DONE = {
    "machine": (True, do_machine), "M": (True, do_machine),
    "m": (True, do_memory), "smp": (True, do_smp), "cpu": (True, do_cpu),
    "bios": (True, do_bios), "pflash": (True, drives.do_pflash),
    "drive": (True, drives.do_drive), "cdrom": (True, drives.do_cdrom),
    "fda": (True, drives.do_floppy("-fda", 0)),
    "fdb": (True, drives.do_floppy("-fdb", 1)),
    "hda": (True, drives.do_hd("-hda", 0)),
    "hdb": (True, drives.do_hd("-hdb", 1)),
    "hdc": (True, drives.do_hd("-hdc", 2)),
    "hdd": (True, drives.do_hd("-hdd", 3)),
    "usb": (False, do_usb), "usbdevice": (True, buses.do_usb_word),
    "no-acpi": (False, do_no_acpi),
    "snapshot": (False, do_snapshot), "boot": (True, do_boot),
    "device": (True, devices.do_device), "global": (True, devices.do_global),
    "vga": (True, devices.do_vga_option),
    "serial": (True, do_serial), "debugcon": (True, do_debugcon),
    "chardev": (True, do_chardev), "monitor": (True, do_monitor),
    "parallel": (True, do_parallel), "nographic": (False, do_nographic),
    "display": (True, do_display), "vnc": (True, do_vnc),
    "gdb": (True, do_gdb), "s": (False, do_s), "S": (False, do_stop),
    "kernel": (True, do_kernel), "initrd": (True, do_initrd),
    "append": (True, do_append), "fw_cfg": (True, do_fw_cfg),
    "option-rom": (True, do_option_rom),
    "nic": (True, nics.do_nic), "net": (True, nics.do_net),
    "netdev": (True, nics.do_netdev), "rtc": (True, do_rtc),
    "no-reboot": (False, do_no_reboot), "action": (True, do_action),
    "L": (True, do_folder), "pidfile": (True, do_pid_file),
}

# Whether it has a value: there is nothing here that it would change.
IGNORED = {
    "accel": True, "enable-kvm": False, "no-kvm": False, "nodefaults": False,
    "no-user-config": False, "nodefconfig": False, "name": True, "uuid": True,
    "no-fd-bootchk": False, "sandbox": True, "msg": True, "overcommit": True,
    "mem-prealloc": False, "mem-path": True, "audio": True, "audiodev": True,
    "k": True, "tb-size": True, "seed": True,
}

# Why: QEMU has it, and here it cannot be.
REFUSED = {
    "no-shutdown": "a guest that is off has no machine here: its screen and "
                   "memory are gone. 'bulkhead dump' saves a core before",
    "blockdev": "say -drive",
    "soundhw": "the board has no sound",
    "no-hpet": "the board always has an HPET",
    "acpitable": "the board's tables are its own",
    "smbios": "the board's tables are its own",
    "qmp": "'bulkhead ctl' and docs/control.md are for that",
    "mon": "'bulkhead ctl' steers a guest that runs",
    "icount": "'bulkhead test' counts instructions, and 'bulkhead run "
              "--icount'",
    "d": "it is about QEMU's interpreter: POST codes, a core and gdb are "
         "here, and 'bulkhead ctl statistics' counts exits",
    "D": "it is about QEMU's interpreter", "trace": "it is about QEMU's "
                                                    "interpreter",
    "plugin": "it is about QEMU's interpreter",
    "loadvm": "a guest's state cannot be loaded", "incoming": "a guest "
                                                  "cannot be moved",
    "daemonize": "it runs in the foreground: put & behind it",
    "readconfig": "write the options on the command line",
    "writeconfig": "'bulkhead qemu --manifest' prints the manifest",
    "watchdog": "the board has no watchdog",
    "object": "there are no objects here", "tpmdev": "the board has no TPM",
    "numa": "the board has one node", "spice": "-vnc is there",
    "virtfs": "the board has no virtio devices",
    "fsdev": "the board has no virtio devices", "sd": "the board has no SD "
                                                      "card",
    "mtdblock": "say -drive if=pflash", "win2k-hack": "it is not needed",
    "runas": "start it as that user", "chroot": "start it there",
    "set": "write it with the option itself", "semihosting": "there is none",
    "preconfig": "there is none", "compat": "there is none",
    "only-migratable": "a guest cannot be moved",
}


# What is about drives, networks and folders that may be named behind it.
LATE = ("device", "bios", "option-rom")


def parse(words):
    """The Pc that a command line asks for; Problem."""
    pc = Pc()
    words = list(words)
    late = []
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            DONE["hda"][1](pc, word)
            continue
        name = word[2:] if word.startswith("--") else word[1:]
        if name in LATE:
            late.append((DONE[name][1], value_of(name, words)))
        else:
            do_option(pc, name, words)
    for do, value in late:
        do(pc, value)
    pc.finish()
    return pc


def value_of(name, words):
    if not words:
        raise Refused("-" + name, "a value has to follow it")
    return words.pop(0)


def do_option(pc, name, words):
    if name in DONE:
        has_value, do = DONE[name]
        if has_value:
            do(pc, value_of(name, words))
        else:
            do(pc)
    elif name in IGNORED:
        if IGNORED[name]:
            value_of(name, words)
    elif name in REFUSED:
        raise Refused("-" + name, REFUSED[name])
    else:
        known = [*DONE, *IGNORED]
        close = difflib.get_close_matches(name, known, 1)
        raise Refused("-" + name, "there is no such option here%s" %
                      (": did you mean -%s?" % close[0] if close else ""))


def show_help():
    processes.say(
        "usage: bulkhead qemu [--manifest] QEMU-OPTIONS...\n\nRuns what "
        "QEMU's command line asks for on Bulkhead, in a simulator, and\n"
        "ends with QEMU's status. --manifest prints the manifest instead. "
        "These options\nare known, and %s says what becomes of "
        "them:\n\n%s" %
        (PAGE, wrapped(["-" + name for name in [*DONE, *IGNORED]])))


def wrapped(words, width=78):
    lines = [" "]
    for word in words:
        if len(lines[-1]) + len(word) + 1 > width:
            lines.append(" ")
        lines[-1] += " " + word
    return "\n".join(lines)
