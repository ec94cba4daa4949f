"""What is known about one cloud, kept in its state.json."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Self

from .errors import UsageError
from .layout import Layout
from .processes import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One cloud.

    Attributes:
        recipe: Fingerprint of what it was built from.
        ready: Whether it was built to its end.
        ports: By service; chosen once, for its links and catalog hold them.
        passwords: By user.
        processes: By service; those last started, alive or not.
    """

    recipe: str
    ready: bool = False
    ports: Mapping[str, int]
    passwords: Mapping[str, str]
    processes: Mapping[str, Process] = field(default_factory=dict)

    @property
    def alive(self) -> Mapping[str, Process]:
        """The processes that still run."""
        return {name: process for name, process in self.processes.items() if process.alive}

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def with_process(self, service: str, process: Process) -> Self:
        return replace(self, processes={**self.processes, service: process})


def load(layout: Layout) -> State | None:
    """The cloud's state; None if there is no cloud.

    Raises:
        UsageError: The file is damaged.
    """
    try:
        text = layout.state.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        document = json.loads(text)
        processes = {name: Process(**known) for name, known in document.pop("processes").items()}
        return State(processes=processes, **document)
    except (ValueError, TypeError, KeyError, AttributeError) as damage:
        message = (
            f"{layout.state} is damaged ({damage}). End what this finds, if anything, and delete "
            f"the folder: pgrep -af {layout.cloud}"
        )
        raise UsageError(message) from damage


def save(state: State, layout: Layout) -> None:
    """Keep the state, whole or not at all."""
    layout.cloud.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = layout.state.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(state), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(layout.state)
