# SPDX-License-Identifier: BSD-2-Clause
"""The broker between clients and a host that are all in this process.

Nothing here waits: a test turns broker and host until neither has anything to do,
and sets the clock itself.
"""

import os
import pty
import socket
import struct
import unittest

import control_host
from folder import FolderTest
from bulkhead_tool import Problem
from bulkhead_tool.control import broker, frames, sockets


TEXT = {"as": "text"}


class End:
    """A client of a few lines."""

    def __init__(self, path):
        self.socket = sockets.connected(path)
        self.socket.setblocking(False)
        self.decoder = frames.Decoder()
        self.found = []

    def say(self, number, verb, **more):
        self.socket.sendall(frames.encode_json(
            dict({"id": number, "verb": verb}, **more)))

    def binary(self, number, data):
        self.socket.sendall(frames.encode_binary(number, frames.SERIAL, data))

    def read(self):
        """All that has come: objects, and (id, what, data)."""
        try:
            while True:
                data = self.socket.recv(1 << 20)
                if not data:
                    self.found.append(None)    # the end
                    break
                for kind, payload in self.decoder.feed(data, 0):
                    self.found.append(
                        frames.parse_json(payload) if kind == frames.JSON
                        else frames.parse_binary(payload))
        except BlockingIOError:
            pass
        except ConnectionError:
            self.found.append(None)
        found, self.found = self.found, []
        return found


class Lasting:
    """A carrier that comes back with another end."""

    is_lasting = True

    def __init__(self):
        self.fd = None

    def open(self):
        if self.fd is None:
            raise OSError("not there")
        fd, self.fd = self.fd, None
        os.set_blocking(fd, False)
        return fd


class Brokers(FolderTest):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        self.path = os.path.join(self.folder, "x.sock")
        self.listener = sockets.Listener(self.path)
        self.addCleanup(self.listener.close)
        self.carrier = Lasting()
        self.broker = broker.Broker(self.listener.socket, self.carrier, 1 << 17,
                                    clock=lambda: self.now)
        self.addCleanup(self.broker.close)
        self.guest = control_host.Guest("dos")
        self.host = None
        self.attach()

    def attach(self):
        """A new host at the carrier."""
        ours, theirs = socket.socketpair()
        if self.host:
            self.host.end.close()
        self.carrier.fd = theirs.detach()
        self.host = control_host.Host(ours, [self.guest])
        self.addCleanup(ours.close)

    def settle(self):
        """Until nobody has anything to do."""
        for _ in range(100000):
            self.host.turn()
            if not self.broker.turn(0) and not self.broker.unsent:
                return
        self.fail("they do not come to rest")

    def pass_time(self, seconds, step=0.5):
        while seconds > 0:
            self.now += step
            seconds -= step
            self.settle()

    def client(self):
        end = End(self.path)
        self.addCleanup(end.socket.close)
        end.say(1, "hello", version=1)
        self.settle()
        hello, = end.read()
        self.assertEqual((hello["id"], hello["ok"], hello["version"],
                          hello["host"]), (1, True, 1, "test"))
        return end

    def test_each_client_has_its_own_ids(self):
        one, two = self.client(), self.client()
        self.assertEqual(self.host.hellos, 1)
        one.say(7, "pause", guest="dos")
        two.say(7, "pause", guest="nobody")
        two.say(8, "list")
        self.settle()
        self.assertEqual(one.read(), [{"id": 7, "ok": True}])
        refused, event, answer = two.read()
        self.assertEqual(refused["error"], "no such guest")
        self.assertEqual(refused["id"], 7)
        self.assertEqual((event["id"], event["state"]), (8, "paused"))
        self.assertEqual(answer, {"id": 8, "ok": True})
        ids = [r["id"] for r in self.host.heard]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertFalse(self.broker.requests)

    def test_binary_goes_where_it_belongs(self):
        one, two = self.client(), self.client()
        for end in one, two:
            end.say(4, "serial", guest="dos")
        self.settle()
        for end in one, two:
            self.assertEqual(end.read(), [{"id": 4, "ok": True},
                                          (4, 1, b"login: ")])
        one.binary(4, b"root")
        one.binary(5, b"lost")
        self.settle()
        self.assertEqual(one.read(), [(4, 1, b"ROOT")])
        self.assertEqual(two.read(), [])
        self.assertEqual(self.guest.serial, b"root")

    def test_noise_on_the_carrier_is_passed_over(self):
        self.host.noise = b"\xc5\x5aJ noise \xc5"
        end = self.client()
        end.socket.sendall(b"noise \xc5\x5a")
        end.say(2, "reset", guest="dos")
        self.settle()
        self.assertEqual(end.read(), [{"id": 2, "ok": True}])

    def test_bad_requests_do_not_reach_the_host(self):
        end = End(self.path)
        self.addCleanup(end.socket.close)
        self.settle()
        end.say(2, "list")
        for text in (b"[]", b"x", b'{"verb":"list"}', b'{"id":0,"verb":"list"}',
                     b'{"id":true,"verb":"list"}', b'{"id":3}',
                     b'{"id":4294967296,"verb":"list"}'):
            end.socket.sendall(frames.encode(frames.JSON, text))
        self.settle()
        first, *others = end.read()
        self.assertEqual(first["error"], "say hello first")
        self.assertEqual([o["error"] for o in others], ["bad request"] * 7)
        self.assertEqual([r["verb"] for r in self.host.heard], ["hello"])

    def test_who_has_gone_is_closed_at_the_host(self):
        one, two = self.client(), self.client()
        for end in one, two:
            end.say(2, "screen", guest="dos", **TEXT)
            end.say(3, "serial", guest="dos")
        self.settle()
        self.assertEqual(len(self.host.watches), 4)
        one.socket.close()
        self.settle()
        self.assertEqual(len(self.host.watches), 2)
        two.say(4, "hello", version=1)
        self.settle()
        self.assertEqual(self.host.watches, {})
        self.assertEqual(self.host.hellos, 1)

    def press(self, end, number, *codes):
        end.say(number, "keys", guest="dos", keys=list(codes))

    def test_what_who_has_gone_held_is_released(self):
        one, two = self.client(), self.client()
        self.press(one, 2, 29, 56, 30, -30)
        self.press(two, 2, 56)
        one.say(3, "pointer", guest="dos", buttons=3)
        two.say(3, "pointer", guest="dos", buttons=2)
        self.settle()
        self.host.silent = {"keys"}
        self.press(one, 4, 42)    # nobody knows whether that was done
        self.press(one, 4, -42)
        self.press(one, 5, -29, 31)
        self.settle()
        self.host.silent = set()
        self.guest.keys.clear()
        self.guest.pointer.clear()
        one.socket.close()
        self.settle()
        # Of two who hold a key the last one releases it.
        self.assertEqual(self.guest.keys, [-29, -31, -42])
        self.assertEqual(self.guest.pointer, [[0, 0, 0, 2]])
        two.say(4, "hello", version=1)
        self.settle()
        self.assertEqual(self.guest.keys[3:], [-56])
        self.assertEqual(self.guest.pointer[1:], [[0, 0, 0, 0]])
        said = len(self.host.heard)
        two.socket.close()
        self.pass_time(2 * broker.CLOSE_AGAIN)
        self.assertEqual(len(self.host.heard), said)

    def test_more_than_a_request_holds_is_released(self):
        end = self.client()
        self.press(end, 2, *range(1, 33))
        self.press(end, 3, *range(33, 51))
        self.settle()
        self.guest.keys.clear()
        end.socket.close()
        self.settle()
        self.assertEqual(self.guest.keys, [-code for code in range(1, 51)])
        self.assertEqual([len(r["keys"]) for r in self.host.heard[-2:]],
                         [32, 18])

    def test_a_release_is_said_until_it_is_done(self):
        end = self.client()
        self.press(end, 2, 29)
        self.settle()
        self.host.silent = {"keys"}
        end.socket.close()
        self.settle()
        self.assertEqual(self.guest.keys, [29])
        self.host.silent, self.host.busy = set(), {"keys"}
        self.pass_time(broker.CLOSE_AGAIN + 0.5)
        self.assertEqual(self.guest.keys, [29])
        self.host.busy = set()
        self.pass_time(3 * broker.CLOSE_AGAIN)
        self.assertEqual(self.guest.keys, [29, -29])

    def test_a_host_that_was_away_holds_nothing(self):
        end = self.client()
        self.press(end, 2, 29)
        self.settle()
        self.host.has_greeted = False
        self.host.begin()
        self.settle()
        self.guest.keys.clear()
        end.socket.close()
        self.settle()
        self.assertEqual(self.guest.keys, [])

    def test_keys_that_make_no_sense_hold_nothing(self):
        end = self.client()
        self.host.silent = {"keys", "pointer"}
        for number, (guest, codes) in enumerate((
                ("dos", None), ("dos", 29), ("dos", ["29", None, True, 1.5]),
                (None, [29]), (["dos"], [29]), ({}, [29])), 2):
            end.say(number, "keys", guest=guest, keys=codes)
        end.say(20, "pointer", guest="dos", buttons="1")
        self.settle()
        said = len(self.host.heard)
        self.assertEqual(said, 8)
        end.socket.close()
        self.settle()
        self.assertEqual(len(self.host.heard), said)

    def test_a_lost_close_is_said_again(self):
        self.host.silent = {"close"}
        end = self.client()
        end.say(2, "serial", guest="dos")
        self.settle()
        number, = self.host.watches
        end.socket.close()
        self.settle()
        self.host.silent = set()
        self.pass_time(broker.CLOSE_AGAIN + 0.5)
        self.assertFalse(self.host.watches)
        # What comes for nobody is closed, once.
        before = len(self.host.heard)
        self.host.watches[number] = ["serial", self.guest, 0, None]
        self.host.binary(number, frames.SERIAL, b"x")
        self.host.binary(number, frames.SERIAL, b"y")
        self.settle()
        self.assertFalse(self.host.watches)
        self.assertEqual(len(self.host.heard), before + 1)

    def test_close_ends_a_watch_and_closing_twice_is_no_mistake(self):
        end = self.client()
        end.say(2, "serial", guest="dos")
        end.say(3, "close", of=2)
        end.say(4, "close", of=2)
        self.settle()
        found = end.read()
        self.assertIn((2, 1, b"login: "), found)
        self.assertEqual(sorted(f["id"] for f in found if type(f) is dict),
                         [2, 3, 4])
        self.assertTrue(all(f["ok"] for f in found if type(f) is dict))
        end.say(5, "close", of=2)
        self.settle()
        self.assertEqual(end.read(), [{"id": 5, "ok": True}])
        self.assertFalse(self.host.watches)

    def test_a_slow_client_costs_others_nothing(self):
        slow, other = self.client(), self.client()
        slow.say(2, "serial", guest="dos")
        self.settle()
        number, = self.host.watches
        for n in range(100):
            self.host.binary(number, frames.SERIAL, b"x" * 32000)
            other.say(10 + n, "list")
            self.settle()
            self.assertEqual(other.read()[-1], {"id": 10 + n, "ok": True})
            self.assertLessEqual(sum(len(c.unread) for c in
                                     self.broker.clients), 1 << 17)
        self.assertEqual(len(self.broker.clients), 1)
        self.assertFalse(self.host.watches)
        self.assertIsNone(slow.read()[-1])

    def test_who_floods_the_carrier_waits(self):
        flood, other = self.client(), self.client()
        flood.say(2, "serial", guest="dos")
        self.settle()
        most = 0
        with self.assertRaises(BlockingIOError):
            while True:    # the host reads nothing
                flood.binary(2, b"y" * 1000)
                self.broker.turn(0)
                most = max(most, len(self.broker.unsent))
        self.assertLess(most, broker.HOST_UNSENT_MAX + 3 * 4096)
        other.say(3, "list")
        self.settle()
        self.assertEqual(other.read()[-1], {"id": 3, "ok": True})

    def test_the_host_is_greeted_until_it_is_there(self):
        self.host.silent = {"hello"}
        end = End(self.path)
        self.addCleanup(end.socket.close)
        end.say(1, "hello", version=1)
        self.settle()
        end.say(2, "list")
        self.pass_time(5)
        answer, = end.read()
        self.assertEqual((answer["id"], answer["error"]), (2, "lost"))
        self.assertGreater(self.host.hellos, 3)
        self.host.silent = set()
        self.pass_time(1)
        self.assertEqual([a["id"] for a in end.read()], [1])

    def test_a_host_that_knows_no_rights_yet_is_asked_again(self):
        self.host.rights = []
        end = End(self.path)
        self.addCleanup(end.socket.close)
        end.say(1, "hello", version=1)
        self.pass_time(1)
        self.assertEqual(end.read(), [])
        self.host.rights = ["watch"]
        self.pass_time(1)
        self.assertEqual([a["rights"] for a in end.read()], [["watch"]])
        # There may be none: then that is the answer in the end.
        self.host.rights = []
        self.host.begin()
        end.say(1, "hello", version=1)
        self.pass_time(broker.DOUBTS_MAX + 1)
        self.assertEqual([a["rights"] for a in end.read()], [[]])

    def test_a_carrier_that_comes_back_is_greeted_again(self):
        end = self.client()
        end.say(2, "screen", guest="dos", **TEXT)
        end.say(3, "serial", guest="dos")
        self.settle()
        end.say(2, "screen", guest="dos", **TEXT)
        self.settle()
        end.read()
        self.attach()
        self.settle()
        lost = end.read()
        self.assertEqual([(a["id"], a.get("error"), a.get("event"))
                          for a in lost],
                         [(2, "lost", None), (3, None, "gone")])
        self.assertEqual(self.host.hellos, 0)
        self.pass_time(1)
        self.assertEqual(self.host.hellos, 1)
        end.say(2, "list")
        self.settle()
        self.assertEqual(end.read()[-1], {"id": 2, "ok": True})

    def test_a_host_that_has_forgotten_us_is_greeted_again(self):
        end = self.client()
        self.host.has_greeted = False
        end.say(2, "list")
        self.settle()
        self.assertEqual([a["error"] for a in end.read()], ["lost"])
        self.assertEqual(self.host.hellos, 2)
        end.say(2, "list")
        self.settle()
        self.assertEqual(end.read()[-1], {"id": 2, "ok": True})

    def test_a_host_that_begins_is_greeted_at_once(self):
        end = self.client()
        end.say(2, "serial", guest="dos")
        self.settle()
        end.read()
        self.host.has_greeted = False
        self.host.begin()
        self.settle()
        gone, = end.read()
        self.assertEqual((gone["id"], gone["event"]), (2, "gone"))
        self.assertEqual(self.host.hellos, 2)
        end.say(2, "list")    # the id is free
        self.settle()
        self.assertEqual(end.read()[-1], {"id": 2, "ok": True})

    def test_what_is_gone_at_the_host_is_not_closed(self):
        end = self.client()
        end.say(2, "serial", guest="dos")
        self.settle()
        number, = self.host.watches
        self.host.event(number, "gone")
        self.settle()
        self.assertEqual(end.read()[-1], {"id": 2, "event": "gone"})
        self.assertFalse(self.broker.requests)
        end.say(3, "close", of=2)
        self.settle()
        self.assertEqual(end.read(), [{"id": 3, "ok": True}])
        self.assertEqual([r["verb"] for r in self.host.heard],
                         ["hello", "serial"])

    def test_a_dump_that_is_done_is_over(self):
        end = self.client()
        self.guest.core_size, self.guest.core = 9000, [(0, b"x"), (8, b"y")]
        end.say(7, "dump", guest="dos")
        self.settle()
        self.assertEqual(end.read(), [
            {"id": 7, "ok": True, "size": 9000},
            (7, frames.CORE, bytes(16) + b"x"),
            (7, frames.CORE, struct.pack("<IIQ", 1, 0, 8) + b"y"),
            {"id": 7, "event": "done", "frames": 2}])
        self.assertFalse(self.broker.requests)
        # In the middle its client goes: it is closed.
        self.guest.core *= 9
        end.say(7, "dump", guest="dos")
        self.settle()
        number, = self.host.dumps
        end.socket.close()
        self.settle()
        self.assertEqual(self.host.heard[-1]["of"], number)
        self.assertFalse(self.host.dumps)

    def test_silence_is_looked_into(self):
        end = self.client()
        self.pass_time(60)
        self.assertEqual(len(self.host.heard), 1)    # nobody waits for anything
        end.say(2, "screen", guest="dos", **TEXT)
        self.settle()
        end.say(2, "screen", guest="dos", **TEXT)    # nothing changes
        self.settle()
        end.read()
        self.pass_time(60)
        self.assertEqual(end.read(), [])
        # It has begun anew, and forgotten what it was asked.
        self.host.has_greeted = False
        self.pass_time(broker.QUIET_MAX + 1)
        self.assertEqual([a["error"] for a in end.read()], ["lost"])
        self.assertEqual(self.host.hellos, 2)
        # It says nothing any more.
        for _ in range(2):
            end.say(2, "screen", guest="dos", **TEXT)
            self.settle()
        end.read()
        self.host.silent = {"close", "hello"}
        self.pass_time((broker.QUESTIONS_MAX + 1) * broker.QUIET_MAX + 1)
        self.assertEqual([a["error"] for a in end.read()], ["lost"])
        self.assertGreater(self.host.hellos, 2)

    def test_an_id_asked_again_is_the_same_request(self):
        self.host.lose = {"list": 1}
        end = self.client()
        end.say(2, "list")
        end.say(2, "list")
        self.settle()
        self.assertEqual(end.read()[-1], {"id": 2, "ok": True})
        ids = [r["id"] for r in self.host.heard if r["verb"] == "list"]
        self.assertEqual(ids, ids[:1] * 2)

    def test_ids_are_limited(self):
        self.host.silent = {"list"}
        end = self.client()
        for number in range(broker.IDS_MAX + 1):
            end.say(10 + number, "list")
        self.settle()
        self.assertEqual([a["error"] for a in end.read()], ["busy"])


class Carriers(FolderTest):
    def test_a_serial_port_is_eight_bit_clean(self):
        ours, theirs = pty.openpty()
        path = os.ttyname(theirs)
        fd = broker.Port(path).open()
        every = bytes(range(256)) * 4
        os.write(fd, every)
        read = b""
        while len(read) < len(every):
            read += os.read(ours, 4096)
        self.assertEqual(read, every)
        os.write(ours, every)
        read = b""
        while len(read) < len(every):
            try:
                read += os.read(fd, 4096)
            except BlockingIOError:
                pass
        self.assertEqual(read, every)
        for end in ours, theirs, fd:
            os.close(end)

    def test_what_is_no_port_is_refused(self):
        for path in (self.folder + "/none", self.write("file", "")):
            with self.assertRaisesRegex(Problem, "no serial port"):
                broker.Port(path)

    def test_a_descriptor_is_over_once(self):
        ours, theirs = socket.socketpair()
        listener = sockets.Listener(self.folder + "/x")
        self.addCleanup(listener.close)
        one = broker.Broker(listener.socket, broker.Descriptor(theirs.detach()))
        self.addCleanup(one.close)
        one.turn(0)
        self.assertFalse(one.is_over)
        ours.close()
        one.run()
        self.assertTrue(one.is_over)


class Sockets(FolderTest):
    def test_a_socket_in_use_is_not_taken(self):
        path = self.folder + "/" + "long" * 40 + "/x.sock"
        first = sockets.Listener(path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with self.assertRaisesRegex(Problem, "in use"):
            sockets.Listener(path)
        first.socket.close()    # as when its process was killed
        second = sockets.Listener(path)
        first.close()    # is not what is there now
        self.assertTrue(os.path.exists(path))
        second.close()
        self.assertFalse(os.path.exists(path))
        with self.assertRaisesRegex(Problem, "no socket can be made"):
            sockets.Listener(self.write("file", "text"))
        self.assertTrue(os.path.exists(self.folder + "/file"))

    def test_the_only_one_is_found(self):
        before, sockets.FOLDER = sockets.FOLDER, self.folder + "/run"
        self.addCleanup(setattr, sockets, "FOLDER", before)
        with self.assertRaisesRegex(Problem, "no host runs"):
            sockets.find()
        with self.assertRaisesRegex(Problem, "there is no socket"):
            sockets.find("dos")
        one = sockets.Listener(sockets.of_manifest("/somewhere/dos.dts"))
        self.addCleanup(one.close)
        stale = sockets.Listener(sockets.place("old"))
        stale.socket.close()
        self.assertEqual(sockets.find(), one.path)
        self.assertEqual(sockets.find("dos"), one.path)
        two = sockets.Listener(sockets.place("web"))
        self.addCleanup(two.close)
        with self.assertRaisesRegex(Problem, "--socket with one of dos, web"):
            sockets.find()


if __name__ == "__main__":
    unittest.main(verbosity=2)
