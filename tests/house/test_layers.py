"""The layer table of ARCHITECTURE.md, kept: imports point down, libraries have one owner."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pytest_imagedetail"

LAYERS = (
    {"errors", "garbage", "hidden"},
    {
        "contract",
        "equality",
        "jsontext",
        "model",
        "network",
        "packing",
        "pathpattern",
        "placeholder",
        "quiet",
        "xmltext",
        "yamltext",
    },
    {
        "age",
        "comparison",
        "readings",
        "release_guard",
        "request",
        "rules",
        "settings",
        "shapes",
        "transport",
    },
    {"doors", "evidence", "matrix", "normalize", "pairing", "patience", "redact", "severity"},
    {"differ", "exposure", "leaks", "listing", "report"},
    {
        "answers",
        "cassette",
        "clouds",
        "nextlinks",
        "paging",
        "shape",
    },
    {"compare", "fingerprint", "recorder", "spans"},
    {"importing", "lint", "neighbors", "noise", "traffic", "verification"},
    {"harness", "scrub", "server"},
    {"cli", "plugin"},
)
OWNERS = {
    "deepdiff": {"differ"},
    "fcntl": {"cassette.swapping"},
    "filelock": {"cassette.swapping"},
    "http.client": {"cassette.capture", "transport"},
    "http.server": {"server.http"},
    "jinja2": {"report.html"},
    "keystoneauth1": {"clouds.configuration", "clouds.refusals", "clouds.session"},
    "openstack": {"clouds.configuration", "clouds.files"},
    "pytest": {
        "plugin",
        "plugin.cassette",
        "plugin.explain",
        "plugin.ending",
        "plugin.options",
        "plugin.fixtures",
        "plugin.masking",
    },
    "socketserver": {"server.http"},
    "vcr": {"cassette.capture"},
    "xml": {"xmltext"},
    "yaml": {"yamltext"},
}
BANNED_NAMES = {"utils", "util", "helpers", "common", "base", "manager", "types", "misc"}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__main__.py" and path != PACKAGE / "__init__.py"
}


def imports(path: Path) -> Iterator[str]:
    """Everything a file imports anywhere in it, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer they reach for"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """The modules of this package that a file imports, without the package's name."""
    found = set()
    for name in imports(path):
        inside = name.removeprefix("pytest_imagedetail.")
        if inside == name:
            continue
        while inside and inside not in MODULES:
            inside = inside.rpartition(".")[0]
        if inside:
            found.add(inside)
    return found


def layer(module: str) -> int:
    """The layer of a module, which is that of the unit it belongs to."""
    unit = module.partition(".")[0]
    return next(number for number, units in enumerate(LAYERS) if unit in units)


def test_every_unit_has_a_layer():
    """A new module must be given its place before it can be imported by anyone."""
    units = {module.partition(".")[0] for module in MODULES}
    assert units == set().union(*LAYERS)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module):
    """A module imports lower layers only, or modules of its own unit."""
    unit = module.partition(".")[0]
    for target in own_imports(MODULES[module]):
        inside = target.partition(".")[0] == unit
        assert inside or layer(target) < layer(module), f"{module} imports {target}, which is up"


def test_there_is_no_cycle():
    """Not even inside a unit, and not hidden behind TYPE_CHECKING."""
    graph = {module: own_imports(path) - {module} for module, path in MODULES.items()}
    tuple(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", sorted(MODULES))
def test_foreign_libraries_have_one_owner(module):
    """vcr, yaml, deepdiff and the others are known to one module each."""
    for name in imports(MODULES[module]):
        for library, owners in OWNERS.items():
            if name == library or name.startswith(f"{library}."):
                assert module in owners, f"{module} imports {library}, which {owners} owns"


def test_nothing_private_of_pytest_or_vcr():
    """Only documented interfaces: a private one breaks users when it moves."""
    for module, path in MODULES.items():
        for name in imports(path):
            parts = name.split(".")
            foreign = parts[0] not in {"pytest_imagedetail", "__future__"}
            private = [part for part in parts if part.startswith("_")]
            assert not (foreign and private), f"{module} imports {name}"


def test_no_drawers():
    """A module's name says what it does."""
    names = {part for module in MODULES for part in module.split(".")}
    assert not names & BANNED_NAMES


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_says_what_it_is(module):
    """The first docstring line of a file tells a reader what it does."""
    docstring = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    assert docstring, f"{module} has no docstring"
