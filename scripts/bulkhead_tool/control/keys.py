# SPDX-License-Identifier: BSD-2-Clause
"""Keys by their names, and where characters are on keyboards.

Codes are those of Linux's input events (linux/input-event-codes.h).  A key is
named by what a US keyboard has printed on it, or by what it does; which character
it gives is the guest's own layout's business, so that text is typed with the
layout that the guest was told.
"""

import re
import unicodedata

ROWS = (
    (41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
    (16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27),
    (30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43),
    (86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53),
)

NAMES = {
    "esc": 1, "escape": 1, "minus": 12, "equal": 13, "bs": 14, "backspace": 14,
    "tab": 15, "bracketleft": 26, "bracketright": 27, "ret": 28, "enter": 28,
    "return": 28, "semicolon": 39, "apostrophe": 40, "grave": 41,
    "backslash": 43, "comma": 51, "dot": 52, "slash": 53, "space": 57,
    "less": 86, "102nd": 86,
    "ctrl": 29, "lctrl": 29, "rctrl": 97, "shift": 42, "lshift": 42,
    "rshift": 54, "alt": 56, "lalt": 56, "altgr": 100, "ralt": 100,
    "win": 125, "lwin": 125, "rwin": 126, "menu": 127,
    "caps": 58, "capslock": 58, "num": 69, "numlock": 69,
    "scroll": 70, "scrolllock": 70, "print": 99, "sysrq": 99, "pause": 119,
    "home": 102, "up": 103, "pgup": 104, "pageup": 104, "left": 105,
    "right": 106, "end": 107, "down": 108, "pgdn": 109, "pagedown": 109,
    "ins": 110, "insert": 110, "del": 111, "delete": 111,
    "kp*": 55, "kp7": 71, "kp8": 72, "kp9": 73, "kp-": 74, "kp4": 75,
    "kp5": 76, "kp6": 77, "kp+": 78, "kp1": 79, "kp2": 80, "kp3": 81,
    "kp0": 82, "kp.": 83, "kpenter": 96, "kp/": 98,
}
NAMES.update(("f%d" % n, 58 + n) for n in range(1, 11))
NAMES.update({"f11": 87, "f12": 88})

SHIFT, ALTGR, SPACE = NAMES["shift"], NAMES["altgr"], NAMES["space"]
CONTROLS = {"\n": NAMES["ret"], "\r": NAMES["ret"], "\t": NAMES["tab"],
            "\b": NAMES["bs"], "\x1b": NAMES["esc"], " ": SPACE}

# The rows from above: plain, with Shift; then what AltGr adds, by the plain
# character; then what gives no character before another key is pressed: a space, or
# a letter for the accent to go on.  A blank in a row stands for none.
LAYOUTS = {
    "us": ((("`1234567890-=", "~!@#$%^&*()_+"),
            ("qwertyuiop[]", "QWERTYUIOP{}"),
            ("asdfghjkl;'\\", "ASDFGHJKL:\"|"),
            (" zxcvbnm,./", " ZXCVBNM<>?")), {}, ""),
    "de": ((("^1234567890ß´", "°!\"§$%&/()=?`"),
            ("qwertzuiopü+", "QWERTZUIOPÜ*"),
            ("asdfghjklöä#", "ASDFGHJKLÖÄ'"),
            ("<yxcvbnm,.-", ">YXCVBNM;:_")),
           {"2": "²", "3": "³", "7": "{", "8": "[", "9": "]", "0": "}",
            "ß": "\\", "q": "@", "e": "€", "+": "~", "<": "|", "m": "µ"},
           "^´`"),
    "fr": ((("²&é\"'(-è_çà)=", " 1234567890°+"),
            ("azertyuiop^$", "AZERTYUIOP¨£"),
            ("qsdfghjklmù*", "QSDFGHJKLM%µ"),
            ("<wxcvbn,;:!", ">WXCVBN?./§")),
           {"é": "~", "\"": "#", "'": "{", "(": "[", "-": "|", "è": "`",
            "_": "\\", "ç": "^", "à": "@", ")": "]", "=": "}", "e": "€",
            "$": "¤"},
           "^¨"),
}
# What Unicode calls an accent behind a letter, as the key is labelled.
ACCENTS = {"\u0300": "`", "\u0301": "´", "\u0302": "^", "\u0308": "¨"}

BRACED = re.compile(r"\{([^{}]*)(\}|\Z|\{)")
STROKE_MAX = 32    # events that one request may have


class Layout:
    """The strokes of a character: each a list of keys to hold at once."""

    def __init__(self, name):
        rows, altgr, dead = LAYOUTS[name]
        self.name = name
        self.strokes = {c: [[code]] for c, code in CONTROLS.items()}
        self.accents = {}
        for codes, (plain, shifted) in zip(ROWS, rows):
            for code, low, high in zip(codes, plain, shifted):
                self._add(low, [code], dead)
                self._add(high, [SHIFT, code], dead)
                # Never dead: where a character is in two places it is the better.
                if low in altgr:
                    self.strokes[altgr[low]] = [[ALTGR, code]]

    def _add(self, character, stroke, dead):
        if character == " ":
            return
        if character in dead:
            self.accents[character] = stroke
            self.strokes.setdefault(character, [stroke, [SPACE]])
        else:
            self.strokes[character] = [stroke]

    def of(self, character):
        """ValueError: this keyboard does not have it."""
        if character in self.strokes:
            return self.strokes[character]
        parts = unicodedata.normalize("NFD", character)
        accent = self.accents.get(ACCENTS.get(parts[1:]))
        if accent and parts[0] in self.strokes:
            return [accent] + self.strokes[parts[0]]
        raise ValueError("layout %s has no key for %r" %
                         (self.name, character))


def events(stroke):
    """Pressed in order, released the other way round."""
    return list(stroke) + [-code for code in reversed(stroke)]


def chord(text, layout):
    """The strokes of what is in braces: NAME+NAME..., perhaps *COUNT."""
    name, star, count = text.rpartition("*")
    if star and count.isascii() and count.isdigit() and name not in ("", "kp"):
        if not 1 <= int(count[:6]) <= 1000:
            raise ValueError("{%s}: a key is pressed 1 to 1000 times" % text)
        return chord(name, layout) * int(count)
    codes = []
    # "kp+" and a "+" at the end are keys.
    for part in re.findall(r"kp\+|[^+]+|\+(?=\+|$)", text):
        if part.lower() in NAMES:
            codes.append(NAMES[part.lower()])
        elif len(part) == 1:
            strokes = layout.of(part)
            if len(strokes) > 1:
                raise ValueError("{%s}: %r takes two keys in a row" %
                                 (text, part))
            codes += strokes[0]
        else:
            raise ValueError("{%s}: there is no key '%s'; known are %s" %
                             (text, part, " ".join(sorted(NAMES))))
    if not codes:
        raise ValueError("{}: name a key, as {ret}, or write {{ for a brace")
    codes = list(dict.fromkeys(codes))
    if 2 * len(codes) > STROKE_MAX:
        raise ValueError("{%s}: more keys than %d at once" %
                         (text, STROKE_MAX // 2))
    return [codes]


def parse(text, layout_name="us"):
    """The strokes that type this; ValueError."""
    layout = Layout(layout_name)
    strokes, at = [], 0
    while at < len(text):
        if text.startswith("{{", at):
            strokes += layout.of("{")
            at += 2
        elif text[at] == "{":
            found = BRACED.match(text, at)
            if found[2] != "}":
                raise ValueError("'%s': a brace is not closed; {{ is one that "
                                 "is typed" % text[at:at + 20])
            strokes += chord(found[1], layout)
            at = found.end()
        else:
            strokes += layout.of(text[at])
            at += 1
    return strokes


def batches(strokes, size):
    """Lists of events of a request each, of about size; no stroke is cut."""
    batch = []
    for stroke in strokes:
        more = events(stroke)
        if batch and len(batch) + len(more) > size:
            yield batch
            batch = []
        batch += more
    if batch:
        yield batch
