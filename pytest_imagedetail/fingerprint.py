"""Dates a cloud: which releases of Nova answer as it does, each clue with its source.

A release is declared by whoever records, never taken from here: this says whether it can be true.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.breaches import Unsent, unsent
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import Query
from pytest_imagedetail.normalize import Links, Normalized
from pytest_imagedetail.shape import Shape, describe

# Keeps version and project in links, which date a cloud; hosts do not.
_PROFILE: Final = "same-cloud"

_INTEGER_TEXT: Final = "integer in a string"
_PROJECT: Final = "<project>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """One thing seen that some releases do and others do not.

    Attributes:
        seen: What.
        since: The first release that does it, as an index of `contract`; None for any.
        until: The last one; None for any.
        source: Where that is known from.
        images: How many images show it; 0 for the answer as a whole.
    """

    seen: str
    since: int | None
    until: int | None
    source: str
    images: int = 0

    @property
    def range(self) -> str:
        """The releases that do it: "juno (2014.2) or earlier"."""
        since, until = _name(self.since), _name(self.until)
        if since == until:
            return str(since)
        if until is None:
            return f"{since} or later"
        return f"{until} or earlier" if since is None else f"{since} to {until}"

    def allows(self, release: int) -> bool:
        """Whether a release does what was seen."""
        return (self.since is None or release >= self.since) and (
            self.until is None or release <= self.until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a cloud's answers say of its release.

    Attributes:
        cloud: Its name.
        declared: The release that its recordings declare, if any.
        clues: Every one found; the narrowest last.
        unsent: What none of the releases that the clues allow sends.
    """

    cloud: str
    declared: str | None
    clues: tuple[Clue, ...]
    unsent: tuple[Unsent, ...] = ()

    @property
    def releases(self) -> tuple[int, ...]:
        """The releases that all clues allow, oldest first; none if no Nova answers so."""
        known = range(contract.newest_release() + 1)
        return tuple(each for each in known if all(clue.allows(each) for clue in self.clues))

    @property
    def against(self) -> tuple[Clue, ...]:
        """The clues that the declared release contradicts."""
        declared = contract.release_index(self.declared)
        if declared is None:
            return ()
        return tuple(clue for clue in self.clues if not clue.allows(declared))

    @property
    def fits(self) -> bool:
        """Whether some release answers so in all there is, and the declared one is among them."""
        return bool(self.releases) and not self.against and not self.unsent

    @property
    def summary(self) -> str:
        """One line: the range of releases, or why there is none."""
        if not self.releases:
            return f"no release of Nova answers so: {self._conflict}"
        return f"answers as {self._range} does{self._exception}"

    @property
    def _range(self) -> str:
        first, last = self.releases[0], self.releases[-1]
        if first == last:
            return contract.release_name(first)
        if last == contract.newest_release():
            return f"{contract.release_name(first)} or a later release"
        return f"a release from {contract.release_name(first)} to {contract.release_name(last)}"

    @property
    def _exception(self) -> str:
        fields = len({each.path for each in self.unsent})
        if not fields:
            return ""
        return f", but for {fields} field{'s' * (fields > 1)} that no release sends so"

    @property
    def _conflict(self) -> str:
        """Two clues that no release satisfies, the oldest end against the newest beginning."""
        ending = min((each for each in self.clues if each.until is not None), key=_until)
        beginning = max(self.clues, key=lambda each: each.since or 0)
        return f"{ending.seen} ({ending.range}), but {beginning.seen} ({beginning.range})"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, schema 1."""
        return {
            "schema": 1,
            "cloud": self.cloud,
            "declared": self.declared,
            "fits": self.fits,
            "releases": [contract.release_name(each) for each in self.releases],
            "clues": [
                {
                    "seen": clue.seen,
                    "since": _name(clue.since),
                    "until": _name(clue.until),
                    "source": clue.source,
                    "images": clue.images,
                }
                for clue in self.clues
            ],
            "unsent": [
                {
                    "path": each.path,
                    "seen": each.seen,
                    "source": each.source,
                    "images": each.images,
                }
                for each in self.unsent
            ],
        }


def fingerprint(listings: Iterable[Listing]) -> Fingerprint:
    """Date a cloud by its listings.

    Args:
        listings: One or more of one cloud. Those that are errors or have no image give only what
            their provenance and headers say.
    """
    several = tuple(listings)
    found: dict[tuple[str, int | None, int | None], Clue] = {}
    for listing in several:
        for clue in _clues(listing):
            key = (clue.seen, clue.since, clue.until)
            known = found.get(key, clue)
            found[key] = replace(clue, images=max(known.images, clue.images))
    declared = next((each.provenance.release for each in several if each.provenance.release), None)
    dated = Fingerprint(
        cloud=several[0].cloud,
        declared=declared,
        clues=tuple(sorted(found.values(), key=_width, reverse=True)),
    )
    releases = dated.releases or range(contract.newest_release() + 1)
    return replace(
        dated,
        unsent=tuple(each for each in unsent(several) if not any(map(each.is_sent_by, releases))),
    )


def _until(clue: Clue) -> int:
    return contract.newest_release() if clue.until is None else clue.until


def _width(clue: Clue) -> tuple[int, str]:
    """How many releases a clue allows."""
    return _until(clue) - (clue.since or 0), clue.seen


def _name(release: int | None) -> str | None:
    return None if release is None else contract.release_name(release)


def _clues(listing: Listing) -> Iterator[Clue]:
    yield from _of_microversion(listing.provenance.max_microversion)
    yield from _of_headers(listing)
    if listing.error is None and listing.images:
        normalized = listing.normalized(_PROFILE)
        shape = describe(listing, normalized)
        for dating in _DATINGS:
            images = dating.images(shape)
            if images:
                yield dating.clue(images)
        yield from _of_server_links(normalized)
        yield from _of_pages(listing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dating:
    """What the images of some releases show, and how to see it.

    Attributes:
        images: How many images of a shape show it.
    """

    seen: str
    since: str | None = None
    until: str | None = None
    source: str
    images: Callable[[Shape], int]

    def clue(self, images: int) -> Clue:
        return Clue(
            seen=self.seen,
            since=contract.release_index(self.since),
            until=contract.release_index(self.until),
            source=self.source,
            images=images,
        )


def _has(*path: str) -> Callable[[Shape], int]:
    return lambda shape: len(shape.presence(path)[0])


def _lacks(*path: str) -> Callable[[Shape], int]:
    """All images that could have it, if none has; that some lack it is an owner's doing."""

    def count(shape: Shape) -> int:
        present, lacking = shape.presence(path)
        return 0 if present else len(lacking)

    return count


def _some(kind: str, path: tuple[str, ...], test: Callable[[Any], bool]) -> Callable[[Shape], int]:
    """Images with a value, form or type that passes."""

    def count(shape: Shape) -> int:
        trait = shape.traits.get(path)
        if trait is None:
            return 0
        seen: Mapping[Any, Any] = getattr(trait, kind)
        return sum(len(found) for value, found in seen.items() if test(value))

    return count


def _alone(kind: str, path: tuple[str, ...], value: Any) -> Callable[[Shape], int]:
    """All images, if nothing but this was seen."""

    def count(shape: Shape) -> int:
        trait = shape.traits.get(path)
        seen: Mapping[Any, Any] = {} if trait is None else getattr(trait, kind)
        return len(seen[value]) if set(seen) == {value} else 0

    return count


def _self_without_project(shape: Shape) -> int:
    """Cactus had none either, but it had no metadata."""
    if not shape.presence(("metadata",))[0]:
        return 0
    test: Callable[[Any], bool] = lambda form: _PROJECT not in form and "<id>" in form  # noqa: E731
    return _some("values", ("links", "self", "href"), test)(shape)


_SELF: Final = ("links", "self", "href")
_ALTERNATE: Final = ("links", "alternate", "href")
_VIEWS: Final = "Nova api/openstack/compute/views/images.py"

_DATINGS: Final = (
    _Dating(
        seen="id is an integer",
        until="cactus",
        source=_VIEWS,
        images=_some("types", ("id",), lambda name: name == "integer"),
    ),
    _Dating(
        seen="id is an integer in a string",
        since="diablo",
        until="diablo",
        source="Glance 2011.3 counts images, Nova 2011.3 sends strings",
        images=_alone("formats", ("id",), _INTEGER_TEXT),
    ),
    _Dating(
        seen="id is a UUID",
        since="essex",
        source="Nova api-ref; Glance counted images before",
        images=_alone("formats", ("id",), contract.UUID),
    ),
    _Dating(
        seen="serverId is sent",
        until="cactus",
        source="Nova 2011.2 views/images.py",
        images=_has("serverId"),
    ),
    _Dating(seen="server is sent", since="diablo", source=_VIEWS, images=_has("server")),
    _Dating(seen="metadata is sent", since="diablo", source=_VIEWS, images=_has("metadata")),
    _Dating(
        seen="status is none of the five",
        until="cactus",
        source="Nova 2011.3 views/images.py, _get_status",
        images=_some("values", ("status",), lambda value: value not in contract.STATUSES),
    ),
    _Dating(
        seen="progress is 25 or 50",
        since="essex",
        source="Nova 2012.1 views/images.py, _get_progress",
        images=_some("values", ("progress",), lambda value: value in {25, 50}),
    ),
    _Dating(
        seen="minRam and minDisk are sent",
        since="essex",
        source="Nova 2012.1 views/images.py",
        images=_has("minRam"),
    ),
    _Dating(
        seen="minRam is not sent",
        until="diablo",
        source="Nova 2012.1 views/images.py",
        images=_lacks("minRam"),
    ),
    _Dating(
        seen="the link alternate is sent",
        since="essex",
        source="Nova 2012.1 views/images.py",
        images=_has("links", "alternate"),
    ),
    _Dating(
        seen="the link alternate is not sent",
        until="diablo",
        source="Nova 2012.1 views/images.py",
        images=_lacks("links", "alternate"),
    ),
    _Dating(
        seen="the link alternate has the project",
        since="essex",
        until="juno",
        source="Nova e516de74c1, bug 1343080",
        images=_some("values", _ALTERNATE, lambda form: _PROJECT in form),
    ),
    _Dating(
        seen="the link alternate has no project",
        since="kilo",
        source="Nova e516de74c1, bug 1343080",
        images=_some(
            "values", _ALTERNATE, lambda form: _PROJECT not in form and form.endswith("images/<id>")
        ),
    ),
    _Dating(
        seen="the link self has no project",
        since="havana",
        source="Nova 2013.2 api/openstack/common.py, _get_project_id",
        images=_self_without_project,
    ),
    _Dating(
        seen="the link self has the version v2.1",
        since="kilo",
        source="Nova 2015.1 etc/nova/api-paste.ini",
        images=_some("values", _SELF, lambda form: "/v2.1/" in form),
    ),
    _Dating(
        seen="OS-EXT-IMG-SIZE:size is sent",
        since="grizzly",
        source="Nova d2b553030e",
        images=_has("OS-EXT-IMG-SIZE:size"),
    ),
    _Dating(
        seen="OS-EXT-IMG-SIZE:size is not sent",
        until="rocky",
        source="Nova 19.0.0: in the view itself, without a policy",
        images=_lacks("OS-EXT-IMG-SIZE:size"),
    ),
)


def _of_microversion(maximum: str | None) -> Iterator[Clue]:
    releases = contract.releases_of(maximum)
    if releases is None:
        return
    yield Clue(
        seen=f"the newest microversion is {maximum}",
        since=releases[0] if releases else contract.newest_release(),
        until=releases[-1] if releases else None,
        source="Nova api_version_request.py, _MAX_API_VERSION",
    )


def _of_headers(listing: Listing) -> Iterator[Clue]:
    if "xml" in listing.headers.get("Content-Type", ""):
        yield Clue(
            seen="the answer is XML",
            since=None,
            until=contract.release_index("juno"),
            source="Nova 0e0b9bfd75: XML removed in 2015.1",
        )
    for name, first, source in (
        ("X-OpenStack-Nova-API-Version", "kilo", "Nova 2015.1: microversions"),
        ("OpenStack-API-Version", "newton", "Nova microversion 2.27 (14.0.0)"),
    ):
        if name in listing.headers:
            yield Clue(
                seen=f"the header {name} is sent",
                since=contract.release_index(first),
                until=None,
                source=source,
            )


def _of_server_links(normalized: Normalized) -> Iterator[Clue]:
    """Folsom put the project into a server's links; what the image's own link has tells."""
    without = 0
    for image in normalized.images:
        server = image.get("server")
        own, servers = image.get("links"), server.get("links") if isinstance(server, dict) else None
        if isinstance(own, Links) and isinstance(servers, Links):
            forms = [str(each.get("self")) for each in (own, servers)]
            without += _PROJECT in forms[0] and "servers" in forms[1] and _PROJECT not in forms[1]
    if without:
        yield Clue(
            seen="the links of server have no project, those of the image have",
            since=contract.release_index("diablo"),
            until=contract.release_index("essex"),
            source="Nova 6254523439",
            images=without,
        )


def _of_pages(listing: Listing) -> Iterator[Clue]:
    links = listing.document.get("images_links")
    if not isinstance(links, list):
        return
    hrefs = [
        each["href"].partition("?")
        for each in links
        if isinstance(each, dict) and each.get("rel") == "next"
        if isinstance(each.get("href"), str)
    ]
    for path, *_ in hrefs[:1]:
        brief = not path.endswith("/detail")
        yield Clue(
            seen=f"the next link {'leads to the brief images' if brief else 'keeps /detail'}",
            since=None if brief else contract.release_index("kilo"),
            until=contract.release_index("juno") if brief else None,
            source="Nova f233c65cd3",
        )
    if not _has_limit(listing.query) and any(
        not _has_limit(Query.parse(query)) for _, _, query in hrefs
    ):
        yield Clue(
            seen="a next link although no limit was asked",
            since=contract.release_index("juno"),
            until=None,
            source="Nova 2014.2: osapi_max_limit counts as a limit",
        )


def _has_limit(query: Query) -> bool:
    """Whether a page size is asked; a next link repeats the query that it was an answer to."""
    return any(name == "limit" for name, _ in query.params)
