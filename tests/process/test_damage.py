"""Files that are no cassettes any more: one class of error each, and never overwritten."""

import hashlib

import pytest

from process.recordings import load, recording, write
from pytest_imagedetail.errors import DamagedCassetteError

CODE = "!!python/object/apply:os.system ['touch {canary}']"

# A name, what becomes of a good text, and how the message begins.
DAMAGE = {
    "empty": (lambda _: "", "the cassette is empty"),
    "truncated": (lambda text: text[: len(text) // 2], None),
    "a text": (lambda _: "hello world", "not a cassette: it has no `interactions`"),
    "not utf-8": (lambda text: b"\xff\xfe" + text.encode(), "not a UTF-8 file: byte 0 is 0xff"),
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
}


def refused(kept):
    """The error of reading it, which says where and what to do, and changes nothing."""
    with pytest.raises(DamagedCassetteError) as caught:
        load(kept.store, kept.recording)
    assert type(caught.value) is DamagedCassetteError
    assert str(kept.path) in caught.value.where
    assert "record it again" in caught.value.remedy
    return caught.value


def test_damage_is_explained(kept, tmp_path):
    """File, line where it is known, cause and remedy; nothing in it is run, and it stays."""
    canary = tmp_path / "canary"
    for name, (spoil, problem) in DAMAGE.items():
        damaged = spoil(kept.text.decode())
        data = damaged if isinstance(damaged, bytes) else damaged.encode()
        kept.path.write_bytes(data.replace(b"{canary}", bytes(canary)))
        before = hashlib.sha256(kept.path.read_bytes()).digest()
        error = refused(kept)
        assert error.problem.startswith(problem or ""), name
        if error.problem.startswith("not a readable YAML file"):
            assert ", line " in error.where, name
        assert not canary.exists()
        with pytest.raises(DamagedCassetteError):  # nor does recording afresh replace it
            write(kept.store, recording(2))
        assert hashlib.sha256(kept.path.read_bytes()).digest() == before, name
