# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead web`: a host's guests on a page of a browser.

The page (scripts/web/) shows screens with noVNC, by a bulkhead-vnc for each guest
whose screen is looked at, and consoles with xterm.js.  Whoever has the address
with its token may do everything; the token becomes a cookie, which no other site's
page can send, and an address by another name is refused.
"""

import asyncio
import contextlib
import hmac
import os
import secrets
import socket
import subprocess

from .. import Problem, host, processes
from . import async_client, client, commands, sockets, viewers

try:
    from aiohttp import WSMsgType, web
except ImportError:
    web = None

WEB_AT = ("127.0.0.1", 6080)
PAGE = os.path.join(host.TOP, "scripts/web")
MODULES = os.path.join(host.BUILD, "web/node_modules")
VERBS = ("start", "stop", "restart", "reset", "power", "pause", "resume", "nmi")
SECOND = 1.0
KEPT = 1 << 16    # bytes of a console for who comes later
PIECE = 1 << 16
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
                               "style-src 'self' 'unsafe-inline'; "
                               "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
REFUSED = "The address has to have the token that 'bulkhead web' printed.\n"


class Console:
    """A guest's first serial port, for all who look at it."""

    def __init__(self, link, guest):
        self.link, self.guest = link, guest
        self.number = None
        self.kept = bytearray()
        self.queues = []
        self.lock = asyncio.Lock()    # held while it is attached or closed

    def _hear(self, part):
        if part is None or part.what is None:
            if part is None or part.data.get("event") in ("gone", "closed"):
                self.number = None
            return
        self.kept += part.data
        del self.kept[:-KEPT]
        for queue in self.queues:
            queue.put_nowait(part.data)

    async def attach(self):
        async with self.lock:
            if self.number is None:
                said = await self.link.request("serial", self._hear,
                                               guest=self.guest)
                self.number = said["id"]

    async def detach(self):
        async with self.lock:
            if not self.queues and self.number is not None:
                number, self.number = self.number, None
                await self.link.close(number)

    def type(self, data):
        if self.number is not None:
            self.link.send_serial(self.number, data)


class Screens:
    """A server of VNC for each guest that was ever looked at."""

    def __init__(self, path, work):
        self.path, self.work = path, work
        self.children = {}    # by guest: the process, where it listens
        self.started = 0

    def place(self, guest):
        child, place = self.children.get(guest, (None, None))
        if child and child.poll() is None:
            return place
        if child:
            processes.end(child)
        self.started += 1
        place = os.path.join(self.work, "vnc-%d" % self.started)
        with socket.socket(socket.AF_UNIX) as listener, \
                sockets.connected(self.path) as control:
            listener.bind(place)
            listener.listen()
            listener.setblocking(False)
            line, inherited = viewers.vnc_line(guest, control.fileno(),
                                               listener.fileno())
            self.children[guest] = processes.start(
                line, pass_fds=inherited, stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL), place
        return place


class Server:
    def __init__(self, path, work, at):
        self.link = async_client.AsyncClient(path)
        self.screens = Screens(path, work)
        self.consoles = {}    # by guest
        self.token = secrets.token_urlsafe(24)
        self.at = at
        self.cookie = "bulkhead-%d" % at[1]
        self.known = []    # the guests, as `list` said last

        @web.middleware
        async def guard(request, handler):
            return await self._guard(request, handler)

        self.app = web.Application(middlewares=[guard])
        self.app.add_routes([
            web.get("/", self.index),
            web.get("/state", self.state),
            web.get("/screen/{guest}", self.screen),
            web.get("/console/{guest}", self.console),
            web.post("/do/{guest}/{verb}", self.do),
            web.static("/page", PAGE),
            web.static("/novnc", os.path.join(MODULES, "@novnc/novnc")),
            web.static("/xterm", os.path.join(MODULES, "@xterm/xterm")),
        ])

    def url(self):
        return "http://%s/?token=%s" % (viewers.shown(self.at), self.token)

    # ---- Who may ---------------------------------------------------------

    def _is_token(self, text):
        return hmac.compare_digest((text or "").encode(), self.token.encode())

    def _is_ours(self, request):
        """No other site's page, and no name that somebody else gives us."""
        names = {viewers.shown(self.at), "localhost:%d" % self.at[1]}
        origin = request.headers.get("Origin")
        if viewers.is_loopback(self.at) and request.host not in names:
            return False
        return origin is None or origin == "http://" + request.host

    async def _guard(self, request, handler):
        if not self._is_ours(request):
            return web.Response(status=403, text="Another site's request.\n")
        if self._is_token(request.query.get("token")):
            answer = web.HTTPFound("/")
            answer.set_cookie(self.cookie, self.token, httponly=True,
                              samesite="Strict")
            return answer
        if not self._is_token(request.cookies.get(self.cookie)):
            return web.Response(status=403, text=REFUSED)
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    # ---- Pages and verbs -------------------------------------------------

    async def index(self, _request):
        return web.FileResponse(os.path.join(PAGE, "index.html"))

    async def do(self, request):
        verb = request.match_info["verb"]
        if verb not in VERBS:
            raise web.HTTPNotFound()
        try:
            await self.link.request(verb, guest=request.match_info["guest"])
        except (Problem, client.Late) as error:
            return web.json_response({"ok": False, "error": str(error)})
        return web.json_response({"ok": True})

    async def _statistics(self, guest):
        try:
            return await self.link.request("statistics", guest=guest["guest"])
        except (Problem, client.Late):
            return {}

    async def _snapshot(self):
        if not self.link.is_up:
            return {"is_up": False, "guests": self.known}
        try:
            self.known = await self.link.guests()
        except (Problem, client.Late):
            return {"is_up": False, "guests": self.known}
        found = [dict(g, statistics=await self._statistics(g)
                      if g.get("state") in ("running", "paused") else {})
                 for g in self.known]
        return {"is_up": True, "guests": found}

    async def state(self, request):
        """All guests' state, each second while somebody looks."""
        end = web.WebSocketResponse(heartbeat=30)
        await end.prepare(request)

        async def tell():
            while not end.closed:
                await end.send_json(await self._snapshot())
                await asyncio.sleep(SECOND)

        await self._until_either(tell(), self._ignore(end))
        return end

    # ---- Streams ---------------------------------------------------------

    @staticmethod
    async def _ignore(end):
        async for _ in end:
            pass

    @staticmethod
    async def _until_either(*actions):
        """What ends one ends the other."""
        tasks = [asyncio.ensure_future(a) for a in actions]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _guest(self, request):
        name = request.match_info["guest"]
        if name not in [g["guest"] for g in self.known]:
            raise web.HTTPNotFound()
        return name

    async def screen(self, request):
        place = self.screens.place(self._guest(request))
        reader, writer = await asyncio.open_unix_connection(place)
        end = web.WebSocketResponse(protocols=("binary",), heartbeat=30)
        await end.prepare(request)

        async def to_browser():
            while data := await reader.read(PIECE):
                await end.send_bytes(data)

        async def from_browser():
            async for message in end:
                if message.type == WSMsgType.BINARY:
                    writer.write(message.data)
                    await writer.drain()

        try:
            await self._until_either(to_browser(), from_browser())
        finally:
            writer.close()
            await end.close()
        return end

    async def console(self, request):
        guest = self._guest(request)
        if guest not in self.consoles:
            self.consoles[guest] = Console(self.link, guest)
        console = self.consoles[guest]
        end = web.WebSocketResponse(heartbeat=30)
        await end.prepare(request)
        queue = asyncio.Queue()
        queue.put_nowait(bytes(console.kept))
        console.queues.append(queue)

        async def to_browser():
            while True:
                await end.send_bytes(await queue.get())

        async def from_browser():
            async for message in end:
                with contextlib.suppress(Problem):
                    if message.type == WSMsgType.TEXT:
                        console.type(message.data.encode())
                    elif message.type == WSMsgType.BINARY:
                        console.type(message.data)

        async def keep_attached():
            while True:
                with contextlib.suppress(Problem, client.Late):
                    await console.attach()
                await asyncio.sleep(SECOND)

        try:
            await self._until_either(to_browser(), from_browser(),
                                     keep_attached())
        finally:
            console.queues.remove(queue)
            await console.detach()
            await end.close()
        return end

    # ---- Running ---------------------------------------------------------

    async def run(self, listener):
        """Until a signal comes; its number."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        # An exception of a handler's would be that of whichever task runs.
        for number in processes.END_SIGNALS:
            loop.add_signal_handler(
                number, lambda n=number: ended.done() or ended.set_result(n))
        talking = asyncio.ensure_future(self.link.run())
        runner = web.AppRunner(self.app, access_log=None)
        try:
            await runner.setup()
            await web.SockSite(runner, listener, shutdown_timeout=0.1).start()
            return await ended
        finally:
            talking.cancel()
            await runner.cleanup()


def needed():
    if not web:
        raise Problem("the page needs python3-aiohttp: install it")
    if not os.path.isdir(os.path.join(MODULES, "@novnc")):
        raise Problem("%s is missing: install npm, then run 'make build/web'" %
                      MODULES)
    viewers.vnc_program()


def do_web(args, work):
    needed()
    if not viewers.is_loopback(args.listen):
        raise Problem("what the page and you say is not encrypted: listen at "
                      "127.0.0.1 and use a tunnel, as ssh -L")
    path = sockets.find(args.socket)
    with viewers.listen(args.listen) as listener:
        server = Server(path, work, listener.getsockname())
        processes.say("bulkhead: open %s\nbulkhead: whoever has this address "
                      "has the host; Ctrl-C ends it" % server.url())
        raise processes.Ended(asyncio.run(server.run(listener)))


def add(all_commands):
    command = commands.new(
        all_commands, "web", do_web, "show a host's guests in a browser",
        "Serves a page with all guests' screens, consoles and statistics, "
        "from which they are steered.", guest=False)
    command.add_argument("--listen", metavar="HOST:PORT",
                         type=viewers.address, default=WEB_AT,
                         help="where to wait for browsers, at the loopback "
                         "interface; port 0 takes a free one (default: "
                         "127.0.0.1:6080)")
