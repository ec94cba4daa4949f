"""What vcrpy catches, as values; nothing reaches the disk and no log shows an address."""

import gzip
import http.client
import http.server
import logging
import threading
import urllib.request
from contextlib import contextmanager
from urllib.error import HTTPError

import pytest

from pytest_imagedetail.cassette.capture import capture


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


def ask(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def test_requests_and_answers_in_order():
    """Every request of the block with its answer, repeated headers kept apart."""
    with serving(b'{"a":1}', [("Vary", "a"), ("Vary", "b")]) as url, capture() as caught:
        ask(f"{url}/v2/images/detail?limit=1")
        ask(f"{url}/v2/images/detail?limit=2")
    first, second = caught.interactions
    assert (first.method, first.url) == ("GET", f"{url}/v2/images/detail?limit=1")
    assert second.url == f"{url}/v2/images/detail?limit=2"
    assert first.request_headers["Host"] == url.removeprefix("http://")
    assert first.response.status_code == 200
    assert first.response.reason == "OK"
    assert first.response.headers.all("vary") == ("a", "b")
    assert first.response.body == b'{"a":1}'


def test_compressed_bodies_are_kept_decoded():
    """What is kept has no content encoding, whoever replays it."""
    body = gzip.compress(b'{"images": []}')
    with serving(body, [("Content-Encoding", "gzip")]) as url, capture() as caught:
        ask(url)
    (page,) = caught.interactions
    assert page.response.body == b'{"images": []}'
    assert "content-encoding" not in {name.lower() for name in page.response.headers}


def test_nothing_is_caught_before_or_after():
    """The clients are as they were once the block has ended, even by an error."""
    before = http.client.HTTPConnection
    with serving() as url:
        ask(url)
        with pytest.raises(HTTPError), capture() as caught:
            ask(f"{url}/missing")
        ask(f"{url}/after")
    assert [page.url for page in caught.interactions] == [f"{url}/missing"]
    assert http.client.HTTPConnection is before


def test_one_block_does_not_see_another():
    """A second block asks anew; nothing of the first is replayed."""
    with serving(b"1") as url, capture() as first:
        ask(url)
    with serving(b"2") as url, capture() as second:
        assert ask(url) == b"2"
    assert [page.response.body for page in first.interactions] == [b"1"]
    assert [page.response.body for page in second.interactions] == [b"2"]


def test_no_file_and_no_log(tmp_path, monkeypatch, caplog):
    """Unredacted traffic goes nowhere: not into a file, not into a log that pytest shows."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    with serving() as url, capture():
        ask(f"{url}/secret-project")
    assert list(tmp_path.iterdir()) == []
    assert "secret-project" not in caplog.text
