"""`-p no:imagedetail` removes the plugin."""

import pytest


def test_it_is_off(request):
    for fixture in ("imagedetail", "imagedetail_cassette", "imagedetail_server"):
        with pytest.raises(pytest.FixtureLookupError):
            request.getfixturevalue(fixture)
    assert not any(each.startswith("imagedetail") for each in vars(request.config.option))
