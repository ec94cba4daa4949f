"""Decide whether answers are of the release that their cloud is declared or recorded as.

The newest microversion shows the release (Nova `api_version_request.py`). Clouds before Kilo and
some vendor clouds have none, and some releases share one: then the declared releases are compared.
A cloud that offered a microversion when it was recorded must still offer one.
"""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from pytest_imagedetail import contract
from pytest_imagedetail.cassette import Store, load
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import DamagedCassetteError, ReleaseError, StaleCassetteError
from pytest_imagedetail.model import Provenance
from pytest_imagedetail.transport.http import Access

REWRITE: Final = "pytest --imagedetail-record-mode=rewrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known about a cloud's release."""

    where: str  # a cassette's path, "the cloud" or "the body"
    release: str | None = None  # as declared
    max_microversion: str | None = None
    offers_none: bool = False  # the cloud was asked, and has no microversions

    def contradicts(self, other: "Evidence") -> bool:
        """Return whether the two cannot come from the same release."""
        old, new = map(contract.releases_of, (self.max_microversion, other.max_microversion))
        if old is not None and new is not None:
            if self.max_microversion != other.max_microversion:
                return True
        elif (old is not None and other.offers_none) or (new is not None and self.offers_none):
            return True
        # A label that contradicts its own microversion is a mistake, not evidence.
        labels = [None if side.contradicts_itself else side.release for side in (self, other)]
        indexes = {contract.release_index(label) for label in labels} - {None}
        return _excludes(old, labels[1]) or _excludes(new, labels[0]) or len(indexes) > 1

    @classmethod
    def of(cls, provenance: Provenance, *, where: str) -> Self:
        """Return a recording's evidence of its cloud's release."""
        newest = provenance.max_microversion
        return cls(where=where, release=provenance.release, max_microversion=newest)

    @property
    def contradicts_itself(self) -> bool:
        """Whether the declared release cannot have this microversion."""
        return _excludes(contract.releases_of(self.max_microversion), self.release)

    @property
    def text(self) -> str:
        """The evidence in words: "newest microversion 2.104 (Nova 2026.2), declared juno"."""
        newest = self.max_microversion
        parts = [f"newest microversion {newest} ({looks_like(newest)})"] if newest else []
        if self.offers_none:  # or an outage, which looks the same in keystoneauth
            parts.append("no microversion (or no readable version document: then ask again later)")
        parts += [f"declared {self.release}"] if self.release else []
        return ", ".join(parts) or "no release known"


def _excludes(releases: range | None, declared: str | None) -> bool:
    index = contract.release_index(declared)
    return releases is not None and index is not None and index not in releases


def looks_like(microversion: str | None) -> str:
    """Name the releases that have this newest microversion: "Nova 2024.1 or 2024.2"."""
    releases = contract.releases_of(microversion)
    if releases is None:
        return "no known release"
    if not releases:
        return f"newer than Nova {contract.release_number(-1)}"
    return f"Nova {' or '.join(map(contract.release_number, releases))}"


def evidence_of(store: Store, cloud: str) -> Iterator[Evidence]:
    """Yield the evidence in a cloud's recordings, including the traffic of tests."""
    for path in (*store.paths(cloud), *store.traffic_paths(cloud)):
        try:
            provenance = load(path).provenance
        except DamagedCassetteError as error:
            if error.rule != "foreign":  # a recording of another tool is no evidence
                raise
        else:
            yield Evidence.of(provenance, where=str(path))


def refuse_other_release(
    access: Access, store: Store, *, cloud: str, declared: str | None
) -> str | None:
    """Raise ReleaseError if a live cloud contradicts its declared release or its recordings.

    Return the release to record under: the declared one, or else the recorded one.
    """
    recorded = tuple(evidence_of(store, cloud))
    release = declared or next((each.release for each in recorded if each.release), None)
    remedy = _under_new_name(cloud, access, recorded=bool(recorded))
    error = _other_release(_offered_by(access, release), recorded, cloud=cloud, remedy=remedy)
    if error is not None:
        raise error
    return release


def refuse_other_import(new: Provenance, store: Store, *, declared: str | None) -> None:
    """Raise ReleaseError if a body is not of its cloud's declared or recorded release."""
    yaml = Evidence(where="imagedetail.yaml", release=declared)
    error = _other_release(
        Evidence(where="the body", release=new.release or declared),
        [yaml, *evidence_of(store, new.cloud)],
        cloud=new.cloud,
        remedy="import it under another name with --cloud, or correct --release",
    )
    if error is not None:
        raise error


def upgrade_error(recorded: Provenance, access: Access) -> ReleaseError | None:
    """Return an error if a live cloud is not of the recording's release, or None."""
    cloud = recorded.cloud
    evidence, remedy = Evidence.of(recorded, where=f"cloud {cloud}"), _under_new_name(cloud, access)
    return _other_release(_offered_by(access), [evidence], cloud=cloud, remedy=remedy)


def _offered_by(access: Access, release: str | None = None) -> Evidence:
    newest = access.max_microversion
    return Evidence(
        where="the cloud", release=release, max_microversion=newest, offers_none=newest is None
    )


def _other_release(
    new: Evidence, recorded: Iterable[Evidence], *, cloud: str, remedy: str
) -> ReleaseError | None:
    if new.contradicts_itself:
        return ReleaseError(
            f"cloud {cloud!r} is declared as release {new.release}, and its newest microversion "
            f"is {new.max_microversion} ({looks_like(new.max_microversion)})",
            where=f"{new.where}; nothing was written",
            remedy=f"{remedy}\nif the declared release is wrong, correct it: `release:` in "
            "imagedetail.yaml, or --release",
        )
    for evidence in recorded:
        if evidence.contradicts(new):
            return ReleaseError(
                f"cloud {cloud!r} is of another release than its recordings: recorded with "
                f"{evidence.text}; {new.where} has {new.text}",
                where=f"{evidence.where}; nothing was written",
                remedy=f"{remedy}\nif the recordings are obsolete, delete them and record again",
            )
    return None


def _under_new_name(cloud: str, access: Access, *options: str, recorded: bool = True) -> str:
    """Return the remedy for an upgraded cloud: a command that keeps its baseline."""
    os_cloud = access.os_cloud
    indexes = contract.releases_of(access.max_microversion) or range(0)
    releases = [*map(contract.release_number, indexes)]
    release = "RELEASE" if len(releases) > 1 else "".join(releases)
    start, _, end = os_cloud.rpartition("-")
    stem = start if start and contract.release_index(end) is not None else os_cloud
    name = f"{stem}-{release or 'new'}"
    name = name if name != cloud else f"{name}-new"
    words = [f"--os-cloud={shlex.quote(os_cloud)}", f"--name={shlex.quote(name)}"]
    words += [f"--release={release}"] if release else []
    words += [f"--like={shlex.quote(cloud)}"] if recorded else []
    command = " ".join(["imagedetail record", *words, *options])
    which = f", with RELEASE {' or '.join(releases)}" if len(releases) > 1 else ""
    return f"if the cloud was upgraded, record it under a new name{which}: {command}"


def remedies_for_change(
    comparison: Comparison,
    access: Access,
    *,
    cassette_dir: str | None = None,
    command: str | None = None,
) -> str:
    """Return the remedies for a changed answer: a new name, or a recording replaced by `command`.

    The default command records the query again.
    """
    recorded, expect, os_cloud = comparison.baseline, comparison.candidate.error, access.os_cloud
    folder = [f"--cassette-dir={shlex.quote(cassette_dir)}"] if cassette_dir else []
    start = f"imagedetail record --os-cloud={shlex.quote(os_cloud)}"
    if comparison.of_two_projects:
        options = [f"--name={recorded.cloud}-other", f"--like={recorded.cloud}", *folder]
        return (
            "use the credentials of the project that recorded it\n"
            f"or record the other one under a name of its own: {' '.join([start, *options])}"
        )
    options = [f"--name={recorded.cloud}"] if os_cloud != recorded.cloud else []
    release = comparison.candidate.release or recorded.release
    options += [f"--release={release}"] if release else []
    options += [f"--expect={expect}"] if expect is not None else []
    again = " ".join([start, *options, *folder, *recorded.query.options, "--rewrite"])
    if comparison.listings[0].provenance.test is not None:
        command = REWRITE
    return (
        f"{_under_new_name(recorded.cloud, access, *folder)}\n"
        f"if only its data changed, replace the recording: {command or again}"
    )


def label_error(provenance: Provenance, declared: str | None) -> StaleCassetteError | None:
    """Return an error if a recording is not of its own or the declared release, or None."""
    release, newest = provenance.release or declared, provenance.max_microversion
    if _excludes(contract.releases_of(newest), release):
        problem = (
            f"the recording is mislabeled: it is declared as release {release}, and the cloud's "
            f"newest microversion was {newest} ({looks_like(newest)})"
        )
        remedy = (
            "if an upgraded cloud was recorded over it, restore the file from version control\n"
            "if the declaration is wrong, correct `release:` in imagedetail.yaml and record it "
            "again: pytest --imagedetail-record-mode=rewrite"
        )
    elif len({contract.release_index(name) for name in (release, declared)} - {None}) > 1:
        problem = (
            f"the recording is stale: it is of release {release}, and the cloud is declared to be "
            f"{declared}"
        )
        remedy = (
            "if the cloud was upgraded, record it under a new name: imagedetail record "
            f"--os-cloud NAME --name {provenance.cloud}-{declared}\n"
            "or put the release that was recorded back into imagedetail.yaml"
        )
    else:
        return None
    subject = f"query {provenance.query}" if provenance.test is None else provenance.test
    return StaleCassetteError(problem, where=f"cloud {provenance.cloud}, {subject}", remedy=remedy)
