# SPDX-License-Identifier: BSD-2-Clause
"""Bochs as a simulated host: VT-x, or AMD-V a second time.

The host always boots from the ISO.  Bochs has no terminal of its own here:
its COM1 is a pseudo terminal that relay(), run as a program, joins to standard
input and output, so that a session sees no difference from QEMU's.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import tty

CPU = "corei7_haswell_4770"
BIOS = "/usr/share/bochs/BIOS-bochs-latest"

# The clock is the instructions, so that runs repeat tick for tick; a word
# written to port 8900h, or ACPI's power-off, ends Bochs by a "panic".  That of
# its processor comes at every triple fault, of a guest too, before the guest
# exits for it.
CONFIG = """config_interface: textconfig
display_library: term
cpu: model={cpu}, count={cpus}, ips=50000000, reset_on_triple_fault=0, \
ignore_bad_msrs=0
memory: guest={memory}, host={memory}
romimage: file={bios}, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
clock: sync=none, time0=1600000000
vga: extension=vbe, update_freq=5, realtime=0
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
    from . import Problem, iso
    # --icount asks for what Bochs does anyway.
    if args.uefi or args.gdb or args.qemu:
        raise Problem("--uefi, --gdb and --qemu are for QEMU")
    if not os.path.exists(BIOS):
        raise Problem("Bochs is missing: install bochs, bochs-term, "
                      "bochsbios, vgabios")
    image = iso.medium(the_host, work)
    memory = args.host_memory or the_host.memory_mib()
    line = [sys.executable, os.path.realpath(__file__), work,
            "cpu=" + (args.cpu_model or CPU), "cpus=%d" % args.cpus,
            "memory=%d" % memory, "iso=" + image,
            "bios=" + os.path.abspath(args.bios or BIOS)]
    if args.serial_log:
        line.append("serial_log=" + os.path.abspath(args.serial_log))
    return line


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
    return subprocess.Popen(
        ["bochs", "-q", "-f", rc, "-rc", debugger], cwd=work,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=open(os.path.join(work, "bochs.err"), "w"),
        env=dict(os.environ, TERM="vt100"))


LEAVE = b"\x01x"    # Ctrl-A X, as with QEMU


def relay(simulator, master, log):
    """Bytes both ways until Bochs ends or the keys to leave are typed."""
    inputs, previous = [master, 0], b""
    while True:
        ready, _, _ = select.select(inputs, [], [], 0.2)
        if master in ready:
            data = os.read(master, 65536)
            os.write(1, data)
            if log:
                log.write(data)
                log.flush()
        elif simulator.poll() is not None:
            return
        if 0 in ready:
            data = os.read(0, 256)
            if (previous + data).lower().find(LEAVE) >= 0:
                return
            if data:
                os.write(master, data)
                previous = data[-1:]
            else:
                inputs.remove(0)


def explain(work):
    """Why Bochs ended at once, when it did."""
    for name in ("bochs.err", "bochs.log"):
        path = os.path.join(work, name)
        if not os.path.exists(path):
            continue
        with open(path, errors="replace") as f:
            for text in f:
                if ">>PANIC<<" in text and "shut" not in text.lower() and \
                        "power off" not in text:
                    sys.stderr.write("bochs: " + text)


def main():
    work = sys.argv[1]
    values = dict(word.split("=", 1) for word in sys.argv[2:])
    log_path = values.pop("serial_log", None)
    log = open(log_path, "wb") if log_path else None
    master, slave = pty.openpty()
    tty.setraw(slave)
    simulator = start(work, values, os.ttyname(slave))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))
    before = termios.tcgetattr(0) if os.isatty(0) else None
    if before:
        tty.setraw(0)
        # Lines end as on any terminal; only the input is raw.
        mode = termios.tcgetattr(0)
        mode[1] = before[1]
        termios.tcsetattr(0, termios.TCSANOW, mode)
    try:
        relay(simulator, master, log)
    finally:
        if before:
            termios.tcsetattr(0, termios.TCSANOW, before)
        if simulator.poll() is None:
            simulator.kill()    # it takes no notice of SIGTERM
        simulator.wait()
        explain(work)


if __name__ == "__main__":
    main()
