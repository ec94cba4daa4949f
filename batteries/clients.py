"""Record a gzip response with one HTTP client, and replay it with every other."""

import functools
import re

from batteries.bench import Bench, Row
from batteries.server import Reply, listing
from batteries.tools import CLIENTS
from batteries.verdicts import Fault, NotProvoked

RECORD = """
import os
from client import ask
from marks import shared

@shared("inventory")
def test_get(tape, url):
    status, document = ask(url + "?limit=2", client=CLIENT)
    assert (status, document["images"][0]["id"]) == (200, "i-1")
"""
REPLAY = RECORD.replace("import os", "import pytest").replace(
    "def test_get(tape, url)",
    f"@pytest.mark.parametrize('client', {CLIENTS!r})\ndef test_get(tape, url, client)",
)


def packed(method: str, target: str) -> Reply:
    """Return the usual response, in gzip."""
    return Reply(document=listing(method, target).document, zipped=True)


def recorded_by(bench: Bench, *, client: str) -> None:
    """Record with one client, and replay with all five while the server is down."""
    bench.needs("clients")
    bench.server.reply = packed
    project = bench.project(RECORD.replace("CLIENT", repr(client)))
    run = project.run("once")
    if len(bench.server.asked) != 1:
        raise NotProvoked(f"the server was not asked\n{run.output}")
    if not run.green:
        raise Fault("cannot be recorded")
    if not any(project.interactions(path) for path in project.cassettes()):
        raise Fault("the run passes, but nothing was recorded")
    bench.server.stop()
    project.write(REPLAY.replace("CLIENT", "client"))
    replayed = project.run("none")
    passed = set(re.findall(r"test_get\[(\S+)\] PASSED", replayed.output))
    failed = [each for each in CLIENTS if each not in passed]
    if replayed.count("passed") + replayed.count("failed") != len(CLIENTS):
        raise NotProvoked(f"not every client was tried\n{replayed.output}")
    if failed:
        raise Fault(f"does not replay with {', '.join(failed)}")


ROWS = tuple(
    Row(
        id=f"i{number}",
        name=f"gzip response recorded with {client}",
        holds=f"It replays with {', '.join(CLIENTS)}.",
        battery=functools.partial(recorded_by, client=client),
    )
    for number, client in enumerate(CLIENTS, 1)
)
