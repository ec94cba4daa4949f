"""`imagedetail serve --record`: what any program asks is recorded, and replayed afterwards."""

import json
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

import pytest
import requests
import yaml

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from tests.cloud import SimulatedCloud
from tests.cloud.scripted import ScriptedCloud, say

COMMAND = (sys.executable, "-m", "pytest_imagedetail")
PROJECT = "0" * 32
DATED = re.compile(r"^  (?:recorded_at|sha256): .*\n", re.MULTILINE)


class Served:
    """A running command."""

    def __init__(self, process):
        self.process = process
        self.auth_url = process.stdout.readline().split()[1]
        self.base = self.auth_url.removesuffix("/identity")
        user = {"name": "u", "password": "typed-into-a-client"}
        login = {"identity": {"methods": ["password"], "password": {"user": user}}}
        url = f"{self.auth_url}/v3/auth/tokens"
        answer = requests.post(url, json={"auth": login}, timeout=30)
        self.token, catalog = answer.headers["X-Subject-Token"], answer.json()["token"]["catalog"]
        (compute,) = (each["endpoints"][0]["url"] for each in catalog if each["type"] == "compute")
        self.endpoint = compute
        self.errors = None

    def ask(self, path="/images/detail", method="GET", **headers):
        """Ask for a path below the compute endpoint, or for a URL."""
        url = path if path.startswith("http") else self.endpoint + path
        headers = {"X-Auth-Token": self.token} | headers
        return requests.request(method, url, headers=headers, timeout=60)


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with ScriptedCloud() as cloud:
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("site"))
        yield cloud


@pytest.fixture
def serve(tmp_path):
    """Serve while a block runs; gives exit code, stdout and stderr afterwards."""

    @contextmanager
    def serving(*arguments):
        process = subprocess.Popen(
            [*COMMAND, "serve", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            served = Served(process)
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            out, served.errors = process.communicate(timeout=60)
            served.lines, served.code = out.splitlines(), process.returncode

    return serving


RECORD = ("--record", "--os-cloud=site", "--name=staging")


def test_a_client_records_what_the_command_records(cloud, serve, imagedetail, tmp_path):
    """The same bytes but for the date, asked of the cloud once; then it replays without a cloud."""
    paths = ("/images/detail", "/images/detail?limit=3", "/images/detail?limit=x", "/images")
    with serve(*RECORD, "--release=2026.2") as served:
        cloud.asked.clear()
        with ThreadPoolExecutor(8) as pool:
            answers = {each: [*pool.map(served.ask, [each] * 8)] for each in paths}
        assert [each.partition("images")[2] for each in cloud.asked] == [
            each.partition("images")[2] for each in paths
        ]
    assert (served.code, served.errors) == (0, "")
    assert served.lines == [
        "new  cassettes/staging/all.yaml  13 images; redacted: 4 headers, 42 hosts, 2 ids",
        *served.lines[1:4],
        "declared   imagedetail.yaml  staging: site, release 2026.2",
    ]
    assert served.lines[2].startswith("new  cassettes/staging/limit=x.yaml  answered 400; ")
    assert served.lines[3].startswith("added  cassettes/staging/tests/clients.yaml  GET https://")

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

    cloud.stop()
    with serve("staging") as replayed:
        for path, recorded in answers.items():
            again = replayed.ask(path)
            assert {each.status_code for each in recorded} == {again.status_code}, path
            for each in recorded:
                assert each.text.replace(served.base, replayed.base) == again.text, path
    assert (replayed.code, replayed.errors) == (0, "")
    for secret in (cloud.project_id, cloud.account.token, cloud.account.password):
        assert secret not in str([each.text for each in answers["/images/detail"]])
        for path in (tmp_path / "cassettes").rglob("*.yaml"):
            assert secret not in path.read_text()
    assert imagedetail("lint").returncode == 0


def test_a_listing_is_recorded_with_all_its_pages(serve, imagedetail, tmp_path):
    """Nova links a listing of 1,000 to an empty page, which the client gets from the recording."""
    with SimulatedCloud(release="2026.2", images=987) as cloud:
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("site"))
        with serve(*RECORD) as served:
            first = served.ask().json()
            (link,) = first["images_links"]
            second = served.ask(link["href"]).json()
            assert (len(first["images"]), second) == (1000, {"images": []})
    assert [each.partition("; ")[0] for each in served.lines[:-1]] == [
        "new  cassettes/staging/all.yaml  1000 images"
    ]
    text = (tmp_path / "cassettes/staging/all.yaml").read_text()
    assert "\n  pages: 2\n  complete: true\n" in text


def test_what_cannot_be_recorded_is_an_error(cloud, serve, tmp_path):
    """The client gets a fault, the command names each on stderr and ends with exit code 2."""
    with serve(*RECORD) as served:
        cloud.asked.clear()
        evil = served.base.replace("http://", "http://x@")
        own = f"server={quote(served.base, safe='')}%2Fservers%2F1"
        for path, method, status, says in (
            ("/images/1", "DELETE", 501, "DELETE is never sent to a cloud"),
            ("/images", "POST", 501, "POST is never sent"),
            (f"{served.auth_url}/v3/users", "GET", 502, "not for the cloud's Nova"),
            ("/images/detail?property-owner_id=redacted-owner", "GET", 502, "a placeholder"),
            (f"/images/detail?name={cloud.account.password}", "GET", 502, "redaction replaces"),
            (f"/images?x={cloud.project_id}", "GET", 502, "redaction replaces"),
            ("/images/detail?name=typed-into-a-client", "GET", 502, "redaction replaces"),
            (f"/images/detail?{own}", "GET", 200, "images"),
        ):
            answer = served.ask(path, method)
            assert (answer.status_code, says in answer.text) == (status, True), answer.text
        assert requests.get(f"{served.endpoint}/images", timeout=30).status_code == 401
        assert requests.get(evil, timeout=30).status_code == 200  # Nova's versions
        cloud.script[:] = [say(503), say(503)]
        for path in ("/images/detail", "/images"):
            fault = served.ask(path)
            assert (fault.status_code, "answered 503" in fault.text) == (502, True)
        assert served.ask().status_code == 200
        assert served.ask("/images").status_code == 200
        sent = [each for each in cloud.asked if "server" in each]
        assert sent == [
            f"{each.partition('?')[0]}?server={quote(cloud.origin, safe='')}%2Fservers%2F1"
            for each in sent
        ]
    assert served.code == 2
    errors = [line for line in served.errors.splitlines() if line.startswith("imagedetail: ")]
    assert len([line for line in errors if "warning: " not in line]) == 9
    recorded = sorted(path.name for path in (tmp_path / "cassettes/staging").rglob("*.yaml"))
    assert recorded[:2] == ["all.yaml", "clients.yaml"]
    assert len(recorded) == 3
    text = (tmp_path / "cassettes/staging/tests/clients.yaml").read_text()
    statuses = [each["response"]["status"]["code"] for each in yaml.safe_load(text)["interactions"]]
    assert statuses == [200, 200]


def test_what_is_recorded_is_not_asked_again(cloud, serve, imagedetail, tmp_path):
    """Nor another release added to it: the guard of `record` comes before the first request."""
    command = ("record", "--os-cloud=site", "--name=staging", "--release=2026.2")
    assert imagedetail(*command).returncode == 0
    before = (tmp_path / "cassettes/staging/all.yaml").read_bytes()
    with serve("--record", "staging") as served:
        cloud.asked.clear()
        assert len(served.ask().json()["images"]) == 13
        assert cloud.asked == []
    assert served.code == 0
    assert (tmp_path / "cassettes/staging/all.yaml").read_bytes() == before
    done = imagedetail("serve", *RECORD, "--release=2023.1")
    assert (done.returncode, done.stdout) == (4, "")
    (tmp_path / "imagedetail.yaml").unlink()
    done = imagedetail("serve", *RECORD, "--release=2023.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "imagedetail record" in done.stderr


def test_it_is_refused_before_anything_listens(cloud, imagedetail, tmp_path):
    """Wrong credentials, an unknown cloud, a wrong option or name, a damaged recording."""
    for arguments, code, problem in (
        (("--os-cloud=site",), 4, "--os-cloud is for recording"),
        (("--release=2026.2", "nova-2023.1"), 4, "--release is for recording"),
        (("--record", "--os-cloud=sight"), 2, "sight"),
        (("--record", "--os-cloud=site", "--name=a", "b"), 4, "are for one cloud"),
    ):
        done = imagedetail("serve", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert problem in done.stderr
    assert imagedetail("record", "--os-cloud=site").returncode == 0
    done = imagedetail("serve", "--record", "--os-cloud=site", "--name=SITE")
    assert (done.returncode, done.stdout) == (4, "")
    assert "differs from 'site' in case only" in done.stderr
    path = tmp_path / "cassettes/site/all.yaml"
    path.write_text(path.read_text().replace("ACTIVE", "ERROR", 1))
    done = imagedetail("serve", "--record", "--os-cloud=site")
    assert (done.returncode, done.stdout) == (2, "")
    assert "all.yaml" in done.stderr
    text = cloud.clouds_yaml("site").replace(json.dumps(cloud.account.password), '"Sesame!"')
    (tmp_path / "clouds.yaml").write_text(text)
    done = imagedetail("serve", "--record", "--os-cloud=site", "--name=other")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Sesame!" not in done.stderr


def test_another_release_after_an_outage_is_not_recorded(cloud, serve, tmp_path):
    """The guard looks again at a cloud that was away."""
    with serve(*RECORD) as served:
        assert served.ask().status_code == 200
        port = cloud.port
        cloud.stop()
        assert served.ask("/images/detail?limit=1").status_code == 502
        with SimulatedCloud(release="2023.1", port=port):
            fault = served.ask("/images/detail?limit=1")
            assert (fault.status_code, "release" in fault.text) == (502, True), fault.text
    assert served.code == 2
    assert sorted(path.name for path in (tmp_path / "cassettes/staging").iterdir()) == ["all.yaml"]
