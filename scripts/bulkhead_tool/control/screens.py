# SPDX-License-Identifier: BSD-2-Clause
"""The commands that watch a guest: screenshot, wait, record, top."""

import contextlib
import curses
import json
import os
import re
import time

from .. import Problem, processes, session
from . import screen, verbs

RATE_MAX = 10    # pictures a second that are recorded
ANSI = (0, 4, 2, 6, 1, 5, 3, 7)    # a PC's colours as terminals number them


def save(image, path, **options):
    try:
        image.save(path, **options)
    except (ValueError, KeyError):
        raise Problem("'%s': its ending is none of a picture: end it in .png" %
                      path) from None
    except OSError as error:
        raise Problem("'%s' cannot be written: %s" %
                      (path, error.strerror or error)) from None


def write_text(text, path):
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    except OSError as error:
        raise Problem("'%s' cannot be written: %s" %
                      (path, error.strerror)) from None


def do_screenshot(args, _work):
    if not args.output and not args.text:
        raise Problem("say -o FILE.png, or --text")
    if not args.text:
        screen.imaging()
    with verbs.connect(args) as link:
        guest = link.the_guest(args.guest)
        shown = screen.take(link, guest, "text" if args.text else "pixels")
    if not args.text:
        save(shown.image(), args.output)
        return 0
    if not shown.cells:
        raise Problem("the screen of %s has no text: its mode is %s" %
                      (guest, shown.mode))
    text = shown.text().rstrip("\n")
    if args.output:
        write_text(text + "\n", args.output)
    else:
        processes.say(text)
    return 0


# ---- wait ------------------------------------------------------------------

def what_is_there(shown):
    """For the message of who waited in vain."""
    if not shown.cells:
        return "The screen's mode is %s, %d * %d." % (
            shown.mode, shown.width, shown.height)
    lines = [l for l in shown.lines() if l.strip()]
    return "The screen shows:\n" + "\n".join(
        "  | " + l for l in lines[-session.TAIL_LINES:])


def image_test(path, region, tolerance):
    try:
        with screen.imaging().open(path) as image:
            size, pixels = screen.needle_pixels(image)
    except (OSError, ValueError) as error:
        raise Problem("'%s' is no picture that can be read: %s" %
                      (path, error)) from None
    if not pixels:
        raise Problem("'%s' is transparent everywhere" % path)
    return lambda shown: screen.find_image(shown, size, pixels, region,
                                           tolerance)


def do_wait(args, _work):
    if bool(args.text) == bool(args.image):
        raise Problem("say --text or --image: what is to be waited for")
    if args.image:
        form, what = "pixels", "image '%s'" % args.image
        test = image_test(args.image, args.region, args.tolerance)
    else:
        form, what = "text", "text '%s'" % args.text.pattern

        def test(shown):
            return args.text.search(shown.text()) if shown.cells else None

    with verbs.connect(args) as link:
        guest = link.the_guest(args.guest)
        watch = screen.Watch(link, guest, form, True)
        end = time.monotonic() + args.timeout
        for shown in screen.follow(watch, end):
            found = test(shown)
            if found:
                if args.image:
                    processes.say("%d,%d" % found)
                return 0
        raise Problem("%s: not within %g s: %s. %s" % (
            guest, args.timeout, what, what_is_there(watch.screen)))


# ---- record ----------------------------------------------------------------

class Gif:
    """Pictures and when they were, as one that moves."""

    form = "pixels"

    def __init__(self, path):
        self.path = path
        self.imaging = screen.imaging()
        self.images, self.times = [], []

    def add(self, at, shown):
        if not shown.pixels:
            return
        image = shown.image()
        self.images.append(image.quantize(256))
        self.times.append(at)

    def finish(self, at):
        if not self.images:
            raise Problem("nothing was shown: no '%s' was made" % self.path)
        size = tuple(max(i.size[n] for i in self.images) for n in (0, 1))
        frames = []
        for image in self.images:
            frame = self.imaging.new("RGB", size)
            frame.paste(image.convert("RGB"))
            frames.append(frame.quantize(256))
        spans = [max(20, round(1000 * (b - a)))
                 for a, b in zip(self.times, self.times[1:] + [at])]
        save(frames[0], self.path, save_all=True, append_images=frames[1:],
             duration=spans, loop=0)


def colours(attribute):
    """Select Graphic Rendition of an attribute byte."""
    front, back = attribute & 15, attribute >> 4 & 7
    return "\x1b[0;%d;%d%sm" % (
        (90 if front & 8 else 30) + ANSI[front & 7], 40 + ANSI[back],
        ";5" if attribute & 0x80 else "")


def drawn_row(shown, row):
    """A row as a terminal is told to draw it."""
    out, before = "\x1b[%d;1H" % (row + 1), None
    for cell in shown.cells[row * shown.columns:(row + 1) * shown.columns]:
        if cell >> 8 != before:
            before = cell >> 8
            out += colours(before)
        out += screen.CP437[cell & 0xff]
    return out


class Cast:
    """A text screen as asciinema plays it (asciicast v2)."""

    form = "text"

    def __init__(self, path):
        self.path = path
        self.lines, self.rows = [], {}
        self.size = (80, 25)

    def add(self, at, shown):
        if not shown.cells:
            return
        size = (shown.columns, shown.rows)
        out = ""
        if not self.lines or size != self.size:
            self.size, self.rows, out = size, {}, "\x1b[0m\x1b[2J"
        for row in range(shown.rows):
            drawn = drawn_row(shown, row)
            if self.rows.get(row) != drawn:
                self.rows[row] = drawn
                out += drawn
        if 0 <= shown.cursor < len(shown.cells):
            out += "\x1b[%d;%dH\x1b[?25h" % (
                shown.cursor // shown.columns + 1,
                shown.cursor % shown.columns + 1)
        else:
            out += "\x1b[?25l"
        self.lines.append([round(at, 3), "o", out])

    def finish(self, _at):
        if not self.lines:
            raise Problem("no text was shown: no '%s' was made" % self.path)
        head = {"version": 2, "width": self.size[0], "height": self.size[1]}
        write_text("".join(json.dumps(l, ensure_ascii=False) + "\n"
                           for l in [head] + self.lines), self.path)


def recorder(path):
    kinds = {".gif": Gif, ".cast": Cast}
    kind = kinds.get(os.path.splitext(path)[1].lower())
    if not kind:
        raise Problem("'%s': its ending has to be .gif, or .cast for text" %
                      path)
    return kind(path)


def do_record(args, _work):
    record = recorder(args.output)
    with verbs.connect(args) as link:
        guest = link.the_guest(args.guest)
        watch = screen.Watch(link, guest, record.form)
        began = time.monotonic()
        end = began + args.seconds if args.seconds else None
        if not end:
            processes.say("bulkhead: recording %s until Ctrl-C" % guest)
        with verbs.until_interrupted():
            for shown in screen.follow(watch, end):
                now = time.monotonic()
                record.add(now - began, shown)
                left = 1 / RATE_MAX if end is None else min(
                    1 / RATE_MAX, end - now)
                time.sleep(max(0, left))
        record.finish(time.monotonic() - began)
    return 0


# ---- top -------------------------------------------------------------------

HEAD = verbs.LIST_HEAD + ("CPU%", "CHARGED", "EXITS/S", "READ/S", "WRITE/S", "EXITS",
                          "PICTURES", "INPUTS")
SECTORS_PER_KIB = 2


class Top:
    """What `list` and `statistics` say, and how fast counters grow."""

    def __init__(self, link):
        self.link = link
        self.before = {}    # by guest and counter: its value, when

    def _statistics(self, guest):
        try:
            return self.link.ask("statistics", guest=guest).answer
        except verbs.client.Refused:
            return {}    # it has no machine now

    def _growth(self, guest, counter, value, now):
        """A second; "" when that is not known, as of one that began anew."""
        old, then = self.before.get((guest, counter), (None, now))
        self.before[guest, counter] = value, now
        if None in (old, value, now, then) or value < old or now <= then:
            return ""
        return (value - old) / (now - then)

    def _rate(self, guest, counter, value, now, per=1):
        rate = self._growth(guest, counter, value, now)
        return rate if rate == "" else round(rate / per)

    def _busy(self, guest, more):
        """Per cent of a processor's time, by the guest's own clock."""
        run, idle = more.get("run"), more.get("idle")
        lived = run[0] + idle[0] if run and idle else None
        rate = self._growth(guest, "run", sum(run) if run else None, lived)
        return rate if rate == "" else round(100 * rate)

    def _row(self, guest, now):
        name = str(guest["guest"])
        more = self._statistics(name)
        sums = {k: sum(more[k]) if k in more else None
                for k in ("exits", "disk_read", "disk_written")}
        charged = more.get("charged", "")
        return tuple(guest.get(k, "") for k in verbs.LIST_KEYS) + (
            self._busy(name, more),
            charged and -(-charged >> 20),
            self._rate(name, "exits", sums["exits"], now),
            self._rate(name, "read", sums["disk_read"], now,
                       SECTORS_PER_KIB),
            self._rate(name, "written", sums["disk_written"], now,
                       SECTORS_PER_KIB),
            "" if sums["exits"] is None else sums["exits"],
            more.get("frames", ""), more.get("inputs", ""))

    def rows(self, now):
        return [HEAD] + [self._row(guest, now) for guest in self.link.guests()]


def top_screen(window, top):
    with contextlib.suppress(curses.error):
        curses.curs_set(0)    # not every terminal can hide it
    window.timeout(1000)
    while True:
        lines = verbs.table(top.rows(time.monotonic()))
        window.erase()
        height, width = window.getmaxyx()
        for row, line in enumerate((lines + ["", "q leaves"])[:height]):
            window.addnstr(row, 0, line, width - 1,
                           curses.A_REVERSE if row == 0 else curses.A_NORMAL)
        window.refresh()
        if window.getch() in (ord("q"), ord("Q")):
            return


def do_top(args, _work):
    with verbs.connect(args) as link:
        top = Top(link)
        if args.once:
            processes.say("\n".join(verbs.table(top.rows(time.monotonic()))))
            return 0
        try:
            curses.wrapper(top_screen, top)
        except curses.error as error:
            raise Problem("no terminal for a table (%s): say --once" %
                          error) from None
    return 0
