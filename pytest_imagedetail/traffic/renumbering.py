"""Reads a recording in the words of another: each numbers what was redacted by its own order.

A placeholder of one is taken for one of the other where the same request has the same answer but
for placeholders; what nothing shows to be the same gets a number that the other does not have.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Final

from pytest_imagedetail.model import Headers, Interaction, Recording
from pytest_imagedetail.redact.placeholder import HOST, KINDS, finder, name_in, spelled
from pytest_imagedetail.traffic.matching import Key, answer_of, by_request

_FINDER: Final = finder(*(kind for kind in KINDS if kind is not HOST))
_WRITERS: Final = {kind.name: kind.write for kind in KINDS}

_Group = tuple[Key, list[Interaction]]
Pairs = Iterable[tuple[str, str]]
"""Placeholders of the one recording, each with one of the other."""


@dataclass(slots=True)
class Words:
    """Which placeholder of a recording is which of another; each for one, and never for two.

    Attributes:
        taken: Placeholders of the other that are known to stand for what this one does not hold.
    """

    taken: set[str] = field(default_factory=set)
    _there: dict[str, str] = field(default_factory=dict)
    _here: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Words":
        """The same knowledge, to try what would follow."""
        return Words(set(self.taken), dict(self._there), dict(self._here))

    def learn(self, here: str, there: str) -> bool:
        """Take one for the other from now on, unless one of them is another's."""
        known = self._there.get(here, there) == there and self._here.get(there, here) == here
        if not known or (here not in self._there and there in self.taken):
            return False
        self._there[here], self._here[there] = there, here
        return True

    def after(self, pairs: Pairs) -> "Words | None":
        """What is known once all pairs are, or None if they cannot be."""
        trial = self.copy()
        return trial if all(trial.learn(*pair) for pair in pairs) else None

    def complete(self, names: Iterable[tuple[str, str]], others: frozenset[str]) -> None:
        """Leave what is not known yet its number if that is free, and give it another if not."""
        for kind, name in names:
            if name in self._there:
                continue
            for each in chain((name,), map(_WRITERS[kind], count(1))):
                if each not in others and self.learn(name, each):
                    break

    def read(self, text: str) -> str:
        """A text in the other's words."""
        there = self._there
        return _FINDER.sub(
            lambda match: spelled(there.get(name := name_in(match), name), match), text
        )


def renumbered(
    new: Recording, old: Recording, words: Words, *, again: bool = False
) -> tuple[Recording, Words]:
    """A recording in the words of another, and all that is known of both by then.

    Args:
        new: To be read.
        old: Whose words are used.
        words: What is known of both before.
        again: Whether it is of what the other was of, asked again: then what stands in one place
            of an answer that has changed is called as before.
    """
    words, left = _learnt(new, old, words)
    if again:
        for some, others in left:
            words = _guessed(words, some, others)
    words = words.copy()
    words.complete(
        (name for each in new.interactions for name in _names(each)),
        frozenset(name for each in old.interactions for _, name in _names(each)),
    )
    return _read(new, words), words


def _learnt(
    new: Recording, old: Recording, words: Words
) -> tuple[Words, list[tuple[_Group, list[_Group]]]]:
    """What equal answers tell, and the requests of which none is equal to what may be the same."""
    if (more := words.after(_of_endpoints(new, old))) is not None:
        words = more
    known: dict[str, list[_Group]] = {}
    for key, each in by_request(old.interactions).items():
        known.setdefault(_skeleton(_asked(key)), []).append((key, each))
    # What is asked without a placeholder tells more than what is asked with one.
    heard = sorted(by_request(new.interactions).items(), key=lambda one: _holds(_asked(one[0])))
    left = []
    for some in heard:
        candidates = known.get(_skeleton(_asked(some[0])), [])
        more = next(filter(None, (_after(words, some, one) for one in candidates)), None)
        if more is not None:
            words = more
        else:
            left.append((some, candidates))
    return words, left


def _guessed(words: Words, some: _Group, candidates: Sequence[_Group]) -> Words:
    """What would be known if a request were the first of those that it may be."""
    for key, others in candidates:
        trial = words.after(_paired(_asked(some[0]), _asked(key)) or ())
        if trial is not None:
            for one, other in zip(some[1], others, strict=False):
                for (kind, here), (its, there) in zip(_names(one), _names(other), strict=False):
                    if kind == its:
                        trial.learn(here, there)
            return trial
    return words


def _of_endpoints(new: Recording, old: Recording) -> Pairs:
    """The project that asked, where both say which it is."""
    here, there = new.provenance.endpoint or "", old.provenance.endpoint or ""
    return _paired(here, there) or ()


def _after(words: Words, some: _Group, others: _Group) -> Words | None:
    """What is known once two requests are the same; None if they or their answers cannot be."""
    found = _paired(_asked(some[0]), _asked(others[0]))
    trial = None if found is None else words.after(found)
    for one, other in zip(some[1], others[1], strict=False):
        found = None if trial is None else _paired(_whole(one), _whole(other))
        trial = None if trial is None or found is None else trial.after(found)
    return trial


def _paired(here: str, there: str) -> list[tuple[str, str]] | None:
    """The placeholders of two texts that are equal but for them."""
    if _skeleton(here) != _skeleton(there):
        return None
    ours, theirs = (map(name_in, _FINDER.finditer(each)) for each in (here, there))
    return list(zip(ours, theirs, strict=True))


def _skeleton(text: str) -> str:
    return _FINDER.sub(lambda match: f"\0{match.lastgroup}\0", text)


def _holds(text: str) -> bool:
    return _FINDER.search(text) is not None


def _names(each: Interaction) -> Iterator[tuple[str, str]]:
    """The placeholders of an interaction: kind and name of each, in their order."""
    for match in _FINDER.finditer(_whole(each)):
        yield match.lastgroup or "", name_in(match)


def _asked(key: Key) -> str:
    method, url, fields, body = key
    return "\n".join((method, url, *map(": ".join, fields), body.decode("latin-1")))


def _whole(each: Interaction) -> str:
    [key] = by_request([each])
    status, fields, body = answer_of(each)
    answer = (str(status), *map(": ".join, fields), body.decode("latin-1"))
    return "\n".join((_asked(key), *answer))


def _read(new: Recording, words: Words) -> Recording:
    def headers(one: Headers) -> Headers:
        return Headers((name, words.read(value)) for name, value in one.fields)

    def body(one: bytes) -> bytes:
        return words.read(one.decode("latin-1")).encode("latin-1")

    provenance = new.provenance
    endpoint = None if provenance.endpoint is None else words.read(provenance.endpoint)
    catalog = tuple({k: words.read(v) for k, v in each.items()} for each in provenance.catalog)
    return Recording(
        provenance=replace(provenance, endpoint=endpoint, catalog=catalog),
        interactions=tuple(
            replace(
                each,
                url=words.read(each.url),
                request_headers=headers(each.request_headers),
                request_body=body(each.request_body),
                response=replace(
                    each.response,
                    reason=words.read(each.response.reason),
                    headers=headers(each.response.headers),
                    body=body(each.response.body),
                ),
            )
            for each in new.interactions
        ),
    )
