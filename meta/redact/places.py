r"""Places where secrets stand whatever they look like: assignments, calls, headers, addresses, sentences.

Each row carries what it must find and what it must leave. Tokens that are known by their form are in `vendors`, the
options of single programs in `programs`.
"""

from __future__ import annotations

import base64
import re

from meta.redact.names import (
    NAME,
    NAME_HINT,
    SHORT,
    can_be_secret,
    entropy,
    is_password,
    is_secret,
    looks_random,
    word_set,
    words,
)
from meta.redact.rules import Found, Rule

_LEAD = rb"([A-Za-z0-9_.-]{0,64})(?s:[\"'`][ \t]{0,9}+\(|.?)"  # read backwards: a name's beginning, what it stands in
_ASSIGN = r"[\"'`]?\]?[ \t]{0,9}(?:=>|:=|\+=|={1,3}|:)[ \t]{0,40}"
_QUOTED = r"\"(?:[^\"\\\n]|\\.)+\"|'(?:[^'\\\n]|\\.)+'|`[^`\n]+`|[\"'][^\"'\\\s]{4,}\z"
_PREFIX = "[bBuUrR@L]{0,2}"  # of a string in some languages
_BARE = r"[^\s\"'`,;&|<>(){}\[\]\\]{4,}"
_STRING = _PREFIX + r"(\"[^\"\\\n]{4,}\"|'[^'\\\n]{4,}')"
_WRAPPED = rf"(?:new[ \t]+)?(?:\w{{1,30}}[.:]{{1,2}})?[A-Z]\w{{0,50}}\([ \t]*{_STRING}[ \t]*[,)]"
_CALLED = rf"\([ \t]*{_STRING}[ \t]*\)"
_TOLD = r"[ \t]+(?:is|was|to|of)[ \t]*:?[ \t]+[\"'`]?([^\s\"'`,;\\<>]{6,})"
_WORD = r"[^\s\"'`,;|<>()\\-][^\s\"'`,;|<>()\\]{3,}"
_EDGES = ("", " ", "\t", "\n", '"', "'")
_QUOTES = ("'", '"', "`")


def _named(found: Found) -> bool:
    """Whether what follows a secret's name is the secret: how it follows decides what it may look like."""
    quoted = found.before in _QUOTES
    short = (
        found.name.lower() in SHORT
        and not re.search(r"\s", found.value)
        and found.form <= _BARE_FORM
        and (quoted or (found.name.isupper() and found.before == "=" and not found.value.isdigit()))
    )
    if not is_secret(found.name.lstrip("-")) and not short:
        return False
    return _FORMS[found.form](found, quoted)


def _assigned(found: Found, quoted: bool) -> bool:
    """A value between quotes, in the form of a shell, in an address, as an entry, or bare."""
    if quoted:
        constant = found.name.isupper() and len(found.value) >= 8 and not found.value.isupper()
        return can_be_secret(found.value, quoted=True, password=_worded(found.name) or constant)
    if found.after in ("(", "["):
        return False
    # `DB_PASSWORD=hunter`, `--password=hunter` and `?password=hunter` hold words, `f(password=hunter)` a variable
    worded = _worded(found.name)
    alone = worded and found.lead in _EDGES and found.after in (*_EDGES, "&")
    plain = found.before == "=" and (
        found.name.isupper() or found.lead in ("?", "&") or found.name[0] == "-" or found.after == "&" or alone
    )
    entry = worded and found.value.islower() and found.before == " " and found.after in (",", "}", "]")
    return can_be_secret(found.value, quoted=plain or entry, password=plain or entry or is_password(found.name))


def _pair(found: Found) -> bool:
    """A value beside its name, each under a name of its own."""
    return is_secret(found.name) and _assigned(found, found.before in _QUOTES)


def _wrapped(found: Found, quoted: bool) -> bool:
    """`Password: aws.String("hunter2")`"""
    password = is_password(found.name)
    return (password or len(found.value) >= 8) and can_be_secret(found.value, quoted=True, password=password)


def _called(found: Found, quoted: bool) -> bool:
    """`setPassword("hunter")`, and `password("hunter2")`, but not `get_password("username")`"""
    sets = words(found.name.rpartition(".")[2])[0] in _SETTERS and _worded(found.name)
    return can_be_secret(found.value, quoted=True, password=sets)


def _told(found: Found, quoted: bool) -> bool:
    """A sentence that tells a secret: `the password is hunter2`."""
    value = found.value.rstrip(".:!?)")
    return _given(found) and (bool(re.search(r"\d", value)) or quoted)


def _option(found: Found, quoted: bool) -> bool:
    """What follows an option, or a name that is an argument itself; elsewhere only what cannot be a word."""
    if found.name[0] != "-" and not (quoted and found.lead[:1] == "("):
        return len(found.value) >= 20 and (
            looks_random(found.value) or bool(re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", found.value))
        )
    password = is_password(found.name)
    return can_be_secret(found.value, quoted=password or quoted, password=password)


# by the group of the pattern that is the value, of which the first is the name
_FORMS = dict(enumerate([_assigned, _wrapped, _assigned, _called, _told, _option, _option], 2))
_BARE_FORM = 4
_SETTERS = ("set", "with", "use", "add", "new", "update")


def _worded(name: str) -> bool:
    """Whether plain words are used as such a secret."""
    return is_password(name) or name.lower() in SHORT or name.lower().endswith("secret")


def _line(found: Found) -> bool:
    """Whether a line or an entry that holds nothing but a name and a word, as in YAML, tells a secret."""
    value = found.value.rstrip(";,")
    plain = _worded(found.name) and bool(re.fullmatch(r"[\w-]+", value)) and (found.before == "=" or value.islower())
    return is_secret(found.name) and can_be_secret(value, quoted=plain, password=plain)


def _basic(found: Found) -> bool:
    """Whether the value is a user and a password in Base64, as HTTP's basic authentication has them."""
    try:
        user, colon, password = base64.b64decode(found.value + "=" * (-len(found.value) % 4)).decode().partition(":")
    except ValueError:
        return False
    return bool(colon and password) and user.isprintable() and password.isprintable()


def _of_chance(found: Found) -> bool:
    return bool(re.search(r"[0-9]", found.value) and re.search(r"[A-Z]", found.value)) and entropy(found.value) >= 3.5


def _all_of_chance(found: Found) -> bool:
    items = re.findall(r"[\"']([^\"']+)[\"']", found.value)
    return all(re.fullmatch(r"[\w+/=.-]+", item) and re.search(r"\d", item) and not _has_words(item) for item in items)


def _rich(found: Found) -> bool:
    return entropy(found.value) >= 4.5


def _has_words(value: str) -> bool:
    """Whether dashes or underscores join words."""
    return bool(re.search(r"[a-z]{3,}[_-][a-z]{3,}", value))


def _element(found: Found) -> bool:
    return (is_secret(found.name) or found.name.lower() in SHORT) and _given(found)


def _given(found: Found) -> bool:
    return can_be_secret(found.value, quoted=True, password=True, certain=True)


def _has_digit(found: Found) -> bool:
    return _given(found) and bool(re.search(r"\d", found.value))


_IDENTIFYING = word_set(
    "id ids uuid guid sha hash digest integrity checksum etag commit ref h1 version revision cursor path file url uri "
    "src href data image module class name sum signature fingerprint encrypted content thinking"
)


def _random(found: Found) -> bool:
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", found.name)
    named = not words or words[-1].lower() in _IDENTIFYING
    if named or found.after in ("/", "("):
        return False
    return looks_random(found.value) or _long(words[-1].lower(), words, found.value)


_NO_KEYS = word_set("cache public primary foreign partition sort host group object registry index row lookup")


def _long(last: str, words: list[str], value: str) -> bool:
    """Whether a value in one alphabet is long, and its name ends in key, salt or the like."""
    if last not in ("key", "nkey", "salt", "auth", "seed") or _NO_KEYS.intersection(map(str.lower, words)):
        return False
    return len(set(value)) >= 10 and bool(re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}|[A-Z2-7]{32,}", value))


def _personal(found: Found) -> bool:
    """Whether an address is a person's: not a machine's, a documentation's, or a login on a host (`git@host:path`)."""
    local, _, domain = found.value.lower().rpartition("@")
    top = domain.rpartition(".")[2]
    if (
        not local
        or found.lead.replace("\\", "").startswith("://")
        or found.after in (":", "/", "(")
        or local in ("git", "hg", "root", "user")
        or re.search(r"no-?reply", found.value)
    ):
        return False
    if re.search(r"(?:^|\.)(?:example|test|domain|email)\.(?:com|org|net)$|\.(?:test|invalid|local|example)$", domain):
        return False
    return top in _TOP_LEVEL or (len(top) == 2 and top not in _SUFFIXES)


_SUFFIXES = word_set("py js ts rb cs go hs kt vb md sh")
_TOP_LEVEL = word_set(
    "com org net edu gov mil int info biz name pro dev app cloud tech online site store blog email xyz ltd inc work "
    "group agency studio design systems software solutions services digital network world live academy"
)


PLACES: tuple[Rule, ...] = (
    Rule("secret", f"({NAME})(?:{_ASSIGN}(?:{_PREFIX}({_QUOTED})|{_WRAPPED}|({_BARE}))|{_CALLED}|{_TOLD}|[ \t]{{1,9}}({_QUOTED}|{_WORD})|[\"'`],?[ \t]{{0,9}}({_QUOTED}))",
         ('{"password": "{=hunter}"}', 'api_key = "{w20}"', 'x["api_key"] = "{w20}"', 'export DB_PASSWORD="{=s3cr3t}"',
          r'{\"password\": \"{=hunter}\"}', r'\"apiKey\": \"{w24}\"', "password='{=hunter}'", "{'secretKey': '{w20}'}",
          "TOKEN={w20}", "password: {=hunter2}", "https://x.y/?access_token={w20}&x=1", "-Ddb.password={=s3cr3tx}",
          "client_secret={w30} next", "--api-key={w20}", "aws_secret_access_key = {p40}", "AccountKey={p86}==;",
          "DB_PASSWORD={=hunter}", "PGPASSWORD={=hunter} psql -h x", "docker run -e API_KEY={=letmeinnow} x",
          "https://h/?a=1&password={=correcthorse}&b=2", "tool --db-password={=correcthorse} run", 'password = "{=hunter2}',
          "users: [{user: bob, password: {=hunter}}]", "{password: {=hunter}, user: bob}", "psql 'host=h password={=hunter} dbname=d'",
          "deploy --token {w20} x", "login --password {=hunter2}", '["--api-key", "{w20}"]', "keytool -storepass {=chang3it}",
          "x --password '{=hunter}'", "x --db-password {=hunter}", "define('DB_PASSWORD', '{=hunter2}');", 'conf.set("api_key", "{w20}")',
          'c.setPassword("{=hunter}")', 'resty.SetAuthToken("{x40}")', "with_api_key('{w20}')", 'api_key=SecretStr("{w24}")', 'Password: aws.String("{w12}")',
          "the password is {=hunter2} for now", "set the API key to `{w24}`", "My AWS secret access key is {p40}", "with the auth token {x40}, then"),
         ('{"max_tokens": "4096"}', 'password = "${DB_PASSWORD}"', '{"password": "string"}', 'token="access_token"',
          'password: "Enter your password"', 'password = ""', '{"tokenizer": "gpt2-b50k"}', 'api_key = "your-api-key-1"',
          r'{\"password\": \"\"}', "password = 'string'", "key='a1b2c3d4'",
          "token = get_token()", "password: str = None", "max_tokens=4096", "token: string", "secret = os.environ['X1']",
          "TOKEN=$GITHUB_TOKEN", "PASSWORD_FILE=/run/secrets/a1", "token=self.token", "key: value12345", "token: 12345",
          "password=password", "api_key=args.api_key", "secret: ${{ secrets.A1 }}", "passed=12345", "keyboard: qwerty1",
          "PASSWORD=$1", "PWD=/tmp/x", "TOKENS=many", "API_KEY=your_key", "connect(password=hunter)",
          "tool --password=PASSWORD", "tool --token=<token>", "https://h/?api_key=API_KEY", "x --api-key=$KEY12345", "--key-type=rsa",
          "{user: user, password: password}", "f(token: next, a)", "--password PASSWORD  the password", "--token <token>", "use --token to set",
          "--max-tokens 4096", "--key-file a1b2c3.pem", "ssh -key /home/x1", "--password-stdin abc123", "p.add_argument('--token', required=True)", "p.add_argument('--password', help='what opens it')", "--pass 'the first of them'",
          "getattr(x, 'token', 'none')", "f('key', 'value1')", 't("password", "Enter your password")', '["password", "abc1234"]',
          'getpass("Enter it")', 'get_password("username")', 't.token("string")', 'token = data.get("next_token")',
          "password = input('Enter your password')", 'secret = os.getenv("APP_SECRET_1")', "the token is expired", "the secret is out",
          "a password of 12 characters", "the token 0123456789 is", "pass to `Summary`", 'Pwd: "C:\\\\Users\\\\a"', "bypass to x1y2z3w4"),
         _named, lead=_LEAD, hint=NAME_HINT),
    Rule("secret", rf"(?m)(?:^|[\"'])[ \t]*(?:[-#;!*/]{{1,3}}[ \t]*|export[ \t]+|set[ \t]+|SET[ \t]+)?([\w.-]{{0,60}}{NAME})[ \t]*[:=][ \t]*([^\s\"'`<>$\\][^\s\"'`\\]{{3,}})[ \t]*(?:\r?$|[\"'])",
         ("db:\n  password: {=hunter}\n  port: 1", "smtp.password = {=sunflower-hunter}", "password: {=x[y]9#z=p}", "ds.password={=Hunter}",
          "- jwt_secret={=sunflowers}", "# password: {=hunter}", "export elastic_password={=hunter}"),
         ("interface A {\n  password: string\n}", "  token: get\n", "Password: Required", "password = getpass()", "  password: str,", "token = self.x;",
          "password = config[0]", "password: Optional[str]"), _line, hint=NAME_HINT),
    Rule("password", r"(?i)(?:credentials?|basic_?auth|http_?auth|auth|login)[\"']?[ \t]{0,3}[=(:]{1,2}[ \t]{0,3}[(\[]?[ \t]{0,3}[\"']([^\"'\s]{1,64})[\"'],[ \t]{0,3}[\"']([^\"'\n\\]{4,64})[\"'][ \t]{0,3}[)\],]",
         ("requests.get(u, auth=('me', '{=hunter}'))", 'new NetworkCredential("me", "{=hunter2}")', 'req.SetBasicAuth("me", "{=hunter}")'),
         ("login('user', 'password')", "auth('read', '$X')"), _given),
    Rule("password", r"b64encode\([ \t]{0,3}b?[\"'][^\"':\s]{1,64}:([^\"'\n\\]{3,})[\"']", ("base64.b64encode(b'me:{=hunter}')",), ("b64encode(b'plain')",), _given),
    Rule("authorization", r"(?i:\bbasic)[ \t]{1,3}([A-Za-z0-9+/]{8,}={0,2})", ('if auth != "Basic {=bWU6aHVudGVyMg==}"', "Authorization: Basic {=bWU6aHVudGVy}"),
         ("Basic authentication", "Basic usage12345"), _basic),
    Rule("secret", r"(?i)<([\w:.-]*(?:pass|passwd|secret|token|key)[\w.-]*)(?:\s[^<>]{0,200})?>([^<>\s]{4,500})</",
         ("<password>{=hunter2}</password>", "<ns:apiKey>{w20}</ns:apiKey>", '<Pass encoding="base64">{w40}</Pass>'),
         ("<token>string</token>", "<password></password>", "<keys>a1b2c3d4</keys>"), _element),
    Rule("password", r"(?i)\b(?:user|role|login)[ \t]+[\w.@%'`-]{1,80}[ \t]+identified[ \t]+by[ \t]+(?:values[ \t]+)?[\"']?([^\s\"';\\]{4,})",
         ("alter user sys identified by {=Hunter};", "CREATE USER 'a'@'%' IDENTIFIED BY \"{=hunter}\""), ("the user is identified by $NAME",), _given),
    Rule("password", r"(?i)\b(?:identified[ \t]+(?:with[ \t]+\w+[ \t]+)?by|password)[ \t]+'([^'\n\\]{4,})'",
         ("CREATE USER a IDENTIFIED BY '{=hunter}';", "ALTER ROLE a WITH PASSWORD '{=hunter2}'"),
         ("the password 'example' is", "IDENTIFIED BY '$PW'"), _given),
    Rule("pgpass", r":(?:\d{4,5}|\*):[\w.*-]{1,63}:[\w.*-]{1,63}:([^\s:\"'\\]{4,})(?:$|[\s\"'\\])", ("localhost:5432:db:me:{=hunter2}",),
         ("src/a.py:12:5:error:something wrong", "a:b:c:d:e"), _has_digit),
    Rule("secret", r"(?i)\b(?:name|key)[\"']?\s*[:=]\s*[\"']?([\w.:-]*(?:pass|secret|token|key)[\w.:-]*)[\"']?[\s,]*"
         r"[\"']?value[\"']?\s*[:=]\s*[\"']?([^\s\"'<>,}]{4,})",
         ('{"name": "DB_PASSWORD", "value": "{=hunter2}"}', '<add key="ApiKey" value="{w20}"/>',
          "- name: API_TOKEN\n  value: {w20}"),
         ('{"name": "max_tokens", "value": "4096"}', "- name: TOKEN\n  valueFrom: x1y2z3"), _pair),
    Rule("authorization", r"(?i)(?:authorization|x-auth-token)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:[A-Za-z][\w-]{2,20}[ \t]+)?"
         r"([^\s\"'`,;\\]{8,})",
         ("curl -H 'Authorization: Bearer {w24}' x", "Authorization: Basic {w20}==", '{"Authorization": "token {x40}"}'),
         ("Authorization: Bearer $TOKEN", 'headers["Authorization"] = f"Bearer {token}"', "Authorization: Bearer <token>"),
         _has_digit),
    Rule("authorization", r"(?i)\bbearer[ \t]+([A-Za-z0-9+/._~=-]{12,})", ("Bearer {w30}",),
         ("bearer authentication", "Bearer REDACTED_jwt_00ffaa"), _has_digit),
    Rule("cookie", r"(?i)\b(?:set-)?cookie[\"']?[ \t]*:[ \t]*[\"']?([\w.-]+=[^\"'\\\n]{8,})",
         ("curl -H 'Cookie: session={w24}; a=b' x", "Set-Cookie: sid={w30}; Path=/"), ("cookie: string", "Cookie: a=1"),
         _given),
    Rule("url-password", r"://[^\s/@:\"'<>\\]{0,200}:([^\s/\"'<>\\]{1,500})@[A-Za-z0-9\[%$<{*]",
         ("postgres://app:{=hunter}@db.internal/x", "https://me:{w20}@github.com/a/b", "redis://:{=p4ss}@h:6379"),
         ("https://example.com:8080/a@b", "postgres://user:password@localhost/db", "postgres://u:$PW@h/d", "http://a.b/c"),
         _given),
    Rule("url-token", r"(?i)\bhttps?://([\w.-]{20,})(?::[^\s/@\"'<>\\]*)?@[A-Za-z0-9]",
         ("git clone https://{w24}@github.com/a/b", "https://{w40}:x-oauth-basic@github.com/a/b"),
         ("https://packages.example.organisation/@scope/package",), _has_digit),
    Rule("url-signature", r"(?i)[?&](?:sig|signature|x-amz-signature|x-goog-signature|key|auth|code|password)="
         r"([A-Za-z0-9%+/_.=-]{16,})",
         ("https://a.blob.core/x?sv=1&sig={w40}%3D", "https://maps.x/api?key={w30}"), ("?key=some-long-setting-name",),
         _has_digit),
    Rule("netrc-password", r"(?i)\bmachine\s+\S+\s+login\s+\S+\s+password\s+([^\s\"'\\]+)", ("machine a.b login me password {w12}",),
         ("the machine login page asks a password here",), _given),
    Rule("registry-auth", r"(?:\"auth\"\s*:\s*\"|\b_auth\s*=\s*)([A-Za-z0-9+/]{12,}={0,2})", ('{"auths": {"r.io": {"auth": "{w30}=="}}}',),
         ('{"auth": "oauth"}', '{"auth": "basicauthentication"}'), _has_digit),
    Rule("kaggle-key", r"\"username\"\s*:\s*\"[^\"\n]*\"\s*,\s*\"key\"\s*:\s*\"([0-9a-f]{32})\"",
         ('{"username":"me","key":"{x32}"}',), ('{"username":"me","key":"name"}',)),
    Rule("secret", r"define\([ \t]{0,9}[\"']([A-Z_]{0,40}(?:KEY|SALT))[\"'],[ \t]{0,20}(?:\"([^\"\n]{20,})\"|'([^'\n]{20,})')",
         ("define( 'NONCE_SALT', '{=:9URM*n56|I|Rf$|ud0cFJ<KAA<1h_w]A!/?])}')",), ("define('CACHE_KEY', 'the-name-of-the-cached-page')",), _rich),
    Rule("saved-login", r"\"encrypted(?:Username|Password)\"[ \t]*:[ \t]*\"([A-Za-z0-9+/=]{24,})\"", ('"encryptedUsername": "{p60}=="',),
         ('"encryptedUsername": ""',)),
    Rule("jwk-secret", r"[\"'{,\s](?:d|p|q|dp|dq|qi|k)[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']([A-Za-z0-9_-]{20,})[\"']",
         ('{"kty": "EC", "d": "{b43}"}', "{ kty: 'oct', k: '{b43}' }"), ('{"d": "M10 20"}', "{ kty: x, q: 'a-long-query-of-many-words-that-is-typed' }"), _of_chance, hint="kty"),
    Rule("secret", r"(?i)(?:tokens|secrets|passwords|passphrases|(?:api|access|secret|private|signing)[_-]?keys)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\[(]((?:[\s,]*[\"'][^\"'\n]{8,}[\"'])+)",
         ('"tokens": ["{=q9XwT2vLk7Zp4RmN}", "{=8bYc3HdFq9XwT2vL}"]',), ('"tokens": ["the", "quick"]', '"tokens": ["get_started", "input_token"]'), _all_of_chance,
         items=rb"[\"']([^\"'\n]+)[\"']"),
    Rule("token", r"(?:^|[^\w.-])(?:vault[ \t]+login|wandb[ \t]+login|ngrok[ \t]+(?:config[ \t]+add-authtoken|authtoken)"
         r"|npm[ \t]+config[ \t]+set[ \t]+\S*_authToken|poetry[ \t]+config[ \t]+pypi-token\.\S+)[ \t]+([\w.+/=-]{12,})",
         ("wandb login {x40}", "ngrok authtoken {w40}", "npm config set //r.io/:_authToken {w36}"),
         ("vault login --method=github", "wandb login --relogin"), _has_digit),
    Rule("password", r"(?:^|[^\w.-])(?:echo|printf)[ \t]+(?:-n[ \t]+)?[\"']?([^\s\"'|$`\\]{4,})(?:\\n)?[\"']?[ \t]*\|[ \t]*(?:sudo[ \t]+-S|"
         r"(?:docker|podman|gh[ \t]+auth|npm|helm[ \t]+registry|az[ \t]+acr|crane[ \t]+auth)[ \t]+login|gh[ \t]+secret[ \t]+set|chpasswd)",
         ("echo {=hunter} | sudo -S apt update", "echo '{w20}' | docker login -u me --password-stdin", "echo {=root:hunter2} | chpasswd"),
         ("echo $TOKEN | gh auth login --with-token", "echo hello | sudo tee x"), _given),
    Rule("secret", r"--from-literal[= ][\"']?([\w.-]+)=([^\s\"'\\]{4,})",
         ("kubectl create secret generic a --from-literal=anything={=hunter2}",), ("--from-literal=a=$B1234",), _given),
    Rule("random", r"(?::=|[:=])[ \t]{0,3}[\"']?([A-Za-z0-9+/_-]{24,})",
         ("LICENCE={=q9XwT2vLk7Zp4RmN8bYc3HdF}", '"seed": "{=q9XwT2vLk7Zp4RmN8bYc3HdF}"', 'salt = "{x40}"',
          "nkey: {=UDTOZ36ZHM6IIOSTFONEBX2FNZTYNEGLZP2DV6OBDREAFAHYXE2ZLDOJ}"),
         ("commit: 0123456789abcdef0123456789abcdef01234567", "path=src/components/Button/index/Button2",
          "id: 123e4567-e89b-12d3-a456-426614174000", "name=averyLongCamelCaseIdentifierNumber12",
          "request_id=q9XwT2vLk7Zp4RmN8bYc3HdF", "integrity: sha512-q9XwT2vLk7Zp4RmN8bYc3HdF",
          "h1:q9XwT2vLk7Zp4RmN8bYc3HdF", "PASS: TestParseLargeJSONLLines/100KB_line", 'cache-key: "0123456789abcdef0123456789abcdef"',
          "digest = '0123456789abcdef0123456789abcdef'", "public_key: 0123456789abcdef0123456789abcdef"), _random,
         lead=rb"[ \t]{0,20}[\"']?([A-Za-z0-9_.-]{0,64})"),
    Rule("email", r"@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}",
         ("git config user.email {=jane.doe@corp.io}", "Jane <{=jane@acme.com}>"),
         ("git@github.com:a/b.git", "Co-Authored-By: Claude <noreply@anthropic.com>", "me@example.com", "icon@2x.png", "read x@CLAUDE.md",
          "Co-authored-by: A <1+a@users.noreply.github.com>", "+@AGENTS.md",
          "npm i react@18.2.0", "scp a deploy@host.acme.com:/srv", "x@y.mean()", "uses: actions/checkout@v4.1"), _personal,
         lead=rb"([A-Za-z0-9._%+-]{1,64})(?::[A-Za-z0-9._%+-]{0,64}/\\?/\\?:)?", widened=True),
)  # fmt: skip
