"""What separates two listings in which images they have, how often, and in which order."""

from collections.abc import Iterator, Sequence

from pytest_imagedetail.model import MISSING, Difference, Image, path_of
from pytest_imagedetail.pairing import Pairing, reference
from pytest_imagedetail.severity import Change, Judge


def lineup_differences(
    pairing: Pairing, old: Sequence[Image], new: Sequence[Image], judge: Judge
) -> Iterator[Difference]:
    """Images of one side only, one difference each, and whether the others changed places.

    Args:
        pairing: Which image is which.
        old: The baseline's images as sent.
        new: The candidate's.
        judge: Says how bad it is.
    """
    yield from _unpaired("image_removed", pairing.baseline_only, old, pairing, judge)
    yield from _unpaired("image_added", pairing.candidate_only, new, pairing, judge)
    yield from _moved(pairing, old, new, judge)


def _unpaired(
    kind: str, places: Sequence[int], side: Sequence[Image], pairing: Pairing, judge: Judge
) -> Iterator[Difference]:
    if not places:
        return
    ambiguous = frozenset(pairing.ambiguous)
    first = {str(side[place]["id"]): place for place in reversed(range(len(side)))}
    was_there = kind == "image_removed"
    for place in places:
        ref = reference(side[place])
        # An id that stood before is no other image, but the same once more.
        actual = kind if first[ref.id] == place else "image_repeated"
        before, after = (side[place], MISSING) if was_there else (MISSING, side[place])
        severity, reason = judge.severity(Change(kind=actual, baseline=before, candidate=after))
        if actual == kind and ref in ambiguous:
            reason = "could be more than one image of the other side, so it was not paired"
        yield Difference(
            kind=actual,
            severity=severity,
            path=path_of((), ref),
            image=ref,
            baseline=before,
            candidate=after,
            reason=reason,
        )


def _moved(
    pairing: Pairing, old: Sequence[Image], new: Sequence[Image], judge: Judge
) -> Iterator[Difference]:
    """One difference if images of both sides stand in another order, with the first of them."""
    places = [right for _, right in pairing.pairs]
    expected = sorted(places)
    for (left, _), place, expected_place in zip(pairing.pairs, places, expected, strict=True):
        if place != expected_place:
            yield judge.difference(
                "order_changed",
                "images",
                baseline=str(reference(old[left])),
                candidate=str(reference(new[expected_place])),
            )
            return
