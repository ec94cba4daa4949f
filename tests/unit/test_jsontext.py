"""JSON as text: no token ever changes but those that a caller replaces, and faults have a place."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.body.json import parse, pretty, replace_strings
from pytest_imagedetail.errors import BodyError

REPAIR = "ask the cloud again; a body is never repaired, for a repair would be a guess"
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')

strings = st.one_of(
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.text(max_size=8).map(json.dumps),
    st.sampled_from([r'"\/v2\/x"', r'"\ud800"', r'"A\u00e9"', '"[1, {2}]: ,"', r'"a \" : b\\"']),
)
numbers = st.sampled_from(["1.017415075e+09", "-0", "1E5", "0.10", "1" * 5000, "-12.50e-3"])
scalars = st.one_of(strings, numbers, st.sampled_from(["true", "false", "null"]))
spaces = st.text(alphabet=" \t\r\n", max_size=3)


def containers(inner):
    """Objects (with repeated keys) and arrays, white space anywhere."""
    item = st.tuples(spaces, inner, spaces).map("".join)
    pair = st.tuples(spaces, strings, spaces, st.just(":"), item).map("".join)
    return st.one_of(
        st.lists(item, max_size=4).map(lambda items: "[" + ",".join(items) + "]"),
        st.lists(pair, max_size=4).map(lambda pairs: "{" + ",".join(pairs) + "}"),
    )


documents = st.recursive(scalars, containers, max_leaves=20)


def tokens(text):
    return TOKEN.findall(text)


@given(documents)
def test_pretty_moves_white_space_only(text):
    """The token sequence before and after is the same, spelling, order and repeats included."""
    assert tokens(pretty(text)) == tokens(text)


@given(documents)
def test_pretty_twice_is_pretty_once(text):
    """What is laid out already is left alone."""
    assert pretty(pretty(text)) == pretty(text)


def test_pretty_keeps_spelling_and_reads_well():
    """Odd numbers, escapes and repeated keys stay; short containers stay on one line."""
    text = r'{"b":1.017415075e+09,"a":"\/v2\u00e9","b":[1,2,{"x":{}}],"links":[{"rel":"self"}]}'
    assert pretty(text) == (
        "{\n"
        '  "b": 1.017415075e+09,\n'
        r'  "a": "\/v2\u00e9",' + "\n"
        '  "b": [\n'
        "    1,\n"
        "    2,\n"
        "    {\n"
        '      "x": {}\n'
        "    }\n"
        "  ],\n"
        '  "links": [\n'
        '    {"rel": "self"}\n'
        "  ]\n"
        "}"
    )


def test_pretty_breaks_a_long_line():
    """A container of more than a hundred columns is laid out over lines."""
    assert pretty(json.dumps(["x" * 60, "y" * 60])).count("\n") == 3


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        (
            '{"a": "x\ny"}',
            1,
            9,
            "a raw control character (a newline, say) inside a string",
        ),
        (
            '{"a": 1,\nb: 2}',
            2,
            1,
            "a name in double quotes must stand here (a trailing comma, perhaps)",
        ),
        ('{"a": [1, 2', 1, 12, "expecting ',' delimiter"),
        ('{"a": "x', 1, 7, "a string that is opened here and never closed"),
        ("<html>", 1, 1, "a value must stand here"),
        ("{}\n{}", 2, 1, "the JSON document ends before this; something follows it"),
    ],
)
def test_a_fault_has_line_column_and_reason(text, line, column, reason):
    """Whoever copied a body by hand is led to the place."""
    with pytest.raises(BodyError) as caught:
        parse(text, where="body.json")
    assert str(caught.value) == (
        f"the body is not JSON: {reason}\n"
        f"  where: body.json, line {line}, column {column}\n"
        f"  next:  {REPAIR}"
    )


def test_a_trailing_comma_in_a_list_has_its_place():
    """The reason differs between Python's versions; line and column do not lead astray."""
    with pytest.raises(BodyError) as caught:
        parse("[1,\n 2,\n]", where="body.json")
    assert re.fullmatch(r"body\.json, line [23], column \d+", caught.value.where)


@pytest.mark.parametrize("text", ["", " \r\n\t"])
def test_nothing_is_not_an_empty_list(text):
    """An empty body is an error of its own."""
    with pytest.raises(BodyError) as caught:
        parse(text, where="body.json")
    assert str(caught.value) == (
        "the body is empty, so it is not a listing\n"
        "  where: body.json\n"
        "  next:  save the cloud's answer again; an empty answer is not an empty list"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[NaN]", "NaN is no JSON value (RFC 8259, section 6)"),
        ("-Infinity", "-Infinity is no JSON value (RFC 8259, section 6)"),
        ("[1e999]", "1e999 is too large a number for any client"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"a":' * 100_000, "it is nested too deeply"),
        ('{"size": ' + "1" * 5000 + "}", "it holds an integer of thousands of digits"),
    ],
    ids=["NaN", "Infinity", "1e999", "brackets", "braces", "integer"],
)
def test_what_cannot_be_read_is_refused(text, reason):
    """Values that are no JSON, and sizes that Python does not take, are one kind of error."""
    with pytest.raises(BodyError) as caught:
        parse(text, where="body.json")
    assert str(caught.value) == (
        f"the body is not JSON that can be read: {reason}\n"
        "  where: body.json\n"
        "  next:  ask the cloud again, or look at the file"
    )


@given(documents)
def test_replacing_nothing_changes_no_byte(text):
    """Strings that are handed back come out as they were spelled, white space included."""
    assert replace_strings(text, lambda value, _: value) == text


@given(documents)
def test_replacing_touches_strings_only(text):
    """Every other token, and every space, stays byte for byte."""
    rest = re.compile(r'"(?:[^"\\]|\\.)*"')
    new = replace_strings(text, lambda value, _: f'{value}"é')
    assert rest.sub("", new) == rest.sub("", text)
    assert [json.loads(each) for each in rest.findall(new)] == [
        json.loads(each) + '"é' for each in rest.findall(text)
    ]


def test_replacing_reports_keys():
    """A value comes with its key, a key and a string under no key with None."""
    seen = []

    def note(value, key):
        seen.append((value, key))
        return value

    replace_strings(r'{"a" : "1", "b": ["2", {"c\u0041": "3"}]}', note)
    assert seen == [
        ("a", None),
        ("1", "a"),
        ("b", None),
        ("2", "b"),
        ("cA", None),
        ("3", "cA"),
    ]
    seen.clear()
    replace_strings('["x"]', note)
    assert seen == [("x", None)]


def test_a_replaced_token_keeps_the_way_of_escaping():
    """A cloud that escapes what is not ASCII goes on doing so; one that does not, does not."""
    text = r'["\u00e9 x", "é x"]'
    new = replace_strings(text, lambda value, _: value.replace("x", "ü"))
    assert new == r'["\u00e9 \u00fc", "é ü"]'
