"""Whether a name announces a secret, and whether a value can be one.

Only words are judged here; where names and values stand is told by `places`.
"""

from __future__ import annotations

import math
import re
from collections import Counter

PLACEHOLDER = re.compile(r"REDACTED_[a-z0-9-]{2,40}_[0-9a-f]{6}")


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PASSWORD = ("password", "passwd", "passphrase", "passcode", "passwort", "pwd")
_SECRET = ("secret", "token", "apikey", "secretkey", "accesskey", "privatekey", "credential", "credentials", "jwt")
_ANY = (*_PASSWORD, *_SECRET)
_KINDS_OF_KEY = word_set(
    "api access secret private auth signing sign encryption encrypt decryption master account shared service "
    "subscription license deploy app application consumer integration write admin jwt session hmac aes storage "
    "bot webhook client project server"
)
_ENVIRONMENTS = word_set(
    "prod production dev development test testing staging live value val base64 b64 encoded raw plain old new default "
    "current confirm confirmation primary secondary base"
)
_TRIVIAL = word_set(
    "true false null none nil undefined string str text int integer number float bool boolean bytes any object list "
    "array dict map required optional example redacted masked hidden yes no on off empty unset default value here "
    "test changeme todo char varchar uuid u8 u16 u32 u64 i32 i64 usize sha256 sha512 sha1 md5 utf8 utf-8 base64 hs256 "
    "rs256 es256 disabled enabled missing invalid expired valid failed"
)
_NO_PASSWORD = word_set("bypass compass overpass underpass trespass surpass multipass singlepass onepass twopass")
_SAMPLES = re.compile(
    r"(?i)^(?:your|my|the|some|fake|dummy|mock|example|sample|placeholder|test|insert|enter|change)[-_ ]"
)
_MASKED = re.compile(r"(?i)\*{3}|\.\.\.|x{3,}$|redacted")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z_]*(?:[.-]{1,2}[A-Za-z_]+)*[?!]?")
_TYPED = re.compile(r"[A-Za-z_][\w.]{0,60}[\[(<{]")


def words(name: str) -> list[str]:
    """The words of a name in snake, kebab, dotted or camel case, in lower case."""
    return [word.lower() for word in _WORDS.findall(name)]


def is_password(name: str) -> bool:
    """Whether the name says password, so that even a plain word may be one."""
    parts = _core(name)
    last = parts[-1] if parts else ""
    if last in ("pass", "pwd"):  # alone they are a result and a folder
        return len(parts) > 1
    return last.endswith(_PASSWORD) or (last.endswith("pass") and last not in _NO_PASSWORD)


def is_secret(name: str) -> bool:
    """Whether the name says that its value is secret: `DB_PASSWORD`, `apiKey`, but not `max_tokens`, `token_count`."""
    parts = _core(name)
    if not parts:
        return False
    if parts[-1] in ("key", "keys"):
        return len(parts) > 1 and parts[-2] in _KINDS_OF_KEY
    return is_password(name) or parts[-1].endswith(_SECRET) or "".join(parts[-2:]) in ("connectionstring", "authcode")


def _core(name: str) -> list[str]:
    """The words without those that tell which of several it is: `TOKEN_PROD_2` is a token."""
    parts = words(name)
    while len(parts) > 1 and (parts[-1] in _ENVIRONMENTS or parts[-1].isdigit()):
        parts.pop()
    return parts


def can_be_secret(value: str, *, quoted: bool, password: bool, certain: bool = False) -> bool:
    """Whether a value under a secret's name is likely one, not a type, a reference, a path or a word about it.

    `certain` tells that the place allows nothing else, so that a plain word counts.
    """
    plain = value.strip("'\"")
    lower = plain.lower()
    if len(plain) < 4 or lower in _TRIVIAL or lower in _ANY or PLACEHOLDER.fullmatch(plain):
        return False
    if _is_reference(plain) or _SAMPLES.match(plain) or _MASKED.search(plain) or not re.search(r"[A-Za-z0-9]", plain):
        return False
    if certain:
        return True
    if " " in plain:  # a sentence, if it is not mostly signs
        return quoted and "://" not in plain and len(re.findall(r"[^\w\s]", plain)) >= len(plain) / 6
    if not quoted and plain[0] in "*&":  # what a pointer shows
        return False
    if plain.isdigit():
        return password
    if _IDENTIFIER.fullmatch(plain):
        return quoted and password and not any(word in re.sub(r"[\W_]", "", lower) for word in _ANY)
    return quoted or len(plain) >= 6


def _is_reference(value: str) -> bool:
    """Whether the value stands somewhere else: a variable, a template, a call, a path, an address."""
    if value[0] in "<" or value.startswith(("$", "%(", "{{", "{", "./", "../", "~/", "@/", "\\(", "#{", "%{")):
        return True
    if re.match(r"%\w+%$|[a-z][a-z0-9+]{1,9}://|/[\w.-]+(?:/|$)", value):
        return True
    return bool(re.search(r"\$\{|\$\(|\{\{|env\.[A-Z]|environ|getenv", value) or _TYPED.match(value))


def entropy(value: str) -> float:
    """Bits a character, by the frequencies of the characters in the value itself."""
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())


def looks_random(value: str) -> bool:
    """Whether a long value is random as keys are: not a hash, an id with dashes, a path, or words joined together."""
    if re.fullmatch(r"[0-9a-fA-F-]+|[0-9.:-]+", value) or value.count("/") > 2:
        return False
    kinds = sum(bool(re.search(pattern, value)) for pattern in ("[a-z]", "[A-Z]", "[0-9]"))
    longest = max(map(len, re.findall(r"[a-z]+|[A-Z]+", value)), default=0)
    digits = sum(character.isdigit() for character in value)
    return kinds == 3 and digits >= 3 and longest <= 6 and entropy(value) >= 4.0
