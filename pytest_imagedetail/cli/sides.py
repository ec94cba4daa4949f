"""Load the listing that an argument names: a cloud, a cassette or a saved body.

A path may be one of a revision, as git shows it: `HEAD~1:cassettes/staging/all.yaml`.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_imagedetail.cassette import Store, check_cloud_name, load_own, loads, loads_text
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import (
    CassetteError,
    CassetteNotFoundError,
    StaleCassetteError,
    UsageError,
)
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import Query, Recording, Side
from pytest_imagedetail.record import recorder, release_guard
from pytest_imagedetail.record.importing import Saved, imported
from pytest_imagedetail.settings import Settings


def load(name: str, query: Query, settings: Settings) -> Listing:
    """Load what an argument names, as `listing`; the release is not checked: see `mislabelled`.

    Raises:
        CassetteError: There is none, or it is damaged.
        BodyError: A body that is not a listing.
        UsageError: Neither a path nor a possible name.
    """
    path = Path(name)
    if not is_path(name):
        store = store_of(settings)
        cloud = one_name(name, settings, store)
        recording = store.load(cloud, query)
        return _listing_of(recorder.labelled(recording, settings.declaration(cloud).release))
    committed = _committed(name) if _revision(name) else None
    if path.suffix not in {".yaml", ".yml"}:
        body = read_bytes(path) if committed is None else committed
        cloud = re.sub(r"[^\w.-]", "-", path.stem).strip("._-")[:63] or "body"
        saved = Saved(body=body, cloud=check_cloud_name(cloud), where=str(path))
        return imported(saved).listing
    if committed is not None:
        return _listing_of(loads_text(committed.decode("utf-8", "replace"), where=name))
    if not path.is_file():
        raise CassetteNotFoundError(
            "there is no such cassette", where=str(path), remedy="imagedetail ls lists them"
        )
    return _listing_of(loads(path))


def listing(name: str, query: Query, settings: Settings) -> Listing:
    """Load the listing of a cloud by its name, or of a cassette or body by its path.

    Raises:
        CassetteError: There is none, it is damaged, or it is of another release than declared.
        BodyError: A body that is not a listing.
        UsageError: Neither a path nor a possible name.
    """
    found = load(name, query, settings)
    error = mislabelled(settings, found, name)
    if error is not None:
        raise error
    return found


def names(patterns: Sequence[str], settings: Settings, store: Store) -> tuple[str, ...]:
    """Return the recorded, shipped and declared clouds that names and globs stand for, in order.

    Raises:
        UsageError: One stands for none.
    """
    recorded = (*store.clouds(), *store.traffic_clouds(), *store.library_clouds())
    return replace(settings, clouds=tuple(patterns)).select(recorded)


def one_name(pattern: str, settings: Settings, store: Store) -> str:
    """Return the only cloud that a name or a glob stands for.

    Raises:
        UsageError: It stands for none, or for several.
    """
    found = names([pattern], settings, store)
    if len(found) > 1:
        raise UsageError(
            f"{pattern!r} stands for {len(found)} clouds, and one is needed",
            remedy=f"name one of them: {', '.join(found)}",
        )
    return found[0]


def own(path: Path, declared: str | None = None) -> Listing:
    """Load a recorded listing of a store, which must lie under its own name.

    The release is not checked: see `mislabelled`.

    Args:
        path: Of the cassette.
        declared: The release of its cloud, used if the recording names none.

    Raises:
        CassetteError: It is damaged.
        BodyError: A body that is not a listing.
    """
    return _listing_of(recorder.labelled(load_own(path), declared))


def recorded(cloud: str, settings: Settings, store: Store) -> Iterator[Listing]:
    """Load every recorded listing of a cloud; a recorded error is an expected one here.

    Raises:
        CassetteError: One is damaged, or of another release than the cloud is declared to be.
        BodyError: A body that is not a listing.
    """
    declared = settings.declaration(cloud).release
    for path in store.paths(cloud):
        found = own(path, declared)
        recorder.refuse_stale(found.recording, declared)
        yield found


def mislabelled(settings: Settings, found: Listing, name: str) -> StaleCassetteError | None:
    """Return the error of a listing that is not of its declared release, or None.

    Args:
        settings: The choices that were typed.
        found: The listing.
        name: The argument that named it.
    """
    declared = None if is_path(name) else settings.declaration(name).release
    return release_guard.mislabelled(found.provenance, declared)


def named(comparison: Comparison, baseline: str, candidate: str) -> Comparison:
    """Return a comparison with two sides of different names.

    Args:
        comparison: Of both sides.
        baseline: The argument that named the old one.
        candidate: The argument that named the new one.
    """
    pair = (comparison.baseline, comparison.candidate)

    def versions(*words: str) -> Iterator[Side]:
        return (replace(side, version=word) for side, word in zip(pair, words, strict=True))

    old, new = versions(_revision(baseline), _revision(candidate))
    if old.name == new.name:
        old, new = versions(baseline, candidate)
    return replace(comparison, baseline=old, candidate=new)


def _revision(name: str) -> str:
    """Return the revision of git that an argument names, or ""."""
    if ":" not in name or Path(name).exists():
        return ""
    return name.partition(":")[0] or "index"


def path_of(name: str, found: Listing, settings: Settings) -> Path:
    """Return the file that an argument stands for."""
    path = None if is_path(name) else store_of(settings).find(found.cloud, found.query)
    return path or Path(name)


def is_path(name: str) -> bool:
    """Return whether an argument is a path: it has a / or a :, or the suffix of one."""
    return Path(name).suffix in {".yaml", ".yml", ".json", ".xml"} or "/" in name or ":" in name


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        CassetteError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CassetteError(
            f"the file cannot be read: {error.strerror}",
            where=str(path),
            remedy="give a path that can be read, or the name of a cloud",
        ) from error


def _committed(name: str) -> bytes:
    """Return what git has under a name such as `HEAD~1:cassettes/staging/all.yaml`."""
    command = ["git", "show", "--no-textconv", "--end-of-options", name]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  no shell
    except OSError as error:
        said = [f"git cannot be run: {error.strerror}"]
    else:
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.decode("utf-8", "replace").splitlines() or ["git says nothing"]
    forms = "REVISION:PATH from the root of the repository, or REVISION:./PATH from here"
    raise CassetteNotFoundError(
        f"there is no such file, and git has none of that name: {said[0]}",
        where=name,
        remedy="\n".join([*said[1:], f"name a file, or one of a revision: {forms}"]),
    )


def _listing_of(recording: Recording) -> Listing:
    """Read a recording as what it is: a listing, or the error that was recorded."""
    return recorder.follow(recording, expect=error_status(recording))
