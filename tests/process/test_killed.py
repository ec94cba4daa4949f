"""A process that dies while it writes leaves the old cassette or the new one, whole."""

import json
import signal
import time

from process import images_in, load, recording, write
from pytest_imagedetail.cassette import Written

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
    """Each process is killed at another line: at first the old cassette is there, then the new."""
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


HALFWAY = """
import os, time
os.fsync = lambda _: (print("writing", flush=True), time.sleep(60))
write(store, recording(2))
"""


def test_a_write_that_is_ended(kept, child):
    """The old cassette stays. Ctrl-C cleans up; what kill -9 leaves stops no later write."""
    for how, codes in ((signal.SIGINT, {130, -signal.SIGINT}), (signal.SIGKILL, {-signal.SIGKILL})):
        process = child(HALFWAY)
        assert process.stdout.readline() == "writing\n"
        assert kept.debris() != []
        process.send_signal(how)
        process.communicate(timeout=60)
        assert process.returncode in codes
        assert (kept.debris() == []) is (how == signal.SIGINT)
        assert kept.path.read_bytes() == kept.text
    began = time.monotonic()
    assert write(kept.store, recording(2)) is Written.REPLACED
    assert time.monotonic() - began < 50  # a lock that is held is waited for for 60 seconds
    assert images_in(load(kept.store)) == 2
    assert kept.store.clouds() == ("k5",)
