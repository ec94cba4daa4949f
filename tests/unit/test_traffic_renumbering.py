"""A recording in the words of another: what is the same is called so, nothing else is."""

import json
import time
from itertools import permutations

import pytest

from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response
from pytest_imagedetail.traffic.renumbering import Words, renumbered

BASE = "https://compute.staging.invalid/v2.1"
LIVE = "http://nova.corp.example:8774/v2.1"
ID = [f"{number:032x}" for number in range(9)]
X, Y, Z = (each * 32 for each in "abc")


def asked(path, answer=None, *, base=BASE, body=b"", headers=()):
    """One interaction."""
    said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return Interaction(
        url=f"{base}{path}",
        request_body=body,
        response=Response(status_code=200, headers=Headers(headers), body=said),
    )


def recording(*interactions, **facts):
    """A recording in placeholders."""
    provenance = Provenance(cloud="staging", test="shared", pages=len(interactions), **facts)
    return Recording(provenance=provenance, interactions=interactions)


def owned(number, name=None):
    """A request for one owner."""
    return asked(f"/owner/{ID[number]}", {"owner": ID[number], "name": name})


def listed(*numbers):
    """A request for all owners."""
    return asked("/list", [ID[number] for number in numbers])


def read(new, old, words=None):
    """A recording in another's words."""
    return renumbered(recording(*new), recording(*old), words or Words())[0].interactions


def test_equal_answers_tell_which_placeholder_is_which():
    """And what nothing tells of has a number that is free."""
    old = [owned(0), listed(1)]
    assert read([listed(0)], old) == (listed(1),)
    assert read([listed(0), owned(1)], old) == (listed(1), owned(0))
    assert read([asked("/other", ID[0])], old) == (asked("/other", ID[2]),)
    assert read([asked("/other", ID[7])], old) == (asked("/other", ID[7]),)


def test_no_two_placeholders_become_one():
    """However often one of the other recording would do."""
    old = [owned(0), listed(0, 1)]
    new = read([owned(0), owned(1), owned(2)], old)
    assert len({each.url for each in new}) == 3
    # Two owners are not one owner: the answers contradict each other, and stay so.
    assert read([listed(2, 2)], old)[0].response.body != old[1].response.body


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_what_is_asked_without_an_id_tells_more_in_any_order(order):
    """The listing tells who is who, wherever it stands."""
    old = [owned(0, "x"), owned(1, "x"), listed(0, 1)]
    new = [owned(1, "x"), owned(0, "x"), listed(1, 0)]
    done = read([new[number] for number in order], old)
    assert sorted(done, key=lambda each: each.url) == [listed(0, 1), owned(0, "x"), owned(1, "x")]


def test_what_is_known_to_be_another_is_not_taken_for_the_same():
    """The same words from another run: this process knows that they are of somebody else."""
    words = Words(taken={ID[0]})
    assert read([owned(0)], [owned(0)], words) == (owned(1),)
    assert read([owned(0)], [owned(0)]) == (owned(0),)


@pytest.mark.parametrize("path", ["/list", "/owner/{}"])
def test_where_an_answer_has_changed_the_names_stay(path):
    """Asking again what has changed renames nobody; a request beside it is another's."""

    def answer(first, second, n):
        return asked(path.format(ID[first]), {"owners": [ID[first], ID[second]], "n": n})

    old, new = recording(answer(3, 0, 1)), recording(answer(1, 2, 2))
    done, _ = renumbered(new, old, Words(), again=True)
    assert done.interactions == (answer(3, 0, 2),)
    assert renumbered(new, old, Words())[0].interactions == new.interactions


def test_the_project_that_asked_is_known_by_the_endpoint():
    """It is numbered first where redaction knows it, and later where not."""
    old = recording(asked(f"/{ID[0]}/a"), endpoint=f"{BASE}/{ID[0]}")
    new = recording(
        asked(f"/{ID[1]}/b"),
        endpoint=f"{BASE}/{ID[1]}",
        catalog=({"type": "compute", "url": f"{BASE}/{ID[1]}"},),
    )
    done, _ = renumbered(new, old, Words())
    assert done.interactions == (asked(f"/{ID[0]}/b"),)
    assert done.provenance.endpoint == f"{BASE}/{ID[0]}"
    assert done.provenance.catalog[0]["url"] == f"{BASE}/{ID[0]}"


@pytest.mark.parametrize(
    ("one", "other", "fresh"),
    [
        (ID[1], ID[5], ID[2]),
        ("<redacted-1>", "<redacted-7>", "<redacted-2>"),
        ("%3Credacted-1%3E", "%3Credacted-7%3E", "%3Credacted-2%3E"),
        ("user-1@example.invalid", "user-7@example.invalid", "user-2@example.invalid"),
        ("user-1%40example.invalid", "user-7%40example.invalid", "user-2%40example.invalid"),
        ("02:00:00:00:00:01", "02:00:00:00:00:07", "02:00:00:00:00:02"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::ff", "2001:db8::2"),
        ("a%20192.0.2.1", "a%20192.0.2.7", "a%20192.0.2.2"),
    ],
)
def test_every_kind_of_placeholder(one, other, fresh):
    """Wherever it stands: in a URL, a body of either side, a header."""

    def everywhere(name):
        return asked(
            f"/a?x={name}", {"a": name}, body=name.encode(), headers=[("Location", f"/{name}")]
        )

    assert read([everywhere(one)], [everywhere(other)]) == (everywhere(other),)
    others = [asked("/b", [one])]
    assert read([everywhere(one)], others) == (everywhere(fresh),)


def test_an_address_is_the_same_in_a_url_and_in_a_body():
    """A URL encodes the colons of what the body has as it is."""
    old = [asked("/ports", ["02:00:00:00:00:07"])]
    new = [asked("/ports", ["02:00:00:00:00:01"]), asked("/ports?mac=02%3A00%3A00%3A00%3A00%3A01")]
    assert read(new, old) == (*old, asked("/ports?mac=02%3A00%3A00%3A00%3A00%3A07"))


def test_reading_takes_time_in_proportion():
    """Ten times the text, ten times the time, about."""

    def seconds(length):
        text = b"".join(
            each * (length // len(each)) for each in (b"<redacted-1", b"2001:db8::", b"0")
        )
        began = time.process_time()
        read([asked("/a", text)], [asked("/a", text + b"x")])
        return time.process_time() - began

    assert seconds(200_000) < 40 * seconds(20_000) + 0.03
