"""Messages about unrecorded requests and unused recordings."""

import re

from batteries.bench import ONE, Bench, Row
from batteries.tools import Switch
from batteries.verdicts import Fault, NotProvoked

TWO_TESTS = (
    ONE
    + """
@own
def test_second(tape, url):
    ask(url + "?limit=7")
"""
)
TWO_REQUESTS = ONE + '    ask(url + "?limit=7")\n'


def a_miss(bench: Bench) -> None:
    """Replay with a request that was not recorded."""
    project = bench.recorded()
    project.write(ONE.replace("limit=2", "limit=3&status=ACTIVE"))
    before = len(bench.server.asked)
    run = project.run("none")
    if run.green or len(bench.server.asked) > before:
        raise NotProvoked("there was no miss")
    missing = [
        what
        for what, pattern in (
            ("the request", r"limit=3&status=ACTIVE"),
            ("the nearest recording", r"limit=2"),
            ("what to do next", r"(?i)record[-_ ]mode(?!: none)|new_episodes|delete the cassette"),
        )
        if not re.search(pattern, run.message)
    ]
    if missing:
        raise Fault("the message lacks " + " and ".join(missing))


def unused_file(bench: Bench) -> str | None:
    """Remove a test, but not its cassette."""
    bench.needs("folder")
    project = bench.recorded(TWO_TESTS)
    (left,) = [path for path in project.cassettes() if "second" in path.name]
    project.write(ONE)

    def judge(switch: Switch) -> None:
        run = project.run("none", switch=switch)
        if run.count("passed") != 1:
            raise NotProvoked(f"the other test does not replay\n{run.output}")
        if left.stem not in run.output:
            raise Fault("not reported")

    return bench.switched("folder", judge)


def unused_interaction(bench: Bench) -> str | None:
    """Let a test send one request fewer than was recorded."""
    project = bench.recorded(TWO_REQUESTS)
    if len(project.interactions()) != 2:
        raise NotProvoked("there are not two interactions")
    project.write(ONE)
    before = len(bench.server.asked)

    def judge(switch: Switch) -> None:
        run = project.run("none", switch=switch)
        if len(bench.server.asked) > before or "no match" in run.output:
            raise NotProvoked("it was not replayed")
        if not re.search(r"(?i)(un|not |never |not all )played|not used|unused", run.output):
            raise Fault("not reported")

    return bench.switched("unplayed", judge)


ROWS = (
    Row(
        id="f",
        name="an unrecorded request",
        holds="The message shows the request, the nearest recording and what to do next.",
        battery=a_miss,
    ),
    Row(
        id="g1",
        name="a cassette that no test uses",
        holds="It is reported by name.",
        battery=unused_file,
    ),
    Row(
        id="g2",
        name="an interaction that is not replayed",
        holds="It is reported.",
        battery=unused_interaction,
    ),
)
