"""What Nova's response validation will refuse, who is affected, and the command that fixes it."""

import json
import subprocess
from dataclasses import asdict

import pytest
from unit import changed, image_of, snapshot_of, without

from pytest_imagedetail.check.forecast import forecast, forecast_glance, forecast_response
from pytest_imagedetail.errors import BodyError
from pytest_imagedetail.model import Response

ID = image_of()["id"]
UUID = "9168b536-cd40-4630-b43f-b259807c6e87"
PATTERN = "'^[a-zA-Z0-9-_:. ]{1,255}$'"

# contract: measured on Nova 32, 33 and 34
BAD_NAMES = ["größe", "a/b", "app.kubernetes.io/name", "libstdc++", "x\ty", "", "n" * 256, "x\ny"]
BAD_NAMES += list("@,=()[]'\"#%*$~")
GOOD_NAMES = ["a:b", "a.b", "a b", " a", "a ", "a\n", "a-b_c", "n" * 255, "9"]
BAD_SERVERS = ["web-1", "", UUID + " ", " " + UUID, UUID[:-1], UUID + "\n"]
GOOD_SERVERS = [UUID, UUID.upper(), UUID.replace("-", ""), f"{{{UUID}}}", f"urn:uuid:{UUID}"]


def forecast_of(*images, **beside):
    return forecast({"images": list(images), **beside}, where="nova-2024.1, page 1")


def having(number=1, **properties):
    return image_of(number, metadata=properties)


def answer_of(body, status=200):
    return forecast_response(Response(status_code=status, body=body), where="here")


def test_what_nova_refuses():
    """Property names, and the property `instance_uuid`, which is the server's id."""
    for name in BAD_NAMES:
        (found,) = forecast_of(having(**{name: "1", "os": "x"}))
        assert found.error == (
            f"Invalid input for field/attribute metadata. Value: { {name: '1', 'os': 'x'} }. "
            f"{name!r} does not match any of the regexes: {PATTERN}"
        )
    for server in BAD_SERVERS:
        (found,) = forecast_of(snapshot_of(server=server))
        assert found.path == "images[0].server.id", server
        assert found.error == (
            f"Invalid input for field/attribute id. Value: {server}. {server!r} is not a 'uuid'"
        )
        assert found.command == f"openstack image unset --property instance_uuid {ID}"
    for image in (
        *(having(**{name: "x" * 70_000}) for name in GOOD_NAMES),
        *(snapshot_of(server=server) for server in GOOD_SERVERS),
    ):
        assert forecast_of(image) == (), image


def test_all_errors_are_found_in_the_order_of_nova():
    """Each names the image, its owner and the command; Nova answers with the first error only."""
    images = [image_of(number) for number in range(100)]
    images[63] = having(63, größe="1", owner_id="f" * 32)
    images[64] = snapshot_of(64, server="web-1")
    images[64]["metadata"] |= {"ü": "", "a/b": ""}
    link = {"rel": "next", "href": "images"}
    found = forecast_of(*images, images_links=[link])
    assert [(each.path, each.keys) for each in found] == [
        ("images[63].metadata", ("größe",)),
        ("images[64].metadata", ("a/b", "ü")),
        ("images[64].server.id", ()),
        ("images_links[0].href", ()),
    ]
    assert asdict(found[0]) == {
        "schema": "nova",
        "where": "nova-2024.1, page 1",
        "path": "images[63].metadata",
        "image": {
            "id": images[63]["id"],
            "name": "image 63",
            "owner": "f" * 32,
            "visibility": None,
        },
        "keys": ("größe",),
        "value": {"größe": "1"},
        "error": f"Invalid input for field/attribute metadata. Value: {images[63]['metadata']}. "
        f"'größe' does not match any of the regexes: {PATTERN}",
        "consequence": {
            "status": 400,
            "since": "2025.2",
            "option": "[api] response_validation = error",
            "affected": "everyone who lists this image gets 400 instead of the listing",
        },
        "command": f"openstack image unset --property 'größe' {images[63]['id']}",
        "advice": "run it as the image's owner or an administrator; deleting the image also helps",
    }
    assert "this image" not in found[3].consequence.affected
    assert found[3].image is None


def test_errors_without_a_command():
    """A field that Nova writes cannot be fixed by a command; the finding says where to look."""
    size = "OS-EXT-IMG-SIZE:size"
    for image, place, advice in (
        (without(image_of(), size), f"images[0] '{size}'", "Nova itself"),
        (image_of(minRam=-1), "images[0].minRam", "Nova itself"),
        (image_of(metadata=[]), "images[0].metadata", "Nova itself"),
        (image_of(**{"vendor:flag": True}), "images[0] 'vendor:flag'", "Nova itself"),
        (changed(image_of(), "links", 0, "href", to="/v2.1"), "images[0].links[0].href", "prefix"),
        (changed(snapshot_of(), "server", "id", to="x"), "images[0].server.id", "Nova itself"),
        (having(**{"tab\t": "1"}), "images[0].metadata 'tab\\t'", "Glance cannot remove"),
    ):
        finding = forecast_of(image)[0]
        assert (finding.place, finding.command) == (place, None)
        assert advice in finding.advice
    (both,) = forecast_of(having(**{"tab\t": "1", "ä": "1"}))
    assert both.command == f"openstack image unset --property 'ä' {ID}"
    assert "Glance cannot remove" in both.advice


def test_tempest():
    """An error of tempest alone does not change Nova's response."""
    for image, error, is_of_both in (
        (image_of(updated=None), "None is not of type 'string'", False),
        (image_of(updated="x"), "'x' is not a 'iso8601-date-time'", True),
        (image_of(status="active"), "'active' is not one of ['ACTIVE', 'SAVING', ", True),
        (image_of(minRam=1.5), "1.5 is not of type 'integer'", True),
        (without(image_of(), "progress"), "'progress' is a required property", True),
    ):
        *others, finding = forecast_of(image)
        assert (finding.schema, bool(others)) == ("tempest", is_of_both), error
        assert finding.error.startswith(error)
        assert finding.consequence.status is None


def test_commands_survive_a_shell():
    """A shell reads each name unchanged, and the command has no control character."""
    names = ["größe", "it's", 'say "so"', "$(id)", "`id`", "-ä", "--tag", "a;b", "a\\b", "*", ""]
    names += ["x\ny", "\x1b[2J", "it's\n'", "a\\\nb", "\u202e", "😀\n7", "$'x'\ry"]
    for name in names:
        bad = having(**{name: "1", "ä/": "1"})
        (finding,) = forecast_of(bad)
        assert finding.command.isprintable(), name
        script = "openstack() { printf '%s\\0' \"$@\"; }; " + finding.command
        done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
        words = done.stdout.decode().split("\0")[:-1]
        expected = ["image", "unset"]
        for each in finding.keys:
            expected += [f"--property={each}"] if each.startswith("-") else ["--property", each]
        assert words == [*expected, ID], name


def test_responses():
    """Only listings in JSON have a forecast; as in Nova, NaN is a number."""
    body = json.dumps({"images": [having(größe="1")]}).encode()
    assert len(answer_of(body, status=203)) == 1
    nan = json.dumps({"images": [having(mappings=float("nan"))]}).encode()
    assert answer_of(nan) == ()
    assert answer_of(b'<images xmlns="http://docs.openstack.org/compute/api/v1.1"/>') is None
    assert answer_of(b'{"itemNotFound": {"code": 404, "message": "x"}}', status=404) is None
    with pytest.raises(BodyError, match="the body is not JSON"):
        answer_of(b"[")


def test_properties_that_nova_cannot_read():
    """Glance returns them as strings. One that is not JSON makes Nova answer 500."""
    images = [
        {"id": "1", "name": "good", "mappings": "[]", "block_device_mapping": "NaN", "größe": "1"},
        {"id": "2", "name": None, "owner": "p", "visibility": "public", "mappings": ""},
        {"id": "3", "block_device_mapping": "vda", "mappings": "[" * 100_000},
        {"id": "4", "mappings": None},
    ]
    found = forecast_glance(images, where="Glance")
    assert [(each.path, each.keys) for each in found] == [
        ("images[1].mappings", ("mappings",)),
        ("images[2].block_device_mapping", ("block_device_mapping",)),
        ("images[2].mappings", ("mappings",)),
    ]
    first = asdict(found[0])
    assert first["error"] == "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    assert (first["consequence"]["status"], first["consequence"]["since"]) == (500, "2019.1")
    assert first["command"] == "openstack image unset --property mappings 2"
