"""What makes two interactions the same, and what is missed by that."""

from dataclasses import replace

from pytest_imagedetail.model import Headers
from pytest_imagedetail.traffic.keys import key_of, lacking, times_asked, unasked
from unit.traffic import BASE, kept, recording


def test_what_is_lacking_is_counted():
    """Two that are equal are two."""
    one = kept("/a")
    assert lacking(recording(one), [one, one]) == [one]
    assert lacking(recording(one, one), [one]) == []
    assert lacking(recording(one), [replace(one, request_body=b"x")]) != []


def test_headers_count_whatever_their_order_and_case():
    """Two clients that send the same ask the same."""
    one, other = [("X-A", "1"), ("x-b", "2")], [("X-B", "2"), ("x-a", "1")]
    first, second = (replace(kept("/a"), request_headers=Headers(each)) for each in (one, other))
    assert key_of(first) == key_of(second)
    assert times_asked(recording(first, second)) == {key_of(first): 2}


def test_what_no_test_asked_is_named():
    """By its request, with how often it is held where that is not once."""
    held = recording(kept("/a"), kept("/b"), kept("/b"), kept("/c"))
    asked = {key_of(kept("/c")): 1, key_of(kept("/b")): 1}
    assert unasked(held, asked) == [f"GET {BASE}/a", f"GET {BASE}/b (2 times)"]
    assert unasked(held, times_asked(held)) == []
