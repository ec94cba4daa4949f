"""What is saved: failing tests, refused requests, servers that are down."""

import functools

from batteries.bench import ONE, Bench, Row
from batteries.server import Reply
from batteries.verdicts import Fault, NotProvoked

FAILS = ONE + "    assert False, 'the test fails'\n"
TWO = ONE + '    ask(url + "?limit=7")\n'
FAILS_HALFWAY = ONE + "    assert False, 'halfway'\n" + '    ask(url + "?limit=7")\n'


def failing_test(bench: Bench) -> None:
    """Record a test that fails after its request."""
    project = bench.project(FAILS)
    run = project.run("once")
    if run.green or "the test fails" not in run.output or len(bench.server.asked) != 1:
        raise NotProvoked("the test did not ask and fail")
    if project.cassettes():
        raise Fault("saved")


def refused_request(bench: Bench, *, status: int) -> None:
    """Record a test that passes although the server refuses, then replay it."""

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
        raise Fault("saved and replayed")


def server_down(bench: Bench) -> None:
    """Record again while the server is down."""
    project = bench.recorded()
    path = project.cassette()
    old = path.read_bytes()
    bench.server.stop()
    before = len(bench.server.asked)
    run = project.run("rewrite")
    if len(bench.server.asked) != before:
        raise NotProvoked("the server was not down")
    if not path.exists() or path.read_bytes() != old:
        raise Fault("the old recording is lost")
    if run.green:
        raise Fault("the run passes, but nothing was recorded")


def fails_halfway(bench: Bench) -> None:
    """Record again, with a test that fails after the first of its two requests."""
    project = bench.recorded(TWO)
    path = project.cassette()
    old = path.read_bytes()
    if len(project.interactions()) != 2:
        raise NotProvoked("there are not two interactions")
    project.write(FAILS_HALFWAY)
    before = len(bench.server.asked)
    run = project.run("rewrite")
    if run.green or len(bench.server.asked) - before != 1:
        raise NotProvoked("the test did not fail halfway")
    if not path.exists() or path.read_bytes() != old:
        raise Fault("the old recording is lost")


ROWS = (
    Row(
        id="h1",
        name="a test fails while recording",
        holds="Nothing is saved.",
        battery=failing_test,
    ),
    *(
        Row(
            id=f"h{number}",
            name=f"the server answers {status} while recording",
            holds="The response is not saved unless the test expects it.",
            battery=functools.partial(refused_request, status=status),
        )
        for number, status in ((2, 401), (3, 500))
    ),
    Row(
        id="h4",
        name="re-recording while the server is down",
        holds="The old recording is unchanged, and the run fails.",
        battery=server_down,
    ),
    Row(
        id="h5",
        name="re-recording a test that fails halfway",
        holds="The old recording is unchanged.",
        battery=fails_halfway,
    ),
)
