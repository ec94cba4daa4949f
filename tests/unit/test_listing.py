"""One cloud's whole answer as a test holds it, and what is no listing."""

import operator

import pytest

from pytest_imagedetail.errors import BodyError, ComparisonError, ResponseError
from pytest_imagedetail.listing import normalized_together, read, read_page
from pytest_imagedetail.settings import PROFILES
from unit import changed, image_of, listing_of, recording_of, without


def test_a_listing_holds_all_pages_in_order():
    """Images of all pages, status and headers of the first, every body."""
    pages = [
        {"images": [image_of(1)], "images_links": [{"rel": "next", "href": "x"}]},
        {"images": [image_of(2)]},
    ]
    listing = read(recording_of(*pages))
    assert listing.images == [image_of(1), image_of(2)]
    assert list(listing.by_id) == [image_of(1)["id"], image_of(2)["id"]]
    assert listing.status_code == 200
    assert listing.headers["content-type"] == "application/json"
    assert len(listing.bodies) == 2
    assert listing.body == listing.bodies[0]
    assert listing.complete
    assert listing.error is None
    assert repr(listing) == "<Listing a all: 200, 2 images>"


def test_equality_is_that_of_normalized_facts():
    """Order of keys and links is representation; a value, a type or a lost image is not."""
    one = image_of(1)
    turned = dict(reversed(one.items())) | {"links": one["links"][::-1]}
    assert listing_of(one) == listing_of(turned)
    assert listing_of(one) != listing_of(changed(one, "name", to="x"))
    assert listing_of(one) != listing_of(changed(one, "minRam", to=0.0))
    assert listing_of(one) != listing_of()
    assert listing_of(one, image_of(2)) != listing_of(image_of(2), one)
    assert listing_of(one) != listing_of(one, beside={"next": 1})
    assert listing_of(one) != "a listing"


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_normalized_together_is_what_each_becomes(profile):
    """Links that say the same are one object in both, and of one call alone."""
    sides = listing_of(image_of(1), image_of(2)), listing_of(image_of(1), image_of(3))
    together = normalized_together(*sides, profile)
    alone = tuple(side.normalized(profile) for side in sides)
    assert together == alone
    links = [each.images[0]["links"] for each in (*together, *alone)]
    shared = profile != "wire"  # which leaves links as they were sent
    assert (links[0] is links[1]) is shared
    assert links[2] is not links[3]


def test_by_id_refuses_a_repeated_id():
    """A mapping would drop an image."""
    with pytest.raises(ComparisonError) as caught:
        _ = listing_of({"id": "1"}, {"id": "1"}).by_id
    assert str(caught.value) == (
        "image id '1' stands more than once in the listing\n"
        "  where: cloud a, query all\n"
        "  next:  use .images, which has every one of them"
    )


def test_an_expected_error_has_no_images():
    """None is not an empty list; the message is in .error."""
    body = {"badRequest": {"message": "limit param must be an integer", "code": 400}}
    listing = read(recording_of(body, status=400), expect=400)
    assert listing.error == {"code": 400, "message": "limit param must be an integer"}
    with pytest.raises(ComparisonError) as caught:
        _ = listing.images
    assert str(caught.value) == (
        "an expected 400 answer has no images; none is not an empty list\n"
        "  where: cloud a, query all\n"
        "  next:  look at .error, or ask a query that answers with a listing"
    )


def test_two_errors_are_neither_equal_nor_different():
    """Nobody learns that from an assertion about equality, whichever way it is put."""
    body = {"badRequest": {"message": "limit param must be an integer", "code": 400}}
    one, other = (read(recording_of(body, status=400), expect=400) for _ in range(2))
    for compare in (operator.eq, operator.ne):
        with pytest.raises(ComparisonError) as caught:
            compare(one, other)
        assert str(caught.value) == (
            "both sides answered 400; two errors have no images to compare\n"
            "  where: query all of a and a\n"
            "  next:  look at both: imagedetail show CLOUD, or .error in a test\n"
            "  next:  to compare what they say: imagedetail.compare(..., expect=400) in a test, "
            "--expect 400 in a shell"
        )


def test_an_error_that_is_no_json_keeps_its_text():
    """HTML of a proxy is still an answer that was expected."""
    listing = read(recording_of("<h1>no</h1>\n", status=503), expect=503)
    assert listing.error == {"code": 503, "message": "<h1>no</h1>"}


@pytest.mark.parametrize(
    ("status", "expect", "start", "remedy"),
    [
        (
            401,
            None,
            "the cloud answered 401, not 200 or 203: ",
            "the token was refused: check the credentials in clouds.yaml, then ask again",
        ),
        (
            404,
            None,
            "the cloud answered 404, not 200 or 203: ",
            (
                "images/detail ends with microversion 2.35: ask without one, or with 2.35 at most\n"
                "and check that the compute endpoint in the catalog is right"
            ),
        ),
        (
            500,
            400,
            "the cloud answered 500, not 400: ",
            "the cloud is busy or failed: ask again when it is well; nothing was written",
        ),
        (
            200,
            400,
            "the cloud answered 200, not 400: ",
            "the cloud accepts the query now; expect nothing, or ask the cloud that refuses it",
        ),
    ],
)
def test_another_status_than_expected(status, expect, start, remedy):
    """It is an error with the start of the body and what to do."""
    with pytest.raises(ResponseError) as caught:
        read(recording_of({"x": 1}, status=status), expect=expect)
    assert caught.value.problem == f'{start}{{"x": 1}}'
    assert caught.value.status_code == status
    assert caught.value.remedy == remedy


def test_a_body_in_a_message_moves_no_cursor():
    """An error body may hold anything; what is shown of it is one short printable line."""
    body = "\x1b[2Jgone\x9b31m\n" + "x" * 100
    with pytest.raises(ResponseError) as caught:
        read(recording_of(body, status=500))
    assert caught.value.problem == (
        "the cloud answered 500, not 200 or 203: \\x1b[2Jgone\\x9b31m " + "x" * 41 + "..."
    )


def test_a_later_page_must_be_a_listing_too():
    """A 500 whose body looks like an empty page does not end a listing."""
    recording = recording_of({"images": [image_of()]}, {"images": []})
    first, second = recording.interactions
    second = type(second)(
        url=second.url, response=type(second.response)(status_code=500, body=b"{}")
    )
    broken = type(recording)(provenance=recording.provenance, interactions=(first, second))
    with pytest.raises(ResponseError) as caught:
        read(broken)
    assert caught.value.problem == "the cloud answered 500, not 200 or 203: {}"
    assert caught.value.where == "cloud a, query all, page 2"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is empty, so it is not a listing"),
        (b"\xff", "the body is not UTF-8: byte 0 is 0xff"),
        (b"<images><image/></images>", "the body is XML, but not a listing of images"),
        (b"<!doctype html><html>", "the body is HTML, not JSON"),
        (b'{"images": [NaN]}', "the body is not JSON that can be read: "),
        (b'{"images": []', "the body is not JSON: "),
        (b"[]", "the body is JSON, but not a listing of images: it has no `images` (a list)"),
        (b"null", "the body is JSON, but not a listing of images: it has no `images` (null)"),
        (
            b'{"image\\u001b": 1}',
            (
                "the body is JSON, but not a listing of images: "
                "it has no `images` (an object with image\\x1b)"
            ),
        ),
        (b'{"images": {}}', "the body is JSON, but not a listing of images: `images` is an object"),
        (
            b'{"images": [{"name": "x"}]}',
            "the body is JSON, but not a listing of images: images[0] is no object with an `id`",
        ),
        (
            b'{"images": [7]}',
            "the body is JSON, but not a listing of images: images[0] is no object with an `id`",
        ),
    ],
)
def test_what_is_no_listing_says_why(body, problem):
    """No body is taken for an empty listing."""
    with pytest.raises(BodyError) as caught:
        read_page(body, where="here")
    assert caught.value.problem.startswith(problem)
    assert caught.value.where.startswith("here")
    assert caught.value.remedy


def test_a_lost_field_is_unequal():
    """`metadata` missing is not `metadata: {}`."""
    empty = changed(image_of(), "metadata", to={})
    assert listing_of(empty) != listing_of(without(empty, "metadata"))
