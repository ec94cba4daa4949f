"""File names never collide and are valid in every file system."""

import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.cassette import check_cloud_name, file_name, traffic_name
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import Query

words = st.one_of(
    st.sampled_from(["name", "status", "active", "ACTIVE", "a=b", "a+b", "", "."]),
    st.text(max_size=6),
    st.text(alphabet='aA.-_+=<>:"/\\|?* \x00é', max_size=6),
    st.text(min_size=60, max_size=120),
)
microversions = st.sampled_from([None, None, "2.1", "2.35", "latest", "LATEST"])
queries = st.builds(Query, st.lists(st.tuples(words, words), max_size=3).map(tuple), microversions)


@given(queries, queries)
@example(Query((("a", "b+c=d"),)), Query((("a", "b"), ("c", "d"))))
@example(Query((("limit", "1"), ("limit", "2"))), Query((("limit", "2"), ("limit", "1"))))
@example(Query.of(marker=""), Query())
@example(Query.of(name="A"), Query.of(name="a-7c9ca8ce"))  # the latter has the hash of the former
def test_two_queries_never_share_a_file(one, other):
    """Not even where the file system ignores case. Each name is valid everywhere."""
    assume(one != other)
    name = file_name(one)
    assert name.casefold() != file_name(other).casefold()
    assert re.fullmatch(r"[a-z0-9._+=@-]+\.yaml", name)
    assert len(name) <= 100


def test_cloud_names():
    """A name is a folder and part of a host name."""
    for name in ("k5", "nova-2026.2", "A_b", "x" * 63):
        assert check_cloud_name(name) == name
    for name in (
        *("", ".", "..", "../etc", "a/b", "a\\b", "/etc", "a..b", "a.", ".a", "-a", "a b", "a\n"),
        *("é", "C:", "a\0", "x" * 64),
    ):
        with pytest.raises(UsageError) as caught:
            check_cloud_name(name)
        assert caught.value.problem == f"{name!r} cannot be the name of a cloud"


nodes = st.one_of(
    st.builds(
        "{}::{}".format,
        st.sampled_from(["test_x.py", "a/test_x.py", "a/test_x.txt", "a.b/test_x.py", "test_x"]),
        st.one_of(words, st.builds("test_x[{}]".format, words), st.builds("T::{}".format, words)),
    ),
    words.filter(lambda word: word and "::" not in word),
)


@given(nodes, nodes)
@example("t.py::x[A]", "t.py::x[a]")
@example("test_x/testa.py::test_b", "test_x.py::testa::test_b")
@example("a/t.txt::x", "a/t.txt..py::x")
@example("t.py::" + "x" * 200, "t.py::" + "x" * 201)
@example("t.py::x[\u00e9]", "t.py::x[e\u0301]")  # one text in two normalization forms
@example("t.py::x[K]", "t.py::x[\u212a]")  # the kelvin sign, whose lower case is k
@example("t.py::x[../../etc/passwd]", "t.py::x[a.]")
@example("t.py::x[\ud800]", "t.py::x")
def test_two_tests_never_share_a_file(one, other):
    """Not by case, length, characters or folders. Each path is valid and below `tests`."""
    assume(one != other)
    name = traffic_name(one)
    assert str(name).casefold() != str(traffic_name(other)).casefold()
    first, *parts = name.parts
    assert first == "tests"
    for part in parts:
        assert re.fullmatch(r"[a-z0-9._+=@-]+", part)
        assert part not in {".", ".."}
        assert len(part) <= 100


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(nodes, st.text(min_size=1))
@example("t.py::x", "inv")
@example("inv.d/t.py::x", "inv")
def test_a_shared_folder_meets_no_other_file(node, shared):
    """Neither a file of another test nor the read-only file of its name."""
    assume("::" not in shared and "::" in node)
    top, folder, *rest = traffic_name(node, shared=shared).parts
    own = traffic_name(node).parts
    assert own == (top, *rest)
    assert folder.endswith(".d")
    assert not own[1].endswith(".d")
    assert traffic_name(shared).name != folder
    assert traffic_name(node, shared=f"{shared}2").parts[1].casefold() != folder.casefold()
