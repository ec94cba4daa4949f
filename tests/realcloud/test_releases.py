"""The tables of releases and images are consistent."""

from .images import IMAGES
from .releases import RELEASES


def test_versions_belong_together() -> None:
    """Glance is one major version behind Nova, and Keystone four."""
    for series, release in RELEASES.items():
        versions = (release.nova, release.glance, release.keystone)
        majors = [int(version.split(".")[0]) for version in versions]
        assert majors == [series, series - 1, series - 4]
    microversions = [int(each.max_microversion.split(".")[1]) for each in RELEASES.values()]
    assert microversions == sorted(set(microversions), reverse=True)


def test_no_two_images_are_alike() -> None:
    """Ids and dates of creation are unique, and no image was updated before it was created."""
    assert len({image.id for image in IMAGES}) == len(IMAGES)
    created = [image.created for image in IMAGES]
    assert created == sorted(set(created))
    assert all(image.updated >= image.created for image in IMAGES)
