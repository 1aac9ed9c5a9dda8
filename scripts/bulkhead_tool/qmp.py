# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's own monitor, by QMP."""

import json

from . import Problem


class Monitor:
    """At a socket that is open already; begin() waits for QEMU.

    With "oob" a command leaves nothing behind in QEMU.  Without it the monitor is
    suspended meanwhile, and its thread wakes the main loop some time after the answer,
    when it reads again.
    """

    def __init__(self, end):
        self.end = end
        self.file = None

    def begin(self):
        self.file = self.end.makefile("rw", encoding="utf-8")
        able = json.loads(self.file.readline() or "{}").get("QMP", {})
        self.ask("qmp_capabilities", enable=[
            c for c in able.get("capabilities", []) if c == "oob"])

    def ask(self, command, **arguments):
        try:
            self.file.write(json.dumps({"execute": command,
                                        "arguments": arguments}) + "\n")
            self.file.flush()
            for line in self.file:
                answer = json.loads(line)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise Problem("QEMU: %s: %s" % (
                        command, answer["error"].get("desc")))
        except OSError:
            pass
        raise Problem("the simulator's monitor does not answer")

    def close(self):
        if self.file:
            self.file.close()
        self.end.close()
