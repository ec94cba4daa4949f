"""Match two redacted requests, and say in what they differ."""

from itertools import product

from pytest_imagedetail.redact import Known
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.traffic.matching import as_recorded, differences, key_of, parts_of
from unit import interaction_of

HOST = "https://compute.staging.invalid"
A, B = "a1" * 16, "b2" * 16
NEW, OLD = "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"


def sent(url=f"{HOST}/images", method="GET", body=b"", headers=()):
    return interaction_of(url, method=method, sent=headers, request_body=body)


def shown(asked, recorded):
    """Return the differences as a message shows them; there are none if the keys are equal."""
    parts = differences(parts_of(asked), parts_of(recorded))
    found = [f"{part}: {how}" for part, how in parts.items()]
    assert (key_of(asked) == key_of(recorded)) is (not found)
    return found


def test_queries():
    """Names in any order. Blank values count, and so do number and order of one name's values."""
    for asked, recorded, *differs in (
        ("a=1&b=x&a=2", "b=x&a=1&a=2"),
        ("name=a+b", "name=a%20b"),
        ("q=%C3%BC", "q=ü"),
        ("", "a=", "query a: asked without, recorded (blank)"),
        ("a=1&a=2", "a=2&a=1", "query a: asked 1, 2, recorded 2, 1"),
        ("a=1, 2", "a=1&a=2", "query a: asked 1, 2, recorded 1, 2"),
        ("a=%0A", "a=b", r"query a: asked \n, recorded b"),
        ("a=" + "x" * 200, "a=", f"query a: asked {'x' * 117}..., recorded (blank)"),
        ("b=2&a=1", "a=3", "query a: asked 1, recorded 3", "query b: asked 2, recorded without"),
    ):
        assert shown(sent(f"{HOST}/i?{asked}"), sent(f"{HOST}/i?{recorded}")) == differs, asked


def test_paths():
    """By segments, so an encoded slash is part of a name. Hosts are not compared."""
    recorded = sent(f"{HOST}/v2/a%2Fb")
    for path in ("/v2/a%2Fb", "/v2/a%2fb", "/%76%32/a%2Fb"):
        assert shown(sent(f"{HOST}{path}"), recorded) == [], path
    for path in ("/v2/a/b", "/v2/a%2Fb/", "/V2/a%2Fb", "//v2/a%2Fb"):
        assert shown(sent(f"{HOST}{path}"), recorded) != [], path
    differs = ["path: asked /v2/a/b, recorded /v2/a%2Fb"]
    assert shown(sent(f"{HOST}/v2/a/b"), recorded) == differs
    assert shown(sent("http://cloud"), sent(f"{HOST}/")) == []


def test_microversions():
    """No header means 2.1, either header counts, /v2 has none, other services have their own."""
    for group in (
        [(), ((OLD, "2.1"),), ((NEW.lower(), "Compute 2.1"),), (("Accept", "*/*"),)],
        [((NEW, "compute 2.35"),), ((OLD, "2.35"),), ((NEW, "compute 2.35"), (OLD, "2.1"))],
        [((NEW, "compute 2.35, volume 3.0"),), ((NEW, "volume 3.0"), (NEW, "compute 2.35"))],
    ):
        for one, other in product(group, group):
            assert shown(sent(headers=one), sent(headers=other)) == [], (one, other)
    new, latest, volume = (
        sent(headers=[(NEW, each)]) for each in ("compute 2.35", "compute latest", "volume 3")
    )
    for one, other, differs in (
        (new, sent(), "asked compute 2.35, recorded without"),
        (sent(), volume, "asked without, recorded volume 3"),
        (latest, new, "asked compute latest, recorded compute 2.35"),
    ):
        assert shown(one, other) == [f"microversion: {differs}"]
    url = f"{HOST}/v2/{OWN_PROJECT}/images/detail"
    for name, value, same in ((OLD, "2.15", 1), (NEW, "compute 2.35", 1), (NEW, "volume 3.0", 0)):
        assert (shown(sent(url, headers=[(name, value)]), sent(url)) == []) == same


def test_bodies():
    """JSON by its values and types, a form by its pairs, multipart without its boundary."""
    for asked, recorded, *differs in (
        (b'{"a":1,"b":[true]}', b'{"b": [true],\n "a": 1}'),
        (b"a=1&b=2", b"b=2&a=1"),
        (b"--one\r\nx\r\n--one--", b"--two\r\nx\r\n--two--"),
        (b'{"a": 1}', b'{"a": true}', 'body: asked {"a": 1}, recorded {"a": true}'),
        (b'{"a": 1}', b'{"a": 1.0}', 'body: asked {"a": 1}, recorded {"a": 1.0}'),
        (b"[1, 2]", b"[2, 1]", "body: asked [1, 2], recorded [2, 1]"),
        (
            b'{"a": 1, "a": 2}',
            b'{"a": 2}',
            'body: asked {"a": 2, "a (repeated)": [1, 2]}, recorded {"a": 2}',
        ),
        (b"", b"{}", "body: asked without, recorded {}"),
        (b"a=1&b=", b"a=1", "form b: asked (blank), recorded without"),
    ):
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        headers = form if b"=" in asked + recorded else ()
        one, other = (sent(method="POST", body=each, headers=headers) for each in (asked, recorded))
        assert shown(one, other) == differs, asked


def test_a_request_is_redacted_as_its_recording():
    """By names, by the project, and by owners whose placeholders were recorded."""
    live, secret = "http://nova.corp.example:8774", b'{"adminPass": "hunter2-secret"}'
    for url, project, owners, expected in (
        (f"{live}/v2/{A}/images", A, (), f"/v2/{OWN_PROJECT}/images"),
        (f"{live}/v2/{B}/images", A, (), f"/v2/{owner(B)}/images"),
        (f"{HOST}/v2/{owner(B)}/images", A, (), f"/v2/{owner(B)}/images"),
        (f"{live}/owner/{A}", OWN_PROJECT, (), f"/owner/{A}"),
        (f"{live}/owner/{A}", OWN_PROJECT, (A,), f"/owner/{owner(A)}"),
        (f"{live}/a?token=secret-1234", OWN_PROJECT, (), "/a?token=redacted"),
    ):
        known, there = Known(project=project), frozenset(map(owner, owners))
        done = as_recorded(sent(url, "POST", secret), cloud="staging", known=known, owners=there)
        (request,) = done.interactions
        assert request.url == HOST + expected
        assert request.request_body == b'{"adminPass": "<redacted>"}'
