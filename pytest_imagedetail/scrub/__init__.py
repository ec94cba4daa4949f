"""Write safe cassettes from recordings of other tools that hold passwords and tokens."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, run

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import Store, refuse_unsafe
from pytest_imagedetail.errors import CassetteError, LeakError
from pytest_imagedetail.model import Recording
from pytest_imagedetail.redact import Known, learn, redact_again
from pytest_imagedetail.redact.final_check import refuse_leaks
from pytest_imagedetail.scrub.reading import UNANSWERED, Source
from pytest_imagedetail.traffic.authentication import split_keystone
from pytest_imagedetail.traffic.recording import make_recording, mixed_senders


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubResult:
    """A redacted recording, and what was removed from it."""

    source: Source
    recording: Recording | None  # None if nothing is left, or nothing changes
    known: Known  # what the final check must look for
    keystone: int = 0  # interactions left out: logins and Keystone's other traffic
    unanswered: int = 0  # requests left out because they got no response
    mixed: str | None = None  # who sent the requests, if replay would mix them up
    removed: Mapping[str, int]  # values replaced and headers dropped, by kind

    @property
    def interactions(self) -> int:
        """The number of interactions that are left."""
        return len(self.recording.interactions) if self.recording is not None else 0


def secrets_of(sources: Iterable[Source]) -> Known:
    """Collect the secrets of several files: a token from one may be used in another."""
    learned = learn(interaction for source in sources for interaction in source.interactions)
    return Known(secrets=learned.secrets, owners=learned.owners)


def scrub(source: Source, *, cloud: str, known: Known) -> ScrubResult:
    """Redact a recording; `known` holds the secrets of all files that are scrubbed together."""
    if source.own is not None:
        return _scrub_again(source, source.own, known)
    answered = [each for each in source.interactions if each.response.status_code != UNANSWERED]
    traffic, authentication = split_keystone(answered)
    recording, removed = None, Counter[str]()
    if traffic:
        draft, known = make_recording(answered, cloud=cloud, test=source.name, known=known)
        provenance = replace(draft.provenance, source="scrubbed", recorded_at=source.recorded_at)
        recording = replace(draft, provenance=provenance)
        pairs = zip(traffic, recording.interactions, strict=True)
        dropped = sum(
            len(old.request_headers.fields) - len(new.request_headers.fields) for old, new in pairs
        )
        removed = Counter(provenance.redactions) + Counter(headers=dropped)
    return ScrubResult(
        source=source,
        recording=recording,
        known=known,
        keystone=len(authentication),
        unanswered=len(source.interactions) - len(answered),
        mixed=mixed_senders(answered),
        removed=removed,
    )


def _scrub_again(source: Source, cassette: Recording, known: Known) -> ScrubResult:
    redacted = redact_again(cassette, known=known)
    removed = Counter(kind for kind, _ in redacted.places)
    try:  # a secret in a comment, or in a key that is not part of the format
        refuse_leaks(source.text.encode("utf-8"), known=Known(), where="")
    except LeakError:
        removed["secrets"] += 1
    is_replaced = removed or source.is_old
    recording = replace(cassette, interactions=redacted.interactions) if is_replaced else None
    return ScrubResult(source=source, recording=recording, known=redacted.known, removed=removed)


def write(recording: Recording, *, known: Known, store: Store, force: bool) -> str:
    """Write the cassette and return "scrubbed", or "unchanged" if the same one is there.

    Raises:
        CassetteError: Another recording is there, and `force` is not given.
        LeakError: A secret is left; nothing is written.
        RecordingError: The folder cannot be written.
    """

    def keep_equal(old: Recording) -> Recording:
        if old.interactions != recording.interactions or old.provenance.source != "scrubbed":
            provenance = recording.provenance
            raise CassetteError(
                "a different cassette is there already",
                where=str(store.traffic_path(provenance.cloud, str(provenance.test))),
                remedy="choose another cloud with --cloud or folder with -o, rename the recording, "
                "or replace the cassette with --force\nit was not changed",
            )
        return old

    written = store.write(recording, known=known, merge=None if force else keep_equal)
    return "unchanged" if written.value == "unchanged" else "scrubbed"


def replacement(scrubbed: ScrubResult) -> str:
    """Return the text that replaces a recording in place; see `refuse_in_place`.

    Raise CassetteError if nothing would be left of it, LeakError if a secret is left.
    """
    where = str(scrubbed.source.path)
    if scrubbed.recording is None:
        raise CassetteError(
            "it contains only authentication requests, so the cassette would be empty",
            where=where,
            remedy="delete it: while replaying, the built-in Keystone answers logins",
        )
    return refuse_unsafe(scrubbed.recording, known=scrubbed.known, where=where)


def refuse_in_place(sources: Sequence[Source]) -> None:
    """Raise CassetteError unless every file can be replaced.

    Its tool must be able to read a cassette, and git must have the file unchanged: no other copy is
    left. It is all files or none, because a secret of one may occur in another.
    """
    for source in sources:
        is_yaml = yamltext.is_yaml(source.path)
        if source.tool not in {"vcrpy", "imagedetail"} or not is_yaml:
            raise CassetteError(
                "only YAML recordings of vcrpy and pytest-recording can be replaced in place, "
                f"because {source.tool} would not read the cassette",
                where=str(source.path),
                remedy="leave out --in-place for all of these files, so that a secret of one is "
                "found in the others\nno file was changed",
            )
    for source in sources:
        if not _is_committed(source.path):
            raise CassetteError(
                "the file is not committed, or has uncommitted changes",
                where=str(source.path),
                remedy="leave out --in-place, and delete the original: a commit would put its "
                "secrets into the history\n"
                "or commit it first, if its secrets are there already\nno file was changed",
            )


def _is_committed(path: Path) -> bool:
    """Return whether git has the file, or the target of a link, unchanged; False without git."""
    path = path.resolve()
    git = ["git", "--literal-pathspecs", "-C", str(path.parent)]
    status = ["status", "--porcelain", "--ignored", "--untracked-files", "--", path.name]
    try:
        process = run([*git, *status], stdout=PIPE, stderr=DEVNULL, check=False)  # noqa: S603
    except FileNotFoundError:
        return False
    return process.returncode == 0 and not process.stdout
