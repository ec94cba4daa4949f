"""Equality as JSON knows it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.normalize.equality import strictly_equal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def test_another_type_or_value_is_not_equal():
    """At any depth."""
    for one, other in (
        (1, 1.0),
        (1, True),
        (1.0, True),
        (0, False),
        ("1", 1),
        (None, False),
        (None, ""),
        ([], {}),
        ([1], [True]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1.0}]}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": None}, {}),
    ):
        assert not strictly_equal(one, other), (one, other)
        assert not strictly_equal(other, one), (one, other)


def test_key_order_does_not_count():
    """Objects are unordered in JSON."""
    assert strictly_equal({"a": 1, "b": [{"c": 2, "d": 3}]}, {"b": [{"d": 3, "c": 2}], "a": 1})


@given(JSON)
def test_a_value_is_equal_to_its_copy(value):
    """Equality is reflexive through a round trip."""
    assert strictly_equal(value, json.loads(json.dumps(value)))


@given(JSON, JSON)
def test_equality_is_that_of_the_json_text(one, other):
    """Two values are equal exactly if their sorted JSON texts are, the sign of zero aside."""
    texts = [json.dumps(each, sort_keys=True).replace("-0.0", "0.0") for each in (one, other)]
    assert strictly_equal(one, other) is (texts[0] == texts[1])
