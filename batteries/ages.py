"""Recordings that have become old: a limit, if one is set, is kept."""

import os
import time

from batteries.bench import NO_SWITCH, Bench, Row
from batteries.verdicts import Fault, NotProvoked

DAYS = 400
LIMIT = 30  # as every driver's switch `age` sets it


def old(bench: Bench) -> None:
    """Make a recording 400 days old, and replay it with a limit of 30 days."""
    project = bench.recorded()
    path = project.cassette()
    before = path.read_bytes()
    then = time.time() - DAYS * 86_400
    bench.tool.aged(path, DAYS)
    os.utime(path, (then, then))
    switch = bench.tool.switches.get("age", NO_SWITCH)
    aged = path.read_bytes()
    if switch is not NO_SWITCH and aged == before:
        raise NotProvoked("its date is as it was")
    if not project.run("none").green:
        raise NotProvoked("without a limit it does not replay")
    asked = len(bench.server.asked)
    run = project.run("none", switch=switch)
    if len(bench.server.asked) > asked:
        raise Fault("asked the live server")
    if run.green:
        raise Fault("knows no limit" if switch is NO_SWITCH else "replayed")
    if path.read_bytes() != aged:
        raise Fault("refused, and the recording is gone")


ROWS = (
    Row(
        id="o",
        name=f"{DAYS} days old, with a limit of {LIMIT}",
        holds="It is refused and left as it is.",
        battery=old,
    ),
)
