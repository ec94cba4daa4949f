"""Reports for people and machines. Nothing that a cloud sends becomes more than text."""

import html as html_entities
import json
import re
import subprocess
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_imagedetail import report, text
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.matrix import compare_neighbors
from pytest_imagedetail.model import FAIL_ON, Failure, Query
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


def row_of(*answers):
    row = {}
    for each in answers:
        row.setdefault(each.cloud, {})[each.query] = each
    return row


def row_of_three():
    """Compare three clouds: a breaking change, one of data, and one that a rule accepts."""
    images = {
        "nova-a": image_of(),
        "nova-b": image_of(minDisk=1),
        "nova-c": without(image_of(minDisk=1, progress=50), "minRam"),
    }
    row = row_of(
        *(
            listing_of(image, cloud=name, query=query)
            for name, image in images.items()
            for query in ("", "status=ACTIVE")
        )
    )
    known = {"path": "images[*].progress", "reason": "busy", "expires": "never"}
    return compare_neighbors(row, rules=rules_of(known, today=date(2026, 11, 24)))


FORMS = {
    "terminal.txt": lambda comparison: terminal.render(report_of([comparison])),
    "brief.txt": terminal.brief,
    "report.md": lambda comparison: markdown.render(report_of([comparison])),
    "report.xml": lambda comparison: junit.render(report_of([comparison])),
    "report.json": lambda comparison: json.dumps(comparison.to_dict(), indent=2) + "\n",
}


def test_golden():
    """Matrices in other forms are in tests/cli and the documentation."""
    for name, render in FORMS.items():
        expected = (GOLDEN / name).read_text(encoding="utf-8")
        assert render(rich()).rstrip("\n") == expected.rstrip("\n"), name
    expected = json.loads((GOLDEN / "matrix.json").read_text(encoding="utf-8"))
    assert row_of_three().to_dict() == expected


def test_nothing_of_a_cloud_is_more_than_text(tmp_path):
    """No control character in any report and no markup on a page. JSON keeps the values."""
    old, new = image_of(), without(image_of(metadata={NASTY: NASTY}), "minRam")
    one, two = listing_of(old, cloud=f"{NASTY}1"), listing_of(new, cloud=f"{NASTY}2", release=NASTY)
    tags, texts = re.compile(r"<([a-z0-9]+)", re.IGNORECASE), {}
    harmless = {*tags.findall(html.render(report_of([rich(), row_of_three()])))}
    for result in (nasty(), compare_neighbors(row_of(one, two))):
        found = report_of([result])
        for suffix in (".html", ".json", ".md", ".xml"):
            report.write(found, tmp_path / "made" / f"r{suffix}")
            texts[suffix] = (tmp_path / "made" / f"r{suffix}").read_text(encoding="utf-8")
        for shown in (*texts.values(), terminal.render(found), terminal.brief(result)):
            assert not [each for each in shown if not each.isprintable() and each != "\n"]
        assert {*tags.findall(texts[".html"])} <= harmless
        assert "&lt;script&gt;" in texts[".html"]
        code = r"^    .*$|(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)"
        outside = re.sub(code, "", texts[".md"], flags=re.MULTILINE)
        assert re.search(r"(?<!\\)[<>`*]", outside) is None
        for line in texts[".md"].splitlines():
            assert not line.startswith("| ") or len(re.findall(r"(?<!\\)\|", line)) == 11
        document = json.loads(texts[".json"])
        assert json.loads(json.dumps(result.to_dict())) in (
            *document["comparisons"],
            *document["matrices"],
        )


LONG = "x" * 300


@given(st.text(max_size=400), st.text(max_size=60), st.text(max_size=60), st.integers(16, 120))
def test_values_that_differ_never_look_alike(start, old, new, width):
    """Whatever they share, and within the width."""
    shown = text.contrast(start + old, start + new, width)
    assert (shown[0] == shown[1]) is (text.value(old, 10**6) == text.value(new, 10**6))
    assert max(map(len, shown)) <= width


def test_columns_are_nearer_in_a_narrow_terminal():
    for width, line in ((None, "ab  c"), (5, "ab  c"), (4, "ab c"), (3, "ab c")):
        assert [*text.aligned([["ab", "c"]], width)] == [line], width


def test_each_report_shows_where_values_part():
    comparison = compare(*(listing_of(image_of(metadata={"k": LONG * 2 + each})) for each in "AB"))
    found, old, new = report_of([comparison]), '"...xxxxxxxxA"', '"...xxxxxxxxB"'
    assert f"{old} -> {new}" in terminal.brief(comparison)
    assert f"            -        {old}\n            +        {new}\n" in terminal.render(found)
    assert f"| `{old}` | `{new}` |" in markdown.render(found)
    page = html_entities.unescape(html.render(found))
    assert f"<dt>before</dt><dd><code>{old}</code></dd>" in page
    assert comparison.to_dict()["differences"][0]["baseline"] == LONG * 2 + "A"


def test_markdown_fits_a_job_summary():
    """GitHub takes 1 MiB. The verdict comes first, and lines that do not fit are counted."""
    failure = Failure(baseline="a", candidate="b", problem="\n".join(["ä" * 500] * 2000))
    lines = markdown.render(report_of([], [failure])).split("\n")
    assert 2**20 * 0.99 < len("\n".join(lines).encode()) <= 2**20
    assert (lines[0], lines[-2]) == ("# FAIL: 1 error", "958 more lines: see the JSON report.")


def test_a_rule_that_another_comparison_needs_is_not_unused():
    """Nor is any rule, if a comparison is missing. JSON and the verdict's limits agree."""
    rule = {"path": "images[*].os_hidden", "reason": "new default", "expires": "never"}
    rules = rules_of(rule, rule | {"path": "images[*].typo"}, today=date(2026, 11, 24))
    new = listing_of(image_of(os_hidden=False))
    used, same = (compare(each, new, rules=rules) for each in (listing_of(image_of()), new))
    for results, failures, unused in (
        ([same], [], ["os_hidden", "typo"]),
        ([used, same], [], ["typo"]),
        ([same, used], [Failure(baseline="a", candidate="b", problem="lost")], []),
    ):
        found = report_of(results, failures)
        lines = [line.partition(" images[*].")[2] for _, line in found.limits]
        assert [each.partition(" ")[0] for each in lines] == unused
        (first, *_) = found.to_dict()["comparisons"]
        paths = [each["path"].removeprefix("images[*].") for each in first["unused_rules"]]
        assert paths == unused


def test_images_and_values_are_counted_once():
    """Three images change in the whole list, two of them also in a filtered one and a diff."""
    old = [image_of(number) for number in (1, 2, 3)]
    both = [(old, "a"), ([image | {"minRam": "0"} for image in old], "b")]
    answers = [listing_of(*images, cloud=cloud) for images, cloud in both]
    filtered = [listing_of(*images[:2], cloud=cloud, query="status=x") for images, cloud in both]
    row = row_of(*answers, *filtered)
    (found,) = report_of([compare_neighbors(row), compare(*answers)]).findings
    (place,) = found.places
    assert place.image_list == '3 images: "image 1", "image 2", "image 3"'
    assert (place.image_count, place.other_values) == (3, "")
    one = [compare(listing_of(each), listing_of(each | {"minRam": "0"})) for each in old[:1] * 2]
    (found,) = report_of(one).findings
    assert found.places[0].path == f"images[{old[0]['id']}].minRam"


def test_evidence_on_a_page():
    """The request, which a shell can run, both answers as sent and as compared; a matrix."""
    page = html_entities.unescape(html.render(report_of([rich()], arguments="a b")))
    for words in (
        'curl -H "X-Auth-Token: $OS_TOKEN" ',
        *("<summary>as sent</summary>", "changed by R1 images by id", " · exit code 1 · "),
        *(' "minRam": 0,', "it has no such image"),
        "imagedetail accept a b --path 'images[*].os_hidden' --kind field_added",
    ):
        assert words in page, words
    page = html_entities.unescape(html.render(report_of([row_of_three()])))
    assert page.count('<td class="breaks"') == 2
    for words in ('<th scope="row">Images with status ACTIVE?<br>', "last seen in nova-b"):
        assert words in page, words
    assert "last seen in nova-b" in markdown.render(report_of([row_of_three()]))
    sides = [listing_of(image_of(id=7, minRam=at), cloud=cloud) for at, cloud in enumerate("ab")]
    page = html.render(report_of([compare(*sides)]))
    assert ("&#34;id&#34;: 7," in page, "no such image" in page) == (True, False)
    hostile = '2"; $(id) `id` \\'
    query = Query.of(name=hostile, microversion=hostile)
    script = curl_of(query).replace("curl", r"printf '%s\n'", 1)
    said = subprocess.run(["sh", "-c", script], env={}, stdout=subprocess.PIPE, check=True).stdout
    assert f"-H\nX-OpenStack-Nova-API-Version: {hostile}\n/images/detail?name=" in said.decode()


LONG_NAMES = st.text("abc-. \x1b", min_size=1, max_size=63)
KEYS, WORDS = st.text(min_size=1, max_size=120), st.lists(st.text(max_size=40), max_size=5)


@settings(deadline=None)  # it compares listings
@given(LONG_NAMES, LONG_NAMES, KEYS, WORDS)
def test_brief_fits_into_a_failing_assertion(one, other, key, words):
    """At most seven printable lines of 90 columns, whatever is compared."""
    queries = dict.fromkeys(Query((("name", each),)) for each in ["", *words])
    row = row_of(
        *(
            listing_of(image_of(metadata=metadata), cloud=name, query=query.wire)
            for name, metadata in ((one, {}), (f"{other}+", {key: LONG}))
            for query in queries
        )
    )
    sides = (listing_of(image_of(**{key: value, f"{key}2": 1}), cloud=one) for value in (1, LONG))
    for result in (compare_neighbors(row), compare(*sides)):
        lines = terminal.brief(result).split("\n")
        assert len(lines) <= 7
        assert all(len(line) <= 90 and line.isprintable() for line in lines)


def test_brief_ends_with_the_command_that_compares_in_the_same_way():
    """Quoted for a shell, with all options that are not defaults, if it fits on the line."""
    sides = [listing_of(cloud=name, query="name=O%27Brien&status=ACTIVE") for name in "ab"]
    refused = [error_of(name, cloud=name, query="limit=x") for name in "ab"]
    shape = compare(*(listing_of(image_of(), cloud=name) for name in "ab"), level="shape")
    errors = compare_neighbors(row_of(*refused), profile="wire", expect=400)
    names = [f"nova-20{each}.1" for each in range(10, 24)]
    many = compare_neighbors(row_of(*(listing_of(image_of(), cloud=name) for name in names)))
    long = compare(*(listing_of(image_of(), cloud=name, query=f"name={'x' * 90}") for name in "ab"))
    for result, command in (
        (compare(*sides), "diff a b --query='name=O'\"'\"'Brien' --query=status=ACTIVE"),
        (shape, "diff a b --level shape"),
        (errors, "matrix a b --profile wire --expect 400 --query=limit=x"),
        (many, "matrix CLOUD... (these 14)"),
        (long, "diff"),
    ):
        assert terminal.brief(result).splitlines()[-1] == f"or: imagedetail {command}"
    unlike = compare(listing_of(image_of(1)), listing_of(image_of(2), cloud="b"))
    assert "paired     the two sides have no image in common, " in terminal.brief(unlike)
    ways = "--profile cross-cloud also pairs by name, --level shape compares what images look like"
    assert ways in terminal.render(report_of([unlike]))


def test_questions_in_words():
    """By group. Unknown parameters are shown as sent."""
    for params, microversion, expected in (
        ((), None, ("All images", "All images?")),
        ((), "2.35", ("Microversions", "All images at microversion 2.35?")),
        ((("name", "a b"), ("limit", "2")), None, ("Paging", "Images in pages of 2 named a b?")),
        ((("property-os", "x"),), None, ("Filters", "Images with property os x?")),
        ((("zzz", "1"),), None, ("Other parameters", "Images with zzz=1?")),
    ):
        assert questions.question_of(Query(params, microversion)) == expected


def test_a_break_lasts_until_a_later_cloud_undoes_it():
    """Neighbors with the same answer share a cell, which links to the cause."""
    clouds = {name: listing_of(image_of(1, name), cloud=name) for name in "ad"}
    clouds |= {name: error_of(cloud=name) for name in "bc"}
    row = row_of(*(clouds[name] for name in "abcd"))
    rule = {"kind": "status_changed", "reason": "x", "expires": "never"}
    for rules, words in (((), "breaks"), ((rule,), "known deviation")):
        matrix = compare_neighbors(row, rules=rules_of(*rules, today=date(2026, 1, 1)))
        (answer,) = questions.rows_of(matrix, report_of([matrix]).findings)
        cells = [(len(run), run[0].words, bool(run[0].finding)) for run in answer.runs]
        refused = (2, f"{words}: refused with 400", not rules)
        assert cells == [(1, "1 image", False), refused, (1, "1 image", not rules)]


SHAPES = {  # of junit-10.xsd: required attributes, further ones, elements in it
    "testsuites": ("", "name time tests failures errors", "testsuite"),
    "testsuite": ("name tests failures errors", "skipped time id", "properties testcase"),
    "properties": ("", "", "property"),
    "property": ("name value", "", ""),
    "testcase": ("name", "time classname group", "skipped error failure"),
    "failure": ("", "type message", ""),
    "error": ("", "type message", ""),
}


def parsed(results, failures=()):
    """Parse the document; check it against the schema, and its counts against its cases."""
    document = ET.fromstring(junit.render(report_of(results, failures)))
    for element in document.iter():
        required, further, inside = map(str.split, SHAPES[element.tag])
        assert set(required) <= set(element.keys()) <= {*required, *further}
        assert {child.tag for child in element} <= set(inside)
    for each in (document, *document.iter("testsuite")):
        found = [len([*each.iter(tag)]) for tag in ("testcase", "failure", "error")]
        assert [int(each.get(name)) for name in ("tests", "failures", "errors")] == found
    return document


def properties(suite):
    return {each.get("name"): each.get("value") for each in suite.iter("property")}


def matrices():
    """Yield matrices that pass, that have unlike images, and that lost a recording."""
    one, two, other = (
        listing_of(image_of(number), cloud=cloud, release="2026.2")
        for cloud, number in (("one", 1), ("two", 1), ("other", 2))
    )
    before = row_of(one, two, listing_of(image_of(), cloud="one", query="limit=3"))
    for fail_on in FAIL_ON:
        for row in (row_of(one, two), row_of(two, other)):
            yield compare_neighbors(row, fail_on=fail_on)
        yield compare_neighbors(before, fail_on=fail_on, own=before)


def comparisons():
    """Yield comparisons with each threshold, and with rules that hold or have expired."""
    sides = listing_of(image_of(), cloud="a"), listing_of(image_of(name="new"), cloud="b")
    for fail_on in FAIL_ON:
        for expires in ("never", "2020-01-01"):
            rule = {"path": "images[*].name", "reason": "x", "expires": expires}
            rules = rules_of(rule, today=date(2026, 1, 1))
            yield compare(*sides, fail_on=fail_on, rules=rules)
        yield compare(*sides, fail_on=fail_on)
        yield compare(sides[0], listing_of(cloud="b"), fail_on=fail_on)


def test_the_verdict_is_in_the_document():
    """A suite has a failure or an error only if it is not compatible; else a case passes."""
    results = [rich(), nasty(), *comparisons(), *matrices()]
    suites = parsed(results).findall("testsuite")
    verdicts = set()
    for result, suite in zip(results, suites, strict=True):
        failures, errors = int(suite.get("failures")), int(suite.get("errors"))
        assert result.compatible == (failures + errors == 0), repr(result)
        found = properties(suite)
        assert found["threshold"] == result.fail_on
        assert found["differences_breaking"] == str(len(result.breaking))
        assert found["exit_code"] == "2"  # of the whole report
        verdicts.add("error" if errors else "failure" if failures else "pass")
    assert verdicts == {"error", "failure", "pass"}


def test_what_could_not_be_compared_is_an_error():
    """A problem of several comparisons counts once."""
    lost = Failure(baseline="one", candidate="two", problem="lost\n  where: x\n  next:  y")
    (suite,) = parsed([], [lost, lost])
    (error,) = suite.iter("error")
    assert (suite.get("name"), error.get("message")) == ("one -> two", "lost")
    assert error.text == "\n  where: x\n  next:  y\n"
    found = properties(suite)
    assert found == {"verdict": "FAIL: 1 error", "exit_code": "2"}
