"""Measure loading a recorded listing, against vcrpy replaying the same file to requests.

python -m benchmarks.loading [--instructions]

Both read the file and parse the body in each round. The figures are medians of CPU time. With
`--instructions`, they are the instructions of one more round, counted by valgrind's cachegrind,
which hardly depend on the load of the machine or on the garbage collector.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import requests
import vcr

from benchmarks.compare import fleet, recording, timed
from benchmarks.idle import VALGRIND, instructions
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.listing import Listing, read
from pytest_imagedetail.model import Query
from pytest_imagedetail.redact import Known

SIZES = (7, 100, 1_000, 5_000)
ROUNDS = 1, 3  # for counting instructions


def written(size: int, folder: Path) -> None:
    """Write the cassette of a listing."""
    answer = recording(json.dumps({"images": fleet(size, "a")}).encode(), "a")
    Store(directory=folder).write(answer, known=Known())


def tools(folder: Path) -> dict[str, Callable[[], object]]:
    """Return a function for each tool that loads the listing."""
    path = str(Store(directory=folder).path("a", Query()))
    url = Store(directory=folder).load("a", Query()).interactions[0].url

    def ours() -> Listing:
        return read(Store(directory=folder).load("a", Query()))

    def vcrpy() -> object:
        with vcr.VCR(record_mode="none").use_cassette(path):
            return requests.get(url, timeout=60).json()

    if vcrpy() != {"images": ours().images}:
        raise SystemExit("both tools must read the same response")
    return {"ours": ours, "vcrpy": vcrpy}


def counted(folder: Path, tool: str) -> float:
    """Return the millions of instructions of one round."""
    command = [*VALGRIND, sys.executable, "-m", "benchmarks.loading"]
    few, many = (
        instructions(
            subprocess.run(
                [*command, "--repeat", tool, str(folder), str(rounds)],
                env={**os.environ, "PYTHONHASHSEED": "0"},
                check=True,
                capture_output=True,
                text=True,
            ).stderr
        )
        for rounds in ROUNDS
    )
    return (many - few) / (ROUNDS[1] - ROUNDS[0]) / 1e6


def main() -> None:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--repeat", nargs=3, metavar=("TOOL", "FOLDER", "ROUNDS"))
    options = parser.parse_args()
    if options.repeat:  # `counted` runs this
        tool, folder, rounds = options.repeat
        run = tools(Path(folder))[tool]
        for _ in range(int(rounds)):
            run()
        return
    unit = "M" if options.instructions else "ms"
    print(f"{'images':>8}{'ours':>12}{'vcrpy':>12}{'ratio':>8}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            written(size, folder)
            if options.instructions:
                ours, vcrpy = counted(folder, "ours"), counted(folder, "vcrpy")
            else:
                found = timed(tools(folder), options.rounds)
                ours, vcrpy = found["ours"] * 1e3, found["vcrpy"] * 1e3
        print(f"{size:>8,}{ours:>9.2f} {unit:<2}{vcrpy:>9.2f} {unit:<2}{ours / vcrpy:>8.2f}")


if __name__ == "__main__":
    main()
