"""Answer a test's own clients from recordings."""

import shlex
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import CassetteError, NoInteractionError, did_you_mean
from pytest_imagedetail.model import Interaction, Recording, Response
from pytest_imagedetail.redact import Known, learn, origin, placeholders, project_in_path
from pytest_imagedetail.text import cut
from pytest_imagedetail.traffic.cassette import Cassette
from pytest_imagedetail.traffic.keystone import Keystone, endpoint_of, entries_of, version_document
from pytest_imagedetail.traffic.matching import answer_of, as_recorded, line, nearest
from pytest_imagedetail.traffic.sources import Entry, Source

_MOST_SHOWN: Final = 8  # recorded interactions in a message
_MAX_LENGTH: Final = 300  # characters of a request in a message
_NO_CASSETTE: Final = "the cassette does not exist: nothing was ever recorded for this test"


class Player:
    """Play recordings to a test's own clients.

    Only the first source that has a request answers it, even if its answers are used up.
    `path` is the test's file: its own, or the read-only one that its marker names. A player that
    `replays` also stands in for Keystone.
    """

    def __init__(
        self, cassette: Cassette, *, path: Path | None, sources: Sequence[Source], replays: bool
    ) -> None:
        self.path: Final = path or cassette.path
        self.remedy: Final = _remedy(cassette, exists=path is not None)
        self._cassette: Final = cassette
        self._sources: Final = sources
        self._replays: Final = replays
        self._played: Final[dict[Entry, None]] = {}
        self._known = Known()
        self._project: str | None = None  # the first one in the test's paths
        self._lock: Final = threading.RLock()

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """The interactions of the test's file."""
        return tuple(entry.interaction for entry in self._own())

    def _own(self) -> Iterator[Entry]:
        source = next((source for source in self._sources if self.path in source.paths), None)
        if source is not None:
            yield from (entry for entry in source.interactions if entry.path == self.path)

    @property
    def played(self) -> int:
        """How many interactions have been played, from any source."""
        return len(self._played)

    @property
    def used(self) -> tuple[Path, ...]:
        """The files of the played interactions."""
        return tuple(dict.fromkeys(entry.path for entry in self._played))

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The unplayed interactions of the test's file, by number, method and URL."""
        return tuple(
            f"{number}: {_shorten(entry.interaction)}"
            for number, entry in enumerate(self._own(), start=1)
            if entry not in self._played
        )

    @cached_property
    def _first(self) -> Recording | None:
        recordings = (source.recordings.values() for source in self._sources)
        return next(chain.from_iterable(recordings), None)

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint of the first recording, in placeholders."""
        if (first := self._first) is None:
            return None
        return first.provenance.endpoint or endpoint_of(first.interactions[0].url)

    def has(self, request: Interaction) -> bool:
        """Return whether an answer is left, or Keystone has one."""
        with self._lock:
            return self._find(request) is not None or self._authenticate(request) is not None

    def play(self, request: Interaction) -> Response | None:
        """Return the next recorded answer to this request, or Keystone's; None if none is left."""
        with self._lock:
            match = self._find(request)
            if match is None:
                return self._authenticate(request)
            self._played[match] = None
            return match.interaction.response

    def _authenticate(self, request: Interaction) -> Response | None:
        """Answer logins and version discovery; return None for other requests."""
        if not self._replays:
            return None
        listings = [source for source in self._sources if source.repeats]
        endpoints = (url for source in listings for url in source.endpoints)
        newest = next(filter(None, (source.max_microversion for source in listings)), None)
        response = version_document(request, endpoints, newest)
        if response is None and (endpoint := self.endpoint) and self._first is not None:
            catalog = self._first.provenance.catalog or entries_of("compute", "nova", endpoint)
            response = Keystone(catalog=catalog).answer(request)
        if response is not None:
            learned = learn([request])
            self._known |= Known(secrets=learned.secrets, owners=learned.owners)
        return response

    def miss_error(self, request: Interaction) -> NoInteractionError:
        """Return the error for a request that was not recorded."""
        with self._lock:
            problem = "\n".join(self._explain(request))
        store, cloud = self._cassette.store, self._cassette.cloud
        known = store.all_clouds()
        suggestion = "" if cloud in known else did_you_mean(cloud, known)
        steps = [suggestion.strip(), self.remedy]
        if not self.path.exists():
            steps += _other_remedies(self._cassette)
        remedy = "\n".join(filter(None, steps))
        return NoInteractionError(problem, where=self._cassette.where, remedy=remedy)

    def _as_recorded(self, request: Interaction, source: Source) -> Interaction:
        """Redact a request as in a source's recordings, with the secrets learned so far."""
        if self._project is None:
            self._project = project_in_path(urlsplit(request.url).path)
        project = self._project
        if project is None or placeholders.owner(project) in source.owners:
            project = placeholders.OWN_PROJECT  # the source has another placeholder for it
        redacted = as_recorded(
            request,
            cloud=self._cassette.cloud,
            known=replace(self._known, project=project),
            owners=source.owners,
            emails=not source.repeats,
        )
        self._known = redacted.known
        return redacted.interactions[0]

    def _find(self, request: Interaction) -> Entry | None:
        for source in self._sources:
            matches = source.find(self._as_recorded(request, source)) if source.recordings else {}
            if source.repeats:
                for entry in chain.from_iterable(matches.values()):
                    if _has_same_root(request, entry):
                        return entry
            elif matches:
                entries, host = self._longest(matches), origin(request.url)
                of_host = [entry for entry in entries if origin(entry.interaction.url) == host]
                remaining = (entry for entry in of_host or entries if entry not in self._played)
                return next(remaining, None)
        return None

    def _longest(self, matches: Mapping[Path, Sequence[Entry]]) -> Sequence[Entry]:
        """Return the answers of the file that has most; raise CassetteError if another differs."""
        longest = max(matches.values(), key=len)
        for path, entries in matches.items():
            if entries is not longest and _answers(entries) != _answers(longest[: len(entries)]):
                raise CassetteError(
                    f"two cassettes answer differently to {line(longest[0].interaction)}",
                    where=f"{self._cassette.node}, {longest[0].path}, {path}",
                    remedy="record the request for this test: "
                    f"{self._cassette.command('new_episodes')}\n"
                    "or record both afresh with --imagedetail-record-mode=rewrite",
                )
        return longest

    def _explain(self, request: Interaction) -> Iterator[str]:
        """Yield the lines of `miss_error`; of a cloud's listings only the nearest one."""
        own = [
            each for source in self._sources if not source.repeats for each in source.interactions
        ]
        yield f"nothing is recorded for {_shorten(self._as_recorded(request, self._sources[0]))}"
        if not any(source.interactions for source in self._sources):
            yield _NO_CASSETTE
            return
        if own:
            yield f"recorded, {sum(entry in self._played for entry in own)} of {len(own)} played:"
        for entry in own[:_MOST_SHOWN]:
            yield f"  {_shorten(entry.interaction)}{' (played)' if entry in self._played else ''}"
        if len(own) > _MOST_SHOWN:
            yield f"  and {len(own) - _MOST_SHOWN} more"
        closest, differing = nearest(
            (self._as_recorded(request, source), [one.interaction for one in source.interactions])
            for source in self._sources
        )[0]
        if not differing:
            yield "every answer that was recorded for it has been played"
            return
        yield f"nearest: {_shorten(closest)}"
        for part, difference in differing.items():
            yield f"  {part}: {difference}"


def _answers(entries: Iterable[Entry]) -> list[object]:
    return [answer_of(entry.interaction.response) for entry in entries]


def _has_same_root(request: Interaction, recorded: Entry) -> bool:
    """Compare the hosts of requests for `/`, which Keystone also answers."""
    is_root = urlsplit(request.url).path in {"", "/"}
    return not is_root or origin(request.url) == origin(recorded.interaction.url)


def _remedy(cassette: Cassette, *, exists: bool) -> str:
    store, cloud = cassette.store, cassette.cloud
    if cloud in store.library_clouds() and not (exists or store.has_own(cloud)):
        return (
            f"a shipped recording cannot be added to: imagedetail ls {cloud} shows what it has\n"
            "or record a cloud of your own, under another name"
        )
    return f"record it: {cassette.command('new_episodes' if exists else 'once')}"


def _other_remedies(cassette: Cassette) -> Iterator[str]:
    if cassette.store.traffic_paths(cassette.cloud):
        yield f"or, if the test was renamed: imagedetail mv OLD {shlex.quote(cassette.test)}"
    if cassette.shared is not None and not any(cassette.others()):
        yield f"or correct cassette={cassette.shared!r}: no recording has this name"


def _shorten(interaction: Interaction) -> str:
    return cut(line(interaction), _MAX_LENGTH)
