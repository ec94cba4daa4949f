"""What is kept and what is not: failing tests, refused requests, servers that are down."""

import functools

from batteries.bench import ONE, Bench, Row
from batteries.server import Reply
from batteries.verdicts import Fault, NotProvoked

FAILS = ONE + "    assert False, 'the test fails'\n"
TWO = ONE + '    ask(url + "?limit=7")\n'
FAILS_HALF_WAY = ONE + "    assert False, 'half-way'\n" + '    ask(url + "?limit=7")\n'


def failing_test(bench: Bench) -> None:
    """Record a test that fails after its request."""
    project = bench.project(FAILS)
    run = project.run("once")
    if run.green or "the test fails" not in run.output or len(bench.server.asked) != 1:
        raise NotProvoked("the test did not ask and fail")
    if project.cassettes():
        raise Fault("kept")


def refused_request(bench: Bench, *, status: int) -> None:
    """Record a test that passes though the server refused, then see what is replayed."""

    def refuse(_method: str, _target: str) -> Reply:
        return Reply(status=status, document={"error": {"code": status}})

    bench.server.reply = refuse
    project = bench.project(ONE)
    project.run("once")
    if [each.reply.status for each in bench.server.asked] != [status]:
        raise NotProvoked("the server did not refuse")
    if not project.cassettes():
        return
    bench.server.stop()
    if project.run("none").green:
        raise Fault("kept and replayed")


def server_down(bench: Bench) -> None:
    """Record anew while nobody answers."""
    project = bench.recorded()
    path = project.cassette()
    old = path.read_bytes()
    bench.server.stop()
    before = len(bench.server.asked)
    run = project.run("rewrite")
    if len(bench.server.asked) != before:
        raise NotProvoked("the server was not down")
    if not path.exists() or path.read_bytes() != old:
        raise Fault("the old recording is gone")
    if run.green:
        raise Fault("green, and nothing was recorded")


def fails_half_way(bench: Bench) -> None:
    """Record anew, and let the test fail after the first of its two requests."""
    project = bench.recorded(TWO)
    path = project.cassette()
    old = path.read_bytes()
    if len(project.interactions()) != 2:
        raise NotProvoked("there are not two interactions")
    project.write(FAILS_HALF_WAY)
    before = len(bench.server.asked)
    run = project.run("rewrite")
    if run.green or len(bench.server.asked) - before != 1:
        raise NotProvoked("the test did not fail half-way")
    if not path.exists() or path.read_bytes() != old:
        raise Fault("the old recording is gone")


ROWS = (
    Row(
        id="h1",
        name="a test that fails while it is recorded",
        holds="Nothing is kept.",
        battery=failing_test,
    ),
    *(
        Row(
            id=f"h{number}",
            name=f"the server answers {status} while recording",
            holds="It is not kept, unless the test is about it.",
            battery=functools.partial(refused_request, status=status),
        )
        for number, status in ((2, 401), (3, 500))
    ),
    Row(
        id="h4",
        name="recording anew while the server is down",
        holds="The old recording is as it was, and the run is red.",
        battery=server_down,
    ),
    Row(
        id="h5",
        name="recording anew, the test fails half-way",
        holds="The old recording is as it was.",
        battery=fails_half_way,
    ),
)
