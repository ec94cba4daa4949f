"""Recordings that answer requests, for a test's own clients and for the server."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.cassette import CLIENTS, Store, load_once
from pytest_imagedetail.model import Interaction, Recording
from pytest_imagedetail.record.recorder import refuse_stale
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.traffic.keystone import endpoint_of
from pytest_imagedetail.traffic.matching import Key, ids_in, key_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """An interaction of a cassette."""

    path: Path
    interaction: Interaction


class Source:
    """Recordings that are searched together, and read on demand.

    A recording of another release than `release`, or too old for the store, is refused. If
    `repeats`, each interaction answers any number of times, as in listings.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        store: Store,
        *,
        release: str | None = None,
        repeats: bool = False,
    ) -> None:
        self._paths: Final = paths
        self._store: Final = store
        self._release: Final = release
        self.repeats: Final = repeats

    @cached_property
    def paths(self) -> Sequence[Path]:
        """The files, listed on demand: a shared folder may have many."""
        return tuple(self._paths)

    @cached_property
    def recordings(self) -> Mapping[Path, Recording]:
        """All recordings, by their files."""
        recordings = {path: load_once(path) for path in self.paths}
        for path, recording in recordings.items():
            refuse_stale(recording, self._release)
            self._store.refuse_old(path, recording.provenance)
        return recordings

    @cached_property
    def interactions(self) -> Sequence[Entry]:
        """The interactions of all recordings."""
        return [
            Entry(path=path, interaction=interaction)
            for path, recording in self.recordings.items()
            for interaction in recording.interactions
        ]

    @cached_property
    def owners(self) -> frozenset[str]:
        """The placeholders of owners in all recorded requests."""
        ids = (each for entry in self.interactions for each in ids_in(entry.interaction))
        return frozenset(filter(placeholders.is_owner_placeholder, ids))

    @cached_property
    def endpoints(self) -> Sequence[str]:
        """The compute endpoints of the listings, in placeholders."""
        urls = (entry.interaction.url for entry in self.interactions)
        return tuple(dict.fromkeys(endpoint_of(url) for url in urls if is_listing(url)))

    @cached_property
    def max_microversion(self) -> str | None:
        """The newest microversion that the cloud offered, if known."""
        newest = (recording.provenance.max_microversion for recording in self.recordings.values())
        return next(filter(None, newest), None)

    @cached_property
    def _index(self) -> Mapping[Key, Mapping[Path, list[Entry]]]:
        index: dict[Key, dict[Path, list[Entry]]] = {}
        for entry in self.interactions:
            by_path = index.setdefault(key_of(entry.interaction), {})
            by_path.setdefault(entry.path, []).append(entry)
        return index

    def find(self, request: Interaction) -> Mapping[Path, Sequence[Entry]]:
        """Return the interactions recorded for a redacted request, by file and in order."""
        return self._index.get(key_of(request), {})


def sources_of(store: Store, cloud: str, *, release: str | None = None) -> tuple[Source, Source]:
    """Return a cloud's listings, own ones before the library's, and the traffic of clients."""
    own = store.directory / cloud
    listings = sorted(store.paths(cloud), key=lambda path: path.parent != own)
    return (
        Source(listings, store, release=release, repeats=True),
        Source(store.traffic_of(cloud, CLIENTS), store, release=release, repeats=True),
    )


def is_listing(url: str) -> bool:
    """Return whether a URL is that of a listing."""
    return urlsplit(url).path.endswith("/images/detail")
