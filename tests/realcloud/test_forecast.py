"""The forecast of planted images comes true on a real Nova under `response_validation = error`."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from pytest_imagedetail.check.forecast import forecast, forecast_glance

from . import Cloud, layout
from . import cloud as life
from .mutations import NAMES, UUIDS
from .test_live import SELECTED

pytestmark = [
    pytest.mark.realcloud,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),  # openstacksdk, of itself
]

PLANTED: list[dict[str, str]] = [
    *({name: "1"} for name in [*NAMES, *"@,=()[]'\"#%*$~/", "libstdc++", "a.b", "a\\b"]),
    *({"instance_uuid": text} for text in [*UUIDS, ""]),
    {"größe": "1", "a/b": "%s", "os": "it's"},
    {"größe": "1", "instance_uuid": "web-1"},
    {"größe": "1", "mappings": '[{"virtual": "ami", "device": "sda"}]'},
    {"mappings": "null", "block_device_mapping": '"text"'},
    {"long": "x" * 70_000},
    {"auto_disk_config": "disabled"},
]
UNREADABLE = [{name: text} for name in ("mappings", "block_device_mapping") for text in ("", "vda")]
GOOD = [f"good{number}" for number in range(99)]


@pytest.fixture(scope="module", params=[each for each in SELECTED if each >= 32])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Cloud]:
    """A cloud of its own, for it is configured and planted."""
    root = tmp_path_factory.mktemp("forecast")
    (root / "environments").symlink_to(layout.root() / "environments")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(layout.DIRECTORY_VARIABLE, str(root))
        try:
            yield life.up(request.param)
        finally:
            life.down(request.param)


def test_the_forecast_comes_true(cloud: Cloud) -> None:
    """Status and text, of each planted image alone and as one of a hundred; the listing, too."""
    demo = _connect(cloud)
    names = [_plant(demo, f"planted{n}", each) for n, each in enumerate(PLANTED)]
    planted = [name for name in names if name]
    assert len(planted) >= 60
    for name in GOOD:
        _plant(demo, name, {"os": "x"})
    questions = ["", *(f"?name={name}" for name in planted)]
    questions += [f"?name=in:{','.join([*GOOD[:50], name, *GOOD[50:]])}" for name in planted]
    before = {question: _ask(demo, question) for question in questions}
    assert {status for status, _ in before.values()} == {200}
    assert len(before[questions[-1]][1]["images"]) == 100

    _configure(cloud, "response_validation = error")
    wrong, refused = [], 0
    demo = _connect(cloud)
    for question, (status, body) in before.items():
        expected = forecast(body, where=question, status=status)
        real, answer = _ask(demo, question)
        message = answer.get("badRequest", {}).get("message")
        refused += real == 400
        if (real, message) != (expected.status, expected.message):
            wrong.append((question[:40], expected.status, expected.message, real, message))
    sys.stdout.write(
        f"Nova {cloud.release.series}: {len(planted)} planted images, {len(questions)} answers "
        f"under error, {refused} of them 400, {len(wrong)} not as forecast\n"
    )
    assert wrong == []

    findings = forecast(before[""][1], where="").findings
    _heal(demo, filter(None, dict.fromkeys(each.command for each in findings)))
    for each in findings:
        if "Glance cannot remove" in each.advice:
            _delete(demo, each.image.id)
    assert _ask(demo, "")[0] == 200


def test_the_500_comes_true(cloud: Cloud) -> None:
    """One property that is not JSON is a 500, whatever is configured."""
    demo = _connect(cloud)
    for properties in UNREADABLE:
        name = _plant(demo, "unreadable", properties)
        (finding,) = forecast_glance(
            demo.session.get(_glance(demo)).json()["images"], where="Glance"
        )
        assert finding.image.name == name
        assert finding.keys == tuple(properties)
        status, body = _ask(demo, "")
        assert status == finding.consequence.status == 500
        assert body["computeFault"]["message"].endswith("<class 'json.decoder.JSONDecodeError'>")
        _delete(demo, finding.image.id)
        assert _ask(demo, "")[0] == 200


def _connect(cloud: Cloud) -> Connection:
    config = OpenStackConfig(config_files=[str(cloud.clouds_yaml)], load_envvars=False)
    return Connection(config=config.get_one(cloud.name))


def _ask(connection: Connection, query: str) -> tuple[int, Any]:
    """The status and the document of a listing."""
    url = f"{connection.session.get_endpoint(service_type='compute')}/images/detail{query}"
    answer = connection.session.get(url, raise_exc=False)
    return answer.status_code, answer.json()


def _glance(connection: Connection) -> str:
    return f"{connection.session.get_endpoint(service_type='image')}/v2/images"


def _delete(connection: Connection, image: str) -> None:
    connection.session.delete(f"{_glance(connection)}/{image}")


def _plant(connection: Connection, name: str, properties: dict[str, str]) -> str:
    """Make an image; return its name, or nothing if Glance refuses the properties."""
    image = {"name": name, "disk_format": "raw", "container_format": "bare", **properties}
    return (
        name if connection.session.post(_glance(connection), json=image, raise_exc=False).ok else ""
    )


def _configure(cloud: Cloud, line: str) -> None:
    """Restart the cloud with another line in the section [api] of nova.conf."""
    series = cloud.release.series
    life.stop(series)
    file = layout.Layout(root=layout.root(), series=series).etc("nova") / "nova.conf"
    text = file.read_text(encoding="utf-8")
    assert text.count("[api]\n") == 1
    file.write_text(text.replace("[api]\n", f"[api]\n{line}\n"), encoding="utf-8")
    life.start(series)


def _heal(connection: Connection, commands: Iterable[str]) -> None:
    """Do what the commands do, as `openstack image unset` does it."""
    for command in commands:
        script = f"openstack() {{ printf '%s\\0' \"$@\"; }}; {command}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
        words = done.stdout.decode().replace("--property=", "--property\0").split("\0")
        names = words[3:-2:2]
        assert {*words[2:-2:2]} == {"--property"}
        paths = [name.replace("~", "~0").replace("/", "~1") for name in names]
        connection.session.patch(
            f"{_glance(connection)}/{words[-2]}",
            json=[{"op": "remove", "path": f"/{path}"} for path in paths],
            headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
        )
