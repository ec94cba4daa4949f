"""A simulated cloud with one fault planted in it, and the faults that each check must see.

A fault is a function of a request and of the clean cloud; it returns the answer. Each stands under
the check that docs/check.md names for it.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pytest_imagedetail.check.asking import Cloud, Target
from pytest_imagedetail.model import Headers, Response
from tests.cloud import DEFAULT_SEED, SimulatedCloud
from tests.cloud.wsgi import FaultError, Request, as_json

ORIGIN, GLANCE = "http://nova.test", "http://glance.test"


def seed(folder):
    """The images of the simulator, and those without which a check would be vacuous."""
    rows = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    plain = {**rows[3], "properties": {}}
    rows += [
        {
            **plain,
            "id": f"0f0f0f0f-00{number:02}-4000-8000-0000000000{number:02}",
            "name": name,
            "status": status,
            "created_at": f"2022-01-{number:02}T00:00:00Z",
            "updated_at": f"2022-02-01T00:00:{number:02}Z",
        }
        for number, (name, status) in enumerate(
            [("Dup", "active"), ("saving", "saving"), ("four", "active"), ("five", "active")], 1
        )
    ]
    path = folder / "seed.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def cloud_of(seed, fault=None, *, release="2026.2", glance=True):
    """A cloud for the checks, in this process; `glance` says whether the catalog has one."""
    simulated = SimulatedCloud(release, seed=seed)
    compute, project = simulated.application.compute, simulated.project_id

    def clean(request):
        if request.origin == GLANCE:
            return of_glance(compute.rows, request)
        return compute.respond(request)

    asked = []

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
        asked.append(request)
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
        return FaultError(404, "").response
    row = found[0]
    dates = {key: f"{getattr(row, key):%Y-%m-%dT%H:%M:%SZ}" for key in ("created_at", "updated_at")}
    fields = ("id", "name", "status", "min_ram", "min_disk", "size")
    return as_json(200, {key: getattr(row, key) for key in fields} | dates)


# How faults are planted.


def asks(request, *names):
    """Whether a request for images/detail has all of these parameters."""
    return request.path.endswith("/images/detail") and set(names) <= dict(pairs(request)).keys()


def pairs(request):
    return parse_qsl(request.query, keep_blank_values=True)


def ignoring(*names):
    def fault(request, clean):
        kept = [pair for pair in pairs(request) if pair[0] not in names]
        return clean(replace(request, query=urlencode(kept, quote_via=quote)))

    return fault


def dropping(name, *, beside):
    """The cloud ignores a filter if it is asked for another one, too."""
    fault = ignoring(name)
    return lambda request, clean: (
        fault(request, clean) if asks(request, name, beside) else clean(request)
    )


def rewriting(name, change):
    """The cloud takes a parameter for another value; `change` gives it, or None to drop it."""

    def fault(request, clean):
        changed = [(key, change(text) if key == name else text) for key, text in pairs(request)]
        kept = [pair for pair in changed if pair[1] is not None]
        return clean(replace(request, query=urlencode(kept, quote_via=quote)))

    return fault


def changing(when, change):
    """The cloud changes the images of the answers to some requests; `change` gives the new list."""

    def fault(request, clean):
        answer = clean(request)
        if not when(request) or answer.status != 200 or request.origin == GLANCE:
            return answer
        document = json.loads(answer.body)
        if "images" in document:
            whole = replace(
                request, query="", path=request.path.split("/images")[0] + "/images/detail"
            )
            everything = json.loads(clean(whole).body).get("images", [])
            document["images"] = change(document["images"], everything)
        else:
            document["image"] = change([document["image"]], [])[0]
        return replace(answer, body=json.dumps(document).encode())

    return fault


def linking(change):
    def fault(request, clean):
        answer = clean(request)
        document = json.loads(answer.body) if answer.body[:1] == b"{" else {}
        for link in document.get("images_links", ()):
            link["href"] = change(link["href"])
        document = {
            key: value for key, value in document.items() if value != [{"rel": "next", "href": ""}]
        }
        return replace(answer, body=json.dumps(document).encode())

    return fault


def answering(when, status, document):
    def fault(request, clean):
        answer = clean(request)
        body = json.dumps(document).encode()
        return replace(answer, status=status, body=body) if when(request) else answer

    return fault


def each_image(change):
    """Every answer shows images changed; `change` gives the new fields of one."""

    def apply(images, _):
        return [
            {key: value for key, value in (image | change(image)).items() if value != GONE}
            for image in images
        ]

    return changing(lambda request: "/images" in request.path, apply)


GONE = "<gone>"
SIZE = "OS-EXT-IMG-SIZE:size"


def on(*names):
    return lambda request: asks(request, *names)


def path_ends(text):
    return lambda request: request.path.endswith(text)


def is_single(request):
    return "/images/" in request.path and not request.path.endswith("/detail")


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


class Again:
    """The cloud changes its answer to the listing of all images from the second time on."""

    def __init__(self, change, then=None):
        self._change, self._then, self._asked = change, then, 0

    def __call__(self, request, clean):
        answer = self._then(request, clean) if self._then else clean(request)
        if (
            request.query
            or not request.path.endswith("/v2.1/images/detail")
            or len(request.headers) > 3
        ):
            return answer
        self._asked += 1
        if self._asked == 1:
            return answer
        document = json.loads(answer.body)
        return replace(
            answer, body=json.dumps({"images": self._change(document["images"])}).encode()
        )


FOREIGN = {"id": "f0f0f0f0-0000-4000-8000-000000000001", "name": "foreign", "status": "ACTIVE"}


def names_folded(images, everything):
    names = {str(each["name"]).casefold() for each in images}
    return [each for each in everything if str(each["name"]).casefold() in names]


def half_of_types(request):
    """ALL finds all images, SERVER the snapshots, and BASE nothing."""

    def change(_, everything):
        kind = dict(pairs(request))["type"]
        snapshots = [each for each in everything if "server" in each]
        return {"ALL": everything, "SERVER": snapshots}.get(kind, [])

    return change


# What is planted: fault, by check and name.
FAULTS = {
    ("M1", "an image alone has another minRam"): changing(
        is_single, lambda images, _: [{**images[0], "minRam": 7}]
    ),
    ("M1", "an image alone is not found"): answering(is_single, 404, {"itemNotFound": {}}),
    ("M2", "the brief listing is in another order"): changing(
        path_ends("/images"), lambda images, _: images[::-1]
    ),
    ("M2", "the brief listing lacks an image"): changing(
        path_ends("/images"), lambda images, _: images[1:]
    ),
    ("M3", "the brief listing has another name"): changing(
        path_ends("/images"), lambda images, _: [{**images[0], "name": "other"}, *images[1:]]
    ),
    ("M3", "the brief listing lacks the links"): changing(
        path_ends("/images"),
        lambda images, _: [{k: each[k] for k in ("id", "name")} for each in images],
    ),
    ("M4", "name is ignored"): ignoring("name"),
    ("M4", "name is inverted"): changing(on("name"), without),
    ("M4", "name selects without case"): changing(on("name"), names_folded),
    ("M4", "name selects a beginning"): rewriting("name", lambda text: text[:3]),
    ("M5", "status is ignored"): ignoring("status"),
    ("M5", "status is inverted"): changing(on("status"), without),
    ("M5", "status is compared with case"): changing(
        lambda request: asks(request, "status") and "ACTIVE" not in request.query, nothing
    ),
    ("M5", "a foreign image leaks"): changing(on("status"), lambda images, _: [*images, FOREIGN]),
    ("M6", "a status finds nothing"): rewriting(
        "status", lambda text: "no" if text == "deactivated" else text
    ),
    ("M6", "a status finds another one's images, too"): rewriting(
        "status", lambda text: "in:queued,saving" if text == "queued" else text
    ),
    ("M7", "server takes no URL"): changing(
        lambda request: asks(request, "server") and "%2F" in request.query, nothing
    ),
    ("M7", "server is ignored"): ignoring("server"),
    ("M8", "type is ignored"): ignoring("type"),
    ("M8", "type is inverted"): changing(on("type"), without),
    ("M8", "type is a server error"): answering(on("type"), 500, {"computeFault": {}}),
    ("M9", "the documented types are there, but BASE finds nothing"): lambda request, clean: (
        changing(on("type"), half_of_types(request))(request, clean)
    ),
    ("M10", "changes-since begins a second late"): rewriting("changes-since", shifted(2)),
    ("M10", "changes-since begins a second early"): rewriting("changes-since", shifted(-1)),
    ("M10", "changes-since is ignored"): ignoring("changes-since"),
    ("M11", "changes-since ignores the zone"): rewriting(
        "changes-since", lambda text: text[:19] + "Z"
    ),
    ("M12", "pages overlap"): changing(on("limit", "marker"), overlapping),
    ("M12", "a gap between pages"): changing(on("limit", "marker"), lambda images, _: images[1:]),
    ("M12", "a page has an image twice"): changing(
        on("limit"), lambda images, _: [*images[:1], *images[:-1]]
    ),
    ("M12", "limit is ignored"): ignoring("limit"),
    ("M12", "there is no next link"): linking(lambda _: ""),
    ("M13", "limit=0 lists nothing"): answering(
        lambda request: request.query == "limit=0", 200, {"images": []}
    ),
    ("M13", "an unknown marker is ignored"): rewriting(
        "marker", lambda text: None if text == "nope" else text
    ),
    ("M13", "a bad limit is a server error"): answering(
        lambda request: request.query == "limit=-1", 500, {"computeFault": {}}
    ),
    ("M14", "the next link leads to the brief listing"): linking(
        lambda href: href.replace("/images/detail", "/images")
    ),
    ("M14", "the next link drops a filter"): linking(
        lambda href: href.replace("&status=ACTIVE", "")
    ),
    ("M14", "the next link has no marker"): linking(lambda href: href.replace("marker=", "m=")),
    ("M15", "of two filters one counts"): dropping("name", beside="status"),
    ("M15", "the other one counts"): dropping("status", beside="name"),
    ("M15", "of three filters two count"): dropping("server", beside="type"),
    ("M16", "an unknown parameter selects nothing"): changing(on("foo"), nothing),
    ("M16", "an unknown parameter is refused"): answering(on("foo"), 400, {"badRequest": {}}),
    ("M17", "minRam is ignored"): ignoring("minRam"),
    ("M17", "minDisk is a maximum"): changing(on("minDisk"), without),
    ("M18", "properties are ignored"): lambda request, clean: (
        clean(replace(request, query="")) if "property-" in request.query else clean(request)
    ),
    ("M19", "/v2 hides an image"): changing(
        lambda request: request.path.startswith("/v2/"), lambda images, _: images[1:]
    ),
    ("M19", "/v2 shows another type of size"): changing(
        lambda request: request.path.startswith("/v2/"),
        lambda images, _: [{**each, SIZE: str(each[SIZE])} for each in images],
    ),
    ("M20", "XML hides an image"): changing(
        lambda request: "xml" in request.headers["accept"], lambda images, _: images[1:]
    ),
    ("M21", "2.36 is answered"): lambda request, clean: clean(
        replace(
            request,
            headers={
                **request.headers,
                "openstack-api-version": "",
                "x-openstack-nova-api-version": "",
            },
        )
    ),
    ("M22", "another project's URL is answered"): lambda request, clean: clean(
        replace(request, path=request.path.replace(f"/{'f' * 32}", ""))
    ),
    ("M23", "the order is another each time"): Again(lambda images: images[::-1]),
    ("M23", "a field is another each time"): Again(
        lambda images: [{**images[0], "minDisk": 77}, *images[1:]]
    ),
    ("M24", "a field is lost"): each_image(lambda _: {SIZE: GONE}),
    ("M24", "a number is sent as text"): each_image(
        lambda image: {SIZE: str(image[SIZE])} if SIZE in image else {}
    ),
    ("M24", "a number has a fraction"): each_image(
        lambda image: {"minRam": float(image.get("minRam", 0))}
    ),
    ("M24", "the oldest image comes first"): changing(
        path_ends("/images/detail"), lambda images, _: images[::-1]
    ),
    ("M24", "each page is the first one"): lambda request, clean: (
        clean(replace(request, query="limit=4"))
        if request.query.partition("=")[0] in {"", "marker"}
        else clean(request)
    ),
    ("M24", "an image is listed twice"): changing(
        path_ends("/images/detail"), lambda images, _: [*images, *images[-1:]]
    ),
    ("M24", "progress does not fit the status"): each_image(lambda _: {"progress": 99}),
    ("M24", "status is Glance's"): each_image(
        lambda image: {"status": str(image.get("status")).lower()}
    ),
    ("M24", "the server is another one"): each_image(
        lambda image: {"server": {"id": "other", "links": []}} if "server" in image else {}
    ),
    ("M24", "links lead to another image"): each_image(
        lambda _: {"links": [{"rel": "self", "href": f"{ORIGIN}/v2.1/images/other"}]}
    ),
    ("M24", "it was updated before it was created"): each_image(
        lambda _: {"updated": "2001-01-01T00:00:00Z"}
    ),
    ("M24", "OS-DCF:diskConfig without its property"): each_image(
        lambda _: {"OS-DCF:diskConfig": "AUTO"}
    ),
    ("M25", "Glance has another name"): lambda request, clean: (
        replace(clean(request), body=clean(request).body.replace(b'"name": "', b'"name": "x'))
        if request.origin == GLANCE
        else clean(request)
    ),
    ("M26", "a compressed answer lacks an image"): changing(
        lambda request: request.headers.get("accept-encoding") == "gzip",
        lambda images, _: images[1:],
    ),
    ("M27", "self links lead nowhere"): changing(
        path_ends("/images/detail"),
        lambda images, _: [
            {**each, "links": [{"rel": "self", "href": f"{ORIGIN}/v9/images/{each['id']}"}]}
            for each in images
        ],
    ),
    ("S1", "a property has a slash in its name"): each_image(lambda _: {"metadata": {"a/b": "1"}}),
    ("S1", "a snapshot is of no server"): each_image(
        lambda image: {"server": image["server"] | {"id": "web"}} if "server" in image else {}
    ),
    ("S2", "a size is a text"): each_image(lambda _: {"OS-EXT-IMG-SIZE:size": "1"}),
    ("S3", "mappings of an image are not JSON"): lambda request, clean: (
        as_json(200, {"images": [{"id": "1", "name": "a", "mappings": "vda"}]})
        if request.path == "/v2/images"
        else clean(request)
    ),
}


# Answers of a form that no release sends; a check may say anything of them, but must not crash.
MALFORMED = {
    "an id is a number": each_image(lambda _: {"id": 5}),
    "links are an object": each_image(lambda _: {"links": {}}),
    "links are texts": each_image(lambda _: {"links": ["x"]}),
    "links are no URLs": each_image(lambda _: {"links": [{"rel": "self", "href": "http://["}]}),
    "metadata is null": each_image(lambda _: {"metadata": None}),
    "links have half a character": each_image(
        lambda _: {"links": [{"rel": "self", "href": "\ud800"}]}
    ),
    "a server is a text": each_image(lambda _: {"server": "x"}),
    "a server's id is a list": each_image(lambda _: {"server": {"id": [1]}}),
    "a status is a list": each_image(lambda _: {"status": []}),
    "a name is a number": each_image(lambda _: {"name": 5}),
    "a name is a list": each_image(lambda _: {"name": [1], "metadata": {"a/b": "x"}}),
    "fields are lost": each_image(lambda _: dict.fromkeys(("links", "name", "status"), GONE)),
    "dates are no dates": each_image(lambda _: {"created": None, "updated": "1972-01-01_15-59-11"}),
    "numbers are texts": each_image(lambda _: {"minRam": "64", "minDisk": None}),
    **{
        f"filters are answered with {body!r}": lambda request, clean, body=body: (
            replace(clean(request), body=body) if request.query else clean(request)
        )
        for body in (b"<html>oops</html>", b"\xff\xfe", b"[]")
    },
    "next links are no URLs": linking(lambda _: "http://["),
    "next links lead to the same page": linking(lambda href: href.replace("marker=", "x=")),
}
