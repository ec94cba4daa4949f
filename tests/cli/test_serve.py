"""`imagedetail serve` replays clouds; with `--record`, it records what any program asks.

Hostile requests are in tests/server.
"""

import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import UUID

import pytest
import requests
import yaml

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.record import clouds
from pytest_imagedetail.record.recorder import LiveCloud
from pytest_imagedetail.redact import Known
from pytest_imagedetail.server import Recorder, Server
from pytest_imagedetail.transport.http import Access
from tests.cloud import SimulatedCloud
from tests.cloud.scripted import ScriptedCloud, say
from tests.unit import recording_of

LIBRARY = Path(__file__).parents[2] / "cassettes"
PROJECT = "0" * 32
OLD, NEW = "nova-2023.1", "nova-2024.2"
RECORD = ("--record", "--os-cloud=site", "--name=staging")
DATED = re.compile(r"^  (?:recorded_at|sha256): .*\n", re.MULTILINE)


class Served:
    def __init__(self, process, clouds):
        self.process = process
        self.auth_urls = dict(process.stdout.readline().split() for _ in range(clouds))

    def login(self, cloud=None):
        """Return a token, and each service's URL in the catalog, from Keystone v3."""
        auth_url = self.auth_urls[cloud] if cloud else next(iter(self.auth_urls.values()))
        user = {"name": "u", "password": "typed-into-a-client"}
        login = {"identity": {"methods": ["password"], "password": {"user": user}}}
        answer = requests.post(f"{auth_url}/v3/auth/tokens", json={"auth": login}, timeout=30)
        assert answer.status_code == 201
        catalog = answer.json()["token"]["catalog"]
        urls = {each["type"]: each["endpoints"][0]["url"] for each in catalog}
        return answer.headers["X-Subject-Token"], urls

    def ask(self, path="/images/detail", method="GET", cloud=None):
        """Ask for a path below the compute endpoint, or for a URL, and for Nova's default."""
        token, urls = self.login(cloud)
        url = path if path.startswith("http") else urls["compute"] + path
        headers = {"X-Auth-Token": token, "OpenStack-API-Version": "compute 2.1"}
        return requests.request(method, url, headers=headers, timeout=60)


@pytest.fixture
def serve(tmp_path):
    """Serve while a block runs; exit code, lines and errors are there afterwards."""

    @contextmanager
    def serve(*arguments, clouds=1):
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest_imagedetail", "serve", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            served = Served(process, clouds)
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            out, served.errors = process.communicate(timeout=60)
            served.lines, served.code = out.splitlines(), process.returncode

    return serve


@pytest.fixture
def cloud(tmp_path, imagedetail):
    pytest.importorskip("openstack", reason="credentials need the extra `record`")
    with ScriptedCloud() as cloud:
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("site"))
        yield cloud


def test_any_client_gets_what_was_recorded(serve):
    """Links lead to the server; single images, the /v2 URL and versions are answered, too."""
    with serve(OLD, NEW, clouds=2) as served:
        for cloud, status in ((OLD, 200), (NEW, 400)):

            def got(url, cloud=cloud):
                answer = served.ask(url, cloud=cloud)
                assert answer.status_code == 200, url
                return answer.json()

            assert served.ask("/images/detail?limit=0", cloud=cloud).status_code == status
            root = served.auth_urls[cloud].removesuffix("/identity")
            _, urls = served.login(cloud)
            assert urls["compute"] == f"{root}/v2.1"
            assert urls["compute_legacy"] == f"{root}/v2/{PROJECT}"
            images = got("/images/detail")["images"]
            for each in images:
                assert got(each["links"][0]["href"])["image"] == each, cloud
            first = got("/images/detail?limit=3")
            second = got(first["images_links"][0]["href"])
            assert first["images"] + second["images"] == images[:6]
            active = f"{urls['compute_legacy']}/images/detail?status=ACTIVE"
            assert len(got(active)["images"]) == 8
            assert got(f"{root}/v2.1/")["version"]["links"][0]["href"] == f"{root}/v2.1/"
            assert len(got(f"{root}/")["versions"]) == 2
        fault, other = (
            served.ask(each, cloud=OLD).json()["notImplemented"]["message"]
            for each in ("/images/detail?limit=4", "/flavors")
        )
    assert fault.splitlines() == [
        "nothing is recorded for GET /v2.1/images/detail?limit=4",
        "  where: cloud nova-2023.1, nearest recordings: "
        + ", ".join(f"GET /v2.1/images/detail?limit={each}" for each in ("14", "", "0")),
        "  next:  record it from a real cloud: imagedetail record --os-cloud NAME --query=limit=4",
    ]
    assert "imagedetail serve --record --os-cloud NAME" in other
    assert (served.code, served.errors) == (0, "")


def test_a_signal_ends_it(serve):
    """With exit code 0, without waiting for a client that keeps its connection."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with serve(OLD) as served, requests.Session() as session:
            session.get(served.auth_urls[OLD], timeout=30)
            served.process.send_signal(number)
            assert served.process.wait(timeout=60) == 0
        assert served.errors == ""


def test_it_is_refused_before_anything_listens(serve, imagedetail, tmp_path):
    """A port in use, a damaged or mislabeled cassette, an unknown cloud, a foreign clouds.yaml."""
    for name in ("openstack-sample", "cut", "bare"):
        (tmp_path / "cassettes" / name).mkdir(parents=True)
    text = (LIBRARY / "openstack-sample" / "all.yaml").read_text(encoding="utf-8")
    damaged = tmp_path / "cassettes" / "openstack-sample" / "all.yaml"
    damaged.write_text(text.replace("ACTIVE", "ERROR", 1))
    (tmp_path / "cassettes" / "cut" / "all.yaml").touch()
    facts = {"cloud": "wrong", "release": "juno", "max_microversion": "2.96", "plugin": "1"}
    wrong = recording_of({"images": []}, **facts)
    Store(directory=tmp_path / "cassettes").write(wrong, known=Known())
    (tmp_path / "imagedetail.yaml").write_text("clouds: {lost: {}}\n")
    (tmp_path / "clouds.yaml").write_text("clouds: {mine: {}}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments, code, problem in (
            (("nova-2O24*",), 4, "no cloud matches 'nova-2O24*'"),
            ((f"--port={port}",), 2, f"port {port} cannot be used: Address already in use"),
            (("--port=99999",), 2, "port 99999 cannot be used"),
            (("openstack-sample",), 2, "cassettes/openstack-sample/all.yaml"),
            (("cut",), 2, "the cassette is empty"),
            (("wrong",), 2, "the recording is mislabeled"),
            (("lost",), 2, "nothing is recorded for cloud 'lost'"),
            (("bare",), 4, "unknown cloud 'bare'"),
            (("--clouds-yaml=clouds.yaml",), 4, "was not written by `imagedetail serve`"),
            (("--os-cloud=site",), 4, "--os-cloud is for recording"),
        ):
            done = imagedetail("serve", OLD, *arguments)
            assert (done.returncode, done.stdout) == (code, ""), arguments
            assert problem in done.stderr, arguments
            assert done.stderr.count("imagedetail: ") == 1
    assert (tmp_path / "clouds.yaml").read_text() == "clouds: {mine: {}}\n"
    (tmp_path / "clouds.yaml").unlink()
    for _ in range(2):  # it writes over its own file
        with serve("nova-2023.?", f"--port={port}", "--clouds-yaml=clouds.yaml") as served:
            assert served.auth_urls == {OLD: f"http://127.0.0.1:{port}/identity"}
            (entry,) = yaml.safe_load((tmp_path / "clouds.yaml").read_text())["clouds"].values()
            assert entry["auth"]["auth_url"] == served.auth_urls[OLD]


def test_a_client_records_what_the_command_records(cloud, serve, imagedetail, tmp_path):
    """The same bytes but for the date, with one request to the cloud; then it replays offline."""
    paths = ("/images/detail", "/images/detail?limit=3", "/images/detail?limit=x", "/images")
    with serve(*RECORD, "--release=2026.2") as served:
        cloud.asked.clear()
        with ThreadPoolExecutor(8) as pool:
            answers = {each: [*pool.map(served.ask, [each] * 8)] for each in paths}
        assert [each.partition("images")[2] for each in cloud.asked] == [
            each.partition("images")[2] for each in paths
        ]
    assert (served.code, served.errors) == (0, "")
    new, _, error, added, declared = served.lines
    assert new == "new  cassettes/staging/all.yaml  14 images; redacted: 4 headers, 45 hosts, 2 ids"
    assert error.startswith("new  cassettes/staging/limit=x.yaml  answered 400; ")
    assert added.startswith("added  cassettes/staging/tests/clients.yaml  GET https://")
    assert declared == "declared   imagedetail.yaml  staging: site, release 2026.2"

    for name, query in {
        "all": (),
        "limit=3": ("--query=limit=3",),
        "limit=x": ("--query=limit=x", "--expect=400"),
    }.items():
        assert imagedetail("record", "staging", "--cassette-dir=ref", *query).returncode == 0
        ours, theirs = (
            DATED.sub("", (tmp_path / folder / "staging" / f"{name}.yaml").read_text())
            for folder in ("cassettes", "ref")
        )
        assert ours == theirs, name

    before = (tmp_path / "cassettes/staging/all.yaml").read_bytes()
    with serve("--record", "staging") as again:
        cloud.asked.clear()  # the guard asked
        again.ask()
    assert (again.code, cloud.asked) == (0, [])  # what is recorded is not asked again
    cloud.stop()
    with serve("staging") as replayed:
        old, new = (each.auth_urls["staging"].split("/")[2] for each in (served, replayed))
        for path, recorded in answers.items():
            again = replayed.ask(path)
            assert {(each.status_code, each.text.replace(old, new)) for each in recorded} == {
                (again.status_code, again.text)
            }
    assert (replayed.code, replayed.errors) == (0, "")
    assert (tmp_path / "cassettes/staging/all.yaml").read_bytes() == before
    texts = [path.read_text() for path in (tmp_path / "cassettes").rglob("*.yaml")]
    texts += [each.text for each in answers["/images/detail"]]
    for secret in (cloud.project_id, cloud.account.token, cloud.account.password):
        assert not [text for text in texts if secret in text]
    assert imagedetail("lint").returncode == 0


def test_a_client_that_never_lists_the_details(cloud, serve, tmp_path):
    """What it asked is served again. curl sends the letters of a query as they are."""
    raw = b"GET %s/images?name=gr\xc3\xb6\xc3\x9fe HTTP/1.0\r\nX-Auth-Token: %s\r\n\r\n"

    def ask_as_curl(served):
        token, urls = served.login()
        url = urlsplit(urls["compute"])
        with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
            connection.sendall(raw % (url.path.encode(), token.encode()))
            return connection.makefile("rb").read().partition(b"\r\n\r\n")[2]

    with serve(*RECORD) as served:
        answers = served.ask("/images").json(), ask_as_curl(served)
    assert (served.code, cloud.asked[-1].partition("?")[2]) == (0, f"name={quote('größe')}")
    cloud.stop()
    declared = yaml.safe_load((tmp_path / "imagedetail.yaml").read_text())
    assert declared == {"clouds": {"staging": {"os_cloud": "site"}}}
    with serve("staging") as again:
        assert again.ask("/images").json().keys() == answers[0].keys()
        assert ask_as_curl(again) == answers[1]
    assert (again.code, again.errors) == (0, "")


def test_what_cannot_be_recorded_is_an_error(cloud, serve, tmp_path):
    """The client gets a fault, stderr has each of them, and the exit code is 2."""
    with serve(*RECORD) as served:
        cloud.asked.clear()
        base = served.auth_urls["staging"].removesuffix("/identity")
        own = f"server={quote(base, safe='')}%2Fservers%2F1"
        for path, method, status, says in (
            ("/images/1", "DELETE", 501, "DELETE is never sent to a cloud"),
            ("/images", "POST", 501, "POST is never sent"),
            (f"{base}/identity/v3/users", "GET", 502, "not for the cloud's Nova"),
            ("/images/detail?property-owner_id=redacted-owner", "GET", 502, "a placeholder"),
            (f"/images/detail?name={cloud.account.password}", "GET", 502, "redaction replaces"),
            (f"/images?x={cloud.project_id}", "GET", 502, "redaction replaces"),
            ("/images/detail?name=typed-into-a-client", "GET", 502, "redaction replaces"),
            (f"/images/detail?{own}", "GET", 200, "images"),
        ):
            answer = served.ask(path, method)
            assert (answer.status_code, says in answer.text) == (status, True), answer.text
        refused = requests.get(f"{base}/v2.1/images", timeout=30)
        challenge = refused.headers["WWW-Authenticate"]
        assert (refused.status_code, challenge) == (401, f'Keystone uri="{base}/identity"')
        assert cloud.asked[-1].endswith(f"?server={quote(cloud.origin, safe='')}%2Fservers%2F1")
        assert not [each for each in cloud.asked if "users" in each or "redacted" in each]
        cloud.script[:] = [say(503), say(503)]
        for path in ("/images/detail", "/images"):
            fault = served.ask(path)
            assert (fault.status_code, "answered 503" in fault.text) == (502, True)
        for path in ("/images/detail", "/images"):
            assert served.ask(path).status_code == 200
    assert served.code == 2
    errors = [line for line in served.errors.splitlines() if line.startswith("imagedetail: ")]
    assert len([line for line in errors if "warning: " not in line]) == 9
    recorded = sorted(path.name for path in (tmp_path / "cassettes/staging").rglob("*.yaml"))
    assert (recorded[:2], len(recorded)) == (["all.yaml", "clients.yaml"], 3)
    text = (tmp_path / "cassettes/staging/tests/clients.yaml").read_text()
    (only,) = yaml.safe_load(text)["interactions"]
    assert only["response"]["status"]["code"] == 200


def test_the_guard_comes_before_the_first_request(cloud, serve, imagedetail, tmp_path):
    """It also looks again at a cloud that was down: another release is not recorded."""
    (tmp_path / "cassettes/cut").mkdir(parents=True)
    (tmp_path / "cassettes/cut/all.yaml").touch()
    for arguments, code, problem in (
        (("--os-cloud=sight",), 2, "sight"),
        (("--os-cloud=site", "--name=cut"), 2, "cassettes/cut/all.yaml"),
        (("--os-cloud=site", "--name=a", "b"), 4, "are for one cloud"),
    ):
        done = imagedetail("serve", "--record", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert problem in done.stderr
    with serve(*RECORD) as served:
        assert served.ask().status_code == 200
        cloud.stop()
        assert served.ask("/images/detail?limit=1").status_code == 502
        with SimulatedCloud(release="2023.1", port=cloud.port) as older:
            (tmp_path / "clouds.yaml").write_text(older.clouds_yaml("site"))
            fault = served.ask("/images/detail?limit=1")
            assert (fault.status_code, "another release" in fault.text) == (502, True), fault.text
            done = imagedetail("serve", *RECORD)
            assert (done.returncode, done.stdout) == (2, "")
            assert "imagedetail record" in done.stderr
    assert served.code == 2
    done = imagedetail("serve", "--record", "--os-cloud=site", "--name=STAGING")
    assert (done.returncode, done.stdout) == (4, "")
    assert "differs from 'staging' in case only" in done.stderr


def test_the_guard_looks_again_after_a_minute(cloud, tmp_path, monkeypatch):
    """The cloud may be upgraded while no client asks; what is recorded needs no guard."""
    now, guarded = [0.0], []
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setattr("pytest_imagedetail.server.recording.monotonic", lambda: now[0])
    live = LiveCloud(access=clouds.connect("site", declared={}), name="staging")
    store = Store(directory=tmp_path / "cassettes")
    recorder = Recorder(
        live, store, on_written=lambda *_: None, guard=lambda: guarded.append(now[0])
    )
    with Server(store, "staging", recorder=recorder) as server:
        for now[0], limit in ((59, 1), (61, 1), (62, 2), (63, 3), (124, 4)):
            url = f"{server.compute_url}/images/detail?limit={limit}"
            answer = requests.get(url, headers={"X-Auth-Token": server.token}, timeout=60)
            assert answer.status_code == 200
    assert guarded == [62, 124]


def test_only_the_project_of_a_path_is_replaced(tmp_path):
    """Its id may also be a part of the address; one with dashes keeps them."""
    dashed, store = str(UUID(int=7)), Store(directory=tmp_path)
    for project, expected in (("1", PROJECT), (dashed, str(UUID(int=0))), ("f" * 32, PROJECT)):
        access = Access(
            endpoint=f"http://10.1.1.1:8711/v2.1/{project}", token="t", project_id=project
        )
        live = LiveCloud(access=access, name="staging")
        recorder = Recorder(live, store, on_written=lambda *_: None, guard=lambda: None)
        assert recorder.endpoint("http://127.0.0.1:1") == f"http://127.0.0.1:1/v2.1/{expected}"
