"""Interim responses, such as `103 Early Hints`, are skipped while recording."""

import json
import re
import socket
import socketserver
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")
pytest.importorskip("openstack", reason="recording needs the extra `record`")

from tests.cloud import SimulatedCloud

INTERIM = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    b"HTTP/1.1 102 Processing\r\n\r\n"
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n"
)
BODY = json.dumps({"images": [{"id": "1", "name": "a", "status": "ACTIVE"}]}).encode()
FINAL = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
CONFTEST = """
import clients
import pytest

CLIENTS = {each.__name__: each for each in clients.CLIENTS}

def pytest_generate_tests(metafunc):
    if "client" in metafunc.fixturenames:
        metafunc.parametrize("client", CLIENTS)

@pytest.fixture
def ask():
    return lambda name, url: CLIENTS[name]("GET", url)
"""
TESTS = """
import json
import pytest


def test_listing(imagedetail_cloud):
    listing = imagedetail_cloud.list(limit=9)
    assert listing.status_code == 200 and "link" not in listing.headers
    assert [each["name"] for each in listing.images] == ["a"]


@pytest.mark.imagedetail("staging")
def test_client(imagedetail_cassette, ask, client):
    body, headers = ask(client, "{url}/images/detail?limit=2")
    assert json.loads(body)["images"][0]["name"] == "a" and "link" not in headers
"""


class Interim(socketserver.StreamRequestHandler):
    """Sends interim responses before each answer, one of them late."""

    def handle(self):
        """Answer as long as there are requests."""
        while self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            self.wfile.write(INTERIM[:40])
            self.wfile.flush()
            self.wfile.write(INTERIM[40:])
            self.wfile.write(FINAL)


class Proxy(socketserver.StreamRequestHandler):
    """Passes one request on to a cloud, and sends interim responses before its answer."""

    def handle(self):
        """Answer once."""
        lines = list(iter(self.rfile.readline, b"\r\n"))
        fields = dict(line.lower().rstrip().split(b": ") for line in lines[1:] if b": " in line)
        body = self.rfile.read(int(fields.get(b"content-length", 0)))
        head = b"".join(line for line in lines if not line.lower().startswith(b"connection"))
        with socket.create_connection(("127.0.0.1", self.server.cloud)) as onward:
            onward.sendall(head + b"Connection: close\r\n\r\n" + body)
            answer = b"".join(iter(lambda: onward.recv(65536), b""))
        final = answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        self.wfile.write(INTERIM + final)


@contextmanager
def answering(handler=Interim, cloud=None):
    """Yield the URL of a server that sends interim responses first."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.cloud = cloud
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v2.1"
        finally:
            server.shutdown()
            thread.join()


def test_the_final_answer_is_recorded_and_replayed(pytester, run, monkeypatch):
    """By `imagedetail_cloud` and by each client, also by those that cannot skip them."""
    pytester.makeconftest(CONFTEST)
    pytester.makefile(".yaml", imagedetail="clouds: {staging: {}}")
    with answering() as url:
        auth = {"endpoint": url, "token": "a-live-token-4711"}
        staging = {"auth_type": "admin_token", "auth": auth}
        clouds = pytester.path / "clouds.yaml"
        clouds.write_text(json.dumps({"clouds": {"staging": staging}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
        source = TESTS.replace("{url}", url)
        run(source, "--imagedetail-record-mode=once").assert_outcomes(passed=8)
    run(source).assert_outcomes(passed=8)
    recorded = "".join(path.read_text() for path in (pytester.path / "cassettes").rglob("*.yaml"))
    assert re.findall(r"code: (\d+)", recorded) == ["200"] * 8


def test_a_login_and_the_version_document_skip_them_too(pytester, run, monkeypatch):
    """Or the release of a cloud behind such a proxy would not be known."""
    source = """
        def test_listing(imagedetail_cloud):
            listing = imagedetail_cloud.list()
            assert listing.images and listing.provenance.max_microversion == "2.95"
        """
    pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
    with SimulatedCloud(release="2023.1") as cloud:
        port = urlsplit(cloud.auth_url).port
        with answering(Proxy, port) as url:
            clouds = pytester.path / "clouds.yaml"
            proxy = urlsplit(url).port
            clouds.write_text(cloud.clouds_yaml("staging").replace(f":{port}/", f":{proxy}/"))
            monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
            run(source, "--imagedetail-record-mode=once").assert_outcomes(passed=1)
    run(source).assert_outcomes(passed=1)
