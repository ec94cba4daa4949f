"""What a failing run that records prints and writes: every place where a secret could show."""

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from tests.cloud import SimulatedCloud

LOUD = (
    *("-vv", "-l", "--tb=long", "--log-level=DEBUG", "--log-cli-level=DEBUG", "-Werror"),
    *("--junitxml=junit.xml", "--imagedetail-report=r.html", "--imagedetail-report=r.json"),
    "--imagedetail-report=r.md",
)

# Each place fails: a fixture's setup and teardown, a test, and what a client made of an answer.
FAILING = """
import socket

import pytest


def refuse(address, *more, **named):
    raise ConnectionRefusedError(f"nobody at {address}")


@pytest.fixture
def imagedetail_cloud(imagedetail_cloud, monkeypatch):
    assert imagedetail_cloud.headers
    monkeypatch.setattr(socket, "create_connection", refuse)
    return imagedetail_cloud


@pytest.fixture
def in_setup(imagedetail_cloud):
    return imagedetail_cloud.list()


@pytest.fixture
def in_teardown(imagedetail_cloud):
    yield
    imagedetail_cloud.list()


@pytest.fixture
def compared(imagedetail, imagedetail_cloud):
    imagedetail.compare("staging", "staging")


@pytest.fixture
def translated(imagedetail_cloud):
    try:
        imagedetail_cloud.list()
    except Exception as error:
        raise RuntimeError("translated") from error


@pytest.fixture
def grouped(imagedetail_cloud):
    try:
        imagedetail_cloud.list()
    except Exception as error:
        raise ExceptionGroup("grouped", [error])


def test_setup(in_setup):
    pass


def test_teardown(in_teardown):
    pass


def test_compared(compared):
    pass


def test_translated(translated):
    pass


def test_grouped(grouped):
    pass


def test_call(imagedetail_cloud):
    imagedetail_cloud.list()
"""

DEFECT = """
import pytest

from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.cassette import Store


def defect(*arguments, **named):
    del arguments, named  # they are this frame's own, and the test's as far as anyone can tell
    raise {error}("a defect")


@pytest.fixture
def broken(monkeypatch, imagedetail_cloud):
    monkeypatch.setattr({place}, defect)


def test_defect(broken, imagedetail_cloud):
    imagedetail_cloud.list()


@pytest.fixture
def asking(broken, imagedetail_cloud):
    imagedetail_cloud.list()


def test_defect_in_setup(asking):
    pass
"""

HELD = """
def test_held(imagedetail, imagedetail_cloud, imagedetail_cassette):
    headers = imagedetail_cloud.headers
    copied = dict(headers)
    access = imagedetail.access("staging")
    project = imagedetail_cloud.project_id
    endpoint = imagedetail_cloud.endpoint
    assert not headers
"""

OWN_CLIENT = """
import urllib.request

import pytest


@pytest.fixture(params=["assertion", "error"])
def ask(request, imagedetail_cloud, imagedetail_cassette):
    url = imagedetail_cloud.endpoint + "/images/detail"
    if request.param == "error":
        url = url.replace("/images/detail", "/no-such-place")
    asked = urllib.request.Request(url, headers=dict(imagedetail_cloud.headers))
    answer = urllib.request.urlopen(asked).read()
    heard = imagedetail_cassette.interactions
    print(url, asked.headers)
    assert not heard


def test_own(ask):
    pass
"""


@pytest.fixture
def live(pytester, monkeypatch):
    """A project that declares one running cloud, `staging`."""
    with SimulatedCloud(release="2023.1") as cloud:
        clouds_yaml = pytester.path / "clouds.yaml"
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
        yield cloud


def secrets_of(cloud):
    """What must not show, by what it is."""
    account = cloud.account
    return {
        "token": account.token[:24],  # a long repr is shortened in its middle
        "password": account.password,
        "project id": account.project_id,
        "user id": account.user_id,
        "address": cloud.compute_url.split("/")[2],
    }


def shown(pytester, result, cloud):
    """The names of the secrets that output or a file shows, each with its place."""
    places = {"stdout": result.stdout.str(), "stderr": result.stderr.str()}
    for path in pytester.path.rglob("*"):
        if path.is_file() and path.name != "clouds.yaml" and path.suffix != ".pyc":
            places[path.name] = path.read_bytes().decode("utf-8", "replace")
    return {
        (name, place)
        for name, secret in secrets_of(cloud).items()
        for place, text in places.items()
        if secret in text
    }


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("once", ("--full-trace",)),
        ("rewrite", ("-qq",)),
        ("verify", ("--tb=native",)),
    ],
)
def test_our_errors_show_no_secret_wherever_they_come_up(pytester, live, mode, more):
    """In a fixture's setup and teardown and in a test, with the locals of every frame asked for."""
    if mode == "verify":
        pytester.makepyfile("def test_first(imagedetail_cloud): imagedetail_cloud.list()")
        pytester.runpytest_subprocess("--imagedetail-record-mode=once").assert_outcomes(passed=1)
    pytester.makepyfile(FAILING)
    result = pytester.runpytest_subprocess(f"--imagedetail-record-mode={mode}", *LOUD, *more)
    result.assert_outcomes(failed=1, errors=5, passed=1)
    assert shown(pytester, result, live) == set()


@pytest.mark.parametrize(
    ("place", "error", "more"),
    [
        ("transport, 'get'", "OSError", ["-qq"]),
        ("Store, 'write'", "ZeroDivisionError", ["--full-trace"]),
        ("transport, 'get'", "KeyboardInterrupt", ["--full-trace"]),
        ("Store, 'write'", "KeyboardInterrupt", ["-qq"]),
    ],
)
def test_a_defect_shows_our_lines_and_no_locals(pytester, live, error, place, more):
    """File and line of our frames are there to be reported, and what stood in them is not."""
    pytester.makepyfile(DEFECT.format(error=error, place=place))
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=once", *LOUD, *more)
    assert result.ret != pytest.ExitCode.OK
    if error != "KeyboardInterrupt" or "--full-trace" in more:
        result.stdout.fnmatch_lines(["*pytest_imagedetail*recorder.py:*"])
    assert shown(pytester, result, live) == set()


def test_what_a_test_holds_shows_no_secret(pytester, live):
    """Headers, a copy of them, project and endpoint stand in the test's own frame."""
    pytester.makepyfile(HELD)
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=once", *LOUD)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["headers *= *X-Auth-Token*"])
    assert shown(pytester, result, live) == set()


def test_an_own_client_that_fails_shows_no_secret(pytester, live):
    """Neither its frames, nor its error, nor what the test printed, nor what was heard so far."""
    pytester.makepyfile(OWN_CLIENT)
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=once", *LOUD)
    result.assert_outcomes(errors=2)
    assert shown(pytester, result, live) == set()
