"""What our client needs of the cloud `staging`, before and after its upgrade to 2024.2."""


def test_active_images_are_complete(imagedetail_cloud):
    for image in imagedetail_cloud.list(status="ACTIVE").images:
        assert image["progress"] == 100


def test_the_upgrade_breaks_no_client(imagedetail):
    assert imagedetail.compare("staging-2023.1", "staging-2024.2").compatible


def test_the_accepted_change(imagedetail):
    upgrade = imagedetail.matrix("staging-2023.1", "staging-2024.2", limit=0)
    assert upgrade.compatible
    assert not upgrade.same
