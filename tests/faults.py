"""Faults of one image, and the differences in shape that each of them makes."""

from unit import OTHER_PROJECT, PROJECT, image_of

SIZE = "OS-EXT-IMG-SIZE:size"
RELATIONS = "links.alternate", "links.bookmark", "links.self"


def setting(**fields):
    return lambda image: image.update(fields)


def linking(number, old, new):
    def change(image):
        link = image["links"][number]
        link["href"] = link["href"].replace(old, new)

    return change


def describing(**fields):
    return lambda image: image["metadata"].update(fields)


def found(severity, kind, *paths):
    return [(severity, kind, f"images[*].{path}") for path in paths]


def breaking(kind, *paths):
    return found("breaking", kind, *paths)


def compatible(kind, path):
    return found("compatible", kind, path)


def data(kind, *paths):
    return found("data", kind, *paths)


def moved(relation):
    return breaking("link_changed", f"links.{relation}.href")


END = image_of(5)["id"]  # of every address; the changed image of three is the second
FAULTS = {
    "a missing field": (lambda image: image.pop(SIZE), breaking("presence_changed", SIZE)),
    "a new field": (setting(os_hidden=False), compatible("field_added", "os_hidden")),
    "a number as a string": (setting(**{SIZE: "1005"}), breaking("type_changed", SIZE)),
    "a number with a fraction": (setting(**{SIZE: 1005.0}), breaking("type_changed", SIZE)),
    "true for 1": (setting(minRam=True), breaking("type_changed", "minRam")),
    "null that is not allowed": (setting(status=None), breaking("null_changed", "status")),
    "null that is allowed": (setting(name=None), data("null_changed", "name")),
    "an id that is not a UUID": (
        setting(id="1361"),
        breaking("format_changed", "id")
        + breaking("link_changed", *(f"{each}.href" for each in RELATIONS)),
    ),
    "a date with an offset": (
        setting(updated="2024-01-15T08:05:30+00:00"),
        compatible("format_changed", "updated"),
    ),
    "an invalid date": (
        setting(updated="1972-01-01_15-59-11"),
        breaking("format_changed", "updated"),
    ),
    "an unknown status": (setting(status="active"), breaking("enumeration_changed", "status")),
    "a known status": (
        setting(status="SAVING", progress=50),
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
        setting(links={}),
        breaking("presence_changed", *RELATIONS) + breaking("type_changed", "links"),
    ),
    "a link to another service": (
        linking(2, "https://image", "https://compute"),
        moved("alternate"),
    ),
    "a link to a server": (linking(1, "/images/", "/servers/"), moved("bookmark")),
    "a link to another project": (linking(1, PROJECT, OTHER_PROJECT), moved("bookmark")),
    "a link to something below the image": (linking(2, END, f"{END}/members"), moved("alternate")),
    "a link to an id that begins with the image's": (linking(0, END, f"{END}1"), moved("self")),
    "a link to another version": (linking(0, "/v2/", "/v3/"), moved("self")),
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
        setting(**{"OS-DCF:diskConfig": 1}),
        breaking("field_added", "OS-DCF:diskConfig"),
    ),
    "a number in the metadata": (
        describing(architecture=64),
        breaking("type_changed", "metadata.*"),
    ),
    "a new key in the metadata": (
        describing(hw_rng_model="virtio"),
        data("enumeration_changed", "metadata"),
    ),
    "metadata of another type": (setting(metadata=[]), breaking("type_changed", "metadata")),
}
