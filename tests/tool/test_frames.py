# SPDX-License-Identifier: BSD-2-Clause
"""Frames of the control protocol: among noise, cut, bad, and within others."""

import random
import struct
import unittest
import zlib

import folder    # noqa: F401: the way to the tool
from bulkhead_tool.control import frames

# By hand from docs/control.md: {"id":1} and a line feed.
KNOWN = bytes.fromhex("c55a4abc09000000") + b'{"id":1}\n' + \
    struct.pack("<I", zlib.crc32(bytes.fromhex("4abc09000000") + b'{"id":1}\n'))


def decode(data, now=0.0):
    return frames.Decoder().feed(data, now)


class Frames(unittest.TestCase):
    def test_bytes_are_those_of_the_contract(self):
        self.assertEqual(frames.encode_json({"id": 1}), KNOWN)
        self.assertEqual(decode(KNOWN), [(0x4a, b'{"id":1}\n')])
        binary = frames.encode_binary(0x01020304, frames.SERIAL, b"xy")
        self.assertEqual(binary[8:-4], bytes.fromhex("0403020101000000") + b"xy")
        (kind, payload), = decode(binary)
        self.assertEqual(kind, frames.BINARY)
        self.assertEqual(frames.parse_binary(payload), (0x01020304, 1, b"xy"))

    def test_every_cut_is_mended_by_the_rest(self):
        data = KNOWN + frames.encode_binary(7, 3, b"\xc5\x5a" * 9) + KNOWN
        whole = decode(data)
        self.assertEqual(len(whole), 3)
        for cut in range(len(data)):
            decoder = frames.Decoder()
            self.assertEqual(decoder.feed(data[:cut], 0) +
                             decoder.feed(data[cut:], 0.9), whole)
            self.assertEqual(decoder.passed_over, 0)

    def test_one_wrong_bit_costs_one_frame(self):
        for bit in range(8 * len(KNOWN)):
            bad = bytearray(KNOWN)
            bad[bit // 8] ^= 1 << bit % 8
            decoder = frames.Decoder()
            found = decoder.feed(bytes(bad) + KNOWN, 0)
            self.assertEqual(found + decoder.expire(1.0), decode(KNOWN))

    def test_a_false_beginning_hides_nothing(self):
        # A header that is right, of a frame that is not there.
        false = frames.encode(frames.JSON, b"x" * 300)[:8]
        decoder = frames.Decoder()
        self.assertEqual(decoder.feed(false + KNOWN, 0), [])
        # Its length is there: the CRC shows that it is none.
        self.assertEqual(decoder.feed(KNOWN * 20, 0.5), decode(KNOWN * 21))
        self.assertEqual(decoder.passed_over, 8)

    def test_a_frame_within_a_broken_one_is_found(self):
        outer = frames.encode(frames.BINARY, b"12345678" + KNOWN)
        self.assertEqual(len(decode(outer)), 1)
        self.assertEqual(decode(outer[:-1] + bytes([outer[-1] ^ 1])),
                         decode(KNOWN))

    def test_silence_ends_what_is_cut(self):
        decoder = frames.Decoder()
        decoder.feed(KNOWN[:-1], 10.0)
        self.assertEqual(decoder.expire(10.9), [])
        self.assertEqual(decoder.feed(KNOWN, 11.5), decode(KNOWN))
        # What began within it is there at once.
        false = frames.encode(frames.JSON, b"x" * 300)[:8]
        self.assertEqual(decoder.feed(false + KNOWN + KNOWN[:9], 20.0), [])
        self.assertEqual(decoder.expire(20.9), [])
        self.assertEqual(decoder.expire(21.0), decode(KNOWN))
        self.assertEqual(decoder.data, b"")

    def test_a_slow_frame_is_whole_and_a_slower_one_given_up(self):
        decoder = frames.Decoder()
        for number, byte in enumerate(KNOWN[:-1]):
            self.assertEqual(decoder.feed(bytes([byte]), number * 0.2), [])
        self.assertEqual(decoder.feed(KNOWN[-1:], 4.5), decode(KNOWN))
        false = frames.encode(frames.JSON, b"x" * 30000)[:8]
        decoder.feed(false, 10.0)
        found = []
        for number in range(10):
            found += decoder.feed(KNOWN, 10.5 + number * 0.6)
        self.assertEqual(found, decode(KNOWN * 10))

    def test_lengths_above_the_limit_are_noise(self):
        longest = frames.encode(frames.BINARY, b"x" * 32768)
        self.assertEqual(len(decode(longest)), 1)
        self.assertEqual(frames.Decoder(32767).feed(longest + KNOWN, 0),
                         decode(KNOWN))

    def test_what_is_no_object_is_nothing(self):
        for text in (b"", b"[1]", b"{", b"7", b"\xff", b'{"a":1}{',
                     b"[" * 30000):
            self.assertIsNone(frames.parse_json(text))
        self.assertEqual(frames.parse_json(b' {"a":[1,2]}\n'), {"a": [1, 2]})
        self.assertIsNone(frames.parse_binary(b"1234567"))
        with self.assertRaises(ValueError):
            frames.encode_json({"x": "y" * 4096})

    def pieces(self, dice):
        """Noise, whole and broken frames: the bytes, and what is whole."""
        data, whole = b"", []
        for _ in range(dice.randrange(1, 12)):
            payload = bytes(dice.choice(b"\xc5\x5aJB\0\1x")
                            for _ in range(dice.randrange(60)))
            if dice.random() < 0.3:
                payload += frames.encode(frames.JSON, payload)
            frame = frames.encode(dice.choice((frames.JSON, frames.BINARY)),
                                  payload)
            kind = dice.randrange(4)
            if kind == 0:
                data += payload.replace(b"\xc5", b"")
            elif kind == 1:
                data += frame[:dice.randrange(8)].replace(b"\x5a", b"")
            else:
                data += frame
                whole.append((frame[2], payload))
        return data, whole

    def test_fuzz_whole_frames_are_found_however_they_come(self):
        dice = random.Random(20240607)
        for _ in range(400):
            data, whole = self.pieces(dice)
            decoder, found, at = frames.Decoder(), [], 0
            while at < len(data):
                step = dice.randrange(1, 40)
                found += decoder.feed(data[at:at + step], 0)
                at += step
            self.assertEqual(found, whole)
            self.assertEqual(found, decode(data))

    def test_fuzz_damage_costs_only_what_it_hits(self):
        dice = random.Random(7)
        sent = [frames.encode(frames.JSON, b"%d" % n + b"\xc5\x5aJ" * (n % 9))
                for n in range(40)]
        for _ in range(200):
            hit = set(dice.sample(range(40), 5))
            data = bytearray()
            for number, frame in enumerate(sent):
                if number not in hit:
                    data += frame
                elif dice.random() < 0.5:
                    data += frame[:dice.randrange(len(frame))]
                else:
                    at = dice.randrange(len(frame))
                    data += frame[:at] + bytes(
                        [frame[at] ^ dice.randrange(1, 256)]) + frame[at + 1:]
            decoder = frames.Decoder()
            found = decoder.feed(bytes(data), 0) + decoder.expire(1.0)
            kept = [f[8:-4] for n, f in enumerate(sent) if n not in hit]
            self.assertEqual([p for _, p in found], kept)


if __name__ == "__main__":
    unittest.main(verbosity=2)
