"""What the plugin costs a run that does not use it."""

import sys

HEAVY = ("vcr", "deepdiff", "yaml", "jinja2", "filelock", "requests", "openstack")


def test_an_idle_run_pays_nothing(pytester):
    """One small module, no library, no fixture and no hook around its tests."""
    pytester.makepyfile(
        f"""
        import sys

        def test_idle(request, pytestconfig):
            loaded = [name for name in sys.modules if name.startswith("pytest_imagedetail")]
            assert sorted(loaded) == ["pytest_imagedetail", "pytest_imagedetail.plugin"]
            assert not set({HEAVY!r}) & set(sys.modules)
            assert not [name for name in request.fixturenames if "imagedetail" in name]
            plugins = pytestconfig.pluginmanager.list_name_plugin()
            ours = {{name: plugin for name, plugin in plugins if "imagedetail" in name}}
            assert ours.keys() <= {{"imagedetail", "imagedetail-workers"}}
            hooks = [name for name in dir(ours["imagedetail"]) if name.startswith("pytest_runtest")]
            assert not hooks
        """
    )
    # pytest-recording would import vcr and yaml itself.
    result = pytester.run(
        sys.executable, "-m", "pytest", "-p", "no:recording", "-p", "no:randomly", "-q"
    )
    result.assert_outcomes(passed=1)
