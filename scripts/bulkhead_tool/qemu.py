# SPDX-License-Identifier: BSD-2-Clause
"""QEMU as a simulated AMD-V host: its command line for a Host.

Two ways to boot: QEMU's own Multiboot loader, quick and without a boot
medium, or an ISO through SeaBIOS or OVMF, as a real machine would.
"""

import os

from . import Problem, host

OVMF = "/usr/share/ovmf/OVMF.fd"

# An AMD processor with SVM. What QEMU 7.2's interpreter cannot do is taken
# away by name, so that it does not warn about each of them.
CPU = ("EPYC,-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,"
       "-topoext,-nrip-save,-xsavec")


# Slots of the PCI bus beside host bridge, ISA bridge and VGA.
DRIVES_MAX = 29


def comma_safe(text):
    """QEMU's option parser ends values at a comma unless it is doubled."""
    return text.replace(",", ",,")


def module_list(modules, work):
    """The value of -initrd: 'file,file'.

    A module's name is the last part of its path, and QEMU ends the path at
    the first space; so each is reached through a link of its name.
    """
    entries = []
    for number, module in enumerate(modules):
        folder = os.path.join(work, str(number))
        os.mkdir(folder)
        link = os.path.join(folder, module.name)
        os.symlink(os.path.realpath(module.path), link)
        entries.append(comma_safe(link))
    return ",".join(entries)


def has_idle_cpu(args, the_host):
    """Whether the host has a CPU more, the first, on which no guest runs.

    FXRSTOR, XRSTOR and FLDENV of any CPU clear IGNNE in a word of QEMU's first
    CPU, without its lock (seen in 7.2).  That word says, too, whether the global
    interrupt flag is set and whether page walks go through nested tables: what
    VMRUN, #VMEXIT or STGI writes there at that time is lost.  The CPU then takes
    no interrupt any more, or the host's state becomes the guest's.  Where only
    one thread runs the CPUs no instruction is cut in two.
    """
    return args.parallel and args.cpus > 1 and not the_host.iso


def accelerator(args, the_host, shift=0):
    """Counted instructions as the clock, 2^shift ns each, or as fast as it goes.

    With drives the clock takes real time while all CPUs wait: else an idle host
    would be at the end of every time limit before its drive, which needs real
    time, had answered.
    """
    if not args.icount:
        thread = "multi" if args.parallel else "single"
        return ["-accel", "tcg,thread=" + thread,
                "-smp", str(args.cpus + has_idle_cpu(args, the_host))]
    if args.parallel:
        raise Problem("--icount runs one thing at a time: --parallel goes without")
    if args.cpus != 1:
        raise Problem("--icount starves every CPU but one: add --cpus 1")
    return ["-accel", "tcg,thread=single", "-smp", "1", "-seed", "1",
            "-icount", "shift=%d,sleep=%s,align=off" %
            (shift, "on" if the_host.has_source else "off"),
            "-rtc", "base=2024-01-01,clock=vm"]


def console(args, interactive):
    log = ",logfile=" + comma_safe(args.serial_log) if args.serial_log else ""
    mux = "on" if interactive else "off"
    line = ["-chardev", "stdio,id=console,signal=off,mux=" + mux + log,
            "-serial", "chardev:console"]
    if interactive:
        line += ["-mon", "chardev=console"]
    return line


def control_port(control, is_serial):
    """Whose other end the broker has: a virtio port, or COM2, which is slow.

    Not a virtconsole: QEMU loses what the broker does not take from it at once.
    """
    if not control:
        return []
    line = ["-chardev", "socket,id=control,fd=%d" % control.fd]
    if is_serial:
        return line + ["-serial", "chardev:control"]
    return line + ["-device", "virtio-serial-pci,disable-legacy=on,max_ports=2",
                   "-device", "virtserialport,chardev=control,nr=1"]


# A PC's display adapter as QEMU has it; its keyboard and mouse are always there.
DISPLAY_DEVICE = ["-device", "VGA"]


def display(args, has_adapter):
    """The host's own screen."""
    if args.display == "none":
        return ["-display", "none"]
    return ["-display", args.display] + ([] if has_adapter else DISPLAY_DEVICE)


def firmware(args):
    if args.uefi and args.bios:
        raise Problem("--uefi and --bios exclude each other: both are the "
                      "host's firmware")
    if args.uefi and not os.path.exists(OVMF):
        raise Problem("%s is missing: install ovmf" % OVMF)
    path = OVMF if args.uefi else args.bios
    return ["-bios", host.readable(path, "--bios")] if path else []


def boot_medium(the_host, args, work):
    if args.iso or args.uefi or the_host.iso:
        from . import iso
        return ["-cdrom", iso.medium(the_host, work), "-boot", "d",
                "-vga", "std"]
    kernel = host.monitor()
    return ["-kernel", kernel, "-vga", "none",
            "-initrd", module_list(the_host.modules, work)] + (
                ["-append", " ".join(the_host.command_line)]
                if the_host.command_line else [])


# A queue more than one needs two interrupts more: the other is for changes.
DRIVE_QUEUES = 2

# Virtio 1 alone: `disk` drives no others.  The drive has a volatile cache, QEMU's
# and this system's, whose flush is this system's fdatasync.  What fails, for
# want of space too, fails in the guest: by default QEMU would stop the host.
DRIVE = ("virtio-blk-pci,drive=%%s,serial=%%s,disable-legacy=on,num-queues=%d,"
         "vectors=%d,write-cache=on,werror=report,rerror=report" %
         (DRIVE_QUEUES, DRIVE_QUEUES + 1))


def drives(the_host):
    """Files as virtio drives."""
    if len(the_host.drives) > DRIVES_MAX:
        raise Problem("%d files are named as sources, but QEMU's board has "
                      "room for %d drives" % (len(the_host.drives), DRIVES_MAX))
    line = []
    for number, drive in enumerate(the_host.drives):
        name = "drive%d" % number
        line += ["-blockdev", "driver=%s,node-name=%s,read-only=%s,"
                 "discard=unmap,file.driver=file,file.filename=%s" %
                 (drive.format, name, "off" if drive.is_written else "on",
                  comma_safe(drive.path)),
                 "-device", DRIVE % (name, drive.serial)]
    return line


def command(the_host, args, work, interactive, control=None, shift=0):
    """The whole command line, as a list."""
    memory = args.host_memory or the_host.memory_mib()
    line = ["qemu-system-x86_64", "-machine", "pc", "-cpu",
            args.cpu_model or CPU]
    line += accelerator(args, the_host, shift)
    line += ["-m", str(memory), "-nodefaults",
             "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    line += console(args, interactive)
    line += control_port(control, args.control_serial)
    line += display(args, args.iso or args.uefi or the_host.iso)
    line += firmware(args)
    line += drives(the_host)
    if has_idle_cpu(args, the_host):
        the_host.command_line.append("boot-cpu=idle")
    line += boot_medium(the_host, args, work)
    if args.gdb:
        line += ["-s", "-S"]
    return line + args.qemu
