# SPDX-License-Identifier: BSD-2-Clause
"""The sockets of the Unix domain at which brokers listen.

Those of simulated hosts are in build/run, one for each host that runs with
--control, named as its manifest; there commands look for the only one.
"""

import contextlib
import glob
import os
import socket
import stat

from .. import Problem, host

FOLDER = os.path.join(host.BUILD, "run")
BACKLOG = 16


def place(name):
    """The path of a socket: a name without a folder is one of FOLDER."""
    if "/" in name:
        return name
    return os.path.join(FOLDER, name if name.endswith(".sock")
                        else name + ".sock")


def of_manifest(path):
    return place(os.path.splitext(os.path.basename(path))[0])


@contextlib.contextmanager
def reachable(path):
    """A short name for the path while it is used: 107 bytes have to do."""
    folder, name = os.path.split(path)
    fd = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY)
    try:
        yield "/proc/self/fd/%d/%s" % (fd, name)
    finally:
        os.close(fd)


def connected(path):
    """A socket that is connected to it; OSError."""
    end = socket.socket(socket.AF_UNIX)
    try:
        with reachable(path) as name:
            end.connect(name)
    except BaseException:
        end.close()
        raise
    return end


def is_alive(path):
    try:
        connected(path).close()
    except OSError:
        return False
    return True


class Listener:
    """A socket that listens, and goes from its folder when it is closed."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self._bind()
        except OSError as error:
            self.socket.close()
            raise Problem("no socket can be made at '%s': %s" %
                          (path, error.strerror or error)) from None
        except Problem:
            self.socket.close()
            raise
        self.identity = self._identify()

    def _bind(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        if os.path.lexists(self.path):
            if is_alive(self.path):
                raise Problem("'%s' is in use: another host runs with this "
                              "socket; name another one" % self.path)
            # What is no socket is not ours to remove: bind() complains.
            if stat.S_ISSOCK(os.lstat(self.path).st_mode):
                os.unlink(self.path)
        before = os.umask(0o177)    # who may connect may do everything
        try:
            with reachable(self.path) as name:
                self.socket.bind(name)
        finally:
            os.umask(before)
        self.socket.listen(BACKLOG)

    def _identify(self):
        info = os.stat(self.path)
        return info.st_dev, info.st_ino, info.st_ctime_ns

    def close(self):
        self.socket.close()
        with contextlib.suppress(OSError):
            if self._identify() == self.identity:
                os.unlink(self.path)


def find(named=None):
    """The path of the socket to talk to; Problem."""
    if named:
        path = place(named)
        if not os.path.exists(path):
            raise Problem("there is no socket '%s': start the host with "
                          "'bulkhead run MANIFEST --control', or a broker" %
                          path)
        return path
    alive = [p for p in sorted(glob.glob(os.path.join(glob.escape(FOLDER),
                                                      "*.sock")))
             if is_alive(p)]
    if not alive:
        raise Problem("no host runs with --control: start one with 'bulkhead "
                      "run MANIFEST --control', or say --socket")
    if len(alive) > 1:
        raise Problem("several hosts run: say --socket with one of %s" %
                      ", ".join(os.path.basename(p)[:-5] for p in alive))
    return alive[0]
