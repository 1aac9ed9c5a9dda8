# SPDX-License-Identifier: BSD-2-Clause
"""A guest's core, read by hand, and what Debian's gdb makes of it."""

import struct
import subprocess

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
SECTION32 = struct.Struct("<10I")
NOTE = struct.Struct("<III")
ET_CORE, EM_X86_64, PT_LOAD, PT_NOTE = 4, 62, 1, 4
SHT_PROGBITS, SHF_EXECINSTR = 1, 4
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi "
             "orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()
REGISTERS_AT, PID_AT = 112, 32    # in Linux's elf_prstatus
QEMU_RIP_AT, QEMU_CR_AT = 136, 392


class Core:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        header = HEADER.unpack_from(self.data)
        self.kind = header[0][:7], header[1], header[2]
        self.segments = [SEGMENT.unpack_from(self.data, header[5] + n * header[9])
                         for n in range(header[10])]
        self.notes = [note for s in self.segments if s[0] == PT_NOTE
                      for note in self._notes(s[2], s[2] + s[5])]

    def _notes(self, at, end):
        while at < end:
            name_size, size, kind = NOTE.unpack_from(self.data, at)
            at += NOTE.size
            name = self.data[at:at + name_size].rstrip(b"\0").decode()
            at += (name_size + 3) & ~3
            yield name, kind, self.data[at:at + size]
            at += (size + 3) & ~3

    def threads(self):
        """Registers by their names, of each NT_PRSTATUS."""
        return [dict(zip(REGISTERS, struct.unpack_from(
            "<27Q", value, REGISTERS_AT)),
            pid=struct.unpack_from("<I", value, PID_AT)[0])
            for name, kind, value in self.notes if (name, kind) == ("CORE", 1)]

    def processors(self):
        """Version, size, RIP, CR0 of each note of QEMU's."""
        return [struct.unpack_from("<II", value) + tuple(
            struct.unpack_from("<Q", value, at)[0]
            for at in (QEMU_RIP_AT, QEMU_CR_AT))
            for name, kind, value in self.notes if (name, kind) == ("QEMU", 0)]

    def regions(self):
        return {s[4]: s[5] for s in self.segments if s[0] == PT_LOAD}

    def memory(self, address, size):
        for kind, _, offset, _, start, length, _, _ in self.segments:
            if kind == PT_LOAD and start <= address and \
                    address + size <= start + length:
                at = offset + address - start
                return self.data[at:at + size]
        return None


def text_of(path):
    """Address and bytes of what a 32-bit ELF program executes."""
    with open(path, "rb") as f:
        data = f.read()
    at, size, count = struct.unpack_from("<I", data, 32) + \
        struct.unpack_from("<HH", data, 46)
    for n in range(count):
        section = SECTION32.unpack_from(data, at + n * size)
        if section[1] == SHT_PROGBITS and section[2] & SHF_EXECINSTR:
            return section[3], data[section[4]:section[4] + section[5]]
    raise ValueError("it has no text")


def gdb(program, path, *commands):
    """What gdb says; a core is of a 64-bit processor, whatever runs there."""
    words = [w for command in commands for w in ("-ex", command)]
    return subprocess.run(["gdb", "-nx", "-batch", "-iex",
                           "set architecture i386:x86-64", program, path, *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=True,
                          ).stdout.decode(errors="replace")
