"""What a path stands for: the project, a temporary folder, the system, a device, a credential.

The file system is not looked at; a path is judged by its text and the folder it is relative to.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal

from meta.policy.nouns import FOREIGN, MARKS, NEVER, SECRET, Finding

HOME = "/home/me"  # stands for the home of whoever runs the line
PROJECT = "."  # the folder a line starts in
TEMPORARY = "/tmp"

Place = Literal["project", "temporary", "nothing", "outside", "home", "system", "root", "device", "unknown"]

_NOTHING = re.compile(r"/dev/(null|zero|random|urandom|full|std(in|out|err)|tty|fd/\d+|shm/.+)|-|&?\d")
_DEVICE = re.compile(
    r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|disk|rdisk|mapper/|md\d|loop|mem|kmem|port|dm-|sr\d|nbd|zvol/|tcp/|udp/)"
)
_TEMPORARY = re.compile(r"(/private)?(/var)?/tmp/.*|/var/folders/.+|/dev/shm/.+")
_HOME = re.compile(r"/(home|Users)/[^/]+|/root")
_SYSTEM = re.compile(
    r"/(etc|usr|bin|sbin|lib\d*|boot|sys|proc|dev|var|opt/homebrew|System|Library|Applications|Windows)(/.*)?"
)
_SECRET = re.compile(
    r".*/\.ssh/(?!(.*\.pub|config|known_hosts.*)$).+|.*/\.ssh|.*/\.aws(/credentials)?|.*/\.(netrc|pgpass|git-credentials|gnupg|my\.cnf)(/.*)?"
    r"|.*/\.(docker/config\.json|kube/config|pypirc|vault-token|boto|s3cfg|azure(/.*)?|password-store(/.*)?)"
    r"|.*/\.kaggle(/kaggle\.json)?|.*/\.config/(gh/hosts\.yml|gcloud(/.*)?|hub|rclone/rclone\.conf|sops.*)|.*/\.cargo/credentials.*|.*/\.gem/credentials"
    r"|.*/\.(claude/\.credentials|codex/auth|gemini/oauth_creds)\.json|.*/\.huggingface/token|.*/\.cache/huggingface/token"
    r"|(.*/)?\.env(\.(?!(example|sample|template|dist|schema|defaults?)\b)[\w.-]+)?|(.*/)?\.envrc"
    r"|(.*/)?id_(rsa|dsa|ecdsa|ed25519)(_\w+)?|.*\.(p12|pfx|kdbx|keychain-db|jks|keystore)"
    r"|/etc/(shadow|gshadow|sudoers(\.d/.*)?|ssl/private(/.*)?|ssh/ssh_host_.*_key)-?|/proc/[^/]+/environ"
    r"|.*/(logins\.json|key4\.db|Login Data|Cookies(\.sqlite)?|cookies\.sqlite)|.*/\.npmrc"
)
_STARTUP = re.compile(
    r".*/\.(bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zprofile|zshenv|zlogin|inputrc|gitconfig|netrc|npmrc|pypirc|pgpass|vimrc|tmux\.conf)"
    r"|.*/\.config/(fish|autostart|systemd|git|environment\.d)/.*|.*/LaunchAgents/.*|.*/\.(aws|docker|kube|gnupg|kaggle)/.*"
)
_GUARD = re.compile(r"(.*/)?\.git/hooks(/.*)?|(.*/)?\.claude/settings(\.local)?\.json|(.*/)?\.codex/(config\.toml|rules(/.*)?)|.*/\.ssh(/.*)?")  # fmt: skip
_RIGHTS = re.compile(
    r"/etc/(passwd|shadow|gshadow|group|sudoers(\.d(/.*)?)?|ld\.so\.preload|cron.*|pam\.d/.*|ssh/.*|profile(\.d/.*)?|rc\.local)|/proc/sysrq-trigger|/var/spool/cron/.*"
)
_HISTORY = re.compile(r"(.*/)?\.git(/(objects|refs|logs|HEAD|index).*)?")
_KNOWN_SECRETS = [
    path.split("/")
    for path in ("/etc/shadow", ".env", ".env.local", *(f"{HOME}/{name}" for name in (
        ".ssh/id_rsa", ".ssh/id_ed25519", ".aws/credentials", ".netrc", ".kube/config", ".docker/config.json", ".git-credentials",
        ".pgpass", ".config/gh/hosts.yml", ".kaggle/kaggle.json", ".npmrc", ".pypirc")))
]  # fmt: skip
_ACCOUNTS = re.compile(r"/etc/passwd")


def normal(path: str, folder: str = PROJECT) -> str:
    """The path without detours; absolute ones stay so, others begin at the project."""
    if path.startswith("file://"):
        path = path.removeprefix("file://")
    if not path.startswith("/"):
        path = f"{folder}/{path}"
    path = posixpath.normpath(path) if path else PROJECT
    return "/" + path.lstrip("/") if path.startswith("/") else path


def place(path: str, folder: str = PROJECT) -> Place:
    if _NOTHING.fullmatch(path) and not _DEVICE.match(path):
        return "nothing"
    path = normal(path, folder)
    if path[0] in MARKS:
        return "unknown"
    if _DEVICE.match(path):
        return "device"
    if _TEMPORARY.fullmatch(path) and not set(MARKS) & set(path):
        return "temporary"
    bare = re.sub(r"(/[*?.\[\]]*[*?][^/]*)+$", "", path) or "/"  # what holds everything that a last `*` means
    if bare == "/" or _HOME.fullmatch(bare) or (bare.count("/") == 1 and bare[0] == "/" and bare != TEMPORARY):
        return "root"
    if bare in ("/home", "/Users"):
        return "root"
    if _SYSTEM.fullmatch(path):
        return "system"
    if _HOME.match(path):
        return "home"
    return "outside" if path.startswith(("/", "..")) else "project"


def reads(path: str, folder: str = PROJECT) -> Iterator[Finding]:
    """What reading a file's content does."""
    if _SECRET.fullmatch(_rooted(path, folder)) or _SECRET.fullmatch(path) or _may_be_secret(normal(path, folder)):
        yield Finding("read", NEVER, f"reads the credentials in {shown(path)}")
    elif place(path, folder) == "device" and not path.startswith(("/dev/loop", "/dev/sr")):
        yield Finding("read", 3, f"reads the device {shown(path)}")
    else:
        yield Finding("read", 0, "reads")


def writes(path: str, folder: str = PROJECT) -> Iterator[Finding]:
    """What writing to a path does."""
    where, whole = place(path, folder), _rooted(path, folder)
    if where == "device":
        network = normal(path, folder).startswith(("/dev/tcp", "/dev/udp"))
        yield Finding("network" if network else "destroy", NEVER, f"writes to the device {shown(path)}")
    elif _GUARD.fullmatch(whole) or _RIGHTS.fullmatch(whole):
        yield Finding("privilege", NEVER, f"changes what guards the machine: {shown(path)}")
    elif _STARTUP.fullmatch(whole):
        yield Finding("write-outside", 3, f"changes what every session starts with: {shown(path)}")
    elif where in ("system", "root"):
        yield Finding("privilege", 3, f"writes to the system: {shown(path)}")
    elif where == "temporary":
        yield Finding("write-outside", 1, "writes to a temporary folder")
    elif where in ("home", "outside"):
        yield Finding("write-outside", 2, f"writes outside of the project: {shown(path)}")
    elif where != "nothing":
        yield Finding("write-project", 1, "writes in the project")


def deletes(path: str, folder: str = PROJECT) -> Iterator[Finding]:
    """What the loss of a path does; a pattern stands for all that it could mean."""
    where, whole = place(path, folder), _rooted(path, folder)
    if where in ("root", "device", "system"):
        yield Finding("destroy", NEVER, f"deletes {shown(path)}")
    elif _GUARD.fullmatch(whole) or _HISTORY.fullmatch(whole) or (_SECRET.fullmatch(whole) and where == "home"):
        yield Finding("destroy", NEVER, f"deletes {shown(path)}, which cannot be made again")
    elif where == "temporary":
        yield Finding("write-outside", 2, "deletes in a temporary folder")
    elif where != "nothing":
        yield Finding("destroy", 3, f"deletes {shown(path)}")


def changes(path: str, folder: str = PROJECT) -> Iterator[Finding]:
    """What new rights or a new owner for all below a path do."""
    if place(path, folder) in ("root", "system", "device") or _GUARD.fullmatch(_rooted(path, folder)):
        yield Finding("privilege", NEVER, f"changes the rights of {shown(path)}")


def sends(path: str, folder: str = PROJECT) -> Iterator[Finding]:
    """What giving a file's content to somebody else does."""
    if _ACCOUNTS.fullmatch(normal(path, folder)):
        yield Finding("network", NEVER, f"sends {shown(path)}")
    yield from reads(path, folder)


def _may_be_secret(pattern: str) -> bool:
    """Whether a pattern of the shell fits a place of credentials; a `*` stands for no leading dot."""
    if not re.search(r"[*?\[]", pattern):
        return False
    parts = pattern.split("/")
    return any(
        len(known) == len(parts)
        and all(
            fnmatchcase(one, part) and (one[0:1] != "." or part[0:1] == ".")
            for one, part in zip(known, parts, strict=True)
        )
        for known in _KNOWN_SECRETS
    )


def _rooted(path: str, folder: str) -> str:
    path = normal(path, folder)
    return re.sub(r"(?<=.)/[*]+$", "", path)


def shown(path: str) -> str:
    """A path for a reader."""
    for mark, text in (("\ue000", "…"), (FOREIGN, "…"), (SECRET, "…")):
        path = path.replace(mark, text)
    return path[:80].replace(HOME, "~")
