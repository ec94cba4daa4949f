"""What separates two answers before any image is looked at."""

from dataclasses import replace

import pytest

from pytest_imagedetail.compare.answers import (
    error_differences,
    header_differences,
    status_difference,
)
from pytest_imagedetail.compare.severity import Judge
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING, Headers
from unit import image_of, recording_of

JUDGE = Judge(baseline=None, candidate=None)


def error_of(body, status=400, cloud="a"):
    return read(recording_of(body, status=status, cloud=cloud), expect=status)


def with_headers(*fields, cloud="a"):
    recording = recording_of({"images": [image_of()]}, cloud=cloud)
    (page,) = recording.interactions
    response = replace(page.response, headers=Headers(fields))
    return read(replace(recording, interactions=(replace(page, response=response),)))


def headers(one, other, profile="cross-version"):
    found = header_differences(with_headers(*one), with_headers(*other), JUDGE, profile)
    return [(each.path, each.baseline, each.candidate, each.severity) for each in found]


def errors(one, other, profile="cross-version"):
    found = error_differences(one, other, JUDGE, profile)
    return [(each.path, each.baseline, each.candidate, each.severity) for each in found]


def test_other_words_are_compatible():
    """A message is for people; the code and the name around it stay."""
    old, new = (error_of({"badRequest": {"code": 400, "message": each}}) for each in "ab")
    assert errors(old, new) == [("badRequest.message", "a", "b", "compatible")]
    assert errors(old, old) == []


def test_another_form_of_an_error_is_breaking():
    """Clients find code and message under these names."""
    old = error_of({"badRequest": {"code": 400, "message": "a"}})
    new = error_of({"error": {"code": "400", "message": "a"}})
    assert sorted((path, severity) for path, _, _, severity in errors(old, new)) == [
        ("badRequest", "breaking"),
        ("error", "breaking"),
    ]
    retyped = error_of({"badRequest": {"code": "400", "message": "a"}})
    assert errors(old, retyped) == [("badRequest.code", 400, "400", "breaking")]


def test_an_error_that_is_no_json_is_its_text():
    """Routing's 404 is HTML; an empty body is one too."""
    old, new = (error_of(each, status=404) for each in ("<h1>404</h1>", ""))
    assert errors(old, new) == [("body", "<h1>404</h1>", "", "compatible")]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("wire", 1),
        ("same-cloud", 0),
        ("cross-version", 0),
        ("cross-cloud", 0),
    ],
)
def test_a_placeholder_host_in_a_message_is_no_difference(profile, expected):
    """Nova's 500 names a URL; redaction put the cloud's name into it, and no cloud said that."""
    old, new = (
        error_of(
            {"fault": {"code": 500, "message": f"see https://host.{cloud}.invalid/nova/."}},
            status=500,
            cloud=cloud,
        )
        for cloud in ("nova-2019.1", "nova-2019.2")
    )
    assert len(errors(old, new, profile)) == expected


def test_another_host_in_a_message_stays():
    """The second foreign host is another one."""
    old, new = (
        error_of({"fault": {"code": 400, "message": f"see https://{host}.a.invalid"}})
        for host in ("host", "host-2")
    )
    assert errors(old, new) == [("fault.message", "see <host>", "see <host-2>", "compatible")]


def test_headers_are_found_by_name_in_any_case():
    """HTTP does not tell the case of names apart, but it does the order of repeated fields."""
    assert headers([("Vary", "a"), ("vary", "b")], [("VARY", "a"), ("Vary", "b")]) == []
    assert headers([("Vary", "a"), ("vary", "b")], [("VARY", "b"), ("Vary", "a")]) == [
        ("headers.vary", ["a", "b"], ["b", "a"], "compatible")
    ]


def test_a_lost_and_a_new_header():
    """MISSING where one side has none, sorted by name."""
    assert headers([("X-B", "1")], [("X-A", "1")]) == [
        ("headers.x-a", MISSING, "1", "compatible"),
        ("headers.x-b", "1", MISSING, "compatible"),
    ]


def test_another_media_type_is_breaking_and_another_charset_is_not():
    """Clients choose their parser by it."""
    json_, charset = "application/json", "application/json; charset=UTF-8"
    name = "Content-Type"
    assert headers([(name, json_)], [(name, charset)])[0][3] == "compatible"
    assert headers([(name, json_)], [(name, "text/html")])[0][3] == "breaking"
    assert headers([(name, json_)], [])[0][3] == "breaking"


@pytest.mark.parametrize("name", ["Content-Length", "Location", "Retry-After"])
def test_headers_of_one_request_are_passed_over(name):
    """They repeat the body's size, or say when and where this one request went."""
    assert headers([(name, "1")], [(name, "2")]) == []


def test_status_says_what_the_error_says():
    """A number for a listing, number and words for an error."""
    difference = status_difference(
        read(recording_of({"images": []})),
        error_of({"badRequest": {"code": 400, "message": "too small"}}),
        JUDGE,
    )
    assert (difference.path, difference.baseline, difference.candidate) == (
        "status_code",
        200,
        "400 too small",
    )
