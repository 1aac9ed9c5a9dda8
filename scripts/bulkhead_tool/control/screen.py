# SPDX-License-Identifier: BSD-2-Clause
"""A guest's screen, put together from what the host sends of it.

Pixels are kept as they come, four bytes each: B, G, R, 0.  Pillow is only needed
for files of them.
"""

import struct
import time

from .. import Problem
from . import frames
from .client import Late, Refused

# Code page 437: what a PC's character generator shows for each code.
LOW = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
CP437 = LOW + bytes(range(32, 127)).decode("ascii") + "⌂" + \
    bytes(range(128, 255)).decode("cp437") + " "
PICTURE_MAX = 1 << 26    # bytes
START_PAUSE = 0.25    # seconds until a guest that does not run is asked for again


def imaging():
    """Pillow, from its Debian package or a newer one."""
    try:
        from PIL import Image
    except ImportError:
        raise Problem("pictures need Pillow: install python3-pil") from None
    return Image


class Screen:
    """What is on it, after apply(); version counts what changed."""

    def __init__(self):
        self.mode, self.pointer = "off", "relative"
        self.width = self.height = 0
        self.columns = self.rows = 0
        self.pixels = bytearray()
        self.cells = []    # words, row by row
        self.cursor = -1
        self.version = 0

    def apply(self, part):
        try:
            if part.what == frames.PIXELS:
                self._take_pixels(part.data)
            elif part.what == frames.CELLS:
                self._take_cells(part.data)
            elif part.what is None and part.data.get("event") == "mode":
                self._take_mode(part.data)
        except (struct.error, ValueError, TypeError, KeyError) as error:
            raise Problem("the host sent a picture that is none: %s" %
                          error) from None
        self.version += 1

    def _take_mode(self, event):
        self.mode = event["mode"]
        self.pointer = event.get("pointer", "relative")
        self.width, self.height = (int(event.get(k, 0))
                                   for k in ("width", "height"))
        size = 4 * self.width * self.height
        if not 0 <= size <= PICTURE_MAX or self.width < 0:
            raise ValueError("a mode of %d * %d" % (self.width, self.height))
        self.pixels = bytearray(size)
        self.columns = self.rows = 0
        self.cells = []

    def _take_cells(self, data):
        columns, rows, self.cursor = struct.unpack_from("<HHi", data)
        self.cells = struct.unpack("<%dH" % (columns * rows), data[8:])
        self.columns, self.rows = columns, rows

    @staticmethod
    def _spread(data, count):
        """Runs to pixels."""
        out = bytearray()
        if len(data) % 4:
            raise ValueError("a run is cut")
        for at in range(0, len(data), 4):
            out += (data[at + 1:at + 4] + b"\0") * data[at]
            if len(out) > 4 * count:
                break
        return out

    def _take_pixels(self, data):
        left, top, width, height, encoding = struct.unpack_from("<HHHHB", data)
        data = data[12:]
        if left + width > self.width or top + height > self.height:
            raise ValueError("pixels beside the screen")
        if encoding > 1:
            raise ValueError("encoding %d" % encoding)
        if encoding == 1:
            data = self._spread(data, width * height)
        if len(data) != 4 * width * height:
            raise ValueError("%d bytes for %d * %d pixels" %
                             (len(data), width, height))
        for row in range(height):
            at = 4 * ((top + row) * self.width + left)
            self.pixels[at:at + 4 * width] = \
                data[4 * row * width:4 * (row + 1) * width]

    # ---- What is seen ----------------------------------------------------

    def lines(self):
        """The characters of each row, without blanks at its end."""
        return ["".join(CP437[cell & 0xff] for cell in
                        self.cells[row * self.columns:
                                   (row + 1) * self.columns]).rstrip()
                for row in range(self.rows)]

    def text(self):
        return "\n".join(self.lines())

    def image(self):
        if not self.pixels:
            raise Problem("nothing is shown: the screen is off")
        return imaging().frombytes("RGB", (self.width, self.height),
                                   bytes(self.pixels), "raw", "BGRX")


class Watch:
    """One guest's screen, followed; form: pixels or text.

    Where is_patient, a guest that does not run is waited for.
    """

    def __init__(self, client, guest, form, is_patient=False):
        self.client, self.guest, self.form = client, guest, form
        self.is_patient = is_patient
        self.number = client.new_id()
        self.screen = Screen()
        self.is_first = True

    def update(self, timeout):
        """Takes the next change; False if there is none within that time.

        The first picture, and one after something was lost, comes whole.
        """
        more = {"all": True} if self.is_first else {}
        end = time.monotonic() + timeout if timeout is not None else None
        while True:
            try:
                reply = self.client.request(
                    "screen", timeout, number=self.number, guest=self.guest,
                    **{"as": self.form}, **more)
            except Late as error:
                # What came of a picture that has no end is of no use.
                self.is_first |= bool(error.parts)
                return False
            except Refused as error:
                if error.error != "not running" or not self.is_patient:
                    raise
                self.is_first, more = True, {"all": True}
                if end is not None and time.monotonic() > end:
                    return False
                self.client.pause(START_PAUSE)
            else:
                if reply.answer.get("parts") in (None, len(reply.parts)):
                    break
                # Without what was lost it is not the guest's picture.
                self.is_first, more = True, {"all": True}
                if end is not None and time.monotonic() > end:
                    return False
        for part in reply.parts:
            self.screen.apply(part)
        self.is_first = False
        return True

    def first(self, timeout):
        """The whole picture, whatever changes; Problem."""
        if not self.update(timeout):
            raise Problem("no picture of '%s' within %g s: the host is busy" %
                          (self.guest, timeout))
        return self.screen

    def close(self):
        self.client.request("close", of=self.number)


def take(client, guest, form, timeout=30.0):
    """One picture of a guest's screen."""
    watch = Watch(client, guest, form)
    shown = watch.first(timeout)
    watch.close()
    return shown


def follow(watch, end, seen=lambda: None):
    """The screen, at first and after each change, until that time."""
    if watch.is_patient:
        if not watch.update(end - time.monotonic() if end is not None else
                            None):
            return
        yield watch.screen
    else:
        yield watch.first(30.0)
    while True:
        left = end - time.monotonic() if end is not None else 3600.0
        if left <= 0:
            return
        if watch.update(min(left, 3600.0)):
            yield watch.screen
        seen()


# ---- A picture within a picture -------------------------------------------

def needle_pixels(image):
    """(x, y, r, g, b) of what is not transparent, the rarest colours first."""
    image = image.convert("RGBA")
    width, height = image.size
    data = image.tobytes()
    pixels = [(i % width, i // width, *data[4 * i:4 * i + 3])
              for i in range(width * height) if data[4 * i + 3] >= 128]
    count = {}
    for pixel in pixels:
        count[pixel[2:]] = count.get(pixel[2:], 0) + 1
    pixels.sort(key=lambda p: count[p[2:]])
    return image.size, pixels


def find_image(screen, size, pixels, region=None, tolerance=0):
    """Where it is, (x, y), within region (x, y, width, height); None.

    Each of red, green and blue may differ by the tolerance.
    """
    left, top, width, height = region or (0, 0, screen.width, screen.height)
    right = min(left + width, screen.width) - size[0]
    bottom = min(top + height, screen.height) - size[1]
    data, stride = screen.pixels, 4 * screen.width
    wanted = [(4 * x + stride * y, (b - tolerance, b + tolerance),
               (g - tolerance, g + tolerance), (r - tolerance, r + tolerance))
              for x, y, r, g, b in pixels]
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            base = y * stride + 4 * x
            for at, blue, green, red in wanted:
                at += base
                if not (blue[0] <= data[at] <= blue[1] and
                        green[0] <= data[at + 1] <= green[1] and
                        red[0] <= data[at + 2] <= red[1]):
                    break
            else:
                return x, y
    return None
