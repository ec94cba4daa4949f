"""Damaged cassettes, and one that tries to run code: refused by name and left unchanged."""

import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable

from batteries.bench import Bench, Project, Row
from batteries.verdicts import Fault, NotApplicable, NotProvoked

CODE = b'\nbattery: !!python/object/apply:os.system ["touch EXECUTED"]\n'


def runs_code(bench: Bench) -> None:
    """Replay a cassette with a YAML tag that makes an unsafe loader run a command."""
    bench.needs("yaml")
    project = bench.recorded()
    path = project.cassette()
    path.write_bytes(path.read_bytes() + CODE)
    mark = project.folder / "EXECUTED"
    load = "import sys, yaml; yaml.unsafe_load(open(sys.argv[1], 'rb'))"
    subprocess.run([sys.executable, "-c", load, str(path)], cwd=project.folder, check=False)
    if not mark.exists():
        raise NotProvoked("the payload does not work")
    mark.unlink()
    run = project.run("none")
    if mark.exists():
        raise Fault("the code was executed")
    if run.green:
        raise Fault("replayed without an error")


def refused(bench: Bench, *, damage: Callable[[Project, bytes], bytes]) -> None:
    """Damage a cassette, replay it, and run it in mode once with the server up."""
    project = bench.recorded()
    path = project.cassette()
    good = path.read_bytes()
    bad = damage(project, good)
    path.write_bytes(bad)
    if bad == good:
        raise NotProvoked("the cassette has not changed")
    before = len(bench.server.asked)
    replayed = project.run("none")
    found = []
    if replayed.green:
        found.append("replayed")
    elif path.name not in replayed.message:
        found.append("the error does not name the file")
    path.write_bytes(bad)
    again = project.run("once")
    if len(bench.server.asked) > before or path.read_bytes() != bad:
        found.append("overwritten in mode once")
    elif again.green and not replayed.green:
        found.append("accepted in mode once")
    if bench.tool.lint:
        found += _not_seen_by_lint(bench, project, path.name)
    if found:
        raise Fault("; ".join(found))


def _not_seen_by_lint(bench: Bench, project: Project, name: str) -> list[str]:
    command = [sys.executable, "-m", "pytest_imagedetail", *bench.tool.lint[1:], "cassettes"]
    lint = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    return [] if lint.returncode and name in lint.stdout else ["passed by lint"]


def _no_interactions(project: Project, _: bytes) -> bytes:
    if project.tool.suffix == ".json":
        return json.dumps({"recorded_with": "betamax"}).encode()
    return b"version: 1\n"


def _version_99(project: Project, good: bytes) -> bytes:
    if "version" in project.tool.without:
        raise NotApplicable(project.tool.without["version"])
    return re.sub(rb"(?m)^version: 1$", b"version: 99", good)


DAMAGES = (
    ("empty", lambda _, __: b""),
    ("truncated", lambda _, good: good[: len(good) * 2 // 3]),
    ("plain text", lambda _, __: b"hello world\n"),
    ("no interactions", _no_interactions),
    ("a list", lambda _, __: b"[1, 2]\n"),
    ("not UTF-8", lambda _, good: good.replace(b"ACTIVE", b"ACT\xff\xfeVE")),
    ("version 99", _version_99),
)

ROWS = (
    Row(
        id="a",
        name="`!!python/object` in a cassette",
        holds="The cassette is refused, and its code is not executed.",
        battery=runs_code,
    ),
    *(
        Row(
            id=f"e{number}",
            name=f"damaged cassette: {name}",
            holds="The error names the file, and mode `once` does not overwrite it.",
            battery=functools.partial(refused, damage=damage),
        )
        for number, (name, damage) in enumerate(DAMAGES, 1)
    ),
)
