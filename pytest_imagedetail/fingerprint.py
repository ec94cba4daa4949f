"""Find the Nova releases that match a cloud's answers, by a table of evidence with sources.

A recording declares its release. A fingerprint only tests whether that can be true.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.body.json import objects_in
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import ANY_KEY, Image, path_of
from pytest_imagedetail.normalize import Links
from pytest_imagedetail.text import count

_PROFILE: Final = "same-cloud"  # keeps the version and the project in links
_PROJECT: Final = "<project>"
_ALL: Final = range(len(contract.release_names()))
_SIZE: Final = "OS-EXT-IMG-SIZE:size"
_VIEW: Final = "Nova api/openstack/compute/views/images.py"
_VIEW_2012: Final = "Nova 2012.1 views/images.py"
_ALTERNATE: Final = "Nova e516de74c1, bug 1343080"
_SELF: Final = "Nova 2013.2 api/openstack/common.py, _get_project_id"

# fmt: off
# What is seen: first release, last release, source. One image is enough.
_EVIDENCE: Final[Mapping[str, tuple[str | None, str | None, str]]] = {
    "the answer is XML": (None, "juno", "Nova 0e0b9bfd75: XML removed in 2015.1"),
    "the header X-OpenStack-Nova-API-Version is sent":
        ("kilo", None, "Nova 2015.1: microversions"),
    "the header OpenStack-API-Version is sent": ("newton", None, "Nova microversion 2.27 (14.0.0)"),
    "the next link leads to the brief images": (None, "juno", "Nova f233c65cd3"),
    "the next link keeps /detail": ("kilo", None, "Nova f233c65cd3"),
    "id is an integer": (None, "cactus", _VIEW),
    "id is a UUID": ("essex", None, "Nova api-ref; Glance counted images before"),
    "serverId is sent": (None, "cactus", "Nova 2011.2 views/images.py"),
    "metadata is sent": ("diablo", None, _VIEW),
    "minRam and minDisk are sent": ("essex", None, _VIEW_2012),
    f"{_SIZE} is sent": ("grizzly", None, "Nova d2b553030e"),
    "the link alternate is sent": ("essex", None, _VIEW_2012),
    "the link alternate has the project": ("essex", "juno", _ALTERNATE),
    "the link alternate has no project": ("kilo", None, _ALTERNATE),
    "the link self has no project": ("havana", None, _SELF),
    "the link self has the version v2.1": ("kilo", None, "Nova 2015.1 etc/nova/api-paste.ini"),
}

# As above, but every image must show it, because a single one can be an exception.
_EVIDENCE_IF_ALL: Final[Mapping[str, tuple[str | None, str | None, str]]] = {
    "id is an integer in a string":
        ("diablo", "diablo", "Glance 2011.3 counts images, Nova 2011.3 sends strings"),
    "minRam is not sent": (None, "diablo", _VIEW_2012),
    f"{_SIZE} is not sent": (None, "rocky", "Nova 19.0.0: in the view itself, without a policy"),
    "the link alternate is not sent": (None, "diablo", _VIEW_2012),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """Something that only some releases send; `releases` are indexes of `contract`."""

    seen: str
    releases: range
    source: str  # where it is documented
    images: int = 0  # images with the clue; 0 for a whole answer

    @property
    def span(self) -> str:
        """The releases in words: "juno (2014.2) or earlier"."""
        return _span(self.releases)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; null for "or earlier" and "or later"."""
        first, last = (contract.release_name(self.releases[index]) for index in (0, -1))
        return {
            "seen": self.seen,
            "since": first if self.releases.start else None,
            "until": last if self.releases.stop < _ALL.stop else None,
            "source": self.source,
            "images": self.images,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Something in some images that no release sends."""

    path: str  # as in reports: "images[*].minRam"
    seen: str  # "minRam is a string, not an integer"
    source: str  # where the broken promise is documented
    images: int = 0


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What a cloud's answers say about its release."""

    cloud: str
    declared: str | None  # in its recordings
    clues: tuple[Clue, ...]  # the narrowest last
    listings: tuple[Listing, ...] = field(repr=False)

    @property
    def releases(self) -> range:
        """The releases that all clues allow; empty if clues contradict each other."""
        ranges = [_ALL, *(clue.releases for clue in self.clues)]
        return range(max(span.start for span in ranges), min(span.stop for span in ranges))

    @cached_property
    def unsent(self) -> tuple[Unsent, ...]:
        """What no release sends that all clues allow."""
        possible = reversed(self.releases or _ALL)
        newest_first = [contract.release_number(release) for release in possible]
        unsent: Counter[Unsent] = Counter()
        for listing in self.listings:
            images = listing.document.get("images", ())
            unsent |= Counter(
                part for image in images for part in dict.fromkeys(_unsent(image, newest_first))
            )
        return tuple(replace(part, images=unsent[part]) for part in unsent)

    @property
    def contradictions(self) -> tuple[Clue, ...]:
        """The clues that rule out the declared release."""
        declared = contract.release_index(self.declared)
        clues = self.clues if declared is not None else ()
        return tuple(clue for clue in clues if declared not in clue.releases)

    @property
    def fits(self) -> bool:
        """Whether some release sends all of this, and the declared one does."""
        return bool(self.releases) and not self.contradictions and not self.unsent

    @property
    def summary(self) -> str:
        """The releases in one line, or two clues that contradict each other."""
        if not self.releases:
            old = min(self.clues, key=lambda clue: clue.releases.stop)
            new = max(self.clues, key=lambda clue: clue.releases.start)
            seen = f"{old.seen} ({old.span}), but {new.seen} ({new.span})"
            return f"no release of Nova answers like this: {seen}"
        fields = len({part.path for part in self.unsent})
        exception = f", except for {count(fields, 'field')} that no release sends like this"
        return f"answers like {_span(self.releases)}{exception if fields else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, schema 1."""
        return {
            "schema": 1,
            "cloud": self.cloud,
            "declared": self.declared,
            "fits": self.fits,
            "releases": [contract.release_name(release) for release in self.releases],
            "clues": [clue.to_dict() for clue in self.clues],
            "unsent": [asdict(part) for part in self.unsent],
        }


def fingerprint(listings: Iterable[Listing]) -> Fingerprint:
    """Find the releases that match a cloud's listings and errors."""
    listings = tuple(listings)
    clues = sorted((clue for each in listings for clue in _clues(each)), key=lambda c: c.images)
    by_seen = {clue.seen: clue for clue in clues}  # from the listing with the most images
    narrowest_first = sorted(by_seen.values(), key=lambda clue: (len(clue.releases), clue.seen))
    return Fingerprint(
        cloud=listings[0].cloud,
        declared=next(filter(None, (each.provenance.release for each in listings)), None),
        clues=tuple(reversed(narrowest_first)),
        listings=listings,
    )


def _span(releases: range) -> str:
    first, last = (contract.release_name(releases[index]) for index in (0, -1))
    if first == last:
        return first
    if releases.stop == _ALL.stop:
        return f"{first} or later"
    return f"{first} to {last}" if releases.start else f"{last} or earlier"


def _clues(listing: Listing) -> Iterator[Clue]:
    microversion = listing.provenance.max_microversion
    releases = contract.releases_of(microversion)
    if releases is not None:
        yield Clue(
            seen=f"the newest microversion is {microversion}",
            releases=releases or _ALL[-1:],  # newer than any known microversion
            source="Nova api_version_request.py, _MAX_API_VERSION",
        )
    images = listing.normalized(_PROFILE).images if listing.error is None else ()
    seen = Counter(text for image in images for text in _seen_in_image(image))
    for text in (*_seen_in_answer(listing), *seen):
        if text in _EVIDENCE or seen[text] == len(images):
            since, until, source = _EVIDENCE.get(text) or _EVIDENCE_IF_ALL[text]
            first, last = contract.release_index(since), contract.release_index(until)
            releases = range(first or 0, _ALL.stop if last is None else last + 1)
            yield Clue(seen=text, releases=releases, source=source, images=seen[text])


def _seen_in_answer(listing: Listing) -> Iterator[str]:
    if "xml" in listing.headers.get("Content-Type", ""):
        yield "the answer is XML"
    for name in ("X-OpenStack-Nova-API-Version", "OpenStack-API-Version"):
        if name in listing.headers:
            yield f"the header {name} is sent"
    for link in objects_in(listing.document, "images_links"):
        if link.get("rel") == "next":
            address = str(link.get("href")).partition("?")[0]
            if address.endswith("/images"):
                yield "the next link leads to the brief images"
            if address.endswith("/images/detail"):
                yield "the next link keeps /detail"


def _seen_in_image(image: Image) -> Iterator[str]:
    own_id = image.get("id")
    kind = contract.text_format(own_id) if isinstance(own_id, str) else contract.json_type(own_id)
    seen = f"id is {contract.with_article(kind)}"
    if seen in _EVIDENCE or seen in _EVIDENCE_IF_ALL:
        yield seen
    for name in ("serverId", "metadata"):
        if name in image:
            yield f"{name} is sent"
    yield "minRam and minDisk are sent" if "minRam" in image else "minRam is not sent"
    yield f"{_SIZE} is {'sent' if _SIZE in image else 'not sent'}"
    if "links" not in image:
        return
    own, alternate = (_href(image, relation) for relation in ("self", "alternate"))
    end = ("/images/<id>", f"/images/{own_id}")
    yield f"the link alternate is {'sent' if alternate else 'not sent'}"
    if _PROJECT in alternate:
        yield "the link alternate has the project"
    elif alternate.endswith(end):
        yield "the link alternate has no project"
    if "/v2.1/" in own:
        yield "the link self has the version v2.1"
    # Cactus had no project in links either, but no metadata.
    if _PROJECT not in own and own.endswith(end) and "metadata" in image:
        yield "the link self has no project"


def _href(image: Image, relation: str) -> str:
    links = image["links"].as_sent() if isinstance(image["links"], Links) else ()
    return next((str(link.get("href")) for link in links if link["rel"] == relation), "")


def _unsent(image: Image, newest_first: Sequence[str]) -> Iterator[Unsent]:
    """Yield what none of these releases sends; several metadata keys can yield the same."""
    for name, promise in contract.FIELDS.items():
        parts = (promise.part_in(release) for release in newest_first)
        if name not in image:
            if contract.promises(name, newest_first[-1]):
                yield _unsent_at((name,), "missing", promise.source)
        elif all(any(part.breaches(image[name], (name,))) for part in parts):
            for path, breach in promise.part_in(newest_first[0]).breaches(image[name], (name,)):
                # Users choose metadata keys, so the same fault in several keys counts once.
                is_free = path[0] == "metadata" and len(path) > 1
                yield _unsent_at((name, ANY_KEY) if is_free else path, breach.seen, promise.source)
    for name in image:
        if name not in contract.FIELDS and name != "serverId":  # a clue of its own
            yield _unsent_at((name,), "sent", "Nova views/images.py")


def _unsent_at(path: tuple[str | int, ...], seen: str, source: str) -> Unsent:
    return Unsent(path=path_of(("images", *path)), seen=f"{path_of(path)} is {seen}", source=source)
