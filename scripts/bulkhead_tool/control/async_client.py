# SPDX-License-Identifier: BSD-2-Clause
"""A client of the control protocol for programs that do several things at a time.

Requests may be on their way together; who follows something, a serial port say,
is called for each part of it.  Where the connection ends all that waits ends with
Gone, and run() connects again.
"""

import asyncio
import contextlib
import time

from .. import Problem
from . import client, frames, sockets

AGAIN = 1.0    # seconds until it connects again, or looks for half a frame
PIECE = 1 << 16


class AsyncClient:
    def __init__(self, path):
        self.path = path
        self.writer = None
        self.last_id = 0
        self.waiting = {}    # by id: the future answer
        self.followers = {}    # by id: called with Parts, and None at the end

    @property
    def is_up(self):
        return self.writer is not None

    async def run(self):
        """For ever; is_up says whether there is somebody at the other end."""
        while True:
            with contextlib.suppress(OSError, Problem):
                await self._converse()
            await asyncio.sleep(AGAIN)

    async def _converse(self):
        reader, writer = await asyncio.open_unix_connection(
            sock=sockets.connected(self.path))
        self.writer = writer
        receiving = asyncio.ensure_future(self._receive(reader))
        try:
            await self.request("hello", version=client.VERSION)
            await receiving
        finally:
            receiving.cancel()
            self._lose()
            writer.close()

    def _lose(self):
        self.writer = None
        for answer in self.waiting.values():
            if not answer.done():
                answer.set_exception(client.Gone("the host has gone"))
        followers = list(self.followers.values())
        self.waiting.clear()
        self.followers.clear()
        for follower in followers:
            follower(None)

    async def _receive(self, reader):
        decoder = frames.Decoder()
        while True:
            data = b""
            with contextlib.suppress(asyncio.TimeoutError):
                data = await asyncio.wait_for(reader.read(PIECE), AGAIN)
                if not data:
                    return
            now = time.monotonic()
            for kind, payload in decoder.feed(data, now) if data else \
                    decoder.expire(now):
                self._take(kind, payload)

    def _take(self, kind, payload):
        if kind == frames.BINARY:
            binary = frames.parse_binary(payload)
            part = client.Part(*binary) if binary else None
        else:
            thing = frames.parse_json(payload)
            part = thing and client.Part(thing.get("id"), None, thing)
        if not part:
            return
        if part.what is None and "event" not in part.data:
            answer = self.waiting.pop(part.number, None)
            if answer and not answer.done():
                answer.set_result(part.data)
        elif part.number in self.followers:
            self.followers[part.number](part)

    def _send(self, frame):
        if not self.writer:
            raise client.Gone("the host does not answer")
        self.writer.write(frame)

    async def request(self, verb, follower=None, **keys):
        """The answer, which says its id; Refused, Gone, Late."""
        self.last_id += 1
        number = self.last_id
        answer = asyncio.get_running_loop().create_future()
        self._send(frames.encode_json(dict(id=number, verb=verb, **keys)))
        self.waiting[number] = answer
        if follower:
            self.followers[number] = follower
        try:
            said = await asyncio.wait_for(answer, client.TIMEOUT)
        except asyncio.TimeoutError:
            self.followers.pop(number, None)
            raise client.Late("%s: no answer" % verb, []) from None
        except client.Gone:
            self.followers.pop(number, None)
            raise
        finally:
            self.waiting.pop(number, None)
        if said.get("ok") is not True:
            self.followers.pop(number, None)
            raise client.Refused(verb, said)
        return said

    def send_serial(self, number, data):
        for at in range(0, len(data), 1024):
            self._send(frames.encode_binary(number, frames.SERIAL,
                                            data[at:at + 1024]))

    async def close(self, number):
        """The end of what a follower was called for."""
        self.followers.pop(number, None)
        with contextlib.suppress(Problem, client.Late):
            await self.request("close", of=number)

    async def guests(self):
        found = []

        def follower(part):
            if part and part.what is None and \
                    part.data.get("event") == "guest":
                found.append({k: v for k, v in part.data.items()
                              if k not in ("id", "event")})

        said = await self.request("list", follower)
        self.followers.pop(said["id"], None)
        return found
