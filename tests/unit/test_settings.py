"""Settings of a run: where they come from, which one wins, and what is refused."""

import pytest

from pytest_imagedetail.errors import SettingsError, UsageError
from pytest_imagedetail.settings import Choices, CloudDeclaration, declare, resolve

REMEDY = "\n  next:  it holds `clouds:` (name: {os_cloud, release}) and `baseline:`, nothing else"


def declared(tmp_path, text, **choices):
    (tmp_path / "imagedetail.yaml").write_text(text, encoding="utf-8")
    return resolve(Choices(**choices), root=tmp_path)


def test_the_file_comes_after_the_ini_key(tmp_path):
    """Of a baseline. tests/plugin shows the order of options, markers and ini keys."""
    assert declared(tmp_path, "baseline: b\n", baseline="a").baseline == "a"


def test_a_filter_that_is_no_name(tmp_path):
    with pytest.raises(UsageError, match="unknown filter '1'"):
        resolve(Choices(query={1: 2}), root=tmp_path)


def test_two_processes_declare_one_cloud(tmp_path):
    """The second process finds the first one's declaration."""
    cloud = CloudDeclaration(name="before", os_cloud="old", release="2023.1")
    assert [declare(cloud, tmp_path / "imagedetail.yaml") for _ in range(2)] == [True, True]


def test_the_clouds_file_declares_clouds_and_a_baseline(tmp_path):
    for text in ("", "clouds:\n", "{}\n", "# nothing yet\n"):
        assert declared(tmp_path, text).declared == {}, text
    text = "clouds:\n  b: {os_cloud: staging, release: '2024.1'}\n  juno: {release: Juno}\n  c:\n"
    settings = declared(tmp_path, f"{text}baseline: b\n")
    assert settings.declared == {
        "b": CloudDeclaration(name="b", os_cloud="staging", release="2024.1"),
        "juno": CloudDeclaration(name="juno", os_cloud="juno", release="Juno"),
        "c": CloudDeclaration(name="c", os_cloud="c"),
    }
    assert settings.baseline == "b"
    assert settings.declaration("b").os_cloud == "staging"
    assert settings.declaration("other") == CloudDeclaration(name="other", os_cloud="other")


def test_faults_of_the_clouds_file(tmp_path):
    """The error says what is wrong, where, and what the file may hold."""
    names, yaml = "must be a mapping with names as keys", "not a readable YAML file: "
    newest = "epoxy (2025.1), flamingo (2025.2), gazpacho (2026.1), hibiscus (2026.2)"
    where = f"\n  where: {tmp_path / 'imagedetail.yaml'}"
    stands_twice = "the key `a` is repeated"
    for text, problem in (
        ("cloud: {}", "the file has unknown keys: cloud"),
        ("clouds: {a: {password: x, os_clod: y}}", "cloud 'a' has unknown keys: os_clod, password"),
        ("clouds: {a: {release: 2024.1}}", "cloud 'a': quote the release, 2024.1 is not a string"),
        (
            "clouds: {a: {release: '2031.1'}}",
            f"cloud 'a': unknown release '2031.1'; the newest known: {newest}",
        ),
        ("- a", f"the file {names}"),
        ("clouds: {2024.1: {}}", f"`clouds` {names}"),
        ("baseline: 2024.1", "`baseline` must be the name of a cloud, not 2024.1"),
        ("clouds:\n  a: {os_cloud: 'x\n", f"{yaml}found unexpected end of stream"),
        ("clouds:\n  a: {release: juno}\n  a: {release: kilo}\n", f"{yaml}{stands_twice}"),
    ):
        with pytest.raises(SettingsError) as caught:
            declared(tmp_path, text)
        place = f", line 3, column {1 if 'end of stream' in problem else 3}"
        line = place if problem.startswith(yaml) else ""
        assert str(caught.value) == f"{problem}{where}{line}{REMEDY}"
    with pytest.raises(SettingsError, match="the file cannot be read: No such file"):
        resolve(Choices(clouds_file="other.yaml"), root=tmp_path)  # the default one may be missing
