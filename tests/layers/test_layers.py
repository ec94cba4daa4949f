"""The structure of the package: imports point down, and each foreign library has one owner."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "pytest_imagedetail"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__main__.py" and path != PACKAGE / "__init__.py"
}
OWNERS = {
    "deepdiff": {"compare.differ"},
    "filelock": {"cassette.swapping"},
    "http.client": {"cassette.capture", "transport.http"},
    "http.server": {"server.http"},
    "iso8601": {"check"},
    "jinja2": {"report.html"},
    "jsonschema": {"check"},
    "keystoneauth1": {"record.clouds"},
    "openstack": {"record.clouds"},
    "pytest": {"check.test_check", "plugin"},
    "rfc3986": {"check"},
    "socketserver": {"server.http"},
    "vcr": {"cassette.capture"},
    "xml": {"body.xml"},
    "yaml": {"body.yaml"},
}
"""Which module, or which folder, may import a library."""


def imports(path: Path) -> Iterator[str]:
    """Everything a file imports anywhere in it, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides the layer that it reaches for"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    found = set()
    for name in imports(path):
        inside = name.removeprefix("pytest_imagedetail.")
        while inside and inside not in MODULES:
            inside = inside.rpartition(".")[0]
        if inside and name != inside:
            found.add(inside)
    return found


def folder_of(module: str) -> str:
    return module.partition(".")[0]


def layers() -> list[set[str]]:
    """The folders in layers: each imports only folders of layers before its own.

    Raises:
        CycleError: Two folders import each other.
    """
    graph: dict[str, set[str]] = {folder_of(module): set() for module in MODULES}
    for module, path in MODULES.items():
        graph[folder_of(module)] |= {folder_of(each) for each in own_imports(path)}
    order = graphlib.TopologicalSorter({each: used - {each} for each, used in graph.items()})
    order.prepare()
    found = []
    while order.is_active():
        found.append(set(order.get_ready()))
        order.done(*found[-1])
    return found


def test_imports_point_down():
    """No two folders import each other, tests of the plugin and the command included."""
    assert layers()[-1] <= {"cli", "plugin"}
    for module, path in MODULES.items():
        above = {folder_of(each) for each in own_imports(path)} & {"cli", "plugin"}
        assert above <= {folder_of(module)}, f"{module} imports {above}"


def test_architecture_shows_the_layers():
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for number, folders in enumerate(layers()):
        row = f"| {number} | {' '.join(f'`{each}`' for each in sorted(folders))} |"
        assert row in text, f"ARCHITECTURE.md lacks this row: {row}"


def test_there_is_no_cycle():
    """Not even inside a folder, and not hidden behind TYPE_CHECKING."""
    graph = {module: own_imports(path) - {module} for module, path in MODULES.items()}
    tuple(graphlib.TopologicalSorter(graph).static_order())


def test_foreign_libraries_have_one_owner():
    """A private name of another library breaks users when it moves."""
    for module, path in MODULES.items():
        for name in imports(path):
            for library, owners in OWNERS.items():
                if name == library or name.startswith(f"{library}."):
                    inside = any(module == own or module.startswith(f"{own}.") for own in owners)
                    assert inside, f"{module} imports {library}, which {owners} owns"
            parts = name.split(".")
            foreign = parts[0] not in {"pytest_imagedetail", "__future__"}
            private = [part for part in parts if part.startswith("_")]
            assert not (foreign and private), f"{module} imports {name}"
