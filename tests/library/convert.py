"""Convert the shipped recordings from schema 1 to schema 2: `python -m tests.library.convert`.

Schema 1 numbered the ids and hosts that were redacted. What they stand for is known here: the ids
are those of `tests/realcloud/images.py`, and the only foreign hosts are Nova's bug tracker and the
Glance of one error text of K5. Everything else in the files stays.
"""

import sys
from dataclasses import replace
from pathlib import Path

from pytest_imagedetail.cassette import dumps, loads
from pytest_imagedetail.model import Interaction
from pytest_imagedetail.redact import placeholders

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "cassettes", ROOT / "examples/downstream/cassettes")

IDS = {
    f"{1:032x}": placeholders.owner("5eed0000000040008000000000000005"),
    f"{2:032x}": placeholders.owner("5eed0000000040008000000000000006"),
}
TRACKER = f"http://{placeholders.foreign_host('bugs.launchpad.net')}"
GLANCE_OF_K5 = f"http://{placeholders.foreign_host('10.7.0.201')}:9292"


def converted(interaction: Interaction, cloud: str) -> Interaction:
    """Return an interaction with the placeholders of schema 2."""
    other = GLANCE_OF_K5 if cloud == "fujitsu-k5" else TRACKER
    text = interaction.response.body.decode("utf-8")
    for old, new in {**IDS, f"https://host.{cloud}.invalid": other}.items():
        text = text.replace(old, new)
    response = replace(interaction.response, body=text.encode("utf-8"))
    return replace(interaction, response=response)


def main() -> None:
    """Convert every recording of the library and of the example in its place."""
    for path in sorted(each for folder in FOLDERS for each in folder.glob("*/*.yaml")):
        old = loads(path)
        cloud = old.provenance.cloud
        pages = tuple(converted(each, cloud) for each in old.interactions)
        path.write_text(dumps(replace(old, interactions=pages)), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
