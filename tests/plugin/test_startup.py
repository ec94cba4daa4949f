"""What the plugin costs a run that does not use it."""

import sys

HEAVY = ("vcr", "deepdiff", "yaml", "jinja2", "filelock", "requests", "openstack")


def test_an_idle_run_imports_nothing(pytester):
    """Without its fixtures, the plugin loads neither the core nor any library."""
    pytester.makepyfile(
        f"""
        import sys

        def test_idle():
            loaded = [name for name in sys.modules if name.startswith("pytest_imagedetail")]
            face = "pytest_imagedetail.plugin"
            assert [name for name in loaded if not name.startswith(face)] == ["pytest_imagedetail"]
            assert not set({HEAVY!r}) & set(sys.modules)
        """
    )
    # pytest-recording would import vcr and yaml itself.
    result = pytester.run(
        sys.executable, "-m", "pytest", "-p", "no:recording", "-p", "no:randomly", "-q"
    )
    result.assert_outcomes(passed=1)


def test_the_options_are_prefixed(pytester):
    """Another plugin's options can never clash with ours."""
    result = pytester.runpytest("--help")
    lines = [line.strip() for line in result.outlines]
    start = next(n for n, line in enumerate(lines) if line.startswith("OpenStack images/detail"))
    options = []
    for line in lines[start + 1 :]:
        if not line:
            break
        options += [word for word in line.split() if word.startswith("--")]
    assert options
    assert all(option.startswith("--imagedetail-") for option in options)
