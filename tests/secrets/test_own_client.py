"""A test's own client: what it sends and gets is in no report, and in no recording of any test."""

import json
import re
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

TOKEN = "gAAAAABmZ0tok" + "Xy7-" * 45 + "abcdefghijklmnop=="
PASSWORD = "Sup3rS3cretPassw0rd"
ADMIN = "zz-Top-Secret-Adm1n"
LOUD = ("-vv", "-l", "--junitxml=junit.xml", "-o", "junit_logging=all")

CONFTEST = """
import json

import pytest

URL, TOKEN, PASSWORD = json.load(open("facts.json"))
LOGIN = {"auth": {"identity": {"methods": ["password"], "password": {
    "user": {"name": "me", "domain": {"id": "default"}, "password": PASSWORD}}}}}

@pytest.fixture
def headers():
    return {"X-Auth-Token": TOKEN}

@pytest.fixture
def url():
    return URL
"""

FAILING = """
import json

import pytest
import requests
from conftest import LOGIN

pytestmark = pytest.mark.imagedetail("staging")


def test_token(imagedetail_cassette, headers, url, record_property):
    record_property("sent", str(headers))
    print("sent", headers)
    answer = requests.get(url + "/servers", headers=headers)
    assert answer.json() == {"headers": headers}


def test_login(imagedetail_cassette, url):
    login = json.dumps(LOGIN)
    issued = requests.post(url + "/v3/auth/tokens", data=login).headers["X-Subject-Token"]
    server = requests.get(url + "/servers", headers={"X-Auth-Token": issued}).json()
    assert (login, issued) == (server, "")


def test_later(imagedetail_cassette, headers):
    assert headers == LOGIN


def test_nobody_answers(imagedetail_cassette, headers):
    requests.get("http://127.0.0.1:9/", headers=headers)
"""

ASKING = """
import pytest
import requests
from conftest import LOGIN

pytestmark = pytest.mark.imagedetail("staging")


def test_login(imagedetail_cassette, url):
    answer = requests.post(url + "/v3/auth/tokens", json=LOGIN)
    assert requests.get(url + "/servers", headers={"X-Auth-Token": "x"}).ok


def test_described(imagedetail_cassette, url):
    assert requests.get(url + "/described").ok
"""


class Cloud(BaseHTTPRequestHandler):
    """A Keystone and a Nova that repeats a password."""

    def do_POST(self):
        """Issue the token."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send({"token": {"methods": ["password"]}}, ("X-Subject-Token", TOKEN))

    def do_GET(self):
        """Answer with a server, or with a text that quotes the password."""
        if self.path == "/described":
            self._send({"description": f"log in with {PASSWORD}"})
        else:
            self._send({"server": {"adminPass": ADMIN}})

    def _send(self, document, *fields):
        body = json.dumps(document).encode()
        self.send_response(200)
        for name, value in (*fields, ("Content-Type", "application/json")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def live(pytester, monkeypatch):
    """A project whose tests ask a running cloud with clients and headers of their own."""
    pytest.importorskip("requests")
    for name in ("OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    facts = [f"http://127.0.0.1:{server.server_port}", TOKEN, PASSWORD]
    (pytester.path / "facts.json").write_text(json.dumps(facts))
    pytester.makeconftest(CONFTEST)
    yield pytester
    server.shutdown()
    server.server_close()


def once(pytester, *arguments):
    """Record, in a process of its own."""
    command = ("-p", "no:randomly", "--imagedetail-record-mode=once", *arguments)
    return pytester.runpytest_subprocess(*command)


def found(text):
    """Which secrets can be read in a text, by their beginning or end."""
    plain = unescape(text)
    parts = {each[:12] for each in (TOKEN, PASSWORD, ADMIN)} | {TOKEN[-12:], PASSWORD[-12:]}
    return {part for part in parts if part in plain}


@pytest.mark.parametrize(
    "more", [LOUD, ("-l",), ("-n2", "--dist=loadfile", *LOUD), ("--tb=native",)], ids=" ".join
)
def test_no_report_shows_what_a_client_sent_or_got(live, more):
    """Fixture values, locals, assertions, output, the summary and JUnit's file."""
    live.makepyfile(test_failing=FAILING)
    result = once(live, *more)
    result.assert_outcomes(failed=4)
    assert found(result.stdout.str() + result.stderr.str()) == set()
    junit = live.path / "junit.xml"
    assert not junit.exists() or found(junit.read_text()) == set()
    assert "<hidden>" in result.stdout.str()


@pytest.mark.parametrize("order", [1, -1], ids=["login first", "login last"])
@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["alone", "workers"])
def test_no_recording_has_a_configured_password(live, order, more):
    """It may be known from clouds.yaml alone, whoever logs in with it, when and where."""
    head, *tests = re.split(r"(?m)^(?=def )", ASKING)
    live.makepyfile(test_asking=head + "".join(tests[::order]))
    clouds = {"clouds": {"staging": {"auth": {"password": PASSWORD}}}}
    (live.path / "clouds.yaml").write_text(json.dumps(clouds))
    once(live, *more).assert_outcomes(passed=2)
    texts = [path.read_text() for path in (live.path / "cassettes").rglob("*.yaml")]
    assert len(texts) == 2
    assert found("".join(texts)) == set()
    assert any("log in with <redacted-" in text for text in texts)


def test_no_recording_has_what_an_earlier_test_sent(live):
    """A password that no file knows is known from then on."""
    live.makepyfile(test_asking=ASKING)
    once(live).assert_outcomes(passed=2)
    texts = [path.read_text() for path in (live.path / "cassettes").rglob("*.yaml")]
    assert found("".join(texts)) == set()


def test_a_broken_clouds_yaml_is_an_error_before_anything_is_asked(live):
    """Nobody knows what must not be written."""
    live.makepyfile(test_asking=ASKING)
    (live.path / "clouds.yaml").write_text(f"clouds: [{PASSWORD}")
    result = once(live)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["E *CredentialsError: the file is not valid YAML"])
    assert found(result.stdout.str()) == set()
    assert not (live.path / "cassettes").exists()


SETTING = """
import pytest
import requests

pytestmark = pytest.mark.imagedetail("staging")


def test_before(monkeypatch, imagedetail_cassette, url):
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "elsewhere.yaml")
    assert requests.get(url + "/described").ok


def test_behind(imagedetail_cassette, monkeypatch, url):
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "elsewhere.yaml")
    assert requests.get(url + "/described").ok
"""


def test_no_recording_has_a_password_that_a_test_configured(live):
    """What a fixture has set is gone when the recording is written, and it was read before."""
    live.makepyfile(test_setting=SETTING)
    clouds = {"clouds": {"staging": {"auth": {"password": PASSWORD}}}}
    (live.path / "elsewhere.yaml").write_text(json.dumps(clouds))
    for name in ("test_before", "test_behind"):
        once(live, "-k", name).assert_outcomes(passed=1)
    texts = [path.read_text() for path in (live.path / "cassettes").rglob("*.yaml")]
    assert len(texts) == 2
    assert found("".join(texts)) == set()
    assert all("log in with <redacted-" in text for text in texts)


def test_nothing_is_written_where_what_a_test_configured_is_broken(live):
    """Nobody knows what must not be written."""
    live.makepyfile(test_setting=SETTING)
    (live.path / "elsewhere.yaml").write_text(f"clouds: [{PASSWORD}")
    result = once(live)
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["E *CredentialsError: the file is not valid YAML"])
    assert not list((live.path / "cassettes").rglob("*.yaml"))


OTHER_REPORTS = """
import pytest
import requests

pytestmark = pytest.mark.imagedetail("staging")


def test_in_parts(imagedetail_cassette, headers, url, subtests):
    requests.get(url + "/servers", headers=headers)
    with subtests.test("one", sent=headers):
        print("sent", headers)
        assert not headers
    with subtests.test(headers["X-Auth-Token"]):
        print("sent", headers)


def test_properties(imagedetail_cassette, headers, url, record_property):
    requests.get(url + "/servers", headers=headers)
    record_property("sent", headers)
    record_property("each", [(1, headers["X-Auth-Token"].encode())])
    assert not url


def test_expected(imagedetail_cassette, headers, url):
    requests.get(url + "/servers", headers=headers)
    pytest.xfail(f"not with {headers}")


def test_skipped(imagedetail_cassette, headers, url):
    requests.get(url + "/servers", headers=headers)
    pytest.skip(f"not with {headers}")
"""

LOGGING = """
import logging
import threading
import warnings

import pytest

pytestmark = pytest.mark.imagedetail("staging")


@pytest.mark.parametrize("name", ["requests", "httpx"])
def test_client(imagedetail_cassette, headers, url, name):
    client = pytest.importorskip(name)
    secret = headers["X-Auth-Token"].strip("=")
    assert client.get(f"{url}/servers?api_key={secret}").status_code == 200
    logging.getLogger("mine").warning("asked with %s", headers)
    try:
        raise ValueError(headers)
    except ValueError:
        logging.getLogger("mine").exception("failed")


def test_warning(imagedetail_cassette, headers, url):
    requests = pytest.importorskip("requests")
    requests.get(url + "/servers", headers=headers)
    warnings.warn(str(headers))
    warnings.warn(DeprecationWarning(headers, 1))


def test_thread(imagedetail_cassette, headers):
    requests = pytest.importorskip("requests")
    secret = headers["X-Auth-Token"].strip("=")
    nowhere = f"http://127.0.0.1:9/x?api_key={secret}"
    thread = threading.Thread(target=requests.get, args=(nowhere,))
    thread.start()
    thread.join()
"""

INTERRUPTED = """
import pytest
import requests

pytestmark = pytest.mark.imagedetail("staging")


class Interrupting(requests.adapters.HTTPAdapter):
    def send(self, request, **more):
        super().send(request, **more)
        return self.stop(request.headers)

    def stop(self, sent):
        {stop}


def test_interrupted(imagedetail_cassette, headers, url):
    session = requests.Session()
    session.mount(url, Interrupting())
    session.request("GET", url + "/servers", headers=headers)
"""


@pytest.mark.parametrize("more", [LOUD, ("-n2", *LOUD)], ids=["alone", "workers"])
def test_no_report_of_another_kind_shows_a_secret(live, more):
    """Of a part of a test, of one that is expected to fail or skipped; properties of any type."""
    pytest.importorskip("_pytest.subtests", reason="since pytest 9")
    live.makepyfile(test_other=OTHER_REPORTS)
    result = once(live, *more, "-rA")
    result.stdout.fnmatch_lines(["*1 skipped*1 xfailed*"])
    assert found(result.stdout.str() + result.stderr.str()) == set()
    junit = (live.path / "junit.xml").read_text()
    assert found(junit) == set()
    assert "{'X-Auth-Token': '<hidden>'}" in unescape(junit)


WHOLE_RUN = """
import pytest
import requests

pytestmark = pytest.mark.imagedetail("staging")


def test_attributes(
    imagedetail_cassette, headers, url, record_xml_attribute, record_testsuite_property
):
    requests.get(url + "/servers", headers=headers)
    record_xml_attribute("sent", headers)
    record_testsuite_property("all sent", headers["X-Auth-Token"])
    record_testsuite_property(headers["X-Auth-Token"], "name")
"""


def test_a_test_that_is_called_by_a_secret_is_told_how_to_be_called(live):
    """Its recording would have the secret in its own name."""
    live.makepyfile(
        f"""
        import pytest
        import requests

        @pytest.mark.imagedetail("staging")
        @pytest.mark.parametrize("token", ["{ADMIN}"])
        def test_named(imagedetail_cassette, token, url):
            requests.get(url + "/servers", headers={{"X-Auth-Token": token}})
        """
    )
    result = once(live)
    result.assert_outcomes(passed=1, errors=1)
    assert not list((live.path / "cassettes").rglob("*.yaml"))
    result.stdout.fnmatch_lines(
        [
            "E *LeakError: refused to write: the test's own name has a secret, *",
            "E *where: test_a_test_that_is_called_by_a_secret*.py::test_named",
            'E *pytest.param(..., id="with a token"), or ids= of parametrize',
        ]
    )


def test_what_junit_says_of_a_whole_run_shows_none(live):
    """What a test tells JUnit's file past its report."""
    live.makepyfile(test_whole=WHOLE_RUN)
    live.makepyfile(
        test_first="""
        def test_before_anything_is_known(record_property):
            record_property("early", "as it is")
        """
    )
    options = ("--junitxml=junit.xml", "-o", "junit_family=xunit1")
    once(live, *options).assert_outcomes(passed=2)
    junit = (live.path / "junit.xml").read_text()
    assert found(junit) == set()
    assert "{'X-Auth-Token': '<hidden>'}" in unescape(junit)
    assert 'name="all sent" value="<hidden>"' in unescape(junit)
    assert 'name="early" value="as it is"' in junit


@pytest.mark.parametrize(
    "more",
    [
        ("-o", "log_cli=true", "-o", "log_cli_level=INFO"),
        ("--log-cli-level=DEBUG", "--color=yes"),
        ("--log-file=all.log", "--log-file-level=DEBUG"),
        ("--log-file=all.log", "--log-file-level=DEBUG", "-n2"),
        ("--log-level=DEBUG", "-rA"),
    ],
    ids=" ".join,
)
def test_no_log_and_no_warning_shows_a_secret(live, more):
    """What clients log of a URL, what a test warns of, and what ends a thread."""
    pytest.importorskip("httpx")
    live.makepyfile(test_logging=LOGGING)
    result = once(live, *more)
    result.assert_outcomes(passed=4, warnings=3)
    log = live.path / "all.log"
    logged = log.read_text() if log.exists() else ""
    shown = result.stdout.str() + result.stderr.str() + logged
    assert found(shown) == set()
    assert "Max retries exceeded with url: /x?api_key=<hidden>" in shown
    assert "DeprecationWarning" in shown
    if "-n2" not in more:
        assert "/servers?api_key=<hidden>" in shown
        assert "asked with {'X-Auth-Token': '<hidden>" in shown


@pytest.mark.parametrize(
    "stop", ["raise KeyboardInterrupt", "raise KeyboardInterrupt(sent)", "pytest.exit(str(sent))"]
)
def test_an_interrupted_run_shows_no_secret(live, stop):
    """Neither in the frames of a client, nor in those of a test, nor in what ended it."""
    live.makepyfile(test_interrupted=INTERRUPTED.format(stop=stop))
    result = once(live, "-l", "--full-trace")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert found(result.stdout.str() + result.stderr.str()) == set()
    result.stdout.fnmatch_lines(["!*"])
