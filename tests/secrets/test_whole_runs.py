"""Runs that record from a cloud which sends the session's own secrets back, written in every way.

What is written, printed and reported is read by an oracle that knows nothing of the gate.
"""

import re
import sys
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from planting import WRITINGS, decodings, is_in

from pytest_imagedetail.cassette import loads
from tests.cloud import Application, SimulatedCloud

TESTS = """
import urllib.request


def test_listing(imagedetail, imagedetail_cloud):
    listing = imagedetail_cloud.list()
    comparison = imagedetail.compare(listing, imagedetail_cloud.list(status="ACTIVE"))
    assert comparison.same and False, "fails, so that everything is shown"


def test_own_client(imagedetail_cloud, imagedetail_cassette):
    url = imagedetail_cloud.endpoint + "/images/detail?limit=3"
    asked = urllib.request.Request(url, headers=dict(imagedetail_cloud.headers))
    body = urllib.request.urlopen(asked).read().decode()
    print(body, asked.headers)
    assert "images" in body


def test_own_client_that_fails(imagedetail_cloud, imagedetail_cassette):
    url = imagedetail_cloud.endpoint + "/images/detail?limit=2"
    asked = urllib.request.Request(url, headers=dict(imagedetail_cloud.headers))
    body = urllib.request.urlopen(asked).read().decode()
    assert not body
"""
WRITTEN = {"all.yaml", "status=active-bc8e2fbf.yaml", "test_own_client.yaml"}
WRAPPED = {
    *("base64 behind one byte", "base64 behind two bytes", "base64 wrapped and indented"),
    *("base64 wrapped by CRLF", "gzip in base64", "lines of base64", "lines of gzip"),
    *("wrapped base64", "wrapped base64 in JSON", "wrapped base64 in a text"),
    *("wrapped base64 in percent", "wrapped gzip"),
}
REFUSED = {  # where redaction does not find it, and the gate does; elsewhere it is redacted
    "token": {"lines of gzip"},
    "password": WRAPPED,
    "project id": WRAPPED | {"base64", "hex", "urlsafe base64"},
    "user id": WRAPPED | {"base64", "hex", "urlsafe base64"},
    "address": WRAPPED | {"base64", "hex", "urlsafe base64"},
}
LOUD = (
    *("-vv", "-l", "-rA", "--tb=long", "--log-level=DEBUG", "--log-cli-level=DEBUG"),
    *("--junitxml=junit.xml", "--imagedetail-report=r.html", "--imagedetail-report=r.json"),
    "--imagedetail-report=r.md",
)


@pytest.fixture
def cloud(pytester, monkeypatch):
    """A running cloud whose images can still be changed; its project declares it."""
    cloud = SimulatedCloud(release="2023.1")
    old = cloud.application
    compute = replace(old.compute, rows=list(old.compute.rows))
    cloud.application = Application(identity=old.identity, compute=compute)
    with cloud:
        clouds_yaml = pytester.path / "clouds.yaml"
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
        yield cloud


def secrets_of(cloud):
    account = cloud.account
    return {
        "token": account.token,
        "password": account.password,
        "project id": account.project_id,
        "user id": account.user_id,
        "address": cloud.compute_url.split("/")[2],
    }


def plant(cloud, texts):
    """Put each text into the metadata and the name of an image of its own, the newest ones."""
    rows = cloud.application.compute.rows
    first = rows[0]
    rows[:0] = [
        replace(
            first,
            id=f"5ec2e700-0000-4000-8000-{number:012x}",
            name=text[:255],
            properties={**first.properties, "note": text},
        )
        for number, text in enumerate(texts)
    ]


def found(pytester, result, secrets, spellings):
    """What shows a secret: names of secrets, each with its place."""
    shown = set()
    for path in pytester.path.rglob("*"):
        if not path.is_file() or path.name == "clouds.yaml" or path.suffix == ".pyc":
            continue
        content = path.read_bytes()
        if path.suffix == ".yaml":
            shown |= {(name, path.name) for name, each in secrets.items() if is_in(each, content)}
        else:
            text = content.decode("utf-8", "replace")
            shown |= {(name, path.name) for name in secrets if says(text, name, secrets, spellings)}
    output = result.stdout.str() + result.stderr.str()
    return shown | {(name, "output") for name in secrets if says(output, name, secrets, spellings)}


def says(text, name, secrets, spellings):
    """Whether a text shows a secret as it is, as it was planted, or in a word that hides it."""
    secret = secrets[name]
    if secret in text or spellings[name] in text:
        return True
    words = {each for each in re.findall(r"[\w%+/=.:@-]{12,}", text) if len(each) < 4096}
    return any(secret in reading for word in words for reading in decodings(word, 2))


@pytest.mark.parametrize("writing", sorted(WRITINGS))
@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_cloud_sends_back_is_in_no_file_and_no_output(pytester, cloud, kind, writing):
    """It is redacted, or nothing is written and the run is red and says so."""
    secrets = secrets_of(cloud)
    spellings = {name: WRITINGS[writing](secret) for name, secret in secrets.items()}
    plant(cloud, [spellings[kind]])
    pytester.makepyfile(TESTS)
    result = pytester.runpytest("--imagedetail-record-mode=once", *LOUD)
    written = {path.name for path in (pytester.path / "cassettes").rglob("*.yaml")}
    refused = writing in REFUSED[kind]
    assert written == (set() if refused else WRITTEN)
    assert ("LeakError: refused to write: " in result.stdout.str()) == refused
    assert found(pytester, result, secrets, spellings) == set()


@pytest.mark.parametrize("mode", ["rewrite", "new_episodes", "verify"])
def test_a_cloud_that_begins_to_send_them_back(pytester, cloud, mode):
    """Recordings of better days stay, or become whole ones; no mode shows or keeps what came."""
    pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess("--imagedetail-record-mode=once", "-q")
    kept = {path: path.read_bytes() for path in (pytester.path / "cassettes").rglob("*.yaml")}
    assert len(kept) == 3
    secrets = secrets_of(cloud)
    for writing in ("raw", "base64", "hex", "JSON in JSON", "gzip in base64"):
        spellings = {name: WRITINGS[writing](secret) for name, secret in secrets.items()}
        plant(cloud, spellings.values())
        result = pytester.runpytest_subprocess(f"--imagedetail-record-mode={mode}", *LOUD)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert found(pytester, result, secrets, spellings) == set()
        for path, older in kept.items():
            assert loads(path).interactions
            assert mode == "rewrite" or path.read_bytes() == older


@pytest.mark.parametrize("writing", ["raw", "base64", "hex", "gzip in base64"])
def test_the_command_shows_none_either(pytester, cloud, writing):
    """Whatever the verb, and whether it writes, compares or only looks."""

    def run(*arguments):
        return pytester.run(sys.executable, "-m", "pytest_imagedetail", *arguments)

    assert run("record", "--os-cloud=staging").ret == 0
    secrets = secrets_of(cloud)
    spellings = {name: WRITINGS[writing](secret) for name, secret in secrets.items()}
    plant(cloud, spellings.values())
    for arguments in (
        ("record", "--os-cloud=staging"),
        ("record", "--os-cloud=staging", "--twice", "--name=twice"),
        ("verify", "--report=r.html", "--report=r.json", "--report=r.md"),
        ("verify", "--json"),
        ("doctor", "staging"),
    ):
        result = run(*arguments)
        assert result.ret in {0, 1, 2}, arguments  # a report, or a refusal: no usage, no crash
        assert "Traceback" not in result.stderr.str()
        assert "defect" not in result.stderr.str()
        assert found(pytester, result, secrets, spellings) == set(), arguments
