"""Records the reference library from the real clouds, with the plugin itself."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from pytest_imagedetail.cassette import Store, Written
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.transport.http import Access

from .cloud import Cloud, Report, running, silent
from .errors import RealcloudError
from .questions import DOCUMENTED, OTHERS, Question

LIBRARY = Path(__file__).parents[2] / "cassettes"

VARIANTS: Mapping[str, tuple[str, tuple[Question, ...]]] = {
    "": ("compute", (*DOCUMENTED, *OTHERS)),  # /v2.1
    "-v2": ("compute_legacy", DOCUMENTED),  # /v2/<project>
}
"""The clouds of one release: the suffix of the name, the service type, the questions."""


def record(series: int, directory: Path = LIBRARY, report: Report = silent) -> Counter[Written]:
    """Ask a real cloud every question on /v2.1 and /v2, and keep the answers.

    Args:
        series: Nova's major version.
        directory: Where the cassettes go.
        report: Told what was done.

    Returns:
        How many cassettes were new, replaced and unchanged.

    Raises:
        RealcloudError: An answer with a status that no release is known to give.
        ImageDetailError: As recording.
    """
    written: Counter[Written] = Counter()
    store = Store(directory=directory)
    with running(series, report) as cloud:
        for suffix, (service_type, questions) in VARIANTS.items():
            name = f"{cloud.name}{suffix}"
            with _clouds_yaml(cloud, name, service_type):
                access = clouds.connect(name)
            for question in questions:
                live = ask(access, question, name, cloud.release.name)
                written[recorder.keep(store, live)] += 1
            report(f"{name}: {len(questions)} answers")
    return written


def ask(access: Access, question: Question, name: str, release: str) -> recorder.Live:
    """Ask one question; an error status that it allows is a deliberate answer.

    Raises:
        RealcloudError: Another status than it allows.
    """
    cloud = recorder.LiveCloud(access=access, name=name, release=release)
    try:
        live = recorder.ask(cloud, question.query)
    except ResponseError as error:
        if error.status_code not in question.statuses:
            raise RealcloudError(f"{name}, query {question.query}: {error}") from error
        status = error.status_code
        return recorder.ask(cloud, question.query, expect=status)
    if live.listing.status_code not in question.statuses:
        raise RealcloudError(f"{name}, query {question.query}: {live.listing.status_code}")
    return live


@contextmanager
def _clouds_yaml(cloud: Cloud, name: str, service_type: str) -> Iterator[None]:
    """Use a clouds.yaml in which the cloud has this name and service type."""
    entry = yaml.safe_load(cloud.clouds_yaml.read_text())["clouds"][cloud.name]
    path = cloud.clouds_yaml.with_name(f"{name}.yaml")
    path.touch(mode=0o600)
    path.write_text(
        yaml.safe_dump({"clouds": {name: {**entry, "compute_service_type": service_type}}})
    )
    before = os.environ.get("OS_CLIENT_CONFIG_FILE")
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(path)
    try:
        yield
    finally:
        path.unlink()
        if before is None:
            del os.environ["OS_CLIENT_CONFIG_FILE"]
        else:
            os.environ["OS_CLIENT_CONFIG_FILE"] = before
