"""Several writers at once: threads, workers of pytest-xdist, two runs, a lock that stays."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from process import images_in, load, recording, write
from pytest_imagedetail.cassette import Store, load_own, swapping
from pytest_imagedetail.errors import RecordingError
from tests.cloud import SimulatedCloud

ONCE = "--imagedetail-record-mode=once"
TESTS = """
    import pytest, urllib.request

    @pytest.mark.parametrize("limit", range(1, 9))
    def test_page(imagedetail_cloud, limit):
        assert len(imagedetail_cloud.list(limit=limit % 4 + 1).images) == limit % 4 + 1

    @pytest.mark.imagedetail("staging", cassette="inventory")
    @pytest.mark.parametrize("limit", range(1, 9))
    def test_traffic(imagedetail_cloud, imagedetail_cassette, limit):
        url = f"{imagedetail_cloud.endpoint}/images/detail?limit={limit}"
        request = urllib.request.Request(url, headers=dict(imagedetail_cloud.headers))
        assert urllib.request.urlopen(request).status == 200
"""


@pytest.fixture
def live(pytester, monkeypatch):
    """A project that declares one running cloud, `staging`, and has no cassette."""
    with SimulatedCloud(release="2023.1", images=30) as cloud:
        (pytester.path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
        pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
        yield cloud


def test_merging_is_done_under_the_lock(tmp_path):
    """Sixteen writers add to one cassette, eight at a time; each finds what the others added."""
    kept = Store(directory=tmp_path)

    def add(number):
        own = recording()
        page = replace(own.interactions[0], url=f"https://compute.k5.invalid/{number}")
        new = replace(own, interactions=(page,))

        def merge(old):
            time.sleep(0.01)  # long enough for another to write in between, if it could
            pages = (*old.interactions, page)
            return replace(
                old, interactions=pages, provenance=replace(old.provenance, pages=len(pages))
            )

        write(kept, new, merge=merge)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(16)))
    found = load(kept).interactions
    assert {each.url.rpartition("/")[2] for each in found} == {str(n) for n in range(16)}


def test_two_runs_of_two_workers_at_once(live, pytester):
    """Both record the same and are green, and every answer is there."""
    pytester.makepyfile(TESTS)
    command = [sys.executable, "-m", "pytest", ONCE, "-q", "-n2", "-p", "no:cacheprovider"]
    runs = [
        subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    folder = pytester.path / "cassettes" / "staging"
    names = {path.name for path in folder.glob("*.yaml")}
    assert names == {f"limit={limit}.yaml" for limit in range(1, 5)}
    traffic = (folder / "tests" / "inventory.d").rglob("*.yaml")
    found = [each.url for path in traffic for each in load_own(path).interactions]
    assert sorted(int(url.rpartition("limit=")[2]) for url in found) == [*range(1, 9)]
    live.stop()
    pytester.runpytest_subprocess().assert_outcomes(passed=16)


def test_a_lock_that_a_living_process_holds(kept, child, monkeypatch):
    """The wait ends with a message; a write succeeds once the other process is dead."""
    lock = kept.store.directory / swapping.LOCK
    process = child(
        "import time\nfrom filelock import FileLock\n"
        f"with FileLock({str(lock)!r}):\n"
        "    print('held', flush=True)\n    time.sleep(60)"
    )
    assert process.stdout.readline() == "held\n"
    monkeypatch.setattr(swapping, "_LOCK_SECONDS", 0.3)
    with pytest.raises(RecordingError) as caught:
        write(kept.store, recording(2))
    assert str(caught.value) == (
        "another process has been writing cassettes for 0.3 seconds\n"
        f"  where: {kept.path}, locked by {lock}\n"
        "  next:  wait for it to end, then record again; an older recording is untouched"
    )
    assert kept.path.read_bytes() == kept.text
    process.kill()
    process.communicate()
    write(kept.store, recording(2))
    assert images_in(load(kept.store)) == 2
