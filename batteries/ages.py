"""Old recordings: an age limit is enforced if one is set."""

import os
import time

from batteries.bench import NO_SWITCH, Bench, Row
from batteries.verdicts import Fault, NotProvoked

DAYS = 400
LIMIT = 30  # each driver's switch `age` sets it


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
        raise NotProvoked("its date has not changed")
    if not project.run("none").green:
        raise NotProvoked("without a limit it does not replay")
    asked = len(bench.server.asked)
    run = project.run("none", switch=switch)
    if len(bench.server.asked) > asked:
        raise Fault("reached the server")
    if run.green:
        raise Fault("has no age limit" if switch is NO_SWITCH else "replayed")
    if path.read_bytes() != aged:
        raise Fault("refused, but the recording was changed")


ROWS = (
    Row(
        id="o",
        name=f"a recording {DAYS} days old, with a limit of {LIMIT} days",
        holds="It is refused and left unchanged.",
        battery=old,
    ),
)
