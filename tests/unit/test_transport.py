"""Send one GET over real sockets on loopback. No error shows the host or the token."""

import gzip
import http.client
import socket
import ssl
import threading
import time
import traceback
from contextlib import contextmanager, suppress

import pytest

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Headers
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import is_http_url

TOKEN = "s3cret-token-of-this-session"
NEXT = (
    "  where: cloud k5\n  next:  nothing was written and an older recording is untouched\n"
    "  next:  check that the cloud is up and reachable from here, then ask again"
)
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def answering(*pieces, pause=0):
    """Answer one request with these bytes; give the URL and the received requests."""
    asked = []

    def serve():
        connection, _ = server.accept()
        with connection, suppress(ConnectionError):  # a client that has read enough hangs up
            connection.settimeout(10)
            asked.append(connection.recv(65536))
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v2/images/detail?limit=1", asked
        thread.join(30)
        assert not thread.is_alive()


def get(url, *, headers=(), **facts):
    access = Access(**({"endpoint": url, "token": TOKEN, "project_id": "p", "timeout": 5} | facts))
    return transport.get(url, Headers(headers), access=access, name="k5")


def refusal(url, **facts):
    """Return the message. Not even the traceback shows the address or the token."""
    with pytest.raises(RecordingError) as caught:
        get(url, **facts)
    shown = "".join(
        line for line in traceback.format_exception(caught.value) if not line.startswith("  File")
    )
    for secret in ("127.0.0.1", facts.get("token", TOKEN), "nowhere.example"):
        assert secret not in shown
    return str(caught.value)


def body_of(data, *fields):
    head = b"".join(field + b"\r\n" for field in fields)
    return OK + head + b"Content-Length: %d\r\n\r\n" % len(data) + data


def test_the_request_is_sent_once():
    """Request line, our headers and the token. Compression is not requested."""
    with answering(body_of(b"{}")) as (url, asked):
        interaction = get(url, headers=[("Accept", "application/json")])
    ours = (("Accept", "application/json"), ("X-Auth-Token", TOKEN))
    assert (interaction.method, interaction.url) == ("GET", url)
    assert interaction.request_headers.fields == ours
    assert (interaction.response.status_code, interaction.response.reason) == (200, "OK")
    (request,) = asked
    assert request.decode() == (
        f"GET /v2/images/detail?limit=1 HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n"
        f"Accept-Encoding: identity\r\nAccept: application/json\r\nX-Auth-Token: {TOKEN}\r\n\r\n"
    )


def test_which_answers_are_read():
    """Any status, without following redirects; chunks, interim responses and compression."""
    plain = b'{"images": []}'
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
    busy = b"HTTP/1.1 102 Processing\r\nContent-Length: 9\r\n\r\n"
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n3\r\n \n \r\n0\r\n\r\n"
    elsewhere = b" Found\r\nLocation: http://nowhere.example/\r\nContent-Length: 0\r\n\r\n"
    location = [("Location", "http://nowhere.example/"), ("Content-Length", "0")]
    vary = [("Vary", "a"), ("X-B", "1"), ("VARY", "b"), ("Content-Length", "2")]
    varied = body_of(b"{}", b"Vary: a", b"X-B: 1", b"VARY: b")
    for answer, status, body, headers in (
        (OK + chunks, 200, b"{} \n ", [("Transfer-Encoding", "chunked")]),
        *((each + varied, 200, b"{}", vary) for each in (b"", hint * 3, busy)),
        (hint + b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, b"", []),
        (body_of(gzip.compress(plain), b"Content-Encoding: gzip"), 200, plain, []),
        (b"HTTP/1.1 503" + elsewhere, 503, b"", location),
    ):
        with answering(answer) as (url, _):
            got = get(url).response
        assert (got.status_code, got.body, list(got.headers.fields)) == (status, body, headers)


def test_what_is_not_a_whole_answer_is_refused():
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    twice = gzip.compress(b"[1") + gzip.compress(b",2]")
    damaged = "the answer's compression is damaged or unknown"
    for answer, problem in (
        (OK + b"Content-Length: 100\r\n\r\n" + b"x" * 37, "the answer ended early, after 37 bytes"),
        (chunked + b"5\r\nabcde\r\n5\r\nab", "the answer ended early, after 7 bytes"),
        (b"", "no answer: the connection was closed"),
        (b"HTTP/1.1 103 Hints\r\n\r\n", "no answer: the connection was closed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "no answer: it is not HTTP (BadStatusLine)"),
        (body_of(twice[:-9], b"Content-Encoding: gzip"), damaged),
        (body_of(twice, b"Content-Encoding: gzip"), damaged),
    ):
        with answering(answer) as (url, _):
            said = refusal(url)
        said = said.replace("Connection reset by peer", "the connection was closed")
        assert said in {f"{problem}\n{NEXT}", f"{problem} of its body\n{NEXT}"}


def test_a_proxy_is_asked_as_the_environment_says(monkeypatch):
    """By any variable that requests reads; never for loopback, and its password is not recorded."""
    login = "Proxy-Authorization: Basic dTpwQHNz"  # u:p@ss
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with answering(body_of(b"{}")) as (url, asked):
        monkeypatch.setenv("http_proxy", f"http://u:p%40ss@{url.split('/')[2]}")
        found = get("http://nowhere.example/v2/images?limit=1")
    assert [name for name, _ in found.request_headers.fields] == ["X-Auth-Token"]
    request, host, *fields = asked[0].decode().split("\r\n")
    assert request == "GET http://nowhere.example/v2/images?limit=1 HTTP/1.1"
    assert (host, login in fields) == ("Host: nowhere.example", True)

    with answering(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (url, asked):
        monkeypatch.setenv("https_proxy", f"u:p%40ss@{url.split('/')[2]}")
        said = refusal("https://nowhere.example:8774/v2")
    assert said == f"no answer: the proxy answered 403 Forbidden\n{NEXT}"
    request, *fields = asked[0].decode().split("\r\n")
    assert request.startswith("CONNECT nowhere.example:8774 HTTP/1.")
    assert (login in fields, TOKEN in asked[0].decode()) == (True, False)

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(body_of(b"{}")) as (url, _):
        assert get(url).response.body == b"{}"
    monkeypatch.setenv("no_proxy", "nowhere.example")
    assert "Connection refused" not in refusal("http://nowhere.example/v2")


@pytest.mark.parametrize(
    ("start", "drop"),
    [(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), (OK + b"\r\n", b"x")],
)
def test_a_dripping_answer_is_not_waited_for(monkeypatch, start, drop):
    """Each read is in time, but the body would never be complete."""
    monkeypatch.setattr(transport, "_MOST_TIMEOUTS", 0.05)
    with answering(start, *[drop] * 500, pause=0.03) as (url, _):
        began = time.monotonic()
        said = refusal(url, timeout=5)
        assert 0.25 <= time.monotonic() - began < 12  # the server sends for fifteen
    assert said == f"the answer was not complete after 0.25 seconds\n{NEXT}"


def test_what_cannot_be_requested(monkeypatch):
    """http.client's and OpenSSL's own errors would quote the URL, the host and the token."""

    def mismatch(_):
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "Hostname mismatch, certificate is not valid for 'nowhere.example'."
        raise error

    monkeypatch.setattr(http.client.HTTPSConnection, "connect", mismatch)
    assert refusal("https://127.0.0.1:1/v2") == f"TLS failed: Hostname mismatch\n{NEXT}"
    problem = "the endpoint, the query or the token cannot be sent over HTTP"
    monkeypatch.setattr(socket.socket, "connect", lambda *_: None)
    for url, token in (
        *((f"http://{host}/v2", TOKEN) for host in ("127.0.0.1:99999", "[127")),
        ("ftp://127.0.0.1/v2", TOKEN),
        ("http://127.0.0.1:1/v2?name=\u00e9", TOKEN),
        ("http://127.0.0.1:1/v2", "tok\r\nen-127"),
    ):
        assert refusal(url, token=token) == f"{problem}\n{NEXT}"
    access = Access(endpoint="e", token=TOKEN, project_id="p", secrets=frozenset({"hunter2"}))
    assert not [secret for secret in (TOKEN, "hunter2") if secret in repr(access)]


def test_what_is_a_url_of_http():
    for text in ("ftp://a", "http://", "http://[", "http://a:x", "http://a:0", "a"):
        assert not is_http_url(text), text
    assert is_http_url("https://a:1/b")
