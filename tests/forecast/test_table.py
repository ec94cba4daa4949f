"""docs/forecast.md has the responses of real clouds to planted images."""

import json
from pathlib import Path

from tests.docs.pages import assert_shows

PAGE = Path(__file__).parents[2] / "docs" / "forecast.md"
MEASURED = Path(__file__).with_name("planted.json")
COLUMNS = {
    "under `warn`": ["warn, alone", "warn, of 100"],
    "under `error`, alone": ["error, alone"],
    "under `error`, one of 100": ["error, of 100"],
}


def cells(row):
    if "glance" in row:
        return [f"Glance refuses it: {row['glance']}"] * len(COLUMNS)
    columns = ((str(row[key][0]) for key in keys) for keys in COLUMNS.values())
    return [" / ".join(dict.fromkeys(each)) for each in columns]


def example(kind, properties):
    """Return the properties of an image, without what the kind says and without values of "1"."""
    if [f"`{name}`" for name in properties] == [kind]:
        return f"`{quoted(*properties.values())}`"
    shown = (
        quoted(name) if value == "1" else f"{quoted(name)}: {quoted(value)}"
        for name, value in properties.items()
    )
    return f"`{', '.join(shown)}`"


def quoted(text):
    """Return a text as JSON, or its length if it is too long for the table."""
    return json.dumps(text, ensure_ascii=False) if len(text) < 100 else f"{len(text)} characters"


def table(rows):
    """Group the images by kind and by responses."""
    groups = {}
    for row in rows:
        group = (tuple(cells(row)), row["kind"])
        groups.setdefault(group, []).append(example(row["kind"], row["properties"]))
    yield f"| an image has | for example | {' | '.join(COLUMNS)} |"
    yield "|---|---|" + "---|" * len(COLUMNS)
    for (statuses, kind), examples in sorted(groups.items()):
        yield f"| {kind} ({len(examples)}) | {' '.join(examples)} | {' | '.join(statuses)} |"


def test_table():
    """Every forecast came true, on each release and for every image that Glance accepted.

    tests/realcloud/test_forecast.py measures the responses.
    """
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    assert measured["clouds"] == ["nova-2025.2", "nova-2026.1", "nova-2026.2"]
    planted = [row for row in measured["rows"] if "glance" not in row]
    for row in planted:
        assert all(len({*row[key]}) == 1 for keys in COLUMNS.values() for key in keys), row
    page = PAGE.read_text(encoding="utf-8")
    assert f" {len(planted)} planted images, " in page
    shown = page.partition("## What real clouds answered\n")[2].partition("\n\n| ")[2]
    printed = "\n".join(table(measured["rows"])) + "\n"
    assert_shows(PAGE, "| " + shown.partition("\n\n")[0] + "\n", printed)
