"""Tokens and the service catalog."""

import json

import pytest

from pytest_imagedetail.embedded import RELEASES, EmbeddedCloud

TOKENS = "/v3/auth/tokens"


def login(client, **changes):
    account = client.cloud.application.identity.account
    given = {"user": account.username, "password": account.password, "project": "demo", **changes}
    domain = {"name": "Default"}
    user = {"name": given["user"], "password": given["password"], "domain": domain}
    scope = {"project": {"name": given["project"], "domain": domain}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    body["auth"]["scope"] = scope
    return client.send("POST", TOKENS, "", json.dumps(body).encode(), {})


@pytest.mark.parametrize("release", RELEASES)
def test_a_password_buys_a_token_that_nova_accepts(client_of, release):
    """201, X-Subject-Token in Fernet's look, and the compute endpoint of the catalog answers."""
    client = client_of(release)
    answer = login(client)
    assert answer.status == 201
    token = answer.header("X-Subject-Token")
    assert token.startswith("gAAAAA")
    catalog = {
        service["type"]: service["endpoints"][0]["url"]
        for service in answer.json["token"]["catalog"]
    }
    path = catalog["compute"].removeprefix("http://nova.test:8774")
    assert client.get(f"{path}/images/detail", x_auth_token=token).status == 200
    assert answer.json["token"]["project"]["id"] == client.project_id


def test_catalog_of_a_later_release(client_of):
    """The endpoint compute goes without a project, compute_legacy with one; image is elsewhere."""
    client = client_of("2026.2")
    catalog = {
        service["type"]: service["endpoints"][0]["url"]
        for service in login(client).json["token"]["catalog"]
    }
    assert catalog == {
        "identity": "http://nova.test:8774/v3",
        "image": "http://glance.internal:9292",
        "compute": "http://nova.test:8774/v2.1",
        "compute_legacy": f"http://nova.test:8774/v2/{client.project_id}",
    }


@pytest.mark.parametrize("wrong", [{"password": "x"}, {"user": "x"}, {"project": "x"}])
def test_wrong_credentials(client_of, wrong):
    """A 401 in JSON without a token."""
    answer = login(client_of("2026.2"), **wrong)
    assert answer.status == 401
    assert answer.json["error"]["title"] == "Unauthorized"
    assert answer.header("X-Subject-Token") == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"auth": {}}', b'{"auth": 1}', b"\xff"])
def test_body_that_is_no_login(client_of, body):
    """A 400 in Keystone's shape, never a traceback."""
    answer = client_of("2026.2").send("POST", TOKENS, "", body, {})
    assert (answer.status, answer.json["error"]["code"]) == (400, 400)


def test_version_documents(client_of):
    """Keystone's /v3 and Nova's / and /v2.1/ say what they are, without a token."""
    client = client_of("2026.2")
    assert client.get("/v3", x_auth_token="").json["version"]["id"] == "v3.14"
    assert client.get("/v2.1/", x_auth_token="").json["version"]["version"] == "2.104"
    assert [version["id"] for version in client.get("/").json["versions"]] == ["v2.0", "v2.1"]


def test_secrets_are_random_for_each_cloud():
    """Two clouds share neither token nor password nor project, so a leak can be traced."""
    first, second = (EmbeddedCloud().application.compute.account for _ in range(2))
    assert first.token != second.token
    assert first.password != second.password
    assert first.project_id != second.project_id
    assert len(first.project_id) == 32
