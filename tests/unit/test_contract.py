"""What each release promises about an image detail, and the formats of values."""

from pytest_imagedetail.contract import (
    FIELDS,
    offers,
    promises,
    release_index,
    release_names,
    text_format,
)

RELEASES = [name.partition(" ")[0] for name in release_names()]


def test_releases_have_an_order_and_two_names():
    assert [release_index(name) for name in RELEASES] == list(range(len(RELEASES)))
    assert release_index("Juno") == release_index("2014.2") == release_index("JUNO")
    assert release_index("2031.1") is None
    assert release_index(None) is None
    assert release_names()[-1] == "hibiscus (2026.2)"


def test_what_is_offered_or_promised_stays_so():
    """No field was withdrawn, what is promised is offered, and no release means the newest."""
    for field in FIELDS:
        offered = [offers(field, release) for release in RELEASES]
        promised = [promises(field, release) for release in RELEASES]
        assert (offered, promised) == (sorted(offered), sorted(promised)), field
        assert all(there or not always for there, always in zip(offered, promised, strict=True))
        assert promises(field, None) is promised[-1]
    assert not promises("x", None)
    assert not offers("x", None)
    for field, first, required in (
        ("minRam", "essex", "essex"),
        ("OS-EXT-IMG-SIZE:size", "grizzly", "stein"),
        ("metadata", "diablo", "diablo"),
        ("server", "diablo", None),
        ("OS-DCF:diskConfig", "diablo", None),
    ):
        for known, release in ((offers, first), (promises, required)):
            first_true = next((each for each in RELEASES if known(field, each)), None)
            assert release_index(first_true) == release_index(release), field


def test_formats_of_texts():
    """Only ASCII digits count, and dates must exist."""
    for text, expected in (
        ("5eed0017-0000-4000-8000-000000000017", "uuid"),
        ("2024-01-15T08:00:00Z", "isotime"),
        ("2024-01-15T08:00:00.000000Z", "isotime with a fraction"),
        ("2024-01-15T08:00:00+00:00", "isotime with an offset"),
        ("True", "boolean in a string"),
        ("https://image.a.invalid/images", "URL"),
        ("", "empty"),
        ("٣", "text"),
        ("2024-02-30T08:00:00Z", "text"),
    ):
        assert text_format(text) == expected, text
