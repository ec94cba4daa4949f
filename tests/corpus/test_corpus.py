"""Published responses of real clouds are imported, written and replayed without a difference.

The bodies are in a folder beside the checkout. Without it, these tests are skipped.
"""

from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.compare import compare
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import importing, recorder
from pytest_imagedetail.settings import PROFILES

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
LISTINGS = {
    "seed__k5_real_repaired.json": 1,
    "seed__openstack_sample.json": 7,
    "legacy-jclouds-nova__image_list_detail.json": 17,
    "jclouds__image_list_detail.json": 18,
    "libcloud__openstack_v1.1_images_detail.json": 13,
    "gophercloud-rackspace__ListOutput.json": 2,
    "pkgcloud__rackspace_images.json": 41,
    "pkgcloud__openstack_images.json": 1,
    "fiteagle__tu-berlin_images.json": 1,
    "jclouds__image_list_with_block_device_mapping.json": 1,
    "deltacloud__images_detail_1.json": 1,
    "nova-grizzly__v2_OS-EXT-IMG-SIZE-images-details-get-resp.json": 7,
    "nova-stein__v2.1_images-images-details-get-resp.json": 7,
    "nova-head__v2.1_images-images-details-get-resp.json": 11,
    "compute-api-1.0__images.json": 2,
    "compute-api-1.0__images.xml": 2,
    "nova-folsom__v2_images-details-get-resp.xml": 7,
    **{f"api-site-2012__samples-images-page{number}.json": 1 for number in (1, 2, 3)},
}

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of responses is not beside this checkout"
)


def test_a_listing_is_the_same_after_it_was_written(tmp_path):
    for number, (name, images) in enumerate(LISTINGS.items()):
        live = importing.import_body((CORPUS / name).read_bytes(), cloud="a", where=name)
        store = Store(directory=tmp_path / str(number))
        recorder.keep(store, live)
        replayed = recorder.follow(store.load("a", Query()))
        for profile in PROFILES:
            comparison = compare(live.listing, replayed, profile=profile)
            assert (comparison.same, comparison.paired) == (True, images), (name, profile)
