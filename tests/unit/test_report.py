"""Reports for people and machines. Nothing that a cloud sends becomes more than text."""

import html as html_entities
import json
import re
import subprocess
from datetime import date
from pathlib import Path
from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_imagedetail import report, text
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.matrix import compare_neighbors
from pytest_imagedetail.model import MISSING, Failure, Query
from pytest_imagedetail.report import html, junit, markdown, questions, report_of, terminal
from pytest_imagedetail.report.evidence import curl_of
from pytest_imagedetail.rules import rules_of
from unit import error_of, image_of, listing_of, without

GOLDEN = Path(__file__).parents[1] / "golden"
NASTY = "<script>alert('x')</script>\x1b[31m\x9b2J\r\x07\u202e\U000e0001\ud800`|``*_&amp;"


def rich():
    """Compare sides with all severities, whole images, another order and an odd name."""
    old = [image_of(number) for number in range(1, 7)]
    new = [image | {"os_hidden": False} for image in old]
    new[0] |= {"name": "<b>renamed</b> | `x`", "updated": None}
    new[1] = without(new[1], "minRam")
    new[2]["OS-EXT-IMG-SIZE:size"] = 1003.0
    new[3] |= {"metadata": {"architecture": "aarch64", "hw_rng_model": "virtio"}}
    candidate = [new[0], new[2], new[1], new[3], new[5], image_of(9, name=None, os_hidden=False)]
    facts = {"release": "2026.2", "recorded_at": "2026-11-20T08:00:00Z"}
    return compare(
        listing_of(*old, cloud="nova-2024.1", release="2024.1"),
        listing_of(*candidate, cloud="nova-2026.2", **facts),
    )


def nasty():
    """Compare sides with control characters and markup wherever a cloud or a file can have them."""
    old = image_of(metadata={"k": "v"})
    new = image_of(name=NASTY, status=NASTY, metadata={NASTY: NASTY, "k": NASTY})
    del new["minRam"]  # the reason names the release
    return compare(
        listing_of(old, image_of(2), cloud=NASTY, release=NASTY),
        listing_of(
            new,
            {"id": NASTY, "name": NASTY},
            cloud=NASTY,
            beside={NASTY: NASTY},
            release=NASTY,
            recorded_at=NASTY,
            query="name=%3Cscript%3E%1B%5B31m%C2%9B&x=%FF",
        ),
    )


FORMS = {
    "terminal.txt": lambda comparison: terminal.render(report_of([comparison])),
    "brief.txt": terminal.brief,
    "report.md": lambda comparison: markdown.render(report_of([comparison])),
    "report.xml": lambda comparison: junit.render(report_of([comparison])),
    "report.json": lambda comparison: json.dumps(comparison.to_dict(), indent=2) + "\n",
}


def test_golden():
    for name, render in FORMS.items():
        expected = (GOLDEN / name).read_text(encoding="utf-8")
        assert render(rich()).rstrip("\n") == expected.rstrip("\n"), name


def written(comparison, tmp_path, suffix):
    path = tmp_path / "made" / f"report{suffix}"
    report.write(report_of([comparison]), path)
    return path.read_text(encoding="utf-8")


def test_nothing_of_a_cloud_is_more_than_text(tmp_path):
    """No control character in any report and no markup on a page. JSON keeps the values."""
    comparison = nasty()
    old, new = image_of(), without(image_of(metadata={NASTY: NASTY}), "minRam")
    one, two = listing_of(old, cloud=f"{NASTY}1"), listing_of(new, cloud=f"{NASTY}2", release=NASTY)
    matrix = compare_neighbors({each.cloud: {each.query: each} for each in (one, two)})
    of_matrix = report_of([matrix])
    page, table, data = (written(comparison, tmp_path, each) for each in (".html", ".md", ".json"))
    pages = html.render(of_matrix), markdown.render(of_matrix), junit.render(of_matrix)
    terminals = (terminal.render(report_of([comparison])), terminal.render(of_matrix))
    cases = written(comparison, tmp_path, ".xml")
    brief = terminal.brief(comparison), terminal.brief(matrix)
    for shown in (page, table, data, cases, *pages, *terminals, *brief):
        assert not [each for each in shown if not each.isprintable() and each != "\n"]
    assert "<script>alert" not in page.lower() + pages[0].lower()
    assert "&lt;script&gt;" in page
    tags = re.compile(r"<([a-z0-9]+)", re.IGNORECASE)
    assert {*tags.findall(page)} <= {*tags.findall(written(rich(), tmp_path, ".html"))}
    outside = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", table)  # outside of code spans
    assert re.search(r"(?<!\\)[<>`*]", outside) is None
    for line in table.splitlines():
        assert not line.startswith("| ") or len(re.findall(r"(?<!\\)\|", line)) == 11
    (document,) = json.loads(data)["comparisons"]
    assert document == json.loads(json.dumps(comparison.to_dict()))
    assert NASTY in [each.get("candidate") for each in document["differences"]]


def test_what_a_severity_rests_on():
    """The contract, clouds that declare no release, and what the filter does."""
    images = {"a": image_of(), "b": without(image_of(), "minRam")}
    sides = [listing_of(each, cloud=name, query="name=x") for name, each in images.items()]
    row = {each.cloud: {each.query: each} for each in sides}
    for result in (compare(*sides), compare_neighbors(row)):
        shown = terminal.render(report_of([result]), explain=True)
        for line in ("minRam is ", "a declares none", "b declares none", "name: equality"):
            assert line in shown


def test_brief_ends_with_the_command_that_compares_in_the_same_way():
    """Quoted for a shell, with all options that are not defaults, if it fits on the line."""
    sides = [listing_of(cloud=name, query="name=O%27Brien&status=ACTIVE") for name in "ab"]
    refused = [error_of(name, cloud=name, query="limit=x") for name in "ab"]
    shape = compare(*(listing_of(image_of(), cloud=name) for name in "ab"), level="shape")
    row = {side.cloud: {side.query: side} for side in refused}
    errors = compare_neighbors(row, profile="wire", expect=400)
    for result, command in (
        (compare(*sides), "diff a b --query='name=O'\"'\"'Brien' --query=status=ACTIVE"),
        (shape, "diff a b --level shape"),
        (compare(*refused, expect=400), "diff a b --expect 400 --query=limit=x"),
        (errors, "matrix a b --profile wire --expect 400 --query=limit=x"),
    ):
        assert terminal.brief(result).splitlines()[-1] == f"or: imagedetail {command}"
    names = [f"nova-20{each}.1" for each in range(10, 24)]
    row = {name: {Query(): listing_of(image_of(), cloud=name)} for name in names}
    last = terminal.brief(compare_neighbors(row)).splitlines()[-1]
    assert last == "or: imagedetail matrix CLOUD... (these 14)"
    own = {name: [Query.of(limit=at)] for at, name in enumerate(names)}
    for name, (query,) in own.items():
        row[name][query] = listing_of(image_of(), cloud=name, query=query.wire)
    lost = compare_neighbors(row, own=own)
    assert len(terminal.brief(lost).splitlines()) <= 7
    long = compare(*(listing_of(image_of(), cloud=name, query=f"name={'x' * 90}") for name in "ab"))
    assert terminal.brief(long).splitlines()[-1] == "or: imagedetail diff"


LONG = "x" * 300


def test_values():
    """Types differ visibly, control characters are escaped, the first difference is shown."""
    for value, width, line in (
        (MISSING, 100, "absent"),
        (None, 100, "null"),
        (1.0, 100, "1.0"),
        ("ü\n\x1b\x9b", 100, '"ü\\n\\u001b\\u009b"'),
        ("\U000e0001\ud800", 100, '"\\udb40\\udc01\\ud800"'),
    ):
        assert text.value(value, width) == line
    parted = ('...xxxxx", 1]', '...xxxxx", 2]')
    assert text.contrast([LONG, 1], [LONG, 2], 60) == parted


@given(st.text(max_size=400), st.text(max_size=60), st.text(max_size=60), st.integers(16, 120))
def test_values_that_differ_never_look_alike(start, old, new, width):
    """Whatever they share, and within the width."""
    shown = text.contrast(start + old, start + new, width)
    assert (shown[0] == shown[1]) is (text.value(old, 10**6) == text.value(new, 10**6))
    assert max(map(len, shown)) <= width


def test_each_report_shows_where_values_part():
    """JSON has the whole values."""
    comparison = compare(*(listing_of(image_of(metadata={"k": LONG * 2 + each})) for each in "AB"))
    found, old, new = report_of([comparison]), '"...xxxxxxxxA"', '"...xxxxxxxxB"'
    assert f"{old} -> {new}" in terminal.brief(comparison)
    assert f"            -        {old}\n            +        {new}\n" in terminal.render(found)
    assert f"| `{old}` | `{new}` |" in markdown.render(found)
    page = html_entities.unescape(html.render(found))
    for label, value in (("before", old), ("after", new)):
        assert f"<dt>{label}</dt><dd><code>{value}</code></dd>" in page
    assert comparison.to_dict()["differences"][0]["baseline"] == LONG * 2 + "A"


def test_nothing_compared_is_said():
    """An empty report does not pass, nor does one without an image in common."""
    assert "<h1>no listing was compared</h1>" in html.render(report_of([]))
    comparison = compare(listing_of(image_of(1)), listing_of(image_of(2)))
    line = (
        "paired      the two sides have no image in common, so none was compared; "
        "--profile cross-cloud also pairs by name, --level shape compares what images look like"
    )
    assert line in terminal.render(report_of([comparison])).splitlines()


def test_markdown_fits_a_job_summary():
    """GitHub takes 1 MiB. The verdict comes first, and lines that do not fit are counted."""
    failure = Failure(baseline="a", candidate="b", problem="\n".join(["ä" * 500] * 2000))
    lines = markdown.render(report_of([], [failure])).split("\n")
    assert 2**20 * 0.99 < len("\n".join(lines).encode()) <= 2**20
    assert (lines[0], lines[-2]) == ("# FAIL: 1 error", "958 more lines: see the JSON report.")


def test_rules_are_noted():
    known = {"reason": "new <default>", "reference": "CHG-1"}
    rules = rules_of(
        known | {"path": "images[*].os_hidden", "expires": date(2027, 2, 1)},
        known | {"path": "images[*].minDisk", "expires": date(2026, 1, 31)},
        known | {"path": "images[*].typo", "expires": "never"},
        today=date(2026, 11, 24),
    )
    new = image_of(os_hidden=False, minDisk=1)
    comparison = compare(listing_of(image_of()), listing_of(new), rules=rules)
    lines = terminal.render(report_of([comparison])).splitlines()
    way_out = "fix the cause, or renew or delete the rule"
    assert [line.split(": ", 1)[-1] for line in lines[-4:]] == [
        "new <default> (CHG-1, until 2027-02-01)",
        f"the rule for images[*].minDisk expired on 2026-01-31; {way_out}",
        "the rule for images[*].typo accepts nothing here; delete or correct it",
        "0 breaking, 0 compatible, 1 data; 1 more accepted by rules",
    ]
    assert [line.split()[0] for line in lines[-4:-1]] == ["expected", "expired", "unused"]
    assert [label for label, _ in report_of([comparison]).limits] == ["expired", "unused"]
    assert "expired    the rule for images[*].minDisk" in terminal.brief(comparison)
    assert "new \\<default\\> (CHG-1, until 2027-02-01)" in markdown.render(report_of([comparison]))
    assert "new &lt;default&gt; (CHG-1" in html.render(report_of([comparison]))


def test_a_rule_that_another_comparison_needs_is_not_unused():
    """Nor is any rule, if a comparison is missing."""
    rule = {"path": "images[*].os_hidden", "reason": "new default", "expires": "never"}
    rules = rules_of(rule, rule | {"path": "images[*].typo"}, today=date(2026, 11, 24))
    new = listing_of(image_of(os_hidden=False))
    both = [compare(listing_of(image_of()), each, rules=rules) for each in (new, new)]
    same = compare(new, new, rules=rules)
    for results, failures, unused in (
        ([same], [], ["os_hidden", "typo"]),
        ([*both, same], [], ["typo"]),
        ([same, *both], [Failure(baseline="a", candidate="b", problem="lost")], []),
    ):
        found = report_of(results, failures)
        lines = [line for label, line in found.notes if label == "unused"]
        assert [line.partition("images[*].")[2].partition(" ")[0] for line in lines] == unused
        (first, *_) = found.to_dict()["comparisons"]
        assert [each["path"] for each in first["unused_rules"]] == [
            f"images[*].{each}" for each in unused
        ]


QUERIES = ("", "status=ACTIVE")


def row_of_three():
    """Compare three clouds: a breaking change, one of data, and one that a rule accepts."""
    images = {
        "nova-a": image_of(),
        "nova-b": image_of(minDisk=1),
        "nova-c": without(image_of(minDisk=1, progress=50), "minRam"),
    }
    row = {
        name: {Query.parse(each): listing_of(image, cloud=name, query=each) for each in QUERIES}
        for name, image in images.items()
    }
    known = {"path": "images[*].progress", "reason": "busy", "expires": "never"}
    return compare_neighbors(row, rules=rules_of(known, today=date(2026, 11, 24)))


def test_a_matrix_in_each_report():
    expected = json.loads((GOLDEN / "matrix.json").read_text(encoding="utf-8"))
    assert row_of_three().to_dict() == expected
    shown = html_entities.unescape(html.render(report_of([row_of_three()])))
    assert shown.count('<td class="breaks"') == 2
    for words in (
        "2 differences: 1 breaking",
        '<th scope="row">Images with status ACTIVE?<br>',
        "last seen in nova-b",
    ):
        assert words in shown, words
    assert "last seen in nova-b" in markdown.render(report_of([row_of_three()]))
    assert "throughout" not in terminal.render(report_of([row_of_three()]), every_query=True)


def test_evidence_on_a_page():
    """The request, both answers as sent, and how to accept the cause."""
    page = html_entities.unescape(html.render(report_of([rich()], typed="a b")))
    for words in (
        'curl -H "X-Auth-Token: $OS_TOKEN" ',
        *("<summary>as sent</summary>", "changed by R1 images by id", " · exit code 1 · "),
        ' "minRam": 0,',
        "it has no such image",
        "imagedetail accept a b --path 'images[*].os_hidden' --kind field_added",
    ):
        assert words in page, words
    assert page == html_entities.unescape(html.render(report_of([rich()], typed="a b")))
    sides = [listing_of(image_of(id=7, minRam=at), cloud=cloud) for at, cloud in enumerate("ab")]
    assert report_of([compare(*sides), rich()]).findings[0].severity == "breaking"
    page = html.render(report_of([compare(*sides)]))
    assert ("&#34;id&#34;: 7," in page, "no such image" in page) == (True, False)
    hostile = '2"; $(id) `id` \\'
    query = Query.of(name=hostile, microversion=hostile)
    script = curl_of(query).replace("curl", r"printf '%s\n'", 1)
    said = subprocess.run(["sh", "-c", script], env={}, stdout=subprocess.PIPE, check=True).stdout
    assert f"-H\nX-OpenStack-Nova-API-Version: {hostile}\n/images/detail?name=" in said.decode()


def test_one_cause_in_two_queries():
    """Two comparisons of the same clouds find one cause, with the images of both."""

    def one(query, numbers, changed):
        images = {number: image_of(number) for number in numbers}
        after = images | {number: without(images[number], "minRam") for number in changed}
        old, new = (
            listing_of(*each.values(), cloud=cloud, query=query)
            for cloud, each in (("a", images), ("b", after))
        )
        return compare(old, new)

    found = report_of([one("", (1, 2, 3), (1, 2)), one("status=ACTIVE", (1, 3, 4), (4,))])
    (cause,) = found.findings
    assert cause.queries == ("all", "status=ACTIVE")
    shown = 'a -> b, query all, status=ACTIVE: 3 images: "image 1", "image 2", "image 4"'
    assert shown in terminal.render(found)


LONG_NAMES = st.text("abc-. \x1b", min_size=1, max_size=63)
KEYS, WORDS = st.text(min_size=1, max_size=120), st.lists(st.text(max_size=40), max_size=5)


@settings(deadline=None)  # it compares listings
@given(LONG_NAMES, LONG_NAMES, KEYS, WORDS)
def test_brief_fits_into_a_failing_assertion(one, other, key, words):
    """At most seven printable lines of 90 columns, whatever is compared."""
    queries = dict.fromkeys(Query((("name", each),)) for each in ["", *words])
    row = {
        name: {
            each: listing_of(image_of(metadata=metadata), cloud=name, query=each.wire)
            for each in queries
        }
        for name, metadata in ((one, {}), (f"{other}+", {key: LONG}))
    }
    sides = (listing_of(image_of(**{key: value, f"{key}2": 1}), cloud=one) for value in (1, LONG))
    for result in (compare_neighbors(row), compare(*sides)):
        lines = terminal.brief(result).split("\n")
        assert len(lines) <= 7
        assert all(len(line) <= 90 and line.isprintable() for line in lines)


def test_lines_fit_the_terminal():
    """Text is wrapped and values are cut, but paths stay whole, to be copied."""
    comparison = rich()
    lines = terminal.render(report_of([comparison]), width=60).splitlines()
    paths = [each.path for each in comparison.differences]
    assert all(len(line) <= 60 or any(path in line for path in paths) for line in lines[7:])
    narrow = terminal.render(report_of([comparison]), width=40).splitlines()
    assert not [e for e in narrow if len(e) > 40 and not any(path in e for path in paths)]
    assert all(any(path in line for line in lines) for path in paths)
    at = lines.index("            why      the baseline's release (2024.1)")
    assert lines[at + 1] == "                     promises it for every image"
    long = compare(*(listing_of(image_of(name=LONG + each)) for each in "AB"))
    values = [e for e in terminal.render(report_of([long]), width=50).splitlines() if '"...x' in e]
    assert [len(each) for each in values] == [35, 35]


def test_questions_in_words():
    """By group. Unknown parameters are shown as sent."""
    for query, expected in {
        "": ("All images", "All images?"),
        "limit=0": ("Paging", "Does limit=0 mean no limit?"),
        "name=a b&limit=2": ("Paging", "Images in pages of 2 named a b?"),
        "type=": ("Filters", "Images of type nothing?"),
        "property-os=x": ("Filters", "Images with property os x?"),
        "zzz=1": ("Other parameters", "Images with zzz=1?"),
    }.items():
        params = tuple(parse_qsl(query, keep_blank_values=True))
        assert questions.question_of(Query(params)) == expected
    versioned = questions.question_of(Query((), microversion="2.35"))
    assert versioned == ("Microversions", "All images at microversion 2.35?")


def test_a_break_lasts_until_a_later_cloud_undoes_it():
    """Neighbors with the same answer share a cell, which links to the cause."""
    clouds = {name: listing_of(image_of(1, name), cloud=name) for name in "ad"}
    clouds |= {name: error_of(cloud=name) for name in "bc"}
    matrix = compare_neighbors({name: {Query(): clouds[name]} for name in "abcd"})
    (row,) = questions.rows_of(matrix, report_of([matrix]).findings)
    cells = [(len(run), run[0].words, bool(run[0].finding)) for run in row.runs]
    broken = (2, "breaks: refused with 400", True)
    assert cells == [(1, "1 image", False), broken, (1, "1 image", True)]
    rule = {"kind": "status_changed", "reason": "x", "expires": "never"}
    known = rules_of(rule, today=date(2026, 1, 1))
    matrix = compare_neighbors({name: {Query(): clouds[name]} for name in "abcd"}, rules=known)
    (row,) = questions.rows_of(matrix, report_of([matrix]).findings)
    words = [run[0].words for run in row.runs]
    assert words == ["1 image", "known deviation: refused with 400", "1 image"]
