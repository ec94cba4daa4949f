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
            path.write_text(json.dumps(document), encoding="utf-8")
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
