# SPDX-License-Identifier: BSD-2-Clause
"""Bochs as a simulated host: VT-x, or AMD-V a second time.

The host always boots from the ISO.  Bochs has no terminal of its own here:
its COM1 is a pseudo terminal that relay(), run as a program, joins to standard
input and output, so that a session sees no difference from QEMU's.  Bochs
leaves with status 1 whatever happens: the program's status is 0 if its log says
that the host powered off or that the keys to leave were typed.
"""

import ctypes
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tty

CPU = "corei7_haswell_4770"
BIOS = "/usr/share/bochs/BIOS-bochs-latest"

# The clock is the instructions, so that runs repeat tick for tick; a word
# written to port 8900h, or ACPI's power-off, ends Bochs by a "panic".  That of
# its processor comes at every triple fault, of a guest too, before the guest
# exits for it.  The terminal that Bochs shows its screen on ends it at the first
# graphics mode, so that its VGA offers none of GRUB's.
CONFIG = """config_interface: textconfig
display_library: term
cpu: model={cpu}, count={cpus}, ips=50000000, reset_on_triple_fault=0, \
ignore_bad_msrs=0
memory: guest={memory}, host={memory}
romimage: file={bios}, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
clock: sync=none, time0=1600000000
vga: extension=none, update_freq=5, realtime=0
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=term, dev={tty}
panic: action=fatal, cpu0=report
error: action=report
info: action=report
debug: action=ignore
log: {log}
"""

DEBUGGER = "c\n" * 1000 + "q\n"    # Debian's build has one: go on, then leave


def command(the_host, args, work):
    """The whole command line, as a list."""
    from . import Problem, host, iso
    # --icount and --iso ask for what Bochs does anyway.
    given = [option for option, value in (
        ("--uefi", args.uefi), ("--parallel", args.parallel),
        ("--gdb", args.gdb), ("--qemu", args.qemu)) if value]
    if given:
        raise Problem("%s: for QEMU only, not with --sim bochs" %
                      ", ".join(given))
    if not shutil.which("bochs") or not os.path.exists(BIOS):
        raise Problem("Bochs is missing: install bochs, bochs-term, "
                      "bochsbios, vgabios")
    if args.cpu_model and not re.fullmatch(r"\w+", args.cpu_model):
        raise Problem("--cpu: '%s' is no name of a Bochs processor" %
                      args.cpu_model)
    bios = os.path.abspath(host.readable(args.bios, "--bios")) \
        if args.bios else BIOS
    image = iso.medium(the_host, work)
    lock_check(image, args.manifest)
    memory = args.host_memory or the_host.memory_mib()
    line = [sys.executable, os.path.realpath(__file__), work,
            "cpu=" + (args.cpu_model or CPU), "cpus=%d" % args.cpus,
            "memory=%d" % memory, "iso=" + image,
            "bios=" + bios]
    if args.serial_log:
        line.append("serial_log=" + os.path.abspath(args.serial_log))
    return line


def lock_check(image, manifest):
    """Bochs locks what it boots, and a killed one never unlocks it."""
    from . import Problem
    lock = image + ".lock"
    if os.path.lexists(lock):
        raise Problem("'%s' is in use by another Bochs, or was when that was "
                      "killed: if none runs, remove '%s'" % (manifest, lock))


def die_with_relay():
    """PR_SET_PDEATHSIG: nobody else ends Bochs if the relay is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start(work, values, device):
    """Bochs with COM1 at device; its own words go to files in work."""
    values["tty"] = device
    values["log"] = os.path.join(work, "bochs.log")
    rc = os.path.join(work, "bochsrc")
    debugger = os.path.join(work, "debugger.rc")
    with open(rc, "w") as f:
        f.write(CONFIG.format(**values))
    with open(debugger, "w") as f:
        f.write(DEBUGGER)
    with open(os.path.join(work, "bochs.err"), "w") as errors:
        return subprocess.Popen(
            ["bochs", "-q", "-f", rc, "-rc", debugger], cwd=work,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=errors, env=dict(os.environ, TERM="vt100"),
            preexec_fn=die_with_relay)


LEAVE = b"\x01x"    # Ctrl-A X, as with QEMU


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def relay(simulator, master, log):
    """Bytes both ways; True when the keys to leave were typed."""
    inputs, previous, typing = [master, 0], b"", b""
    os.set_blocking(master, False)
    while True:
        ready, room, _ = select.select(inputs, [master] if typing else [], [],
                                       0.2)
        if room:
            typing = typing[os.write(master, typing[:256]):]
        if master in ready:
            data = os.read(master, 65536)
            write_all(1, data)
            if log:
                write_all(log, data)
        elif simulator.poll() is not None:
            return False
        if 0 in ready:
            data = os.read(0, 256)
            if LEAVE in (previous + data).lower():
                return True
            typing += data
            previous = data[-1:]
            if not data:
                inputs.remove(0)


# Panics by which a host's power-off ends Bochs.
POWER_OFF = re.compile(r"shutdown requested|soft power off", re.IGNORECASE)
PANIC = ">>PANIC<<"
EXITING = "Bochs is exiting with the following message:"


def complaints(work):
    """Bochs's own words about why it ended."""
    found, is_next = [], False
    for name in ("bochs.err", "bochs.log"):
        path = os.path.join(work, name)
        if not os.path.exists(path):
            continue
        with open(path, errors="replace") as f:
            for text in f:
                text = text.strip()
                if (PANIC in text or is_next) and text not in found:
                    found = found[-50:] + [text]
                is_next = EXITING in text
    return found


def verdict(work):
    """The status to leave with; says what went wrong."""
    said = complaints(work)
    if any(POWER_OFF.search(text) for text in said):
        return 0
    for text in said or ["it ended and did not say why"]:
        sys.stderr.write("bochs: %s\r\n" % text)
    return 1


def main():
    work = sys.argv[1]
    values = dict(word.split("=", 1) for word in sys.argv[2:])
    log_path = values.pop("serial_log", None)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666) \
        if log_path else None
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    tty.setraw(0)
    master, slave = pty.openpty()
    tty.setraw(slave)
    simulator = start(work, values, os.ttyname(slave))
    try:
        has_left = relay(simulator, master, log)
    finally:
        if simulator.poll() is None:
            simulator.kill()    # it takes no notice of SIGTERM
        simulator.wait()
    return 0 if has_left else verdict(work)


if __name__ == "__main__":
    sys.exit(main())
