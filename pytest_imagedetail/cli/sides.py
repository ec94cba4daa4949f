"""Load the listing that an argument names: a cloud, a cassette or a saved body.

A path may name a git revision: `HEAD~1:cassettes/staging/all.yaml`.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import check_cloud_name, load_own, loads
from pytest_imagedetail.cli.arguments import Options
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import (
    CassetteError,
    CassetteNotFoundError,
    StaleCassetteError,
    UsageError,
)
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import Recording
from pytest_imagedetail.record import recorder, release_guard
from pytest_imagedetail.record.importing import import_body
from pytest_imagedetail.settings import only


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A listing, the file that holds it, and why it cannot be trusted."""

    listing: Listing
    path: Path
    error: StaleCassetteError | None  # if the release is not the declared one


def load(name: str, options: Options) -> Loaded:
    """Load a listing by the name of a cloud or the path of a cassette or body.

    Raises:
        CassetteError: The cassette is missing or damaged.
        BodyError: The body is not a listing.
        UsageError: The name matches no cloud, or several; or the cassette is of another query.
        ResponseError: It is not the error of `--expect`.
    """
    path, declared = Path(name), None
    if is_path(name):
        listing = _load_file(name, options)
    else:
        cloud = select_one(name, options)
        declared = options.settings.declaration(cloud).release
        recording = options.store.load(cloud, options.parsed_query)
        listing = _listing(recording, declared, options.expect)
        path = options.store.find(cloud, options.parsed_query) or path
    error = release_guard.label_error(listing.provenance, declared)
    return Loaded(listing=listing, path=path, error=error)


def load_listing(name: str, options: Options) -> Listing:
    """Load a listing; raise StaleCassetteError if it is not of the declared release."""
    loaded = load(name, options)
    if loaded.error is not None:
        raise loaded.error
    return loaded.listing


def _load_file(name: str, options: Options) -> Listing:
    path, expect, query = Path(name), options.expect, options.parsed_query
    content = _read_from_git(name) if _revision(name) else read_bytes(path)
    if yamltext.is_yaml(path):
        recording = loads(content, where=name)
        if options.selects_query and query != recording.provenance.query:
            raise UsageError(
                f"the file holds the answer to query {str(recording.provenance.query)!r}, "
                f"not to {str(query)!r}",
                where=name,
                remedy="name the cloud instead of the file, or leave the query out",
            )
        return _listing(recording, expect=expect)
    cloud = re.sub(r"[^\w.-]", "-", path.stem).strip("._-")[:63] or "body"
    check_cloud_name(cloud)
    status = expect or HTTPStatus.OK
    return import_body(content, cloud=cloud, where=name, query=query, status_code=status).listing


def load_path(path: Path, release: str | None = None, expect: int | None = None) -> Listing:
    """Load a recording under its own name; `release` applies if it names none itself."""
    return _listing(load_own(path), release, expect)


def listings(cloud: str, options: Options) -> Iterator[Listing]:
    """Load a cloud's recordings, or that of the query only; raise as `load_listing` does."""
    release, paths = options.settings.declaration(cloud).release, options.store.paths(cloud)
    if options.selects_query:
        paths = tuple(filter(None, [options.store.find(cloud, options.parsed_query)]))
    for path in paths:
        listing = load_path(path, release, options.expect)
        recorder.refuse_stale(listing.recording, release)
        yield listing


def select(patterns: Sequence[str], options: Options) -> tuple[str, ...]:
    """Return the recorded, shipped and declared clouds that match names and globs, in order."""
    for path in filter(is_path, patterns):
        raise UsageError(
            "clouds are wanted here by name, and this is a path",
            where=path,
            remedy="compare two paths: imagedetail diff OLD NEW",
        )
    return replace(options.settings, clouds=tuple(patterns)).select(options.known_clouds)


def select_one(pattern: str, options: Options) -> str:
    """Return the only cloud that matches a name or a glob."""
    return only(pattern, select([pattern], options))


def label(comparison: Comparison, *arguments: str) -> Comparison:
    """Label two sides of one cloud with their git revisions, or else with what was typed."""
    old, new = comparison.baseline, comparison.candidate
    old_version, new_version = map(_revision, arguments)
    if (old.cloud, old_version) == (new.cloud, new_version):
        old_version, new_version = arguments
    old, new = replace(old, version=old_version), replace(new, version=new_version)
    return replace(comparison, baseline=old, candidate=new)


def _revision(name: str) -> str:
    if ":" not in name or Path(name).exists():
        return ""
    return name.partition(":")[0] or "index"


def is_path(name: str) -> bool:
    """Return whether an argument is a path: it has a slash, a colon, or a known suffix."""
    path = Path(name)
    is_named = yamltext.is_yaml(path) or path.suffix.lower() in {".json", ".xml"}
    return is_named or "/" in name or ":" in name


def read_bytes(path: Path) -> bytes:
    """Read a file; raise CassetteError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CassetteError(
            f"the file cannot be read: {error.strerror}",
            where=str(path),
            remedy="give a path that can be read, or the name of a cloud",
        ) from error


def _read_from_git(name: str) -> bytes:
    """Read a file of a git revision, such as `HEAD~1:cassettes/staging/all.yaml`."""
    command = ["git", "show", "--no-textconv", "--end-of-options", name]
    try:
        process = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  no shell
    except OSError as error:
        reason = f"git cannot be run: {error.strerror}"
    else:
        if process.returncode == 0:
            return process.stdout
        reason = process.stderr.decode("utf-8", "replace").strip()
    raise CassetteNotFoundError(
        f"there is no such file, and git has none of that name: {reason}",
        where=name,
        remedy="name a file, or one of a revision: REVISION:PATH from the root of the repository, "
        "or REVISION:./PATH from here",
    )


def _listing(
    recording: Recording, release: str | None = None, expect: int | None = None
) -> Listing:
    """Read a recording as the listing or the error that it is, or as the expected error."""
    return recorder.follow(recording, declared=release, expect=expect or error_status(recording))
