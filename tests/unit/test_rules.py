"""A rule accepts what it names until it expires. Typos and expired rules are reported."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail import rules
from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import SettingsError
from pytest_imagedetail.model import ANY_KEY, ImageRef, path_of
from unit import image_of, listing_of, without

TODAY = date(2026, 11, 24)
OLD = [image_of(number) for number in (1, 2)]
NEW = [
    each | {"os_hidden": False, "metadata": {"architecture": "x86_64", "hw_rng_model": "virtio"}}
    for each in OLD
]
RNG = ("field_added", "images[*].metadata.hw_rng_model")
HIDDEN = ("field_added", "images[*].os_hidden")
LOST = ("field_removed", "images[*].minRam")
MEANT = "did you mean minRam?"


def rule(path, **facts):
    """Build a rule that never expires, unless the facts say otherwise."""
    return {"path": path, "reason": "r", "expires": "never", **facts}


def compared(*entries, new=NEW, **options):
    found = rules.rules_of(*entries, today=TODAY)
    return compare(listing_of(*OLD), listing_of(*new, cloud="b"), rules=found, **options)


def paths(differences):
    return [(each.kind, each.path) for each in differences]


def test_an_accepted_difference_is_expected():
    """It is counted apart, the sides are not the same, and it does not fail."""
    added, every = rule("images[*].metadata.hw_*"), rule("images[*].**", kind="field_added")
    known, lost = rule(LOST[1]), [without(each, "minRam") for each in NEW]
    for entries, new, left, accepted, compatible, summary in (
        ([added], NEW, [HIDDEN], [RNG], False, None),
        ([every], NEW, [], [HIDDEN, RNG], True, "2 accepted by rules"),
        ([every, known], lost, [], [LOST, HIDDEN, RNG], True, "3 accepted by rules (1 breaking)"),
    ):
        comparison = compared(*entries, new=new, fail_on="change")
        assert (paths(comparison.differences), paths(comparison.expected)) == (left, accepted)
        assert {each.rule.reason for each in comparison.expected} == {"r"}
        assert (comparison.same, comparison.compatible) == (False, compatible)
        assert comparison.summary == f"no difference but for {summary}" or left


def test_what_a_rule_is_about():
    """Kinds, both clouds in order or either, queries. A rule about others is not unused."""
    for facts, accepted in (
        ({"kind": "field_added"}, True),
        ({"kind": "field_removed"}, False),
        ({"between": ["a", "b"]}, True),
        ({"between": ["*", "b"]}, True),
        ({"between": ["a", "b (now)"], "clouds": "a (HEAD~1)"}, True),  # as in reports
        ({"between": ["b", "a"]}, False),
        ({"clouds": ["c", "b*"]}, True),
        ({"clouds": ["c"]}, False),
        ({"between": ["*", "b"], "clouds": "c"}, False),
        ({"query": ["limit=?", "a*l"]}, True),
        ({"query": "all @2.35"}, False),
    ):
        comparison = compared(rule("images[*].os_hidden", **facts))
        assert paths(comparison.expected) == ([HIDDEN] if accepted else []), facts
        assert len(comparison.unused_rules) == (not accepted and "kind" in facts), facts


def test_a_rule_with_a_typo_is_unused_everywhere():
    """It misspells a cloud or query parameter. A rule for other ones may be for later."""
    for facts, *typos in (
        ({"clouds": "stagign"}, "no cloud 'stagign' is known (did you mean staging?)"),
        ({"between": ("a", "stging")}, "no cloud 'stging' is known (did you mean staging?)"),
        ({"query": "nmae=x"}, "no parameter 'nmae' is known (did you mean name?)"),
        ({"query": ["all", "limit=1&min_ram=1"]}, f"no parameter 'min_ram' is known ({MEANT})"),
        *(({"query": query},) for query in ("limit=*", "*=x @2.1", "property-x=1", "[ls]*=1")),
        ({"clouds": "k5-*"},),
        ({"between": ("staging", "staging-next")},),  # not recorded yet
        ({"between": ("nova-2026.2", "nova-2027.1")},),
        ({"clouds": "nova-2O26.2"}, "no cloud 'nova-2O26.2' is known (did you mean nova-2026.2?)"),
        ({"query": "foo=x&limit=5"},),
    ):
        entry, clouds = rule(LOST[1], **facts), ("a", "b", "staging", "nova-2026.2")
        found = rules.rules_of(entry, today=TODAY, clouds=clouds)
        unused = compare(listing_of(*OLD), listing_of(*NEW, cloud="b"), rules=found).unused_rules
        assert [each.typo for each in unused] == typos, facts


def test_the_last_day():
    """A rule holds on its last day. Later it fails if it would accept something."""
    every = "images[*].**"
    today, late = rule(every, expires="2026-11-24"), rule(every, expires="2026-11-23")
    for entries, new, accepted, expired, unused, compatible in (
        ([today], NEW, 2, 0, 0, True),
        ([late], NEW, 0, 1, 0, False),  # whatever `fail_on` says
        ([late], OLD, 0, 0, 1, True),
        ([late, rule(every)], NEW, 2, 0, 1, True),
    ):
        comparison = compared(*entries, new=new, fail_on="none")
        assert (len(comparison.expected), len(comparison.expired_rules)) == (accepted, expired)
        assert (len(comparison.unused_rules), comparison.compatible) == (unused, compatible)
        assert all(each.expired for each in comparison.expired_rules)
    assert {each.rule.expires for each in comparison.expected} == {None}
    assert comparison.unused_rules[0].expires == date(2026, 11, 23)


def test_an_invalid_rule_is_an_error(tmp_path):
    """With file, line and remedy. A missing file is an error, an empty one is not."""
    path = tmp_path / "imagedetail-rules.yaml"
    for text in ("", "# nothing yet\n", "[]"):
        path.write_text(text)
        assert rules.rules_of(path, today=TODAY) == ()
    with pytest.raises(SettingsError, match="cannot be read"):
        rules.rules_of(tmp_path / "absent.yaml", today=TODAY)
    for text, problem, remedy in (
        ("a: 1", "not a list of rules", "a rule needs reason"),
        ("- a", "a rule is a mapping", "a rule needs reason"),
        ("- {reason: r, expires: never}", "the rule has no path", "a rule needs reason"),
        ("- {id: a1, path: a, reason: r, expires: never}", "the rule has an id", "id alone"),
        ("- {id: M1-a1, query: a, reason: r, expires: never}", "the rule is for a check", "id,"),
        ("- {id: M1-a1, between: [a, b], reason: r, expires: never}", "the rule is for", "id,"),
        ("- {path: a, reason: '', expires: never}", "reason must be a text", "quotes"),
        ("- {path: a, reason: r}", "the rule has no expires", "a rule needs reason"),
        ("- {path: a, reason: r, expires: soon}", "expires must be a day", "2027-02-01"),
        ("- {path: a, reason: r, expires: never, kinds: b}", "unknown key 'kinds'", "mean kind?"),
        ("- {path: a, reason: r, expires: never, kind: field_ad}", "unknown kind", "field_added?"),
        ("- {path: a, reason: r, expires: never, query: 5}", "query must be a", "a rule needs"),
        ("- {path: a, reason: r, expires: never, between: [b]}", "between names", "a rule needs"),
        ("- {path: 'a[', reason: r, expires: never}", "path 'a[' is invalid", "copy it from"),
        ("- {path: minRam, reason: r, expires: never}", "path 'minRam' begins", "images[*].minRam"),
        ("- {path: '**', reason: r, expires: never}", "it would accept every", "copy it"),
        ("- {path: a, reason: one, expires: never, reason: two}", "is repeated", "a rule needs"),
    ):
        path.write_text(f"# a comment\n{text}")
        with pytest.raises(SettingsError) as caught:
            rules.rules_of(path, today=TODAY)
        assert problem in caught.value.problem, text
        assert remedy in caught.value.remedy, text
        assert "imagedetail-rules.yaml" in caught.value.where
        if problem.startswith(("a rule", "the rule", "unknown", "path ", "expires")):
            assert caught.value.where.endswith(", line 2"), text


def test_adding_keeps_what_is_there(tmp_path):
    """The new rule comes last, and comments stay."""
    path = tmp_path / "rules.yaml"
    path.write_text(
        "# ours\n- {path: a, reason: r, expires: never}  # why\n- path: b\n"
        "  reason: r\n  expires: never"
    )
    before = path.read_text()
    added = rules.add(path, rule("images[*].os_hidden", expires="2027-02-01"), today=TODAY)
    assert added.ref.where == f"{path}, line 6"
    assert path.read_text() == (
        f"{before}\n- path: images[*].os_hidden\n  reason: r\n  expires: 2027-02-01\n"
    )
    assert len(rules.rules_of(path, today=TODAY)) == 3
    assert list(tmp_path.iterdir()) == [path]


def pattern(path):
    return rules.parse(rule(path), today=TODAY).pattern


ANY = "images[*].metadata.hw_rng_model"
ONE = "images[70a599e0-0001].metadata.hw_rng_model"


def test_what_a_pattern_matches():
    for text, path, expected in (
        (ANY, ANY, True),
        (ANY, ONE, True),
        (ONE, ANY, False),  # a path does not say which images share it
        ("images[*].metadata.hw_*", ONE, True),
        ("images[*].metadata.**", ONE, True),
        ("images[*].metadata.**", "images[*].metadata", True),
        ("images[*]", "images[70a599e0-0001]", True),
        ("images[*].*", ONE, False),  # one key, not several
        ('images[*].metadata["a.b"]', "images[*].metadata['a.b']", True),
        ("images[*].metadata.a.b", "images[*].metadata['a.b']", False),
        ("images[*].metadata['*']", "images[*].metadata.b", False),
        ("images[*].links['0']", "images[*].links.0", True),
        ("images[*].links.*", "images[*].links[0]", True),
        ("images['*'].metadata.hw_rng_model", ANY, False),  # an image with that id
        ("images[*].metadata.*", path_of(("images", "metadata", ANY_KEY)), True),
        ("images[*].metadata['*']", path_of(("images", "metadata", ANY_KEY)), False),
    ):
        assert pattern(text).matches(path) is expected, (text, path)


def test_an_invalid_pattern_is_an_error():
    """A pattern that matched nothing or everything would go unnoticed."""
    for text in (
        *(".", "a..b", "a.", "images[", "images[*", "images]", "images[]", "a b", "**"),
        *("a.**.b", "images[*].hw_**", "images['a]", "[*].'a'", ".a", "a['\\x1']", "images[*]name"),
    ):
        with pytest.raises(SettingsError, match=r"path .* is invalid"):
            pattern(text)


KEYS = st.text(min_size=1, max_size=6) | st.sampled_from(
    ["a.b", "it's", '"', "\\", "*", "**", "a*", "a?", "?", "[0]", "0", "[a]", "é"]
)
PARTS = st.lists(KEYS | st.integers(0, 9), min_size=1, max_size=3)
IMAGES = st.none() | KEYS.map(lambda id_: ImageRef(id=id_))


@given(PARTS, IMAGES, PARTS, IMAGES)
def test_a_printed_path_matches_itself_alone(keys, image, others, another):
    """A copied path accepts what it was printed for, even if a key holds stars."""
    ours, theirs = (("images", *keys), image), (("images", *others), another)
    assert pattern(path_of(*ours)).matches(path_of(*ours))
    # `[*]` stands for images that share a difference, and as a pattern for any image.
    same = keys == others and image in {None, another}
    assert pattern(path_of(*ours)).matches(path_of(*theirs)) is same
    headers, other_headers = (path_of(("headers", *each)) for each in (keys, others))
    assert pattern(headers).matches(other_headers) is (keys == others)
