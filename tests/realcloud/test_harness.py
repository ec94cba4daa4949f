"""The parts of the harness that need no cloud."""

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from configparser import RawConfigParser
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import cloud, configs, credentials, databases, layout, processes, services, state, venvs
from .commands import Commands
from .errors import CommandError, ServiceError, UsageError
from .images import IMAGES, LISTED_TO_DEMO
from .layout import Layout
from .lock import locked
from .processes import Process
from .releases import RELEASES, Pin
from .state import State

NEWEST = RELEASES[34]
OLDEST = RELEASES[19]
SLEEP = (sys.executable, "-c", "import time; input(); time.sleep(60)")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The paths of release 34 in a root folder of the test's own."""
    monkeypatch.setenv(layout.DIRECTORY_VARIABLE, str(tmp_path))
    return Layout(root=tmp_path, series=34)


@pytest.fixture
def stopped() -> State:
    """A cloud that was built and does not run."""
    return State(
        recipe=cloud.recipe(NEWEST),
        ready=True,
        ports={"keystone": 23400, "glance": 23401, "nova": 23402},
        passwords={user: f"secret-{user}" for user in ("admin", "nova", "glance", "demo", "other")},
    )


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    """A process that would run for a minute."""
    process = _spawn(SLEEP, tmp_path)
    yield process
    processes.stop(process, log=tmp_path / "log")


def _spawn(argv: tuple[str, ...], folder: Path) -> Process:
    spawned: list[Process] = []
    processes.spawn(argv, environment={}, log=folder / "log", record=spawned.append)
    return spawned[0]


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


class TestReleases:
    @pytest.mark.parametrize("series", RELEASES)
    def test_versions_belong_together(self, series: int) -> None:
        """Glance is always one, Keystone always four major versions behind its Nova."""
        release = RELEASES[series]
        majors = [
            int(version.split(".")[0])
            for version in (release.nova, release.glance, release.keystone)
        ]
        assert majors == [series, series - 1, series - 4]

    def test_newest_first(self) -> None:
        """The table is in order, by series, by name and by the highest microversion."""
        for key in (
            lambda release: release.series,
            lambda release: release.name,
            lambda release: int(release.max_microversion.split(".")[1]),
        ):
            values = [key(release) for release in RELEASES.values()]
            assert values == sorted(set(values), reverse=True)

    @pytest.mark.parametrize("series", RELEASES)
    def test_every_pin_has_a_reason(self, series: int) -> None:
        """No pin without a sentence, none twice, and none that pins a service."""
        pins = RELEASES[series].pins
        names = [pin.requirement.partition("<")[0] for pin in pins]
        assert all(pin.reason for pin in pins)
        assert len(set(names)) == len(names)
        assert not {"nova", "glance", "keystone"} & set(names)

    def test_environment_changes_with_what_is_installed(self) -> None:
        """Another pin makes another environment; another reason for it does not."""
        pinned = replace(NEWEST, pins=(Pin(requirement="paste<4", reason="one"),))
        explained = replace(NEWEST, pins=(Pin(requirement="paste<4", reason="two"),))
        assert pinned.environment != NEWEST.environment
        assert pinned.environment == explained.environment


class TestImages:
    def test_fixed(self) -> None:
        """No two images share an id or a date of creation; none was updated before it was made."""
        assert len({image.id for image in IMAGES}) == len(IMAGES)
        created = [image.created for image in IMAGES]
        assert created == sorted(set(created))
        assert all(image.updated >= image.created for image in IMAGES)

    def test_listed_to_demo(self) -> None:
        """The demo user is shown fourteen, the newest first."""
        assert len(LISTED_TO_DEMO) == 14
        assert LISTED_TO_DEMO[-1] == IMAGES[0].id


class TestConfigs:
    def test_render(self) -> None:
        """What is rendered reads back as what was meant."""
        parser = RawConfigParser(default_section="")
        parser.read_string(configs.render({"DEFAULT": {"a": "1"}, "database": {"b": Path("/c")}}))
        assert {name: dict(parser[name]) for name in parser.sections()} == {
            "DEFAULT": {"a": "1"},
            "database": {"b": "/c"},
        }

    def test_nova_finds_its_neighbours(self, here: Layout, stopped: State) -> None:
        """Nova is told where Keystone and Glance listen, and its own password."""
        sections = configs.nova(here, stopped)
        assert sections["glance"]["api_servers"] == "http://127.0.0.1:23401"
        assert sections["keystone_authtoken"]["auth_url"] == "http://127.0.0.1:23400/v3"
        assert sections["keystone_authtoken"]["password"] == "secret-nova"

    def test_glance_by_release(self, here: Layout, stopped: State) -> None:
        """Glance 20 and later get the new way of naming stores, earlier ones a policy file."""
        new = configs.glance(NEWEST, here, stopped)
        old = configs.glance(OLDEST, here, stopped)
        assert new["DEFAULT"]["enabled_backends"] == "files:file"
        assert "oslo_policy" not in new
        assert "enabled_backends" not in old["DEFAULT"]
        assert old["oslo_policy"]["policy_file"] == here.etc("glance") / "policy.json"

    def test_services_see_nothing_of_the_caller(
        self, here: Layout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither the caller's credentials nor its Python settings reach a service."""
        monkeypatch.setenv("OS_PASSWORD", "mine")
        monkeypatch.setenv("PYTHONPATH", "/mine")
        assert not {"OS_PASSWORD", "PYTHONPATH"} & set(services.environment(here))


class TestProcesses:
    def test_find(self, sleeper: Process) -> None:
        """A process is found as what it is, started after this one, and alive."""
        this = Process.find(os.getpid())
        assert this is not None
        assert this.started < sleeper.started
        assert Process.find(sleeper.pid) == sleeper
        assert sleeper.alive

    def test_stop(self, sleeper: Process, tmp_path: Path) -> None:
        """A stopped process is gone, and stopping it again is nothing."""
        processes.stop(sleeper, log=tmp_path / "log")
        assert not sleeper.alive
        processes.stop(sleeper, log=tmp_path / "log")

    @pytest.mark.parametrize("another", [{"started": 1}, {"boot": "another"}])
    def test_a_reused_pid_is_left_alone(
        self, sleeper: Process, tmp_path: Path, another: dict[str, Any]
    ) -> None:
        """The same number with another start or another boot is somebody else's process."""
        stranger = replace(sleeper, **another)
        assert not stranger.alive
        processes.stop(stranger, log=tmp_path / "log")
        time.sleep(0.2)
        assert sleeper.alive

    def test_stubborn(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process that ignores SIGTERM is killed after a wait."""
        monkeypatch.setattr(processes, "TERM_PATIENCE", 0.2)
        ready = tmp_path / "ready"
        code = (
            "import pathlib, signal, time; input(); signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
        )
        stubborn = _spawn((sys.executable, "-c", code), tmp_path)
        assert _until(ready.exists)
        processes.stop(stubborn, log=tmp_path / "log")
        assert not stubborn.alive

    def test_unrecorded(self, tmp_path: Path) -> None:
        """A process that could not be recorded is not told to go, and ends by itself."""
        spawned: list[Process] = []

        def record(process: Process) -> None:
            spawned.append(process)
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            processes.spawn(SLEEP, environment={}, log=tmp_path / "log", record=record)
        assert _until(lambda: not spawned[0].alive)

    def test_zombie(self) -> None:
        """A process that has ended and was not waited for is not alive."""
        with subprocess.Popen([sys.executable, "-c", ""]) as child:
            assert _until(lambda: Process.find(child.pid) is None)


class TestCommands:
    def test_failure(self, tmp_path: Path) -> None:
        """A failure names the command, the status, the log file and its last lines."""
        log = tmp_path / "log"
        commands = Commands(log=log, lock=os.open(tmp_path, os.O_RDONLY))
        with pytest.raises(CommandError) as failure:
            commands.run("sh", "-c", "echo cause; exit 3", timeout=10)
        os.close(commands.lock)
        assert str(failure.value) == (
            "sh -c 'echo cause; exit 3'\n"
            "ended with status 3.\n"
            f"Read {log}; it ends with:\n"
            "    $ sh -c 'echo cause; exit 3'\n"
            "    cause"
        )

    def test_timeout(self, tmp_path: Path) -> None:
        """A command that takes too long is killed with what it has started."""
        commands = Commands(log=tmp_path / "log", lock=os.open(tmp_path, os.O_RDONLY))
        with pytest.raises(CommandError, match=r"was killed after 1 s\."):
            commands.run("sh", "-c", "sleep 60 & echo $!; wait", timeout=1)
        os.close(commands.lock)
        grandchild = int((tmp_path / "log").read_text(encoding="ascii").splitlines()[-1])
        assert _until(lambda: Process.find(grandchild) is None)


class TestLock:
    def test_one_at_a_time(self, tmp_path: Path) -> None:
        """The second waits, and is told who holds the lock; then it gets it."""
        with (
            locked(tmp_path / "lock", timeout=0),
            pytest.raises(UsageError, match="Another process has held"),
            locked(tmp_path / "lock", timeout=0.2),
        ):
            pass
        with locked(tmp_path / "lock", timeout=0):
            pass

    def test_a_build_command_left_behind_holds_it(self, tmp_path: Path) -> None:
        """The lock outlives its holder as long as a build command of his runs."""
        with locked(tmp_path / "lock", timeout=0) as lock:
            command = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
        with command:
            with (
                pytest.raises(UsageError, match="Another process has held"),
                locked(tmp_path / "lock", timeout=0),
            ):
                pass
            command.kill()
            command.wait()
            with locked(tmp_path / "lock", timeout=1):
                pass


class TestState:
    def test_round_trip(self, here: Layout, stopped: State, sleeper: Process) -> None:
        """What is saved is loaded, processes included, and nobody else can read it."""
        kept = stopped.with_process("nova", sleeper)
        state.save(kept, here)
        assert state.load(here) == kept
        assert stat.S_IMODE(here.state.stat().st_mode) == 0o600

    def test_absent(self, here: Layout) -> None:
        """No file, no cloud."""
        assert state.load(here) is None

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"processes": {}}', '{"processes": []}'])
    def test_damaged(self, here: Layout, text: str) -> None:
        """A damaged file is an error that says what to do, never an absent cloud."""
        here.cloud.mkdir(parents=True)
        here.state.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=r"is damaged .* pgrep -af"):
            state.load(here)


class TestPorts:
    def test_own_hundred(self) -> None:
        """Each release has its ports in a hundred of its own."""
        assert all(23400 <= port < 23500 for port in services.choose_ports(34).values())

    def test_taken(self) -> None:
        """A taken port is passed over."""
        first = services.choose_ports(99)["keystone"]
        with socket.socket() as other:
            other.bind(("127.0.0.1", first))
            other.listen()
            assert first not in services.choose_ports(99).values()

    def test_taken_since(self, here: Layout, stopped: State) -> None:
        """A cloud whose port was taken while it was stopped says so, and what to do."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = other.getsockname()[1]
            state.save(replace(stopped, ports={**stopped.ports, "keystone": taken}), here)
            with pytest.raises(UsageError, match=f"Port {taken}.* is taken.*down 34 and then up"):
                services.start(here, state.load(here) or stopped)


class TestCredentials:
    def test_written(self, here: Layout, stopped: State) -> None:
        """Three clouds, one for each user, in a file that nobody else can read."""
        here.cloud.mkdir(parents=True)
        credentials.write(NEWEST, here, stopped)
        clouds = yaml.safe_load(here.clouds_yaml.read_text(encoding="utf-8"))["clouds"]
        assert {name: known["auth"]["project_name"] for name, known in clouds.items()} == {
            "nova-2026.2": "demo",
            "nova-2026.2-other": "other",
            "nova-2026.2-admin": "admin",
        }
        assert stat.S_IMODE(here.clouds_yaml.stat().st_mode) == 0o600

    def test_merged(self, here: Layout, stopped: State) -> None:
        """The merged file holds every cloud; one that has just been deleted is passed over."""
        here.cloud.mkdir(parents=True)
        credentials.write(NEWEST, here, stopped)
        gone = Layout(root=here.root, series=30)
        credentials.merge((here.clouds_yaml, gone.clouds_yaml), here.root / "clouds.yaml")
        assert (here.root / "clouds.yaml").read_text() == here.clouds_yaml.read_text()


class TestVenvs:
    def test_whole(self, here: Layout) -> None:
        """Only a finished environment of this very recipe is used."""
        assert not venvs.is_whole(NEWEST, here)
        here.environment.mkdir(parents=True)
        assert not venvs.is_whole(NEWEST, here)
        (here.environment / venvs.MARKER).write_text(OLDEST.environment, encoding="ascii")
        assert not venvs.is_whole(NEWEST, here)
        (here.environment / venvs.MARKER).write_text(NEWEST.environment, encoding="ascii")
        assert venvs.is_whole(NEWEST, here)

    def test_no_uv(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without uv one is told how to get it."""
        monkeypatch.setattr(venvs, "which", lambda _: None)
        monkeypatch.setattr(venvs, "find_spec", lambda _: None)
        with pytest.raises(UsageError, match="pip install uv"):
            venvs.find_uv()


class TestLife:
    def test_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The variable decides, then the XDG cache folder."""
        monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
        monkeypatch.setenv(layout.DIRECTORY_VARIABLE, "/chosen")
        assert layout.root() == Path("/chosen")
        monkeypatch.delenv(layout.DIRECTORY_VARIABLE)
        assert layout.root() == Path("/cache/pytest-imagedetail/realcloud")

    @pytest.mark.usefixtures("here")
    def test_unknown_release(self) -> None:
        """An unknown release is refused with those that are known."""
        with pytest.raises(UsageError, match=r"Release 18 is not among .*: 34, 33, 32, "):
            cloud.up(18)

    def test_stop(self, here: Layout, stopped: State, sleeper: Process) -> None:
        """Stopping ends what is recorded and keeps the cloud."""
        state.save(stopped.with_process("nova", sleeper), here)
        assert [found.word for found in cloud.status()] == ["partly running"]
        cloud.stop(34)
        assert not sleeper.alive
        assert [found.word for found in cloud.status()] == ["stopped"]

    def test_down(self, here: Layout, stopped: State, sleeper: Process) -> None:
        """Down ends what is recorded and deletes the cloud."""
        state.save(stopped.with_process("nova", sleeper), here)
        cloud.down(34)
        assert not sleeper.alive
        assert not here.cloud.exists()
        assert list(cloud.status()) == []

    def test_half_built(
        self,
        here: Layout,
        stopped: State,
        sleeper: Process,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What a killed `up` left is ended and deleted before the next one builds."""
        state.save(replace(stopped, ready=False).with_process("nova", sleeper), here)
        left = here.cloud / "left"
        left.touch()
        assert [found.word for found in cloud.status()] == ["half built"]

        def create(*_: object) -> None:
            assert not sleeper.alive
            assert not left.exists()
            raise CommandError(("nova-manage",), "ended with status 1.", here.build_log)

        monkeypatch.setattr(venvs, "is_whole", lambda *_: True)
        monkeypatch.setattr(configs, "write", lambda *_: None)
        monkeypatch.setattr(databases, "create", create)
        said: list[str] = []
        with pytest.raises(CommandError, match="nova-manage"):
            cloud.up(34, said.append)
        assert said[0] == "building afresh: half built"
        assert [found.word for found in cloud.status()] == ["half built"]

    def test_start_wants_a_cloud(
        self, here: Layout, stopped: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only a finished cloud of this very recipe, with all it needs installed, is started."""
        remedy = "Build it: python -m tests.realcloud up 34"
        with pytest.raises(UsageError, match=f"There is no cloud of release 34 .*{remedy}"):
            cloud.start(34)
        state.save(replace(stopped, ready=False), here)
        with pytest.raises(UsageError, match="There is no cloud of release 34"):
            cloud.start(34)
        state.save(stopped, here)
        with pytest.raises(UsageError, match=f"from another recipe. {remedy}"):
            cloud.start(34)
        monkeypatch.setattr(venvs, "is_whole", lambda *_: True)
        state.save(replace(stopped, recipe="old"), here)
        with pytest.raises(UsageError, match=f"from another recipe. {remedy}"):
            cloud.start(34)

    def test_a_service_that_ends(self, here: Layout, stopped: State) -> None:
        """A service that ends while starting is reported with its log."""
        log = here.log("keystone")
        log.parent.mkdir(parents=True)
        log.write_text("no such table\n", encoding="utf-8")
        gone = Process(pid=1, started=0, boot="another")
        dead = replace(stopped, ports=services.choose_ports(99), processes={"keystone": gone})
        with pytest.raises(ServiceError, match=r"keystone ended while .*\n.*\n +no such table"):
            services.wait(here, dead, cloud.silent)
