# SPDX-License-Identifier: BSD-2-Clause
"""A case at each k of a range: `--sweep k=0..N`, or the case's own `sweep`.

k stands in `fault` and `patch`, alone or as in "16 * k + 0x3a500".  One run of a sweep
is a case like any other; what all of them came to is told by verdict and place.
"""

import re

KEYS = ("fault", "patch")    # of a case: where k may stand
MOST = 100_000    # runs of a sweep
NUMBER = r"(0[xX][0-9a-fA-F]+|\d+)"
TERM = re.compile(r"\s*(?:%s\s*\*\s*)?k(?:\s*\*\s*%s)?(?:\s*\+\s*%s)?\s*\Z" %
                  (NUMBER, NUMBER, NUMBER))
RANGE = re.compile(r"(?:k\s*=\s*)?(\d+)\s*\.\.\s*(\d+)(?:\s*/\s*(\d+))?\Z")
NONE_CAME = "no fault came"
FEW = 8    # pieces of a range that are shown


def parse(text):
    """The range of "0..12" or "k=0..12"; "0..12/4": each fourth.  ValueError."""
    found = RANGE.match(text) if isinstance(text, str) else None
    if not found:
        raise ValueError('has to be a range, as "0..12" or "0..12/4"')
    first, last, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if not first <= last < first + MOST:
        raise ValueError("has to rise, by less than %d" % MOST)
    if step < 1:
        raise ValueError("has to rise by 1 or more")
    return range(first, last + 1, step)


def uses_k(value):
    if isinstance(value, dict):
        return any(uses_k(v) for v in value.values())
    if isinstance(value, list):
        return any(uses_k(v) for v in value)
    return isinstance(value, str) and bool(TERM.match(value))


def at(value, k):
    """The same with a number wherever there was k."""
    if isinstance(value, dict):
        return {name: at(v, k) for name, v in value.items()}
    if isinstance(value, list):
        return [at(v, k) for v in value]
    found = TERM.match(value) if isinstance(value, str) else None
    if not found:
        return value
    before, behind, more = (int(n, 0) if n else None for n in found.groups())
    return k * (1 if before is None else before) * \
        (1 if behind is None else behind) + (more or 0)


def resolve(values, k):
    """A case's values at k; ValueError where it is not said which."""
    parts = {name: values[name] for name in KEYS if name in values}
    if not uses_k(parts):
        if "sweep" in values:
            raise ValueError("sweep: neither %s uses k" % " nor ".join(KEYS))
        return values
    if k is None:
        if "sweep" not in values:
            raise ValueError('%s: it uses k: give --sweep k=0..N, or the case '
                             'sweep = "0..N"' % next(
                                 n for n in parts if uses_k(parts[n])))
        try:
            k = parse(values["sweep"])[0]
        except ValueError as error:
            raise ValueError("sweep: %s" % error) from None
    return dict(values, **at(parts, k))


# ---- What all of them came to ----------------------------------------------

def ranges(numbers):
    """[0, 1, 2, 5] as "0..2, 5"."""
    pieces = []
    for number in sorted(numbers):
        if pieces and number == pieces[-1][1] + 1:
            pieces[-1][1] = number
        else:
            pieces.append([number, number])
    shown = ["%d" % a if a == b else "%d..%d" % (a, b)
             for a, b in pieces[:FEW]]
    return ", ".join(shown + ["..."] * (len(pieces) > FEW))


def place(result):
    """Where it was in the end, as verdict's reports have it: "12 of 32 at X"."""
    return result["where"][0].split(" at ", 1)[-1] if result["where"] else ""


def swept(results):
    """The results of each sweep, by the case's file."""
    found = {}
    for result in results:
        if result["k"] is not None:
            found.setdefault(result["path"], []).append(result)
    return found.values()


def is_vacuous(results):
    """All of a sweep about faults, and none came."""
    return all(r["has_fault"] for r in results) and \
        not any(r["faults"] for r in results)


def summary(results):
    """Lines about one sweep."""
    groups = {}
    for result in results:
        at_place = place(result)
        name = result["verdict"] + (" at " + at_place if at_place else "")
        groups.setdefault(name, []).append(result["k"])
    name = results[0]["name"].rsplit(" k=", 1)[0]
    lines = ["%s, swept:" % name]
    for group, ks in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])):
        lines.append("     %d %s: k = %s" % (len(ks), group, ranges(ks)))
    idle = [r["k"] for r in results if r["has_fault"] and not r["faults"]]
    if idle:
        lines.append("     %s: k = %s" % (NONE_CAME, ranges(idle)))
    return lines
