"""`imagedetail scrub`: recordings are scrubbed, searched for secrets, and replayed."""

import base64
import json
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import pytest
import requests
import vcr
from planting import is_in

from pytest_imagedetail.cassette import loads
from pytest_imagedetail.cli import main
from tests.cloud import SimulatedCloud

BETAMAX = Path(__file__).parents[1] / "scrub-data" / "betamax.json"
LISTING = "https://compute.staging.invalid/v2.1/images/detail"
NEW = Path("cassettes/staging/tests/old.yaml")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """What vcrpy records of a login and a listing, in YAML and JSON, and its secrets."""
    folder = tmp_path_factory.mktemp("vcrpy")
    with SimulatedCloud(release="2023.1") as cloud:
        access = {**cloud.credentials, "url": cloud.compute_url}
        for serializer in ("yaml", "json"):
            recorder = vcr.VCR(serializer=serializer, record_mode="all")
            with recorder.use_cassette(str(folder / f"old.{serializer}")):
                token = log_in_and_list(access)
        ids = {cloud.account.project_id, cloud.account.user_id}
    secrets = {access["password"], token, urlsplit(access["url"]).netloc, *ids}
    files = {"yaml": str(folder / "old.yaml"), "json": str(folder / "old.json")}
    return SimpleNamespace(**files, token=token, password=access["password"], secrets=secrets)


def log_in_and_list(access: dict[str, str]) -> str:
    """Ask Keystone for a token and Nova for its images; return the token."""
    domain = {"domain": {"id": "default"}}
    user = {"name": access["username"], "password": access["password"], **domain}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": access["project_name"], **domain}}
    body = {"auth": {"identity": identity, "scope": scope}}
    token = requests.post(f"{access['auth_url']}/auth/tokens", json=body).headers["X-Subject-Token"]
    requests.get(f"{access['url']}/images/detail", headers={"X-Auth-Token": token})
    return token


def shows(path: Path | str, secret: str) -> bool:
    """Whether a file shows a secret; knows nothing of how this project looks for one."""
    return is_in(secret, Path(path).read_bytes())


def vcrpy_of(*exchanges: tuple[dict, dict]) -> str:
    interactions = [{"request": asked, "response": answered} for asked, answered in exchanges]
    return json.dumps({"version": 1, "interactions": interactions})


def asked(url: str, *, method: str = "GET", body: object = None, **headers: str) -> dict:
    text = None if body is None else json.dumps(body)
    return {"method": method, "uri": url, "body": text, "headers": headers}


def answered(document: object, **headers: str) -> dict:
    status = {"code": 200, "message": "OK"}
    return {"status": status, "headers": headers, "body": {"string": json.dumps(document)}}


IMAGES = (asked("http://nova.example.com/v2/a/images"), answered({"images": []}))


def test_a_file_is_scrubbed_and_counted_by_kind(live, capsys):
    """No value is printed, the original stays, and plain vcrpy replays what is written."""
    assert all(shows(live.yaml, secret) for secret in live.secrets), "nothing to remove"
    before = Path(live.yaml).read_bytes()
    assert main(["scrub", live.yaml, "--cloud", "staging"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(
        rf"scrubbed {live.yaml} -> {NEW}: 1 interaction \(1 of authentication left out\)\n"
        r"  removed: (\w+ \d+, )*\w+ \d+\n"
        r"1 file: 1 done, 0 failed\n"
        r"review the cassettes before you commit them: image names and metadata are kept\n",
        out,
    )
    assert err == ""
    assert Path(live.yaml).read_bytes() == before
    assert not [secret for secret in live.secrets if shows(NEW, secret)]
    provenance = loads(NEW).provenance
    assert (provenance.source, provenance.test) == ("scrubbed", "old")
    with vcr.VCR(record_mode="none").use_cassette(str(NEW)):
        images = requests.get(LISTING).json()["images"]
    old = json.loads(Path(live.json).read_text())["interactions"][-1]["response"]["body"]["string"]
    assert [each["name"] for each in images] == [each["name"] for each in json.loads(old)["images"]]


def test_other_tools_are_scrubbed(live, capsys):
    """A file that betamax 0.9.0 wrote, bodies in base64; a HAR file with a blocked request."""
    document = json.loads(BETAMAX.read_text())
    login, listing = document["http_interactions"]
    sent = json.loads(base64.b64decode(login["request"]["body"]["base64_string"]))
    password = sent["auth"]["identity"]["password"]["user"]["password"]
    secrets = {password, listing["request"]["headers"]["X-Auth-Token"][0]}
    assert all(shows(BETAMAX, secret) for secret in secrets)
    Path("session.har").write_text(as_har(Path(live.json)))
    assert main(["scrub", str(BETAMAX), "session.har", "--cloud", "staging", "--json"]) == 0
    betamax, har = json.loads(capsys.readouterr().out)["files"]
    assert (betamax["tool"], betamax["dropped"]) == ("betamax", {"keystone": 1, "unanswered": 0})
    assert (har["tool"], har["dropped"]) == ("HAR", {"keystone": 1, "unanswered": 1})
    for facts in (betamax, har):
        assert (facts["outcome"], facts["interactions"]) == ("scrubbed", 1)
        assert not [each for each in secrets | live.secrets if shows(facts["cassette"], each)]
    assert loads(Path(betamax["cassette"])).provenance.recorded_at == "2026-11-24T11:11:11Z"


def as_har(recorded: Path) -> str:
    """A recording as a browser exports it, with a request that was blocked."""
    entries = []
    for each in json.loads(recorded.read_text())["interactions"]:
        sent, received = each["request"], each["response"]
        request = {"method": sent["method"], "url": sent["uri"], "headers": pairs(sent)}
        content = {"text": received["body"]["string"]}
        response = {"status": received["status"]["code"], "headers": pairs(received)}
        entries.append(
            {
                "request": {**request, "postData": {"text": sent["body"] or ""}},
                "response": {**response, "content": content},
            }
        )
    blocked = {**entries[-1], "response": {"status": 0, "content": {"size": 0}}}
    return json.dumps({"log": {"version": "1.2", "entries": [*entries, blocked]}})


def pairs(message: dict) -> list[dict]:
    headers = message["headers"].items()
    return [{"name": name, "value": each} for name, values in headers for each in values]


def test_a_secret_of_one_file_is_removed_from_the_others(live):
    """A token that one file got and another file's text holds, in each encoding."""
    packed = base64.b64encode(live.token.encode()).decode()
    texts = [live.token, quote(f"/{live.token}?", safe=""), packed, f"<{live.password}>"]
    listing = {"images": [{"name": f"x{n}", "note": each} for n, each in enumerate(texts)]}
    Path("other.json").write_text(vcrpy_of((IMAGES[0], answered(listing))))
    assert main(["scrub", "other.json", live.json, "--cloud", "staging"]) == 0
    new = Path("cassettes/staging/tests/other.yaml")
    assert not [secret for secret in live.secrets if shows(new, secret)]
    images = json.loads(loads(new).interactions[0].response.body)["images"]
    assert [each["name"] for each in images] == ["x0", "x1", "x2", "x3"], "what is no secret stays"


def test_check_writes_nothing_and_ends_with_1(live, here, capsys):
    """For CI; a cassette of ours has nothing to remove, unless it was changed."""
    assert main(["scrub", live.yaml, "--cloud", "staging", "--check"]) == 1
    assert capsys.readouterr().out.startswith(f"would scrub {live.yaml} -> {NEW}")
    assert list(here.iterdir()) == []
    main(["scrub", live.yaml, "--cloud", "staging"])
    capsys.readouterr()
    before = NEW.read_bytes()
    assert main(["scrub", str(NEW), "--cloud", "staging", "--check"]) == 0
    assert "already a cassette of imagedetail; nothing to do\n" in capsys.readouterr().out
    assert NEW.read_bytes() == before
    NEW.write_text(NEW.read_text().replace("uri: https://compute", f"uri: https://{live.token}"))
    assert main(["scrub", str(NEW), "--cloud", "staging"]) == 2
    out, err = capsys.readouterr()
    assert "the cassette was changed after it was written" in err
    assert live.token not in out + err


def test_what_exists_is_not_replaced(live, capsys):
    """The same is unchanged, another needs --force, and the recording itself always stays."""
    main(["scrub", live.yaml, "--cloud", "staging"])
    before = NEW.read_bytes()
    capsys.readouterr()
    assert main(["scrub", live.yaml, "--cloud", "staging"]) == 0
    assert capsys.readouterr().out.startswith(f"= unchanged {live.yaml} -> {NEW}: 1 interaction")
    Path("old.json").write_text(vcrpy_of(IMAGES))
    assert main(["scrub", "old.json", "--cloud", "staging"]) == 2
    err = capsys.readouterr().err
    assert "another cassette is where this one would be written" in err
    assert "--force" in err
    assert NEW.read_bytes() == before
    assert main(["scrub", "old.json", "--cloud", "staging", "--force"]) == 0
    assert loads(NEW).interactions[0].response.body == b'{\n  "images": []\n}'
    original = Path(live.yaml).read_bytes()
    NEW.write_bytes(original)
    for more in ([], ["--force"], ["--check"]):
        assert main(["scrub", str(NEW), "--cloud", "staging", *more]) == 2
        assert "would replace the recording that it is made from" in capsys.readouterr().err
        assert NEW.read_bytes() == original


def test_one_bad_file_stops_the_others(live, capsys):
    """It is named with its place; its secrets may occur in the others, so none is written."""
    Path("bad.yaml").write_text("version: 1\ninteractions: !!python/object/apply:os.getcwd []\n")
    assert main(["scrub", "bad.yaml", live.yaml, "--cloud", "staging"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("failed   bad.yaml\nwould scrub ")
    assert "nothing was written, because a secret of one file may occur in another" in err
    assert not Path("cassettes").exists()
    assert "2 files: 1 done, 1 failed\n" in out
    assert "where: bad.yaml, line 2, column 15" in err
    assert main(["scrub", "bad.yaml", "--cloud", "staging", "--json"]) == 2
    (facts,) = json.loads(capsys.readouterr().out)["files"]
    assert (facts["file"], facts["outcome"]) == ("bad.yaml", "failed")


def test_nothing_but_authentication_is_not_written(live, capsys):
    """It is counted, and there is no empty cassette."""
    document = json.loads(Path(live.json).read_text())
    document["interactions"] = document["interactions"][:1]
    Path("login.json").write_text(json.dumps(document))
    assert main(["scrub", "login.json", "--cloud", "staging"]) == 0
    head = "login.json: nothing to write (1 of authentication left out)\n"
    assert capsys.readouterr().out == f"{head}1 file: 1 done, 0 failed\n"
    assert not Path("cassettes").exists()


def test_what_the_final_check_refuses_is_not_written(here, capsys):
    """A picture cannot be searched for secrets; --check says so as well."""
    content = {"text": base64.b64encode(bytes(range(256))).decode(), "encoding": "base64"}
    request = {"method": "GET", "url": "http://nova.example.com/logo.png", "headers": []}
    entry = {"request": request, "response": {"status": 200, "headers": [], "content": content}}
    Path("old.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    for more in ([], ["--check"]):
        assert main(["scrub", "old.har", "--cloud", "staging", *more]) == 2
        err = capsys.readouterr().err
        assert "refused to write" in err
        assert "next:  nothing was written for it, and the recording was not changed\n" in err
    assert not list(here.rglob("*.yaml"))


def test_the_cloud_is_the_declared_one_or_must_be_named(capsys):
    """Without --cloud there must be exactly one in imagedetail.yaml."""
    Path("old.json").write_text(vcrpy_of(IMAGES))
    assert main(["scrub", "old.json"]) == 4
    assert "next:  choose any name, for example --cloud staging" in capsys.readouterr().err
    Path("imagedetail.yaml").write_text("clouds:\n  public: {}\n")
    assert main(["scrub", "old.json"]) == 0
    assert Path("cassettes/public/tests/old.yaml").is_file()
