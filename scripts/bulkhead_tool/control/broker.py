# SPDX-License-Identifier: BSD-2-Clause
"""One carrier, many clients: a broker of the control protocol.

Each client has ids of its own; on the carrier each request has one of the
broker's.  When a client goes, what it asked for and no longer waits for is closed at
the host, and keys and buttons that it held are released: to the host all clients are
one, which goes on.  Nobody waits for a client: what it does not read is kept up
to a limit, then it is dropped.  Clients wait for the carrier, each in its turn.

The carrier's state:

	down --opened--> greeting --hello answered--> up
	  ^                  ^                         |
	  +---- it ended ----+-- the host forgot us, --+
	                         or says nothing

What is on its way when the carrier leaves `up` is answered with the error `lost`.
"""

import contextlib
import os
import select
import socket
import termios
import time
import tty

from .. import Problem
from . import frames, held

CLIENT_UNREAD_MAX = 16 << 20    # bytes that wait for a client: a big screen, twice
HOST_UNSENT_MAX = 16 << 10    # bytes that wait for the carrier: 1.4 s at 115200
CLIENTS_MAX = 64
IDS_MAX = 256    # that a client may have at a time
ID_LAST = 0xffffffff

AGAIN = 1.0    # seconds until the carrier is opened, or hello said, again
DOUBTS_MAX = 3    # times that an answer to hello without any rights is not believed
CLOSE_AGAIN = 2.0    # seconds until a close, or a release, is said again
# With something on its way and silence for as long the host is asked whether it is
# there; after as many questions it is not.
QUIET_MAX, QUESTIONS_MAX = 5.0, 3

WATCHES = ("screen", "serial", "debug-console", "printer", "log", "debug",
           "dump", "join", "capture")    # go on when answered
ENDS = ("gone", "done")    # events after which they do not


def failed(number, error, **more):
    return dict({"id": number, "ok": False, "error": error}, **more)


class Port:
    """A serial port of this system, 115200 8N1; it may go and come back."""

    is_lasting = True

    def __init__(self, path):
        self.path = path
        # What is wrong from the start is somebody's mistake.
        try:
            os.close(self.open())
        except (OSError, termios.error) as error:
            raise Problem("'%s' is no serial port that can be opened: %s" %
                          (path, error.args[-1])) from None

    def open(self):
        fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            tty.setraw(fd)
            mode = termios.tcgetattr(fd)
            mode[2] |= termios.CLOCAL | termios.CREAD
            mode[2] &= ~(termios.CSTOPB | termios.CRTSCTS)
            mode[4] = mode[5] = termios.B115200
            termios.tcsetattr(fd, termios.TCSANOW, mode)
        except BaseException:
            os.close(fd)
            raise
        return fd


class Descriptor:
    """What is open already, a simulator's end of a socket; once, then it is over."""

    is_lasting = False

    def __init__(self, fd):
        self.fd = fd

    def open(self):
        os.set_blocking(self.fd, False)
        return self.fd


class Request:
    """Of a client, by the broker's id."""

    def __init__(self, client, client_id, host_id, verb):
        self.client = client
        self.client_id, self.host_id = client_id, host_id
        self.verb = verb
        self.thing = None    # what it says, of one that may press keys
        self.closes = None    # the Request that this one, a `close`, ends
        self.is_pending = True

    def is_watch(self):
        return self.verb in WATCHES


class Client:
    def __init__(self, end):
        self.socket = end
        self.decoder = frames.Decoder(frames.TO_HOST_MAX)
        self.unread = bytearray()
        self.requests = {}    # by the client's id
        self.has_greeted = False
        self.hello = None    # its id, while the host has not answered ours
        self.held = held.Held()

    def fileno(self):
        return self.socket.fileno()


class Broker:
    """turn() moves what there is; run() does so until the carrier is over.

    listener: a socket that listens; carrier: a Port or Descriptor.
    """

    def __init__(self, listener, carrier, unread_max=CLIENT_UNREAD_MAX,
                 clock=time.monotonic):
        self.listener = listener
        listener.setblocking(False)
        self.carrier, self.fd = carrier, None
        self.unread_max = unread_max
        self.clock = clock
        self.state = "down"
        self.is_over = False
        self.clients = []
        self.requests = {}    # by our id
        # What we end for a client that went: by our id, the request, and when to
        # say it again.
        self.closing = {}
        self.unsent = bytearray()    # whole frames, to the host
        self.last_id = 0
        self.greeting = None    # the host's answer to our hello
        self.hello_id = self.question_id = None
        self.due = 0.0    # when to open or greet again, or to ask
        self.questions = self.doubts = 0
        self.decoder = None

    # ---- The carrier -----------------------------------------------------

    def _open(self):
        try:
            self.fd = self.carrier.open()
        except (OSError, termios.error):
            self.due = self.clock() + AGAIN
            return
        self.decoder = frames.Decoder()
        self._greet()

    def _greet(self):
        self.state = "greeting"
        self.unsent.clear()
        self.doubts = DOUBTS_MAX
        self.hello_id = self._new_id()
        self._say_hello()

    def _say_hello(self):
        self._to_host({"id": self.hello_id, "verb": "hello", "version": 1})
        self.due = self.clock() + AGAIN

    def _lose(self):
        """All that was asked for is over."""
        why = "the host was away in between"
        for request in list(self.requests.values()):
            if request.is_pending:
                self._to_client(request.client, failed(
                    request.client_id, "lost", hint=why + ": ask again"))
            elif request.is_watch():
                self._to_client(request.client, {
                    "id": request.client_id, "event": "gone", "hint": why})
        self.requests.clear()
        self.closing.clear()
        for client in self.clients:
            client.requests.clear()
            # A host that is greeted, or has just started, releases it.
            client.held = held.Held()

    def _hang_up(self):
        with contextlib.suppress(OSError):
            os.close(self.fd)
        self.fd = None
        self.unsent.clear()
        self._lose()
        self.state = "down"
        self.is_over = not self.carrier.is_lasting
        self.due = self.clock() + AGAIN

    def _new_id(self):
        while True:
            self.last_id = self.last_id % ID_LAST + 1
            if self.last_id not in self.requests and \
                    self.last_id not in self.closing:
                return self.last_id

    def _to_host(self, thing):
        self.unsent += frames.encode_json(thing)

    def _read_host(self):
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        self._take_host(self.decoder.feed(data, self.clock()))

    def _write_host(self):
        try:
            del self.unsent[:os.write(self.fd, self.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up()

    def _take_host(self, found):
        for kind, payload in found:
            if kind == frames.BINARY:
                binary = frames.parse_binary(payload)
                if binary:
                    self._host_binary(*binary, payload)
                continue
            thing = frames.parse_json(payload)
            if thing is None:
                continue
            self.questions = 0
            if self.state == "up":
                self.due = self.clock() + QUIET_MAX
            if "event" in thing:
                self._host_event(thing)
            else:
                self._host_answer(thing)

    def _host_binary(self, number, _what, _rest, payload):
        if self.state == "up":
            self.due = self.clock() + QUIET_MAX
        request = self.requests.get(number)
        if request:
            self._queue(request.client, frames.encode(
                frames.BINARY, request.client_id.to_bytes(4, "little") +
                payload[4:]))
        else:
            self._nobodys(number)

    def _host_event(self, thing):
        if thing["event"] == "begin":
            self._begun()
            return
        request = self.requests.get(thing.get("id"))
        if request:
            if thing["event"] in ENDS:
                self._forget(request)
            self._to_client(request.client, dict(thing, id=request.client_id))
        else:
            self._nobodys(thing.get("id"))

    def _begun(self):
        """It has just started: it knows nothing of us."""
        if self.state == "up":
            self._lose()
        self._greet()

    def _nobodys(self, number):
        """The host thinks that somebody listens: a close was lost."""
        if self.state == "up" and isinstance(number, int) and \
                0 < number <= ID_LAST and not any(
                    thing.get("of") == number
                    for thing, _ in self.closing.values()):
            self._close_at_host(number)

    def _host_answer(self, thing):
        number = thing.get("id")
        if self.state == "greeting":
            if number == self.hello_id:
                self._greeted(thing)
            return
        if self.state == "up" and thing.get("error") == "say hello first":
            self._lose()
            self._greet()
            return
        if thing.get("error") != "busy":
            self.closing.pop(number, None)
        request = self.requests.get(number)
        if not request:
            return
        request.is_pending = False
        if request.thing and thing.get("ok"):
            request.client.held.did(request.thing)
        if not (request.is_watch() and thing.get("ok")):
            self._forget(request)
        if request.closes and thing.get("ok"):
            self._forget(request.closes)
        self._to_client(request.client, dict(thing, id=request.client_id))

    def _greeted(self, thing):
        # One that has just started may not have been told its client's rights.
        if thing.get("ok") and not thing.get("rights") and self.doubts:
            self.doubts -= 1
            return
        self.state = "up"
        self.due = self.clock() + QUIET_MAX
        self.questions = 0
        self.greeting = thing
        for client in list(self.clients):
            if client.hello is not None:
                self._answer_hello(client)

    def _end_at_host(self, thing):
        """Until there is an answer: twice does no harm."""
        number = self._new_id()
        self.closing[number] = thing, self.clock() + CLOSE_AGAIN
        self._to_host(dict(thing, id=number))

    def _close_at_host(self, number):
        self._end_at_host({"verb": "close", "of": number})

    def _ask_whether_there(self):
        """By what costs nothing: the end of something that is not there."""
        self.due = self.clock() + QUIET_MAX
        if not self.requests:
            return
        if self.questions == QUESTIONS_MAX:
            self._lose()
            self._greet()
            return
        self.questions += 1
        self.question_id = self._new_id()
        self._to_host({"id": self.question_id, "verb": "close",
                       "of": self.question_id})

    def _on_time(self):
        now = self.clock()
        if self.decoder:
            self._take_host(self.decoder.expire(now))
        for client in list(self.clients):
            self._take_client(client, client.decoder.expire(now))
        for number, (thing, due) in list(self.closing.items()):
            if due <= now:
                self.closing[number] = thing, now + CLOSE_AGAIN
                self._to_host(dict(thing, id=number))
        if now < self.due:
            return
        if self.state == "down":
            self._open()
        elif self.state == "up":
            self._ask_whether_there()
        elif len(self.unsent) < HOST_UNSENT_MAX:
            self._say_hello()

    # ---- Clients ---------------------------------------------------------

    def _accept(self):
        with contextlib.suppress(OSError):
            end, _ = self.listener.accept()
            if len(self.clients) >= CLIENTS_MAX:
                end.close()
                return
            end.setblocking(False)
            self.clients.append(Client(end))

    def _drop(self, client):
        if client not in self.clients:
            return
        self.clients.remove(client)
        self._release(client)
        client.socket.close()

    def _release(self, client):
        """Nothing that it asked for goes on."""
        for request in list(client.requests.values()):
            self._forget(request)
            if request.is_watch():
                self._close_at_host(request.host_id)
            elif request.thing:
                client.held.may_do(request.thing)
        for thing in client.held.releases(
                [c.held for c in self.clients if c is not client]):
            self._end_at_host(thing)
        client.held = held.Held()

    def _forget(self, request):
        self.requests.pop(request.host_id, None)
        if request.client.requests.get(request.client_id) is request:
            del request.client.requests[request.client_id]

    def _queue(self, client, data):
        if client not in self.clients:
            return
        client.unread += data
        if len(client.unread) > self.unread_max:
            self._drop(client)

    def _to_client(self, client, thing):
        self._queue(client, frames.encode_json(thing))

    def _read_client(self, client):
        try:
            data = client.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        self._take_client(client, client.decoder.feed(data, self.clock()))

    def _write_client(self, client):
        try:
            del client.unread[:client.socket.send(client.unread[:65536])]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)

    def _take_client(self, client, found):
        for kind, payload in found:
            if client not in self.clients:
                return
            if kind == frames.BINARY:
                self._client_binary(client, payload)
                continue
            thing = frames.parse_json(payload)
            number = thing.get("id") if thing else None
            if type(number) is not int or not 0 < number <= ID_LAST or \
                    not isinstance(thing.get("verb"), str):
                self._to_client(client, failed(0, "bad request"))
            else:
                self._client_request(client, number, thing)

    def _client_binary(self, client, payload):
        binary = frames.parse_binary(payload)
        request = client.requests.get(binary[0]) if binary else None
        if request and self.state == "up":
            self.unsent += frames.encode(
                frames.BINARY, request.host_id.to_bytes(4, "little") +
                payload[4:])

    def _client_request(self, client, number, thing):
        if thing["verb"] == "hello":
            self._release(client)
            client.has_greeted, client.hello = True, number
            if self.state == "up":
                self._answer_hello(client)
            return
        if not client.has_greeted:
            self._to_client(client, failed(number, "say hello first"))
        elif self.state != "up":
            self._to_client(client, failed(
                number, "lost", hint="the host does not answer"))
        else:
            self._pass_on(client, number, thing)

    def _answer_hello(self, client):
        self._to_client(client, dict(self.greeting, id=client.hello))
        client.hello = None

    def _pass_on(self, client, number, thing):
        request = client.requests.get(number)
        if request and request.thing:
            client.held.may_do(request.thing)    # it has yet to be answered
        if request and request.verb != thing["verb"]:
            if request.is_watch():
                self._to_client(client, failed(number, "bad request",
                                               what="id"))
                return
            self._forget(request)
            request = None
        if not request and len(client.requests) >= IDS_MAX:
            self._to_client(client, failed(number, "busy"))
            return
        closes = None
        if thing["verb"] == "close":
            of = thing.get("of")
            closes = client.requests.get(of) if isinstance(of, int) else None
            if not closes:
                # Gone already, or the answer that it is was lost.
                self._to_client(client, {"id": number, "ok": True})
                return
            thing = dict(thing, of=closes.host_id)
        host_id = request.host_id if request else self._new_id()
        try:
            frame = frames.encode_json(dict(thing, id=host_id))
        except ValueError:
            self._to_client(client, failed(number, "bad request"))
            return
        if not request:
            request = Request(client, number, host_id, thing["verb"])
            self.requests[host_id] = client.requests[number] = request
        request.is_pending, request.closes = True, closes
        request.thing = thing if held.is_input(thing) else None
        self.unsent += frame

    # ---- Both ------------------------------------------------------------

    def turn(self, wait):
        """Moves what there is, after at most so many seconds."""
        inputs = [self.listener]
        outputs = [c for c in self.clients if c.unread]
        if len(self.unsent) < HOST_UNSENT_MAX:
            inputs += self.clients
        if self.fd is not None:
            inputs.append(self.fd)
            if self.unsent:
                outputs.append(self.fd)
        readable, writable, _ = select.select(inputs, outputs, [], wait)
        # A client that was dropped in between is passed over.
        for client in writable:
            if client in self.clients:
                self._write_client(client)
        if self.fd is not None and self.fd in writable:
            self._write_host()
        if self.fd is not None and self.fd in readable:
            self._read_host()
        for client in readable:
            if client in self.clients:
                self._read_client(client)
        if self.listener in readable:
            self._accept()
        self._on_time()
        return bool(readable or writable)

    def run(self):
        while not self.is_over:
            self.turn(0.25)

    def close(self):
        for client in list(self.clients):
            client.socket.close()
        self.clients.clear()
        self.listener.close()
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def from_descriptors(listener_fd, carrier_fd):
    """A broker of what another process has opened."""
    return Broker(socket.socket(fileno=listener_fd), Descriptor(carrier_fd))
