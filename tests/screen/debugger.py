# SPDX-License-Identifier: BSD-2-Clause
"""Debian's gdb at a guest, by GDB/MI and `bulkhead gdb`'s TCP port.

It waits for nothing but gdb's own words, and the host's console is read meanwhile.
"""

import os
import re
import select
import signal
import subprocess

import rig

AT = re.compile(r"target remote ([0-9.]+:[0-9]+)' is ")
STREAM = re.compile(r'[~@&]"(.*)"$')
ANSWER = re.compile(r"(\d*)\^(\w+)(.*)$")
INT, INT_LENGTH = b"\xcd", 2
SETTINGS = ("set pagination off", "set confirm off", "set remotetimeout 90",
            "set tcp connect-timeout 90")


def unquoted(text):
    """A C string of MI's."""
    return text.encode().decode("unicode_escape")


class Pipe:
    """Lines of a process, whose input is ours."""

    def __init__(self, host, line, end=signal.SIGTERM):
        self.host, self.rest, self.end = host, b"", end
        self.child = subprocess.Popen(line, stdin=subprocess.PIPE, cwd=rig.TOP,
                                      stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)

    def line(self, until):
        while b"\n" not in self.rest:
            output, console = self.child.stdout, self.host.child.stdout
            ready = select.select([output, console], [], [], 1)[0]
            if console in ready and not self.host.pump(0):
                raise rig.Failure("the simulator has ended")
            if output in ready:
                data = os.read(output.fileno(), 65536)
                if not data:
                    raise rig.Failure("%s has ended" % self.child.args[0])
                self.rest += data
            if rig.time.monotonic() > until:
                raise rig.Failure("%s says no more" % self.child.args[0])
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode(errors="replace")

    def close(self):
        if self.child.poll() is None:
            self.child.send_signal(self.end)
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


class Debugger:
    def __init__(self, host, guest):
        self.host, self.number, self.stops = host, 0, []
        self.said = ""    # by gdb since the last command
        self.log = []
        self.port = host.kept(Pipe(host, [
            os.path.join(rig.TOP, "scripts/bulkhead"), "gdb", guest,
            "--listen", "127.0.0.1:0", "--socket", host.socket]))
        found = None
        while not found:
            found = AT.search(self.port.line(rig.later()))
        self.address = found[1]
        # At SIGTERM gdb would say good-bye to its target, which may not listen.
        self.gdb = host.kept(Pipe(host, ["gdb", "-nx", "-q",
                                         "--interpreter=mi3"], signal.SIGKILL))
        for setting in SETTINGS:
            self.do(setting)
        self.connect()

    # ---- What gdb says ---------------------------------------------------

    def _take(self, until):
        """A line of MI; what it answers, as (number, class, rest), or None."""
        line = self.gdb.line(until).rstrip("\r")
        self.log.append(line)
        stream = STREAM.match(line)
        if stream:
            self.said += unquoted(stream[1])
        elif line.startswith("*stopped"):
            self.stops.append(line)
        found = ANSWER.match(line)
        return found and (found[1], found[2], found[3])

    def _answer(self, command, wanted):
        self.number += 1
        self.said = ""
        self.log.append("> " + command)
        self.gdb.child.stdin.write(("%d%s\n" % (self.number, command)).encode())
        self.gdb.child.stdin.flush()
        until = rig.later()
        while True:
            found = self._take(until)
            if found and found[0] == str(self.number):
                if found[1] not in wanted:
                    raise rig.Failure("gdb: %s: %s%s" % (command, *found[1:]))
                return found[2]

    def do(self, command):
        """A command of gdb's; what it printed."""
        self._answer(command, ("done", "connected"))
        return self.said

    def value(self, expression):
        """A number."""
        found = self._answer('-data-evaluate-expression '
                             '"(unsigned long long)(%s)"' % expression,
                             ("done",))
        return int(re.search(r'value="(\d+)', found)[1])

    def bytes_at(self, address, count):
        found = self._answer("-data-read-memory-bytes %#x %d" %
                             (address, count), ("done",))
        return bytes.fromhex(re.search(r'contents="(\w*)"', found)[1])

    # ---- The guest runs, and stops ---------------------------------------

    def connect(self):
        """The registers are described anew."""
        self.stops.clear()
        self._answer("target remote " + self.address,
                     ("done", "connected", "running"))
        if not self.stops:
            self.stopped()
        self.stops.clear()

    def again(self):
        """A new connection, the guest standing where it is."""
        self.do("monitor stay")
        self.do("disconnect")
        self.connect()

    def go(self, command="continue"):
        """The guest runs."""
        self.stops.clear()
        self._answer(command, ("running",))

    def stopped(self):
        """Until it stops: what gdb says of that."""
        until = rig.later()
        while not self.stops:
            self._take(until)
        return self.stops.pop(0)

    def run(self, command="continue"):
        self.go(command)
        return self.stopped()

    def interrupt(self):
        self.gdb.child.send_signal(signal.SIGINT)
        return self.stopped()

    def hits(self, address):
        """On, until the breakpoint that is set there; its thread's number."""
        stop = self.run()
        if 'reason="breakpoint-hit"' not in stop or \
                self.value("$pc") != address:
            raise rig.Failure("not at %#x: %s" % (address, stop))
        return int(re.search(r'thread-id="(\d+)"', stop)[1])

    def steps(self, until, most):
        """Instructions until an expression is not 0, an INT n with its handler
        being one; how many."""
        for count in range(1, most + 1):
            pc = self.value("$pc")
            if self.bytes_at(pc, 1) == INT:
                self.do("tbreak *%#x" % (pc + INT_LENGTH))
                self.hits(pc + INT_LENGTH)
            else:
                self.run("stepi")
            if self.value(until):
                return count
        raise rig.Failure("%d instructions, and not %s" % (most, until))
