"""Redaction by example: what is replaced, by what, and what stays.

In a row, «x» is a secret that becomes `<redacted>`; the rest stays. OTHER is another project.
"""

import base64
import gzip
import html
import json
import re
import uuid
from dataclasses import replace

import pytest

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.model import Headers, Query
from pytest_imagedetail.redact import (
    Known,
    learn,
    placeholders,
    redact,
    redact_query,
    table,
)
from pytest_imagedetail.redact.final_check import refuse_leaks
from pytest_imagedetail.redact.placeholders import owner
from tests.unit import interaction_of

PROJECT = "6f70656e737461636b20342065766572"
OTHER = "0f0f656e737461636b20342065766572"
IMAGE = "1a2b656e737461636b20342065766572"
ENDPOINT = f"http://nova.acme.example:8774/v2/{PROJECT}"
OWN = "https://compute.a.invalid/v2/00000000000000000000000000000000"
KNOWN = Known(
    project=PROJECT,
    origins={
        "http://nova.acme.example:8774": "compute",
        "http://glance.acme.example:9292": "image",
    },
)
FERNET = "gAAAAABm" + "Zq-_" * 10


def page(body, *, url=f"{ENDPOINT}/images/detail", **parts):
    """Build an interaction with a body, as JSON unless it is bytes."""
    return interaction_of(url, body if isinstance(body, bytes) else json.dumps(body), **parts)


def redacted(*pages, known=KNOWN, **more):
    return redact(pages, cloud="a", known=known, **more).interactions[-1]


def body_of(body, **more):
    return redacted(page(body), **more).response.body.decode("latin-1")


def value_of(value, name="note", **more):
    document = json.loads(body_of({"images": [{"metadata": {name: value}}]}, **more))
    return document["images"][0]["metadata"][name]


def sent(row):
    """Return a row as the cloud sends it."""
    return re.sub("[«»]", "", row)


def expected(row, secret="<redacted>"):
    """Return a row as it is recorded."""
    return re.sub("«.*?»", secret, row, flags=re.DOTALL).replace(OTHER, owner(OTHER))


def test_names_of_secrets():
    """In every spelling, for values of any type. A plural may count something."""
    for name in (
        *("adminPass", "ADMIN_PASSWORD", "dbpassword", "X-Auth-Token", "api_keys", "signingKey"),
        *("Temp-URL-Key", "userData", "password_hash", "credential", "os_password2"),
        *("mot-de-passe", "private_key_pem", "passwordConfirm", "client-key-data", "samlresponse"),
        *("requirepass", "bindpw", "simple_crypto_kek", "heartbeat_key", "swift_store_key"),
        *("PASSWD_DB", "root_password_sha512", "pass_word", "sshKeyPrivate", "cert_key", "csrf"),
        *("otpSeed", "password_md5", "xsrf"),
    ):
        assert value_of("no word at all", name) == "<redacted>", name
        assert value_of(["x1", "x2"], name) == ["<redacted>"] * 2, name
        assert value_of(12345678, name) == (12345678 if name == "api_keys" else "<redacted>"), name
    for name in (
        *("password_auth", "token_type", "token_expires_at", "key_name", "keypair", "compass"),
        *("secret_name", "password_policy", "img_signature", "turkey", "passwordless"),
        *("secret_ref", "user_data_format", "session", "img_config_drive", "pem", "sas", "seed"),
        *("csrf_protection", "ssh_public_key", "bypass", "pass_words_checked", "cert"),
        *("user_data_sha256", "db_md5"),
    ):
        assert value_of("enabled 1.2", name) == "enabled 1.2", name


def test_values_that_are_not_secret():
    """Flags, counts, paths and templates, and what describes a secret."""
    for name, value in (
        *(("password", each) for each in ("", "true", None, False, "none", "Disabled", "required")),
        *(("max_tokens", 100), ("completion_tokens", "77"), ("maxTokens", 0.5)),
        *(("bearer", "John Q Public"), ("personality", "friendly-v2"), ("Erlang/OTP", "26.2")),
        ("limits", {"name": "max_tokens", "value": 100}),
    ):
        assert value_of(value, name) == value, name
    for value in ("/etc/ssl/x.pem", "~/x", "C:\\x\\y z", "${PW}", "{{ pw }}", "%(pw)s", "****"):
        assert value_of(value, "private_key") == value
        assert value_of(f"private_key: {value}") == f"private_key: {value}"
    for value in ("/x/y+z", "~x", "$PW", "{{pw", "{SSHA}x", "{pw", "%pw%", "*a"):
        assert value_of(f"private_key: {value}") == "private_key: <redacted>", value


def test_json_below_and_beside_a_secrets_name():
    for row in (
        '{"passwords": {"of": {"db": "«x»"}, "token": {"of": "«x»"}, "root": "«x»"}}',
        '{"passwords": {"name": "db", "created_at": "x"}}',
        '{"password": {"value": "«x»", "type": "t", "min_length": "x", "password_policy": "x"}}',
        '{"token": {"id": "«x»", "expires": "2026"}}',
        '{"tokens": {"prompt": 5, "total": "12", "ttl": "1h", "token_type": "x"}}',
        '{"secrets": [{"k": "«x»"}], "b": {"secrets": {"a": ["«x»"]}}}',
        '{"secrets": [{"name": "a", "secret_ref": "b", "owned": "c"}], "total": 1}',
        '{"api_keys": {"ci": "«x»", "type": "y"}}',
        '{"secret": {"a": "«x»", "id": "b", "status": "c"}}',
        *(f'{{"{name}": {{"a": "«x»", "type": "y"}}}}' for name in table.PASSWORDS),
        r'{"text": "{\"tokens\": {\"ci\": \"«x»\"}}"}',
        '{"creds": {"user": "u", "x": "«x»"}, "credentials": [{"id": "a", "type": "cert"}]}',
        '{"Value": "«x»", "Key": "auth_token"}',
        '{"output_key": "admin_pass", "output_value": "«x»"}',
        '{"name": "otp", "val": "«x»", "default": "«y»"}',
        '{"name": "password", "value": {"a": "«x»"}}',
        '[{"op": "add", "path": "/driver_info/ipmi_password", "value": "«x»"}]',
        '[{"value": "«x1»", "path": "/passwords/0"}, {"replace": "/otp", "value": "«x2»"}]',
        '{"op": "add", "path": "/passwords/-", "value": {"a": "«x»"}}',
        '{"op": "replace", "path": "/name", "value": "token"}',
        '{"path": "/v3/auth/tokens", "data": "x", "value": 5}',
        '{"path": "images/0/owner", "value": "is required"}',
        *('{"path": "password", "value": "«x»"}', '{"path": "/user/otp", "value": "«x»"}'),
        *('{"k": "password", "v": "«x»"}', '{"k": "a", "v": "b"}', '{"id": "1", "value": "a"}'),
        *(
            f'{{"{key}": "db_password", "value": "«x»", "text": "y"}}'
            for key in ("id", "field", "param", "label", "header", "env_var")
        ),
        *('{"user": "u", "key": "«x»"}', '{"username": "u", "key": "«x»"}', '{"key": "x"}'),
        '{"db_password": {"label": "x", "constraints": [{"allowed_pattern": "[a-z]"}]}}',
        '{"password": {"get_param": "db_password_1"}, "db_password_1": {"get_attr": ["x", "y"]}}',
        '{"personality": [{"path": "/etc/x", "contents": "«x»"}]}',
        '["--os-password", "«x1»", "-v", "x2"]',
    ):
        assert body_of(sent(row).encode()) == expected(row)
    for name in ("vault-token", "windows-password", "cookie", "tokens", "user data", "api keys"):
        image = dict.fromkeys(("id", "uuid", "href", "type", "fingerprint"), IMAGE)
        document = {"images": [image | {"name": name}], "note": IMAGE}
        assert json.loads(body_of(document)) == document, name


def test_markup_below_and_beside_a_secrets_name():
    """In XML, HTML, truncated documents, and inside of JSON and text."""
    for row in (
        '<r><item name="password" value="«x1»"/></r>',
        "<r><entry><key>password</key><value>«x1»</value></entry></r>",
        "<?xml version='1.0'?><r>\n <value>«x1»</value>\n <key>password</key></r>",
        '<!DOCTYPE r [ <!ENTITY x "y"> ]><r><property name="adminPass">«x1»</property></r>',
        '<password><a b="«x1»">«x2»<c>«x3»</c></a></password>',
        '<r><credentials username="u" key="«x1»"/><entry key="token" v="«x2»"/></r>',
        '<tokens><entry id="1">«x1»</entry></tokens>',
        "<secrets>\n <secret>\n <name>1</name></secret></secrets>",
        '<r><k:cred xmlns:k="http://a.example/x" username="u" key="«x1»"/></r>',
        '<password xmlns="http://a.example/x" xsi:type="xsd:string">«x1»</password>',
        '<limits><key>u</key><value a="1"/></limits>',
        '<image id="1" name="vault-token"><status>1</status></image>',
        f'<a xmlns="x"><x:owner_id>{OTHER}</x:owner_id><meta key="adminPass">«hunter2-x»',
        f'<a><b owner_id="{OTHER}"/><m key="tenant_id">{OTHER}</m><adminPass>«x»</adminP',
        '<p>a<br><input name="password" value="«x»" title="a&eacute;b"> b<br>',
        '<li>a<li><a href="/x">b</a></ul><input name=token value=«x1»>',
        f'<user id="{OTHER}"/>',
        "<b>a</b > I </3 it, password=«x1»<br/>",
        "<a href=/x?token=«x1»>b</a><a b= c='d' token = «x1»><a token=«x1»/>",
        "<p>No <Project {u'admin_pass': '«x1»'}> b<br/>",
        '<INPUT NAME="password" TYPE="password"> Forgot it? <IMG src="">',
        "<r><key>password</key><a><b>c</a><value>«x1»</value></r>",
    ):
        kept = expected(row, html.escape("<redacted>"))
        assert body_of(sent(row).encode()) == kept
        assert value_of(f"a {sent(row)}</b>") == f"a {kept}</b>"
    for row in (
        "<a><value><![CDATA[«x<y»]]></value><key>password</key></a>",
        "<r><password>&lt;redacted&gt;<![CDATA[«x1»]]></password></r>",
        '<r><!-- &amp; <input name="token" value="«x1»"> --><![CDATA[<b> & password=«x1»]]></r>',
        '<li>a<li><a href="/x">b</a><!-- password=«x1» --></ul>',
    ):
        once = body_of(sent(row).encode())
        assert html.unescape(once) == html.unescape(expected(row))
        assert "&lt;" not in once.partition("<![CDATA[")[2]
        assert body_of(once.encode()) == once
    for row in (
        '<script>if (a && b) { f = () => {"token": "«x1»", "a": 1}; }</script>',
        '<a b="x&y" href="/b?c=1&region=2&copy=3&token=«x1»">',
        """<a b='{"token": "«x1»"}'>""",
    ):
        assert body_of(sent(row).encode()) == expected(row, html.escape("<redacted>"))
    assert (
        body_of(b'<meta key="fixed_ip">10.0.0.4</meta>') == '<meta key="fixed_ip">192.0.2.1</meta>'
    )
    assert value_of("<input name=token value=x1>") == "<input name=token value=&lt;redacted&gt;>"
    deep = "<a>" * 5_000 + '<b password="{}">' + "</a>" * 5_000
    assert body_of(deep.format("x1").encode()) == deep.format("&lt;redacted&gt;")


def test_secrets_in_a_text():
    """Assignments, options, header lines, and secrets that have a known shape."""
    for row in (
        "a:\n  password: |\n    «x1\n    x2»\n  token: >-\n\t«x3»\nb: c",
        "password: !vault | # a\n\n  «x1\n\n  x2»\n\ntoken: &a >\r\n  «x3»",
        "password: «&a x1» b\npassword: «!!str 'x 2'» b\ntoken: «!<tag:a,1:str> x3» b",
        "password = r'«x 1»' f'b' @\"a\", export PASSWORD=$'«x 2»' token=@\"«x 3»\" pw: Rb'«x 4»'",
        'password = """«x 1\n"x" 2»""", token=\'\'\'«x\'3»\'\'\' b',
        "f(password=«quote('x (1')», a='b'), pwd = «os.getenv('A', f(\"b\"), 'x 2')» b",
        'String password = «new String("x 1")»; a = new b',
        "java -Ddb.password=«x1» -DapiKey='«x 2»' -password=«x3» -jar b -Da=b",
        "db_password:\u00a0«x1» token\u00a0=\u00a0«x2»",
        "password: '«it''s 1»', a: '' token: '' b",
        "PASSWORD ?= «x1»\nTOKEN += «x2»\nTOKEN ||= '«x 3»'\na ?= b",
        "const password: string = '«x 1»'; let token: &str = \"«x 2»\"; pwd: str | None = '«x 3»'",
        "password=&quot;«x 1»&quot; &quot;token&quot;: &#39;«x 2»&#39; &#34;pw=«x3»&#34; b",
        "[db]\npassword = «hunter2»\nuser = x",
        '{"password": "«x y»", cut',
        "credentials: {password: «x1», a: b}",
        "openstack --os-password «X» list",
        "run --token=«X» now --password '«a b»' now",
        '--run "login --password «x1»"',
        "args='ro root_password=«x1»' user: token=«x»",
        "at http://a.invalid/b;password: «x1»",
        "X-Auth-Token: «a1 b»",
        "{'X-Auth-Token': ['«a1»']}",
        "No X-Auth-Token: «a1 for you, »password='«x1»'",
        'Authorization: «OAuth »oauth_token="«x1»", realm="y"',
        "Authorization: «Basic dXNlcjpwYXNz»",
        "SSHPASS=«tr0ub4dor&3» x",  # `&` may belong to a password
        "basic-auth: «me:tr0ub4dor&3»",
        "password=«tr0ub4dor&3»&b=1&amp;c",
        f"got «{FERNET}».",
        "«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2ln»",
        "«AKIAIOSFODNN7EXAMPLE» «ASIAIOSFODNN7EXAMPLE»",
        f"«sk-admin-{'x' * 16}» «glcbt-{'y' * 16}» sk-lo",
        "«-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----»\n",
        f"run --os-user-id {OTHER} now (project_id:{OTHER}) (tenant_id={OTHER})",
        f"{{u'owner_id': u'{OTHER}', u'image_id': u'{IMAGE}'}} user_id=UUID('{OTHER}')",
        f"image_id:{IMAGE}, domain={IMAGE}.example.com, token:{'-' * 40}, a:b",
        "max_tokens=15, otp: 26, token == x1, name=value, password=***",
        "https://host-aaa.invalid/x?max_tokens=15",
        "X-Auth-Token: See the docs, please",
        "Cookie: no. Authorization: none required.",
        "Use --password to set a password; see --token option; a=b",
        "password: must be long, (token: optional). No password: required.",
        "Basic installation of me@acme.example in db.internal with sk-learn",
        "login <user> <password> [x]",
        "password: string, token: str = x, the password &amp; name: 'a', x-password: b, --: 'a'",
        "proxy_auth: WPA2-PSK, basic_auth=oauth2",  # one word is a method
    ):
        assert value_of(sent(row)) == expected(row)
    for around in ("cb(%s);", "data: %s\n\nid: 1", '%s\n{"name": "x"}\n'):  # JSONP, events, lines
        row = around % '{"secret": {"a": "«x1»"}}'
        assert body_of(sent(row).encode()) == expected(row)
    for path in (
        "hooks.slack.com/services/T0/B0/0123456789abcdef",
        "chat.example/hooks/0123456789abcdefghijklmnop",
        "senlin.example/v1/webhooks/01234567-89ab-cdef-0123-456789abcdef/trigger?V=1",
    ):
        assert "0123" not in value_of(f"https://{path}")
    digits = "aB3" * 9
    for each in ("npm_", "hf_", "dckr_pat_", "hvb.", "SG.aB3aB3aB3aB3aB3aB3.", "$6$salt$", "$1$s$"):
        assert value_of(f"a {each}{digits} b") == "a <redacted> b", each
        assert learn([page({"a": each + digits})]).secrets == {each + digits}
    for each in ("npm_config_of_something_long", "ghs_something_long_name", "$1$2$3", "SG.a"):
        assert value_of(each) == each


def test_addresses_by_their_names():
    """Other addresses stay. Mail addresses are replaced in a test's own traffic only."""
    for name, value, new in (
        *((name, "10.0.0.4", "192.0.2.1") for name in ("addr", "vipAddress", "fixed_ips")),
        *(("accessIPv4", "203.0.113.9", "192.0.2.1"), ("fixed_ip", "fe80::1", "2001:db8::1")),
        ("address", "fa:16:3e:00:00:01", "02:00:00:00:00:01"),
        *(("ip", "dhcp", "dhcp"), ("note", "10.0.0.4", "10.0.0.4")),
    ):
        assert value_of(value, name) == new
    assert value_of("by me@acme.example", emails=True) == f"by {placeholders.EMAIL}"
    assert value_of("git@host:path", emails=True) == "git@host:path"


def test_owners_by_their_names():
    """An id becomes a digest; what could be guessed becomes one word."""
    digest = owner(OTHER)
    assert digest == "00000000" + digest[8:] != placeholders.OWN_PROJECT
    for name in (
        *("owner", "tenantId", "os-ext:tenant_id", "member_id", "trustor_user_id", "createdBy"),
        "os_application_credential_id",
    ):
        assert value_of(OTHER, name) == digest, name
        assert value_of(PROJECT, name) == placeholders.OWN_PROJECT
    assert len(owner(OTHER * 6)) == len(OTHER * 6)
    dashed = str(uuid.UUID(PROJECT))
    assert value_of(dashed, "owner") == re.sub("[0-9a-f]", "0", dashed)
    assert value_of(f"by {dashed}-1") == f"by {re.sub('[0-9a-f]', '0', dashed)}-1"
    assert value_of("admin", "owner_id") == value_of(413274, "user_id") == "redacted-owner"
    for name, value in (
        *(("os_admin_user", "ubuntu"), ("domain", "default"), ("project", "x")),
        *(("owner_id", each) for each in ("None", "null", "")),
    ):
        assert value_of(value, name) == value
    for row in (
        f'{{"user": {{"id": "{OTHER}", "name": "al", "checksum": "{IMAGE}"}}}}',
        f'{{"project": {{"uuid": "{OTHER}"}}, "image": {{"uuid": "{IMAGE}"}}}}',
    ):
        assert body_of(row.encode()) == expected(row)
    two = f"project_id: {OTHER}, {IMAGE}; project_ids=['{OTHER}', u'{IMAGE}']"
    assert value_of(two) == two.replace(OTHER, digest).replace(IMAGE, owner(IMAGE))
    for beside in ({"key": "owner_id"}, {"path": "/owner"}, {"path": "/properties/project_id"}):
        for value in (OTHER, "admin"):
            kept = json.loads(body_of({**beside, "op": "replace", "value": value}))
            assert kept["value"] == owner(value), beside


def test_bodies_that_are_not_one_json_document():
    """Latin-1, UTF-16, truncated, JSONP, multipart, a form, compressed."""
    document = json.dumps(
        {"owner_id": OTHER, "adminPass": "hunter2-x", "n": "é"}, ensure_ascii=False
    )
    multipart = (
        f'--b\r\nContent-Disposition: form-data; name="adminPass"\r\n\r\nhunter2-x\r\n'
        f'--b\r\nContent-Disposition: form-data; name="meta"\r\n\r\n{document}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="x"; filename="{OTHER}-hunter2-x.img"\r\n'
        f"\r\nx\r\n--b\r\nContent-Type: application/json\r\n\r\n{document}\r\n--b--\r\n"
    )
    for body in (
        document.encode("latin-1"),
        document.encode()[:-3],
        f"callback({document});".encode(),
        json.dumps({"note": f"owner={OTHER} password=hunter2-x"}).encode()[:-1],
        document.encode("utf-16"),
        multipart.encode(),
        f"owner_id={OTHER}&adminPass=hunter2-x".encode(),
    ):
        kept = body_of(body).replace("\0", "")
        assert OTHER not in kept, body
        assert "hunter2-x" not in kept, body
        assert owner(OTHER) in kept
    part = "a preamble\r\n--b\r\nContent-Disposition: form-data; name{}\r\n\r\n{}\r\n--b--\r\n"
    for name in ('="otp"', "=signature", '="oauth_verifier"', "*=UTF-8''otp", "*=utf-8'en'code"):
        assert body_of(part.format(name, "x~").encode()) == part.format(name, "<redacted>")
    assert body_of(kept := part.format('="meta"', '{"value": "x"}').encode()) == kept.decode()
    packed = page(gzip.compress(document.encode()))
    kept = redacted(packed)
    assert gzip.decompress(kept.response.body).decode("latin-1") == body_of(document.encode())
    assert kept == redacted(packed)
    for row, kept in (
        *((b"code=abc&state=", "code=redacted&state="), (b"code=", "code=")),
        (b'name="a" password=hunter2', 'name="a" password=<redacted>'),
        *(
            (each, "password=<redacted>&c=d")
            for each in (b"password=a&b&c=d", b"password=<redacted>&c=d")
        ),
    ):
        assert body_of(row) == kept
    body = f"<a><b>\u00e9 &#8364; by {OTHER}</b><owner_id>{OTHER}</owner_id></a>"
    assert body_of(body.encode("latin-1")) == expected(body)
    for start in ("\ufeff", '\ufeff<?xml version="1.0" encoding="UTF-16"?>\n'):
        for charset in ("utf-8", "utf-16-le", "utf-16-be"):
            kept = body_of((start + body).encode(charset)).encode("latin-1")
            assert kept.decode(charset) == start + expected(body).replace("&#8364;", "\u20ac")
            refuse_leaks(kept, known=KNOWN, where="a.yaml")


def test_urls():
    """Own origins by service, other hosts by digest; user info and signatures go."""
    host = "host-aaa.invalid"
    site = f"https://{host}"
    for sent, expected in (
        (f"{ENDPOINT}/images?marker=1&name=a%20b", f"{OWN}/images?marker=1&name=a%20b"),
        (f"http://nova.acme.example:8774/{PROJECT}/images/1", f"{OWN[:-36]}{OWN[-33:]}/images/1"),
        ("http://nova.acme.example:9/x", "http://compute.a.invalid:9/x"),
        ("at nova.acme.example:8774.", "at compute.a.invalid."),
        ("https://u:pw12345@h/x", "https://redacted@host-aaa.invalid/x"),
        ("https://h/x?a=1&X-Amz-Signature=abc", f"{site}/x?a=1&X-Amz-Signature=redacted"),
        ("https://h:81/x;jsessionid=1#t", f"{site}:81/x;jsessionid=redacted#t"),
        ("https://h/x;sid=abcdefgh9", f"{site}/x;sid=redacted"),
        (f"{ENDPOINT}/x/{OTHER}/images", f"{OWN}/x/{OTHER}/images"),
        (f"https://h/v1/AUTH_{PROJECT}/c", f"{site}/v1/AUTH_{'0' * 32}/c"),
        ("https://h/v9/Rocky-9/images/1", f"{site}/v9/Rocky-9/images/1"),
        ("https://h/x?token=abc9,http://h", f"{site}/x?token=redacted,http://{host}"),
        ("http://h|http://h/http://h/", f"http://{host}|http://{host}/http://{host}/"),
        ("http://h/x\u3068http://h/y;a", f"http://{host}/x\u3068http://{host}/y;a"),
        ("mongodb://u:pw12345@h:1,H:2/db", f"mongodb://redacted@{host}:1,{host}:2/db"),
        ("mysql://u:pw#1/2?3@h/db?a=b@c", f"mysql://redacted@{host}/db?a=b@c"),
        ("http://h:8774/x@y?z@#@", f"http://{host}:8774/x@y?z@#@"),
        (f"{site}/v2/admin/images/1", f"{site}/v2/admin/images/1"),
        (
            "https://image.a.invalid:1/v2/ab/images/1",
            f"https://image.a.invalid:1/v2/{placeholders.OWNER}/images/1",
        ),
        (f"https://h/blobs/{OTHER}/images/x", f"{site}/blobs/{OTHER}/images/x"),
        ("http://a:pw12345@[x/v2.1", "http://redacted@[x/v2.1"),
        ("http://[x", "http://[x"),
        ("see <http://u:pw12345@h/>", f"see <http://redacted@{host}/>"),
        ("http://{h}:$PORT/x?token=x1", "http://{h}:$PORT/x?token=redacted"),
        (f"http://$6$ab${'x' * 43}/x", "http://host-f77.invalid/x"),
        ("http://[::1]:9292/x", "http://host-eff.invalid:9292/x"),
        (f"https://h:{FERNET}", f"{site}:redacted"),  # cut off before the host
        ("https://h/x?a=a%2525b%252F", f"{site}/x?a=a%2525b%252F"),
        (
            "https://h/x?a=https%253A%252F%252Fh%252Fx%253Fb%253D1%2526token%253DX",
            f"{site}/x?a=https%253A%252F%252F{host}%252Fx%253Fb%253D1%2526token%253Dredacted",
        ),
        (
            "https://h/x?q=%7B%22user_id%22%3A%22admin%22%7D",
            f"{site}/x?q=%7B%22user_id%22%3A%22redacted-owner%22%7D",
        ),
        ("at https://h/b;token=x/c?d=1.", f"at {site}/b;token=redacted/c?d=1."),
        (f"/v2.1/{OTHER}/servers/1", f"/v2.1/{owner(OTHER)}/servers/1"),
        (f"/v2.1//{OTHER}//images/1", f"/v2.1//{owner(OTHER)}//images/1"),
        (f"https://h/x?tenant_id=in:{OTHER}", f"{site}/x?tenant_id=in%3A{owner(OTHER)}"),
        (
            f"https://h/x?project={OTHER},{PROJECT}&user_id=4711,12&id=in:{IMAGE}",
            f"{site}/x?project={owner(OTHER)}%2C{0:032}&user_id=4711,12&id=in:{IMAGE}",
        ),
        *(
            (f"https://h/v3/x/{each}/{OTHER}", f"{site}/v3/x/{each}/{owner(OTHER)}")
            for each in ("members", "os-quota-sets", "os-simple-tenant-usage", "users", "trusts")
        ),
        *(  # the id of a server or a hypervisor is not a project
            (f"{base}/{path}", f"{own}/{path}")
            for base, own in ((ENDPOINT, OWN), (ENDPOINT[:-33], OWN[:-33]))
            for path in (
                *(f"servers/{OTHER}/os-interface", f"flavors/{OTHER}/os-extra_specs"),
                *(f"os-aggregates/{OTHER}/images", f"os-hypervisors/{OTHER}/servers"),
            )
        ),
    ):
        assert value_of(sent) == expected
    query = Query((("name", "\udcff"),))
    assert redact_query(query, cloud="a", known=KNOWN) == query
    local = Known(origins={"http://127.0.0.1:8774": "compute"})
    assert value_of("127.0.0.1, 127.0.0.1:8774", known=local) == "127.0.0.1, compute.a.invalid"
    both = Known(origins={"http://h:9292": "image", "http://h:8774": "compute"})
    assert value_of("http://h:80/x", known=both) == "http://compute.a.invalid:80/x"
    assert value_of(f"{ENDPOINT[:-32]}demo/limits/1") == f"{OWN[:-32]}redacted-owner/limits/1"
    known = Known(origins={"https://[fd00::17]:8774": "compute"})
    assert value_of("see https://[FD00::17]:8774/v2.1", known=known) == (
        "see https://compute.a.invalid/v2.1"
    )


def test_only_the_catalog_says_which_hosts_are_the_clouds_own():
    """Without a catalog, the first request does. A default port is the same origin."""
    url = "https://nova.acme.example:443/v2.1/images"
    for known, expected in (
        (Known(), "https://compute.a.invalid/v2.1/images"),
        (Known(origins={"https://nova.acme.example": "compute"}), f"{OWN[:25]}/v2.1/images"),
        (Known(origins={"https://h": "compute"}), "https://host-cf7.invalid:443/v2.1/images"),
    ):
        assert redacted(page({}, url=url), known=known).url == expected


def test_what_an_answer_says_of_its_own_hosts_and_project():
    """Links show which service a host is. A project's name or number leaves paths only."""

    def links_of(url, *links):
        sent = page({"links": [{"rel": rel, "href": href} for rel, href in links]}, url=url)
        kept = redacted(sent, known=Known())
        return kept.url, [each["href"] for each in json.loads(kept.response.body)["links"]]

    nova, unknown = "https://nova.acme.example", "https://unknown.invalid/v2/images/detail"
    links = "https://compute-links.a.invalid"
    for project in ("413274", "demo"):
        found = links_of(
            f"{nova}/v2/{project}/images/detail",
            ("bookmark", f"{nova}/{project}/images/1"),
            (project, project),
        )
        own = f"https://compute.a.invalid/{'0' * 32}/images/1"
        assert found == (f"{OWN}/images/detail", [own, project])
    found, _ = links_of(f"{nova}//v2//demo/images/detail")
    assert found == OWN.replace("/v2/", "//v2//") + "/images/detail"
    for project, kept_as in (("413274", placeholders.OWNER), ("v2", "v2")):
        _, found = links_of(unknown, ("bookmark", f"{nova}/{project}/images/1"))
        assert found == [f"{links}/{kept_as}/images/1"]
    _, found = links_of(
        unknown,
        ("self", "http://internal:8774/v2/images/1"),
        ("alternate", "http://glance.internal:9292/images/1"),
    )
    assert found == [
        "http://compute-links.a.invalid:8774/v2/images/1",
        "http://image.a.invalid:9292/images/1",
    ]
    known = Known(link_hosts={"internal": "compute-links"})  # of another file of the same cloud
    other = page(
        {"links": [{"rel": "self", "href": "http://evil.example/v2/images/1"}]}, url=unknown
    )
    assert b"compute-links" not in redacted(other, known=known).response.body
    for rel in ("self", "bookmark"):
        alternate, *others = [("alternate", f"{nova}/x"), (rel, f"{nova}/x"), (rel, f"{nova}/x")]
        assert links_of(unknown, alternate, *others)[1] == [f"{links}/x"] * 3


def test_known_values():
    """Weak ones are replaced under a secret's name only. Values become known by their names."""
    words = {"correct-horse", "abcdefghijklmnop"}
    weak = {"openstack", "image", "12345678", "k9"}
    known = Known(secrets=frozenset(words | weak))
    for word in words:
        assert value_of(f"a {word} b", known=known) == "a <redacted> b"
    for word in weak:
        assert value_of(f"a {word} b", known=known) == f"a {word} b"
        assert value_of(word, "password", known=known) == "<redacted>"
    assert known.weak == weak
    refuse_leaks(b"openstack image 12345678", known=known, where="")
    hidden = Known(project="p", secrets=known.secrets, owners=known.secrets, origins={"o": "x"})
    assert repr(hidden) == "Known()"
    secret = "hunter2-hunter2"
    first = {"note": f"x {secret}", secret: 1, "b64": base64.b64encode(secret.encode()).decode()}
    for named in ({"db_password": secret}, {"proxy": f"http://me:{secret}@proxy.example:3128/"}):
        done = redact([page(first), page(named)], cloud="a", known=KNOWN)
        kept = json.loads(done.interactions[0].response.body)
        assert kept == {"note": "x <redacted>", "<redacted>": 1, "b64": "<redacted>"}
        (key,) = named
        assert ("secrets", f"interactions[1].response.body: {key}") in done.places
        with pytest.raises(LeakError):
            refuse_leaks(secret.encode(), known=done.known, where="")


def test_known_values_beside_other_characters():
    """Japanese has no spaces, and JSON may escape its letters. A placeholder is never known."""
    known = replace(KNOWN, owners=frozenset({"acme-team"}))
    for text, kept in (
        ("nova.acme.example\u306e", "compute.a.invalid\u306e"),
        ("\u306eacme-team\u306e", "\u306eredacted-owner\u306e"),
        ("\u306epassword=x1", "\u306epassword=<redacted>"),
        ("a me@acme.example\u306e", f"a {placeholders.EMAIL}\u306e"),
        (f"os://a:{PROJECT}/b", f"os://host-ca9.invalid:{0:032x}/b"),
    ):
        body = body_of({"note": text}, known=known, emails=True)
        assert json.loads(body) == {"note": kept}
        refuse_leaks(body.encode(), known=known, where="x")
    done = redact([page(f"password = {ENDPOINT} {ENDPOINT}".encode())], cloud="a", known=KNOWN)
    body = done.interactions[0].response.body
    assert body.decode().endswith(f" {OWN}")
    refuse_leaks(body, known=done.known, where="")
    body = body_of({"owner": "host-abc.invalid", "note": "see host-abc.invalid now"})
    assert json.loads(body)["note"] == "see host-abc.invalid now"


def test_headers_are_kept_by_a_list_and_learned_from():
    """Tokens in headers become known values. A redirect may lack a scheme."""
    sent = [
        ("X-Auth-Token", "token-1-of-me"),
        ("X-Project-Id", "project-1-of-me"),
        ("Cookie", 'a=first-1-of-me; b="second-1-of-me"'),
        ("Authorization", 'OAuth uri="/of/somewhere", oauth_token="third-1-of-me"'),
        ("Accept", "a/b"),
        ("User-Agent", "agent-1-of-me"),
    ]
    got = [
        ("Set-Cookie", "sid=cookie-1-of-me; Path=/of/somewhere"),
        ("Content-Type", "application/json"),
    ]
    text = (
        "token-1-of-me cookie-1-of-me first-1-of-me second-1-of-me third-1-of-me "
        "Path agent-1-of-me /of/somewhere project-1-of-me"
    )
    done = redact([page(text, sent=sent, headers=got)], cloud="a", known=KNOWN)
    (kept,) = done.interactions
    assert kept.request_headers.fields == (("Accept", "a/b"),)
    assert kept.response.headers.fields == (("Content-Type", "application/json"),)
    expected = f"{'<redacted> ' * 5}Path agent-1-of-me /of/somewhere redacted-owner"
    assert json.loads(kept.response.body) == expected
    names = ("Allow", "Link", "OpenStack-API-Version", "Retry-After", "Vary", "WWW-Authenticate")
    allowed = tuple((name, "1") for name in names)
    assert redacted(page({}, headers=allowed)).response.headers.fields == allowed
    for sent, expected in (
        (f"/{PROJECT}/images/1?code=x1", f"/{'0' * 32}/images/1?code=redacted"),
        ("//h/x?code=abcdefgh9", "//host-aaa.invalid/x?code=redacted"),
        ("//u:pw12345X@h/x", "//redacted@host-aaa.invalid/x"),
        (f"//nova.acme.example:8774/v2/{PROJECT}/images", f"{OWN[6:]}/images"),
        ("https://h/x", "https://host-aaa.invalid/x"),
    ):
        kept = redacted(page({}, headers=[("Location", sent)]))
        assert kept.response.headers["location"] == expected


def test_credentials_of_each_scheme_are_learned():
    """The whole value, a password, and parameters that are long or named like a secret."""
    mac, digest = "6R4rV5iE+NPoym+WwjeHzjAGXUtLNIxmo1vpMofpLAE=", "6629fae49393a05397450978507c4ef1"
    for row, *more in (
        ("Basic «dXNlcjpwYXNzLTEtb2YtbWU=»", "pass-1-of-me"),
        ("Bearer «token-1-of-me»",),
        ("«token-1-of-me»",),
        (f'Digest username="operator-of-images", uri="/v2/images/detail", response="«{digest}»"',),
        (f'Hawk id="key-of-somebody-else", ts="1353832234", mac="«{mac}»"',),
        (f"AWS4-X Credential=«AKID/x/aws4», SignedHeaders=host;x-date-of-it, Signature=«{mac}»",),
        (f'Own project_id="{IMAGE}", oauth_signature="«{mac}»"',),
    ):
        secrets = [*re.findall("«(.*?)»", row), *more]
        ordinary = re.findall(r'[=;]"?([\w/-]{9,})(?=[",])', re.sub("«.*?»", "", row))
        found = [f"see {each} here" for each in (*secrets, *ordinary)]
        kept = redacted(page({"a": found}, sent=[("Authorization", sent(row))]))
        expected = ["see <redacted> here"] * len(secrets) + found[len(secrets) :]
        assert json.loads(kept.response.body)["a"] == expected, row


def test_names_of_namespaces_are_identifiers():
    """In XML and JSON they stay, unless they are on the cloud's own host."""
    for name in ("http://docs.openstack.org/api/v1.1", "http://internal.example.net/x"):
        xml = f'<images xmlns:x="{name}" xsi:schemaLocation="{name} a.xsd"><a/></images>'
        for sent in (xml.encode(), xml[:-3].encode(), {"a": xml}, {"namespace": name}):
            assert body_of(sent) == (sent.decode() if isinstance(sent, bytes) else json.dumps(sent))
    for sent in (b'<a xmlns="http://nova.acme.example:8774/x" />', {"$schema": f"{ENDPOINT}/x"}):
        kept = body_of(sent)
        assert "http://compute.a.invalid/" in kept
        refuse_leaks(kept.encode(), known=KNOWN, where="")
    assert value_of("http://u:s3cret-12@h", "namespace") == "http://redacted@host-aaa.invalid"


def test_each_place_is_named_with_its_kind():
    """Request headers that are left out have a place, but are not counted."""
    sent = page(
        {"owner": OTHER, "by": "me@acme.example", "at": "https://u:pw12345@h.invalid"},
        url=f"{ENDPOINT}/images?token=abc",
        headers=[("X-Id", "1")],
    )
    sent = replace(
        sent,
        request_headers=Headers([("X-Own", "1")]),
        response=replace(sent.response, reason="password=abc"),
    )
    done = redact([sent], cloud="a", known=KNOWN, emails=True)
    assert done.interactions[0].response.reason == "password=<redacted>"
    first = "interactions[0]"
    assert done.places == (
        ("hosts", f"{first}.request.uri"),
        ("ids", f"{first}.request.uri"),
        ("secrets", f"{first}.request.uri"),
        ("secrets", f"{first}.response.reason"),
        ("headers", f"{first}.request.headers: X-Own"),
        ("headers", f"{first}.response.headers: X-Id"),
        ("ids", f"{first}.response.body: owner"),
        ("people", f"{first}.response.body: by"),
        ("secrets", f"{first}.response.body: at"),
    )
    assert done.counts == {"headers": 1, "hosts": 1, "ids": 2, "people": 1, "secrets": 3}


def test_payloads_of_the_key_manager():
    """What is sent to `secrets` or read from `payload` is a secret."""
    url = "https://keys/key-manager/v1/secrets"
    posted = page({}, url=url, method="POST", request_body=b'{"name": "a", "payload": "x"}')
    put = page(b"", url=f"{url}/1", method="PUT", request_body=b"other-hunter2")
    read = page(b"hunter2-hunter2", url=f"{url}/1/payload")
    listed = page({"secrets": [{"name": "a", "secret_ref": "1", "status": "A"}]}, url=url)
    shown = page({"value": "x"}, url=f"{url}/1")
    kept = redact([posted, put, read, listed, shown], cloud="a", known=KNOWN).interactions
    assert kept[0].request_body == b'{"name": "a", "payload": "<redacted>"}'
    assert kept[1].request_body == kept[2].response.body == b"<redacted>"
    assert [each.response for each in kept[3:]] == [listed.response, shown.response]
    other = page(b"hunter2", url="https://keys/v1/secretsets/1/payload")
    not_found = replace(other.response, status_code=404)
    for each in (other, replace(read, response=replace(not_found, body=b"hunter2"))):
        assert redacted(each).response.body == b"hunter2"


def test_the_final_check_names_the_place_and_never_the_value():
    """It finds known values and shapes in the documented encodings."""
    known = Known(secrets=frozenset({"hunter2-hunter2"}), owners=frozenset({OTHER}))
    for text in ("hunter2-hunter2", OTHER.upper(), FERNET, "-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(LeakError, match=r"a\.yaml, line 2 of ") as refused:
            refuse_leaks(f"first\n{text}".encode(), known=known, where="a.yaml")
        assert text not in str(refused.value)
    for data, form in (
        (base64.b64encode(b"\xff\0hunter2-hunter2\xff"), "in base64"),
        (b"%68unter2-hunter2", "percent-encoded"),
        (b"&#104;unter2-hunter2", "with entities"),
    ):
        with pytest.raises(LeakError, match=rf"\({form}\)"):
            refuse_leaks(data, known=known, where="a.yaml")
    refuse_leaks("text".encode("utf-16"), known=known, where="a.yaml")
    with pytest.raises(LeakError, match="not text"):
        refuse_leaks(b"\x00\x01\x02", known=known, where="a.yaml")
