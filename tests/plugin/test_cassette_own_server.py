"""A server that a test opens itself is what is tested: it runs in each mode, never recorded."""

import pytest
import requests
from answering import answering

import pytest_imagedetail.cassette.capture

aiohttp = pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")

LOADED = (aiohttp, pytest_imagedetail.cassette.capture, requests)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

TEST = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import pytest, requests
from clients import CLIENTS

ASKED = []

class Application(BaseHTTPRequestHandler):
    def do_GET(self):
        ASKED.append(self.path)
        body = json.dumps(requests.get("{url}" + self.path).json()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

@pytest.fixture
def application():
    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("client", CLIENTS)
def test_application(application, imagedetail_cassette, client):
    before = len(ASKED)
    body, _ = client("GET", application + "/images")
    assert len(json.loads(body)["images"]) == 40
    assert ASKED[before:] == ["/images"]
    if not imagedetail_cassette.replays:
        assert [each.url for each in imagedetail_cassette.interactions] == ["{url}/images"]
"""


def test_what_a_test_serves_is_passed_through(pytester, run):
    """Its own requests to the cloud are recorded and replayed; those to it are neither."""
    with answering() as (url, asked):
        source = TEST.replace("{url}", url)
        for mode in ("new_episodes", "rewrite", "verify"):
            run(source, f"--imagedetail-record-mode={mode}").assert_outcomes(passed=7)
        assert asked.count("GET /v2.1/images") == 21
    run(source).assert_outcomes(passed=7)
    for path in pytester.path.rglob("*.yaml"):
        assert path.read_text().count("uri:") == 1
