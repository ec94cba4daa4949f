"""A folder of cassettes: find, read and write recordings."""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.body.json import leaves
from pytest_imagedetail.cassette.format import document_of, dumps, load
from pytest_imagedetail.cassette.names import (
    CLIENTS,
    SHARED,
    TRAFFIC,
    check_cloud_name,
    file_name,
    shared_folder,
    traffic_name,
)
from pytest_imagedetail.cassette.swapping import LOCK, swap, writing
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    DamagedCassetteError,
    ImageDetailError,
    LeakError,
    StaleCassetteError,
    UsageError,
    distance,
)
from pytest_imagedetail.model import Interaction, Provenance, Query, Recording
from pytest_imagedetail.redact import Known, redact_query
from pytest_imagedetail.redact.final_check import refuse_leaks
from pytest_imagedetail.text import count

_DAY: Final = timedelta(days=1)
_MOST_SUGGESTIONS: Final = 8
_CACHE_SIZE: Final = 64  # recordings that `load_once` caches
_BODY_LINE: Final = b"\n" + b" " * 8  # a line of a body in JSON


class Written(Enum):
    """What a write did to the file; a renewed one holds the same answer with a new date."""

    NEW = "new"
    REPLACED = "replaced"
    RENEWED = "renewed"
    UNCHANGED = "unchanged"


def load_once(path: Path) -> Recording:
    """Read a cassette as `load_own` does, but read a file again only if it changed."""
    try:
        status = path.stat()
    except OSError:
        return load_own(path)  # raises the error
    return _load(path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@functools.lru_cache(maxsize=_CACHE_SIZE)
def _load(path: Path, *_state: int) -> Recording:
    return load_own(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Cassettes below one folder, `<cloud>/<query>.yaml`.

    A second, read-only folder, the library, serves queries that the first one lacks.
    """

    directory: Path
    library: Path | None = None
    max_age: int | None = None  # days; an older own recording is stale until it is recorded again

    def clouds(self) -> tuple[str, ...]:
        """Return the clouds with listings in the folder itself."""
        return _clouds_in(self.directory)

    def has(self, cloud: str) -> bool:
        """Return whether a cloud has listings or traffic of clients, here or in the library."""
        return any(map(_can_be_served, self._folders(cloud)))

    def has_own(self, cloud: str) -> bool:
        """Return whether a cloud has listings or traffic of clients in the folder itself."""
        return _can_be_served(self.directory / check_cloud_name(cloud))

    def traffic_clouds(self) -> tuple[str, ...]:
        """Return the clouds with traffic of tests in the folder itself."""
        names = _names(self.directory)
        return tuple(name for name in names if any(self._traffic(name)))  # stops at the first file

    def traffic_paths(self, cloud: str) -> tuple[Path, ...]:
        """Return the cassettes of tests' own traffic with a cloud."""
        return tuple(sorted(self._traffic(cloud)))

    def library_clouds(self) -> tuple[str, ...]:
        """Return the clouds of the library."""
        return _clouds_in(self.library) if self.library is not None else ()

    def all_clouds(self) -> tuple[str, ...]:
        """Return the clouds with any recording, here or in the library; one may be repeated."""
        return (*self.clouds(), *self.traffic_clouds(), *self.library_clouds())

    def traffic_of(self, cloud: str, test: str) -> tuple[Path, ...]:
        """Return the cassettes of a test, `CLIENTS` or `CHECK`; own ones first."""
        return tuple(filter(_exists, self._folders(cloud, traffic_name(test))))

    def paths(self, cloud: str) -> tuple[Path, ...]:
        """Return a cloud's cassettes, own ones in place of the library's; `all.yaml` is first."""
        paths = {
            name: folder / name
            for folder in reversed(tuple(self._folders(cloud)))
            for name in _names(folder)
            if name.endswith(".yaml")
        }
        names = sorted(paths, key=lambda name: (name != "all.yaml", name))
        return tuple(paths[name] for name in names)

    def queries(self, cloud: str) -> tuple[Query, ...]:
        """Return the recorded queries; raise `DamagedCassetteError` if one cannot be read."""
        return tuple(load_once(path).provenance.query for path in self.paths(cloud))

    def is_own(self, path: Path) -> bool:
        """Return whether a cassette is the project's rather than the library's."""
        return path.is_relative_to(self.directory)

    def refuse_old(self, path: Path, provenance: Provenance) -> None:
        """Raise StaleCassetteError if `max_age` is set and an own recording is older or undated."""
        if self.max_age is None or not self.is_own(path):
            return
        problem = age_problem(provenance, max_age=self.max_age, now=datetime.now(UTC))
        if problem is not None:
            raise StaleCassetteError(
                f"the recording is stale: {problem}",
                where=f"{path}, recorded {provenance.recorded_at or 'without a date'}",
                remedy="record it again: pytest --imagedetail-record-mode=rewrite "
                f"--imagedetail-max-age={self.max_age}\n"
                "or allow more: --imagedetail-max-age DAYS",
            )

    def path(self, cloud: str, query: Query) -> Path:
        """Return the file that a recording is written to, whether or not it exists."""
        return self.directory / check_cloud_name(cloud) / file_name(query)

    def find(self, cloud: str, query: Query) -> Path | None:
        """Return the file of the recording of a query, as given or redacted; None without one."""
        path = self._find(cloud, query)
        return path or self._find(cloud, redact_query(query, cloud=cloud, known=Known()))

    def _find(self, cloud: str, query: Query) -> Path | None:
        return next(filter(_exists, self._folders(cloud, file_name(query))), None)

    def load(self, cloud: str, query: Query) -> Recording:
        """Read one recording; raise `CassetteNotFoundError`, which suggests recorded queries."""
        path = self.find(cloud, query)
        if path is None:
            raise self._not_found_error(cloud, query)
        return load_once(path)

    def write(
        self,
        recording: Recording,
        *,
        known: Known,
        shared: str | None = None,
        merge: Callable[[Recording], Recording] | None = None,
    ) -> Written:
        """Check a redacted recording and write it atomically, under a lock.

        A recording with the same answer leaves the file unchanged, except that one older than
        `max_age` gets the new date. `merge` takes the recording in the file, if there is one, and
        returns the one to write.
        """
        path = self.directory / own_name(recording.provenance, shared=shared)
        self.refuse_same_folder(recording.provenance.cloud)
        text = refuse_unsafe(recording, known=known, where=str(path))
        with writing(path, lock=self.directory / LOCK):
            if not _exists(path.resolve()):
                swap(path, text)
                return Written.NEW
            old = load_own(path)  # raises if damaged: someone may repair it
            if merge is not None:
                recording = merge(old)
                text = refuse_unsafe(recording, known=known, where=str(path))
            new_volatile = {*recording.provenance.volatile} - {*old.provenance.volatile}
            if new_volatile or not _is_same_answer(old, recording):
                swap(path, text)
                return Written.REPLACED
            date = recording.provenance.recorded_at
            now = None if date is None else datetime.fromisoformat(date)
            if now is None or not age_problem(old.provenance, max_age=self.max_age, now=now):
                return Written.UNCHANGED
            swap(path, dumps(replace(old, provenance=replace(old.provenance, recorded_at=date))))
            return Written.RENEWED

    def refuse_same_folder(self, cloud: str) -> None:
        """Raise UsageError for a name that differs from another cloud's in case only."""
        for name in _names(self.directory):
            if name != cloud and name.casefold() == cloud.casefold():
                raise UsageError(
                    f"cloud {cloud!r} differs from {name!r} in case only",
                    where=str(self.directory),
                    remedy=f"use the name {name}, or one that differs in more than case",
                )

    def holds(self, recording: Recording) -> bool:
        """Return whether the file of this query has the same answer, ignoring dates."""
        path = self.path(recording.provenance.cloud, recording.provenance.query)
        return _is_same_answer(load_own(path), recording)

    def traffic_path(self, cloud: str, test: str, *, shared: str | None = None) -> Path:
        """Return the file of a test's own traffic, whether or not it exists."""
        return self.directory / check_cloud_name(cloud) / traffic_name(test, shared=shared)

    def shared_paths(self, cloud: str, shared: str) -> tuple[Path, ...]:
        """Return the cassettes in a folder that tests share."""
        folder = self.directory / check_cloud_name(cloud) / TRAFFIC / shared_folder(shared)
        return tuple(sorted(folder.rglob("*.yaml")))

    def load_traffic(self, cloud: str, test: str, *, shared: str | None = None) -> Recording | None:
        """Read a test's own traffic; None if there is no file."""
        path = self.traffic_path(cloud, test, shared=shared)
        return load_once(path) if _exists(path) else None

    def rename(self, path: Path, test: str, target: Path) -> None:
        """Rename the recording of a test and move its file."""
        recording = load_own(path)
        renamed = replace(recording, provenance=replace(recording.provenance, test=test))
        text = refuse_unsafe(renamed, known=Known(), where=str(target))
        with writing(target, lock=self.directory / LOCK):
            swap(target, text)
            path.unlink()
        with suppress(OSError):  # stop at a folder that is not empty
            for folder in path.parents:
                folder.rmdir()

    def _traffic(self, cloud: str) -> Iterator[Path]:
        yield from (self.directory / cloud / TRAFFIC).rglob("*.yaml")

    def _folders(self, cloud: str, *below: str | PurePosixPath) -> Iterator[Path]:
        """Yield a cloud's folder here and in the library, or a path below each."""
        check_cloud_name(cloud)
        yield self.directory.joinpath(cloud, *below)
        if self.library is not None:
            yield self.library.joinpath(cloud, *below)

    def _not_found_error(self, cloud: str, query: Query) -> CassetteNotFoundError:
        recorded: dict[str, Query] = {}  # by command-line options
        for path in self.paths(cloud):
            with suppress(ImageDetailError):  # the error is about another cassette
                recorded_query = load_once(path).provenance.query
                recorded[" ".join(recorded_query.options) or "all"] = recorded_query
        steps = [
            "in a test:  pytest --imagedetail-record-mode=once",
            f"in a shell: {' '.join(['imagedetail record', cloud, *query.options])}",
        ]
        if self.has_own(cloud):
            steps.append("if it was deleted, restore it from version control")
        elif cloud in self.library_clouds():
            steps = ["shipped recordings cannot be added to; record a cloud of your own"]
        if recorded:
            nearest = sorted(
                recorded, key=lambda name: distance(_parts(query), _parts(recorded[name]))
            )
            queries = ", ".join(nearest[:_MOST_SUGGESTIONS])
            steps.append(f"or ask a recorded query: {queries}; imagedetail ls {cloud} lists all")
        return CassetteNotFoundError(
            f"nothing is recorded for cloud {cloud!r}, query {str(query)!r}",
            where=str(self.path(cloud, query)),
            remedy="\n".join(steps),
        )


def _parts(query: Query) -> dict[str, str | None]:
    return {**dict(query.params), "microversion": query.microversion}


def age_problem(provenance: Provenance, *, max_age: int | None, now: datetime) -> str | None:
    """Return what is wrong with the age of a recording, or None.

    An import without a date passes, because the age of its body is unknown. A date may be a day
    ahead, because clocks differ. `max_age` is in days of 24 hours; None allows any age.
    """
    if provenance.recorded_at is None:
        is_judged = max_age is not None and provenance.source == "recorded"
        return "its age is not known: the recording has no date" if is_judged else None
    age = now - datetime.fromisoformat(provenance.recorded_at)
    if age < -_DAY:
        ahead = count(-age // _DAY, "day")
        return f"its date is {ahead} ahead of this machine's clock, so its age is not known"
    if max_age is None or age <= max_age * _DAY:
        return None
    days = -(-age // _DAY)
    return f"it is {count(days, 'day')} old; the limit is {max_age}"


def load_own(path: Path) -> Recording:
    """Read a cassette and check its name: a renamed copy would answer another query or test."""
    recording = load(path)
    provenance = recording.provenance
    own = own_name(provenance)
    if not is_at(path, own):
        subject, remedy = f"query {str(provenance.query)!r}", ""
        if provenance.test:
            subject = f"test {provenance.test}"
            remedy = "\nif the test was renamed, move it back, then: imagedetail mv OLD NEW"
        raise DamagedCassetteError(
            f"the recording is of cloud {provenance.cloud!r}, {subject}, but its file has another "
            "name",
            where=str(path),
            remedy=f"move it to {own}, or delete it and record it afresh{remedy}",
        )
    return recording


def path_of_renamed(path: Path, old: str, new: str) -> Path:
    """Return the path of a recording after its test was renamed, shared or not."""
    depth = len(traffic_name(old).parts) - 1
    return path.parents[depth - 1].joinpath(*traffic_name(new).parts[1:])


def is_at(path: Path, own: PurePosixPath) -> bool:
    """Return whether the file is at its own path; a test may share a folder."""
    parts = [part for part in path.parts if part == own.parts[0] or not part.endswith(SHARED)]
    return tuple(parts[-len(own.parts) :]) == own.parts


def own_name(provenance: Provenance, *, shared: str | None = None) -> PurePosixPath:
    """Return the path of a recording below the folder of cassettes."""
    test = provenance.test
    name = file_name(provenance.query) if test is None else traffic_name(test, shared=shared)
    return PurePosixPath(check_cloud_name(provenance.cloud), name)


def refuse_unsafe(recording: Recording, *, known: Known, where: str) -> str:
    """Return the text of a recording to write; raise LeakError if it holds a secret."""
    _refuse_secret_in_name(recording.provenance.test or "", known)
    document = document_of(recording)
    text = yamltext.dump(document)
    data, start = text.encode("utf-8"), 0
    refuse_leaks(data, known=known, where=where)
    for number, interaction in enumerate(document["interactions"], start=1):
        request = f"interaction {number}"
        for path, leaf in leaves(interaction):
            raw = leaf if isinstance(leaf, bytes) else str(leaf).encode("utf-8", "surrogateescape")
            position = data.find(raw.replace(b"\n", _BODY_LINE), start)
            if position < 0:  # YAML escaped it
                refuse_leaks(raw, known=known, where=f"{where}, {request}")
            else:
                start = position
            if path == ("request", "uri"):  # it can be shown now
                request = f"{interaction['request']['method']} {leaf}"
    return text


def _refuse_secret_in_name(test: str, known: Known) -> None:
    """Raise if a test's name holds a secret: it is written to the file and is the file's name."""
    try:
        refuse_leaks(test.encode("utf-8", errors="surrogatepass"), known=known, where="")
    except LeakError:
        raise LeakError(
            "refused to write: the test's name has a secret, and so would its cassette",
            where=f"{test.partition('[')[0]}; nothing was written",
            remedy="give the parameter an id without the secret: "
            'pytest.param(..., id="with a token"), or ids= of parametrize',
        ) from None


def _clouds_in(directory: Path) -> tuple[str, ...]:
    return tuple(name for name in _names(directory) if _has_cassettes(directory / name))


def _can_be_served(folder: Path) -> bool:
    return _has_cassettes(folder) or _exists(folder / traffic_name(CLIENTS))


def _has_cassettes(folder: Path) -> bool:
    return folder.is_dir() and any(name.endswith(".yaml") for name in _names(folder))


def _names(folder: Path) -> list[str]:
    # Not glob: it skips an unreadable folder, and its cassettes would be missing.
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  Path objects cost ten times more
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(folder, error) from error


def _exists(path: Path) -> bool:
    """Return whether a file or link exists; raise if that cannot be determined."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(path, error) from error
    return True


def _unreadable(path: Path, error: OSError) -> DamagedCassetteError:
    return DamagedCassetteError(
        f"cassettes cannot be listed: {error.strerror}",
        where=str(path),
        remedy="make it a folder that you may read, or choose another: --imagedetail-cassette-dir",
    )


def _is_same_answer(old: Recording, new: Recording) -> bool:
    """Return whether both are equal, ignoring their dates and plugin versions."""
    same = old.provenance
    provenance = replace(
        new.provenance, volatile=same.volatile, recorded_at=same.recorded_at, plugin=same.plugin
    )
    if provenance.test is not None:  # clients differ in the headers that are dropped
        provenance = replace(provenance, redactions=same.redactions)
    old, new = map(_sorted_by_request, (old, replace(new, provenance=provenance)))
    return dumps(old) == dumps(new)


def _sorted_by_request(recording: Recording) -> Recording:
    """Sort by request, because threads finish in any order; equal requests keep their order."""

    def key(interaction: Interaction) -> tuple[str, str, bytes]:
        return interaction.method, interaction.url, interaction.request_body

    return replace(recording, interactions=tuple(sorted(recording.interactions, key=key)))
