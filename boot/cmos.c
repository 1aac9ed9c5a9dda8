/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MC146818-compatible real-time clock: reading the date, once.
 *
 * Not here: setting it, alarms, the century register (2000 to 2099 is taken).
 *
 * Reference: Motorola MC146818A data sheet.
 */
#include "boot/boot.h"

#include "include/x86.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

#define RTC_SECONDS  0x00
#define RTC_MINUTES  0x02
#define RTC_HOURS    0x04
#define RTC_DAY	     0x07
#define RTC_MONTH    0x08
#define RTC_YEAR     0x09
#define RTC_A	     0x0a
#define RTC_A_UIP    BIT(7)
#define RTC_B	     0x0b
#define RTC_B_BINARY BIT(2)
#define RTC_B_24H    BIT(1)
#define RTC_HOURS_PM BIT(7)

#define UIP_SPIN 100000

static uint8_t cmos_read(uint8_t index)
{
	port_write8(CMOS_INDEX, index);
	return port_read8(CMOS_DATA);
}

static unsigned number(uint8_t value, bool is_binary)
{
	return is_binary ? value : (value >> 4) * 10u + (value & 15);
}

/* Days from 1970-01-01 to a date of the years 2000 to 2099. */
static uint64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	static const uint16_t before[] = { 0,	31,  59,  90,  120, 151,
					   181, 212, 243, 273, 304, 334 };
	uint64_t days = 10957 + year * 365ULL + (year + 3) / 4;

	days += before[(month - 1) % 12] + day - 1;
	return days + (month > 2 && year % 4 == 0);
}

uint64_t cmos_read_epoch(void)
{
	bool is_binary = cmos_read(RTC_B) & RTC_B_BINARY;
	bool is_24h = cmos_read(RTC_B) & RTC_B_24H;
	unsigned year, month, day, hours;
	uint8_t raw;

	for (unsigned i = 0; i < UIP_SPIN && cmos_read(RTC_A) & RTC_A_UIP; i++)
		cpu_relax();
	raw = cmos_read(RTC_HOURS);
	month = number(cmos_read(RTC_MONTH), is_binary);
	if (month < 1 || month > 12)
		return 0;
	year = number(cmos_read(RTC_YEAR), is_binary);
	day = number(cmos_read(RTC_DAY), is_binary);
	hours = number(raw & ~RTC_HOURS_PM & 0xff, is_binary);
	if (!is_24h)
		hours = hours % 12 + (raw & RTC_HOURS_PM ? 12 : 0);
	return days_since_epoch(year, month, day) * 86400 + hours * 3600 +
	       number(cmos_read(RTC_MINUTES), is_binary) * 60 +
	       number(cmos_read(RTC_SECONDS), is_binary);
}
