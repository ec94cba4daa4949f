"""The committed library is what the real clouds answer today: no drift."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_imagedetail.cassette import dumps, loads

from .library import LIBRARY, VARIANTS, record
from .releases import RELEASES
from .test_live import SELECTED

pytestmark = pytest.mark.realcloud


@pytest.mark.parametrize("series", SELECTED)
def test_recording_again_changes_nothing(series: int, tmp_path: Path) -> None:
    """Every question gets the committed answer, byte for byte; dates and project may differ."""
    record(series, tmp_path)
    name = RELEASES[series].cloud
    for cloud in (f"{name}{suffix}" for suffix in VARIANTS):
        fresh = {path.name: path for path in (tmp_path / cloud).glob("*.yaml")}
        committed = {path.name: path for path in (LIBRARY / cloud).glob("*.yaml")}
        assert fresh.keys() == committed.keys()
        drifted = []
        for file, path in sorted(fresh.items()):
            old, new = loads(committed[file]), loads(path)
            dates = replace(
                new.provenance,
                recorded_at=old.provenance.recorded_at,
                plugin=old.provenance.plugin,
                project=old.provenance.project,
            )
            if dumps(replace(new, provenance=dates)).encode() != committed[file].read_bytes():
                drifted.append(file)
        assert drifted == []
