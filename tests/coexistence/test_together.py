"""Tests that use every fixture of ours beside other plugins."""

import json
import urllib.request

import anyio
import httpx
import pytest
import requests
from inline_snapshot import snapshot as inline
from pytest_httpserver import HTTPServer

import pytest_imagedetail.workspace

LIST = "/images/detail?limit=3"
NAMES = inline([None, "largest", "importing"])
ONE = pytest.mark.imagedetail("nova-2026.2")


def names(document):
    return [each["name"] for each in document["images"]]


def version_of(server):
    server.expect_request("/version").respond_with_json({"version": 1})
    return requests.get(server.url_for("/version"), timeout=30).json()["version"]


def test_shipped_listing(imagedetail_cloud):
    """inline-snapshot: each selected cloud has these images."""
    assert names(imagedetail_cloud.list(limit=3).document) == NAMES


def test_facts(imagedetail_cloud, snapshot):
    """syrupy: normalized facts of each cloud."""
    images = imagedetail_cloud.list(limit=3).normalized().facts["images"]
    assert {each["id"]: (each["name"], each["status"]) for each in images} == snapshot


@pytest.mark.disable_socket
def test_replaying_needs_no_socket(imagedetail):
    """pytest-socket: what a test replays and compares comes from files."""
    assert imagedetail.compare("nova-2023.1", "nova-2026.2").compatible


@pytest.mark.disable_socket
@ONE
def test_a_replayed_client_needs_no_socket(imagedetail_cassette):
    answer = requests.get(imagedetail_cassette.endpoint + LIST, timeout=30)
    assert names(answer.json()) == NAMES


@pytest.mark.allow_hosts(["127.0.0.1", "::1"])
def test_served_clouds(imagedetail_server, httpserver):
    """pytest-httpserver beside ours; pytest-socket lets loopback through."""
    assert version_of(httpserver) == 1
    url = imagedetail_server.url("nova-2026.2") + LIST
    request = urllib.request.Request(url, headers={"X-Auth-Token": imagedetail_server.token})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert names(json.load(answer)) == NAMES


def test_a_shut_network_is_no_loopback(imagedetail, httpserver):
    """A test that replays can reach servers of its own process."""
    assert names(imagedetail["nova-2026.2"].list(limit=3).document) == NAMES
    assert version_of(httpserver) == 1


@ONE
def test_a_server_beside_the_cassette(imagedetail_cassette):
    """Requests to a server that the test starts are not replayed."""
    with HTTPServer(host="127.0.0.1") as server:
        assert version_of(server) == 1
    answer = requests.get(imagedetail_cassette.endpoint + LIST, timeout=30)
    assert names(answer.json()) == NAMES


@pytest.mark.asyncio
@ONE
async def test_asyncio(imagedetail_cassette):
    async with httpx.AsyncClient() as client:
        answer = await client.get(imagedetail_cassette.endpoint + LIST)
    assert names(answer.json()) == NAMES


@pytest.fixture
async def client():
    async with httpx.AsyncClient() as client:
        yield client


@pytest.mark.anyio
@ONE
async def test_anyio(imagedetail_cassette, client, anyio_backend):
    """Several requests at once, on asyncio and on trio."""
    found = []

    async def ask():
        answer = await client.get(imagedetail_cassette.endpoint + LIST)
        found.append(names(answer.json()))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
    assert found == [NAMES] * 3


@pytest.fixture(scope="module")
def vcr_cassette_dir():
    return str(pytest_imagedetail.workspace.reference_library() / "nova-2026.2")


@pytest.fixture
def vcr_cassette_name():
    return "limit=3"  # for pytest-vcr, which adds the suffix


@pytest.fixture
def default_cassette_name():
    return "limit=3"  # for pytest-recording


@pytest.mark.vcr
def test_vcr_replays_our_cassettes():
    """pytest-recording or pytest-vcr."""
    answer = requests.get("https://compute.nova-2026.2.invalid/v2.1" + LIST, timeout=30)
    assert names(answer.json()) == NAMES
