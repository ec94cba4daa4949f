"""Redaction replaces whatever the gate refuses, or a cloud that shows it could not be recorded."""

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact import Secrets, redact
from pytest_imagedetail.redact.final_check import refuse_leaks

HEX = "0f" * 16
SECRETS = [
    "gAAAAABm" + "Zq-_" * 10,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2ln",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYB\n-----END PGP PRIVATE KEY BLOCK-----",
    "AKIAIOSFODNN7EXAMPLE",
    *("ghp_" + HEX, "github_pat_" + HEX, "glpat-" + HEX, "xoxb-" + HEX, "xoxe-" + HEX),
    *("npm_" + HEX, "pypi-Ag" + HEX, "hvs." + HEX, "AIza" + HEX + "abc", "sk_live_" + HEX),
    *("rk_live_" + HEX, "sk-proj-" + HEX, "sk-ant-" + HEX, "sk-" + HEX),
    "Basic " + base64.b64encode(b"user:password").decode(),
    "Basic " + base64.b64encode(b"\xffser:\x00\x01").decode(),
    *("Bearer " + HEX, "Negotiate " + HEX, "bearer é1234567"),
    *("https://u:p@h.corp.test/", "://u:p@h", "1://u:p@h", "mysql+x://u:p@db"),
    *("password=hunter2", "OS_PASSWORD=x", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG"),
    *(f"OS_TOKEN={HEX}", "OS_APPLICATION_CREDENTIAL_SECRET=x", f"token={HEX}", "api_key = x"),
    *(f"X-Auth-Token: {HEX}", f"curl -H 'X-Auth-Token: {HEX}' h", "Cookie: a=b", "x; Cookie: a=b"),
    *("<adminPass>Xy7</adminPass>", '<n:password a="b">x</n:password>', 'adminPass="Xy7"'),
    *("password: x", "#cloud-config\npassword: x\nchpasswd: {expire: false}", "--password=x"),
    *('{"password": "hunter"}', 'see {"hw_password_policy": "strict"}', "{'password': 'x'}"),
    *("'password':'x'", '{"my password of it": "x"}', "clientSecret=x", "password: 'a b'"),
    '{"name": "admin_password", "value": "hunter"}',
    '{"Key": "auth_token", "type": 3, "Value": "x-9"}',
    '{"value": "x\\"y", "b": "", "key": "auth_token"}',
    *('<input name="password" value="hunter">', "<input type=hidden value='x1' name=csrf_token>"),
    *('<meta name="csrf-token" content="x1" />', '<add key="Password" value="x"/>'),
    *("signing-key: x", "user=x pass=hunter2", "Authorization: Token 1", "x-csrf-token: a"),
]
HARMLESS = [
    *("token=", "password: ", "password: null", 'password: ""', "hw_password_policy=strict"),
    *("hw_password_policy: strict", "token: a short word", "token=bearer", "bypass=1", "pass=12"),
    *("password=***", "pwd=/home/user1", "secret: /run/secrets/x1", "nopassword=x", "compass: x1"),
    *("os_secret: none", "Vary: X-Auth-Token", "the password", "token == x1", "tokens: 12ab"),
    *("password=<redacted-1>", "token: <redacted-2>", "<password></password>"),
    "<token>word</token>",
    *('{"name": "os_type", "value": "linux"}', '{"name": "password", "value": ""}'),
    *('<input name="user" value="demo">', '<input name="password" value="">', '<a name="token">'),
    '{"name": "a secret", "value": "x"}',
    *("user_data=aGVsbG8gd29ybGQgYW5kIGFsbA==", "sk-learn-and-more-of-it", "eyJust.eyJust"),
]
WRITINGS = {
    "raw": str,
    "in a sentence": lambda text: f"set by {text}, thanks",
    "on a line": lambda text: f"first\n{text}\nlast",
    "indented": lambda text: f"a:\n  - {text}\n",
    "JSON": lambda text: json.dumps({"a": text}),
    "JSON in JSON": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "JSON in a text": lambda text: f"see {json.dumps({'a': json.dumps({'b': text})})} there",
    "percent": lambda text: quote(text, safe=""),
    "percent in a text": lambda text: f"at {quote(text)} there",
    "base64": lambda text: base64.b64encode(f"#! {text} ".encode()).decode(),
    "base64 in a text": lambda text: f"at {base64.b64encode(f'#! {text} '.encode()).decode()} now",
    "wrapped base64": lambda text: base64.encodebytes(f"{'x ' * 40}{text} ".encode()).decode(),
    "HTML": html.escape,
}  # fmt: skip


def recorded(text, body):
    """What would be written of an exchange with the text in it."""
    page = Interaction(
        url="https://nova.corp.test/v2/images/detail",
        response=Response(
            status_code=200, reason="OK", headers=Headers([("Vary", text)]), body=body.encode()
        ),
    )
    (kept,) = redact([page], cloud="a", secrets=Secrets()).interactions
    return kept.response.body, kept.response.headers["vary"].encode()


def refuses(data):
    try:
        refuse_leaks(data, secrets=(), where="")
    except LeakError:
        return True
    return False


@pytest.mark.parametrize("secret", SECRETS)
def test_the_gate_refuses_every_shape(secret):
    """In the middle of a text, as a value of JSON, and in JSON in JSON."""
    for text in (secret, f"a {secret} b", json.dumps({"a": secret})):
        assert refuses(text.encode()), text
        assert refuses(json.dumps({"metadata": {"description": text}}).encode()), text


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_what_the_gate_refuses_is_replaced(secret, writing):
    """However it is written: in an image's metadata, a body of plain text, and a header."""
    text = WRITINGS[writing](secret)
    for body in (json.dumps({"images": [{"metadata": {"a": text, text: "a"}}]}), text):
        for kept in recorded(text, body):
            assert not refuses(kept), kept


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    """Flags, paths and words after the same names; the gate lets them pass, too."""
    body = json.dumps({"images": [{"metadata": {"description": text}}]})
    assert recorded(text, body) == (body.encode(), text.encode())
    assert not refuses(body.encode())


words = st.lists(
    st.one_of(
        st.sampled_from([*SECRETS, *HARMLESS, *"\"'<>=:;,&\\/ \n-{}[]@", "://", "</a>", "%3D"]),
        st.sampled_from(["password", "token", "X-Auth-Token", "adminPass", "my_secret", "a", "é1"]),
        st.text(max_size=3),
    ),
    max_size=8,
).map("".join)


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(words)
def test_no_mixture_stops_a_recording(text):
    """Whatever stands beside what: what redaction leaves passes the gate."""
    text = text.encode("utf-8", errors="replace").decode()
    body = json.dumps({"images": [{"metadata": {"a": text}}]})
    for kept in recorded(text, body):
        assert not refuses(kept), kept
