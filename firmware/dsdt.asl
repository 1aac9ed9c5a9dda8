/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ACPI tells about the board "pc": i440FX, PIIX3, PIIX4 PM and the legacy
 * devices behind the ISA bridge, at the addresses they have by tradition or
 * that SeaBIOS gives them.  Compiled by iasl at build time.
 *
 * The three names below are filled in by firmware/acpi.c, which finds them by
 * name; their first values only make the compiler choose a DWord.  CPUs are in
 * an SSDT that acpi.c writes.
 *
 * Revision 1: integers have 32 bits, as the interpreters of Windows 98 to XP
 * expect.  Not modelled: hot-plug, S1, S2.
 *
 * _S3, _S4 and _PRW are there if the board has these sleep states: else acpi.c
 * gives them names that nobody looks for.
 *
 * References: ACPI 1.0b and 6.5, "ACPI Source Language", "Device
 * Configuration"; 82371FB/SB (PIIX3), "PIRQRC"; 82371AB (PIIX4), "Power
 * Management".
 */
DefinitionBlock ("", "DSDT", 1, "BULKHD", "BULKHEAD", 1)
{
	Name (PCIL, 0x80000000)		// the PCI hole's first byte
	Name (PCIH, 0xFEBFFFFF)		// the PCI hole's last byte
	Name (FEAT, 0x7FFFFFFF)		// enum board_feature

	// FEAT, bit by bit; a device that is not there has _STA 0.
	Method (HAS, 1)
	{
		If (FEAT & (1 << Arg0)) {
			Return (0x0F)
		}
		Return (0)
	}

	// SLP_TYP of suspend to RAM, hibernation, power-off: devices/piix4_pm.h.
	Scope (\)
	{
		Name (_S3, Package () { 1, 1, 0, 0 })
		Name (_S4, Package () { 2, 2, 0, 0 })
		Name (_S5, Package () { 0, 0, 0, 0 })
	}

	// The interrupt model in use; routing is the same in both.
	Name (PICM, 0)
	Method (\_PIC, 1)
	{
		PICM = Arg0
	}

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)

			Name (WIND, ResourceTemplate () {
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0x0000, 0x00FF, 0, 0x0100)
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0x0000, 0x0CF7, 0, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0x0D00, 0xFFFF, 0, 0xF300)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, Cacheable,
					ReadWrite, 0, 0x000A0000, 0x000BFFFF,
					0, 0x00020000)
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

			// Slot s, pin p: link (s + p + 3) mod 4.  The
			// power-management function, 1.3, uses the SCI's own.
			Method (_PRT)
			{
				Local0 = Package (128) {}
				Local1 = 0
				While (Local1 < 128) {
					Local2 = (Local1 >> 2) + (Local1 & 3)
					Local2 = (Local2 + 3) & 3
					If (Local1 == 4) {
						Local3 = Package () { 0, 0, LNKS, 0 }
					} ElseIf (Local2 == 0) {
						Local3 = Package () { 0, 0, LNKA, 0 }
					} ElseIf (Local2 == 1) {
						Local3 = Package () { 0, 0, LNKB, 0 }
					} ElseIf (Local2 == 2) {
						Local3 = Package () { 0, 0, LNKC, 0 }
					} Else {
						Local3 = Package () { 0, 0, LNKD, 0 }
					}
					Local3 [0] = ((Local1 >> 2) << 16) | 0xFFFF
					Local3 [1] = Local1 & 3
					Local0 [Local1] = Local3
					Local1++
				}
				Return (Local0)
			}

			Device (ISA)
			{
				Name (_ADR, 0x00010000)
				OperationRegion (PIRQ, PCI_Config, 0x60, 4)
			}

			Device (IDE)
			{
				Name (_ADR, 0x00010001)
			}

			Device (PM)
			{
				Name (_ADR, 0x00010003)
			}
		}
	}

	// Interrupt links: one PIIX3 register each, bit 7 disconnects.
	Scope (\_SB)
	{
		Field (PCI0.ISA.PIRQ, ByteAcc, NoLock, Preserve)
		{
			RTEA, 8,
			RTEB, 8,
			RTEC, 8,
			RTED, 8
		}

		Method (LSTA, 1)
		{
			If (Arg0 & 0x80) {
				Return (0x09)
			}
			Return (0x0B)
		}

		Name (LBUF, ResourceTemplate () {
			Interrupt (, Level, ActiveHigh, Shared, , , LINE) { 0 }
		})

		Method (LCRS, 1, Serialized)
		{
			CreateDWordField (LBUF, \_SB.LINE._INT, LIRQ)
			LIRQ = Arg0 & 0x0F
			Return (LBUF)
		}

		// The register's value for the resources that _SRS was given.
		Method (LSRS, 1)
		{
			CreateDWordField (Arg0, 5, LIRQ)
			Return (LIRQ & 0x0F)
		}

		Name (LPRS, ResourceTemplate () {
			Interrupt (, Level, ActiveHigh, Shared) { 5, 10, 11 }
		})

		Device (LNKA)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 1)
			Method (_STA) { Return (LSTA (RTEA)) }
			Method (_PRS) { Return (LPRS) }
			Method (_CRS) { Return (LCRS (RTEA)) }
			Method (_SRS, 1) { RTEA = LSRS (Arg0) }
			Method (_DIS) { RTEA |= 0x80 }
		}

		Device (LNKB)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 2)
			Method (_STA) { Return (LSTA (RTEB)) }
			Method (_PRS) { Return (LPRS) }
			Method (_CRS) { Return (LCRS (RTEB)) }
			Method (_SRS, 1) { RTEB = LSRS (Arg0) }
			Method (_DIS) { RTEB |= 0x80 }
		}

		Device (LNKC)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 3)
			Method (_STA) { Return (LSTA (RTEC)) }
			Method (_PRS) { Return (LPRS) }
			Method (_CRS) { Return (LCRS (RTEC)) }
			Method (_SRS, 1) { RTEC = LSRS (Arg0) }
			Method (_DIS) { RTEC |= 0x80 }
		}

		Device (LNKD)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 4)
			Method (_STA) { Return (LSTA (RTED)) }
			Method (_PRS) { Return (LPRS) }
			Method (_CRS) { Return (LCRS (RTED)) }
			Method (_SRS, 1) { RTED = LSRS (Arg0) }
			Method (_DIS) { RTED |= 0x80 }
		}

		// The SCI's: fixed.
		Device (LNKS)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 5)
			Name (_STA, 0x0B)
			Name (_PRS, ResourceTemplate () {
				Interrupt (, Level, ActiveHigh, Shared) { 9 }
			})
			Name (_CRS, ResourceTemplate () {
				Interrupt (, Level, ActiveHigh, Shared) { 9 }
			})
			Method (_SRS, 1) {}
			Method (_DIS) {}
		}
	}

	// Events that the board raises while it sleeps, by edge.
	Scope (\_GPE)
	{
		Method (_E08)
		{
			Notify (\_SB.PCI0.ISA.KBD, 2)
		}

		Method (_E09)
		{
			Notify (\_SB.PCI0.ISA.MOU, 2)
		}
	}

	// Legacy devices.
	Scope (\_SB.PCI0.ISA)
	{
		Device (PIC)
		{
			Name (_HID, EisaId ("PNP0000"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0020, 0x0020, 0, 2)
				IO (Decode16, 0x00A0, 0x00A0, 0, 2)
				IO (Decode16, 0x04D0, 0x04D0, 0, 2)
				IRQNoFlags () { 2 }
			})
		}

		Device (TIMR)
		{
			Name (_HID, EisaId ("PNP0100"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0040, 0x0040, 0, 4)
				IRQNoFlags () { 0 }
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0070, 0x0070, 1, 8)
				IRQNoFlags () { 8 }
			})
		}

		Device (SPKR)
		{
			Name (_HID, EisaId ("PNP0800"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0061, 0x0061, 0, 1)
			})
		}

		Device (FPU)
		{
			Name (_HID, EisaId ("PNP0C04"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x00F0, 0x00F0, 0, 16)
				IRQNoFlags () { 13 }
			})
		}

		Device (KBD)
		{
			Name (_HID, EisaId ("PNP0303"))
			Name (_PRW, Package () { 8, 3 })
			Method (_STA) { Return (HAS (2)) }
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0060, 0x0060, 1, 1)
				IO (Decode16, 0x0064, 0x0064, 1, 1)
				IRQNoFlags () { 1 }
			})
		}

		Device (MOU)
		{
			Name (_HID, EisaId ("PNP0F13"))
			Name (_PRW, Package () { 9, 3 })
			Method (_STA) { Return (HAS (2)) }
			Name (_CRS, ResourceTemplate () {
				IRQNoFlags () { 12 }
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Method (_STA) { Return (HAS (0)) }
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x03F8, 0x03F8, 0, 8)
				IRQNoFlags () { 4 }
			})
		}

		Device (COM2)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 2)
			Method (_STA) { Return (HAS (1)) }
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x02F8, 0x02F8, 0, 8)
				IRQNoFlags () { 3 }
			})
		}

		Device (FDC0)
		{
			Name (_HID, EisaId ("PNP0700"))
			Method (_STA) { Return (HAS (3)) }
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x03F2, 0x03F2, 0, 4)
				IO (Decode16, 0x03F7, 0x03F7, 0, 1)
				IRQNoFlags () { 6 }
				DMA (Compatibility, NotBusMaster, Transfer8) { 2 }
			})
		}

		Device (FWCF)
		{
			Name (_HID, "QEMU0002")
			Method (_STA) { Return (HAS (5)) }
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0510, 0x0510, 1, 0x0C)
			})
		}

		// Ports of the board itself, so that nobody is given them.
		Device (MBRD)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x0080, 0x0080, 0, 1)
				IO (Decode16, 0x0092, 0x0092, 0, 1)
				IO (Decode16, 0x00B2, 0x00B2, 0, 2)
				IO (Decode16, 0x0402, 0x0402, 0, 1)
				IO (Decode16, 0x0600, 0x0600, 0, 0x40)
				IO (Decode16, 0x0700, 0x0700, 0, 0x10)
				IO (Decode16, 0xAFE0, 0xAFE0, 0, 4)
			})
		}
	}

	Scope (\_SB)
	{
		Device (HPET)
		{
			Name (_HID, EisaId ("PNP0103"))
			Method (_STA) { Return (HAS (4)) }
			Name (_CRS, ResourceTemplate () {
				Memory32Fixed (ReadOnly, 0xFED00000, 0x400)
			})
		}
	}
}
