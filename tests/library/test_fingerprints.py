"""The declared releases of the library fit its responses."""

from pytest_imagedetail import contract
from pytest_imagedetail.cassette import load
from pytest_imagedetail.fingerprint import fingerprint
from pytest_imagedetail.listing import error_status, read
from tests.realcloud.library import LIBRARY

RANGES = {
    "fujitsu-k5": ("2013.1", "2014.2"),
    "openstack-sample": ("2012.1", "2014.2"),
    "nova-2019.1": ("2019.1", "2019.1"),
    "nova-2024.2": ("2024.1", "2024.2"),
    "nova-2025.2": ("2025.1", "2025.2"),
    "nova-2026.2": ("2026.2", "2026.2"),
}


def test_the_declared_release_fits():
    """No clue contradicts the release that was declared when a cloud was recorded.

    In the published response of K5, dots replace the end of the id. The expected ranges were found
    by hand in Nova's history.
    """
    for folder in LIBRARY.iterdir():
        cloud = folder.name
        recordings = [load(path) for path in [folder / "all.yaml", *folder.glob("limit=*.yaml")]]
        found = fingerprint([read(each, expect=error_status(each)) for each in recordings])
        masked = ["id is text, not a UUID"] if cloud == "fujitsu-k5" else []
        assert [each.seen for each in found.unsent] == masked, cloud
        assert found.releases, (cloud, found.summary)
        assert not found.contradictions, cloud
        assert found.fits is not bool(masked), cloud
        names = RANGES.get(cloud, ())
        found_range = (found.releases[0], found.releases[-1]) if names else ()
        assert found_range == tuple(map(contract.release_index, names)), cloud
