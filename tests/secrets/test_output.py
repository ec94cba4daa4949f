"""Every place where a failing run that records could show a live secret."""

import html
import json

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")
pytest.importorskip("requests")

JWTS = [f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2Vy{each}.s1gn{each}" for each in ("QWEx", "WmYy")]
PASSWORD = 'k9%sQz7{x}"L\\w%dvB2m'  # pytest colors its formats; a repr and JSON escape it
SHORT = "Pa55-wrd9"
SENT = "Sent-0nly by a l0gin: q7Zw"

CONFTEST = """
import json

import pytest

JWTS, PASSWORD, SHORT, SENT = json.load(open("facts.json"))

@pytest.fixture
def headers(imagedetail_cassette, imagedetail_cloud):
    return dict(imagedetail_cloud.headers)
"""

PLACES = """
import json
import logging
import sys
import threading
import warnings
from urllib.parse import quote

import pytest
import requests
from conftest import JWTS, PASSWORD, SENT, SHORT

@pytest.mark.parametrize("number", [0, 1])  # the cloud refuses both
def test_sent(imagedetail_cassette, imagedetail_cloud, number):
    requests.get(imagedetail_cloud.endpoint + "/servers", headers={"X-Auth-Token": JWTS[number]})

def test_login(imagedetail_cassette, imagedetail_cloud):
    user = {"name": "me", "domain": {"id": "default"}, "password": SENT}
    login = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    url = imagedetail_cloud.endpoint.partition("/v2")[0] + "/v3/auth/tokens"
    assert login == requests.post(url, json=login).json()

def test_printed(headers):
    print(headers, json.dumps(headers), quote(json.dumps(headers)))
    print(PASSWORD, quote(PASSWORD), f"{SHORT}, and ordinary text", file=sys.stderr)
    assert not headers

@pytest.fixture
def in_teardown(headers):
    yield
    raise ValueError(JWTS) from KeyError(PASSWORD)

def test_teardown(in_teardown):
    pass

def test_subtests(headers, subtests):
    with subtests.test("one", sent=headers):
        print("sent", headers)
        logging.getLogger("mine").warning("sent %s", headers)
        assert not headers
    with subtests.test(headers["X-Auth-Token"]):
        print("sent", headers)

def test_properties(headers, record_property):
    record_property("sent", headers)
    record_property("each", [(1, headers["X-Auth-Token"].encode())])
    assert not headers

def test_expected(headers):
    pytest.xfail(f"not with {headers}")

def test_skipped(headers):
    pytest.skip(f"not with {headers}")

def test_logged(headers):
    logging.getLogger("mine").warning("asked with %s", headers)
    try:
        raise ValueError(JWTS)
    except ValueError:
        logging.getLogger("mine").exception("failed")
    assert not headers

def test_warned(headers):
    warnings.warn(str(headers))
    warnings.warn(DeprecationWarning(headers, 1))

def raises(headers):
    raise ValueError(headers)

def test_thread(headers):
    thread = threading.Thread(target=raises, args=(headers,))
    thread.start()
    thread.join()
"""

INTERRUPTED = """
def stop(sent):
    raise KeyboardInterrupt

def test_interrupted(headers):
    stop(headers)
"""

OURS = """
import socket

import pytest

def refuse(address, *more, **named):
    raise ConnectionRefusedError(f"no answer at {address}")

@pytest.fixture
def lost(imagedetail_cloud, monkeypatch):
    assert imagedetail_cloud.headers
    monkeypatch.setattr(socket, "create_connection", refuse)
    return imagedetail_cloud

@pytest.fixture
def in_teardown(lost):
    yield
    lost.list()

@pytest.fixture
def translated(lost):
    try:
        lost.list()
    except Exception as error:
        raise ExceptionGroup("translated", [error]) from error

def test_teardown(in_teardown):
    pass

def test_translated(translated):
    pass

def test_defect(imagedetail_cloud, monkeypatch):
    from pytest_imagedetail.transport import http

    monkeypatch.setattr(http, "get", lambda *args, **named: 1 / 0)
    imagedetail_cloud.list()

def test_held(imagedetail, imagedetail_cloud):
    access = imagedetail.access("staging")
    project, endpoint = imagedetail_cloud.project_id, imagedetail_cloud.endpoint
    headers = imagedetail_cloud.headers
    assert not headers
"""

LOUD = (
    *("-p", "no:randomly", "-vv", "-l", "-rA", "--tb=long", "--color=yes"),
    *("--log-level=DEBUG", "--log-cli-level=DEBUG", "--log-file=all.log"),
    *("--log-file-level=DEBUG", "--junitxml=junit.xml", "-o", "junit_logging=all"),
)


@pytest.fixture
def loud(pytester, live):
    """A project that declares a running cloud, and has the passwords of two others."""
    clouds_yaml = pytester.path / "clouds.yaml"
    others = (
        f"  {name}: {json.dumps({'auth': {'password': password}})}\n"
        for name, password in (("other", PASSWORD), ("third", SHORT))
    )
    clouds_yaml.write_text(clouds_yaml.read_text() + "".join(others))
    (pytester.path / "facts.json").write_text(json.dumps([JWTS, PASSWORD, SHORT, SENT]))
    pytester.makeconftest(CONFTEST)
    return live


def secrets_of(cloud):
    account = cloud.account
    secrets = (account.token, account.password, account.project_id, account.user_id)
    return (*secrets, *JWTS, PASSWORD, SENT), SHORT, cloud.compute_url.split("/")[2]


@pytest.mark.parametrize(
    "more",
    [(*LOUD, "-n2", "--dist=loadfile"), ("-qq", "--full-trace")],
    ids=["loud workers", "quiet"],
)
def test_a_live_secret_is_shown_nowhere(pytester, loud, shown, more):
    """Not in assertions, output, logs, subtests, properties, reasons, warnings, JUnit or locals."""
    pytester.makepyfile(test_places=PLACES, test_ours=OURS)
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=rewrite", *more)
    if "-qq" not in more:
        counts = {"passed": 6, "failed": 8, "errors": 5, "skipped": 1, "xfailed": 1}
        assert {key: result.parseoutcomes().get(key) for key in counts} == counts
        result.stdout.fnmatch_lines(["*<hidden>, and ordinary text*"])
    assert shown(result, *secrets_of(loud)) == set()
    if "--junitxml=junit.xml" in more:
        junit = html.unescape((pytester.path / "junit.xml").read_text())
        assert """name="sent" value="{'X-Auth-Token': '<hidden>'""" in junit
        assert "asked with {'X-Auth-Token': '<hidden>'" in (pytester.path / "all.log").read_text()


def test_an_interrupted_run_shows_no_live_secret(pytester, loud, shown):
    """Even with --full-trace, which shows arguments."""
    pytester.makepyfile(test_interrupted=INTERRUPTED)
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=once", "-l", "--full-trace")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*raise KeyboardInterrupt*"])
    assert shown(result, *secrets_of(loud)) == set()
