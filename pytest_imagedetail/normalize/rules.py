"""The rules of normalization, as data: what each does, why, and the source of the reason."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from pytest_imagedetail.settings import PROFILES


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizationRule:
    """One change of representation; `counts` names what is counted, if anything."""

    id: str
    name: str
    does: str
    reason: str
    source: str
    profile: str
    counts: str | None = None


RULES: Final = (
    NormalizationRule(
        id="R1",
        name="images by id",
        does="images are paired by id, and their order is compared separately; the image's own "
        "id at the end of a link becomes `<id>`, its server's `<server>`",
        reason="the id is already compared as a field; any other id in a link is kept",
        source="Nova views/images.py: the id is the last segment of all three links; deepdiff's "
        "ignore_order pairs other images",
        profile="same-cloud",
        counts="links",
    ),
    NormalizationRule(
        id="R2",
        name="link host",
        does="the cloud's own hosts become `<compute>` or `<image>` wherever they occur. Kept in "
        "links: the host of another service, and a Compute host that is not the first link's. "
        "Kept everywhere: another scheme or port, and any host that is not the cloud's. "
        "`wire` only removes the cloud's name",
        reason="hosts come from the request or a configured prefix and are the same for all "
        "images; Nova picks one of several Glance hosts at random; the placeholder of an "
        "own host contains the cloud's name",
        source="Nova views/images.py, options compute_link_prefix and glance_link_prefix, and "
        "image/glance.py (get_api_servers shuffles)",
        profile="same-cloud",
        counts="links",
    ),
    NormalizationRule(
        id="R3",
        name="project in links",
        does="the caller's project becomes `<project>`; any other project is kept",
        reason="the project is the caller's, not the image's",
        source="Nova wsgi.Request.application_url",
        profile="same-cloud",
        counts="links",
    ),
    NormalizationRule(
        id="R4",
        name="spelling of a body",
        does="white space, escapes and the order of keys are lost when a body is parsed",
        reason="RFC 8259 gives them no meaning",
        source="mimic's listings in two key orders; openstack4j's with escaped slashes",
        profile="wire",
    ),
    NormalizationRule(
        id="R5",
        name="volatile fields",
        does="the next link loses its host, the page size of the request, and a marker that names "
        "an image of this answer",
        reason="the next link repeats the host, page size and marker of the request",
        source="Nova api/openstack/common.py, _get_collection_links",
        profile="same-cloud",
        counts="answers",
    ),
    NormalizationRule(
        id="R6",
        name="link order",
        does="links are keyed by relation; a repeated relation is kept",
        reason="clients find links by relation; their order is not promised",
        source="Nova api-ref; Cactus sent two bookmarks",
        profile="same-cloud",
        counts="lists of links",
    ),
    NormalizationRule(
        id="R7",
        name="version in links",
        does="`/v1.1`, `/v2`, `/v2.0` and `/v2.1` become `<v>`, and a path prefix before them "
        "`<prefix>`",
        reason="answers under /v1.1, /v2 and /v2.1 are otherwise the same",
        source="HP Cloud 2012 recorded under /v1.1 and /v2; Nova serves /v2 with the code of v2.1",
        profile="cross-version",
        counts="links",
    ),
    NormalizationRule(
        id="R8",
        name="project presence in links",
        does="prefix and project are removed from links; the forms of links are compared once "
        "for the answer",
        reason="Havana, Kilo and microversion 2.18 changed the form; it is reported once, not for "
        "each image",
        source="Nova e516de74c1 (bug 1343080) and 2.18",
        profile="cross-version",
        counts="links",
    ),
    NormalizationRule(
        id="R9",
        name="date form",
        does="`created` and `updated` are converted to UTC, to the second; what is not a date is "
        "kept",
        reason="offset, zone letter and fraction are ways to write the same second",
        source="Cloud Servers 1.0 sends -05:00, Cyclades +00:00, Glance v1 fractions",
        profile="cross-version",
        counts="dates",
    ),
    NormalizationRule(
        id="R10",
        name="XML answers",
        does="an answer in XML to a request for XML is compared by its values; in its metadata, "
        "the text `None` becomes null",
        reason="XML has no numbers and no null, so Nova writes both as text",
        source="Nova 2012.2, one sample in both forms: they differ in one null, `None` in XML",
        profile="cross-version",
        counts="integers and nulls",
    ),
    NormalizationRule(
        id="R11",
        name="known absence",
        does="a field or alternate link that a declared release never had is reported as not "
        "offered; it is still a difference",
        reason="only a field that existed can be lost; the release must be declared and is never "
        "inferred",
        source="Nova: size since Grizzly, alternate link, minRam and minDisk since Essex",
        profile="cross-version",
        counts="fields of images",
    ),
    NormalizationRule(
        id="R12",
        name="identity across clouds",
        does="images are paired by id (a numeric id only together with the name), then by a name "
        "that is unique on both sides, then by name and size",
        reason="each cloud gives the same image an id of its own; ambiguous images stay unpaired",
        source="images/detail has no checksum; real listings hold namesakes (openstack4j)",
        profile="cross-cloud",
        counts="images not paired by id",
    ),
    NormalizationRule(
        id="R13",
        name="ids in values",
        does="the image's own id becomes `<id>`; a reference to a paired image gets the "
        "baseline's id; the id of a server, or of an image that is not in the answer, "
        "becomes the first place where it occurs, `<server of images[2]>`, so two ids stay "
        "different; UUIDs, UUIDs without dashes and numbers are kept apart, and what is not "
        "an id is kept",
        reason="each cloud gives the same image and its server ids of its own",
        source="Nova writes base_image_ref, instance_uuid, kernel_id and ramdisk_id",
        profile="cross-cloud",
        counts="ids",
    ),
    NormalizationRule(
        id="R14",
        name="owner in metadata",
        does="the caller's project becomes `<project>`; any other project or user becomes the "
        "first place where it occurs, `<user_id of images[2]>`, so two owners stay "
        "different",
        reason="each cloud has its own project and user ids; which images share one can be "
        "compared",
        source="Nova writes owner_id, user_id and project_id into snapshots",
        profile="cross-cloud",
        counts="owners",
    ),
    NormalizationRule(
        id="R15",
        name="vendor namespaces",
        does="the metadata of a vendor that one side lacks is not compared; its keys are listed",
        reason="a vendor's metadata can only be compared with that of the same vendor",
        source="Rackspace com.rackspace__1__* and rax_*, HP hp_*, GMO gnc_*, K5 sync_status*",
        profile="cross-cloud",
        counts="metadata keys",
    ),
)


@cache
def rules_in(profile: str) -> tuple[NormalizationRule, ...]:
    """Return the rules that a profile applies: its own and those of all narrower profiles."""
    applied = PROFILES[: PROFILES.index(profile) + 1]
    return tuple(rule for rule in RULES if rule.profile in applied)
