"""`imagedetail_server`: the programs of a test talk to recorded clouds."""

from textwrap import dedent

import pytest

CLIENTS = '''
import json, os, subprocess, sys, urllib.error, urllib.request

PLAIN = """
import json, sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"X-Auth-Token": sys.argv[2]})
with urllib.request.urlopen(request) as answer:
    print(json.dumps([answer.status, len(json.load(answer).get("images", []))]))
"""

SWALLOWING = f"try:\\n  exec({PLAIN!r})\\nexcept OSError:\\n  print('[0, 0]')"

OF_SDK = """
import openstack
with openstack.connect() as connection:
    print(*(each.id for each in connection.compute.images()))
"""

def child(program, *arguments, **env):
    command = [sys.executable, "-c", program, *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    done = subprocess.run(command, env=clean | env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout

def images(server, cloud, query="", program=PLAIN):
    url = f"{server.url(cloud)}/images/detail{query}"
    return json.loads(child(program, url, server.token))
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
    """Two clouds at once, by URL, OS_* and clouds.yaml; also while the network is blocked."""
    pytest.importorskip("openstack", reason="a client of the extra `record`")
    run(
        """
        def test_two_clouds(imagedetail_server, imagedetail):
            assert images(imagedetail_server, "nova-2023.1", "?limit=0") == [200, 14]
            assert images(imagedetail_server, "openstack-sample") == [200, 7]
            listing = imagedetail["nova-2026.2"].list()
            env = imagedetail_server.env("nova-2026.2")
            by_env = child(OF_SDK, **{"OS_CLOUD": "of-the-shell", **env})
            file = {"OS_CLIENT_CONFIG_FILE": str(imagedetail_server.clouds_yaml)}
            by_file = child(OF_SDK, **file, OS_CLOUD="nova-2026.2")
            assert by_env.split() == by_file.split() == [*listing.by_id]
            request = urllib.request.Request(
                imagedetail_server.url("nova-2026.2") + "/images/detail",
                headers={"X-Auth-Token": imagedetail_server.token},
            )
            with urllib.request.urlopen(request) as answer:
                found = json.load(answer)["images"]
            assert [each["id"] for each in found] == [*listing.by_id]
        """
    ).assert_outcomes(passed=1)


def test_one_keystone_leads_to_every_cloud(run):
    """Each is a region; the token opens all of them."""
    result = run(
        """
        def test_catalog(imagedetail_server):
            clouds = imagedetail_server.clouds
            body = json.dumps({"auth": {"identity": {"methods": []}}}).encode()
            url = f"{imagedetail_server.auth_url}/v3/auth/tokens"
            with urllib.request.urlopen(urllib.request.Request(url, body, method="POST")) as answer:
                assert answer.headers["X-Subject-Token"] == imagedetail_server.token
                catalog = json.load(answer)["token"]["catalog"]
            (compute,) = (each for each in catalog if each["type"] == "compute")
            urls = {each["region"]: each["url"] for each in compute["endpoints"]}
            assert urls == {each: imagedetail_server.url(each) for each in clouds}
            assert len({*urls.values()}) == len(clouds)
            for wrong in ("stolen", ""):
                for place in (url, f"{urls[clouds[0]]}/images/detail"):
                    asked = urllib.request.Request(place, headers={"X-Auth-Token": wrong})
                    with pytest.raises(urllib.error.HTTPError, match="401"):
                        urllib.request.urlopen(asked)
        """,
        "--imagedetail-cloud=nova-202*",
        "--imagedetail-cloud=openstack-sample",
    )
    result.assert_outcomes(passed=1)


def test_a_request_without_a_recording_fails_the_test(run):
    """Of this test alone, also if the program swallows the fault or a fixture sent it."""
    result = run(
        """
        @pytest.fixture
        def prepared(imagedetail_server):
            images(imagedetail_server, "nova-2026.2", "?limit=8", SWALLOWING)

        @pytest.fixture
        def closing(imagedetail_server):
            yield
            images(imagedetail_server, "nova-2026.2", "?limit=9", SWALLOWING)

        @pytest.fixture
        def broken(prepared):
            raise OSError

        def test_skips(imagedetail_server):
            images(imagedetail_server, "nova-2026.2", "?limit=4", SWALLOWING)
            pytest.skip("the cloud is down")

        def test_before(imagedetail_server):
            images(imagedetail_server, "nova-2026.2")

        def test_swallowed(imagedetail_server):
            images(imagedetail_server, "nova-2026.2", "?limit=7", SWALLOWING)

        def test_seen(imagedetail_server):
            images(imagedetail_server, "nova-2026.2", "?limit=6")

        def test_between(imagedetail_server):
            images(imagedetail_server, "nova-2026.2")

        def test_prepared(prepared):
            pass

        def test_closing(closing):
            pass

        def test_broken(broken):
            pass

        def test_keystone(imagedetail_server):
            child(SWALLOWING, imagedetail_server.auth_url + "/v3/users", imagedetail_server.token)

        @pytest.mark.xfail(strict=True)
        def test_expected(prepared):
            pass

        def test_after(imagedetail_server):
            images(imagedetail_server, "nova-2026.2")
        """
    )
    # Setup and teardown of `test_broken` are one error each.
    result.assert_outcomes(passed=4, failed=5, errors=3, xfailed=1)
    text = result.stdout.str().partition("short test summary")[0]  # whole in CI, cut elsewhere
    assert "test passed" not in text
    for limit, times in {4: 1, 7: 1, 6: 1, 8: 2, 9: 1}.items():
        missed = f"nothing is recorded for GET /v2.1/images/detail?limit={limit}\n"
        assert text.count(missed) == times, limit
    assert "next:  record it from a real cloud: imagedetail record --os-cloud NAME" in text
    assert "Keystone's answer to GET /identity/v3/users is not replayed" in text
    assert "pytest_imagedetail/" not in text


def test_a_test_may_be_about_a_miss(run):
    """It says so, from a fixture or the test; then an answer to everything fails it."""
    result = run(
        """
        def miss(server):
            images(server, "nova-2026.2", "?limit=7", SWALLOWING)

        @pytest.fixture
        def expecting(imagedetail_server):
            imagedetail_server.expect_miss()
            yield
            miss(imagedetail_server)

        def test_own(imagedetail_server):
            imagedetail_server.expect_miss()
            miss(imagedetail_server)

        def test_prepared(imagedetail_server, expecting):
            miss(imagedetail_server)

        def test_skipped(imagedetail_server, expecting):
            pytest.skip("no cloud")

        def test_answered(imagedetail_server):
            imagedetail_server.expect_miss()
            images(imagedetail_server, "nova-2026.2")

        def test_next(imagedetail_server):
            miss(imagedetail_server)
        """
    )
    result.assert_outcomes(passed=2, skipped=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "expect_miss(): every request of this test was answered",
            "*test_next*",
            "if the test is about that: imagedetail_server.expect_miss()",
        ]
    )


def test_unknown_and_damaged_clouds(run, pytester, cassettes):
    """A name gets a suggestion; a damaged cassette fails the test that asks for it alone."""
    cassettes.rename(pytester.path / "cassettes")
    path = pytester.path / "cassettes" / "nova-essex" / "status=active-bc8e2fbf.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("ACTIVE", "ERROR", 1))
    result = run(
        """
        def test_names(imagedetail_server):
            for ask in (imagedetail_server.url, imagedetail_server.env):
                with pytest.raises(Exception, match="did you mean nova-2026.2?"):
                    ask("nova-2O26.2")

        def test_sound(imagedetail_server):
            assert imagedetail_server.clouds[:3] == ("nova-2026.2", "nova-essex", "fujitsu-k5")
            assert images(imagedetail_server, "nova-2026.2")[0] == 200

        def test_damaged(imagedetail_server):
            images(imagedetail_server, "nova-essex", program=SWALLOWING)
        """
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["  where: */nova-essex/status=active-bc8e2fbf.yaml*"])
    done = run("def test_it(imagedetail_server): pass", "--imagedetail-cloud=nova-2O26.2")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*did you mean nova-2026.2?*"])


def test_each_worker_has_its_own(run):
    """pytest-xdist: ports and files of one worker are none of the other's."""
    result = run(
        """
        @pytest.mark.parametrize("number", range(6))
        def test_it(imagedetail_server, number, worker_id):
            assert images(imagedetail_server, "nova-2026.2", "?limit=3") == [200, 3]
            with open(f"{worker_id}.txt", "w") as file:
                print(imagedetail_server.auth_url, imagedetail_server.clouds_yaml, file=file)

        def test_miss(imagedetail_server):
            images(imagedetail_server, "nova-2026.2", "?limit=7", SWALLOWING)
        """,
        "-n2",
        "-pxdist",
    )
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["nothing is recorded for GET /v2.1/images/detail?limit=7"])


OF_CASSETTE = """
import requests
SESSION = requests.Session()

def asked(server, cassette):
    url = f"{server.url('nova-2026.2')}/images/detail?limit=3"
    own = requests.get(url, headers={"X-Auth-Token": server.token})
    kept = SESSION.get(url, headers={"X-Auth-Token": server.token})
    return [len(each.json()["images"]) for each in (own, kept)]

@pytest.fixture(scope="session")
def warm(imagedetail_server):
    asked(imagedetail_server, None)

@pytest.mark.imagedetail("staging")
def test_it(warm, imagedetail_server, imagedetail_cassette):
    assert asked(imagedetail_server, imagedetail_cassette) == [3, 3]
    answer = requests.get("ASKED/images").json()
    assert len(answer["images"]) == 40
    if not imagedetail_cassette.replays:
        assert [each.url for each in imagedetail_cassette.interactions] == ["ASKED/images"]
"""


def test_a_cassette_has_no_part_in_it(run, pytester):
    """Requests to the server are neither recorded nor refused, nor intercepted."""
    pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")
    from answering import answering  # noqa: PLC0415

    with answering() as (url, asked):
        source = OF_CASSETTE.replace("ASKED", url)
        for mode in ("new_episodes", "rewrite", "verify"):
            run(source, f"--imagedetail-record-mode={mode}").assert_outcomes(passed=1)
        assert asked.count("GET /v2.1/images") == 3
    run(source).assert_outcomes(passed=1)
    (path,) = (pytester.path / "cassettes").rglob("*.yaml")
    assert path.read_text().count("uri:") == 1


def test_what_it_answers_from_is_used(run, pytester, cassettes):
    """A recording that only a program asked for is no unused one; another one is."""
    cassettes.rename(pytester.path / "cassettes")
    source = """
        def test_it(imagedetail_server):
            images(imagedetail_server, "nova-2026.2")
            images(imagedetail_server, "nova-essex", MORE)
    """
    active = "nova-essex/status=active-bc8e2fbf.yaml"
    for more, unused in {"'?status=ACTIVE'": "nova-essex/all.yaml", "''": active}.items():
        result = run(source.replace("MORE", more), "--imagedetail-unused=fail")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        lines = [each for each in result.outlines if each.startswith("unused ")]
        other = "nova-2026.2/status=active-bc8e2fbf.yaml"
        assert lines == [f"unused cassettes/{each}" for each in (other, unused)]
