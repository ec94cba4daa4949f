"""Whether two redacted requests are the same, and in what they differ."""

from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact import Known
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.traffic.matching import as_recorded, differences, key_of, parts_of

HOST = "https://compute.staging.invalid"
A, B = "a1" * 16, "b2" * 16


def sent(url=f"{HOST}/images", method="GET", body=b"", headers=()):
    """A request."""
    return Interaction(
        method=method,
        url=url,
        request_headers=Headers(headers),
        request_body=body,
        response=Response(status_code=0, body=b""),
    )


def shown(asked, recorded):
    """The differences as a message shows them; none if and only if the keys are equal."""
    found = [
        f"{part}: {how}" for part, how in differences(parts_of(asked), parts_of(recorded)).items()
    ]
    assert (key_of(asked) == key_of(recorded)) is (not found)
    return found


def queries(asked, recorded):
    """The differences of two queries."""
    return shown(sent(f"{HOST}/i?{asked}"), sent(f"{HOST}/i?{recorded}"))


def test_these_queries_are_one():
    """In any order of names, in any spelling."""
    for asked, recorded in (
        ("a=1&b=2", "b=2&a=1"),
        ("a=1&b=x&a=2", "b=x&a=1&a=2"),
        ("name=%61b", "name=ab"),
        ("name=a+b", "name=a%20b"),
        ("q=%C3%BC", "q=ü"),
        ("a=", "a="),
        ("q=%FF", "q=%ff"),
    ):
        assert queries(asked, recorded) == [], (asked, recorded)


def test_these_queries_are_two():
    """Blank values count, and so do repetition, the order of one name's values, and case."""
    for asked, recorded, *differs in (
        ("a=", "", "query a: asked (blank), recorded without"),
        ("", "a=", "query a: asked without, recorded (blank)"),
        ("a=1&a=2", "a=2&a=1", "query a: asked 1, 2, recorded 2, 1"),
        ("a=1, 2", "a=1&a=2", "query a: asked 1, 2, recorded 1, 2"),
        ("a=1&a=1", "a=1", "query a: asked 1, 1, recorded 1"),
        ("a=1&A=2", "a=1", "query A: asked 2, recorded without"),
        ("a=X", "a=x", "query a: asked X, recorded x"),
        ("a=x%5Cy", "a=b", r"query a: asked x\y, recorded b"),
        ("a=%0A", "a=b", r"query a: asked \n, recorded b"),
        ("a=" + "x" * 200, "a=", f"query a: asked {'x' * 120}..., recorded (blank)"),
        ("b=2&a=1", "a=3", "query a: asked 1, recorded 3", "query b: asked 2, recorded without"),
        ("q=%FF", "q=%FE", r"query q: asked \udcff, recorded \udcfe"),
    ):
        assert queries(asked, recorded) == differs


def test_a_path_is_compared_by_its_segments():
    """A slash that is encoded is part of a name, and no path is the root."""
    recorded = sent(f"{HOST}/v2/a%2Fb")
    for path in ("/v2/a%2Fb", "/v2/a%2fb", "/%76%32/a%2Fb"):
        assert shown(sent(f"{HOST}{path}"), recorded) == [], path
    for path in ("/v2/a/b", "/v2/a%2Fb/", "/V2/a%2Fb", "//v2/a%2Fb"):
        assert shown(sent(f"{HOST}{path}"), recorded) != [], path
    assert shown(sent("http://cloud"), sent(f"{HOST}/")) == []  # nor is the host compared


NEW, OLD = "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"


def versions(*fields):
    """A request with these header fields."""
    return sent(headers=fields)


def test_requests_of_one_effective_microversion_are_one():
    """Nova takes a request without a microversion for 2.1, and either header for the other."""
    for group in (
        [(), ((OLD, "2.1"),), ((NEW, "compute 2.1"),), ((NEW.lower(), "Compute 2.1"),)],
        [((NEW, "compute 2.35"),), ((OLD, "2.35"),), ((NEW, "compute 2.35"), (OLD, "2.1"))],
        [((NEW, "compute 2.35, volume 3.0"),), ((NEW, "volume 3.0"), (NEW, "compute 2.35"))],
    ):
        for one in group:
            for other in group:
                assert shown(versions(*one), versions(*other)) == [], (one, other)
    assert shown(sent(headers=[("X-Auth-Token", "a"), ("Accept", "*/*")]), sent()) == []


def test_another_microversion_is_another_request():
    """With the service that it is of."""
    new, latest, volume = (
        versions((NEW, each)) for each in ("compute 2.35", "compute latest", "volume 3.0")
    )
    assert shown(new, sent()) == ["microversion: asked compute 2.35, recorded without"]
    assert shown(sent(), volume) == ["microversion: asked without, recorded volume 3.0"]
    assert shown(latest, new) == ["microversion: asked compute latest, recorded compute 2.35"]


def test_v2_has_no_microversions():
    """Nova ignores the headers there; those of other services count."""
    url = f"{HOST}/v2/{OWN_PROJECT}/images/detail"
    for field in ((OLD, "2.15"), (NEW, "compute 2.35")):
        assert shown(sent(url, headers=[field]), sent(url)) == []
    assert shown(sent(url, headers=[(NEW, "volume 3.0")]), sent(url)) != []


def bodies(asked, recorded):
    """The differences of two bodies."""
    form = b"=" in asked + recorded and [("Content-Type", "application/x-www-form-urlencoded")]
    one, other = (sent(method="POST", body=each, headers=form or ()) for each in (asked, recorded))
    return shown(one, other)


def test_these_bodies_are_one():
    """JSON by its values, a form by its pairs, a form of several parts without its boundary."""
    for asked, recorded in (
        (b'{"a":1,"b":[true]}', b'{"b": [true],\n "a": 1}'),
        (b"a=1&b=2", b"b=2&a=1"),
        (b"plain text", b"plain text"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"--one\r\nx\r\n--one--", b"--two\r\nx\r\n--two--"),
    ):
        assert bodies(asked, recorded) == [], (asked, recorded)


def test_these_bodies_are_two():
    """A number is no flag, a list has an order, and nothing is not an empty document."""
    for asked, recorded, differs in (
        (b'{"a": 1}', b'{"a": true}', 'body: asked {"a": 1}, recorded {"a": true}'),
        (b'{"a": 1}', b'{"a": 1.0}', 'body: asked {"a": 1}, recorded {"a": 1.0}'),
        (b'{"a": 1}', b'{"a": 1, "b": 2}', 'body: asked {"a": 1}, recorded {"a": 1, "b": 2}'),
        (b"[1, 2]", b"[2, 1]", "body: asked [1, 2], recorded [2, 1]"),
        (b"", b"{}", "body: asked without, recorded {}"),
        (b"null", b"", "body: asked null, recorded without"),
        (b"a=1&b=", b"a=1", "form b: asked (blank), recorded without"),
        (b"\xff", b"\xfe", r"body: asked \udcff, recorded \udcfe"),
    ):
        assert bodies(asked, recorded) == [differs]


def test_a_request_is_redacted_as_its_recording():
    """By names, by the project, and by the owners whose placeholders are in recorded requests."""

    def redacted(url, body=b"", project=None, owners=()):
        known = Known(project=project or OWN_PROJECT)
        there = frozenset(map(owner, owners))
        asked = sent(url, "POST", body)
        (request,) = as_recorded(asked, cloud="staging", known=known, owners=there).interactions
        return request.url.removeprefix(HOST), request.request_body

    live = "http://nova.corp.example:8774"
    assert redacted(f"{live}/v2/{A}/images", project=A) == (f"/v2/{OWN_PROJECT}/images", b"")
    assert redacted(f"{live}/v2/{B}/images", project=A) == (f"/v2/{owner(B)}/images", b"")
    assert redacted(f"{live}/owner/{A}") == (f"/owner/{A}", b"")
    assert redacted(f"{live}/owner/{A}", owners=[A]) == (f"/owner/{owner(A)}", b"")
    assert redacted(f"{live}/a?token=secret-1234", b'{"adminPass": "hunter2-secret"}') == (
        "/a?token=redacted",
        b'{"adminPass": "<redacted>"}',
    )
    assert redacted(f"{HOST}/v2/{owner(B)}/images", project=A)[0] == f"/v2/{owner(B)}/images"
