"""A project that declares a running cloud."""

from dataclasses import replace

import pytest

from tests.cloud import Application, SimulatedCloud


@pytest.fixture
def cloud(pytester, monkeypatch):
    """A running cloud whose images a test can change, declared by the project."""
    cloud = SimulatedCloud(release="2023.1")
    old = cloud.application
    compute = replace(old.compute, rows=list(old.compute.rows))
    cloud.application = Application(identity=old.identity, compute=compute)
    with cloud:
        clouds_yaml = pytester.path / "clouds.yaml"
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
        yield cloud
