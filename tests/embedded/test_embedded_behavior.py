"""The table of releases, and laws that hold for every query on every release."""

import ast
import dataclasses
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_imagedetail import embedded
from pytest_imagedetail.embedded import RELEASES, Behavior

WIRE_NAMES = st.sampled_from(
    [
        "changes-since",
        "server",
        "name",
        "status",
        "type",
        "minRam",
        "minDisk",
        "limit",
        "marker",
        "offset",
        "foo",
        "property-architecture",
        "property-visibility",
        "property-updated_at",
    ]
)
VALUES = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["in:dup", "lt:2024-01-01", "0001-01-01T00:00:00+23:00", "9" * 5000, "-0", "1_0"]
)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Behavior)])
def test_every_field_tells_two_releases_apart(field):
    """A field with one value for all releases would describe no difference."""
    assert len({getattr(behavior, field) for behavior in RELEASES.values()}) > 1


def test_releases_are_listed_under_their_own_names():
    """Key and name agree, and the table cannot be changed."""
    assert all(behavior.release == name for name, behavior in RELEASES.items())
    with pytest.raises(TypeError):
        RELEASES["own"] = RELEASES["juno"]


def test_only_the_standard_library_is_imported():
    """Nothing above this folder and no other distribution, so that the cloud stands alone."""
    for path in Path(embedded.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("pytest_imagedetail.embedded") or (
                    name.partition(".")[0] in sys.stdlib_module_names
                )


@settings(max_examples=300, deadline=None, database=None)
@given(
    release=st.sampled_from(sorted(RELEASES)),
    pairs=st.lists(st.tuples(WIRE_NAMES, VALUES), max_size=4),
)
def test_any_query_is_answered(client_of, release, pairs):
    """A listing, or a refusal in Nova's shape; never a 500."""
    query = "&".join(f"{name}={quote(value)}" for name, value in pairs)
    answer = client_of(release).raw(query)
    if answer.status == 200:
        assert all(image["status"] and len(image["links"]) == 3 for image in answer.images)
    else:
        assert answer.status in {400, 403}
        assert answer.message


@settings(max_examples=100, deadline=None, database=None)
@given(release=st.sampled_from(sorted(RELEASES)), query=st.binary())
def test_any_bytes_as_a_query_are_answered(client_of, release, query):
    """Not even bytes that are no text bring the application down."""
    assert client_of(release).raw(query.decode("latin-1")).status in {200, 400, 403, 500}
