"""The forecast of planted images is right on a real Nova with `response_validation = error`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from pytest_imagedetail.check.forecast import forecast, forecast_glance

from .mutations import NAMES, UUIDS
from .running import fill, new
from .services import serving

pytestmark = [
    pytest.mark.realcloud,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),  # from openstacksdk
]

KNOWN = Path(__file__).parents[1] / "forecast" / "planted.json"

_PROPERTIES = [
    *({name: "1"} for name in [*NAMES, *"@,=()[]'\"#%*$~/", "a.b", "a\\b"]),
    *({"instance_uuid": text} for text in [*UUIDS, ""]),
    {"größe": "1", "a/b": "%s", "os": "it's"},
    {"größe": "1", "instance_uuid": "web-1"},
    {"größe": "1", "mappings": '[{"virtual": "ami", "device": "sda"}]'},
    {"mappings": "null", "block_device_mapping": '"text"'},
    {"long": "x" * 70_000},
    {"auto_disk_config": "disabled"},
]
PLANTED = {f"planted{number}": each for number, each in enumerate(_PROPERTIES)}
UNREADABLE = {
    f"unreadable-{name}-{text}": {name: text}
    for name in ("mappings", "block_device_mapping")
    for text in ("", "vda")
}
GOOD = [f"good{number}" for number in range(99)]
NOT_JSON = "<class 'json.decoder.JSONDecodeError'>"


@pytest.fixture
def cloud(series):
    """Build a new cloud, because the test configures it and plants images."""
    if series < 32:
        pytest.skip("Nova validates images/detail since 32")
    with new(series) as found:
        yield found


def test_the_forecast_comes_true(cloud):
    """Status and text are right for each planted image, alone and among a hundred.

    UPDATE_DOCS=1 writes the statuses for docs/forecast.md.
    """
    with serving(cloud):
        fill(cloud)
        demo = _connect(cloud)
        glance = {name: _plant(demo, name, each) for name, each in PLANTED.items()}
        assert list(glance.values()).count(201) >= 60
        assert {_plant(demo, name, {"os": "x"}) for name in GOOD} == {201}
        listing = _ask(demo, "")[1]
        glance |= {name: _plant(demo, name, each) for name, each in UNREADABLE.items()}
        images = demo.session.get(_glance(demo), params={"limit": 1000}).json()["images"]
        unreadable = forecast_glance(images, where="Glance")
        assert {each.image["name"] for each in unreadable if each.image} == set(UNREADABLE)
        planted = [name for name, status in glance.items() if status == 201]
        before = {query: _ask(demo, query) for name in planted for query in _queries(name)}

    _configure(cloud, "response_validation = error")
    with serving(cloud):
        demo = _connect(cloud)
        after = {query: _ask(demo, query) for query in before}
        assert _ask(demo, "")[0] == 500
        _fix(demo, [each.command for each in unreadable if each.command])
        before[""], after[""] = (200, listing), _ask(demo, "")
        _fix_listing(demo, listing)
        assert _ask(demo, "")[0] == 200

    expected = {query: _expected(query, body) for query, (_, body) in before.items()}
    found = {query: (before[query][0], *_outcome(*answer)) for query, answer in after.items()}
    wrong = [(query[:60], expected[query], found[query]) for query in before]
    wrong = [each for each in wrong if each[1] != each[2]]
    statuses = [status for status, _ in after.values()]
    sys.stdout.write(
        f"Nova {cloud.release.series}: {len(planted)} planted images, {len(after)} answers "
        f"under error, {statuses.count(400)} of them 400, {statuses.count(500)} of them 500, "
        f"{len(wrong)} not as forecast\n"
    )
    rows = [_row(name, status, expected, found) for name, status in glance.items()]
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    if "UPDATE_DOCS" in os.environ:
        same = known["clouds"] if rows == known["rows"] else []
        KNOWN.write_text(_written(sorted({*same, cloud.name}), rows), encoding="utf-8")
    assert wrong == []
    assert "UPDATE_DOCS" in os.environ or rows == known["rows"]


def _queries(name):
    """Return the queries for an image alone and among a hundred."""
    return f"?name={name}", f"?name=in:{','.join([*GOOD[:50], name, *GOOD[50:]])}"


def _expected(query, body):
    """Forecast the status under `warn`, and the status and the text under `error`."""
    if any(name in query for name in UNREADABLE):
        return 500, 500, NOT_JSON
    assert len(body["images"]) == query.count(",") + 1 or not query
    refused = [each.error for each in forecast(body, where=query) if each.schema == "nova"]
    return (200, 400, refused[0]) if refused else (200, 200, None)


def _outcome(status, body):
    """Return the status and the error text; for a 500, the exception in it."""
    errors = [body[key]["message"] for key in ("badRequest", "computeFault") if key in body]
    return status, "".join(errors).rpartition("\n")[2] if status == 500 else "".join(errors) or None


def _row(name, glance, expected, found):
    """Return a planted image with its forecast and real statuses."""
    properties = PLANTED.get(name) or UNREADABLE[name]
    row = {
        "kind": _kind(properties),
        "properties": {key: _short(text) for key, text in properties.items()},
    }
    if glance != 201:
        return row | {"glance": glance}
    for size, query in zip(("alone", "of 100"), _queries(name), strict=True):
        row[f"warn, {size}"] = [expected[query][0], found[query][0]]
        row[f"error, {size}"] = [expected[query][1], found[query][1]]
    return row


def _kind(properties):
    """Return the kind of an image for the table in the docs."""
    name = next(iter(properties))
    if len(properties) > 1:
        return "several properties"
    if name in {"instance_uuid", "mappings", "block_device_mapping"}:
        return f"`{name}`"
    if name in {"long", "auto_disk_config"}:
        return "another value"
    kinds = {
        "a name that is empty or too long": len(name) not in range(1, 256),
        "a name that is not ASCII": not name.isascii(),
        "a name with a control character": not name.isprintable(),
        "a name with another ASCII character": re.search(r"[^\w\-:. ]", name) is not None,
        "a name of allowed characters": True,
    }
    return next(kind for kind, fits in kinds.items() if fits)


def _short(text):
    return text if len(text) < 256 else f"{len(text)} characters"


def _written(clouds, rows):
    """Return the clouds that gave these rows, and one line for each row."""
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    return f'{{\n "clouds": {json.dumps(clouds)},\n "rows": [\n{lines}\n ]\n}}\n'


def _connect(cloud):
    config = OpenStackConfig(config_files=[str(cloud.clouds_yaml)], load_envvars=False)
    return Connection(config=config.get_one(cloud.name))


def _ask(connection, query):
    """Return status and document of a listing."""
    url = f"{connection.session.get_endpoint(service_type='compute')}/images/detail{query}"
    answer = connection.session.get(url, raise_exc=False)
    return answer.status_code, answer.json()


def _glance(connection):
    return f"{connection.session.get_endpoint(service_type='image')}/v2/images"


def _plant(connection, name, properties):
    """Create an image; return Glance's status."""
    image = {"name": name, "disk_format": "raw", "container_format": "bare", **properties}
    return int(
        connection.session.post(_glance(connection), json=image, raise_exc=False).status_code
    )


def _configure(cloud, line):
    """Add a line to the section [api] of nova.conf."""
    file = cloud.etc("nova") / "nova.conf"
    text = file.read_text(encoding="utf-8")
    assert text.count("[api]\n") == 1
    file.write_text(text.replace("[api]\n", f"[api]\n{line}\n"), encoding="utf-8")


def _fix_listing(connection, listing):
    """Run the commands of the forecast, and delete images if it advises so."""
    findings = forecast(listing, where="")
    _fix(connection, filter(None, dict.fromkeys(each.command for each in findings)))
    for each in findings:
        if "Glance cannot remove" in each.advice and each.image:
            connection.session.delete(f"{_glance(connection)}/{each.image['id']}")


def _fix(connection, commands):
    """Do what the `openstack image unset` commands do."""
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
