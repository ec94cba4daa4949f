"""Faults that only real processes and disks show: nothing is lost without an error."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from process import images_in, load, recording, write
from pytest_imagedetail.cassette import Store, Written, load_own, swapping
from pytest_imagedetail.errors import DamagedCassetteError, RecordingError

BEGIN = """
import json, os, signal, sys, time
from pathlib import Path
from filelock import FileLock
from process import *
from pytest_imagedetail.cassette import Store, store as kept, swapping
from pytest_imagedetail.errors import *
store = Store(directory=Path({folder!r}))
"""
UNTOUCHED = "  next:  check space and permissions; an older recording is untouched"


class Kept:
    """A small recording on disk, and its bytes."""

    def __init__(self, folder):
        self.store = Store(directory=folder)
        write(self.store, recording())
        self.path = folder / "k5" / "all.yaml"
        self.text = self.path.read_bytes()

    def debris(self):
        return list(self.path.parent.glob("*.tmp"))


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "cassettes")


@pytest.fixture
def child(kept):
    """Start a Python process that has `store` and the functions of `process`."""
    started = []

    def start(body):
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        begin = BEGIN.format(folder=str(kept.store.directory))
        command, pipe = [sys.executable, "-c", begin + body], subprocess.PIPE
        started.append(
            subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


LINE_BY_LINE = """
PLACES = {kept.__file__, swapping.__file__}

def killed_at(number):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = [number]
    def trace(frame, event, _):
        if frame.f_code.co_filename not in PLACES:
            return None
        if event == "line":
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    write(store, recording(2))
    os._exit(0)

deaths, number, status = [], 0, signal.SIGKILL
while status == signal.SIGKILL:
    number += 1
    status = killed_at(number)
    deaths.append((status, images_in(store)))
print(json.dumps(deaths))
"""


def test_kill_9_at_every_line_of_the_write(kept, child):
    """Each process is killed at another line: at first the old cassette is there, then the new."""
    process = child(LINE_BY_LINE)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    *deaths, last = json.loads(out)
    assert last == [0, 2]  # this one was not killed, and wrote
    assert {status for status, _ in deaths} == {signal.SIGKILL}
    found = [images for _, images in deaths]
    assert len(found) > 30
    assert {*found} == {1, 2}
    assert found == sorted(found)
    assert kept.debris() != []  # some died with their temporary file half or wholly written


HALFWAY = """
os.fsync = lambda _: (print("writing", flush=True), time.sleep(60))
write(store, recording(2))
"""


def test_a_write_that_is_ended(kept, child):
    """The old cassette stays. Ctrl-C cleans up; what kill -9 leaves stops no later write."""
    for how, codes in ((signal.SIGINT, {130, -signal.SIGINT}), (signal.SIGKILL, {-signal.SIGKILL})):
        process = child(HALFWAY)
        assert process.stdout.readline() == "writing\n"
        process.send_signal(how)
        process.communicate(timeout=60)
        assert process.returncode in codes
        assert (kept.debris() == []) is (how == signal.SIGINT)
        assert kept.path.read_bytes() == kept.text
    began = time.monotonic()
    assert write(kept.store, recording(2)) is Written.REPLACED
    assert time.monotonic() - began < 50  # a lock that is held is waited for for 60 seconds
    assert (images_in(kept.store), kept.store.clouds()) == (2, ("k5",))


FULL_DISK = """
import resource
new = recording(5_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write(store, new)
except ImageDetailError as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk(kept, child):
    """The temporary file is removed."""
    out, err = child(FULL_DISK).communicate(timeout=60)
    problem = "RecordingError the cassette cannot be written: File too large"
    assert out.splitlines() == [problem, f"  where: {kept.path}", UNTOUCHED], err
    assert (kept.path.read_bytes(), kept.debris()) == (kept.text, [])


def test_a_path_that_cannot_be_read_or_written(kept):
    """It is never taken for a missing recording, which would be recorded anew."""
    kept.path.unlink()
    kept.path.mkdir()
    with pytest.raises(DamagedCassetteError, match="Is a directory") as caught:
        load(kept.store)
    assert caught.value.where == str(kept.path)
    kept.path.rmdir()
    kept.path.parent.rmdir()
    kept.path.parent.touch()
    with pytest.raises(DamagedCassetteError, match="listed: Not a directory") as caught:
        load(kept.store)
    assert caught.value.where == str(kept.path)
    with pytest.raises(RecordingError) as caught:
        write(kept.store, recording(2))
    problem = "the cassette cannot be written: File exists"
    assert str(caught.value) == f"{problem}\n  where: {kept.path}\n{UNTOUCHED}"


def test_a_cassette_that_is_a_link(kept, tmp_path):
    """The link stays; its target is replaced as a whole."""
    target = tmp_path / "shared.yaml"
    kept.path.rename(target)
    kept.path.symlink_to(target)
    assert write(kept.store, recording(2)) is Written.REPLACED
    assert (kept.path.is_symlink(), images_in(kept.store)) == (True, 2)
    assert not list(tmp_path.rglob("*.tmp"))


def test_merging_is_done_under_the_lock(tmp_path):
    """Sixteen writers add to one cassette, eight at a time; each finds what the others added."""
    kept = Store(directory=tmp_path)

    def add(number):
        new = recording()
        page = replace(new.interactions[0], url=f"https://compute.k5.invalid/{number}")

        def merge(old):
            time.sleep(0.01)  # long enough for another to write in between, if it could
            return replace(old, interactions=(*old.interactions, page))

        write(kept, replace(new, interactions=(page,)), merge=merge)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(16)))
    found = {each.url.rpartition("/")[2] for each in load(kept).interactions}
    assert found == {str(number) for number in range(16)}


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


def test_two_runs_of_two_workers_at_once(pytester, live):
    """Both record the same and are green, and every answer is there."""
    pytest.importorskip("openstack", reason="recording needs the extra `record`")
    pytester.makepyfile(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-n2", "-p", "no:cacheprovider"]
    command.append("--imagedetail-record-mode=once")
    start = {"cwd": pytester.path, "stdout": subprocess.PIPE, "text": True}
    runs = [subprocess.Popen(command, **start) for _ in "12"]
    said = [run.communicate(timeout=120)[0] for run in runs]
    live.stop()
    assert [run.returncode for run in runs] == [0, 0], said
    folder = pytester.path / "cassettes" / "staging"
    names = {path.name for path in folder.glob("*.yaml")}
    assert names == {f"limit={limit}.yaml" for limit in range(1, 5)}
    traffic = (folder / "tests" / "inventory.d").rglob("*.yaml")
    found = [each.url for path in traffic for each in load_own(path).interactions]
    assert sorted(int(url.rpartition("limit=")[2]) for url in found) == [*range(1, 9)]
    pytester.runpytest_subprocess().assert_outcomes(passed=16)


def test_a_lock_that_a_living_process_holds(kept, child, monkeypatch):
    """The wait ends with a message; a write succeeds once the other process is dead."""
    lock = kept.store.directory / swapping.LOCK
    hold = "    print('held', flush=True)\n    time.sleep(60)"
    process = child(f"with FileLock({str(lock)!r}):\n{hold}")
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
    assert images_in(kept.store) == 2
