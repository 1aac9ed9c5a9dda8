# SPDX-License-Identifier: BSD-2-Clause
"""Results as JUnit's XML, which continuous integration services read."""

import re
from xml.etree import ElementTree

from . import verdict

# What XML 1.0 cannot say.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
ERRORS = (verdict.HOST_ERROR, verdict.STALLED, verdict.CASE_ERROR)


def clean(text):
    return FORBIDDEN.sub("?", text)


def add_properties(element, result):
    properties = ElementTree.SubElement(element, "properties")
    rows = dict(result["counts"])
    rows.update(("exits." + k, v) for k, v in result["exits"].items())
    rows.update(("sha256." + k, v) for k, v in result["hashes"].items())
    rows["verdict"] = result["verdict"]
    for name, value in rows.items():
        ElementTree.SubElement(properties, "property", name=clean(name),
                               value=clean(str(value)))


def explain(result):
    """All that is known of a red case, as text."""
    lines = ["%s (wanted: %s)" % (result["verdict"], result["wanted"])]
    if result["step"]:
        lines.append("step %d: %s" % (result["step"],
                                      result["steps"][result["step"] - 1][0]))
    lines += [result["why"]] if result["why"] else []
    lines += ["where: " + w for w in result["where"]]
    return "\n".join(lines + result["notes"])


def make(results):
    """The document, as bytes."""
    root = ElementTree.Element("testsuites")
    red = [r for r in results if not r["is_green"]]
    errors = [r for r in red if r["verdict"] in ERRORS]
    suite = ElementTree.SubElement(
        root, "testsuite", name="bulkhead test", tests=str(len(results)),
        failures=str(len(red) - len(errors)), errors=str(len(errors)),
        skipped="0", time="%.3f" % sum(r["seconds"] for r in results))
    for result in results:
        element = ElementTree.SubElement(
            suite, "testcase", name=clean(result["name"]),
            classname=clean(result["path"]),
            time="%.3f" % result["seconds"])
        add_properties(element, result)
        if not result["is_green"]:
            found = ElementTree.SubElement(
                element, "error" if result["verdict"] in ERRORS else "failure",
                type=result["verdict"],
                message=clean((result["why"] or result["verdict"])
                              .split("\n")[0]))
            found.text = clean(explain(result))
        said = [text for _, kind, text in result["events"]
                if kind in ("serial", "402", "e9")]
        ElementTree.SubElement(element, "system-out").text = \
            clean("\n".join(said))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
