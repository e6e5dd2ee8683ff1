"""Made-up secrets of many kinds and the places they stand in, told without looking at the redactor's rules.

A form is what a vendor's documentation shows of a token, or what people choose. Nothing here is a working secret.
"""

from __future__ import annotations

import json
import random
import re
import shlex
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "base32": string.ascii_uppercase + "234567",
    "base64": string.ascii_letters + string.digits + "+/",
    "url": string.ascii_letters + string.digits + "-_",
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "digit": string.digits,
}

VENDORS: dict[str, str] = {
    "adafruit": "aio_<alnum 28>",
    "age": "AGE-SECRET-KEY-1<upper 58>",
    "airtable": "pat<alnum 14>.<hex 64>",
    "alibaba": "LTAI<alnum 20>",
    "anthropic": "sk-ant-api03-<url 93>AA",
    "artifactory": "AKCp<alnum 69>",
    "atlassian": "ATATT3xFfGF0<url 170>=<HEX 8>",
    "aws-key-id": "AKIA<base32 16>",
    "aws-session-key-id": "ASIA<base32 16>",
    "azure-secret": "<alnum 3>8Q~<url 34>",
    "bitbucket": "ATBB<alnum 32>",
    "brevo": "xkeysib-<hex 64>-<alnum 16>",
    "buildkite": "bkua_<hex 40>",
    "circleci": "CCIPAT_<alnum 22>_<hex 40>",
    "clojars": "CLOJARS_<hex 60>",
    "contentful": "CFPAT-<url 43>",
    "crates": "cio<alnum 32>",
    "databricks": "dapi<hex 32>",
    "digitalocean": "dop_v1_<hex 64>",
    "discord-bot": "MT<alnum 22>.<url 6>.<url 38>",
    "discord-webhook": "https://discord.com/api/webhooks/<digit 18>/<url 68>",
    "docker-hub": "dckr_pat_<url 27>",
    "doppler": "dp.pt.<alnum 43>",
    "dropbox": "sl.<url 140>",
    "dynatrace": "dt0c01.<upper 24>.<upper 64>",
    "easypost": "EZAK<alnum 54>",
    "elevenlabs": "sk_<hex 48>",
    "facebook": "EAAG<alnum 140>",
    "figma": "figd_<url 40>",
    "fly": "fm2_<base64 120>",
    "github-app": "ghs_<alnum 36>",
    "github-fine-grained": "github_pat_<alnum 22>_<alnum 59>",
    "github-oauth": "gho_<alnum 36>",
    "github-personal": "ghp_<alnum 36>",
    "gitlab-personal": "glpat-<url 20>",
    "gitlab-pipeline": "glptt-<hex 40>",
    "gitlab-routable": "glpat-<url 27>.<lower 9>",
    "google-api": "AIza<url 35>",
    "google-oauth": "ya29.<url 120>",
    "google-oauth-secret": "GOCSPX-<url 28>",
    "grafana-cloud": "glc_<base64 80>",
    "grafana-service": "glsa_<alnum 32>_<hex 8>",
    "groq": "gsk_<alnum 52>",
    "heroku": "HRKU-<hex 8>-<hex 4>-<hex 4>-<hex 4>-<hex 12>",
    "hubspot": "pat-na1-<hex 8>-<hex 4>-<hex 4>-<hex 4>-<hex 12>",
    "hugging-face": "hf_<alnum 34>",
    "json-web-token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ<url 60>.<url 43>",
    "langfuse": "sk-lf-<hex 8>-<hex 4>-<hex 4>-<hex 4>-<hex 12>",
    "langsmith": "lsv2_pt_<hex 32>_<hex 10>",
    "linear": "lin_api_<alnum 40>",
    "mailchimp": "<hex 32>-us14",
    "mailgun": "key-<hex 32>",
    "new-relic": "NRAK-<upper 27>",
    "notion": "ntn_<alnum 46>",
    "npm": "npm_<alnum 36>",
    "nvidia": "nvapi-<url 64>",
    "openai-legacy": "sk-<alnum 20>T3BlbkFJ<alnum 20>",
    "openai-project": "sk-proj-<url 74>T3BlbkFJ<url 74>",
    "openrouter": "sk-or-v1-<hex 64>",
    "openshift": "sha256~<url 43>",
    "perplexity": "pplx-<alnum 48>",
    "pinecone": "pcsk_<alnum 6>_<alnum 63>",
    "planetscale": "pscale_tkn_<url 43>",
    "posthog": "phx_<alnum 43>",
    "postman": "PMAK-<hex 24>-<hex 34>",
    "pulumi": "pul-<hex 40>",
    "pypi": "pypi-AgEIcHlwaS5vcmc<url 150>",
    "replicate": "r8_<alnum 37>",
    "rubygems": "rubygems_<hex 48>",
    "sendgrid": "SG.<url 22>.<url 43>",
    "sentry": "sntryu_<hex 64>",
    "shopify": "shpat_<hex 32>",
    "slack-app": "xapp-1-A<upper 10>-<digit 13>-<hex 64>",
    "slack-bot": "xoxb-<digit 12>-<digit 13>-<alnum 24>",
    "slack-user": "xoxp-<digit 12>-<digit 12>-<digit 13>-<hex 32>",
    "slack-webhook": "https://hooks.slack.com/services/T<upper 10>/B<upper 10>/<alnum 24>",
    "sonar": "squ_<hex 40>",
    "square": "EAAA<url 60>",
    "stripe-live": "sk_live_<alnum 24>",
    "stripe-restricted": "rk_live_<alnum 99>",
    "stripe-webhook": "whsec_<alnum 32>",
    "supabase": "sbp_<hex 40>",
    "tailscale": "tskey-auth-<alnum 12>-<alnum 32>",
    "telegram": "<digit 10>:AA<url 33>",
    "terraform": "<alnum 14>.atlasv1.<url 67>",
    "twilio": "SK<hex 32>",
    "typeform": "tfp_<url 59>",
    "vault": "hvs.<url 90>",
    "vercel": "vcp_<alnum 56>",
    "xai": "xai-<alnum 80>",
}

# What people and programs choose where no vendor gave it a form: (form, the names it goes by).
_PASSWORD = ("password", "db_password", "DB_PASSWORD", "passwd", "adminPassword", "smtp-password", "PGPASSWORD")
_KEY = ("api_key", "API_KEY", "client_secret", "accessToken", "auth-token", "SECRET_KEY", "signing_key", "privateToken")
GENERIC: dict[str, tuple[str, tuple[str, ...]]] = {
    "word": ("(harbour|sunflower|blizzard|marmalade|hunter|trombone)", _PASSWORD),
    "two words": ("(harbour|sunflower|blizzard)-(marmalade|hunter|trombone)", _PASSWORD),
    "word with digits": ("(Harbour|sunflower|Blizzard)<digit 2>", _PASSWORD),
    "word with a sign": ("(Harbour|sunflower|Blizzard)(!|#|%|@|$)<digit 3>", _PASSWORD),
    "short random": ("<alnum 10>", _PASSWORD),
    "random with signs": ("<alnum 4>(!|#|%|^|*|+)<alnum 4>(@|~|?|=|:)<alnum 4>", _PASSWORD),
    "digits": ("<digit 8>", _PASSWORD),
    "long random": ("<alnum 24>", _PASSWORD),
    "hex key": ("<hex 32>", _KEY),
    "long hex key": ("<hex 64>", _KEY),
    "alphanumeric key": ("<alnum 40>", _KEY),
    "base64 key": ("<base64 43>=", _KEY),
    "AWS secret key": ("<base64 40>", ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "secretAccessKey")),
    "Azure storage key": ("<base64 86>==", ("AccountKey", "AZURE_STORAGE_KEY", "storage_account_key")),
    "url-safe token": ("<url 43>", _KEY),
    "short token": ("<lower 16>", _KEY),
    "key as UUID": ("<hex 8>-<hex 4>-<hex 4>-<hex 4>-<hex 12>", _KEY),
}


def _shell(value: str) -> str:
    return shlex.quote(value)


def _plain(value: str) -> str:
    return value


def _json(value: str) -> str:
    return json.dumps(value)


def _address(value: str) -> str:
    return quote(value, safe="")


@dataclass(frozen=True, slots=True)
class Context:
    """A place: `{name}` and `{value}` are filled in, the value written by `write`."""

    name: str
    form: str
    write: Callable[[str], str] = _plain


# Where a vendor's token stands no name tells of it; where another secret stands, its name does.
BARE = (
    Context("env", "export SETTING_A={value}", _shell),
    Context("json", '{{"first": {value}, "n": 1}}', _json),
    Context("yaml", "service:\n  first: {value}\n  port: 80"),
    Context("python", "first = {value}", repr),
    Context("toml", "[section]\nfirst = {value}", _json),
    Context("header", "curl -s -H {value} https://api.corp.io/v1", lambda value: _shell(f"X-First: {value}")),
    Context("basic", "curl -s -u {value}: https://api.corp.io/v1", _shell),
    Context("url", "https://api.corp.io/v1?first={value}&page=2"),
    Context("flag", "deploy --first {value} --verbose", _shell),
    Context("heredoc", "cat > .env <<'EOF'\nFIRST={value}\nPORT=80\nEOF"),
    Context("prose", "I used {value} for this, and it worked."),
    Context("xml", "<first>{value}</first>"),
)
NAMED = (
    Context("env", "export {name}={value}", _shell),
    Context("json", '{{"user": "admin", "{name}": {value}, "n": 1}}', _json),
    Context("yaml", "service:\n  {name}: {value}\n  port: 80"),
    Context("python", "{name} = {value}", repr),
    Context("toml", "[section]\n{name} = {value}", _json),
    Context("header", "curl -s -H {value} https://api.corp.io/v1"),
    Context("basic", "curl -s -u admin:{value} https://api.corp.io/v1", _shell),
    Context("url", "psql postgres://admin:{value}@db.corp.io:5432/main -c 'select 1'", _address),
    Context("flag", "deploy --{name} {value} --verbose", _shell),
    Context("heredoc", "cat > .env <<'EOF'\n{name}={value}\nPORT=80\nEOF"),
    Context("prose", "The {name} is {value} for now, please change it."),
    Context("log", "2026-03-01T10:00:00Z INFO login user=admin {name}={value} ok"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A text with one secret in it; `vendor` tells whether a vendor gave the secret its form."""

    kind: str
    context: str
    vendor: bool
    depth: int
    text: str
    secret: str


def made(form: str, source: random.Random) -> str:
    """One secret of a form: `<alphabet length>` is drawn, `(a|b)` chosen."""
    form = re.sub(r"\(([^()]+\|[^()]+)\)", lambda match: source.choice(match[1].split("|")), form)
    return re.sub(r"<(\w+) (\d+)>", lambda match: "".join(source.choices(_ALPHABETS[match[1]], k=int(match[2]))), form)


def samples(*, seed: int = 1, each: int = 1) -> Iterator[Sample]:
    """Every kind in every context, alone and within one and two layers of JSON, with `each` secrets."""
    source = random.Random(seed)
    for _ in range(each):
        for kind, form in VENDORS.items():
            for context in BARE:
                secret = made(form, source)
                text = context.form.format(value=context.write(secret))
                yield from _layers(kind, context.name, True, text, secret)
        for kind, (form, names) in GENERIC.items():
            for context in NAMED:
                secret, name = made(form, source), source.choice(names)
                yield from _layers(kind, context.name, False, _named(context, name, secret), secret)


def _named(context: Context, name: str, secret: str) -> str:
    value = _shell(f"X-{name}: {secret}") if context.name == "header" else context.write(secret)
    if context.name == "prose":
        name = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name).lower()
    if context.name == "flag":
        name = name.lower().replace("_", "-")
    return context.form.format(name=name, value=value)


def _layers(kind: str, context: str, vendor: bool, text: str, secret: str) -> Iterator[Sample]:
    for depth in range(3):
        yield Sample(kind, context, vendor, depth, text, secret)
        text = json.dumps({"type": "tool_result", "content": text, "is_error": False})


def leaks(sample: Sample, redacted: str) -> bool:
    """Whether the secret, or its beginning or end, is still to be read."""
    for _ in range(sample.depth):
        redacted = json.loads(redacted)["content"]
    parts = {sample.secret, quote(sample.secret, safe="")}
    if len(sample.secret) >= 12:
        parts |= {sample.secret[:6], sample.secret[-6:]}
    if sample.vendor:  # its prefix is no secret, and the address of a hook is public
        parts -= {sample.secret[:6]}
    return any(part in redacted for part in parts)
