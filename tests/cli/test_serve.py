"""`imagedetail serve`: recordings as clouds, asked by clients that know nothing of recordings."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import yaml

LIBRARY = Path(__file__).parents[2] / "cassettes"
PROJECT = "0" * 32
COMMAND = (sys.executable, "-m", "pytest_imagedetail")


@pytest.fixture
def imagedetail(tmp_path):
    """Run the command to its end in an empty folder."""

    def run(*arguments):
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def serve(tmp_path):
    """Serve clouds in an empty folder for as long as a block runs."""

    @contextmanager
    def serving(*arguments):
        process = subprocess.Popen(
            [*COMMAND, "serve", "--clouds-yaml", "clouds.yaml", *arguments],
            cwd=tmp_path,
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

    return serving


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


def test_answers_are_those_that_were_recorded(serve):
    """But for the address in links, which is the server's own; a wrong limit is refused as then."""
    with serve("nova-2023.1", "nova-2024.2") as served:
        for cloud in served.auth_urls:
            own = "http://" + urlsplit(served.auth_urls[cloud]).netloc
            for name, path in {"all": "", "limit=0": "?limit=0", "limit=3": "?limit=3"}.items():
                status, document = served.get(cloud, f"/images/detail{path}")
                text = json.dumps(document)
                assert f"https://compute.{cloud}.invalid" not in text
                back = text.replace(own, f"https://compute.{cloud}.invalid")
                assert (status, json.loads(back)) == recorded(cloud, name)
        assert served.get("nova-2023.1", "/images/detail?limit=0")[0] == 200
        assert served.get("nova-2024.2", "/images/detail?limit=0")[0] == 400


def test_next_links_lead_to_the_server(serve):
    """A client that follows one asks the server, which has the next page."""
    with serve("nova-2023.1") as served:
        _, page = served.get("nova-2023.1", "/images/detail?limit=3")
        (link,) = page["images_links"]
        token, endpoint = served.login("nova-2023.1")
        assert link["href"].startswith(f"{endpoint}/images/detail?")
        answer = requests.get(link["href"], headers={"X-Auth-Token": token}, timeout=30)
        assert answer.status_code == 200
        assert len(answer.json()["images"]) == 3
        assert not {each["id"] for each in page["images"]} & {
            each["id"] for each in answer.json()["images"]
        }


OF_SDK = """
import json, openstack, sys
for cloud in sys.argv[1:]:
    with openstack.connect(cloud) as connection:
        print(connection.current_project_id, *(each.id for each in connection.compute.images()))
"""


def test_openstacksdk_lists_images_of_every_release(serve, tmp_path):
    """It reads the written clouds.yaml, logs in, discovers the version and lists all images."""
    pytest.importorskip("openstack", reason="recording needs the extra `record`")
    clouds = [f"nova-{each}" for each in ("2019.1", "2020.2", "2023.1", "2024.2", "2026.2")]
    with serve(*clouds, "openstack-sample") as served:
        done = subprocess.run(
            [sys.executable, "-c", OF_SDK, *served.auth_urls],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    for cloud, line in zip(served.auth_urls, done.stdout.splitlines(), strict=True):
        ids = [each["id"] for each in recorded(cloud)[1]["images"]]
        assert line.split() == [PROJECT, *ids], cloud


def test_a_plain_client_gets_what_is_no_listing_of_v21(serve):
    """The documented URL from the catalog, one image and Nova's own versions, of every release."""
    clouds = sorted(path.name for path in LIBRARY.glob("nova-*"))
    with serve(*clouds) as served:
        for cloud in clouds:
            token, endpoint = served.login(cloud)
            legacy = served.legacy_endpoint(cloud, token)
            root = endpoint.removesuffix("/v2.1")
            assert legacy == f"{root}/v2/{PROJECT}"

            def got(url, token=token):
                answer = requests.get(url, headers={"X-Auth-Token": token}, timeout=30)
                assert answer.status_code == 200, url
                return answer.json()

            for url in (f"{legacy}/images/detail?status=ACTIVE", f"{endpoint}/images/detail"):
                for each in got(url)["images"]:
                    assert got(each["links"][0]["href"])["image"] == each, cloud
            version = got(f"{root}/v2.1/")["version"]
            assert version["links"][0]["href"] == f"{root}/v2.1/"
            assert len(got(f"{root}/")["versions"]) == 2


def test_what_is_recorded_from_it_is_the_library(serve, imagedetail):
    """Recording from a served cloud gives the same cassette but for its date; and two clouds."""
    pytest.importorskip("openstack", reason="recording needs the extra `record`")
    queries = {"all": (), "limit=3": ("--query=limit=3",), "status=active-bc8e2fbf": ()}
    queries["status=active-bc8e2fbf"] = ("--query=status=ACTIVE",)
    with serve("nova-2019.2", "nova-2026.2") as served:
        for cloud in served.auth_urls:
            release = f"--release={cloud.removeprefix('nova-')}"
            for name, query in queries.items():
                done = imagedetail("record", f"--os-cloud={cloud}", release, *query)
                assert done.returncode == 0, done.stderr
                ours = Path("cassettes") / cloud / f"{name}.yaml"
                theirs = LIBRARY / cloud / f"{name}.yaml"
                same = imagedetail("diff", str(ours), str(theirs), "--fail-on=change")
                assert (same.returncode, same.stderr) == (0, "")
                assert "no difference" in same.stdout


def test_own_recordings_come_first(serve, imagedetail, tmp_path):
    """A query that the project recorded itself is its own; the library answers the others."""
    (tmp_path / "body.json").write_text('{"images": []}')
    assert imagedetail("import", "body.json", "--cloud=nova-2023.1").returncode == 0
    with serve("nova-2023.1") as served:
        assert served.get("nova-2023.1", "/images/detail") == (200, {"images": []})
        token, endpoint = served.login("nova-2023.1")
        library = endpoint.replace("/v2", "/v2.1/images/detail?limit=3")
        answer = requests.get(library, headers={"X-Auth-Token": token}, timeout=30)
        assert len(answer.json()["images"]) == 3


def test_what_was_not_recorded_is_a_fault(serve):
    """Nova's form of an error: what is missing, what comes nearest, which command records it."""
    with serve("nova-2023.1") as served:
        status, fault = served.get("nova-2023.1", "/images/detail?limit=4")
        assert (status, fault["notImplemented"]["code"]) == (501, 501)
        problem, where, remedy = fault["notImplemented"]["message"].splitlines()
        assert problem == "nothing is recorded for GET /v2.1/images/detail?limit=4"
        assert where.startswith("  where: cloud nova-2023.1, nearest recordings: GET /v2.1/images/")
        command = "imagedetail record --os-cloud NAME --query=limit=4"
        assert remedy == f"  next:  record it from a real cloud: {command}"
        status, fault = served.get("nova-2023.1", "/servers")
        assert status == 501
        assert "images/detail" in fault["notImplemented"]["message"].splitlines()[-1]


def test_keystone_answers_as_clients_expect(serve):
    """Both versions of it accept any password; only their token opens Nova."""
    with serve("nova-2023.1") as served:
        url = served.auth_urls["nova-2023.1"]
        token, endpoint = served.login("nova-2023.1", password="another")
        credentials = {"username": "u", "password": "p"}
        answer = requests.post(
            f"{url}/v2.0/tokens",
            json={"auth": {"passwordCredentials": credentials, "tenantName": "t"}},
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
        # A 401 where Keystone is not makes openstacksdk wait forever.
        for place in ("/identify", "/v3", "/v2.0", "/identity/v2", "/identity/v3x", "/"):
            answer = requests.get(url.removesuffix("/identity") + place, timeout=30)
            assert answer.status_code == (200 if place == "/" else 404)
            assert place == "/" or answer.json()["error"]["message"].endswith(f"auth_url is {url}")


def test_versions_are_told_without_a_token(serve):
    """Discovery of Keystone, of Nova and of its newest microversion."""
    with serve("nova-2023.1") as served:
        url = served.auth_urls["nova-2023.1"]
        root = url.removesuffix("/identity")
        assert requests.get(url, timeout=30).status_code == 300
        assert requests.get(f"{url}/v3", timeout=30).json()["version"]["id"] == "v3.14"
        for place in ("/v2.1", "/v2.1/"):
            version = requests.get(root + place, timeout=30).json()["version"]
            assert (version["id"], version["version"]) == ("v2.1", "2.95")
        (_, version) = requests.get(f"{root}/", timeout=30).json()["versions"]
        assert version["links"] == [{"rel": "self", "href": f"{root}/v2.1/"}]


def test_many_clients_at_once(serve):
    """Each gets its whole answer, on connections that are kept alive and that are not."""
    with serve("nova-2023.1") as served:
        token, endpoint = served.login("nova-2023.1")

        def ask(number):
            with requests.Session() as session:
                session.headers["X-Auth-Token"] = token
                if number % 2:
                    session.headers["Connection"] = "close"
                answers = [session.get(f"{endpoint}/images/detail", timeout=60) for _ in range(5)]
            return [(each.status_code, len(each.json()["images"])) for each in answers]

        with ThreadPoolExecutor(32) as pool:
            assert list(pool.map(ask, range(64))) == [[(200, 14)] * 5] * 64


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_it(serve, number):
    """With exit code 0, no complaint and no waiting for a client that keeps its connection."""
    with serve("nova-2023.1") as served:
        token, endpoint = served.login("nova-2023.1")
        with requests.Session() as session:
            session.get(f"{endpoint}/images/detail", headers={"X-Auth-Token": token}, timeout=30)
            served.process.send_signal(number)
            assert served.process.wait(timeout=60) == 0
        with pytest.raises(requests.ConnectionError):
            requests.get(endpoint, timeout=30)


def test_globs_and_ports(serve, imagedetail):
    """A glob names several clouds; the first has the port that was typed, the others the next."""
    done = imagedetail("serve", "nova-2O24*")
    assert (done.returncode, done.stdout) == (4, "")
    assert "no cloud matches 'nova-2O24*'" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = imagedetail("serve", "nova-2023.1", "--port", str(port))
        assert (done.returncode, done.stdout) == (2, "")
        assert f"port {port} cannot be used: Address already in use" in done.stderr
        assert "next:  choose another port, or 0 for one that is free" in done.stderr
        done = imagedetail("serve", "nova-2023.1", "nova-2024.2", "--port", str(port - 1))
        assert (done.returncode, done.stdout) == (2, "")
    done = imagedetail("serve", "nova-2023.1", "--port", "99999")
    assert (done.returncode, done.stdout) == (2, "")
    with serve("openstack-sampl?", "--port", str(port)) as served:
        assert served.auth_urls == {"openstack-sample": f"http://127.0.0.1:{port}/identity"}


def test_a_damaged_cassette_is_not_served(imagedetail, tmp_path):
    """Nor a cloud that is declared and has no recording: an error before anything listens."""
    shutil.copytree(LIBRARY / "openstack-sample", tmp_path / "cassettes" / "openstack-sample")
    path = tmp_path / "cassettes" / "openstack-sample" / "all.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("ACTIVE", "ERROR", 1))
    (tmp_path / "imagedetail.yaml").write_text("clouds: {lost: {}}\n")
    for name in ("cut", "bare"):
        (tmp_path / "cassettes" / name).mkdir()
    (tmp_path / "cassettes" / "cut" / "all.yaml").touch()
    for cloud, code, problem in (
        ("openstack-sample", 2, "cassettes/openstack-sample/all.yaml"),
        ("cut", 2, "the cassette is empty"),
        ("lost", 2, "nothing is recorded for cloud 'lost'"),
        ("bare", 4, "unknown cloud 'bare'"),
    ):
        done = imagedetail("serve", "nova-2023.1", cloud)
        assert (done.returncode, done.stdout) == (code, ""), cloud
        assert problem in done.stderr
        assert done.stderr.count("imagedetail: ") == 1


def test_a_foreign_clouds_yaml_stays(imagedetail, serve, tmp_path):
    """Only a file that the command wrote itself is written over."""
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {mine: {}}\n")
    done = imagedetail("serve", "nova-2023.1", "--clouds-yaml", "clouds.yaml")
    assert (done.returncode, done.stdout) == (4, "")
    assert "was not written by `imagedetail serve`" in done.stderr
    assert path.read_text() == "clouds: {mine: {}}\n"
    done = imagedetail("serve", "nova-2023.1", "--clouds-yaml", "no/such/folder.yaml")
    assert (done.returncode, done.stdout) == (4, "")
    path.unlink()
    for _ in range(2):
        with serve("nova-2023.1") as served:
            (entry,) = yaml.safe_load(path.read_text())["clouds"].values()
            assert entry["auth"]["auth_url"] == served.auth_urls["nova-2023.1"]
    assert [each.name for each in tmp_path.iterdir()] == ["clouds.yaml"]
