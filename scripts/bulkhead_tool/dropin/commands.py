# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead qemu` itself."""

import os

from .. import processes
from . import manifest, options, run

# What is QEMU's is no option of ours: no word of the rest looks like one.
NO_PREFIX = "\n"


def do_qemu(args, work):
    words = args.words
    if words and words[0] in ("-h", "-help", "--help"):
        options.show_help()
        return 0
    is_printed = bool(words) and words[0] == "--manifest"
    pc = options.parse(words[1:] if is_printed else words)
    if not is_printed:
        return run.run(pc, work)
    folder = os.path.join(work, "files")
    os.mkdir(folder)
    processes.say(manifest.make(pc, folder)[0].rstrip())
    return 0


def add(commands):
    command = commands.add_parser(
        "qemu", help="run what QEMU's options ask for", add_help=False,
        prefix_chars=NO_PREFIX)
    command.add_argument("words", nargs="*")
    command.set_defaults(action=do_qemu)
