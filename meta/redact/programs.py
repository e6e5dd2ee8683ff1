"""Options that hold a secret in some programs only: `-p` is a password of `mysql` and a port of `ssh`.

Options that say what they hold (`--password`) are found without the program, in `places`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from meta.redact.names import can_be_secret

_REACH = 900  # bytes after its name in which a program's options are looked for
_WORD = rb"(?:\"([^\"\n]++)\"|'([^'\n]++)'|([^\s\"'`;|<>()\\-][^\s\"'`;|<>()\\]*+))"
_APART = rb"(?:[ \t=]|\\\n)[ \t]{0,9}+"
_USER = rb"[^\s\"':]{0,200}+:"


@dataclass(frozen=True, slots=False)
class Program:
    """Programs, by a pattern for their names, and the option that is followed by `value`.

    `value` is for Python's engine and must not go back over what it has taken; its last group is the secret.
    """

    names: str
    option: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    value: bytes = _APART + _WORD
    kind: str = "password"

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        return re.compile(rb"[ \t](?:" + self.option.encode() + rb")" + self.value)


PROGRAMS: tuple[Program, ...] = (
    Program("mysql|mysqldump|mysqladmin|mysqlimport|mysqlshow|mariadb|mariadb-dump|mariadb-admin|mycli|7z|7za", "-p",
            ("mysql -u root -p{=hunter} db", "7z x -p{=hunter} a.7z", "mysql -uroot -p'{=pa ss1}'", "cd x; mysql -h db \\\n -p{=hunter}"),
            ("mysql -u root -p db", "mysql -P3306 x", "ssh -p2222 host", "mkdir -pv x", "mysql x\nssh -p2222 h"), _WORD),
    Program("curl|wget|http|https|xh", "-u|--user|-U|--proxy-user|-a|--auth",
            ("curl -u admin:{=hunter} https://x.y", "curl -s https://x.y/a -u 'me@x:{w12}'", "http -a me:{=hunter} x.y",
             "curl -uadmin:{=hunter} x.y", "curl --user=me:{=hunter} x.y", "curl -u admin:'{=hun$ter!1}' x.y"),
            ("curl -u admin https://x.y", "curl -A agent:x x.y", "docker run -u 1000:1000 x", "curl -u $A:$B x.y"),
            rb"[ \t=]{0,9}+(?:\"" + _USER + rb"([^\"\n]++)\"|'" + _USER + rb"([^'\n]++)'|" + _USER + _WORD + rb")"),
    Program("sshpass", "-p", ("sshpass -p {=hunter} ssh -p 2222 h", "sshpass -p'{=hunter}' ssh h"), ("sshpass -e ssh h", "sshpass -f f h"),
            rb"[ \t]{0,9}+" + _WORD),
    Program("redis-cli", "-a|--pass", ("redis-cli -h x -a {w12} ping",), ("redis-cli -n 5 ping",)),
    Program(r"(?:docker|podman|helm|oras|nerdctl|buildah|skopeo)[ \t]+(?:registry[ \t]+)?login|az[ \t]+login|oc[ \t]+login|twine[ \t]+upload"
            "|mongo|mongosh|mongodump|mongorestore|mongoexport|mongoimport|sqlplus|snowsql", "-p|--password",
            ("docker login -u me -p {w12} r.io", "mongosh -u a -p {=hunter} h", "az login -u a -p {w30}"),
            ("docker run -p 8080:80 x", "docker login r.io", "docker build -p x1y2 .")),
    Program("ldapsearch|ldapadd|ldapmodify|ldapdelete|ldapwhoami|ldappasswd", "-w", ("ldapsearch -x -D cn=a -w {=hunter}",), ("ldapsearch -W -x",)),
    Program("sqlcmd|bcp|zip|unzip", "-P", ("sqlcmd -S h -U sa -P {=Str0ng}", "unzip -P {=hunter} a.zip"), ("zip -r a.zip b",)),
    Program("openssl", "-pass|-passin|-passout|-k", ("openssl enc -aes-256-cbc -pass pass:{=hunter} -in a",),
            ("openssl rsa -passin file:a -in b", "openssl enc -pass env:X1"), rb"[ \t]{1,9}+[\"']?pass:([^\s\"';|]++)"),
    Program("htpasswd", r"-[A-Za-z]{0,4}b[A-Za-z]{0,4}[ \t]{1,9}[^\s;|]{1,200}[ \t]{1,9}[^\s;|]{1,100}",
            ("htpasswd -cb .htpasswd me {=hunter}",), ("htpasswd -c .htpasswd me",)),
    Program("smbclient|rpcclient|mount.cifs", "-U", ("smbclient //h/s -U me%{=hunter}",), ("smbclient -U me x",),
            rb"[ \t]{0,9}+[\"']?[^\s\"'%]++%([^\s\"']++)"),
    Program("ssh-keygen", "-N|-P", ("ssh-keygen -t ed25519 -N '{=hunter2}' -f k",), ("ssh-keygen -t rsa -N '' -f k",)),
    Program("xfreerdp", "/p", ("xfreerdp /u:a /p:{=hunter} /v:h",), ("xfreerdp /u:a /v:h",), rb":" + _WORD),
    Program("ipmitool|mosquitto_pub|mosquitto_sub|influx", "-P|-pw|-password|--password", ("mosquitto_pub -u a -P {=hunter} -t x",), ("mosquitto_pub -p 1883 -t x",)),
    Program(r"aws[ \t]+configure[ \t]+set", "aws_secret_access_key|aws_session_token", ("aws configure set aws_secret_access_key {p40}",),
            ("aws configure set region eu-west-1",), kind="token"),
)  # fmt: skip

# For RE2: where a program stands as a word of its own. Its first group is the name.
NAMES = rf"(?:^|[^\w.-])({'|'.join(program.names for program in PROGRAMS)})(?:[ \t]|\\\n)"


def of(name: bytes) -> Program:
    """The row of a program's name. Raises `StopIteration` for one that `NAMES` does not match."""
    return next(program for program in PROGRAMS if re.fullmatch(program.names.encode(), name))


def spans(data: bytes, found: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """Beginning, end and kind of the secrets after the programs found. Each has the options up to the next one, and
    the first that fits is taken, so `sshpass -p x ssh -p 22` keeps its port.
    """
    starts = [start for start, _ in found]
    for start, end in found:
        following = bisect_left(starts, end)
        limit = min(end + _REACH, starts[following] if following < len(starts) else len(data))
        program = of(data[start:end])
        match = program.pattern.search(data, end, _line_end(data, end, limit))
        if match:
            group = max(number for number in range(1, len(match.groups()) + 1) if match[number] is not None)
            value = match[group].decode(errors="replace")
            if can_be_secret(value, quoted=True, password=True, certain=True):
                yield (*match.span(group), program.kind)


def _line_end(data: bytes, start: int, limit: int) -> int:
    """The end of the line, that of its continuations included."""
    end = data.find(b"\n", start, limit)
    while end > 0 and data[end - 1] == ord("\\"):
        end = data.find(b"\n", end + 1, limit)
    return end if end >= 0 else limit
