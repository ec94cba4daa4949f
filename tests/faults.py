"""Faults of one image, and the differences in shape that each of them makes."""

from unit import OTHER_PROJECT, PROJECT, image_of

SIZE = "OS-EXT-IMG-SIZE:size"


def href_of(image, number):
    return image["links"][number]["href"]


def put(image, number, href):
    image["links"][number]["href"] = href


def breaking(kind, *paths):
    return [("breaking", kind, f"images[*].{path}") for path in paths]


def compatible(kind, path):
    return [("compatible", kind, f"images[*].{path}")]


def data(kind, *paths):
    return [("data", kind, f"images[*].{path}") for path in paths]


RELATIONS = "links.alternate", "links.bookmark", "links.self"

FAULTS = {
    "a missing field": (lambda image: image.pop(SIZE), breaking("presence_changed", SIZE)),
    "a new field": (
        lambda image: image.update(os_hidden=False),
        compatible("field_added", "os_hidden"),
    ),
    "a number as a string": (
        lambda image: image.update({SIZE: "1005"}),
        breaking("type_changed", SIZE),
    ),
    "a number with a fraction": (
        lambda image: image.update({SIZE: 1005.0}),
        breaking("type_changed", SIZE),
    ),
    "true for 1": (lambda image: image.update(minRam=True), breaking("type_changed", "minRam")),
    "null that is not allowed": (
        lambda image: image.update(status=None),
        breaking("null_changed", "status"),
    ),
    "null that is allowed": (lambda image: image.update(name=None), data("null_changed", "name")),
    "an id that is not a UUID": (
        lambda image: image.update(id="1361"),
        breaking("format_changed", "id")
        + breaking("link_changed", *(f"{each}.href" for each in RELATIONS)),
    ),
    "a date with an offset": (
        lambda image: image.update(updated="2024-01-15T08:05:30+00:00"),
        compatible("format_changed", "updated"),
    ),
    "an invalid date": (
        lambda image: image.update(updated="1972-01-01_15-59-11"),
        breaking("format_changed", "updated"),
    ),
    "an unknown status": (
        lambda image: image.update(status="active"),
        breaking("enumeration_changed", "status"),
    ),
    "a known status": (
        lambda image: image.update(status="SAVING", progress=50),
        data("enumeration_changed", "progress", "status"),
    ),
    "a missing link": (
        lambda image: image["links"].pop(),
        breaking("presence_changed", "links.alternate"),
    ),
    "a link without a relation": (
        lambda image: image["links"][0].pop("rel"),
        breaking("presence_changed", "links.self")
        + compatible("field_added", "links['without rel']"),
    ),
    "links of another type": (
        lambda image: image.update(links={}),
        breaking("presence_changed", *RELATIONS) + breaking("type_changed", "links"),
    ),
    "a link to another service": (
        lambda image: put(image, 2, f"https://compute.b.invalid/v2/images/{image['id']}"),
        breaking("link_changed", "links.alternate.href"),
    ),
    "a link to a server": (
        lambda image: put(image, 1, f"https://compute.b.invalid/servers/{image['id']}"),
        breaking("link_changed", "links.bookmark.href"),
    ),
    "a link to another project": (
        lambda image: put(image, 1, href_of(image, 1).replace(PROJECT, OTHER_PROJECT)),
        breaking("link_changed", "links.bookmark.href"),
    ),
    "a link to something below the image": (
        lambda image: put(image, 2, href_of(image, 2) + "/members"),
        breaking("link_changed", "links.alternate.href"),
    ),
    "a link to an id that begins with the image's": (
        lambda image: put(image, 0, href_of(image, 0) + "1"),
        breaking("link_changed", "links.self.href"),
    ),
    "a link to another version": (
        lambda image: put(image, 0, href_of(image, 0).replace("/v2/", "/v3/")),
        breaking("link_changed", "links.self.href"),
    ),
    "a link with another media type": (
        lambda image: image["links"][2].update(type="text/plain"),
        compatible("enumeration_changed", "links.alternate.type"),
    ),
    "a repeated relation": (
        lambda image: image["links"].append(dict(image["links"][1])),
        breaking("type_changed", "links.bookmark"),
    ),
    "a repeated id": (
        lambda image: image.update(id=image_of(4)["id"], links=image_of(4, cloud="b")["links"]),
        breaking("image_repeated", "id"),
    ),
    "a new field of the wrong type": (
        lambda image: image.update({"OS-DCF:diskConfig": 1}),
        breaking("field_added", "OS-DCF:diskConfig"),
    ),
    "a number in the metadata": (
        lambda image: image["metadata"].update(architecture=64),
        breaking("type_changed", "metadata.*"),
    ),
    "a new key in the metadata": (
        lambda image: image["metadata"].update(hw_rng_model="virtio"),
        data("enumeration_changed", "metadata"),
    ),
    "metadata of another type": (
        lambda image: image.update(metadata=[]),
        breaking("type_changed", "metadata"),
    ),
}
