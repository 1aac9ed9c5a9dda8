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
SAID = ("serial", "402", "e9", "post", "screen")
AT_END = "at the end"    # which picture it is
CONTEXT = 3    # lines before the first one that differs


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
    """(source, line's number, what it was, what it is, those before it); None: it is
    the same.  A line that is not there is None."""
    for number, (a, b) in enumerate(zip(was, now)):
        if a != b:
            break
    else:
        number = min(len(was), len(now))
        if len(was) == len(now):
            return None
    return (name, number + 1, was[number] if number < len(was) else None,
            now[number] if number < len(now) else None,
            now[max(0, number - CONTEXT):number])


def moved_counts(was, now):
    """(name, what it was, what it is) where these differ."""
    return [(n, was.get(n, 0), now.get(n, 0))
            for n in sorted(set(was) | set(now))
            if was.get(n, 0) != now.get(n, 0)]


def differences(place, result):
    """What is another than in the last green run: lines, as first_difference() has
    them, and counts; None: there was no such run."""
    last = read(place.last)
    if last is None:
        return None
    before, after = last["said"], said(result)
    lines = [first_difference(n, before[n], after[n]) for n in SAID
             if n in before]
    counts = moved_counts(last["counts"], result["counts"])
    counts += [("exits " + name, was, now) for name, was, now in
               moved_counts(last["exits"], result["exits"])]
    return {"lines": [l for l in lines if l], "counts": counts}


def explain(found):
    """differences() as lines of text."""
    said_so = []
    for name, number, was, now, _ in found["lines"]:
        if was is None:
            said_so.append('%s, line %d is new: "%s"' % (name, number, now))
        elif now is None:
            said_so.append('%s ends before line %d: "%s"' %
                           (name, number, was))
        else:
            said_so.append('%s, line %d: was "%s", is "%s"' %
                           (name, number, was, now))
    return said_so + ["%s: %d, was %d (%+d)" % (name, now, was, now - was)
                      for name, was, now in found["counts"]]


def keep(place, result):
    """This is the last green run now."""
    place.make()
    write(place.last, {"said": said(result), "counts": result["counts"],
                       "exits": result["exits"]})
    shown = [p for p, caption in result["pictures"]
             if caption == AT_END]
    if shown:
        shutil.copyfile(shown[0], place.picture)
