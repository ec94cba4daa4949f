"""Two published schemas as another measure: by which fields and types tempest and Nova judge."""

import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.contract import FIELDS, SCHEMAS
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.report import html, markdown, terminal
from unit import changed, image_of, listing_of, snapshot_of, without

SIZE = "OS-EXT-IMG-SIZE:size"


def severities(old, new, contract, level="facts"):
    """Kind and severity of every difference of two images, judged by a schema."""
    comparison = compare(
        listing_of(old, cloud="a"), listing_of(new, cloud="b"), contract=contract, level=level
    )
    return [(each.kind, each.severity) for each in comparison.differences]


@pytest.mark.parametrize(
    ("new", "tempest", "nova"),
    [
        (without(image_of(1), SIZE), ("field_removed", "data"), ("field_removed", "breaking")),
        (without(image_of(1), "minRam"), ("field_removed", "breaking"), None),
        (image_of(1, os_hidden=False), ("field_added", "breaking"), None),
        (image_of(1, **{SIZE: None}), ("null_changed", "data"), ("null_changed", "breaking")),
        (image_of(1, updated=None), ("null_changed", "breaking"), ("null_changed", "data")),
        (image_of(1, minDisk="0"), ("type_changed", "breaking"), None),
        (image_of(1, minDisk=0.0), ("type_changed", "breaking"), None),
        (image_of(1, progress=37), ("value_changed", "data"), ("value_changed", "breaking")),
        (image_of(1, status="active"), ("value_changed", "breaking"), None),
        (image_of(1, metadata={"architecture": 1}), ("type_changed", "data"), None),
    ],
)
def test_each_schema_judges_for_itself(new, tempest, nova):
    """Where the two disagree, each says what it says."""
    assert severities(image_of(1), new, "tempest") == [tempest]
    assert severities(image_of(1), new, "nova") == [nova or tempest]


REFUSED = "{}'s schema refuses fields that it does not name"
TYPE = "{}'s schema names another JSON type"
REASONS = [
    (image_of(1), image_of(1, x=1), REFUSED, REFUSED),
    (snapshot_of(1), changed(snapshot_of(1), "server", "x", to=1), REFUSED, REFUSED),
    (image_of(1), changed(image_of(1), "links", 0, "x", to=1), REFUSED, REFUSED),
    (image_of(1), changed(image_of(1), "links", 0, "type", to="x"), None, REFUSED),
    (snapshot_of(1), changed(snapshot_of(1), "server", "links", 0, "x", to=1), REFUSED, REFUSED),
    (
        snapshot_of(1),
        changed(snapshot_of(1), "server", "links", 0, "type", to="x"),
        REFUSED,
        REFUSED,
    ),
    (
        image_of(1),
        image_of(1, links=[*image_of(1)["links"], {"rel": "describedby", "href": "x"}]),
        None,
        REFUSED,
    ),
    (
        image_of(1),
        image_of(1, links=[*image_of(1)["links"], {"rel": "x", "href": "x", "title": "x"}]),
        REFUSED,
        REFUSED,
    ),
    (image_of(1), image_of(1, metadata={"architecture": "x86_64", "a/b": "x"}), None, REFUSED),
    *(
        (
            image_of(1),
            image_of(1, **{field: no_date}),
            "{}'s schema promises isotime",
            "{}'s schema promises isotime",
        )
        for field in ("created", "updated")
        for no_date in ("1972-01-01_15-59-11", "")
    ),
    *(
        (image_of(1), image_of(1, **{field: -1}), None, "{}'s schema promises 0 or more")
        for field in ("minRam", "minDisk")
    ),
    (image_of(1), image_of(1, progress=-1), None, "no progress of {}'s schema"),
    (image_of(1), image_of(1, minRam="0"), TYPE, TYPE),
]


REASONS_AT_SHAPE = {TYPE: "{}'s schema does not allow this JSON type here"}


@pytest.mark.parametrize(("old", "new", "tempest", "nova"), REASONS)
@pytest.mark.parametrize("level", ["facts", "shape"])
@pytest.mark.parametrize("profile", ["wire", "cross-version"])
def test_what_a_schema_refuses_breaks(old, new, tempest, nova, level, profile):
    """At both levels and however links are keyed, with the schema's own reason."""
    for name, reason in (("tempest", tempest), ("nova", nova)):
        differences = compare(
            listing_of(old), listing_of(new), contract=name, level=level, profile=profile
        ).differences
        assert differences
        broken = {each.reason for each in differences if each.severity == "breaking"}
        said = REASONS_AT_SHAPE.get(reason, reason) if level == "shape" else reason
        wanted = said.format(name) if said else ""
        assert broken == ({wanted} if wanted else set())


@pytest.mark.parametrize("level", ["facts", "shape"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_type_below_a_field_is_judged_too(name, level):
    """The id of a server is text."""
    new = changed(snapshot_of(1), "server", "id", to=5)
    differences = compare(
        listing_of(snapshot_of(1)), listing_of(new), contract=name, level=level
    ).differences
    reason = REASONS_AT_SHAPE[TYPE] if level == "shape" else TYPE
    assert [each.severity for each in differences if each.reason == reason.format(name)] == [
        "breaking"
    ]


@pytest.mark.parametrize(
    ("beside", "reason"),
    [
        ({"total": 1}, REFUSED),
        ({"images_links": [{"rel": "next", "href": "x", "title": "x"}]}, REFUSED),
        ({"images_links": {}}, "{}'s schema names another JSON type"),
    ],
)
@pytest.mark.parametrize("name", SCHEMAS)
def test_what_a_schema_refuses_beside_the_images_breaks(name, beside, reason):
    """The answer has `images` and links to the next page, and nothing else."""
    sides = [listing_of(image_of(1), beside=each, complete=False) for each in ({}, beside)]
    (difference,) = compare(*sides, contract=name).differences
    assert (difference.severity, difference.reason) == ("breaking", reason.format(name))
    (difference,) = compare(*sides[::-1], contract=name).differences
    assert difference.severity != "breaking"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_that_comes_with_what_is_refused_below_it_breaks(name):
    """An image has a server now, and that has a field which the schema does not name."""
    new = changed(snapshot_of(1), "server", "x", to=1)
    old = without(new, "server")
    for level in ("facts", "shape"):
        differences = compare(
            listing_of(old), listing_of(new), contract=name, level=level
        ).differences
        assert REFUSED.format(name) in {each.reason for each in differences}
    good = compare(listing_of(old), listing_of(snapshot_of(1)), contract=name)
    assert not good.breaking


def test_the_level_shape_is_judged_by_a_schema_too():
    """Types, presence and fields that are not named."""
    assert severities(image_of(1), image_of(2, **{SIZE: None}), "nova", "shape") == [
        ("null_changed", "breaking")
    ]
    assert severities(image_of(1), image_of(2, **{SIZE: None}), "tempest", "shape") == [
        ("null_changed", "data")
    ]
    assert severities(image_of(1), image_of(2, os_hidden=1), "tempest", "shape") == [
        ("field_added", "breaking")
    ]


def test_every_report_names_the_schema():
    """A severity by another measure must not pass for one by the releases."""
    comparison = compare(listing_of(image_of(1)), listing_of(image_of(1)), contract="tempest")
    line = f"by tempest's schema: {SCHEMAS['tempest'].source}"
    assert f"judged      {line}" in terminal.render(comparison)
    assert "by tempest's schema" in markdown.render([comparison])
    assert "by tempest&#39;s schema" in html.render([comparison])
    assert comparison.to_dict()["contract"] == "tempest"


def test_an_unknown_contract_is_refused():
    """With the known ones."""
    with pytest.raises(UsageError, match="known: releases, tempest, nova"):
        compare(listing_of(), listing_of(), contract="temptest")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_knows_the_fields_of_the_contract(name):
    """None is forgotten, and what is required has a type."""
    schema = SCHEMAS[name]
    assert set(schema.types) == set(FIELDS)
    assert schema.required <= set(schema.types)
