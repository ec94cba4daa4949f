"""Representation made comparable: what each rule does, and what none may touch."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.listing import read
from pytest_imagedetail.normalize import (
    RULES,
    Answer,
    normalize,
    rules_of,
    vendor_of,
    without_hosts,
)
from pytest_imagedetail.settings import PROFILES
from unit import (
    OTHER_PROJECT,
    PROJECT,
    image_of,
    listing_of,
    recording_of,
    snapshot_of,
    without,
)

COMPUTE = "https://compute.a.invalid"


def normalized(image, profile, **answer):
    return normalize(Answer(images=(image,), status_code=200, **answer), profile)


def linked(href, rel="self", id_="70a599e0-0001"):
    return {"id": id_, "links": [{"rel": rel, "href": href}]}


def href_after(href, profile, rel="self", id_="70a599e0-0001"):
    """What becomes of one link, and which rules say that they did it."""
    found = normalized(linked(href, rel, id_), profile)
    counts = {rule for rule, count in found.counts.items() if count and rule not in {"R6", "R13"}}
    return found.images[0]["links"][rel]["href"], counts


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_does_what_the_narrower_does(profile):
    """Rules are only ever added from wire to cross-cloud."""
    place = PROFILES.index(profile)
    for narrower in PROFILES[:place]:
        assert set(rules_of(narrower)) < set(rules_of(profile))


def test_rules_have_reason_and_source():
    """Each number once, in order, each with its words; only parsing cannot be counted."""
    assert [rule.id for rule in RULES] == sorted(
        {rule.id for rule in RULES}, key=lambda id_: int(id_[1:])
    )
    assert all(rule.name and rule.does and rule.reason and rule.source for rule in RULES)
    assert [rule.id for rule in RULES if rule.counts is None] == ["R4"]


def test_an_unknown_profile_is_refused():
    """With the known ones."""
    with pytest.raises(UsageError) as caught:
        normalized(image_of(), "strict")
    assert str(caught.value) == (
        "unknown profile 'strict'\n  next:  known: wire, same-cloud, cross-version, cross-cloud"
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_the_answer_is_not_changed(profile):
    """Normalizing gives new values and leaves the recording's alone."""
    image = snapshot_of(metadata={"rax_x": "1", "owner_id": PROJECT})
    beside = {"images_links": [{"rel": "next", "href": f"{COMPUTE}/v2/{PROJECT}/images?limit=1"}]}
    before = copy.deepcopy((image, beside))
    normalized(image, profile, top_level=beside)
    assert (image, beside) == before


def test_wire_changes_nothing():
    """No rule, no count."""
    found = normalized(image_of(), "wire")
    assert found.images == (image_of(),)
    assert found.counts == {}


def test_r1_own_id_in_links():
    """The element's id goes; another id stays, as does a longer path."""
    assert href_after("http://h/images/70a599e0-0001", "same-cloud") == (
        "http://h/images/<id>",
        {"R1"},
    )
    assert href_after("http://h/images/other", "same-cloud") == ("http://h/images/other", set())
    assert href_after("http://h/images/70a599e0-0001/x", "same-cloud")[1] == set()


def several(*hosts, rel="self"):
    """What becomes of the hosts of as many images' links."""
    images = [
        image_of(number, links=[{"rel": rel, "href": f"https://{host}/v2/images/{number}"}])
        for number, host in enumerate(hosts, start=1)
    ]
    normal = listing_of(*images).normalized("same-cloud").images
    return [each["links"][rel]["href"].split("/")[0] for each in normal]


def test_r2_of_compute_there_is_one_host():
    """That of most links; an image that leads to another one is seen, the first one or not."""
    own, other = "compute-2.a.invalid", "compute.a.invalid"
    assert several(own, own, own) == ["<compute>"] * 3
    assert several(other, own, own) == ["<another compute>", "<compute>", "<compute>"]
    assert several(own, own, other, own)[2] == "<another compute>"
    glance = ["image.a.invalid", "image-2.a.invalid", "image-2.a.invalid"]
    assert several(*glance, rel="alternate") == ["<image>"] * 3


def test_r2_of_two_hosts_with_as_many_links_the_endpoints_is_the_one():
    """Or that with the lower number: whichever image comes first, or comes to stand before it."""
    own, other = "compute.a.invalid", "compute-2.a.invalid"
    assert several(own, other) == ["<compute>", "<another compute>"]
    assert several(other, own) == ["<another compute>", "<compute>"]
    assert several(own, own, other) == ["<compute>", "<compute>", "<another compute>"]
    ten, two = "compute-10.a.invalid", "compute-2.a.invalid"
    assert several(ten, two) == ["<another compute>", "<compute>"]


def test_r2_another_service_is_not_the_one_of_compute():
    """However many links lead there."""
    glance = "image.a.invalid"
    found = several(glance, glance, glance, "compute-2.a.invalid", "compute.a.invalid")
    assert found == ["<image>"] * 3 + ["<another compute>", "<compute>"]


def hosted(image, old, new):
    """An image whose links of Compute lead elsewhere."""
    for link in image["links"][:2]:
        link["href"] = link["href"].replace(old, new)
    return image


@pytest.mark.parametrize("profile", PROFILES[1:])
@pytest.mark.parametrize(
    ("old", "new"),
    [("compute.a.invalid", "compute-2.a.invalid"), ("a.invalid/", "a.invalid/compute/")],
)
@pytest.mark.parametrize("number", [2, 3, 4])
def test_the_order_of_images_says_nothing_of_their_links(profile, old, new, number):
    """Nor of the one host and the one prefix of an answer that has two of them."""
    images = [image_of(each) for each in range(1, number + 1)]
    for image in images[: number // 2]:
        hosted(image, old, new)
    one, other = listing_of(*images), listing_of(*images[::-1])
    for baseline, candidate in ((one, other), (other, one)):
        found = compare(baseline, candidate, profile=profile).differences
        assert [each.kind for each in found] == ["order_changed"]
        assert compare(baseline, candidate, profile=profile, level="shape").same
    more = listing_of(image_of(9), *images)
    (added,) = compare(one, more, profile=profile).differences
    assert added.kind == "image_added"


@pytest.mark.parametrize("level", ["facts", "shape"])
@pytest.mark.parametrize("profile", ["same-cloud", "cross-version", "cross-cloud"])
def test_r2_an_image_that_leads_to_another_host_of_compute_breaks(level, profile):
    """Of one image or of its server, at every level and under every profile."""
    whole = [snapshot_of(number) for number in (1, 2, 3)]
    for server in (False, True):
        images = copy.deepcopy(whole)
        link = (images[1]["server"] if server else images[1])["links"][0]
        link["href"] = link["href"].replace("compute.", "compute-2.")
        one, other = listing_of(*whole), listing_of(*images)
        comparison = compare(one, other, level=level, profile=profile)
        (difference,) = comparison.differences
        assert difference.severity == "breaking"
        assert difference.any_image == f"images[*]{'.server' * server}.links.self.href"
        assert compare(other, one, level=level, profile=profile).breaking == ()


def test_r2_link_host():
    """Host and port go where the service is the one that the relation leads to."""
    for host in ("compute.a.invalid", "compute-2.a.invalid"):
        assert href_after(f"https://{host}/images/x", "same-cloud") == (
            "<compute>/images/x",
            {"R2"},
        )
    assert href_after("https://image-2.a.invalid/images/x", "same-cloud")[0] == "<image-2>/images/x"
    alternate = href_after("https://image.a.invalid/images/x", "same-cloud", rel="alternate")
    assert alternate == ("<image>/images/x", {"R2"})


@pytest.mark.parametrize(
    ("href", "after"),
    [
        ("/images/70a599e0-0001?a=1", "/images/70a599e0-0001?a=1"),
        ("/images/70a599e0-0001?", "/images/70a599e0-0001?"),
        ("/images/70a599e0-0001#", "/images/70a599e0-0001#"),
        ("/doc", "/doc"),
        ("", ""),
        ("/?next=https://image-2.a.invalid/x", "/?next=<image-2>/x"),
        ("/?next=https%3A%2F%2Fhost.a.invalid%2Fx", "/?next=%3Chost%3E%2Fx"),
        ("/?next=host.a.invalid", "/?next=<host host>"),
    ],
)
def test_r2_a_host_goes_from_whatever_link(href, after):
    """With the name of its cloud; all else of a link that no other rule knows stays."""
    assert href_after(f"{COMPUTE}{href}", "same-cloud")[0] == f"<compute>{after}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{COMPUTE}/doc", "compute.a.invalid/doc"),
        (f"{COMPUTE}/doc", "https://compute-2.a.invalid/doc"),
        (f"{COMPUTE}/images?", f"{COMPUTE}/images"),
        (f"{COMPUTE}/images#", f"{COMPUTE}/images"),
        (f"{COMPUTE}/images/1\n", f"{COMPUTE}/images/1"),
        (f" {COMPUTE}/images/1", f"{COMPUTE}/images/1"),
        ("v2/images/1", "/images/1"),
        ("x/images/1", "y/images/1"),
        (f"{COMPUTE}?https://image.a.invalid", f"{COMPUTE}?https%3A%2F%2Fimage.a.invalid"),
    ],
)
def test_r2_two_places_stay_two(one, other):
    """A host without its scheme, another host, and what taking a URL apart would lose."""
    links = [{"rel": "x", "href": one}, {"rel": "x", "href": other}]
    for kind, id_ in (("image", "1"), ("server", "1")):
        image = image_of(1, id=id_, links=links)
        if kind == "server":
            image = image_of(1, server={"id": id_, "links": links})
            image["server"]["links"] = json.loads(json.dumps(links).replace("images", "servers"))
        new = normalized(image, "cross-cloud").images[0]
        found = (new["server"] if kind == "server" else new)["links"]["x"]
        assert found[0] != found[1]


@pytest.mark.parametrize("level", ["facts", "shape"])
@pytest.mark.parametrize("host", ["compute-2", "image", "host"])
def test_r2_a_link_with_a_query_to_another_service_breaks(host, level):
    """Its host is compared by what it is."""

    def listing(service):
        href = f"https://{service}.a.invalid/v2/images/x?a=1"
        images = [image_of(number, links=[{"rel": "self", "href": href}]) for number in (1, 2, 3)]
        for image in images[:2]:
            image["links"][0]["href"] = href.replace(f"//{service}.", "//compute.")
        return listing_of(*images)

    (found,) = compare(listing("compute"), listing(host), level=level).differences
    assert (found.kind, found.severity) == ("link_changed", "breaking")
    assert not compare(listing(host), listing("compute"), level=level).same


def test_r2_fields_beside_the_images():
    """Their hosts go as those of links do, keys included; under wire they have the cloud's name."""

    def found(cloud, profile, host="compute"):
        place = f"https://{host}.{cloud}.invalid"
        other = {"at": [f"{place}/doc", f"{host}.{cloud}.invalid:1"], f"{place}/key": 1}
        return listing_of(image_of(cloud="a"), beside={"docs": other}).normalized(profile).answer

    assert found("a", "same-cloud").top_level == {
        "docs": {"at": ["<compute>/doc", "<compute host>:1"], "<compute>/key": 1}
    }
    assert found("a", "same-cloud") == found("b", "same-cloud")
    assert found("a", "same-cloud") != found("a", "same-cloud", host="compute-2")
    assert found("a", "wire") != found("b", "wire")
    both = {"https://host.a.invalid": 1, "https://host.b.invalid": 2}
    assert without_hosts(both) == both


def test_r3_project_in_links():
    """The caller's project goes; another one stays under every profile."""
    assert href_after(f"http://h/v2/{PROJECT}/images/x", "same-cloud") == (
        "http://h/v2/<project>/images/x",
        {"R3"},
    )
    for profile in PROFILES[1:]:
        assert OTHER_PROJECT in href_after(f"http://h/v2/{OTHER_PROJECT}/images/x", profile)[0]


def test_r4_is_parsing():
    """White space, escapes and key order are gone before any rule, even under wire."""
    one = read(recording_of('{"images": [{"id": "1", "u": "http:\\/\\/h", "n": "\\u00fc"}]}'))
    other = read(recording_of('{"images":[{"n":"ü","u":"http://h","id":"1"}]}'))
    assert compare(one, other, profile="wire").same


def test_r5_next_link():
    """Host, page size and marker go; the view that it leads to and its filters stay."""
    href = f"{COMPUTE}/v2/{PROJECT}/images/detail?marker={{}}&status=active&limit=2"
    image = image_of()

    def next_links(*markers):
        links = [{"rel": "next", "href": href.format(marker)} for marker in markers]
        return normalized(image, "same-cloud", top_level={"images_links": links})

    found = next_links(image["id"])
    assert found.answer.top_level["images_links"] == [
        {"rel": "next", "href": "<compute>/v2/<project>/images/detail?limit&marker&status=active"}
    ]
    assert found.counts["R5"] == 1
    again, once = next_links(image["id"], image["id"]).answer, found.answer
    assert again.top_level["images_links"] == once.top_level["images_links"] * 2
    assert next_links(image["id"], "7").answer != again
    (other,) = next_links("7").answer.top_level["images_links"]
    assert other["href"].endswith("?limit&marker=7&status=active")


def test_r5_next_links_of_pages():
    """Each page has its own marker, and one form stands for all; one page's link twice stays."""
    images = tuple(image_of(number) for number in (1, 2, 3))

    def shown(*numbers):
        links = [
            {"rel": "next", "href": f"{COMPUTE}/images/detail?marker={images[number]['id']}"}
            for number in numbers
        ]
        answer = Answer(images=images, status_code=200, top_level={"images_links": links})
        return len(normalize(answer, "same-cloud").answer.top_level["images_links"])

    assert [shown(0), shown(0, 1), shown(0, 1, 2)] == [1, 1, 1]
    assert [shown(0, 0), shown(0, 1, 1), shown(1, 0, 1)] == [2, 2, 2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("name=Z%FC", "name=Z%E4"),
        ("%FC=1", "%E4=1"),
        ("a=1", "a=1#b"),
        ("a=1", "a=1#"),
        ("a=%ED%A0%80", "a=%ED%A0%81"),
    ],
)
def test_r5_keeps_what_the_next_link_asks(one, other):
    """Also bytes that are no UTF-8, and what stands behind the query."""
    found = [
        normalized(
            image_of(),
            "cross-version",
            top_level={
                "images_links": [{"rel": "next", "href": f"{COMPUTE}/images/detail?{asked}"}]
            },
        ).answer.top_level["images_links"][0]["href"]
        for asked in (one, other)
    ]
    assert found == [f"<compute>/images/detail?{asked}" for asked in (one, other)]


def test_r5_half_a_character_stops_nothing():
    """JSON can write one, and then a URL holds it."""
    href = f"{COMPUTE}/images/detail?name=\ud800"
    listing = listing_of(image_of(), beside={"images_links": [{"rel": "next", "href": href}]})
    assert compare(listing, listing).same
    assert not compare(listing, listing_of(image_of())).same


def test_r5_next_link_of_a_part():
    """A part leads on from its last image; a whole listing of pages from any of its images."""
    images = image_of(1), image_of(2)
    links = [{"rel": "next", "href": f"{COMPUTE}/images/detail?marker={images[0]['id']}"}]
    shown = [
        normalize(
            Answer(
                images=images,
                status_code=200,
                top_level={"images_links": links},
                complete=complete,
            ),
            "same-cloud",
        ).answer.top_level["images_links"][0]["href"]
        for complete in (True, False)
    ]
    assert shown == [
        "<compute>/images/detail?marker",
        f"<compute>/images/detail?marker={images[0]['id']}",
    ]


@pytest.mark.parametrize(
    "links", [{}, "x", [{"href": "x"}], [{"rel": "next", "href": "http://[x/images"}], []]
)
def test_r5_leaves_what_is_no_next_link(links):
    """It is compared as it was sent."""
    found = normalized(image_of(), "cross-cloud", top_level={"images_links": links})
    assert found.answer.top_level["images_links"] == links


@pytest.mark.parametrize("field", ["server", "metadata", "links"])
@pytest.mark.parametrize("value", [None, "None", [1], 7])
def test_no_rule_changes_what_is_no_object(field, value):
    """A field of another form than the API's stays as sent, in XML too."""
    image = {"id": "1", field: value}
    found = normalized(image, "cross-cloud", media_types=("application/xml",)).images[0]
    assert found[field] == value


def test_a_server_link_with_a_query_keeps_all_but_its_host():
    """It is no link of a server."""
    href = f"{COMPUTE}/v2/{PROJECT}/servers/x?a=1"
    image = {"id": "1", "server": {"id": "x", "links": [{"rel": "self", "href": href}]}}
    found = normalized(image, "cross-version").images[0]
    assert found["server"]["links"]["self"]["href"] == f"<compute>/v2/{PROJECT}/servers/x?a=1"


def test_r6_link_order():
    """Links are found by relation; one that stands twice is kept twice."""
    two = [{"rel": "bookmark", "href": "x"}, {"rel": "bookmark", "href": "y"}]
    image = {"id": "1", "links": [*two, {"rel": "self", "href": "z", "type": "t"}]}
    found = normalized(image, "same-cloud")
    assert found.images[0]["links"] == {
        "bookmark": [{"href": "x"}, {"href": "y"}],
        "self": {"href": "z", "type": "t"},
    }
    assert found.counts["R6"] == 1


def forms_of(found, path):
    """How the links of a path are written."""
    return [str(each) for each in found.answer.link_forms[path]]


@pytest.mark.parametrize("version", ["v1.1", "v2", "v2.0", "v2.1", "compute/v2.1", "a/b/v2"])
def test_r7_version_in_links(version):
    """Every version, with or without a prefix, is the same; narrower profiles keep it."""
    href = f"http://h/{version}/images/x"
    assert href_after(href, "cross-version") == ("http://h/<v>/images/x", {"R7"})
    assert href_after(href, "same-cloud") == (href, set())


def test_r7_prefix():
    """What stands before the version is the prefix of all links; the form of links tells of it."""
    image = {
        "id": "70a599e0-0001",
        "links": [
            {"rel": "self", "href": "http://h/compute/v2.1/images/70a599e0-0001"},
            {"rel": "bookmark", "href": "http://h/compute/images/70a599e0-0001"},
            {"rel": "x", "href": "http://h/other/images/70a599e0-0001"},
            {"rel": "y", "href": "http://h//v2.1/images/70a599e0-0001"},
        ],
    }
    found = normalized(image, "cross-version")
    assert {rel: link["href"] for rel, link in found.images[0]["links"].items()} == {
        "self": "http://h/<v>/images/<id>",
        "bookmark": "http://h/images/<id>",
        "x": "http://h/other/images/<id>",
        "y": "http://h//v2.1/images/<id>",
    }
    assert forms_of(found, "images[*].links.self") == ["/<prefix>/<v>/images/<id>"]
    assert forms_of(found, "images[*].links.bookmark") == ["/<prefix>/images/<id>"]
    assert found.counts["R7"] == 2


def test_r8_of_a_server():
    """The links of a server have a form too."""
    found = normalized(snapshot_of(), "cross-version")
    assert forms_of(found, "images[*].server.links.bookmark") == ["/<project>/servers/<server>"]


def test_r8_project_presence():
    """With or without the project is the same link, and a form of the whole answer."""
    with_, without_ = (f"{COMPUTE}/v2.1{part}/images/x" for part in (f"/{PROJECT}", ""))
    found = [normalized(linked(href), "cross-version") for href in (with_, without_)]
    assert found[0].images == found[1].images
    assert [forms_of(each, "images[*].links.self") for each in found] == [
        ["/<v>/<project>/images/<id>"],
        ["/<v>/images/<id>"],
    ]
    assert [each.counts["R8"] for each in found] == [1, 0]


@pytest.mark.parametrize(
    ("date", "after"),
    [
        ("2010-10-10T12:00:00Z", "2010-10-10T12:00:00Z"),
        ("2010-10-10T07:00:00-05:00", "2010-10-10T12:00:00Z"),
        ("2010-10-10T12:00:00+00:00", "2010-10-10T12:00:00Z"),
        ("2010-10-10T12:00:00", "2010-10-10T12:00:00Z"),
        ("2010-10-10 12:00:00.123456", "2010-10-10T12:00:00Z"),
        ("2010-10-10T12:00:00.9Z", "2010-10-10T12:00:00Z"),
        ("1972-01-01_15-59-11", "1972-01-01_15-59-11"),
        ("2010-13-10T12:00:00Z", "2010-13-10T12:00:00Z"),
        ("0001-01-01T00:00:00+09:00", "0001-01-01T00:00:00+09:00"),
        ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00Z"),
        ("2010-10-10", "2010-10-10"),
        ("", ""),
        (None, None),
        (1286712000, 1286712000),
    ],
)
def test_r9_date_form(date, after):
    """The same second in every spelling; what is no date stays as sent."""
    found = normalized({"id": "1", "created": date, "updated": date}, "cross-version")
    assert found.images[0] == {"id": "1", "created": after, "updated": after}
    assert found.counts["R9"] == 2 * (date != after)
    assert normalized({"id": "1", "created": date}, "same-cloud").images[0]["created"] == date


def test_r10_is_for_xml_only():
    """In an answer in XML `None` in metadata is null, and integers count; in JSON it is text."""
    image = image_of(metadata={"a": "None", "b": "none", "c": None}, name="None")
    found = normalized(image, "cross-version", media_types=("application/xml",))
    assert found.images[0]["metadata"] == {"a": None, "b": "none", "c": None}
    assert found.images[0]["name"] == "None"
    assert found.counts["R10"] == 5
    as_json = normalized(image, "cross-version")
    assert as_json.images[0]["metadata"] == image["metadata"]
    assert as_json.counts["R10"] == 0
    narrower = normalized(image, "same-cloud", media_types=("application/xml",))
    assert narrower.images[0]["metadata"] == image["metadata"]


LATER = [
    ("OS-EXT-IMG-SIZE:size", "folsom", "grizzly"),
    ("minRam", "diablo", "essex"),
    ("minDisk", "diablo", "essex"),
    ("alternate", "diablo", "essex"),
    ("metadata", "cactus", "diablo"),
]


def with_and_without(field):
    """Two images, and the same two without a field or link."""
    path = ("links", 2) if field == "alternate" else (field,)
    images = [image_of(number, **{"OS-EXT-IMG-SIZE:size": 7}) for number in (1, 2)]
    return images, [without(image, *path) for image in images]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("field", "before", "since"), LATER)
def test_r11_what_a_release_never_had(profile, field, before, since):
    """Not offered, in both directions, counted by images; narrower profiles do not ask."""
    whole, part = with_and_without(field)
    newer, older = listing_of(*whole, release=since), listing_of(*part, release=before)
    lost = "data" if "SIZE" in field else "breaking"  # not promised before Stein
    for one, other, severity, why in (
        (older, newer, "compatible", f"not offered: {before} never had it"),
        (newer, older, lost, f"not offered: {before} never had it; the baseline's release has"),
    ):
        found = compare(one, other, profile=profile)
        if profile in {"wire", "same-cloud"}:
            assert "R11" not in found.normalization
            assert not any("not offered" in each.reason for each in found.differences)
            continue
        (difference,) = found.differences
        assert difference.severity == severity
        assert difference.reason == why
        assert found.normalization["R11"] == 2


@pytest.mark.parametrize(("field", "before", "since"), LATER)
def test_r11_is_never_inferred(field, before, since):
    """Without a declared release, or with one that had the field, it is lost."""
    whole, part = with_and_without(field)
    for release in (None, since):
        found = compare(listing_of(*whole, release="2026.2"), listing_of(*part, release=release))
        assert found.normalization["R11"] == 0
        assert found.breaking
        assert not any("not offered" in each.reason for each in found.differences)


def test_r11_is_about_whole_fields():
    """A field that no release has, a key of the metadata, and a value are no known absence."""
    found = compare(
        listing_of(image_of(metadata={"minRam": "1"}, minDisk=1), release="diablo"),
        listing_of(image_of(metadata={}, vendor="x"), release="essex"),
    )
    assert {each.kind for each in found.differences} == {
        "field_added",
        "field_removed",
        "value_changed",
    }
    assert found.normalization["R11"] == 0


def test_r12_is_pairing():
    """Across clouds an image is found by its name, with its ids normalized."""
    found = compare(
        listing_of(image_of(1, name="x", **{"OS-EXT-IMG-SIZE:size": 5})),
        listing_of(image_of(2, name="x", **{"OS-EXT-IMG-SIZE:size": 5}, cloud="b"), cloud="b"),
        profile="cross-cloud",
    )
    assert found.same
    assert found.paired == 1
    assert found.normalization["R12"] == 1
    one = listing_of(image_of())
    assert compare(one, one, profile="cross-cloud").normalization["R12"] == 0


def test_r13_ids_in_values():
    """The own id in values, the server's in its three places, and nothing shorter than an id."""
    image = snapshot_of()
    id_ = image["id"]
    image["metadata"] |= {"text": f"image_id={id_}.", "part": f"x{id_}", "n": 1, "null": None}
    found = normalized(image, "cross-cloud")
    new = found.images[0]
    assert new["id"] == "<id>"
    assert new["metadata"] == {
        "architecture": "x86_64",
        "instance_uuid": "<server-1>",
        "text": "image_id=<id>.",
        "part": f"x{id_}",
        "n": 1,
        "null": None,
    }
    assert new["server"] == {
        "id": "<server-1>",
        "links": {
            "self": {"href": "<compute>/<v>/servers/<server>"},
            "bookmark": {"href": "<compute>/servers/<server>"},
        },
    }
    assert found.counts["R13"] == 4
    short = normalized({"id": "13", "metadata": {"os": "2013"}}, "cross-cloud")
    assert short.images[0]["metadata"] == {"os": "2013"}


def test_r13_references():
    """An image that is not in the answer has a name; one that is, and what is no id, stay."""
    gone = "70a599e0-0009-4b49-8b26-000000000009"
    one = image_of(1, metadata={"kernel_id": gone, "ramdisk_id": "nokernel"})
    two = image_of(2, metadata={"kernel_id": gone, "base_image_ref": one["id"]})
    found = normalize(Answer(images=(one, two), status_code=200), "cross-cloud")
    assert [image["metadata"] for image in found.images] == [
        {"kernel_id": "<unmatched-1>", "ramdisk_id": "nokernel"},
        {"kernel_id": "<unmatched-1>", "base_image_ref": one["id"]},
    ]


def test_r13_names_of_two_clouds():
    """Names are matched by the images that were paired, whatever the order that they came in."""
    servers = ["9168b536-cd40-4630-b43f-b259807c6e87", "9168b536-cd40-4630-b43f-b259807c6e88"]
    there = [snapshot_of(number, server) for number, server in enumerate(servers)]
    back = [snapshot_of(number, server) for number, server in enumerate(servers)][::-1]
    found = compare(listing_of(*there), listing_of(*back), profile="cross-cloud")
    assert [each.kind for each in found.differences] == ["order_changed"]


def test_r13_keeps_the_type_of_an_id():
    """1361 and "1361" are not the same id across clouds either."""
    ids = [normalized({"id": id_}, "cross-cloud").images[0]["id"] for id_ in (1361, 743, "1361")]
    assert ids == [0, 0, "counted <id>"]


UUIDS = "9168b536-cd40-4630-b43f-b259807c6e87", "9168b536-cd40-4630-b43f-b259807c6e88"
FORMS_OF_IDS = {
    "{}": UUIDS,
    "counted {}": ("1361", "743"),
    "{} without dashes": tuple(each.replace("-", "") for each in UUIDS),
}
NO_IDS = ("", "None", "null", "-1", UUIDS[0].upper(), f"{UUIDS[0]}\n", "٣")


def test_r13_is_for_ids_of_one_form():
    """A UUID, a number and a UUID without its dashes are three forms; what is none stays."""
    for form, ids in FORMS_OF_IDS.items():
        for id_ in ids:
            assert normalized({"id": id_}, "cross-cloud").images[0]["id"] == form.format("<id>")
    for text in NO_IDS:
        new = normalized(snapshot_of(server=text, id=text), "cross-cloud").images[0]
        found = (new["id"], new["server"]["id"], new["metadata"]["instance_uuid"])
        assert found == (text, text, text)


@pytest.mark.parametrize("form", FORMS_OF_IDS)
@pytest.mark.parametrize("other", [*FORMS_OF_IDS, *NO_IDS])
def test_r13_an_id_of_another_form_is_another_id(form, other):
    """Of an image or its server; with ids of one form nothing differs, whichever they are."""
    one = FORMS_OF_IDS[form][0]
    another = FORMS_OF_IDS[other][1] if other in FORMS_OF_IDS else other
    here = listing_of(snapshot_of(server=one), image_of(2, id=one, links=[]), cloud="a")
    there = listing_of(snapshot_of(server=another), image_of(2, id=another, links=[]), cloud="b")
    for baseline, candidate in ((here, there), (there, here)):
        comparison = compare(baseline, candidate, profile="cross-cloud")
        found = {
            each.any_image.removeprefix("images[*]."): each.severity
            for each in comparison.differences
            if each.kind == "value_changed"
        }
        if form == other:
            assert comparison.same
            continue
        assert found.keys() == {"id", "server.id", "metadata.instance_uuid"}
        assert found["metadata.instance_uuid"] == found["server.id"] == "data"
        if form == "{}":
            assert found["id"] == ("breaking" if baseline is here else "compatible")


def test_r13_counted_servers_are_matched():
    """Before Diablo a cloud counts its servers: each cloud in its own way, one for one."""
    here = listing_of(*(snapshot_of(number, server) for number, server in ((1, "5"), (2, "7"))))
    for servers, same in ((("8", "3"), True), (("8", "8"), False)):
        there = [snapshot_of(number, server) for number, server in enumerate(servers, start=1)]
        assert compare(here, listing_of(*there), profile="cross-cloud").same is same


def test_r1_an_empty_id_ends_no_link():
    """A link to `images/` leads to all of them; one to `servers/` is what Nova makes of ""."""
    found = normalized(snapshot_of(server="", id="", links=image_of(id="")["links"]), "same-cloud")
    server_links = found.images[0]["server"]["links"]
    assert all(each["href"].endswith("servers/<server>") for each in server_links.values())
    assert href_after(f"{COMPUTE}/images/", "same-cloud", id_="")[0] == "<compute>/images/"


def test_r14_owner_in_metadata():
    """The caller's project and any user go; another project stays."""
    metadata = {"owner_id": PROJECT, "user_id": OTHER_PROJECT, "project_id": OTHER_PROJECT}
    found = normalized({"id": "1", "metadata": metadata}, "cross-cloud")
    assert found.images[0]["metadata"] == {
        "owner_id": "<project>",
        "user_id": "<user-1>",
        "project_id": OTHER_PROJECT,
    }
    assert found.counts["R14"] == 2


def test_r15_vendor_namespaces():
    """A vendor's keys are compared with the same vendor's; of one side only they are listed."""
    rackspace = listing_of(image_of(metadata={"rax_a": "1", "os": "x"}))
    other = listing_of(image_of(metadata={"rax_a": "2", "os": "x"}))
    hp = listing_of(image_of(metadata={"hp_b": "1", "os": "x"}))
    paths = [
        [
            (each.kind, each.path, each.baseline, each.candidate)
            for each in compare(rackspace, side, profile="cross-cloud").differences
        ]
        for side in (other, hp)
    ]
    id_ = image_of()["id"]
    assert paths[0] == [("value_changed", f"images[{id_}].metadata.rax_a", "1", "2")]
    assert [each[:2] for each in paths[1]] == [
        ("vendor_added", "images[*].metadata"),
        ("vendor_removed", "images[*].metadata"),
    ]
    assert (paths[1][0][3], paths[1][1][2]) == (["hp_b"], ["rax_a"])
    assert rackspace.normalized("cross-cloud").counts["R15"] == 1
    assert vendor_of("sync_status_reason") == "k5"
    assert vendor_of("os_type") is None


LINKS = st.lists(
    st.fixed_dictionaries(
        {"rel": st.sampled_from(["self", "bookmark", "x"]), "href": st.text(max_size=12)}
    ),
    max_size=3,
)


@given(LINKS, st.sampled_from(PROFILES))
def test_any_link_can_be_normalized(links, profile):
    """No href, however wrong, stops a comparison."""
    listing = listing_of({"id": "1", "links": links})
    assert compare(listing, listing, profile=profile).same


def test_a_link_that_is_no_url_stays_as_sent():
    """A bracket that opens no address is no reason to stop."""
    assert href_after("http://[x/images/1", "cross-cloud") == ("http://[x/images/1", set())


@pytest.mark.parametrize("profile", PROFILES)
def test_images_that_share_links_are_counted_each(profile):
    """What the rules did to three images is three times what they did to one."""
    images = tuple(image_of(number) for number in (1, 2, 3))
    one, three = (
        normalize(Answer(images=each, status_code=200), profile) for each in (images[:1], images)
    )
    links = ("R1", "R2", "R3", "R6", "R7", "R8")
    for rule in set(links) & set(three.counts):
        assert three.counts[rule] == 3 * one.counts[rule], rule


@pytest.mark.parametrize(
    "href",
    [
        "https://compute.a.invalid/v2/flavors/{id}",
        "https://elsewhere.example/images/x?of={id}",
        "https://compute.a.invalid/v2/{id}/images/{id}",
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_links_that_keep_their_id_are_no_other_images(profile, href):
    """Each image has its own, also where all that stands before the ids is the same."""
    images = tuple(
        image | {"links": [{"rel": "self", "href": href.format(id=image["id"])}]}
        for image in map(image_of, (1, 2))
    )
    found = normalize(Answer(images=images, status_code=200), profile).images
    for image, own, other in zip(found, images, reversed(images), strict=True):
        assert own["id"] in str(image["links"])
        assert other["id"] not in str(image["links"])


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [("href", None, "null_changed"), ("rel", 5, "type_changed"), ("rel", None, "null_changed")],
)
def test_one_link_that_is_none_leaves_its_siblings_alone(key, value, kind):
    """The broken one is found, and not another host in the others."""
    broken = image_of(cloud="b")
    broken["links"][1][key] = value
    found = compare(listing_of(image_of()), listing_of(broken, cloud="b")).differences
    rest = [each for each in found if each.path.endswith(f"links[1].{key}")]
    assert [each.kind for each in rest] == [kind]
    # A link without a relation is not rewritten, so its host shows, too.
    assert {each.path.rpartition("links")[2] for each in found} <= {f"[1].{key}", "[1].href"}


OTHER_LINKS = {
    "another image": (
        0,
        "href",
        f"https://compute.a.invalid/v2/{PROJECT}/images/{image_of(9)['id']}",
    ),
    "another project": (0, "href", f"https://compute.a.invalid/v2/{OTHER_PROJECT}/images/{{id}}"),
    "another service": (2, "href", "https://compute.a.invalid/images/{id}"),
    "another relation": (1, "rel", "self"),
    "another media type": (2, "type", "application/json"),
    "one more attribute": (1, "type", "application/json"),
}


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("change", OTHER_LINKS.values(), ids=OTHER_LINKS)
def test_one_image_of_five_with_other_links_is_found(change, number):
    """Links are guessed from those of the image before; a guess that is wrong is no equality."""
    place, key, value = change
    images = [image_of(each) for each in range(1, 6)]
    broken = [image_of(each) for each in range(1, 6)]
    own = broken[number - 1]
    own["links"][place][key] = value.format(id=own["id"])
    for one, other in ((images, broken), (broken, images)):
        found = compare(listing_of(*one), listing_of(*other)).differences
        assert {each.image.id for each in found if each.image} == {own["id"]}
