"""Which fields an image detail has, release by release."""

import pytest

from pytest_imagedetail.embedded import RELEASES

CORE = {
    "id",
    "name",
    "minRam",
    "minDisk",
    "metadata",
    "created",
    "updated",
    "status",
    "progress",
    "links",
}
SIZE = "OS-EXT-IMG-SIZE:size"
DISK = "OS-DCF:diskConfig"


def by_name(images):
    return {image["name"]: image for image in images}


@pytest.mark.parametrize("release", RELEASES)
def test_every_element_has_the_core_fields_and_nothing_unknown(client_of, release):
    """The ten core fields are always there; besides them only server, size and diskConfig."""
    for image in client_of(release).list().images:
        assert image.keys() >= CORE
        assert image.keys() - CORE <= {"server", SIZE, DISK}


@pytest.mark.parametrize("release", RELEASES)
def test_size_comes_with_grizzly(client_of, release):
    """Size is on no image before Grizzly and on every image since."""
    has_size = release not in {"essex", "folsom"}
    assert all((SIZE in image) is has_size for image in client_of(release).list().images)


@pytest.mark.parametrize("release", RELEASES)
def test_disk_config_follows_auto_disk_config(client_of, release):
    """DiskConfig is there exactly when the property is, and its two values follow it."""
    images = client_of(release).list().images
    assert all((DISK in image) is ("auto_disk_config" in image["metadata"]) for image in images)
    assert by_name(images)["cirros-base"][DISK] == "AUTO"
    assert by_name(images)["web-01-nightly"][DISK] == "MANUAL"


@pytest.mark.parametrize("release", RELEASES)
def test_server_follows_instance_uuid(client_of, release):
    """A server object is there exactly when the image was made from a server, with its id."""
    for image in client_of(release).list().images:
        uuid = image["metadata"].get("instance_uuid")
        assert image.get("server", {}).get("id") == uuid


@pytest.mark.parametrize("release", RELEASES)
def test_status_and_progress_are_functions_of_glance_status(client_of, release):
    """Words that Nova does not know are UNKNOWN; progress is no measurement."""
    shown = {
        image["name"]: (image["status"], image["progress"])
        for image in client_of(release).list().images
    }
    assert shown["cirros-base"] == ("ACTIVE", 100)
    assert shown["reserved"] == ("SAVING", 25)
    assert shown["half-uploaded"] == ("SAVING", 50)
    assert shown["on-its-way-out"] == ("DELETED", 0)
    assert shown["withdrawn"] == ("UNKNOWN", 0)
    assert shown["import-running"] == ("UNKNOWN", 0)


@pytest.mark.parametrize("release", RELEASES)
def test_values_keep_their_json_types(client_of, release):
    """A missing name is null, texts stay texts, block device mappings become lists."""
    images = by_name(client_of(release).list().images)
    assert None in images
    assert images["volume-backed"]["metadata"]["mappings"] == [{"device": "vda", "virtual": "ami"}]
    assert images["volume-backed"]["metadata"]["block_device_mapping"][0]["volume_size"] == 10
    assert images["enormous"]["minRam"] == 2147483647
    oddities = images['Zürich "ハード" & <test>']["metadata"]
    assert oddities["description"] == ""
    assert oddities["org:name"] == "Example Org"
    assert images["cirros-base"]["created"] == "2024-01-15T08:00:00Z"


def test_sizes_are_exact_and_never_null(client_of):
    """2^53 + 1 survives, and an image without data has 0 bytes."""
    images = by_name(client_of("2026.2").list().images)
    assert images["enormous"][SIZE] == 2**53 + 1
    assert images["reserved"][SIZE] == 0


@pytest.mark.parametrize("release", RELEASES)
def test_listing_leaves_out_what_the_project_must_not_see(client_of, release):
    """Hidden, community, strangers', killed and deleted images never show; public ones do."""
    names = client_of(release).list().names
    assert not {
        "out-of-sight",
        "community-built",
        "strangers-secret",
        "failed-upload",
        "gone",
    }.intersection(names)
    assert "volume-backed" in names
    assert len(names) == 13


@pytest.mark.parametrize("release", RELEASES)
def test_order_is_newest_first(client_of, release):
    """Descending by created, then by id."""
    images = client_of(release).list().images
    keys = [(image["created"], image["id"]) for image in images]
    assert keys == sorted(keys, reverse=True)
    assert len({created for created, _ in keys}) < len(keys)


def test_own_project_is_filled_into_the_seed(client_of):
    """The seed's `$project` becomes the cloud's project id."""
    client = client_of("2026.2")
    images = by_name(client.list().images)
    assert images["cirros-base"]["metadata"]["owner_id"] == client.project_id


def test_one_broken_property_poisons_the_listing(client_of, tmp_path):
    """A block_device_mapping that is no JSON makes the whole listing a 500."""
    seed = tmp_path / "seed.json"
    seed.write_text(
        '[{"id": "70a599e0-0001-4b49-8b26-000000000001", "name": "x", "status": "active",'
        '"owner": "$project", "created_at": "2024-01-15T08:00:00Z",'
        '"updated_at": "2024-01-15T08:00:00Z", "properties": {"block_device_mapping": "["}}]'
    )
    answer = client_of("2026.2", seed=seed).list()
    assert answer.status == 500
    assert answer.json["computeFault"]["message"].endswith("<class 'json.decoder.JSONDecodeError'>")
