"""How long loading a recorded listing takes, against vcrpy replaying the same file to requests.

python -m benchmarks.loading

Both read the file and parse the body in each round, and take turns; the figures are medians of CPU
time, and their ratio.
"""

import argparse
import json
import tempfile
from pathlib import Path

import requests
import vcr

from benchmarks.compare import fleet, recording, timed
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.listing import Listing, read
from pytest_imagedetail.model import Query
from pytest_imagedetail.redact import Known

SIZES = (7, 100, 1_000, 5_000)


def measure(size: int, folder: Path, rounds: int) -> dict[str, float]:
    """CPU seconds of loading one listing with each tool."""
    answer = recording(json.dumps({"images": fleet(size, "a")}).encode(), "a")
    Store(directory=folder).write(answer, known=Known())
    path = str(Store(directory=folder).path("a", Query()))

    def ours() -> Listing:
        return read(Store(directory=folder).load("a", Query()))

    def vcrpy() -> object:
        with vcr.VCR(record_mode="none").use_cassette(path):
            return requests.get(answer.interactions[0].url, timeout=60).json()

    if vcrpy() != {"images": ours().images}:
        raise SystemExit("both tools must read the same answer")
    return timed({"ours": ours, "vcrpy": vcrpy}, rounds)


def main(arguments: list[str] | None = None) -> int:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    print(f"{'images':>8}{'ours':>12}{'vcrpy':>12}{'ratio':>8}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(size, Path(folder), options.rounds)
        ours, vcrpy = found["ours"], found["vcrpy"]
        print(f"{size:>8,}{ours * 1e3:>9.2f} ms{vcrpy * 1e3:>9.2f} ms{ours / vcrpy:>8.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
