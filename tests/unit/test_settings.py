"""Choices of a run: where they come from, which one wins, and what is refused."""

from pathlib import Path

import pytest

from pytest_imagedetail.errors import SettingsError, UsageError
from pytest_imagedetail.settings import Choices, CloudDeclaration, Settings, resolve, unknown_cloud

HOLDS = "  next:  it holds `clouds:` (name: {os_cloud, release}) and `baseline:`, nothing else"
REMEDY = f"\n{HOLDS}"


def declared(tmp_path, text, **choices):
    (tmp_path / "imagedetail.yaml").write_text(text, encoding="utf-8")
    return resolve(Choices(**choices), root=tmp_path)


def test_defaults(tmp_path):
    """Nothing typed anywhere: replay from `cassettes`, cross-version, fail on what breaks."""
    assert resolve(Choices(), root=tmp_path) == Settings(
        cassette_dir=tmp_path / "cassettes",
        clouds_file=tmp_path / "imagedetail.yaml",
        record_mode="none",
        declared={},
        profile="cross-version",
        fail_on="breaking",
    )


@pytest.mark.parametrize(
    ("field", "strong", "middle", "weak"),
    [
        ("record_mode", "once", "verify", "rewrite"),
        ("profile", "wire", "same-cloud", "cross-cloud"),
        ("fail_on", "change", "none", "breaking"),
        ("baseline", "a", "b", "c"),
        ("clouds", ("a",), ("b", "c"), ("d",)),
    ],
)
def test_option_beats_marker_beats_ini(tmp_path, field, strong, middle, weak):
    """For each choice the first layer that made it wins, whatever it says elsewhere."""
    layers = [Choices(**{field: value}) for value in (strong, middle, weak)]
    nothing = Choices()
    for chosen, given in [
        (strong, layers),
        (middle, [nothing, *layers[1:]]),
        (weak, [nothing, nothing, layers[2]]),
    ]:
        assert getattr(resolve(*given, root=tmp_path), field) == chosen


def test_paths_are_relative_to_the_root(tmp_path):
    """Cassettes and reports are found from the root; an absolute path stays."""
    settings = resolve(
        Choices(cassette_dir="tapes", reports=("out/a.html", "/b.json")), root=tmp_path
    )
    assert settings.cassette_dir == tmp_path / "tapes"
    assert settings.reports == (tmp_path / "out/a.html", Path("/b.json"))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (
            {"record_mode": "al"},
            "unknown record mode 'al'\n  next:  known: none, once, new_episodes, rewrite, verify",
        ),
        (
            {"record_mode": "rewritte"},
            (
                "unknown record mode 'rewritte'\n  next:  did you mean rewrite? "
                "known: none, once, new_episodes, rewrite, verify"
            ),
        ),
        (
            {"profile": "cross_version"},
            (
                "unknown profile 'cross_version'\n  next:  did you mean cross-version? "
                "known: wire, same-cloud, cross-version, cross-cloud"
            ),
        ),
        (
            {"fail_on": "breakin"},
            (
                "unknown fail-on 'breakin'\n  next:  did you mean breaking? "
                "known: breaking, change, none"
            ),
        ),
        (
            {"reports": ("a.html", "b.htm")},
            "unknown report suffix '.htm'\n  next:  did you mean .html? known: .html, .json, .md",
        ),
    ],
)
def test_a_bad_value_names_the_nearest(tmp_path, choices, message):
    """A value that is none of the known ones is refused, with all of them."""
    with pytest.raises(UsageError) as caught:
        resolve(Choices(**choices), root=tmp_path)
    assert str(caught.value) == message


def test_clouds_file_declares_clouds_and_baseline(tmp_path):
    """Names and versions; a cloud with nothing behind its name is its own os_cloud."""
    settings = declared(
        tmp_path,
        "clouds:\n  b: {os_cloud: staging, release: '2024.1'}\n  juno: {release: Juno}\n  c:\n"
        "baseline: b\n",
    )
    assert settings.declared == {
        "b": CloudDeclaration(name="b", os_cloud="staging", release="2024.1"),
        "juno": CloudDeclaration(name="juno", os_cloud="juno", release="Juno"),
        "c": CloudDeclaration(name="c", os_cloud="c"),
    }
    assert settings.baseline == "b"
    assert settings.declaration("b").os_cloud == "staging"
    assert settings.declaration("unheard") == CloudDeclaration(name="unheard", os_cloud="unheard")


def test_option_beats_the_baseline_of_the_file(tmp_path):
    """The file is the weakest layer."""
    assert declared(tmp_path, "baseline: b\n", baseline="a").baseline == "a"


@pytest.mark.parametrize("text", ["", "clouds:\n", "{}\n", "# nothing yet\n"])
def test_an_empty_clouds_file_declares_nothing(tmp_path, text):
    """An empty file, or an empty `clouds:`, is no fault."""
    assert declared(tmp_path, text).declared == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cloud: {}\n", "the file has unknown keys: cloud"),
        (
            "clouds: {a: {password: x, os_clod: y}}\n",
            "cloud 'a' has unknown keys: os_clod, password",
        ),
        (
            "clouds: {a: {release: 2024.1}}\n",
            "cloud 'a': quote the release, 2024.1 is not a string",
        ),
        (
            "clouds: {a: {release: '2031.1'}}\n",
            (
                "cloud 'a': unknown release '2031.1'; the newest known: epoxy (2025.1), "
                "flamingo (2025.2), gazpacho (2026.1), hibiscus (2026.2)"
            ),
        ),
        ("clouds: {a: {os_cloud: 12}}\n", "cloud 'a': quote os_cloud, 12 is not a string"),
        ("- a\n", "the file must be a mapping with names as keys"),
        ("[]\n", "the file must be a mapping with names as keys"),
        ("clouds: [a]\n", "`clouds` must be a mapping with names as keys"),
        ("clouds: {2024.1: {}}\n", "`clouds` must be a mapping with names as keys"),
        ("clouds: {a: staging}\n", "cloud 'a' must be a mapping with names as keys"),
        ("clouds: {a: false}\n", "cloud 'a' must be a mapping with names as keys"),
        ("baseline: 2024.1\n", "`baseline` must be the name of a cloud, not 2024.1"),
    ],
)
def test_faults_of_the_clouds_file(tmp_path, text, problem):
    """What cannot be right is named, with the file and what it may hold."""
    with pytest.raises(SettingsError) as caught:
        declared(tmp_path, text)
    where = tmp_path / "imagedetail.yaml"
    assert str(caught.value) == f"{problem}\n  where: {where}{REMEDY}"


def test_damaged_yaml_has_a_place(tmp_path):
    """A syntax error is shown with line and column."""
    with pytest.raises(SettingsError) as caught:
        declared(tmp_path, "clouds:\n  a: {os_cloud: 'x\n")
    assert str(caught.value) == (
        "not a readable YAML file: found unexpected end of stream\n"
        f"  where: {tmp_path / 'imagedetail.yaml'}, line 3, column 1{REMEDY}"
    )


def test_a_cloud_is_declared_once(tmp_path):
    """The second declaration would hide the first, which a person may look at."""
    with pytest.raises(SettingsError) as caught:
        declared(tmp_path, "clouds:\n  a: {release: juno}\n  a: {release: kilo}\n")
    where = tmp_path / "imagedetail.yaml"
    assert str(caught.value) == (
        "not a readable YAML file: the key `a` stands twice in one mapping\n"
        f"  where: {where}, line 3, column 3{REMEDY}"
    )


def test_a_named_clouds_file_must_be_there(tmp_path):
    """The default file may be missing; one that somebody named may not."""
    with pytest.raises(SettingsError) as caught:
        resolve(Choices(clouds_file="other.yaml"), root=tmp_path)
    assert str(caught.value) == (
        "the file cannot be read: No such file or directory\n"
        f"  where: {tmp_path / 'other.yaml'}{REMEDY}"
    )


def test_globs_select_clouds_in_order_and_once(tmp_path):
    """Patterns are matched with case against recorded and declared clouds."""
    settings = declared(
        tmp_path, "clouds: {nova-b: {}, k5: {}}\n", clouds=("k*", "nova-[ab]", "nova-*")
    )
    assert settings.select(["nova-a", "nova-c"]) == ("k5", "nova-a", "nova-b", "nova-c")


def test_without_names_every_recorded_and_declared_cloud_is_taken(tmp_path):
    """A declared cloud whose cassettes are lost must fail, not be left out in silence."""
    text = "clouds: {b: {}}\n"
    assert declared(tmp_path, text).select(["a"]) == ("a", "b")
    assert declared(tmp_path, text, record_mode="once").select(["a"]) == ("a", "b")


def test_a_message_names_no_more_clouds_than_can_be_read():
    """The others are a command away."""
    error = unknown_cloud("x", [f"nova-{number}" for number in range(60)])
    assert "nova-11 and 48 more: imagedetail clouds lists them\n" in error.remedy
    assert "nova-12" not in error.remedy


def test_an_unknown_cloud_is_refused_with_the_nearest(tmp_path):
    """A pattern that matches nothing would silently run nothing."""
    settings = declared(tmp_path, "clouds: {k5: {}}\n", clouds=("nova-2026.1",))
    with pytest.raises(UsageError) as caught:
        settings.select(["nova-2026.2"])
    assert str(caught.value) == (
        "unknown cloud 'nova-2026.1'\n"
        f"  where: {tmp_path}/cassettes\n"
        "  next:  did you mean nova-2026.2? known clouds: nova-2026.2, k5\n"
        "  next:  or record it: imagedetail record nova-2026.1"
    )
