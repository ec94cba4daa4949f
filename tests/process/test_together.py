"""Several at once: threads, workers of pytest-xdist, two runs of pytest, a lock that stays."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from process.recordings import images_in, load, recording, write
from pytest_imagedetail.cassette import Store, loads, swapping
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.harness import Harness
from pytest_imagedetail.settings import Choices, resolve
from tests.cloud import SimulatedCloud

ONCE = "--imagedetail-record-mode=once"
QUERIES = """
    import pytest

    @pytest.mark.parametrize("limit", range(1, 21))
    def test_page(imagedetail_cloud, limit):
        assert len(imagedetail_cloud.list(limit=limit % 5 + 1).images) == limit % 5 + 1
"""
TRAFFIC = """
    import pytest, urllib.request

    @pytest.mark.imagedetail("staging", cassette="inventory")
    @pytest.mark.parametrize("limit", range(1, 21))
    def test_page(imagedetail_cloud, imagedetail_cassette, limit):
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


def shared_urls(pytester):
    """What the files of the shared folder hold, by its limit."""
    folder = pytester.path / "cassettes" / "staging" / "tests" / "inventory.d"
    found = [each for path in folder.rglob("*.yaml") for each in loads(path).interactions]
    return sorted(int(each.url.rpartition("limit=")[2]) for each in found)


def test_eight_threads_of_one_process(tmp_path):
    """Recordings of their own and one in common, at once: all there, all whole."""
    kept = Store(directory=tmp_path)
    barrier = threading.Barrier(8)
    overlaps = []
    busy = set()

    def work(number):
        barrier.wait()
        for turn in range(4):
            busy.add(number)
            overlaps.append(len(busy))
            write(kept, recording(number * 10 + turn + 1))
            write(kept, recording(number + 1, name=number + 1))
            busy.discard(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert max(overlaps) == 8  # they did run at once
    for number in range(8):
        assert images_in(load(kept, recording(name=number + 1))) == number + 1
    assert images_in(load(kept, recording())) in range(4, 80, 10)
    assert not list(tmp_path.rglob("*.tmp"))


def test_eight_threads_of_one_harness(live, pytester, monkeypatch):
    """One `imagedetail` of a test, asked by eight threads: every query is recorded."""
    monkeypatch.chdir(pytester.path)
    harness = Harness(resolve(Choices(record_mode="once"), root=pytester.path))
    cloud = harness["staging"]

    def ask(number):
        return len(cloud.list(limit=number + 1).images)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(16))) == list(range(1, 17))
    live.stop()
    replaying = Harness(resolve(Choices(), root=pytester.path))["staging"]
    for number in range(1, 17):
        assert len(replaying.list(limit=number).images) == number


def test_merging_is_done_under_the_lock(tmp_path):
    """Forty writers add to one cassette, eight at a time; each finds what the others added."""
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
        list(pool.map(add, range(40)))
    found = load(kept, recording()).interactions
    assert {each.url.rpartition("/")[2] for each in found} == {str(n) for n in range(40)}


def test_four_workers_share_cassettes_of_queries(live, pytester):
    """Twenty tests ask five queries; each is recorded, and all tests replay alone."""
    pytester.makepyfile(QUERIES)
    pytester.runpytest_subprocess(ONCE, "-n4").assert_outcomes(passed=20)
    names = sorted(path.name for path in (pytester.path / "cassettes" / "staging").iterdir())
    assert names == [f"limit={limit}.yaml" for limit in range(1, 6)]
    live.stop()
    pytester.runpytest_subprocess().assert_outcomes(passed=20)


def test_four_workers_share_a_folder_of_traffic(live, pytester):
    """Twenty tests write a file each: twenty interactions are there."""
    pytester.makepyfile(TRAFFIC)
    result = pytester.runpytest_subprocess(ONCE, "-n4")
    result.assert_outcomes(passed=20)
    assert shared_urls(pytester) == list(range(1, 21))
    live.stop()
    pytester.runpytest_subprocess("-n2").assert_outcomes(passed=20)


def test_two_runs_at_once(live, pytester):
    """Two people record the same at the same time: both are green, and the cassette is whole."""
    pytester.makepyfile(QUERIES)
    command = [sys.executable, "-m", "pytest", ONCE, "-q", "-p", "no:cacheprovider"]
    runs = [
        subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    live.stop()
    pytester.runpytest_subprocess().assert_outcomes(passed=20)


def test_a_lock_that_a_living_process_holds(kept, child, monkeypatch):
    """The wait ends with a message; once the other process dies, the write goes through."""
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
    assert images_in(load(kept.store, kept.recording)) == 2


READER = """
import time
end = time.monotonic() + 3
read, answers = 0, set()
print("reading", flush=True)
while time.monotonic() < end:
    answers.add(images_in(load(store, recording())))
    read += 1
import json
print(json.dumps([read, sorted(answers)]))
"""


def test_a_reader_meets_whole_files_only(kept, child):
    """While one writes without a pause, another reads: the old or the new, never an error."""
    process = child(READER)
    assert process.stdout.readline() == "reading\n"
    images = 0
    while process.poll() is None:
        images = images % 2 + 1
        write(kept.store, recording(images))
    out, err = process.communicate()
    assert process.returncode == 0, err
    read, answers = json.loads(out)
    assert read > 20
    assert answers == [1, 2]
