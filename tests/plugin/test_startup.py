"""What the plugin costs a run that does not use it."""

import sys

HEAVY = ("vcr", "deepdiff", "yaml", "jinja2", "filelock", "requests", "openstack")


def test_an_idle_run_imports_nothing(pytester):
    """Without its fixtures, the plugin loads one module, and no library."""
    pytester.makepyfile(
        f"""
        import sys

        def test_idle():
            loaded = [name for name in sys.modules if name.startswith("pytest_imagedetail")]
            assert sorted(loaded) == ["pytest_imagedetail", "pytest_imagedetail.plugin"]
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


def test_an_idle_run_has_no_hook_around_its_tests(pytester):
    """Nor an autouse fixture: an unrelated test costs next to nothing."""
    pytester.makepyfile(
        """
        def test_idle(request, pytestconfig):
            assert not [name for name in request.fixturenames if "imagedetail" in name]
            names = [name for name, _ in pytestconfig.pluginmanager.list_name_plugin()]
            ours = {name for name in names if "imagedetail" in name}
            assert ours <= {"imagedetail", "imagedetail-workers"}
            (plugin,) = [
                each
                for name, each in pytestconfig.pluginmanager.list_name_plugin()
                if name == "imagedetail"
            ]
            hooks = [name for name in dir(plugin) if name.startswith("pytest_runtest")]
            assert not hooks
        """
    )
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=1)
