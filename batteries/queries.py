"""Which query is the recorded one: blank values, order of names, order of one name's values."""

import functools

from batteries.bench import ONE, Bench, Row, not_live
from batteries.verdicts import Fault, NotProvoked


def replays(bench: Bench, *, recorded: str, asked: str, same: bool) -> None:
    """Record one query and ask another, while replaying."""
    project = bench.recorded(ONE.replace("limit=2", recorded))
    targets = [each.target.partition("?")[2] for each in bench.server.asked]
    if targets != [recorded]:
        raise NotProvoked("the query did not come as it was asked")
    project.write(ONE.replace("limit=2", asked))
    before = len(bench.server.asked)
    run = project.run("none")
    not_live(bench.server, before)
    if run.green and not same:
        raise Fault(f"`{asked}` is answered by `{recorded}`")
    if not run.green and same:
        raise Fault(f"`{asked}` is not answered by `{recorded}`")


ROWS = (
    Row(
        id="j1",
        name="a blank value: `limit=2&marker=` after `limit=2`",
        holds="They are different requests.",
        battery=functools.partial(replays, recorded="limit=2", asked="limit=2&marker=", same=False),
    ),
    Row(
        id="j2",
        name="another order of names",
        holds="They are the same request.",
        battery=functools.partial(
            replays, recorded="limit=2&status=ACTIVE", asked="status=ACTIVE&limit=2", same=True
        ),
    ),
    Row(
        id="j3",
        name="another order of one name's values: `a=1&a=2`",
        holds="They are different requests.",
        battery=functools.partial(replays, recorded="a=1&a=2", asked="a=2&a=1", same=False),
    ),
)
