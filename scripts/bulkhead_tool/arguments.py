# SPDX-License-Identifier: BSD-2-Clause
"""Types of the command line's arguments, which complain in whole sentences."""

import argparse
import math

SECONDS_MAX = 1e6


class Parser(argparse.ArgumentParser):
    """Options may stand between words, also where some words may be left out."""

    is_within = False

    def parse_known_args(self, args=None, namespace=None):
        if self.is_within:
            return super().parse_known_args(args, namespace)
        self.is_within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.is_within = False


def argument(function):
    """An argument's type: a ValueError's text is the complaint."""
    def convert(text):
        try:
            return function(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return convert


def whole(low, high):
    @argument
    def convert(text):
        if not text.isascii() or not text.isdigit() or \
                not low <= int(text[:20]) <= high:
            raise ValueError("'%s' has to be a whole number from %d to %d" %
                             (text, low, high))
        return int(text)
    return convert


@argument
def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= SECONDS_MAX:
        raise ValueError("'%s' has to be a number of seconds above 0 and up "
                         "to %d" % (text, SECONDS_MAX))
    return value


def numbers(count, low, high, names):
    """So many whole numbers with commas between."""
    @argument
    def convert(text):
        parts = text.split(",")
        try:
            found = tuple(int(part) for part in parts)
        except ValueError:
            found = ()
        if len(found) != count or not all(low <= n <= high for n in found):
            raise ValueError("'%s' has to be %s: whole numbers from %d to %d" %
                             (text, names, low, high))
        return found
    return convert
