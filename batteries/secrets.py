"""Secrets must not reach a cassette or a message, with the default settings of each tool."""

import base64
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass

from batteries.bench import Bench, Row
from batteries.server import Asked, Reply, listing
from batteries.verdicts import Fault, NotProvoked
from tests.planting import is_in

SECRET = "correct-horse-7741-battery"  # has no telltale form  # noqa: S105

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
    """Traffic with a secret in it.

    Attributes:
        before: What the test does before it lists.
        headers: The headers of its list request, as source.
        reply: The server's response.
    """

    before: str = "pass"
    headers: str = "{}"
    reply: Callable[[str, str], Reply] = listing


def keystone_3(method: str, target: str) -> Reply:
    """Return a token in a header, like Keystone v3."""
    if method == "GET":
        return listing(method, target)
    document = {"token": {"methods": ["password"], "expires_at": "2999-12-31T23:59:59.000000Z"}}
    return Reply(status=201, document=document, headers={"X-Subject-Token": SECRET})


def keystone_2(method: str, target: str) -> Reply:
    """Return a token in the body, like Keystone v2.0."""
    if method == "GET":
        return listing(method, target)
    token = {"id": SECRET, "expires": "2999-12-31T23:59:59Z"}
    return Reply(document={"access": {"token": token, "serviceCatalog": []}})


def cookie(method: str, target: str) -> Reply:
    """Set a cookie, like a load balancer."""
    return Reply(
        document=listing(method, target).document,
        headers={"Set-Cookie": f"session={SECRET}; Path=/; HttpOnly"},
    )


def echo(_method: str, _target: str) -> Reply:
    """Return the token in a gzip body."""
    image = {"id": "i-1", "name": "a", "status": "ACTIVE", "metadata": {"note": f"by {SECRET}"}}
    return Reply(document={"images": [image]}, zipped=True)


WAYS = {
    "X-Auth-Token in a request": Way(headers='{"X-Auth-Token": SECRET}'),
    "X-Subject-Token in a response": Way(before="login()", reply=keystone_3),
    "token in a Keystone v2.0 body": Way(
        before='ask(KEYSTONE + "/v2.0/tokens", method="POST", json={"auth": '
        '{"tenantName": "t", "passwordCredentials": {"username": "u", "password": "not-this"}}})',
        reply=keystone_2,
    ),
    "nested password in a request": Way(before="login(SECRET)", reply=keystone_3),
    "cookie, sent and set": Way(headers='{"Cookie": "session=" + SECRET}', reply=cookie),
    "Basic credentials": Way(
        headers='{"Authorization": "Basic " '
        '+ base64.b64encode(f"recorder:{SECRET}".encode()).decode()}'
    ),
    "token in a gzip body": Way(headers='{"X-Auth-Token": SECRET}', reply=echo),
}


def written(bench: Bench, *, way: Way) -> None:
    """Record traffic with the secret, and search the cassettes for it in every encoding."""
    bench.server.reply = way.reply
    project = bench.project(LIST.replace("BEFORE", way.before).replace("HEADERS", way.headers))
    run = project.run("once", environment={"TAPE_SECRET": SECRET})
    if not any(_has_secret(each) for each in bench.server.asked):
        raise NotProvoked("the secret was not sent")
    if run.green and not project.cassettes():
        raise NotProvoked("the run passes, but nothing was recorded")
    if any(is_in(SECRET, path.read_bytes()) for path in project.cassettes()):
        raise Fault("in the cassette")


def _has_secret(asked: Asked) -> bool:
    sent = " ".join([*asked.headers.values(), asked.body.decode()])
    got = " ".join([*asked.reply.headers.values(), json.dumps(asked.reply.document)])
    coded = base64.b64encode(f"recorder:{SECRET}".encode()).decode()
    return SECRET in sent or SECRET in got or coded in sent


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
    """Send an unrecorded request with a secret, and search pytest's output for it."""
    project = bench.recorded(MISS)
    before = len(bench.server.asked)
    run = project.run("none", environment={"TAPE_SECRET": SECRET})
    if run.green or len(bench.server.asked) > before or "limit=3" not in run.output:
        raise NotProvoked(f"no error shows the request\n{run.output}")
    if SECRET in run.output:
        raise Fault("in the message")


ROWS = (
    *(
        Row(
            id=f"d{number}",
            name=f"secret: {name}",
            holds="With default settings, it is not in the cassette in any form.",
            battery=functools.partial(written, way=way),
        )
        for number, (name, way) in enumerate(WAYS.items(), 1)
    ),
    Row(
        id="d8",
        name="secret: `api_key=` in the error for an unrecorded request",
        holds="The error shows the request without the secret.",
        battery=shown,
    ),
)
