# SPDX-License-Identifier: BSD-2-Clause
"""The command line of `bulkhead test`."""

import argparse
import fnmatch
import json
import os
import tempfile

from .. import Problem, processes
from ..arguments import whole
from . import case as cases
from . import (golden, pool, report_html, report_junit, report_tap, runner,
               sweep, verdict)

EPILOG = """
verdicts:
%s

Exit status: 0 all cases ended as they should, 1 one did not, 2 a wrong option.
Of a single case whose guest wrote N to its port 0xf4 and that ended as it should:
N. docs/testing-firmware.md says how to write cases.
""" % "\n".join("  %-18s %s" % (name, text)
                for name, text in verdict.MEANING.items())


class Job:
    def __init__(self, number, path, name, k=None):
        self.number, self.path, self.k = number, path, k
        self.name = name if k is None else "%s k=%d" % (name, k)

    def options(self):
        return [] if self.k is None else ["--k", str(self.k)]


def files_of(path):
    """The cases of a folder, by their names below it."""
    if not os.path.isdir(path):
        yield path, os.path.splitext(os.path.basename(path))[0]
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if name.endswith(".toml"):
                found = os.path.join(folder, name)
                yield found, os.path.splitext(os.path.relpath(found, path))[0]


def is_chosen(name, pattern):
    if pattern is None:
        return True
    if any(c in pattern for c in "*?["):
        return fnmatch.fnmatchcase(name, pattern)
    return pattern in name


def ks_of(path, wanted):
    """What the case is run at: numbers, or None once; Problem."""
    case = cases.Case(path, wanted[0] if wanted else None)
    if not case.is_swept:
        return [None]
    found = wanted or case.values["sweep"]
    for k in found:
        cases.Case(path, k)
    return found


def choose(paths, pattern, wanted=None):
    """The jobs; Problem where there is none, or a case is wrong."""
    found = [f for path in paths for f in files_of(path)]
    if not found:
        raise Problem("there is no case in %s: cases end in .toml" %
                      ", ".join(paths))
    chosen = [f for f in found if is_chosen(f[1], pattern)]
    if not chosen:
        raise Problem("-k: '%s' is in none of the %d cases' names" %
                      (pattern, len(found)))
    runs = [(path, name, k) for path, name in chosen
            for k in ks_of(path, wanted)]
    if wanted and all(k is None for _, _, k in runs):
        raise Problem("--sweep: no case uses k, as in fault = { power-cut = "
                      "\"k\" }")
    return [Job(number, *r) for number, r in enumerate(runs)]


# ---- One case --------------------------------------------------------------

def do_worker(args):
    options = runner.Options()
    options.update_needles = args.update_needles
    options.is_exact = args.icount
    options.has_samples = args.samples
    case = cases.Case(args.paths[0], args.k)
    case.name = args.name or case.name
    options.place = golden.Place(case.path, case.name, args.golden)
    options.is_accepting = args.accept
    result = runner.Run(case, args.worker, options).execute()
    with open(os.path.join(args.worker, pool.RESULT), "w",
              encoding="utf-8") as f:
        json.dump(result.plain(), f)
    return 0


# ---- Many ------------------------------------------------------------------

def millions(count):
    return "%.1f M instructions" % (count / 1e6)


def say(result):
    counts = result["counts"]
    took = "%s, %.1f s" % (millions(counts.get("instructions", 0)),
                           result["seconds"])
    if result["is_green"]:
        as_wanted = "" if result["verdict"] == verdict.PASSED else \
            ", " + result["verdict"] + " as wanted"
        processes.say("PASS %s%s (%s)%s" % (
            result["name"], as_wanted, took,
            "".join(": " + f for f in result["faults"][:1])))
    else:
        text = report_junit.explain(result)
        processes.say("FAIL %s: %s (%s)" % (
            result["name"], text.replace("\n", "\n     "), took))
    for line in result["moved"]:
        if not result["is_green"]:
            processes.say("     against the last green run: " + line)


def settle(args, result):
    """What is kept of it, and what has moved."""
    if "instructions" not in result["counts"] or result["k"] is not None:
        return
    place = golden.Place(result["path"], result["name"], args.golden)
    found = golden.differences(place, result)
    result["difference"] = found
    result["moved"] = golden.explain(found) if found else []
    result["last_picture"] = place.picture \
        if os.path.exists(place.picture) else None
    if result["is_green"]:
        if args.accept:
            golden.accept(place, result)


def write(path, data):
    try:
        with open(path, "wb") as f:
            f.write(data)
    except OSError as error:
        raise Problem("'%s' cannot be written: %s" %
                      (path, error.strerror)) from None


def report(args, results):
    if args.junit:
        write(args.junit, report_junit.make(results))
    if args.tap:
        write(args.tap, report_tap.make(results))
    if args.report:
        write(args.report, report_html.make(results))


def keep(args, results):
    """Behind the reports, which compare with what was kept before."""
    for result in results:
        if result["is_green"] and result["counts"] and result["k"] is None:
            golden.keep(golden.Place(result["path"], result["name"],
                                     args.golden), result)


def worker_options(args):
    found = [option for option, value in (
        ("--icount", args.icount), ("--accept", args.accept),
        ("--update-needles", args.update_needles),
        ("--samples", args.report)) if value]
    return found + (["--golden", args.golden] if args.golden else [])


def say_sweeps(results):
    """What sweeps came to; how many of them had no fault at all."""
    empty = 0
    for ours in sweep.swept(results):
        processes.say("\n".join(sweep.summary(ours)))
        if sweep.is_vacuous(ours):
            empty += 1
            processes.say("FAIL %s: %s at any k" % (
                ours[0]["name"].rsplit(" k=", 1)[0], sweep.NONE_CAME))
    return empty


def a_sweep(text):
    try:
        if not text.startswith("k"):
            raise ValueError("has to be k=A..B, as k=0..12")
        return sweep.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("'%s' %s" % (text, error)) from None


def do_test(args, work):
    if args.worker:
        return do_worker(args)
    jobs = choose(args.paths, args.pattern, args.sweep)
    if args.keep:
        work = tempfile.mkdtemp(prefix="bulkhead-test-")
        processes.say("bulkhead: what the runs leave is in " + work)

    def finished(result):
        settle(args, result)
        say(result)

    from .. import main    # which has imported this one
    results = pool.run(jobs, args.jobs or len(os.sched_getaffinity(0)), work,
                       worker_options(args), finished, main.main)
    report(args, results)
    keep(args, results)
    red = sum(not r["is_green"] for r in results)
    empty = say_sweeps(results)
    if len(results) > 1:
        processes.say("%d passed, %d failed" % (len(results) - red, red))
    if red or empty:
        return 1
    return results[0]["code"] or 0 if len(results) == 1 else 0


def add(commands):
    test = commands.add_parser(
        "test", help="test firmware by cases: what it says, shows and does",
        description="Runs cases, each a file that says what a guest has to "
        "do, on a simulated host whose only clock are counted instructions.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    test.add_argument("paths", metavar="DIR|FILE", nargs="+",
                      help="cases, or folders with cases (*.toml)")
    test.add_argument("-j", "--jobs", type=whole(1, 256), metavar="N",
                      help="so many at a time (default: as this system has "
                      "CPUs)")
    test.add_argument("-k", dest="pattern", metavar="PATTERN",
                      help="only cases with this in their names; * ? [] as in "
                      "a shell")
    test.add_argument("--sweep", type=a_sweep, metavar="k=A..B[/N]",
                      help="run cases whose fault or patch uses k at each")
    test.add_argument("--icount", action="store_true",
                      help="instructions are the clock of all cases, of those "
                      "that say clock = \"real\", too")
    test.add_argument("--update-needles", action="store_true",
                      help="write needles anew from what the screens show, "
                      "where they do not match or are not there")
    test.add_argument("--accept", action="store_true",
                      help="the counts of green cases are the golden ones now")
    test.add_argument("--golden", metavar="DIR",
                      help="where golden counts and last green runs are "
                      "(default: beside the cases)")
    test.add_argument("--junit", metavar="F.xml", help="results as JUnit's XML")
    test.add_argument("--tap", metavar="F.tap",
                      help="results as Test Anything Protocol")
    test.add_argument("--report", metavar="F.html",
                      help="a page about all of it, in one file")
    test.add_argument("--keep", action="store_true",
                      help="keep the folders of the runs")
    # Of a worker: its folder, the case's name, its k, and whether it looks at the
    # guest's registers.
    test.add_argument("--worker", help=argparse.SUPPRESS)
    test.add_argument("--name", help=argparse.SUPPRESS)
    test.add_argument("--k", type=int, help=argparse.SUPPRESS)
    test.add_argument("--samples", action="store_true",
                      help=argparse.SUPPRESS)
    test.set_defaults(action=do_test)
