# SPDX-License-Identifier: BSD-2-Clause
"""Debian's gdb on a guest with two vCPUs that runs, through seat and the broker."""

import os
import subprocess
import tempfile
import unittest

import rig

# What panel.c asks all the time whether it has something.
I8042_STATUS = 0x64

SCRIPT = """
set pagination off
set confirm off
set tcp connect-timeout 90
set remotetimeout 90
target remote | %s debug one --socket %s
info threads
printf "protected %%d\\n", (long)$cr0 & 1
break *$pc
set $at = $pc
continue
printf "again %%d\\n", $pc == $at
delete
stepi
printf "stepped %%d\\n", $pc != $at
monitor catch port 0x%x
continue
monitor catch port 0x%x off
x/1bx $sp
detach
quit
"""


class Gdb(rig.HostTest):
    def gdb(self, host):
        """What it says; the host's console is read meanwhile."""
        tool = os.path.join(rig.TOP, "scripts/bulkhead")
        path = os.path.join(host.folder, "script.gdb")
        with open(path, "w") as f:
            f.write(SCRIPT % (tool, host.socket, I8042_STATUS, I8042_STATUS))
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(["gdb", "-nx", "-batch", "-x", path],
                                     stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=subprocess.STDOUT, cwd=rig.TOP)
            until = rig.later()
            while child.poll() is None:
                host.pump(0.1)
                if rig.time.monotonic() > until:
                    child.kill()
            output.seek(0)
            return output.read().decode(errors="replace")

    def test_two_vcpus(self):
        host = self.host(rig.panel("one", 1, more="vcpus = <2>;"))
        serial = rig.Serial(host, "one")
        serial.do("a", "^alive$")
        said = self.gdb(host)
        for words in ("Thread 1 .vCPU 0", "Thread 2 .vCPU 1", "^protected 1$",
                      "hit Breakpoint 1, ", "^again 1$", "^stepped 1$",
                      "(?i)port 0?x?64|port 100", "detached"):
            self.assertRegex(said, "(?m)" + words, said)
        # It was let go, and does what it did.
        serial.do("a", "^alive$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
