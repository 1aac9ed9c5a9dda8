# SPDX-License-Identifier: BSD-2-Clause
"""What a case took when it was good, and what has moved since.

Two things are kept for each case.  NAME.golden.json has the counts that somebody
accepted; a case that says `golden = "2 %"` is held to them.  It stands beside the
case, to be committed with it.  The last green run, all that was said and the last
picture, is in a folder .bulkhead-test beside the case, which git ignores, and is
what reports compare with.  --golden DIR is the place of both.
"""

import json
import os
import shutil

from .. import Problem
from . import verdict

STATE = ".bulkhead-test"
SAID = ("serial", "debug", "post", "screen")
COUNTED = ("instructions", "resets", "triple-faults")


class Place:
    """Of one case; folder: --golden's, or None."""

    def __init__(self, path, name, folder=None):
        self.name = name.replace("/", "--")
        beside = os.path.dirname(os.path.realpath(path))
        self.accepted = os.path.join(folder or beside,
                                     self.name + ".golden.json")
        self.state = folder or os.path.join(beside, STATE)
        self.last = os.path.join(self.state, self.name + ".last.json")
        self.picture = os.path.join(self.state, self.name + ".last.png")

    def make(self):
        os.makedirs(self.state, exist_ok=True)
        ignore = os.path.join(self.state, ".gitignore")
        if os.path.basename(self.state) == STATE and \
                not os.path.exists(ignore):
            with open(ignore, "w", encoding="utf-8") as f:
                f.write("*\n")


def read(path):
    """None if there is none; Problem."""
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Problem("'%s' cannot be used: %s" % (path, error)) from None


def write(path, thing):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(thing, f, indent=1, sort_keys=True)
        f.write("\n")


def check(place, part, counts):
    """Whether the counts are within part percent of the accepted; Outcome."""
    accepted = read(place.accepted)
    if accepted is None:
        raise verdict.Outcome(verdict.CASE_ERROR, "golden: there is no file "
                              "'%s': --accept writes it" % place.accepted)
    for name, was in accepted.items():
        now = counts.get(name, 0)
        if abs(now - was) * 100 > part * was:
            raise verdict.Outcome(
                verdict.LIMIT, "%s: %d, not within %g %% of the accepted %d" %
                (name, now, part, was))


def accept(place, result):
    os.makedirs(os.path.dirname(place.accepted), exist_ok=True)
    write(place.accepted, {
        "instructions": result["counts"]["instructions"],
        "exits": result["exits"]["total"]})


# ---- The last green run ----------------------------------------------------

def said(result):
    """What each source said, as lines."""
    found = {name: [] for name in SAID}
    for _, kind, text in result["events"]:
        if kind in found:
            found[kind] += text.split("\n")
    return found


def first_difference(name, was, now):
    for number, (a, b) in enumerate(zip(was, now), 1):
        if a != b:
            return "%s, line %d: was \"%s\", is \"%s\"" % (name, number, a, b)
    if len(was) < len(now):
        return "%s, line %d is new: \"%s\"" % (name, len(was) + 1,
                                               now[len(was)])
    if len(was) > len(now):
        return "%s ends before line %d: \"%s\"" % (name, len(now) + 1,
                                                   was[len(now)])
    return None


def moved_counts(was, now):
    names = sorted(set(was) | set(now))
    return ["%s: %d, was %d (%+d)" % (n, now.get(n, 0), was.get(n, 0),
                                      now.get(n, 0) - was.get(n, 0))
            for n in names if was.get(n, 0) != now.get(n, 0)]


def compare(place, result):
    """Lines that say what is another than in the last green run; None: no run."""
    last = read(place.last)
    if last is None:
        return None
    before, after = last["said"], said(result)
    found = [first_difference(n, before.get(n, []), after[n]) for n in SAID]
    found = [f for f in found if f]
    found += moved_counts(last["counts"], result["counts"])
    found += ["exits " + m for m in moved_counts(last["exits"],
                                                 result["exits"])]
    return found


def keep(place, result):
    """This is the last green run now."""
    place.make()
    write(place.last, {"said": said(result), "counts": result["counts"],
                       "exits": result["exits"]})
    shown = [p for p, caption in result["pictures"]
             if caption == "at the end"]
    if shown:
        shutil.copyfile(shown[0], place.picture)
