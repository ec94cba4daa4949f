"""Recording in several processes of pytest-xdist, and in threads."""

import re

from batteries.bench import Bench, Row
from batteries.server import Reply, listing
from batteries.verdicts import Fault, NotProvoked

TRIALS = 10  # a race is not lost every time

SHARED = """
import pytest
from client import ask
from marks import shared

@shared("inventory")
@pytest.mark.parametrize("limit", range(1, 21))
def test_page(tape, url, limit):
    ask(f"{url}?limit={limit}")
"""

THREADS = """
from concurrent.futures import ThreadPoolExecutor
from client import ask
from marks import own

@own
def test_threads(tape, url):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: [ask(f"{url}?limit={5 * n + m}") for m in range(5)], range(8)))
"""

PAIR = """
import threading
import pytest
from pair import open_tape

def test_two_cassettes(url):
    barrier, failed = threading.Barrier(2), []

    def record(name):
        try:
            barrier.wait()
            with open_tape(name) as get:
                for number in range(10):
                    get(f"{url}?marker={name}&limit={number}")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=record, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
"""


def slowly(method: str, target: str) -> Reply:
    """Return the usual response after a delay, so that requests overlap."""
    return Reply(document=listing(method, target).document, delay=0.03)


def shared_by_workers(bench: Bench) -> None:
    """Record twenty tests that share a cassette in four processes."""
    bench.server.reply = slowly
    for _ in range(TRIALS):
        project = bench.project(SHARED)
        before = len(bench.server.asked)
        run = project.run("add", "-n", "4")
        workers = set(re.findall(r"\[gw\d+\]", run.output))
        asked = {each.target for each in bench.server.asked[before:]}
        if len(workers) < 2 or len(asked) < 2:
            raise NotProvoked("the tests did not run in several processes")
        if run.green and len(asked) < 20:
            raise NotProvoked("not every test asked")
        kept = [each for path in project.cassettes() for each in project.interactions(path)]
        if run.green and _kept(kept) < 20:
            raise Fault("the run passes, but interactions are lost")


def _kept(interactions: list[object]) -> int:
    return len({str(each) for each in interactions})


def threads_of_a_test(bench: Bench) -> None:
    """Record forty requests from eight threads."""
    bench.server.reply = slowly
    for _ in range(TRIALS):
        project = bench.project(THREADS)
        before = len(bench.server.asked)
        run = project.run("once")
        asked = {each.target for each in bench.server.asked[before:]}
        if len(asked) < 40 or bench.server.busiest < 4:
            raise NotProvoked("the requests did not overlap")
        kept = _kept(project.interactions()) if project.cassettes() else 0
        if run.green and kept < 40:
            raise Fault("the run passes, but interactions are lost")
        if not run.green:
            raise Fault("threads cannot be recorded")


def cassettes_of_threads(bench: Bench) -> None:
    """Record two cassettes in two threads at the same time."""
    bench.needs("pair")
    if bench.tool.pair is None:
        raise NotProvoked("the driver cannot open two cassettes")
    bench.server.reply = slowly
    for _ in range(TRIALS):
        project = bench.project(PAIR)
        project.write(bench.tool.pair, "pair")
        before = len(bench.server.asked)
        run = project.run("once")
        if len(bench.server.asked) - before != 20 or bench.server.busiest < 2:
            raise NotProvoked(f"the threads did not overlap\n{run.output}")
        for name in ("left", "right"):
            path = project.folder / "cassettes" / f"{name}{bench.tool.suffix}"
            found = project.interactions(path) if path.exists() else []
            own = [each for each in found if f"marker={name}" in str(each)]
            if run.green and len(found) != len(own):
                raise Fault("the run passes, but a cassette has another thread's requests")
            if run.green and len(own) != 10:
                raise Fault("the run passes, but interactions are lost")


ROWS = (
    Row(
        id="c",
        name="20 tests share a cassette, `-n 4`",
        holds="Every interaction is kept, or the run fails.",
        battery=shared_by_workers,
    ),
    Row(
        id="k1",
        name="8 threads of one test, 40 GETs with requests",
        holds="Every interaction is kept.",
        battery=threads_of_a_test,
    ),
    Row(
        id="k2",
        name="two cassettes in two threads",
        holds="Each has all interactions of its thread, and no others.",
        battery=cassettes_of_threads,
    ),
)
