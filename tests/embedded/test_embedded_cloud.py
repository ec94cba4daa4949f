"""Building, starting and stopping a cloud; its seed; its port."""

import http.client
import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from pytest_imagedetail.embedded import RELEASES, EmbeddedCloud, SeedError, UnknownReleaseError

ROW = {
    "id": "70a599e0-0001-4b49-8b26-000000000001",
    "name": "only",
    "status": "active",
    "owner": "$project",
    "created_at": "2024-01-15T08:00:00Z",
    "updated_at": "2024-01-15T08:00:00Z",
    "properties": {},
}


def listing(connection, cloud):
    token = cloud.application.compute.account.token
    path = urlsplit(cloud.compute_url).path + "/images/detail"
    connection.request("GET", path, headers={"X-Auth-Token": token})
    response = connection.getresponse()
    return response, json.loads(response.read())


def connect(cloud):
    return http.client.HTTPConnection(urlsplit(cloud.auth_url).netloc, timeout=10)


@pytest.mark.parametrize("release", RELEASES)
def test_over_http(release):
    """One kept-alive connection, a Date, and links to the host that was asked."""
    with EmbeddedCloud(release=release) as cloud:
        connection = connect(cloud)
        for _ in range(3):
            response, document = listing(connection, cloud)
            assert response.status == 200
            assert response.version == 11
            assert response.headers["Date"].endswith("GMT")
            assert len(document["images"]) == 13
        if release != "k5":
            origin = cloud.auth_url.removesuffix("/v3")
            assert document["images"][0]["links"][0]["href"].startswith(f"{origin}/")
        connection.close()


def test_stop_ends_connections_threads_and_port(capfd):
    """Even with a client still connected nothing stays, and nothing was printed."""
    before = threading.active_count()
    cloud = EmbeddedCloud()
    cloud.start()
    connection = connect(cloud)
    listing(connection, cloud)
    address = urlsplit(cloud.auth_url)
    cloud.stop()
    cloud.stop()
    connection.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=5)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET /v3 HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"BREW /v3 HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request_is_refused_in_silence(capfd, request_text, status):
    """A status, no traceback, and the next client is served."""
    with EmbeddedCloud() as cloud:
        address = urlsplit(cloud.auth_url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as client:
            client.sendall(request_text)
            assert status in client.recv(4096)
        connection = connect(cloud)
        assert listing(connection, cloud)[0].status == 200
        connection.close()
    assert capfd.readouterr() == ("", "")


def test_many_clients_at_once():
    """Threads answer side by side and alike."""
    with EmbeddedCloud(images=50) as cloud:

        def once(_):
            connection = connect(cloud)
            try:
                return listing(connection, cloud)[1]
            finally:
                connection.close()

        with ThreadPoolExecutor(16) as pool:
            documents = list(pool.map(once, range(64)))
    assert all(document == documents[0] for document in documents)


def test_the_port_can_be_chosen():
    """The port given is the port that listens; a second cloud on it is refused."""
    with EmbeddedCloud() as first:
        port = urlsplit(first.auth_url).port
        with pytest.raises(OSError, match="in use"):
            EmbeddedCloud(port=port).start()
    with EmbeddedCloud(port=port) as second:
        assert second.auth_url == f"http://127.0.0.1:{port}/v3"


def test_no_address_before_it_listens():
    """The message says what to do."""
    with pytest.raises(RuntimeError, match=re.escape("call start() first")):
        EmbeddedCloud().auth_url  # noqa: B018


def test_unknown_release_names_the_known_ones():
    """The whole message: what is wrong, what there is, what to do."""
    with pytest.raises(UnknownReleaseError) as caught:
        EmbeddedCloud(release="juneau")
    assert str(caught.value) == (
        "the embedded cloud does not know the release 'juneau'.\n"
        "Known releases: essex, folsom, grizzly, havana, juno, "
        "2019.1, 2019.2, 2020.2, 2022.1, 2023.1, 2024.2, 2025.2, 2026.1, 2026.2, k5.\n"
        "Choose the newest of them that is not newer than the release you mean."
    )
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 1, 1, "Expecting value"),
        ('[\n  {"id": }\n]', 2, 10, "Expecting value"),
        ("{}", 1, 1, "is not a JSON array"),
        ("[1]", 1, 2, "an image must be an object, not 1"),
        (f"[{json.dumps(ROW)},\n  {{}}]", 2, 3, "the image has no 'id'"),
        (json.dumps([{**ROW, "id": "x"}]), 1, 2, "badly formed hexadecimal UUID string"),
        (json.dumps([{**ROW, "colour": 1}]), 1, 2, "unexpected keyword argument 'colour'"),
        (json.dumps([{**ROW, "status": "ACTIVE"}]), 1, 2, "status 'ACTIVE' is none of active"),
        (json.dumps([{**ROW, "created_at": "soon"}]), 1, 2, "time data 'soon' does not match"),
    ],
)
def test_bad_seed_names_file_line_column_and_reason(tmp_path, text, line, column, reason):
    """A typing error in a seed is found without searching."""
    path = tmp_path / "seed.json"
    path.write_text(text)
    with pytest.raises(SeedError) as caught:
        EmbeddedCloud(seed=path)
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"{path}, line {line}, column {column}: ")
    assert reason in first


def test_missing_seed(tmp_path):
    """A seed that is not there is named, with the system's reason."""
    with pytest.raises(SeedError, match="No such file"):
        EmbeddedCloud(seed=tmp_path / "none.json")


def test_own_seed_and_generated_images(client_of, tmp_path):
    """A seed replaces the default one; generated images come on top and are always the same."""
    path = tmp_path / "seed.json"
    path.write_text(json.dumps([ROW]))
    assert client_of("juno", seed=path).list().names == ["only"]
    first = client_of("juno", seed=path, images=25).list().images
    again = client_of("juno", seed=str(path), images=25).list().images
    assert [image["id"] for image in first] == [image["id"] for image in again]
    assert len({image["id"] for image in first}) == 26
    assert len({image["created"][:10] for image in first}) > 2


def test_negative_number_of_images():
    """The message says what to give instead."""
    with pytest.raises(ValueError, match="give the number of images to add, or 0"):
        EmbeddedCloud(images=-1)
