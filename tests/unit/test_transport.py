"""One GET over real sockets on loopback; no message shows the host or the token."""

import gzip
import http.client
import socket
import ssl
import threading
import time
import traceback
import zlib
from contextlib import contextmanager, nullcontext, suppress

import pytest

from pytest_imagedetail.cassette.capture import capture
from pytest_imagedetail.errors import RecordingError, UsageError
from pytest_imagedetail.model import Headers
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.http import Access

TOKEN = "s3cret-token-of-this-session"
NEXT = (
    "  where: cloud k5\n"
    "  next:  nothing was written and an older recording is untouched\n"
    "  next:  check that the cloud is up and reachable from here, then ask again"
)
ASK_FOR_A_PART = (
    "  where: cloud k5\n"
    "  next:  nothing was written and an older recording is untouched\n"
    "  next:  ask for a part: --query limit=1000 in a shell, limit=1000 in a test"
)
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def answering(answer, *, until=b"\r\n\r\n", hold=None):
    """A server that sends these bytes to the first who asks; it keeps what was asked."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                received = b""
                while until not in received and (more := connection.recv(65536)):
                    received += more
                asked.append(received)
                with suppress(ConnectionError):  # who has read enough hangs up
                    connection.sendall(answer)
                if hold is not None:
                    hold.wait(10)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/v2/images/detail?limit=1", asked
        finally:
            if hold is not None:
                hold.set()
            thread.join(30)
            assert not thread.is_alive()


def alone():
    """Connections that nobody listens to."""
    return nullcontext(http.client)


def get(url, *, headers=(), connections=http.client, **facts):
    access = Access(**({"endpoint": url, "token": TOKEN, "project_id": "p", "timeout": 5} | facts))
    return transport.get(url, Headers(headers), access=access, name="k5", connections=connections)


def refusal(url, **facts):
    """The message; and nothing that a traceback would show has the address or the token."""
    with pytest.raises(RecordingError) as caught:
        get(url, **facts)
    assert type(caught.value) is RecordingError
    shown = "".join(
        line for line in traceback.format_exception(caught.value) if not line.startswith("  File")
    )
    for secret in ("127.0.0.1", TOKEN, facts.get("token", TOKEN), "nowhere.example"):
        assert secret not in shown
    return str(caught.value)


def body_of(data, *fields):
    head = b"".join(field + b"\r\n" for field in fields)
    return OK + head + b"Content-Length: %d\r\n\r\n" % len(data) + data


def test_asks_once_and_as_told():
    """The request line, our own headers, the token, and no offer to take compression."""
    with answering(body_of(b"{}")) as (url, asked):
        answer = get(url, headers=[("Accept", "application/json")])
    assert (answer.status_code, answer.reason, answer.body) == (200, "OK", b"{}")
    (request,) = asked
    lines = request.decode().split("\r\n")
    assert lines == [
        "GET /v2/images/detail?limit=1 HTTP/1.1",
        f"Host: {url.split('/')[2]}",
        "Accept: application/json",
        f"X-Auth-Token: {TOKEN}",
        "",
        "",
    ]


def test_an_endpoint_without_a_path():
    """The root is asked, not nothing."""
    with answering(body_of(b"{}")) as (url, asked):
        get(url.partition("/v2")[0])
    assert asked[0].startswith(b"GET / HTTP/1.1\r\n")


def test_repeated_headers_are_kept_apart():
    """In their order and spelling; what only describes the transfer is not kept."""
    with answering(body_of(b"{}", b"Vary: a", b"X-B: 1", b"VARY: b")) as (url, _):
        answer = get(url)
    assert answer.headers.fields == (("Vary", "a"), ("X-B", "1"), ("VARY", "b"))


@pytest.mark.parametrize("status", [b"302 Found", b"300 Multiple Choices", b"401 No", b"503 Busy"])
def test_any_status_is_an_answer(status):
    """A redirect is not followed and an error not raised; what it means is for others."""
    answer = b"HTTP/1.1 " + status + b"\r\nLocation: http://nowhere.example/\r\n"
    with answering(answer + b"Content-Length: 2\r\n\r\n{}") as (url, asked):
        got = get(url)
    assert (got.status_code, got.reason) == (int(status[:3]), status[4:].decode())
    assert got.headers["location"] == "http://nowhere.example/"
    assert len(asked) == 1


def test_a_chunked_body_is_read_whole():
    """Nova's proxies chunk."""
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n3\r\n \n \r\n0\r\n\r\n"
    with answering(OK + chunks) as (url, _):
        assert get(url).body == b"{} \n "


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        (b"gzip", gzip.compress(b'{"images": []}', mtime=0)),
        (b"GZIP", gzip.compress(b'{"images": []}', mtime=0)),
        (b"deflate", zlib.compress(b'{"images": []}')),
        (b"identity", b'{"images": []}'),
    ],
    ids=["gzip", "GZIP", "deflate", "identity"],
)
def test_compression_is_undone(coding, data):
    """A proxy may compress unasked; pages are followed by what the body says."""
    with answering(body_of(data, b"Content-Encoding: " + coding)) as (url, _):
        answer = get(url)
    assert answer.body == b'{"images": []}'
    assert answer.headers.fields == ()


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b'{"images": []}' * 9, mtime=0)[:-9],
        b"no gzip at all",
    ],
    ids=["cut", "no gzip"],
)
def test_damaged_compression_is_refused(recording, data):
    """Half a listing is none, whether vcrpy meets it first or not."""
    with answering(body_of(data, b"Content-Encoding: gzip")) as (url, _):
        if recording:
            with capture() as connections:
                said = refusal(url, connections=connections)
        else:
            said = refusal(url)
    assert said == f"the answer's compression is damaged\n{NEXT}"


def test_a_second_compressed_part_is_not_dropped():
    """What cannot be read whole is refused rather than cut."""
    data = gzip.compress(b"[1") + gzip.compress(b",2]")
    with answering(body_of(data, b"Content-Encoding: gzip")) as (url, _):
        assert refusal(url) == f"the answer's compression is damaged\n{NEXT}"


def test_an_unknown_coding_is_refused():
    """None was asked for."""
    with answering(body_of(b"?", b"Content-Encoding: br")) as (url, _):
        assert (
            refusal(url)
            == f"the answer has the content encoding 'br', which was not asked for\n{NEXT}"
        )


def test_compression_while_recording():
    """What the walker sees and what is kept are the same plain body."""
    data = body_of(gzip.compress(b'{"images": []}', mtime=0), b"Content-Encoding: gzip")
    with answering(data) as (url, _), capture() as caught:
        assert get(url, connections=caught).body == b'{"images": []}'
    assert caught.interactions[0].response.body == b'{"images": []}'


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            OK + b"Content-Length: 100\r\n\r\n" + b"x" * 37,
            "the answer ended early, after 37 bytes of its body",
        ),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nab",
            "the answer ended early, after 5 bytes of its body",
        ),
        (b"", "no answer: the connection was closed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "no answer: it is not HTTP"),
        (OK + b"A: " + b"x" * 70_000 + b"\r\n\r\n", "no answer: a header line is too long"),
        (OK + b"A: b\r\n" * 200 + b"\r\n", "no answer: too many headers"),
        (b'{"images": []}', "no answer: it is not HTTP"),
        (b"HTTP/1.1 20x 127.0.0.1\r\n\r\n", "no answer: it is not HTTP"),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\nz\r\n",
            "the answer ended early, after 0 bytes of its body",
        ),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n",
            "the answer announces an invalid length",
        ),
    ],
    ids=[
        "length",
        "chunk",
        "nothing",
        "no HTTP",
        "long header",
        "many headers",
        "HTTP/0.9",
        "status",
        "size",
        "negative size",
    ],
)
@pytest.mark.parametrize("around", [alone, capture], ids=["alone", "recording"])
def test_what_is_not_a_whole_answer_is_refused(answer, problem, around):
    """Half a listing is none; the whole message, without the address."""
    with answering(answer) as (url, _), around() as connections:
        said = refusal(url, connections=connections)
    said = said.replace("Connection reset by peer", "the connection was closed")
    assert said == f"{problem}\n{NEXT}"


@pytest.mark.parametrize("digits", [18, 20])
@pytest.mark.parametrize("around", [alone, capture], ids=["alone", "recording"])
def test_an_absurd_length_is_no_crash(digits, around):
    """Nothing is read of it, and no room is made for it."""
    answer = OK + b"Content-Length: " + b"9" * digits + b"\r\n\r\n{}"
    with answering(answer) as (url, _), around() as connections:
        said = refusal(url, connections=connections)
    assert said == f"the answer is larger than 256 MiB\n{ASK_FOR_A_PART}"


@pytest.mark.parametrize(
    "answer", [b"", OK + b"Content-Length: 9\r\n\r\nabc"], ids=["head", "body"]
)
def test_a_slow_answer_is_not_waited_for(answer):
    """Before the head or in the middle of the body, the wait has an end."""
    with answering(answer, hold=threading.Event()) as (url, _):
        assert refusal(url, timeout=0.1) == f"no answer within 0.1 seconds\n{NEXT}"


@contextmanager
def dripping(head, drop, pause=0.03):
    """A server that sends a head, then a drop now and then for as long as it can."""
    drops = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                with suppress(OSError):  # the client hangs up
                    connection.sendall(head)
                    for _ in range(500):
                        connection.sendall(drop)
                        drops.append(drop)
                        time.sleep(pause)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v2", drops
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("around", [alone, capture], ids=["alone", "recording"])
@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b"H"),
        (OK + b"X: ", b"x"),
        (OK, b"A: b\r\n"),
        (OK + b"Content-Length: 99999\r\n\r\n", b" "),
        (OK + b"Connection: close\r\n\r\n{}", b" "),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", b"\x1f\x8b"),
    ],
    ids=["status", "header", "headers", "length", "until the end", "chunks", "100", "gzip"],
)
def test_a_dripping_answer_is_not_waited_for(head, drop, around, monkeypatch):
    """No single read is late, and the whole would never come; the connection is ended."""
    monkeypatch.setattr(transport, "_WHOLE_ANSWER", 0.05)
    before = threading.active_count()
    with dripping(head, drop) as (url, drops):

        class AfterSomeDrops(threading.Timer):
            """A timer that no slow machine lets fire before the answer has begun to drip."""

            def run(self):
                while len(drops) < 4 and not self.finished.wait(0.01):
                    pass
                super().run()

        monkeypatch.setattr(threading, "Timer", AfterSomeDrops)
        began = time.monotonic()
        with around() as connections:
            said = refusal(url, timeout=5, connections=connections)
        assert 0.25 <= time.monotonic() - began < 12  # it drips for fifteen
    assert said == f"the answer was not whole within 0.25 seconds\n{NEXT}"
    assert threading.active_count() == before


def test_a_whole_answer_has_five_times_as_long_as_a_read():
    """A large listing on a slow line is not cut off; no thread is left to watch."""
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    before = threading.active_count()
    with answering(OK + chunks) as (url, _):
        assert get(url, timeout=1).body == b"{}"
    assert threading.active_count() == before
    assert transport._WHOLE_ANSWER == 5


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Hostname mismatch, certificate is not valid for 'nowhere.example'.", "Hostname mismatch"),
        ("self-signed certificate", "self-signed certificate"),
    ],
)
def test_a_certificate_that_is_not_the_hosts(message, shown, monkeypatch):
    """OpenSSL's words without the name in them, in the traceback too."""
    error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {message}")
    error.verify_message = message

    def connect(_):
        raise error

    monkeypatch.setattr(http.client.HTTPSConnection, "connect", connect)
    assert refusal("https://127.0.0.1:1/v2") == f"TLS failed: {shown}\n{NEXT}"


def test_nobody_listens():
    """The operating system's words, without the address they were about."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert refusal(f"http://127.0.0.1:{port}/v2") == f"no answer: Connection refused\n{NEXT}"


def test_a_server_without_tls():
    """An https endpoint that speaks plain HTTP."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20, until=b"\x16") as (url, _):
        said = refusal(url.replace("http:", "https:"))
    assert said == f"TLS failed: WRONG_VERSION_NUMBER\n{NEXT}"


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("http://127.0.0.1:99999/v2", TOKEN),
        ("http://127.0.0.1:port/v2", TOKEN),
        ("http://[127.0.0.1/v2", TOKEN),
        ("http://127.0.0.1:1/v2?name=\u00e9", TOKEN),
        ("http://127.0.0.1:1/v2/a b", TOKEN),
        ("http://127.0.0.1:1/v2", "tok\r\nen-127"),
        ("http://127.0.0.1:1/v2", "tok\u20acen-127"),
    ],
)
@pytest.mark.parametrize("around", [alone, capture], ids=["alone", "recording"])
def test_what_no_request_can_be_made_of(url, token, around, monkeypatch):
    """http.client's errors quote the URL and the token, so not even a traceback may show them."""
    monkeypatch.setattr(socket.socket, "connect", lambda *_: None)
    with around() as connections:
        said = refusal(url, token=token, connections=connections)
    assert said == f"the endpoint, the query or the token is not valid in an HTTP request\n{NEXT}"


@pytest.mark.parametrize("url", ["ftp://nowhere.example/v2", "//nowhere.example/v2", "v2"])
def test_a_wrong_scheme(url):
    """A catalog's mistake, said without the host."""
    with pytest.raises(UsageError) as caught:
        get(url)
    assert str(caught.value) == (
        f"the compute endpoint has the scheme {url.partition('//')[0].rstrip(':v2')!r}\n"
        "  next:  the service catalog must name an http or https URL"
    )


@pytest.mark.parametrize("facts", [{"cacert": "absent.pem"}, {"certificate": ("absent.pem", None)}])
def test_certificates_that_are_not_there(facts):
    """A path in clouds.yaml that leads nowhere is no fault of the cloud."""
    with pytest.raises(UsageError) as caught:
        get("https://127.0.0.1:1/v2", **facts)
    assert str(caught.value) == (
        "the CA bundle or the client certificate cannot be used: No such file or directory\n"
        "  next:  correct cacert, cert and key of this cloud in clouds.yaml"
    )


def test_access_does_not_print_its_secrets():
    """A failing test prints values; these must not be among them."""
    access = Access(endpoint="e", token=TOKEN, project_id="p", secrets=frozenset({"hunter2"}))
    assert TOKEN not in repr(access)
    assert "hunter2" not in repr(access)


LARGE = 3 * 2**20
PACKED = gzip.compress(b" " * LARGE)


@pytest.mark.parametrize(
    "answer",
    [
        body_of(b" " * LARGE),
        OK + b"\r\n" + b" " * LARGE,
        OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % LARGE + b" " * LARGE + b"\r\n0\r\n\r\n",
        body_of(PACKED, b"Content-Encoding: gzip"),
        body_of(zlib.compress(b" " * LARGE), b"Content-Encoding: deflate"),
    ],
    ids=["length", "no length", "chunks", "gzip", "deflate"],
)
@pytest.mark.parametrize("around", [alone, capture], ids=["alone", "recording"])
def test_a_body_without_end_is_refused(answer, around, monkeypatch):
    """As it came or as it unpacks; the limit says what to ask instead."""
    monkeypatch.setattr(transport, "LARGEST_BODY", 2 * 2**20)
    with answering(answer) as (url, _), around() as connections:
        said = refusal(url, connections=connections)
    assert said == (f"the answer is larger than 2 MiB\n{ASK_FOR_A_PART}")


@pytest.mark.parametrize(
    "answer", [body_of(b" " * LARGE), body_of(PACKED, b"Content-Encoding: gzip")]
)
@pytest.mark.parametrize("around", [alone, capture], ids=["alone", "recording"])
def test_a_body_that_just_fits(answer, around, monkeypatch):
    """To the byte."""
    monkeypatch.setattr(transport, "LARGEST_BODY", LARGE)
    with answering(answer) as (url, _), around() as connections:
        assert len(get(url, connections=connections).body) == LARGE
