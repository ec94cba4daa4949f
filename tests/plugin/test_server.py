"""`imagedetail_server`: the programs of a test talk to recorded clouds."""

from textwrap import dedent

import pytest

CLIENTS = '''
import os, subprocess, sys
import requests

def images(server, cloud, query=""):
    url = f"{server.url(cloud)}/images/detail{query}"
    answer = requests.get(url, headers={"X-Auth-Token": server.token})
    return answer.status_code, len(answer.json().get("images", []))

OF_SDK = """
import openstack
with openstack.connect() as connection:
    print(*(each.id for each in connection.compute.images()))
"""

def child(program, **env):
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
'''


@pytest.fixture
def run(pytester):
    """Run a module that uses the clients above, in a process of its own."""
    pytester.makepyfile(clients=CLIENTS)

    def run(source, *arguments):
        pytester.makepyfile(f"import pytest\nfrom clients import *\n{dedent(source)}")
        plugins = ("-p", "no:randomly", "-p", "no:recording", "-p", "no:cacheprovider")
        return pytester.runpytest_subprocess(*plugins, "-Werror", *arguments)

    return run


def test_programs_ask_recorded_clouds(run):
    """By URL, OS_* or clouds.yaml, while the network is blocked; one Keystone leads to all."""
    result = run(
        """
        def test_two_clouds(imagedetail_server, imagedetail):
            assert images(imagedetail_server, "nova-2023.1", "?limit=0") == (200, 14)
            assert images(imagedetail_server, "openstack-sample") == (200, 7)
            ids = [*imagedetail["nova-2026.2"].list().by_id]
            env = {"OS_CLOUD": "of-the-shell", **imagedetail_server.env("nova-2026.2")}
            assert child(OF_SDK, **env) == ids
            file = {"OS_CLIENT_CONFIG_FILE": str(imagedetail_server.clouds_yaml)}
            assert child(OF_SDK, **file, OS_CLOUD="nova-2026.2") == ids

        def test_catalog(imagedetail_server):
            url = f"{imagedetail_server.auth_url}/v3/auth/tokens"
            answer = requests.post(url, json={"auth": {"identity": {"methods": []}}})
            assert answer.headers["X-Subject-Token"] == imagedetail_server.token
            catalog = answer.json()["token"]["catalog"]
            (compute,) = (each for each in catalog if each["type"] == "compute")
            urls = {each["region"]: each["url"] for each in compute["endpoints"]}
            clouds = imagedetail_server.clouds
            assert urls == {each: imagedetail_server.url(each) for each in clouds}
            assert len({*urls.values()}) == len(clouds)

        def test_names(imagedetail_server):
            for ask in (imagedetail_server.url, imagedetail_server.env):
                with pytest.raises(Exception, match="did you mean nova-2026.2?"):
                    ask("nova-2O26.2")
                with pytest.raises(Exception, match="matches 2 clouds, and exactly one is needed"):
                    ask("nova-2026.*")
                assert ask("nova-*6.2") == ask("nova-2026.2")
        """,
        "--imagedetail-cloud=nova-202*",
        "--imagedetail-cloud=openstack-sample",
    )
    result.assert_outcomes(passed=3)


def test_a_request_without_a_recording_fails_the_test(run):
    """Even if the program ignores the answer or a fixture sent the request; no other test fails."""
    source = """
    @pytest.fixture
    def closing(imagedetail_server):
        yield
        images(imagedetail_server, "nova-2026.2", "?limit=9")

    def test_skips(imagedetail_server):
        images(imagedetail_server, "nova-2026.2", "?limit=4")
        pytest.skip("the cloud is down")

    def test_expected(imagedetail_server):
        images(imagedetail_server, "nova-2026.2", "?limit=11")
        pytest.xfail("known")

    @pytest.mark.xfail
    def test_marked(imagedetail_server):
        images(imagedetail_server, "nova-2026.2", "?limit=12")

    def test_swallowed(imagedetail_server):
        images(imagedetail_server, "nova-2026.2", "?limit=7&api_key=s3cret-key")

    def test_fails(imagedetail_server):
        images(imagedetail_server, "nova-2026.2", "?limit=6")
        raise ValueError("the program is sorry")

    def test_closing(closing):
        pass

    def test_keystone(imagedetail_server):
        headers = {"X-Auth-Token": imagedetail_server.token}
        requests.get(imagedetail_server.auth_url + "/v3/users", headers=headers)

    def test_own(imagedetail_server):
        imagedetail_server.expect_miss()
        images(imagedetail_server, "nova-2026.2", "?limit=8")

    def test_answered(imagedetail_server):
        imagedetail_server.expect_miss()
        images(imagedetail_server, "nova-2026.2")

    def test_after(imagedetail_server):
        images(imagedetail_server, "nova-2026.2")
    """
    for workers in ((), ("-n2",)):  # each worker has a server of its own
        result = run(source, *workers)
        result.assert_outcomes(passed=3, failed=5, errors=3, xfailed=2)
        text = result.stdout.str().partition("short test summary")[0]  # whole in CI, cut elsewhere
        expected = {4: 1, 6: 1, "7&api_key=redacted": 1, 8: 0, 9: 1, 11: 1, 12: 1}
        for limit, times in expected.items():
            missed = f"nothing is recorded for GET /v2.1/images/detail?limit={limit}\n"
            assert text.count(missed) == times, limit
        for said in (
            "next:  record it from a real cloud: imagedetail record --os-cloud NAME",
            "if the test is about that: imagedetail_server.expect_miss()",
            "this was refused to the test:",
            "nothing is recorded for GET /identity/v3/users",
            "expect_miss(): every request of this test was answered",
        ):
            assert said in text, said
        assert "pytest_imagedetail/" not in text
        assert "/_pytest/" not in text


def test_a_cassette_answers_no_program(run):
    """The failed test names the fixture that does."""
    source = """
    pytestmark = pytest.mark.imagedetail("nova-2026.2")

    def test_program(imagedetail_cassette):
        child(f"import urllib.request; urllib.request.urlopen({imagedetail_cassette.endpoint!r})")

    def test_own(imagedetail_cassette):
        assert not requests.get(imagedetail_cassette.endpoint + "/images/detail").ok
    """
    result = run(source)
    result.assert_outcomes(failed=2)
    lines = [line for line in result.outlines if line.startswith("E ") and "programs" in line]
    assert [line.endswith(" need imagedetail_server") for line in lines] == [True]


def test_a_cassette_and_the_server_name_the_same_nearest_recording(run):
    """The one with the same path and the fewest other differences, whatever its text is like."""
    source = """
    import re
    QUERIES = [("marker=x&limit=5", "?limit=5"), ("a=&b=", ""), ("status=active", "?status=ACTIVE")]

    @pytest.mark.imagedetail("nova-2026.2")
    @pytest.mark.parametrize("query, near", QUERIES)
    def test_nearest(imagedetail_server, imagedetail_cassette, query, near):
        imagedetail_server.expect_miss()
        imagedetail_cassette.expect_miss()
        token = {"X-Auth-Token": imagedetail_server.token}
        path = f"/images/detail?{query}"
        asked = requests.get(imagedetail_server.url("nova-2026.2") + path, headers=token)
        with pytest.raises(Exception) as caught:
            requests.get(imagedetail_cassette.endpoint + path)
        (nearest,) = re.findall(r"nearest: GET https://[^/]+(.*)", str(caught.value))
        assert nearest == f"/v2.1/images/detail{near}"
        assert f"nearest recordings: GET {nearest}, GET " in asked.text
    """
    run(source).assert_outcomes(passed=3)


def test_own_recordings(run, pytester, cassettes):
    """They come before the library; a damaged one fails only its test; unused ones are named.

    Recordings of tests are not served.
    """
    cassettes.rename(pytester.path / "cassettes")
    active = "status=active-bc8e2fbf.yaml"
    path = pytester.path / "cassettes" / "nova-essex" / active
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ACTIVE", "ERROR", 1))
    traffic = pytester.path / "cassettes" / "own" / "tests" / "test_a.yaml"
    traffic.parent.mkdir(parents=True)
    traffic.touch()
    source = """
        def test_sound(imagedetail_server):
            assert imagedetail_server.clouds[:3] == ("nova-2026.2", "nova-essex", "fujitsu-k5")
            assert images(imagedetail_server, "nova-2026.2") == (200, 14)
            assert images(imagedetail_server, "nova-2026.2", "?limit=3") == (200, 3)

        def test_essex(imagedetail_server):
            images(imagedetail_server, "nova-essex", "?status=ACTIVE")
    """
    own = 'def test_own(imagedetail_server): imagedetail_server.env("own")'
    result = run(dedent(source) + own)
    result.assert_outcomes(passed=1, failed=2)
    for each in (result, run(own, "--imagedetail-cloud=own")):
        each.stdout.fnmatch_lines(["E *cloud 'own' only has recordings of tests, *"])
    traffic.unlink()
    result.stdout.fnmatch_lines([f"*where: */nova-essex/{active}*"])
    path.write_text(text)
    result = run(source, "--imagedetail-unused=fail")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = [each for each in result.outlines if each.startswith("unused ")]
    unused = (f"nova-2026.2/{active}", "nova-essex/all.yaml")
    assert lines == [f"unused cassettes/{each}" for each in unused]


OF_CASSETTE = """
SESSION = requests.Session()

def asked(server):
    url = f"{server.url('nova-2026.2')}/images/detail?limit=3"
    return len(SESSION.get(url, headers={"X-Auth-Token": server.token}).json()["images"])

@pytest.fixture(scope="session")
def warm(imagedetail_server):
    asked(imagedetail_server)

@pytest.mark.imagedetail("staging")
def test_it(warm, imagedetail_server, imagedetail_cassette):
    assert asked(imagedetail_server) == 3
    assert len(requests.get("$URL/images").json()["images"]) == 40
"""


def test_a_cassette_ignores_it(run, served, cassettes_of):
    """Requests to the server are neither recorded nor refused, nor intercepted."""
    source = OF_CASSETTE.replace("$URL", served.url)
    run(source, "--imagedetail-record-mode=once").assert_outcomes(passed=1)
    assert served.asked == ["GET /v2.1/images"]
    run(source).assert_outcomes(passed=1)
    (text,) = cassettes_of().values()
    assert text.count("uri:") == 1
