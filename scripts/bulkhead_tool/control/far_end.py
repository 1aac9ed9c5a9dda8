# SPDX-License-Identifier: BSD-2-Clause
"""What a host's network is joined to: QEMU's user network, a socket, a TAP.

By a stream each frame has its length before it, 32 bits, the most significant
byte first, as QEMU's -netdev stream has it.
"""

import fcntl
import os
import re
import socket
import struct
import subprocess

from .. import Problem, processes

SPEC = re.compile(r"(?:([^=,:]+)=)?(user(?:,.*)?|socket:.+|tap:.+)\Z",
                  re.DOTALL)
FRAME_MAX = 65536    # what is longer is no frame
UNSENT_MAX = 1 << 18    # bytes that wait for the far end; then frames are lost
LENGTH = struct.Struct(">I")

# Of QEMU's -netdev user, those that start no programs and read no other files.
USER_OPTIONS = ("tftp", "bootfile", "hostfwd", "restrict", "net", "host", "dns",
                "dhcpstart", "hostname", "domainname", "tftp-server-name", "ipv4",
                "ipv6")

TUN, TUNSETIFF = "/dev/net/tun", 0x400454ca
IFF_TAP, IFF_NO_PI = 2, 0x1000


class Stream:
    """Frames by a stream socket."""

    def __init__(self, end, name, child=None):
        self.end, self.name, self.child = end, name, child
        end.setblocking(False)
        self.heard = bytearray()
        self.unsent = bytearray()

    def fileno(self):
        return self.end.fileno()

    def _ended(self):
        why = ""
        if self.child:
            processes.end(self.child)
            said = self.child.stderr.read().decode(errors="replace")
            why = "".join(": " + line.partition("qemu-system-x86_64: ")[2]
                          for line in said.splitlines()
                          if "warning:" not in line and "signal" not in line)
        return Problem("%s has ended%s" % (self.name, why))

    def receive(self):
        """The frames that are there; Problem: there will be none."""
        try:
            data = self.end.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            raise self._ended()
        self.heard += data
        found = []
        while len(self.heard) >= LENGTH.size:
            length, = LENGTH.unpack_from(self.heard)
            if length > FRAME_MAX:
                raise Problem("%s sends what is no frame" % self.name)
            if len(self.heard) < LENGTH.size + length:
                break
            found.append(bytes(self.heard[LENGTH.size:LENGTH.size + length]))
            del self.heard[:LENGTH.size + length]
        return found

    def send(self, data):
        if len(self.unsent) < UNSENT_MAX:
            self.unsent += LENGTH.pack(len(data)) + data
            self.flush()

    def flush(self):
        try:
            del self.unsent[:self.end.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            raise self._ended() from None

    def close(self):
        self.end.close()
        if self.child:
            processes.end(self.child)
            self.child.stderr.close()


class Tap:
    """Frames by a TAP interface of this system's, each a read or a write."""

    unsent = b""

    def __init__(self, interface):
        self.name = "TAP " + interface
        try:
            self.fd = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Problem("tap:%s: %s cannot be opened: %s" %
                          (interface, TUN, error.strerror)) from None
        try:
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack(
                "16sH22x", interface.encode(), IFF_TAP | IFF_NO_PI))
        except OSError as error:
            os.close(self.fd)
            raise Problem("tap:%s: cannot be used: %s; make it with 'ip tuntap "
                          "add mode tap user $USER name %s'" %
                          (interface, error.strerror, interface)) from None

    def fileno(self):
        return self.fd

    def receive(self):
        try:
            return [os.read(self.fd, FRAME_MAX)]
        except BlockingIOError:
            return []

    def send(self, data):
        # An interface that is down takes nothing: it is lost.
        try:
            os.write(self.fd, data)
        except OSError:
            pass

    def flush(self):
        pass

    def close(self):
        os.close(self.fd)


def comma_safe(text):
    return text.replace(",", ",,")


def user_command(options, fd):
    """A QEMU without a machine, whose user network is at the other end of fd."""
    user = "".join(",%s=%s" % (k, comma_safe(v)) for k, v in options)
    return ["qemu-system-x86_64", "-M", "none", "-nodefaults", "-display",
            "none", "-netdev", "user,id=user" + user,
            "-netdev", "hubport,id=a,hubid=0,netdev=user",
            "-netdev", "socket,id=guests,fd=%d" % fd,
            "-netdev", "hubport,id=b,hubid=0,netdev=guests"]


def user_options(text):
    """Pairs of what is behind `user,`; ValueError."""
    found = []
    for word in text.split(",") if text else ():
        name, equals, value = word.partition("=")
        if name not in USER_OPTIONS or not equals:
            raise ValueError("user: no option '%s': known are %s" %
                             (word, ", ".join(USER_OPTIONS)))
        if name == "tftp":
            value = os.path.abspath(value)
            if not os.path.isdir(value):
                raise ValueError("user: tftp: no folder '%s'" % value)
        found.append((name, value))
    return found


class FarEnd:
    """network: which it is for, None if there is only one."""

    def __init__(self, text, network, kind, rest):
        self.text, self.network = text, network
        self.kind, self.rest = kind, rest

    def open(self):
        if self.kind == "tap":
            return Tap(self.rest)
        if self.kind == "socket":
            return Stream(self._connected(), "the socket '%s'" % self.rest)
        ours, theirs = socket.socketpair()
        try:
            child = processes.start(
                user_command(self.rest, theirs.fileno()),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, pass_fds=[theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return Stream(ours, "QEMU's user network", child)

    def _connected(self):
        end = socket.socket(socket.AF_UNIX)
        try:
            end.connect(self.rest)
        except OSError as error:
            end.close()
            raise Problem("socket:%s: nobody listens there: %s" %
                          (self.rest, error.strerror or error)) from None
        return end


def parse(text):
    """[SWITCH=]user[,OPTION=VALUE...]|socket:PATH|tap:IF; ValueError."""
    match = SPEC.match(text)
    if not match:
        raise ValueError("'%s' has to be [SWITCH=]user[,OPTION=VALUE...], "
                         "socket:PATH or tap:INTERFACE" % text)
    network, what = match.groups()
    kind, _, rest = what.partition("," if what.startswith("user") else ":")
    if kind == "user":
        rest = user_options(rest)
    elif kind == "tap" and len(rest.encode()) > 15:
        raise ValueError("tap: '%s' is too long for an interface" % rest)
    return FarEnd(text, network, kind, rest)
