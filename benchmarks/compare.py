"""Measure comparing two listings, against parsing the bodies and against DeepDiff by id.

python -m benchmarks.compare            # 100, 1,000 and 10,000 images
python -m benchmarks.compare --large    # and 100,000

Contestants take turns in each round, so that a slow moment of the machine affects all of them. The
figures are medians. The ratios are to `json.loads` of both bodies.
"""

import argparse
import copy
import gc
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from deepdiff import DeepDiff

from pytest_imagedetail.compare import compare
from pytest_imagedetail.gc_paused import paused_gc
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response

SIZES = (100, 1_000, 10_000)
LARGE = 100_000
DEEPDIFF_UP_TO = 1_000  # it takes about 0.7 ms for each image
JSON = Headers([("Content-Type", "application/json")])

Images = list[dict[str, Any]]


def fleet(size: int, cloud: str) -> Images:
    """Return images like those of Nova 2026.2; every third one is a snapshot."""
    return [_image(number, cloud) for number in range(size)]


def _image(number: int, cloud: str) -> dict[str, Any]:
    id_ = f"70a599e0-{number % 10_000:04d}-4b49-8b26-{number:012d}"
    compute, image = f"https://compute.{cloud}.invalid", f"https://image.{cloud}.invalid"
    metadata = {"architecture": "x86_64", "os_distro": "ubuntu", "hw_disk_bus": "virtio"}
    server = f"9168b536-cd40-4630-b43f-{number:012d}"
    detail = {
        "id": id_,
        "name": f"image {number}",
        "minRam": 512,
        "minDisk": 10,
        "metadata": metadata,
        "created": "2024-01-15T08:00:00Z",
        "updated": "2024-01-15T08:05:30Z",
        "status": "ACTIVE",
        "progress": 100,
        "OS-EXT-IMG-SIZE:size": 2_361_393_152 + number,
        "links": [
            {"rel": "self", "href": f"{compute}/v2.1/images/{id_}"},
            {"rel": "bookmark", "href": f"{compute}/images/{id_}"},
            {
                "rel": "alternate",
                "type": "application/vnd.openstack.image",
                "href": f"{image}/images/{id_}",
            },
        ],
    }
    if number % 3 == 0:
        metadata.update(image_type="snapshot", instance_uuid=server)
        detail["server"] = {
            "id": server,
            "links": [
                {"rel": "self", "href": f"{compute}/v2.1/servers/{server}"},
                {"rel": "bookmark", "href": f"{compute}/servers/{server}"},
            ],
        }
    return detail


def sparse(images: Images) -> Images:
    """Rename one image of a hundred."""
    new = copy.deepcopy(images)
    for image in new[::100]:
        image["name"] += ", renamed"
    return new


def alike(images: Images) -> Images:
    """Add the same field to every image."""
    return [{**image, "os_hidden": False} for image in images]


CHANGES: Mapping[str, Callable[[Images], Images]] = {
    "1 % differ": sparse,
    "all differ alike": alike,
}


def recording(body: bytes, cloud: str) -> Recording:
    """Return a body as a recorded listing."""
    url = f"https://compute.{cloud}.invalid/v2.1/images/detail"
    page = Interaction(url=url, response=Response(status_code=200, headers=JSON, body=body))
    return Recording(provenance=Provenance(cloud=cloud, release="2026.2"), interactions=(page,))


def contestants(size: int, change: Callable[[Images], Images]) -> dict[str, Callable[[], object]]:
    """Return the functions to measure, by name; each starts with the two bodies."""
    old = fleet(size, "a")
    bodies = [json.dumps({"images": images}).encode() for images in (old, change(old))]
    recordings = [recording(body, cloud) for body, cloud in zip(bodies, "aa", strict=True)]

    def parse() -> object:
        return [json.loads(body) for body in bodies]

    def ours() -> object:
        with paused_gc():  # like every caller that loads both sides
            return compare(*map(read, recordings)).differences

    def deepdiff() -> object:
        one, other = (
            {image["id"]: image for image in json.loads(body)["images"]} for body in bodies
        )
        return DeepDiff(one, other)

    found = {"json.loads of both": parse, "load, normalize, compare": ours}
    return found | ({"DeepDiff by id": deepdiff} if size <= DEEPDIFF_UP_TO else {})


def timed(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the CPU seconds of each contestant, as the median of all rounds."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            gc.collect()
            start = time.process_time()
            run()
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(each) for name, each in taken.items()}


def main() -> None:
    """Print one table for each kind of change."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare")
    parser.add_argument("--large", action="store_true", help=f"also measure {LARGE:,} images")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    sizes = [*options.sizes, *([LARGE] if options.large else [])]
    for what, change in CHANGES.items():
        print(f"\n{what}\n{'images':>8}  {'contestant':<26}{'median':>12}{'ratio':>8}{'growth':>8}")
        before: dict[str, tuple[int, float]] = {}
        for size in sizes:
            found = timed(contestants(size, change), options.rounds if size < LARGE else 3)
            base = found["json.loads of both"]
            for name, seconds in found.items():
                growth = _growth(before.get(name), size, seconds)
                ratio = f"{seconds / base:>8.2f}{growth:>8}"
                print(f"{size:>8,}  {name:<26}{seconds * 1e3:>9.2f} ms{ratio}")
                before[name] = (size, seconds)


def _growth(before: tuple[int, float] | None, size: int, seconds: float) -> str:
    """Return the exponent of time over size since the previous size."""
    if before is None or before[0] == size:
        return ""
    return f"{math.log(seconds / before[1]) / math.log(size / before[0]):.2f}"


if __name__ == "__main__":
    main()
