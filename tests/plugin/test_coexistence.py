"""Beside other plugins: pytest-recording reads our cassettes, and nobody disturbs anybody."""

import shutil


def test_pytest_recording_replays_our_cassette(project):
    """A cassette of ours is a vcrpy cassette: its own plugin replays it to urllib."""
    shutil.copy(project.path / "cassettes" / "nova-essex" / "all.yaml", project.path / "ours.yaml")
    project.makepyfile(
        f"""
        import json
        import urllib.request

        import pytest

        URL = "https://compute.nova-essex.invalid/v2/{0:032x}/images/detail"

        @pytest.mark.vcr({str(project.path / "ours.yaml")!r})
        @pytest.mark.block_network
        def test_theirs():
            with urllib.request.urlopen(URL) as answer:
                assert answer.status == 200
                assert len(json.load(answer)["images"]) == 13

        def test_ours(imagedetail):
            assert len(imagedetail["nova-essex"].list().images) == 13
        """
    )
    project.runpytest("--record-mode=none").assert_outcomes(passed=2)
