"""Secrets, with every tool's settings as they come: not in the cassette, not in a message."""

import base64
import functools
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from batteries.bench import Bench, Row
from batteries.server import Asked, Reply, listing
from batteries.verdicts import Fault, NotProvoked

SECRET = "correct-horse-7741-battery"  # in no shape that could betray it  # noqa: S105

LIST = """
import base64, os
from client import ask
from marks import own

SECRET = os.environ["TAPE_SECRET"]
KEYSTONE = os.environ["TAPE_URL"]

def login(password="not-this-one"):
    user = {"name": "recorder", "domain": {"id": "default"}, "password": password}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
    ask(KEYSTONE + "/v3/auth/tokens", method="POST", json={"auth": auth})

@own
def test_get(tape, url):
    BEFORE
    ask(url + "?limit=2", headers=HEADERS)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way of a secret through the traffic.

    Attributes:
        before: What the test does before it lists.
        headers: The headers of its list request, as source.
        reply: What the server answers.
    """

    before: str = "pass"
    headers: str = "{}"
    reply: Callable[[str, str], Reply] = listing


def keystone_3(method: str, target: str) -> Reply:
    """Keystone v3 gives its token in a header."""
    if method == "GET":
        return listing(method, target)
    document = {"token": {"methods": ["password"], "expires_at": "2999-12-31T23:59:59.000000Z"}}
    return Reply(status=201, document=document, headers={"X-Subject-Token": SECRET})


def keystone_2(method: str, target: str) -> Reply:
    """Keystone v2.0 gives its token in the body."""
    if method == "GET":
        return listing(method, target)
    token = {"id": SECRET, "expires": "2999-12-31T23:59:59Z"}
    return Reply(document={"access": {"token": token, "serviceCatalog": []}})


def cookie(method: str, target: str) -> Reply:
    """A load balancer that remembers its clients."""
    return Reply(
        document=listing(method, target).document,
        headers={"Set-Cookie": f"session={SECRET}; Path=/; HttpOnly"},
    )


def echo(_method: str, _target: str) -> Reply:
    """The token that came, in the middle of an answer that is packed."""
    image = {"id": "i-1", "name": "a", "status": "ACTIVE", "metadata": {"note": f"by {SECRET}"}}
    return Reply(document={"images": [image]}, zipped=True)


WAYS = {
    "X-Auth-Token of a request": Way(headers='{"X-Auth-Token": SECRET}'),
    "X-Subject-Token of an answer": Way(before="login()", reply=keystone_3),
    "token in a Keystone v2.0 body": Way(
        before='ask(KEYSTONE + "/v2.0/tokens", method="POST", json={"auth": '
        '{"tenantName": "t", "passwordCredentials": {"username": "u", "password": "not-this"}}})',
        reply=keystone_2,
    ),
    "nested password of a request": Way(before="login(SECRET)", reply=keystone_3),
    "cookie, sent and set": Way(headers='{"Cookie": "session=" + SECRET}', reply=cookie),
    "Basic credentials": Way(
        headers='{"Authorization": "Basic " '
        '+ base64.b64encode(f"recorder:{SECRET}".encode()).decode()}'
    ),
    "token inside a gzip'd body": Way(headers='{"X-Auth-Token": SECRET}', reply=echo),
}


def written(bench: Bench, *, way: Way) -> None:
    """Record traffic that has the secret, and look for it in every form in what was written."""
    bench.server.reply = way.reply
    project = bench.project(LIST.replace("BEFORE", way.before).replace("HEADERS", way.headers))
    run = project.run("once", environment={"TAPE_SECRET": SECRET})
    if not any(_has_secret(each) for each in bench.server.asked):
        raise NotProvoked("the secret was not under way")
    if run.green and not project.cassettes():
        raise NotProvoked("green, and nothing was recorded")
    if any(holds(path, SECRET) for path in project.cassettes()):
        raise Fault("in the cassette")


def _has_secret(asked: Asked) -> bool:
    sent = " ".join([*asked.headers.values(), asked.body.decode()])
    got = " ".join([*asked.reply.headers.values(), json.dumps(asked.reply.document)])
    coded = base64.b64encode(f"recorder:{SECRET}".encode()).decode()
    return SECRET in sent or SECRET in got or coded in sent


def holds(path: Path, secret: str) -> bool:
    """Whether a cassette has a secret, as it stands, in base64, or packed."""
    content = path.read_bytes()
    if secret.encode() in content:
        return True
    return any(
        secret.encode() in form
        for value in _values(yaml.safe_load(content))
        for form in _forms(value)
    )


def _values(document: Any) -> Iterator[bytes]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _values(key)
            yield from _values(value)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value)
    elif isinstance(document, str):
        yield document.encode()
    elif isinstance(document, bytes):
        yield document


def _forms(value: bytes) -> Iterator[bytes]:
    yield value
    decoded = [value]
    for part in value.split():
        try:
            decoded.append(base64.b64decode(part, validate=True))
        except ValueError:
            continue
    for each in decoded:
        yield each
        try:
            yield gzip.decompress(each)
        except (OSError, EOFError):
            continue


MISS = """
import os
from client import ask
from marks import own

@own
def test_get(tape, url):
    more = os.environ.get("TAPE_SECRET")
    if more is None:
        ask(url + "?limit=2")
    else:
        ask(url + "?limit=3&api_key=" + more, headers={"X-Auth-Token": more})
"""


def shown(bench: Bench) -> None:
    """Ask what is not recorded with a secret in it, and look for it in pytest's output."""
    project = bench.recorded(MISS)
    before = len(bench.server.asked)
    run = project.run("none", environment={"TAPE_SECRET": SECRET})
    if run.green or len(bench.server.asked) > before or "limit=3" not in run.output:
        raise NotProvoked(f"there was no miss that speaks of the request\n{run.output}")
    if SECRET in run.output:
        raise Fault("in the message")


ROWS = (
    *(
        Row(
            id=f"d{number}",
            name=f"secret: {name}",
            holds="Without any setting it does not reach the cassette in any form.",
            battery=functools.partial(written, way=way),
        )
        for number, (name, way) in enumerate(WAYS.items(), 1)
    ),
    Row(
        id="d8",
        name="secret: `api_key=` in the message of a miss",
        holds="The message speaks of the request and does not show the secret.",
        battery=shown,
    ),
)
