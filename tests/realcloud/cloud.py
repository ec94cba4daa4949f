"""The life of a cloud: up, start, stop, down."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from . import configs, credentials, databases, identity, images, seed, services, venvs
from .commands import Commands
from .errors import UsageError
from .layout import Layout, root
from .lock import locked
from .releases import RELEASES, Release
from .rest import Rest
from .state import State, load, save

# Longer than any build: who comes second waits for the first to finish.
LOCK_TIMEOUT = 1800.0
MERGE_TIMEOUT = 30.0

Report = Callable[[str], None]


def silent(_: str) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A running cloud.

    Attributes:
        release: What it runs.
        name: Its name in `clouds_yaml`, the user and project demo; with "-other" or "-admin"
            behind it, the user of another project or the administrator.
        clouds_yaml: For OS_CLIENT_CONFIG_FILE.
        compute_url: The compute API without a version.
    """

    release: Release
    name: str
    clouds_yaml: Path
    compute_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One cloud's line in the table."""

    release: Release
    word: str
    layout: Layout
    state: State


@contextmanager
def running(series: int, report: Report = silent) -> Iterator[Cloud]:
    """A running cloud, built and started where needed, and left as it was found.

    Nobody counts who else uses it: under pytest-xdist keep a cloud's tests in one worker
    (`xdist_group`), or start it beforehand.

    Args:
        series: Nova's major version, a key of `RELEASES`.
        report: Told about every step.

    Raises:
        RealcloudError: It could not be built or started.
    """
    layout = _layout(series)
    with locked(layout.lock, timeout=LOCK_TIMEOUT):
        state = load(layout)
        found_running = state is not None and len(state.alive) == len(services.SERVICES)
    cloud = up(series, report)
    try:
        yield cloud
    finally:
        if not found_running:
            stop(series, report)


def installed(series: int, report: Report = silent) -> Layout:
    """Have a release installed; its cloud is left as it is."""
    release, layout = _release(series), _layout(series)
    with locked(layout.lock, timeout=LOCK_TIMEOUT) as lock:
        _install(release, layout, Commands(log=layout.build_log, lock=lock), report)
    return layout


def up(series: int, report: Report = silent) -> Cloud:
    """Have the cloud run: build what is missing, start what does not run.

    A cloud that was half built, or built from another recipe, is built afresh.
    """
    release, layout = _release(series), _layout(series)
    with locked(layout.lock, timeout=LOCK_TIMEOUT) as lock:
        commands = Commands(log=layout.build_log, lock=lock)
        _install(release, layout, commands, report)
        state = load(layout)
        if state is None or not state.ready or state.recipe != recipe(release):
            state = _build(release, layout, state, commands, report)
        else:
            state = _start(layout, state, report)
    _merge(layout.root)
    return _cloud(release, layout, state)


def start(series: int, report: Report = silent) -> Cloud:
    """Start a stopped cloud, as it was left.

    Raises:
        UsageError: There is none, or none of this recipe.
    """
    release, layout = _release(series), _layout(series)
    with locked(layout.lock, timeout=LOCK_TIMEOUT):
        state = load(layout)
        remedy = f"Build it: python -m tests.realcloud up {series}"
        if state is None or not state.ready:
            message = f"There is no cloud of release {series} in {layout.root}. {remedy}"
            raise UsageError(message)
        if state.recipe != recipe(release) or not venvs.is_whole(release, layout):
            message = f"The cloud of release {series} was built from another recipe. {remedy}"
            raise UsageError(message)
        state = _start(layout, state, report)
    _merge(layout.root)
    return _cloud(release, layout, state)


def stop(series: int, report: Report = silent) -> None:
    """End the cloud's processes; a cloud that does not run, or is not there, is left alone."""
    layout = _layout(series)
    with locked(layout.lock, timeout=LOCK_TIMEOUT):
        state = load(layout)
        if state is not None:
            services.end(layout, state, report)
    _merge(layout.root)


def down(series: int, report: Report = silent) -> None:
    """End the cloud's processes and delete it; the virtual environment stays."""
    layout = _layout(series)
    with locked(layout.lock, timeout=LOCK_TIMEOUT):
        state = load(layout)
        if state is not None:
            services.end(layout, state, report)
        _delete(layout, report)
    _merge(layout.root)


def status() -> Iterator[Status]:
    """Every cloud there is, newest first."""
    for series, release in RELEASES.items():
        layout = _layout(series)
        state = load(layout)
        if state is not None:
            yield Status(release=release, word=_word(state), layout=layout, state=state)


@cache
def recipe(release: Release) -> str:
    """A fingerprint of everything that decides what a cloud is like."""
    digest = sha256(release.environment.encode())
    for module in ("configs", "databases", "identity", "images", "seed"):
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return digest.hexdigest()


def _install(release: Release, layout: Layout, commands: Commands, report: Report) -> None:
    if not venvs.is_whole(release, layout):
        report("installing, which takes a minute")
        layout.build_log.unlink(missing_ok=True)
        venvs.build(release, layout, commands)
        report(f"installed nova {release.nova} with its glance and keystone")


def _build(
    release: Release, layout: Layout, old: State | None, commands: Commands, report: Report
) -> State:
    if old is not None:
        report("building afresh: " + ("its recipe has changed" if old.ready else "half built"))
        services.end(layout, old, report)
    _delete(layout, report)
    state = State(
        recipe=recipe(release),
        ports=services.choose_ports(release.series),
        passwords={
            user: secrets.token_hex(16)
            for user in ("admin", *identity.SERVICE_USERS, *identity.USERS)
        },
    )
    save(state, layout)
    configs.write(release, layout, state)
    databases.create(layout, state, commands)
    report("created the databases")
    state = _start(layout, state, report)
    with ExitStack() as undo:
        undo.callback(services.end, layout, state, report)
        _fill(layout, state, report)
        credentials.write(release, layout, state)
        state = replace(state, ready=True)
        save(state, layout)
        undo.pop_all()
    return state


def _fill(layout: Layout, state: State, report: Report) -> None:
    projects = identity.furnish(state)
    report("created projects, users and the service catalog")
    seed.plant(
        images.IMAGES,
        glance=Rest(f"{state.url('glance')}/v2", identity.token(state, "admin")),
        projects=projects,
        database=layout.database("glance"),
    )
    report(f"created {len(images.IMAGES)} images")


def _start(layout: Layout, state: State, report: Report) -> State:
    if len(state.alive) == len(services.SERVICES):
        report("runs already")
        return state
    with ExitStack() as undo:
        # Ends what is recorded by then, also when the second of three services fails.
        undo.callback(lambda: services.end(layout, load(layout) or state, report))
        state = services.start(layout, state)
        services.wait(layout, state, report)
        undo.pop_all()
    return state


def _delete(layout: Layout, report: Report) -> None:
    if layout.cloud.exists():
        shutil.rmtree(layout.cloud)
        report(f"deleted {layout.cloud}")


def _merge(folder: Path) -> None:
    with locked(folder / "clouds.lock", timeout=MERGE_TIMEOUT):
        credentials.merge(
            (found.layout.clouds_yaml for found in status() if found.word == "running"),
            folder / "clouds.yaml",
        )


def _word(state: State) -> str:
    if not state.ready:
        return "half built"
    return {0: "stopped", len(services.SERVICES): "running"}.get(len(state.alive), "partly running")


def _cloud(release: Release, layout: Layout, state: State) -> Cloud:
    return Cloud(
        release=release,
        name=release.cloud,
        clouds_yaml=layout.clouds_yaml,
        compute_url=state.url("nova"),
    )


def _release(series: int) -> Release:
    try:
        return RELEASES[series]
    except KeyError:
        known = ", ".join(str(known) for known in RELEASES)
        message = f"Release {series} is not among those that can be run: {known}."
        raise UsageError(message) from None


def _layout(series: int) -> Layout:
    return Layout(root=root(), series=_release(series).series)
