"""Which queries match a recording: blank values, order of names, order of values."""

import functools

from batteries.bench import ONE, Bench, Row, not_live
from batteries.verdicts import Fault, NotProvoked


def replays(bench: Bench, *, recorded: str, asked: str, same: bool) -> None:
    """Record one query, and replay with another."""
    project = bench.recorded(ONE.replace("limit=2", recorded))
    targets = [each.target.partition("?")[2] for each in bench.server.asked]
    if targets != [recorded]:
        raise NotProvoked("the query was changed on the way")
    project.write(ONE.replace("limit=2", asked))
    before = len(bench.server.asked)
    run = project.run("none")
    not_live(bench.server, before)
    if run.green and not same:
        raise Fault(f"`{asked}` replays `{recorded}`")
    if not run.green and same:
        raise Fault(f"`{asked}` does not replay `{recorded}`")


ROWS = (
    Row(
        id="j1",
        name="a blank value: `limit=2&marker=` after `limit=2`",
        holds="They are different requests.",
        battery=functools.partial(replays, recorded="limit=2", asked="limit=2&marker=", same=False),
    ),
    Row(
        id="j2",
        name="parameters in another order",
        holds="They are the same request.",
        battery=functools.partial(
            replays, recorded="limit=2&status=ACTIVE", asked="status=ACTIVE&limit=2", same=True
        ),
    ),
    Row(
        id="j3",
        name="values of one parameter in another order: `a=1&a=2`",
        holds="They are different requests.",
        battery=functools.partial(replays, recorded="a=1&a=2", asked="a=2&a=1", same=False),
    ),
)
