"""How bad each kind of change is, by the releases of both sides."""

import pytest

from pytest_imagedetail.compare.severity import Change, Judge
from pytest_imagedetail.contract import FIELDS
from pytest_imagedetail.model import MISSING

REQUIRED = [name for name, field in FIELDS.items() if field.required_since]
OPTIONAL = [name for name, field in FIELDS.items() if not field.required_since]
NEW = "2026.2"


def judged(kind, field, baseline, candidate, *, releases=(None, None), below=()):
    path = (field, *below) if field else ()
    change = Change(kind=kind, path=path, baseline=baseline, candidate=candidate)
    return Judge(baseline=releases[0], candidate=releases[1]).severity(change)


@pytest.mark.parametrize("field", sorted(set(REQUIRED) - {"links"}))
@pytest.mark.parametrize("release", [None, NEW])
def test_a_promised_field_that_is_gone_breaks(field, release):
    """Whoever relied on the baseline's promise fails."""
    named = "" if release is None else f" ({release})"
    assert judged("field_removed", field, 1, MISSING, releases=(release, NEW)) == (
        "breaking",
        f"the baseline's release{named} promises it for every image",
    )


def test_a_field_that_the_candidate_never_had_says_so():
    """Going back before the first release of a field still breaks its readers."""
    assert judged("field_removed", "minRam", 0, MISSING, releases=(NEW, "diablo")) == (
        "breaking",
        "diablo never offered it; the baseline's release does",
    )


@pytest.mark.parametrize("field", OPTIONAL)
def test_an_optional_field_that_is_gone_is_data(field):
    """It depends on the image, whatever the release."""
    assert judged("field_removed", field, 1, MISSING, releases=(NEW, NEW))[0] == "data"


def test_a_field_not_yet_promised_is_data():
    """Grizzly could send the size, but did not have to."""
    size = "OS-EXT-IMG-SIZE:size"
    assert judged("field_removed", size, 1, MISSING, releases=("grizzly", NEW))[0] == "data"


def test_an_unknown_field_that_is_gone_is_compatible():
    """Nobody promised it."""
    assert judged("field_removed", "x", 1, MISSING) == ("compatible", "no release promises it")


DATE = "2024-01-15T08:00:00Z"
ID = "70a599e0-31e7-49b7-b260-868f441e862b"
SENT = {
    "id": ID,
    "name": "cirros",
    "status": "ACTIVE",
    "created": DATE,
    "updated": DATE,
    "metadata": {"k": "v"},
    "links": [{"rel": "self", "href": "http://nova/v2.1/images/1"}],
    "server": {"id": ID, "links": []},
    "OS-DCF:diskConfig": "AUTO",
}


@pytest.mark.parametrize("field", [*FIELDS, "x"])
@pytest.mark.parametrize("release", [None, "bexar", NEW])
def test_an_added_field_is_compatible(field, release):
    """Careful clients pass over what they do not know."""
    value = 1 if (field, release) == ("id", "bexar") else SENT.get(field, 1)
    assert judged("field_added", field, MISSING, value, releases=(release, NEW))[0] == "compatible"


@pytest.mark.parametrize(
    ("field", "below", "value", "reason"),
    [
        ("minRam", (), "64", "the contract names another JSON type"),
        ("minRam", (), None, "the contract does not allow null here"),
        ("status", (), "QUEUED", "no status of the contract"),
        ("created", (), "yesterday", "the contract promises isotime"),
        ("metadata", (), {"k": 1}, "the contract names another JSON type"),
    ],
)
def test_a_known_field_added_with_another_value_breaks(field, below, value, reason):
    """Clients know this one, and what it is to be."""
    change = judged("field_added", field, MISSING, value, below=below)
    assert change == ("breaking", reason)


def test_what_the_baseline_never_had_is_nothing_its_clients_know():
    """Whatever it is."""
    found = judged("field_added", "minRam", MISSING, "64", releases=("diablo", NEW))
    assert found == ("compatible", "diablo never had it")


@pytest.mark.parametrize("field", OPTIONAL)
def test_a_field_whose_cause_is_still_there_breaks(field):
    """Nova sends it for every such image."""
    change = Change(
        kind="field_removed",
        path=(field,),
        baseline=SENT[field],
        candidate=MISSING,
        cause=FIELDS[field].cause,
    )
    reason = f"Nova sends it for every image with metadata.{FIELDS[field].cause}"
    assert Judge(baseline=None, candidate=None).severity(change) == ("breaking", reason)


@pytest.mark.parametrize(
    ("release", "before", "after", "severity"),
    [
        ("cactus", 1, "1", "breaking"),
        ("cactus", 1, 2, "data"),
        ("diablo", "1", 1, "breaking"),
        ("diablo", "1", "b", "data"),
        ("essex", ID, "1", "breaking"),
        (None, ID, "1", "breaking"),
    ],
)
def test_ids_by_release(release, before, after, severity):
    """A number through Cactus, a text in Diablo, a UUID since Essex."""
    kind = "value_changed" if type(before) is type(after) else "type_changed"
    assert judged(kind, "id", before, after, releases=(release, None))[0] == severity


def test_an_added_field_of_a_later_release_says_so():
    """The reason names the release that never had it."""
    assert judged("field_added", "minRam", MISSING, 0, releases=("diablo", NEW)) == (
        "compatible",
        "diablo never had it",
    )


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"links"}))
def test_another_json_type_breaks(field):
    """A typed client cannot read it."""
    assert judged("type_changed", field, "x", 1.5) == (
        "breaking",
        "the contract names another JSON type",
    )


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"links"}))
def test_null_breaks_where_the_contract_does_not_allow_it(field):
    """`name` and `updated` may be null; nothing else may."""
    expected = (
        ("data", "the contract allows both")
        if type(None) in FIELDS[field].part.types
        else ("breaking", "the contract does not allow null here")
    )
    old = {"metadata": {}, "server": {}, "updated": "2024-01-15T08:00:00Z"}.get(
        field, 1 if int in FIELDS[field].part.types else "x"
    )
    assert judged("null_changed", field, old, None) == expected


def test_a_type_that_is_mended_is_compatible():
    """A size as a string broke the contract; the number keeps it."""
    assert judged("type_changed", "OS-EXT-IMG-SIZE:size", "74185822", 74185822) == (
        "compatible",
        "the candidate keeps the contract, the baseline did not",
    )


BROKEN = [
    ("created", DATE, "1972-01-01_15-59-11", "the contract promises isotime"),
    ("created", DATE, "", "the contract promises isotime"),
    ("created", DATE, "2024-02-30T08:00:00Z", "the contract promises isotime"),
    ("updated", DATE, "yesterday", "the contract promises isotime"),
    ("minRam", 0, -1, "the contract promises 0 or more"),
    ("minDisk", 0, -1, "the contract promises 0 or more"),
    ("progress", 100, -1, "the contract promises 0 or more"),
    ("status", "ACTIVE", "QUEUED", "no status of the contract"),
    ("OS-DCF:diskConfig", "AUTO", "auto", "no OS-DCF:diskConfig of the contract"),
]


@pytest.mark.parametrize(("path", "kept", "broken", "reason"), BROKEN)
def test_a_value_without_the_promised_form_breaks(path, kept, broken, reason):
    """Whoever parses it fails, and is glad of the way back; two faults alike are data."""
    field, *below = path.split(".")

    def verdict(baseline, candidate):
        return judged("value_changed", field, baseline, candidate, below=tuple(below))

    assert verdict(kept, broken) == ("breaking", reason)
    assert verdict(broken, kept) == (
        "compatible",
        "the candidate keeps the contract, the baseline did not",
    )
    assert verdict(broken, broken) == ("data", "neither side keeps the contract")
    assert verdict(kept, kept) == ("data", "another value of the same type")


@pytest.mark.parametrize(
    ("baseline", "candidate", "severity"),
    [
        (DATE, "2024-01-15T17:00:00+09:00", "compatible"),
        ("2024-01-15T17:00:00+09:00", DATE, "compatible"),
        (DATE, "2024-01-15T08:00:00.000000Z", "compatible"),
        (DATE, "2024-01-15T08:00:01Z", "data"),
        ("2024-01-15T08:00:00+09:00", "2024-01-15T17:00:00+09:00", "data"),
    ],
)
def test_a_date_in_another_writing_is_compatible(baseline, candidate, severity):
    """It is a date still, and one that not every parser reads."""
    assert judged("value_changed", "created", baseline, candidate)[0] == severity


def test_a_date_that_is_written_as_promised_is_mended():
    """No parser refuses it any more; the way there is what a strict one fails at."""
    offset = "2024-01-15T17:00:00+09:00"
    assert judged("value_changed", "created", offset, DATE)[1] == (
        "the candidate writes what the contract promises"
    )
    assert judged("value_changed", "created", DATE, offset)[1] == (
        "a date in another format; strict parsers refuse it"
    )


@pytest.mark.parametrize("value", [{}, [1], "x"])
def test_whatever_was_called_progress_before_there_was_one(value):
    """Bexar promises nothing of it, so anything may stand there."""
    expected = ("data", "another value of the same type")
    releases = ("bexar", NEW)
    item = judged("item_added", "progress", MISSING, value, releases=releases, below=(0,))
    whole = judged("value_changed", "progress", [], [value], releases=releases)
    assert (item, whole) == (expected, expected)


def test_null_that_becomes_no_date_breaks():
    """`updated` may be null, and may be a date, and nothing else."""
    assert judged("null_changed", "updated", None, "") == (
        "breaking",
        "the contract promises isotime",
    )
    assert judged("null_changed", "updated", None, DATE)[0] == "data"


@pytest.mark.parametrize(
    ("kind", "path", "baseline", "candidate", "severity"),
    [
        ("value_changed", "name", "a", "b", "data"),
        ("value_changed", "OS-EXT-IMG-SIZE:size", 1.5, 2.5, "data"),
        ("value_changed", "status", "ACTIVE", "DELETED", "data"),
        ("value_changed", "status", "ACTIVE", "QUEUED", "breaking"),
        ("item_added", "status.x", MISSING, {}, "data"),
        ("type_changed", "x", 1, "1", "breaking"),
        ("value_changed", "x", 1, 2, "data"),
        ("field_removed", "server.id", "id", MISSING, "breaking"),
        ("field_added", "server.id", MISSING, ID, "compatible"),
        ("field_removed", "metadata", {}, MISSING, "breaking"),
        ("field_removed", "metadata.k", "x", MISSING, "data"),
        ("field_added", "metadata.k", MISSING, "x", "data"),
        ("null_changed", "metadata.k", "x", None, "data"),
        ("type_changed", "metadata.k", "0", 0, "breaking"),
        ("type_changed", "metadata.k", 0, "0", "compatible"),
        ("type_changed", "metadata.k", 0, [], "breaking"),
        ("value_changed", "metadata.k", 0, 1, "data"),
        ("null_changed", "metadata.k", None, 5, "breaking"),
        ("null_changed", "metadata.k", None, "x", "data"),
        ("field_added", "metadata.k", MISSING, {"a": 1}, "breaking"),
        ("field_added", "metadata.mappings", MISSING, [], "data"),
        ("null_changed", "metadata.mappings", None, [], "data"),
        ("type_changed", "metadata.mappings", [], "", "data"),
        ("type_changed", "metadata.mappings.x", "", 1, "data"),
        ("field_removed", "metadata.k", 5, MISSING, "data"),
        ("field_removed", "links.self", {}, MISSING, "breaking"),
        ("field_added", "links.self", MISSING, {}, "compatible"),
        ("link_changed", "links", "a", "b", "compatible"),
        ("link_changed", "links.self.href", "a", "b", "breaking"),
        ("link_changed", "links.self.type", "a", "b", "compatible"),
        ("link_changed", "links.self.title", "a", "b", "compatible"),
        ("type_changed", "links.self", {}, [], "breaking"),
        ("link_changed", "server.links.self.href", "a", "b", "breaking"),
        ("field_removed", "server.links.self", {}, MISSING, "breaking"),
        ("field_added", "server.links.x", MISSING, {}, "compatible"),
        ("type_changed", "links", [], {}, "breaking"),
        ("image_added", "", MISSING, {}, "data"),
        ("image_removed", "", {}, MISSING, "data"),
        ("image_repeated", "", MISSING, {}, "breaking"),
        ("image_repeated", "", {}, MISSING, "compatible"),
        ("order_changed", "", "a", "b", "data"),
        ("status_changed", "", 200, 203, "compatible"),
        ("answer_changed", "", MISSING, [], "compatible"),
        ("vendor_removed", "metadata", [], MISSING, "data"),
    ],
)
def test_severity(kind, path, baseline, candidate, severity):
    """One line per kind and place; releases are not declared."""
    field, *below = path.split(".")
    assert judged(kind, field, baseline, candidate, below=tuple(below))[0] == severity
