"""The cassette together with the fixtures that choose its cloud, in any order."""


def test_fixtures_in_any_order(pytester):
    """Without other plugins' autouse fixtures, ours is the first one that pytest sets up."""
    pytester.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.imagedetail("nova-2026.2")

        def test_cloud_first(imagedetail_cloud, imagedetail_cassette):
            assert imagedetail_cassette.played == 0

        def test_cassette_first(imagedetail_cassette, imagedetail_cloud):
            assert imagedetail_cassette.played == 0

        def test_harness_first(imagedetail, imagedetail_cassette):
            assert imagedetail_cassette.played == 0
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:recording", "-p", "no:hypothesis")
    result.assert_outcomes(passed=3)
