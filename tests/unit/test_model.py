"""Queries, headers and paths: the values everything else is made of."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import MISSING, Headers, ImageRef, Query, path_of


@pytest.mark.parametrize(
    ("filters", "wire"),
    [
        ({"changes_since": "2024-01-01T00:00:00Z"}, "changes-since=2024-01-01T00%3A00%3A00Z"),
        ({"server": "http://nova/servers/1"}, "server=http%3A%2F%2Fnova%2Fservers%2F1"),
        ({"name": "fünf & 6"}, "name=f%C3%BCnf%20%26%206"),
        ({"status": "ACTIVE"}, "status=ACTIVE"),
        ({"type": "snapshot"}, "type=snapshot"),
        ({"min_disk": 1}, "minDisk=1"),
        ({"min_ram": 0}, "minRam=0"),
        ({"limit": 3}, "limit=3"),
        ({"marker": "a1"}, "marker=a1"),
        ({"properties": {"os_distro": "cirros"}}, "property-os_distro=cirros"),
        ({"params": {"changes_since": "x"}}, "changes_since=x"),
        ({"params": {"sort": ["a", "b"]}}, "sort=a&sort=b"),
        ({"name": None}, ""),
        ({"name": ""}, "name="),
    ],
)
def test_filters_have_their_wire_names(filters, wire):
    """Every Python name becomes the name that Nova reads, percent-encoded."""
    assert Query.of(**filters).wire == wire


def test_unknown_filter_is_refused():
    """A typo in a filter would get the full list from Nova, so it is an error here."""
    with pytest.raises(UsageError) as caught:
        Query.of(minram=3)
    assert str(caught.value) == (
        "unknown filter 'minram'\n"
        "  where: the query of a listing\n"
        "  next:  known filters: changes_since, server, name, status, type, min_disk, min_ram, "
        "limit, marker, properties\n"
        "  next:  anything else goes as given in params={'minram': ...}"
    )


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9))])
def test_aware_datetime_is_sent_in_utc(zone):
    """The same moment is the same query, wherever it was taken."""
    moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC).astimezone(zone)
    assert Query.of(changes_since=moment).params == (("changes-since", "2024-01-02T03:04:05Z"),)


def test_naive_datetime_is_refused():
    """Clouds differ on what a naive time means, so none is sent."""
    with pytest.raises(UsageError) as caught:
        Query.of(changes_since=datetime(2024, 1, 2, 3, 4, 5))  # noqa: DTZ001  that is the fault
    assert str(caught.value) == (
        "changes_since is a datetime without a time zone\n"
        "  where: changes_since=2024-01-02T03:04:05\n"
        "  next:  give it one, for example datetime.now(UTC); clouds differ on naive times"
    )


def test_blank_and_repeated_values_are_kept():
    """`name=` asks for images without a name, and Nova may heed any of several values."""
    query = Query.parse("name=&limit=2&limit=1")
    assert query.params == (("limit", "2"), ("limit", "1"), ("name", ""))
    assert query.wire == "limit=2&limit=1&name="


def test_order_counts_within_a_name_only():
    """No server tells `a&b` from `b&a`; it may tell `limit=1&limit=2` from its reverse."""
    assert Query.parse("name=x&limit=1") == Query.parse("limit=1&name=x")
    assert Query.parse("limit=1&limit=2") != Query.parse("limit=2&limit=1")


def test_bytes_that_are_not_utf8_survive():
    """What a client sent in Latin-1 is sent in Latin-1."""
    assert Query.parse("name=%FC%20%E3").wire == "name=%FC%20%E3"


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_parse_takes_back_what_wire_gives(pairs):
    """parse(wire) is the identity."""
    query = Query(
        tuple(
            (name.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode())
            for name, value in pairs
        )
    )
    assert Query.parse(query.wire) == query
    assert Query.parse(query.wire).wire == query.wire


@given(st.binary())
def test_any_bytes_survive_parse_and_wire(data):
    """A value of any bytes comes back, percent-encoded."""
    wire = "name=" + "".join(f"%{byte:02X}" for byte in data)
    assert Query.parse(Query.parse(wire).wire) == Query.parse(wire)
    assert Query.parse(wire).params[0][1].encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize(
    ("text", "whole"), [("", True), ("name=limit", True), ("limit=1", False), ("marker=a", False)]
)
def test_only_limit_and_marker_ask_for_a_part(text, whole):
    """Filters choose images; limit and marker cut the answer."""
    assert Query.parse(text).is_whole is whole


def test_replaced_sets_a_name_anew():
    """The next page's query keeps the filters and replaces the marker."""
    query = Query.parse("name=x&marker=1").replaced(marker="2", limit="9")
    assert query == Query.parse("limit=9&marker=2&name=x")
    assert str(query) == "limit=9&marker=2&name=x"
    assert str(Query()) == "all"


def test_missing_is_one_object_and_no_json_value():
    """A side without a value stays recognizable after a copy or a trip to another process."""
    assert copy.deepcopy(MISSING) is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert MISSING is not None
    assert repr(MISSING) == "absent"


def test_headers_take_any_case_and_keep_repeated_fields():
    """Names in any case; a repeated field is joined by [] and kept apart by all()."""
    headers = Headers([("Vary", "A"), ("vary", "B"), ("Content-Type", "x")])
    assert headers["VARY"] == "A, B"
    assert headers.all("vary") == ("A", "B")
    assert len(headers) == 2
    assert headers.get("allow") is None


@pytest.mark.parametrize(
    ("parts", "image", "path"),
    [
        (("images", "name"), None, "images[*].name"),
        (("images", "name"), ImageRef(id="a1"), "images[a1].name"),
        (("images", "metadata", "a.b", 0), None, "images[*].metadata['a.b'][0]"),
        (("images", "metadata", "*"), None, "images[*].metadata['*']"),
        (("images", "metadata", "a?", "**"), None, "images[*].metadata['a?']['**']"),
        (("images", "metadata", ""), None, "images[*].metadata['']"),
        (("images", "\x1bc"), ImageRef(id="\x1bc"), "images['\\x1bc']['\\x1bc']"),
        (("images_links", 0, "href"), None, "images_links[0].href"),
        (("a b",), None, "['a b']"),
        ((), ImageRef(id="x]y"), "images['x]y']"),
    ],
)
def test_path_says_where_and_nothing_else(parts, image, path):
    """A key that could be read as something else, or move a cursor, stands in quotes."""
    assert path_of(parts, image) == path
