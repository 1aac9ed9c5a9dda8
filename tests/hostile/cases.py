# SPDX-License-Identifier: BSD-2-Clause
"""The attacks: what runs beside the good guest, and how its VM has to end."""

import fnmatch

VCPUS = (1, 2, 4, 16)
CPUS = (1, 2)

# How an attacker's VM may end, as the monitor says it.
OFF = r"powered off"
EXIT = r"ended by the guest through port 0xf4"
CRASH = r"its machine crashed"
ERROR = r"its machine gave up"
MEMORY = r"out of memory"
REFUSED = r"the processor refused the guest's state"
STOPPED = "|".join((OFF, EXIT, ERROR))
WILD = "|".join((OFF, REFUSED))
ANY = r".*"
NEVER = None    # alone it can not end; the good guest's end is enough


DISKS = """
		disk0 { bus = "ide"; image = "disk.img"; };
		cdrom0 { bus = "ide"; image = "cdrom.img"; };"""


class Attack:
    """One row: a program of evil.elf, or a guest of bad.elf."""

    def __init__(self, name, end=OFF, guest=False, alone=None, vcpus=VCPUS,
                 ms=200, mib=16, disk=0, neighbour=False, sims=("qemu",
                 "bochs"), says=None, words=None, host_mib=0):
        self.name = name
        self.end = end
        self.is_guest = guest
        self.alone = end if alone is None else alone    # with one vCPU
        self.vcpus = vcpus
        self.ms = ms
        self.mib = mib
        self.disk_kib = disk        # writable, and a CD-ROM with the same
        self.has_neighbour = neighbour
        self.sims = sims
        self.says = says    # a line that has to come from the attacker
        self.words = words or name
        self.host_mib = host_mib    # of the host; 0: what the guests need

    def end_with(self, vcpus):
        if self.alone == "never":
            return NEVER if vcpus == 1 else self.end
        return self.alone if vcpus == 1 else self.end

    def node(self, name, vcpus, ms=None, seed=1):
        """The attacker's node of the manifest."""
        command = "%s ms=%d" % (self.words, ms or self.ms)
        if not self.is_guest:
            command += " seed=%d" % seed
        file = 'kernel = "bad.elf"; isa-debug-exit' if self.is_guest else \
            'program = "evil.elf"'
        disk = DISKS if self.disk_kib else ""
        return """
	%s { board = "pc"; memory-mib = <%d>; vcpus = <%d>;
		%s; cmdline = "%s"; %s };""" % (name, self.mib, vcpus, file,
                                               command, disk)


def guest(name, **more):
    return Attack("guest-" + name, more.pop("end", EXIT), guest=True,
                  words=name, **more)


ATTACKS = [
    # Lifetime.
    Attack("uaf"),
    Attack("spin"),
    Attack("stop", STOPPED),
    Attack("crash", CRASH),
    Attack("sleep"),
    Attack("reset"),
    Attack("yield"),
    # Timers.
    Attack("timer"),
    Attack("storm"),
    Attack("apictimer"),
    # Memory.
    Attack("eat", ms=600, neighbour=True, says="PASS the quota holds"),
    Attack("give"),
    Attack("long", ms=600, neighbour=True),
    Attack("maprace"),
    # Console and log.
    Attack("console", ms=60),
    Attack("endless", ms=60),
    Attack("forge"),
    Attack("log"),
    Attack("input"),
    Attack("rings"),
    # The shared page.
    Attack("state", WILD),
    Attack("race", WILD),
    Attack("mix", WILD),
    Attack("garbage", CRASH),
    # Rights, waits, channels.
    Attack("rights", says="PASS nothing without the right"),
    Attack("wait", says="PASS each wake ended a wait"),
    Attack("waitend"),
    Attack("route", says="PASS events go where they may"),
    Attack("doorbell", says="PASS no other slot has a channel"),
    # Disks whose pages are copied when they are written.
    Attack("cow", disk=160, says="PASS what all write at once is there"),
    Attack("cowall", disk=4096, neighbour=True,
           says="PASS the whole disk is written"),
    Attack("cowgone", MEMORY, disk=128 * 1024, host_mib=200,
           sims=("qemu",)),
    Attack("cowread", disk=32, says="PASS calls read the disk"),
    # Signals.
    Attack("apic"),
    Attack("ipi"),
    Attack("eoi"),
    Attack("line"),
    # The rest.
    Attack("copy", disk=32),
    Attack("calls"),
    Attack("leak", says="PASS nothing of ring 0 is seen"),
    Attack("fuzz", WILD),
    # Guests. QEMU checks no alignment, and #DB loops end it.
    guest("acloop", alone="never", sims=("bochs",)),
    guest("dbloop", alone="never", sims=("bochs",)),
    guest("lme", sims=("bochs",)),
    guest("spin"),
    guest("dead", alone="never"),
    guest("touch", ms=100),
    guest("triple"),
    guest("reboot"),
    guest("ipi", ms=100),
    guest("x2apic", ms=100),
    guest("nmi", ms=100),
    guest("init", ms=100),
    guest("mixed", ms=100),
    guest("uartflood", ms=60),
    guest("forge", ms=60),
    guest("cpuid", ms=100),
    guest("pci", ms=100),
    guest("ports", ms=100),
]

# Several at once, each with all its vCPUs, beside the one good guest.
CROWD = ("spin", "maprace", "apictimer", "log", "ipi", "give", "reset")

# What ring 3 tries, each in a VM of its own, many on one host. LET are
# harmless; EITHER depends on the processor; all others must end the VM.
TRIES = """cli sti hlt in out insb clts lmsw mov_cr0 mov_cr3 mov_cr8 mov_dr7
lgdt lidt lldt ltr ldt_ds rdmsr wrmsr rdpmc xsetbv invlpg invd wbinvd swapgs
sysret sysexit sysenter monitor mwait vmcall vmmcall vmrun vmload vmsave stgi
clgi skinit vmlaunch vmxoff vmxon rsm ud2 int1 int3 ss_kernel ss_null gs_null
gs_user wrfsbase wrgsbase iret_kernel retf_kernel iret_nt iret_wild tf
tf_syscall tf_ss_syscall ss_tf_syscall ss_int3 ss_syscall tf_int tf_sysenter ac
ac_syscall df_syscall nt_syscall iopl nc_jump nc_hole nc_return nc_read nc_stack
stack_none stack_kernel rsp_kernel rsp_wild rsp_none x87_pending df_interrupt
ac_interrupt rsp_interrupt far_kernel far_conforming read_physmap read_image
read_null read_other_page write_text write_config run_data run_stack run_window
run_page run_physmap compat_syscall_stack compat_syscall_nowhere
compat_sysenter_stack compat_int80_stack""".split()
LET = """gs_null gs_user ss_syscall ac_syscall df_syscall nt_syscall rsp_kernel
rsp_wild rsp_none x87_pending df_interrupt ac_interrupt rsp_interrupt""".split()
EITHER = """ac wrfsbase wrgsbase compat_syscall_stack compat_syscall_nowhere
compat_sysenter_stack sysenter""".split()
# The ones worth a try with every `make test`.
TRIES_SHORT = """cli out mov_cr3 wrmsr swapgs int1 int3 tf tf_syscall
tf_ss_syscall ss_tf_syscall ss_int3 df_interrupt ac_interrupt rsp_interrupt
rsp_wild rsp_kernel nc_return nc_stack far_kernel iret_kernel wrgsbase
x87_pending write_text run_window compat_syscall_stack compat_syscall_nowhere
compat_sysenter_stack iret_wild read_physmap stack_kernel""".split()
INTS_SHORT = (0, 1, 2, 3, 4, 8, 13, 14, 18, 30, 32, 128, 240, 242, 254, 255)


def crowd():
    return [a for name in CROWD for a in ATTACKS if a.name == name]


def a_try(name):
    end = OFF if name in LET else ANY if name in EITHER else CRASH
    return Attack("try-" + name, end, words="try " + name, mib=2)


def an_int(vector):
    return Attack("int-%d" % vector, CRASH, words="int %d" % vector, mib=2)


def tries(is_short):
    names = TRIES_SHORT if is_short else TRIES
    vectors = INTS_SHORT if is_short else range(256)
    return [a_try(n) for n in names] + [an_int(v) for v in vectors]


def select(patterns):
    return [a for a in ATTACKS
            if any(fnmatch.fnmatch(a.name, p) for p in patterns)]
