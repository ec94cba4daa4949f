"""Where things are kept: everything outside the source tree, one folder per release."""

import os
from dataclasses import dataclass
from pathlib import Path

DIRECTORY_VARIABLE = "IMAGEDETAIL_REALCLOUD_DIR"


def root() -> Path:
    """The folder of all virtual environments and clouds."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "pytest-imagedetail" / "realcloud"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The paths of one release's virtual environment and cloud below `root`."""

    root: Path
    series: int

    @property
    def lock(self) -> Path:
        return self.root / f"{self.series}.lock"

    @property
    def environment(self) -> Path:
        return self.root / "environments" / str(self.series)

    @property
    def bin(self) -> Path:
        return self.environment / "bin"

    @property
    def python(self) -> Path:
        return self.bin / "python"

    @property
    def cloud(self) -> Path:
        return self.root / "clouds" / str(self.series)

    @property
    def state(self) -> Path:
        return self.cloud / "state.json"

    @property
    def clouds_yaml(self) -> Path:
        return self.cloud / "clouds.yaml"

    @property
    def build_log(self) -> Path:
        return self.root / "logs" / f"{self.series}-build.log"

    def log(self, service: str) -> Path:
        return self.cloud / "log" / f"{service}.log"

    def etc(self, service: str) -> Path:
        return self.cloud / "etc" / service

    def database(self, name: str) -> Path:
        return self.cloud / "db" / f"{name}.sqlite"
