/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ACPI tells about the board "pv": a PCI bus, a power button, COM1 if the
 * board has it.  Compiled by iasl at build time; firmware/acpi.c gives the names
 * PCIL, PCIH and FEAT their values, and CPUs are in an SSDT of its.
 *
 * Pins of the I/O APIC are those of firmware/board.h: INTx pins lead to 16 to
 * 19, events to 20.  Ports at 600h are devices/acpi_reduced.h's.
 *
 * References: ACPI 6.5, "Hardware-Reduced ACPI", "Generic Event Device",
 * "Control Method Power Button", "_PRT (PCI Routing Table)".
 */
DefinitionBlock ("", "DSDT", 2, "BULKHD", "BULKHEAD", 1)
{
	Name (PCIL, 0x80000000)		// the PCI hole's first byte
	Name (PCIH, 0xFEBFFFFF)		// the PCI hole's last byte
	Name (FEAT, 0x7FFFFFFF)		// enum board_feature

	// SLP_TYP of power-off.
	Name (\_S5, Package () { 5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)

			Name (WIND, ResourceTemplate () {
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0x0000, 0x0000, 0, 0x0001)
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0x1000, 0xFFFF, 0, 0xF000)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite, 0, 0x80000000, 0xFEBFFFFF,
					0, 0x7EC00000, , , HOLE)
			})

			Method (_CRS, 0, Serialized)
			{
				CreateDWordField (WIND, \_SB.PCI0.HOLE._MIN, HMIN)
				CreateDWordField (WIND, \_SB.PCI0.HOLE._MAX, HMAX)
				CreateDWordField (WIND, \_SB.PCI0.HOLE._LEN, HLEN)
				HMIN = PCIL
				HMAX = PCIH
				HLEN = PCIH - PCIL + 1
				Return (WIND)
			}

			// Slot s, pin p: pin 16 + (s + p + 3) mod 4 of the
			// I/O APIC.
			Method (_PRT, 0, Serialized)
			{
				Local0 = Package (128) {}
				Local1 = 0
				While (Local1 < 128) {
					Local2 = Package () { 0, 0, 0, 0 }
					Local2 [0] = ((Local1 >> 2) << 16) | 0xFFFF
					Local2 [1] = Local1 & 3
					Local3 = (Local1 >> 2) + (Local1 & 3) + 3
					Local2 [3] = (Local3 & 3) + 16
					Local0 [Local1] = Local2
					Local1++
				}
				Return (Local0)
			}
		}

		// Tells of events; its method asks which, which clears them.
		Device (GED)
		{
			Name (_HID, "ACPI0013")
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate () {
				Interrupt (ResourceConsumer, Level, ActiveHigh,
					Exclusive) { 20 }
			})
			OperationRegion (REGS, SystemIO, 0x600, 4)
			Field (REGS, ByteAcc, NoLock, WriteAsZeros)
			{
				Offset (3),
				EVTS, 8
			}

			Method (_EVT, 1, Serialized)
			{
				Local0 = EVTS
				If (Local0 & 1) {
					Notify (PWRB, 0x80)
				}
			}
		}

		Device (PWRB)
		{
			Name (_HID, EisaId ("PNP0C0C"))
			Name (_UID, 0)
		}

		// Ports of the board itself, so that nobody is given them.
		Device (MBRD)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0600, 0x0600, 0, 4)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Method (_STA)
			{
				If (FEAT & 1) {
					Return (0x0F)
				}
				Return (0)
			}
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x03F8, 0x03F8, 0, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh,
					Exclusive) { 4 }
			})
		}
	}
}
