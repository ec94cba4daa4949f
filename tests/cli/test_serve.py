"""`imagedetail serve`: recordings as clouds, asked by clients that know nothing of recordings."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import yaml

LIBRARY = Path(__file__).parents[2] / "cassettes"
PROJECT = "0" * 32
ACTIVE = "status=active-bc8e2fbf"
CLOUDS = sorted(path.name for path in LIBRARY.glob("nova-*"))
OLD, NEW = "nova-2023.1", "nova-2024.2"
COMMAND = (sys.executable, "-m", "pytest_imagedetail")


@contextmanager
def serving(folder, *arguments):
    """Serve clouds in a folder for as long as a block runs."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--clouds-yaml", "clouds.yaml", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wanted = [each for each in arguments if not each.startswith("-") and not each.isdigit()]
        lines = [process.stdout.readline().split() for _ in wanted]
        yield Served(process, dict(lines))
    finally:
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, "")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """All releases of Nova, and a folder with their clouds.yaml."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, *CLOUDS) as served:
        served.folder = folder
        yield served


class Served:
    """A running command, and where its clouds are."""

    def __init__(self, process, auth_urls):
        self.process, self.auth_urls = process, auth_urls

    def login(self, cloud, password="whatever"):
        """A token and the compute endpoint, by Keystone v3."""
        user = {"name": "u", "password": password, "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        answer = requests.post(
            f"{self.auth_urls[cloud]}/v3/auth/tokens",
            json={"auth": {"identity": identity}},
            timeout=30,
        )
        token = answer.json()["token"]
        assert (answer.status_code, token["project"]["id"]) == (201, PROJECT)
        return answer.headers["X-Subject-Token"], _endpoint(token["catalog"])

    def legacy_endpoint(self, cloud, token):
        """The endpoint of /v2 in the catalog."""
        url = f"{self.auth_urls[cloud]}/v3/auth/catalog"
        answer = requests.get(url, headers={"X-Auth-Token": token}, timeout=30)
        return _endpoint(answer.json()["catalog"], "compute_legacy")

    def get(self, cloud, path):
        """What urllib gets with a token: status and document."""
        token, endpoint = self.login(cloud)
        request = urllib.request.Request(endpoint + path, headers={"X-Auth-Token": token})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


def _endpoint(catalog, kind="compute"):
    (compute,) = (each for each in catalog if each["type"] == kind)
    return next(each["url"] for each in compute["endpoints"] if each["interface"] == "public")


def recorded(cloud, query="all"):
    """What the library holds: the status and the document of the first answer."""
    text = (LIBRARY / cloud / f"{query}.yaml").read_text(encoding="utf-8")
    answer = yaml.load(text, Loader=yaml.CSafeLoader)["interactions"][0]["response"]
    return answer["status"]["code"], json.loads(answer["body"]["string"])


def test_answers_are_those_that_were_recorded(served):
    """But for the address in links, which is the server's own; a wrong limit is refused as then."""
    for cloud in (OLD, NEW):
        own = "http://" + urlsplit(served.auth_urls[cloud]).netloc
        for name, path in {"all": "", "limit=0": "?limit=0", "limit=3": "?limit=3"}.items():
            status, document = served.get(cloud, f"/images/detail{path}")
            text = json.dumps(document)
            assert f"https://compute.{cloud}.invalid" not in text
            back = text.replace(own, f"https://compute.{cloud}.invalid")
            assert (status, json.loads(back)) == recorded(cloud, name)
    assert served.get(OLD, "/images/detail?limit=0")[0] == 200
    assert served.get(NEW, "/images/detail?limit=0")[0] == 400


def test_a_plain_client_gets_what_is_no_listing_of_v21(served):
    """The documented URL, next links, one image and Nova's own versions, of every release."""
    for cloud in CLOUDS:
        token, endpoint = served.login(cloud)
        legacy = served.legacy_endpoint(cloud, token)
        root = endpoint.removesuffix("/v2.1")
        assert legacy == f"{root}/v2/{PROJECT}"

        def got(url, token=token):
            answer = requests.get(url, headers={"X-Auth-Token": token}, timeout=30)
            assert answer.status_code == 200, url
            return answer.json()

        images = got(f"{endpoint}/images/detail")["images"]
        for each in images:
            assert got(each["links"][0]["href"])["image"] == each, cloud
        first = got(f"{endpoint}/images/detail?limit=3")
        second = got(first["images_links"][0]["href"])
        assert first["images"] + second["images"] == images[:6]
        assert len(got(f"{legacy}/images/detail?status=ACTIVE")["images"]) == 8
        version = got(f"{root}/v2.1/")["version"]
        assert version["links"][0]["href"] == f"{root}/v2.1/"
        assert len(got(f"{root}/")["versions"]) == 2


def test_what_is_recorded_from_it_is_the_library(served, imagedetail, monkeypatch):
    """Recording from a served cloud gives the same cassette but for its date."""
    pytest.importorskip("openstack", reason="recording needs the extra `record`")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(served.folder / "clouds.yaml"))
    for query, name in (("", "all"), ("limit=3", "limit=3"), ("status=ACTIVE", ACTIVE)):
        typed = (f"--query={query}",) if query else ()
        done = imagedetail("record", "--os-cloud=nova-2026.2", "--release=2026.2", *typed)
        assert done.returncode == 0, done.stderr
        theirs = LIBRARY / "nova-2026.2" / f"{name}.yaml"
        ours = f"cassettes/nova-2026.2/{name}.yaml"
        same = imagedetail("diff", ours, str(theirs), "--fail-on=change")
        assert (same.returncode, same.stderr) == (0, "")
        assert "no difference" in same.stdout


def test_own_recordings_come_first(imagedetail, tmp_path):
    """A query that the project recorded itself is its own; the library answers the others."""
    (tmp_path / "body.json").write_text('{"images": []}')
    assert imagedetail("import", "body.json", "--cloud=nova-2023.1").returncode == 0
    with serving(tmp_path, OLD) as served:
        assert served.get(OLD, "/images/detail") == (200, {"images": []})
        token, endpoint = served.login(OLD)
        library = endpoint.replace("/v2", "/v2.1/images/detail?limit=3")
        answer = requests.get(library, headers={"X-Auth-Token": token}, timeout=30)
        assert len(answer.json()["images"]) == 3


def test_what_was_not_recorded_is_a_fault(served):
    """Nova's form of an error: what is missing, what comes nearest, which command records it."""
    status, fault = served.get(OLD, "/images/detail?limit=4")
    assert (status, fault["notImplemented"]["code"]) == (501, 501)
    problem, where, remedy = fault["notImplemented"]["message"].splitlines()
    assert problem == "nothing is recorded for GET /v2.1/images/detail?limit=4"
    assert where.startswith("  where: cloud nova-2023.1, nearest recordings: GET /v2.1/images/")
    command = "imagedetail record --os-cloud NAME --query=limit=4"
    assert remedy == f"  next:  record it from a real cloud: {command}"


def test_keystone_answers_as_clients_expect(served):
    """Both versions of it accept any password; only their token opens Nova."""
    url = served.auth_urls[OLD]
    token, endpoint = served.login(OLD, password="another")
    answer = requests.post(
        f"{url}/v2.0/tokens",
        json={"auth": {"passwordCredentials": {"username": "u"}, "tenantName": "t"}},
        timeout=30,
    )
    access = answer.json()["access"]
    assert (access["token"]["id"], access["token"]["tenant"]["id"]) == (token, PROJECT)
    compute = {each["type"]: each["endpoints"][0] for each in access["serviceCatalog"]}
    assert compute["compute"]["publicURL"] == endpoint
    for wrong in ({}, {"X-Auth-Token": "stolen"}):
        for place in (f"{endpoint}/images/detail", f"{url}/v3/auth/tokens"):
            answer = requests.get(place, headers=wrong, timeout=30)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, 401)
            assert url in answer.headers["WWW-Authenticate"]
    root = url.removesuffix("/identity")
    # A 401 where Keystone is not makes openstacksdk wait forever.
    for place in ("/identify", "/v3", "/v2.0", "/identity/v2", "/identity/v3x"):
        answer = requests.get(root + place, timeout=30)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"].endswith(f"auth_url is {url}")
    assert requests.get(url, timeout=30).status_code == 300  # versions need no token
    assert requests.get(f"{url}/v3", timeout=30).json()["version"]["id"] == "v3.14"
    version = requests.get(f"{root}/v2.1", timeout=30).json()["version"]
    assert (version["id"], version["version"]) == ("v2.1", "2.95")


def test_a_signal_ends_it(tmp_path):
    """With exit code 0, no complaint and no waiting for a client that keeps its connection."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with serving(tmp_path, OLD) as served:
            token, endpoint = served.login(OLD)
            with requests.Session() as session:
                headers = {"X-Auth-Token": token}
                session.get(f"{endpoint}/images/detail", headers=headers, timeout=30)
                served.process.send_signal(number)
                assert served.process.wait(timeout=60) == 0
            with pytest.raises(requests.ConnectionError):
                requests.get(endpoint, timeout=30)


def test_it_is_refused_before_anything_listens(imagedetail, tmp_path):
    """A port that is taken, a damaged cassette, a lost cloud, a file that is somebody else's."""
    for name in ("openstack-sample", "cut", "bare"):
        (tmp_path / "cassettes" / name).mkdir(parents=True)
    text = (LIBRARY / "openstack-sample" / "all.yaml").read_text(encoding="utf-8")
    damaged = tmp_path / "cassettes" / "openstack-sample" / "all.yaml"
    damaged.write_text(text.replace("ACTIVE", "ERROR", 1))
    (tmp_path / "cassettes" / "cut" / "all.yaml").touch()
    (tmp_path / "imagedetail.yaml").write_text("clouds: {lost: {}}\n")
    (tmp_path / "clouds.yaml").write_text("clouds: {mine: {}}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments, code, problem in (
            (("nova-2O24*",), 4, "no cloud matches 'nova-2O24*'"),
            ((f"--port={port}",), 2, f"port {port} cannot be used: Address already in use"),
            ((NEW, f"--port={port - 1}"), 2, "next:  choose another port, or 0 for one that is"),
            (("--port=99999",), 2, "port 99999 cannot be used"),
            (("openstack-sample",), 2, "cassettes/openstack-sample/all.yaml"),
            (("cut",), 2, "the cassette is empty"),
            (("lost",), 2, "nothing is recorded for cloud 'lost'"),
            (("bare",), 4, "unknown cloud 'bare'"),
            (("--clouds-yaml=clouds.yaml",), 4, "was not written by `imagedetail serve`"),
            (("--clouds-yaml=no/such/folder.yaml",), 4, "no/such/folder.yaml"),
        ):
            done = imagedetail("serve", OLD, *arguments)
            assert (done.returncode, done.stdout) == (code, ""), arguments
            assert problem in done.stderr, arguments
            assert done.stderr.count("imagedetail: ") == 1
    assert (tmp_path / "clouds.yaml").read_text() == "clouds: {mine: {}}\n"
    (tmp_path / "clouds.yaml").unlink()
    for _ in range(2):  # it writes over its own file
        with serving(tmp_path, "nova-2023.?", "--port", str(port)) as served:
            assert served.auth_urls == {OLD: f"http://127.0.0.1:{port}/identity"}
            (entry,) = yaml.safe_load((tmp_path / "clouds.yaml").read_text())["clouds"].values()
            assert entry["auth"]["auth_url"] == served.auth_urls[OLD]
