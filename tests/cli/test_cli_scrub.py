"""`imagedetail scrub`: real recordings of each tool, scrubbed, searched for secrets, replayed."""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
import requests
import vcr
import yaml

from pytest_imagedetail.cassette import loads
from pytest_imagedetail.cli import main
from tests.cloud import SimulatedCloud

BETAMAX = Path(__file__).parents[1] / "scrub-data" / "betamax.json"
LISTING = "https://compute.staging.invalid/v2.1/images/detail"
HINT = "read what was written before you commit it: names and metadata of images stay as they are\n"
pytest_plugins = ["pytester"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """What vcrpy recorded of a login and a listing, in YAML and JSON, and what is secret in it."""
    folder = tmp_path_factory.mktemp("vcrpy")
    with SimulatedCloud(release="2023.1") as cloud:
        told = {**cloud.credentials, "url": cloud.compute_url}
        for serializer in ("yaml", "json"):
            recorder = vcr.VCR(serializer=serializer, record_mode="all")
            with recorder.use_cassette(str(folder / f"old.{serializer}")):
                token = log_in_and_list(told)
        account = cloud.account
        ids = {account.project_id, account.user_id}
    secrets = {told["password"], token, account.token, urlsplit(told["url"]).netloc, *ids}
    return SimpleNamespace(folder=folder, told=told, token=token, secrets=secrets)


def log_in_and_list(told: dict[str, str]) -> str:
    """Ask Keystone for a token and Nova for its images; return the token."""
    domain = {"domain": {"id": "default"}}
    user = {"name": told["username"], "password": told["password"], **domain}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": told["project_name"], **domain}}
    answer = requests.post(
        f"{told['auth_url']}/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
    )
    token = answer.headers["X-Subject-Token"]
    images = requests.get(f"{told['url']}/images/detail", headers={"X-Auth-Token": token})
    assert (answer.status_code, images.status_code) == (201, 200)
    return token


def meanings(data: bytes, depth: int = 4) -> Iterator[bytes]:
    """What may be read in bytes: as they are, unquoted, from base64, unpacked, nested."""
    yield data
    if depth == 0:
        return
    if data[:2] == b"\x1f\x8b":
        yield from meanings(gzip.decompress(data), depth - 1)
    if b"%" in data:
        yield from meanings(unquote_to_bytes(data), depth - 1)
    for run in set(re.findall(rb"[A-Za-z0-9+/_-]{12,}", data)):
        for start in range(4):
            text = run[start:].translate(bytes.maketrans(b"-_", b"+/"))
            found = base64.b64decode(text[: len(text) // 4 * 4])
            yield from meanings(found, depth - 1) if found[:2] == b"\x1f\x8b" else [found]


def leaves(value: object) -> Iterator[bytes]:
    """Every text and every bytes in a document."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from (*leaves(name), *leaves(each))
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif value is not None:
        yield value if isinstance(value, bytes) else str(value).encode()


def shows(path: Path, secret: str) -> bool:
    """Whether a file shows a secret; knows nothing of how this project looks for one."""
    data = path.read_bytes()
    parts = [data, *leaves(yaml.safe_load(data))]
    return any(secret.encode() in text for part in parts for text in meanings(part))


def kept(path: Path) -> tuple[bytes, int]:
    """What must not change about a file."""
    return path.read_bytes(), path.stat().st_mtime_ns


def vcrpy_of(*exchanges: tuple[dict, dict]) -> str:
    """The text of a cassette of vcrpy."""
    interactions = [{"request": asked, "response": answered} for asked, answered in exchanges]
    return json.dumps({"version": 1, "interactions": interactions})


def asked(url: str, **headers: str) -> dict:
    """A GET as vcrpy keeps it."""
    return {"method": "GET", "uri": url, "body": None, "headers": headers}


def answered(document: object, **headers: str) -> dict:
    """An answer as vcrpy keeps it."""
    body = document if isinstance(document, str) else json.dumps(document)
    status = {"code": 200, "message": "OK"}
    return {"status": status, "headers": headers, "body": {"string": body}}


def test_a_file_is_scrubbed_and_told_by_kind_and_count(live, here, capsys):
    """One line with what became of it, one with what is gone, never a value; the old one stays."""
    old = here / "old.yaml"
    old.write_bytes((live.folder / "old.yaml").read_bytes())
    assert all(shows(old, secret) for secret in live.secrets), "nothing to remove proves nothing"
    before = kept(old)
    assert main(["scrub", "old.yaml", "--cloud", "staging"]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "scrubbed old.yaml -> cassettes/staging/tests/old.yaml: 1 interaction (1 of Keystone "
        "dropped)\n"
        "  removed: secrets 3, hosts 53, ids 5, headers 7\n"
        "1 file: 1 done, 0 failed\n" + HINT
    )
    assert err == ""
    assert kept(old) == before
    cassette = here / "cassettes/staging/tests/old.yaml"
    assert not [secret for secret in live.secrets if shows(cassette, secret)]
    provenance = loads(cassette).provenance
    assert (provenance.source, provenance.test) == ("scrubbed", "old")


def test_a_scrubbed_cassette_replays_in_plain_vcrpy(live, here):
    """The file that is written is a cassette of vcrpy, too, with all that was answered."""
    assert main(["scrub", str(live.folder / "old.json"), "--cloud", "staging"]) == 0
    with vcr.VCR(record_mode="none").use_cassette("cassettes/staging/tests/old.yaml"):
        images = requests.get(LISTING).json()["images"]
    old = json.loads((live.folder / "old.json").read_text())["interactions"][-1]
    names = [each["name"] for each in json.loads(old["response"]["body"]["string"])["images"]]
    assert names
    assert [each["name"] for each in images] == names


def test_a_scrubbed_cassette_replays_in_a_test(live, pytester):
    """A marker names the file's stem, and the login is answered although it was dropped."""
    assert main(["scrub", str(live.folder / "old.yaml"), "--cloud", "staging"]) == 0
    pytester.makepyfile(
        test_replays_old=f"""
        import pytest, requests

        @pytest.mark.imagedetail("staging", cassette="old")
        def test_it(imagedetail_cassette):
            answer = requests.post("https://identity.staging.invalid/v3/auth/tokens", json={{}})
            assert answer.headers["X-Subject-Token"]
            assert requests.get("{LISTING}").json()["images"]

        @pytest.mark.imagedetail("staging", cassette="old")
        def test_not_more(imagedetail_cassette):
            requests.get("{LISTING}?limit=1")
        """
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)


def test_a_recording_of_pytest_recording_is_scrubbed(live, pytester):
    """One that its own plugin made in a run of its own."""
    with SimulatedCloud(release="2026.2") as cloud:
        told = json.dumps({**cloud.credentials, "url": cloud.compute_url})
        pytester.makepyfile(
            test_theirs=f"""
            import pytest, requests

            TOLD = {told}

            @pytest.mark.vcr
            def test_listing():
                import test_scrub_login
                test_scrub_login.log_in(TOLD)
            """,
            test_scrub_login="""
            import requests

            def log_in(told):
                domain = {"domain": {"id": "default"}}
                user = {"name": told["username"], "password": told["password"], **domain}
                identity = {"methods": ["password"], "password": {"user": user}}
                scope = {"project": {"name": told["project_name"], **domain}}
                body = {"auth": {"identity": identity, "scope": scope}}
                answer = requests.post(told["auth_url"] + "/auth/tokens", json=body)
                headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
                requests.get(told["url"] + "/images/detail", headers=headers).raise_for_status()
            """,
        )
        result = pytester.runpytest("--record-mode=once", "-p", "no:imagedetail")
        result.assert_outcomes(passed=1)
        account = cloud.account
        secrets = {cloud.credentials["password"], account.project_id, account.user_id}
    old = pytester.path / "cassettes/test_theirs/test_listing.yaml"
    assert all(shows(old, secret) for secret in secrets)
    assert main(["scrub", str(old), "--cloud", "theirs", "-o", "safe"]) == 0
    new = pytester.path / "safe/theirs/tests/test_listing.yaml"
    assert not [secret for secret in secrets if shows(new, secret)]
    assert loads(new).interactions[0].response.status_code == 200


def test_a_recording_of_betamax_is_scrubbed(here, capsys):
    """A file that betamax 0.9.0 wrote, bodies in base64; its secrets open nothing."""
    document = json.loads(BETAMAX.read_text())
    login, listing = document["http_interactions"]
    sent = json.loads(base64.b64decode(login["request"]["body"]["base64_string"]))
    user = json.loads(base64.b64decode(login["response"]["body"]["base64_string"]))["token"]
    secrets = {
        sent["auth"]["identity"]["password"]["user"]["password"],
        listing["request"]["headers"]["X-Auth-Token"][0],
        user["user"]["id"],
        user["project"]["id"],
        urlsplit(listing["request"]["uri"]).netloc,
    }
    assert all(shows(BETAMAX, secret) for secret in secrets)
    assert main(["scrub", str(BETAMAX), "--cloud", "staging", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)["files"]
    assert (facts["tool"], facts["outcome"]) == ("betamax", "scrubbed")
    assert facts["dropped"] == {"keystone": 1, "unanswered": 0}
    new = here / facts["cassette"]
    assert not [secret for secret in secrets if shows(new, secret)]
    assert loads(new).provenance.recorded_at == "2026-11-24T11:11:11Z"


def as_ruby(live) -> str:
    """The recording as Ruby's VCR writes it: the bodies of answers packed, as `!binary`."""
    lines = ["---", "http_interactions:"]
    for each in json.loads((live.folder / "old.json").read_text())["interactions"]:
        request, response = each["request"], each["response"]
        packed = base64.b64encode(gzip.compress(response["body"]["string"].encode())).decode()
        headers = {**response["headers"], "Content-Encoding": ["gzip"]}
        lines += [
            "- request:",
            f"    method: {request['method'].lower()}",
            f"    uri: {request['uri']}",
            "    body:",
            "      encoding: UTF-8",
            f"      string: {json.dumps(request['body'] or '')}",
            f"    headers: {json.dumps(request['headers'])}",
            "  response:",
            f"    status: {json.dumps(response['status'])}",
            f"    headers: {json.dumps(headers)}",
            "    body:",
            "      encoding: ASCII-8BIT",
            "      string: !binary |-",
            f"        {packed}",
            "  recorded_at: Tue, 01 Nov 2022 04:58:44 GMT",
        ]
    return "\n".join([*lines, "recorded_with: VCR 6.2.0", ""])


def as_har(live) -> str:
    """The recording as a browser exports it, HTTP/2, some bodies in base64, and one blocked."""

    def pairs(headers):
        return [{"name": name, "value": each} for name in headers for each in headers[name]]

    entries = []
    for each in json.loads((live.folder / "old.json").read_text())["interactions"]:
        request, response = each["request"], each["response"]
        packed = base64.b64encode(response["body"]["string"].encode()).decode()
        pseudo = {":authority": [urlsplit(request["uri"]).netloc], ":method": [request["method"]]}
        asks = {
            "method": request["method"],
            "url": request["uri"],
            "headers": pairs({**pseudo, **request["headers"]}),
            "cookies": [],
        }
        if request["body"]:
            asks["postData"] = {"mimeType": "application/json", "text": request["body"]}
        content = {"size": 1, "mimeType": "application/json", "text": packed, "encoding": "base64"}
        answers = {"status": response["status"]["code"], "statusText": "", "content": content}
        answers["headers"] = pairs(response["headers"])
        entry = {"startedDateTime": "2024-05-06T07:08:09.123Z", "request": asks}
        extra = {"_initiator": {"token": live.token}, "serverIPAddress": "10.1.2.3"}
        entries.append({**entry, "response": answers, **extra})
    blocked = {"status": 0, "statusText": "", "headers": [], "content": {"size": 0}}
    entries.append({**entries[-1], "response": blocked})
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


@pytest.mark.parametrize(
    ("name", "made", "head"),
    [
        ("old.yml", as_ruby, "1 interaction (1 of Keystone dropped)\n"),
        (
            "old.har",
            as_har,
            "1 interaction (1 of Keystone dropped, 1 without an answer dropped)\n",
        ),
    ],
)
def test_other_formats_become_the_same_cassette(live, here, capsys, name, made, head):
    """Ruby's VCR and HAR: what is written is what is written of vcrpy's file."""
    path = here / name
    path.write_text(made(live))
    assert main(["scrub", name, "--cloud", "staging"]) == 0
    assert f"scrubbed {name} -> cassettes/staging/tests/old.yaml: {head}" in capsys.readouterr().out
    new = here / "cassettes/staging/tests/old.yaml"
    assert not [secret for secret in live.secrets if shows(new, secret)]
    assert main(["scrub", str(live.folder / "old.json"), "--cloud", "staging", "-o", "other"]) == 0
    theirs = loads(here / "other/staging/tests/old.yaml")
    assert [each.response.body for each in loads(new).interactions] == [
        each.response.body for each in theirs.interactions
    ]


def test_a_secret_of_one_file_is_gone_from_the_others(live, here):
    """A token issued in one file and put into another's text, in each spelling."""
    packed = base64.b64encode(live.token.encode()).decode()
    told = [live.token, quote(f"/{live.token}?", safe=""), packed, f"<{live.told['password']}>"]
    listing = {"images": [{"name": f"x{n}", "note": each} for n, each in enumerate(told)]}
    other = here / "other.json"
    other.write_text(vcrpy_of((asked("http://nova.example.com/v2/a/images"), answered(listing))))
    assert shows(other, live.token)
    both = ["scrub", "other.json", str(live.folder / "old.json"), "--cloud", "staging"]
    assert main(both) == 0
    new = here / "cassettes/staging/tests/other.yaml"
    assert not [secret for secret in live.secrets if shows(new, secret)]
    names = [
        each["name"] for each in json.loads(loads(new).interactions[0].response.body)["images"]
    ]
    assert names == ["x0", "x1", "x2", "x3"], "what is no secret stays"


def test_check_writes_nothing_and_ends_with_1(live, here, capsys):
    """For CI: it says what would be removed; a cassette of ours has nothing to remove."""
    old = str(live.folder / "old.yaml")
    assert main(["scrub", old, "--cloud", "staging", "--check"]) == 1
    assert capsys.readouterr().out.startswith(f"would scrub {old} -> cassettes/staging/tests/")
    assert list(here.iterdir()) == []
    assert main(["scrub", old, "--cloud", "staging"]) == 0
    capsys.readouterr()
    ours = "cassettes/staging/tests/old.yaml"
    before = kept(Path(ours))
    assert main(["scrub", ours, "--cloud", "staging", "--check"]) == 0
    assert capsys.readouterr().out == (
        f"{ours}: a cassette of imagedetail already; nothing to do\n1 file: 1 done, 0 failed\n"
    )
    assert kept(Path(ours)) == before


def test_a_cassette_of_ours_that_was_changed_is_not_called_safe(live, here, capsys):
    """A token put into one of ours by hand is no "nothing to do"."""
    main(["scrub", str(live.folder / "old.yaml"), "--cloud", "staging"])
    ours = Path("cassettes/staging/tests/old.yaml")
    ours.write_text(ours.read_text().replace("interactions:", "note: changed\ninteractions:", 1))
    text = ours.read_text().replace("uri: https://compute.staging", f"uri: https://{live.token}")
    ours.write_text(text)
    assert main(["scrub", str(ours), "--cloud", "staging"]) == 2
    out, err = capsys.readouterr()
    assert "the cassette was changed after it was written" in err
    assert live.token not in out + err


def test_the_same_again_is_unchanged_and_another_is_not_replaced(live, here, capsys):
    """What lies in the place stays as it is, unless --force says otherwise."""
    old = str(live.folder / "old.yaml")
    main(["scrub", old, "--cloud", "staging"])
    target = Path("cassettes/staging/tests/old.yaml")
    before = kept(target)
    capsys.readouterr()
    assert main(["scrub", old, "--cloud", "staging"]) == 0
    assert capsys.readouterr().out.startswith(f"= unchanged {old} -> {target}: 1 interaction")
    Path("old.json").write_text(
        vcrpy_of((asked("http://nova.example.com/v2/a/images"), answered({"images": []})))
    )
    assert main(["scrub", "old.json", "--cloud", "staging"]) == 2
    err = capsys.readouterr().err
    assert "another cassette lies where this one would be written" in err
    assert "--force" in err
    assert kept(target) == before
    assert main(["scrub", "old.json", "--cloud", "staging", "--force"]) == 0
    assert loads(target).interactions[0].response.body == b'{\n  "images": []\n}'


def test_the_recording_itself_is_never_replaced(live, here, capsys):
    """A foreign file that lies where its cassette belongs stays, even with --force."""
    old = here / "cassettes/staging/tests/old.yaml"
    old.parent.mkdir(parents=True)
    old.write_bytes((live.folder / "old.yaml").read_bytes())
    before = kept(old)
    for more in ([], ["--force"], ["--check"]):
        assert main(["scrub", str(old), "--cloud", "staging", *more]) == 2
        assert "would take the place of the recording it is made of" in capsys.readouterr().err
        assert kept(old) == before


def test_one_bad_file_does_not_stop_the_others(live, here, capsys):
    """It is named with its place, the others are done, and the end is 2."""
    Path("bad.yaml").write_text("version: 1\ninteractions: !!python/object/apply:os.getcwd []\n")
    assert main(["scrub", "bad.yaml", str(live.folder / "old.yaml"), "--cloud", "staging"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("failed   bad.yaml\nscrubbed ")
    assert "2 files: 1 done, 1 failed\n" in out
    assert "where: bad.yaml, line 2, column 15" in err
    assert Path("cassettes/staging/tests/old.yaml").is_file()
    assert main(["scrub", "bad.yaml", "--cloud", "staging", "--json"]) == 2
    (facts,) = json.loads(capsys.readouterr().out)["files"]
    assert (facts["file"], facts["outcome"]) == ("bad.yaml", "failed")


def test_a_url_that_is_none_does_not_stop_the_others(live, here, capsys):
    """It is refused in words, like any other bad file."""
    bad = json.loads(as_har(live))
    bad["log"]["entries"][0]["request"]["url"] = "https://[::1/x"
    Path("badurl.har").write_text(json.dumps(bad))
    Path("bom.har").write_text("\ufeff" + as_har(live))
    assert main(["scrub", "badurl.har", "bom.har", "--cloud", "staging"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("failed   badurl.har\nscrubbed bom.har")
    assert "an interaction is not as HAR writes it: its `url` is no URL of HTTP" in err
    assert "where: badurl.har, interaction 1" in err
    assert Path("cassettes/staging/tests/bom.yaml").is_file()


def test_nothing_but_keystone_is_nothing_to_write(live, here, capsys):
    """A recorded login alone: it is counted, and no empty cassette is written."""
    document = json.loads((live.folder / "old.json").read_text())
    document["interactions"] = document["interactions"][:1]
    Path("login.json").write_text(json.dumps(document))
    assert main(["scrub", "login.json", "--cloud", "staging"]) == 0
    assert capsys.readouterr().out == (
        "login.json: nothing left to write (1 of Keystone dropped)\n"
        "  removed: secrets 3\n1 file: 1 done, 0 failed\n"
    )
    assert not Path("cassettes").exists()


def test_what_nobody_can_read_is_refused(here, capsys):
    """A picture in a HAR: the gate cannot look into it, so nothing is written."""
    content = {"text": base64.b64encode(bytes(range(256))).decode(), "encoding": "base64"}
    request = {"method": "GET", "url": "http://nova.example.com/logo.png", "headers": []}
    response = {"status": 200, "statusText": "OK", "headers": [], "content": content}
    entries = [{"request": request, "response": response}]
    Path("old.har").write_text(json.dumps({"log": {"entries": entries}}))
    for more in ([], ["--check"]):
        assert main(["scrub", "old.har", "--cloud", "staging", *more]) == 2
        assert "neither text nor compressed text" in capsys.readouterr().err
    assert not list(here.rglob("*.yaml"))


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_a_secret_that_is_left_is_told_in_words_of_scrubbing(here, capsys, check):
    """There is no session, and no older recording."""
    hidden = base64.b64encode(b"a note: hunter2-7741 is it").decode()
    exchange = (asked("https://nova.corp.test/a?password=hunter2-7741"), answered({"a": hidden}))
    (here / "old.yaml").write_text(vcrpy_of(exchange))
    assert main(["scrub", "old.yaml", "--cloud", "staging", *check]) == 2
    err = capsys.readouterr().err
    assert re.fullmatch(
        r"imagedetail: refused to write: a secret that the files show \(in base64\) was left "
        r"after redaction\n"
        r"  where: cassettes/staging/tests/old.yaml, line \d+ of what would have been written\n"
        r"  next:  nothing was written for it, and the recording was left as it is\n"
        r"  next:  take that value out of the recording, or the interaction that holds it, and "
        r"scrub it again\n"
        r"  next:  report it with the field's name \(never its value\): redaction must learn this "
        r"place\n",
        err,
    )


def test_the_cloud_is_the_declared_one_or_must_be_named(live, here, capsys):
    """Without --cloud there must be exactly one in imagedetail.yaml."""
    old = str(live.folder / "old.yaml")
    assert main(["scrub", old]) == 4
    assert "next:  name one, as you like: --cloud staging" in capsys.readouterr().err
    Path("imagedetail.yaml").write_text("clouds:\n  public: {}\n")
    assert main(["scrub", old]) == 0
    assert Path("cassettes/public/tests/old.yaml").is_file()


def test_a_catalog_that_is_not_keystones_is_no_defect(here):
    """Other services answer with a `catalog` of their own."""
    document = {"catalog": ["a", {"endpoints": [1, {"interface": "public"}]}]}
    Path("shop.json").write_text(
        vcrpy_of((asked("http://shop.example.com/v1/goods"), answered(document)))
    )
    assert main(["scrub", "shop.json", "--cloud", "shop"]) == 0
