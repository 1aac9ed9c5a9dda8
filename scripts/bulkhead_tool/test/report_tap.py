# SPDX-License-Identifier: BSD-2-Clause
"""Results by the Test Anything Protocol, version 13."""

import json

from . import report_junit


def make(results):
    lines = ["TAP version 13", "1..%d" % len(results)]
    for number, result in enumerate(results, 1):
        lines.append("%sok %d - %s" % ("" if result["is_green"] else "not ",
                                       number,
                                       result["name"].replace("#", "\\#")))
        # JSON strings are YAML.
        rows = [("verdict", result["verdict"]), ("wanted", result["wanted"])]
        if not result["is_green"]:
            rows.append(("message", report_junit.explain(result)))
        rows += list(result["counts"].items())
        lines.append("  ---")
        lines += ["  %s: %s" % (name, json.dumps(value))
                  for name, value in rows]
        lines.append("  ...")
    return ("\n".join(lines) + "\n").encode()
