# SPDX-License-Identifier: BSD-2-Clause
"""A hybrid ISO that boots a host: GRUB for BIOS and UEFI, Multiboot 2.

It works from a CD and, written byte for byte, from a USB stick.  The guests'
PC firmware travels along, so its licence does too.
"""

import os
import shutil
import stat

from . import Problem, host, processes

LICENCES = (("SeaBIOS-copyright", "/usr/share/doc/seabios/copyright"),
            ("LGPL-3", "/usr/share/common-licenses/LGPL-3"),
            ("GPL-3", "/usr/share/common-licenses/GPL-3"),
            ("GRUB-copyright", "/usr/share/doc/grub-common/copyright"))

NOTICE = """This medium was made by Bulkhead (BSD-2-Clause, see Bulkhead).

Beside Bulkhead it carries, unmodified, as Debian packages them:
 - SeaBIOS and its VGA BIOS (bios.bin, vgabios.bin), LGPL version 3,
   as the firmware of guests with a PC board;
 - GRUB, GPL version 3 or later, as the boot loader.
Their copyright files and licence texts are in this folder; Debian's package
archive has their sources.  Guests' disks have licences of their own.
"""

# The host's screen is in what mode GRUB sets. Of a BIOS's the VBE's: where there
# are none the text mode stays, but a plain VGA's planes are of no use.
GRUB_CFG = """serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
if [ $grub_platform = pc ]; then insmod vbe; else insmod all_video; fi
menuentry "Bulkhead: %s" {
\techo "Loading the monitor ..."
\tmultiboot2 /boot/bulkhead.elf%s
%s}
"""


def quoted(text):
    """One word for GRUB's shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def grub_cfg(the_host):
    lines = []
    for number, module in enumerate(the_host.modules):
        path = "/boot/modules/%d" % number
        lines.append('\techo %s\n\tmodule2 %s %s\n' %
                     (quoted("Loading %s ..." % module.name), path,
                      quoted(module.name)))
    title = os.path.basename(the_host.source).replace('"', "")
    return GRUB_CFG % (title, "".join(" " + w for w in the_host.command_line),
                       "".join(lines))


def graft(target, source):
    """xorriso's 'put this file there': no copies of large disks."""
    path = os.path.realpath(source).replace("\\", "\\\\")
    return "%s=%s" % (target, path.replace("=", "\\="))


def add_licences(folder):
    os.makedirs(folder)
    with open(os.path.join(folder, "README"), "w") as f:
        f.write(NOTICE)
    shutil.copy(os.path.join(host.TOP, "LICENSE"),
                os.path.join(folder, "Bulkhead"))
    for name, path in LICENCES:
        if not os.path.exists(path):
            raise Problem("the licence text %s is missing here; an image "
                          "may not be made without it" % path)
        shutil.copy(path, os.path.join(folder, name))


# ISO 9660: the primary volume descriptor, behind 16 unused sectors.
DESCRIPTOR_AT, DESCRIPTOR = 32768, b"\1CD001"


def is_iso(path):
    """By what is inside; a name that promises one is held to it."""
    if not os.path.isfile(path):
        return False
    with open(host.readable(path, "ISO"), "rb") as f:
        f.seek(DESCRIPTOR_AT)
        found = f.read(len(DESCRIPTOR)) == DESCRIPTOR
    if not found and path.lower().endswith(".iso"):
        raise Problem("'%s' is no ISO 9660 image: 'bulkhead image' makes one "
                      "from a manifest" % path)
    return found


class IsoHost:
    """A host that was packed before: its manifest and modules are inside."""

    modules = ()
    end = None    # not known here
    drives = ()   # an ISO names none
    has_source = True    # not known here

    def __init__(self, path):
        self.source = self.iso = os.path.realpath(path)

    def memory_mib(self):
        """What the guests need is not known here; --host-memory says it."""
        return os.path.getsize(self.iso) // host.MIB + 1024


def medium(the_host, work):
    """The path of an ISO that boots the host; made now unless it is one."""
    if the_host.iso:
        return the_host.iso
    path = os.path.join(work, "host.iso")
    make(the_host, path, work)
    return path


def make(the_host, output, work):
    """Write the ISO for a Host; work is a folder for the pieces."""
    kernel = host.monitor()
    tree = os.path.join(work, "iso")
    os.makedirs(os.path.join(tree, "boot/grub"))
    grafts = [graft("boot/bulkhead.elf", kernel)]
    grafts += [graft("boot/modules/%d" % number, module.path)
               for number, module in enumerate(the_host.modules)]
    with open(os.path.join(tree, "boot/grub/grub.cfg"), "w") as f:
        f.write(grub_cfg(the_host))
    add_licences(os.path.join(tree, "licences"))
    part = output_part(output)
    try:
        status, words, complaints = processes.run(
            ["grub-mkrescue", "--locales=", "-o", part, tree] + grafts +
            ["--", "-volid", "BULKHEAD"])
        if status:
            raise Problem("grub-mkrescue failed:\n%s" %
                          (words.decode(errors="replace") + complaints))
        if part != output:
            os.replace(part, output)
    finally:
        if part != output and os.path.exists(part):
            os.unlink(part)


def output_part(output):
    """Where to write first, so that a failure leaves no half of an ISO."""
    folder = os.path.dirname(output) or "."
    if not os.path.isdir(folder):
        raise Problem("there is no folder '%s' for the ISO" % folder)
    if os.path.isdir(output):
        raise Problem("'%s' is a folder: name the ISO in it" % output)
    if os.path.exists(output) and not stat.S_ISREG(os.stat(output).st_mode):
        return output    # a device: a USB stick
    if not os.access(folder, os.W_OK):
        raise Problem("the folder '%s' cannot be written" % folder)
    return output + ".part"
