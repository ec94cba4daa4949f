"""Records the reference library from the real clouds, with the plugin itself."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pytest_imagedetail import clouds, recorder
from pytest_imagedetail.cassette import Store, Written
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.transport import Access

from .cloud import Cloud, Report, running, silent
from .errors import RealcloudError
from .questions import (
    MICROVERSIONS,
    NO_TOKEN,
    NOBODY,
    QUESTIONS,
    WRONG_PROJECT,
    WRONG_TOKEN,
    Question,
)

LIBRARY = Path(__file__).parents[2] / "cassettes"

Credentials = Callable[[str], Mapping[str, Any]]
"""What a cloud's entry in clouds.yaml says beyond the usual, by the URL of its compute API."""

# As whom a cloud is asked is a matter of clouds.yaml, so who asks otherwise is another cloud.
VARIANTS: Mapping[str, tuple[Credentials, tuple[Question, ...]]] = {
    "": (lambda _: {"compute_service_type": "compute"}, (*QUESTIONS, *MICROVERSIONS)),
    "-v2": (lambda _: {"compute_service_type": "compute_legacy"}, QUESTIONS),
    "-wrong-token": (lambda url: _with_a_token_of_nobody(f"{url}/v2.1"), WRONG_TOKEN),
    "-v2-wrong-token": (lambda url: _with_a_token_of_nobody(f"{url}/v2/{NOBODY}"), WRONG_TOKEN),
    "-wrong-project": (lambda url: _at(f"{url}/v2.1/{NOBODY}"), WRONG_PROJECT),
    "-v2-wrong-project": (lambda url: _at(f"{url}/v2/{NOBODY}"), WRONG_PROJECT),
}
"""The cassettes of one release: what follows its cloud's name, how and what it is asked."""


def _with_a_token_of_nobody(endpoint: str) -> Mapping[str, Any]:
    return {"auth_type": "admin_token", "auth": {"endpoint": endpoint, "token": NO_TOKEN}}


def _at(endpoint: str) -> Mapping[str, Any]:
    return {"compute_endpoint_override": endpoint}


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
        for suffix, (credentials, questions) in VARIANTS.items():
            name = f"{cloud.name}{suffix}"
            with _clouds_yaml(cloud, name, credentials(cloud.compute_url)):
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
    try:
        live = recorder.ask(access, question.query, cloud=name, release=release)
    except ResponseError as error:
        if error.status_code not in question.statuses:
            raise RealcloudError(f"{name}, query {question.query}: {error}") from error
        status = error.status_code
        return recorder.ask(access, question.query, cloud=name, release=release, expect=status)
    if live.listing.status_code not in question.statuses:
        raise RealcloudError(f"{name}, query {question.query}: {live.listing.status_code}")
    return live


@contextmanager
def _clouds_yaml(cloud: Cloud, name: str, credentials: Mapping[str, Any]) -> Iterator[None]:
    """A clouds.yaml in which the cloud has this name, with these credentials above the usual."""
    entry = yaml.safe_load(cloud.clouds_yaml.read_text())["clouds"][cloud.name]
    path = cloud.clouds_yaml.with_name(f"{name}.yaml")
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"clouds": {name: {**entry, **credentials}}}))
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
