# SPDX-License-Identifier: BSD-2-Clause
"""Frames of the control protocol: made, and found again among noise.

A decoder keeps what may be a frame and nothing else.  Where it believed in a
beginning that was none it goes on at the byte behind that, so that no whole
frame is lost to what stood before it.
"""

import json
import struct
import zlib

MAGIC = b"\xc5\x5a"
JSON, BINARY = 0x4a, 0x42    # 'J', 'B'
HEADER, TRAILER = 8, 4
TO_CLIENT_MAX, TO_HOST_MAX = 32768, 4096    # bytes of payload
TEXT_MAX = 4096    # bytes of JSON, without the line feed

# What a binary frame is.
SERIAL, PIXELS, CELLS, DEBUG, CORE, NETWORK = 1, 2, 3, 4, 5, 6

# A frame is given up after as many seconds without a byte more of it, and after as
# many from its first one: the longest takes 3 s on a serial port.
SILENCE_MAX, FRAME_MAX = 1.0, 5.0


def header_check(header):
    """Byte 3 of a header, from the others."""
    check = 0xff ^ header[2]
    for byte in header[4:8]:
        check ^= byte
    return check


def encode(kind, payload):
    header = bytearray(MAGIC + bytes([kind, 0]) +
                       struct.pack("<I", len(payload)))
    header[3] = header_check(header)
    body = bytes(header) + payload
    return body + struct.pack("<I", zlib.crc32(body[2:]))


def encode_json(thing):
    text = json.dumps(thing, separators=(",", ":"))
    if len(text) > TEXT_MAX:
        raise ValueError("a request of %d bytes: %d fit" %
                         (len(text), TEXT_MAX))
    return encode(JSON, text.encode() + b"\n")


def encode_binary(number, what, data=b""):
    return encode(BINARY, struct.pack("<II", number, what) + data)


def parse_json(payload):
    """The object in a JSON frame; None if there is none."""
    try:
        thing = json.loads(payload)
    except (ValueError, RecursionError):    # not UTF-8 is a ValueError, too
        return None
    return thing if isinstance(thing, dict) else None


def parse_binary(payload):
    """(id, what, rest) of a binary frame; None if it is too short for them."""
    if len(payload) < 8:
        return None
    number, what = struct.unpack_from("<II", payload)
    return number, what & 0xff, payload[8:]


class Decoder:
    """Whole frames out of a stream; limit: the longest payload, in bytes.

    Times are passed in: seconds of any clock that does not go back.
    """

    def __init__(self, limit=TO_CLIENT_MAX):
        self.limit = limit
        self.data = bytearray()
        self.began = self.heard = 0.0    # of the frame that is not complete
        self.passed_over = 0    # bytes that were none of a frame

    def feed(self, data, now):
        """The frames, (kind, payload), that these bytes complete."""
        found = self.expire(now)
        if not self.data:
            self.began = now
        if data:
            self.heard = now
        self.data += data
        return found + self._scan(now)

    def expire(self, now):
        """Gives up what has not come to its end; there may be frames in it."""
        found = []
        while self.data and (now - self.heard >= SILENCE_MAX or
                             now - self.began >= FRAME_MAX):
            self._drop(1)
            found += self._scan(now)
            if now - self.heard < SILENCE_MAX:
                break
        return found

    def _drop(self, count):
        del self.data[:count]
        self.passed_over += count

    def _length(self, at):
        """Of the frame that seems to begin there: 0 none, None if unknown."""
        header = self.data[at:at + HEADER]
        if len(header) < HEADER:
            return None
        length = struct.unpack_from("<I", header, 4)[0]
        if header[2] not in (JSON, BINARY) or length > self.limit or \
                header[3] != header_check(header):
            return 0
        return HEADER + length + TRAILER

    def _is_whole(self, at, length):
        body = self.data[at + 2:at + length - TRAILER]
        return struct.pack("<I", zlib.crc32(body)) == \
            self.data[at + length - TRAILER:at + length]

    def _scan(self, now):
        found, at, done = [], 0, 0
        while True:
            at = self.data.find(MAGIC, at)
            if at < 0:
                # A last byte may be the first of a beginning.
                at = len(self.data) - self.data.endswith(MAGIC[:1])
                break
            length = self._length(at)
            if length is None or at + length > len(self.data):
                break
            if length and self._is_whole(at, length):
                payload = self.data[at + HEADER:at + length - TRAILER]
                found.append((self.data[at + 2], bytes(payload)))
                at += length
                done += length
            else:
                at += 1
        if at:
            self.began = now
            del self.data[:at]
            self.passed_over += at - done
        return found
