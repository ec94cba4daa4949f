"""Encode secrets in many ways, and find them in files, independently of the package."""

import base64
import binascii
import gzip
import html
import json
import re
import zlib
from contextlib import suppress
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import yaml


def nested(text):
    """Put a text into JSON in a JSON string, as users do in metadata."""
    return json.dumps({"deep": json.dumps({"deeper": text})})


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


WRITINGS = {
    "raw": str,
    "in a sentence": lambda text: f"set by {text}, thanks",
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "every character percent": lambda text: "".join(f"%{each:02x}" for each in text.encode()),
    "lower-case percent": lambda text: re.sub("%..", lambda each: each[0].lower(), quote(text)),
    "form": quote_plus,
    "form in JSON": lambda text: json.dumps({"sent": f"a=1&b={quote_plus(text)}"}),
    "entities": html.escape,
    "entities in a sentence": lambda text: f"<p>set by {html.escape(text)}, thanks",
    "every character an entity": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "JSON": json.dumps,
    "JSON in JSON": nested,
    "every character JSON": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "base64": base64_of,
    "base64 behind one byte": lambda text: base64_of(f"x{text}"),
    "base64 in a word": lambda text: f"x/{base64_of(text)}",
    "urlsafe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "wrapped base64": lambda text: base64.encodebytes(b"#" * 50 + text.encode()).decode(),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "a URL's query": lambda text: f"https://nova.acme.example/x?token={quote(text, safe='')}&b=1",
    "a URL's user": lambda text: f"https://recorder:{quote(text, safe='')}@nova.acme.example/x",
}


def decodings(text, depth=4):
    """Yield a text and everything that it decodes to, up to some depth."""
    yield text
    if not depth:
        return
    found = {unquote(text), unquote_plus(text), html.unescape(text), *blocks(text)}
    with suppress(ValueError):
        document = json.loads(text)
        found |= {*strings(document)}
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
    """Yield each block of one-word lines as one word, such as wrapped base64."""
    block = []
    for line in [*text.split("\n"), ""]:
        if len(line.split()) == 1:
            block.append(line.strip())
        elif block:
            yield "".join(block)
            block = []


def _base64(word):
    return base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4))


def strings(document):
    """Yield every string in a document, including keys."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield str(key)
            yield from strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)
    elif isinstance(document, bytes):
        yield document.decode("utf-8", errors="replace")
        with suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(document).decode("utf-8", errors="replace")
    else:
        yield str(document)


def is_in(secret, content):
    """Return whether a file contains a secret in any encoding."""
    text = content.decode()
    found = (decoded for each in strings(yaml.safe_load(text)) for decoded in decodings(each))
    return secret in text or any(secret in each for each in found)
