"""Secrets of OpenStack's files and variables: all of them, without logging in."""

import json
import os

import pytest

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.record.clouds import configured

STAGING = {
    "auth": {
        "auth_url": "https://identity.example.com/v3",
        "username": "recorder",
        "password": "secret",
        "application_credential_id": "21dced0fd20347869b93710d2b98aae0",
    },
    "auth_type": "password",
    "token_endpoint": "https://token.example.com",
    "regions": [{"values": {"auth": {"password": 4711_4711}}}],
    "verify": False,
}
OTHER = {"auth": {"password": "Sup3rS3cretPassw0rd", "token": "images"}}
OF_STAGING = {"secret", "21dced0fd20347869b93710d2b98aae0", "47114711"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder that is searched first, a home that is empty, and no variable."""
    for name in [name for name in os.environ if name.startswith(("OS_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, **clouds):
    """A file of clouds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"clouds": clouds}))


def test_without_files_and_variables_nothing_is_known():
    """Whoever needs no configuration has none."""
    assert configured("staging") == set()


@pytest.mark.parametrize(
    "place", ["clouds.yaml", "clouds.json", "home/.config/openstack/clouds.yml"]
)
def test_a_cloud_tells_all_and_the_others_what_is_no_word(folder, place):
    """A password that is a word would be found anywhere; only its own cloud takes it for one."""
    write(folder / place, staging=STAGING, other=OTHER)
    assert configured("staging") == OF_STAGING | {"Sup3rS3cretPassw0rd"}
    assert configured("unknown") == OF_STAGING - {"secret"} | {"Sup3rS3cretPassw0rd"}
    assert configured("other") == OF_STAGING - {"secret"} | {"Sup3rS3cretPassw0rd", "images"}


def test_the_secure_file_and_the_variables_tell_more(folder, monkeypatch):
    """And a file that a variable names counts in place of the usual one."""
    write(folder / "clouds.yaml", staging=OTHER)
    write(folder / "secure.yaml", staging={"auth": {"password": "in-secure"}})
    write(folder / "elsewhere.yaml", staging={"auth": {"password": "in-another"}})
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "elsewhere.yaml"))
    monkeypatch.setenv("OS_PASSWORD", "in-variable")
    monkeypatch.setenv("OS_AUTH_URL", "https://identity.example.com")
    assert configured("staging") == {"in-secure", "in-another", "in-variable"}


@pytest.mark.parametrize("text", ["clouds: [", "- a", "clouds: {a: *b}"])
def test_a_broken_file_is_an_error_that_quotes_nothing(folder, text):
    """Nobody knows what must not be written."""
    (folder / "secure.yaml").write_text(f"# hunter2\n{text}")
    with pytest.raises(CredentialsError) as caught:
        configured("staging")
    assert "hunter2" not in str(caught.value)
    assert str(folder / "secure.yaml") in caught.value.where


def test_a_file_that_may_not_be_read_is_passed_over(folder, monkeypatch):
    """No client of this process can have sent what stands in it."""
    write(folder / "clouds.yaml", staging=STAGING)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert configured("staging") == set()
