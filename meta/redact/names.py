"""Whether a name announces a secret, and whether a value can be one.

Only words are judged here; where names and values stand is told by `places`.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter

PLACEHOLDER = re.compile(r"REDACTED_[a-z0-9-]{2,40}_[0-9a-f]{6}")


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PASSWORD = ("password", "passwd", "passphrase", "passcode", "passwort", "pwd")
SHORT = ("pass", "pwd", "pw")
_SECRET = ("secret", "token", "apikey", "secretkey", "accesskey", "privatekey", "credential", "credentials", "jwt")
_ANY = (*_PASSWORD, *_SECRET)
_PAIRS = word_set("connectionstring authcode oauthverifier codeverifier oauthsignature authkey keyauth")
_KINDS_OF_KEY = word_set(
    "api access secret private auth signing sign encryption encrypt decryption master account shared service "
    "subscription license deploy app application consumer integration write admin jwt session hmac aes storage "
    "bot webhook client project server auth"
)
_ENVIRONMENTS = word_set(
    "prod production dev development test testing staging live value val base64 b64 encoded raw plain old new default "
    "current confirm confirmation primary secondary base"
)
_TRIVIAL = word_set(
    "true false null none nil undefined string str text int integer number float bool boolean bytes any object list "
    "array dict map required optional example redacted masked hidden yes no on off empty unset default value here "
    "test changeme todo char varchar uuid u8 u16 u32 u64 i32 i64 usize sha256 sha512 sha1 md5 utf8 utf-8 base64 hs256 "
    "rs256 es256 disabled enabled missing invalid expired valid failed with from must when will that this your have "
    "been into only using which then than does should would could cannot each argument param parameter field input "
    "hash hashed plaintext username email admin_password user require requires minlength maxlength never forgot reset "
    "incorrect wrong correct please enter type label click show hide self nullable readonly prompt stdin file env"
)
# The end of a name that may announce a secret, for RE2; `is_secret` decides over the whole name.
_KEYED = rf"(?:{'|'.join(sorted(_KINDS_OF_KEY))})[_. -]?"
NAME = (
    rf"(?i:(?:{_KEYED}(?:{_KEYED})?keys?|pass(?:word|wd|phrase|code|wort)?|pwd|pw|secret|token|credentials?|jwt|"
    r"connection[_-]?string|auth[_-]?code|(?:oauth|code)[_-]?verifier|oauth[_-]?signature|key[_-]?auth)"
    rf"(?:[_.-]?(?:{'|'.join(sorted(_ENVIRONMENTS))}|\d{{1,3}})){{0,3}})"
)
# What is in every such name. It must be of three letters and more for RE2 to look for it.
NAME_HINT = "(?i:pass|pwd|[_-]pw|pw[=:\"']|secret|token|credential|jwt|key|connection|auth|verifier)"
_NO_PASSWORD = word_set("bypass compass overpass underpass trespass surpass multipass singlepass onepass twopass")
_SAMPLES = re.compile(
    r"(?i)^(?:your|my|the|some|fake|dummy|mock|example|sample|placeholder|test|insert|enter|change)[-_ ]"
)
_MASKED = re.compile(r"(?i)\*{3}|\.\.\.|x{3,}$|redacted")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z_]*(?:[.-]{1,2}[A-Za-z_]+)*[?!]?")
_CALL = re.compile(r"[A-Za-z_][\w.]*\(.*\);?")
_TYPED = re.compile(r"[A-Za-z_][\w.:]{0,60}(?:[\[(<{][^!#%@*]*)[\])>};,]*|[A-Za-z_][\w.]{0,60}[\[(<{].*[\])>}][;,]?")


_LOOKED = 2000  # characters of a value; what is no secret is told by its beginning


def words(name: str) -> list[str]:
    """The words of a name in snake, kebab, dotted or camel case, in lower case."""
    return [word.lower() for word in _WORDS.findall(name)]


@functools.lru_cache(4096)
def is_password(name: str) -> bool:
    """Whether the name says password, so that even a plain word may be one."""
    parts = _core(name)
    last = parts[-1] if parts else ""
    if last in SHORT:  # alone they are a result, a folder, and much else
        return len(parts) > 1
    return last.endswith(_PASSWORD) or (last.endswith("pass") and last not in _NO_PASSWORD)


@functools.lru_cache(4096)
def is_secret(name: str) -> bool:
    """Whether the name says that its value is secret: `DB_PASSWORD`, `apiKey`, but not `max_tokens`, `token_count`."""
    parts = _core(name)
    if not parts:
        return False
    if parts[-1] in ("key", "keys"):
        return len(parts) > 1 and parts[-2] in _KINDS_OF_KEY
    return is_password(name) or parts[-1].endswith(_SECRET) or "".join(parts[-2:]) in _PAIRS


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
    plain = value[:_LOOKED].strip("'\"")
    lower = plain.lower()
    if len(plain) < 4 or lower in _TRIVIAL or lower in (*_ANY, *SHORT) or PLACEHOLDER.fullmatch(plain):
        return False
    if (
        _is_reference(plain, quoted)
        or _SAMPLES.match(plain)
        or _MASKED.search(plain)
        or not re.search(r"[A-Za-z0-9]", plain)
    ):
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
        return gibberish(plain) or (
            quoted and password and not any(word in re.sub(r"[\W_]", "", lower) for word in _ANY)
        )
    return quoted or len(plain) >= 6


def gibberish(word: str) -> bool:
    """Whether letters alone are longer than a word is, or have too few vowels for several."""
    if len(word) < 20 or not word.isalpha():
        return False
    vowels = sum(word.lower().count(vowel) for vowel in "aeiou")
    return word.islower() or word.isupper() or vowels < 0.3 * len(word) or len(word) < 2.9 * len(words(word))


def _is_reference(value: str, quoted: bool) -> bool:
    """Whether the value stands somewhere else: a variable, a template, a call, a path, an address."""
    if re.match(r"\$\w{1,6}\$\d*\$?.", value):  # a hash in the form of crypt
        return False
    if value[0] in "<" or value.startswith(("$", "%(", "{{", "./", "../", "~/", "@/", "\\(", "#{", "%{")):
        return True
    if re.match(r"\{[\w.$ -]*\}?", value) and not re.match(r"\{\s*\\*[\"']", value):
        return True
    if re.match(r"%\w+%$|[A-Z]{1,4}:\\|\\\\|[a-z][a-z0-9+]{1,9}://|/[\w.-]+(?:/|$)", value):
        return True
    return bool(
        re.search(r"\$\{|\$\(|\{\{|env\.[A-Z]|environ|getenv", value) or (_CALL if quoted else _TYPED).fullmatch(value)
    )


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
    spelt = sum(map(len, re.findall(r"[a-z]{3,}", value)))
    return kinds == 3 and digits >= 3 and longest <= 6 and spelt < 0.45 * len(value) and entropy(value) >= 4.0
