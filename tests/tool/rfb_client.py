# SPDX-License-Identifier: BSD-2-Clause
"""A viewer of the RFB protocol, as small as tests need one: RFC 6143.

Pixels are the server's own format: the tests are about what it sends.
"""

import socket
import struct

RAW, NEW_SIZE, RELATIVE_POINTER, EXTENDED_KEYS = 0, -223, -257, -258
SECURITY_NONE, SECURITY_VNC = 1, 2
RELATIVE_ZERO = 0x7fff
TIMEOUT = 30


class Viewer:
    def __init__(self, port, encodings=(RAW, NEW_SIZE), security=SECURITY_NONE,
                 response=bytes(16)):
        self.end = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.acknowledged = {}    # pseudo-encoding: left, top, width, height
        self.rectangles = []    # of pixels, ever
        self.updates = 0
        try:
            self._greet(security, response)
        except BaseException:
            self.close()
            raise
        number = [struct.pack(">i", e) for e in encodings]
        self.end.sendall(struct.pack(">BxH", 2, len(number)) + b"".join(number))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.end.close()

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.end.recv(size - len(data))
            if not more:
                raise ConnectionError("the server has closed")
            data += more
        return data

    def unpack(self, form):
        return struct.unpack(">" + form, self.read(struct.calcsize(">" + form)))

    def _greet(self, security, response):
        self.version = self.read(12)
        self.end.sendall(self.version)
        self.securities = list(self.read(self.read(1)[0]))
        self.end.sendall(bytes([security]))
        if security == SECURITY_VNC:
            self.read(16)
            self.end.sendall(response)
        if self.unpack("I")[0]:
            raise PermissionError(self.read(self.unpack("I")[0]).decode())
        self.end.sendall(b"\1")    # others may look as well
        self.width, self.height = self.unpack("HH")
        (self.bits, self.depth, self.is_big, self.is_true, *self.maxima,
         self.red, self.green, self.blue) = self.unpack("BBBBHHHBBBxxx")
        self.name = self.read(self.unpack("I")[0]).decode()
        self.pixels = bytearray(4 * self.width * self.height)

    # ---- What is seen ----------------------------------------------------

    def request(self, incremental=True):
        self.end.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0,
                                     self.width, self.height))

    def update(self):
        """One message of the server's."""
        kind, count = self.unpack("BxH")
        if kind:
            raise ValueError("a message of kind %d" % kind)
        self.updates += 1
        for _ in range(count):
            left, top, width, height, encoding = self.unpack("HHHHi")
            if encoding == RAW:
                self._draw(left, top, width, height)
            elif encoding == NEW_SIZE:
                self.width, self.height = width, height
                self.pixels = bytearray(4 * width * height)
            else:
                self.acknowledged[encoding] = left, top, width, height

    def _draw(self, left, top, width, height):
        self.rectangles.append((left, top, width, height))
        for y in range(top, top + height):
            at = 4 * (y * self.width + left)
            self.pixels[at:at + 4 * width] = self.read(4 * width)

    def see(self, wanted):
        """Follows the screen until it is this one, (width, height, pixels)."""
        self.request(False)
        while (self.width, self.height, bytes(self.pixels)) != wanted:
            self.update()
            self.request()

    # ---- What is done ----------------------------------------------------

    def key(self, keysym, is_down):
        self.end.sendall(struct.pack(">BBxxI", 4, is_down, keysym))

    def extended_key(self, keycode, is_down, keysym=0):
        self.end.sendall(struct.pack(">BBHII", 255, 0, is_down, keysym,
                                     keycode))

    def pointer(self, x, y, mask=0):
        self.end.sendall(struct.pack(">BBHH", 5, mask, x, y))

    def cut_text(self, text):
        self.end.sendall(struct.pack(">BxxxI", 6, len(text)) + text)
