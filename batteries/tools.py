"""The recorders, and how each is driven: its plugin, its fixture, its modes, its switches.

A generated project has three files of a driver: `conftest.py` with the fixtures `tape` and `url`,
`marks.py` with `own` and `shared(name)` for a test's own cassette or a shared one, and `client.py`.
So a battery's test reads the same for every recorder, and each recorder is used in its own way.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

CLIENTS = ("requests", "urllib3", "httpx", "aiohttp", "http.client")

CLIENT = '''
"""One function that asks with any client; `session` may be replaced by a recorder's own."""
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

if "TAPE_LIMIT" in os.environ:  # a disk that is full, as far as this process sees
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, 2 * (int(os.environ["TAPE_LIMIT"]),))

def pytest_unconfigure(config):
    if "TAPE_PROBE" in os.environ:  # does the limit on the size of files hold in this process?
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
    """How a tool is told to do what it does not do unasked.

    Attributes:
        name: As it is shown in the table.
        arguments: For pytest's command line.
        environment: For the driver's conftest.
    """

    name: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One recorder and its driver.

    Attributes:
        name: Of its distribution, and the column's.
        plugin: The pytest plugin that is loaded; none for a library.
        conftest: Its part of conftest.py, with the fixture `tape`.
        marks: The text of marks.py.
        mode_option: The option that takes the record mode; a library reads TAPE_MODE.
        modes: From the batteries' words (`none`, `once`, `add`, `all`, `rewrite`) to its own.
        suffix: Of its cassettes.
        interactions: The key of the list in a cassette.
        without: Why rows with a certain need do not apply: from the need to the reason.
        switches: From a need to what must be switched on.
        pair: Source that defines `open_tape(name)`, which yields a function that asks a URL.
        aged: Makes a cassette older by so many days.
        lint: A command that looks through cassettes; empty if there is none.
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
        """The driver's files of a generated project."""
        return {
            "conftest.py": CONFTEST + self.conftest,
            "marks.py": self.marks,
            "client.py": CLIENT,
            "pytest.ini": "[pytest]\n",
        }

    def mode_arguments(self, mode: str) -> list[str]:
        """The part of the command line that chooses a mode."""
        return [f"{self.mode_option}={self.modes[mode]}"] if self.mode_option else []


def _recorded_before(pattern: str, form: str) -> Callable[[Path, int], None]:
    """Write other dates over those that a cassette says of itself."""

    def age(path: Path, days: int) -> None:
        date = (datetime.now(UTC) - timedelta(days=days)).strftime(form)
        path.write_text(re.sub(pattern, rf"\g<1>{date}\g<2>", path.read_text()))

    return age


def _undated(_path: Path, _days: int) -> None:
    """A cassette without a date; the batteries have already set that of the file."""


def _ours_aged(path: Path, days: int) -> None:
    """Its date stands below its hash, so it is written anew by the tool's own hand."""
    from pytest_imagedetail.cassette import dumps, load  # noqa: PLC0415  the others need it not

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
        "names": "the user names its files",
        "folder": "knows no folder, one cassette only",
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
    without={"metadata": "its format is its own"},
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
        "clients": "knows requests only",
        "version": "its cassettes have no version",
        "metadata": "its cassettes are JSON",
        "folder": "knows no folder, one cassette only",
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
