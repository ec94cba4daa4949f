"""Documents like Nova's responses with one to four random changes, the same in each run."""

import copy
import random

UUIDS = ["5eed0017-0000-4000-8000-000000000017", "5EED0017-0000-4000-8000-000000000017"]
UUIDS += ["5eed0017000040008000000000000017", "{5eed0017-0000-4000-8000-000000000017}"]
UUIDS += ["urn:uuid:5eed0017-0000-4000-8000-000000000017"]
UUIDS += ["uuid:5eed0017-0000-4000-8000-000000000017", "5-e-e-d-0-0-1-7000040008000000000000017"]
UUIDS += ["5eed0017-0000-4000-8000-00000000001", "5eed0017-0000-4000-8000-0000000000177"]
UUIDS += ["5eed0017-0000-4000-8000-000000000017 ", "5eed0017-0000-4000-8000-000000000017\n"]
UUIDS += ["5eed0017_0000_4000_8000_000000000017", "\uff15eed0017-0000-4000-8000-000000000017"]
UUIDS += ["{{5eed0017000040008000000000000017", "0x5eed0017000040008000000000000017", "web-1"]
UUIDS += ["web 1", "1361"]
DATES = ["2024-01-17T08:00:00Z", "2024-01-17T08:00:00", "2024-01-17T08:00:00.123456Z"]
DATES += ["2024-01-17T08:00:00,5+09:00", "2024-01-17T08:00:00+0900", "2024-01-17 08:00"]
DATES += ["2024-01-17", "20240117T080000Z", "2024-W03-3", "2024-02-30T00:00:00Z"]
DATES += ["2024-01-17T24:00:00Z", "2024-01-17T08:00:00+25:00", "0000-01-01T00:00:00Z", "2024"]
DATES += ["2024-01-17T08:00:00Z\n", " 2024-01-17T08:00:00Z"]
DATES += ["\uff12\uff10\uff12\uff14-01-17T08:00:00Z", "yesterday", "1705478400"]
URLS = ["http://127.0.0.1:8774/v2.1/images/5eed0017-0000-4000-8000-000000000017"]
URLS += ["https://nova_api.example:443/a?b=c#d", "http://[fe80::1]:8774/v2.1"]
URLS += ["http://[fe80::1%25eth0]/v2.1", "http://[fe80::1%eth0]/v2.1", "http://[::1/v2.1"]
URLS += ["http://256.1.1.1/", "http://1.1.1.1:99999/", "http://1.1.1.1:999999/"]
URLS += ["http://host:port/", "http://user:password@host/", "http://größe.example/ü"]
URLS += ["http://host/a b", "http://host/{5eed}", "http://host/%zz", "http://host/?a=[1]"]
URLS += ["http://host/\n", "http:///path", "http://", "http:path"]
URLS += ["urn:uuid:5eed0017-0000-4000-8000-000000000017", "//host/path", "/v2.1/images", "images"]
URLS += ["1http://host/"]
NAMES = ["größe", "app.kubernetes.io/name", "libstdc++", "a@b", "x" * 255, "x" * 256, "org:name"]
NAMES += ["os.name_1-2 ", "trailing\n", "line\nbreak", "tab\t", "it's", 'say "so"', "back\\slash"]
NAMES += ["{brace}", "%(percent)s", "😀", "\uff46\uff55\uff4c\uff4c", "", " ", "-"]
ANYTHING = [None, True, False, 0, 1, -1, 25, 50, 100, -2, 25.0, -0.5, 0.5, 1e300, 2**63, [], {}]
ANYTHING += ["", "x", "-5", "1.5", "ACTIVE", "active", "AUTO", "self", "next", "alternate", ["x"]]
ANYTHING += [{"x": 1}, float("nan"), float("inf"), float("-inf")]
BY_NAME = {
    "id": UUIDS,
    "instance_uuid": UUIDS,
    "created": DATES,
    "updated": [*DATES, None],
    "href": URLS,
    "rel": ["self", "bookmark", "alternate", "next"],
    "type": ["application/vnd.openstack.image", "application/json"],
    "status": ["ACTIVE", "SAVING", "DELETED", "ERROR", "UNKNOWN", "QUEUED", "active", ""],
    "progress": [0, 25, 50, 75, 100, 100.0, -1],
    "minRam": [0, 64, -1, -2, 0.0, 2**31 - 1],
    "minDisk": [0, 1, -1, -0.5, 2**53 + 1],
    "OS-EXT-IMG-SIZE:size": [0, -1, 2**63, 1.0, 1.5],
    "OS-DCF:diskConfig": ["AUTO", "MANUAL", "DISABLED"],
}
ADDED = {
    "server": {
        "id": UUIDS[0],
        "links": [{"rel": "self", "href": URLS[0]}, {"rel": "bookmark", "href": URLS[0]}],
    },
    "OS-DCF:diskConfig": "AUTO",
    "images_links": [{"rel": "next", "href": URLS[0]}],
    "vendor:flag": True,
    "type": "application/vnd.openstack.image",
}


def mutated(bodies, count, *, seed):
    """Yield changed documents with up to three images; a few are other values."""
    chance = random.Random(seed)
    for number in range(count):
        if number % 500 == 0:
            yield chance.choice(ANYTHING)
            continue
        document = copy.deepcopy(bodies[number % len(bodies)])
        document["images"] = document["images"][: chance.randint(0, 3)] or document["images"][:1]
        for _ in range(chance.randint(1, 4)):
            _mutate(document, chance)
        yield document


def _mutate(document, chance):
    """Choose an object or list anywhere, and change it."""
    part = chance.choice(list(_containers(document)))
    if isinstance(part, list):
        change = chance.choice([_drop, _drop, _double, _reverse, _replace])
    else:
        change = chance.choice([_replace, _replace, _replace, _drop, _add, _add])
    change(part, chance)


def _containers(value):
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _containers(each)


def _drop(part, chance):
    if part:
        del part[chance.choice(_places(part))]


def _double(part, chance):
    if part:
        part.append(copy.deepcopy(chance.choice(part)))


def _reverse(part, _):
    part.reverse()


def _replace(part, chance):
    if part:
        place = chance.choice(_places(part))
        wild = chance.random() < 0.3 or place not in BY_NAME
        part[place] = copy.deepcopy(chance.choice(ANYTHING if wild else BY_NAME[place]))


def _add(part, chance):
    if chance.random() < 0.5:
        name = chance.choice(list(ADDED))
        part[name] = copy.deepcopy(ADDED[name])
    else:
        part[chance.choice(NAMES)] = copy.deepcopy(chance.choice(ANYTHING))


def _places(part):
    return list(part) if isinstance(part, dict) else list(range(len(part)))
