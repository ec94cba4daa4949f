"""`imagedetail scrub`: recordings of other tools, as files, as folders, and in place."""

import base64
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import vcr
from planting import is_in

from pytest_imagedetail.body import yaml
from pytest_imagedetail.cassette import dumps, load

LIBRARY = Path(__file__).parents[2] / "cassettes"
SCHEMA_1 = Path(__file__).parents[1] / "scrub-data" / "schema-1.yaml"
BETAMAX = Path(__file__).parents[1] / "scrub-data" / "betamax.json"
OF_BETAMAX = ("planted-password", "gAAAAABplanted-token-planted-token-planted-token-planted-toke")
TOKEN = "gAAAAABk" + "x" * 60
PROJECT, USER = "0f3c7f60b2a14f5f9ec21a25c2f1a0d3", "5b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e"
PASSWORD = "hunter2-and-more"
SECRETS = (TOKEN, PROJECT, USER, PASSWORD, "nova.example.com")
LISTING = "https://compute.staging.invalid/v2/00000000000000000000000000000000/images/detail"
NEW = Path("cassettes/staging/tests/old.yaml")


def exchange(url, document, *, sent=None, headers=(), answered=()):
    request = {
        "method": "POST" if sent else "GET",
        "uri": url,
        "body": sent and json.dumps(sent),
        "headers": {name: [value] for name, value in headers},
    }
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {name: [value] for name, value in answered},
        "body": {"string": json.dumps(document)},
    }
    return {"request": request, "response": response}


def login():
    user = {"name": "me", "domain": {"id": "default"}, "password": PASSWORD}
    identity = {"methods": ["password"], "password": {"user": user}}
    return exchange(
        "http://nova.example.com:5000/v3/auth/tokens",
        {"token": {"user": {"id": USER}, "project": {"id": PROJECT}}},
        sent={"auth": {"identity": identity}},
        answered=[("X-Subject-Token", TOKEN)],
    )


def listing(name="cirros", **metadata):
    image = {"id": "1", "name": name, "metadata": {"admin_password": PASSWORD, **metadata}}
    url = f"http://nova.example.com:8774/v2/{PROJECT}/images/detail"
    return exchange(url, {"images": [image]}, headers=[("X-Auth-Token", TOKEN)])


def recording(*interactions, dump=yaml.dump):
    return dump({"version": 1, "interactions": list(interactions)})


def har(request, status, content):
    response = {"status": status, "headers": [], "content": content}
    return json.dumps({"log": {"entries": [{"request": request, "response": response}]}})


def safe(path, secrets=SECRETS):
    return not any(is_in(each, Path(path).read_bytes()) for each in secrets)


def cassettes():
    folder = Path("cassettes/staging/tests")
    return {str(path.relative_to(folder)): path for path in folder.rglob("*.yaml")}


@pytest.fixture
def scrub(imagedetail):
    return partial(imagedetail, "scrub", "--cloud=staging")


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_text(recording(login(), listing()))
    return path


@pytest.fixture
def folder(tmp_path):
    """Recordings in the layout of pytest-recording, and files of another kind."""
    folder = tmp_path / "old"
    for name in ("test_images/test_list", "test_servers/test_list"):
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(recording(listing(name)))
    (folder / "notes.json").write_text("{}")
    (folder / ".git").mkdir()
    (folder / ".git" / "config.yaml").write_text("a: b")
    return folder


def test_a_file_is_scrubbed_and_counted_by_kind(scrub, old, tmp_path):
    """No value is printed, the original stays, and vcrpy replays the result."""
    before = old.read_bytes()
    done = scrub("old.yaml")
    head = f"scrubbed old.yaml -> {NEW}: 1 interaction (1 login request left out)\n  removed: "
    assert done.stdout.startswith(head)
    assert (done.returncode, done.stderr, old.read_bytes()) == (0, "", before)
    assert not any(each in done.stdout for each in SECRETS)
    assert safe(NEW)
    provenance = load(NEW).provenance
    assert (provenance.source, provenance.test) == ("scrubbed", "old")
    with vcr.VCR(record_mode="none").use_cassette(str(NEW)):
        (image,) = requests.get(LISTING).json()["images"]
    assert image["name"] == "cirros"
    (tmp_path / "login.json").write_text(recording(login(), dump=json.dumps))
    head = "login.json: nothing to write (1 login request left out)\n"
    assert scrub("login.json").stdout == f"{head}1 file: 1 done, 0 failed\n"
    assert cassettes().keys() == {"old.yaml"}
    other = exchange("http://nova.example.com/v2.1", {}, headers=[("X-Auth-Token", "another")])
    (tmp_path / "two.yaml").write_text(recording(listing(), other))
    assert "(sent as different users or projects, which a replay " in scrub("two.yaml").stdout


def test_other_tools_are_scrubbed(scrub, tmp_path):
    """A file that betamax 0.9.0 wrote, with bodies in base64; HAR files, one without an answer."""
    asked = {
        "method": "GET",
        "url": LISTING,
        "headers": [{"name": "X-Auth-Token", "value": TOKEN}],
        "cookies": [{"name": "a", "value": PASSWORD}],
    }
    text = json.dumps({"images": [], "note": PASSWORD})
    (tmp_path / "session.har").write_text(har(asked, 200, {"text": text}))
    (tmp_path / "blocked.har").write_text(har(asked, 0, {}))
    names = (str(BETAMAX), "session.har", "blocked.har")
    files = json.loads(scrub(*names, "--json").stdout)["files"]
    assert [(each["tool"], each["outcome"], *each["dropped"].values()) for each in files] == [
        ("betamax", "scrubbed", 1, 0),
        ("HAR", "scrubbed", 0, 0),
        ("HAR", "nothing left", 0, 1),
    ]
    for facts, secrets in zip(files[:2], (OF_BETAMAX, (TOKEN, PASSWORD)), strict=True):
        assert all(is_in(each, Path(facts["file"]).read_bytes()) for each in secrets)
        assert safe(facts["cassette"], secrets)
    assert load(Path(files[0]["cassette"])).provenance.recorded_at == "2026-11-24T11:11:11Z"


def test_a_secret_of_one_file_is_removed_from_the_others(scrub, old, tmp_path):
    """A token from one file is found in the text of another, in each encoding."""
    packed = base64.b64encode(TOKEN.encode()).decode()
    notes = {"a": TOKEN, "b": quote(f"/{TOKEN}?", safe=""), "c": packed, "d": f"<{PASSWORD}>"}
    (tmp_path / "other.json").write_text(recording(listing("kept", **notes), dump=json.dumps))
    assert scrub("other.json", "old.yaml").returncode == 0
    new = NEW.with_name("other.yaml")
    assert safe(new)
    (image,) = json.loads(load(new).interactions[0].response.body)["images"]
    assert (image["name"], image["metadata"].keys()) == ("kept", {"admin_password", *notes})


def test_check_writes_nothing_and_ends_with_1(scrub, old, tmp_path):
    """For CI. A cassette of ours has nothing to remove unless it was changed."""
    done = scrub("old.yaml", "--check")
    assert done.returncode == 1
    assert done.stdout.startswith(f"would scrub old.yaml -> {NEW}")
    assert list(tmp_path.iterdir()) == [old]
    scrub("old.yaml")
    before = NEW.read_bytes()
    done = scrub(str(NEW), "--check")
    assert (done.returncode, NEW.read_bytes()) == (0, before)
    assert "already a cassette of imagedetail; nothing to do\n" in done.stdout
    NEW.write_text(NEW.read_text().replace("uri: https://compute", f"uri: https://{TOKEN}"))
    done = scrub(str(NEW))
    assert (done.returncode, TOKEN in done.stdout + done.stderr) == (2, False)
    assert "the cassette was changed after it was written" in done.stderr


def test_lint_says_to_scrub_again(scrub, imagedetail, old):
    """Nothing can record such a cassette again, whatever lint finds in it."""
    scrub("old.yaml")
    sound = load(NEW)
    again = "scrub the original again: imagedetail scrub PATH --cloud NAME --force"
    remake = "record it again with its own tool, and scrub that"
    (page,) = sound.interactions
    leak = replace(page, url=f"https://compute.staging.invalid/v2/{PROJECT}/images/detail")
    dated = replace(sound.provenance, recorded_at="2020-01-01T00:00:00Z")
    for text, remedies in (
        (dumps(sound).replace("cirros", "debian"), {"hash": again}),
        (dumps(replace(sound, interactions=(leak,))), {"id": again}),
        (dumps(sound), {"undated": remake}),
        (dumps(replace(sound, provenance=dated)), {"age": remake}),
    ):
        NEW.write_text(text)
        found = json.loads(imagedetail("lint", "--max-age=90", "--json").stdout)["findings"]
        nexts = {each["rule"]: each["next"] for each in found}
        assert nexts.keys() >= remedies.keys(), text
        assert all(nexts[rule].endswith(remedy) for rule, remedy in remedies.items()), nexts
        assert not any("imagedetail record" in remedy for remedy in nexts.values())
    recorded = Path("cassettes/nova-2026.2/all.yaml")
    recorded.parent.mkdir()
    recorded.write_text((LIBRARY / "nova-2026.2/all.yaml").read_text().replace("cirros", "x", 1))
    NEW.write_text(dumps(sound).replace("cirros", "debian"))
    steps = imagedetail("lint").stdout.partition("what to do next\n")[2]
    assert [line.split(":")[0] for line in steps.splitlines()[:2]] == ["  hash", "  hash"]


def test_what_exists_is_not_replaced(scrub, old):
    """An equal cassette is unchanged, another needs --force; the original is never replaced."""
    scrub("old.yaml")
    before = NEW.read_bytes()
    assert scrub("old.yaml").stdout.startswith(f"= unchanged old.yaml -> {NEW}: 1 interaction")
    old.write_text(recording(listing("another")))
    done = scrub("old.yaml")
    assert (done.returncode, NEW.read_bytes()) == (2, before)
    assert "a different cassette is there already" in done.stderr
    assert scrub("old.yaml", "--force").returncode == 0
    assert NEW.read_bytes() != before
    NEW.write_bytes(old.read_bytes())
    for more in ((), ("--force",)):
        done = scrub(str(NEW), *more)
        assert (done.returncode, NEW.read_bytes()) == (2, old.read_bytes())
        assert "the cassette was not written by imagedetail" in done.stderr


def test_what_cannot_be_scrubbed(scrub, imagedetail, old, folder, tmp_path):
    """It is named. Its secrets may occur in other files, so nothing is written."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.yaml").write_text("version: 1\ninteractions: !!python/name:os.getcwd []\n")
    content = {"text": base64.b64encode(bytes(range(256))).decode(), "encoding": "base64"}
    asked = {"method": "GET", "url": f"{LISTING}/logo.png", "headers": []}
    (tmp_path / "picture.har").write_text(har(asked, 200, content))
    path = folder / "test_images/test_list.yaml"
    path.with_suffix(".yml").write_text(path.read_text())
    for arguments, code, problem in (
        (("empty",), 4, "there is no recording to scrub"),
        (("gone.yaml",), 2, "gone.yaml"),
        (("old/notes.json",), 2, "not a known recording"),
        (("old",), 4, "two recordings would become one cassette"),
        (("picture.har", "--check"), 2, f"tests/picture.yaml, GET {LISTING}/logo.png\n"),
        (("bad.yaml", "old.yaml"), 2, "where: bad.yaml, line 2, column 15"),
    ):
        done = scrub(*arguments)
        assert (done.returncode, problem in done.stderr) == (code, True), (arguments, done.stderr)
        assert not (tmp_path / "cassettes").exists(), arguments
    assert done.stdout.startswith("failed   bad.yaml\nwould scrub ")
    assert "2 files: 1 done, 1 failed\n" in done.stdout
    assert "a secret of one file may occur in another" in done.stderr
    done = imagedetail("scrub", "old.yaml")
    assert done.returncode == 4
    assert "next:  choose any name, for example --cloud staging" in done.stderr
    (tmp_path / "imagedetail.yaml").write_text("clouds:\n  public: {}\n")
    assert imagedetail("scrub", "old.yaml").returncode == 0
    assert (tmp_path / "cassettes/public/tests/old.yaml").is_file()


def test_a_folder_keeps_its_structure(scrub, imagedetail, folder):
    """Two files of one name become two cassettes; other files are named and skipped."""
    names = {"test_images/test_list.yaml", "test_servers/test_list.yaml"}
    done = scrub("old")
    assert done.returncode == 0, done.stderr
    assert "2 files: 2 done, 0 failed" in done.stdout
    assert "skipped, not a known recording: " in done.stderr
    assert "old/notes.json" in done.stderr
    assert cassettes().keys() == names
    assert all(map(safe, cassettes().values()))
    assert imagedetail("lint").stdout == "2 files: nothing found\n"
    shutil.rmtree("cassettes")
    assert scrub(*(f"old/{each}" for each in sorted(names))).returncode == 0
    assert cassettes().keys() == names  # also if they are named one by one


def test_in_place_replaces_what_git_keeps(scrub, imagedetail, folder, git, commit):
    """Whatever the name and git's settings are; vcrpy replays the result. All files or none."""
    git("init", "-q")
    git("config", "status.showUntrackedFiles", "no")
    changed = folder / "test_images/test_list.yaml"
    changed.write_text("old")
    (folder / "old.yaml").write_text(recording(listing()))
    commit()
    for name in (":old.yaml", "-old.yaml", "old[1].yaml", "test_images/test_list.yaml"):
        path = folder / name
        path.write_text(recording(listing()))
        done = scrub(f"old/{name}", "--in-place")
        assert done.returncode == 2, name
        assert "the file is not committed, or has uncommitted changes" in done.stderr
        assert "a commit would put its secrets into the history" in done.stderr
        assert not safe(path)
    binary = listing()
    binary["response"]["body"]["string"] = bytes(range(256))
    odd = folder / "odd.yaml"
    for content, problem in (
        (BETAMAX.read_text(), "only YAML recordings of vcrpy"),
        (recording(listing()).replace("method: GET", "method: '{}'"), "its method is not one"),
        (recording(binary), "bytes that are not text"),
    ):
        odd.write_text(content)
        commit()
        before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
        done = scrub("old", "--in-place")
        assert (done.returncode, problem in done.stderr) == (2, True), done.stderr
        assert {path: path.read_bytes() for path in before} == before
    odd.unlink()
    done = scrub("old", "--in-place")
    assert done.returncode == 0, done.stderr
    paths = [*folder.glob("*.yaml"), *folder.glob("*/test*.yaml")]
    assert (len(paths), all(map(safe, paths))) == (6, True)
    assert load(changed).provenance.source == "scrubbed"
    assert imagedetail("lint", "old").stdout == "6 files, 1 skipped: nothing found\n"
    replayer = vcr.VCR(record_mode="none", match_on=["method", "path"])
    with replayer.use_cassette(str(changed)):
        answer = requests.get(f"http://any.example/v2/{'0' * 32}/images/detail")
    assert answer.json()["images"][0]["name"] == "cirros"


def test_a_cassette_of_ours_is_redacted_again(imagedetail, commit, tmp_path):
    """If somebody wrote a secret into it; only in a git repository."""
    path = tmp_path / "cassettes/nova-2026.2/all.yaml"
    path.parent.mkdir(parents=True)
    shutil.copy(LIBRARY / "nova-2026.2/all.yaml", path)
    scrub = ("scrub", "cassettes", "--cloud=x")
    done = imagedetail(*scrub, "--in-place")  # nothing to do, so no git is needed
    assert "1 file: 1 done, 0 failed" in done.stdout
    recording = load(path)
    (page,) = recording.interactions
    leak = page.response.body.replace(b'"os_distro": "cirros"', b'"db_password": "hunter22"', 1)
    page = replace(page, response=replace(page.response, body=leak))
    path.write_text(dumps(replace(recording, interactions=(page,))))
    done = imagedetail(*scrub)
    assert done.returncode == 2
    assert "holds what must be removed: secrets 1" in done.stderr
    assert "next:  replace it: imagedetail scrub --in-place cassettes/" in done.stderr
    assert imagedetail(*scrub, "--check").returncode == 1
    assert imagedetail(*scrub, "--in-place").returncode == 2
    commit()
    assert imagedetail(*scrub, "--in-place").returncode == 0
    assert "hunter22" not in path.read_text()
    assert imagedetail("lint").returncode == 0
    assert load(path).provenance == recording.provenance
    path.write_text(path.read_text() + f"# token: {TOKEN}\n")
    assert imagedetail(*scrub[:2], "--check").returncode == 1


def test_a_cassette_of_schema_1_is_converted(imagedetail, tmp_path):
    """In its place, without git, though it holds no secret. Schema 2 stays byte for byte."""
    path = tmp_path / "cassettes/k5/all.yaml"
    path.parent.mkdir(parents=True)
    old, name = load(SCHEMA_1), "cassettes/k5/all.yaml"
    for options in ((), ("--in-place",)):
        shutil.copyfile(SCHEMA_1, path)
        assert imagedetail("lint").returncode == 0
        done = imagedetail("scrub", name, "--check", *options)
        assert (done.returncode, path.read_bytes()) == (0, SCHEMA_1.read_bytes())
        assert done.stdout.startswith(f"would convert {name} -> {name}: 1 interaction (to schema")
        done = imagedetail("scrub", name, *options)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"converted {name} -> {name}: 1 interaction (to schema 2)\n")
        assert "\n  schema: 2\n" in path.read_text()
        new = load(path)
        assert new.provenance == old.provenance
        assert new.interactions[0].response.body == old.interactions[0].response.body
    path.write_text(f"# as written\n{path.read_text()}")
    before = path.read_bytes()
    assert "nothing to do" in imagedetail("scrub", "cassettes", "--in-place").stdout
    assert path.read_bytes() == before
