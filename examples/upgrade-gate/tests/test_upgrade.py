"""Clients of the cloud `staging` keep working after its upgrade from Nova 2023.1 to 2024.2."""


def test_the_upgrade_breaks_no_client(imagedetail):
    """Every recorded query; `imagedetail-rules.yaml` says what is accepted, why and how long."""
    assert imagedetail.matrix("staging-2023.1", "staging-2024.2").compatible


def test_every_active_image_can_be_used(imagedetail_cloud):
    """What our own tools rely on, before and after."""
    for image in imagedetail_cloud.list().images:
        if image["status"] == "ACTIVE":
            assert image["progress"] == 100
