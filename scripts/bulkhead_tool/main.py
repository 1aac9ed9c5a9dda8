# SPDX-License-Identifier: BSD-2-Clause
"""The command line of `bulkhead`."""

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import sys
import tempfile

from . import Problem, bochs, host, iso, processes, qemu, session, symbols
from .arguments import Parser, argument, seconds, whole
from .control import commands as control_commands
from .control import far_end, keys, running, sockets, viewers, web
from .dropin import commands as dropin_commands
from .importer import commands as import_commands
from .test import commands as test_commands

EPILOG = """
A manifest describes the whole host: docs/manifest.md lists what it may say,
examples/ has some to start from. Build the monitor with 'make' before.

  scripts/bulkhead run examples/quick.dts
      boots the quick guest, its console on this terminal (Ctrl-A X leaves)
  scripts/bulkhead run examples/quick.dts --timeout 120 \\
      --expect 'quick# ' --send 'uname -a\\r' --expect 'Linux quick'
      does so unattended; exit status 0 says that all was seen, in order
  scripts/bulkhead run examples/quick.dts --control
      and in another terminal: scripts/bulkhead screenshot -o x.png, and
      type, click, wait, record, top (docs/tool-control.md)
  scripts/bulkhead image examples/quick.dts -o host.iso
      makes an ISO that boots the same from a CD or USB stick, BIOS or UEFI
  scripts/bulkhead test examples/firmware
      runs cases about firmware and says how each ended
      (docs/testing-firmware.md)
  scripts/bulkhead qemu -bios my.rom -serial stdio
      runs what QEMU's options ask for, and ends with QEMU's status
      (docs/qemu-options.md)
  scripts/bulkhead import old.vmdk -o old.dts
      writes a manifest for a disk that there is (docs/import.md)
  scripts/bulkhead check examples/quick.dts
      only says whether the manifest is right, and the files it names
  scripts/bulkhead explain-entry LOG
      says why an Intel processor refused to enter a guest, from the dump of
      its VMCS that the monitor left in its log
  scripts/bulkhead symbolize LOG
      shows a log with the functions' names in the monitor's backtraces

Exit status: 0 all went well, 1 it did not, 2 a wrong option, 128 + N ended by
signal N; and where all went well but the guest wrote N to its port 0xf4, N.
"""

CPUS_MAX = 255
MEMORY_MIB_MAX = 1 << 20


class Step(argparse.Action):
    """What is expected and what is typed share one list, which has an order."""

    def __call__(self, parser, namespace, value, option=None):
        namespace.steps = namespace.steps + [(option.lstrip("-"), value)]


def add_run(commands):
    run = commands.add_parser(
        "run", help="boot a manifest's host in a simulator",
        description="Boots the host in a simulator, its console on the "
        "terminal; Ctrl-A X leaves. With --expect, --send, --fail or "
        "--until-end it runs unattended.")
    run.add_argument("manifest", metavar="MANIFEST",
                     help="a manifest, or an ISO that 'image' made (then say "
                     "--host-memory if the guests need more than 1 GiB)")
    run.add_argument("--sim", choices=["qemu", "bochs"], default="qemu",
                     help="the simulator (default: qemu, an AMD-V host; bochs "
                     "is an Intel host with VT-x unless --cpu says else)")
    run.add_argument("--cpus", type=whole(1, CPUS_MAX), metavar="N",
                     help="host CPUs (default: 2, and 1 with bochs)")
    run.add_argument("--host-memory", type=whole(1, MEMORY_MIB_MAX), metavar="MiB",
                     help="host memory (default: what the guests need)")
    run.add_argument("--cpu", "--cpu-model", metavar="MODEL",
                     dest="cpu_model", help="the simulator's CPU model "
                     "(default: EPYC; corei7_haswell_4770 with bochs)")
    run.add_argument("--icount", action="store_true",
                     help="count instructions as the clock: runs repeat; "
                     "with qemu it needs --cpus 1, bochs always does it")
    run.add_argument("--parallel", action="store_true",
                     help="the host's CPUs run at the same time, to find what "
                     "goes wrong between them, and another one for what QEMU "
                     "does wrong then (qemu only)")
    run.add_argument("--iso", action="store_true",
                     help="boot the ISO through SeaBIOS and GRUB, as bochs "
                     "always does")
    run.add_argument("--uefi", action="store_true",
                     help="boot the ISO through OVMF and GRUB (qemu only)")
    run.add_argument("--bios", metavar="FILE",
                     help="the host's firmware instead of the simulator's "
                     "SeaBIOS or BIOS")
    run.add_argument("--gdb", action="store_true",
                     help="wait for gdb at localhost:1234 before starting "
                     "(qemu only)")
    run.add_argument("--qemu", action="append", default=[], metavar="ARG",
                     help="one more argument for QEMU, as --qemu=ARG (qemu "
                     "only)")
    run.add_argument("--serial-log", metavar="FILE",
                     help="keep what the console says in a file, too")
    run.add_argument("--control", metavar="SOCKET", nargs="?", const="",
                     help="give the host a control port, and share it at a "
                     "socket for 'ctl', 'screenshot', 'type' and the others "
                     "(behind MANIFEST; default: build/run/MANIFEST.sock; qemu "
                     "only)")
    run.add_argument("--control-serial", action="store_true",
                     help="the control port is the second serial port, as on "
                     "real hardware, instead of a virtio console")
    run.add_argument("--net", metavar="[SWITCH=]WHAT", action="append",
                     default=[], type=argument(far_end.parse),
                     help="join a network of the host's, the only one if none "
                     "is named, to QEMU's user network (user[,tftp=DIR,"
                     "bootfile=NAME,hostfwd=...]), a socket (socket:PATH) or a "
                     "TAP interface (tap:IF), as 'join' does. Implies "
                     "--control")
    run.add_argument("--display", metavar="KIND", default="none",
                     help="give the host a screen: gtk opens a window, vnc=:1 "
                     "answers VNC clients at port 5901, or what else QEMU "
                     "knows (default: none; qemu only)")
    script = run.add_argument_group("unattended")
    script.add_argument("--expect", action=Step, dest="steps", default=[],
                        type=argument(session.pattern),
                        metavar="REGEX", help="wait until the console shows "
                        "this; several are met in the order given. ^ and $ are "
                        "ends of lines, . is any character")
    script.add_argument("--send", action=Step, dest="steps",
                        type=argument(session.unescape),
                        metavar="TEXT", help="then type this; \\r is Enter, "
                        "\\e is Escape, \\xHH any byte")
    script.add_argument("--expect-screen", action=Step, dest="steps",
                        type=argument(running.screen_step),
                        metavar="[GUEST:]REGEX", help="wait until a guest's "
                        "text screen shows this; rows are lines. Name the "
                        "guest if there are several. Implies --control")
    script.add_argument("--type", action=Step, dest="steps",
                        type=argument(running.type_step),
                        metavar="[GUEST:]KEYS", help="then type this on its "
                        "keyboard, as 'type' does: {ret} is Enter")
    script.add_argument("--layout", choices=list(keys.LAYOUTS), default="us",
                        help="for --type (default: us)")
    script.add_argument("--fail", action="append", default=[],
                        type=argument(session.pattern),
                        metavar="REGEX", help="give up at once when the "
                        "console shows this")
    script.add_argument("--until-end", action="store_true",
                        help="after all that the host has to power off by "
                        "itself, and without having failed")
    script.add_argument("--timeout", type=seconds, metavar="S",
                        help="give up after S seconds (default: 300 "
                        "unattended, else never)")
    script.add_argument("--quiet", action="store_true",
                        help="do not show the console")
    run.set_defaults(action=do_run)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="bulkhead", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Checks, runs or packs a Bulkhead host, all of which one "
        "manifest file describes.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True,
                                     parser_class=Parser)
    add_run(commands)
    control_commands.add(commands)
    viewers.add(commands)
    web.add(commands)
    test_commands.add(commands)
    dropin_commands.add(commands)
    import_commands.add(commands)
    image = commands.add_parser("image", help="make a bootable ISO")
    image.add_argument("manifest", metavar="MANIFEST")
    image.add_argument("-o", "--output", required=True, metavar="X.iso")
    image.set_defaults(action=do_image)
    check = commands.add_parser("check", help="check a manifest")
    check.add_argument("manifest", metavar="MANIFEST")
    check.add_argument("--policy", nargs="?", const="text",
                       choices=["text", "dot"],
                       help="say who can reach whom, who shares what and what "
                       "is denied; dot: for Graphviz. Behind MANIFEST")
    check.set_defaults(action=do_check)
    explain = commands.add_parser(
        "explain-entry", help="say why VT-x refused to enter a guest",
        description="Names every rule of the manual's that the guest state "
        "of a dumped VMCS breaks. Exit status 1: there is no whole dump.")
    explain.add_argument("log", metavar="LOG",
                         help="what the console said, as --serial-log keeps it")
    explain.set_defaults(action=do_explain_entry)
    symbolize = commands.add_parser(
        "symbolize", help="name the functions in a panic's backtrace",
        description="Shows what the console said, with a function's name "
        "behind each address of the monitor's backtraces. 'run' does so by "
        "itself when the monitor has panicked.")
    symbolize.add_argument("log", metavar="LOG",
                           help="what the console said, as --serial-log keeps "
                           "it")
    symbolize.add_argument("--monitor", metavar="ELF",
                           help="the image that was booted (default: "
                           "build/bulkhead32.elf)")
    symbolize.set_defaults(action=do_symbolize)
    return parser.parse_args(argv)


def do_check(args, work):
    if args.policy:
        sys.stdout.write(host.policy(args.manifest, work, args.policy))
        return 0
    the_host = host.Host(args.manifest, work)
    processes.say("%s is right: %d guest(s), %d boot modules, a host of %d MiB"
                  % (args.manifest, len(host.names(the_host.guests)),
                     len(the_host.modules), the_host.memory_mib()))
    for line in host.presets(the_host.dtb) + host.refusals(the_host.dtb):
        processes.say(line)
    return 0


def do_explain_entry(args, _work):
    checker = os.path.join(host.BUILD, "entry-check")
    if not os.path.exists(checker):
        raise Problem("%s is missing: run 'make build/entry-check'" % checker)
    status, output, complaints = processes.run(
        [checker, host.readable(args.log, "log")])
    words = output.decode(errors="replace") + complaints
    if status:
        raise Problem("%s: %s" % (args.log, words.strip()))
    processes.say(words.rstrip())
    return 0


def do_symbolize(args, _work):
    with open(host.readable(args.log, "log"), encoding="latin-1") as f:
        text = f.read()
    processes.say(symbols.annotate_log(
        text, args.monitor or host.monitor()).rstrip())
    return 0


def without_drives(the_host, why):
    """Files are drives where QEMU simulates them, and nowhere else."""
    if the_host.drives:
        raise Problem("%s: source: file: %s" % (the_host.drives[0].node, why))


def do_image(args, work):
    the_host = host.Host(args.manifest, work)
    without_drives(the_host, "is a drive of a simulated host and does not "
                   "travel in an ISO: name a drive of the real one, by serial:, "
                   "gpt: or uuid:, or an image, which is in memory and loses "
                   "what is written")
    iso.make(the_host, args.output, work)
    processes.say("%s is ready. It carries SeaBIOS (LGPL-3) and GRUB (GPL-3); "
                  "their\nlicence texts are in its folder licences/." %
                  args.output)
    return 0


def serial_log_check(path):
    """A log that cannot be written is no reason to find out later."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND |
                         os.O_NONBLOCK, 0o666))
    except OSError as error:
        raise Problem("--serial-log: '%s' cannot be written: %s" %
                      (path, error.strerror)) from None


def screen_steps(args, the_host, path):
    """Who does the steps that need the control port; None if none does."""
    if not any(kind in running.KINDS for kind, _ in args.steps):
        return None
    guests = None if the_host.iso else host.names(the_host.guests)
    steps = running.Steps(path, args.layout, guests)
    steps.check(args.steps)
    return steps


def control_path(args):
    """Where the control port's socket shall be; None: it has none."""
    if args.control is None and not args.net and \
            not any(kind in running.KINDS for kind, _ in args.steps):
        return None
    if args.sim == "bochs":
        raise Problem("--control, --expect-screen, --type and --net: for QEMU "
                      "only, not with --sim bochs")
    return sockets.place(args.control) if args.control else \
        sockets.of_manifest(args.manifest)


def simulator(args, the_host, work, control):
    """The command line of the simulator that is asked for."""
    if args.sim == "bochs":
        if args.display != "none":
            raise Problem("--display: for QEMU only, not with --sim bochs")
        args.cpus = args.cpus or 1
        without_drives(the_host, "needs a virtio drive, which bochs does not "
                       "have")
        return bochs.command(the_host, args, work)
    args.cpus = args.cpus or 2
    line = qemu.command(the_host, args, work, not is_scripted(args), control)
    for drive in the_host.drives:
        if drive.is_written:
            processes.say("bulkhead: what is written to %s stays in %s" %
                          (drive.node, drive.path))
    return line


def is_scripted(args):
    return bool(args.steps or args.until_end or args.fail)


def do_run(args, work):
    if args.quiet and not is_scripted(args):
        raise Problem("--quiet is for unattended runs: without the console "
                      "there is nothing to see")
    if args.serial_log:
        serial_log_check(args.serial_log)
    if iso.is_iso(args.manifest):
        the_host = iso.IsoHost(args.manifest)
    else:
        the_host = host.Host(args.manifest, work)
    path = control_path(args)
    screens = screen_steps(args, the_host, path)
    control = None
    try:
        if path:
            with processes.held():
                control = running.Control(path, [n.text for n in args.net])
        line = simulator(args, the_host, work, control)
        processes.say("bulkhead: %s\n" % shlex.join(line))
        if control:
            processes.say("bulkhead: the host's control port is at %s\n" %
                          control.path)
        if not is_scripted(args):
            return session.interactive(line, args, the_host.end, control)
        args.timeout = args.timeout or 300
        return session.Scripted(line, args.steps, args, the_host.end, control,
                                screens).run()
    finally:
        if control:
            processes.whole(control.close)


def standard_files():
    """Something behind 0, 1 and 2: no file of ours may get these numbers."""
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return


def tidy(work):
    processes.end_all()
    if work:
        shutil.rmtree(work, ignore_errors=True)


def act(args):
    """The command in a folder for its files, which goes however it ends."""
    work = None
    try:
        with processes.held():
            work = tempfile.mkdtemp(prefix="bulkhead-")
        return args.action(args, work)
    finally:
        processes.whole(tidy, work)


def complain(text):
    with contextlib.suppress(OSError):
        processes.write_all(2, ("\nbulkhead: %s\n" % text).encode(
            errors="backslashreplace"))


def main(argv=None):
    standard_files()
    args = parse_arguments(argv)
    processes.catch_signals()
    try:
        return act(args)
    except Problem as problem:
        complain(problem)
        return 1
    except processes.Ended as ended:
        complain("ended by %s" % signal.Signals(ended.number).name)
        return 128 + ended.number
    except BrokenPipeError:
        # Nobody reads on; Python would say so once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        complain(error)
        return 1
