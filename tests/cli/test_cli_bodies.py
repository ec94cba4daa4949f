"""`imagedetail diff` of two saved bodies: redacted together, so nothing that changed is lost."""

import copy
import json

import pytest

from pytest_imagedetail.cli import main
from pytest_imagedetail.settings import PROFILES

PROJECT, ELSEWHERE = "3f2a9c4e8b7d41c6a5e0f9d8c7b6a594", "8c7b6a5943f2a9c4e8b7d41c6a5e0f9d"
NOVA, GLANCE = "http://10.0.0.5:8774", "http://10.0.0.6:9292"


def person(number):
    """The id of a user or a project."""
    return f"{number:02d}9c4e8b7d41c6a5e0f9d8c7b6a59{number:03d}"


def body(project=PROJECT, nova=NOVA, glance=GLANCE):
    """Six images, four of them with owners of their own."""
    return {"images": [_image(number, project, nova, glance) for number in range(6)]}


def _image(number, project, nova, glance):
    id_ = f"{0xA1 + number:08x}-1111-4222-8333-{number:012x}"
    owners = {"owner_id": person(number), "user_id": person(90 + number)} if number < 4 else {}
    return {
        "id": id_,
        "name": f"img-{number}",
        "status": "ACTIVE",
        "progress": 100,
        "minRam": 512,
        "minDisk": 1,
        "created": "2024-01-15T08:00:00Z",
        "updated": "2024-01-15T08:05:30Z",
        "OS-EXT-IMG-SIZE:size": 10**6 + number,
        "metadata": {"os_type": "linux", "note": f"from 10.9.9.8, by a{number}@x.com", **owners},
        "links": [
            {"rel": "self", "href": f"{nova}/v2.1/{project}/images/{id_}"},
            {"rel": "bookmark", "href": f"{nova}/{project}/images/{id_}"},
            {
                "rel": "alternate",
                "type": "application/vnd.openstack.image",
                "href": f"{glance}/images/{id_}",
            },
        ],
    }


@pytest.fixture
def diff(tmp_path, capsys):
    """Kind and path of every difference between two bodies; no secret of theirs is printed."""

    def run(one, other, profile="cross-version"):
        paths = tmp_path / "a.json", tmp_path / "b.json"
        for path, document in zip(paths, (one, other), strict=True):
            text = document if isinstance(document, str) else json.dumps(document)
            path.write_text(text, encoding="utf-8")
        main(["diff", *map(str, paths), "--profile", profile, "--json"])
        printed = capsys.readouterr().out
        for secret in ("10.0.0.", "10.9.9.", "x.com", PROJECT, ELSEWHERE, person(1), person(91)):
            assert secret not in printed
        return sorted((each["kind"], each["path"]) for each in json.loads(printed)["differences"])

    return run


def edited(*path, to):
    """The body with one value replaced; a function makes the new of the old one."""
    new = copy.deepcopy(body())
    *above, last = path
    place = new["images"]
    for key in above:
        place = place[key]
    place[last] = to(place[last]) if callable(to) else to
    return new


def test_a_repeated_key_is_found(diff):
    """Its last value is equal in both bodies, and another client reads the first one."""
    text = json.dumps(body())
    repeated = text.replace('"status": "ACTIVE"', '"status": "ERROR", "status": "ACTIVE"', 1)
    path = "images[000000a1-1111-4222-8333-000000000000]['status (repeated)']"
    for profile in PROFILES:
        assert diff(text, repeated, profile) == [("field_added", path)]
        assert diff(repeated, text, profile) == [("field_removed", path)]
        assert diff(repeated, repeated, profile) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_equal_bodies_are_the_same_under_other_names(diff, profile):
    """Byte for byte, so under wire, too."""
    assert diff(body(), body(), profile) == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("path", "to"),
    [
        ((1, "metadata", "owner_id"), person(50)),
        ((1, "metadata", "user_id"), person(97)),
        ((1, "metadata", "note"), lambda text: text.replace("10.9.9.8", "10.9.9.9")),
        ((1, "metadata", "note"), lambda text: text.replace("a1@", "b1@")),
        ((1, "metadata", "note"), "see http://10.9.9.8/b"),
        ((1, "metadata", "os_type"), "password=hunter22"),
    ],
)
def test_a_value_that_is_redacted_is_compared_all_the_same(diff, path, to, profile):
    """One image has another owner, address, person or secret: found, and named."""
    image = "images[000000a2-1111-4222-8333-000000000001].metadata"
    wanted = [("value_changed", f"{image}.{path[-1]}")]
    if path[-1] == "user_id" and profile == "cross-cloud":
        wanted = []  # R14: each cloud has users of its own, and it is one for one here
    assert diff(body(), edited(*path, to=to), profile) == wanted
    assert diff(edited(*path, to=to), body(), profile) == wanted


@pytest.mark.parametrize("profile", PROFILES[:3])
def test_every_owner_changed_is_no_equality(diff, profile):
    """Not one of them is who it was, though they could be renamed into each other."""
    new = body()
    for number, image in enumerate(new["images"][:4]):
        image["metadata"]["owner_id"] = person(70 + number)
    assert len(diff(body(), new, profile)) == 4


@pytest.mark.parametrize("profile", PROFILES)
def test_an_image_less_is_one_difference(diff, profile):
    """The others are what they were."""
    new = body()
    del new["images"][0]
    assert diff(body(), new, profile) == [
        ("image_removed", "images[000000a1-1111-4222-8333-000000000000]")
    ]


@pytest.mark.parametrize("profile", PROFILES[1:])
def test_another_project_that_asks_is_no_difference(diff, profile):
    """Nor are other hosts: who asks, and where, says nothing about the images."""
    new = body(project=ELSEWHERE, nova="http://192.168.7.7:8774", glance="http://192.168.7.8:9292")
    assert diff(body(), new, profile) == []


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize(
    ("was", "is_"), [(PROJECT, ELSEWHERE), (NOVA, GLANCE)], ids=["project", "service"]
)
def test_the_guilty_link_is_named(diff, number, was, is_):
    """One self link leads elsewhere, the first image's or another's: that one is found."""
    new = edited(number, "links", 0, "href", to=lambda href: href.replace(was, is_))
    image = f"images[{0xA1 + number:08x}-1111-4222-8333-{number:012x}]"
    found = diff(body(), new)
    assert ("link_changed", f"{image}.links.self.href") in found
    assert {path for _, path in found} <= {f"{image}.links.self.href", "images[*].links.self"}


def _without_self(document, how):
    """The body with its self links gone, or leading nowhere."""
    new = copy.deepcopy(document)
    for image in new["images"]:
        if how == "gone":
            del image["links"][0]
        else:
            image["links"][0]["href"] = how
    return new


@pytest.mark.parametrize("profile", PROFILES[1:])
@pytest.mark.parametrize(("how", "kind"), [("gone", "field"), ("", "link"), ("http://[", "link")])
def test_lost_self_links_are_the_one_difference(diff, how, kind, profile):
    """Who asked is known from the other body, so the links that are left lead where they led."""
    old, new = body(), _without_self(body(), how)
    for document in (old, new):
        document["images"][0]["metadata"]["owner_id"] = PROJECT
    below = "images[*].links.self" + (".href" if kind == "link" else "")
    lost, found = ("link_changed",) * 2 if kind == "link" else ("field_removed", "field_added")
    assert diff(old, new, profile) == [(lost, below)]
    assert diff(new, old, profile) == [(found, below)]
    assert diff(new, new, profile) == []


def test_a_bookmark_that_leads_elsewhere_is_named_without_self_links(diff):
    """Of the same host, the other body knows better who asked than links that changed."""
    old = edited(0, "metadata", "owner_id", to=ELSEWHERE)
    new = _without_self(old, "gone")
    for image in new["images"]:
        image["links"][0]["href"] = image["links"][0]["href"].replace(PROJECT, ELSEWHERE)
    assert ("link_changed", "images[*].links.bookmark.href") in diff(old, new)


def test_another_cloud_that_lost_its_self_links(diff):
    """Its bookmarks say who asked there."""
    new = _without_self(body(ELSEWHERE, nova="http://192.168.7.7:8774"), "gone")
    assert diff(body(), new) == [("field_removed", "images[*].links.self")]


def test_a_host_that_one_body_only_mentions_is_what_it_is_in_the_other(diff):
    """Glance moves to a host that a note named before: links are equal, whichever comes first."""
    old, new = body(), body(glance="http://10.0.0.7:9292")
    note = "moves to http://10.0.0.7:9292/ soon"
    for document in (old, new):
        document["images"][0]["metadata"]["note"] = note
    assert diff(old, new) == []
    assert diff(new, old) == []


def test_bodies_that_are_redacted_already_are_numbered_apart(diff):
    """Whoever redacted them counted anew in each: an image less is one difference."""
    old = body(project=f"{0:032x}")
    for number, image in enumerate(old["images"], start=1):
        image["metadata"].pop("user_id", None)
        image["metadata"]["owner_id"] = f"{number:032x}"
    new = copy.deepcopy(old)
    del new["images"][0]
    for number, image in enumerate(new["images"], start=1):
        image["metadata"]["owner_id"] = f"{number:032x}"
    assert diff(old, new) == [("image_removed", "images[000000a1-1111-4222-8333-000000000000]")]


FROM_ELSEWHERE = {
    "owner in a name": "AUTH_{:032x}",
    "person": "user-{}@example.invalid",
    "person in a URL": "/x?user=user-{}%40example.invalid",
    "secret in a URL": "/x?token=%3Credacted-{}%3E",
    "host": "see https://host-{}.k5.invalid/x",
    "v4": "at 192.0.2.{}",
    "v6": "at 2001:db8::{}",
    "interface": "02:00:00:00:00:0{}",
}


@pytest.mark.parametrize("profile", PROFILES[1:])
@pytest.mark.parametrize("note", FROM_ELSEWHERE.values(), ids=FROM_ELSEWHERE)
def test_whatever_was_redacted_in_them_is_numbered_apart(diff, note, profile):
    """The bodies hold nothing else that redaction writes: no owner, no host of a link."""

    def redacted(numbers):
        """Images without links, as a recording numbers them."""
        images = body()["images"][-len(numbers) :]
        for image, number in zip(images, numbers, strict=True):
            image.update(links=[], metadata={"note": note.format(number)})
        return {"images": images}

    old, new = redacted([1, 2, 3, 2]), redacted([1, 2, 1])
    assert diff(old, new, profile) == [
        ("image_removed", "images[000000a3-1111-4222-8333-000000000002]")
    ]
    assert [kind for kind, _ in diff(redacted([1, 2, 3]), redacted([1, 2, 1]), profile)] == [
        "value_changed"
    ]


@pytest.mark.parametrize("profile", PROFILES[:3])
@pytest.mark.parametrize("mine", ["192.0.2.7", "2001:db8::7", "02:00:00:00:00:07"])
def test_an_address_for_documentation_may_be_somebodys_own(diff, mine, profile):
    """Both bodies are as the cloud sent them, so every owner that changed is another one."""
    old = edited(0, "metadata", "note", to=f"at {mine}")
    new = copy.deepcopy(old)
    for number, image in enumerate(new["images"][:4]):
        image["metadata"]["owner_id"] = person(70 + number)
    assert len(diff(old, new, profile)) == 4
    new = edited(0, "metadata", "note", to=f"at {mine[:-1]}8")
    assert [kind for kind, _ in diff(old, new, profile)] == ["value_changed"]
