"""A test's own clients, every pair and every kind; what is not caught makes the run red."""

import re

import httpx
import pytest
import requests
import urllib3
from answering import answering

import pytest_imagedetail.cassette.capture
from tests.cloud import SimulatedCloud

aiohttp = pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")
openstack = pytest.importorskip("openstack", reason="needs openstacksdk (the extra `record`)")

LOADED = (aiohttp, httpx, openstack, pytest_imagedetail.cassette.capture, requests, urllib3)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

CONFTEST = """
import clients
import pytest

def by_keystoneauth1(method, url):
    from keystoneauth1 import session, token_endpoint
    client = session.Session(token_endpoint.Token(url, "a-live-token-12345"))
    answer = client.request(url, method)
    return answer.content, answer.headers

CLIENTS = {each.__name__: each for each in (*clients.CLIENTS, by_keystoneauth1)}

def pytest_generate_tests(metafunc):
    cassette = lambda name: pytest.mark.imagedetail("staging", cassette=name)
    if "player" in metafunc.fixturenames:
        metafunc.parametrize("recorder, player", [
            pytest.param(one, other, marks=cassette(one)) for one in CLIENTS for other in CLIENTS
        ])
    elif "recorder" in metafunc.fixturenames:
        metafunc.parametrize("recorder", [pytest.param(n, marks=cassette(n)) for n in CLIENTS])

@pytest.fixture
def ask():
    return lambda name, url: CLIENTS[name]("GET", url)
"""
RECORDS = """
def test_recorded(imagedetail_cassette, ask, recorder):
    body, headers = ask(recorder, "{url}/images/detail?limit=2")
    assert len(body) > 1000 and headers["Content-Encoding"] == "gzip"
"""
REPLAYS = """
def test_replayed(imagedetail_cassette, ask, recorder, player):
    body, headers = ask(player, "{url}/images/detail?limit=2")
    assert "Content-Encoding" not in headers
    assert int(headers["Content-Length"]) == len(body) > 1000
"""
CLIENTS = 8


def record(run, source, mode="once"):
    """Run a module in a record mode."""
    return run(source, f"--imagedetail-record-mode={mode}")


def test_every_pair_of_clients_agrees_about_a_compressed_answer(pytester, run):
    """Recorded compressed by each and replayed by each: decoded, and of the right length."""
    pytester.makeconftest(CONFTEST)
    with answering() as (url, _):
        record(run, RECORDS.format(url=url)).assert_outcomes(passed=CLIENTS)
    run(REPLAYS.format(url=url)).assert_outcomes(passed=CLIENTS**2)


POSTS = """
import pytest, requests, httpx

@pytest.mark.imagedetail("staging")
def test_posts(imagedetail_cassette):
    for number in {order}:
        for version in {versions}:
            headers = {{"OpenStack-API-Version": version}}
            body = {{"number": number, "name": "x"}}
            answer = {client}.post("{url}/servers", json=body, headers=headers).json()
            assert answer["microversion"] == version and f'"number":{{number}}' in (
                answer["sent"].replace(" ", "")), answer
"""


def test_bodies_and_microversions_tell_requests_apart(run):
    """In another order, by a client that writes JSON otherwise, each gets its own answer."""
    facts = {"order": "1, 2", "versions": "'compute 2.1', 'compute 2.35'", "client": "requests"}
    with answering() as (url, asked):
        record(run, POSTS.format(url=url, **facts)).assert_outcomes(passed=1)
        assert len(asked) == 4
    other = {"order": "2, 1", "versions": "'compute 2.35', 'compute 2.1'", "client": "httpx"}
    run(POSTS.format(url=url, **other)).assert_outcomes(passed=1)
    result = run(POSTS.format(url=url, **{**other, "order": "2, 3"}))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *nothing is recorded for POST https://compute.staging.invalid/v2.1/servers*",
            'E *  body: asked {*"number": 3}, recorded {*"number": 1}',
        ]
    )


TOGETHER = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
import aiohttp, httpx, pytest

URL = "{url}"

def threads():
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda n: httpx.get(f"{{URL}}/i?limit={{n}}").status_code, range(40)))

def one_client():
    with httpx.Client() as client, ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda n: client.get(f"{{URL}}/i?limit={{n}}").status_code, range(40)))

def tasks():
    async def ask():
        async with httpx.AsyncClient() as client:
            asked = (client.get(f"{{URL}}/i?limit={{n}}") for n in range(40))
            return [each.status_code for each in await asyncio.gather(*asked)]
    return asyncio.run(ask())

def of_aiohttp():
    async def one(client, n):
        async with client.get(f"{{URL}}/i?limit={{n}}") as answer:
            await answer.read()
            return answer.status
    async def ask():
        async with aiohttp.ClientSession() as client:
            return await asyncio.gather(*(one(client, n) for n in range(40)))
    return asyncio.run(ask())

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("ask", [threads, one_client, tasks, of_aiohttp])
def test_together(imagedetail_cassette, ask):
    assert ask() == [200] * 40
    assert len(imagedetail_cassette.interactions) == 40
"""


def test_threads_and_tasks_lose_nothing(run):
    """Forty requests at once are forty interactions, recorded and replayed."""
    with answering() as (url, _):
        record(run, TOGETHER.format(url=url)).assert_outcomes(passed=4)
    run(TOGETHER.format(url=url)).assert_outcomes(passed=4)


EARLY = """
import http.client, pytest

@pytest.fixture(scope="module")
def early():
    connection = http.client.HTTPConnection("{host}")
    yield connection
    connection.close()

@pytest.mark.imagedetail("staging")
def test_early(early, imagedetail_cassette):
    early.request("GET", "/v2.1/images")
    assert early.getresponse().status == 200
"""
CURL = """
import pycurl
import pytest

@pytest.mark.imagedetail("staging")
def test_curl(imagedetail_cassette):
    asked = pycurl.Curl()
    asked.setopt(asked.URL, "{url}/images")
    asked.setopt(asked.WRITEFUNCTION, lambda data: None)
    asked.perform()
    asked.close()
"""
LOST = [
    "E *RecordingError: not everything was recorded: 1 answer came to a client past the cassette",
    "E * next:  make connections inside the test, not before it, *",
    "E *libcurl (pycurl, curl_cffi) cannot be recorded: ask with another client",
]


def test_an_answer_that_passed_by_makes_the_run_red(pytester, run):
    """A connection that was made before the fixture is not caught, and nothing is written."""
    with answering() as (url, _):
        result = record(run, EARLY.format(host=url.split("/")[2]))
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(LOST)
    assert not list(pytester.path.rglob("*.yaml"))


WARM = """
import http.client, pytest, requests, urllib3

@pytest.fixture(scope="module")
def session():
    with requests.Session() as session:
        session.get("{url}/warm").content
        yield session

@pytest.fixture(scope="module")
def connection():
    connection = http.client.HTTPConnection("{host}")
    connection.connect()
    yield connection
    connection.close()

@pytest.mark.imagedetail("staging")
def test_pool(session, imagedetail_cassette):
    session.get("{url}/images?limit=7")

@pytest.mark.imagedetail("staging")
def test_bare(connection, imagedetail_cassette):
    connection.request("GET", "/v2.1/images?limit=7")
"""


def test_a_connection_that_is_open_already_is_not_asked_while_replaying(run):
    """Nothing is connected any more, so the network shut cannot stop it."""
    with answering() as (url, asked):
        result = run(WARM.format(url=url, host=url.split("/")[2]))
        assert asked == ["GET /v2.1/warm"]
    result.assert_outcomes(failed=2)
    missed = "nothing is recorded for GET https://compute.staging.invalid/v2.1/images?limit=7"
    failures, _, _ = result.stdout.str().partition("short test summary")
    assert failures.count(missed) == 2


def test_libcurl_cannot_be_recorded(pytester, run):
    """Its answer comes, and no cassette holds it; while replaying it is refused."""
    pytest.importorskip("pycurl", reason="pycurl is not installed")
    with answering() as (url, asked):
        source = CURL.format(url=url)
        result = record(run, source)
        result.assert_outcomes(passed=1, errors=1)
        result.stdout.fnmatch_lines(LOST)
        assert not list(pytester.path.rglob("*.yaml"))
        result = run(source)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [f"E *something tried to reach {url}/images with libcurl while the network is shut"]
        )
        assert len(asked) == 1


SWALLOWS = """
import asyncio, aiohttp, httpx, pytest, requests, urllib3

def requests_(url):
    requests.get(url)

def urllib3_(url):
    urllib3.PoolManager().request("GET", url, retries=2)

def httpx_(url):
    httpx.get(url)

def httpx_async(url):
    async def ask():
        async with httpx.AsyncClient() as client:
            await client.get(url)
    asyncio.run(ask())

def aiohttp_(url):
    async def ask():
        async with aiohttp.ClientSession() as client, client.get(url):
            pass
    asyncio.run(ask())

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("ask", [requests_, urllib3_, httpx_, httpx_async, aiohttp_])
def test_wrapped(imagedetail_cassette, ask):
    try:
        ask("http://cloud.example/v2.1/images?limit=3")
    except Exception as error:
        raise ValueError("the client is sorry") from None
"""


def test_a_refusal_is_shown_whatever_a_client_makes_of_it(run):
    """What was asked, which test asked it, and the command, for each client."""
    result = run(SWALLOWS)
    result.assert_outcomes(failed=5)
    text = result.stdout.str()
    asked = "nothing is recorded for GET https://compute.staging.invalid/v2.1/images?limit=3"
    assert len(re.findall(r"^E +ValueError: the client is sorry$", text, re.MULTILINE)) == 5
    failures, _, _ = text.partition("short test summary")  # which is long where CI is set
    assert failures.count(asked) == 5
    for name in ("requests_", "urllib3_", "httpx_", "httpx_async", "aiohttp_"):
        node = f"test_own.py::test_wrapped[{name}]"
        assert f"where: {node}, cassette " in text
        assert f"record it: pytest '{node}' --imagedetail-record-mode=once" in text


KEYSTONE = """
import pytest

@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.delenv("OS_CLOUD", raising=False)

def v3(url, auth):
    from keystoneauth1 import session
    from keystoneauth1.identity import v3
    client = session.Session(v3.Password(**auth))
    return client.get("/images/detail?limit=2", endpoint_filter={{"service_type": "compute"}})

def sdk(url, auth):
    import openstack
    with openstack.connection.Connection(auth=auth, region_name="RegionOne") as connection:
        return connection.compute.get("/images/detail?limit=2", microversion="2.1")

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("ask", [v3, sdk])
def test_keystone(imagedetail_cassette, ask):
    answer = ask("{url}", {auth})
    assert len(answer.json()["images"]) == 2
"""


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_clients_of_openstack_find_their_way(pytester, run):
    """Authentication is not recorded, and a replay accepts any."""
    with SimulatedCloud(release="2023.1") as cloud:
        auth = dict(cloud.credentials)
        source = KEYSTONE.format(url=cloud.compute_url, auth=auth)
        result = record(run, source)
        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines(["staging: *: recorded (new), ? of Keystone left out"] * 2)
    texts = [path.read_text() for path in pytester.path.rglob("*.yaml")]
    assert len(texts) == 2
    for text in texts:
        for secret in ("tokens", auth["password"], cloud.account.token, "127.0.0.1"):
            assert secret not in text
    run(source).assert_outcomes(passed=2)
    another = {**auth, "password": "another", "username": "nobody"}
    run(KEYSTONE.format(url="", auth=another)).assert_outcomes(passed=2)


@pytest.mark.parametrize("fixture", ["imagedetail", "imagedetail_cloud"])
def test_the_network_is_shut_while_recordings_alone_replay(project, run, fixture):
    """The message says how to record."""
    source = f"""
import requests

def test_own({fixture}):
    requests.get("http://192.0.2.1/images")
"""
    result = run(source, "--imagedetail-cloud=nova-2026.2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *something tried to reach 192.0.2.1:80 while the network is shut",
            "E * where: test_own.py::test_own*",
            "E * next:  record what is missing: pytest *test_own.py::test_own* --*-mode=once",
            "E *for a test's own client: the fixture imagedetail_cassette",
        ]
    )


def test_a_cloud_that_has_traffic_alone_can_be_selected(run):
    """By its name, for a test that keeps traffic and for one that wants a listing."""
    source = """
import requests

def test_traffic(imagedetail_cassette):
    assert requests.get("{url}/images").ok

def test_listing(imagedetail_cloud):
    imagedetail_cloud.list()
"""
    with answering() as (url, _):
        text = source.format(url=url).split("def test_listing")[0]
        arguments = ("--imagedetail-cloud=staging", "--imagedetail-record-mode=once")
        run(text, *arguments).assert_outcomes(passed=1)
    result = run(source.format(url=url), "--imagedetail-cloud=staging")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *nothing is recorded for cloud 'staging', query 'all'"])
