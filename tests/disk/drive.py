# SPDX-License-Identifier: BSD-2-Clause
"""A drive with a volatile cache, for QEMU over NBD: what a power cut needs.

A killed QEMU loses nothing that it wrote, for the host's kernel has it; a flush
that was forgotten would never be noticed.  This drive remembers, for every
sector, all that was written to it since the last flush, and when the power goes
any of that may be what is found: of each sector for itself, as drives promise
no more than that a sector is whole.  Requests that are there at the same time
are done in any order, so that only those whose reply had been sent before a
flush came are certainly behind it.

The protocol is NBD's (docs/references.md): fixed newstyle, simple replies, one
connection.
"""

import os
import random
import select
import socket
import struct
import threading

SECTOR = 512

# Handshake
MAGIC = b"NBDMAGIC"
OPTION_MAGIC = b"IHAVEOPT"
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
OPT_EXPORT_NAME, OPT_ABORT, OPT_LIST, OPT_INFO, OPT_GO = 1, 2, 3, 6, 7
REPLY_MAGIC = 0x3e889045565a9
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
INFO_EXPORT, INFO_BLOCK_SIZE = 0, 3

# Transmission
REQUEST_MAGIC, SIMPLE_REPLY_MAGIC = 0x25609513, 0x67446698
READ, WRITE, DISCONNECT, FLUSH, TRIM, ZEROES = 0, 1, 2, 3, 4, 6
FUA = 1
HAS_FLAGS, CAN_FLUSH, CAN_FUA, CAN_TRIM, CAN_ZEROES = 1, 4, 8, 32, 64
FLAGS = HAS_FLAGS | CAN_FLUSH | CAN_FUA | CAN_TRIM | CAN_ZEROES
EIO, EINVAL = 5, 22


class Gone(Exception):
    """The other end has closed, or died."""


class Contents:
    """Sectors of a sparse file, and what each may still turn out to hold.

    maybe: of a sector that was written since the last flush, what it held then
    and what was written since, but for the last.
    """

    def __init__(self, path, size=None):
        self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if size is not None:
            os.ftruncate(self.file, size)
        self.size = os.fstat(self.file).st_size
        self.maybe = {}

    def close(self):
        os.close(self.file)

    def read(self, at, length):
        return os.pread(self.file, length, at)

    def write(self, at, data):
        before = self.read(at, len(data))
        for offset in range(0, len(data), SECTOR):
            self.maybe.setdefault((at + offset) // SECTOR, []).append(
                before[offset:offset + SECTOR])
        os.pwrite(self.file, data, at)

    def do(self, command, at, data, is_permanent):
        """A request other than READ.  TRIM leaves the sectors as they are."""
        if command == FLUSH:
            self.maybe.clear()
        elif command in (WRITE, ZEROES):
            self.write(at, data)
            if is_permanent:
                for offset in range(0, len(data), SECTOR):
                    self.maybe.pop((at + offset) // SECTOR, None)

    def outcome(self, chance):
        """(sector, bytes) of those that a power cut now leaves otherwise: each
        for itself is what it was, or became since."""
        for sector in sorted(self.maybe):
            held = self.maybe[sector]
            which = chance.randrange(len(held) + 1)
            if which < len(held):
                yield sector, held[which]

    def power_cut(self, chance):
        for sector, data in self.outcome(chance):
            os.pwrite(self.file, data, sector * SECTOR)
        self.maybe.clear()


class Drive:
    """Serves Contents to one QEMU at the socket `path`, in a thread.

    rules: a function (command, sector, count) called before each request, whose
    true result is the errno it fails with.  history: a list that gets
    (command, offset, bytes or None, FUA) of each, in the order in which they
    were done; None: it is not kept.
    """

    def __init__(self, path, contents, seed=0, rules=None, history=None):
        self.path, self.contents = path, contents
        self.chance = random.Random(seed)
        self.rules = rules or (lambda command, sector, count: 0)
        self.history = history
        self.error = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def option(self):
        """The end of -blockdev's value, without its name."""
        return ("driver=nbd,server.type=unix,server.path=" +
                self.path.replace(",", ",,"))

    def join(self):
        """Until QEMU has gone; what went wrong here is raised here."""
        self.listener.close()
        self.thread.join(60)
        if self.thread.is_alive():
            raise AssertionError("QEMU has ended, but not its connection")
        if self.error:
            raise self.error

    # ---- Bytes -----------------------------------------------------------

    def _get(self, length):
        data = b""
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                raise Gone()
            data += piece
        return data

    def _serve(self):
        try:
            self.socket, _ = self.listener.accept()
            with self.socket:
                self._shake_hands()
                while True:
                    self._batch()
        except (Gone, ConnectionError):
            pass
        except Exception as error:    # join() has it
            self.error = error

    def _shake_hands(self):
        self.socket.sendall(MAGIC + OPTION_MAGIC +
                            struct.pack(">H", FIXED_NEWSTYLE | NO_ZEROES))
        client, = struct.unpack(">I", self._get(4))
        while True:
            magic, option, length = struct.unpack(">8sII", self._get(16))
            if magic != OPTION_MAGIC or length > 65536:
                raise Gone()
            self._get(length)
            export = struct.pack(">QH", self.contents.size, FLAGS)
            if option == OPT_EXPORT_NAME:
                self.socket.sendall(export + (
                    b"" if client & NO_ZEROES else bytes(124)))
                return
            if option not in (OPT_GO, OPT_INFO):
                self._answer(option, REP_UNSUPPORTED)
                continue
            self._answer(option, REP_INFO, struct.pack(">H", INFO_EXPORT) +
                         export)
            self._answer(option, REP_INFO, struct.pack(
                ">HIII", INFO_BLOCK_SIZE, SECTOR, 4096, 32 << 20))
            self._answer(option, REP_ACK)
            if option == OPT_GO:
                return

    def _answer(self, option, kind, data=b""):
        self.socket.sendall(struct.pack(">QIII", REPLY_MAGIC, option, kind,
                                        len(data)) + data)

    # ---- Requests --------------------------------------------------------

    def _batch(self):
        """All requests that are there, in any order."""
        batch = [self._request()]
        while len(batch) < 64 and select.select([self.socket], [], [], 0)[0]:
            batch.append(self._request())
        self.chance.shuffle(batch)
        for request in batch:
            self._do(*request)

    def _request(self):
        magic, flags, command, handle, at, length = struct.unpack(
            ">IHHQQI", self._get(28))
        if magic != REQUEST_MAGIC:
            raise AssertionError("QEMU sends what is no request")
        data = self._get(length) if command == WRITE else None
        return flags, command, handle, at, length, data

    def _do(self, flags, command, handle, at, length, data):
        if command == DISCONNECT:
            raise Gone()
        sector, count = at // SECTOR, length // SECTOR
        error = self.rules(command, sector, count) or 0
        answer = b""
        if not error and (at % SECTOR or length % SECTOR or
                          at + length > self.contents.size):
            error = EINVAL
        if not error:
            answer = self._move(command, flags, at, length, data)
        self.socket.sendall(struct.pack(">IIQ", SIMPLE_REPLY_MAGIC, error,
                                        handle) + answer)

    def _move(self, command, flags, at, length, data):
        if command == READ:
            return self.contents.read(at, length)
        if command == ZEROES:
            data = bytes(length)
        done = (command, at, data, flags & FUA)
        self.contents.do(*done)
        if self.history is not None:
            self.history.append(done)
        return b""
