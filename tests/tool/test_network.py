# SPDX-License-Identifier: BSD-2-Clause
"""`capture` and `join`: files of frames, and what a network is joined to.

The host is one of ours, whose networks are variables.
"""

import os
import socket
import struct
import threading
import time
import unittest

from folder import FolderTest
from test_control import HostTest
from bulkhead_tool import Problem
from bulkhead_tool.control import client, far_end, frames, network, pcapng

FRAME = b"\xff" * 6 + b"\x52\x54\0\0\0\1" + b"\x08\x06" + bytes(46)
SECOND = 10 ** 9


def read_pcapng(path):
    """Interface names, and frames as time, bytes, lost before; strictly."""
    with open(path, "rb") as f:
        data = f.read()
    names, found, at = [], [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and length >= 12, length
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        body = data[at + 8:at + length - 4]
        assert (at == 0) == (kind == 0x0a0d0d0a)
        if at == 0:
            assert body[:16] == struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)
            options(body[16:])
        elif kind == 1:
            assert struct.unpack_from("<HHI", body) == (1, 0, 0)
            of = options(body[8:])
            assert of[9] == b"\x09"
            names.append(of[2].decode())
        else:
            assert kind == 6
            interface, high, low, size, original = struct.unpack_from(
                "<IIIII", body)
            assert interface < len(names) and size == original
            end = 20 + size + -size % 4
            assert end <= len(body) and not any(body[20 + size:end])
            lost = options(body[end:]).get(4, bytes(8))
            found.append((high << 32 | low, body[20:20 + size],
                          struct.unpack("<Q", lost)[0]))
        at += length
    assert at == len(data)
    return names, found


def options(data):
    found, at = {}, 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            assert length == 0 and at + 4 == len(data)
            return found
        found[code] = data[at + 4:at + 4 + length]
        assert len(found[code]) == length
        at += 4 + length + -length % 4
    assert not data    # no options need no end
    return found


class Files(FolderTest):
    def test_what_is_written_can_be_read(self):
        path = os.path.join(self.folder, "x.pcapng")
        with open(path, "wb") as f:
            writer = pcapng.Writer(f, "lan0")
            for n in range(5):
                writer.frame((1 << 60) + n, FRAME + bytes(n), n)
            # What was written is there though the file is still open.
            names, found = read_pcapng(path)
        self.assertEqual(names, ["lan0"])
        self.assertEqual(found, [((1 << 60) + n, FRAME + bytes(n), n)
                                 for n in range(5)])


class Captures(HostTest):
    def setUp(self):
        super().setUp()
        self.out = self.file("x.pcapng")

    def test_frames_become_a_file(self):
        self.host.captured = [(1 * SECOND, 0, FRAME), (2 * SECOND, 0, FRAME),
                              (5 * SECOND, 3, FRAME + b"more")]
        self.host.time = 10 * SECOND
        before = time.time_ns()
        said = self.run_command("capture", "lan0", "-o", self.out, "--count",
                                "3")
        after = time.time_ns()
        self.assertIn("x.pcapng: 3 frame(s) of lan0, 3 lost", said)
        names, found = read_pcapng(self.out)
        self.assertEqual(names, ["lan0"])
        self.assertEqual([f[1:] for f in found],
                         [(FRAME, 0), (FRAME, 0), (FRAME + b"more", 3)])
        times = [f[0] for f in found]
        self.assertEqual([t - times[0] for t in times],
                         [0, SECOND, 4 * SECOND])
        self.assertTrue(before <= times[2] + 5 * SECOND <= after)

    def test_it_ends_with_the_port(self):
        self.host.captured = [(1, 0, FRAME)]
        self.host.ends_ports = True
        self.assertIn("1 frame(s) of lan0", self.run_command(
            "capture", "-o", self.out))
        self.assertEqual(len(read_pcapng(self.out)[1]), 1)

    def test_refusals(self):
        self.refused("capture: refused 'lna0': is no network: there are lan0",
                     "capture", "lna0", "-o", self.out)
        self.assertFalse(os.path.exists(self.out))
        self.refused("cannot be written", "capture", "-o",
                     self.file("nowhere/x"))

    def test_a_client_that_goes_closes_its_port(self):
        with client.Client(self.path) as link:
            network.Port(link, "join", "lan0")
            self.assertEqual(list(self.host.ports.values()), ["join"])
        with client.Client(self.path) as link:
            until = time.monotonic() + 30
            while self.host.ports and time.monotonic() < until:
                link.guests()
        self.assertEqual(self.host.ports, {})


class Joins(HostTest):
    def setUp(self):
        super().setUp()
        self.far = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.far.close)
        self.far.bind(self.file("far"))
        self.far.listen(1)
        self.thread = threading.Thread(target=self.join)
        self.problem = None
        self.thread.start()
        self.peer, _ = self.far.accept()
        self.addCleanup(self.leave)
        self.peer.settimeout(30)

    def join(self):
        try:
            self.run_command("join", "lan0=socket:" + self.file("far"))
        except Problem as problem:
            self.problem = str(problem)

    def leave(self):
        self.peer.close()
        self.thread.join()

    def put(self, data):
        self.peer.sendall(struct.pack(">I", len(data)) + data)

    def get(self):
        def exactly(count):
            data = b""
            while len(data) < count:
                more = self.peer.recv(count - len(data))
                self.assertTrue(more)
                data += more
            return data
        return exactly(struct.unpack(">I", exactly(4))[0])

    def test_frames_go_both_ways(self):
        # Ours answers each frame with itself.
        for size in (60, 61, 1514, 4088):
            self.put(FRAME[:14] + bytes(size - 14))
            self.assertEqual(self.get(), FRAME[:14] + bytes(size - 14))
        # Short ones are padded, what cannot be sent is lost.
        for size in (4089, 65536, 13, 0):
            self.put(bytes(size))
        self.put(FRAME[:42])
        self.assertEqual(self.get(), FRAME[:42] + bytes(18))
        self.peer.close()
        self.thread.join()
        self.assertRegex(self.problem, "the socket '.*/far' has ended")

    def test_pieces(self):
        data = struct.pack(">I", 60) + FRAME
        for byte in data + data[:30]:
            self.peer.sendall(bytes([byte]))
        self.assertEqual(self.get(), FRAME)
        self.peer.sendall(data[30:])
        self.assertEqual(self.get(), FRAME)

    def test_a_port_that_ends_is_asked_for_again(self):
        self.put(FRAME)
        self.assertEqual(self.get(), FRAME)
        number, = self.host.ports
        self.host.ports.clear()
        self.host.event(number, "gone")
        until = time.monotonic() + 30
        while not self.host.ports and time.monotonic() < until:
            time.sleep(0.01)
        self.put(FRAME)
        self.assertEqual(self.get(), FRAME)

    def test_nonsense_is_no_frame(self):
        self.peer.sendall(b"\xff" * 8)
        self.thread.join()
        self.assertIn("sends what is no frame", self.problem)


# Who has 10.0.2.2, asks 10.0.2.15.
ARP = b"\xff" * 6 + b"\x52\x54\0\0\0\1" + b"\x08\x06" + \
    bytes.fromhex("0001080006040001") + b"\x52\x54\0\0\0\1" + \
    bytes([10, 0, 2, 15]) + bytes(6) + bytes([10, 0, 2, 2])


class UserNetwork(FolderTest):
    def test_it_answers(self):
        end = far_end.parse("user,tftp=" + self.folder).open()
        self.addCleanup(end.close)
        end.send(ARP.ljust(60, b"\0"))
        answer, until = None, time.monotonic() + 30
        while not answer and time.monotonic() < until:
            client.readable(end.fileno(), 1)
            answer = next((f for f in end.receive()
                           if f[12:14] == b"\x08\x06"), None)
        self.assertEqual(answer[:6], b"\x52\x54\0\0\0\1")
        self.assertEqual(answer[20:22], b"\0\2")
        self.assertEqual(answer[28:32], bytes([10, 0, 2, 2]))
        child = end.child
        end.close()
        self.assertIsNotNone(child.poll())

    def test_what_qemu_does_not_like(self):
        end = far_end.parse("user,net=nonsense").open()
        self.addCleanup(end.close)
        with self.assertRaisesRegex(Problem, "QEMU's user network has ended: "
                                    ".*user"):
            while True:
                client.readable(end.fileno(), 30)
                end.receive()


class Specs(FolderTest):
    def test_what_may_be_said(self):
        parse = far_end.parse
        self.assertEqual(parse("user").network, None)
        self.assertEqual(parse("lan0=user,restrict=on").network, "lan0")
        self.assertEqual(parse("tap:t0").rest, "t0")
        self.assertEqual(parse("a=socket:/x=y:z").rest, "/x=y:z")
        end = parse("user,tftp=%s,bootfile=a,hostfwd=tcp::1-:2" % self.folder)
        self.assertEqual(end.network, None)
        line = far_end.user_command(end.rest, 7)
        self.assertIn("user,id=user,tftp=%s,bootfile=a,hostfwd=tcp::1-:2" %
                      self.folder, line)
        self.assertIn("socket,id=guests,fd=7", line)

    def test_what_may_not(self):
        for text in ("", "usr", "lan0=", "socket:", "tap:", "user:x",
                     "user,smb=/", "user,guestfwd=tcp:1-cmd:x", "user,tftp",
                     "user,tftp=/nowhere/at/all", "tap:" + "x" * 16):
            with self.assertRaises(ValueError):
                far_end.parse(text)

    def test_what_is_not_there(self):
        with self.assertRaisesRegex(Problem, "nobody listens"):
            far_end.parse("socket:%s/x" % self.folder).open()

    def test_numbers_of_frames_wrap(self):
        port = network.Port.__new__(network.Port)
        port.number, port.epoch_ns, port.lost = 1, 0, 0xfffffff0
        parts = [client.Part(1, frames.NETWORK,
                             network.HEAD.pack(5, 0x10, 0) + FRAME)]

        class Link:
            next_part = staticmethod(lambda _seconds: parts.pop())

        port.link = Link
        self.assertEqual(port.next(0), (5, FRAME, 0x20))
        self.assertEqual(port.lost, 0x100000010)


if __name__ == "__main__":
    unittest.main(verbosity=2)
