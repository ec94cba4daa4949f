"""Record and replay one test's own traffic: the fixture `imagedetail_cassette`."""

import threading
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_imagedetail import network
from pytest_imagedetail.cassette import check_cloud_name
from pytest_imagedetail.errors import (
    CredentialsError,
    ImageDetailError,
    NoInteractionError,
    UsageError,
)
from pytest_imagedetail.harness import RunResult
from pytest_imagedetail.plugin import options
from pytest_imagedetail.plugin.masking import start_masking
from pytest_imagedetail.plugin.run import Run, reset_state, state_of
from pytest_imagedetail.record import clouds
from pytest_imagedetail.settings import Settings
from pytest_imagedetail.traffic import Cassette, LiveCallbacks, Session, Traffic
from pytest_imagedetail.workspace import is_shipped, refuse_upgraded, store_of, with_library

_FIXTURE = "imagedetail_cassette"
_DEPENDENCIES = frozenset({"imagedetail", "imagedetail_cloud"})
"""Fixtures that are set up before the cassette; they send no requests."""
_OUTCOME_NOTES = {
    "passed": "the test passed because something caught this error\n"
    "if the test is about that: imagedetail_cassette.expect_miss()",
    "skipped": "the test was skipped after this error",
    "xfailed": "the test failed as expected, but this error is not what it expects",
}
"""Notes on a request's error, by the outcome of the test that would hide it."""
_NO_FIXTURE = (
    "the marker imagedetail needs a fixture: imagedetail_cassette answers the test's own client\n"
    "or, if the test is not about recordings, give the marker to the others only"
)


class OwnTraffic:
    """Hooks around the fixture `imagedetail_cassette`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Report what is lost when Ctrl-C or `pytest.exit` ends a test before its teardown."""
        try:
            return (yield)
        except BaseException:
            if (session := state_of(item).session) is not None:
                self._note_not_kept(item, session, "the run was interrupted")
            raise

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Discard the state that an earlier run of the same test left."""
        reset_state(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> None:
        """Open a test's cassette before its other function-scoped fixtures.

        It is then closed after them, and has the requests that they send.
        """
        if request.scope != "function" or _FIXTURE not in request.fixturenames:
            return
        if fixturedef.argname in _DEPENDENCIES:
            return
        state = state_of(request.node)
        if state.cassette_opened:
            return
        state.cassette_opened = True
        if fixturedef.argname != _FIXTURE:
            try:
                request.getfixturevalue(_FIXTURE)
            except BaseException as error:
                # This fixture failed as well, and pytest only finishes fixtures with a result.
                fixturedef.cached_result = (None, None, (error, error.__traceback__))
                raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Block the network for a test with the marker and without a fixture, unless it records.

        It may have forgotten the fixture, or get it later.
        """
        if item.get_closest_marker("imagedetail") is None or self._run.is_used_by(item):
            return (yield)
        settings, refused = options.settings_for(item), state_of(item).refused
        if settings.record_mode != "none":
            return (yield)
        node, allowed = options.runnable_id(item), settings.allowed_hosts
        with network.shut(node, remedy=_NO_FIXTURE, refused=refused, allowed=allowed):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Keep what a test recorded, unless its teardown fails.

        A fixture cannot do this, because other fixtures may fail before and after its teardown.
        """
        state, secrets_error = state_of(item), None
        session = state.session
        if session is not None and not session.replays:
            declaration = options.settings_for(item).declaration(session.cassette.cloud)
            try:
                self._run.add_configured_secrets(declaration.os_cloud)  # before fixtures unset them
            except ImageDetailError as error:
                secrets_error = error
        try:
            result = yield
        except BaseException:
            if session is not None:
                self._note_not_kept(item, session, "the test's teardown failed")
            raise
        if session is not None:
            self._finish(item, session, secrets_error)
        elif state.outcome == "passed":
            _raise_swallowed(item)
        return result

    def _finish(self, item: pytest.Item, session: Session, error: ImageDetailError | None) -> None:
        """Keep what a test recorded unless it failed; raise the errors that it swallowed."""
        player, result, outcome = session.player, self._run.result, state_of(item).outcome
        result.used |= {session.cassette.path, *player.used}
        swallowed = session.unexpected_error
        if swallowed is not None and outcome in _OUTCOME_NOTES:
            swallowed.add_note(_OUTCOME_NOTES[outcome])
            raise swallowed
        # A skipped test may have sent only a part of the recorded requests.
        is_new = outcome == "skipped" and not session.cassette.path.exists()
        if not is_new and outcome not in {"passed", "xfailed"}:
            self._note_not_kept(item, session, "the test did not pass")
            return
        if error is not None:
            raise error
        has_miss = any(isinstance(each, NoInteractionError) for each in session.refused)
        if session.expects_miss and not has_miss:
            pytest.fail("expect_miss(): every request of this test was answered", pytrace=False)
        _raise_swallowed(item)
        if session.replays:
            result.add(RunResult(unplayed={player.path: list(player.unplayed)}))
        if (summary := session.keep()) is not None:
            result.done[_name(item, session)] = summary

    def _note_not_kept(self, item: pytest.Item, session: Session, reason: str) -> None:
        if not session.replays and session.record_mode != "verify" and session.interactions:
            self._run.result.done.setdefault(_name(item, session), f"not kept: {reason}")


@contextmanager
def cassette_of(request: pytest.FixtureRequest, run: Run) -> Iterator[Traffic]:
    """Run a test with its cassette."""
    item = request.node
    settings = options.settings_for(item)
    if settings.record_mode != "none":
        start_masking(request.config, run.secrets)
    with options.as_test_failure(item):
        session = state_of(item).session = _open_session(request, settings, run)
    harness = None
    if "imagedetail" in request.fixturenames:
        harness = request.getfixturevalue("imagedetail")
        if session.replays and (endpoint := session.player.endpoint) is not None:
            harness.endpoints[session.cassette.cloud] = endpoint
    # With `imagedetail`, unrecorded requests may reach the network unless the mode is none.
    block_network = harness is None or settings.record_mode == "none"
    run.follow(session)
    ignored_hosts = run.server_hosts().union(settings.allowed_hosts)
    with session.intercepting(block_network=block_network, ignored_hosts=ignored_hosts):
        yield Traffic(session)


def _open_session(request: pytest.FixtureRequest, settings: Settings, run: Run) -> Session:
    item = request.node
    cloud = _cloud(request, settings)
    declaration = settings.declaration(cloud)
    cassette = Cassette(
        store=with_library(store_of(settings)),
        cloud=cloud,
        test=_test_name(item, cloud),
        node=options.runnable_id(item),
        shared=_shared_name(item),
    )

    def guard() -> None:
        if run.sessions.accesses(declaration.os_cloud):
            adds = settings.record_mode == "new_episodes" or not cassette.path.exists()
            adds = adds and settings.record_mode != "verify"
            refuse_upgraded(cloud, settings, store_of(settings), run.sessions, adds=adds)

    session = Session(
        cassette,
        record_mode="none" if is_shipped(cloud, settings) else settings.record_mode,
        release=declaration.release,
        live=LiveCallbacks(
            accesses=partial(run.sessions.accesses, declaration.os_cloud),
            secrets=run.credentials,
            guard=guard,
        ),
        refused=state_of(item).refused,
    )
    if not session.replays:
        run.add_configured_secrets(declaration.os_cloud)
        try:
            clouds.configure(declaration.os_cloud)
        except CredentialsError:
            return session  # only the test's own clients have credentials
        run.sessions.access(declaration.os_cloud)
    return session


def _cloud(request: pytest.FixtureRequest, settings: Settings) -> str:
    if "imagedetail_cloud" in request.fixturenames:
        return str(request.getfixturevalue("imagedetail_cloud").name)
    if hasattr(request, "param"):
        return str(request.param)
    marker = request.node.get_closest_marker("imagedetail")
    selected = settings.select(options.selectable_clouds(settings, marker, {_FIXTURE}))
    if len(selected) == 1:
        return check_cloud_name(selected[0])
    several = f"{len(selected)} clouds are selected: {', '.join(selected)}"
    raise UsageError(
        "imagedetail_cassette needs one cloud whose traffic it keeps: "
        + (several if selected else "no cloud is selected"),
        where=request.node.nodeid,
        remedy="name one, which needs no configuration: @pytest.mark.imagedetail('staging')\n"
        "or several, and the test runs for each, unless it is a unittest test or calls "
        "getfixturevalue: @pytest.mark.imagedetail('nova-*')\n"
        "or select one: --imagedetail-cloud NAME",
    )


def _shared_name(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("imagedetail")
    name = marker.kwargs.get("cassette") if marker else None
    if name is not None and "::" in name:
        raise UsageError(
            f"{name!r} cannot be the name of a cassette",
            where=f"{item.nodeid}, the marker's cassette=",
            remedy="give it a name without '::', for example cassette='inventory'",
        )
    return name


def _test_name(item: pytest.Item, cloud: str) -> str:
    """Return the node id without the cloud and without the group of pytest-xdist."""
    module = item.nodeid.partition("::")[0]
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return "::".join([module, *classes, item.name.removesuffix(f"[{cloud}]")])


def _raise_swallowed(item: pytest.Item) -> None:
    """Raise a refused connection that a passed test did not see.

    A refusal that propagated through the test's own code was seen, for example by `pytest.raises`.
    One in another thread may have any origin.
    """
    for error in state_of(item).refused:
        in_this_thread = getattr(error, "thread", None) in {None, threading.get_ident()}
        if isinstance(error, NoInteractionError) or not in_this_thread:
            continue
        frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        if all(frame.f_code.co_filename != str(item.path) for frame in frames):
            error.add_note("the test passed, but it swallowed this error")
            raise error


def _name(item: pytest.Item, session: Session) -> str:
    path = session.cassette.path.relative_to(options.settings_for(item).cassette_dir)
    return f"{session.cassette.cloud}: {Path(*path.parts[1:]).with_suffix('')}"
