"""Two published schemas as another measure: by which fields and types tempest and Nova judge."""

import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.contract import FIELDS, SCHEMAS
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.report import html, markdown, terminal
from unit import image_of, listing_of, without

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
