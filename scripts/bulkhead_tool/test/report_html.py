# SPDX-License-Identifier: BSD-2-Clause
"""Results as one page of HTML, which needs nothing beside itself.

All that a case said and did has one axis: the host's instructions since power-on.
"""

import base64
import html
import os

HERE = os.path.dirname(os.path.realpath(__file__))
# Of the drawing, in pixels.
WIDTH, LEFT, RIGHT, LANE, GAP, FOOT = 1120, 92, 12, 22, 5, 24
LANES = (("steps", ()), ("serial", ("serial",)), ("402h, E9h", ("debug",)),
         ("POST", ("post",)), ("screen", ("screen",)),
         ("input", ("send", "keys", "pointer", "eject", "insert", "power",
                    "nmi")),
         ("reset", ("reset", "triple fault", "end")))
COLOURS = {"serial": "#3b82c4", "debug": "#7a6fc9", "post": "#d08a1d",
           "screen": "#2a9d8f", "reset": "#b3261e", "triple fault": "#b3261e",
           "end": "#444b54"}
KIND_CLASS = {"post": "post", "keys": "key", "send": "key", "reset": "fault",
              "triple fault": "fault", "log": "log", "end": "fault"}
SCREENS_MAX = 4
LINES_MAX = 600
TICKS = 8


def e(text):
    return html.escape(str(text))


def millions(count):
    return "%.1f M" % (count / 1e6)


def data_uri(path):
    with open(path, "rb") as f:
        return "data:image/png;base64," + \
            base64.b64encode(f.read()).decode("ascii")


# ---- The timeline ----------------------------------------------------------

class Axis:
    def __init__(self, total):
        self.total = max(total, 1)

    def x(self, at):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(at / self.total, 1)


def marks(axis, events, kinds, top):
    """A stroke for each event; many in one place are one."""
    found, drawn = [], set()
    for at, kind, text in events:
        x = round(axis.x(at), 1)
        if kind not in kinds or (x, kind) in drawn:
            continue
        drawn.add((x, kind))
        found.append('<rect x="%.1f" y="%d" width="2.5" height="%d" rx="1" '
                     'fill="%s"><title>%s: %s</title></rect>' % (
                         x, top + 3, LANE - 6,
                         COLOURS.get(kind, "#3457a6"), e(millions(at)),
                         e("%s %s" % (kind, text[:300]))))
    return found


def step_bars(axis, result, top):
    found = []
    for number, (label, began, ended) in enumerate(result["steps"], 1):
        stop = axis.total if ended is None else ended
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


def timeline(result):
    axis = Axis(result["counts"].get("instructions", 0))
    height = len(LANES) * (LANE + GAP) + FOOT
    out = ['<svg viewBox="0 0 %d %d" width="100%%" role="img" '
           'aria-label="timeline">' % (WIDTH, height)]
    bottom = height - FOOT
    for tick in range(TICKS + 1):
        at = axis.total * tick / TICKS
        x = axis.x(at)
        out.append('<line class="grid" x1="%.1f" x2="%.1f" y1="0" y2="%d"/>'
                   '<text x="%.1f" y="%d" text-anchor="%s">%s</text>' % (
                       x, x, bottom + 4, x, bottom + 18,
                       "end" if tick == TICKS else "middle", millions(at)))
    for number, (name, kinds) in enumerate(LANES):
        top = number * (LANE + GAP)
        out.append('<rect class="lane" x="%d" y="%d" width="%d" height="%d" '
                   'rx="3"/><text x="0" y="%d">%s</text>' % (
                       LEFT, top, WIDTH - LEFT - RIGHT, LANE, top + 15,
                       e(name)))
        out += marks(axis, result["events"], kinds, top) if kinds else \
            step_bars(axis, result, top)
    return "".join(out) + "</svg>"


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
    return ("<h3>Steps</h3><table><tr><th></th><th></th><th>at</th><th>took"
            "</th></tr>%s</table>" % "".join(rows))


def histogram(result):
    exits = {k: v for k, v in result["exits"].items() if k != "total"}
    most = max(exits.values(), default=1)
    bars = ["<div class=bar><span>%s</span><i style='width:%.1f%%'></i>"
            "<b>%s</b></div>" % (e(name), 100 * count / most,
                                 "{:,}".format(count))
            for name, count in sorted(exits.items(), key=lambda x: -x[1])]
    return "<h3>%s exits</h3>%s" % (
        "{:,}".format(result["exits"].get("total", 0)), "".join(bars))


def difference(result):
    moved = result["moved"]
    if moved is None:
        return "<p class=fine>There was no green run before this one.</p>"
    if not moved:
        return "<p class=fine>Not a line and not a count is another one than " \
            "in the last green run.</p>"
    return "<table>%s</table>" % "".join(
        "<tr><td>%s</td></tr>" % e(line) for line in moved)


def pictures(result):
    shown = [(path, caption) for path, caption in result["pictures"]
             if os.path.exists(path)]
    last = result.get("last_picture")
    if last and shown:
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
        if kind == "screen":
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
    parts = [result["why"]] if result["why"] else []
    parts += ["where: " + w for w in result["where"]] + result["notes"]
    return "<div class=why>%s</div>" % e("\n".join(parts)) if parts else ""


def case(number, result, is_open):
    seen = pictures(result) + screens(result)
    parts = [why(result), "<h3>Timeline, in instructions of the whole host</h3>",
             timeline(result), "<div class=columns><div>",
             steps_table(result), "</div><div>", histogram(result),
             "</div></div>", "<h3>Against the last green run</h3>",
             difference(result)]
    if seen:
        parts += ["<h3>Screens</h3><div class=pictures>", seen, "</div>"]
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
    if verdict != "passed" and green:
        verdict += ", as wanted"
    return ("<details class='case %s' id=case%d%s><summary><span class=dot>"
            "</span><span class=name>%s<small>%s</small></span><span "
            "class=chip>%s</span><span class=num>%s</span><span class=num>"
            "%.1f s</span></summary><div class='body %s'>%s</div></details>" %
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
