"""What traffic itself gives away, and what is authentication; no session, no network."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest

from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact.traffic import keystone_among, secrets_in

KEYSTONE = "http://keystone.corp.example:5000"
COMPUTE = "https://compute.corp.example:8774/v2"
USER = "9a1b2c3d4e5f60718293a4b5c6d7e8f9"
PROJECT = "3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"
TOKEN = "8f14e45fceea167a5a36dedd4bea2543"  # a UUID token, which has no shape of its own


def sent(method="GET", url=f"{COMPUTE}/{PROJECT}/images/detail", body=b"", headers=(), answer=b""):
    """One interaction; bodies may be values, which become JSON."""
    body, answer = (
        each if isinstance(each, bytes) else json.dumps(each).encode() for each in (body, answer)
    )
    return Interaction(
        method=method,
        url=url,
        request_headers=Headers(headers),
        request_body=body,
        response=Response(status_code=200, body=answer),
    )


def answered(headers):
    return Interaction(
        url=f"{COMPUTE}/images",
        response=Response(status_code=200, headers=Headers(headers), body=b""),
    )


def is_keystone(page, *others):
    """Whether an interaction is authentication, given what else was heard."""
    return keystone_among([page, *others])(page)


def v3_password(password="c0rrect horse"):
    return {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"id": USER, "password": password}},
            },
            "scope": {"project": {"id": PROJECT}},
        }
    }


def v3_answer():
    return {
        "token": {
            "methods": ["password"],
            "user": {"id": USER, "name": "demo", "password_expires_at": "2026-11-24T00:00:00"},
            "project": {"id": PROJECT, "name": "demo", "domain": {"id": "default"}},
            "audit_ids": ["3T2dc1CGQxyJsHdDu1xkcw"],
            "expires_at": "2026-11-24T01:00:00.000000Z",
        }
    }


def test_keystone_v3():
    """Password, both tokens and the ids of user and project; nothing that only says when or how."""
    page = Interaction(
        method="POST",
        url=f"{KEYSTONE}/v3/auth/tokens",
        request_body=json.dumps(v3_password()).encode(),
        response=Response(
            status_code=201,
            headers=Headers([("x-subject-token", "gAAAAAB-not-the-look")]),
            body=json.dumps(v3_answer()).encode(),
        ),
    )
    found = secrets_in([page])
    assert found.values == {"c0rrect horse", "gAAAAAB-not-the-look", "3T2dc1CGQxyJsHdDu1xkcw"}
    assert found.ids == {USER, PROJECT}
    assert is_keystone(page)


def test_keystone_v2():
    """The old body keeps its token inside, and calls a project a tenant."""
    page = sent(
        "POST",
        f"{KEYSTONE}/v2.0/tokens",
        body={
            "auth": {
                "tenantId": PROJECT,
                "passwordCredentials": {"username": "demo", "password": "s3cret-v2"},
            }
        },
        answer={
            "access": {
                "token": {"id": TOKEN, "expires": "2015", "tenant": {"id": PROJECT}},
                "user": {"id": USER, "username": "demo"},
            }
        },
    )
    found = secrets_in([page])
    assert found.values == {"s3cret-v2", TOKEN}
    assert found.ids == {PROJECT, USER}


def test_keystone_v2_in_xml():
    """The clients of 2012 spoke XML."""
    page = sent(
        "POST",
        f"{KEYSTONE}/v2.0/tokens",
        body=b'<?xml version="1.0"?><auth tenantId="' + PROJECT.encode() + b'">'
        b'<passwordCredentials username="demo" password="xml-pass-1"/></auth>',
        answer=f"<access><token id='{TOKEN}'/><user id=\"{USER}\"/></access>".encode(),
    )
    found = secrets_in([page])
    assert found.values == {"xml-pass-1", TOKEN}
    assert found.ids == {PROJECT, USER}


@pytest.mark.parametrize(
    ("identity", "values"),
    [
        ({"token": {"id": TOKEN}}, {TOKEN}),
        ({"application_credential": {"id": USER, "secret": "app-s3cret"}}, {USER, "app-s3cret"}),
        ({"totp": {"user": {"id": USER, "passcode": "123456"}}}, {"123456"}),
        ({"password": {"user": {"password": 12345678}}}, {"12345678"}),
    ],
)
def test_other_ways_to_a_token(identity, values):
    """Tokens, application credentials, one-time codes, a password that is written as a number."""
    page = sent("POST", f"{KEYSTONE}/v3/auth/tokens", body={"auth": {"identity": identity}})
    assert secrets_in([page]).values == values


def test_ec2_credentials():
    """The access key, the secret and the signature, in Keystone's bodies and in AWS's headers."""
    keystone = sent(
        "POST",
        f"{KEYSTONE}/v3/ec2tokens",
        body={"credentials": {"access": "acc-0123", "signature": "c2lnbmF0dXJl", "verb": "GET"}},
    )
    signed = (
        "AWS4-HMAC-SHA256 Credential=acc-v4/20260101/r/ec2/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5d672d79c15b1316"
    )
    header = sent(headers=[("Authorization", signed)])
    old = sent(headers=[("Authorization", "AWS acc-v2:frJIUN8DYpKDtOLCwo=")])
    query = sent(url="https://s3.example/b?AWSAccessKeyId=acc-query&Signature=sig%2Bquery&x=1")
    assert secrets_in([keystone, header, old, query]).values == {
        "acc-0123",
        "c2lnbmF0dXJl",
        "acc-v4",
        "5d672d79c15b1316",
        "acc-v2",
        "frJIUN8DYpKDtOLCwo=",
        "acc-query",
        "sig+query",
    }


@pytest.mark.parametrize(
    ("header", "values"),
    [
        (("X-Auth-Token", TOKEN), {TOKEN}),
        (("x-service-token", "serv"), {"serv"}),
        (("Authorization", "Bearer t0ken"), {"t0ken"}),
        (("Authorization", "token-alone"), {"token-alone"}),
        (
            ("Proxy-Authorization", "Basic " + base64.b64encode(b"admin:pro:xy").decode()),
            {"pro:xy", base64.b64encode(b"admin:pro:xy").decode()},
        ),
        (
            ("Authorization", 'Digest username="admin", nonce="n0nce", response="6629fae4"'),
            {"n0nce", "6629fae4"},
        ),
        (("Cookie", 'lang=english; sid="abcd"; id=0123456789a'), {"abcd", "0123456789a"}),
        (("X-Api-Key", "key-1"), {"key-1"}),
        (("Ocp-Apim-Subscription-Key", "0f" * 16), {"0f" * 16}),
        (("X-Functions-Key", "fun-7"), {"fun-7"}),
        (("X-Custom-Auth", "c0stum" * 4), {"c0stum" * 4}),
        (("X-Whatever", "c0st/um+" * 4 + "=="), {"c0st/um+" * 4 + "=="}),
        (("Accept", "application/json"), set()),
        (("User-Agent", "python-requests/2.34.2"), set()),
        (("X-Client", "openstacksdk/4.5.0-linux"), set()),
        (("If-None-Match", "0f" * 16), set()),
        (("X-OpenStack-Request-ID", "req-" + "0f" * 16), set()),
        (("X-Trace-Id", "0f" * 16), set()),
        (("Content-MD5", "0f" * 16), set()),
        (("X-Image-Meta-Checksum", "0f" * 16), set()),
        (("traceparent", f"00-{'0f' * 16}-00f067aa0ba902b7-01"), set()),
        (("X-Mode", "a-mode-of-many-words"), set()),
        (("X-Key", "true"), set()),
    ],
)
def test_request_headers(header, values):
    """Each scheme's secret part; a cookie that is a plain word is none."""
    assert secrets_in([sent(headers=[header], url="https://h.example/")]).values == values


def test_response_headers():
    """A cookie's attributes are no secrets; a redirect's query may hold one."""
    found = secrets_in(
        [
            answered([("Set-Cookie", "SESSION=a%3Db%3Dcd; Path=/dashboard-1; HttpOnly")]),
            answered([("Location", f"{COMPUTE}/{PROJECT}/images?access_token=l0cation#sig=frag")]),
            answered([("X-Storage-Token", "st0rage")]),
        ]
    )
    assert found.values == {"a%3Db%3Dcd", "a=b=cd", "l0cation", "frag"} | {"st0rage"}
    assert found.ids == {PROJECT}


def test_urls():
    """Users and passwords in front of a host, keys in a query, projects in a path."""
    found = secrets_in(
        [
            sent(url="https://jane.doe-1:p%40ss@h.example/?api_key=KEY1&limit=3&name=token"),
            sent(url=f"{COMPUTE}/{PROJECT}/servers/{USER}"),
            sent(url="https://h.example/a;jsessionid=Zk4mQ9vXw2/b;v=1"),
            sent(url=f"https://swift.example/v1/AUTH_{USER}/c"),
        ]
    )
    assert found.values == {"jane.doe-1", "p%40ss", "p@ss", "KEY1", "Zk4mQ9vXw2"}
    assert found.project_id == PROJECT
    assert found.ids == {PROJECT, USER}


def test_owners_by_their_names_and_places():
    """Whatever stands before the word that tells; ids of other things stay."""
    for page in (
        sent(url=f"{COMPUTE}.1/os-quota-sets/{USER}"),
        sent(url=f"https://glance.corp.example/v2/images/1/members/{USER}"),
        sent(url=f"{COMPUTE}.1/servers?tenant={USER}"),
        sent(url=COMPUTE, answer={"os-vol-tenant-attr:tenant_id": USER, "checksum": PROJECT}),
        sent(url=COMPUTE, answer={"createdBy": USER, "id": PROJECT, "user": "someone"}),
    ):
        assert secrets_in([page]).ids == {USER}


@pytest.mark.parametrize(
    "body",
    [
        {"server": {"adminPass": "deep-1"}},
        {"a": [{"name": "admin_password", "value": "deep-1"}]},
        {"a": [{"db_password": "deep-1"}]},
        {"wrapped": json.dumps({"in": json.dumps([{"secret": "deep-1"}])})},
        json.dumps(json.dumps({"token": "deep-1"})).encode(),
        urlencode({"user": "me", "password": "deep-1"}).encode(),
        urlencode({"config": json.dumps({"token": "deep-1"})}).encode(),
        b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\ndeep-1\r\n--x--\r\n',
        {"see": "https://u:deep-1@h.example/ and so on"},
        {"adminPass": {"hint": "none", "value": "deep-1"}},
        {"passwords": [{"text": "deep-1"}]},
        b"--x\r\nContent-Disposition: form-data; name=password\r\n\r\ndeep-1\r\n--x--\r\n",
    ],
    ids=range(12),
)
def test_bodies_of_any_form(body):
    """JSON, JSON in JSON, forms, JSON in forms, multipart, URLs in text."""
    assert secrets_in([sent("POST", "https://h.example/", body=body)]).values == {"deep-1"}


def test_a_field_of_several_lines_is_a_secret_whole_and_line_by_line():
    """A key that is sent as a field, not as a file."""
    head = b'--x\nContent-Disposition: form-data; name="private_key"\n\n'
    field = head + b"line-no-1\n\nline-no-2\n--x--\n"
    page = sent("POST", "https://h.example/", body=field)
    assert secrets_in([page]).values == {
        "line-no-1\n\nline-no-2",
        "line-no-1",
        "line-no-2",
    }


def test_a_field_that_holds_a_document_is_read_as_one():
    """No line of it is a secret for itself; a brace is none either."""
    document = json.dumps({"note": {"n": 1}, "password": "deep-1"}, indent=2).encode()
    field = b'--x\nContent-Disposition: form-data; name="credentials"\n\n' + document + b"\n--x--\n"
    assert secrets_in([sent("POST", "https://h.example/", body=field)]).values == {"deep-1"}


def test_words_in_answers_are_no_secrets():
    """What a stranger answers under a secret's name may be a word; as a request's it is one."""
    answer = {"metadata": {"token_state": "required", "password_expires_at": "2026-11-24"}}
    assert secrets_in([sent(answer=answer)]).values == set()
    assert secrets_in([sent("POST", body=answer)]).values == {"required"}
    assert secrets_in([sent(answer={"adminPass": "Xy7-Kq2!z"})]).values == {"Xy7-Kq2!z"}


@pytest.mark.parametrize("value", ["abc", "", "true", "None"])
def test_flags_and_short_values_are_no_secrets(value):
    """They would be found in every text."""
    assert secrets_in([sent("POST", body={"password": value})]).values == set()


def test_repr_shows_nothing():
    """A failing test prints values."""
    found = secrets_in([sent("POST", f"{KEYSTONE}/v3/auth/tokens", body=v3_password())])
    assert "c0rrect" not in repr(found)
    assert USER not in repr(found)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"\xff\xfe{", b"null", b'{"n": ' + b"1" * 5000 + b"}", b"<a", b"--x", b"a=%"],
    ids=range(7),
)
def test_no_body_is_too_strange(body):
    """Whatever is sent is looked through without a word."""
    secrets_in([sent("POST", "http://[broken/", body=body, answer=body)])


@pytest.mark.parametrize(
    "url",
    [
        f"{KEYSTONE}/v3/auth/tokens",
        "https://api.example/identity/v3/auth/tokens",
        "https://api.example/keystone/v3/auth/OS-FEDERATION/websso",
        f"{KEYSTONE}/v2.0/tokens/{TOKEN}",
        f"{KEYSTONE}/v2.0/tenants",
        f"{KEYSTONE}/v3/users/{USER}/projects",
        "https://api.example/identity",
        "https://api.example/identity/v3/",
        "https://swift.example/auth/v1.0",
    ],
)
def test_authentication_by_its_path(url):
    """Tokens, Keystone's resources, its root."""
    assert is_keystone(sent(url=url))


@pytest.mark.parametrize(
    "url",
    [
        f"{COMPUTE}/{PROJECT}/images/detail",
        f"{COMPUTE}/",
        f"https://cinder.example/v3/{PROJECT}/volumes",
        "https://ghe.example/api/v3/users/octocat",
        "https://app.example/v2.0/users-guide",
        f"https://app.example/?next={quote(KEYSTONE + '/v3/auth/tokens')}",
    ],
)
def test_other_traffic_is_no_authentication(url):
    """Nova, Cinder's own v3, and other people's users."""
    assert not is_keystone(sent(url=url, answer={"images": []}))


IDENTITY = "application/vnd.openstack.identity-v3+json"
LOGIN = sent("POST", f"{KEYSTONE}/identity/v3/auth/tokens", body=v3_password())


@pytest.mark.parametrize(
    "page",
    [
        sent(url="https://cinder.example/v3/groups/detail", answer={"groups": []}),
        sent(url="https://cinder.example/v3/limits", answer={"limits": {"rate": []}}),
        sent(url="https://cinder.example/v3/limits", answer={"limits": []}),
        sent("PUT", "https://cinder.example/v3/groups/1", body={"group": {}}),
        sent(url="https://app.example/v3/users", answer={"users": [], "links": {}}),
        sent(url="https://app.example/v3/users/1", answer={"user": {"links": {"self": "/u/1"}}}),
        sent(url="https://app.example/people/5/identity", answer={"identity": "me"}),
        sent(url="https://app.example/identity", answer={"identity": "me"}),
        sent(url="https://app.example/identity", answer=b"<html>"),
        sent(url="https://app.example/v3/OS-KILO/notes", answer={"notes": []}),
        sent(answer={"images": [{"metadata": {"about": IDENTITY}}]}),
        sent(url="https://app.example/", answer={"about": IDENTITY}),
        sent(url="https://app.example/", answer={"versions": [{"about": IDENTITY}, 5]}),
        sent(url="https://app.example/x", answer=f"see {IDENTITY}".encode()),
        sent(url="https://api.example/zones", headers=[("X-Auth-Key", "k")]),
        sent("POST", "https://app.example/hooks", body={"auth": {"token": "abc"}}),
        sent("POST", "https://app.example/hooks", body={"auth": {"identity": "me"}}),
    ],
    ids=range(17),
)
@pytest.mark.parametrize("others", [(), (LOGIN,)], ids=["alone", "beside a login"])
def test_what_only_looks_like_keystone_is_the_tests_own(page, others):
    """It would be left out of its recording, and no replay could answer it."""
    assert not is_keystone(page, *others)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("/v3/users", {"users": [{"id": "1"}], "links": {"self": f"{KEYSTONE}/v3/users"}}),
        ("/v3/limits", {"limits": [], "links": {"self": f"{KEYSTONE}/v3/limits"}}),
        ("/v3/users/1", {"user": {"links": {"self": f"{KEYSTONE}/identity/v3/users/1"}}}),
        ("/v3", {"version": {"media-types": [{"type": IDENTITY}]}}),
        ("/", {"versions": [{"media-types": [{"type": IDENTITY}]}]}),
    ],
)
def test_keystone_is_known_by_its_own_answers(url, answer):
    """Wherever it is: its links lead to itself, and its versions have types of their own."""
    assert is_keystone(sent(url=f"https://odd.example{url}", answer=answer))


@pytest.mark.parametrize(
    "path", ["/v3", "/v3/users", "/v3/groups/1", "/v3/limits", "/v3/credentials?type=ec2"]
)
def test_a_login_shows_where_keystone_is(path):
    """What lies below the same place is Keystone's, and not what lies below another."""
    page = sent(url=f"https://api.example/auth{path}", answer={"error": {"code": 404}})
    login = sent("POST", "https://api.example/auth/v3/auth/tokens", body=v3_password())
    elsewhere = sent("POST", "https://api.example/v3/auth/tokens", body=v3_password())
    assert is_keystone(page, login)
    assert not is_keystone(page, elsewhere)
    assert not is_keystone(page)
    for below in ("/volume", "", "/auth"):
        volume = sent(url=f"https://api.example{below}/v3/groups/detail", answer={"groups": []})
        assert not is_keystone(volume, login, elsewhere)


@pytest.mark.parametrize(
    "page",
    [
        sent("POST", "https://odd.example/login", body=v3_password()),
        sent("POST", "https://odd.example/", body={"auth": {"passwordCredentials": {}}}),
        sent(
            url=f"{KEYSTONE}/",
            answer={
                "versions": {
                    "values": [
                        {"media-types": [{"type": "application/vnd.openstack.identity-v3+json"}]}
                    ]
                }
            },
        ),
        sent(url="https://rackspace.example/v1.0", headers=[("X-Auth-Key", "k")]),
        answered([("X-Subject-Token", "t")]),
    ],
    ids=["v3 body", "v2 body", "versions", "key", "answer"],
)
def test_authentication_by_what_is_said(page):
    """A proxy may put Keystone anywhere; what it speaks stays."""
    assert is_keystone(page)
