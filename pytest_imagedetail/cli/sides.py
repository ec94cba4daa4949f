"""Finds the listing that an argument names: a cloud, a cassette or a saved body."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_imagedetail.cassette import Store, check_cloud_name, load_own, loads
from pytest_imagedetail.errors import CassetteError, CassetteNotFoundError
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import Query, Recording
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.importing import Saved, imported, imported_together
from pytest_imagedetail.redact import holds_placeholders
from pytest_imagedetail.settings import Settings


def both(
    baseline: str, candidate: str, query: Query, settings: Settings
) -> tuple[Listing, Listing]:
    """The listings of two arguments; two bodies are redacted together, so no change is lost.

    Whether each is of the release that it is declared to be is for `refuse_mislabelled` to say.

    Raises:
        CassetteError: There is none, or it is damaged.
        BodyError: A body that is no listing.
        UsageError: Neither a path nor a possible name.
    """
    if not (_is_body(baseline) and _is_body(candidate)):
        return _found(baseline, query, settings), _found(candidate, query, settings)
    saved = [_saved(Path(each)) for each in (baseline, candidate)]
    one, other = imported_together(*saved)
    replaced = one.secrets | other.secrets
    if any(holds_placeholders(each.body, replaced=replaced) for each in saved):
        # Whoever wrote those numbered each body apart.
        return replace(one.listing, numbering=None), other.listing
    return one.listing, other.listing


def listing(name: str, query: Query, settings: Settings) -> Listing:
    """The listing of a cloud by its name, or of a cassette or body by its path.

    A path is what ends in .yaml, .yml, .json or .xml or has a slash in it; the query is for clouds.

    Raises:
        CassetteError: There is none, it is damaged, or it is of another release than declared.
        BodyError: A body that is no listing.
        UsageError: Neither a path nor a possible name.
    """
    found = _found(name, query, settings)
    refuse_mislabelled(found, name, settings)
    return found


def refuse_mislabelled(found: Listing, name: str, settings: Settings) -> None:
    """Raise if a listing is not of the release that it or its cloud is declared to be.

    Args:
        found: The listing.
        name: The argument that named it.
        settings: The choices that were typed.

    Raises:
        StaleCassetteError: It is not.
    """
    declared = None if is_path(name) else settings.declaration(name).release
    recorder.refuse_stale(found.recording, declared)


def _found(name: str, query: Query, settings: Settings) -> Listing:
    path = Path(name)
    if not is_path(name):
        recording = store_of(settings).load(check_cloud_name(name), query)
        return _expected(recorder.labelled(recording, settings.declaration(name).release))
    if path.suffix in {".yaml", ".yml"}:
        return cassette(path)
    return body(path)


def is_path(name: str) -> bool:
    """Whether an argument is the path of a cassette or body; anything else names a cloud."""
    return Path(name).suffix in {".yaml", ".yml", ".json", ".xml"} or "/" in name


def _is_body(name: str) -> bool:
    return is_path(name) and Path(name).suffix not in {".yaml", ".yml"}


def cassette(path: Path) -> Listing:
    """A recorded listing by its path."""
    if not path.is_file():
        raise CassetteNotFoundError(
            "there is no such cassette", where=str(path), remedy="imagedetail ls lists them"
        )
    return _expected(loads(path))


def own(path: Path, declared: str | None = None) -> Listing:
    """A recorded listing of a store, which must lie under its own name.

    Args:
        path: Of the cassette.
        declared: The release that its cloud is declared to be of; None if that does not matter.

    Raises:
        CassetteError: It is damaged, or of another release than declared.
        BodyError: A body that is no listing.
    """
    return _expected(recorder.as_declared(load_own(path), declared))


def recorded(cloud: str, settings: Settings, store: Store) -> Iterator[Listing]:
    """Every recorded listing of a cloud; a recorded error is an expected one here.

    Raises:
        CassetteError: One is damaged, or of another release than the cloud is declared to be.
        BodyError: A body that is no listing.
    """
    declared = settings.declaration(cloud).release
    return (own(path, declared) for path in store.paths(cloud))


def _expected(recording: Recording) -> Listing:
    """A recording as what it is; a recorded error is an expected one here."""
    return recorder.follow(recording, expect=error_status(recording))


def body(path: Path) -> Listing:
    """A saved body by its path, redacted in memory as if it had been imported."""
    saved = _saved(path)
    live = imported(
        saved.body,
        cloud=saved.cloud,
        query=saved.query,
        status_code=saved.status_code,
        release=saved.release,
        where=saved.where,
    )
    return live.listing


def _saved(path: Path) -> Saved:
    """A file's content as the answer to a query for all images."""
    name = "".join(each if each.isalnum() or each in "._-" else "-" for each in path.stem)
    return Saved(
        body=read_bytes(path),
        cloud=check_cloud_name(name.strip("._-")[:63] or "body"),
        where=str(path),
    )


def read_bytes(path: Path) -> bytes:
    """The content of a file.

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
