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
from pytest_imagedetail.settings import LEVELS, PROFILES

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


def imported(data, *, cloud="a", status_code=200):
    return importing.imported(
        importing.Saved(body=data, cloud=cloud, status_code=status_code, where="body.json")
    )


def listing(name, cloud="a"):
    return imported(body(name), cloud=cloud).listing


@pytest.mark.parametrize(("name", "images"), LISTINGS.items())
def test_a_listing_imports_and_is_the_same_as_itself(name, images, tmp_path):
    """Under every profile, before and after it was written and read again."""
    live = imported(body(name))
    assert len(live.listing.images) == images
    store = Store(directory=tmp_path)
    recorder.keep(store, live)
    replayed = recorder.replay(store, "a", Query())
    for profile in PROFILES:
        comparison = compare(live.listing, replayed, profile=profile)
        assert comparison.same
        assert comparison.paired == images


@pytest.mark.parametrize("name", LISTINGS)
def test_the_name_of_a_cloud_says_nothing(name):
    """The same bytes under another name are the same answer, though redaction wrote the name."""
    one, other = listing(name, cloud="one"), listing(name, cloud="two-2.0")
    for profile in PROFILES[1:]:
        for level in LEVELS:
            assert compare(one, other, profile=profile, level=level).same, (profile, level)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_a_next_link_is_a_part(name):
    """Only the last page of the three says that nothing follows."""
    assert listing(name).complete is (name == PAGES[-1])


def test_the_same_cloud_under_two_paths():
    """HP Cloud 2012 under /v1.1 and /v2: one image more, and nothing else."""
    old = listing("legacy-jclouds-nova__image_list_detail.json", cloud="hp")
    new = listing("jclouds__image_list_detail.json", cloud="hp")
    (difference,) = compare(old, new).differences
    assert (difference.kind, difference.severity) == ("image_added", "data")
    assert difference.image.id == "2235"
    assert difference.path == "images[2235]"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "seed__k5_real.json",
            (
                "the body is not JSON: invalid control character\n"
                "  where: body.json, line 8, column 63\n"
                "  next:  ask the cloud again; "
                "a body is never repaired, for a repair would be a guess"
            ),
        ),
        (
            "synnefo__docs_list_detail.json",
            (
                "the body is not JSON: invalid control character\n"
                "  where: body.json, line 2, column 13\n"
                "  next:  ask the cloud again; "
                "a body is never repaired, for a repair would be a guess"
            ),
        ),
        (
            "deltacloud__images_unknown404_3.json",
            (
                "the body is JSON, but not a listing of images: "
                "it has no `images` (an object with itemNotFound)\n"
                "  where: body.json\n"
                "  next:  check that the URL ends in /images/detail and is Nova's, not Glance's"
            ),
        ),
    ],
)
def test_what_is_no_listing_is_refused(name, message):
    """With the line and column of the fault where there is one; never repaired."""
    with pytest.raises(BodyError) as caught:
        imported(body(name))
    assert str(caught.value) == message


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


def test_a_recorded_404_is_an_expected_error():
    """When the status is given, the answer is an answer."""
    live = imported(body("deltacloud__images_unknown404_3.json"), status_code=404)
    assert live.listing.error == {"code": 404, "message": "Image not found."}


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
    kinds = {
        (each.kind, each.severity)
        for each in compare(old, new).differences
        if each.path.endswith("OS-EXT-IMG-SIZE:size")
    }
    assert kinds == {("type_changed", "compatible")}
    back = {
        (each.kind, each.severity)
        for each in compare(new, old).differences
        if each.path.endswith("OS-EXT-IMG-SIZE:size")
    }
    assert back == {("type_changed", "breaking")}


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


@pytest.mark.parametrize("name", sorted(set(LISTINGS) - set(PAGES)))
def test_what_no_release_sends(name):
    """Sizes that Nova's samples have as texts, floats of one cloud, HP's numbers in metadata."""
    assert [each.seen for each in fingerprint([listing(name)]).unsent] == UNSENT.get(name, [])
