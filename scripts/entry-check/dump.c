/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the dump of a VMCS that vmx_dump() wrote to the log: lines of
 * "VMCS: FIELD=VALUE ...", both in hex, a field by its encoding.
 */
#include <stdlib.h>
#include <string.h>

#include "include/x86_state.h"
#include "scripts/entry-check/check.h"

#define DUMP_FIRST VMCS_PIN_CONTROLS
#define DUMP_LAST  DUMP_ADDRESS_SIZES

static const char *const extra_names[DUMP_EXTRAS] = {
	[DUMP_MISC] = "misc",
	[DUMP_CR0_FIXED0] = "cr0_fixed0",
	[DUMP_CR0_FIXED1] = "cr0_fixed1",
	[DUMP_CR4_FIXED0] = "cr4_fixed0",
	[DUMP_CR4_FIXED1] = "cr4_fixed1",
	[DUMP_ADDRESS_SIZES] = "address_sizes",
};

/* One FIELD=VALUE; true if it was the dump's last. */
static bool take(struct dump *dump, const char *name, uint64_t value)
{
	char *end;
	unsigned long encoding = strtoul(name, &end, 16);

	for (unsigned i = 0; i < DUMP_EXTRAS; i++) {
		if (strcmp(name, extra_names[i]))
			continue;
		dump->extra[i] = value;
		dump->has_extra[i] = true;
		return i == DUMP_LAST;
	}
	if (*end || encoding >= DUMP_FIELDS)
		return false;
	if (encoding == DUMP_FIRST)
		memset(dump, 0, sizeof(*dump));
	dump->field[encoding] = value;
	dump->has_field[encoding] = true;
	return false;
}

bool dump_line(struct dump *dump, const char *line)
{
	const char *at = strstr(line, "VMCS: ");
	char word[64];
	bool is_last = false;
	int length;

	if (!at)
		return false;
	for (at += strlen("VMCS: "); *at; at += length) {
		char *value;

		length = (int)strcspn(at, " \r\n");
		if (length && (size_t)length < sizeof(word)) {
			memcpy(word, at, (size_t)length);
			word[length] = '\0';
			value = strchr(word, '=');
			if (value) {
				*value++ = '\0';
				is_last |= take(dump, word,
						strtoull(value, NULL, 16));
			}
		}
		length += (int)strspn(at + length, " \r\n");
	}
	return is_last;
}

/* ---- What the checks want of it ------------------------------------------ */

#define TO(member, encoding)                                              \
	{                                                                 \
		offsetof(struct vmx_guest, member),                       \
			sizeof(((struct vmx_guest *)0)->member), encoding \
	}
#define SEGMENT(n)                                       \
	TO(seg[n].selector, VMCS_GUEST_SELECTOR(n)),     \
		TO(seg[n].limit, VMCS_GUEST_LIMIT(n)),   \
		TO(seg[n].rights, VMCS_GUEST_RIGHTS(n)), \
		TO(seg[n].base, VMCS_GUEST_BASE(n))

static const struct {
	size_t offset;
	size_t size;
	unsigned encoding;
} fields[] = {
	TO(cr0, VMCS_GUEST_CR0),
	TO(cr3, VMCS_GUEST_CR3),
	TO(cr4, VMCS_GUEST_CR4),
	TO(dr7, VMCS_GUEST_DR7),
	TO(debugctl, VMCS_GUEST_DEBUGCTL),
	TO(sysenter_esp, VMCS_GUEST_SYSENTER_ESP),
	TO(sysenter_eip, VMCS_GUEST_SYSENTER_EIP),
	TO(pat, VMCS_GUEST_PAT),
	TO(efer, VMCS_GUEST_EFER),
	SEGMENT(X86_ES),
	SEGMENT(X86_CS),
	SEGMENT(X86_SS),
	SEGMENT(X86_DS),
	SEGMENT(X86_FS),
	SEGMENT(X86_GS),
	SEGMENT(VMCS_LDTR),
	SEGMENT(VMCS_TR),
	TO(gdtr_base, VMCS_GUEST_GDTR_BASE),
	TO(gdtr_limit, VMCS_GUEST_GDTR_LIMIT),
	TO(idtr_base, VMCS_GUEST_IDTR_BASE),
	TO(idtr_limit, VMCS_GUEST_IDTR_LIMIT),
	TO(rip, VMCS_GUEST_RIP),
	TO(rflags, VMCS_GUEST_RFLAGS),
	TO(interruptibility, VMCS_GUEST_INTERRUPTIBILITY),
	TO(activity, VMCS_GUEST_ACTIVITY),
	TO(pending_debug, VMCS_GUEST_PENDING_DEBUG),
	TO(link_pointer, VMCS_LINK_POINTER),
	TO(pdpte[0], VMCS_GUEST_PDPTE(0)),
	TO(pdpte[1], VMCS_GUEST_PDPTE(1)),
	TO(pdpte[2], VMCS_GUEST_PDPTE(2)),
	TO(pdpte[3], VMCS_GUEST_PDPTE(3)),
	TO(entry_controls, VMCS_ENTRY_CONTROLS),
	TO(event, VMCS_ENTRY_INTERRUPTION_INFO),
};

#define PHYSICAL_BITS MASK(7, 0)

int dump_guest(const struct dump *dump, struct vmx_guest *guest)
{
	memset(guest, 0, sizeof(*guest));
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!dump->has_field[fields[i].encoding])
			return (int)fields[i].encoding;
		memcpy((char *)guest + fields[i].offset,
		       &dump->field[fields[i].encoding], fields[i].size);
	}
	if (!dump->has_field[VMCS_PROC_CONTROLS2])
		return VMCS_PROC_CONTROLS2;
	for (unsigned i = 0; i < DUMP_EXTRAS; i++)
		if (!dump->has_extra[i])
			return -1;
	guest->is_unrestricted =
		dump->field[VMCS_PROC_CONTROLS2] & PROC2_UNRESTRICTED;
	guest->physical_bits = (uint8_t)FIELD_GET(
		PHYSICAL_BITS, dump->extra[DUMP_ADDRESS_SIZES]);
	guest->activities =
		(uint8_t)FIELD_GET(VMX_MISC_ACTIVITIES, dump->extra[DUMP_MISC]);
	guest->cr0_fixed0 = dump->extra[DUMP_CR0_FIXED0];
	guest->cr0_fixed1 = dump->extra[DUMP_CR0_FIXED1];
	guest->cr4_fixed0 = dump->extra[DUMP_CR4_FIXED0];
	guest->cr4_fixed1 = dump->extra[DUMP_CR4_FIXED1];
	return 0;
}
