"""A test's own clients: bodies that are encoded oddly, sent as forms, or not there at all."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
import requests
import urllib3

import pytest_imagedetail.cassette.capture

aiohttp = pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")

LOADED = (aiohttp, httpx, pytest_imagedetail.cassette.capture, requests, urllib3)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

BODY = json.dumps({"images": [{"name": "übuntu"}] * 20}).encode()


class Odd(BaseHTTPRequestHandler):
    """Encodes as its path says, and says what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        encodings = self.path.rpartition("/")[2].replace("+", ", ")
        body = BODY
        for _ in encodings.split(","):
            body = gzip.compress(body)
        self._send(body, ("Content-Encoding", encodings))

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "19")
        self.end_headers()

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"].partition(";")[0]
        self._send(json.dumps({"kind": kind, "bytes": len(sent)}).encode())

    def _send(self, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def odd() -> Iterator[str]:
    """The URL of a server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v2.1"
        finally:
            server.shutdown()
            thread.join()


START = """
import asyncio, json
import aiohttp, pytest
from clients import CLIENTS, by_httpx, by_httpx_async, by_requests, by_urllib3
"""
ENCODED = (
    START
    + """
@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("encodings", ["GZIP", "gzip+gzip", "gzip+GZip", "gzip"])
@pytest.mark.parametrize("client", [by_requests, by_urllib3, by_httpx, by_httpx_async])
def test_encoded(imagedetail_cassette, client, encodings):
    body, _ = client("GET", "{url}/" + encodings)
    assert len(json.loads(body)["images"]) == 20
"""
)
HEADS = (
    START
    + """
@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("client", CLIENTS)
def test_head(imagedetail_cassette, client):
    body, headers = client("HEAD", "{url}/file")
    assert (body, headers["Content-Length"]) == (b"", "19")
"""
)
FORMS = (
    START
    + """
import io

def form_of_fields():
    form = aiohttp.FormData()
    form.add_field("name", "übuntu")
    return form

def form_of_files():
    form = aiohttp.FormData({"name": "übuntu"})
    form.add_field("file", io.BytesIO(b"12345" * 3), filename="image.raw")
    return form

def files():
    return {"file": io.BytesIO(b"12345" * 3)}

def fields():
    return {"name": "übuntu"}

def payload():
    return aiohttp.BytesPayload(b"abc")

MULTIPART, FIELDS = "multipart/form-data", "application/x-www-form-urlencoded"

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("data, kind", [
    (form_of_fields, FIELDS), (form_of_files, MULTIPART), (files, MULTIPART), (fields, FIELDS),
    (payload, "application/octet-stream"),
])
def test_form(imagedetail_cassette, data, kind):
    async def ask():
        async with aiohttp.ClientSession() as client:
            async with client.post("{url}/upload", data=data()) as answer:
                return await answer.json()
    answer = asyncio.run(ask())
    assert answer["kind"] == kind and answer["bytes"] > 2
"""
)


@pytest.mark.parametrize(
    ("source", "count"), [(ENCODED, 16), (HEADS, 7), (FORMS, 5)], ids=["encoded", "head", "forms"]
)
def test_what_was_recorded_is_what_is_replayed(pytester, run, source, count):
    """Whatever a server says of its encoding, answers to HEAD, and each form that aiohttp sends."""
    once = "--imagedetail-record-mode=once"
    with odd() as url:
        text = source.replace("{url}", url)
        run(text, once).assert_outcomes(passed=count)
    run(text).assert_outcomes(passed=count)
    for path in pytester.path.rglob("*.yaml"):
        assert "!!binary" not in path.read_text()
    if source is FORMS:
        changed = text.replace("12345", "54321").replace('b"abc"', 'b"abd"')
        run(changed).assert_outcomes(passed=2, failed=3)
