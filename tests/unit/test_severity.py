"""How bad each kind of change is, by the releases of both sides."""

from pathlib import Path

from pytest_imagedetail.compare.severity import Change, Judge
from pytest_imagedetail.model import MISSING

GOLDEN = Path(__file__).parents[1] / "golden" / "severity.txt"
NEW = "2026.2"
SIZE = "OS-EXT-IMG-SIZE:size"
DATE, OFFSET = "2024-01-15T08:00:00Z", "2024-01-15T17:00:00+09:00"
ID = "70a599e0-31e7-49b7-b260-868f441e862b"
LINK = {"rel": "x", "href": "y"}
OWN, OTHER, BARE = (f"<compute>/v2{each}/images/{ID}" for each in (f"/{0:032x}", f"/{1:032x}", ""))

# kind, path, baseline, candidate, severity, and the releases of both sides if they are declared
CASES = (
    ("value_changed", "name", "a", "b", "data"),
    ("value_changed", "progress", 100, 38, "data"),
    ("item_added", "status.x", MISSING, {}, "data"),
    ("type_changed", "x", 1, "1", "breaking"),
    ("field_added", "status (repeated)", MISSING, ["ERROR", "ACTIVE"], "breaking"),
    ("field_removed", "x", 1, MISSING, "compatible"),
    ("field_removed", "server.id", "id", MISSING, "breaking"),
    ("field_added", "server.id", MISSING, ID, "compatible"),
    # what a release never had
    ("field_removed", "minRam", 0, MISSING, "breaking", NEW, "diablo"),
    ("field_removed", SIZE, 1, MISSING, "data", "grizzly", NEW),
    ("field_added", "minRam", MISSING, 0, "compatible", "diablo", NEW),
    ("value_changed", "progress", [], ["x"], "data", "bexar", NEW),  # bexar promised nothing here
    # an id is a number through Cactus, a text in Diablo, a UUID since Essex
    ("type_changed", "id", 1, "1", "breaking", "cactus", None),
    ("value_changed", "id", 1, 2, "data", "cactus", None),
    ("type_changed", "id", "1", 1, "breaking", "diablo", None),
    ("value_changed", "id", "1", "b", "data", "diablo", None),
    ("value_changed", "id", ID, "1", "breaking", "essex", None),
    # values that the contract excludes
    ("field_added", "minRam", MISSING, "64", "breaking"),
    ("field_added", "minRam", MISSING, None, "breaking"),
    ("field_added", "status", MISSING, "QUEUED", "breaking"),
    ("field_added", "metadata", MISSING, {"k": 1}, "breaking"),
    ("type_changed", SIZE, "74185822", 74185822, "compatible"),
    ("null_changed", "updated", None, DATE, "data"),
    ("null_changed", "updated", None, "", "breaking"),
    # dates
    ("value_changed", "created", DATE, OFFSET, "compatible"),
    ("value_changed", "created", OFFSET, DATE, "compatible"),
    ("value_changed", "created", DATE, "2024-01-15T08:00:00.000000Z", "compatible"),
    ("value_changed", "created", DATE, "2024-01-15T08:00:01Z", "data"),
    ("value_changed", "created", "2024-01-15T08:00:00+09:00", OFFSET, "data"),
    # metadata
    ("field_removed", "metadata", {}, MISSING, "breaking"),
    ("field_removed", "metadata.k", "x", MISSING, "data"),
    ("null_changed", "metadata.k", "x", None, "data"),
    ("type_changed", "metadata.k", "0", 0, "breaking"),
    ("type_changed", "metadata.k", 0, "0", "compatible"),
    ("type_changed", "metadata.k", 0, [], "breaking"),
    ("value_changed", "metadata.k", 0, 1, "data"),
    ("null_changed", "metadata.k", None, 5, "breaking"),
    ("field_added", "metadata.k", MISSING, {"a": 1}, "breaking"),
    ("field_added", "metadata.mappings", MISSING, [], "data"),
    ("null_changed", "metadata.mappings", None, [], "data"),
    ("type_changed", "metadata.mappings.x", "", 1, "data"),
    # links
    ("field_removed", "links.self", {}, MISSING, "breaking"),
    ("field_added", "links.self", MISSING, {}, "compatible"),
    ("field_added", "links.x", MISSING, LINK, "compatible"),
    ("link_changed", "links.self.href", "a", "b", "breaking"),
    ("link_changed", "links.self.type", "a", "b", "compatible"),
    ("type_changed", "links.self", {}, [], "breaking"),
    ("type_changed", "links.self", [{}], {}, "compatible"),
    ("link_changed", "server.links.self.href", "a", "b", "breaking"),
    ("link_changed", "server.links.self.href", "a/servers/b", "a/servers/c", "data"),
    ("field_removed", "server.links.self", {}, MISSING, "breaking"),
    ("link_changed", "links", "0", "", "data"),
    ("type_changed", "links", [], {}, "breaking"),
    ("type_changed", "links.self.href", 5, "a", "compatible"),
    ("type_changed", "links.self.href", "a", 5, "breaking"),
    ("type_changed", "links.self.1.href", 5, "a", "compatible"),
    ("null_changed", "links.self.type", None, "a", "breaking"),
    ("item_added", "links.3", MISSING, LINK, "compatible"),
    ("item_removed", "links.3", {"rel": "x"}, MISSING, "breaking"),
    # a link may leave out the own project; a wrong link may be corrected
    ("link_changed", "links.0.href", BARE, OWN, "compatible"),
    ("link_changed", "links.0.href", BARE, OTHER, "breaking"),
    ("link_changed", "links.self.href", "<compute>/x", "<compute>/images/<id>", "compatible"),
    ("link_changed", "links.self.href", "<compute>/x", "<volume>/images/<id>", "breaking"),
    ("link_changed", "links.alternate.1.href", "<image>/x", "<image>/images/<id>", "compatible"),
    ("link_changed", "links.alternate.1.href", "<image>/x", "<compute>/images/<id>", "breaking"),
    ("link_changed", "links.1.href", "<compute>/x", "<image>/images/<id>", "compatible"),
)


def test_severity():
    """A path is split at dots."""
    lines = []
    for kind, path, baseline, candidate, expected, *releases in CASES:
        keys = tuple(int(key) if key.isdecimal() else key for key in path.split("."))
        change = Change(kind=kind, path=keys, baseline=baseline, candidate=candidate)
        one, other = releases or (None, None)
        severity, reason = Judge(baseline=one, candidate=other).severity(change)
        assert severity == expected, (kind, path, baseline, candidate, *releases)
        between = f" from {one} to {other}" if releases else ""
        lines.append(f"{severity} {kind} {path}{between}: {reason}")
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()
