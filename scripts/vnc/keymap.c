/* SPDX-License-Identifier: BSD-2-Clause */
/* See keymap.h. */
#include "scripts/vnc/keymap.h"

#include <rfb/keysym.h>
#include <string.h>

#include "include/input.h"

#define XT_EXTENDED	0x80
#define XT_SYSRQ	0x54 /* Print with Alt, without which it is E0h 37h */
#define KEYSYM_F1_CODE	59
#define KEYSYM_F11_CODE 87

/* Rows of a US keyboard, plain and with Shift, from the code of the first. */
static const struct row {
	unsigned first;
	const char *plain, *shifted;
} rows[] = {
	{ 2, "1234567890-=", "!@#$%^&*()_+" },
	{ 16, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ 30, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ 43, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
	{ 57, " ", " " },
};

/* clang-format off */
static const struct named {
	uint32_t keysym;
	unsigned code;
} named[] = {
	{ XK_Escape, 1 },
	{ XK_BackSpace, 14 },
	{ XK_Tab, 15 }, { XK_ISO_Left_Tab, 15 },
	{ XK_Return, 28 }, { XK_Linefeed, 28 },
	{ XK_Control_L, 29 }, { XK_Control_R, INPUT_KEY_RIGHT_CTRL },
	{ XK_Shift_L, 42 }, { XK_Shift_R, 54 },
	{ XK_Alt_L, 56 }, { XK_Alt_R, INPUT_KEY_RIGHT_ALT },
	{ XK_Meta_L, 56 }, { XK_Meta_R, INPUT_KEY_RIGHT_ALT },
	{ XK_ISO_Level3_Shift, INPUT_KEY_RIGHT_ALT },
	{ XK_Mode_switch, INPUT_KEY_RIGHT_ALT },
	{ XK_Super_L, INPUT_KEY_LEFT_META },
	{ XK_Super_R, INPUT_KEY_RIGHT_META },
	{ XK_Hyper_L, INPUT_KEY_LEFT_META },
	{ XK_Menu, INPUT_KEY_MENU },
	{ XK_Caps_Lock, 58 }, { XK_Num_Lock, 69 }, { XK_Scroll_Lock, 70 },
	{ XK_Print, INPUT_KEY_PRINT }, { XK_Sys_Req, INPUT_KEY_PRINT },
	{ XK_Pause, INPUT_KEY_PAUSE }, { XK_Break, INPUT_KEY_PAUSE },
	{ XK_Home, INPUT_KEY_HOME }, { XK_End, INPUT_KEY_END },
	{ XK_Up, INPUT_KEY_UP }, { XK_Down, INPUT_KEY_DOWN },
	{ XK_Left, INPUT_KEY_LEFT }, { XK_Right, INPUT_KEY_RIGHT },
	{ XK_Page_Up, INPUT_KEY_PAGE_UP },
	{ XK_Page_Down, INPUT_KEY_PAGE_DOWN },
	{ XK_Insert, INPUT_KEY_INSERT }, { XK_Delete, INPUT_KEY_DELETE },
	{ XK_KP_Multiply, 55 }, { XK_KP_Subtract, 74 }, { XK_KP_Add, 78 },
	{ XK_KP_Divide, INPUT_KEY_KEYPAD_SLASH },
	{ XK_KP_Enter, INPUT_KEY_KEYPAD_ENTER },
	{ XK_KP_7, 71 }, { XK_KP_8, 72 }, { XK_KP_9, 73 },
	{ XK_KP_4, 75 }, { XK_KP_5, 76 }, { XK_KP_6, 77 },
	{ XK_KP_1, 79 }, { XK_KP_2, 80 }, { XK_KP_3, 81 },
	{ XK_KP_0, 82 }, { XK_KP_Decimal, 83 }, { XK_KP_Separator, 83 },
	{ XK_KP_Home, 71 }, { XK_KP_Up, 72 }, { XK_KP_Page_Up, 73 },
	{ XK_KP_Left, 75 }, { XK_KP_Begin, 76 }, { XK_KP_Right, 77 },
	{ XK_KP_End, 79 }, { XK_KP_Down, 80 }, { XK_KP_Page_Down, 81 },
	{ XK_KP_Insert, 82 }, { XK_KP_Delete, 83 },
};

/* By the XT make code behind E0h. */
static const uint8_t extended[XT_EXTENDED] = {
	[0x1c] = INPUT_KEY_KEYPAD_ENTER,
	[0x1d] = INPUT_KEY_RIGHT_CTRL,
	[0x35] = INPUT_KEY_KEYPAD_SLASH,
	[0x37] = INPUT_KEY_PRINT,
	[0x38] = INPUT_KEY_RIGHT_ALT,
	[0x46] = INPUT_KEY_PAUSE,
	[0x47] = INPUT_KEY_HOME,
	[0x48] = INPUT_KEY_UP,
	[0x49] = INPUT_KEY_PAGE_UP,
	[0x4b] = INPUT_KEY_LEFT,
	[0x4d] = INPUT_KEY_RIGHT,
	[0x4f] = INPUT_KEY_END,
	[0x50] = INPUT_KEY_DOWN,
	[0x51] = INPUT_KEY_PAGE_DOWN,
	[0x52] = INPUT_KEY_INSERT,
	[0x53] = INPUT_KEY_DELETE,
	[0x5b] = INPUT_KEY_LEFT_META,
	[0x5c] = INPUT_KEY_RIGHT_META,
	[0x5d] = INPUT_KEY_MENU,
};
/* clang-format on */

static unsigned of_character(char character)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strchr(rows[i].plain, character);

		if (at)
			return rows[i].first + (unsigned)(at - rows[i].plain);
		at = strchr(rows[i].shifted, character);
		if (at)
			return rows[i].first + (unsigned)(at - rows[i].shifted);
	}
	return 0;
}

unsigned keymap_of_keysym(uint32_t keysym)
{
	if (keysym >= ' ' && keysym <= '~')
		return of_character((char)keysym);
	if (keysym >= XK_F1 && keysym <= XK_F10)
		return KEYSYM_F1_CODE + (keysym - XK_F1);
	if (keysym >= XK_F11 && keysym <= XK_F12)
		return KEYSYM_F11_CODE + (keysym - XK_F11);
	for (unsigned i = 0; i < ARRAY_SIZE(named); i++)
		if (named[i].keysym == keysym)
			return named[i].code;
	return 0;
}

unsigned keymap_of_xt(uint32_t keycode)
{
	if (keycode == XT_SYSRQ)
		return INPUT_KEY_PRINT;
	if (keycode < INPUT_KEY_SAME_AS_SET_1)
		return keycode;
	if (keycode >= XT_EXTENDED && keycode < 2 * XT_EXTENDED)
		return extended[keycode - XT_EXTENDED];
	return 0;
}
