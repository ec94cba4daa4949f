"""Open what a run or a command works with: rules, recordings and live clouds."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import ReleaseError, VerificationError
from pytest_imagedetail.record.recorder import LiveCloud
from pytest_imagedetail.record.release_guard import refuse_other_release, remedies_for_change
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.record.verification import ask_again
from pytest_imagedetail.report import terminal
from pytest_imagedetail.rules import Rules, rules_of
from pytest_imagedetail.settings import CloudDeclaration, RuleSource, Settings
from pytest_imagedetail.transport.http import Access


def today() -> date:
    """Return the date in UTC, which decides whether a rule has expired."""
    return datetime.now(UTC).date()


def read_rules(settings: Settings, sources: Iterable[RuleSource] | None = None) -> Rules:
    """Read these rules, by default those of the settings, as of today; raise SettingsError."""
    given = settings.rules if sources is None else sources
    rules = [rule if isinstance(rule, Mapping) else Path(rule) for rule in given]
    return rules_of(*rules, today=today(), clouds=known_clouds(settings) if rules else ())


def known_clouds(settings: Settings) -> tuple[str, ...]:
    """Return every cloud that is recorded, shipped or declared."""
    store = with_library(store_of(settings))
    return tuple(dict.fromkeys([*store.all_clouds(), *settings.declared]))


def reference_library() -> Path:
    """Return the folder of the recordings shipped with the plugin, in a wheel or a checkout."""
    package = Path(__file__).parent
    shipped = package / "cassettes"
    return shipped if shipped.is_dir() else package.parent / "cassettes"


def selectable(store: Store, settings: Settings) -> tuple[str, ...]:
    """Return the recorded clouds that a test can run for.

    Clouds of the library must be named, and so must clouds that only have the traffic of tests.
    """
    named = (name for name in store.traffic_clouds() if name in settings.clouds)
    shipped = with_library(store).library_clouds() if settings.clouds else ()
    return tuple(dict.fromkeys([*store.clouds(), *named, *shipped]))


def is_shipped(name: str, settings: Settings) -> bool:
    """Return whether only the library has a cloud, which is then replayed in every record mode."""
    own = Store(directory=settings.cassette_dir)
    if name in settings.declared or own.has(name) or own.traffic_paths(name):
        return False
    return with_library(own).has(name)


def with_library(store: Store) -> Store:
    """Return a store that also answers from the recordings shipped with the plugin."""
    return replace(store, library=reference_library())


def store_of(settings: Settings) -> Store:
    """Return the cassettes of a run: its own and, while replaying, the library's."""
    replaying = settings.record_mode == "none"
    return Store(
        directory=settings.cassette_dir,
        library=reference_library() if replaying else None,
        max_age=settings.max_age,
    )


def open_live_cloud(
    declaration: CloudDeclaration, access: Access, settings: Settings, store: Store, *, adds: bool
) -> LiveCloud:
    """Return a live cloud with its release; refuse a cloud that is not the recorded one.

    Raises:
        ReleaseError: The cloud contradicts its declared release or its recordings.
        VerificationError: The project is not the recorded one, or a recorded answer changed.
    """
    name, declared = declaration.name, declaration.release
    release = refuse_other_release(access, store, cloud=name, declared=declared)
    live = LiveCloud(access=access, name=name, release=release)
    comparison = ask_again(live, store, rules=read_rules(settings)) if adds else None
    if comparison is not None and (comparison.of_two_projects or not comparison.compatible):
        problem = "this project is not the one that recorded"
        if not comparison.of_two_projects:
            problem = f"the answer to a recorded query changed\n{terminal.details(comparison)}"
        raise VerificationError(
            f"nothing was added to the recordings of {name!r}: {problem}",
            where=comparison.listings[0].provenance.test
            or str(store.path(name, comparison.baseline.query)),
            remedy=remedies_for_change(comparison, access),
        )
    return live


def refuse_upgraded(
    name: str, settings: Settings, store: Store, sessions: CloudSessions, *, adds: bool
) -> str | None:
    """Call `open_live_cloud` once per run; return the release to record under."""
    if (name, adds) not in sessions.confirmed:
        declaration = settings.declaration(name)
        access = sessions.access(declaration.os_cloud)
        try:
            live = open_live_cloud(declaration, access, settings, with_library(store), adds=adds)
        except ReleaseError as error:
            error.remedy += "\nthen name the new cloud in the marker, or with --imagedetail-cloud"
            raise
        sessions.confirmed[name, adds] = live.release
    return sessions.confirmed[name, adds]
