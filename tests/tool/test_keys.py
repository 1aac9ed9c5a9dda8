# SPDX-License-Identifier: BSD-2-Clause
"""Keys by name and text by layout, against codes written down by hand."""

import string
import unittest

import folder    # noqa: F401: the way to the tool
from bulkhead_tool.control import keys


class Keys(unittest.TestCase):
    def refused(self, word, text, layout="us"):
        with self.assertRaisesRegex(ValueError, word):
            keys.parse(text, layout)

    def test_text_of_each_layout(self):
        for layout, text, strokes in (
                ("us", "dir", [[32], [23], [19]]),
                ("us", "Zy", [[42, 44], [21]]),
                ("us", "@|\\~", [[42, 3], [42, 43], [43], [42, 41]]),
                ("us", "a\n\t b", [[30], [28], [15], [57], [48]]),
                ("de", "Zy", [[42, 21], [44]]),
                ("de", "@\\|<>", [[100, 16], [100, 12], [100, 86], [86],
                                  [42, 86]]),
                ("de", "/:-_ß", [[42, 8], [42, 52], [53], [42, 53], [12]]),
                ("de", "äÜ", [[40], [42, 26]]),
                ("de", "^`", [[41], [57], [42, 13], [57]]),
                ("de", "éÀ", [[13], [18], [42, 13], [42, 30]]),
                ("fr", "aqzw", [[16], [30], [17], [44]]),
                ("fr", "1.;/", [[42, 2], [42, 51], [51], [42, 52]]),
                ("fr", "\\@#", [[100, 9], [100, 11], [100, 4]]),
                ("fr", "é^êÏ", [[3], [100, 10], [26], [18], [42, 26],
                                [42, 23]])):
            self.assertEqual(keys.parse(text, layout), strokes, (layout, text))

    def test_each_layout_has_all_of_ascii(self):
        for layout in keys.LAYOUTS:
            for character in string.printable[:95]:
                text = "{{" if character == "{" else character
                self.assertTrue(keys.parse(text, layout))
        for rows, _, _ in keys.LAYOUTS.values():
            for codes, (plain, shifted) in zip(keys.ROWS, rows):
                self.assertEqual(len(plain), len(codes))
                self.assertEqual(len(shifted), len(codes))

    def test_no_two_characters_share_a_stroke(self):
        for name in keys.LAYOUTS:
            strokes = [str(s) for c, s in keys.Layout(name).strokes.items()
                       if c != "\r"]
            self.assertEqual(len(strokes), len(set(strokes)))

    def test_braces_name_keys(self):
        for text, strokes in (
                ("{ret}{F1}{f10}{f11}", [[28], [59], [68], [87]]),
                ("{ctrl+alt+del}", [[29, 56, 111]]),
                ("{ctrl+c}", [[29, 46]]), ("{alt+F}", [[56, 42, 33]]),
                ("{shift+A}", [[42, 30]]),
                ("{{}", [[42, 26], [42, 27]]), ("{{ret", [[42, 26], [19], [18],
                                                         [20]]),
                ("{ctrl++}", [[29, 42, 13]]), ("{+}", [[42, 13]]),
                ("{kp+}{kp*}{*}", [[78], [55], [42, 9]]),
                ("{alt+kp+}", [[56, 78]]),
                ("{down*3}x", [[108]] * 3 + [[45]]),
                ("{alt+tab*2}", [[56, 15]] * 2),
                ("{altgr}{pause}{print}{menu}", [[100], [119], [99], [127]])):
            self.assertEqual(keys.parse(text), strokes, text)
        self.assertEqual(keys.parse("{ctrl+z}{y}", "de"), [[29, 21], [44]])

    def test_what_is_wrong_is_named(self):
        self.refused("no key 'retrun'", "dir{retrun}")
        self.refused("not closed", "dir{ret")
        self.refused("not closed", "{ret{x}")
        self.refused("name a key", "{}")
        self.refused("no key for 'ä'", "ä")
        self.refused("no key for 'ñ'", "ñ", "fr")
        self.refused("two keys in a row", "{ctrl+^}", "de")
        self.refused("1 to 1000", "{up*0}")
        self.refused("more keys", "{" + "+".join("abcdefghijklmnopq") + "}")

    def test_batches_cut_no_stroke(self):
        strokes = keys.parse("ab{ctrl+alt+del}C")
        self.assertEqual(list(keys.batches(strokes, 6)),
                         [[30, -30, 48, -48], [29, 56, 111, -111, -56, -29],
                          [42, 46, -46, -42]])
        self.assertEqual(list(keys.batches(keys.parse("{ctrl+alt+del}"), 1)),
                         [[29, 56, 111, -111, -56, -29]])
        self.assertEqual(list(keys.batches([], 6)), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
