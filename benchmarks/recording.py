"""Measure recording a listing, against the same request and a YAML dump of the response.

python -m benchmarks.recording

Every image has different owners. `ours` requests the listing from a server on loopback, redacts,
checks and writes it. `plain` requests it with http.client and dumps it with PyYAML's pure dumper;
`libyaml` uses the C dumper. The figures are medians of CPU time, with the server's.
"""

import argparse
import http.client
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import log
from pathlib import Path

import yaml

from benchmarks.compare import fleet, timed
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import recorder
from pytest_imagedetail.transport.http import Access
from tests.cloud.server import LoopbackServer

SIZES = (100, 1_000, 10_000)


@contextmanager
def served(body: bytes) -> Iterator[int]:
    """Serve a body at every path; yield the port."""

    def application(_: object, start_response: Callable[..., object]) -> list[bytes]:
        length = ("Content-Length", str(len(body)))
        start_response("200 OK", [("Content-Type", "application/json"), length])
        return [body]

    server = LoopbackServer(application)
    try:
        yield server.port
    finally:
        server.close()


def measure(size: int, rounds: int) -> dict[str, float]:
    """Return the CPU seconds of recording one listing, and of the two plain ways."""
    images = fleet(size, "a")
    for image in images:
        image["metadata"] |= {"owner_id": uuid.uuid4().hex, "user_id": uuid.uuid4().hex}
    body = json.dumps({"images": images}).encode()
    with served(body) as port, tempfile.TemporaryDirectory() as name:
        endpoint = f"http://127.0.0.1:{port}/v2.1"
        access = Access(endpoint=endpoint, token=uuid.uuid4().hex, project_id=uuid.uuid4().hex)

        def ours() -> object:
            with tempfile.TemporaryDirectory(dir=name) as folder:
                live = recorder.ask(recorder.LiveCloud(access=access, name="a"), Query())
                return recorder.keep(Store(directory=Path(folder)), live)

        def asked() -> object:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/v2.1/images/detail")
            return json.loads(connection.getresponse().read())

        ways = {
            "ours": ours,
            "plain": lambda: yaml.dump(asked(), Dumper=yaml.SafeDumper),
            "libyaml": lambda: yaml.dump(asked(), Dumper=yaml.CSafeDumper),
        }
        return timed(ways, rounds)


def main() -> None:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'images':>8}{'ours':>12}{'to plain':>10}{'to libyaml':>12}{'growth':>8}")
    before: tuple[int, float] | None = None
    for size in options.sizes:
        found = measure(size, options.rounds)
        ours = found["ours"]
        growth = log(ours / before[1]) / log(size / before[0]) if before else 0
        ratios = f"{ours / found['plain']:>10.2f}{ours / found['libyaml']:>12.2f}"
        print(f"{size:>8,}{ours * 1e3:>9.0f} ms{ratios}{growth:>8.2f}")
        before = size, ours


if __name__ == "__main__":
    main()
