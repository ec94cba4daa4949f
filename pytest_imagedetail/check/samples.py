"""Choose the images and values that the checks ask for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_imagedetail.model import Image

Images = Sequence[Image]


def ids(images: Images) -> list[Any]:
    """Return the ids of images, in order."""
    return [each["id"] for each in images]


def distinct(values: Iterable[Any], most: int = 5) -> list[Any]:
    """Return the first `most` distinct values."""
    return list(dict.fromkeys(values))[:most]


def having(images: Images, key: str, value: object) -> Images:
    """Return the images with a value in a field."""
    return [each for each in images if each.get(key) == value]


def tagged(images: Images, key: str, value: object) -> Images:
    """Return the images with a value in their metadata."""
    return [each for each in images if metadata(each).get(key) == value]


def sample(images: Images) -> Images:
    """Return the first image of each status, and the first snapshot."""
    firsts = {str(each.get("status")): each for each in reversed(images)}
    snapshots = [each for each in images if "server" in each][:1]
    return distinct_images([*firsts.values(), *snapshots])


def distinct_images(images: Images) -> Images:
    """Return images without repeated ids."""
    return list({each["id"]: each for each in images}.values())


def metadata(image: Image) -> dict[str, Any]:
    """Return the metadata of an image; {} if it has none."""
    found = image.get("metadata")
    return found if isinstance(found, dict) else {}


def image_type(image: Image) -> Any:
    """Return the type in the metadata of an image, or None."""
    return metadata(image).get("image_type")


def server_of(image: Image) -> str | None:
    """Return the id of the server that an image was made from, or None."""
    server = image.get("server")
    found = server.get("id") if isinstance(server, dict) else None
    return found if isinstance(found, str) else None


def collated(images: Images, of: Callable[[Image], object], text: str) -> Images:
    """Return the images with a text that MySQL treats as equal to `text`."""
    values = [(image, of(image)) for image in images]
    return [each for each, its in values if isinstance(its, str) and _folded(its) == _folded(text)]


def _folded(text: str) -> str:
    return text.casefold().rstrip()


def filters_of(image: Image) -> dict[str, str]:
    """Return the filters by name, server, status and type that select an image."""
    found = {
        "name": image.get("name"),
        "server": server_of(image),
        "status": image.get("status"),
        "type": image_type(image),
    }
    return {key: text for key, text in found.items() if isinstance(text, str) and text}


def selected(images: Images, filters: Mapping[str, str]) -> tuple[Images, Images]:
    """Return the images that match all filters exactly, and those that match in MySQL."""
    exact, folded = [], []
    for image in images:
        own = filters_of(image)
        if all(own.get(key) == text for key, text in filters.items()):
            exact.append(image)
        if all(_folded(own.get(key, "")) == _folded(text) for key, text in filters.items()):
            folded.append(image)
    return exact, folded


def moment_of(image: Image) -> datetime | None:
    """Return when an image was updated; None if that is not a date."""
    try:
        found = datetime.fromisoformat(str(image.get("updated")))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def moments(images: Images) -> list[datetime]:
    """Return an update time, a third of the way up, with the seconds before and after it."""
    found = sorted(filter(None, map(moment_of, images)))
    return [found[len(found) // 3] + timedelta(seconds=n) for n in (-1, 0, 1)] if found else []
