"""The main job on two embedded clouds: record over HTTP, replay with the network shut, compare."""

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail import network, recorder, report
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.compare import compare
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.embedded import EmbeddedCloud
from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import Query
from pytest_imagedetail.transport import Access

BASELINE: Final = "essex"
CANDIDATE: Final = "2026.2"
CANDIDATE_CLOUD: Final = f"nova-{CANDIDATE}"
_CREATED: Final = 201  # what Keystone answers to a token request


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """What the demonstration made.

    Attributes:
        listings: Baseline and candidate, as replayed.
        cassettes: Their files.
        comparison: What separates them.
        page: The HTML report.
    """

    listings: tuple[Listing, Listing]
    cassettes: tuple[Path, Path]
    comparison: Comparison
    page: Path


def run(folder: Path) -> Demonstration:
    """Do the main job once.

    Args:
        folder: Where cassettes and report go; older ones of a demonstration are replaced.

    Raises:
        ImageDetailError: Something on this machine stands in the way, a full disk for example.
    """
    store = Store(directory=folder / "cassettes")
    for release in (BASELINE, CANDIDATE):
        with EmbeddedCloud(release=release) as cloud:
            live = recorder.ask(
                authenticate(cloud), Query(), cloud=f"nova-{release}", release=release
            )
        recorder.keep(store, live)
    baseline, candidate = f"nova-{BASELINE}", f"nova-{CANDIDATE}"
    with network.shut("the demonstration's replay"):
        listings = (
            recorder.replay(store, baseline, Query()),
            recorder.replay(store, candidate, Query()),
        )
    comparison = compare(*listings)
    page = folder / "report.html"
    report.write([comparison], page)
    return Demonstration(
        listings=listings,
        cassettes=(store.path(baseline, Query()), store.path(candidate, Query())),
        comparison=comparison,
        page=page,
    )


def authenticate(cloud: EmbeddedCloud) -> Access:
    """Get a token from an embedded cloud's Keystone, as any client would (Identity API v3).

    openstacksdk does this for real clouds; the demonstration must run without it.

    Raises:
        CredentialsError: Keystone gave no token.
    """
    credentials = cloud.credentials
    user = {
        "name": credentials["username"],
        "password": credentials["password"],
        "domain": {"name": credentials["user_domain_name"]},
    }
    project = {
        "name": credentials["project_name"],
        "domain": {"name": credentials["project_domain_name"]},
    }
    request = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": project},
        }
    }
    url = urlsplit(f"{credentials['auth_url']}/auth/tokens")
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
    try:
        connection.request(
            "POST", url.path, json.dumps(request), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        body = answer.read()
        token = answer.getheader("X-Subject-Token")
    finally:
        connection.close()
    if answer.status != _CREATED or token is None:
        raise CredentialsError(
            f"Keystone answered {answer.status} and no token",
            where="the embedded cloud",
            remedy="this is a defect of the embedded cloud; please report it",
        )
    return Access(
        endpoint=cloud.compute_url,
        token=token,
        project_id=cloud.project_id,
        user_id=json.loads(body)["token"]["user"]["id"],
        secrets=frozenset({credentials["password"]}),
    )
