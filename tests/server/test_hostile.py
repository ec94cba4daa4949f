"""The replay server answers hostile requests as Nova does, and still serves good ones."""

import http.client
import json
import socket
import struct
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.server import Server

LIBRARY = Path(__file__).parents[2] / "cassettes"
OTHER = "7" * 32
HUGE = "x" * 70_000
LOGIN = '{"auth": {"identity": {"methods": ["password"]}}}'
TOKENS = "/identity/v3/auth/tokens"
LIST = "/v2.1/images/detail"
ALL, PAGE = (200, "14 images"), (200, "3 images")


@pytest.fixture
def server(tmp_path):
    with Server(Store(directory=tmp_path, library=LIBRARY), "nova-2026.2") as server:
        yield server


class Client:
    """Sends any bytes through a socket."""

    def __init__(self, server):
        url = urlsplit(server.auth_url)
        self.address, self.token = (url.hostname, url.port), server.token

    @contextmanager
    def connected(self, *parts):
        """Send all parts; yield the connection and a function that reads a response."""
        with socket.create_connection(self.address, 30) as connection:
            for each in parts:
                connection.sendall(each if isinstance(each, bytes) else each.encode("latin-1"))
            with connection.makefile("rb") as file:
                yield connection, partial(answer_in, file)

    def ask(self, *parts, method="GET"):
        with self.connected(*parts) as (_, answer):
            return answer(method)

    def request(self, method, target, *fields, body="", version="HTTP/1.1"):
        lines = [f"{method} {target} {version}", "Host: x", f"X-Auth-Token: {self.token}", *fields]
        return raw(*lines) + body

    def is_served(self):
        return self.ask(self.request("GET", LIST)) == ALL


def answer_in(file, method="GET"):
    """Return status and kind of a response: its images, the key of its JSON, or its media type."""
    first = file.readline()
    if not first:
        return None, ""
    headers = http.client.parse_headers(file)
    length = 0 if method == "HEAD" else int(headers["Content-Length"])
    status, body = int(first.split()[1]), file.read(length)
    if not body.startswith(b"{"):
        return status, headers.get_content_type() if body else ""
    document = json.loads(body)
    images = document.get("images")
    return status, next(iter(document)) if images is None else f"{len(images)} images"


def chunked(text, *trailers):
    return "\r\n".join([f"{len(text):x};note=1", text, "0", *trailers, "", ""])


def raw(*lines):
    return "\r\n".join([*lines, "", ""])


def login(body, *fields, path=TOKENS):
    return raw(f"POST {path} HTTP/1.1", f"Content-Length: {len(body)}", *fields) + body


def deep(client, depth):
    body = '{"a":' * depth + "1" + "}" * depth
    return client.request("POST", "/v2.1/servers", f"Content-Length: {len(body)}", body=body)


def requests_of(client):
    """Return requests by name, each with the status and kind of the response."""
    ask, token = client.request, f"X-Auth-Token: {client.token}"
    with_token = f"GET {LIST} HTTP/1.1", token
    chunks = raw(f"POST {TOKENS} HTTP/1.1", "Transfer-Encoding: chunked")
    good, unrecorded = ALL, (501, "notImplemented")
    unauthorized, wrong_project = (401, "error"), (400, "badRequest")
    malformed = (400, "text/html")
    foreign = ("/etc/passwd", "/identify", "/v3", "/v2.0", "/identity/v2", "/identity/v3x")
    return {
        # Tokens, projects and paths.
        "no token": (raw(f"GET {LIST} HTTP/1.1"), unauthorized),
        "wrong token": (raw(f"GET {LIST} HTTP/1.1", "X-Auth-Token: stolen"), unauthorized),
        "empty token": (raw(f"GET {LIST} HTTP/1.1", "X-Auth-Token:"), unauthorized),
        "two tokens": (raw(*with_token, "X-Auth-Token: other"), unauthorized),
        # Below Keystone, but not elsewhere: a 401 there makes openstacksdk wait forever.
        "Keystone without token": (raw(f"GET {TOKENS} HTTP/1.1"), unauthorized),
        **{
            f"neither Keystone nor Nova, {path}": (raw(f"GET {path} HTTP/1.1"), (404, "error"))
            for path in foreign
        },
        "versions without token": (raw("GET /identity HTTP/1.1"), (300, "versions")),
        "version without token": (raw("GET /v2.1 HTTP/1.1"), (200, "version")),
        "other project": (ask("GET", f"/v2/{OTHER}/images/detail"), wrong_project),
        "other project, 2.1": (ask("GET", f"/v2.1/{OTHER}/images/detail"), wrong_project),
        "image of another cloud": (ask("GET", f"/v2.1/images/{OTHER}"), unrecorded),
        "unknown path": (ask("GET", "/v2.1/../../etc/passwd"), unrecorded),
        "unknown version": (ask("GET", "/v9/images/detail"), unrecorded),
        "Keystone's users": (ask("GET", "/identity/v3/users"), unrecorded),
        # Methods other than GET are not recorded.
        "HEAD": (ask("HEAD", LIST), (501, "")),
        "POST": (ask("POST", LIST, "Content-Length: 2", body="{}"), unrecorded),
        "BREW": (ask("BREW", LIST), unrecorded),
        "OPTIONS": (ask("OPTIONS", LIST), unrecorded),
        "CONNECT": (ask("CONNECT", "example.org:443"), malformed),
        "OPTIONS *": (ask("OPTIONS", "*"), malformed),
        # First lines and targets.
        "nothing": ("\r\n\r\n", (None, "")),
        "four words": (ask("GET / of", LIST), malformed),
        "huge first line": (ask("GET", f"{LIST}?name={HUGE}"), (414, "text/html")),
        "HTTP/1.0": (ask("GET", LIST, version="HTTP/1.0"), good),
        "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), (None, "")),
        "absolute URL": (ask("GET", f"http://127.0.0.1{LIST}"), malformed),
        "two slashes first": (ask("GET", f"/{LIST}"), good),
        "brackets": (ask("GET", "//[x/images/detail"), unrecorded),
        "not ASCII": (ask("GET", "/v2.1/images/größe"), unrecorded),
        "not UTF-8": (ask("GET", f"{LIST}?name=%ff%fe"), unrecorded),
        "another spelling": (ask("GET", "/v2.1/%69mages/detail"), good),
        # Header fields.
        "huge field": (ask("GET", LIST, f"X: {HUGE}"), (431, "text/html")),
        "many fields": (ask("GET", LIST, *(f"X-{n}: y" for n in range(100))), (431, "text/html")),
        "no colon": (raw(*with_token, "X"), good),
        # Bodies.
        "body of a GET": (ask("GET", LIST, "Content-Length: 4", body="body"), unrecorded),
        "deep JSON": (deep(client, 1_000), unrecorded),
        "deeper JSON": (deep(client, 15_000), unrecorded),
        "length of letters": (ask("GET", LIST, "Content-Length: x"), malformed),
        "negative length": (ask("GET", LIST, "Content-Length: -1"), malformed),
        "chunks": (chunks + chunked(LOGIN, "X: y"), (201, "token")),
        "bad chunk size": (chunks + "x\r\n\r\n", malformed),
        # Logins. Keystone accepts any password.
        "login at /v2.0": (login('{"auth": {}}', path="/identity/v2.0/tokens"), (200, "access")),
        "login that is not JSON": (login("auth=me"), (400, "error")),
        "login that is not UTF-8": (login("{\xff}"), (400, "error")),
        "deep login": (login("[" * 50_000), (400, "error")),
    }


def test_each_request_is_answered_and_the_server_survives(server, capfd):
    """Nothing is written to stderr."""
    client = Client(server)
    for name, (sent, expected) in requests_of(client).items():
        method = "HEAD" if name == "HEAD" else "GET"
        assert client.ask(sent, method=method) == expected, name
        assert client.is_served(), name
    assert capfd.readouterr() == ("", "")


def test_a_connection_serves_several_requests(server):
    """The server answers in order, until a request says `Connection: close`."""
    client = Client(server)
    good, head = client.request("GET", LIST), client.request("HEAD", LIST)
    last = client.request("GET", f"{LIST}?limit=3", "Connection: close")
    body = client.request("POST", "/v2.1/servers", "Transfer-Encoding: chunked", body=chunked("a"))
    with client.connected(good + body, good, head, last + good) as (_, answer):
        assert [answer(), answer(), answer()] == [ALL, (501, "notImplemented"), ALL]
        assert [answer("HEAD"), answer(), answer()] == [(501, ""), PAGE, (None, "")]


def test_a_client_that_hangs_up_does_no_harm(server, capfd):
    """It may do so in any part of a request, or before it reads the response."""
    client = Client(server)
    good = client.request("GET", LIST)
    chunks = raw(f"POST {TOKENS} HTTP/1.1", "Transfer-Encoding: chunked")
    for each in [good[:1], good[:40], good[:-2], login(LOGIN)[:-1], chunks, chunks + "5\r\nabc"]:
        with client.connected(each):
            pass
        with client.connected(each) as (connection, _):  # closing it sends a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for _ in range(20):
        with client.connected(good * 50) as (connection, _):
            connection.recv(10)
    assert client.is_served()
    assert capfd.readouterr() == ("", "")


def test_a_truncated_body_is_refused(server):
    """The body ends before the declared length, or between two chunks."""
    client = Client(server)
    chunks = raw(f"POST {TOKENS} HTTP/1.1", "Transfer-Encoding: chunked")
    cut = login('{"auth": {}}    ')[:-4]  # still complete JSON
    for each in (cut, chunks + "5\r\nabc", chunks + "3\r\nabc\r\n"):
        with client.connected(each) as (connection, answer):
            connection.shutdown(socket.SHUT_WR)
            assert answer() == (400, "text/html"), each
    assert client.is_served()


def test_a_slow_client_does_not_block_others(server):
    """While it sends, other requests are served, and the server can close."""
    client = Client(server)
    with client.connected() as (connection, answer):
        for piece in client.request("GET", LIST).partition(" HTTP"):
            connection.sendall(piece.encode())
            assert client.is_served()
        assert answer() == ALL
    with client.connected("GET /"), client.connected(login(LOGIN)[:-3]):
        server.close()


def test_expect_100_continue_is_answered(server):
    """A client like curl sends it before a large body."""
    fields = f"Content-Length: {len(LOGIN)}", "Expect: 100-continue"
    waiting = raw(f"POST {TOKENS} HTTP/1.1", *fields)
    with Client(server).connected(waiting) as (connection, answer):
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(LOGIN.encode())
        assert answer() == (201, "token")
