"""The 27 checks: each asks a cloud for listings, and states how they must be related.

Sources of the known deviations: Nova and Glance at the tags named, and the shipped recordings.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pytest_imagedetail import contract
from pytest_imagedetail.check.asking import Answer, Cloud, NotAskedError
from pytest_imagedetail.check.relations import (
    Images,
    alike,
    all_alike,
    distinct,
    distinct_images,
    element,
    empty,
    filtered,
    having,
    hrefs,
    ids,
    in_order,
    metadata,
    no_listing,
    refused,
    same,
    sample,
    selects,
    server_of,
    status,
    tagged,
    tags,
    within,
)
from pytest_imagedetail.check.verdicts import Case, Check, Deviation, Outcome, ref
from pytest_imagedetail.model import Image
from pytest_imagedetail.redact import origin
from pytest_imagedetail.transport.request import is_url_of_http

Cases = Iterator[Case]
Known = dict[Deviation, Callable[[Outcome], bool]]

_MOST_KEYS: Final = 12
_MOST_PAGES: Final = 10
_PAGE: Final = 5
_NO_SUCH: Final = "no-such-value"
_OTHER_PROJECT: Final = "f" * 32
_STATUSES: Final = ("ACTIVE", "SAVING", "DELETED", "ERROR", "UNKNOWN")
_WORDS: Final = (
    *("ACTIVE", "SAVING", "queued", "killed", "deactivated"),
    *("pending_delete", "importing", "uploading"),
)
_OF_GLANCE: Final = {"active": "ACTIVE", "queued": "SAVING", "saving": "SAVING"} | {
    **dict.fromkeys(("deleted", "pending_delete"), "DELETED"),
    "killed": "ERROR",
}
_FILTERS_OF_GLANCE: Final = frozenset(
    {"changes-since", "container_format", "deleted", "disk_format", "limit", "locations"}
    | {"member_status", "size_max", "size_min", "sort", "sort_dir", "sort_key"}
)
_PROGRESS: Final = {"ACTIVE": {100}, "SAVING": {25, 50}}
_CUT: Final = "property-"


def _check(
    title: str, relation: str, *, shown_by: str = "an image", **facts: Any
) -> Callable[[Callable[[Cloud, Images], Cases]], Check]:
    """Make a check of a function that yields its questions; its id is the function's name."""

    def make(cases: Callable[[Cloud, Images], Cases]) -> Check:
        id_ = cases.__name__.strip("_").upper()
        return Check(
            id=id_, title=title, relation=relation, shown_by=shown_by, cases=cases, **facts
        )

    return make


# The checks. F is the listing of all images.


@_check("Is each element equal to the image asked for alone?", "element = GET /images/{id}")
def _m1(cloud: Cloud, images: Images) -> Cases:
    def test(image: Image) -> Outcome:
        answer = cloud.get(f"/images/{image['id']}")
        return alike(answer, element(answer), image)

    return (Case(test=partial(test, each)) for each in sample(images))


@_check(
    "Does images/detail list the images of /images, in the same order?",
    "ids(detail) = ids(/images), in order",
)
def _m2(cloud: Cloud, images: Images) -> Cases:
    yield Case(test=lambda: same(cloud.listing(path="/images"), images))


@_check(
    "Is every field of the brief listing the same in the detailed one?",
    "brief element is a part of the detailed one",
)
def _m3(cloud: Cloud, images: Images) -> Cases:
    def test() -> Outcome:
        answer = cloud.listing(path="/images")
        if answer.images is None:
            return no_listing(answer)
        known = {each["id"]: each for each in images}
        outcomes = (
            alike(answer, {key: known[each["id"]].get(key) for key in each}, each)
            for each in answer.images
            if each["id"] in known
        )
        shows = bool(images)
        return next(
            (each for each in outcomes if each.problem), Outcome(answer=answer, shows=shows)
        )

    yield Case(test=test)


COLON: Final = Deviation(
    what="a name with a colon is read as an operator: 400",
    since="2016.2",
    source="Glance 13.0.0 db/sqlalchemy/api.py, split_filter_op; recordings",
)
COLLATION: Final = Deviation(
    what="MySQL compares names without case and trailing spaces",
    source="MySQL's default collation; not recorded",
)


@_check(
    "Does name=X select exactly the images with this name?",
    "name=X = {i in F: i.name = X}",
    shown_by="an image with a name",
    deviations=(COLON, COLLATION),
)
def _m4(cloud: Cloud, images: Images) -> Cases:
    names = [str(each["name"]) for each in reversed(images) if each.get("name")]
    odd = [
        *[each for each, number in Counter(names).items() if number > 1][:1],
        *[each for each in names if not each.isascii()][:1],
        *[each for each in names if ":" in each][:1],
    ]
    # The oldest images change least.
    for name in [*distinct([*odd, *names], most=4), "nope", "org:name"]:
        folded = [each for each in images if _folded(each.get("name")) == _folded(name)]
        yield Case(
            test=partial(filtered, cloud, having(images, "name", name), {"name": name}),
            known={**({COLON: refused} if ":" in name else {}), COLLATION: selects(folded)},
        )


def _folded(name: object) -> str | None:
    return name.casefold().rstrip() if isinstance(name, str) else None


QUEUED: Final = Deviation(
    what="SAVING finds no queued image, though these are shown as SAVING",
    since="2012.1",
    source="Nova views/images.py, _get_status; ff716dee03; recordings",
)
NO_SUCH_STATUS: Final = Deviation(
    what="ERROR, UNKNOWN and DELETED are no words of Glance, and find nothing",
    since="2012.1",
    source="Nova views/images.py, _get_status; ff716dee03; recordings",
)
DIABLO_CASE: Final = Deviation(
    what="only statuses in lower case find anything", until="2011.3", source="Nova 2011.3"
)


@_check(
    "Does status=S select exactly the images that show this status?",
    "status=S = {i in F: i.status = S}, in both cases",
    deviations=(QUEUED, NO_SUCH_STATUS, DIABLO_CASE),
)
def _m5(cloud: Cloud, images: Images) -> Cases:
    for word in _STATUSES:
        wanted = having(images, "status", word)
        for spelled in (word, word.lower()):
            known: Known = {DIABLO_CASE: empty}
            if word == "SAVING":
                known[QUEUED] = within(wanted)
            elif word != "ACTIVE":
                known[NO_SUCH_STATUS] = within(wanted)
            yield Case(test=partial(filtered, cloud, wanted, {"status": spelled}), known=known)


@_check(
    "Do Glance's statuses divide the listing, with no image left or twice?",
    "union of status=W over Glance's words = F, disjoint",
)
def _m6(cloud: Cloud, images: Images) -> Cases:
    def test() -> Outcome:
        found: list[Image] = []
        for word in _WORDS:
            answer = cloud.listing({"status": word})
            if answer.images is None:
                return no_listing(answer)
            found += answer.images
        return same(answer, images, in_order(found, images))

    yield Case(test=test)


WHOLE_URL: Final = Deviation(
    what="only the exact URL of the server finds its images", until="2011.3", source="Nova 2011.3"
)


@_check(
    "Does server=U find the images of a server, by id and by both links?",
    "server=U = {i in F: i.server.id = U}, in three forms",
    shown_by="an image made from a server",
    deviations=(WHOLE_URL,),
)
def _m7(cloud: Cloud, images: Images) -> Cases:
    for server in distinct(server_of(each) for each in images if server_of(each)):
        wanted = [each for each in images if server_of(each) == server]
        for form in [server, *hrefs(wanted[0]["server"]).values()]:
            known = {WHOLE_URL: empty}
            yield Case(test=partial(filtered, cloud, wanted, {"server": form}), known=known)
    yield Case(test=partial(filtered, cloud, [], {"server": _NO_SUCH}))


@_check(
    "Does type=T select exactly the images with this image_type?",
    "type=T = {i in F: i.metadata.image_type = T}",
    shown_by="an image with metadata.image_type",
    deviations=(COLLATION,),
)
def _m8(cloud: Cloud, images: Images) -> Cases:
    for kind in [*tags(images, "image_type"), _NO_SUCH]:
        wanted = tagged(images, "image_type", kind)
        folded = [e for e in images if _folded(metadata(e).get("image_type")) == _folded(kind)]
        known = {COLLATION: selects(folded)}
        yield Case(test=partial(filtered, cloud, wanted, {"type": kind}), known=known)


NEVER_MADE: Final = Deviation(
    what="the documented values BASE, SERVER and ALL are not implemented: type is compared with "
    "metadata.image_type",
    source="Nova api/openstack/compute/images.py, SUPPORTED_FILTERS; recordings",
)


@_check(
    "Are the documented types BASE, SERVER and ALL implemented?",
    "BASE + SERVER = ALL = F, disjoint",
    deviations=(NEVER_MADE,),
)
def _m9(cloud: Cloud, images: Images) -> Cases:
    def by_property(_: Outcome) -> bool:
        asked = {key: cloud.listing({"type": key}) for key in ("BASE", "SERVER", "ALL")}
        return all(
            ids(answer.images) == ids(tagged(images, "image_type", key))
            for key, answer in asked.items()
        )

    def parts() -> Outcome:
        base, server = (cloud.listing({"type": each}) for each in ("BASE", "SERVER"))
        if base.images is None or server.images is None:
            return no_listing(base if base.images is None else server)
        return same(base, images, in_order([*base.images, *server.images], images))

    known = {NEVER_MADE: by_property}
    yield Case(test=lambda: filtered(cloud, images, {"type": "ALL"}), known={NEVER_MADE: empty})
    yield Case(test=parts, known=known)


def moments(images: Images) -> list[datetime]:
    """Return when an image was updated, a third of the way up, with the seconds around it."""
    found = sorted(filter(None, (_moment(each.get("updated")) for each in images)))
    if not found:
        return []
    middle = found[len(found) // 3]
    return [middle + timedelta(seconds=each) for each in (-1, 0, 1)]


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _z(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@_check(
    "Does changes-since=T list exactly what was updated since?",
    "{updated > T} <= C(T) <= {updated >= T}; later T, smaller C(T)",
    shown_by="an image that was updated",
)
def _m10(cloud: Cloud, images: Images) -> Cases:
    def since(text: str, least: Images, most: Images) -> Outcome:
        answer = cloud.listing({"changes-since": text})
        if answer.images is None:
            return no_listing(answer)
        found = [each for each in answer.images if each.get("status") != "DELETED"]
        needed = [each for each in least if each.get("status") != "DELETED"]
        allowed = {each["id"] for each in most}
        there = set(ids(found))
        extra = [each for each in found if each["id"] not in allowed]
        lost = [each for each in needed if each["id"] not in there]
        for what, some in (
            ("has an image that was updated before", extra),
            ("lacks an image", lost),
        ):
            if some:
                problem = f"{answer.request} {what}"
                return Outcome(answer=answer, problem=problem, image=ref(some[0]))
        return same(answer, [each for each in images if each["id"] in there], found)

    def shrinks(earlier: str, later: str) -> Outcome:
        before, after = (cloud.listing({"changes-since": each}) for each in (earlier, later))
        if before.images is None or after.images is None:
            return no_listing(before if before.images is None else after)
        allowed = set(ids(before.images))
        extra = [each for each in after.images if each["id"] not in allowed]
        problem = (
            f"{after.request} has an image that an earlier time does not give" if extra else ""
        )
        image = ref(extra[0]) if extra else None
        return Outcome(answer=after, problem=problem, image=image, shows=bool(after.images))

    updated = {each["id"]: _moment(each.get("updated")) for each in images}
    yield Case(test=lambda: since("1970-01-01T00:00:00Z", images, images))
    yield Case(test=lambda: since("2099-01-01T00:00:00Z", [], []))
    for moment in moments(images):
        least = [e for e in images if (at := updated[e["id"]]) and at > moment]
        most = [e for e in images if (at := updated[e["id"]]) and at >= moment]
        yield Case(test=partial(since, _z(moment), least, most))
    spelled = list(map(_z, moments(images)))
    for earlier, later in pairwise(spelled):
        yield Case(test=partial(shrinks, earlier, later))


@_check(
    "Is one moment the same in every time zone?",
    "C(T as Z) = C(T with an offset) = C(T without a zone)",
    shown_by="an image that was updated",
)
def _m11(cloud: Cloud, images: Images) -> Cases:
    def test(text: str) -> Outcome:
        first = cloud.listing({"changes-since": moment})
        if first.images is None:
            return no_listing(first)
        return same(cloud.listing({"changes-since": text}), first.images)

    for middle in moments(images)[1:2]:
        moment = _z(middle)
        for hours in (0, 2, -9):
            there = (middle + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S")
            yield Case(test=partial(test, f"{there}{'-' if hours < 0 else '+'}{abs(hours):02}:00"))
        yield Case(test=partial(test, moment.removesuffix("Z")))


INTEGER_MARKER: Final = Deviation(
    what="a marker must be an integer", until="2011.3", source="Nova 2011.3 api/openstack/common.py"
)


@_check(
    "Do the pages together make the whole listing?",
    "pages of limit=K, one after the other = F",
    deviations=(INTEGER_MARKER,),
)
def _m12(cloud: Cloud, images: Images) -> Cases:
    def test(size: int) -> Outcome:
        found: list[Image] = []
        marker = None
        for _ in range(_MOST_PAGES):
            answer = cloud.listing({"limit": size, "marker": marker})
            if answer.images is None:
                return no_listing(answer)
            if len(answer.images) > size:
                problem = f"{answer.request} has {len(answer.images)} images"
                return Outcome(answer=answer, problem=problem, image=ref(answer.images[size]))
            found += answer.images
            if answer.next_page is None or not answer.images:
                return same(answer, images, found)
            marker = answer.images[-1]["id"]
        return same(answer, images[: len(found)], found)

    for size in distinct(iter((1, 2, 3, _PAGE, len(images), len(images) + 1)), most=6):
        if size:
            yield Case(test=partial(test, size), known={INTEGER_MARKER: refused})


NO_ZERO: Final = Deviation(
    what="limit=0 is refused", since="2024.2", source="Nova 30.0.0, 41b436bff7; recordings"
)


@_check(
    "Are limits and markers at the edge treated as documented?",
    "marker=last: none; limit=0: F; bad marker or limit: 400",
    deviations=(NO_ZERO,),
)
def _m13(cloud: Cloud, images: Images) -> Cases:
    for last in images[-1:]:
        yield Case(test=partial(filtered, cloud, [], {"marker": last["id"]}))
    yield Case(test=lambda: filtered(cloud, images, {"limit": 0}), known={NO_ZERO: refused})
    for filters in ({"marker": "nope"}, {"limit": "-1"}, {"limit": "abc"}):
        yield Case(test=partial(_refuses, cloud, filters))


def _refuses(cloud: Cloud, filters: Mapping[str, object]) -> Outcome:
    return status(cloud.listing(filters), 400)


BRIEF: Final = Deviation(
    what="the next link leads to /images, which lacks the details",
    since="2012.1",
    until="2014.2",
    source="Nova f233c65cd3",
)


@_check(
    "Does the next link lead to the next page, with details and filters?",
    "next link = same filters, marker=last of the page",
    shown_by="six images, or two active ones",
    deviations=(BRIEF,),
)
def _m14(cloud: Cloud, images: Images) -> Cases:
    def test(wanted: Images, filters: Mapping[str, object]) -> Outcome:
        limit = int(str(filters["limit"]))
        first = cloud.listing(filters)
        if first.images is None:
            return no_listing(first)
        if first.next_page is None:
            problem = f"{first.request} has no next link" if len(wanted) > limit else ""
            return Outcome(answer=first, problem=problem, shows=False)
        if not is_url_of_http(first.next_page):
            problem = f"the next link of {first.request} is not a URL"
            return Outcome(answer=first, problem=problem)
        link = urlsplit(first.next_page)
        sought = {
            **{key: str(value) for key, value in filters.items()},
            "marker": wanted[limit - 1]["id"],
        }
        asked = dict(parse_qsl(link.query, keep_blank_values=True))
        lost = [key for key, value in sought.items() if asked.get(key) != value]
        if not link.path.endswith("/images/detail") or lost:
            what = f"has another {lost[0]}, or none" if lost else "does not lead to images/detail"
            return Outcome(answer=first, problem=f"the next link of {first.request} {what}")
        query = f"?{link.query}" if link.query else ""
        second = cloud.get(link.path + query, base=origin(cloud.target.endpoint))
        return all_alike(second, wanted[limit : 2 * limit])

    def is_brief(outcome: Outcome) -> bool:
        return "does not lead" in outcome.problem

    active = having(images, "status", "ACTIVE")
    for wanted, filters in ((images, {"limit": _PAGE}), (active, {"status": "ACTIVE", "limit": 1})):
        if len(wanted) > filters["limit"]:  # type: ignore[operator]
            yield Case(test=partial(test, wanted, filters), known={BRIEF: is_brief})


@_check(
    "Do several filters select what each of them selects?",
    "A&B = A and B",
    shown_by="an active image with a name",
    deviations=(COLON,),
)
def _m15(cloud: Cloud, images: Images) -> Cases:
    active = having(images, "status", "ACTIVE")
    for name in [str(each["name"]) for each in active if each.get("name")][:1]:
        filters: dict[str, object] = {"name": name, "status": "ACTIVE"}
        yield Case(
            test=partial(filtered, cloud, having(active, "name", name), filters),
            known={COLON: refused} if ":" in name else {},
        )
    for image in [each for each in active if server_of(each) and metadata(each)][:1]:
        server, kind = server_of(image), metadata(image).get("image_type")
        found = [each for each in active if server_of(each) == server]
        wanted = found if kind is None else tagged(found, "image_type", kind)
        filters = {"server": server, "status": "ACTIVE", "type": kind}
        yield Case(test=partial(filtered, cloud, wanted, filters))


@_check("Is an unknown parameter ignored?", "foo=x changes nothing")
def _m16(cloud: Cloud, images: Images) -> Cases:
    yield Case(test=lambda: filtered(cloud, images[:_PAGE], {"foo": "x", "limit": _PAGE}))


@_check(
    "Do minRam and minDisk select by the image's value?",
    "minRam=M = {i.minRam = M}, or {i.minRam >= M} as documented",
    shown_by="an image with minRam or minDisk",
)
def _m17(cloud: Cloud, images: Images) -> Cases:
    def test(key: str, value: int, wanted: Images) -> Outcome:
        answer = cloud.listing({key: value})
        exact, least = same(answer, having(images, key, value)), same(answer, wanted)
        if exact.problem and not least.problem:
            return replace(least, note=f"{key} selects at least")
        note = f"{key} selects by equality" if least.problem else ""
        return replace(exact, note=note)

    for key in ("minRam", "minDisk"):
        numbered = [each for each in images if type(each.get(key)) is int]
        for value in sorted({each[key] for each in numbered} - {0})[:2]:
            wanted = [each for each in numbered if each[key] >= value]
            yield Case(test=partial(test, key, value, wanted))


STRIPPED: Final = Deviation(
    what="the letters p r o e t y - are cut from the start of a property's name",
    since="2016.2",
    source="Nova 8eca306ab0, lstrip; recordings",
)
OWN_FILTER: Final = Deviation(
    what="property-K reaches Glance as a filter of its own, if K is the name of one",
    since="2016.2",
    source="measured on Nova 20.6, 30.3 and 33.0",
)


@_check(
    "Does property-K=V select exactly the images with this property?",
    "property-K=V = {i in F: i.metadata[K] = V}",
    shown_by="an image with a property",
    deviations=(STRIPPED, OWN_FILTER),
)
def _m18(cloud: Cloud, images: Images) -> Cases:
    pairs = {
        key: value
        for image in images
        for key, value in metadata(image).items()
        if isinstance(value, str)
    }
    for key in sorted(pairs, key=lambda each: each == each.lstrip(_CUT))[:_MOST_KEYS]:
        value = pairs[key]
        cut = key.lstrip(_CUT)
        known = {} if cut == key else {STRIPPED: selects(tagged(images, cut, value))}
        if cut in _FILTERS_OF_GLANCE:
            known[OWN_FILTER] = lambda _: True
        wanted = tagged(images, key, value)
        yield Case(test=partial(filtered, cloud, wanted, {_CUT + key: value}), known=known)


SIZE_POLICY: Final = Deviation(
    what="a policy may hide the size in one version of the API",
    until="2018.2",
    source="Nova 19.0.0 merges it into the view",
)


@_check(
    "Do all paths of the API give the same images?",
    "F below /v2, /v2.1, with and without project, links aside",
    shown_by="a second version of the API",
    deviations=(SIZE_POLICY,),
)
def _m19(cloud: Cloud, images: Images) -> Cases:
    def test(base: str) -> Outcome:
        answer = cloud.listing(base=base)
        if answer.status in {404, 410}:
            return Outcome(answer=answer, shows=False)
        if answer.images is None:
            return no_listing(answer)
        here, there = (
            [{**each, "server": server_of(each)} for each in listed]
            for listed in (images, answer.images)
        )
        return all_alike(replace(answer, document={"images": there}), here, but=("links",))

    if cloud.target.version is None:
        return
    project = f"/{cloud.target.project}"
    for version in (f"/v2{project}", "/v2.1", f"/v2.1{project}"):
        base = cloud.target.root + version
        if base != cloud.target.endpoint:
            known = {SIZE_POLICY: lambda outcome: "OS-EXT-IMG-SIZE" in outcome.problem}
            yield Case(test=partial(test, base), known=known)


JSON_ALONE: Final = Deviation(
    what="JSON is sent, whatever is asked for",
    since="2015.1",
    source="Nova 0e0b9bfd75, 8454a2b4f3, f3ee2212e0",
)


@_check(
    "Is XML the same listing as JSON?",
    "F as XML = F as JSON, metadata and links aside",
    deviations=(JSON_ALONE,),
)
def _m20(cloud: Cloud, images: Images) -> Cases:
    def test() -> Outcome:
        answer = cloud.listing(accept="application/xml")
        outcome = all_alike(answer, images, but=("links", "metadata", "name", "server"))
        if outcome.problem or answer.is_xml:
            return outcome
        return replace(outcome, problem=f"{answer.request} was answered in JSON")

    yield Case(test=test, known={JSON_ALONE: lambda outcome: "in JSON" in outcome.problem})


BEFORE_2_36: Final = Deviation(
    what="microversions that the cloud does not have are answered 406",
    until="2016.1",
    source="Nova api/openstack/wsgi.py; maxima in contract/releases.py",
)


@_check(
    "Do microversions up to 2.35 give the listing, and 2.36 and later 404?",
    "none = 2.1 = 2.35; 2.36 and latest: 404",
    shown_by="an endpoint of version v2.1",
    deviations=(BEFORE_2_36,),
)
def _m21(cloud: Cloud, images: Images) -> Cases:
    def asked(version: str) -> Answer:
        headers = [
            ("OpenStack-API-Version", f"compute {version}"),
            ("X-OpenStack-Nova-API-Version", version),
        ]
        return cloud.listing(headers=headers)

    def gone(version: str) -> Outcome:
        return status(asked(version), 404)

    if cloud.target.version != "v2.1":
        return
    yield Case(test=lambda: all_alike(asked("2.1"), images))
    yield Case(test=lambda: all_alike(asked("2.35"), images))
    for version in ("2.36", "latest"):
        known = {BEFORE_2_36: lambda outcome: "answered 406" in outcome.problem}
        yield Case(test=partial(gone, version), known=known)


GATEWAY: Final = Deviation(
    what="a gateway in front of Nova refuses with 401, 403 or 404",
    source="not recorded; vendors put gateways in front of Nova",
)


@_check(
    "Is another project in the URL refused?",
    "other project: 400, never 200",
    shown_by="an endpoint with a version",
    deviations=(GATEWAY,),
    needs_rest=False,
)
def _m22(cloud: Cloud, _: Images) -> Cases:
    if cloud.target.version is None:
        return
    base = f"{cloud.target.root}/{cloud.target.version}/{_OTHER_PROJECT}"
    yield Case(
        test=lambda: status(cloud.listing(base=base), 400),
        known={GATEWAY: lambda outcome: "answered 40" in outcome.problem},
    )


@_check(
    "Do two identical requests get the same answer?",
    "F = F asked again, order too, links aside",
    asks_again=True,
)
def _m23(cloud: Cloud, images: Images) -> Cases:
    yield Case(test=lambda: all_alike(cloud.listing(again=True), images, but=("links",)))


NO_DISK_CONFIG: Final = Deviation(
    what="OS-DCF:diskConfig is an extension, which may be off",
    until="2016.1",
    source="Nova 14.0.0 moves it into the core",
)


@_check(
    "Is each image consistent in itself, and the newest first?",
    "fields, types, status, progress, server, links and dates fit; created descends; no id twice",
    deviations=(NO_DISK_CONFIG,),
    needs_rest=False,
)
def _m24(cloud: Cloud, images: Images) -> Cases:
    release, all_ = cloud.target.release, cloud.listing()

    def first(problems: Callable[[Image], Iterator[str]]) -> Outcome:
        found = ((each, problem) for each in images for problem in problems(each))
        image, problem = next(found, (None, ""))
        if image is None:
            return Outcome(answer=all_, shows=bool(images))
        return Outcome(answer=all_, problem=f"an image {problem}", image=ref(image))

    newest = sorted(images, key=lambda each: str(each.get("created")), reverse=True)
    yield Case(test=partial(first, partial(_inconsistent, release=release)))
    yield Case(test=partial(first, _disk_config), known={NO_DISK_CONFIG: lambda _: True})
    yield Case(test=lambda: same(all_, newest, images))
    yield Case(test=lambda: same(all_, distinct_images(images), images))


def _inconsistent(image: Image, *, release: str | None) -> Iterator[str]:
    """Yield what is wrong with an image, whatever other images there are."""
    for name, promise in contract.FIELDS.items():
        if name not in image and contract.promises(name, release):
            yield f"lacks {name}"
        elif name in image and type(image[name]) not in promise.part_in(release).types:
            yield f"has another type of {name}: {contract.json_type(image[name])}"
    shown, progress = image.get("status"), image.get("progress")
    if shown not in _STATUSES:
        yield f"has the status {shown}, which Nova never sends"
    is_old = release is not None and not contract.reached(release, "essex")
    if progress not in _PROGRESS.get(str(shown), {0}) and not (is_old and progress == 0):
        yield f"has the status {shown} and the progress {progress}"
    if server_of(image) != metadata(image).get("instance_uuid"):
        yield "has another server than metadata.instance_uuid"
    for rel, href in hrefs(image).items():
        if href.rpartition("/")[2] != str(image["id"]):
            yield f"has a link to another image: {rel}"
    if str(image.get("updated") or "9") < str(image.get("created")):
        yield "was updated before it was created"


def _disk_config(image: Image) -> Iterator[str]:
    has, wanted = "OS-DCF:diskConfig" in image, "auto_disk_config" in metadata(image)
    if has != wanted:
        yield f"{'has' if has else 'lacks'} OS-DCF:diskConfig, unlike metadata.auto_disk_config"


@_check(
    "Does Glance have the same images?",
    "element = projection of Glance's image",
    shown_by="an image, and a catalog with the service image",
)
def _m25(cloud: Cloud, images: Images) -> Cases:
    def test(image: Image) -> Outcome:
        answer = cloud.get(f"/v2/images/{image['id']}", base=cloud.target.glance)
        found = answer.document if isinstance(answer.document, dict) else {}
        projected = {
            "id": found.get("id"),
            "name": found.get("name"),
            "status": _OF_GLANCE.get(str(found.get("status")), "UNKNOWN"),
            "minRam": found.get("min_ram"),
            "minDisk": found.get("min_disk"),
            "created": found.get("created_at"),
            "updated": found.get("updated_at"),
            "OS-EXT-IMG-SIZE:size": found.get("size") or 0,
        }
        wanted = {key: image[key] for key in projected if key in image}
        return alike(answer, {key: projected[key] for key in wanted}, wanted)

    if cloud.target.glance is not None:
        yield from (Case(test=partial(test, each)) for each in sample(images)[:3])


@_check("Is a compressed answer the same?", "F with Accept-Encoding: gzip = F")
def _m26(cloud: Cloud, images: Images) -> Cases:
    headers = [("Accept-Encoding", "gzip")]
    yield Case(test=lambda: all_alike(cloud.listing(headers=headers), images, but=("links",)))


@_check("Do self links lead to the image?", "GET self link = element")
def _m27(cloud: Cloud, images: Images) -> Cases:
    def test(image: Image) -> Outcome:
        href, here = hrefs(image).get("self", ""), origin(cloud.target.endpoint)
        if not is_url_of_http(href):
            return Outcome(answer=cloud.listing(), problem="an image has no self link")
        if origin(href) != here:
            raise NotAskedError("self links lead to another host, which the token is not sent to")
        answer = cloud.get(href.removeprefix(here), base=here)
        return alike(answer, element(answer), image)

    return (Case(test=partial(test, each)) for each in sample(images)[:3])


CHECKS: Final = (
    *(_m1, _m2, _m3, _m4, _m5, _m6, _m7, _m8, _m9, _m10, _m11, _m12, _m13, _m14),
    *(_m15, _m16, _m17, _m18, _m19, _m20, _m21, _m22, _m23, _m24, _m25, _m26, _m27),
)
"""All checks, in the order of their numbers."""
