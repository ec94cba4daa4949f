"""Choose the images and values that the checks ask for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_imagedetail.check.asking import PROPERTY
from pytest_imagedetail.model import Image

Images = Sequence[Image]
Filters = Mapping[str, object]


def ids(images: Images) -> list[Any]:
    """Return the ids of images, in order."""
    return [image["id"] for image in images]


def distinct(values: Iterable[Any], most: int = 5) -> list[Any]:
    """Return the first `most` distinct values."""
    return list(dict.fromkeys(values))[:most]


def selected(images: Images, filters: Filters, fold: Callable[[Filters], Filters] = dict) -> Images:
    """Return the images that filters select if `fold` is applied to both before they compare."""
    wanted = fold(filters).items()
    return [image for image in images if wanted <= fold(filters_of(image)).items()]


def collated(filters: Filters) -> Filters:
    """Return filters with their texts as MySQL compares them."""
    return {
        name: value.casefold().rstrip() if isinstance(value, str) else value
        for name, value in filters.items()
    }


def filters_of(image: Image) -> dict[str, object]:
    """Return all filters that select an image."""
    texts = {
        "name": image.get("name"),
        "server": server_of(image),
        "status": image.get("status"),
        "type": metadata(image).get("image_type"),
    }
    return {
        **{name: text for name, text in texts.items() if isinstance(text, str) and text},
        **{name: image.get(name) for name in ("minRam", "minDisk")},
        **{PROPERTY + key: value for key, value in metadata(image).items()},
    }


def sample(images: Images) -> Images:
    """Return the first image of each status, and the first snapshot."""
    firsts = {str(image.get("status")): image for image in reversed(images)}
    snapshots = [image for image in images if "server" in image][:1]
    return distinct_images([*firsts.values(), *snapshots])


def distinct_images(images: Images) -> Images:
    """Return images without repeated ids."""
    return list({image["id"]: image for image in images}.values())


def metadata(image: Image) -> dict[str, Any]:
    """Return the metadata of an image; {} if it has none."""
    value = image.get("metadata")
    return value if isinstance(value, dict) else {}


def server_of(image: Image) -> str | None:
    """Return the id of the server that an image was made from, or None."""
    server = image.get("server")
    server_id = server.get("id") if isinstance(server, dict) else None
    return server_id if isinstance(server_id, str) else None


def moment_of(image: Image) -> datetime | None:
    """Return when an image was updated; None if that is not a date."""
    try:
        moment = datetime.fromisoformat(str(image.get("updated")))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def moments(images: Images) -> list[datetime]:
    """Return an update time, a third of the way up, with the seconds before and after it."""
    times = sorted(filter(None, map(moment_of, images)))
    return [times[len(times) // 3] + timedelta(seconds=n) for n in (-1, 0, 1)] if times else []
