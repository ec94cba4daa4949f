"""Define the checks: M1 to M27 request listings that must relate, S1 to S3 forecast errors.

F is the listing of all images. Sources of the known deviations: Nova and Glance at the tags named,
and the shipped recordings.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import contract
from pytest_imagedetail.body.json import objects_in
from pytest_imagedetail.check.asking import PROPERTY, Answer, Cloud, hrefs
from pytest_imagedetail.check.forecast import (
    REFUSED,
    Finding,
    forecast_glance,
    forecast_response,
    shown_of,
)
from pytest_imagedetail.check.relations import (
    Outcome,
    Problem,
    check_filter,
    check_pages,
    check_union,
    compare_ids,
    compare_image,
    compare_images,
    compare_status,
    failure,
    not_a_listing,
    outcome,
)
from pytest_imagedetail.check.samples import (
    Images,
    distinct,
    distinct_images,
    filters_of,
    ids,
    metadata,
    moment_of,
    moments,
    sample,
    selected,
    server_of,
)
from pytest_imagedetail.check.verdicts import Deviation, check
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.model import Image, Query, isotime
from pytest_imagedetail.redact import origin, placeholders
from pytest_imagedetail.text import count

Outcomes = Iterator[Outcome]

_MOST_KEYS: Final = 12
_PAGE: Final = 5
_NO_SUCH: Final = "no-such-value"
_STORED: Final = (  # the values of `status` that partition Glance's images
    *("ACTIVE", "SAVING", "queued", "killed", "deactivated"),
    *("pending_delete", "importing", "uploading"),
)
_SHOWN_AS: Final = {"active": "ACTIVE", "queued": "SAVING", "saving": "SAVING"} | {
    **dict.fromkeys(("deleted", "pending_delete"), "DELETED"),
    "killed": "ERROR",
}
_PROGRESS: Final = {"ACTIVE": [100], "SAVING": [25, 50]}


@check("element = GET /images/{id}")
def _m1(cloud: Cloud, images: Images) -> Outcomes:
    """Is each element equal to the image asked for alone?"""
    for image in sample(images):
        answer = cloud.get(f"/images/{image['id']}")
        yield compare_image(answer, answer.document.get("image"), image)


@check("ids(detail) = ids(/images), in order")
def _m2(cloud: Cloud, images: Images) -> Outcomes:
    """Does images/detail list the images of /images, in the same order?"""
    yield compare_ids(cloud.listing(path="/images"), images)


@check("brief element is a part of the detailed one, with id, name and links")
def _m3(cloud: Cloud, images: Images) -> Outcomes:
    """Is every field of the brief listing the same in the detailed one?"""
    answer = cloud.listing(path="/images")
    detailed = {image["id"]: image for image in images}
    # Another check compares which images are listed.
    brief = [image for image in answer.images if image["id"] in detailed]
    expected = []
    for image in brief:
        names = image.keys() | {"name", "links"}
        full = detailed[image["id"]]
        expected.append({name: value for name, value in full.items() if name in names})
    yield compare_images(answer, brief, expected)


COLON: Final = Deviation(
    what="a name with a colon is read as an operator: 400",
    since="2016.2",
    source="Glance 13.0.0 db/sqlalchemy/api.py, split_filter_op; recordings",
    pattern="%3A.* was answered 400",
)
COLLATION: Final = Deviation(
    what="MySQL compares names without case and trailing spaces",
    source="MySQL's default collation; not recorded",
    instead=True,
)


@check("name=X = {i in F: i.name = X}", COLON, COLLATION, needs="an image with a name")
def _m4(cloud: Cloud, images: Images) -> Outcomes:
    """Does name=X select exactly the images with this name?"""
    names = [str(image["name"]) for image in reversed(images) if image.get("name")]
    odd = [
        *[name for name, number in Counter(names).items() if number > 1][:1],
        *[name for name in names if not name.isascii()][:1],
        *[name for name in names if ":" in name][:1],
    ]
    # The oldest images change least.
    for name in [*distinct([*odd, *names], most=4), "nope", "org:name"]:
        yield check_filter(cloud, images, {"name": name})


@check(
    "status=S = {i in F: i.status = S}, in both cases",
    Deviation(
        what="SAVING finds no queued image, though these are shown as SAVING",
        since="2012.1",
        source="Nova views/images.py, _get_status; ff716dee03; recordings",
        pattern="=SAVING lacks an image",
    ),
    Deviation(
        what="Glance has no status ERROR, UNKNOWN or DELETED, so these find nothing",
        since="2012.1",
        source="Nova views/images.py, _get_status; ff716dee03; recordings",
        pattern="=(ERROR|UNKNOWN|DELETED) lacks an image",
    ),
    fixed=("status",),
)
def _m5(cloud: Cloud, images: Images) -> Outcomes:
    """Does status=S select exactly the images that show this status?"""
    words = [(word, text) for word in contract.STATUSES for text in (word, word.lower())]
    answers = [(word, cloud.listing({"status": text})) for word, text in words]
    # If the filter is ignored, which answers are wrong would depend on the images.
    if images and all(ids(answer.images) == ids(images) for _, answer in answers):
        yield failure(answers[-1][1], "lists all images, as any other status does", images[0])
        return
    for word, answer in answers:
        yield compare_ids(answer, selected(images, {"status": word}))


@check("union of status=W over Glance's words = F, disjoint", fixed=("status",))
def _m6(cloud: Cloud, images: Images) -> Outcomes:
    """Do Glance's statuses divide the listing, with no image left or twice?"""
    yield check_union(cloud, images, "status", _STORED)


@check("server=U = {i in F: i.server.id = U}, in three forms", needs="an image made from a server")
def _m7(cloud: Cloud, images: Images) -> Outcomes:
    """Does server=U find the images of a server, by id and by both links?"""
    for server in distinct(server_of(image) for image in images if server_of(image)):
        expected = selected(images, {"server": server})
        for form in [server, *hrefs(expected[0]["server"]).values()]:
            yield compare_ids(cloud.listing({"server": form}), expected)
    yield check_filter(cloud, [], {"server": _NO_SUCH})


@check(
    "type=T = {i in F: i.metadata.image_type = T}",
    COLLATION,
    needs="an image with metadata.image_type",
)
def _m8(cloud: Cloud, images: Images) -> Outcomes:
    """Does type=T select exactly the images with this image_type?"""
    kinds = (filters_of(image).get("type") for image in images)
    for kind in [*distinct(text for text in kinds if isinstance(text, str)), _NO_SUCH]:
        yield check_filter(cloud, images, {"type": kind})


@check(
    "BASE + SERVER = ALL = F, disjoint",
    Deviation(
        what="the documented values BASE, SERVER and ALL are not implemented: "
        "type is compared with metadata.image_type",
        source="Nova api/openstack/compute/images.py, SUPPORTED_FILTERS; recordings",
        instead=True,
    ),
    fixed=("type",),
)
def _m9(cloud: Cloud, images: Images) -> Outcomes:
    """Are the documented types BASE, SERVER and ALL implemented?"""
    for kinds in (("ALL",), ("BASE", "SERVER")):
        by_property = [image for image in images if filters_of(image).get("type") in kinds]
        yield check_union(cloud, images, "type", kinds, instead=by_property)


@check("{updated > T} <= C(T) <= {updated >= T}", needs="an image that was updated")
def _m10(cloud: Cloud, images: Images) -> Outcomes:
    """Does changes-since=T list exactly what was updated since?"""

    def since(text: str, least: Images, most: Images) -> Outcome:
        answer = cloud.listing({"changes-since": text})
        listed = [image for image in answer.images if image.get("status") != "DELETED"]
        expected_ids = {e["id"] for e in [*least, *listed] if e.get("status") != "DELETED"}
        expected = [image for image in most if image["id"] in expected_ids]
        return compare_ids(answer, expected, listed)

    yield since("1970-01-01T00:00:00Z", images, images)
    yield since("2099-01-01T00:00:00Z", [], [])
    updated = [(image, at) for image in images if (at := moment_of(image))]
    for moment in moments(images):
        least = [image for image, at in updated if at > moment]
        yield since(isotime(moment), least, [image for image, at in updated if at >= moment])


@check(
    "C(T as Z) = C(T with an offset) = C(T without a zone)",
    needs="images that were updated at different times",
)
def _m11(cloud: Cloud, images: Images) -> Outcomes:
    """Is one moment the same in every time zone?"""
    for moment in moments(images)[1:2]:
        first = cloud.listing({"changes-since": isotime(moment)})
        local = [(moment + timedelta(hours=n), f"{n:+03}:00") for n in (0, 2, -9)]
        for when, zone in [*local, (moment, "")]:
            text = isotime(when).replace("Z", zone)
            answer = cloud.listing({"changes-since": text}) if first.is_listing else first
            vacuous = len(first.images) in {0, len(images)}
            yield replace(compare_ids(answer, first.images), vacuous=vacuous)


@check("pages of limit=K, one after the other = F", needs="two images")
def _m12(cloud: Cloud, images: Images) -> Outcomes:
    """Do the pages together make the whole listing?"""
    for size in filter(None, distinct((1, 2, 3, _PAGE, len(images), len(images) + 1), most=6)):
        yield replace(check_pages(cloud, images, size), vacuous=size >= len(images))


@check(
    "marker=last: none; limit=0: F; bad marker or limit: 400",
    Deviation(
        what="limit=0 is refused",
        since="2024.2",
        source="Nova 30.0.0, 41b436bff7; recordings",
        pattern="limit=0 was answered 400",
    ),
    fixed=("limit",),
)
def _m13(cloud: Cloud, images: Images) -> Outcomes:
    """Are limits and markers at the edge treated as documented?"""
    for last in images[-1:]:
        yield compare_ids(cloud.listing({"marker": last["id"]}), [])
    yield compare_ids(cloud.listing({"limit": 0}), images)
    for filters in ({"marker": "nope"}, {"limit": "-1"}, {"limit": "abc"}):
        yield compare_status(cloud.listing(filters), 400)


@check(
    "next link = same filters, marker=last of the page",
    Deviation(
        what="the next link leads to /images, which lacks the details",
        since="2012.1",
        until="2014.2",
        source="Nova f233c65cd3",
        pattern="does not lead",
    ),
    needs="two images",
    fixed=("status",),
)
def _m14(cloud: Cloud, images: Images) -> Outcomes:
    """Does the next link lead to the next page, with details and filters?"""

    def next_page(expected: Images, limit: int, filters: Mapping[str, str]) -> Outcome:
        first = cloud.listing({**filters, "limit": limit})
        if not first.is_listing:
            return not_a_listing(first)
        href = first.next_page or ""
        if not origin(href):
            return failure(first, "has no next link")
        link = urlsplit(href)
        given = dict(Query.parse(link.query).params)
        required = {**filters, "limit": str(limit), "marker": str(expected[limit - 1]["id"])}
        faults = [
            f"with another {name}, or none"
            for name, value in required.items()
            if given.get(name) != value
        ]
        if not link.path.endswith("/images/detail"):
            faults.append("that does not lead to images/detail")
        if faults:
            return outcome(first, ((f"has a next link {fault}", None) for fault in faults))
        second = cloud.get(f"{link.path}?{link.query}", base=origin(cloud.target.endpoint))
        return compare_images(second, expected[limit : 2 * limit])

    for filters in ({}, {"status": "ACTIVE"}):
        expected = selected(images, filters)
        if len(expected) > 1:
            yield next_page(expected, min(_PAGE, len(expected) - 1), filters)


@check("A&B = A and B", COLON, COLLATION, needs="an active image with a name", fixed=("status",))
def _m15(cloud: Cloud, images: Images) -> Outcomes:
    """Do several filters select what each of them selects?"""
    active = selected(images, {"status": "ACTIVE"})
    for names in ({"name", "status"}, {"server", "status", "type"}):
        candidates = map(filters_of, active)
        first = next((filters for filters in candidates if filters.keys() >= names - {"type"}), {})
        filters = {key: value for key, value in first.items() if key in names}
        # A wrong value for any one filter must select nothing.
        none = {key: "DELETED" if key == "status" else _NO_SUCH for key in filters}
        variants = ({**filters, key: none[key]} for key in filters)
        for combination in [filters, *variants] if filters else ():
            yield check_filter(cloud, images, combination)


@check("foo=x changes nothing")
def _m16(cloud: Cloud, images: Images) -> Outcomes:
    """Is an unknown parameter ignored?"""
    yield compare_ids(cloud.listing({"foo": "x", "limit": _PAGE}), images[:_PAGE])


@check(
    "minRam=M = {i.minRam = M}, or {i.minRam >= M} as documented",
    needs="images that differ in minRam or minDisk",
)
def _m17(cloud: Cloud, images: Images) -> Outcomes:
    """Do minRam and minDisk select by the image's value?"""
    for key in ("minRam", "minDisk"):
        numbered = [image for image in images if type(image.get(key)) is int]
        for value in sorted({image[key] for image in numbered})[1:3]:  # all may have the lowest
            exact = check_filter(cloud, images, {key: value})
            at_least = [image for image in numbered if image[key] >= value]
            least = compare_ids(cloud.listing({key: value}), at_least)
            yield least if exact.problems and not least.problems else exact


@check(
    "property-K=V = {i in F: i.metadata[K] = V}",
    Deviation(
        what="the letters p r o e t y - are cut from the start of a property's name",
        since="2016.2",
        source="Nova 8eca306ab0, lstrip; recordings",
        instead=True,
    ),
    Deviation(
        what="property-K reaches Glance as a filter of its own, if K is the name of one",
        since="2016.2",
        source="measured on Nova 20.6, 30.3 and 33.0",
        pattern="property-(changes-since|container_format|deleted|disk_format|limit|locations|"
        "member_status|size_max|size_min|sort|sort_dir|sort_key)=",
    ),
    needs="a property that not all images have",
)
def _m18(cloud: Cloud, images: Images) -> Outcomes:
    """Does property-K=V select exactly the images with this property?"""
    pairs = [pair for image in images for pair in metadata(image).items()]
    properties = {key: value for key, value in pairs if isinstance(value, str)}
    redacted = cloud.target.redact(properties)
    # A secret in a query would end up in the cloud's logs.
    keys = [key for key in properties if placeholders.SECRET_IN_URL not in redacted[key]]
    for key in sorted(keys, key=lambda name: name == name.lstrip(PROPERTY))[:_MOST_KEYS]:
        filters = {PROPERTY + key: properties[key]}
        stripped = selected(images, {PROPERTY + key.lstrip(PROPERTY): properties[key]})
        vacuous = len(selected(images, filters)) in {0, len(images)}
        yield replace(check_filter(cloud, images, filters, instead=stripped), vacuous=vacuous)


@check(
    "F below /v2, /v2.1, with and without project, links aside",
    Deviation(
        what="a policy may hide the size in one version of the API",
        until="2018.2",
        source="Nova 19.0.0 merges it into the view",
        pattern="OS-EXT-IMG-SIZE",
    ),
    needs="a second version of the API",
)
def _m19(cloud: Cloud, images: Images) -> Outcomes:
    """Do all paths of the API give the same images?"""
    target, project = cloud.target, f"/{cloud.target.project}"
    paths = (f"/v2{project}", "/v2.1", f"/v2.1{project}") if target.version else ()
    for base in [target.root + path for path in paths if target.root + path != target.endpoint]:
        answer = cloud.listing(base=base)
        if answer.status in {404, 410}:
            yield Outcome(vacuous=True)
        else:
            yield compare_images(answer, images, ignored=("links", "server"))


@check(
    "F as XML = F as JSON, metadata and links aside",
    Deviation(
        what="JSON is sent, whatever is asked for",
        since="2015.1",
        source="Nova 0e0b9bfd75, 8454a2b4f3, f3ee2212e0",
        pattern="in JSON",
    ),
)
def _m20(cloud: Cloud, images: Images) -> Outcomes:
    """Is XML the same listing as JSON?"""
    answer = cloud.listing(headers={"Accept": "application/xml"})
    found = compare_images(answer, images, ignored=("links", "metadata", "name", "server"))
    is_json = answer.is_listing and not answer.is_xml
    yield failure(answer, "was answered in JSON") if is_json and not found.problems else found


@check(
    "none = 2.1 = 2.35; 2.36 and latest: 404",
    Deviation(
        what="microversions that the cloud does not have are answered 406",
        until="2016.1",
        source="Nova api/openstack/wsgi.py; maxima in contract",
        pattern="406, not 404",
    ),
    needs="an endpoint of version v2.1",
)
def _m21(cloud: Cloud, images: Images) -> Outcomes:
    """Do microversions up to 2.35 give the listing, and 2.36 and later 404?"""

    def listing_at(version: str) -> Answer:
        compute = {"OpenStack-API-Version": f"compute {version}"}
        return cloud.listing(headers={**compute, "X-OpenStack-Nova-API-Version": version})

    if cloud.target.version == "v2.1":
        for version in ("2.1", "2.35"):
            yield compare_images(listing_at(version), images)
        for version in ("2.36", "latest"):
            yield compare_status(listing_at(version), 404)


@check(
    "other project: 400, never 200",
    Deviation(
        what="a gateway in front of Nova refuses with 401, 403 or 404",
        source="not recorded; vendors put gateways in front of Nova",
        pattern="answered 40[134]",
    ),
    needs="an endpoint with a version",
    needs_stability=False,
)
def _m22(cloud: Cloud, _: Images) -> Outcomes:
    """Is another project in the URL refused?"""
    if cloud.target.version is not None:
        base = f"{cloud.target.root}/{cloud.target.version}/{'f' * 32}"
        yield compare_status(cloud.listing(base=base), 400)


@check("F = F asked again, order too, links aside", asks_again=True)
def _m23(cloud: Cloud, images: Images) -> Outcomes:
    """Do two identical requests get the same answer?"""
    yield compare_images(cloud.listing(again=True), images, ignored=("links",))


@check(
    "fields, types, status, progress, server, links and dates fit; created descends; no id twice",
    Deviation(
        what="OS-DCF:diskConfig is an extension, which may be off",
        until="2016.1",
        source="Nova 14.0.0 moves it into the core",
        pattern="unlike metadata.auto_disk_config",
    ),
    needs_stability=False,
)
def _m24(cloud: Cloud, images: Images) -> Outcomes:
    """Is each image consistent in itself, and the newest first?"""
    answer, release = cloud.listing(), cloud.target.release
    broken = ((what, image) for image in images for what in _inconsistent(image, release))
    yield outcome(answer, broken, subject="an image", vacuous=not images)
    newest = sorted(images, key=lambda image: str(image.get("created")), reverse=True)
    yield compare_ids(answer, newest)
    yield compare_ids(answer, distinct_images(images))


def _inconsistent(image: Image, release: str | None) -> Iterator[str]:
    """Yield what is wrong with an image."""
    for name, promise in contract.FIELDS.items():
        if name not in image and contract.promises(name, release):
            yield f"lacks {name}"
        elif name in image and type(image[name]) not in promise.part_in(release).types:
            yield f"has another type of {name}: {contract.json_type(image[name])}"
    status, progress = image.get("status"), image.get("progress")
    if status not in contract.STATUSES:
        yield f"has a status that Nova never sends: {status}"
    if progress not in _PROGRESS.get(str(status), [0]):
        yield f"has a progress that does not fit its status: {progress}, {status}"
    if server_of(image) != metadata(image).get("instance_uuid"):
        yield "has another server than metadata.instance_uuid"
    own = f"/{image['id']}"
    others = (rel for rel, href in hrefs(image).items() if not f"/{href}".endswith(own))
    yield from (f"has a link to another image ({rel})" for rel in others)
    if str(image.get("updated") or "9") < str(image.get("created")):
        yield "was updated before it was created"
    has, expected = "OS-DCF:diskConfig" in image, "auto_disk_config" in metadata(image)
    if has != expected:
        yield f"{'has' if has else 'lacks'} OS-DCF:diskConfig, unlike metadata.auto_disk_config"


@check(
    "element = projection of Glance's image", needs="an image, and a catalog with the service image"
)
def _m25(cloud: Cloud, images: Images) -> Outcomes:
    """Does Glance have the same images?"""
    for image in sample(images)[:3] if cloud.target.glance is not None else ():
        answer = cloud.get(f"/v2/images/{image['id']}", base=cloud.target.glance)
        projected = _projected(answer.document)
        expected = {key: image[key] for key in projected if key in image}
        yield compare_image(answer, {key: projected[key] for key in expected}, expected)


def _projected(theirs: Mapping[str, Any]) -> Image:
    """Return what Nova shows of an image of Glance."""
    return {
        "id": theirs.get("id"),
        "name": theirs.get("name"),
        "minRam": theirs.get("min_ram"),
        "minDisk": theirs.get("min_disk"),
        "created": theirs.get("created_at"),
        "updated": theirs.get("updated_at"),
        "status": _SHOWN_AS.get(str(theirs.get("status")), "UNKNOWN"),
        "OS-EXT-IMG-SIZE:size": theirs.get("size") or 0,
    }


@check("F with Accept-Encoding: gzip = F")
def _m26(cloud: Cloud, images: Images) -> Outcomes:
    """Is a compressed answer the same?"""
    answer = cloud.listing(headers={"Accept-Encoding": "gzip"})
    yield compare_images(answer, images, ignored=("links",))


@check("GET self link = element")
def _m27(cloud: Cloud, images: Images) -> Outcomes:
    """Do self links lead to the image?"""
    own_origin = origin(cloud.target.endpoint)
    for image in sample(images)[:3]:
        href = hrefs(image).get("self", "")
        if not origin(href):
            yield outcome(cloud.listing(), [("has no self link", None)], subject="an image")
        elif origin(href) != own_origin:
            missing = "self links lead to another host, which the token is not sent to"
            yield Outcome(missing=missing)
        else:
            answer = cloud.get(href.removeprefix(own_origin), base=own_origin)
            yield compare_image(answer, answer.document.get("image"), image)


# A schema error remains one even if the listing changes meanwhile.
_forecast = partial(check, is_forecast=True, needs_stability=False)


@_forecast("every listing matches Nova's response schema of images/detail", needs="a listing")
def _s1(cloud: Cloud, images: Images) -> Outcomes:
    """Will Nova's own response validation let every listing pass?"""
    yield _of_schema("nova", cloud, images)


@_forecast("every listing matches tempest's response schema of images/detail", needs="a listing")
def _s2(cloud: Cloud, images: Images) -> Outcomes:
    """Do tempest's tests accept every listing?"""
    yield _of_schema("tempest", cloud, images)


def _of_schema(schema: str, cloud: Cloud, images: Images) -> Outcome:
    judged, found = 0, []
    for page in cloud.received:
        url = page.url.removeprefix(cloud.target.endpoint)
        if not urlsplit(url).path.endswith("/images/detail"):
            continue
        where = cloud.target.redact(f"GET {url}")
        cloud.trace[where] = None
        try:
            findings = forecast_response(page.response, where=where)
        except ImageDetailError as error:
            missing = filter(None, (error.problem, error.where, error.remedy))
            return Outcome(missing="; ".join(missing))
        judged += findings is not None
        found += [finding for finding in findings or () if finding.schema == schema]
    if schema == "nova" and not judged:
        found = [*_refused(cloud)]
    counted, vacuous = count(judged, "listing"), not (images and judged)
    return _forecasted(cloud.listing(), found, counted=counted, vacuous=vacuous)


def _refused(cloud: Cloud) -> Iterator[Finding]:
    """Find images that Nova already refuses; the brief listing is not validated."""
    for image in cloud.listing(path="/images").images:
        answer = cloud.get(f"/images/{image['id']}")
        fault = answer.document.get("badRequest")
        if answer.status == HTTPStatus.BAD_REQUEST and isinstance(fault, dict):
            yield Finding(
                schema="nova",
                where=cloud.target.redact(answer.request),
                path="image",
                image=shown_of({"id": image["id"], "name": image.get("name")}),
                error=str(fault.get("message")),
                consequence=REFUSED,
                advice="remove the property that the answer names, as its owner or an "
                f"administrator: openstack image unset --property NAME {image['id']}",
            )


@_forecast("block_device_mapping and mappings of every image are JSON", needs="an image of Glance")
def _s3(cloud: Cloud, _: Images) -> Outcomes:
    """Can Nova read every image of Glance?"""
    if cloud.target.glance is None:
        yield Outcome(missing="the service catalog has no image service")
        return
    path: Any = "/v2/images?limit=1000"
    images: list[dict[str, Any]] = []  # of all pages
    asked: set[str] = set()
    while isinstance(path, str):
        answer = cloud.get(path, base=cloud.target.glance)
        if path in asked or not isinstance(answer.document.get("images"), list):
            missing = f"Glance answered {answer.status}, without another page of images"
            yield Outcome(missing=answer.missing or missing)
            return
        asked.add(path)
        path = answer.document.get("next")
        images += objects_in(answer.document, "images")
    findings = forecast_glance(images, where="GET /v2/images")
    counted = f"{count(len(images), 'image')} of Glance"
    yield _forecasted(answer, findings, counted=counted, vacuous=not images)


def _forecasted(answer: Answer, found: Sequence[Finding], **facts: Any) -> Outcome:
    faults: dict[tuple[object, str], Finding] = {}
    for finding in found:  # one fault can be in several answers
        faults.setdefault((finding.image and str(finding.image["id"]), finding.kind), finding)
    images = {image for image, _ in faults if image}
    subject = count(len(images), "image") if images else "the answer"
    problems = [
        Problem(
            answer=answer,
            text=f"{subject}: {found[0].consequence}",
            kind=finding.kind,
            image=finding.image,
            finding=finding,
        )
        for finding in faults.values()
    ]
    return Outcome(problems=problems, **facts)


CHECKS: Final = (
    *(_m1, _m2, _m3, _m4, _m5, _m6, _m7, _m8, _m9, _m10, _m11, _m12, _m13, _m14),
    *(_m15, _m16, _m17, _m18, _m19, _m20, _m21, _m22, _m23, _m24, _m25, _m26, _m27),
)
FORECASTS: Final = (_s1, _s2, _s3)
ALL: Final = (*CHECKS, *FORECASTS)
