/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parallel port of the board "pc", in a table that is there if the port is:
 * of a board without one nothing may be different.  Compiled by iasl at build
 * time.
 *
 * References: ACPI 6.5, "ACPI Source Language"; Microsoft, "Plug and Play
 * Vendor and Device IDs".
 */
DefinitionBlock ("", "SSDT", 1, "BULKHD", "PARALLEL", 1)
{
	Scope (\_SB)
	{
		Device (LPT1)
		{
			Name (_HID, EisaId ("PNP0400"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0378, 0x0378, 0, 3)
				IRQNoFlags () { 7 }
			})
		}
	}
}
