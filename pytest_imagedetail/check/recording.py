"""Record what the checks ask of a live cloud."""

from dataclasses import dataclass
from pathlib import Path

from pytest_imagedetail.cassette import Store, Written
from pytest_imagedetail.cassette.names import CHECK
from pytest_imagedetail.check import sources
from pytest_imagedetail.check.schema_checks import ALL
from pytest_imagedetail.check.verdicts import Verdict, run
from pytest_imagedetail.record.recorder import LiveCloud
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.traffic.matching import missing_from
from pytest_imagedetail.traffic.recording import made_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a recording of the checks.

    Attributes:
        path: Its file.
        requests: How many requests it holds.
        verdicts: What the checks said meanwhile.
        changed: How many answers differ from those that are there; then nothing was written.
        written: What was done to the file; None if nothing.
    """

    path: Path
    requests: int
    verdicts: tuple[Verdict, ...]
    changed: int = 0
    written: Written | None = None


def record(cloud: LiveCloud, store: Store, *, rewrite: bool) -> Recorded:
    """Run all checks on a live cloud and write one redacted cassette of their traffic.

    Args:
        cloud: The cloud.
        store: Where the cassette goes.
        rewrite: Whether it may replace one with other answers.

    Raises:
        RecordingError: The cloud could not be asked.
        LeakError: A secret was left after redaction.
    """
    retry = Retry(cloud.access, expect=None, on_wait=cloud.on_wait)
    asked = sources.live(cloud, retry)
    verdicts = run(asked, ALL)
    recording, known = made_of(
        asked.received,
        cloud=cloud.name,
        test=CHECK,
        release=cloud.release,
        accesses=retry.accesses,
    )
    path, new = store.traffic_path(cloud.name, CHECK), recording.interactions
    old = store.load_traffic(cloud.name, CHECK)
    changed = 0 if old is None or rewrite else missing_from(old.interactions, new)
    written = None if changed else store.write(recording, known=known)
    return Recorded(
        path=path, requests=len(new), verdicts=verdicts, changed=changed, written=written
    )
