"""Compare what is not an image: errors, headers, other fields and next links."""

from itertools import product

from pytest_imagedetail.compare import compare
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING
from pytest_imagedetail.settings import LEVELS, PROFILES
from unit import OTHER_PROJECT, PROJECT, image_of, listing_of, recording_of

WAYS = tuple(product(LEVELS, PROFILES))


def shown(differences):
    return [(each.path, each.baseline, each.candidate, each.severity) for each in differences]


def error_of(body, status=400, cloud="a"):
    return read(recording_of(body, status=status, cloud=cloud), expect=status)


def errors(old, new):
    return shown(compare(old, new, expect=old.status_code).differences)


def headers(*sides):
    """Compare the headers of two listings; return what differs."""
    old, new = (listing_of(image_of(), headers=fields) for fields in sides)
    found = {level: shown(compare(old, new, level=level).differences) for level in LEVELS}
    assert (old == new) is not bool(found["facts"])
    assert found["facts"] == found["shape"]
    return found["facts"]


def test_statuses():
    """It matters whether the candidate refuses or fails where the baseline did not."""
    sides = {status: error_of("no", status=status) for status in (400, 404, 500, 501, 503)}
    sides |= {status: listing_of(image_of(), status=status) for status in (200, 203)}
    for one, other, severity in (
        (200, 203, "compatible"),
        (200, 400, "breaking"),
        (400, 200, "compatible"),
        (400, 501, "breaking"),
        (500, 503, "compatible"),
    ):
        (difference,) = compare(sides[one], sides[other]).differences
        assert (difference.kind, difference.severity) == ("status_changed", severity), (one, other)


def test_errors_are_compared_value_by_value():
    """The message is for people. Clients read its name and the code. Own hosts are equal."""

    def fault(code, message, name="badRequest", cloud="a"):
        return error_of({name: {"code": code, "message": message}}, cloud=cloud)

    here, there = (fault(400, f"see https://image.{each}.invalid/x", cloud=each) for each in "ab")

    old, (html, empty) = fault(400, "a"), (error_of(each, status=404) for each in ("<h1>", ""))
    for one, other, expected in (
        (old, old, []),
        (here, there, []),
        (old, fault(400, "b"), [("badRequest.message", "a", "b", "compatible")]),
        (old, fault("400", "a"), [("badRequest.code", 400, "400", "breaking")]),
        (html, empty, [("body", "<h1>", "", "compatible")]),
    ):
        assert errors(one, other) == expected
    renamed = {(path, severity) for path, _, _, severity in errors(old, fault(400, "a", "error"))}
    assert renamed == {("badRequest", "breaking"), ("error", "compatible")}


def test_headers():
    """By name in any case. Repeated headers have an order. Those of one request are ignored."""
    json, charset, html = "application/json", "application/json; charset=utf-8", "text/html"
    first, second = ("X-B", "a"), ("x-b", "b")
    kind = "headers.content-type"
    for one, other, expected in (
        ([first, second], [("X-b", "a"), ("X-B", "b")], []),
        ([first, second], [second, first], [("headers.x-b", ["a", "b"], ["b", "a"], "compatible")]),
        ([("Vary", "A,, b")], [("Vary", "B"), ("vary", "a")], []),
        ([("Allow", "GET")], [("Allow", "get")], [("headers.allow", "GET", "get", "compatible")]),
        ([("Vary", "a")], [("Vary", "a,b")], [("headers.vary", "a", ["a", "b"], "compatible")]),
        ([("Content-Type", charset)], [("Content-Type", "Application/JSON;charset=UTF-8;")], []),
        ([], [("X-A", "1")], [("headers.x-a", MISSING, "1", "compatible")]),
        (
            [("Content-Type", json)],
            [("Content-Type", charset)],
            [(kind, json, charset, "compatible")],
        ),
        ([("Content-Type", json)], [("Content-Type", html)], [(kind, json, html, "breaking")]),
        ([("Content-Type", json)], [], [(kind, json, MISSING, "breaking")]),
        *(
            ([(name, "1")], [(name, "2")], [])
            for name in ("Content-Length", "Location", "Retry-After")
        ),
    ):
        assert headers(one, other) == expected
    xml = read(recording_of('<images xmlns="http://docs.openstack.org/compute/api/v1.1"/>'))
    (difference,) = compare(listing_of(), xml, profile="wire").differences
    assert (difference.path, difference.candidate) == ("headers.content-type", "application/xml")


def test_fields_beside_the_images():
    """A repeated key breaks, as each client reads one of its values. Other fields do not."""
    none, once, twice = (
        read(recording_of(f'{{"images": []{fields}}}'))
        for fields in ("", ', "total": 1', ', "total": 1, "total": 2')
    )
    for old, new, severity in (
        (none, once, "compatible"),
        (once, twice, "breaking"),
        (twice, once, "compatible"),
    ):
        worst, *_ = compare(old, new).differences
        assert (worst.kind, worst.severity) == ("answer_changed", severity)


ONE, TWO = image_of(1), image_of(2, created="2024-01-14T08:00:00Z")
PATH = f"/v2/{PROJECT}/images/detail"
LAST = f"limit=2&marker={TWO['id']}"
NO_DETAIL = "from the second page on, images come without their details"
NO_LIST = "the next link does not lead to a list of images"
ELSEWHERE = "the next link does not go on from the last image"
OTHER_FILTERS = "the next link asks with other filters than the request"
NO_LINK = "clients look for a list of links whose relation is next"


def page(path=PATH, asked=LAST, *, links=None, host="https://compute.a.invalid", query="", **facts):
    """Build a page of two images with a next link."""
    beside = {"images_links": links}
    if links is None:
        beside = {"images_links": [{"rel": "next", "href": f"{host}{path}?{asked}"}]}
    return listing_of(ONE, TWO, beside=beside, query=f"limit=2{query}", complete=False, **facts)


def verdict(baseline, candidate, **options):
    (difference,) = compare(baseline, candidate, **options).differences
    assert (difference.kind, difference.path) == ("page_changed", "images_links")
    return difference.severity, difference.reason


OTHER_HOST = "the next link leads to a host that is not Compute's"
HOSTS = (
    *("https://image.a.invalid", "https://host-3f2.invalid", "http://compute.a.invalid"),
    *("https://compute.a.invalid:8774", "//compute.a.invalid"),
)
WRONG = (
    (page(f"/v2/{PROJECT}/images"), NO_DETAIL),
    (page(f"/v2/{PROJECT}/servers/detail"), NO_LIST),
    (page(""), NO_LIST),
    (page(asked="limit=2&marker=5eed"), ELSEWHERE),
    (page(asked=f"limit=2&marker={ONE['id']}"), ELSEWHERE),
    (page(asked=f"{LAST}&marker=5eed"), ELSEWHERE),
    (page(asked="limit=2"), "the next link has no marker, so it leads to the first page again"),
    (page(asked=f"{LAST}&name=x"), OTHER_FILTERS),
    (page(f"/v2/{OTHER_PROJECT}/images/detail"), "the next link leads to another project"),
    *((page(host=host), OTHER_HOST) for host in HOSTS),
    (page(links=[{"rel": "last", "href": "x"}]), NO_LINK),
    (page(links=[{"rel": "next", "href": 5}]), NO_LINK),
)


def test_a_wrong_next_link_breaks():
    """At each level, under each profile, for one reason. A corrected link is compatible."""
    for (wrong, reason), (level, profile) in product(WRONG, WAYS):
        options = {"level": level, "profile": profile}
        assert verdict(page(), wrong, **options) == ("breaking", reason)
        assert verdict(wrong, page(), **options)[0] == "compatible"
        assert compare(wrong, wrong, **options).same
    servers, project = WRONG[1][0], WRONG[7]
    bare = {"path": "/images/detail", "host": ""}  # no host, and nothing but the resource
    sides = page(**bare), page(asked=f"{LAST}&name=x", **bare)
    assert verdict(*sides, profile="wire") == ("breaking", OTHER_FILTERS)
    assert verdict(servers, project[0]) == ("breaking", project[1])  # another mistake


def test_filters_of_the_request_are_kept():
    """A next link that loses or changes a filter leads into another listing."""
    for name, right, wrong in (
        ("a%2Bb", "&name=a%2Bb", "&name=a+b"),
        ("a%26b", "&name=a%26b", "&name=a&b="),
        ("Z%FC", "&name=Z%FC", "&name=Z%E4"),  # not UTF-8
        ("a&property-os=x", "&name=a&property-os=x", "&name=a"),
    ):
        kept, lost = (page(asked=f"{LAST}{each}", query=f"&name={name}") for each in (right, wrong))
        for profile in PROFILES:
            assert verdict(kept, lost, profile=profile) == ("breaking", OTHER_FILTERS)


def test_unknown_parameters_are_no_filters():
    """Nova repeats them through 2023.1 and drops them since 2024.2. Neither breaks."""
    query = "&status=ACTIVE&foo=bar&sort_key=name"
    old = page(asked=LAST + query, query=query, release="2019.2")
    new, lost = (page(asked=LAST + each, query=query) for each in ("&status=ACTIVE", "&foo=bar"))
    dropped = "compatible", "since 2024.2 Nova drops parameters that it does not know"
    for level, profile in WAYS:
        assert verdict(old, new, profile=profile, level=level) == dropped
        assert verdict(new, old, profile=profile, level=level) == dropped
    assert verdict(old, lost) == ("breaking", OTHER_FILTERS)
    changed = page(asked=f"{LAST}&status=ACTIVE&foo=baz&sort_key=name", query=query)
    assert verdict(old, changed) == ("compatible", "the next link is written in another form")


def test_a_next_link_in_another_form_or_on_one_side():
    """Another form is compatible. Whether a page follows depends on the images."""
    form = "compatible", "the next link is written in another form"
    other = page(f"/v2.1/{PROJECT}/images/detail")
    assert verdict(page(), other, profile="same-cloud") == form
    other = page(asked=LAST.replace("limit=2", "limit=1"))  # the page size is no other parameter
    for profile in PROFILES:
        assert verdict(page(), other, profile=profile) == form
    last = listing_of(ONE, TWO, query="limit=3", complete=False)
    full = "data", "there is a next link if the page is full, which depends on the images"
    cut = listing_of(ONE, TWO, query="limit=2", complete=False)
    stops = "breaking", "the page is full, and clients stop without a next link"
    for level in LEVELS:
        for sides in ((page(), last), (last, page()), (cut, page())):
            assert verdict(*sides, level=level) == full
        assert verdict(page(), cut, level=level) == stops
