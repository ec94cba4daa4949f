"""What redaction replaces, what it leaves, and the laws it keeps."""

import base64
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.cassette import Store, loads
from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.model import (
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
)
from pytest_imagedetail.normalize import numbered
from pytest_imagedetail.redact import (
    Numbering,
    Part,
    Secrets,
    holds_placeholders,
    project_in_path,
    redact,
    redact_query,
    redact_together,
)
from pytest_imagedetail.redact.final_check import refuse_leaks

PROJECT = "c0ffee00c0ffee00c0ffee00c0ffee00"
TOKEN = "gAAAAABlZ-live-token-of-this-session_0123456789"
ENDPOINT = f"https://compute.k5.example:8774/v2/{PROJECT}"
ZERO, ONE = f"{0:032x}", f"{1:032x}"
SECRETS = Secrets(
    project_id=PROJECT, values=frozenset({TOKEN, "hunter2-pass"}), ids=frozenset({PROJECT})
)


def page_of(body, *, url=f"{ENDPOINT}/images/detail", headers=(), request_headers=()):
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Interaction(
        url=url,
        request_headers=Headers(request_headers),
        response=Response(status_code=200, headers=Headers(headers), body=data),
    )


def redacted(body, *, secrets=SECRETS, **more):
    """The body (as JSON, if it is) after redaction, and what the gate then thinks of it."""
    done = redact([page_of(body, **more)], cloud="k5", secrets=secrets)
    (page,) = done.interactions
    refuse_leaks(page.response.body, secrets=done.replaced, where="body")
    refuse_leaks(page.url.encode(), secrets=done.replaced, where="url")
    return page.response.body if isinstance(body, bytes) else json.loads(page.response.body)


def text_of(text, **more):
    return redacted({"text": text}, **more)["text"]


def link(rel, href):
    return {"links": [{"rel": rel, "href": href}]}


def test_links_keep_their_form():
    """Hosts by role and project ids are replaced; paths, versions and image ids stay."""
    body = {
        "images": [
            {
                "id": "img",
                "links": [
                    {"rel": "self", "href": f"{ENDPOINT}/images/img"},
                    {"rel": "bookmark", "href": f"{ENDPOINT.replace('/v2', '')}/images/img"},
                    {"rel": "alternate", "href": f"http://10.0.0.7:9292/{PROJECT}/images/img"},
                ],
            }
        ]
    }
    links = redacted(body)["images"][0]["links"]
    assert [each["href"] for each in links] == [
        f"https://compute.k5.invalid/v2/{ZERO}/images/img",
        f"https://compute.k5.invalid/{ZERO}/images/img",
        f"https://image.k5.invalid/{ZERO}/images/img",
    ]


def test_the_same_value_has_the_same_placeholder_and_another_another():
    """A mix-up of hosts, projects or passwords in an answer is still seen after redaction."""
    other = "deadbeef00000001deadbeef00000001"
    body = {
        "a": [
            link("self", f"{ENDPOINT}/images/1"),
            link("self", f"http://compute.k5.example:8774/v2/{other}/images/1"),
            link("self", f"{ENDPOINT}/images/2"),
        ],
        "passwords": [
            {"admin_pass": "one-1234"},
            {"admin_pass": "two-1234"},
            {"admin_pass": "one-1234"},
        ],
        "owners": [{"owner": other}, {"owner": PROJECT}, {"owner_id": other}],
        "addresses": ["10.1.1.1", "10.1.1.2", "10.1.1.1", "fe80::1", "FE80:0::1", "fe80::2"],
    }
    got = redacted(body)
    assert [each["links"][0]["href"] for each in got["a"]] == [
        f"https://compute.k5.invalid/v2/{ZERO}/images/1",
        f"https://compute-2.k5.invalid/v2/{ONE}/images/1",
        f"https://compute.k5.invalid/v2/{ZERO}/images/2",
    ]
    assert [each["admin_pass"] for each in got["passwords"]] == [
        "<redacted-1>",
        "<redacted-2>",
        "<redacted-1>",
    ]
    assert [value for each in got["owners"] for value in each.values()] == [ONE, ZERO, ONE]
    first, second, again, *six = got["addresses"]
    assert (first, second, again) == ("192.0.2.1", "192.0.2.2", "192.0.2.1")
    assert six[0] == six[1] != six[2]
    assert all(each.startswith("2001:db8::") for each in six)


def test_k5_s_free_text():
    """Internal URLs, addresses and bare hosts inside a reason are mapped like all others."""
    reason = (
        f"Failed: see http://10.20.30.40:8774/v2/{PROJECT}/images/1, host compute.k5.example "
        "(10.20.30.40), then https://fr.k5.example/x?token=abc. Mail ops@compute.k5.example."
    )
    assert text_of(reason) == (
        f"Failed: see https://host.k5.invalid/v2/{ZERO}/images/1, host compute.k5.invalid "
        "(host.k5.invalid), then https://host-2.k5.invalid/x?token=redacted. "
        "Mail user-1@example.invalid."
    )


def test_what_is_learnt_late_is_replaced_early():
    """A host or password that the text shows before the place that gives it away goes too."""
    body = {
        "first": "ask glance.inner.example or say correct-horse",
        "then": "https://glance.inner.example/v1",
        "admin_pass": "correct-horse",
    }
    assert redacted(body) == {
        "first": "ask host.k5.invalid or say <redacted-1>",
        "then": "https://host.k5.invalid/v1",
        "admin_pass": "<redacted-1>",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("compute.k5.example:8774", "compute.k5.invalid"),
        ("compute.k5.example", "compute.k5.invalid"),
        ("COMPUTE.K5.example:8774", "compute.k5.invalid"),
        ("www.compute.k5.example", "www.compute.k5.invalid"),
        ("https://Compute.K5.Example:8774/x", "https://compute.k5.invalid/x"),
        ("http://compute.k5.example:8774/x", "https://host.k5.invalid/x"),
        ("https://[2001:470::5]:8774/x and 2001:470::5", None),
        ("https://[2001:470::5]/x and [2001:470::5]", None),
        ("ftp://me:hunter3-pass@files.example/x", "ftp"),
        ("ftp://me:hunter2-pass@files.example/x", "ftp"),
        ("::ffff:10.1.2.3 and 10.1.2.3", None),
        ("see :: and 12:34:56 and fa:16:3e:00:11:22 and 1.2.3", "see :: and 12:34:56"),
        ("https://[broken/x", "<redacted-1>"),
        ("https://a:b:c@[::1/x.", "<redacted-1>."),
    ],
)
def test_hosts_in_every_spelling(text, expected):
    """With port and without, in any case, IPv4 and IPv6, with user and password, broken too."""
    got = text_of(text)
    for known in ("k5.example", "2001:470", "10.1.2", "hunter", "files.example", "broken", "[::1"):
        assert known not in got.lower()
    if expected == "ftp":
        user = r"<redacted-[12]>:<redacted-[12]>"
        assert re.fullmatch(rf"https://{user}@host\.k5\.invalid/x", got)
        assert text_of(got) == got
    elif expected is not None:
        assert got.startswith(expected)


def test_users_and_passwords_of_a_url_are_told_apart():
    """That there is none, one or another is what a reader and a comparison see."""
    urls = [
        "http://proxy.example/",
        "http://me:pw-1@proxy.example/",
        "http://me:pw-2@proxy.example/",
    ]
    urls += [
        "http://me@proxy.example/",
        "http://me:@proxy.example/",
        "http://me:pw%2D1@proxy.example/",
    ]
    got = redacted(urls)
    assert [each.partition("//")[2].rpartition("@")[0] for each in got] == [
        "",
        "<redacted-1>:<redacted-2>",
        "<redacted-1>:<redacted-3>",
        "<redacted-1>",
        "<redacted-1>:",
        "<redacted-1>:<redacted-2>",
    ]
    both = redacted([urls[-1], "the word is pw-1"])
    assert both[1] == "the word is pw-1"  # too short to be looked for
    both = redacted(["http://me:p%40ssw0rd1@proxy.example/", "it is p@ssw0rd1"])
    assert both[1] == "it is <redacted-2>"


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_the_port_that_a_scheme_has_anyway_is_no_other_origin(scheme, port):
    """Clients leave it out of what they ask, as a recording is then asked for."""
    urls = [
        f"{scheme}://h.example:{port}/a",
        f"{scheme}://h.example/a",
        f"{scheme}://h.example:1/a",
    ]
    got = redacted([link("self", url) for url in urls])
    hrefs = [each["links"][0]["href"] for each in got]
    assert hrefs[0] == hrefs[1] != hrefs[2]


def test_http_and_https_are_told_apart():
    """A link that lost its TLS is a difference, so the two have two placeholders."""
    got = redacted([link("self", "https://h.example/a"), link("self", "http://h.example/a")])
    hrefs = [each["links"][0]["href"] for each in got]
    assert hrefs == ["https://compute-2.k5.invalid/a", "https://compute-3.k5.invalid/a"]


@pytest.mark.parametrize(
    ("project", "free", "left"),
    [
        (PROJECT, f"AUTH_{PROJECT}/x", f"AUTH_{ZERO}/x"),
        ("5831204417", "project 5831204417.", f"project {ZERO}."),
        ("5831204", "project 5831204", "project 5831204"),
        ("openstack", "openstack is an openstack word", "openstack is an openstack word"),
    ],
)
def test_project_ids_of_every_form(project, free, left):
    """A path never keeps its project; a word is otherwise left where it means something else."""
    endpoint = f"https://compute.openstack.example/v2/{project}"
    secrets = Secrets(project_id=project, ids=frozenset({project}))
    body = {
        "images": [
            link("self", f"{endpoint}/images/1"),
            link("bookmark", f"https://compute.openstack.example/{project}/images/1"),
            {"server": link("self", f"{endpoint}/servers/2")},
        ],
        "type": "application/vnd.openstack.image",
        "owner": project,
        "text": free,
    }
    done = redacted(body, secrets=secrets, url=f"{endpoint}/images/detail")
    assert done == {
        "images": [
            link("self", f"https://compute.k5.invalid/v2/{ZERO}/images/1"),
            link("bookmark", f"https://compute.k5.invalid/{ZERO}/images/1"),
            {"server": link("self", f"https://compute.k5.invalid/v2/{ZERO}/servers/2")},
        ],
        "type": "application/vnd.openstack.image",
        "owner": ZERO,
        "text": left,
    }


def test_signed_urls_lose_every_signature():
    """The values of a foreign URL's query go, at its first mention and at its hundredth."""
    url = "https://s3.example/b/k?X-Amz-Signature=0badcafe&Expires=9#frag-s3cret"
    plain = "https://s3.example/b/k?c2VjcmV0c2VjcmV0"
    after = "https://s3.example/b/k?a=hunter2-pass&X-Amz-Signature=0badcafe"
    hidden = "https://host.k5.invalid/b/k?a=redacted&X-Amz-Signature=redacted"
    assert text_of(after) == hidden
    got = text_of(f"{url} {url} {plain}")
    one = "https://host.k5.invalid/b/k?X-Amz-Signature=redacted&Expires=redacted#redacted"
    assert got == f"{one} {one} https://host.k5.invalid/b/k?redacted"


def test_the_cloud_s_own_queries_stay_but_for_their_secrets():
    """A next link keeps limit and marker; a signature, a token or an inner URL in it goes."""
    inner = quote(f"http://compute.k5.example:8774/v2/{PROJECT}/servers/1", safe="")
    url = f"{ENDPOINT}/images/detail?limit=2&name=a%2Fb+c&server={inner}&temp_url_sig=0badcafe"
    mapped = quote(f"https://host.k5.invalid/v2/{ZERO}/servers/1", safe="")
    assert text_of(url) == (
        f"https://compute.k5.invalid/v2/{ZERO}/images/detail?limit=2&name=a%2Fb+c"
        f"&server={mapped}&temp_url_sig=%3Credacted-1%3E"
    )


def test_a_query_is_named_as_its_url_shows_it():
    """What the cassette says was asked is what stands in the redacted URL."""
    query = Query.of(server=f"{ENDPOINT}/servers/1", name="a b", limit=3, microversion="2.35")
    named = redact_query(query, endpoint=ENDPOINT, cloud="k5", secrets=SECRETS)
    done = redact(
        [page_of({}, url=f"{ENDPOINT}/images/detail?{query.wire}")], cloud="k5", secrets=SECRETS
    )
    assert Query.parse(done.interactions[0].url.partition("?")[2]).params == named.params
    assert named == Query.of(
        server=f"https://compute.k5.invalid/v2/{ZERO}/servers/1",
        name="a b",
        limit=3,
        microversion="2.35",
    )
    assert redact_query(named, endpoint=ENDPOINT, cloud="k5", secrets=SECRETS) == named


SOMEONE = "5ec2e7005ec2e7005ec2e7005ec2e701"
DASHED = "5ec2e700-5ec2-4e70-85ec-2e7005ec2e70"
OWNER_KEYS = [
    *("member_id", "os-vol-tenant-attr:tenant_id", "projectId", "ownerId", "target_tenant"),
    *("project", "user", "created_by", "domain_id", "trustee_user_id", "tenant", "USER_ID"),
    *("os-volume-transfer:project_id", "os-share-tenant:tenant_id", "member", "projectID"),
]
OWNER_PATHS = [
    "/v2/images/IMAGE/members/ID",
    *("/v2.1/os-quota-sets/ID", "/v2.1/os-quota-sets/ID/detail", "/v2.0/quotas/ID.json"),
    *("/v2.1/os-simple-tenant-usage/ID", "/v2.1/images?tenant=ID", "/v2.1/images?a=b&owner=ID"),
    *("/v2.1/servers?project_id=ID#x", "/ID/images/1", "/ID/servers", "/prefix/ID/flavors/1"),
]


@pytest.mark.parametrize("key", OWNER_KEYS)
@pytest.mark.parametrize("value", [SOMEONE, DASHED])
def test_an_owner_by_key(key, value):
    """Whatever stands before the word that tells; wherever else the id stands, too."""
    for body in ({key: value}, {key: [value]}, {key: {"id": value, "name": "n"}}):
        whole = {"a": body, "text": f"of {value}."}
        got = redacted(whole, secrets=Secrets(), url="http://nova.corp.test/v2.1/images")
        assert got == json.loads(json.dumps(whole).replace(value, ZERO))


@pytest.mark.parametrize("path", OWNER_PATHS)
def test_an_owner_by_place_in_a_url(path):
    """In a link, in a text, and in the request."""
    image = "70a599e0-31e7-49b7-b260-868f441e862b"
    url = "http://nova.corp.test" + path.replace("ID", SOMEONE).replace("IMAGE", image)
    left = path.replace("ID", ZERO).replace("IMAGE", image)
    for body in (link("bookmark", url), {"text": f"see {url} there"}):
        text = json.dumps(
            redacted(body, secrets=Secrets(), url="http://nova.corp.test/v2.1/images")
        )
        assert SOMEONE not in text
        assert left.removesuffix("#x") in text
    (page,) = redact([page_of({}, url=url)], cloud="k5", secrets=Secrets()).interactions
    assert page.url.startswith(f"https://compute.k5.invalid{left}")
    named = redact_query(
        Query.of(params={"tenant_id": SOMEONE}), endpoint=ENDPOINT, cloud="k5", secrets=Secrets()
    )
    assert SOMEONE not in str(named)


@pytest.mark.parametrize("name", ["joe.smith", "acme-corp", "ACME", "Sales"])
@pytest.mark.parametrize("key", ["owner", "owner_id", "project_id", "tenant_id", "user_id"])
def test_an_owner_whose_name_could_be_a_word(key, name):
    """OpenStack's five keys tell an id of any form; elsewhere the word may mean something else."""
    # The gate would refuse the word in the text, if it were looked for.
    assert redacted({key: name, "text": f"from {name}"}) == {key: ONE, "text": f"from {name}"}


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("none", "none"),
        ("", ""),
        ("joe@corp.test", "user-1@example.invalid"),
        ("10.1.2.3", "192.0.2.1"),
    ],
)
def test_what_an_owner_is_called_by_is_read_as_elsewhere(value, left):
    """Nobody, an address, an e-mail address."""
    assert redacted({"owner": value}) == {"owner": left}


@pytest.mark.parametrize("word", ["compute", "v2.1"])
def test_a_prefix_that_is_called_as_an_owner_is_stays(word):
    """Only an id before a resource is a project's."""
    body = {"owner": word, "links": [{"rel": "self", "href": f"https://h.test/{word}/images/1"}]}
    assert redacted(body) == {
        "owner": ONE,
        "links": [{"rel": "self", "href": f"https://compute-2.k5.invalid/{word}/images/1"}],
    }


def test_a_request_s_own_url_has_no_user():
    """Clients send it in a header; a recording is asked for without."""
    page = page_of({}, url="https://adm:pw-12345678@h.test/v2.1/images/detail")
    (done,) = redact([page], cloud="k5", secrets=Secrets()).interactions
    assert done.url == "https://compute.k5.invalid/v2.1/images/detail"


def test_an_owner_in_a_request_s_body():
    """Whom an image is shared with."""
    page = Interaction(
        method="POST",
        url="http://glance.corp.test/v2/images/1/members",
        request_body=json.dumps({"member": SOMEONE}).encode(),
        response=Response(status_code=200, body=b"{}"),
    )
    (kept,) = redact([page], cloud="k5", secrets=Secrets()).interactions
    assert json.loads(kept.request_body) == {"member": ZERO}


def test_what_only_looks_like_an_owner():
    """Checksums, ids of other things, and words under a name that tells."""
    body = {
        "checksum": SOMEONE,
        "os_hash_value": SOMEONE * 4,
        "id": DASHED,
        "server": {"id": DASHED},
        "owner_specified.openstack.md5": SOMEONE,
        "image_id": DASHED,
        "user": "administrator",
        "os_admin_user": "ubuntu20",
        "domain": "default",
        "hw_project": "release-2026.2",
        "member_count": SOMEONE,
        "domain_id": "default",
        "links": [{"rel": "self", "href": f"https://compute.k5.invalid/v2.1/images/{SOMEONE}"}],
        "file": f"/v2/images/{DASHED}/file",
    }
    assert redacted(body, secrets=Secrets(), url="https://compute.k5.invalid/v2.1/images") == body


def test_every_address_has_one_of_its_own():
    """However many: redaction and the comparison know them all as placeholders."""
    body = {"text": [f"at 10.{each // 250}.{each % 250}.7" for each in range(1500)]}
    texts = redacted(body, secrets=Secrets())["text"]
    assert len(set(texts)) == 1500
    assert texts[:2] + texts[761:764] == [
        *("at 192.0.2.1", "at 192.0.2.2", "at 203.0.113.254", "at 240.0.0.1", "at 240.0.0.2")
    ]
    assert redacted({"text": texts}, secrets=Secrets())["text"] == texts
    for text in texts:
        found = numbered("cross-version", together=False).search(text)
        assert found is not None
        assert (found.lastgroup, f"at {found[0]}") == ("v4", text)


def test_secrets_by_key():
    """What stands under a key that tells goes, in lists too; a flag or an empty text stays."""
    body = {
        "metadata": {
            "admin_pass": "Xy7",
            "os_password": "true",
            "api_key": "",
            "private_key": ["k-1", "k-2"],
            "img_signature": "stays",
            "passport": "stays",
        }
    }
    assert redacted(body) == {
        "metadata": {
            "admin_pass": "<redacted-1>",
            "os_password": "true",
            "api_key": "",
            "private_key": ["<redacted-2>", "<redacted-3>"],
            "img_signature": "stays",
            "passport": "stays",
        }
    }


def test_secrets_by_the_name_beside_them():
    """Pairs of a name and a value, as settings and forms are told, in any order and depth."""
    body = {
        "items": [
            {"name": "admin_password", "type": "string", "help": {"a": 1}, "value": "Xy7"},
            {"value": ["k-1", "k-2"], "key": "auth_token"},
            {"name": "os_type", "value": "linux"},
            {"name": "a secret place", "value": "linux"},
            {"name": "db_password", "value": ""},
        ],
        "inner": json.dumps({"Key": "api_key", "Value": "Xy8"}),
    }
    assert redacted(body) == {
        "items": [
            {"name": "admin_password", "type": "string", "help": {"a": 1}, "value": "<redacted-1>"},
            {"value": ["<redacted-2>", "<redacted-3>"], "key": "auth_token"},
            {"name": "os_type", "value": "linux"},
            {"name": "a secret place", "value": "linux"},
            {"name": "db_password", "value": ""},
        ],
        "inner": json.dumps({"Key": "api_key", "Value": "<redacted-4>"}),
    }


def test_secrets_in_an_object_below_their_name():
    """Whatever the object calls the value; what else it says stays."""
    body = {
        "adminPass": {"type": "plain", "value": "Xy7"},
        "passwords": [{"text": "Xy8"}, {"data": ["Xy9"], "expires": "never"}],
        "value": "Xy",
    }
    assert redacted(body) == {
        "adminPass": {"type": "plain", "value": "<redacted-1>"},
        "passwords": [{"text": "<redacted-2>"}, {"data": ["<redacted-3>"], "expires": "never"}],
        "value": "Xy",
    }


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("{u'adminPass': u'Zk4mQ9vX', u'a': u'x'}", "{u'adminPass': u'<redacted-1>', u'a': u'x'}"),
        ("{'password': b'Zk4mQ9vX'}", "{'password': b'<redacted-1>'}"),
        ("{'password':u'Zk4mQ9vX'}", "{'password':u'<redacted-1>'}"),
        ('{"password"=>"Zk4mQ9vX"}', '{"password"=>"<redacted-1>"}'),
        (
            "<a><adminPass><![CDATA[Zk<4m]Q9]]></adminPass><name>x</name></a>",
            "<a><adminPass><![CDATA[<redacted-1>]]></adminPass><name>x</name></a>",
        ),
        (
            "<password><![CDATA[hun]]><![CDATA[ter2]]></password>",
            "<password><![CDATA[<redacted-1>]]></password>",
        ),
        (
            "<adminPass>\n <![CDATA[Zk4m]]></adminPass>",
            "<adminPass>\n <![CDATA[<redacted-1>]]></adminPass>",
        ),
    ],
)
def test_secrets_in_the_words_of_other_languages(text, left):
    """Python 2 and 3 and Ruby quote so; Nova before Ussuri said what was sent in such words."""
    assert text_of(text) == left


def test_a_word_under_a_secret_s_key_is_no_reason_to_refuse():
    """`token: required` goes where it stands, and the word elsewhere is left and allowed."""
    got = redacted({"token_state": "required", "text": "a disk is required"})
    assert got == {"token_state": "<redacted-1>", "text": "a disk is required"}


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        "gAAAAABm" + "Zq-_" * 10 + "==",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2ln",
        "Basic YWRtaW46c2VjcmV0",
        "Bearer abcdef0123456789",
        "hunter2-pass",
    ],
)
def test_secrets_by_shape_and_by_knowledge(secret):
    """Tokens are known by their look, whoever they belong to; the session's own by value."""
    assert text_of(f"sent {secret} there") == "sent <redacted-1> there"


def test_a_known_secret_in_a_key():
    """Keys are text too."""
    assert redacted({"x-hunter2-pass": 1}) == {"x-<redacted-1>": 1}


def test_a_secret_of_three_letters_is_not_looked_for():
    """It would be found in every word; the gate draws the same line."""
    secrets = Secrets(values=frozenset({"a", "img", ""}))
    assert redacted({"image": "a img"}, secrets=secrets) == {"image": "a img"}


def test_headers_are_an_allow_list():
    """Only headers that mean something for the listing stay, redacted; the rest is counted."""
    page = page_of(
        {},
        request_headers=[("X-Auth-Token", TOKEN), ("accept", "application/json"), ("Cookie", "a")],
        headers=[
            ("Content-Type", "application/json"),
            ("VARY", "a"),
            ("Vary", "b"),
            ("Set-Cookie", "session=1"),
            ("X-Subject-Token", TOKEN),
            ("x-openstack-request-id", "req-1"),
            ("Date", "today"),
            ("Location", f"{ENDPOINT}/images/detail"),
            ("WWW-Authenticate", "Keystone uri='http://keystone.k5.example:5000/v3'"),
        ],
    )
    done = redact([page], cloud="k5", secrets=SECRETS)
    assert done.interactions[0].request_headers.fields == (("accept", "application/json"),)
    assert done.interactions[0].response.headers.fields == (
        ("Content-Type", "application/json"),
        ("VARY", "a"),
        ("Vary", "b"),
        ("Location", f"https://compute.k5.invalid/v2/{ZERO}/images/detail"),
        ("WWW-Authenticate", "Keystone uri='https://host.k5.invalid/v3'"),
    )
    assert done.counts == {"headers": 4, "hosts": 3, "ids": 2}


def test_an_error_body_loses_the_caller_s_project():
    """Nova's 403 quotes the caller."""
    text = f"Policy doesn't allow it for project {PROJECT} at {ENDPOINT}."
    got = redacted({"forbidden": {"code": 403, "message": text}})
    assert got["forbidden"]["message"] == (
        f"Policy doesn't allow it for project {ZERO} at https://compute.k5.invalid/v2/{ZERO}."
    )


def test_html_and_other_text():
    """A proxy's page is text: the same placeholders, everything else byte for byte."""
    page = f'<a href="{ENDPOINT}/x">é</a>\r\n<!-- hunter2-pass 10.0.0.9 -->'.encode()
    assert redacted(page).decode() == (
        f'<a href="https://compute.k5.invalid/v2/{ZERO}/x">é</a>\r\n<!-- <redacted-1> 192.0.2.1 -->'
    )


def test_bytes_that_are_no_text():
    """A binary body loses its secrets and keeps every other byte; the gate refuses the rest."""
    done = redact([page_of(b"\xff\x00hunter2-pass\xfe")], cloud="k5", secrets=SECRETS)
    body = done.interactions[0].response.body
    assert body == b"\xff\x00<redacted-1>\xfe"
    with pytest.raises(LeakError, match="15 bytes are neither text nor compressed text"):
        refuse_leaks(body, secrets=(), where="body")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 900 + b"]" * 900,
        b'[{"href": "http://[x"}]',
        b'{"href": 3, "owner": [1, null]}',
        b"\xef\xbb\xbf{}",
        b"",
        b"null",
        '{"owner": "é1234567\u2028"}'.encode(),
    ],
    ids=range(9),
)
def test_no_body_is_too_strange(body):
    """Redaction judges nothing: whatever a cloud sends goes through it."""
    assert len(redacted(body)) >= len(body) - 40


def test_a_huge_number_does_not_hide_a_password():
    """Python refuses an integer of thousands of digits; the body is JSON nevertheless."""
    got = redacted(b'{"n": ' + b"1" * 5000 + b', "admin_pass": "S\\u0065cret-9"}')
    assert b'"admin_pass": "<redacted-1>"' in got


def test_untouched_tokens_stay_as_sent():
    """Spelling of numbers, escapes, key order and repeated keys survive redaction."""
    body = rb'{"b":1.017415075e+09 , "a":"\/x\u00e9","b":-0,"c":[],"d":true}'
    assert redacted(body) == body


def test_what_is_replaced_never_prints():
    """A failing test prints values; these must not be among them."""
    done = redact([page_of({"admin_pass": "Sup3r-secret"})], cloud="k5", secrets=SECRETS)
    assert "Sup3r-secret" in done.replaced
    for shown in (repr(done), repr(SECRETS)):
        assert "Sup3r-secret" not in shown
        assert "hunter2-pass" not in shown


@pytest.mark.parametrize(
    ("path", "project"),
    [
        ("/v2/p1/images/detail", "p1"),
        ("/compute/v2.1/p1/images", "p1"),
        ("/v2/p1/servers/2", "p1"),
        ("/v2.1/images/1", None),
        ("/p1/images/1", None),
        ("", None),
    ],
)
def test_project_in_path(path, project):
    """Only a versioned path tells a project from a prefix."""
    assert project_in_path(path) == project


pieces = st.sampled_from(
    [
        f"{ENDPOINT}/images/1",
        f"http://u:pass-word-1@compute.k5.example/v2/{PROJECT}/images",
        "https://s3.example/k?sig=abc&x#f",
        "https://image.k5.invalid/x?a=b",
        "http://10.0.0.1:80/",
        "http://[fe80::1]/",
        "http://[x",
        "10.0.0.1",
        "192.0.2.1",
        "fe80::1",
        "::ffff:1.2.3.4.5",
        "2001:db8::1",
        "1::",
        "compute.k5.example:8774",
        "s3.example",
        PROJECT,
        ZERO,
        f"AUTH_{PROJECT}",
        "<redacted-1>",
        "<redacted-7>",
        TOKEN,
        "hunter2-pass",
        "Basic YWRtaW46c2VjcmV0",
        "pass-word-1",
        "%2F",
        "é\u2028",
        '"',
        "\\",
        " ",
        ".",
        ":",
        "/",
        "@",
        "x",
        "1",
    ]
)
phrases = st.lists(pieces, max_size=6).map("".join)
keys = st.sampled_from(["name", "admin_pass", "owner", "href", "rel", "links", "token", "text"])
documents = st.recursive(
    st.one_of(phrases, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


@given(documents, phrases)
@example({"admin_pass": "<redacted-3>", "text": "<redacted-1>"}, "")
@example({"owner": "http://[x"}, "http://[x")
@example({"owner": "1::"}, "")
@example({"href": "https://h.example/v2/hunter2-pass/images/1"}, "")
def test_redacting_twice_is_redacting_once(document, header):
    """Placeholders are left alone, so a replayed answer can be recorded again."""
    page = page_of(document, headers=[("Location", header)])
    once = redact([page], cloud="k5", secrets=SECRETS)
    twice = redact(once.interactions, cloud="k5", secrets=SECRETS)
    assert twice.interactions == once.interactions


@given(documents)
def test_redaction_is_deterministic(document):
    """The same answer gives the same bytes, so recording it again changes no file."""
    one, other = (redact([page_of(document)] * 2, cloud="k5", secrets=SECRETS) for _ in range(2))
    assert one == other
    assert one.interactions[0] == one.interactions[1]


def shape(value):
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "text" if isinstance(value, str) else value


@given(documents)
def test_the_shape_stays(document):
    """Same keys, same types, same numbers: only the contents of strings change."""
    (page,) = redact([page_of(document)], cloud="k5", secrets=SECRETS).interactions
    assert shape(json.loads(page.response.body)) == shape(document)


secret_texts = st.text(
    alphabet="abzXY019\"'\\%+/&?#=<>:;@. \t\n\x00\x85ü日\u2028\U0001f600", min_size=8, max_size=24
)
spellings = st.sampled_from(
    [
        lambda text: text,
        lambda text: f"pre {text} post",
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="/:@"),
        lambda text: json.dumps({"inner": text}),
        lambda text: json.dumps({"inner": text}, ensure_ascii=False),
        lambda text: json.dumps(json.dumps([text])),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(b"ab" + text.encode() + b"c").decode(),
        lambda text: f"https://u:{quote(text, safe='')}@h.example/?q={quote(text)}",
        lambda text: f"https://h.example/{text}#{text}",
        lambda text: f"line\r\n\x85 {text}",
    ]
)
where_planted = st.sampled_from(
    ["name", "key", "value", "nested", "href", "header", "reason", "html", "bytes", "url"]
)


def planted(place, text, *, escaped):
    """An answer with a text in one place, and all others filled harmlessly."""
    fields = {
        "name": {"name": text},
        "key": {"metadata": {text: "x"}},
        "value": {"metadata": {"k": text}},
        "nested": {"metadata": {"k": [[{"deep": [text]}]]}},
        "href": link("self", f"{ENDPOINT}/images/{text}"),
        "reason": {"sync_status_reason": f"it said {text}."},
    }
    image = {"id": "1", "name": "n", "metadata": {"k": "v"}, "links": []} | fields.get(place, {})
    bodies = {
        "html": f"<p>{text}</p>".encode(),
        "bytes": b"\xff\xfe" * 30 + text.encode() + b"\xff",
    }
    return page_of(
        bodies.get(place, json.dumps({"images": [image]}, ensure_ascii=escaped).encode()),
        url=f"{ENDPOINT}/images/detail" + (f"?name={quote(text)}" if place == "url" else ""),
        headers=[("Content-Type", text if place == "header" else "application/json")],
    )


def forms(secret):
    raw = secret.encode()
    yield raw
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret, ensure_ascii=False)[1:-1].encode()
    yield base64.b64encode(raw).rstrip(b"=")[:-1]


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300
)
@given(where_planted, secret_texts, spellings, st.booleans())
@example("bytes", 'it\'s "so" \\ secret', str, False)
@example("name", 'p\u00e4ss"wort', lambda text: json.dumps(text, ensure_ascii=False), False)
def test_no_planted_secret_is_ever_written(tmp_path, place, secret, spell, escaped):
    """Wherever it stands and however it is spelled: it is replaced, or nothing is written."""
    secrets = Secrets(project_id=PROJECT, values=frozenset({secret}))
    done = redact([planted(place, spell(secret), escaped=escaped)], cloud="k5", secrets=secrets)
    provenance = Provenance(cloud="k5", query=Query(), plugin="1")
    recording = Recording(provenance=provenance, interactions=done.interactions)
    kept = Store(directory=tmp_path)
    path = kept.path("k5", Query())
    path.unlink(missing_ok=True)
    try:
        kept.write(recording, secrets=done.replaced)
    except LeakError as error:
        message = f"{error!r} {error}"
    else:
        message = ""
        (page,) = loads(path).interactions
        shown = [path.read_bytes(), page.response.body, page.url.encode()]
        shown += [value.encode() for _, value in page.response.headers.fields]
        for form in forms(secret):
            assert not any(form in each for each in shown)
        if place not in {"html", "bytes"}:
            assert set(json.loads(page.response.body)["images"][0]) >= {"id", "name", "links"}
    assert path.exists() is not bool(message)
    assert not any(form in message.encode() for form in forms(secret))


def test_planted_secrets_are_mostly_replaced_rather_than_refused(tmp_path):
    """The gate is the last resort: in plain sight a secret is replaced and the answer kept."""
    for number, place in enumerate(["name", "key", "value", "nested", "header", "reason", "html"]):
        secrets = Secrets(project_id=PROJECT, values=frozenset({'p\u00e4ss "wort" \\ 1'}))
        page = planted(place, 'p\u00e4ss "wort" \\ 1', escaped=bool(number % 2))
        done = redact([page], cloud="k5", secrets=secrets)
        provenance = Provenance(cloud="k5", query=Query.of(limit=number), plugin="1")
        recording = Recording(provenance=provenance, interactions=done.interactions)
        Store(directory=tmp_path).write(recording, secrets=done.replaced)
        assert re.search(rb"<redacted-1>", next(tmp_path.rglob(f"*{number}.yaml")).read_bytes())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "a -----BEGIN RSA PRIVATE KEY-----\nMIIEplanted\n-----END RSA PRIVATE KEY----- b",
            "a <redacted-1> b",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIEplanted, cut", "<redacted-1>"),
        ("key AKIAPLANTEDPLANTED12 used", "key <redacted-1> used"),
        ("push with ghp_plantedplantedplanted0123", "push with <redacted-1>"),
        ("xoxb-planted-planted-planted", "<redacted-1>"),
    ],
)
def test_keys_are_known_by_their_shape(text, left):
    """A private key goes whole, not its first line alone; keys of other services go too."""
    body = json.dumps({"images": [{"id": "1", "metadata": {"note": text}}]}).encode()
    page = Interaction(
        url="https://nova.example.com/v2.1/images/detail",
        response=Response(status_code=200, body=body),
    )
    (redacted,) = redact([page], cloud="k5", secrets=Secrets()).interactions
    assert json.loads(redacted.response.body)["images"][0]["metadata"]["note"] == left


def test_who_asked_is_the_first_of_each_answer():
    """Though another answer with the same numbering shows that project as somebody's."""
    numbering, bodies = Numbering(), []
    for asker in ("a" * 32, "b" * 32):
        page = page_of({"owner": "b" * 32}, url=f"https://nova.corp.test/v2/{asker}/images/detail")
        done = redact(
            [page], cloud="k5", secrets=Secrets(project_id=asker), numbering=numbering
        ).interactions[0]
        assert f"/v2/{0:032x}/images" in done.url
        bodies.append(json.loads(done.response.body)["owner"])
    assert bodies == [f"{1:032x}", f"{0:032x}"]
    assert numbering.ids == {"b" * 32: f"{1:032x}"}


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        (f"{1:032x}", True),
        (f"https://x/v1/AUTH_{1:032x}/y", True),
        (f"/x?y=a%20{1:032x}", True),
        ("<redacted-1>", True),
        ("?token=%3Credacted-1%3E", True),
        ("&lt;redacted-1&gt;", True),
        ("user-1@example.invalid", True),
        ("?user=user-1%40example.invalid", True),
        ("https://compute.k5.invalid/v2.1", True),
        ("?server=https%3A%2F%2Fcompute.k5.invalid%2Fv2", True),
        (SOMEONE, False),
        ("https://192.0.2.7/v2.1", False),
        ("2001:db8::7 or 02:00:00:00:00:07", False),
        ("redacted-1, by user-1@example.com", False),
    ],
)
def test_a_body_that_was_redacted_is_told_from_one_that_was_not(text, is_told):
    """By what nobody has; an address for documentation may be somebody's own."""
    body = json.dumps({"a": text}).encode()
    assert holds_placeholders(body, replaced={"nova.corp.test"}) is is_told


@pytest.mark.parametrize("text", ["at 192.0.2.7", "2001:db8::7", "02:00:00:00:00:07"])
def test_an_address_tells_where_nothing_was_left_to_replace(text):
    """Whoever sent real names beside it has not redacted anything."""
    assert holds_placeholders(text.encode(), replaced=())
    assert not holds_placeholders(b"at 10.0.0.1", replaced=())


def test_what_one_answer_tells_holds_in_all():
    """A secret and a service's host that the last one shows; who asked is each one's own."""
    numbering = Numbering()
    pages = [
        page_of({"text": f"planted-secret of {TOKEN[:3]} at img.corp.test:9292, by {asker}"})
        for asker in (PROJECT, SOMEONE)
    ]
    last = page_of(
        {
            "admin_pass": "planted-secret",
            "links": [{"rel": "alternate", "href": "https://img.corp.test:9292/images/1"}],
        }
    )
    parts = [
        Part(interactions=(page,), cloud="k5", secrets=Secrets(project_id=asker))
        for page, asker in zip([*pages, last], [PROJECT, SOMEONE, SOMEONE], strict=True)
    ]
    found = redact_together(parts, numbering=numbering)
    texts = [json.loads(each.interactions[0].response.body).get("text") for each in found]
    assert texts[:2] == [f"<redacted-1> of gAA at image.k5.invalid, by {ZERO}"] * 2
    assert numbering.ids == {PROJECT: ONE}
    alone = numbering.with_own_hosts()
    assert (alone.ids, alone.origins) == (numbering.ids, {})
    assert alone.ids is numbering.ids


def test_a_placeholder_that_asks_is_nobody_else_in_another_answer():
    """It was redacted before, and no owner is called by its number."""
    old, new = f"{2:032x}", ["8" * 32, "9" * 32]
    numbering = Numbering()
    parts = [
        Part(interactions=(page_of(body, url=url),), cloud="k5", secrets=Secrets(project_id=asker))
        for body, url, asker in (
            ({"owner": old}, f"https://compute.k5.invalid/v2/{old}/images/detail", old),
            ([{"owner": each} for each in new], f"{ENDPOINT}/images/detail", PROJECT),
        )
    ]
    bodies = [
        json.loads(each.interactions[0].response.body)
        for each in redact_together(parts, numbering=numbering)
    ]
    assert bodies == [{"owner": old}, [{"owner": ONE}, {"owner": f"{3:032x}"}]]
