# SPDX-License-Identifier: BSD-2-Clause
"""Results as one page of HTML, which needs nothing beside itself.

All that a case said and did has one axis: the host's instructions since power-on.
"""

import base64
import html
import os
import re

from . import golden, modes

HERE = os.path.dirname(os.path.realpath(__file__))
# Of the drawing, in pixels.
WIDTH, LEFT, RIGHT, LANE, GAP, FOOT = 1120, 92, 12, 22, 5, 24
STROKE = 2.5
LEAD = 0.02    # of the timeline, before the guest begins
LANES = (("steps", ()), ("serial", ("serial",)), ("402h", ("402",)), ("E9h", ("e9",)),
         ("POST", ("post",)), ("screen", ("screen",)),
         ("input", ("send", "keys", "pointer", "eject", "insert", "unplug",
                    "plug", "power", "nmi")),
         ("reset", ("reset", "triple fault", "end")),
         ("faults", ("fault",)))
# Of the processor, drawn as spans: what State says, and its colour.
SPANS = (("mode", lambda s: s.mode + (", paging" if s.has_paging and
                                      s.mode != modes.LONG else ""),
          {"real": "#c9b458", "virtual-8086": "#b98a5a",
           "protected": "#6f9bd1", "long": "#4b6cb7"}),
         ("IF = 0", lambda s: "interrupts masked" if s.is_masked else "",
          {"interrupts": "#a3564f"}))
COLOURS = {"serial": "#3b82c4", "402": "#7a6fc9", "e9": "#a45fb8", "post": "#d08a1d",
           "screen": "#2a9d8f", "reset": "#b3261e", "triple fault": "#b3261e",
           "end": "#444b54", "fault": "#c2410c"}
KIND_CLASS = {"post": "post", "keys": "key", "send": "key", "reset": "fault",
              "triple fault": "fault", "log": "log", "end": "fault",
              "fault": "fault"}
SCREENS_MAX = 4
LINES_MAX = 600
TICKS, DIGITS_MAX = 8, 6
POST = re.compile("POST code [0-9a-f]{2}$")    # the same as of the source post


def e(text):
    return html.escape(str(text))


def millions(count, digits=1):
    return "%.*f M" % (digits, count / 1e6)


def data_uri(path):
    with open(path, "rb") as f:
        return "data:image/png;base64," + \
            base64.b64encode(f.read()).decode("ascii")


# ---- The timeline ----------------------------------------------------------

class Axis:
    """From a little before the guest begins to the case's end."""

    def __init__(self, result):
        self.end = max(result["counts"].get("instructions", 0), 1)
        began = [at for _, at, _ in result["steps"][:1]] + \
            [c[0] for c in result["modes"][:1]]
        begin = min(began, default=0)
        self.begin = max(0, begin - (self.end - begin) * LEAD)

    def x(self, at):
        part = (at - self.begin) / max(self.end - self.begin, 1)
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(part, 0), 1)

    def is_on(self, at):
        return at >= self.begin

    def tick(self, number):
        return self.begin + (self.end - self.begin) * number / TICKS

    def tick_labels(self):
        """With so many digits that no two are the same, as far as that goes."""
        for digits in range(1, DIGITS_MAX + 1):
            labels = [millions(self.tick(n), digits) for n in range(TICKS + 1)]
            if len(set(labels)) == len(labels):
                break
        return labels


def marks(axis, events, kinds, top):
    """A stroke for each event; many in one place are one."""
    found, drawn = [], set()
    for at, kind, text in events:
        x = round(min(axis.x(at), WIDTH - RIGHT - STROKE), 1)
        if kind not in kinds or (x, kind) in drawn or not axis.is_on(at):
            continue
        drawn.add((x, kind))
        found.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" rx="1" '
                     'fill="%s"><title>%s: %s</title></rect>' % (
                         x, top + 3, STROKE, LANE - 6,
                         COLOURS.get(kind, "#3457a6"), e(millions(at)),
                         e("%s %s" % (kind, text[:300]))))
    return found


def step_bars(axis, result, top):
    found = []
    for number, (label, began, ended) in enumerate(result["steps"], 1):
        stop = axis.end if ended is None else ended
        x, width = axis.x(began), max(3, axis.x(stop) - axis.x(began) - 1)
        colour = "#b3261e" if ended is None and not result["is_green"] \
            else "#5d8a70" if number % 2 else "#84ab95"
        found.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" rx="3" '
                     'fill="%s"><title>%d. %s</title></rect>' % (
                         x, top + 2, width, LANE - 4, colour, number,
                         e(label)))
        if width > 14:
            found.append('<text x="%.1f" y="%d" style="fill:#fff">%d</text>' %
                         (x + 4, top + 15, number))
    return found


def span_bars(axis, result, label, colours, top):
    """What the processor was like, from sample to sample."""
    found = []
    for began, ended, what in modes.spans(result["modes"], axis.end, label):
        x = axis.x(began)
        width = max(1, axis.x(ended) - x)
        colour = colours[what.split(",")[0].split(" ")[0]]
        found.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" '
                     'fill="%s"><title>%s: %s, for %s</title></rect>' % (
                         x, top + 3, width, LANE - 6, colour,
                         e(millions(began)), e(what),
                         e(millions(ended - began))))
        if width > 8 * len(what):
            found.append('<text x="%.1f" y="%d" style="fill:#fff">%s</text>' %
                         (x + 4, top + 15, e(what)))
    return found


def lane(name, top):
    return ('<rect class="lane" x="%d" y="%d" width="%d" height="%d" '
            'rx="3"/><text x="0" y="%d">%s</text>' % (
                LEFT, top, WIDTH - LEFT - RIGHT, LANE, top + 15, e(name)))


def timeline(result):
    axis = Axis(result)
    spans = SPANS if result["modes"] else ()
    height = (len(LANES) + len(spans)) * (LANE + GAP) + FOOT
    out = ['<svg viewBox="0 0 %d %d" width="100%%" role="img" '
           'aria-label="timeline">' % (WIDTH, height)]
    bottom = height - FOOT
    for tick, label in enumerate(axis.tick_labels()):
        x = axis.x(axis.tick(tick))
        out.append('<line class="grid" x1="%.1f" x2="%.1f" y1="0" y2="%d"/>'
                   '<text x="%.1f" y="%d" text-anchor="%s">%s</text>' % (
                       x, x, bottom + 4, x, bottom + 18,
                       "end" if tick == TICKS else "middle", label))
    for number, (name, kinds) in enumerate(LANES):
        top = number * (LANE + GAP)
        out.append(lane(name, top))
        out += marks(axis, result["events"], kinds, top) if kinds else \
            step_bars(axis, result, top)
    for number, (name, label, colours) in enumerate(spans, len(LANES)):
        top = number * (LANE + GAP)
        out.append(lane(name, top))
        out += span_bars(axis, result, label, colours, top)
    return "".join(out) + "</svg>"


def legend(result):
    """What the colours of the mode are."""
    seen = {c[1] for c in result["modes"]}
    return "<p class=legend>%s</p>" % "".join(
        "<span><i style='background:%s'></i>%s</span>" % (SPANS[0][2][m], m)
        for m in modes.MODES if m in seen) if seen else ""


# ---- Parts of a case -------------------------------------------------------

def steps_table(result):
    rows = []
    for number, (label, began, ended) in enumerate(result["steps"], 1):
        took = "not met" if ended is None else millions(ended - began)
        rows.append('<tr><td class="n">%d</td><td>%s</td><td class="n">%s</td>'
                    '<td class="n %s">%s</td></tr>' % (
                        number, e(label), millions(began),
                        "bad" if ended is None and not result["is_green"]
                        else "", took))
    return ("<h3>Steps</h3><table><tr><th></th><th></th><th class=n>at</th>"
            "<th class=n>took</th></tr>%s</table>" % "".join(rows))


def histogram(result):
    exits = {k: v for k, v in result["exits"].items() if k != "total"}
    most = max(exits.values(), default=1)
    bars = ["<div class=bar><span>%s</span><i style='width:%.1f%%'></i>"
            "<b>%s</b></div>" % (e(name), 100 * count / most,
                                 "{:,}".format(count))
            for name, count in sorted(exits.items(), key=lambda x: -x[1])]
    return "<h3>%s exits from guest to monitor</h3>%s" % (
        "{:,}".format(result["exits"].get("total", 0)), "".join(bars))


def number(count):
    return "{:,}".format(count)


def diverging(line):
    """The first line that differs, and what comes before it, beside the old one."""
    source, at, was, now, before = line
    columns = []
    for title, text, kind in (("in the last green run", was, "was"),
                              ("now", now, "now")):
        words = "(nothing more)" if text is None else text
        columns.append("<figure><pre>%s<span class=%s>%5d  %s</span></pre>"
                       "<figcaption>%s, %s</figcaption></figure>" % (
                           "".join("%5d  %s\n" % (n, e(l)) for n, l in
                                   enumerate(before, at - len(before))),
                           kind, at, e(words), e(source), title))
    return "<div class=pictures>%s</div>" % "".join(columns)


def difference(result):
    found = result["difference"]
    if found is None:
        return "<p class=fine>There was no green run before this one.</p>"
    if not found["lines"] and not found["counts"]:
        return "<p class=fine>Not a line and not a count is another one than " \
            "in the last green run.</p>"
    parts = [diverging(line) for line in found["lines"]]
    if not parts:
        parts = ["<p class=fine>All that was said is the same.</p>"]
    if found["counts"]:
        parts.append("<table class=moved><tr><th></th><th class=n>was</th>"
                     "<th class=n>is</th><th class=n></th></tr>%s</table>" %
                     "".join("<tr><td>%s</td><td class=n>%s</td><td class=n>%s"
                             "</td><td class=n>%s</td></tr>" % (
                                 e(name), number(was), number(now),
                                 "{:+,}".format(now - was))
                             for name, was, now in found["counts"]))
    return "".join(parts)


def is_same(first, second):
    """Pictures of the same encoder's."""
    with open(first, "rb") as a, open(second, "rb") as b:
        return a.read() == b.read()


def pictures(result):
    """What was shown at the end, what should have been, and what was last time."""
    shown = [(path, caption) for path, caption in result["pictures"]
             if os.path.exists(path)]
    last = result.get("last_picture")
    if last and shown and shown[0][1] == golden.AT_END:
        if is_same(last, shown[0][0]):
            shown[0] = shown[0][0], golden.AT_END + ", as in the last green run"
        else:
            shown.insert(1, (last, "in the last green run"))
    return "".join("<figure><img src='%s' alt=''><figcaption>%s</figcaption>"
                   "</figure>" % (data_uri(path), e(caption))
                   for path, caption in shown)


def screens(result):
    """The text screens that stood longest, in their order."""
    found = [(at, text) for at, kind, text in result["events"]
             if kind == "screen" and text.strip() and
             not text.startswith("(")]
    ends = [at for at, _ in found[1:]] + [
        result["counts"].get("instructions", 0)]
    spans = sorted(range(len(found)),
                   key=lambda n: found[n][0] - ends[n])[:SCREENS_MAX]
    return "".join("<figure><pre>%s</pre><figcaption>from %s on</figcaption>"
                   "</figure>" % (e(found[n][1]), millions(found[n][0]))
                   for n in sorted(spans))


def transcript(result):
    lines = []
    for at, kind, text in result["events"]:
        if kind == "screen" or kind == "log" and POST.search(text):
            continue
        lines.append("<span class=at>%9s  %-7s</span> <span class='%s'>%s"
                     "</span>" % (millions(at), e(kind),
                                  KIND_CLASS.get(kind, ""), e(text)))
    cut = len(lines) - LINES_MAX
    if cut > 0:
        lines = lines[:LINES_MAX // 2] + [
            "<span class=at>... %d lines ...</span>" % cut] + \
            lines[-LINES_MAX // 2:]
    return "<pre>%s</pre>" % "\n".join(lines)


def why(result):
    parts = ["step %d: %s" % (result["step"],
                              result["steps"][result["step"] - 1][0])] \
        if result["step"] and result["steps"] else []
    parts += [result["why"]] if result["why"] else []
    parts += ["where: " + w for w in result["where"]] + result["notes"]
    return "<div class=why>%s</div>" % e("\n".join(parts)) if parts else ""


def case(number, result, is_open):
    seen, texts = pictures(result), screens(result)
    parts = [why(result), "<h3>Timeline, in instructions of the whole host</h3>",
             timeline(result), legend(result), "<div class=columns><div>",
             steps_table(result), "</div><div>", histogram(result),
             "</div></div>", "<h3>Against the last green run</h3>",
             difference(result)]
    for title, what in (("Screen", seen), ("Texts that stood longest", texts)):
        if what:
            parts += ["<h3>%s</h3><div class=pictures>" % title, what,
                      "</div>"]
    parts += ["<h3>All that was said</h3>", transcript(result),
              "<h3>What it ran</h3>",
              "".join("<div class=fine>%s &nbsp; SHA-256 %s</div>" %
                      (e(n), h) for n, h in result["hashes"].items())]
    if not result["is_exact"]:
        parts.append("<p class=fine>The counts of this run are not exact: its "
                     "clock was real time, or it had a drive that takes "
                     "real time.</p>")
    green = result["is_green"]
    verdict = result["verdict"]
    if not green:
        verdict += " (wanted: %s)" % result["wanted"]
    elif verdict != "passed":
        verdict += ", as wanted"
    return ("<details class='case %s' id=case%d%s><summary><span class=dot>"
            "</span><span class=name>%s<small>%s</small></span><span "
            "class=chip>%s</span><span class=num>%s instructions</span><span "
            "class=num>%.1f s</span></summary><div class='body %s'>%s</div></details>" %
            ("" if green else "red", number, " open" if is_open else "",
             e(result["name"]), e(result.get("description") or ""),
             e(verdict), millions(result["counts"].get("instructions", 0)),
             result["seconds"], "calm" if green else "", "".join(parts)))


# ---- The page --------------------------------------------------------------

def totals(results):
    red = sum(not r["is_green"] for r in results)
    boxes = (("good", len(results) - red, "ended as they should"),
             ("bad" if red else "", red, "did not"),
             ("", millions(sum(r["counts"].get("instructions", 0)
                               for r in results)), "instructions"),
             ("", "%.0f s" % sum(r["seconds"] for r in results),
              "of simulators' time"))
    return "<div class=totals>%s</div>" % "".join(
        "<div class=total><b class='%s'>%s</b><span>%s</span></div>" % box
        for box in boxes)


def make(results):
    """The page, as bytes."""
    with open(os.path.join(HERE, "report.css"), encoding="utf-8") as f:
        style = f.read()
    red = [n for n, r in enumerate(results) if not r["is_green"]]
    opened = set(red) or ({0} if len(results) == 1 else set())
    strip = "".join("<a href='#case%d' title='%s' class='%s'></a>" % (
        n, e(r["name"]), "" if r["is_green"] else "red")
        for n, r in enumerate(results))
    order = red + [n for n in range(len(results)) if n not in red]
    body = "".join(case(n, results[n], n in opened) for n in order)
    title = "%d of %d cases ended as they should" % (len(results) - len(red),
                                               len(results))
    return ("<!doctype html><html lang=en><meta charset=utf-8><meta "
            "name=viewport content='width=device-width'><title>%s</title>"
            "<style>%s</style><h1>%s</h1><p class=sub>bulkhead test</p>%s"
            "<div class=strip>%s</div>%s</html>\n" %
            (e(title), style, e(title), totals(results), strip,
             body)).encode("utf-8", "replace")
