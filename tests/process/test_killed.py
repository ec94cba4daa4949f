"""A process that dies while it writes: the older cassette is there, whole, or the new one is."""

import json
import signal
import time

from process import images_in, load, recording, write
from pytest_imagedetail.cassette import Written

LARGE = 8_000  # images, some 2 MB

LINE_BY_LINE = """
import json, os, signal, sys
from pytest_imagedetail.cassette import store as kept, swapping

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
    now = load(store)
    deaths.append((status, images_in(now)))
print(json.dumps(deaths))
"""


def test_kill_9_at_every_line_of_the_write(kept, child):
    """One process for each line, killed when it gets there: first always the old, then the new."""
    process = child(LINE_BY_LINE)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    *deaths, last = json.loads(out)
    assert last == [0, 2]  # this one was not killed, and wrote
    assert [status for status, _ in deaths] == [signal.SIGKILL] * len(deaths)
    found = [images for _, images in deaths]
    assert len(found) > 30
    assert found == sorted(found)
    assert set(found) == {1, 2}
    assert kept.debris() != []  # some died with their temporary file half or wholly written


def test_what_a_dead_writer_left_is_in_nobodys_way(kept, child):
    """Neither its lock nor its temporary file keeps the next write from succeeding, at once."""
    process = child(
        "import os, time\n"
        "os.fsync = lambda _: (print('writing', flush=True), time.sleep(60))\n"
        f"write(store, recording({LARGE}))"
    )
    assert process.stdout.readline() == "writing\n"
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert kept.debris() != []
    assert kept.path.read_bytes() == kept.text
    began = time.monotonic()
    assert write(kept.store, recording(2)) is Written.REPLACED
    assert time.monotonic() - began < 50  # of the 60 seconds that it would wait
    assert images_in(load(kept.store)) == 2
    assert kept.store.clouds() == ("k5",)


def test_ctrl_c_at_every_moment_cleans_up(kept, child):
    """An interrupt in the write itself: the old cassette, and not even a temporary file."""
    process = child(
        "import os, time\n"
        "os.fsync = lambda _: (print('writing', flush=True), time.sleep(60))\n"
        "write(store, recording(2))"
    )
    assert process.stdout.readline() == "writing\n"
    assert kept.debris() != []
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in {130, -signal.SIGINT}
    assert "KeyboardInterrupt" in err
    assert kept.debris() == []
    assert kept.path.read_bytes() == kept.text
