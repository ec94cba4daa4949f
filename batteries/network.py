"""Unsupported clients: while replaying, their requests must not reach the server."""

import functools

from batteries.bench import ONE, Bench, Row
from batteries.tools import Switch
from batteries.verdicts import Fault, NotProvoked


def refuses(bench: Bench, *, client: str) -> str | None:
    """Record with requests, and replay with a client that the recorder does not intercept."""
    bench.needs("clients")
    project = bench.recorded()
    other = ONE.replace('limit=2"', f'limit=2", client={client!r}')
    project.write(other.replace("@own\n", ""))
    plain = project.folder / "test_own.py"
    plain.write_text(plain.read_text().replace("(tape, url)", "(url)"))
    before = len(bench.server.asked)
    if not project.run("none").green or len(bench.server.asked) != before + 1:
        raise NotProvoked(f"without a cassette {client} does not reach the server")
    project.write(other)

    def judge(switch: Switch) -> None:
        asked = len(bench.server.asked)
        run = project.run("none", switch=switch)
        if len(bench.server.asked) > asked:
            outcome = "passed" if run.green else "failed"
            raise Fault(f"reached the server, and the test {outcome}")

    return bench.switched("network", judge)


ROWS = tuple(
    Row(
        id=f"l{number}",
        name=f"replaying with {client}",
        holds="The request is replayed or refused; it does not reach the server.",
        battery=functools.partial(refuses, client=client),
    )
    for number, client in enumerate(("pycurl", "curl_cffi", "socket"), 1)
)
