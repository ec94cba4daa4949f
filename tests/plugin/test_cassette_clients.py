"""A test's own clients: each library is recorded and replayed; what is not caught is an error."""

import re

import pytest

EACH = """
import asyncio, io, json
import aiohttp, pytest
from clients import CLIENTS

pytestmark = pytest.mark.imagedetail("staging")
FORMS = {
    "fields": ({"name": "übuntu"}, "application/x-www-form-urlencoded"),
    "file": (lambda: {"file": io.BytesIO(b"12345" * 3)}, "multipart/form-data"),
    "payload": (lambda: aiohttp.BytesPayload(b"abc"), "application/octet-stream"),
}

def asked_by(number, method, path):
    return CLIENTS[(number + SHIFT) % len(CLIENTS)](method, "$URL" + path)

def test_listing(imagedetail_cloud):
    listing = imagedetail_cloud.list(limit=9)
    assert len(listing.images) == 40 and "link" not in listing.headers

@pytest.mark.parametrize("number", range(len(CLIENTS)))
def test_compressed(imagedetail_cassette, number):
    body, headers = asked_by(number, "GET", "/images/detail?limit=2")
    assert len(json.loads(body)["images"]) == 40 and "link" not in headers
    if imagedetail_cassette.replays:
        assert int(headers["Content-Length"]) == len(body)
    assert ("Content-Encoding" in headers) is not imagedetail_cassette.replays

@pytest.mark.parametrize("number", range(len(CLIENTS)))
def test_head(imagedetail_cassette, number):
    body, headers = asked_by(number, "HEAD", "/file")
    assert (body, headers["Content-Length"]) == (b"", "24")

@pytest.mark.parametrize("form", FORMS)
def test_form(imagedetail_cassette, form):
    data, kind = FORMS[form]
    async def ask():
        async with aiohttp.ClientSession() as client:
            async with client.post("$URL/f", data=data() if callable(data) else data) as answer:
                return await answer.json()
    answer = asyncio.run(ask())
    assert answer["kind"] == kind and answer["bytes"] > 2

def test_aiohttp_base_url(imagedetail_cassette):
    async def ask(path):
        login = aiohttp.BasicAuth("u", "a pass phrase")
        async with aiohttp.ClientSession(base_url="$URL/", auth=login) as client:
            async with client.get(path) as answer:
                return await answer.json()
    for n in "21" if imagedetail_cassette.replays else "12":
        assert asyncio.run(ask(f"same/{n}")) == {"same": [n]}
        sent = imagedetail_cassette.interactions[-1].request_headers
        assert ("Authorization" in sent) is not imagedetail_cassette.replays

def test_aiohttp_without_host(imagedetail_cassette):
    async def ask():
        async with aiohttp.ClientSession() as client:
            await client.get("same/1")
    with pytest.raises(aiohttp.InvalidURL):
        asyncio.run(ask())

@pytest.mark.parametrize("sent", ["GET", "HEAD", "POST", "PUT"])
def test_aiohttp_redirects(imagedetail_cassette, sent):
    async def ask(status):
        async with aiohttp.ClientSession() as client:
            url = f"$URL/redirect/{status}"
            async with client.request(sent, url, data=b"x", allow_redirects=True) as answer:
                return answer.method, len(await answer.read())
    becomes_get = {"POST": {301, 302, 303}, "PUT": {303}}.get(sent, ())
    for status in (301, 302, 303, 307, 308):
        followed, length = asyncio.run(ask(status))
        assert followed == ("GET" if status in becomes_get else sent)
        assert (length > 99) is (followed == "GET")
"""
NUMBER = 1 + 8 + 8 + 3 + 2 + 4


def test_each_client_is_recorded_and_replayed_by_another(pytester, run, served, monkeypatch):
    """Compressed, with interim responses such as 103, HEAD; aiohttp's forms, URLs, redirects."""
    pytester.makefile(".yaml", imagedetail="clouds: {staging: {}}")
    auth = {"endpoint": served.url, "token": "a-live-token-4711"}
    pytester.makefile(
        ".yaml", clouds=str({"clouds": {"staging": {"auth_type": "admin_token", "auth": auth}}})
    )
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
    served.early = True
    run(EACH.replace("SHIFT", "0"), "once", passed=NUMBER)
    for shift in "13":
        run(EACH.replace("SHIFT", shift), passed=NUMBER)
    texts = [path.read_text() for path in (pytester.path / "cassettes").rglob("*.yaml")]
    assert not [text for text in texts if re.search(r"code: 1\d\d", text)]
    assert not [text for text in texts if "!!binary" in text]
    changed = EACH.replace("SHIFT", "0").replace("12345", "54321").replace('b"abc"', 'b"abd"')
    run(changed, "none", "-k", "form", passed=1, failed=2, deselected=NUMBER - 3)


TOGETHER = """
import asyncio, http.client
from concurrent.futures import ThreadPoolExecutor
import aiohttp, httpx, pytest, urllib3, vcr.patch

def threads():
    with httpx.Client() as client, ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda n: client.get(f"$URL/i?limit={n}").status_code, range(40)))

def tasks():
    async def one(client, n):
        async with client.get(f"$URL/i?limit={n}") as answer:
            await answer.read()
            return answer.status
    async def ask():
        async with aiohttp.ClientSession() as client:
            return await asyncio.gather(*(one(client, n) for n in range(40)))
    return asyncio.run(ask())

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("ask", [threads, tasks])
def test_together(imagedetail_cassette, ask):
    assert ask() == [200] * 40
    assert len(imagedetail_cassette.interactions) == 40

@pytest.mark.imagedetail("staging")
def test_others(imagedetail_cassette):
    # What a thread sees while vcrpy makes a connection in another one.
    patched = urllib3.HTTPConnectionPool.ConnectionCls
    assert "vcr" in str(patched)
    with vcr.patch.force_reset():
        assert urllib3.HTTPConnectionPool.ConnectionCls is patched
        assert http.client.HTTPSConnection.__module__ == "http.client"
"""


def test_threads_and_tasks_lose_nothing(run):
    """Forty requests at once are forty interactions, recorded and replayed."""
    for mode in ("once", "none"):
        run(TOGETHER, mode, passed=3)


PASSED_BY = """
import http.client
from http.client import HTTPConnection, HTTPSConnection
import pycurl, pytest, requests

@pytest.fixture(scope="module")
def connection():
    connection = http.client.HTTPConnection("$URL".split("/")[2])
    connection.connect()
    yield connection
    connection.close()

@pytest.mark.imagedetail("staging")
def test_open_before(connection, imagedetail_cassette):
    connection.request("GET", "/v2.1/images?limit=7")
    assert connection.getresponse().read()

@pytest.mark.imagedetail("staging")
def test_imported(imagedetail_cassette):
    kind = HTTPSConnection if imagedetail_cassette.replays else HTTPConnection
    connection = kind("$URL".split("/")[2])
    connection.request("GET", "/v2.1/images?limit=7")
    assert connection.getresponse().read()
    connection.close()

@pytest.mark.imagedetail("staging")
def test_curl(imagedetail_cassette):
    asked = pycurl.Curl()
    asked.setopt(asked.URL, "$URL/images?limit=7")
    asked.setopt(asked.WRITEFUNCTION, lambda data: None)
    asked.perform()
    asked.close()
"""


def test_what_passes_the_cassette_by_is_an_error(run, served, cassettes_of):
    """An older connection, a class imported by name, and libcurl: nothing is kept or replayed."""
    pytest.importorskip("pycurl", reason="pycurl is not installed")
    result = run(PASSED_BY, "once", passed=3, errors=3)
    result.stdout.fnmatch_lines(
        [
            "not everything was recorded: 1 response bypassed the *",
            "  next:  make connections inside the test, not before it, *",
            "  next:  call http.client.HTTPConnection, not a class imported by name",
            "  next: *libcurl (pycurl, curl_cffi) cannot be recorded: ask with another client",
        ]
    )
    assert cassettes_of() == {}
    served.asked.clear()
    result = run(PASSED_BY, failed=3)
    result.stdout.fnmatch_lines(
        [
            "E *nothing is recorded for GET https://compute.staging.invalid/v2.1/images?limit=7",
            "E *this connection bypasses the cassette, whatever is recorded: *",
            "E *nothing is recorded for GET *",
            "E *this connection bypasses the cassette, whatever is recorded: *",
            f"E *something tried to reach {served.url}/images* with libcurl while the network is *",
            "E *for a database or another local service: --imagedetail-allow-host 127.0.0.1:*",
        ]
    )
    assert served.asked == []


ALLOWED = """
import pycurl, pytest
from clients import CLIENTS

@pytest.mark.imagedetail("staging")
def test_allowed(imagedetail_cassette):
    for client in CLIENTS:
        client("GET", "$URL/n/1")
    curl = pycurl.Curl()
    curl.setopt(curl.URL, "$URL/n/1")
    curl.perform()
    assert not imagedetail_cassette.interactions
"""


def test_an_allowed_host_is_neither_recorded_nor_replayed(run, served, cassettes_of):
    """In no mode, with any client."""
    pytest.importorskip("pycurl", reason="pycurl is not installed")
    port = served.url.split(":")[2].partition("/")[0]
    for mode in ("rewrite", "none"):
        run(ALLOWED, mode, f"--imagedetail-allow-host=localhost:{port}", passed=1)
    assert len(served.asked) == 2 * 9
    assert cassettes_of() == {}
    for host in ("http://localhost", "localhost:0", "[::1::2]", "localhost:99999", "u@h"):
        result = run(ALLOWED, "none", f"--imagedetail-allow-host={host}")
        says = f"ERROR: a host is HOST or HOST:PORT, not {host!r}"
        assert result.stderr.str().startswith(says)


IPV6 = """
import http.server, socket, threading
import pytest, requests

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

@pytest.fixture(scope="module")
def server():
    with Server(("::1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://[::1]:{server.server_port}"
        server.shutdown()

@pytest.mark.imagedetail("staging")
def test_ipv6(server, imagedetail_cassette):
    assert requests.get(f"{server}/v2.1/x?a=1").status_code == 204
    (sent,) = imagedetail_cassette.interactions
    host = "compute.staging.invalid" if imagedetail_cassette.replays else "["
    assert f"//{host}" in sent.url
"""


def test_an_ipv6_address_is_recorded_and_replayed(run):
    """As of requests, whose URLs vcrpy writes without the brackets."""
    for mode in ("once", "none"):
        run(IPV6, mode, passed=1)


KEPT = """
import functools, http.client
import pytest

@functools.cache
def connection():
    return http.client.HTTPConnection("$URL".split("/")[2])

def ask(path):
    connection().request("GET", path)
    return connection().getresponse().read().decode()

@pytest.mark.imagedetail("nova-2019.1", "nova-2026.2")
def test_shipped(imagedetail_cassette):
    assert f"https://compute.{imagedetail_cassette.cloud}.invalid" in ask("/v2.1/images/detail")

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("number", range(2))
def test_own(imagedetail_cassette, number):
    ask("/v2.1/n/1")
    assert len(imagedetail_cassette.interactions) == 1

def test_without():
    assert ask("/v2.1/same/1")
    connection().close()
"""


def test_a_connection_that_tests_share(run, served):
    """Each test is answered by its own cassette, and one without a cassette by the cloud."""
    for mode in ("once", "none"):
        run(KEPT, mode, passed=5)
    assert served.asked == ["GET /v2.1/n/1", "GET /v2.1/n/1", *["GET /v2.1/same/1"] * 2]


SWALLOWS = """
import pytest
from clients import CLIENTS

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("client", CLIENTS)
def test_wrapped(imagedetail_cassette, client):
    try:
        client("GET", "https://cloud.example/v2.1/images?limit=3")
    except Exception as error:
        raise ValueError("the client is sorry") from None
"""


def test_a_refusal_is_shown_whatever_a_client_makes_of_it(run):
    """The request, the test and the command are shown for each client."""
    result = run(SWALLOWS, failed=8)
    text, _, _ = result.stdout.str().partition("short test summary")  # it is long where CI is set
    assert len(re.findall(r"^E +ValueError: the client is sorry$", text, re.MULTILINE)) == 8
    asked = "nothing is recorded for GET https://compute.staging.invalid/v2.1/images?limit=3"
    assert text.count(asked) == 8
    node = "test_own.py::test_wrapped[by_aiohttp]"
    assert f"where: {node}, cassette " in text
    assert f"record it: pytest '{node}' --imagedetail-record-mode=once" in text
