"""How a secret can be written, and an oracle that finds it; it knows nothing of the gate."""

import base64
import binascii
import gzip
import html
import json
import zlib
from contextlib import suppress
from urllib.parse import quote, unquote

import yaml


def nested(text):
    """As JSON inside of a JSON text, as people keep it in metadata."""
    return json.dumps({"deep": json.dumps({"deeper": text})})


WRITINGS = {
    "raw": lambda text: text,
    "in a sentence": lambda text: f"set by {text}, thanks",
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 behind one byte": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64 behind two bytes": lambda text: base64.b64encode(b"xy" + text.encode()).decode(),
    "urlsafe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "JSON": json.dumps,
    "JSON in JSON": nested,
    "HTML": html.escape,
    "a URL's query": lambda text: f"https://nova.acme.example/x?token={quote(text, safe='')}&b=1",
    "a URL's user": lambda text: f"https://recorder:{quote(text, safe='')}@nova.acme.example/x",
}


def readings(text, depth=4):
    """A text and all that it may be read as, some layers down."""
    yield text
    if not depth:
        return
    found = {unquote(text), html.unescape(text)}
    with suppress(ValueError):
        found |= set(strings(json.loads(text)))
    for word in {text, *text.replace('"', " ").replace("=", " = ").split()}:
        for decode in (_base64, bytes.fromhex):
            try:
                raw = decode(word)
            except (ValueError, binascii.Error):
                continue
            for unpack in (bytes, gzip.decompress):
                try:
                    found.add(unpack(raw).decode("utf-8", errors="replace"))
                except (OSError, EOFError, zlib.error):
                    continue
    for each in found - {text}:
        yield from readings(each, depth - 1)


def _base64(word):
    return base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4))


def strings(document):
    """Every text in a document, keys too."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield str(key)
            yield from strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)
    elif isinstance(document, bytes):
        yield document.decode("utf-8", errors="replace")
    else:
        yield str(document)


def is_in(secret, content):
    """Whether the bytes of a file hold a secret in any form."""
    text = content.decode()
    if secret in text:
        return True
    return any(
        secret in reading for each in strings(yaml.safe_load(text)) for reading in readings(each)
    )
