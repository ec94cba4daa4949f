"""What our client needs of a cloud's image list, checked against every cloud we deploy to."""


def test_active_images_are_complete(imagedetail_cloud):
    for image in imagedetail_cloud.list(status="ACTIVE").images:
        assert image["progress"] == 100


def test_upgrade_breaks_nothing(imagedetail):
    assert imagedetail.compare("private-2012", "public-2026").compatible
