"""One virtual environment per release, built by uv and used only when it is whole."""

import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree, which

from .commands import Commands
from .errors import UsageError
from .layout import Layout
from .releases import PYTHON, Release

INSTALL_TIMEOUT = 900
MARKER = "complete"

OLD_COLLECTIONS = '''\
"""Puts back the names that collections lost in Python 3.10."""

import collections
import collections.abc

for _name in collections.abc.__all__:
    if not hasattr(collections, _name):
        setattr(collections, _name, getattr(collections.abc, _name))
'''


def is_whole(release: Release, layout: Layout) -> bool:
    """Whether the virtual environment was built to its end, and from this very recipe."""
    marker = layout.environment / MARKER
    return marker.exists() and marker.read_text(encoding="ascii") == release.environment


def build(release: Release, layout: Layout, commands: Commands) -> None:
    """Build the virtual environment, in place of whatever is there."""
    if layout.environment.exists():
        rmtree(layout.environment)
    uv = find_uv()
    commands.run(
        *uv,
        "venv",
        "--no-python-downloads",
        "--python",
        PYTHON,
        layout.environment,
        timeout=60,
    )
    commands.run(
        *uv,
        "pip",
        "install",
        "--python",
        layout.python,
        # A third of the time of the first start, measured.
        "--compile-bytecode",
        "--exclude-newer",
        f"{release.until}T23:59:59Z",
        *release.requirements,
        timeout=INSTALL_TIMEOUT,
    )
    if release.old_collections:
        _add_old_collections(layout.environment)
    (layout.environment / MARKER).write_text(release.environment, encoding="ascii")


def find_uv() -> tuple[str, ...]:
    """The words that call uv.

    Raises:
        UsageError: There is none.
    """
    on_path = which("uv")
    if on_path:
        return (on_path,)
    if find_spec("uv"):
        return (sys.executable, "-m", "uv")
    message = "uv is needed to build the releases' virtual environments: python -m pip install uv"
    raise UsageError(message)


def _add_old_collections(environment: Path) -> None:
    packages = environment / "lib" / f"python{PYTHON}" / "site-packages"
    (packages / "realcloud_old_collections.py").write_text(OLD_COLLECTIONS, encoding="ascii")
    # Python imports what a .pth file says at every start, before anything else.
    (packages / "realcloud_old_collections.pth").write_text(
        "import realcloud_old_collections\n", encoding="ascii"
    )
