"""Answer a test's own clients from recordings."""

import shlex
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import CassetteError, NoInteractionError, did_you_mean
from pytest_imagedetail.model import Interaction, Recording, Response
from pytest_imagedetail.redact import Known, learn, origin, placeholders, project_in_path
from pytest_imagedetail.traffic.keystone import Keystone, endpoint_of, service, version_document
from pytest_imagedetail.traffic.matching import answer_of, as_recorded, line, nearest
from pytest_imagedetail.traffic.place import Place
from pytest_imagedetail.traffic.sources import Recorded, Source

_SHOWN: Final = 8  # recorded interactions in a message
_LONGEST: Final = 300  # characters of a request in a message
_NOTHING: Final = "the cassette does not exist: nothing was ever recorded for this test"


class Player:
    """Play recordings to a test's own clients.

    Only the first source that has a request answers it, even if its answers are used up.
    `held` is the test's file: its own, or the read-only one that its marker names. A player that
    `replays` also stands in for Keystone.
    """

    def __init__(
        self, place: Place, *, held: Path | None, sources: Sequence[Source], replays: bool
    ) -> None:
        self.held: Final = held or place.path
        self.remedy: Final = _remedy(place, held=held is not None)
        self._place: Final = place
        self._sources: Final = sources
        self._replays: Final = replays
        self._played: Final[dict[Recorded, None]] = {}
        self._known = Known()
        self._project: str | None = None  # the first one in the test's paths
        self._lock: Final = threading.RLock()

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """The interactions of the test's file."""
        return tuple(each.interaction for each in self._held())

    def _held(self) -> Iterator[Recorded]:
        source = next((each for each in self._sources if self.held in each.paths), None)
        if source is not None:
            yield from (each for each in source.interactions if each.path == self.held)

    @property
    def played(self) -> int:
        """How many interactions have been played, from any source."""
        return len(self._played)

    @property
    def used(self) -> tuple[Path, ...]:
        """The files of the played interactions."""
        return tuple(dict.fromkeys(each.path for each in self._played))

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The unplayed interactions of the test's file, by number, method and URL."""
        return tuple(
            f"{each.number}: {_shortened(each.interaction)}"
            for each in self._held()
            if each not in self._played
        )

    @cached_property
    def _first(self) -> Recording | None:
        return next((each for one in self._sources for each in one.recordings.values()), None)

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint of the first recording, in placeholders."""
        if (first := self._first) is None:
            return None
        return first.provenance.endpoint or endpoint_of(first.interactions[0].url)

    def has(self, asked: Interaction) -> bool:
        """Return whether an answer is left, or Keystone has one."""
        with self._lock:
            return self._find(asked) is not None or self._authenticate(asked) is not None

    def play(self, asked: Interaction) -> Response | None:
        """Return the next recorded answer to this request, or Keystone's; None if none is left."""
        with self._lock:
            found = self._find(asked)
            if found is None:
                return self._authenticate(asked)
            self._played[found] = None
            return found.interaction.response

    def _authenticate(self, asked: Interaction) -> Response | None:
        """Answer logins and version discovery; return None for other requests."""
        if not self._replays:
            return None
        listed = [each for each in self._sources if each.repeats]
        endpoints = (url for each in listed for url in each.endpoints)
        newest = next(filter(None, (each.max_microversion for each in listed)), None)
        response = version_document(asked, endpoints, newest)
        if response is None and (endpoint := self.endpoint) and self._first is not None:
            catalog = self._first.provenance.catalog or service("compute", "nova", endpoint)
            response = Keystone(catalog=catalog).answer(asked)
        if response is not None:
            learned = learn([asked])
            self._known |= Known(secrets=learned.secrets, owners=learned.owners)
        return response

    def miss(self, asked: Interaction) -> NoInteractionError:
        """Return the error for a request that was not recorded."""
        with self._lock:
            explained = "\n".join(self._explained(asked))
        store, cloud = self._place.store, self._place.cloud
        known = (*store.clouds(), *store.library_clouds())
        suggestion = "" if cloud in known else did_you_mean(cloud, known)
        steps = [suggestion.strip(), self.remedy]
        if not self.held.exists():
            steps += _where_else(self._place)
        remedy = "\n".join(filter(None, steps))
        return NoInteractionError(explained, where=self._place.where, remedy=remedy)

    def _as_recorded(self, asked: Interaction, source: Source) -> Interaction:
        """Redact a request like a source's, with what the test has revealed so far."""
        if self._project is None:
            self._project = project_in_path(urlsplit(asked.url).path)
        project = self._project
        if project is None or placeholders.owner(project) in source.owners:
            project = placeholders.OWN_PROJECT  # the source has another placeholder for it
        redacted = as_recorded(
            asked,
            cloud=self._place.cloud,
            known=replace(self._known, project=project),
            owners=source.owners,
            emails=not source.repeats,
        )
        self._known = redacted.known
        return redacted.interactions[0]

    def _find(self, asked: Interaction) -> Recorded | None:
        for source in self._sources:
            found = source.find(self._as_recorded(asked, source)) if source.recordings else {}
            if source.repeats:
                every = (each for some in found.values() for each in some)
                if first := next((each for each in every if _is_of_same_root(asked, each)), None):
                    return first
            elif found:
                longest = self._longest(found)
                host = origin(asked.url)
                theirs = [each for each in longest if origin(each.interaction.url) == host]
                return next((each for each in theirs or longest if each not in self._played), None)
        return None

    def _longest(self, found: Mapping[Path, Sequence[Recorded]]) -> Sequence[Recorded]:
        """Return the answers of the file that has most; raise CassetteError if another differs."""
        longest = max(found.values(), key=len)
        for path, some in found.items():
            if some is not longest and _answers(some) != _answers(longest[: len(some)]):
                raise CassetteError(
                    f"two cassettes answer differently to {line(longest[0].interaction)}",
                    where=f"{self._place.node}, {longest[0].path}, {path}",
                    remedy="record the request for this test: "
                    f"{self._place.command('new_episodes')}\n"
                    "or record both afresh with --imagedetail-record-mode=rewrite",
                )
        return longest

    def _explained(self, asked: Interaction) -> Iterator[str]:
        everything = [each for source in self._sources for each in source.interactions]
        request = self._as_recorded(asked, self._sources[0])
        yield f"nothing is recorded for {_shortened(request)}"
        if not everything:
            yield _NOTHING
            return
        yield f"recorded, {self.played} of {len(everything)} played:"
        for each in everything[:_SHOWN]:
            yield f"  {_shortened(each.interaction)}{' (played)' if each in self._played else ''}"
        if len(everything) > _SHOWN:
            yield f"  and {len(everything) - _SHOWN} more"
        closest, different = nearest(
            (self._as_recorded(asked, source), (each.interaction for each in source.interactions))
            for source in self._sources
        )[0]
        if not different:
            yield "every answer that was recorded for it has been played"
            return
        yield f"nearest: {_shortened(closest)}"
        for part, how in different.items():
            yield f"  {part}: {how}"


def _answers(some: Iterable[Recorded]) -> list[object]:
    return [answer_of(each.interaction.response) for each in some]


def _is_of_same_root(asked: Interaction, recorded: Recorded) -> bool:
    """Compare the hosts of requests for `/`, which Keystone also answers."""
    is_root = urlsplit(asked.url).path in {"", "/"}
    return not is_root or origin(asked.url) == origin(recorded.interaction.url)


def _remedy(place: Place, *, held: bool) -> str:
    store = place.store
    if place.cloud in store.library_clouds() and not (held or store.has_own(place.cloud)):
        return (
            f"a shipped recording cannot be added to: imagedetail ls {place.cloud} shows what it "
            "has\nor record a cloud of your own, under another name"
        )
    return f"record it: {place.command('new_episodes' if held else 'once')}"


def _where_else(place: Place) -> Iterator[str]:
    if place.store.traffic_paths(place.cloud):
        yield f"or, if the test was renamed: imagedetail mv OLD {shlex.quote(place.test)}"
    if place.shared is not None and not any(place.others()):
        yield f"or correct cassette={place.shared!r}: no recording has this name"


def _shortened(interaction: Interaction) -> str:
    text = line(interaction)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
