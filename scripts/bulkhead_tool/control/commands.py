# SPDX-License-Identifier: BSD-2-Clause
"""The command line of what talks to a running host: docs/tool-control.md."""

import argparse

from .. import session
from ..arguments import argument, numbers, seconds, whole
from . import far_end, gdb, keys, network, printer, screens, verbs


def guest_argument(command):
    command.add_argument("guest", metavar="GUEST", nargs="?",
                         help="as the manifest names it (default: the only "
                         "one there is)")


def new(commands, name, action, help_text, description, guest=True):
    command = commands.add_parser(name, help=help_text,
                                  description=description)
    if guest:
        guest_argument(command)
    command.add_argument("--socket", metavar="SOCKET",
                         help="where the host's broker listens: a path, or a "
                         "name in build/run (default: the only one there)")
    command.set_defaults(action=action)
    return command


def add_ctl(commands):
    command = new(
        commands, "ctl", verbs.do_ctl, "ask a running host for something",
        "Sends one verb of docs/control.md and shows the answer.", guest=False)
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = "verbs:\n" + "\n".join(
        "  %-11s %s" % (verb, what) for verb, (_, what) in verbs.VERBS.items())
    command.add_argument("verb", metavar="VERB", choices=list(verbs.VERBS),
                         help="see below")
    command.add_argument("words", metavar="GUEST KEY=VALUE", nargs="*",
                         help="the guest, if the verb is about one (default: "
                         "the only one there is), and the verb's keys; "
                         "numbers with commas between are an array")
    command.add_argument("--json", action="store_true",
                         help="events and answer as JSON, one a line")


def add_gdb(commands):
    command = new(
        commands, "gdb", gdb.do_gdb, "debug a guest with gdb, by TCP",
        "Listens for gdb, one after the other: 'target remote HOST:PORT'. The "
        "guest stops when gdb comes, and runs when it goes.")
    command.add_argument("--listen", type=argument(gdb.address),
                         metavar="HOST:PORT",
                         default=("127.0.0.1", gdb.PORT),
                         help="where (default: 127.0.0.1:%d); who reaches it "
                         "has the guest in hand" % gdb.PORT)
    command.add_argument("--resume", action="store_true",
                         help="a guest that is paused runs when gdb lets it, "
                         "without a 'resume' besides")


def add_type(commands):
    command = new(
        commands, "type", verbs.do_type, "type on a guest's keyboard",
        "Types text. Keys are named in braces: {ret} {esc} {f1} {up} {del}, "
        "{ctrl+alt+del} for several at once, {down*3} for one several times; "
        "{{ is a brace.")
    command.add_argument("keys", metavar="KEYS", help="what to type; - reads "
                         "it from standard input")
    command.add_argument("--layout", choices=list(keys.LAYOUTS), default="us",
                         help="the layout that the guest was told "
                         "(default: us)")
    pace(command)
    command.add_argument("--batch", type=whole(2, keys.STROKE_MAX), metavar="N",
                         default=verbs.BATCH, help="presses and releases in a "
                         "request (default: %d)" % verbs.BATCH)


def pace(command):
    command.add_argument("--delay", type=seconds, metavar="S", default=verbs.DELAY,
                         help="seconds between two requests, for the guest to "
                         "keep up (default: %g)" % verbs.DELAY)


def add_click(commands):
    command = new(
        commands, "click", verbs.do_click, "move and click a guest's mouse",
        "Moves the pointer, then presses and releases a button. Movements are "
        "a mouse's: what they make of them is the guest's business.")
    command.add_argument("--move", metavar="DX,DY",
                         type=numbers(2, -32768, 32767, "DX,DY"),
                         help="first move, right and down; write --move=-3,4 "
                         "with a sign in front")
    command.add_argument("--button", choices=list(verbs.BUTTONS),
                         default="left", help="default: left; none only moves")
    command.add_argument("--times", type=whole(1, 9), metavar="N", default=1,
                         help="2 is a double click (default: 1)")
    command.add_argument("--wheel", type=numbers(1, -8, 7, "N"), metavar="N",
                         help="then turn the wheel")
    pace(command)


def add_screens(commands):
    shot = new(commands, "screenshot", screens.do_screenshot,
               "save what a guest's screen shows",
               "Saves the screen as a picture, or its characters.")
    shot.add_argument("-o", "--output", metavar="X.png",
                      help="the file; its ending says what kind")
    shot.add_argument("--text", action="store_true",
                      help="the characters instead, to standard output if "
                      "there is no -o")
    wait = new(commands, "wait", screens.do_wait,
               "wait until a guest's screen shows something",
               "Waits for text or for a picture; exit status 0 says that it "
               "was seen. Where a picture is is printed: X,Y.")
    wait.add_argument("--text", type=argument(session.pattern),
                      metavar="REGEX", help="rows are lines without blanks at "
                      "their end; ^ and $ are ends of lines, . is any "
                      "character")
    wait.add_argument("--image", metavar="NEEDLE.png",
                      help="a part of the screen; what is transparent in it "
                      "may be anything")
    wait.add_argument("--region", metavar="X,Y,W,H",
                      type=numbers(4, 0, 65535, "X,Y,W,H"),
                      help="only there (default: the whole screen)")
    wait.add_argument("--tolerance", type=whole(0, 255), metavar="N", default=0,
                      help="red, green and blue may each differ so much "
                      "(default: 0)")
    wait.add_argument("--timeout", type=seconds, metavar="S", default=60.0,
                      help="give up after S seconds (default: 60)")
    record = new(commands, "record", screens.do_record,
                 "record what a guest's screen shows",
                 "Records until Ctrl-C: pictures as .gif, or a text screen as "
                 "a .cast that asciinema plays.")
    record.add_argument("-o", "--output", required=True, metavar="X.gif|X.cast")
    record.add_argument("--seconds", type=seconds, metavar="S",
                        help="end after S seconds")
    top = new(commands, "top", screens.do_top, "a table of a host's guests",
              "Shows the guests and how busy they are, anew each second; q "
              "leaves.", guest=False)
    top.add_argument("--once", action="store_true", help="print it once")


def add_dump(commands):
    command = new(
        commands, "dump", verbs.do_dump, "save a guest's core",
        "Saves memory and registers as an ELF file for gdb and crash. The "
        "guest stands meanwhile.")
    command.add_argument("-o", "--output", metavar="X.elf", required=True,
                         help="the file; what is zero is a hole in it")


def add_printer(commands):
    command = new(
        commands, "printer", printer.do_printer,
        "save what a guest prints",
        "Writes the bytes that the guest's parallel port gets to a file as they "
        "come, until Ctrl-C or the guest's end. While nobody does, the guest's "
        "printer is busy.")
    command.add_argument("-o", "--output", metavar="FILE", required=True,
                         help="the file; what was in it is gone")
    command.add_argument("--append", action="store_true",
                         help="goes on behind what is in it")


def add_networks(commands):
    capture = new(
        commands, "capture", network.do_capture,
        "save the frames of a network",
        "Saves all frames of a network of the host's as they come, with their "
        "VLAN tags, until Ctrl-C: a file for wireshark and tcpdump.",
        guest=False)
    capture.add_argument("network", metavar="SWITCH", nargs="?",
                         help="as the manifest names it (default: the only "
                         "one there is)")
    capture.add_argument("-o", "--output", metavar="X.pcapng", required=True)
    capture.add_argument("--count", type=whole(1, 1 << 32), metavar="N",
                         help="end after so many frames")
    join = new(
        commands, "join", network.do_join,
        "plug this machine into a network of the host's",
        "Joins a network of the host's to QEMU's user network (user), to what "
        "listens at a socket and speaks as QEMU's -netdev stream (socket:PATH) "
        "or to a TAP interface (tap:IF), while the host runs.", guest=False)
    join.add_argument("end", metavar="[SWITCH=]WHAT",
                      type=argument(far_end.parse),
                      help="user[,OPTION=VALUE...] (options: %s), socket:PATH, "
                      "tap:IF" % ", ".join(far_end.USER_OPTIONS))
    join.add_argument("--vlan", type=whole(1, 4094), metavar="N",
                      help="of this VLAN alone, without tags")
    join.add_argument("--of-run", action="store_true", help=argparse.SUPPRESS)


def add(commands):
    add_ctl(commands)
    add_screens(commands)
    add_type(commands)
    add_click(commands)
    new(commands, "console", verbs.do_console,
        "use a guest's first serial port",
        "Shows what the guest says at its first serial port and types there. "
        "Ctrl-] leaves.")
    new(commands, "debug", verbs.do_debug, "debug a guest with gdb",
        "Is a pipe to a guest's debugger: in gdb, 'target remote | "
        "scripts/bulkhead debug GUEST'. The guest stops until gdb lets it go "
        "on.")
    add_gdb(commands)
    add_dump(commands)
    add_printer(commands)
    add_networks(commands)
    broker = new(commands, "broker", verbs.do_broker,
                 "share a real host's control port",
                 "Listens at a socket for any number of clients, and carries "
                 "what they say over a serial port to the host's COM2. A port "
                 "that goes away may come back.", guest=False)
    broker.add_argument("--port", metavar="DEV", help="as /dev/ttyUSB0")
    # Of 'run', which has opened both: the socket and the simulator's end.
    broker.add_argument("--descriptors", help=argparse.SUPPRESS,
                        type=numbers(2, 0, 1 << 20, "LISTENER,CARRIER"))
