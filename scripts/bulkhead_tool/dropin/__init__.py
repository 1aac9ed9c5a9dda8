# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead qemu`: what QEMU's command line asks for, run on Bulkhead.

	syntax.py	values with keys, sizes
	pc.py		the PC that is asked for, a part at a time
	options.py	the options, by name
	devices.py	-device and -global
	drives.py	-drive and its short forms
	ports.py	where a serial port and a debug console lead
	manifest.py	the PC as a manifest and its files
	fat.py		a folder as a disk, and back
	run.py		the run and its status

docs/qemu-options.md says what becomes of each option.
"""
