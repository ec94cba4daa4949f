"""What vcrpy catches, as values; nothing reaches the disk and no log shows an address."""

import gzip
import http.client
import http.server
import logging
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from urllib.parse import urlsplit

import pytest

from pytest_imagedetail.cassette.capture import capture, intercept
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.transport import http as transport


@contextmanager
def serving(body=b"{}", headers=()):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404 if "missing" in self.path else 200)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def ask(url, caught):
    """What a GET of the URL answers, over a capture's connections."""
    parts = urlsplit(url)
    with closing(caught.HTTPConnection(parts.hostname, parts.port)) as connection:
        target = url.removeprefix(f"http://{parts.netloc}") or "/"
        connection.request("GET", target, headers={"X-Asked-By": "us"})
        return connection.getresponse().read()


def test_requests_and_answers_in_order():
    """Every request of the block with its answer, repeated headers kept apart."""
    with serving(b'{"a":1}', [("Vary", "a"), ("Vary", "b")]) as url, capture() as caught:
        ask(f"{url}/v2/images/detail?limit=1", caught)
        ask(f"{url}/v2/images/detail?limit=2", caught)
    first, second = caught.interactions
    assert (first.method, first.url) == ("GET", f"{url}/v2/images/detail?limit=1")
    assert second.url == f"{url}/v2/images/detail?limit=2"
    assert first.request_headers["X-Asked-By"] == "us"
    assert first.response.status_code == 200
    assert first.response.reason == "OK"
    assert first.response.headers.all("vary") == ("a", "b")
    assert first.response.body == b'{"a":1}'


def test_compressed_bodies_are_kept_decoded():
    """What is kept has no content encoding, whoever replays it."""
    body = gzip.compress(b'{"images": []}')
    with serving(body, [("Content-Encoding", "gzip")]) as url, capture() as caught:
        ask(url, caught)
    (page,) = caught.interactions
    assert page.response.body == b'{"images": []}'
    assert "content-encoding" not in {name.lower() for name in page.response.headers}


def test_nobody_else_is_listened_to():
    """What the process asks meanwhile is not caught, and its clients are never touched."""
    before = http.client.HTTPConnection
    with serving() as url, capture() as caught:
        assert http.client.HTTPConnection is before
        urllib.request.urlopen(f"{url}/another").close()
        ask(f"{url}/own", caught)
        assert http.client.HTTPConnection is before
    assert [page.url for page in caught.interactions] == [f"{url}/own"]


def test_captures_of_several_threads_hear_their_own():
    """Eight at once, ten requests each, none lost and none of another."""
    barrier = threading.Barrier(8)

    def work(number):
        barrier.wait()
        with capture() as caught:
            for turn in range(10):
                ask(f"{url}/{number}/{turn}", caught)
        return [page.url for page in caught.interactions]

    with serving() as url, ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(work, range(8)))
    assert heard == [[f"{url}/{number}/{turn}" for turn in range(10)] for number in range(8)]


def test_one_block_does_not_see_another():
    """A second block asks anew; nothing of the first is replayed."""
    with serving(b"1") as url, capture() as first:
        ask(url, first)
    with serving(b"2") as url, capture() as second:
        assert ask(url, second) == b"2"
    assert [page.response.body for page in first.interactions] == [b"1"]
    assert [page.response.body for page in second.interactions] == [b"2"]


def test_no_file_and_no_log(tmp_path, monkeypatch, caplog):
    """Unredacted traffic goes nowhere: not into a file, not into a log that pytest shows."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    with serving() as url, capture() as caught:
        ask(f"{url}/secret-project", caught)
    assert list(tmp_path.iterdir()) == []
    assert "secret-project" not in caplog.text


class Told:
    """An exchange that has no answers and keeps what it is told."""

    closed = False

    def __init__(self):
        self.interactions = []

    def can_answer(self, asked):  # noqa: ARG002  as an exchange is asked
        return False

    def heard(self, interaction):
        self.interactions.append(interaction)


def test_a_bomb_for_a_tests_own_client(monkeypatch):
    """It is refused before anyone unpacks it; what fits is heard."""
    monkeypatch.setattr(transport, "LARGEST_BODY", 2**20)
    for size, fits in ((2**20, True), (2**20 + 1, False)):
        told = Told()
        body, headers = gzip.compress(b" " * size), [("Content-Encoding", "gzip")]
        with serving(body, headers) as url, intercept(told):
            refused = nullcontext() if fits else pytest.raises(RecordingError, match="than 1 MiB")
            with refused:
                urllib.request.urlopen(url).read()
        assert len(told.interactions) == fits
