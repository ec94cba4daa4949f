"""How bad each kind of change is, by the releases of both sides."""

from pathlib import Path

from pytest_imagedetail.compare.severity import Change, Judge
from pytest_imagedetail.contract import FIELDS
from pytest_imagedetail.model import MISSING

GOLDEN = Path(__file__).parents[1] / "golden"
REQUIRED = [name for name, field in FIELDS.items() if field.required_since]
OPTIONAL = [name for name, field in FIELDS.items() if not field.required_since]
NEW = "2026.2"
SIZE = "OS-EXT-IMG-SIZE:size"
DATE, OFFSET = "2024-01-15T08:00:00Z", "2024-01-15T17:00:00+09:00"
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


def judged(kind, path, baseline, candidate, releases=(None, None), cause=None):
    """Return severity and reason of a change; a path is split at dots."""
    keys = tuple(path.split("."))
    change = Change(kind=kind, path=keys, baseline=baseline, candidate=candidate, cause=cause)
    return Judge(baseline=releases[0], candidate=releases[1]).severity(change)


def test_a_lost_field():
    """Breaking if it is promised, or if what causes it is still there; else data."""
    for field in {*REQUIRED} - {"links"}:
        for release, named in ((None, ""), (NEW, f" ({NEW})")):
            reason = f"the baseline's release{named} promises it for every image"
            found = judged("field_removed", field, 1, MISSING, (release, NEW))
            assert found == ("breaking", reason), field
    for field in OPTIONAL:
        assert judged("field_removed", field, 1, MISSING, (NEW, NEW))[0] == "data", field
        cause = FIELDS[field].cause
        reason = f"Nova sends it for every image with metadata.{cause}"
        found = judged("field_removed", field, SENT[field], MISSING, cause=cause)
        assert found == ("breaking", reason), field
    never = "not offered: diablo never had it"
    found = judged("field_removed", "minRam", 0, MISSING, (NEW, "diablo"))
    assert found == ("breaking", f"{never}; the baseline's release has")
    assert judged("field_removed", SIZE, 1, MISSING, ("grizzly", NEW))[0] == "data"
    lost = judged("field_removed", "x", 1, MISSING)
    assert lost == ("compatible", "no release promises it")


def test_an_added_field():
    """Compatible, unless it is a known field with a value that the baseline's release excludes."""
    for field in (*FIELDS, "x"):
        for release in (None, "bexar", NEW):
            value = 1 if (field, release) == ("id", "bexar") else SENT.get(field, 1)
            found = judged("field_added", field, MISSING, value, (release, NEW))
            assert found[0] == "compatible", (field, release)
    for field, value, reason in (
        ("minRam", "64", "the contract names another JSON type"),
        ("minRam", None, "the contract does not allow null here"),
        ("status", "QUEUED", "no status of the contract"),
        ("created", "yesterday", "the contract promises isotime"),
        ("metadata", {"k": 1}, "the contract names another JSON type"),
    ):
        assert judged("field_added", field, MISSING, value) == ("breaking", reason)
    for value in (0, "64"):
        found = judged("field_added", "minRam", MISSING, value, ("diablo", NEW))
        assert found == ("compatible", "not offered: diablo never had it")
    for value in ({}, [1], "x"):  # Bexar promises nothing of progress
        found = judged("value_changed", "progress", [], [value], ("bexar", NEW))
        assert found == ("data", "another value of the same type")


def test_ids_by_release():
    """A number through Cactus, a text in Diablo, a UUID since Essex."""
    for release, before, after, severity in (
        ("cactus", 1, "1", "breaking"),
        ("cactus", 1, 2, "data"),
        ("diablo", "1", 1, "breaking"),
        ("diablo", "1", "b", "data"),
        ("essex", ID, "1", "breaking"),
        (None, ID, "1", "breaking"),
    ):
        kind = "value_changed" if type(before) is type(after) else "type_changed"
        assert judged(kind, "id", before, after, (release, None))[0] == severity


def test_types_and_null():
    """Another JSON type breaks; null does where the contract does not allow it."""
    for field in {*FIELDS} - {"links"}:
        expected = ("breaking", "the contract names another JSON type")
        assert judged("type_changed", field, "x", 1.5) == expected, field
        types = FIELDS[field].part.types
        expected = (
            ("data", "the contract allows both")
            if type(None) in types
            else ("breaking", "the contract does not allow null here")
        )
        old = SENT.get(field, 1)
        assert judged("null_changed", field, old, None) == expected, field
    fixed = "compatible", "the candidate keeps the contract, the baseline did not"
    assert judged("type_changed", SIZE, "74185822", 74185822) == fixed
    assert judged("null_changed", "updated", None, DATE)[0] == "data"
    expected = "breaking", "the contract promises isotime"
    assert judged("null_changed", "updated", None, "") == expected


def test_values_that_the_contract_excludes():
    """Breaking; the way back is compatible, and two faults alike are data."""
    for field, kept, broken, reason in (
        ("created", DATE, "1972-01-01_15-59-11", "the contract promises isotime"),
        ("created", DATE, "2024-02-30T08:00:00Z", "the contract promises isotime"),
        ("minRam", 0, -1, "the contract promises 0 or more"),
        ("status", "ACTIVE", "QUEUED", "no status of the contract"),
        ("OS-DCF:diskConfig", "AUTO", "auto", "no OS-DCF:diskConfig of the contract"),
    ):
        fixed = "compatible", "the candidate keeps the contract, the baseline did not"
        assert judged("value_changed", field, kept, broken) == ("breaking", reason)
        assert judged("value_changed", field, broken, kept) == fixed
        both = judged("value_changed", field, broken, broken)
        assert both == ("data", "neither side keeps the contract")
        same = judged("value_changed", field, kept, kept)
        assert same == ("data", "another value of the same type")


def test_links_and_dates():
    """A link may leave out the own project; one to its own image is right, by its relation."""
    same = "compatible", "the same place, written in another form"
    other = "breaking", "a link leads elsewhere after hosts and projects were normalized"
    own = "compatible", "the candidate's link leads to its own image or server, as it should"

    def linked(path, baseline, candidate):
        sides = {"baseline": baseline, "candidate": candidate}
        change = Change(kind="link_changed", path=("links", *path, "href"), **sides)
        return Judge(baseline=None, candidate=None).severity(change)

    for project, verdict in (
        ("0" * 32, same),
        ("00000000-0000-0000-0000-000000000000", same),
        (f"{1:032x}", other),
    ):
        old, new = (f"<compute>/v2{each}/images/{ID}" for each in ("", f"/{project}"))
        assert linked((0,), old, new) == verdict, project
    for path, host, right in (
        (("self",), "<compute>", True),
        (("self",), "<volume>", False),
        (("alternate", 1), "<image>", True),
        (("alternate", 1), "<compute>", False),
        ((1,), "<image>", True),
    ):
        found = linked(path, "<compute>/images/other", f"{host}/images/<id>")
        assert (found == own) is right, (path, host)
    more = "compatible", "one more link relation or attribute"
    for kind, path in (("field_added", "links.x"), ("item_added", "links.3")):
        assert judged(kind, path, MISSING, {"rel": "x", "href": "y"}) == more
    strict = "compatible", "a date in another format; strict parsers refuse it"
    written = "compatible", "the candidate writes what the contract promises"
    moved = "data", "another value of the same type"
    for before, after, verdict in (
        (DATE, OFFSET, strict),
        (OFFSET, DATE, written),
        (DATE, "2024-01-15T08:00:00.000000Z", strict),
        (DATE, "2024-01-15T08:00:01Z", moved),
        ("2024-01-15T08:00:00+09:00", OFFSET, moved),
    ):
        assert judged("value_changed", "created", before, after) == verdict


def test_severity():
    """One line per kind and place, with its reason; releases are not declared."""
    reasons = []
    for kind, path, baseline, candidate, severity in (
        ("value_changed", "name", "a", "b", "data"),
        ("value_changed", SIZE, 1.5, 2.5, "data"),
        ("value_changed", "status", "ACTIVE", "DELETED", "data"),
        ("value_changed", "progress", 100, 38, "data"),
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
        ("link_changed", "links.self.href", "a", "b", "breaking"),
        ("link_changed", "links.self.type", "a", "b", "compatible"),
        ("link_changed", "links.self.title", "a", "b", "compatible"),
        ("type_changed", "links.self", {}, [], "breaking"),
        ("type_changed", "links.self", [{}], {}, "compatible"),
        ("link_changed", "server.links.self.href", "a", "b", "breaking"),
        ("link_changed", "server.links.self.href", "a/servers/b", "a/servers/c", "data"),
        ("field_removed", "server.links.self", {}, MISSING, "breaking"),
        ("field_added", "server.links.x", MISSING, {}, "compatible"),
        ("type_changed", "links", [], {}, "breaking"),
        ("type_changed", "links.self.href", 5, "a", "compatible"),
        ("type_changed", "links.self.href", "a", 5, "breaking"),
        ("null_changed", "links.self.type", None, "a", "breaking"),
        ("item_removed", "links.3", {"rel": "x"}, MISSING, "breaking"),
    ):
        found, reason = judged(kind, path, baseline, candidate)
        assert found == severity, (kind, path, baseline, candidate)
        reasons.append(f"{severity} {kind} {path}: {reason}")
    assert reasons == (GOLDEN / "severity.txt").read_text(encoding="utf-8").splitlines()
