"""Answers of the built-in Keystone and version documents of Nova, byte for byte."""

from dataclasses import replace
from pathlib import Path

from pytest_imagedetail.body.json import pretty
from pytest_imagedetail.model import Interaction
from pytest_imagedetail.traffic.keystone import Keystone, catalog_in, entries_of, version_document
from unit import interaction_of

GOLDEN = Path(__file__).parents[1] / "golden" / "keystone.txt"
HOST = "https://identity.a.invalid:5000"
NOVA = "https://compute.a.invalid/v2.1"
LEGACY = "https://compute.a.invalid/v2/00000000000000000000000000000000"
CATALOG = (
    *entries_of("compute", "nova", NOVA),
    *entries_of("compute", "nova", "https://compute.b.invalid/v2.1", region="RegionTwo"),
    *entries_of("image", "glance", "https://image.a.invalid"),
)
ANSWERED = (
    *("POST /v3/auth/tokens", "GET /v3/auth/catalog", "POST /v2.0/tokens"),
    *("GET /v3/", "GET /v2.0", "GET /identity/"),
)
ALSO = {
    "POST /identity/v3/auth/tokens": "POST /v3/auth/tokens",
    "GET /v3": "GET /v3/",
    "GET /v2.0/": "GET /v2.0",
    "GET /identity": "GET /identity/",
}
NOT_ANSWERED = (
    *("GET /v2.0/tokens", "DELETE /v3/auth/tokens", "POST /v3/auth/catalog", "POST /v3", "POST /"),
    *("GET /v3/users", "GET /v3/projects", "GET /identity/v3/domains", "GET /v1"),
)


def asked(line, host=HOST):
    method, _, path = line.partition(" ")
    return interaction_of(host + path, method=method)


def written(line, response):
    fields = "\n".join(f"{name}: {value}" for name, value in response.headers.fields)
    body = pretty(response.body.decode())
    return f"{line}\n{response.status_code} {response.reason}\n{fields}\n\n{body}\n"


def test_golden():
    keystone = Keystone(catalog=CATALOG)
    said = [written(line, keystone.answer(asked(line))) for line in ANSWERED]
    for line in ("GET /", "GET /v2.1", "GET /v2/"):
        found = version_document(asked(line, "https://compute.a.invalid"), (NOVA, LEGACY), "2.96")
        said.append(written(f"{line} of Nova", found))
    assert "\n".join(said) == GOLDEN.read_text(encoding="utf-8")
    for line, same in ALSO.items():
        assert keystone.answer(asked(line)) == keystone.answer(asked(same)), line
    login = keystone.answer(asked("POST /v3/auth/tokens"))
    assert replace(login, status_code=200, reason="OK") == keystone.answer(
        asked("GET /v3/auth/tokens")
    )
    for path in ("", "/", "/identity/", "/keystone"):
        assert keystone.answer(asked(f"GET {path}")).status_code == 300, path


def test_everything_else_is_left_to_recordings():
    keystone = Keystone(catalog=CATALOG)
    for line in NOT_ANSWERED:
        assert keystone.answer(asked(line)) is None, line
    for line in ("POST /v2.1", "GET /v2.1/images/detail", "GET /v3"):
        nova = asked(line, "https://compute.a.invalid")
        assert version_document(nova, (NOVA, LEGACY), "2.96") is None, line


def test_its_catalogs_are_read_back():
    unsound = entries_of("volumev3", "cinder", "http://[x/v3")
    keystone = Keystone(catalog=(*CATALOG, *unsound))
    requests = [asked("GET", each["url"]) for each in CATALOG]
    requests.append(interaction_of(HOST, {"token": {"catalog": [{"endpoints": [{}]}]}}))
    for line in ("POST /v3/auth/tokens", "GET /v3/auth/catalog", "POST /v2.0/tokens"):
        login = Interaction(url=HOST, response=keystone.answer(asked(line)))
        found = catalog_in([login, *requests])
        assert sorted(map(str, found)) == sorted(map(str, CATALOG)), line
        (only,) = {each["url"] for each in catalog_in([login, requests[0]])}
        assert only == NOVA
