"""Whether a request is the one that was recorded: by its differences, and by names learned once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.traffic.matching import Names, differences

HOST = "https://compute.staging.invalid"
ZERO, ONE = f"{0:032x}", f"{1:032x}"
PROJECT, OTHER = "3f2a9c4e8b7d41c6a5e0f9d8c7b6a594", "aaaa9c4e8b7d41c6a5e0f9d8c7b6a594"


def sent(url=f"{HOST}/images", method="GET", body=b"", headers=()):
    """A request."""
    return Interaction(
        method=method,
        url=url,
        request_headers=Headers(headers),
        request_body=body,
        response=Response(status_code=0, body=b""),
    )


def told(asked, recorded, names=None):
    """The differences as a message shows them."""
    return [str(each) for each in differences(asked, recorded, names or Names())]


def queries(asked, recorded):
    """The differences of two queries."""
    return told(sent(f"{HOST}/i?{asked}"), sent(f"{HOST}/i?{recorded}"))


@pytest.mark.parametrize(
    ("asked", "recorded"),
    [
        ("a=1&b=2", "b=2&a=1"),
        ("a=1&b=x&a=2", "b=x&a=1&a=2"),
        ("name=%61b", "name=ab"),
        ("name=a+b", "name=a%20b"),
        ("q=%C3%BC", "q=ü"),
        ("a=", "a="),
        ("token=live-token", "token=%3Credacted-1%3E"),
        ("q=%FF", "q=%ff"),
    ],
)
def test_these_queries_are_one(asked, recorded):
    """In any order of names, in any spelling, with another token."""
    assert queries(asked, recorded) == []


@pytest.mark.parametrize(
    ("asked", "recorded", "differs"),
    [
        ("a=", "", ["query a: asked (blank), recorded without"]),
        ("", "a=", ["query a: asked without, recorded (blank)"]),
        ("a=1&a=2", "a=2&a=1", ["query a: asked 1, 2, recorded 2, 1"]),
        ("a=1&a=1", "a=1", ["query a: asked 1, 1, recorded 1"]),
        ("a=1&A=2", "a=1", ["query A: asked 2, recorded without"]),
        ("a=X", "a=x", ["query a: asked X, recorded x"]),
        ("a=%0A", "a=b", [r"query a: asked \n, recorded b"]),
        ("a=" + "x" * 200, "a=", [f"query a: asked {'x' * 120}..., recorded (blank)"]),
        ("b=2&a=1", "a=3", ["query a: asked 1, recorded 3", "query b: asked 2, recorded without"]),
        ("q=%FF", "q=%FE", [r"query q: asked \udcff, recorded \udcfe"]),
    ],
)
def test_these_queries_are_two(asked, recorded, differs):
    """Blank values count, and so do repetition, the order of one name's values, and case."""
    assert queries(asked, recorded) == differs


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("xy", max_size=2))), st.randoms())
def test_names_come_in_any_order_and_their_values_in_one(pairs, random):
    """Shuffling names changes nothing as long as each name's values stay in their order."""
    order = random.sample("abc", 3)
    shuffled = sorted(pairs, key=lambda pair: order.index(pair[0]))
    one, other = ("&".join(f"{n}={v}" for n, v in each) for each in (pairs, shuffled))
    assert queries(one, other) == []


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("/v2/a%2Fb", True),
        ("/v2/a%2fb", True),
        ("/v2/a/b", False),
        ("/v2/a%2Fb/", False),
        ("/V2/a%2Fb", False),
        ("/%76%32/a%2Fb", True),
        ("//v2/a%2Fb", False),
    ],
)
def test_a_path_is_compared_by_its_segments(asked, same):
    """A slash that is encoded is part of a name."""
    recorded = sent(f"{HOST}/v2/a%2Fb")
    assert (told(sent(f"{HOST}{asked}"), recorded) == []) is same


def test_no_path_is_the_root():
    """A URL without a path asks for `/`."""
    assert told(sent("http://cloud"), sent(f"{HOST}/")) == []


def test_the_host_is_not_compared():
    """Scheme, host and port may be any."""
    assert told(sent("http://real:8774/a"), sent(f"{HOST}/a")) == []


def test_a_project_stands_for_one_placeholder_and_never_for_two():
    """In a path and in a query alike, and a request that does not fit teaches a copy only."""
    names = Names()
    recorded = sent(f"{HOST}/v2/{ZERO}/images?owner={ZERO}")
    twice = sent(f"http://real/v2/{PROJECT}/images?owner={OTHER}")
    assert told(twice, recorded, names.copy()) == [f"query owner: asked {OTHER}, recorded {ZERO}"]
    assert told(sent(f"http://real/v2/{OTHER}/images?owner={OTHER}"), recorded, names) == []
    assert told(sent(f"http://real/{OTHER}"), sent(f"{HOST}/{ONE}"), names) == [
        f"path: asked /{OTHER}, recorded /{ONE}"
    ]


def versions(*fields):
    """A request with these header fields."""
    return sent(headers=fields)


NEW, OLD = "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"


def test_requests_of_one_effective_microversion_are_one():
    """Nova takes a request without a microversion for 2.1, and either header for the other."""
    for group in (
        [
            (),
            ((OLD, "2.1"),),
            ((NEW, "compute 2.1"),),
            ((NEW.lower(), "Compute 2.1"), (OLD, "2.1")),
        ],
        [((NEW, "compute 2.35"),), ((OLD, "2.35"),), ((NEW, "compute 2.35"), (OLD, "2.1"))],
        [((NEW, "compute 2.35, volume 3.0"),), ((NEW, "volume 3.0"), (NEW, "compute 2.35"))],
    ):
        for one in group:
            for other in group:
                assert told(versions(*one), versions(*other)) == [], (one, other)
    assert told(sent(headers=[("X-Auth-Token", "a"), ("Accept", "*/*")]), sent()) == []


def test_another_microversion_is_another_request():
    """With the service that it is of."""
    of = {text: versions((NEW, text)) for text in ("compute 2.35", "compute latest", "volume 3.0")}
    assert told(of["compute 2.35"], sent()) == [
        "microversion: asked compute 2.35, recorded without"
    ]
    assert told(sent(), of["volume 3.0"]) == ["microversion: asked without, recorded volume 3.0"]
    assert told(of["compute latest"], of["compute 2.35"]) == [
        "microversion: asked compute latest, recorded compute 2.35"
    ]


def bodies(asked, recorded):
    """The differences of two bodies."""
    return told(sent(method="POST", body=asked), sent(method="POST", body=recorded))


@pytest.mark.parametrize(
    ("asked", "recorded"),
    [
        (b'{"a":1,"b":[true]}', b'{"b": [true],\n "a": 1}'),
        (b'{"password": "secret"}', b'{"password": "<redacted-1>"}'),
        (b'{"url": "http://real:8774/x"}', f'{{"url": "{HOST}/x"}}'.encode()),
        (b"a=1&b=2", b"b=2&a=1"),
        (b"password=secret&x=1", b"password=%3Credacted-1%3E&x=1"),
        (b"plain text", b"plain text"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"--one\r\nx\r\n--one--", b"--two\r\nx\r\n--two--"),
    ],
)
def test_these_bodies_are_one(asked, recorded):
    """JSON by its values, a form by its pairs, a form of several parts without its boundary."""
    assert bodies(asked, recorded) == []


@pytest.mark.parametrize(
    ("asked", "recorded", "differs"),
    [
        (b'{"a": 1}', b'{"a": true}', 'body: asked {"a": 1}, recorded {"a": true}'),
        (b'{"a": 1}', b'{"a": 1.0}', 'body: asked {"a": 1}, recorded {"a": 1.0}'),
        (b'{"a": 1}', b'{"a": 1, "b": 2}', 'body: asked {"a": 1}, recorded {"a": 1, "b": 2}'),
        (b"[1, 2]", b"[2, 1]", "body: asked [1, 2], recorded [2, 1]"),
        (b"", b"{}", "body: asked without, recorded {}"),
        (b"null", b"", "body: asked null, recorded without"),
        (b"a=1&b=", b"a=1", "form b: asked (blank), recorded without"),
        (b"\xff", b"\xfe", r"body: asked \udcff, recorded \udcfe"),
    ],
)
def test_these_bodies_are_two(asked, recorded, differs):
    """A number is no flag, a list has an order, and nothing is not an empty document."""
    assert bodies(asked, recorded) == [differs]


def test_every_part_that_differs_is_told():
    """Method, path, query and body in one list."""
    asked = sent("http://real/x?a=1", "PUT", json.dumps({"a": 1}).encode())
    assert [each.part for each in differences(asked, sent(), Names())] == [
        "method", "path", "query a", "body",
    ]  # fmt: skip
