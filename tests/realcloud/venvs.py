"""Build a virtual environment for each release with uv, in the user's cache."""

import os
import sys
from pathlib import Path
from shutil import rmtree

from filelock import FileLock

from .cloud import run
from .releases import PYTHON

VARIABLE = "IMAGEDETAIL_REALCLOUD_DIR"
MARKER = "complete"

OLD_COLLECTIONS = '''\
"""Restore the names that Python 3.10 removed from collections."""

import collections
import collections.abc

for _name in collections.abc.__all__:
    if not hasattr(collections, _name):
        setattr(collections, _name, getattr(collections.abc, _name))
'''


def root():
    """Return the folder of all virtual environments."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    chosen = os.environ.get(VARIABLE) or f"{cache}/pytest-imagedetail/realcloud"
    return Path(chosen).expanduser().absolute()


def installed(release):
    """Return the virtual environment of a release; build it if it is missing or incomplete."""
    folder = root() / str(release.series)
    folder.parent.mkdir(parents=True, exist_ok=True)
    marker = folder / MARKER
    with FileLock(f"{folder}.lock"):
        if not marker.exists() or marker.read_text(encoding="ascii") != release.fingerprint:
            rmtree(folder, ignore_errors=True)
            _build(release, folder)
            marker.write_text(release.fingerprint, encoding="ascii")
    return folder


def _build(release, folder):
    uv, log = (sys.executable, "-m", "uv"), folder.with_suffix(".log")
    run(*uv, "venv", "--no-python-downloads", "--python", PYTHON, folder, log=log)
    install = ("pip", "install", "--python", folder / "bin" / "python")
    until = f"{release.until}T23:59:59Z"
    run(
        *(*uv, *install, "--compile-bytecode", "--exclude-newer", until, *release.requirements),
        log=log,
    )
    if release.old_collections:
        packages = folder / "lib" / f"python{PYTHON}" / "site-packages"
        (packages / "old_collections.py").write_text(OLD_COLLECTIONS, encoding="ascii")
        # Python runs the imports of a .pth file at every start.
        (packages / "old_collections.pth").write_text("import old_collections\n", encoding="ascii")
