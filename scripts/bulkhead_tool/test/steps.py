# SPDX-License-Identifier: BSD-2-Clause
"""What each kind of step does to a runner.Run; the names are those of case.STEPS."""

import os

from .. import Problem
from ..control import frames, screen, screens, verbs

# Without a change: a screen at rest.
REST, REST_SECONDS = 20_000_000, 8    # instructions, or seconds of the guest's


def expect(run, step):
    on = step.more.get("on", "serial")
    if on == "screen":
        watch = run.screen("text")

        def is_met():
            shown = watch.shown
            return bool(shown.cells and step.value.search(shown.text()))
    else:
        source = run.source(on)

        def is_met():
            return source.search(step.value) is not None
    run.wait_for(is_met, "text", on, step.more.get("within"))


# ---- Needles ---------------------------------------------------------------

def part_of(shown, region):
    """Of the picture that a screen shows, all or (left, top, width, height)."""
    if not region:
        return shown.image()
    left, top, width, height = region
    return shown.image().crop((left, top, left + width, top + height))


def at_rest(run, watch, region):
    """Whether this part of the screen is, each time that this is called.

    Outside of it a cursor may blink.
    """
    picture, changes = None, 0
    changed_at, changed_second = 0, 0

    def test():
        nonlocal picture, changes, changed_at, changed_second
        if watch.changes != changes and watch.shown.pixels:
            changes = watch.changes
            now = part_of(watch.shown, region).tobytes()
            if now != picture:
                picture = now
                changed_at, changed_second = watch.changed_at, run.seconds
        if watch.parts:
            changed_second = run.seconds
        return picture and watch.shown.pixels and not watch.parts and (
            run.sim.now - changed_at >= REST or
            run.seconds - changed_second >= REST_SECONDS)
    return test


def image(run, step):
    path = os.path.join(run.case.folder, step.value)
    region = step.more.get("region")
    watch = run.screen("pixels")
    if run.options.update_needles:
        update(run, step, path, watch)
        return
    if not os.path.exists(path):
        raise Problem("%s: image: there is no file '%s'; --update-needles "
                      "makes it" % (run.case.path, step.value))
    test = screens.image_test(path, region, step.more.get("tolerance", 0))
    run.needle = path
    seen = [0, False]    # which picture was searched, what was found

    def is_met():
        if watch.changes != seen[0]:
            seen[:] = watch.changes, bool(test(watch.shown))
        return seen[1]

    run.wait_for(is_met, "picture", "screen", step.more.get("within"))
    run.needle = None


def update(run, step, path, watch):
    """The needle as the screen is now at rest, if it is not there already."""
    region = step.more.get("region")
    run.wait_for(at_rest(run, watch, region), "picture", "screen", None)
    if os.path.exists(path) and screens.image_test(
            path, region, step.more.get("tolerance", 0))(watch.shown):
        return
    screens.save(part_of(watch.shown, region), path)
    run.note("needle", "%s is new" % step.value)


# ---- What is done ----------------------------------------------------------

def send(run, step):
    run.link.send_binary(run.serial_id(), frames.SERIAL, step.value)


def keys(run, step):
    verbs.type_strokes(run.link, run.guest, step.value, pause=run.link.pause)


def pointer(run, step):
    value = step.value
    moves = list(verbs.movements(value.get("dx", 0), value.get("dy", 0)))
    for number, (dx, dy) in enumerate(moves):
        is_last = number == len(moves) - 1
        run.link.ask("pointer", guest=run.guest, dx=dx, dy=dy,
                     wheel=value.get("wheel", 0) if is_last else 0,
                     buttons=value.get("buttons", 0) if is_last else 0)
        run.link.pause(verbs.DELAY)


# Commands of one drive, or network card.
WITH_UNIT = ("eject", "insert", "unplug", "plug")


def command(verb):
    def do(run, step):
        more = {"unit": step.value} if verb in WITH_UNIT else {}
        if verb == "reset":
            run.own_resets += 1
        run.link.ask(verb, guest=run.guest, **more)
    return do


def wait(run, step):
    until = run.sim.now + step.value
    run.wait_for(lambda: run.sim.now >= until or run.is_idle, None, None,
                 None)


def until(run, step):
    tests = {"halt": lambda: run.end is not None or run.is_halted(),
             "off": lambda: run.end is not None and run.end.is_off,
             "exit": lambda: run.end is not None and
             run.end.code is not None,
             "reset": lambda: run.sim.resets() > run.resets_met,
             "power-cut": lambda: run.faults.cuts > run.cuts_met}
    run.wait_for(tests[step.value], None, None, step.more.get("within"))
    run.resets_met += step.value == "reset"
    run.cuts_met += step.value == "power-cut"
    code = step.more.get("code")
    if code is not None and (run.end is None or run.end.code != code):
        run.wrong_end("code %d" % code)


DO = {"expect": expect, "image": image, "send": send, "keys": keys,
      "pointer": pointer, "wait": wait, "until": until}
DO.update((verb, command(verb)) for verb in
          WITH_UNIT + ("power", "reset", "nmi"))


def shown_text(shown):
    """A screen as text, whatever its mode is."""
    return shown.text().rstrip("\n") if shown.cells else \
        "(%s, %d * %d)" % (shown.mode, shown.width, shown.height)


__all__ = ["DO", "shown_text", "screen"]
