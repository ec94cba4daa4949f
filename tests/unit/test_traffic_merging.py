"""Two recordings become one without contradiction, whoever comes first."""

from dataclasses import replace
from itertools import permutations

import pytest

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Headers
from pytest_imagedetail.traffic.keys import lacking
from pytest_imagedetail.traffic.merging import appended, merged
from pytest_imagedetail.traffic.renumbering import Words
from pytest_imagedetail.traffic.together import Together, lost
from unit.traffic import BASE, heard, kept, recording

WRITERS = [
    [("/a", b"1"), ("/a", b"2"), ("/b", b"3")],
    [("/a", b"1"), ("/c", b"4")],
    [("/c", b"4"), ("/c", b"5"), ("/b", b"3"), ("/b", b"3")],
    [("/b", b"3")],
]


def test_merging_adds_what_is_new():
    """What both heard stands once, and as often as the one that asked more often did."""
    old = recording(kept("/a", b"1"), kept("/b"), recorded_at="2026-02-01", redactions={"hosts": 1})
    new = recording(
        kept("/a", b"1"), kept("/a", b"2"), kept("/c"), recorded_at="2026-01-01",
        redactions={"hosts": 2},
    )  # fmt: skip
    done = merged(old, new, replacing=False)
    assert [(each.url[-2:], each.response.body) for each in done.interactions] == [
        ("/a", b"1"), ("/b", b"{}"), ("/a", b"2"), ("/c", b"{}"),
    ]  # fmt: skip
    assert done.provenance.pages == 4
    assert done.provenance.recorded_at == "2026-01-01"
    assert done.provenance.redactions == {"hosts": 3}


def test_merging_the_same_changes_nothing():
    """Neither order nor counts: the file is left alone."""
    old = recording(kept("/a"), kept("/b"), redactions={"hosts": 1})
    new = recording(kept("/b"), kept("/a"), redactions={"hosts": 1})
    assert merged(old, new, replacing=False) == old


@pytest.mark.parametrize(
    "other",
    [
        {"answer": b"2"},
        {"status": 404},
    ],
)
def test_merging_what_contradicts_is_refused(other):
    """A test would be answered what another one heard; both are told how to go apart."""
    old, new = recording(kept("/a", b"1")), recording(kept("/a", **{"answer": b"1", **other}))
    with pytest.raises(RecordingError) as caught:
        merged(old, new, replacing=False)
    assert str(caught.value) == (
        f"another test of this cassette was answered otherwise to GET {BASE}/a\n"
        "  where: cloud staging, cassette shared\n"
        "  next:  give the tests cassettes of their own: without cassette= in the marker, each "
        "has\n"
        "  next:  what is recorded is untouched"
    )
    assert merged(old, new, replacing=True).interactions == new.interactions


@pytest.mark.parametrize("replacing", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(len(WRITERS)))), ids=str)
def test_several_writers_lose_nothing_of_each_other(order, replacing):
    """Whoever writes first or last, each finds all of its own, and no old answer is left."""
    old = [kept("/old"), *(kept("/a", b"0") for _ in range(3 if replacing else 0))]
    done, together = recording(*old), Together()
    for number in order:
        told = recording(*(kept(*each) for each in WRITERS[number]))
        done = merged(done, told, replacing=replacing, beside=together.heard)
        together.add(told.interactions, Words())
    for writer in WRITERS:
        assert lacking(done, [kept(*each) for each in writer]) == []
    assert sorted((each.url[-2:], each.response.body) for each in done.interactions) == [
        ("/a", b"1"), ("/a", b"2"), ("/b", b"3"), ("/b", b"3"), ("/c", b"4"), ("/c", b"5"),
        ("ld", b"{}"),
    ]  # fmt: skip


def test_what_several_writers_wrote_is_counted():
    """Each interaction as often as the test that asked most often; what is not there is named."""
    together = Together()
    for writer in WRITERS:
        together.add([kept(*each) for each in writer], Words())
    written = together.written()
    assert sum(written.values()) == 6
    all_of_it = [each for one in together.heard.values() for each in one]
    assert lost(recording(*all_of_it, kept("/more")), written) == []
    assert lost(recording(*all_of_it[1:]), written) == [f"GET {BASE}/a"]
    assert lost(recording(kept("/a", b"9")), written) == [
        f"GET {BASE}/{each}" for each in ("a", "a", "b", "b", "c", "c")
    ]
    assert len(lost(None, written)) == 6


def test_a_writer_is_held_to_what_others_of_its_run_heard():
    """Where it replaces, too: else the last one would win, whatever the others heard."""
    old, together = recording(kept("/a", b"0"), kept("/b")), Together()
    first = recording(kept("/a", b"1"))
    done = merged(old, first, replacing=True, beside=together.heard)
    together.add(first.interactions, Words())
    with pytest.raises(RecordingError, match="another test of this cassette was answered"):
        merged(done, recording(kept("/a", b"2")), replacing=True, beside=together.heard)


def test_replacing_leaves_the_rest_of_equal_answers_and_the_order():
    """A test that asks less often hears a part; one that hears otherwise replaces all of it."""
    old = recording(kept("/a", b"1"), kept("/b"), kept("/a", b"2"), kept("/c"))
    assert merged(old, recording(kept("/a", b"1")), replacing=True).interactions == old.interactions
    done = merged(old, recording(kept("/a", b"3")), replacing=True)
    assert [each.url[-2:] for each in done.interactions] == ["/a", "/b", "/c"]
    done = merged(old, recording(*(kept("/a", b"3"),) * 3), replacing=True)
    assert [each.url[-2:] for each in done.interactions] == ["/a", "/b", "/a", "/c", "/a"]


def test_requests_differ_by_method_body_and_microversion():
    """None of them contradicts another."""
    one = kept("/a", b"1")
    version = Headers([("OpenStack-API-Version", "compute 2.1")])
    others = [
        replace(one, method="POST"),
        replace(one, request_body=b"{}"),
        replace(one, request_headers=version),
    ]
    new = recording(*(replace(each, response=kept("", b"2").response) for each in others))
    assert len(merged(recording(one), new, replacing=False).interactions) == 4


@pytest.mark.parametrize("combine", [appended, lambda *each: merged(*each, replacing=False)])
def test_traffic_with_several_hosts_cannot_be_combined(combine):
    """Nobody knows which of them is which placeholder in the other recording."""
    image = heard("/b", base="https://image.staging.invalid")
    for pair in ((recording(kept("/a"), image), recording(kept("/a"))),):
        for old, new in (pair, pair[::-1]):
            with pytest.raises(RecordingError, match="it is of several hosts"):
                combine(old, new)


def test_appending_keeps_both_in_their_order():
    """A request that was asked again is recorded again."""
    done = appended(recording(kept("/a", b"1")), recording(kept("/a", b"2"), kept("/b")))
    assert [each.response.body for each in done.interactions] == [b"1", b"2", b"{}"]
    assert done.provenance.pages == 3


@pytest.mark.parametrize("combine", [appended, lambda *each: merged(*each, replacing=False)])
def test_the_text_does_not_depend_on_who_came_first(combine):
    """What was redacted is counted in one order, as `redact` itself counts."""
    tokens = recording(kept("/a"), redactions={"tokens": 1})
    hosts = recording(kept("/b"), redactions={"hosts": 2, "ids": 1})
    for done in (combine(tokens, hosts), combine(hosts, tokens)):
        assert list(done.provenance.redactions.items()) == [("hosts", 2), ("ids", 1), ("tokens", 1)]
