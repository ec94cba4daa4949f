"""Change one thing in the code at a time, and see whether the tests notice.

python -m benchmarks.mutants --seed 1 --count 400 compare normalize rules.py listing.py

The seed chooses among all possible mutants of the named folders and modules. Docstrings,
annotations, decorators and f-strings never change, and only one in eight error texts does. Each
mutant runs the tests that execute its lines, the fastest first, for about `--seconds`, in a copy of
the project. Run a survivor again with more `--seconds` and its number as `--only`.
"""

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "pytest_imagedetail"
TABLES = ("tests/docs/test_reference.py", "tests/layers/test_layers.py")  # execute no lines
TESTS = (
    *(f"tests/{folder}" for folder in ("unit", "laws", "library")),
    *(f"tests/cli/test_{name}.py" for name in ("cli", "cli_accept", "cli_matrix", "cli_bodies")),
    *(f"tests/cli/test_{name}.py" for name in ("cli_lint", "cli_scrub")),
    *(f"tests/plugin/test_{name}.py" for name in ("compare", "report")),
    *(f"tests/plugin/test_cassette_{name}.py" for name in ("clients", "own_client", "shared")),
    *(f"tests/plugin/test_cassette_{name}.py" for name in ("sources", "stock")),
    *("tests/process/test_writing.py", "tests/secrets/test_own_client.py"),
    *TABLES,
)
TIMEOUT = 90
SECONDS = "seconds.txt"
ERROR_TEXTS = 8  # one in so many changes
SWAPS = (
    *((ast.Eq, ast.NotEq), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.In, ast.NotIn)),
    *((ast.Is, ast.IsNot), (ast.And, ast.Or), (ast.Add, ast.Sub), (ast.Mult, ast.FloorDiv)),
    *((ast.BitXor, ast.BitOr), (ast.BitAnd, ast.BitOr)),
)
SWAPPED = {one: other for pair in SWAPS for one, other in (pair, pair[::-1])}
Change = tuple[ast.expr | ast.stmt, str]
LEFT_ALONE = ("annotation", "returns", "decorator_list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: the code of `node` in the file becomes `after`."""

    path: Path
    node: ast.expr | ast.stmt
    after: str

    def __str__(self) -> str:
        before = ast.unparse(self.node).splitlines()[0]
        return f"{self.path}:{self.node.lineno}  {before}  ->  {self.after}"

    def source(self, text: str) -> str:
        """Return the changed text of the file."""
        lines = text.encode().splitlines(keepends=True)
        first, last = self.node.lineno - 1, (self.node.end_lineno or 0) - 1
        head = b"".join(lines[:first]) + lines[first][: self.node.col_offset]
        tail = lines[last][self.node.end_col_offset :] + b"".join(lines[last + 1 :])
        return (head + self.after.encode() + tail).decode()


def mutants(path: Path) -> list[Mutant]:
    """Return all mutants of a file."""
    tree = ast.parse((ROOT / PACKAGE / path).read_text(encoding="utf-8"))
    return [
        Mutant(path=path, node=node, after=after)
        for parent in _nodes(tree)
        for node, after in _changes(parent)
    ]


def _nodes(node: ast.AST, *, in_error: bool = False) -> Iterator[ast.AST]:
    """Yield the nodes that can change."""
    in_error = in_error or isinstance(node, ast.Raise)
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            match child:
                case ast.JoinedStr() | ast.Expr(value=ast.Constant()):
                    continue
                case ast.Constant(value=None) if isinstance(node, ast.Compare):
                    continue  # Python warns of `is ""`
                case ast.Constant(value=str()) if in_error and child.lineno % ERROR_TEXTS:
                    continue
                case ast.AST() if name not in LEFT_ALONE:
                    yield child
                    yield from _nodes(child, in_error=in_error)


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield the changes of a node or of a part of it."""
    yield from _of_operators(node)
    yield from _of_constants(node)
    yield from _of_statements(node)


def _of_operators(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in SWAPPED:
            yield node, _code(ast.Compare(node.left, [SWAPPED[type(operator)]()], node.comparators))
        case ast.BoolOp():
            yield node, _code(ast.BoolOp(SWAPPED[type(node.op)](), node.values))
        case ast.BinOp() if type(node.op) in SWAPPED:
            yield node, _code(ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right))
        case ast.UnaryOp(op=ast.Not()):
            yield node, _code(node.operand)
        case ast.IfExp():
            yield from ((node, _code(branch)) for branch in (node.body, node.orelse))


def _of_constants(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=bool()):
            yield node, str(not node.value)
        case ast.Constant(value=int() | float()):
            yield node, str(node.value + 1)
        case ast.Constant(value=str()):
            yield node, repr(f"{node.value}~")
        case ast.Constant(value=None):
            yield node, "''"


def _of_statements(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.If():
            yield from ((node.test, forced) for forced in ("True", "False"))
        case ast.comprehension():
            yield from ((test, forced) for test in node.ifs for forced in ("True", "False"))
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield node, "return None"
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign():
            yield node, "pass"
        case ast.Continue():
            yield node, "break"


def _code(node: ast.AST) -> str:
    return f"({ast.unparse(node)})"


class Suite:
    """The tests in a copy of the project, and which of them execute which line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        start = ("-m", "coverage", "run", "--rcfile=", "--data-file=lines", f"--source={PACKAGE}")
        self.run(*start, "-m", "pytest", *TESTS)
        notes = (folder / SECONDS).read_text(encoding="utf-8").splitlines()
        self.seconds: dict[str, float] = dict(map(json.loads, notes))
        self.lines = coverage.CoverageData(str(folder / "lines"))
        self.lines.read()

    def run(self, *arguments: str, timeout: float | None = None, **environment: str) -> int:
        """Run Python in the copy, and return its exit code."""
        plugins = ("-p", "no:cacheprovider", "-p", "benchmarks.mutants", "--hypothesis-seed=0")
        return subprocess.run(
            [sys.executable, *arguments, "-q", *plugins],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)} | environment,
            timeout=timeout,
            stdout=subprocess.DEVNULL if environment else None,
            check=False,
        ).returncode

    def tests_of(self, mutant: Mutant, seconds: float) -> list[str]:
        """Return the tests that execute the mutant or, if it runs at import, what uses it."""
        package = self.folder / PACKAGE
        lines = range(mutant.node.lineno, (mutant.node.end_lineno or 0) + 1)
        tests = self._tests_at(package / mutant.path, lines) & {*self.seconds}
        if not tests:
            module = ast.parse((package / mutant.path).read_text(encoding="utf-8"))
            names = _assigned(module, mutant.node.lineno)
            for path in package.rglob("*.py"):
                tests |= self._tests_at(path, _users(path, names))
            tests = {each for each in self.seconds if each in tests or each.startswith(TABLES)}
        chosen = []
        for test in sorted(tests, key=lambda each: self.seconds[each]):
            seconds -= self.seconds[test]
            if seconds > 0:
                chosen.append(test)
        return chosen

    def _tests_at(self, path: Path, lines: Iterable[int]) -> set[str]:
        contexts = self.lines.contexts_by_lineno(str(path))
        return {test for line in lines for test in contexts.get(line, ())}

    def verdict(self, mutant: Mutant, number: int, seconds: float) -> str:
        """Run the tests of a mutant."""
        tests = self.tests_of(mutant, seconds)
        if not tests:
            return "survived"
        path = self.folder / PACKAGE / mutant.path
        text = path.read_text(encoding="utf-8")
        (self.folder / "chosen.json").write_text(json.dumps(tests), encoding="utf-8")
        files = sorted({test.split("::")[0] for test in tests})
        path.write_text(mutant.source(text), encoding="utf-8")
        os.utime(path, (number, number))  # so that Python ignores the byte code of other mutants
        try:
            code = self.run("-m", "pytest", "-x", *files, timeout=TIMEOUT, CHOSEN="chosen.json")
        except subprocess.TimeoutExpired:
            return "timed out"
        finally:
            path.write_text(text, encoding="utf-8")
        return "killed" if code else "survived"


def _assigned(module: ast.Module, line: int) -> set[str]:
    """Return the names that a line of a module assigns, and those assigned from them there."""
    names: set[str] = set()
    for each in module.body:
        if isinstance(each, ast.Assign | ast.AnnAssign):
            uses = {node.id for node in ast.walk(each) if isinstance(node, ast.Name)}
            if line in range(each.lineno, (each.end_lineno or 0) + 1) or uses & names:
                targets = each.targets if isinstance(each, ast.Assign) else [each.target]
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _users(path: Path, names: set[str]) -> Iterator[int]:
    """Yield the lines of a file that use one of these names, also as `module.NAME`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in names:
                yield node.lineno


def main() -> None:
    """Run the mutants; print each verdict and the totals."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=20, help="of tests for each mutant")
    parser.add_argument("--only", type=int, action="append", help="number of a mutant to run")
    parser.add_argument("paths", nargs="+", help=f"folders and modules of {PACKAGE}")
    options = parser.parse_args()
    package = ROOT / PACKAGE
    files = [
        path.relative_to(package)
        for name in options.paths
        for path in (sorted((package / name).glob("*.py")) or [package / name])
    ]
    possible = [mutant for path in files for mutant in mutants(path)]
    chosen = random.Random(options.seed).sample(possible, options.count)  # noqa: S311
    verdicts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(Path(folder))
        for number in options.only or range(1, options.count + 1):
            mutant = chosen[number - 1]
            verdict = suite.verdict(mutant, number, options.seconds)
            verdicts[verdict] += 1
            print(f"{number:4} {verdict:9} {mutant}", flush=True)
    print(f"seed {options.seed}, {len(possible)} possible:", dict(verdicts))


# In these runs, this module is a plugin that notes which test executes which line, or picks tests.


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the chosen tests, in their order."""
    if "CHOSEN" in os.environ:
        chosen = json.loads(Path(os.environ["CHOSEN"]).read_text(encoding="utf-8"))
        by_name = {item.nodeid: item for item in items}
        items[:] = [by_name[name] for name in chosen if name in by_name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Set the coverage context to the test, and note how long the test takes."""
    running = coverage.Coverage.current()
    if running is None:
        return (yield)
    running.switch_context(item.nodeid)
    start, failed = time.perf_counter(), item.session.testsfailed
    result = yield
    if item.session.testsfailed != failed:  # a test that fails without a mutant is useless
        return result
    with (item.config.rootpath / SECONDS).open("a", encoding="utf-8") as file:
        print(json.dumps([item.nodeid, time.perf_counter() - start]), file=file)
    return result


if __name__ == "__main__":
    main()
