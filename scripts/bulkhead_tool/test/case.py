# SPDX-License-Identifier: BSD-2-Clause
"""A case's TOML file, read and checked: docs/testing-firmware.md has the keys.

Whatever is wrong is said with the file, the step, the key, and what is allowed.
"""

import difflib
import hashlib
import os
import re
import tomllib

from .. import Problem, fdt, host, session
from ..control import keys
from . import fault, sweep, verdict

# Where packages have firmware that a case names without a folder.
FIRMWARE = (host.FIRMWARE, "/usr/share/OVMF")

COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kMG]?)\Z")
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%\Z")

SOURCES = ("serial", "402", "e9", "post", "screen")
ENDS = ("halt", "off", "exit", "reset", "power-cut")
NETWORKS = ("user",)
LIMITS = {"instructions": 500_000_000, "guest-seconds": 120,
          "silence": None, "resets": 4, "triple-faults": 0, "exits": {}}


class Wrong(ValueError):
    """A value that is none of those allowed; its text says which are."""


def text(value):
    if not isinstance(value, str) or not value:
        raise Wrong("has to be a text")
    return value


def text_or_false(value):
    if value is True:
        raise Wrong("has to be a text, or false")
    return value if value is False else text(value)


def flag(value):
    if value is not True:
        raise Wrong("has to be true")
    return value


def whole(low, high):
    def check(value):
        if type(value) is not int or not low <= value <= high:
            raise Wrong("has to be a whole number from %d to %d" % (low, high))
        return value
    return check


def count(value):
    found = COUNT.match(value) if isinstance(value, str) else None
    if found:
        value = int(float(found[1]) * UNITS[found[2]])
    if type(value) is not int or value < 1:
        raise Wrong('has to be a count, as 40000000 or "40M"')
    return value


def percent(value):
    found = PERCENT.match(value) if isinstance(value, str) else None
    if not found:
        raise Wrong('has to be a part, as "2 %"')
    return float(found[1])


def one_of(*words):
    def check(value):
        if value not in words:
            raise Wrong("has to be one of %s" % ", ".join(words))
        return value
    return check


def pattern(value):
    try:
        return session.pattern(text(value))
    except ValueError as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong("is no regular expression: %s" % error) from None


def escaped(value):
    try:
        return session.unescape(text(value))
    except ValueError as error:
        raise Wrong(str(error)) from None


def numbers(length, low, high):
    def check(value):
        if not isinstance(value, list) or len(value) != length or \
                not all(type(n) is int and low <= n <= high for n in value):
            raise Wrong("has to be %d whole numbers from %d to %d" %
                        (length, low, high))
        return value
    return check


def texts(value):
    return [text(v) for v in (value if isinstance(value, list) else [value])]


def folder_or_files(value):
    if not isinstance(value, list):
        return text(value)
    names = [os.path.basename(name) for name in texts(value)]
    if not names or "" in names or len(set(names)) < len(names):
        raise Wrong("has to be a folder, or a list of files, each of another "
                    "name")
    return value


def cmdline(value):
    if not re.fullmatch(r'[ -!#-\[\]-~]{1,1023}', text(value)):
        raise Wrong("has to be 1 to 1023 printable characters without quotes "
                    "and backslashes")
    return value


def drives(value):
    names = texts(value)
    for name in names:
        if not re.fullmatch(r"(floppy|disk|cdrom)\d", name):
            raise Wrong("has to be a list of drives, as [\"cdrom0\", "
                        "\"disk0\"]")
    if len(set(names)) != len(names):
        raise Wrong("has a drive twice")
    return names


def floppies(value):
    names = texts(value)
    if len(names) > 2:
        raise Wrong("a board has but two floppy drives")
    return names


def table(fields):
    def check(value):
        if not isinstance(value, dict):
            raise Wrong("has to be a table")
        return checked(fields, value)
    return check


def exits(value):
    if not isinstance(value, dict):
        raise Wrong("has to be a table, as { io = 20000, total = 50000 }")
    found = {}
    for name, limit in value.items():
        try:
            found[name] = count(limit)
        except Wrong as error:
            raise Wrong("%s: %s" % (name, error)) from None
    return found


def patches(value):
    if not isinstance(value, list):
        raise Wrong("has to be a list of tables")
    return [patch(table(PATCH)(v)) for v in value]


def patch(value):
    """A bit, counted from the offset's byte on, is an xor, too."""
    missing = [key for key in ("file", "offset") if key not in value]
    if missing or ("xor" in value) == ("bit" in value):
        raise Wrong("has to have file, offset, and either xor or bit")
    if "xor" in value:
        return value
    return {"file": value["file"], "xor": 1 << value["bit"] % 8,
            "offset": value["offset"] + value["bit"] // 8}


def address(value):
    return whole(0, (1 << 64) - 1)(value)


def span(value):
    try:
        return sweep.parse(value)
    except ValueError as error:
        raise Wrong(str(error)) from None


PATCH = {"file": text, "offset": whole(0, 1 << 40), "xor": whole(1, 255),
         "bit": whole(0, 1 << 43)}

POINTER = {"dx": whole(-32768, 32767), "dy": whole(-32768, 32767),
           "wheel": whole(-8, 7), "buttons": whole(0, 7)}

LIMIT_FIELDS = {"instructions": count, "guest-seconds": whole(1, 86400),
                "silence": count, "resets": whole(0, 10**6),
                "triple-faults": whole(0, 10**6), "exits": exits}

# What a step is, and what may stand beside it.
STEPS = {
    "expect": (pattern, {"on": one_of(*SOURCES), "within": count}),
    "image": (text, {"region": numbers(4, 0, 65535), "within": count,
                     "tolerance": whole(0, 255)}),
    "send": (escaped, {}),
    "keys": (text, {}),
    "pointer": (table(POINTER), {}),
    "eject": (whole(0, 5), {}),
    "insert": (whole(0, 5), {}),
    "unplug": (whole(0, 1), {}),
    "plug": (whole(0, 1), {}),
    "power": (flag, {}),
    "reset": (flag, {}),
    "nmi": (flag, {}),
    "wait": (count, {}),
    "until": (one_of(*ENDS), {"code": whole(0, 255), "within": count}),
}

# The parts of a PC, for who has no manifest.
PARTS = {
    "firmware": text, "flash-vars": text, "vga-bios": text_or_false,
    "disk": texts, "cdrom": texts, "boot": drives, "boot-menu-wait-ms": whole(1, 65535),
    "floppy": floppies, "kernel": text, "initrd": text, "cmdline": cmdline,
    "memory": whole(2, 1 << 20), "vcpus": whole(1, 32),
}

FIELDS = dict({
    "description": text, "manifest": text, "guest": text,
    "symbols": text, "symbols-offset": address,
    "patch": patches, "layout": one_of(*keys.LAYOUTS),
    "clock": one_of("instructions", "real"),
    "net": one_of(*NETWORKS), "tftp": folder_or_files, "bootfile": text,
    "golden": percent,
    "verdict": one_of(*verdict.WANTED), "why": pattern,
    "limits": table(LIMIT_FIELDS), "step": None,
    "fault": table(fault.fields(Wrong, whole, count, table)), "sweep": span,
}, **PARTS)


def unknown(name, allowed):
    close = difflib.get_close_matches(name, allowed, 1)
    return Wrong("there is no such key%s; allowed are %s" % (
        ": did you mean '%s'?" % close[0] if close else "",
        ", ".join(allowed)))


def checked(fields, values):
    """The values as they are meant; Wrong."""
    found = {}
    for name, value in values.items():
        try:
            if name not in fields:
                raise unknown(name, fields)
            found[name] = fields[name](value)
        except Wrong as error:
            raise Wrong("%s: %s" % (name, error)) from None
    return found


class Step:
    """What is to be done or met: kind, value, and more by the keys beside it."""

    def __init__(self, values, layout="us"):
        kinds = [k for k in values if k in STEPS]
        if len(kinds) != 1:
            strange = [k for k in values if not any(
                k in more for _, more in STEPS.values())]
            raise unknown(strange[0], list(STEPS)) if strange and not kinds \
                else Wrong("has to have one of %s" % ", ".join(STEPS))
        self.kind = kinds[0]
        check, more = STEPS[self.kind]
        found = checked(dict(more, **{self.kind: check}), values)
        self.value = found.pop(self.kind)
        self.more = found
        if self.kind == "keys":
            try:
                self.value = keys.parse(self.value, layout)
            except ValueError as error:
                raise Wrong("keys: %s" % error) from None
        shown = values[self.kind]
        self.label = "%s %s%s" % (
            self.kind, shown if not isinstance(shown, bool) else "",
            " on " + found["on"] if "on" in found else "")
        self.label = self.label.strip()


class Case:
    """What a file says; Problem."""

    k = None    # of a sweep
    is_swept = False

    def __init__(self, path, k=None):
        self.path, self.k = path, k
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.folder = os.path.dirname(os.path.realpath(path))
        try:
            with open(host.readable(path, "case"), "rb") as f:
                values = tomllib.load(f)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Problem("%s: %s" % (path, error)) from None
        try:
            self.take(values)
        except Wrong as error:
            raise Problem("%s: %s" % (path, error)) from None

    def take(self, values):
        steps = values.get("step", [])
        rest = {k: v for k, v in values.items() if k != "step"}
        try:
            at_k = sweep.resolve(rest, self.k)
        except ValueError as error:
            raise Wrong(str(error)) from None
        self.is_swept = at_k is not rest
        found = checked(FIELDS, at_k)
        fault.check_all(found.get("fault", {}), Wrong)
        if self.is_swept and "golden" in found:
            raise Wrong("golden: is not for a case that is swept")
        self.values = found
        self.verdict = found.get("verdict", verdict.PASSED)
        self.why = found.get("why")
        self.limits = dict(LIMITS, **found.get("limits", {}))
        self.golden = found.get("golden")
        self._check_network(found)
        self.is_exact = "net" not in found and \
            found.get("clock", "instructions") == "instructions"
        self._take_steps(steps, found.get("layout", "us"))
        if "manifest" in found:
            both = [k for k in PARTS if k in found]
            if both:
                raise Wrong("manifest: excludes %s: the manifest has them" %
                            ", ".join(both))
        self._check_boot(found)

    def _check_network(self, found):
        for key in ("tftp", "bootfile"):
            if key in found and "net" not in found:
                raise Wrong('%s: is of a network: say net = "user", too' % key)
            if isinstance(found.get(key), str) and "," in found[key]:
                raise Wrong("%s: has a comma" % key)
        if "net" not in found:
            return
        if found.get("clock") == "instructions":
            raise Wrong("net: what is outside takes real time: it excludes "
                        "clock = \"instructions\"")
        if isinstance(found.get("tftp"), str) and not os.path.isdir(
                os.path.join(self.folder, found["tftp"])):
            raise Wrong("tftp: there is no folder '%s'" % found["tftp"])

    def network_options(self, work):
        """Of the user network: names and values; Problem: a file is not there.
        Files that are named one by one are put together in the folder `work`.
        """
        values = self.values
        if isinstance(values.get("tftp"), list):
            together = os.path.join(work, "tftp")
            os.mkdir(together)
            for name in values["tftp"]:
                os.symlink(os.path.realpath(self.find(name, "tftp")),
                           os.path.join(together, os.path.basename(name)))
            yield "tftp", together
        elif "tftp" in values:
            yield "tftp", os.path.join(self.folder, values["tftp"])
        if "bootfile" in values:
            yield "bootfile", values["bootfile"]

    def _check_boot(self, found):
        known = [role + str(n) for role in ("floppy", "disk", "cdrom")
                 for n in range(len(found.get(role, [])))]
        for name in found.get("boot", []):
            if name not in known:
                raise Wrong("boot: there is no '%s'; allowed are %s" %
                            (name, ", ".join(known) or "none"))

    def _take_steps(self, steps, layout):
        if not isinstance(steps, list) or not steps:
            raise Wrong("step: a case has to have steps, each under [[step]]")
        self.steps = []
        for number, values in enumerate(steps, 1):
            try:
                self.steps.append(Step(values, layout))
            except Wrong as error:
                raise Wrong("step %d: %s" % (number, error)) from None

    # ---- Its host --------------------------------------------------------

    def find(self, name, what):
        """The path of a file that the case names; Problem."""
        path = name if os.path.isabs(name) else os.path.join(self.folder, name)
        if not os.path.exists(path) and "/" not in name:
            try:
                path = host.find_file(name, self.folder)
            except Problem:
                path = next((p for p in (os.path.join(f, name) for f in FIRMWARE)
                             if os.path.isfile(p)), path)
        if not os.path.isfile(path):
            raise Problem("%s: %s: there is no file '%s'" %
                          (self.path, what, name))
        return host.readable(path, "%s: %s" % (self.path, what))


def parts_of(case):
    """(role, property's name there, the path of its file) of the short form."""
    values = case.values
    for role, ending in (("firmware", "bin"), ("flash-vars", "fd"),
                         ("vga-bios", "bin"),
                         ("kernel", ""), ("initrd", "")):
        if values.get(role):
            yield role, role + ("." + ending if ending else ""), \
                case.find(values[role], role)
    for role, ending in (("floppy", "img"), ("disk", "img"),
                         ("cdrom", "iso")):
        for number, name in enumerate(values.get(role, [])):
            yield "%s%d" % (role, number), "%s%d.%s" % (role, number, ending), \
                case.find(name, role)
    if "firmware" not in values and any(p["file"] == "firmware" for p in
                                        values.get("patch", [])):
        yield "firmware", "firmware.bin", os.path.join(host.FIRMWARE,
                                                       "bios-256k.bin")


def fresh(case, role, source, place):
    """A link to the file, or a copy that is changed as the case says."""
    changes = [p for p in case.values.get("patch", []) if p["file"] == role]
    if not changes:
        os.symlink(os.path.realpath(source), place)
        return
    with open(source, "rb") as f:
        data = bytearray(f.read())
    for change in changes:
        if change["offset"] >= len(data):
            raise Problem("%s: patch: offset: %d is behind the end of '%s', "
                          "which has %d bytes" % (case.path, change["offset"],
                                                  source, len(data)))
        data[change["offset"]] ^= change["xor"]
    with open(place, "wb") as f:
        f.write(data)


def manifest_text(values, files):
    """The device-tree source of a short case."""
    lines = ['board = "pc";', "memory-mib = <%d>;" % values.get("memory", 64),
             "vcpus = <%d>;" % values.get("vcpus", 1), "debug-console;",
             "post-codes;", "isa-debug-exit;"]
    if "boot-menu-wait-ms" in values:
        lines.append("boot-menu-wait-ms = <%d>;" % values["boot-menu-wait-ms"])
    order = values.get("boot", [])
    for role, name in files.items():
        if role.startswith(("floppy", "disk", "cdrom")):
            bus = "" if role.startswith("floppy") else 'bus = "ide"; '
            lines.append('%s { %simage = "%s"; %s};' % (
                role, bus, name, "boot-index = <%d>; " % (order.index(role) + 1)
                if role in order else ""))
        elif role == "flash-vars":
            lines.append('flash0 { image = "%s"; };' % name)
        else:
            lines.insert(1, '%s = "%s";' % (role, name))
    if "net" in values:    # started from behind what is named
        lines.append('nic0 { model = "e1000"; switch = "net"; boot-index = '
                     '<%d>; };' % (len(order) + 1))
    if "cmdline" in values:
        lines.insert(1, 'cmdline = "%s";' % values["cmdline"])
    lines.append(fault.node(values.get("fault", {})))
    return ('/dts-v1/;\n/ {\n\tcompatible = "bulkhead,host-v1";\n\tguests {\n'
            '\t\tguest {\n%s\t\t};\n\t};\n};\n' %
            "".join("\t\t\t%s\n" % line for line in lines))


def manifest_host(case, work):
    """Of a case with a manifest, to which its faults are added."""
    path = case.find(case.values["manifest"], "manifest")
    node = fault.node(case.values.get("fault", {}))
    if not node:
        return host.Host(path, work)
    guests = fdt.parse(fdt.compile_source(path)).child("guests")
    names = [g.name for g in guests.children] if guests else []
    guest = case.values.get("guest", names[0] if names else None)
    if guest not in names:
        return host.Host(path, work)    # which says what is wrong
    own = os.path.join(work, "case.dts")
    with open(own, "w", encoding="utf-8") as f:
        f.write('/include/ "%s"\n/ { guests { %s { %s }; }; };\n' %
                (os.path.realpath(path), guest, node))
    return host.Host(own, work, os.path.dirname(os.path.realpath(path)))


def build(case, work):
    """The case's host.Host, all of whose files are its own; Problem."""
    values = case.values
    if "manifest" in values:
        the_host = manifest_host(case, work)
    else:
        folder = os.path.join(work, "files")
        os.mkdir(folder)
        files = {}
        for role, name, source in parts_of(case):
            fresh(case, role, source, os.path.join(folder, name))
            files[role] = name
        strange = [p["file"] for p in values.get("patch", [])
                   if p["file"] not in files]
        if strange:
            raise Problem("%s: patch: file: there is no '%s'; allowed are %s" %
                          (case.path, strange[0], ", ".join(files) or "none"))
        if values.get("vga-bios") is False:
            files["vga-bios"] = "no-vga.bin"
            with open(os.path.join(folder, files["vga-bios"]), "wb") as f:
                f.write(host.NO_ROM)
        path = os.path.join(folder, "case.dts")
        with open(path, "w", encoding="utf-8") as f:
            f.write(manifest_text(values, files))
        the_host = host.Host(path, work)
    for number, drive in enumerate(the_host.drives):
        if drive.is_written:
            copy = os.path.join(work, "drive%d" % number)
            status, _, words = host.processes.run(
                ["cp", "--sparse=always", "--reflink=auto", drive.path, copy])
            if status:
                raise Problem("%s cannot be copied: %s" % (drive.path, words))
            drive.path = copy
    return the_host


def digest(path):
    found = hashlib.sha256()
    with open(path, "rb") as f:
        for piece in iter(lambda: f.read(1 << 20), b""):
            found.update(piece)
    return found.hexdigest()


def hashes(the_host):
    """What the guest had, by name: SHA-256."""
    ours = ("manifest.dtb", host.INIT, host.SEAT, host.DISK, host.SWITCH,
            host.MACHINE) + tuple(
                rom[0] for rom in host.NIC_ROMS.values())
    found = {m.name: digest(m.path) for m in the_host.modules
             if m.name not in ours}
    found.update((d.node, digest(d.path)) for d in the_host.drives)
    return found
