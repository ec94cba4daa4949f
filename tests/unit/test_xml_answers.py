"""Read answers in XML, as clouds sent them through Juno, into the same images as JSON."""

from dataclasses import replace
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import BodyError, DamagedCassetteError
from pytest_imagedetail.listing import read
from pytest_imagedetail.record import recorder
from pytest_imagedetail.settings import PROFILES
from unit import PROJECT, image_of, listing_of, recording_of, snapshot_of

API = "http://docs.openstack.org/compute/api/v1.1"
ATOM = "http://www.w3.org/2005/Atom"
SIZE = "http://docs.openstack.org/compute/ext/image_size/api/v1.1"
XML = [("Accept", "application/xml")]


def attributes(fields):
    """Write scalars as Nova does, as text."""
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in fields.items())


def element(image):
    """Write one image detail as Nova does."""
    below = {"metadata", "links", "server"}
    fields = attributes({name: value for name, value in image.items() if name not in below})
    inside = "".join(f"<atom:link{attributes(each)}/>" for each in image.get("links", []))
    if "metadata" in image:
        items = image["metadata"].items()
        each = (f"<meta key={quoteattr(key)}>{escape(value)}</meta>" for key, value in items)
        inside += f"<metadata>{''.join(each)}</metadata>"
    if "server" in image:
        links = "".join(f"<atom:link{attributes(each)}/>" for each in image["server"]["links"])
        inside += f'<server id="{image["server"]["id"]}">{links}</server>'
    return f"<image{fields}>\n  {inside}\n</image>"


def in_xml(*images, beside=""):
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<images xmlns:atom=\"{ATOM}\" "
        f'xmlns:OS-EXT-IMG-SIZE="{SIZE}" xmlns="{API}">{"".join(map(element, images))}'
        f"{beside}</images>"
    )


def xml_listing(*images, **facts):
    return read(recording_of(in_xml(*images), sent=XML, **facts))


IMAGES = [
    image_of(1, name="a <b> & \"c\" 'd'", metadata={"os": "x & y", "text": "a\nb", "empty": ""}),
    snapshot_of(2),
    image_of(3, metadata={}, progress=25, status="SAVING"),
]


def test_the_same_images():
    """Attributes, metadata, links, server and integers."""
    images = xml_listing(*IMAGES).images
    assert images == IMAGES
    assert [type(images[0][name]) for name in sorted(xmltext.INTEGERS)] == [int] * 4


def test_null_in_metadata():
    """XML writes it as the text `None`."""
    xml, null = (image_of(metadata={"a": value}) for value in ("None", None))
    for profile, is_same in (("same-cloud", False), ("cross-version", True)):
        assert compare(xml_listing(xml), listing_of(null), profile=profile).same is is_same


def test_xml_asked_for_and_json_received():
    """Since Kilo, a cloud answers in JSON, which breaks a client that reads XML."""
    kilo = recording_of({"images": IMAGES})
    (page,) = kilo.interactions
    by_suffix = replace(page, url=f"{page.url}.xml?limit=1")
    by_header = recording_of({"images": IMAGES}, sent=XML)
    for asked in (by_header, replace(kilo, interactions=(by_suffix,))):
        for profile in PROFILES:
            (difference,) = compare(xml_listing(*IMAGES), read(asked), profile=profile).differences
            assert (difference.kind, difference.severity) == ("header_changed", "breaking")
            assert str(difference.candidate).startswith("application/json")


def test_what_the_api_does_not_know_is_kept():
    """Unknown elements, attributes and texts are part of the images."""
    image = (
        '<image id="1" xmlns:v="http://vendor.example.com" v:a="1"><v:tag b="2"><c>3</c></v:tag>'
        "text</image>"
    )
    body = f'<images xmlns="{API}" total="1">{image}<also/></images>'
    assert xmltext.parse(body.encode(), where="x") == {
        "total": "1",
        "also": "",
        "images": [{"id": "1", "v:a": "1", "v:tag": {"b": "2", "c": "3"}, "#text": "text"}],
    }


def test_a_next_link_and_an_error_are_read():
    """A listing that lost a page is damaged. An error has its code and message."""
    href = f"https://compute.a.invalid/v2/{PROJECT}/images?limit=1&marker={IMAGES[0]['id']}"
    link = {"rel": "next", "href": href}
    body = in_xml(*IMAGES, beside=f"<atom:link{attributes(link)}/>")
    recording = recording_of(body, sent=XML)
    with pytest.raises(DamagedCassetteError, match="it links to 2 pages and has 1"):
        recorder.follow(recording)
    assert read(recording).document["images_links"] == [link]
    body = f'<badRequest code="400" xmlns="{API}"><message>Bad &amp; worse</message></badRequest>'
    found = read(recording_of(body, status=400), expect=400)
    assert found.error == {"code": 400, "message": "Bad & worse"}


def test_what_is_not_a_listing_in_xml():
    """Errors are those of JSON. No entity is expanded."""
    doctype = "it declares a document type, which no cloud sends"
    linked = f'<images xmlns:atom="{ATOM}"><image id="1" links="x"><atom:link/></image></images>'
    for body, message in (
        ("<images>", "cannot be read as XML: no element found\n  where: x, line 1, column 9"),
        ("<images>&nbsp;</images>", "the body cannot be read as XML: undefined entity"),
        ('<!DOCTYPE a [<!ENTITY b "ha">]><images><image id="&b;"/></images>', doctype),
        ("<images>" + "<a>" * 100_000 + "</a>" * 100_000 + "</images>", "it is nested too deeply"),
        (linked, "<image> has 'links' twice"),
        ("<images><image name='x'/></images>", "images[0] is not an object with an `id`"),
        (f'<itemNotFound xmlns="{API}" code="404"/>', "XML, but not a listing of images"),
        (b'<images><image id="\xff"/></images>', "the body is not UTF-8: byte 19 is 0xff"),
    ):
        with pytest.raises(BodyError) as caught:
            read(recording_of(body))
        assert message.replace("where: x", "where: cloud a, query all") in str(caught.value)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=12
)


def replaced(body, replace):
    """Replace each text in an XML document."""

    def below(pairs):
        for _, value in pairs:
            yield None
            if isinstance(value, str):
                yield replace(value) if replace(value) != value else None
            else:
                yield from below(value)

    return xmltext.replace_strings(body, below)


@given(st.dictionaries(TEXTS, TEXTS, max_size=3), TEXTS)
def test_any_text_survives(metadata, name):
    """Also when strings are replaced by themselves."""
    image = {"id": "1", "name": name, "metadata": metadata}
    body = in_xml(image)
    assert xmltext.parse(body.encode(), where="x")["images"] == [image]
    assert replaced(body, lambda value: value) == body


def test_redaction_sees_every_place():
    """CDATA, attributes, references, comments and the like. Everything else stays as sent."""
    body = (
        "<?xml version='1.0' encoding='UTF-8'?>\n<!DOCTYPE a [<!ENTITY b 's3cret'>]>"
        "<!-- s3cret --><?pi s3cret?><images a=\"s3cret\"><b c='s3&#99;ret' d=s3cret>"
        "<![CDATA[s3cret]]>&#x73;3cret</b><br>s3cret<d/>s3cret<e>s3cret</e></images>< s3cret"
    )
    plain = body.replace("&#99;", "c").replace("&#x73;", "s")
    for start in ("<!-- ", "<![CDATA["):  # without entities
        plain = plain.replace(f"{start}s3cret", f"{start}<1>")
    without = replaced(body, lambda text: text.replace("s3cret", "<1>"))
    assert without == plain.replace("s3cret", "&lt;1&gt;")
    assert replaced(body, lambda text: text.replace("z", "y")) == body
