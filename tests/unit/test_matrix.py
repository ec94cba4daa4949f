"""Each cloud is compared with the next one that has the query; nothing is compared in silence."""

from datetime import date

import pytest

from pytest_imagedetail.compare.matrix import Cell, by_release, compare_neighbors, release_of
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import Query
from pytest_imagedetail.rules import Rules, parse
from unit import image_of, listing_of, recording_of

ALL, LIMIT = Query(), Query.parse("limit=0")


def error_of(message="no", status=400, cloud="a", query=""):
    body = {"badRequest": {"code": status, "message": message}}
    return read(recording_of(body, status=status, cloud=cloud, query=query), expect=status)


def row(**clouds):
    """Clouds in order, each with its answers by query."""
    return {
        name: {each.query: each for each in (answers if isinstance(answers, list) else [answers])}
        for name, answers in clouds.items()
    }


def steps(matrix):
    return [
        (each.baseline, each.candidate, each.difference.kind, list(map(str, each.queries)))
        for each in matrix.steps
    ]


def test_the_same_all_along():
    """No step, and cells that say what was there to compare."""
    matrix = compare_neighbors(row(a=listing_of(image_of()), b=listing_of(image_of(), cloud="b")))
    assert matrix.same
    assert matrix.compatible
    assert matrix.summary == "no change"
    assert matrix.cells == {
        (ALL, "a"): Cell(status_code=200, images=1),
        (ALL, "b"): Cell(status_code=200, images=1),
    }
    assert matrix.uneven == ()


def test_a_change_stands_between_the_two_clouds_where_it_happened():
    """And nowhere else."""
    new = image_of(minDisk=1)
    matrix = compare_neighbors(
        row(
            a=listing_of(image_of()), b=listing_of(image_of()), c=listing_of(new), d=listing_of(new)
        )
    )
    assert steps(matrix) == [("b", "c", "value_changed", ["all"])]


def test_a_cloud_without_the_query_is_passed_over_and_named():
    """The next one that has it is the neighbor."""
    refused = error_of(query="limit=0")
    matrix = compare_neighbors(
        row(
            a=[listing_of(), listing_of(query="limit=0", complete=False)],
            b=[listing_of()],
            c=[listing_of(), refused],
        )
    )
    assert steps(matrix) == [("a", "c", "status_changed", ["limit=0"])]
    assert matrix.missing == ((LIMIT, "b"),)
    assert matrix.row(LIMIT) == (Cell(status_code=200, images=0), None, Cell(status_code=400))
    assert not matrix.compatible


def test_one_difference_in_many_queries_is_one_step():
    """With all its queries, in their order."""
    old = [listing_of(image_of(), query=each) for each in ("", "status=ACTIVE")]
    new = [listing_of(image_of(minDisk=1), query=each) for each in ("", "status=ACTIVE")]
    matrix = compare_neighbors(row(a=old, b=new))
    assert steps(matrix) == [("a", "b", "value_changed", ["all", "status=ACTIVE"])]


def test_words_of_errors_are_compared_beside_listings():
    """Two recorded refusals in a matrix that has seen listings."""
    old = [listing_of(), error_of("old words", query="limit=x")]
    new = [listing_of(), error_of("new words", query="limit=x")]
    assert steps(compare_neighbors(row(a=old, b=new))) == [("a", "b", "error_changed", ["limit=x"])]


def test_nothing_but_errors_is_refused():
    """A row of 401s must not be green, whatever the order."""
    with pytest.raises(ComparisonError, match="every answer is an error"):
        compare_neighbors(row(a=error_of(status=401), b=error_of(status=401)))
    with pytest.raises(ComparisonError, match="every answer is an error"):
        compare_neighbors(row(a=error_of(status=401), b=error_of(status=403)), expect=401)


def test_errors_are_refused_before_anything_is_compared():
    """That no two of them share a query is no news beside it."""
    with pytest.raises(ComparisonError, match="every answer is an error"):
        compare_neighbors(row(a=error_of(), b=error_of(query="limit=x")))


def test_expected_errors_are_compared():
    """Whoever names the status wants to know what is said."""
    matrix = compare_neighbors(row(a=error_of("x"), b=error_of("y")), expect=400)
    assert steps(matrix) == [("a", "b", "error_changed", ["all"])]


def test_one_cloud_has_no_neighbor():
    """Nor has none."""
    for clouds in ({}, row(a=listing_of())):
        with pytest.raises(UsageError, match="in a row"):
            compare_neighbors(clouds)


def test_clouds_that_share_no_query_are_refused():
    """Nothing was compared; that is no "no change"."""
    with pytest.raises(ComparisonError, match="nothing of a and b was compared"):
        compare_neighbors(row(a=listing_of(), b=listing_of(query="limit=1", complete=False)))


def test_a_cloud_that_shares_nothing_with_any_other_is_refused():
    """It stands in the matrix, and nothing of it was compared."""
    lonely = listing_of(query="status=ACTIVE")
    with pytest.raises(ComparisonError, match="nothing of c was compared"):
        compare_neighbors(row(a=listing_of(), b=listing_of(), c=lonely))


def test_worst_first_between_two_clouds():
    """Pairs stay in the clouds' order."""
    old = [image_of(), image_of(2)]
    new = [image_of(minDisk=1), {k: v for k, v in image_of(2).items() if k != "minRam"}]
    matrix = compare_neighbors(row(a=listing_of(*old), b=listing_of(*new)))
    assert [each.difference.severity for each in matrix.steps] == ["breaking", "data"]


def test_order_by_release():
    """Codenames and numbers mean the same; without a release a cloud comes last."""
    clouds = row(
        unknown=listing_of(),
        new=listing_of(release="2026.2"),
        old=listing_of(release="essex"),
        middle=listing_of(release="2014.2"),
    )
    assert list(by_release(clouds)) == ["old", "middle", "new", "unknown"]


def test_changes_that_python_calls_equal_stay_apart():
    """0 became 0.0 under one query and false under another: two changes."""
    old = [listing_of(image_of(minDisk=0), query=each) for each in ("", "status=ACTIVE")]
    new = [
        listing_of(image_of(minDisk=0.0)),
        listing_of(image_of(minDisk=False), query="status=ACTIVE"),
    ]
    assert [queries for *_, queries in steps(compare_neighbors(row(a=old, b=new)))] == [
        ["all"],
        ["status=ACTIVE"],
    ]


def test_the_release_is_the_first_that_a_recording_names():
    """One that was recorded before anybody declared it hides no later one."""
    listings = [listing_of(), listing_of(query="status=ACTIVE", release="2026.2")]
    (answers,) = row(a=listings).values()
    assert release_of(answers) == "2026.2"


def rules(*entries, today=date(2026, 11, 24)):
    """Rules as a file would have them."""
    common = {"reason": "known", "expires": "never"}
    return Rules(rules=tuple(parse({**common, **each}) for each in entries), today=today)


def disks(*numbers):
    """Clouds a, b, c ... whose one image has these values of minDisk."""
    names = "abcdefg"
    return row(
        **{
            name: listing_of(image_of(minDisk=number), cloud=name)
            for name, number in zip(names, numbers, strict=False)
        }
    )


def test_a_rule_accepts_a_change_between_the_clouds_that_it_is_about():
    """Elsewhere in the row the same change counts."""
    rule = {"path": "images[*].minDisk", "between": ["b", "c"]}
    matrix = compare_neighbors(disks(0, 1, 2), fail_on="change", rules=rules(rule))
    assert steps(matrix) == [("a", "b", "value_changed", ["all"])]
    assert [(each.baseline, each.candidate) for each in matrix.expected] == [("b", "c")]
    assert not matrix.compatible
    assert matrix.summary == "1 change: 0 breaking, 0 compatible, 1 data; 1 more accepted by rules"
    assert compare_neighbors(disks(0, 0, 2), fail_on="change", rules=rules(rule)).compatible


def test_an_accepted_change_is_not_the_same():
    """And the rule is named where it stands."""
    matrix = compare_neighbors(disks(0, 1), rules=rules({"path": "images[*].minDisk"}))
    assert not matrix.same
    assert matrix.compatible
    assert matrix.summary == "no change but for 1 accepted by rules"
    (change,) = matrix.to_dict()["expected"]
    assert (change["from"], change["to"], change["rule"]["reason"]) == ("a", "b", "known")


def test_a_rule_accepts_a_header_too():
    """Headers are compared only here."""
    old, new = listing_of(image_of()), error_of("words", query="limit=x")
    later = error_of("other words", query="limit=x", cloud="b")
    clouds = row(a=[old, new], b=[listing_of(image_of(), cloud="b"), later])
    rule = {"path": "badRequest.message", "kind": "error_changed"}
    assert compare_neighbors(clouds, fail_on="change", rules=rules(rule)).compatible


def test_an_expired_rule_accepts_nothing_and_fails():
    """Whatever `fail_on` says."""
    late = rules({"path": "images[*].minDisk", "expires": "2026-11-23"})
    matrix = compare_neighbors(disks(0, 1), fail_on="none", rules=late)
    assert not matrix.compatible
    assert len(matrix.steps) == len(matrix.expired_rules) == 1


def test_a_rule_is_unused_only_if_no_pair_needs_it():
    """One that accepts something between two of three is at work; one about others is not asked."""
    idle = {"path": "images[*].minRam"}
    about_others = {"path": "images[*].minRam", "between": ["x", "y"]}
    busy = {"path": "images[*].minDisk"}
    matrix = compare_neighbors(disks(0, 1, 1), rules=rules(idle, about_others, busy))
    assert [each.path for each in matrix.unused_rules] == ["images[*].minRam"]


def test_fail_on_none_takes_every_change():
    """As `diff` does."""
    old, new = listing_of(image_of()), listing_of()
    lost = {k: v for k, v in image_of().items() if k != "minRam"}
    matrix = compare_neighbors(row(a=old, b=listing_of(lost), c=new), fail_on="none")
    assert matrix.breaking
    assert matrix.compatible


def test_neighbors_without_an_image_in_common_are_not_compatible():
    """Who is concerned is told, with the query."""
    clouds = row(a=listing_of(image_of(1)), b=listing_of(image_of(1)), c=listing_of(image_of(2)))
    matrix = compare_neighbors(clouds)
    assert matrix.nothing_in_common == (("b", "c", ALL),)
    assert not matrix.compatible
    assert matrix.summary.endswith("; not all images were compared")
    assert matrix.to_dict()["nothing_in_common"] == [{"from": "b", "to": "c", "query": "all"}]
    assert compare_neighbors(clouds, fail_on="none").compatible
