# SPDX-License-Identifier: BSD-2-Clause
"""Keys and buttons that a client of the control protocol holds down in guests."""

KEYS_MAX = 32    # of a request


def is_input(thing):
    """A request that may press something."""
    return thing["verb"] in ("keys", "pointer") and \
        isinstance(thing.get("guest"), str)


def numbers(value):
    """What of an array of keys can be one; a host refuses all of it otherwise."""
    return [k for k in value if type(k) is int] if isinstance(value, list) else []


class Held:
    def __init__(self):
        self.keys = {}    # by guest: a set of codes
        self.buttons = {}    # by guest: bits

    def _press(self, guest, codes):
        self.keys.setdefault(guest, set()).update(codes)

    def did(self, thing):
        """The host has done that request."""
        guest = thing["guest"]
        if thing["verb"] == "keys":
            for key in numbers(thing.get("keys")):
                if key > 0:
                    self._press(guest, {key})
                else:
                    self.keys.get(guest, set()).discard(-key)
        elif type(thing.get("buttons")) is int:
            self.buttons[guest] = thing["buttons"]

    def may_do(self, thing):
        """It may do it, or has done it already: what that may press."""
        guest = thing["guest"]
        self._press(guest, {k for k in numbers(thing.get("keys")) if k > 0})
        if type(thing.get("buttons")) is int:
            self.buttons[guest] = self.buttons.get(guest, 0) | thing["buttons"]

    def releases(self, others):
        """Requests that release all that none of the others holds as well."""
        for guest, held in self.keys.items():
            codes = sorted(held.difference(*(o.keys.get(guest, ())
                                             for o in others)))
            for at in range(0, len(codes), KEYS_MAX):
                yield {"verb": "keys", "guest": guest,
                       "keys": [-code for code in codes[at:at + KEYS_MAX]]}
        for guest, bits in self.buttons.items():
            left = 0
            for other in others:
                left |= other.buttons.get(guest, 0)
            if bits & ~left:
                yield {"verb": "pointer", "guest": guest, "buttons": left}
