"""The recorders and their drivers.

A driver adapts a recorder, so that one test runs with all of them. Its files in a generated project
are `conftest.py`, with the fixtures `tape` and `url`; `marks.py`, with `own` and `shared(name)` for
a test's own cassette or a shared one; and `client.py`, which sends requests.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

CLIENTS = ("requests", "urllib3", "httpx", "aiohttp", "http.client")

CLIENT = '''
"""Send requests with any client; a recorder can replace `session` with its own."""
import requests

session = requests

def ask(url, client="requests", **more):
    return globals()["by_" + client.replace(".", "_")](url, **more)

def by_requests(url, method="GET", headers=None, json=None):
    answer = session.request(method, url, headers=headers, json=json)
    return answer.status_code, answer.json()

def by_urllib3(url):
    import json, urllib3
    answer = urllib3.PoolManager().request("GET", url, headers={"Accept-Encoding": "gzip"})
    return answer.status, json.loads(answer.data)

def by_httpx(url):
    import httpx
    answer = httpx.get(url)
    return answer.status_code, answer.json()

def by_aiohttp(url):
    import asyncio, aiohttp
    async def run():
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            return answer.status, await answer.json()
    return asyncio.run(run())

def by_http_client(url):
    import gzip, http.client, json
    from urllib.parse import urlsplit
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.request("GET", f"{parts.path}?{parts.query}", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    zipped = answer.headers.get("Content-Encoding") == "gzip"
    return answer.status, json.loads(gzip.decompress(body) if zipped else body)

def by_pycurl(url):
    import io, json, pycurl
    body, curl = io.BytesIO(), pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.WRITEDATA, body)
    curl.perform()
    return curl.getinfo(pycurl.RESPONSE_CODE), json.loads(body.getvalue())

def by_curl_cffi(url):
    from curl_cffi import requests as curl
    answer = curl.get(url)
    return answer.status_code, answer.json()

def by_socket(url):
    import json, socket
    from urllib.parse import urlsplit
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as wire:
        wire.sendall(f"GET {parts.path}?{parts.query} HTTP/1.0\\r\\n\\r\\n".encode())
        head, _, body = wire.makefile("rb").read().partition(b"\\r\\n\\r\\n")
    return int(head.split()[1]), json.loads(body)
'''

CONFTEST = """
import os
import pytest
import client

@pytest.fixture
def url():
    return os.environ["TAPE_URL"] + "/v2.1/images/detail"

if "TAPE_LIMIT" in os.environ:  # acts like a full disk
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, 2 * (int(os.environ["TAPE_LIMIT"]),))

def pytest_unconfigure(config):
    if "TAPE_PROBE" in os.environ:  # does the limit work in this process?
        try:
            with open("probe", "wb") as probe:
                probe.write(b"x" * int(os.environ["TAPE_PROBE"]))
        except OSError as error:
            print(f"probe: {os.strerror(error.errno)}")
"""

OUTER = """
@pytest.fixture
def tape({inner}):
    return {inner}
"""

MARKS_OF_VCR = """
import pytest
own = pytest.mark.vcr
def shared(name):
    def mark(test):
        return pytest.mark.vcr(pytest.mark.default_cassette(name{suffix})(test))
    return mark
"""

MARKS_OF_NAMES = """
import pytest
own = pytest.mark.own
def shared(name):
    return pytest.mark.shared(name)
"""

NAMED = """
def pytest_configure(config):
    config.addinivalue_line("markers", "own: a cassette of its own")
    config.addinivalue_line("markers", "shared(name): a cassette of several tests")

def name_of(request):
    marker = request.node.get_closest_marker("shared")
    return marker.args[0] if marker else request.node.name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Settings that turn on what a tool does not do by default; `name` is shown in the table."""

    name: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One recorder and its driver.

    Attributes:
        name: The name of the distribution and of the column.
        plugin: The pytest plugin to load; None for a library.
        conftest: Its part of conftest.py, with the fixture `tape`.
        marks: The text of marks.py.
        mode_option: The option for the record mode; a library reads TAPE_MODE.
        modes: Its name of each record mode (`none`, `once`, `add`, `all`, `rewrite`).
        suffix: The suffix of cassettes.
        interactions: The key of the interactions in a cassette.
        without: What it lacks, and the reason to show in rows that need it.
        switches: The settings that rows with a need can turn on.
        pair: Source of `open_tape(name)`, which yields a function that requests a URL.
        aged: Makes a cassette some days older.
        lint: A command that checks cassettes; empty if there is none.
    """

    name: str
    plugin: str | None
    conftest: str
    marks: str
    mode_option: str | None
    modes: Mapping[str, str]
    suffix: str = ".yaml"
    interactions: str = "interactions"
    without: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, Switch] = field(default_factory=dict)
    pair: str | None = None
    aged: Callable[[Path, int], None]
    lint: tuple[str, ...] = ()

    @property
    def version(self) -> str | None:
        """The installed version; None if it is not installed."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return None

    def files(self) -> dict[str, str]:
        """Return the files of the driver."""
        return {
            "conftest.py": CONFTEST + self.conftest,
            "marks.py": self.marks,
            "client.py": CLIENT,
            "pytest.ini": "[pytest]\n",
        }

    def mode_arguments(self, mode: str) -> list[str]:
        """Return the arguments that choose a record mode."""
        return [f"{self.mode_option}={self.modes[mode]}"] if self.mode_option else []


def _recorded_before(pattern: str, form: str) -> Callable[[Path, int], None]:
    """Return a function that replaces the dates in a cassette."""

    def age(path: Path, days: int) -> None:
        date = (datetime.now(UTC) - timedelta(days=days)).strftime(form)
        path.write_text(re.sub(pattern, rf"\g<1>{date}\g<2>", path.read_text()))

    return age


def _undated(_path: Path, _days: int) -> None:
    """Do nothing: the cassette has no date, and the battery sets that of the file."""


def _ours_aged(path: Path, days: int) -> None:
    """Change the date and its hash, with functions of pytest-imagedetail."""
    from pytest_imagedetail.cassette import dumps, load  # noqa: PLC0415  other tools do not need it

    recording = load(path)
    date = datetime.fromisoformat(str(recording.provenance.recorded_at)) - timedelta(days=days)
    provenance = replace(recording.provenance, recorded_at=date.strftime("%Y-%m-%dT%H:%M:%SZ"))
    path.write_text(dumps(replace(recording, provenance=provenance)))


MODES_OF_VCR = {"none": "none", "once": "once", "add": "new_episodes", "all": "all"}
ONE_CASSETTE = "a test has one cassette"

OURS = Tool(
    name="pytest-imagedetail",
    plugin="pytest_imagedetail.plugin",
    conftest=OUTER.format(inner="imagedetail_cassette"),
    marks="""
import pytest
own = pytest.mark.imagedetail("staging")
def shared(name):
    return pytest.mark.imagedetail("staging", cassette=name)
""",
    mode_option="--imagedetail-record-mode",
    modes={"none": "none", "once": "once", "add": "once", "all": "rewrite", "rewrite": "rewrite"},
    without={"pair": ONE_CASSETTE},
    switches={"age": Switch(name="", arguments=("--imagedetail-max-age=30",))},
    aged=_ours_aged,
    lint=("imagedetail", "lint"),
)

VCRPY = Tool(
    name="vcrpy",
    plugin=None,
    conftest=NAMED
    + """
import vcr

@pytest.fixture
def tape(request):
    mode = os.environ["TAPE_MODE"]
    rewrites = mode == "rewrite"
    with vcr.use_cassette(
        f"cassettes/{name_of(request)}.yaml",
        record_mode="all" if rewrites else mode,
        drop_unused_requests=rewrites,
    ) as cassette:
        if "TAPE_METADATA" in os.environ:
            cassette.get_metadata("release", "2026.2")
        yield cassette
    if "TAPE_ALL_PLAYED" in os.environ:
        assert cassette.all_played, f"not all played: {cassette._path}"
""",
    marks=MARKS_OF_NAMES,
    mode_option=None,
    modes=MODES_OF_VCR | {"rewrite": "rewrite"},
    without={
        "names": "the user names the files",
        "folder": "opens one cassette, not a folder",
    },
    switches={
        "unplayed": Switch(
            name="`assert cassette.all_played`", environment={"TAPE_ALL_PLAYED": "1"}
        ),
        "metadata": Switch(name="", environment={"TAPE_METADATA": "1"}),
    },
    pair="""
import contextlib, vcr
from client import ask

@contextlib.contextmanager
def open_tape(name):
    with vcr.use_cassette(f"cassettes/{name}.yaml", record_mode="once"):
        yield ask
""",
    aged=_undated,
)

RECORDING = Tool(
    name="pytest-recording",
    plugin="pytest_recording.plugin",
    conftest=OUTER.format(inner="vcr"),
    marks=MARKS_OF_VCR.format(suffix=' + ".yaml"'),
    mode_option="--record-mode",
    modes=MODES_OF_VCR | {"rewrite": "rewrite"},
    without={"pair": ONE_CASSETTE, "metadata": "writes no metadata"},
    switches={"network": Switch(name="`--block-network`", arguments=("--block-network",))},
    aged=_undated,
)

CASSETTER = Tool(
    name="cassetter",
    plugin="cassetter.pytest_plugin",
    conftest=OUTER.format(inner="cassette"),
    marks=MARKS_OF_VCR.format(suffix=' + ".yaml"'),
    mode_option="--record-mode",
    modes=MODES_OF_VCR | {"rewrite": "rewrite"},
    without={"metadata": "has its own format"},
    switches={
        "folder": Switch(
            name="`--vcr-check-orphans`", arguments=("--vcr-check-orphans", "cassettes")
        ),
        "unplayed": Switch(name="`vcr_on_unplayed=fail`", arguments=("-o", "vcr_on_unplayed=fail")),
        "age": Switch(name="", arguments=("-o", "vcr_max_age=30d", "-o", "vcr_on_expiry=fail")),
    },
    pair="""
import contextlib, cassetter
from client import ask

@contextlib.contextmanager
def open_tape(name):
    with cassetter.use_cassette(f"cassettes/{name}.yaml", record_mode="once"):
        yield ask
""",
    aged=_recorded_before(r"(recorded_at: ['\"]?)[^'\"\s]+(['\"]?)", "%Y-%m-%dT%H:%M:%SZ"),
)

BETAMAX = Tool(
    name="betamax",
    plugin=None,
    conftest=NAMED
    + """
import betamax
import requests

os.makedirs("cassettes", exist_ok=True)
with betamax.Betamax.configure() as config:
    config.cassette_library_dir = "cassettes"
    config.default_cassette_options["record_mode"] = os.environ["TAPE_MODE"]
    if "TAPE_AGE" in os.environ:
        config.default_cassette_options["re_record_interval"] = int(os.environ["TAPE_AGE"])

from betamax.fixtures.pytest import betamax_parametrized_recorder

@pytest.fixture
def tape(request):
    if request.node.get_closest_marker("shared"):
        with betamax.Betamax(requests.Session()).use_cassette(name_of(request)) as recorder:
            client.session = recorder.session
            yield recorder
    else:
        recorder = request.getfixturevalue("betamax_parametrized_recorder")
        client.session = recorder.session
        yield recorder
""",
    marks=MARKS_OF_NAMES,
    mode_option=None,
    modes=MODES_OF_VCR | {"rewrite": "all"},
    suffix=".json",
    interactions="http_interactions",
    without={
        "yaml": "its cassettes are JSON",
        "clients": "supports requests only",
        "version": "its cassettes have no version",
        "metadata": "its cassettes are JSON",
        "folder": "opens one cassette, not a folder",
    },
    switches={"age": Switch(name="", environment={"TAPE_AGE": "30"})},
    pair="""
import contextlib, betamax, requests

@contextlib.contextmanager
def open_tape(name):
    session = requests.Session()
    with betamax.Betamax(session, cassette_library_dir="cassettes").use_cassette(name):
        yield session.get
""",
    aged=_recorded_before(r'("recorded_at": ")[^"]+(")', "%Y-%m-%dT%H:%M:%S"),
)

TOOLS = (OURS, VCRPY, RECORDING, CASSETTER, BETAMAX)
