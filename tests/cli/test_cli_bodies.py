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


def test_importing_another_services_list_or_a_part(tmp_path, capsys, monkeypatch):
    """Glance's is refused; a page that another one follows is kept as what it is."""
    monkeypatch.chdir(tmp_path)
    image = {"id": "1", "name": "x", "min_ram": 0, "created_at": "2024-01-15T08:00:00Z"}
    glance = {"images": [image], "first": "/v2/images", "schema": "/v2/schemas/images"}
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(glance))
    for command in (
        ["import", "saved.json", "--cloud", "old"],
        ["diff", "saved.json", "saved.json"],
    ):
        assert main(command) == 2
        assert capsys.readouterr().err.startswith(
            "imagedetail: the body is Glance's list of images, not Nova's: it has `first` and "
            "`schema`\n  where: saved.json\n  next:  ask GET .../images/detail at the endpoint"
        )
    assert not (tmp_path / "cassettes").exists()
    for beside, complete in (({"next": "http://x/y"}, False), ({"next": None}, True)):
        path.write_text(json.dumps(body() | beside))
        assert main(["import", "saved.json", "--cloud", "old"]) == 0
        warned = "warning: saved.json shows that another page follows, so it is kept as a part"
        assert (warned in capsys.readouterr().err) is not complete
        assert main(["ls", "--json"]) == 0
        (listed,) = [each for each in json.loads(capsys.readouterr().out) if each["cloud"] == "old"]
        assert listed["complete"] is complete


def test_equal_bodies_are_the_same_under_other_names(diff):
    """Byte for byte, so under wire, too."""
    for profile in PROFILES:
        assert diff(body(), body(), profile) == []


def test_a_redacted_value_is_compared(diff):
    """One image has another owner, address, person or secret: found, and named."""
    image = "images[000000a2-1111-4222-8333-000000000001].metadata"
    for key, to in (
        ("owner_id", person(50)),
        ("user_id", person(97)),
        ("note", lambda text: text.replace("10.9.9.8", "10.9.9.9")),
        ("note", lambda text: text.replace("a1@", "b1@")),
        ("note", "see http://10.9.9.8/b"),
        ("os_type", "password=hunter22"),
    ):
        for profile in PROFILES:
            wanted = [("value_changed", f"{image}.{key}")]
            if key == "user_id" and profile == "cross-cloud":
                wanted = []  # R14: each cloud has users of its own, and it is one for one here
            new = edited(1, "metadata", key, to=to)
            assert diff(body(), new, profile) == wanted, (key, profile)
            assert diff(new, body(), profile) == wanted, (key, profile)


def test_other_owners_everywhere_are_differences(diff):
    """Though they could be renamed into each other."""
    new = body()
    for number, image in enumerate(new["images"][:4]):
        image["metadata"]["owner_id"] = person(70 + number)
    for profile in PROFILES[:3]:
        assert len(diff(body(), new, profile)) == 4


def test_a_lost_image_is_one_difference(diff):
    new = body()
    del new["images"][0]
    for profile in PROFILES:
        assert diff(body(), new, profile) == [
            ("image_removed", "images[000000a1-1111-4222-8333-000000000000]")
        ]


def test_another_project_that_asks_is_no_difference(diff):
    """Nor are other hosts: who asks, and where, says nothing about the images."""
    new = body(project=ELSEWHERE, nova="http://192.168.7.7:8774", glance="http://192.168.7.8:9292")
    for profile in PROFILES[1:]:
        assert diff(body(), new, profile) == []


def test_the_one_wrong_link_is_named(diff):
    """The self link of the first image or of another one leads elsewhere."""
    for was, is_ in ((PROJECT, ELSEWHERE), (NOVA, GLANCE)):
        for number in (0, 2):
            new = edited(
                number, "links", 0, "href", to=lambda href, was=was, is_=is_: href.replace(was, is_)
            )
            image = f"images[{0xA1 + number:08x}-1111-4222-8333-{number:012x}]"
            found = diff(body(), new)
            assert ("link_changed", f"{image}.links.self.href") in found
            assert {path for _, path in found} <= {
                f"{image}.links.self.href",
                "images[*].links.self",
            }


def _without_self(document, how):
    """The body with its self links gone, or leading nowhere."""
    new = copy.deepcopy(document)
    for image in new["images"]:
        if how == "gone":
            del image["links"][0]
        else:
            image["links"][0]["href"] = how
    return new


def test_lost_self_links_are_the_one_difference(diff):
    """The other body shows the endpoint, so the links that remain are equal."""
    for how in ("gone", "", "http://["):
        old, new = body(), _without_self(body(), how)
        for document in (old, new):
            document["images"][0]["metadata"]["owner_id"] = PROJECT
        below = "images[*].links.self" + ("" if how == "gone" else ".href")
        lost, found = ("field_removed", "field_added") if how == "gone" else ("link_changed",) * 2
        for profile in PROFILES[1:]:
            assert diff(old, new, profile) == [(lost, below)], (how, profile)
            assert diff(new, old, profile) == [(found, below)], (how, profile)
            assert diff(new, new, profile) == [], (how, profile)


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
    """Each was numbered on its own, so a lost image is one difference."""
    old = body(project=f"{0:032x}")
    for number, image in enumerate(old["images"], start=1):
        image["metadata"].pop("user_id", None)
        image["metadata"]["owner_id"] = f"{number:032x}"
    new = copy.deepcopy(old)
    del new["images"][0]
    for number, image in enumerate(new["images"], start=1):
        image["metadata"]["owner_id"] = f"{number:032x}"
    assert diff(old, new) == [("image_removed", "images[000000a1-1111-4222-8333-000000000000]")]


FROM_ELSEWHERE = (
    "AUTH_{:032x}",
    "user-{}@example.invalid",
    "/x?user=user-{}%40example.invalid",
    "/x?token=%3Credacted-{}%3E",
    "see https://host-{}.k5.invalid/x",
    "at 192.0.2.{}",
    "at 2001:db8::{}",
    "02:00:00:00:00:0{}",
)


def test_bodies_with_any_placeholder_are_numbered_apart(diff):
    """The bodies hold nothing else that redaction writes: no owner, no host of a link."""

    def redacted(note, numbers):
        """Images without links, as a recording numbers them."""
        images = body()["images"][-len(numbers) :]
        for image, number in zip(images, numbers, strict=True):
            image.update(links=[], metadata={"note": note.format(number)})
        return {"images": images}

    for note in FROM_ELSEWHERE:
        old, new = redacted(note, [1, 2, 3, 2]), redacted(note, [1, 2, 1])
        for profile in PROFILES[1:]:
            assert diff(old, new, profile) == [
                ("image_removed", "images[000000a3-1111-4222-8333-000000000002]")
            ], note
            changed = diff(redacted(note, [1, 2, 3]), redacted(note, [1, 2, 1]), profile)
            assert [kind for kind, _ in changed] == ["value_changed"], note


def test_an_address_for_documentation_may_be_real(diff):
    """Both bodies are as the cloud sent them, so every owner that changed is another one."""
    for mine in ("192.0.2.7", "2001:db8::7", "02:00:00:00:00:07"):
        old = edited(0, "metadata", "note", to=f"at {mine}")
        new = copy.deepcopy(old)
        for number, image in enumerate(new["images"][:4]):
            image["metadata"]["owner_id"] = person(70 + number)
        for profile in PROFILES[:3]:
            assert len(diff(old, new, profile)) == 4
            other = edited(0, "metadata", "note", to=f"at {mine[:-1]}8")
            assert [kind for kind, _ in diff(old, other, profile)] == ["value_changed"]
