# SPDX-License-Identifier: BSD-2-Clause
"""The command line of `bulkhead`."""

import argparse
import shlex
import sys
import tempfile

from . import Problem, bochs, host, iso, qemu, session

EPILOG = """
A manifest describes the whole host: docs/manifest.md lists what it may say,
examples/ has some to start from. Build the monitor with 'make' before.

  scripts/bulkhead run examples/quick.dts
      boots the quick guest, its console on this terminal (Ctrl-A X leaves)
  scripts/bulkhead run examples/quick.dts --timeout 120 \\
      --expect 'quick# ' --send 'uname -a\\r' --expect 'Linux quick'
      does so unattended; exit status 0 says that all was seen, in order
  scripts/bulkhead image examples/quick.dts -o host.iso
      makes an ISO that boots the same from a CD or USB stick, BIOS or UEFI
  scripts/bulkhead check examples/quick.dts
      only says whether the manifest is right
"""


class Step(argparse.Action):
    """--expect and --send share one list, so that their order is kept."""

    def __call__(self, parser, namespace, value, option=None):
        namespace.steps = namespace.steps + [(option.lstrip("-"), value)]


def add_run(commands):
    run = commands.add_parser(
        "run", help="boot a manifest's host in a simulator",
        description="Boots the host in a simulator, its console on the "
        "terminal; Ctrl-A X leaves. With --expect it runs unattended.")
    run.add_argument("manifest", metavar="MANIFEST",
                     help="a manifest, or an ISO that 'image' made (then say "
                     "--host-memory if the guests need more than 1 GiB)")
    run.add_argument("--sim", choices=["qemu", "bochs"], default="qemu",
                     help="the simulator (default: qemu, an AMD-V host; bochs "
                     "is an Intel host with VT-x unless --cpu says else)")
    run.add_argument("--cpus", type=int, metavar="N",
                     help="host CPUs (default: 2, and 1 with bochs)")
    run.add_argument("--host-memory", type=int, metavar="MiB",
                     help="host memory (default: what the guests need)")
    run.add_argument("--cpu", "--cpu-model", metavar="MODEL",
                     dest="cpu_model", help="the simulator's CPU model "
                     "(default: EPYC; corei7_haswell_4770 with bochs)")
    run.add_argument("--icount", action="store_true",
                     help="count instructions as the clock: runs repeat")
    run.add_argument("--iso", action="store_true",
                     help="boot the ISO through SeaBIOS and GRUB")
    run.add_argument("--uefi", action="store_true",
                     help="boot the ISO through OVMF and GRUB")
    run.add_argument("--bios", metavar="FILE",
                     help="with bochs: the host's firmware")
    run.add_argument("--gdb", action="store_true",
                     help="wait for gdb at localhost:1234 before starting")
    run.add_argument("--qemu", action="append", default=[], metavar="ARG",
                     help="one more argument for QEMU, as --qemu=ARG")
    run.add_argument("--serial-log", metavar="FILE",
                     help="keep what the console says in a file, too")
    script = run.add_argument_group("unattended")
    script.add_argument("--expect", action=Step, dest="steps", default=[],
                        metavar="REGEX", help="wait until the console shows "
                        "this; several are met in the order given")
    script.add_argument("--send", action=Step, dest="steps",
                        metavar="TEXT", help="then type this; \\r is Enter, "
                        "\\e is Escape")
    script.add_argument("--fail", action="append", default=[],
                        metavar="REGEX", help="give up at once when the "
                        "console shows this")
    script.add_argument("--until-end", action="store_true",
                        help="after all that the host has to power off")
    script.add_argument("--timeout", type=float, metavar="S",
                        help="give up after S seconds (default: 300 with "
                        "--expect, never without)")
    script.add_argument("--quiet", action="store_true",
                        help="do not show the console")
    run.set_defaults(action=do_run)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="bulkhead", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Checks, runs or packs a Bulkhead host, all of which one "
        "manifest file describes.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_run(commands)
    image = commands.add_parser("image", help="make a bootable ISO")
    image.add_argument("manifest", metavar="MANIFEST")
    image.add_argument("-o", "--output", required=True, metavar="X.iso")
    image.set_defaults(action=do_image)
    check = commands.add_parser("check", help="check a manifest")
    check.add_argument("manifest", metavar="MANIFEST")
    check.set_defaults(action=do_check)
    return parser.parse_args(argv)


def do_check(args, work):
    the_host = host.Host(args.manifest, work)
    print("%s is right: %d guest(s), %d boot modules, a host of %d MiB" %
          (args.manifest, len(the_host.guests), len(the_host.modules),
           the_host.memory_mib()))
    return 0


def do_image(args, work):
    the_host = host.Host(args.manifest, work)
    iso.make(the_host, args.output, work)
    print("%s is ready. It carries SeaBIOS (LGPL-3) and GRUB (GPL-3); their\n"
          "licence texts are in its folder licences/." % args.output)
    return 0


def do_run(args, work):
    if args.manifest.endswith(".iso"):
        the_host = iso.IsoHost(args.manifest)
    else:
        the_host = host.Host(args.manifest, work)
    scripted = args.steps or args.until_end or args.fail
    if args.sim == "bochs":
        args.cpus = args.cpus or 1
        line = bochs.command(the_host, args, work)
    else:
        args.cpus = args.cpus or 2
        line = qemu.command(the_host, args, work, not scripted)
    print("bulkhead: %s\n" % shlex.join(line), flush=True)
    if not scripted:
        return session.interactive(line, args.timeout)
    args.timeout = args.timeout or 300
    return session.Scripted(line, args.steps, args).run()


def main(argv=None):
    args = parse_arguments(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="bulkhead-") as work:
            return args.action(args, work)
    except Problem as problem:
        print("\nbulkhead: %s" % problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
