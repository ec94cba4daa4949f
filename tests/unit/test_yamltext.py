"""YAML as text: exact and deterministic out, one class of error in."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.body.yaml import Literal, comment_line, dump, read
from pytest_imagedetail.errors import DamagedCassetteError, SettingsError

ODD = "\x85\u2028\u2029\ufeff\x00\x07\x1b\x7f\r\n\t '\"#:-|>%@`&*!?{}[],é日\U0001f600\ue000"
texts = st.one_of(st.text(max_size=30), st.text(alphabet=ODD, max_size=12))


def refused(path, error=DamagedCassetteError):
    with pytest.raises(error) as caught:
        read(path, error=error, remedy="mend it")
    assert type(caught.value) is error
    return str(caught.value)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts)
def test_a_text_comes_back_as_it_went(tmp_path, text):
    """No line break, space or control character is changed by the way it is quoted."""
    path = tmp_path / "a.yaml"
    path.write_bytes(
        dump({"plain": text, "literal": Literal(text), "key": {text: 1}}).encode("utf-8")
    )
    document = read(path, error=DamagedCassetteError, remedy="")
    assert document["plain"] == text
    assert document["literal"] == text
    assert document["key"] == {text: 1}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_bytes_come_back_as_they_went(tmp_path, data):
    """What is no text is kept in base64."""
    path = tmp_path / "a.yaml"
    path.write_bytes(dump([data]).encode("utf-8"))
    assert read(path, error=DamagedCassetteError, remedy="") == [data]


def test_looks_the_way_a_reviewer_reads_it():
    """Order as given, UTF-8 as it is, no folding, literal blocks, no anchors."""
    twice = ["é"]
    document = {"b": twice, "a": twice, "long": "x " * 200 + "x", "body": Literal("{\n  1\n}")}
    assert dump(document) == (
        "b:\n- é\na:\n- é\nlong: " + "x " * 200 + "x\nbody: |-\n  {\n    1\n  }\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "!!bool maybe",
        '!!int ""',
        '!!int "-"',
        "!!int x",
        '!!float ""',
        "!!timestamp soon",
        "2024-99-99",
        "2024-01-01T00:00:00+99:99",
        "!!binary é",
        "!!omap 3",
        "!!pairs [1]",
        "{[]: 1}",
        "a: 1\n---\nb: 2",
        "*nowhere",
        "&a [*a]",
        '"\\ud800"',
        '"\\Uffffffff"',
        "a\0b",
        "a: [1",
        "'x",
        "a: b: c",
        "\t- a",
        "%YAML 9.9\n--- a",
        "9" * 5000,
        "!unknown x",
        "a: 1\n<<: 3",
    ],
)
def test_whatever_is_wrong_is_one_class_of_error(tmp_path, text):
    """Neither PyYAML's errors nor the KeyErrors of its constructors reach a user."""
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    message = refused(path)
    assert message.startswith("not a readable YAML file: ")
    assert f"  where: {path}" in message
    assert message.endswith("  next:  mend it")


def test_a_fault_has_line_and_column(tmp_path):
    """The whole message, as the caller's class of error."""
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb: [1\n", encoding="utf-8")
    assert refused(path, SettingsError) == (
        "not a readable YAML file: did not find expected ',' or ']'\n"
        f"  where: {path}, line 3, column 1\n"
        "  next:  mend it"
    )


def test_not_utf_8_names_the_byte(tmp_path):
    """A file in another encoding is told from one with a fault in its YAML."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"b: 1\na: \xff\n")
    assert refused(path) == (
        f"not a UTF-8 file: byte 8 is 0xff\n  where: {path}, line 2\n  next:  mend it"
    )


def test_a_character_that_is_none_has_a_line(tmp_path):
    """In one line, without PyYAML's own name for the text."""
    path = tmp_path / "a.yaml"
    path.write_text("é: 1\nb: \x01\n", encoding="utf-8")
    assert refused(path) == (
        "not a readable YAML file: a character that no text has\n"
        f"  where: {path}, line 2\n"
        "  next:  mend it"
    )


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key `a`", 3),
        ("- x: {b: 1, c: [b, {b: 1}], b: 2}\n", "the key `b`", 1),
        ("a: 1\n? {q: 1}\n: 2\n'a': 3\n", "the key `a`", 4),
        ("? 'a b'\n: 1\n'a b': 2\n", "a key", 3),
        ("a: &a {x: 1, x: 2}\nb:\n  <<: *a\n", "the key `x`", 1),
        ("true: 1\ntrue: 2\n", "the key `true`", 2),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path, text, name, line):
    """All but the last would be lost, whatever it said."""
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    message = refused(path)
    assert message.startswith(
        f"not a readable YAML file: {name} stands twice in one mapping\n"
        f"  where: {path}, line {line}, column "
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n", None),
        ("a: '# x'\nb: |\n  # x\n", None),
        ("a: 1 # x\n", 1),
        ("# x\na: 1\n", 1),
        ("a: 1\nb: 2\n# x", 3),
        ("a: | # x\n  b\n", 1),
        ("é: é\nb: [1, # x\n 2]\n", 2),
    ],
)
def test_comments_are_found(text, line):
    """And only what YAML takes for one."""
    assert comment_line(text) == line


def test_a_file_that_cannot_be_read(tmp_path):
    """A folder in the file's place, or nothing at all, is the caller's error too."""
    assert refused(tmp_path) == (
        f"the file cannot be read: Is a directory\n  where: {tmp_path}\n  next:  mend it"
    )
    assert "No such file" in refused(tmp_path / "absent.yaml")


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/name:os.system"])
def test_no_code_is_run(tmp_path, tag):
    """A file from a stranger is data."""
    mark = tmp_path / "executed"
    path = tmp_path / "a.yaml"
    path.write_text(f"a: {tag} ['touch {mark}']\n", encoding="utf-8")
    assert "could not determine a constructor" in refused(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000],
    ids=["list", "map", "block", "key"],
)
def test_deep_nesting_is_refused(tmp_path, text):
    """The C library would build it on the C stack and end the process."""
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    assert re.fullmatch(
        r"not a readable YAML file: nested too deeply\n"
        r"  where: .*a\.yaml, line 1, column \d+\n  next:  mend it",
        refused(path),
    )


def bomb(kind):
    """Twelve levels of ten aliases each: ten to the twelfth nodes in a kilobyte."""
    lines = ["a0: &a0 " + ("{k: v}" if kind == "merge" else f"[{'x' * 50}]")]
    for level in range(1, 12):
        row = ", ".join([f"*a{level - 1}"] * 10)
        value = f"{{<<: [{row}]}}" if kind == "merge" else f"[{row}]"
        lines.append(f"a{level}: &a{level} {value}")
    return "\n".join(lines)


@pytest.mark.parametrize("kind", ["alias", "merge"])
def test_aliases_that_multiply_are_refused(tmp_path, kind):
    """A kilobyte must not become a terabyte when it is built, printed or hashed."""
    path = tmp_path / "a.yaml"
    path.write_text(bomb(kind), encoding="utf-8")
    assert refused(path).startswith("not a readable YAML file: aliases that multiply\n")


def test_ordinary_aliases_are_read(tmp_path):
    """A person may name a block once and use it twice."""
    path = tmp_path / "a.yaml"
    path.write_text("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n", encoding="utf-8")
    assert read(path, error=SettingsError, remedy="") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}


def test_a_key_that_a_merge_brings_may_be_overridden(tmp_path):
    """That is what merging is for, also of what has merged itself."""
    path = tmp_path / "a.yaml"
    path.write_text("a: &a {x: 1}\nb: &b\n  <<: *a\n  x: 2\nc:\n  <<: [*b, *a]\n  x: 3\n")
    assert read(path, error=SettingsError, remedy="") == {
        "a": {"x": 1},
        "b": {"x": 2},
        "c": {"x": 3},
    }
