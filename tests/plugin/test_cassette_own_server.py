"""A server that a test opens itself is what is tested: it runs in each mode, never recorded."""

import pytest
import requests
from answering import answering

import pytest_imagedetail.cassette.capture

aiohttp = pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")

LOADED = (aiohttp, pytest_imagedetail.cassette.capture, requests)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

TEST = """
import asyncio, http.client, json, pytest, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit
import aiohttp, httpx, requests, urllib3

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

def by_requests(url):
    return requests.get(url).json()

def by_urllib3(url):
    return json.loads(urllib3.PoolManager().request("GET", url).data)

def by_urllib(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)

def by_http_client(url):
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", urlsplit(url).path)
    found = json.load(connection.getresponse())
    connection.close()
    return found

def by_httpx(url):
    return httpx.get(url).json()

def by_httpx_async(url):
    async def ask():
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).json()
    return asyncio.run(ask())

def by_aiohttp(url):
    async def ask():
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            return json.loads(await answer.read())
    return asyncio.run(ask())

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("client", [
    by_requests, by_urllib3, by_urllib, by_http_client, by_httpx, by_httpx_async, by_aiohttp
])
def test_application(application, imagedetail_cassette, client):
    before = len(ASKED)
    assert len(client(application + "/images")["images"]) == 40
    assert ASKED[before:] == ["/images"]
    if not imagedetail_cassette.replays:
        assert [each.url for each in imagedetail_cassette.interactions] == ["{url}/images"]
"""


@pytest.mark.parametrize("mode", ["once", "rewrite", "new_episodes"])
def test_what_a_test_serves_is_passed_through(pytester, mode):
    """Its own requests to the cloud are recorded and replayed; those to it are neither."""

    def run(*arguments):
        plugins = ("-p", "no:randomly", "-p", "no:recording", "-p", "no:cacheprovider")
        return pytester.runpytest_inprocess(*plugins, *arguments)

    with answering() as (url, asked):
        pytester.makepyfile(test_own=TEST.replace("{url}", url))
        run(f"--imagedetail-record-mode={mode}").assert_outcomes(passed=7)
        run("--imagedetail-record-mode=verify").assert_outcomes(passed=7)
        assert asked.count("GET /v2.1/images") == 14
    run().assert_outcomes(passed=7)
    for path in pytester.path.rglob("*.yaml"):
        assert path.read_text().count("uri:") == 1
