r"""Places where secrets stand whatever they look like: assignments, headers, addresses, options of programs.

Each row carries what it must find and what it must leave. Tokens that are known by their form are in `vendors`.
"""

from __future__ import annotations

import re

from meta.redact.names import can_be_secret, entropy, is_password, is_secret, looks_random, word_set, words
from meta.redact.rules import Found, Rule

# A name that may announce a secret (`names.is_secret` decides), and how values are assigned to it.
_NAME = r"((?i:[A-Za-z0-9_.-]{0,80}(?:pass|pwd|secret|token|key|credential|jwt|auth|string)[A-Za-z0-9_.-]{0,40}))"
_ASSIGN = r"(?:\\{0,7}[\"'`])?\]?[ \t]{0,9}(?:=>|:=|={1,3}|:)[ \t]{0,9}"
_BARE = r"[^\s\"'`,;&|<>(){}\[\]\\]{4,}"
_SAME_LINE = r"(?:[^\n]|\\\n){0,900}?"  # between a program and its option
_VALUE = r"(?:[= ]|\\\n|[ \t])[ \t]{0,9}(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\s\"'`;|<>()\\-][^\s\"'`;|<>()\\]*))"
_GLUED = r"(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\s\"'`;|<>()\\-][^\s\"'`;|<>()\\]*))"


def _assigned(found: Found) -> bool:
    name, quoted = found.groups[0], found.before in "\"'`" and found.before != ""
    if not is_secret(name) and not (quoted and name.lower() == "pass"):
        return False
    if found.after in "([" and found.after and not quoted:
        return False
    return can_be_secret(found.value, quoted=quoted, password=is_password(name))


def _element(found: Found) -> bool:
    return (is_secret(found.groups[0]) or found.groups[0].lower() == "pass") and _given(found)


def _salted(found: Found) -> bool:
    """As an assignment, and what long random values under any key or salt are."""
    return _assigned(found) or (words(found.groups[0])[-1:] in (["key"], ["salt"]) and entropy(found.value) >= 4.5)


def _variable(found: Found) -> bool:
    """As a line of an `.env` file: `DB_PASSWORD=hunter` with a plain word."""
    return is_secret(found.groups[0]) and can_be_secret(found.value, quoted=True, password=True)


def _given(found: Found) -> bool:
    return can_be_secret(found.value, quoted=True, password=True, certain=True)


def _plausible(found: Found) -> bool:
    return can_be_secret(found.value, quoted=False, password=False)


def _has_digit(found: Found) -> bool:
    return _given(found) and bool(re.search(r"\d", found.value))


_IDENTIFYING = word_set(
    "id ids uuid guid sha hash digest integrity checksum etag commit ref version revision cursor path file url uri "
    "src href data image module class name sum signature fingerprint encrypted content thinking"
)


def _random(found: Found) -> bool:
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", found.groups[0])
    named = words and words[-1].lower() in _IDENTIFYING
    return not named and found.after not in ("/", "(") and looks_random(found.value)


def _personal(found: Found) -> bool:
    """Whether an address is a person's: not a machine's, a documentation's, or a login on a host (`git@host:path`)."""
    local, _, domain = found.value.lower().partition("@")
    top = domain.rpartition(".")[2]
    if found.after in (":", "/", "(") or local in ("git", "hg", "root", "user") or re.search(r"no-?reply", found.value):
        return False
    if re.search(r"(?:^|\.)(?:example|test|domain|email)\.(?:com|org|net)$|\.(?:test|invalid|local|example)$", domain):
        return False
    return top in _TOP_LEVEL or (len(top) == 2 and top not in _SUFFIXES)


_SUFFIXES = word_set("py js ts rb cs go hs kt vb md sh")
_TOP_LEVEL = word_set(
    "com org net edu gov mil int info biz name pro dev app cloud tech online site store blog email xyz ltd inc work "
    "group agency studio design systems software solutions services digital network world live academy"
)


def _program(name: str, programs: str, option: str, *yes: str, no: tuple[str, ...] = (), value: str = _VALUE) -> Rule:
    """A rule for an option that holds a secret in some programs only, since `-p` is a port in others."""
    return Rule(name, rf"(?:^|[^\w.-])(?:{programs})\b{_SAME_LINE}[ \t](?:{option}){value}", yes, no, _given)


PLACES: tuple[Rule, ...] = (
    Rule("secret", _NAME + _ASSIGN + r"\"((?:[^\"\\\n]|\\.)+)\"",
         ('{"password": "{=hunter}"}', 'api_key = "{w20}"', 'x["api_key"] = "{w20}"',
          'export DB_PASSWORD="{=s3cr3t}"'),
         ('{"max_tokens": "4096"}', 'password = "${DB_PASSWORD}"', '{"password": "string"}', 'token="access_token"',
          'password: "Enter your password"', 'password = ""', '{"tokenizer": "gpt2-b50k"}', 'api_key = "your-api-key-1"'),
         _assigned),
    Rule("secret", _NAME + _ASSIGN + r"\\+\"([^\"\\\n]+)",
         (r'{\"password\": \"{=hunter}\"}', r'\"apiKey\": \"{w24}\"'), (r'{\"password\": \"\"}',), _assigned),
    Rule("secret", _NAME + _ASSIGN + r"'((?:[^'\\\n]|\\.)+)'",
         ("password='{=hunter}'", "{'secretKey': '{w20}'}"), ("password = 'string'", "key='a1b2c3d4'"), _assigned),
    Rule("secret", _NAME + _ASSIGN + f"({_BARE})",
         ("TOKEN={w20}", "password: {=hunter2}", "https://x.y/?access_token={w20}&x=1", "-Ddb.password={=s3cr3tx}",
          "client_secret={w30} next", "--api-key={w20}", "aws_secret_access_key = {p40}", "AccountKey={p86}==;"),
         ("token = get_token()", "password: str = None", "max_tokens=4096", "token: string", "secret = os.environ['X1']",
          "TOKEN=$GITHUB_TOKEN", "PASSWORD_FILE=/run/secrets/a1", "token=self.token", "key: value12345", "token: 12345",
          "password=password", "api_key=args.api_key", "secret: ${{ secrets.A1 }}", "passed=12345", "keyboard: qwerty1"),
         _assigned),
    Rule("secret", r"(?m)(?:^|[\s;&|(\"'`])(?:export[ \t]+|set[ \t]+|-e[ \t]+|--env[ \t]+|ENV[ \t]+)?"
         r"([A-Z0-9_]{0,60}(?:PASS|PWD|SECRET|TOKEN|KEY)[A-Z0-9_]{0,30})=" + f"({_BARE})",
         ("DB_PASSWORD={=hunter}", "PGPASSWORD={=hunter} psql -h x", "docker run -e API_KEY={=letmeinnow} x"),
         ("PASSWORD=$1", "PWD=/tmp/x", "TOKENS=many", "API_KEY=your_key"), _variable),
    Rule("secret", r"(?i)(?:^|[\s\"'])--?([a-z0-9][\w-]{0,40}(?:pass|pwd|secret|token|key|credential|auth)[\w-]{0,30}"
         r"|pass[\w-]{0,20}|pwd|secret[\w-]{0,20}|token[\w-]{0,20})[\"']?,?[ \t]+[\"']?([^\s\"'`,;|<>()\\-][^\s\"'`,;|<>()\\]{3,})",
         ("deploy --token {w20} x", "login --password {=hunter2}", '["--api-key", "{w20}"]', "keytool -storepass {=chang3it}"),
         ("--password PASSWORD  the password", "--token <token>", "use --token to set", "--max-tokens 4096",
          "--key-file a1b2c3.pem", "ssh -key /home/x1", "--password-stdin abc123"), _assigned),
    Rule("secret", r"(?i)<([\w:.-]*(?:pass|passwd|secret|token|key)[\w.-]*)(?:\s[^<>]{0,200})?>([^<>\s]{4,500})</",
         ("<password>{=hunter2}</password>", "<ns:apiKey>{w20}</ns:apiKey>", '<Pass encoding="base64">{w40}</Pass>'),
         ("<token>string</token>", "<password></password>", "<keys>a1b2c3d4</keys>"), _element),
    Rule("secret", r"\([ \t]*[\"'`]([\w.-]*(?i:pass|pwd|secret|token|key|credential|salt)[\w.-]*)[\"'`][ \t]*,[ \t]*[\"'`]([^\"'`\n\\]{4,})[\"'`]",
         ("define('DB_PASSWORD', '{=hunter2}');", 'conf.set("api_key", "{w20}")', "define( 'NONCE_SALT', '{=:9URM*n56|I|Rf$|ud0cFJ<KAA<1h_w]A!/?])}')"),
         ("getattr(x, 'token', 'none')", "f('key', 'value1')", 't("password", "Enter your password")'), _salted),
    Rule("secret", r"(?i)\b(?:password|passphrase|secret|token|api[ -]key)[ \t]+(?:is|was|to)[ \t]*:?[ \t]+[\"'`]?([^\s\"'`,;\\]{6,})",
         ("the password is {=hunter2} for now", "set the API key to `{w24}`"), ("the token is expired", "the secret is out"),
         _has_digit),
    Rule("secret", r"(?i)(?:[?&]|[\s\"'\[]--?)([\w.-]{0,60}(?:pass|pwd|secret|token|key)[\w.-]{0,30})=" + f"({_BARE})",
         ("https://h/?a=1&password={=correcthorse}&b=2", "tool --db-password={=correcthorse} run"),
         ("tool --password=PASSWORD", "tool --token=<token>", "https://h/?api_key=API_KEY", "x --api-key=$KEY12345", "--key-type=rsa"), _variable),
    Rule("password", r"(?i)\b(?:identified[ \t]+(?:with[ \t]+\w+[ \t]+)?by|password)[ \t]+'([^'\n\\]{4,})'",
         ("CREATE USER a IDENTIFIED BY '{=hunter}';", "ALTER ROLE a WITH PASSWORD '{=hunter2}'"),
         ("the password 'example' is", "IDENTIFIED BY '$PW'"), _given),
    Rule("pgpass", r"(?:^|[\s\"'])[\w.*-]+:(?:\d{2,5}|\*):[\w.*-]+:[\w.*-]+:([^\s:\"'\\]{4,})(?:$|[\s\"'\\])", ("localhost:5432:db:me:{=hunter2}",),
         ("src/a.py:12:5:error:something wrong", "a:b:c:d:e"), _has_digit),
    Rule("private-key", r"Private-Lines: \d+\s+([A-Za-z0-9+/=\s]{40,}?)(?:Private-MAC|\z)",
         ("Private-Lines: 2\n{p64}\n{p64}\nPrivate-MAC: 00",), ("Public-Lines: 2\nAAAA",)),
    Rule("secret", r"(?i)\b(?:name|key)[\"']?\s*[:=]\s*[\"']?([\w.:-]*(?:pass|secret|token|key)[\w.:-]*)[\"']?[\s,]*"
         r"[\"']?value[\"']?\s*[:=]\s*[\"']?([^\s\"'<>,}]{4,})",
         ('{"name": "DB_PASSWORD", "value": "{=hunter2}"}', '<add key="ApiKey" value="{w20}"/>',
          "- name: API_TOKEN\n  value: {w20}"),
         ('{"name": "max_tokens", "value": "4096"}', "- name: TOKEN\n  valueFrom: x1y2z3"), _assigned),
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
    Rule("url-password", r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/@:\"'<>\\]{0,200}:([^\s/\"'<>\\]{1,500})@[A-Za-z0-9\[]",
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
    Rule("jwk-secret", r"\"(?:d|p|q|dp|dq|qi|k)\"\s*:\s*\"([A-Za-z0-9_-]{40,})\"", ('{"kty": "EC", "d": "{b43}"}',),
         ('{"d": "M10 20"}',)),
    _program("password", "mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump|mariadb-admin|mycli|7z|7za", "-p",
             "mysql -u root -p{=hunter} db", "7z x -p{=hunter} a.7z", "mysql -uroot -p'{=pa ss1}'",
             no=("mysql -u root -p db", "mysql -P3306 x", "ssh -p2222 host", "mkdir -pv x"), value=_GLUED),
    _program("password", "curl|wget|http|https|xh", r"-u|--user|-U|--proxy-user|-a|--auth",
             "curl -u admin:{=hunter} https://x.y", "curl -s https://x.y/a -u 'me@x:{w12}'", "http -a me:{=hunter} x.y",
             no=("curl -u admin https://x.y", "curl -A agent:x x.y", "docker run -u 1000:1000 x"),
             value=r"[= ]?[ \t]{0,9}(?:[\"']?[^\s\"':]{0,200}:)" + _GLUED.replace(r"[^\"\n]+", r"[^\"\s]+")),
    _program("password", "sshpass", "-p", "sshpass -p {=hunter} ssh h", "sshpass -p'{=hunter}' ssh h",
             no=("sshpass -e ssh h", "sshpass -f f h"), value=r"[ \t]*" + _GLUED),
    _program("password", "redis-cli", "-a|--pass", "redis-cli -h x -a {w12} ping", no=("redis-cli -n 5 ping",)),
    _program("password", r"(?:docker|podman|helm|oras|nerdctl|buildah|skopeo)[ \t]+(?:registry[ \t]+)?login|az[ \t]+login|oc[ \t]+login"
             r"|twine[ \t]+upload|mongosh?|mongodump|mongorestore|mongoexport|mongoimport|sqlplus|snowsql", "-p|--password",
             "docker login -u me -p {w12} r.io", "mongosh -u a -p {=hunter} h", "az login -u a -p {w30}",
             no=("docker run -p 8080:80 x", "docker login r.io")),
    _program("password", "ldapsearch|ldapadd|ldapmodify|ldapdelete|ldapwhoami", "-w", "ldapsearch -x -D cn=a -w {=hunter}",
             no=("ldapsearch -W -x",)),
    _program("password", "sqlcmd|bcp|zip|unzip", "-P", "sqlcmd -S h -U sa -P {=Str0ng}", "unzip -P {=hunter} a.zip",
             no=("zip -r a.zip b",)),
    _program("password", "openssl", "-pass|-passin|-passout|-k", "openssl enc -aes-256-cbc -pass pass:{=hunter} -in a",
             no=("openssl rsa -passin file:a -in b", "openssl enc -pass env:X1"), value=r"[ \t]+(?:pass:)([^\s\"';|]+)"),
    _program("password", "htpasswd", r"-\w*b\w*[ \t]+\S+[ \t]+\S+", "htpasswd -cb .htpasswd me {=hunter}",
             no=("htpasswd -c .htpasswd me",)),
    _program("password", "smbclient|rpcclient|mount.cifs", "-U", "smbclient //h/s -U me%{=hunter}", no=("smbclient -U me x",),
             value=r"[ \t]*[\"']?[^\s\"'%]+%([^\s\"']+)"),
    _program("password", "ssh-keygen", "-N|-P", "ssh-keygen -t ed25519 -N '{=hunter2}' -f k", no=("ssh-keygen -t rsa -N '' -f k",)),
    _program("token", r"aws[ \t]+configure[ \t]+set", r"(?:aws_secret_access_key|aws_session_token)",
             "aws configure set aws_secret_access_key {p40}", no=("aws configure set region eu-west-1",)),
    Rule("token", r"(?:^|[^\w.-])(?:vault[ \t]+login|wandb[ \t]+login|ngrok[ \t]+(?:config[ \t]+add-authtoken|authtoken)"
         r"|npm[ \t]+config[ \t]+set[ \t]+\S*_authToken|poetry[ \t]+config[ \t]+pypi-token\.\S+)[ \t]+([\w.+/=-]{12,})",
         ("wandb login {x40}", "ngrok authtoken {w40}", "npm config set //r.io/:_authToken {w36}"),
         ("vault login --method=github", "wandb login --relogin"), _has_digit),
    Rule("password", r"(?:^|[^\w.-])(?:echo|printf)[ \t]+(?:-n[ \t]+)?[\"']?([^\s\"'|$`\\]{4,})(?:\\n)?[\"']?[ \t]*\|[ \t]*(?:sudo[ \t]+-S|"
         r"(?:docker|podman|gh[ \t]+auth|npm|helm[ \t]+registry|az[ \t]+acr|crane[ \t]+auth)[ \t]+login|gh[ \t]+secret[ \t]+set|chpasswd)",
         ("echo {=hunter} | sudo -S apt update", "echo '{w20}' | docker login -u me --password-stdin", "echo {=root:hunter2} | chpasswd"),
         ("echo $TOKEN | gh auth login --with-token", "echo hello | sudo tee x"), _given),
    Rule("secret", r"--from-literal[= ][\"']?([\w.-]+)=([^\s\"']{4,})",
         ("kubectl create secret generic a --from-literal=anything={=hunter2}",), ("--from-literal=a=$B1234",), _given),
    Rule("random", r"([A-Za-z_][\w.-]{0,60})[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?([A-Za-z0-9+/_-]{24,})",
         ("LICENCE={=q9XwT2vLk7Zp4RmN8bYc3HdF}", '"seed": "{=q9XwT2vLk7Zp4RmN8bYc3HdF}"'),
         ("commit: 0123456789abcdef0123456789abcdef01234567", "path=src/components/Button/index/Button2",
          "id: 123e4567-e89b-12d3-a456-426614174000", "name=averyLongCamelCaseIdentifierNumber12",
          "request_id=q9XwT2vLk7Zp4RmN8bYc3HdF", "integrity: sha512-q9XwT2vLk7Zp4RmN8bYc3HdF"), _random),
    Rule("email", r"([A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24})",
         ("git config user.email {=jane.doe@corp.io}", "Jane <{=jane@acme.com}>"),
         ("git@github.com:a/b.git", "Co-Authored-By: Claude <noreply@anthropic.com>", "me@example.com", "icon@2x.png", "read x@CLAUDE.md",
          "Co-authored-by: A <1+a@users.noreply.github.com>", "+@AGENTS.md",
          "npm i react@18.2.0", "scp a deploy@host.acme.com:/srv", "x@y.mean()", "uses: actions/checkout@v4.1"), _personal),
)  # fmt: skip
