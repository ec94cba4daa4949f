"""Real and documented answers: what imports, what is refused, and a pair with a known verdict.

The bodies are in a folder beside the checkout; without it these tests are skipped.
"""

from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import BodyError
from pytest_imagedetail.fingerprint import fingerprint
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import importing, recorder
from pytest_imagedetail.settings import PROFILES

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
PAGES = [f"api-site-2012__samples-images-page{number}.json" for number in (1, 2, 3)]
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
    PAGES[0]: 1,
    PAGES[1]: 1,
    PAGES[2]: 1,
}

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of recorded answers is not beside this checkout"
)


def body(name):
    return (CORPUS / name).read_bytes()


def imported(data, *, cloud="a"):
    return importing.imported(importing.Saved(body=data, cloud=cloud, where="body.json"))


def listing(name, cloud="a"):
    return imported(body(name), cloud=cloud).listing


def test_a_listing_imports_and_is_the_same_as_itself(tmp_path):
    """Under every profile, before and after it was written and read again."""
    for number, (name, images) in enumerate(LISTINGS.items()):
        live = imported(body(name))
        store = Store(directory=tmp_path / str(number))
        recorder.keep(store, live)
        replayed = recorder.follow(store.load("a", Query()))
        for profile in PROFILES:
            comparison = compare(live.listing, replayed, profile=profile)
            assert (comparison.same, comparison.paired) == (True, images), (name, profile)


def test_a_page_with_a_next_link_is_a_part():
    """Only the last page of the three says that nothing follows."""
    assert [listing(name).complete for name in PAGES] == [False, False, True]


def test_the_same_cloud_under_two_paths():
    """HP Cloud 2012 under /v1.1 and /v2: one image more, and nothing else."""
    old = listing("legacy-jclouds-nova__image_list_detail.json", cloud="hp")
    new = listing("jclouds__image_list_detail.json", cloud="hp")
    (difference,) = compare(old, new).differences
    assert (difference.kind, difference.severity) == ("image_added", "data")
    assert difference.image.id == "2235"
    assert difference.path == "images[2235]"


def test_what_is_no_listing_is_refused():
    """With the line and column of the fault where there is one; never repaired."""
    for name, problem, where in (
        ("seed__k5_real.json", "not JSON: invalid control character", ", line 8, column 63"),
        ("synnefo__docs_list_detail.json", "not JSON: invalid", ", line 2, column 13"),
        ("deltacloud__images_unknown404_3.json", "JSON, but not a listing of images", ""),
    ):
        with pytest.raises(BodyError, match=f"^the body is {problem}") as caught:
            imported(body(name))
        assert caught.value.where == f"body.json{where}", name


def test_one_sample_in_both_forms():
    """Cloud Servers 1.0 documented the same two images in JSON and in XML."""
    one, other = (listing(f"compute-api-1.0__images.{form}") for form in ("json", "xml"))
    assert compare(one, other).same
    assert compare(one, other).normalization["R10"] == 1
    assert not compare(one, other, profile="wire").same


def test_nova_in_both_forms():
    """Folsom's sample in XML and Grizzly's in JSON: Grizzly has a size, and that is all."""
    old = listing("nova-folsom__v2_images-details-get-resp.xml")
    new = listing("nova-grizzly__v2_OS-EXT-IMG-SIZE-images-details-get-resp.json")
    found = compare(old, new).differences
    assert {(each.kind, each.path.rpartition(".")[2]) for each in found} == {
        ("field_added", "OS-EXT-IMG-SIZE:size")
    }


def test_a_float_on_the_wire_is_no_integer():
    """1.017415075e+09 and 1017415075 are one number and two JSON types."""
    name = "gophercloud-rackspace__ListOutput.json"
    integers = imported(body(name).replace(b"1.017415075e+09", b"1017415075")).listing
    (difference, *others) = compare(listing(name), integers).differences
    assert (difference.kind, difference.baseline, difference.candidate) == (
        "type_changed",
        1017415075.0,
        1017415075,
    )
    assert type(difference.baseline) is float
    assert type(difference.candidate) is int
    assert all(each.path.endswith("OS-EXT-IMG-SIZE:size") for each in others)


def test_a_size_as_text_is_no_number():
    """The samples of Stein and of today write the same size as a string and as a number."""
    old = listing("nova-stein__v2.1_images-images-details-get-resp.json")
    new = listing("nova-head__v2.1_images-images-details-get-resp.json")
    for one, other, severity in ((old, new, "compatible"), (new, old, "breaking")):
        differences = compare(one, other).differences
        sizes = [each for each in differences if each.path.endswith("OS-EXT-IMG-SIZE:size")]
        assert {(each.kind, each.severity) for each in sizes} == {("type_changed", severity)}


UNSENT = {
    "seed__k5_real_repaired.json": ["id is text, not a UUID"],
    "jclouds__image_list_detail.json": ["metadata.* is an integer, not a string or null"],
    "legacy-jclouds-nova__image_list_detail.json": [
        "metadata.* is an integer, not a string or null"
    ],
    "gophercloud-rackspace__ListOutput.json": ["OS-EXT-IMG-SIZE:size is a number, not an integer"],
    "nova-grizzly__v2_OS-EXT-IMG-SIZE-images-details-get-resp.json": [
        "OS-EXT-IMG-SIZE:size is a string, not an integer"
    ],
    "nova-stein__v2.1_images-images-details-get-resp.json": [
        "OS-EXT-IMG-SIZE:size is a string, not an integer"
    ],
}


def test_what_no_release_sends():
    """Sizes that Nova's samples have as texts, floats of one cloud, HP's numbers in metadata."""
    for name in LISTINGS.keys() - {*PAGES}:
        assert [each.seen for each in fingerprint([listing(name)]).unsent] == UNSENT.get(name, [])
