"""A rule accepts what it names, as long as it holds; a typo and the past never pass in silence."""

import json
from datetime import date

import pytest

from pytest_imagedetail import rules
from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError, SettingsError
from pytest_imagedetail.listing import read
from pytest_imagedetail.report import html, markdown, terminal
from unit import image_of, listing_of, recording_of, without

TODAY = date(2026, 11, 24)
NEXT_YEAR = "expires: 2027-02-01"
OLD = [image_of(number) for number in range(1, 8)]
NEW = [
    each | {"os_hidden": False, "metadata": {"architecture": "x86_64", "hw_rng_model": "virtio"}}
    for each in OLD
]


@pytest.fixture
def written(tmp_path):
    """Writes a rules file and reads it."""

    def write(text):
        path = tmp_path / "imagedetail-rules.yaml"
        path.write_text(text, encoding="utf-8")
        return rules.read(path, today=TODAY)

    return write


def compared(found, *, old=OLD, new=NEW, baseline="a", candidate="b", **options):
    return compare(
        listing_of(*old, cloud=baseline), listing_of(*new, cloud=candidate), rules=found, **options
    )


def paths(differences):
    return [(each.kind, each.path, each.count) for each in differences]


RNG = ("field_added", "images[*].metadata.hw_rng_model", 7)
HIDDEN = ("field_added", "images[*].os_hidden", 7)


def test_an_accepted_difference_is_expected(written):
    """It is in no other count, is not the same, and does not fail."""
    found = written(
        "- {path: 'images[*].metadata.hw_*', kind: field_added, reason: new default, "
        f"{NEXT_YEAR}}}"
    )
    comparison = compared(found, fail_on="change")
    assert paths(comparison.differences) == [HIDDEN]
    assert paths(comparison.expected) == [RNG]
    assert comparison.expected[0].rule.reason == "new default"
    assert not comparison.same
    assert not comparison.compatible
    both = written(f"- {{path: 'images[*].**', reason: all of it, {NEXT_YEAR}}}")
    comparison = compared(both, fail_on="change")
    assert (comparison.differences, paths(comparison.expected)) == ((), [HIDDEN, RNG])
    assert (comparison.same, comparison.compatible) == (False, True)
    assert comparison.summary == "no difference but for 2 accepted by rules"


def test_an_accepted_breaking_difference_is_called_so(written):
    """Who reads the last line alone does not take it for none."""
    lost = [without(each, "minRam") for each in NEW]
    found = written(f"- {{path: 'images[*].**', reason: known, {NEXT_YEAR}}}")
    comparison = compared(found, new=lost, fail_on="change")
    assert comparison.compatible
    assert comparison.summary == "no difference but for 3 accepted by rules (1 breaking)"
    found = written(f"- {{path: 'images[*].minRam', reason: known, {NEXT_YEAR}}}")
    assert compared(found, new=lost).summary == (
        "2 differences: 0 breaking, 1 compatible, 1 data; 1 more accepted by rules (1 breaking)"
    )


@pytest.mark.parametrize(
    ("facts", "accepted"),
    [
        ("kind: field_added", True),
        ("kind: [field_removed, field_added]", True),
        ("kind: field_removed", False),
        ("between: [a, b]", True),
        ("between: ['*', b]", True),
        ("between: [b, a]", False),
        ("clouds: a", True),
        ("clouds: [c, 'b*']", True),
        ("clouds: [c]", False),
    ],
)
def test_what_a_rule_is_about(written, facts, accepted):
    """Kinds, both clouds in their order, or either; one about other clouds is not called unused."""
    found = written(f"- {{path: 'images[*].os_hidden', reason: r, {facts}, {NEXT_YEAR}}}")
    comparison = compared(found)
    assert paths(comparison.expected) == ([HIDDEN] if accepted else [])
    assert len(comparison.unused_rules) == (not accepted and "kind" in facts)


def test_an_image_by_its_id_is_parted_from_the_others(written):
    """Seven images share the difference, two are accepted, five are not."""
    first, last = OLD[0]["id"], OLD[6]["id"]
    found = written(
        f"- {{path: 'images[{first}].os_hidden', reason: r, {NEXT_YEAR}}}\n"
        f"- {{path: 'images[{last[:13]}*].os_hidden', reason: s, {NEXT_YEAR}}}"
    )
    comparison = compared(found)
    assert paths(comparison.expected) == [
        ("field_added", f"images[{first}].os_hidden", 1),
        ("field_added", f"images[{last}].os_hidden", 1),
    ]
    assert paths(comparison.differences) == [("field_added", "images[*].os_hidden", 5), RNG]


def test_the_last_day(written):
    """A rule holds through it, and not a day longer."""
    found = written("- {path: 'images[*].**', reason: r, expires: 2026-11-24}")
    assert compared(found).expired_rules == ()
    found = written("- {path: 'images[*].**', reason: r, expires: 2026-11-23}")
    comparison = compared(found, fail_on="none")
    assert comparison.expected == ()
    assert paths(comparison.differences) == [HIDDEN, RNG]
    assert not comparison.compatible  # whatever fails otherwise: nobody looked at it since
    assert [each.expired for each in comparison.expired_rules] == [True]


def test_an_expired_rule_that_meets_nothing_is_unused(written):
    """Its cause is gone, so it does not fail."""
    found = written("- {path: 'images[*].gone', reason: r, expires: 2020-01-01}")
    comparison = compared(found, new=OLD)
    assert comparison.compatible
    assert (comparison.expired_rules, len(comparison.unused_rules)) == ((), 1)


def test_a_rule_that_holds_comes_before_one_that_expired(written):
    """Renewing one below is enough."""
    found = written(
        "- {path: 'images[*].**', reason: old, expires: 2020-01-01}\n"
        "- {path: 'images[*].**', reason: new, expires: never}"
    )
    comparison = compared(found)
    assert {each.rule.reason for each in comparison.expected} == {"new"}
    assert [each.reason for each in comparison.unused_rules] == ["old"]


def test_differences_of_status_can_be_accepted(written):
    """The answers' own differences have paths, too; two refusals stay an error."""
    found = written(f"- {{path: status_code, reason: r, {NEXT_YEAR}}}")
    refusal = {"error": {"code": 401, "message": "m"}}
    refused = read(recording_of(refusal, status=401), expect=401)
    comparison = compare(listing_of(*OLD), refused, rules=found)
    assert (comparison.differences, len(comparison.expected)) == ((), 1)
    with pytest.raises(ComparisonError):
        compare(refused, refused, rules=found)


def test_reports_name_rules(written):
    """What is accepted and why; what expired and what is unused, with file and line."""
    found = written(
        "# comment\n"
        f"- {{path: 'images[*].os_hidden', reason: new <default>, reference: CHG-1, {NEXT_YEAR}}}\n"
        "- {path: 'images[*].metadata.*', reason: r, expires: 2026-01-31}\n"
        "- {path: 'images[*].typo', reason: r, expires: never}\n"
    )
    comparison = compared(found)
    lines = terminal.render(comparison).splitlines()
    where = comparison.unused_rules[0].where.rpartition(",")[0]
    assert [line[:12] for line in lines[-4:]] == [
        "expected    ",
        "expired     ",
        "unused      ",
        "1 difference",
    ]
    assert lines[-4].endswith(
        'field_added images[*].os_hidden 7 images: "image 1", "image 2", "image 3", ...: '
        "new <default> (CHG-1, until 2027-02-01)"
    )
    assert lines[-3][12:] == (
        f"{where}, line 3: the rule for images[*].metadata.* expired on 2026-01-31; "
        "mend the cause, renew or delete it"
    )
    assert lines[-2][12:] == (
        f"{where}, line 4: the rule for images[*].typo accepts nothing here; delete or correct it"
    )
    assert lines[-1] == "1 difference: 0 breaking, 0 compatible, 1 data; 1 more accepted by rules"
    assert "expired    the rule for images[*].metadata.*" in terminal.brief(comparison)
    assert len(terminal.brief(comparison).splitlines()) <= 7
    assert "new \\<default\\> (CHG-1, until 2027-02-01)" in markdown.render([comparison])
    assert "new &lt;default&gt; (CHG-1" in html.render([comparison])
    document = comparison.to_dict()
    assert document["expected"][0]["rule"] == {
        "path": "images[*].os_hidden",
        "kinds": [],
        "reason": "new <default>",
        "reference": "CHG-1",
        "expires": "2027-02-01",
        "expired": False,
        "where": f"{where}, line 2",
    }
    assert [each["path"] for each in document["expired_rules"]] == ["images[*].metadata.*"]
    assert [each["expires"] for each in document["unused_rules"]] == [None]


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("a: 1", "not a list of rules", "each rule has path"),
        ("- a", "a rule is a mapping", "each rule has path"),
        ("- {path: a}", "the rule has no reason and no expires", "each rule has path"),
        ("- {path: a, reason: '', expires: never}", "reason must be a text", "quotes"),
        ("- {path: a, reason: 7, expires: never}", "reason must be a text, not 7", "quotes"),
        ("- {path: a, reason: r}", "the rule has no expires", "each rule has path"),
        ("- {path: a, reason: r, expires: soon}", "expires must be a day", "2027-02-01 say"),
        ("- {path: a, reason: r, expires: 2027-02-01 08:00:00}", "expires must be a day", "never"),
        ("- {path: a, reason: r, expires: 7}", "expires must be a day, not 7", "never"),
        ("- {path: a, reason: r, expires: never, kinds: b}", "unknown key 'kinds'", "mean kind?"),
        ("- {path: a, reason: r, expires: never, 7: b}", "unknown key 7", "known: path"),
        ("- {path: a, reason: r, expires: never, kind: field_ad}", "unknown kind", "field_added?"),
        ("- {path: a, reason: r, expires: never, kind: []}", "kind must be a name or", "each"),
        ("- {path: a, reason: r, expires: never, clouds: [1]}", "clouds must be a name", "each"),
        ("- {path: a, reason: r, expires: never, between: a}", "between names baseline", "each"),
        (
            "- {path: a, reason: r, expires: never, between: [a, b], clouds: a}",
            "the rule has both between and clouds",
            "keep one",
        ),
        ("- {path: 'a[', reason: r, expires: never}", "path 'a[' is none", "copy it from a report"),
        ("- {path: minRam, reason: r, expires: never}", "path 'minRam' begins", "images[*].minRam"),
        ("- {path: '**', reason: r, expires: never}", "it would accept every", "copy it"),
        (
            "- {path: a, reason: r, expires: 2027-02-30}",
            "not a readable YAML file: 2027-02-30 is no date: day is out of range for month",
            "each rule has path",
        ),
        ("- [", "not a readable YAML file", "each rule has path"),
        ("- !!python/object:os.x {}", "not a readable YAML file", "each rule has path"),
    ],
)
def test_what_cannot_be_right_is_an_error(written, text, problem, remedy):
    """With file, line and what to do; never a rule that is passed over."""
    with pytest.raises(SettingsError) as caught:
        written(f"# a comment\n{text}")
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert "imagedetail-rules.yaml" in caught.value.where
    if problem.startswith(("a rule", "the rule", "unknown", "path ", "expires")):
        assert caught.value.where.endswith(", line 2")
    if "is no date" in problem:
        assert caught.value.where.endswith(", line 2, column 33")


@pytest.mark.parametrize(
    ("path", "problem", "remedy"),
    [
        (
            "image[*].minRam",
            "path 'image[*].minRam' begins with 'image', and no report prints that",
            "did you mean images[*].minRam? a key of that name in an answer is quoted: ['image']",
        ),
        (
            "Images[*]",
            "path 'Images[*]' begins with 'Images', and no report prints that",
            "did you mean images[*]? a key of that name in an answer is quoted: ['Images']",
        ),
        (
            "imgaes.**",
            "path 'imgaes.**' begins with 'imgaes', and no report prints that",
            "did you mean images.**? a key of that name in an answer is quoted: ['imgaes']",
        ),
        (
            "servers[70a599e0].name",
            "path 'servers[70a599e0].name' has '70a599e0' in brackets, which is no place of a list",
            "a key is quoted: ['70a599e0']; an image's id stands after images alone",
        ),
        (
            "images[*].metadata[os]",
            "path 'images[*].metadata[os]' has 'os' in brackets, which is no place of a list",
            "a key is quoted: ['os']; an image's id stands after images alone",
        ),
    ],
)
def test_a_path_that_no_report_can_print_is_an_error(written, tmp_path, path, problem, remedy):
    """As far as that can be known: any key may stand in an answer, but not everywhere."""
    with pytest.raises(SettingsError) as caught:
        written(f"# ours\n- {{path: '{path}', reason: r, expires: never}}\n")
    where = f"{tmp_path / 'imagedetail-rules.yaml'}, line 2"
    assert str(caught.value) == f"{problem}\n  where: {where}\n  next:  {remedy}"


@pytest.mark.parametrize(
    "path",
    [
        *("images", "images_links", "status_code", "headers.vary", "computeFault.message", "im*"),
        *("vendor", "errors[0].detail", "errors[*].detail", "['image'].x", "['Images']", "*.**"),
        "images[*].metadata['a'].servers[70]",
    ],
)
def test_what_a_report_can_print_is_no_error(written, path):
    """A cloud may send any key; a rule that meets none is reported as unused."""
    rule = json.dumps({"path": path, "reason": "r", "expires": "never"})
    assert written(f"- {rule}\n").rules[0].path.text == path


def test_a_rule_has_each_key_once(written, tmp_path):
    """Of two reasons none counts in silence."""
    with pytest.raises(SettingsError) as caught:
        written("- path: a\n  reason: one\n  expires: never\n  reason: two\n")
    assert str(caught.value) == (
        "not a readable YAML file: the key `reason` stands twice in one mapping\n"
        f"  where: {tmp_path / 'imagedetail-rules.yaml'}, line 4, column 3\n"
        "  next:  each rule has path, reason and expires, and may have kind, between or clouds, "
        "and reference; see docs/rules.md"
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]"])
def test_no_rules(written, text):
    """A file may be empty."""
    assert written(text).rules == ()


def test_a_file_that_is_not_there(tmp_path):
    """One that was named must be there."""
    with pytest.raises(SettingsError, match="cannot be read"):
        rules.read(tmp_path / "absent.yaml", today=TODAY)


ENTRY = {"path": "images[*].os_hidden", "reason": "r", "expires": "2027-02-01"}


def test_adding_keeps_what_is_there(tmp_path):
    """Comments and all; the new rule stands below, and only whole files are ever seen."""
    path = tmp_path / "rules.yaml"
    path.write_text(
        "# ours\n- {path: a, reason: r, expires: never}  # why\n- path: b\n"
        "  reason: r\n  expires: never"
    )
    before = path.read_text()
    rule = rules.add(path, ENTRY, today=TODAY)
    assert rule.where == f"{path}, line 6"
    assert path.read_text() == (
        f"{before}\n- path: images[*].os_hidden\n  reason: r\n  expires: 2027-02-01\n"
    )
    assert len(rules.read(path, today=TODAY).rules) == 3
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("old", "entry", "problem"),
    [
        ("[{path: a, reason: r, expires: never}]\n", ENTRY, "nothing can be added at the end"),
        ("- {path: a, reason: r}\n", ENTRY, "the rule has no expires"),
        ("# ours\n", ENTRY | {"path": "a["}, "path 'a[' is none"),
    ],
)
def test_nothing_is_added_where_that_would_break_the_file(tmp_path, old, entry, problem):
    """It is as it was, and no other file is left."""
    path = tmp_path / "rules.yaml"
    path.write_text(old)
    with pytest.raises(SettingsError) as caught:
        rules.add(path, entry, today=TODAY)
    assert problem in caught.value.problem
    assert path.read_text() == old
    assert list(tmp_path.iterdir()) == [path]
