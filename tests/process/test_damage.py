"""Files that are no cassettes any more: one class of error each, and never overwritten."""

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from process.recordings import load, recording, write
from pytest_imagedetail.errors import DamagedCassetteError
from tests.cloud import SimulatedCloud

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
CODE = "!!python/object/apply:os.system ['touch {canary}']"

# A name, what becomes of a good text, and how the message begins.
DAMAGE = {
    "empty": (lambda _: "", "the cassette is empty"),
    "truncated": (lambda text: text[: len(text) // 2], None),
    "not yaml": (lambda _: "hello: 'world", "not a readable YAML file: "),
    "a text": (lambda _: "hello world", "not a cassette: it has no `interactions`"),
    "not utf-8": (lambda text: b"\xff\xfe" + text.encode(), "not a UTF-8 file: byte 0 is 0xff"),
    "a list": (lambda _: "[1, 2]", "not a cassette: it has no `interactions`"),
    "no interactions": (
        lambda text: text[: text.index("interactions:")],
        "not a cassette: it has no `interactions`",
    ),
    "none at all": (
        lambda text: text[: text.index("interactions:")] + "interactions: []\n",
        "the cassette has no interactions",
    ),
    "another version": (
        lambda text: text.replace("version: 1", "version: 99", 1),
        "unknown cassette version 99; this reads version 1",
    ),
    "another schema": (
        lambda text: text.replace("schema: 1", "schema: 7", 1),
        "unknown provenance schema 7",
    ),
    "tampered": (
        lambda text: text.replace('"name"', '"Name"', 1),
        "the cassette was changed after it was written: ",
    ),
    "merged badly": (
        lambda text: text.replace("version: 1", "<<<<<<< HEAD\nversion: 1", 1),
        "not a readable YAML file: ",
    ),
    "code": (
        lambda text: text.replace("string: |", f"string: {CODE}\n      other: |", 1),
        "not a readable YAML file: could not determine a constructor for the tag",
    ),
    "a bomb": (lambda _: BOMB, "not a readable YAML file: aliases that multiply"),
    "nested": (lambda _: "[" * 100_000, "not a readable YAML file: nested too deeply"),
    "a flood": (lambda _: "[" + "1," * 1_500_000 + "]", "not a readable YAML file: more than"),
    "zero bytes": (lambda _: b"\0" * 4096, "not a readable YAML file: "),
}


def refused(kept):
    """The error of reading it, which says where and what to do, and changes nothing."""
    with pytest.raises(DamagedCassetteError) as caught:
        load(kept.store, kept.recording)
    assert type(caught.value) is DamagedCassetteError
    assert str(kept.path) in caught.value.where
    assert "record it again" in caught.value.remedy
    return caught.value


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_explained(kept, tmp_path, name):
    """File, line where it is known, cause and remedy; nothing in it is run, and it stays."""
    spoil, problem = DAMAGE[name]
    canary = tmp_path / "canary"
    damaged = spoil(kept.text.decode())
    data = damaged if isinstance(damaged, bytes) else damaged.encode()
    kept.path.write_bytes(data.replace(b"{canary}", bytes(canary)))
    before = hashlib.sha256(kept.path.read_bytes()).digest()
    error = refused(kept)
    assert error.problem.startswith(problem or "")
    if error.problem.startswith("not a readable YAML file") and name != "zero bytes":
        assert ", line " in error.where
    assert not canary.exists()
    assert hashlib.sha256(kept.path.read_bytes()).digest() == before


def test_the_canary_sings_where_code_is_run(tmp_path):
    """The file of the test above is dangerous: a loader that runs tags does what it says."""
    canary = tmp_path / "canary"
    script = "import sys, yaml; yaml.load(sys.argv[1], Loader=yaml.UnsafeLoader)"
    subprocess.run([sys.executable, "-c", script, CODE.format(canary=canary)], check=True)
    assert canary.exists()


@pytest.mark.parametrize("what", ["directory", "fifo", "device"])
def test_no_file_at_all(kept, what):
    """Reading a pipe would wait for ever, and a device would fill all memory."""
    kept.path.unlink()
    if what == "directory":
        kept.path.mkdir()
    elif what == "fifo":
        os.mkfifo(kept.path)
    else:
        kept.path.symlink_to("/dev/zero")
        assert stat.S_ISCHR(kept.path.stat().st_mode)
    problem = refused(kept).problem
    expected = "the file cannot be read: Is a directory"
    if what != "directory":
        expected = "not a readable YAML file: it is a pipe, a socket or a device, not a file"
    assert problem == expected


READ = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
began = time.monotonic()
try:
    load(store, recording(kind=kind))
except DamagedCassetteError as error:
    print(error.problem)
print(time.monotonic() - began < 60)
"""


@pytest.mark.parametrize(
    ("unit", "problem"),
    [
        ("- x\n", "more than 128 MiB"),
        ("[" + "1," * 511 + "1]\n", "more than 128 MiB"),
    ],
)
def test_200_megabytes(kept, child, unit, problem):
    """In seconds and with bounded memory it is said how large a cassette may be."""
    times = 200 * 2**20 // len(unit)
    with kept.path.open("w") as file:
        for _ in range(100):
            file.write(unit * (times // 100 + 1))
    assert kept.path.stat().st_size >= 200 * 2**20
    process = child(READ)
    out, err = process.communicate(timeout=120)
    kept.path.unlink()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines() == [f"not a readable YAML file: it has {problem}", "True"]


def test_100_megabytes_of_values(kept, child):
    """A file that is not too large may still hold too much; that ends in seconds, too."""
    with kept.path.open("w") as file:
        file.write("".join(["["] + ["1," * 500_000] * 100 + ["]"]))
    process = child(READ)
    out, err = process.communicate(timeout=120)
    kept.path.unlink()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines() == ["not a readable YAML file: more than 1000000 values", "True"]


@pytest.mark.parametrize("name", ["empty", "truncated", "a list", "another version", "tampered"])
def test_damage_is_not_written_over(kept, name):
    """Whoever records afresh, too, leaves it as it is and says of it what reading says."""
    damaged = DAMAGE[name][0](kept.text.decode())
    kept.path.write_text(damaged)
    said = refused(kept)
    with pytest.raises(DamagedCassetteError) as caught:
        write(kept.store, recording(2, kind=kept.kind))
    assert str(caught.value) == str(said)
    assert kept.path.read_text() == damaged


@pytest.mark.parametrize("mode", ["once", "rewrite"])
@pytest.mark.parametrize("name", ["empty", "truncated", "a list", "another version", "tampered"])
def test_no_run_records_over_damage(pytester, monkeypatch, recorded, name, mode):
    """A run that records leaves a damaged file as it is, and is red."""
    cloud = "nova-essex"
    path = Path(pytester.path) / "cassettes" / cloud / "all.yaml"
    path.parent.mkdir(parents=True)
    text = (recorded / cloud / "all.yaml").read_text()
    path.write_text(DAMAGE[name][0](text))
    before = path.read_bytes()
    pytester.makefile(".yaml", imagedetail=f"clouds: {{{cloud}: {{release: essex}}}}")
    pytester.makepyfile("def test_all(imagedetail_cloud): imagedetail_cloud.list()")
    with SimulatedCloud(release="essex") as live:
        (Path(pytester.path) / "clouds.yaml").write_text(live.clouds_yaml(cloud))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
        result = pytester.runpytest_subprocess(f"--imagedetail-record-mode={mode}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *DamagedCassetteError: *", f"E *where: *{cloud}/all.yaml*"])
    assert path.read_bytes() == before
