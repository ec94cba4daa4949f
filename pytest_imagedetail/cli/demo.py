"""`imagedetail demo`: record two served releases over HTTP, then compare them offline."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import network, report
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli.arguments import add_verb
from pytest_imagedetail.cli.output import SAME, wants_color
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.harness import reference_library
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import recorder
from pytest_imagedetail.report import terminal, text
from pytest_imagedetail.server import Server
from pytest_imagedetail.transport.http import Access

_CLOUDS: Final = ("nova-2023.1", "nova-2024.2")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One query of the demonstration.

    Attributes:
        title: What its answers show.
        errors: The error status of each cloud; None for a listing.
    """

    title: str
    query: Query
    errors: tuple[int | None, int | None]


_QUESTIONS: Final = (
    _Question(title="All images: the same answer.", query=Query(), errors=(None, None)),
    _Question(
        title="A limit that is no number: both refuse it, in other words. Compatible.",
        query=Query.of(limit="abc"),
        errors=(400, 400),
    ),
    _Question(
        title="limit=0: Nova 2024.2 refuses what Nova 2023.1 answers. Breaking.",
        query=Query.of(limit=0),
        errors=(None, 400),
    ),
)


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "record and compare two real Nova releases; no account needed"
    parser = add_verb(verbs, "demo", _run, summary)
    parser.add_argument(
        "--folder", metavar="DIR", default="imagedetail-demo", help="where to put what it makes"
    )


def _run(options: argparse.Namespace) -> int:
    folder = Path(options.folder)
    store = Store(directory=folder / "cassettes")
    print(
        "Real answers of Nova 2023.1 and Nova 2024.2 ship with this tool. They are served over\n"
        "HTTP on this machine, recorded as if they were your clouds, and compared offline.\n"
        "These are the commands for that, and what they find:\n\n"
        f"$ mkdir -p {folder} && cd {folder}\n"
        f"$ imagedetail serve {' '.join(_CLOUDS)} --clouds-yaml clouds.yaml &"
    )
    for number, cloud in enumerate(_CLOUDS):
        print("\n".join(_recorded(store, cloud, number)))
    comparisons = []
    for question in _QUESTIONS:
        comparison = _compared(store, question)
        comparisons.append(comparison)
        refused = "" if None in question.errors else f" --expect {question.errors[0]}"
        command = " ".join(["imagedetail diff", *_CLOUDS, *question.query.options])
        print(f"\n{question.title}\n$ {command}{refused}")
        print(terminal.render(comparison, color=wants_color()))
    report.write(comparisons, folder / "report.html")
    print(
        f"\nThe same as a page: {(folder / 'report.html').resolve().as_uri()}\n"
        f"Look closer: cd {folder} && imagedetail show {_CLOUDS[1]}\n"
        "Your own cloud: pip install 'pytest-imagedetail[record]' && imagedetail record --help"
    )
    return SAME


def _recorded(store: Store, cloud: str, number: int) -> Iterator[str]:
    """Record every query of one cloud over HTTP; yield each command and its result."""
    release = cloud.removeprefix("nova-")
    library = Store(directory=store.directory, library=reference_library())
    with Server(library, cloud) as server:
        access = Access(
            endpoint=server.compute_url,
            token=server.token,
            project_id=server.project_id,
            max_microversion=server.max_microversion,
        )
        for question in _QUESTIONS:
            error, query = question.errors[number], question.query
            live = recorder.ask(access, query, cloud=cloud, release=release, expect=error)
            recorder.keep(store, live)
            command = [f"imagedetail record --os-cloud {cloud} --release {release}", *query.options]
            if error is not None:
                command.append(f"--expect {error}")
            path = store.path(cloud, query).relative_to(store.directory.parent)
            yield f"$ {' '.join(command)}\n{path}  {_found(live.listing)}"


def _found(listing: Listing) -> str:
    if listing.error is not None:
        return f"answered {listing.status_code}"
    return text.count(len(listing.images), "image")


def _compared(store: Store, question: _Question) -> Comparison:
    with network.shut("the demonstration's replay"):
        baseline, candidate = (
            recorder.replay(store, cloud, question.query, expect=error)
            for cloud, error in zip(_CLOUDS, question.errors, strict=True)
        )
    both_refuse = None not in question.errors
    return compare(baseline, candidate, expect=question.errors[0] if both_refuse else None)
