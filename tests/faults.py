"""Faults of one image, and the differences of shape that each of them makes."""

from unit import OTHER_PROJECT, PROJECT, image_of

SIZE = "OS-EXT-IMG-SIZE:size"


def href_of(image, number):
    """Return the address of a link of the image."""
    return image["links"][number]["href"]


def put(image, number, href):
    """Change the address of a link of the image."""
    image["links"][number]["href"] = href


FAULTS = {
    "a field lost": (
        lambda image: image.pop(SIZE),
        [("breaking", "presence_changed", f"images[*].{SIZE}")],
    ),
    "a field more": (
        lambda image: image.update(os_hidden=False),
        [("compatible", "field_added", "images[*].os_hidden")],
    ),
    "a number as text": (
        lambda image: image.update({SIZE: "1005"}),
        [("breaking", "type_changed", f"images[*].{SIZE}")],
    ),
    "a number with a fraction": (
        lambda image: image.update({SIZE: 1005.0}),
        [("breaking", "type_changed", f"images[*].{SIZE}")],
    ),
    "true for 1": (
        lambda image: image.update(minRam=True),
        [("breaking", "type_changed", "images[*].minRam")],
    ),
    "null where none may be": (
        lambda image: image.update(status=None),
        [("breaking", "null_changed", "images[*].status")],
    ),
    "null where it may be": (
        lambda image: image.update(name=None),
        [("data", "null_changed", "images[*].name")],
    ),
    "an id that is no UUID": (
        lambda image: image.update(id="1361"),
        [
            ("breaking", "format_changed", "images[*].id"),
            ("breaking", "link_changed", "images[*].links.alternate.href"),
            ("breaking", "link_changed", "images[*].links.bookmark.href"),
            ("breaking", "link_changed", "images[*].links.self.href"),
        ],
    ),
    "a date with an offset": (
        lambda image: image.update(updated="2024-01-15T08:05:30+00:00"),
        [("compatible", "format_changed", "images[*].updated")],
    ),
    "no date": (
        lambda image: image.update(updated="1972-01-01_15-59-11"),
        [("breaking", "format_changed", "images[*].updated")],
    ),
    "an unknown status": (
        lambda image: image.update(status="active"),
        [("breaking", "enumeration_changed", "images[*].status")],
    ),
    "a known status": (
        lambda image: image.update(status="SAVING", progress=50),
        [
            ("data", "enumeration_changed", "images[*].progress"),
            ("data", "enumeration_changed", "images[*].status"),
        ],
    ),
    "a link lost": (
        lambda image: image["links"].pop(),
        [("breaking", "presence_changed", "images[*].links.alternate")],
    ),
    "a link without its relation": (
        lambda image: image["links"][0].pop("rel"),
        [
            ("breaking", "presence_changed", "images[*].links.self"),
            ("compatible", "field_added", "images[*].links['without rel']"),
        ],
    ),
    "links of another type": (
        lambda image: image.update(links={}),
        [
            ("breaking", "presence_changed", "images[*].links.alternate"),
            ("breaking", "presence_changed", "images[*].links.bookmark"),
            ("breaking", "presence_changed", "images[*].links.self"),
            ("breaking", "type_changed", "images[*].links"),
        ],
    ),
    "a link to the other service": (
        lambda image: put(image, 2, f"https://compute.b.invalid/v2/images/{image['id']}"),
        [("breaking", "link_changed", "images[*].links.alternate.href")],
    ),
    "a link to a server": (
        lambda image: put(image, 1, f"https://compute.b.invalid/servers/{image['id']}"),
        [("breaking", "link_changed", "images[*].links.bookmark.href")],
    ),
    "a link with another project": (
        lambda image: put(image, 1, href_of(image, 1).replace(PROJECT, OTHER_PROJECT)),
        [("breaking", "link_changed", "images[*].links.bookmark.href")],
    ),
    "a link to something below the image": (
        lambda image: put(image, 2, href_of(image, 2) + "/members"),
        [("breaking", "link_changed", "images[*].links.alternate.href")],
    ),
    "a link of an id that holds the own": (
        lambda image: put(image, 0, href_of(image, 0) + "1"),
        [("breaking", "link_changed", "images[*].links.self.href")],
    ),
    "a link of another version": (
        lambda image: put(image, 0, href_of(image, 0).replace("/v2/", "/v3/")),
        [("breaking", "link_changed", "images[*].links.self.href")],
    ),
    "another media type of a link": (
        lambda image: image["links"][2].update(type="text/plain"),
        [("compatible", "enumeration_changed", "images[*].links.alternate.type")],
    ),
    "a relation that stands twice": (
        lambda image: image["links"].append(dict(image["links"][1])),
        [("breaking", "type_changed", "images[*].links.bookmark")],
    ),
    "an id that stands twice": (
        lambda image: image.update(id=image_of(4)["id"], links=image_of(4, cloud="b")["links"]),
        [("breaking", "image_repeated", "images[*].id")],
    ),
    "a known field with a wrong type": (
        lambda image: image.update({"OS-DCF:diskConfig": 1}),
        [("breaking", "field_added", "images[*].OS-DCF:diskConfig")],
    ),
    "a number in the metadata": (
        lambda image: image["metadata"].update(architecture=64),
        [("breaking", "type_changed", "images[*].metadata.*")],
    ),
    "a key in the metadata": (
        lambda image: image["metadata"].update(hw_rng_model="virtio"),
        [("data", "enumeration_changed", "images[*].metadata")],
    ),
    "metadata of another type": (
        lambda image: image.update(metadata=[]),
        [("breaking", "type_changed", "images[*].metadata")],
    ),
}
