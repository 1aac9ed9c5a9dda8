# SPDX-License-Identifier: BSD-2-Clause
"""The commands that steer a running host's guests: ctl, type, click, console."""

import contextlib
import json
import os
import re
import select
import sys
import time

from .. import Problem, processes, session
from . import broker, client, dump, frames, keys, screen, sockets

# verb: whether it names a guest (None: it may), what it does.
VERBS = {
    "hello": (False, "who is there, and what it lets us do"),
    "list": (False, "the guests"),
    "start": (True, "start a guest"),
    "stop": (True, "take its power"),
    "restart": (True, "both"),
    "shutdown": (None, "press a guest's power button, then take its power; "
                 "without a name of all, then the host's"),
    "off": (False, "take the power of all guests and the host"),
    "pause": (True, "its vCPUs stand"),
    "resume": (True, "and go on"),
    "reset": (True, "the reset button"),
    "power": (True, "the power button"),
    "nmi": (True, "an NMI to all its vCPUs"),
    "eject": (True, "open the tray of drive unit=N (4, 5: floppy)"),
    "insert": (True, "close it, with medium=FILE or N, or the first one"),
    "balloon": (True, "unit=MIB of its memory go into its balloon"),
    "terminal": (True, "columns=N rows=N of who sits before its virtio console"),
    "unplug": (True, "pull the cable of network card unit=N"),
    "plug": (True, "put it in again"),
    "keys": (True, "keys=CODE,-CODE,... pressed and released"),
    "pointer": (True, "dx=N dy=N wheel=N buttons=BITS; x=N y=N: 0 to 32767, "
                "where the guest takes places"),
    "screen": (True, "the mode, and the text if it is one of text"),
    "serial": (True, "what its first serial port says, until Ctrl-C"),
    "debug-console": (True, "what it writes to ports 402h and E9h; port=1026, "
                      "port=233: to one of them"),
    "printer": (True, "what its parallel port gets, until Ctrl-C"),
    "log": (False, "the monitor's log, until Ctrl-C"),
    "statistics": (True, "vCPUs' time, memory in bytes, counters"),
    "dump": (True, "its core: ctl dump [GUEST] FILE"),
}
NUMBER = re.compile(r"-?\d{1,10}\Z", re.ASCII)
NUMBERS = re.compile(r"-?\d{1,10}(,-?\d{1,10})+\Z", re.ASCII)

DELAY, BATCH = 0.03, 8    # between requests; presses and releases in one
UNREAD_MAX = 30    # seconds that a guest may take for a key

LEAVE = b"\x1d"    # Ctrl-]
BUTTONS = {"left": 1, "right": 2, "middle": 4, "none": 0}
MOVE_MAX = 127    # what one packet of a mouse may say, and a bit less

LIST_HEAD = ("GUEST", "STATE", "VCPUS", "MIB", "STARTS")
LIST_KEYS = ("guest", "state", "vcpus", "memory", "starts")


def connect(args):
    return client.Client(sockets.find(args.socket))


def table(rows):
    """Lines of columns; numbers stand at the right."""
    widths = [max(len(str(row[n])) for row in rows)
              for n in range(len(rows[0]))]
    return ["  ".join(str(v).rjust(w) if isinstance(v, int)
                      else str(v).ljust(w) for v, w in
                      zip(row, widths)).rstrip() for row in rows]


# ---- ctl -------------------------------------------------------------------

def value(text):
    """A key's value as JSON has it."""
    if text in ("true", "false"):
        return text == "true"
    if NUMBER.match(text):
        return int(text)
    if NUMBERS.match(text):
        return [int(n) for n in text.split(",")]
    return text


def ctl_keys(args):
    """The guest that is named, and the other keys."""
    words = list(args.words)
    guest = words.pop(0) if words and "=" not in words[0] else None
    wants_guest = VERBS[args.verb][0]
    if guest and wants_guest is False:
        raise Problem("'%s' is of the whole host: name no guest" % args.verb)
    found = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise Problem("'%s' has to be KEY=VALUE" % word)
        found[name] = value(text)
    if args.verb == "keys" and isinstance(found.get("keys"), int):
        found["keys"] = [found["keys"]]
    return guest, found


def with_times(thing):
    """Ticks of vCPUs as nanoseconds, too."""
    hz = thing.get("tsc_hz")
    return dict(thing, **{k + "_ns": [t * 10 ** 9 // hz for t in thing[k]]
                          for k in ("run", "idle") if hz and k in thing})


def show_reply(args, reply):
    things = [{k: v for k, v in thing.items() if k != "id"} for thing in
              [p.data for p in reply.parts if p.what is None] + [reply.answer]]
    if args.verb == "statistics":
        things[-1] = with_times(things[-1])
    if args.json:
        for thing in things:
            processes.say(json.dumps(thing))
    elif args.verb == "list":
        processes.say("\n".join(table([LIST_HEAD] + [
            tuple(t.get(k, "") for k in LIST_KEYS) for t in things[:-1]])))
    else:
        for name, item in things[-1].items():
            if name in ("ok", "version"):
                continue
            if isinstance(item, list):
                item = " ".join(str(i) for i in item)
            processes.say("%s: %s" % (name, item))


def show_screen(args, link, guest):
    shown = screen.take(link, guest, "text")
    if args.json:
        processes.say(json.dumps({
            "mode": shown.mode, "width": shown.width, "height": shown.height,
            "columns": shown.columns, "rows": shown.rows,
            "cursor": shown.cursor, "pointer": shown.pointer,
            "lines": shown.lines()}))
    else:
        processes.say("%s, %d * %d" % (shown.mode, shown.width, shown.height))
        if shown.cells:
            processes.say(shown.text().rstrip("\n"))


def notice(text):
    """A word between a guest's, which have standard output for themselves."""
    processes.show(("\nbulkhead: %s\n" % text).encode(), "stderr")


def stream_event(verb, thing):
    if thing.get("event") == "lost":
        notice("%s bytes are lost here" % thing.get("bytes", "some"))
    elif thing.get("event") == "gone":
        raise Problem("%s has ended: %s" % (
            verb, thing.get("hint", "what it showed does not run any more")))


def stream(link, verb, keyboard=None, again=None, **more):
    """Bytes of a watch to standard output, until it or the host ends.

    keyboard(data) gives what of the bytes typed goes to the host, and whether
    that is all; at the end of the file it is called once more, with none.
    again() is called once a second and more often.
    """
    number = link.new_id()
    what = frames.DEBUG if verb == "debug" else frames.SERIAL
    reply = link.request(verb, number=number, **more)
    link.unclaimed.extend(reply.parts)
    is_typing = keyboard is not None
    while True:
        if again:
            again()
        inputs = [link] + [0] * is_typing
        ready = select.select(inputs, [], [],
                              0 if link.has_parts() else 1.0)[0]
        if 0 in ready:
            data = os.read(0, 1024)
            is_typing = bool(data)
            data, is_done = keyboard(data)
            link.send_binary(number, what, data)
            if is_done:
                return
        if link not in ready and not link.has_parts():
            continue
        try:
            part = link.next_part(0)
            while part:
                if part.number == number and part.what is not None:
                    processes.show(part.data)
                elif part.number == number:
                    stream_event(verb, part.data)
                part = link.next_part(0)
        except client.Gone:
            notice("the host has ended")
            return


def ctl_dump(args):
    words = args.words
    if not 1 <= len(words) <= 2:
        raise Problem("say which file: 'ctl dump GUEST FILE'")
    with connect(args) as link:
        guest = link.the_guest(words[0] if len(words) == 2 else None)
        processes.say(dump.save(link, guest, words[-1]))
    return 0


def do_ctl(args, _work):
    if args.verb == "dump":
        return ctl_dump(args)
    guest, more = ctl_keys(args)
    with connect(args) as link:
        if VERBS[args.verb][0] or guest:
            guest = more["guest"] = link.the_guest(guest)
        if args.verb == "hello":
            more["version"] = client.VERSION
        if args.verb == "screen":
            show_screen(args, link, guest)
        elif args.verb in ("serial", "debug-console", "printer", "log"):
            with until_interrupted():
                stream(link, args.verb, **more)
        else:
            show_reply(args, link.ask(args.verb, **more))
    return 0


@contextlib.contextmanager
def until_interrupted():
    """Ctrl-C is how one leaves."""
    try:
        yield
    except processes.Ended as ended:
        if ended.number != processes.signal.SIGINT:
            raise


# ---- type and click --------------------------------------------------------

def type_strokes(link, guest, strokes, delay=DELAY, size=BATCH,
                 pause=time.sleep):
    """A few keys at a time, each time when the host has taken the last."""
    for number, batch in enumerate(keys.batches(strokes, size)):
        if number:
            pause(delay)
        link.ask("keys", guest=guest, keys=batch)


def type_to_reader(link, guest, strokes, delay=DELAY, size=BATCH):
    """The same, each time when the guest has read the last."""
    typed = 0

    def wait(seconds):
        nonlocal typed
        typed += size
        time.sleep(seconds)
        wait_for_reader(link, guest, "after %d presses and releases" % typed)

    # What somebody else typed is read first, or it would fill the buffer.
    wait_for_reader(link, guest, "from before")
    type_strokes(link, guest, strokes, delay, size, wait)


def wait_for_reader(link, guest, when):
    """Until it has read its keyboard; Problem if it does not go on reading."""
    before = None
    while True:
        unread = link.ask("keys", guest=guest, keys=[]).answer.get("unread")
        if not unread:
            return
        if unread != before:
            before, end = unread, time.monotonic() + UNREAD_MAX
        elif time.monotonic() > end:
            raise Problem("type: '%s' has not read its keyboard for %g s, %s: "
                          "the rest is not typed" % (guest, UNREAD_MAX, when))
        time.sleep(DELAY)


def do_type(args, _work):
    text = sys.stdin.read() if args.keys == "-" else args.keys
    try:
        strokes = keys.parse(text, args.layout)
    except ValueError as error:
        raise Problem(error) from None
    with connect(args) as link:
        type_to_reader(link, link.the_guest(args.guest), strokes, args.delay,
                       args.batch)
    return 0


def movements(dx, dy):
    """Steps that a mouse can say, straight to the goal."""
    steps = max(1, -(-max(abs(dx), abs(dy)) // MOVE_MAX))
    at_x = at_y = 0
    for step in range(1, steps + 1):
        x, y = dx * step // steps, dy * step // steps
        yield x - at_x, y - at_y
        at_x, at_y = x, y


def do_click(args, _work):
    packets = [(x, y, 0, 0) for x, y in
               (movements(*args.move) if args.move else ())]
    button = BUTTONS[args.button]
    for _ in range(args.times if button else 0):
        packets += [(0, 0, 0, button), (0, 0, 0, 0)]
    if args.wheel:
        packets += [(0, 0, args.wheel[0], 0)]
    with connect(args) as link:
        guest = link.the_guest(args.guest)
        for number, (dx, dy, wheel, buttons) in enumerate(packets):
            if number:
                time.sleep(args.delay)
            link.ask("pointer", guest=guest, dx=dx, dy=dy, wheel=wheel,
                     buttons=buttons)
    return 0


# ---- console and debug -----------------------------------------------------

def until_leave(data):
    before, leave, _ = data.partition(LEAVE)
    return before, bool(leave)


def size_teller(link, guest):
    """A function that tells the guest's virtio console, if it has one, how large
    the terminal is, when that has changed."""
    told = [None]

    def tell():
        try:
            size = os.get_terminal_size(1)
        except OSError:
            return    # it is none
        if size == told[0] or 0 in size:
            return
        told[0] = size
        with contextlib.suppress(client.Refused, client.Late):
            link.request("terminal", guest=guest, columns=size.columns,
                         rows=size.lines)
    return tell


def do_console(args, _work):
    with connect(args) as link:
        guest = link.the_guest(args.guest)
        processes.say("The first serial port of %s. Ctrl-] leaves." % guest)
        with session.raw_keyboard():
            stream(link, "serial", until_leave, size_teller(link, guest),
                   guest=guest)
    processes.say("")
    return 0


def do_debug(args, _work):
    """Standard input and output are gdb's."""
    with connect(args) as link:
        stream(link, "debug", lambda data: (data, not data),
               guest=link.the_guest(args.guest))
    return 0


def do_dump(args, _work):
    with connect(args) as link:
        guest = link.the_guest(args.guest)
        processes.say(dump.save(link, guest, args.output))
    return 0


def do_broker(args, _work):
    if args.descriptors:
        # Of `bulkhead run`, which ends it when it ends, without a word.
        with contextlib.suppress(processes.Ended):
            broker.from_descriptors(*args.descriptors).run()
            # It ends by itself as well, and then is asked to: once is enough.
            processes.ignore_signals()
        return 0
    if not args.port:
        raise Problem("say --port with the serial port that leads to the host")
    carrier = broker.Port(args.port)
    listener = sockets.Listener(sockets.place(
        args.socket or os.path.basename(args.port)))
    try:
        processes.say("bulkhead: %s is at %s; Ctrl-C ends it" %
                      (args.port, listener.path))
        broker.Broker(listener.socket, carrier).run()
    finally:
        listener.close()
    return 0
