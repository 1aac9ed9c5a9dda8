# SPDX-License-Identifier: BSD-2-Clause
"""A host's end of the control protocol, for tests: guests that are variables.

What is typed into a text screen stands there, and Enter begins a line.  A guest's
`scenes` follow each other: each picture that is sent brings the next.
"""

import contextlib
import os
import select
import socket
import struct
import sys

import folder    # noqa: F401: the way to the tool
from bulkhead_tool.control import frames, keys

COLUMNS, ROWS = 80, 25
LETTERS = {strokes[0][-1]: (character, len(strokes[0]) == 2)
           for character, strokes in keys.Layout("us").strokes.items()
           if len(strokes[0]) == 1}
SHIFTED = {strokes[0][-1]: character
           for character, strokes in keys.Layout("us").strokes.items()
           if len(strokes[0]) == 2}
RIGHTS = ["watch", "type", "steer", "debug"]
WINDOW = 4    # frames of a dump that are not taken


class Guest:
    def __init__(self, name, lines=("",)):
        self.name, self.state = name, "running"
        self.lines = list(lines)
        self.picture = None    # width, height, rows of (r, g, b): a graphics mode
        self.scenes = []
        self.version = 1    # of its screen
        self.keys, self.pointer, self.serial = [], [], b""
        self.terminals = []    # sizes that it was told
        self.places = []    # of the pointer, or None, one a request
        self.takes_places = False
        self.starts = 1
        self.has_shift = False
        self.core_size, self.core = 0, []    # a dump: offsets and bytes
        self.missing = 0    # times that it does not run when it is looked at
        self.unread, self.reads = 0, 1    # of its keyboard; so many a look
        self.prints = []    # bytes, one frame each
        self.prints_late = b""    # on its way when it is closed
        self.end_of_printer = None    # of the event `gone`; None: it goes on
        self.leaves = 0    # unread of what is typed
        self.losses = 0    # parts of pictures that do not arrive

    def show(self, lines=None, picture=None):
        self.lines, self.picture = list(lines or ("",)), picture
        self.version += 1

    def type(self, codes):
        self.keys += codes
        for code in codes:
            if abs(code) == keys.SHIFT:
                self.has_shift = code > 0
            elif code == keys.NAMES["ret"]:
                self.lines.append("")
            elif code in LETTERS:
                self.lines[-1] += (SHIFTED if self.has_shift else {}).get(
                    code, LETTERS[code][0])
        self.version += 1

    def point(self, takes_places):
        self.takes_places = takes_places
        self.version += 1

    def mode(self):
        return dict(self.shape(), pointer="absolute" if self.takes_places else
                    "relative")

    def shape(self):
        if self.picture:
            return {"mode": "graphics", "width": self.picture[0],
                    "height": self.picture[1], "depth": 24}
        return {"mode": "text", "width": 720, "height": 400,
                "columns": COLUMNS, "rows": ROWS, "cell_width": 9,
                "cell_height": 16, "depth": 4}

    def cells(self):
        lines = (self.lines + [""] * ROWS)[:ROWS]
        data = b"".join(bytes([c, 7]) for line in lines
                        for c in line.ljust(COLUMNS)[:COLUMNS].encode("cp437"))
        return struct.pack("<HHi", COLUMNS, ROWS, 5) + data

    def pixels(self):
        """Binary frames' contents: runs above, a raw line at the bottom."""
        width, height, rows = self.picture or (720, 400, [[(0, 0, 0)] * 720] * 400)
        runs = b""
        for pixel in (p for row in rows[:-1] for p in row):
            bgr = bytes(reversed(pixel))
            if runs[-3:] == bgr and runs[-4] < 255:
                runs = runs[:-4] + bytes([runs[-4] + 1]) + bgr
            else:
                runs += b"\1" + bgr
        raw = b"".join(bytes(reversed(p)) + b"\0" for p in rows[-1])
        return [struct.pack("<HHHHBxxx", 0, 0, width, height - 1, 1) + runs,
                struct.pack("<HHHHBxxx", 0, height - 1, width, 1, 0) + raw]


class Host:
    """Answers what comes at its end of a socket, which may be a carrier."""

    def __init__(self, end, guests=()):
        self.end = end
        self.guests = {g.name: g for g in guests}
        self.decoder = frames.Decoder(frames.TO_HOST_MAX)
        self.has_greeted = False
        self.hellos = 0
        self.rights = RIGHTS
        self.heard = []    # all requests
        self.watches = {}    # by id: [verb, guest, version told, mode told]
        self.dumps = {}    # by id: the guest, how many frames were sent
        self.waiting = {}    # screens without an answer yet, by id
        self.silent = set()    # verbs that get no answer
        self.busy = set()    # verbs that are refused for now
        self.lose = {}    # verb: how many answers get lost
        self.noise = b""    # before each frame
        self.keeps = {}    # what a test's own verb needs
        self.networks = ["lan0"]
        self.ports = {}    # of them, by id: the verb
        self.captured = []    # for a capture: time, lost so far, bytes
        self.ends_ports = False    # when they have had them
        self.time = 0

    # ---- Sending ---------------------------------------------------------

    def send(self, frame):
        self.end.sendall(self.noise + frame)

    def answer(self, number, **more):
        self.send(frames.encode_json(dict({"id": number, "ok": True}, **more)))

    def refuse(self, number, error, **more):
        self.send(frames.encode_json(dict(
            {"id": number, "ok": False, "error": error}, **more)))

    def event(self, number, name, **more):
        self.send(frames.encode_json(dict({"id": number, "event": name},
                                          **more)))

    def begin(self):
        self.send(frames.encode_json({"event": "begin", "version": 1}))

    def binary(self, number, what, data):
        self.send(frames.encode_binary(number, what, data))

    # ---- Verbs -----------------------------------------------------------

    def take(self, data, now=0.0):
        for kind, payload in self.decoder.feed(data, now):
            if kind == frames.BINARY:
                number, what, rest = frames.parse_binary(payload)
                if what == frames.DEBUG and number in self.watches:
                    self.binary(number, what, b"+" + rest)
                elif what == frames.SERIAL and number in self.watches:
                    self.watches[number][1].serial += rest
                    self.binary(number, what, rest.upper())
                elif what == frames.NETWORK and number in self.ports:
                    self.binary(number, what, struct.pack(
                        "<QII", self.time, 0, 0) + rest)
                elif what == frames.CORE:
                    self.dump_more(number, *struct.unpack("<I", rest))
                continue
            self.request(frames.parse_json(payload))
        self.pictures()

    def request(self, thing):
        self.heard.append(thing)
        number, verb = thing["id"], thing["verb"]
        if verb == "hello":
            self.has_greeted = True
            self.hellos += 1
            self.watches.clear()
            self.waiting.clear()
            self.dumps.clear()
            self.ports.clear()
        if verb in self.silent:
            return
        if not self.has_greeted:
            self.refuse(number, "say hello first")
            return
        if verb in self.busy:
            self.refuse(number, "busy")
            return
        act = getattr(self, "do_" + verb, None)
        guest = self.guests.get(thing.get("guest"))
        if not act:
            self.refuse(number, "unknown verb", what=verb)
        elif "guest" in thing and not guest:
            self.refuse(number, "no such guest", what=thing["guest"],
                        hint="list shows them")
        else:
            self.act(act, number, verb, thing, guest)

    def act(self, act, number, verb, thing, guest):
        end = self.end
        if self.lose.get(verb):
            self.lose[verb] -= 1
            self.end = Nobody()
        try:
            act(number, thing, guest)
        finally:
            self.end = end

    def do_hello(self, number, _thing, _guest):
        self.answer(number, version=1, host="test", rights=self.rights)

    def do_list(self, number, _thing, _guest):
        for guest in self.guests.values():
            self.event(number, "guest", guest=guest.name, state=guest.state,
                       vcpus=2, memory=64, starts=guest.starts)
        self.answer(number)

    def do_pause(self, number, _thing, guest):
        guest.state = "paused"
        self.answer(number)

    def do_reset(self, number, _thing, guest):
        guest.starts += 1
        self.answer(number)

    def do_start(self, number, _thing, _guest):
        self.refuse(number, "refused", hint="it runs already")

    def do_keys(self, number, thing, guest):
        if thing["keys"]:
            guest.type(thing["keys"])
            guest.unread += guest.leaves
            self.answer(number)
        else:
            self.answer(number, unread=guest.unread)
            guest.unread = max(0, guest.unread - guest.reads)

    def do_pointer(self, number, thing, guest):
        guest.pointer.append([thing.get(k, 0) for k in
                              ("dx", "dy", "wheel", "buttons")])
        guest.places.append((thing["x"], thing["y"]) if "x" in thing
                            else None)
        self.answer(number)

    def do_terminal(self, number, thing, guest):
        if guest.name == "dos":
            self.refuse(number, "refused", what="guest",
                        hint="the manifest gives it no virtio-console")
            return
        guest.terminals.append((thing["columns"], thing["rows"]))
        self.answer(number)

    def do_statistics(self, number, _thing, guest):
        self.answer(number, paused=guest.state == "paused", vcpus=2, frames=3,
                    pixels=4, inputs=len(guest.keys), exits=[5, 6, 7],
                    tsc_hz=2000, run=[1500, 0], idle=[500, 2000],
                    ram=64 << 20, charged=65 << 20, disk_units=[0, 2],
                    disk_requests=[8, 1], disk_read=[2000, 48],
                    disk_written=[100, 0], disk_errors=[0, 0])

    def do_serial(self, number, _thing, guest):
        self.watches[number] = ["serial", guest, 0, None]
        self.answer(number)
        self.binary(number, frames.SERIAL, b"login: ")

    def do_printer(self, number, _thing, guest):
        if any(w[0] == "printer" for w in self.watches.values()):
            self.refuse(number, "refused", what=guest.name,
                        hint="somebody else takes what it prints")
            return
        self.answer(number)
        self.watches[number] = ["printer", guest, 0, None]
        for data in guest.prints:
            self.binary(number, frames.SERIAL, data)
        if guest.end_of_printer is not None:
            del self.watches[number]
            self.event(number, "gone", **guest.end_of_printer)

    def do_log(self, number, _thing, _guest):
        self.watches[number] = ["log", None, 0, None]
        self.answer(number)
        self.binary(number, frames.SERIAL, b"[   0.000001] Bulkhead\n")

    def do_debug(self, number, _thing, guest):
        self.watches[number] = ["debug", guest, 0, None]
        self.answer(number)

    def do_dump(self, number, thing, guest):
        if self.dumps:
            self.refuse(number, "busy", what=guest.name,
                        hint="a dump is under way: later")
            return
        self.dumps[number] = [guest, 0]
        self.answer(number, size=guest.core_size)
        self.dump_more(number, 0)

    def dump_more(self, number, taken):
        """As many frames as it may, or its end."""
        if number not in self.dumps:
            return
        guest, sent = self.dumps[number]
        for offset, data in guest.core[sent:taken + WINDOW]:
            self.binary(number, frames.CORE,
                        struct.pack("<IIQ", sent, 0, offset) + data)
            sent += 1
        self.dumps[number][1] = sent
        if sent == len(guest.core):
            del self.dumps[number]
            self.event(number, "done", frames=sent)

    def plug(self, number, thing):
        name = thing.get("network", self.networks[0])
        if name not in self.networks:
            self.refuse(number, "refused", what=name,
                        hint="is no network: there are " +
                        ", ".join(self.networks))
            return
        self.ports[number] = thing["verb"]
        self.answer(number, network=name, time=self.time)

    def do_join(self, number, thing, _guest):
        self.plug(number, thing)

    def do_capture(self, number, thing, _guest):
        self.plug(number, thing)
        if number not in self.ports:
            return
        for at, lost, data in self.captured:
            self.binary(number, frames.NETWORK,
                        struct.pack("<QII", at, lost, 0) + data)
        if self.ends_ports:
            del self.ports[number]
            self.event(number, "gone")

    def do_close(self, number, thing, _guest):
        self.dumps.pop(thing["of"], None)
        self.ports.pop(thing["of"], None)
        watch = self.watches.pop(thing["of"], None)
        if watch and watch[0] == "printer":
            self.binary(thing["of"], frames.SERIAL, watch[1].prints_late)
        self.waiting.pop(thing["of"], None)
        self.answer(number)

    def do_screen(self, number, thing, guest):
        if guest.missing:
            guest.missing -= 1
            self.refuse(number, "not running", what=guest.name)
            return
        watch = self.watches.setdefault(number, ["screen", guest, 0, None])
        if thing.get("all"):
            watch[2:] = 0, None    # the mode, too
        self.waiting[number] = thing.get("as", "pixels")

    def pictures(self):
        for number, form in list(self.waiting.items()):
            watch = self.watches[number]
            guest = watch[1]
            if watch[2] == guest.version:
                continue
            del self.waiting[number]
            watch[2] = guest.version
            parts = []
            if watch[3] != guest.mode():
                watch[3] = guest.mode()
                parts.append((self.event, (number, "mode"), guest.mode()))
            if form == "pixels":
                parts += [(self.binary, (number, frames.PIXELS, data), {})
                          for data in guest.pixels()]
            elif not guest.picture:
                parts.append((self.binary, (number, frames.CELLS,
                                            guest.cells()), {}))
            for say, words, more in parts:
                if guest.losses:
                    guest.losses -= 1
                else:
                    say(*words, **more)
            self.answer(number, parts=len(parts))
            if guest.scenes:
                guest.show(*guest.scenes.pop(0))

    # ---- Running ---------------------------------------------------------

    def turn(self, wait=0.0):
        """False when nobody is at the other end any more."""
        while select.select([self.end], [], [], wait)[0]:
            data = self.end.recv(65536)
            if not data:
                return False
            self.take(data)
        return True

    def run(self):
        """Until nobody is at the other end."""
        with contextlib.suppress(ConnectionError):
            while self.turn(10):
                pass


class Simulated(Host):
    """Says at its console that a screen is looked at again."""

    looks = 0

    def do_screen(self, number, thing, guest):
        self.looks += 1
        if self.looks == 2:
            print("second look", flush=True)
        super().do_screen(number, thing, guest)


class Nobody:
    """Where lost answers go."""

    def sendall(self, _data):
        pass


def simulator(words):
    """QEMU's part in `bulkhead run`: a console, and a host at its second port."""
    at = next(w for w in words if w.startswith("socket,id=control,"))
    end = socket.socket(fileno=int(at.rpartition("fd=")[2]))
    print("[   0.000000] Bulkhead", flush=True)
    name = os.environ.get("FAKE_GUEST", "dos")
    guests = [Guest(n, ["Starting...", "C:\\>"]) for n in name.split(",")]
    Simulated(end, guests).run()


if __name__ == "__main__":
    simulator(sys.argv[1:])
