"""Tests through the public names of each folder, without files and network. Here: builders."""

import copy
import json

from pytest_imagedetail.listing import Listing, read
from pytest_imagedetail.model import Headers, Interaction, Provenance, Query, Recording, Response

PROJECT = f"{0:032x}"
OTHER_PROJECT = f"{1:032x}"


def interaction_of(url, body=b"", status=200, *, headers=(), sent=(), **more):
    """Build a request, with the headers `sent`, and its response; a body may be a JSON value."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    response = Response(status_code=status, headers=Headers(headers), body=body)
    return Interaction(url=url, request_headers=Headers(sent), response=response, **more)


JSON = (("Content-Type", "application/json"),)


def recording_of(*bodies, cloud="a", query="", status=200, headers=JSON, sent=(), **facts):
    """Build a recording whose pages have these bodies."""
    provenance = Provenance(cloud=cloud, query=Query.parse(query), pages=len(bodies), **facts)
    url = f"https://compute.{cloud}.invalid/v2/{PROJECT}/images/detail"
    pages = (interaction_of(url, body, status, headers=headers, sent=sent) for body in bodies)
    return Recording(provenance=provenance, interactions=tuple(pages))


def listing_of(*images, beside=None, **facts) -> Listing:
    """Build a listing of these images; it is whole unless the facts say otherwise."""
    return read(recording_of({"images": list(images), **(beside or {})}, **facts))


def error_of(message="no", status=400, **facts) -> Listing:
    body = {"badRequest": {"code": status, "message": message}}
    return read(recording_of(body, status=status, **facts), expect=status)


def image_of(number=1, cloud="a", project=PROJECT, **fields):
    """Build an image detail as Nova sends it and redaction leaves it."""
    id_ = f"70a599e0-{number:04d}-4b49-8b26-{number:012d}"
    compute, glance = f"https://compute.{cloud}.invalid", f"https://image.{cloud}.invalid"
    image = {
        "id": id_,
        "name": f"image {number}",
        "status": "ACTIVE",
        "progress": 100,
        "minRam": 0,
        "minDisk": 0,
        "created": "2024-01-15T08:00:00Z",
        "updated": "2024-01-15T08:05:30Z",
        "metadata": {"architecture": "x86_64"},
        "links": [
            {"rel": "self", "href": f"{compute}/v2/{project}/images/{id_}"},
            {"rel": "bookmark", "href": f"{compute}/{project}/images/{id_}"},
            {
                "rel": "alternate",
                "type": "application/vnd.openstack.image",
                "href": f"{glance}/images/{id_}",
            },
        ],
        "OS-EXT-IMG-SIZE:size": 1000 + number,
    }
    return image | fields


def snapshot_of(number=1, server="9168b536-cd40-4630-b43f-b259807c6e87", **fields):
    """Build an image taken from a server."""
    image = image_of(number, **fields)
    image["metadata"] = {**image["metadata"], "instance_uuid": server}
    base = "https://compute.a.invalid"
    image["server"] = {
        "id": server,
        "links": [
            {"rel": "self", "href": f"{base}/v2/{PROJECT}/servers/{server}"},
            {"rel": "bookmark", "href": f"{base}/{PROJECT}/servers/{server}"},
        ],
    }
    return image


def changed(image, *path, to):
    new = copy.deepcopy(image)
    place = new
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return new


def without(image, *path):
    new = copy.deepcopy(image)
    place = new
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return new
