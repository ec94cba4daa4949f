"""A simulated cloud with one fault, and the faults that each check must find.

A fault is a function of a request and of the clean cloud; it returns the response. docs/check.md
lists the faults of each check by name.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pytest_imagedetail.check.asking import Cloud, Target
from pytest_imagedetail.model import Headers, Response
from tests.cloud import SimulatedCloud, default_rows
from tests.cloud.wsgi import FaultError, Request, as_json

ORIGIN, GLANCE = "http://nova.test", "http://nova.test:9292"


def more_rows():
    """Return the simulator's images, and more, so that no check is vacuous."""
    rows = default_rows()
    plain = next(row for row in rows if row.name == "dup")
    names = [("Dup", "active"), ("saving", "saving"), ("four", "active"), ("five", "active")]
    return rows + [
        replace(
            plain,
            id=f"0f0f0f0f-00{number:02}-4000-8000-0000000000{number:02}",
            name=name,
            status=status,
            created_at=datetime(2022, 1, number, tzinfo=UTC),
            updated_at=datetime(2022, 2, 1, 0, 0, number, tzinfo=UTC),
        )
        for number, (name, status) in enumerate(names, 1)
    ]


def cloud_of(rows, fault=None, *, release="2026.2", glance=True):
    """Return a cloud in this process for the checks, with or without Glance in its catalog."""
    simulated = SimulatedCloud(release, rows=rows)
    compute, project = simulated.compute, simulated.project_id

    def clean(request):
        if request.origin == GLANCE:
            return of_glance(compute.rows, request)
        return compute.respond(request)

    def send(interaction):
        url = urlsplit(interaction.url)
        headers = {name.lower(): text for name, text in interaction.request_headers.fields}
        request = Request(
            method="GET",
            path=url.path,
            query=url.query,
            origin=f"{url.scheme}://{url.netloc}",
            headers={**headers, "x-auth-token": simulated.account.token, "host": url.netloc},
            body=b"",
        )
        answer = fault(request, clean) if fault else clean(request)
        headers = Headers(answer.headers)
        response = Response(status_code=answer.status, headers=headers, body=answer.body)
        return replace(interaction, response=response)

    target = Target(
        name="simulated",
        endpoint=ORIGIN + simulated.release.endpoint(project),
        project=project,
        release=release,
        glance=GLANCE if glance else None,
    )
    return Cloud(target, send, budget=1000)


def of_glance(rows, request):
    found = [each for each in rows if request.path == f"/v2/images/{each.id}"]
    if not found:
        return FaultError(404).response
    row = found[0]
    dates = {key: f"{getattr(row, key):%Y-%m-%dT%H:%M:%SZ}" for key in ("created_at", "updated_at")}
    fields = ("id", "name", "status", "min_ram", "min_disk", "size")
    return as_json(200, {key: getattr(row, key) for key in fields} | dates)


# Which requests a fault affects.


def asks(request, *names):
    return of_details(request) and set(names) <= dict(pairs(request)).keys()


def on(*names):
    return lambda request: asks(request, *names)


def of_details(request):
    return request.path.endswith("/images/detail")


def of_brief(request):
    return request.path.endswith("/images")


def of_single(request):
    return "/images/" in request.path and not of_details(request)


def of_v2(request):
    return request.path.startswith("/v2/")


# How faults are planted.


def pairs(request):
    return parse_qsl(request.query, keep_blank_values=True)


def asking(request, parameters):
    return replace(request, query=urlencode(parameters, quote_via=quote))


def ignoring(*names):
    return lambda request, clean: clean(
        asking(request, [pair for pair in pairs(request) if pair[0] not in names])
    )


def dropping(name, *, beside):
    """Ignore a filter if the request has another one, too."""
    fault = ignoring(name)
    return lambda request, clean: (
        fault(request, clean) if asks(request, name, beside) else clean(request)
    )


def rewriting(name, change):
    """Change the value of a parameter; if `change` returns None, drop it."""

    def fault(request, clean):
        changed = [(key, change(text) if key == name else text) for key, text in pairs(request)]
        return clean(asking(request, [pair for pair in changed if pair[1] is not None]))

    return fault


def changing(when, change):
    def fault(request, clean):
        answer = clean(request)
        if not when(request) or answer.status != 200 or request.origin == GLANCE:
            return answer
        document = json.loads(answer.body)
        if "images" in document:
            path = request.path.split("/images")[0] + "/images/detail"
            whole = replace(request, query="", path=path)
            everything = json.loads(clean(whole).body).get("images", [])
            document["images"] = change(document["images"], everything)
        else:
            document["image"] = change([document["image"]], [])[0]
        return replace(answer, body=json.dumps(document).encode())

    return fault


def linking(change):
    """Change the address of each next link; if it becomes empty, drop the links."""

    def fault(request, clean):
        answer = clean(request)
        document = json.loads(answer.body) if answer.body[:1] == b"{" else {}
        for link in document.get("images_links", ()):
            link["href"] = change(link["href"])
        if document.get("images_links") == [{"rel": "next", "href": ""}]:
            del document["images_links"]
        return replace(answer, body=json.dumps(document).encode())

    return fault


def answering(when, status, body=b"{}"):
    def fault(request, clean):
        answer = clean(request)
        return replace(answer, status=status, body=body) if when(request) else answer

    return fault


def each_image(change, when=lambda _: True):
    """Change each image of a response; `change` returns the new fields of one."""

    def apply(images, _):
        changed = [image | change(image) for image in images]
        return [{key: v for key, v in each.items() if v != GONE} for each in changed]

    return changing(when, apply)


GONE = "<gone>"
SIZE = "OS-EXT-IMG-SIZE:size"


# How the images of a response change: functions of them and of all images of the cloud.


def first_with(**fields):
    return lambda images, _: [images[0] | fields, *images[1:]]


def first_lost(images, _):
    return images[1:]


def reversed_(images, _):
    return images[::-1]


def nothing(*_):
    return []


def without(images, everything):
    return [each for each in everything if each not in images]


def shifted(seconds):
    def change(text):
        moment = datetime.fromisoformat(text) + timedelta(seconds=seconds)
        return moment.isoformat().replace("+00:00", "Z")

    return change


def overlapping(images, everything):
    ids = [each["id"] for each in everything]
    place = ids.index(images[0]["id"]) if images else 0
    return [everything[place - 1], *images[:-1]] if place else images


def again(change, then=None):
    """Change the listing of all images from the second time on; `then` is a further fault."""
    times = count(1)

    def fault(request, clean):
        answer = then(request, clean) if then else clean(request)
        is_listing = request.path.endswith("/v2.1/images/detail") and not request.query
        has_more_headers = len(request.headers) > 3  # a request of another kind
        if not is_listing or has_more_headers or next(times) == 1:
            return answer
        document = {"images": change(json.loads(answer.body)["images"], [])}
        return replace(answer, body=json.dumps(document).encode())

    return fault


FOREIGN = {"id": "f0f0f0f0-0000-4000-8000-000000000001", "name": "foreign", "status": "ACTIVE"}


def names_folded(images, everything):
    names = {str(each["name"]).casefold() for each in images}
    return [each for each in everything if str(each["name"]).casefold() in names]


def status_as_shown(images, everything):
    statuses = {each["status"] for each in images}
    return [each for each in everything if each["status"] in statuses]


def half_of_types(request):
    """ALL finds all images, SERVER the snapshots, and BASE nothing."""

    def change(_, everything):
        kind = dict(pairs(request))["type"]
        snapshots = [each for each in everything if "server" in each]
        return {"ALL": everything, "SERVER": snapshots}.get(kind, [])

    return change


# What is planted: fault, by check and name.
FAULTS = {
    ("M1", "a single image has a different minRam"): changing(of_single, first_with(minRam=7)),
    ("M1", "a single image is not found"): answering(of_single, 404),
    ("M2", "the brief listing has a different order"): changing(of_brief, reversed_),
    ("M2", "the brief listing lacks an image"): changing(of_brief, first_lost),
    ("M3", "the brief listing has a different name"): changing(of_brief, first_with(name="other")),
    ("M3", "the brief listing has no links"): each_image(lambda _: {"links": GONE}, of_brief),
    ("M4", "name is ignored"): ignoring("name"),
    ("M4", "name is inverted"): changing(on("name"), without),
    ("M4", "name ignores case"): changing(on("name"), names_folded),
    ("M4", "name matches a prefix"): rewriting("name", lambda text: text[:3]),
    ("M5", "status is ignored"): ignoring("status"),
    ("M5", "status is inverted"): changing(on("status"), without),
    ("M5", "status is case-sensitive"): changing(
        lambda request: asks(request, "status") and "ACTIVE" not in request.query, nothing
    ),
    ("M5", "status adds an unknown image"): changing(
        on("status"), lambda images, _: [*images, FOREIGN]
    ),
    ("M6", "a status selects nothing"): rewriting(
        "status", lambda text: "no" if text == "deactivated" else text
    ),
    ("M6", "a status also selects images of another status"): changing(
        on("status"), status_as_shown
    ),
    ("M7", "server does not accept a URL"): changing(
        lambda request: asks(request, "server") and "%2F" in request.query, nothing
    ),
    ("M7", "server is ignored"): ignoring("server"),
    ("M8", "type is ignored"): ignoring("type"),
    ("M8", "type is inverted"): changing(on("type"), without),
    ("M8", "type is answered 500"): answering(on("type"), 500),
    ("M9", "the documented types exist, but BASE selects nothing"): lambda request, clean: changing(
        on("type"), half_of_types(request)
    )(request, clean),
    ("M10", "changes-since starts a second late"): rewriting("changes-since", shifted(2)),
    ("M10", "changes-since starts a second early"): rewriting("changes-since", shifted(-1)),
    ("M10", "changes-since is ignored"): ignoring("changes-since"),
    ("M11", "changes-since ignores the time zone"): rewriting(
        "changes-since", lambda text: text[:19] + "Z"
    ),
    ("M12", "pages overlap"): changing(on("limit", "marker"), overlapping),
    ("M12", "a gap between pages"): changing(on("limit", "marker"), first_lost),
    ("M12", "a page lists an image twice"): changing(
        on("limit"), lambda images, _: [*images[:1], *images[:-1]]
    ),
    ("M12", "limit is ignored"): ignoring("limit"),
    ("M12", "there is no next link"): linking(lambda _: ""),
    ("M13", "limit=0 lists nothing"): answering(
        lambda request: request.query == "limit=0", 200, b'{"images": []}'
    ),
    ("M13", "an unknown marker is ignored"): rewriting(
        "marker", lambda text: None if text == "nope" else text
    ),
    ("M13", "a bad limit is answered 500"): answering(
        lambda request: request.query == "limit=-1", 500
    ),
    ("M14", "the next link leads to the brief listing"): linking(
        lambda href: href.replace("/images/detail", "/images")
    ),
    ("M14", "the next link drops a filter"): linking(
        lambda href: href.replace("&status=ACTIVE", "")
    ),
    ("M14", "the next link has no marker"): linking(lambda href: href.replace("marker=", "m=")),
    ("M15", "name is ignored beside status"): dropping("name", beside="status"),
    ("M15", "status is ignored beside name"): dropping("status", beside="name"),
    ("M15", "server is ignored beside type"): dropping("server", beside="type"),
    ("M16", "an unknown parameter selects nothing"): changing(on("foo"), nothing),
    ("M16", "an unknown parameter is refused"): answering(on("foo"), 400),
    ("M17", "minRam is ignored"): ignoring("minRam"),
    ("M17", "minDisk is a maximum"): changing(on("minDisk"), without),
    ("M18", "properties are ignored"): lambda request, clean: (
        clean(replace(request, query="")) if "property-" in request.query else clean(request)
    ),
    ("M19", "/v2 hides an image"): changing(of_v2, first_lost),
    ("M19", "/v2 has sizes of another type"): each_image(
        lambda image: {SIZE: str(image[SIZE])}, of_v2
    ),
    ("M20", "XML hides an image"): changing(
        lambda request: "xml" in request.headers["accept"], first_lost
    ),
    ("M21", "microversion 2.36 is not refused"): lambda request, clean: clean(
        replace(request, headers={"x-auth-token": request.headers["x-auth-token"]})
    ),
    ("M22", "another project's URL is not refused"): lambda request, clean: clean(
        replace(request, path=request.path.replace(f"/{'f' * 32}", ""))
    ),
    ("M23", "the order changes"): again(reversed_),
    ("M23", "a field changes"): again(first_with(minDisk=77)),
    ("M24", "a field is missing"): each_image(lambda _: {SIZE: GONE}),
    ("M24", "a number is a string"): each_image(
        lambda image: {SIZE: str(image[SIZE])} if SIZE in image else {}
    ),
    ("M24", "a number has a fraction"): each_image(
        lambda image: {"minRam": float(image.get("minRam", 0))}
    ),
    ("M24", "the oldest image comes first"): changing(of_details, reversed_),
    ("M24", "every page is the first page"): lambda request, clean: (
        clean(replace(request, query="limit=4"))
        if request.query.partition("=")[0] in {"", "marker"}
        else clean(request)
    ),
    ("M24", "an image is listed twice"): changing(
        of_details, lambda images, _: [*images, *images[-1:]]
    ),
    ("M24", "progress does not fit the status"): each_image(lambda _: {"progress": 99}),
    ("M24", "status is as in Glance"): each_image(
        lambda image: {"status": str(image.get("status")).lower()}
    ),
    ("M24", "the server is not the one in the properties"): each_image(
        lambda image: {"server": {"id": "other", "links": []}} if "server" in image else {}
    ),
    ("M24", "links lead to another image"): each_image(
        lambda _: {"links": [{"rel": "self", "href": f"{ORIGIN}/v2.1/images/other"}]}
    ),
    ("M24", "an image was updated before it was created"): each_image(
        lambda _: {"updated": "2001-01-01T00:00:00Z"}
    ),
    ("M24", "OS-DCF:diskConfig is there without its property"): each_image(
        lambda _: {"OS-DCF:diskConfig": "AUTO"}
    ),
    ("M25", "Glance has a different name"): lambda request, clean: (
        replace(clean(request), body=clean(request).body.replace(b'"name": "', b'"name": "x'))
        if request.origin == GLANCE
        else clean(request)
    ),
    ("M26", "a compressed answer lacks an image"): changing(
        lambda request: request.headers.get("accept-encoding") == "gzip",
        first_lost,
    ),
    ("M27", "self links lead nowhere"): each_image(
        lambda image: {"links": [{"rel": "self", "href": f"{ORIGIN}/v9/images/{image['id']}"}]},
        of_details,
    ),
    ("S1", "a property has a slash in its name"): each_image(lambda _: {"metadata": {"a/b": "1"}}),
    ("S1", "a snapshot's server id is not a UUID"): each_image(
        lambda image: {"server": image["server"] | {"id": "web"}} if "server" in image else {}
    ),
    ("S2", "a size is a string"): each_image(lambda _: {SIZE: "1"}),
    ("S3", "an image's mappings are not JSON"): lambda request, clean: (
        as_json(200, {"images": [{"id": "1", "name": "a", "mappings": "vda"}]})
        if request.path == "/v2/images"
        else clean(request)
    ),
}


# Responses that no release sends. A check may give any verdict, but must not crash.
MALFORMED = {
    "an id is a number": each_image(lambda _: {"id": 5}),
    "links are an object": each_image(lambda _: {"links": {}}),
    "links are strings": each_image(lambda _: {"links": ["x"]}),
    "links are not URLs": each_image(lambda _: {"links": [{"rel": "self", "href": "http://["}]}),
    "metadata is null": each_image(lambda _: {"metadata": None}),
    "links have a lone surrogate": each_image(
        lambda _: {"links": [{"rel": "self", "href": "\ud800"}]}
    ),
    "a server is a string": each_image(lambda _: {"server": "x"}),
    "a server's id is a list": each_image(lambda _: {"server": {"id": [1]}}),
    "a status is a list": each_image(lambda _: {"status": [], "progress": []}),
    "a name is a number": each_image(lambda _: {"name": 5}),
    "a name is a list": each_image(lambda _: {"name": [1], "metadata": {"a/b": "x"}}),
    "fields are missing": each_image(lambda _: dict.fromkeys(("links", "name", "status"), GONE)),
    "dates are not valid": each_image(
        lambda _: {"created": None, "updated": "1972-01-01_15-59-11"}
    ),
    "numbers are strings": each_image(lambda _: {"minRam": "64", "minDisk": None}),
    **{
        f"filters are answered with {body!r}": lambda request, clean, body=body: (
            replace(clean(request), body=body) if request.query else clean(request)
        )
        for body in (b"<html>oops</html>", b"\xff\xfe", b"[]")
    },
    "next links are not URLs": linking(lambda _: "http://["),
    "next links lead to the same page": linking(lambda href: href.replace("marker=", "x=")),
}
