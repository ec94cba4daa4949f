"""Decide whether answers are of the release that their cloud is declared or recorded to be.

A cloud tells its release by its newest microversion (Nova `api_version_request.py`). Without one
there is no evidence, and no evidence is no contradiction: vendor clouds and clouds older than Kilo
have none. Releases that share a microversion cannot be told apart by it.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_imagedetail import contract
from pytest_imagedetail.errors import ReleaseError, StaleCassetteError
from pytest_imagedetail.model import Provenance, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a cloud's release.

    Attributes:
        where: The source: a cassette's path, or "the cloud".
        release: The declared release.
        max_microversion: The newest microversion that the cloud offers.
    """

    where: str
    release: str | None = None
    max_microversion: str | None = None

    def contradicts(self, other: "Evidence") -> bool:
        """Return whether both cannot be of one release; microversions count before declarations."""
        mine, theirs = map(contract.releases_of, (self.max_microversion, other.max_microversion))
        if mine is not None and theirs is not None:
            return self.max_microversion != other.max_microversion
        return _excludes(mine, other.release) or _excludes(theirs, self.release)

    @property
    def contradicts_itself(self) -> bool:
        """Whether the declared release cannot have this microversion."""
        return _excludes(contract.releases_of(self.max_microversion), self.release)

    @property
    def text(self) -> str:
        """The evidence in words: "newest microversion 2.104 (Nova 2026.2), declared juno"."""
        declared = f"declared {self.release}" if self.release else ""
        if self.max_microversion is None:
            return declared or "no release known"
        found = f"newest microversion {self.max_microversion} ({looks_like(self.max_microversion)})"
        return f"{found}, {declared}" if declared else found


def _excludes(releases: range | None, declared: str | None) -> bool:
    index = contract.release_index(declared)
    return releases is not None and index is not None and index not in releases


def looks_like(microversion: str) -> str:
    """Name the releases that have this newest microversion: "Nova 2024.1 or 2024.2"."""
    releases = contract.releases_of(microversion)
    if releases is None:
        return "no known release"
    if not releases:
        return f"newer than Nova {contract.release_number(contract.newest_release())}"
    return f"Nova {' or '.join(map(contract.release_number, releases))}"


def other_release(
    live: Evidence, recorded: Iterable[Evidence], *, cloud: str, os_cloud: str
) -> ReleaseError | None:
    """Return the error of a live cloud that is another release than declared or recorded, or None.

    Its message names both releases, the evidence and the way out.

    Args:
        live: The cloud, with the release that it is declared to be.
        recorded: Its recordings.
        cloud: The name that recordings are kept under.
        os_cloud: The name of the cloud in clouds.yaml.
    """
    way_out = record_under_new_name(cloud, os_cloud, live.max_microversion)
    if live.contradicts_itself:
        return ReleaseError(
            f"cloud {cloud!r} is declared as release {live.release}, and its newest microversion "
            f"is {live.max_microversion} ({looks_like(live.max_microversion or '')})",
            where=f"{live.where}; nothing was written",
            remedy=f"{way_out}\nif the declared release is wrong, correct it: `release:` in "
            "imagedetail.yaml, or --release",
        )
    for each in recorded:
        if each.contradicts(live):
            return ReleaseError(
                f"cloud {cloud!r} is another release than its recordings: {each.text} was "
                f"recorded, and the cloud has {live.text} now",
                where=f"{each.where}; nothing was written",
                remedy=f"{way_out}\nif the recordings are of no use any more, delete them and "
                "record afresh",
            )
    return None


def record_under_new_name(cloud: str, os_cloud: str, microversion: str | None) -> str:
    """Return the remedy for a cloud that was upgraded: the command that leaves its baseline alone.

    Args:
        cloud: The name that the recordings before the upgrade have.
        os_cloud: The name of the cloud in clouds.yaml.
        microversion: The newest one that the cloud has now, if known.
    """
    releases = contract.releases_of(microversion) or range(0)
    name = f"{os_cloud}-{contract.release_number(releases[-1]) if releases else 'new'}"
    words = ["imagedetail", "record", f"--os-cloud={shlex.quote(os_cloud)}"]
    words.append(f"--name={shlex.quote(name if name != cloud else f'{name}-new')}")
    if len(releases) == 1:
        words.append(f"--release={contract.release_number(releases[0])}")
    return f"if the cloud was upgraded, record it under a new name: {' '.join(words)}"


def record_again(cloud: str, os_cloud: str, query: Query, *options: str) -> str:
    """Return the remedy for a cloud whose data changed: the command that replaces one recording.

    Args:
        cloud: The name that recordings are kept under.
        os_cloud: The name of the cloud in clouds.yaml.
        query: The recorded query.
        *options: Further options of the command.
    """
    words = ["imagedetail", "record", f"--os-cloud={shlex.quote(os_cloud)}"]
    if os_cloud != cloud:
        words.append(f"--name={shlex.quote(cloud)}")
    command = " ".join([*words, *options, *query.options, "--rewrite"])
    return f"if only its data changed, replace the recording: {command}"


def mislabelled(provenance: Provenance, declared: str | None) -> StaleCassetteError | None:
    """Return the error of a recording that is not of the release it is said to be, or None.

    Args:
        provenance: Of the recording.
        declared: The release that its cloud is declared to be.
    """
    where = f"cloud {provenance.cloud}"
    where += f", query {provenance.query}" if provenance.test is None else f", {provenance.test}"
    index = contract.release_index(declared)
    recorded = contract.release_index(provenance.release)
    if index is not None and recorded is not None and index != recorded:
        return StaleCassetteError(
            f"the recording is stale: it is of release {provenance.release}, and the cloud is "
            f"declared to be {declared}",
            where=where,
            remedy="if the cloud was upgraded, record it under a new name: imagedetail record "
            f"--os-cloud NAME --name {provenance.cloud}-{declared}\n"
            "or put the release that was recorded back into imagedetail.yaml",
        )
    evidence = Evidence(
        where=where,
        release=provenance.release or declared,
        max_microversion=provenance.max_microversion,
    )
    if not evidence.contradicts_itself:
        return None
    found = provenance.max_microversion or ""
    return StaleCassetteError(
        f"the recording is mislabelled: it is declared as release {evidence.release}, and the "
        f"cloud's newest microversion was {found} ({looks_like(found)})",
        where=where,
        remedy="if an upgraded cloud was recorded over it, restore the file from version control\n"
        "if the declaration is wrong, correct `release:` in imagedetail.yaml and record it again: "
        "pytest --imagedetail-record-mode=rewrite",
    )
