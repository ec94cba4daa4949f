"""A test's own client: no recording has the secrets that it sends or gets."""

import json
import re
import shutil

import pytest

from tests.cloud import LoopbackServer

TOKEN = "gAAAAABmZ0tok" + "Xy7-" * 45 + "abcdefghijklmnop=="
PASSWORD = "Sup3rS3cretPassw0rd"
ADMIN = "zz-Top-Secret-Adm1n"
CONFIGURED = {"clouds": {"staging": {"auth": {"password": PASSWORD}}}}

CONFTEST = """
import json

URL, PASSWORD = json.load(open("facts.json"))
LOGIN = {"auth": {"identity": {"methods": ["password"], "password": {
    "user": {"name": "me", "domain": {"id": "default"}, "password": PASSWORD}}}}}
"""

ASKING = """
import pytest
import requests
from conftest import LOGIN, URL

pytestmark = pytest.mark.imagedetail("staging")

def test_login(imagedetail_cassette):
    answer = requests.post(URL + "/v3/auth/tokens", json=LOGIN)
    assert requests.get(URL + "/servers", headers={"X-Auth-Token": "x"}).ok

def test_described(imagedetail_cassette):
    assert requests.get(URL + "/described").ok
"""


def application(environ, start_response):
    """Keystone, and a Nova that repeats a password."""
    headers = [("Content-Type", "application/json")]
    if environ["REQUEST_METHOD"] == "POST":
        document = {"token": {"methods": ["password"]}}
        headers.append(("X-Subject-Token", TOKEN))
    elif environ["PATH_INFO"] == "/described":
        document = {"description": f"log in with {PASSWORD}"}
    else:
        document = {"server": {"adminPass": ADMIN}}
    body = json.dumps(document).encode()
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def live(pytester, monkeypatch):
    """A project whose tests ask a running cloud with clients and headers of their own."""
    pytest.importorskip("requests")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    server = LoopbackServer(application)
    facts = [f"http://127.0.0.1:{server.port}", PASSWORD]
    (pytester.path / "facts.json").write_text(json.dumps(facts))
    pytester.makeconftest(CONFTEST)
    yield pytester
    server.close()


def once(pytester, *arguments):
    """Record, in a process of its own."""
    command = ("-p", "no:randomly", "--imagedetail-record-mode=once", *arguments)
    return pytester.runpytest_subprocess(*command)


SETTING = """
import pytest
import requests
from conftest import URL

pytestmark = pytest.mark.imagedetail("staging")

def test_before(monkeypatch, imagedetail_cassette):
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "elsewhere.yaml")
    assert requests.get(URL + "/described").ok

def test_behind(imagedetail_cassette, monkeypatch):
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "elsewhere.yaml")
    assert requests.get(URL + "/described").ok
"""


def test_no_recording_has_a_password(live, shown):
    """Sent by another test, or known from clouds.yaml only, even if a fixture sets its place.

    In any order and in workers. The file is read before the fixtures of a test end.
    """
    head, login, described = re.split(r"(?m)^(?=def )", ASKING)
    for source, file, runs, redacted in (
        (ASKING, "unused.yaml", [()], 1),
        (head + described + login, "clouds.yaml", [("-n2",)], 1),
        (SETTING, "elsewhere.yaml", [("-k", "test_before"), ("-k", "test_behind")], 2),
    ):
        live.makepyfile(test_own=source)
        (live.path / file).write_text(json.dumps(CONFIGURED))
        for more in runs:
            result = once(live, *more)
            assert result.ret == 0
            assert shown(result, (TOKEN, PASSWORD, ADMIN)) == set()
        texts = [path.read_text() for path in (live.path / "cassettes").rglob("*.yaml")]
        assert len(texts) == 2
        assert sum("log in with <redacted" in text for text in texts) == redacted
        (live.path / file).unlink()
        shutil.rmtree(live.path / "cassettes")


def test_nothing_is_written_where_a_clouds_yaml_is_broken(live, shown):
    """The secrets are unknown then; the project's own file fails a test before it asks."""
    broken = f"clouds: [{PASSWORD}"
    for name, source, outcome in (
        ("elsewhere", SETTING, {"passed": 2, "errors": 2}),
        ("clouds", ASKING, {"errors": 2}),
    ):
        live.makepyfile(test_own=source)
        (live.path / f"{name}.yaml").write_text(broken)
        result = once(live)
        result.assert_outcomes(**outcome)
        result.stdout.fnmatch_lines(["the file is not valid YAML"])
        assert not (live.path / "cassettes").exists()
        assert shown(result, (TOKEN, PASSWORD, ADMIN)) == set()


def test_a_secret_in_the_name_of_a_test(live):
    """The recording would have the secret in its file name."""
    live.makepyfile(
        f"""
        import pytest
        import requests
        from conftest import URL

        @pytest.mark.imagedetail("staging")
        @pytest.mark.parametrize("token", ["{ADMIN}"])
        def test_named(imagedetail_cassette, token):
            requests.get(URL + "/servers", headers={{"X-Auth-Token": token}})
        """
    )
    result = once(live)
    result.assert_outcomes(passed=1, errors=1)
    assert not list((live.path / "cassettes").rglob("*.yaml"))
    result.stdout.fnmatch_lines(
        [
            "* ERROR at teardown of test_named*",
            "refused to write: the test's name has a secret, *",
            "  where: test_a_secret_in_the_name_of_a_test.py::test_named; nothing was written",
            '  next: *pytest.param(..., id="with a token"), or ids= of parametrize',
        ],
        consecutive=True,
    )
