"""A matrix compares each cloud with the next one that has the query."""

from datetime import date

import pytest

from pytest_imagedetail.compare.matrix import Cell, compare_neighbors
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.model import Query
from pytest_imagedetail.rules import rules_of
from unit import error_of, image_of, listing_of, without

ALL, LIMIT = Query(), Query.parse("limit=0")


def row(**clouds):
    return {
        name: {each.query: each for each in (answers if isinstance(answers, list) else [answers])}
        for name, answers in clouds.items()
    }


def steps(matrix):
    return [
        (each.baseline, each.candidate, each.difference.kind, list(map(str, each.queries)))
        for each in matrix.steps
    ]


def test_a_cloud_without_the_query_is_passed_over_and_named():
    """Its neighbor is the next one that has it. Cells say what there was to compare."""
    same = compare_neighbors(row(a=listing_of(image_of()), b=listing_of(image_of(), cloud="b")))
    assert (same.same, same.summary, same.uneven) == (True, "no difference", ())
    assert same.cells == {(ALL, name): Cell(status_code=200, images=1) for name in "ab"}
    others = compare_neighbors(row(a=listing_of(image_of(1)), b=listing_of(image_of(2))))
    assert others.summary.endswith("; not all images were compared")
    assert not others.compatible
    part = listing_of(query="limit=0", complete=False)
    refused = error_of(query="limit=0")
    matrix = compare_neighbors(
        row(a=[listing_of(), part], b=[listing_of()], c=[listing_of(), refused])
    )
    assert steps(matrix) == [("a", "c", "status_changed", ["limit=0"])]
    assert matrix.missing == ((LIMIT, "b"),)
    assert matrix.row(LIMIT) == (Cell(status_code=200, images=0), None, Cell(status_code=400))
    assert not matrix.compatible
    with pytest.raises(UsageError, match="unknown severity 'Data'"):
        matrix.of("Data")
    with pytest.raises(UsageError, match="the matrix has no query 'limit=0'"):
        matrix.row("limit=0")


def test_one_difference_in_many_queries_is_one_step():
    """Values that Python calls equal stay apart. The worst comes first."""
    asked = ("", "status=ACTIVE")

    def stepped(*new):
        old = [listing_of(image_of(minDisk=0), query=each) for each in asked]
        sides = zip(new, asked, ("2026-02-01", "2026-02-02"), strict=True)
        new = [
            listing_of(image_of(minDisk=disk), query=query, recorded_at=day)
            for disk, query, day in sides
        ]
        return compare_neighbors(row(a=old, b=new))

    matrix = stepped(1, 1)
    assert steps(matrix) == [("a", "b", "value_changed", ["all", "status=ACTIVE"])]
    assert matrix.steps[0].recorded == ("2026-02-01", "2026-02-02")
    assert matrix.compatible  # by default, only a breaking change fails
    assert [queries for *_, queries in steps(stepped(0.0, False))] == [["all"], ["status=ACTIVE"]]
    images = image_of(minDisk=1), without(image_of(minDisk=1), "minRam")
    new = [listing_of(image, query=query) for image, query in zip(images, asked, strict=True)]
    matrix = compare_neighbors(row(a=[listing_of(image_of(), query=q) for q in asked], b=new))
    severities = [each.difference.severity for each in matrix.steps]
    assert severities == ["breaking", "data"]


def rules(*entries, today=date(2026, 11, 24)):
    common = {"reason": "known", "expires": "never"}
    return rules_of(*(common | each for each in entries), today=today)


def disks(*numbers):
    """Build clouds a, b, c ... whose one image has these values of minDisk."""
    sides = zip("abcdefg", numbers, strict=False)
    return row(**{name: listing_of(image_of(minDisk=disk), cloud=name) for name, disk in sides})


def test_rules():
    """A rule accepts between its clouds, fails once expired, and is unused if no pair needs it."""
    rule = {"path": "images[*].minDisk", "between": ["b", "c"]}
    matrix = compare_neighbors(disks(0, 1, 2), fail_on="change", rules=rules(rule))
    assert steps(matrix) == [("a", "b", "value_changed", ["all"])]
    assert [(each.baseline, each.candidate) for each in matrix.expected] == [("b", "c")]
    assert not matrix.compatible
    counts = "1 difference: 0 breaking, 0 compatible, 1 data"
    assert matrix.summary == f"{counts}; 1 more accepted by rules"
    late = rules({"path": "images[*].minDisk", "expires": "2026-11-23"})
    matrix = compare_neighbors(disks(0, 1), fail_on="none", rules=late)
    assert not matrix.compatible
    assert len(matrix.steps) == len(matrix.expired_rules) == 1
    idle = {"path": "images[*].minRam"}
    found = rules(idle, idle | {"between": ["x", "y"]}, {"path": "images[*].minDisk"})
    assert [each.path for each in compare_neighbors(disks(0, 1, 1), rules=found).unused_rules] == [
        "images[*].minRam"
    ]


def test_what_cannot_be_compared_is_refused():
    """Only errors, and a cloud that shares no query with another."""
    for other, expect in ((error_of(status=403), 400), (error_of(query="limit=x"), None)):
        with pytest.raises(ComparisonError, match="every answer is an error"):
            compare_neighbors(row(a=error_of(), b=other), expect=expect)
    alone = listing_of(query="status=ACTIVE")
    with pytest.raises(ComparisonError, match="a and b cannot be compared"):
        compare_neighbors(row(a=listing_of(), b=alone))
    with pytest.raises(ComparisonError, match="c cannot be compared"):
        compare_neighbors(row(a=listing_of(), b=listing_of(), c=alone))


def test_spans():
    """The first or the last cloud that shows a field or a status."""
    old, new = {ALL: listing_of(image_of(1))}, {ALL: listing_of(image_of(1, x=1))}
    refused = {ALL: error_of()}
    for answers, expected in (
        ((old, new, new), {"images[*].x": "first seen in b"}),
        ((new, new, old), {"images[*].x": "last seen in b"}),
        ((new, old, new), {"images[*].x": "not in b"}),
        ((new, {ALL: listing_of()}, new), {}),
        (
            (new, refused, refused),
            {"all answers 200": "last seen in a", "all answers 400": "first seen in b"},
        ),
    ):
        clouds = dict(zip("abc", answers, strict=True))
        spans = {each.what: str(each) for each in compare_neighbors(clouds).spans}
        assert spans == expected
