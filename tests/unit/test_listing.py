"""Read one cloud's whole answer, and refuse what is not a listing."""

import gc
import json
import operator
from itertools import product

import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import BodyError, ComparisonError, ResponseError
from pytest_imagedetail.listing import read, read_page
from pytest_imagedetail.settings import LEVELS, PROFILES
from unit import image_of, listing_of, recording_of, snapshot_of


def test_a_listing_holds_all_pages_in_order():
    """Images of all pages, status and headers of the first, other fields of any page."""
    link = {"rel": "next", "href": "x"}
    listing = read(
        recording_of(
            {"images": [image_of(1)], "images_links": [link], "x": 1, "y": 2},
            {"images": [image_of(2)], "images_links": [link], "x": 1, "y": 3},
            {"images": []},
        )
    )
    assert listing.images == [image_of(1), image_of(2)]
    assert list(listing.by_id) == [image_of(1)["id"], image_of(2)["id"]]
    beside = {"images_links": [link] * 2, "x": 1, "y": [2, 3]}
    assert {name: listing.document[name] for name in beside} == beside
    assert (listing.status_code, listing.complete, listing.error) == (200, True, None)
    assert listing.headers["content-type"] == "application/json"
    assert json.loads(listing.body)["images"] == [image_of(1)]
    assert repr(listing) == "<Listing a all: 200, 2 images>"
    with pytest.raises(ComparisonError, match="image id '1' is repeated in the listing"):
        _ = listing_of({"id": "1"}, {"id": "1"}).by_id  # a mapping would drop an image


BESIDE = '{"a": 1}'  # below a field beside the images, which is compared whole
REPEATED_KEYS = (
    ('"status": "ACTIVE"', '"status": "ERROR", "status": "ACTIVE"'),
    ('"metadata": {', '"metadata": {}, "metadata": {'),
    ('"rel": "self"', '"rel": "x", "rel": "self"'),
    ('"id": "7', '"id": "8", "id": "7'),
    ('"id": "70a599e0-0001', '"id": "70a599e0-0001", "id": "8'),  # so it is not paired
    ('{"images": [', '{"images": [], "images": ['),
    (BESIDE, '{"a": 2, "a": 1}'),
    (BESIDE, '{"a": 2, "a": 1, "a (repeated)": [2, 1]}'),
)


def test_a_repeated_key_is_a_difference():
    """At every level: clients differ in which of the values they read. A fix is compatible."""
    next_link = {"rel": "next", "href": "https://compute.a.invalid/v2/images/detail?marker=1"}
    document = {"images": [snapshot_of()], "images_links": [next_link], "vendor": {"a": 1}}
    text = json.dumps(document)
    plain = read(recording_of(text, complete=False))
    for once, repeated in REPEATED_KEYS:
        assert once in text
        other = read(recording_of(text.replace(once, repeated, 1), complete=False))
        for profile, level in product(PROFILES, LEVELS):
            way = {"profile": profile, "level": level}
            assert compare(other, other, **way).same, repeated
            for sides, severity in (((plain, other), "breaking"), ((other, plain), "compatible")):
                found = compare(*sides, **way).differences
                assert found, repeated
                keys = {each.severity for each in found if "(repeated)" in each.path}
                assert keys == ({severity} if once != BESIDE else set()), (repeated, way)
        assert plain != other


def test_an_expected_error():
    """It has a message and no images. It is neither equal to nor different from another one."""
    body = {"badRequest": {"message": "limit param must be an integer", "code": 400}}
    one, other = (read(recording_of(body, status=400), expect=400) for _ in range(2))
    assert one.error == body["badRequest"] | {"code": 400}
    assert repr(one) == "<Listing a all: 400, error>"
    assert one != listing_of()
    with pytest.raises(ComparisonError, match="an expected 400 answer has no images"):
        _ = one.images
    for equality in (operator.eq, operator.ne):
        with pytest.raises(ComparisonError, match="two errors have no images to compare"):
            equality(one, other)
    for text in ("<h1>no</h1>", "[1]"):
        page = read(recording_of(f"{text}\n", status=503), expect=503)
        assert page.error == {"code": 503, "message": text}
    with pytest.raises(BodyError, match="the status is 400, but the body is a listing"):
        read(recording_of({"images": []}, status=400), expect=400)


def test_another_status_than_expected():
    """The error shows the start of the body and says what to do."""
    for status, remedy in (
        (400, "Nova refuses the query, or the project in the URL"),
        (401, "the token was refused: check the credentials in clouds.yaml"),
        (403, "the project may not see this"),
        (404, "check that the compute endpoint in the catalog is right\nif you expect this"),
        (418, "if you expect this answer: expect=418 in a test, --expect=418 in a shell"),
        *((status, "the cloud limits how often it is asked") for status in (413, 429)),
        (502, "the cloud is busy or failed: ask again later"),
        (302, "redirects are not followed"),
        (200, "the cloud accepts this query"),
    ):
        expect = 400 if status < 400 else None
        with pytest.raises(ResponseError) as caught:
            read(recording_of({"images": []}, status=status), expect=expect)
        wanted = expect or "200 or 203"
        assert caught.value.problem.startswith(f"the cloud answered {status}, not {wanted}: {{")
        assert caught.value.status_code == status
        assert caught.value.remedy.startswith(remedy)
    message = "Invalid input for query parameters limit. Value: 0. " + "why " * 100 + "."
    fault = {"badRequest": {"code": 400, "message": message}}
    for body, shown in (
        ("\x1b[2Jgoné\x9b31m\n" + "x" * 300, "\\u001b[2Jgoné\\u009b31m " + "x" * 174 + "..."),
        (fault, message),
        (b"", "an empty body"),
    ):
        with pytest.raises(ResponseError) as caught:
            read(recording_of(body, status=400))
        assert caught.value.problem == f"the cloud answered 400, not 200 or 203: {shown}"
    assert gc.isenabled()  # reading pauses the garbage collector


def test_what_is_not_a_listing():
    """No body is repaired, or taken for an empty listing."""
    not_listing = "the body is JSON, but not a listing of images: "
    for body, problem in (
        (b"", "the body is empty, so it is not a listing"),
        (b"\xff", "the body is not UTF-8: byte 0 is 0xff"),
        (b"<images><image/></images>", "the body is XML, but not a listing of images"),
        (b"<!doctype html><html>", "the body is HTML, not JSON"),
        (b'{"images": [NaN]}', "the body is not JSON: NaN is not"),
        (b'{"images": []', "the body is not JSON: "),
        (b"[]", f"{not_listing}it has no `images` (a list)"),
        (b'{"image\\u001b": 1}', f"{not_listing}it has no `images` (an object with image\\u001b)"),
        (b"true", f"{not_listing}it has no `images` (a boolean)"),
        (b'{"images": null}', f"{not_listing}`images` is null"),
        (b'{"images": [{"id": "1"}, 7]}', f"{not_listing}images[1] is not an object with an `id`"),
        (
            b'{"images": [], "x": {"code": 5, "message": "y"}}',
            f"{not_listing}it has `images` and an",
        ),
    ):
        with pytest.raises(BodyError) as caught:
            read_page(body, where="here")
        assert caught.value.problem.startswith(problem)
        assert caught.value.where.startswith("here")
        assert caught.value.remedy


def test_the_list_of_another_service():
    """Glance's list has the same path and key. A vendor's Nova may send some of its fields."""
    v2 = {"id": "1", "name": "x", "status": "active", "min_ram": 0, "min_disk": 0, "tags": []}
    v2 |= {"created_at": "2024-01-15T08:00:00Z", "visibility": "public", "schema": "/v2/x"}
    brief = {"id": "1", "name": "x", "container_format": "bare", "disk_format": "raw", "size": 1}
    beside = {"first": "/v2/images", "schema": "/v2/schemas/images"}
    for document, shown in (
        ({"images": [v2], **beside}, "it has `first` and `schema`"),
        ({"images": [v2]}, "its images have created_at, min_disk, min_ram, schema"),
        ({"images": [v2 | {"metadata": "a user's", "links": "too"}]}, "its images have created_at"),
        ({"images": [brief]}, "its images have container_format, disk_format"),
        ({"images": [{"id": "1", "name": "x", "visibility": "public"}]}, "its images have visib"),
    ):
        with pytest.raises(BodyError) as caught:
            read_page(json.dumps(document).encode(), where="here")
        assert caught.value.problem.startswith(
            f"the body is Glance's list of images, not Nova's: {shown}"
        )
        assert "at the endpoint of the service `compute`" in caught.value.remedy
    with pytest.raises(BodyError, match="an object with servers"):
        read_page(b'{"servers": []}', where="here")
    vendor = {"visibility": "public", "owner": "x", "min_ram": 0, "protected": False}
    for document in (
        {"images": [image_of() | vendor], "schema": "x"},
        {"images": [{"id": "1", "name": "x"}], "first": 1},
    ):
        assert read_page(json.dumps(document).encode(), where="here") == document
