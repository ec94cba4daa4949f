"""Recording the real clouds again gives the committed library."""

from dataclasses import replace

import pytest

from pytest_imagedetail.cassette import dumps, load

from .library import LIBRARY, record

pytestmark = pytest.mark.realcloud


def test_recording_again_changes_nothing(cloud, tmp_path):
    """The cassettes are the same byte by byte, except for dates and users."""
    record(cloud, tmp_path)
    fresh, committed = _cassettes(tmp_path / cloud.name), _cassettes(LIBRARY / cloud.name)
    assert fresh.keys() == committed.keys()
    drifted = []
    for file, path in sorted(fresh.items()):
        old, new = load(committed[file]), load(path)
        dates = replace(
            new.provenance,
            recorded_at=old.provenance.recorded_at,
            plugin=old.provenance.plugin,
            project=old.provenance.project,
            user=old.provenance.user,
        )
        if dumps(replace(new, provenance=dates)).encode() != committed[file].read_bytes():
            drifted.append(file)
    assert drifted == []


def _cassettes(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*.yaml")}
