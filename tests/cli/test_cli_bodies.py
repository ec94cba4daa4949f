"""`imagedetail diff` of two saved bodies: each is redacted alone, and what changed is found."""

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
        "metadata": {
            "os_type": "linux",
            "note": f"see http://cdn.corp.test/{number}?v=1#a",
            **owners,
        },
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
        for secret in (
            "10.0.0.",
            "corp.test",
            "hunter2",
            PROJECT,
            ELSEWHERE,
            person(1),
            person(91),
        ):
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


def test_bookmarks_of_two_projects_are_equal(diff):
    """Without self links, they are what shows which host and project are the cloud's own."""
    one, other = body(), body(ELSEWHERE, "http://10.0.0.7:8774")
    for image in (*one["images"], *other["images"]):
        del image["links"][0]
    for profile in PROFILES[1:]:
        assert diff(one, other, profile) == []


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


def test_what_redaction_touches_is_compared_all_the_same(diff):
    """One image has another owner, or another part of a URL: found, and named."""
    image = "images[000000a2-1111-4222-8333-000000000001].metadata"
    for key, to in (
        ("owner_id", person(50)),
        ("user_id", person(97)),
        ("note", lambda text: text.replace("cdn", "mirror")),
        ("note", lambda text: text.replace("http", "https")),
        ("note", lambda text: text.replace("test/", "test:8080/")),
        ("note", lambda text: text.replace("v=1", "v=2")),
        ("note", lambda text: text.replace("#a", "#b")),
        ("note", "see http://10.9.9.8/b"),
        ("os_type", "password=hunter22"),
    ):
        new = edited(1, "metadata", key, to=to)
        for profile in PROFILES:
            wanted = [("value_changed", f"{image}.{key}")]
            if key.endswith("_id") and profile == "cross-cloud":
                wanted = []  # R14: each owner is that of one image, as before
            assert diff(body(), new, profile) == wanted, (key, profile)
            assert diff(new, body(), profile) == wanted, (key, profile)


def test_two_passwords_are_not_compared(tmp_path, capsys):
    """Both are one word; the verdict counts and lists them, as does the JSON."""
    for name, password in (("a.json", "hunter2-one"), ("b.json", "hunter2-two")):
        new = edited(1, "metadata", "db_password", to=password)
        new["images"][2]["metadata"]["note"] = f"https://cdn.corp.test/x?sig={password}"
        (tmp_path / name).write_text(json.dumps(new), encoding="utf-8")
    sides = [str(tmp_path / name) for name in ("a.json", "b.json")]
    paths = [
        "images[000000a2-1111-4222-8333-000000000001].metadata.db_password",
        "images[000000a3-1111-4222-8333-000000000002].metadata.note",
    ]
    assert main(["diff", *sides]) == 0
    printed = capsys.readouterr().out
    assert f"2 values were redacted and not compared: {', '.join(paths)}" in printed
    assert main(["diff", *sides, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["not_compared"] == {"count": 2, "paths": paths}
