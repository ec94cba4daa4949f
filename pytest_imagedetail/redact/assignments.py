"""Find the values that free text assigns to the names of secrets and owners."""

import re
from collections.abc import Callable
from typing import Final

from pytest_imagedetail.redact import names, placeholders, table
from pytest_imagedetail.redact.urls import SCHEME

# `Authorization: Basic dTpw`: the value may have several words.
_HEADER: Final = re.compile(
    r"(?i)(?a:(?<![\w-]))((?:proxy-)?authorization|(?:set-)?cookie2?|openstack-auth-receipt"
    r"|x-[\w-]+-(?:token|key))[ \t]*:[ \t]*"
)
# Up to a quoted assignment: `OAuth oauth_token="..."`.
_HEADER_VALUE: Final = re.compile(
    r"(?:(?!(?<![\w.-])[A-Za-z][\w.-]{1,63}+[ \t]*+[:=][ \t]*+\\*[\"'])[^\r\n\"'<>\\])+"
)
_SPACE: Final = r"[^\S\r\n]"
_QUOTE: Final = r"(?:\\*[\"']|&(?:quot|apos|#3[49]|#x2[27]);)"  # also escaped: `\\"`, `&quot;`
_PREFIX: Final = r"[bBfFlLrRuU@$]{0,2}"  # of a string: `u'...'`, `$'...'`
# `str | None =` in `password: str | None = "..."`
_TYPE: Final = rf"(?:[A-Za-z.&?<>\[\]]|{_SPACE}\|{_SPACE})+{_SPACE}+=(?={_SPACE}*{_PREFIX}{_QUOTE})"
# `password=`, `-Dpassword=`, `"password": `, `password => `, `password: str = `, `passwords = [`
_ASSIGNED: Final = re.compile(
    r"(?a:(?<![\w.-]))(?:-D?)?([A-Za-z][\w.-]{1,63}+)"
    rf"(?:\\*|{_QUOTE}){_SPACE}*+(?:[?+|:]{{0,2}}=(?!=)>?|:{_SPACE}*{_TYPE}"
    rf"|:(?={_SPACE}|{_QUOTE}|(?:[\da-fA-F]-?){{32}})){_SPACE}*+(?:[\[(]{_SPACE}*+)?"
)
_TAG: Final = r"[&!][\w!:/.,<>-]+[ \t]+"  # of YAML, or an anchor: `!vault `, `&a `
_STRING: Final = r"\"[^\"\r\n]{1,200}\"|'[^'\r\n]{1,200}'"
_ARGUMENTS: Final = rf"(?:[^()\"'\r\n]|{_STRING}){{0,100}}+"
# `new String("...")`, `os.environ.get("A", "...")`, `hash("a")("b")`
_CALL: Final = rf"(?:new[ \t]+)?[\w.]+\({_ARGUMENTS}(?:\({_ARGUMENTS}\){_ARGUMENTS})?\)"
# Of a value without quotes, which ends before `, b=...`, `&b=...` and the like.
_CHARACTER: Final = rf"(?:[^\s\"'<>&;\\,]|,(?!\s|$|[\w.-]+=|{SCHEME})|&(?!\s|$|#?[\w.%+-]+[=;]))"
_ASSIGNED_VALUE: Final = re.compile(
    rf"(?:{_TAG})*[|>][-+\d]*[ \t]*(?:#.*)?\s*\n"  # a block of YAML, after `|`
    r"(?P<indent>[ \t]+)(?P<block>.*(?:\s*\n(?P=indent).*)*)"
    rf"|{_PREFIX}(?P<quote>(?P<long>\"{{3}}|'{{3}})|{_QUOTE})"
    r"((?:(?P=quote){2}|(?!(?P=quote))(?:\\.|[^\r\n]|(?(long)\s|(?!))))+)"
    rf"|(?P<bare>(?!{placeholders.SECRET_IN_URL}[/?#]|\{{(?:[{{%]?(?:\s|\Z)|[\w\"']+:))"
    rf"(?:(?i:basic|bearer)[ \t]+|{_TAG})*(?:{_STRING}|(?:{_CALL}|{_CHARACTER}){_CHARACTER}*))"
)
# `--password S`, `--password=S`
_OPTION: Final = re.compile(r"(--[\w-]{2,64})(?:=|[ \t]+)(?!-)")
_OPTION_VALUE: Final = re.compile(r"\"([^\"]++)(?=\")|'([^']++)(?=')|[^\s\"'<>]+")
_ID: Final = rf"(?:{_PREFIX}{_QUOTE})?[\da-fA-F-]{{32,}}+"
# `user_id: ID`, `projects=['ID', 'ID']`, `user:ID`
_OWNER: Final = re.compile(rf"(?:\w+[(:])?({_ID}(?:{_QUOTE}?,{_SPACE}*+{_ID})*)(?![\w-]|\.\w)")


def _is_header_prose(_: re.Match[str], value: re.Match[str]) -> bool:
    """Recognize `cookie: see the docs`."""
    words = re.split(r"[\s.,:;)]+", value[0].rstrip(" .,:;)"))
    return all(word.isalpha() and (word.islower() or word.istitle()) for word in words)


def _is_assigned_prose(head: re.Match[str], value: re.Match[str]) -> bool:
    """Recognize `password: required`."""
    is_bare = value.lastgroup == "bare" and ":" in head[0]
    return is_bare and value[0].rstrip(".)").replace(" ", "").isalpha()


def _is_option_prose(head: re.Match[str], value: re.Match[str]) -> bool:
    """Recognize `use --password to set a password`."""
    return value[0].rstrip(".,:;)") in table.PROSE and not head[0].endswith("=")


_FORMS: Final = (  # signs that a text may have one, name, value, whether it is none
    ((":",), _HEADER, _HEADER_VALUE, _is_header_prose),
    (("=", ":"), _ASSIGNED, _ASSIGNED_VALUE, _is_assigned_prose),
    (("--",), _OPTION, _OPTION_VALUE, _is_option_prose),
)


def replace_assigned(text: str, replace: Callable[[str, str, bool], str]) -> str:
    """Pass values assigned to the names of secrets and owners through `replace`.

    These are lines of headers, assignments such as `name=value` and `name: "value"`, and options.
    The value of an ordinary name may hold further assignments. `replace` takes the name, the
    value, and whether the value may be a secret; otherwise it is part of a sentence.
    """
    for signs, name, value, is_prose in _FORMS:
        if not any(map(text.__contains__, signs)):
            continue
        pieces, end = [], 0
        for head in name.finditer(text):
            is_secret = names.names_secret(head[1])
            if head.start() < end or not (is_secret or names.names_owner(head[1])):
                continue
            if match := (value if is_secret else _OWNER).match(text, head.end()):
                assigned = match[match.lastindex or 0]
                new = replace(head[1], assigned, is_secret and not is_prose(head, match))
                pieces += [text[end : match.end() - len(assigned)], new]
                end = match.end()
        text = "".join([*pieces, text[end:]])
    return text
