"""`imagedetail diff` and `import` of saved bodies: redaction hides no difference."""

import json

from unit import changed, image_of

from pytest_imagedetail.settings import PROFILES

PROJECT = "3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"
ORIGINS = {
    "https://compute.a.invalid": "http://10.0.0.5:8774",
    "https://image.a": "http://10.0.0.6",
}


def person(number):
    return f"{number:02d}9c4e8b7d41c6a5e0f9d8c7b6a59{number:03d}"


def image(number):
    metadata = {
        "os_type": "linux",
        "note": f"see http://cdn.corp.test/{number}?v=1#a",
        "owner_id": person(number),
        "user_id": person(90 + number),
    }
    text = json.dumps(image_of(number, metadata=metadata, project=PROJECT))
    for redacted, sent in ORIGINS.items():
        text = text.replace(redacted, sent)
    return json.loads(text)


IMAGES = [image(1), image(2), image(3)]


def test_what_redaction_touches_is_compared_all_the_same(imagedetail, tmp_path):
    """Another owner or part of a URL is a difference at its path, and no secret is printed."""
    note = IMAGES[1]["metadata"]["note"]
    (tmp_path / "a.json").write_text(json.dumps({"images": IMAGES}))
    for key, to in (
        ("owner_id", person(50)),
        ("note", note.replace("cdn", "mirror")),
        ("note", note.replace("test/", "test:8080/")),
        ("note", note.replace("v=1", "v=2")),
        ("note", note.replace("#a", "#b")),
        ("note", "see http://10.9.9.8/b"),
        ("os_type", "password=hunter22"),
    ):
        new = {"images": changed(IMAGES, 1, "metadata", key, to=to)}
        (tmp_path / "b.json").write_text(json.dumps(new))
        for profile in PROFILES:
            arguments = ("a.json", "b.json", "--profile", profile, "--json")
            printed = imagedetail("diff", *arguments).stdout
            for secret in ("10.0.0.", "corp.test", "hunter2", PROJECT, person(1), person(91)):
                assert secret not in printed, (key, profile)
            found = [(e["kind"], e["path"]) for e in json.loads(printed)["differences"]]
            wanted = [("value_changed", f"images[{IMAGES[1]['id']}].metadata.{key}")]
            if key.endswith("_id") and profile == "cross-cloud":
                wanted = []  # R14: each owner is that of one image, as before
            assert found == wanted, (key, profile)


def test_another_services_list_is_refused_and_a_part_kept_as_one(imagedetail, tmp_path):
    """Glance's list is not Nova's. A page with a next page is kept, and is not complete."""
    path = tmp_path / "saved.json"
    path.write_text('{"images": [], "first": "/v2/images", "schema": "/v2/schemas/images"}')
    for command in (("import", path.name, "--cloud=old"), ("diff", path.name, path.name)):
        done = imagedetail(*command)
        assert done.returncode == 2
        assert done.stderr.startswith("imagedetail: the body is Glance's list of images, not Nova")
    assert not (tmp_path / "cassettes").exists()
    for following, complete in (("http://x/y", False), (None, True)):
        path.write_text(json.dumps({"images": IMAGES, "next": following}))
        done = imagedetail("import", path.name, "--cloud=old")
        warned = "warning: saved.json shows that another page follows, so it is kept as a part"
        assert (warned in done.stderr) is not complete
        (listed,) = json.loads(imagedetail("ls", "--json").stdout)
        assert listed["complete"] is complete


def test_a_file_answers_its_own_query_only(imagedetail, tmp_path):
    """Another query is refused, not ignored. A saved body gets the query that is given."""
    (tmp_path / "old.json").write_text(json.dumps({"images": IMAGES}))
    imagedetail("import", "old.json", "--cloud=old", "--query=status=ACTIVE")
    (listed,) = json.loads(imagedetail("ls", "--json").stdout)
    for verb in (("show",), ("fingerprint",), ("diff", "old.json")):
        done = imagedetail(*verb, listed["path"], "--query=status=ERROR")
        assert (done.returncode, done.stdout) == (4, "")
        assert "holds the answer to query 'status=ACTIVE', not to 'status=ERROR'" in done.stderr
    done = imagedetail("diff", "old.json", listed["path"], "--query=status=ACTIVE", "--json")
    assert json.loads(done.stdout)["baseline"]["query"] == "status=ACTIVE"
