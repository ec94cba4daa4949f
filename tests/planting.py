"""Write a secret in many encodings, and find it again, independently of the package."""

import base64
import binascii
import gzip
import hashlib
import html
import json
import textwrap
import zlib
from contextlib import suppress
from urllib.parse import quote, unquote

import yaml


def nested(text):
    """Put a text into JSON inside of a JSON text, as users do in metadata."""
    return json.dumps({"deep": json.dumps({"deeper": text})})


def across_lines(text):
    """Put a text where wrapped base64 breaks in the middle of it."""
    raw = text.encode()
    return b"#cloud-config".ljust(57 - len(raw) // 2, b"#") + raw + b"\nruncmd: [reboot]\n" * 4


def packed(text):
    """Compress a text between incompressible ones that are longer than a line."""
    noise = hashlib.sha512(text.encode()).hexdigest()
    return gzip.compress((noise + text + noise).encode(), mtime=0)


def wrapped(raw, *, end="\n", width=76):
    """Encode as MIME and `base64` do."""
    return end.join(textwrap.wrap(base64.b64encode(raw).decode(), width)) + end


WRITINGS = {
    "raw": lambda text: text,
    "in a sentence": lambda text: f"set by {text}, thanks",
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 behind one byte": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64 behind two bytes": lambda text: base64.b64encode(b"xy" + text.encode()).decode(),
    "urlsafe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "wrapped base64": lambda text: wrapped(across_lines(text)),
    "wrapped base64 in a text": lambda text: f"#!/bin/sh\nit is:\n{wrapped(across_lines(text))}.",
    "base64 wrapped by CRLF": lambda text: wrapped(across_lines(text), end="\r\n"),
    "base64 wrapped and indented": lambda text: wrapped(across_lines(text), end="\n    "),
    "wrapped gzip": lambda text: wrapped(packed(text)),
    "wrapped base64 in JSON": lambda text: nested(wrapped(across_lines(text))),
    "wrapped base64 in percent": lambda text: quote(wrapped(across_lines(text)), safe=""),
    "lines of base64": lambda text: json.dumps(wrapped(across_lines(text)).split()),
    "lines of gzip": lambda text: json.dumps({"content": wrapped(packed(text), width=60).split()}),
    "hex": lambda text: text.encode().hex(),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "JSON": json.dumps,
    "JSON in JSON": nested,
    "HTML": html.escape,
    "a URL's query": lambda text: f"https://nova.acme.example/x?token={quote(text, safe='')}&b=1",
    "a URL's user": lambda text: f"https://recorder:{quote(text, safe='')}@nova.acme.example/x",
}


def decodings(text, depth=4):
    """Yield a text and everything that it decodes to, some layers deep."""
    yield text
    if not depth:
        return
    found = {unquote(text), html.unescape(text), *blocks(text)}
    with suppress(ValueError):
        document = json.loads(text)
        found |= {*strings(document), *lines(document)}
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
        yield from decodings(each, depth - 1)


def blocks(text):
    """Yield the joined lines of blocks whose lines are one word each."""
    block = []
    for line in [*text.split("\n"), ""]:
        if len(line.split()) == 1:
            block.append(line.strip())
        elif block:
            yield "".join(block)
            block = []


def lines(document):
    """Yield the lists of texts in a document, each joined."""
    if isinstance(document, dict):
        for value in document.values():
            yield from lines(value)
    elif isinstance(document, list):
        if all(isinstance(each, str) for each in document):
            yield "".join(document)
        for value in document:
            yield from lines(value)


def _base64(word):
    return base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4))


def strings(document):
    """Yield every text in a document, keys included."""
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
    """Tell whether the bytes of a file contain a secret in any encoding."""
    text = content.decode()
    if secret in text:
        return True
    return any(
        secret in decoded for each in strings(yaml.safe_load(text)) for decoded in decodings(each)
    )
