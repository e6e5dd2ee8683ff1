"""What programs are, as data: their sub-commands, wrappers, and whether they work, inspect, or only look.

Nothing is parsed here; a row carries command lines that the tests run through the normaliser.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

Effect = Literal["work", "inspect", "look"]


@dataclass(frozen=True, slots=True)
class Wrapper:
    """Words that run the program behind them; the first `names` words of `example` name it.

    `valued` are its flags that take a value, `own` is how many words of its own follow them.
    """

    example: str
    valued: str = ""
    own: int = 0
    names: int = 1


# Command lines of every kind, with the head and the effect that they have.
EXAMPLES: tuple[tuple[str, str, Effect], ...] = (
    ("rg -n foo src", "rg", "look"), ("sed -n 1,20p a.py", "sed", "look"), ("sed -i s/a/b/ a.py", "sed", "work"),
    ("find . -name '*.py'", "find", "look"), ("find . -exec grep x {} +", "find", "look"),
    ("find . -name x -delete", "find", "work"), ("find . -exec rm {} +", "find", "work"),
    ("xargs -r wc -l", "xargs", "look"), ("xargs -0 -n 1 rm -f", "xargs", "work"), ("xargs sed -i s/a/b/", "xargs", "work"),
    ("sort -u names", "sort", "look"), ("sort names -o names", "sort", "work"), ("pytest --version", "pytest", "look"),
    ("gh pr create --help", "gh pr create", "look"), ("mysql -h db", "mysql", "work"), ("command -v make", "command", "look"),
    ("git -C x status -sb", "git status", "inspect"), ("git branch --show-current", "git branch", "inspect"),
    ("git branch -D old", "git branch", "work"), ("git remote -v", "git remote", "inspect"),
    ("gh pr view 3", "gh pr view", "inspect"), ("gh pr create -f", "gh pr create", "work"),
    ("curl -s localhost:80/health", "curl", "inspect"), ("curl -X GET localhost:80", "curl", "inspect"),
    ("curl -so /dev/null a.org", "curl", "inspect"), ("curl -X POST localhost:80", "curl", "work"),
    ("curl -XPOST localhost:80", "curl", "work"), ("curl -sd a=1 localhost:80", "curl", "work"),
    ("curl --data=a localhost:80", "curl", "work"), ("wget -qO- a.org", "wget", "inspect"),
    ("docker compose logs web", "docker compose logs", "inspect"), ("docker compose up -d", "docker compose up", "work"),
    ("npm --prefix web run build", "npm run build", "work"), ("ruff check --fix .", "ruff check --fix", "work"),
    ("python -u scripts/fit.py --fold 1", "python scripts/fit.py", "work"), ("python -m pytest -q", "pytest", "work"),
    ("python3.11 -m pip install x", "pip install", "work"), ("python -m py_compile a.py", "python -m py_compile", "work"),
)  # fmt: skip

# Programs that only show files and text, or do nothing at all. As the end of a pipeline they are how output is looked at.
LOOK = frozenset([
    "awk", "base64", "basename", "bat", "cat", "cd", "clear", "cmp", "column", "comm", "command", "cut", "date", "diff", "dir",
    "dirname", "du", "echo", "egrep", "env", "expr", "false", "fd", "fdfind", "fgrep", "file", "find", "fold", "grep",
    "head", "hexdump", "history", "id", "jq", "less", "ls", "lsof", "man", "md5sum", "more", "nl", "od", "popd",
    "printenv", "printf", "ps", "pushd", "pwd", "read", "realpath", "rg", "sed", "set", "sha1sum", "sha256sum",
    "shasum", "sleep", "sort", "stat", "strings", "tac", "tail", "test", "tr", "tree", "true", "type", "uname",
    "uniq", "uptime", "wc", "which", "whereis", "whoami", "xargs", "xxd", "yq", "zcat", ":", "[", "Get-ChildItem",
    "Get-Content", "Select-String", "Test-Path", "Write-Output", "Write-Host", "Get-Location", "Get-Item",
    "Select-Object", "Where-Object", "Out-String", "Measure-Object", "Resolve-Path", "Set-Location", "Start-Sleep",
    "gci", "gc", "sls", "select", "where",
])  # fmt: skip

# Reading of state: may stand in a workflow, but does not make one. Key: head; value: arguments that make it so (none: all).
INSPECT = frozenset(
    """git status|git diff|git log|git show|git rev-parse|git ls-files|git blame|git describe|git reflog|git cat-file|
    git ls-tree|git merge-base|git rev-list|git shortlog|git show-ref|git ls-remote|git check-ignore|git name-rev|
    git diff-tree|git for-each-ref|git symbolic-ref|git var|git count-objects|git grep|git cherry|git whatchanged|
    git worktree list|git stash list|git stash show|git remote show|git remote get-url|git submodule status|
    gh pr view|gh pr list|gh pr checks|gh pr diff|gh pr status|gh issue view|gh issue list|gh run view|gh run list|
    gh run watch|gh repo view|gh release list|gh release view|gh auth status|gh search|gh api|
    docker ps|docker images|docker logs|docker inspect|docker compose ps|docker compose logs|docker stats|docker version|
    kubectl get|kubectl describe|kubectl logs|npm ls|npm list|npm view|npm outdated|pnpm list|pnpm ls|pnpm why|yarn why|
    pip list|pip show|pip freeze|uv pip list|uv pip show|uv tree|cargo tree|cargo metadata|go list|go env|go version|
    go doc|brew list|brew info|apt list|apt-cache policy|systemctl status|journalctl|nvidia-smi|squeue|sinfo|htop|top|
    free|df|netstat|ss|ip|curl|wget|ping|dig|nslookup|lsblk|aws s3 ls|gcloud config|kaggle competitions list|
    kaggle competitions submissions|terraform show|terraform state|workmux list|workmux status|command|hash|bd list|
    bd show|bd ready|Get-Process""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
# Inspecting only when all their arguments are flags of listing (or there are none).
LISTS = {
    "git branch": {"-a", "-r", "-v", "-vv", "--all", "--list", "--show-current", "--remotes", "--merged", "--no-merged"},
    "git remote": {"-v", "--verbose"},
    "git tag": {"-l", "--list", "-n", "--sort"},
    "git config": {"--list", "-l", "--get", "--get-all", "--global"},
    "git stash": {"list", "show"},
    "git worktree": {"list"},
}  # fmt: skip

# Flags that make work of looking and inspecting.
_FETCH = frozenset([
    "-X", "--request", "-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--json", "-F", "--form",
    "-T", "--upload-file", "-o", "--output", "-O", "--remote-name", "--post-data", "--post-file", "--method",
])  # fmt: skip
WRITES: dict[str, frozenset[str]] = {
    "sed": frozenset({"-i", "--in-place"}), "awk": frozenset({"-i"}), "yq": frozenset({"-i", "--inplace"}),
    "sort": frozenset({"-o", "--output"}), "find": frozenset({"-delete", "-fprint", "-fls", "-fprintf"}),
    "curl": _FETCH, "wget": _FETCH,
}  # fmt: skip
RUNNING = frozenset({"-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"})  # of find and fd
FINDERS = frozenset({"find", "fd", "fdfind"})
XARGS = frozenset({"-n", "-P", "-L", "-I", "-d", "-a", "-s", "-E"})  # its flags that take a value

# Words that begin with short flags, the last of which writes (`-sd`), and its value if that is not the next word.
CLUSTERS = {
    name: re.compile(rf"-[fgikLnqsSvrEuz]{{0,5}}?[{letters}](.*)", re.DOTALL)
    for name, letters in {"sed": "i", "sort": "o", "yq": "i", "curl": "XdFToO", "wget": "oO"}.items()
}
_HARMLESS = frozenset({"GET", "HEAD", "/dev/null", "-"})  # values with which they do not

# Flags that make another step of a check: the repair of what it finds.
REPAIRS = {
    "--fix": {"ruff check", "eslint", "golangci-lint run", "stylelint", "oxlint", "cargo clippy", "standard"},
    "--write": {"prettier", "biome check", "biome lint", "biome format"},
    "-A": {"rubocop"},
    "-a": {"rubocop"},
}

# Proxies that only shorten the output of the program behind them: like `| tail`, no part of the command.
SHORTENERS = {"rtk": frozenset({"test", "err", "proxy", "summary", "lint"})}  # and the words that belong to it

# How many words after the program name a sub-command; 1 unless said otherwise for a first word.
SUBCOMMANDS: dict[str, dict[str, int]] = {
    "git": {"stash": 2, "worktree": 2, "remote": 2, "submodule": 2, "bisect": 2, "lfs": 2},
    "gh": {"": 2, "api": 1, "search": 1},
    "go": {"mod": 2, "work": 2},
    "cargo": {}, "rustup": {"": 2}, "dotnet": {"nuget": 2, "tool": 2, "ef": 3}, "mvn": {}, "gradle": {}, "gradlew": {},
    "mvnw": {}, "npm": {"run": 2, "run-script": 2}, "pnpm": {"run": 2}, "yarn": {"run": 2}, "bun": {"run": 2, "pm": 2},
    "deno": {"task": 2}, "pip": {}, "pip3": {}, "uv": {"pip": 2, "tool": 2, "python": 2, "cache": 2}, "poetry": {},
    "pdm": {}, "hatch": {}, "conda": {}, "mamba": {}, "docker": {"compose": 2, "image": 2, "container": 2, "volume": 2},
    "docker-compose": {}, "podman": {}, "kubectl": {}, "helm": {}, "terraform": {"state": 2, "workspace": 2},
    "aws": {"": 2}, "gcloud": {"": 2}, "az": {"": 2}, "kaggle": {"": 2}, "hf": {}, "huggingface-cli": {},
    "make": {}, "just": {}, "task": {}, "rake": {}, "rails": {}, "bundle": {"exec": 2}, "composer": {}, "mix": {},
    "systemctl": {}, "service": {}, "brew": {}, "apt": {}, "apt-get": {}, "apt-cache": {}, "snap": {}, "nix": {},
    "ruff": {}, "golangci-lint": {}, "pre-commit": {}, "alembic": {}, "dvc": {}, "mlflow": {}, "wandb": {}, "prefect": {},
    "ansible": {}, "vercel": {}, "netlify": {}, "fly": {}, "flyctl": {}, "heroku": {}, "wrangler": {"d1": 2, "kv": 2},
    "turbo": {"run": 2}, "nx": {"run": 2}, "lerna": {"run": 2}, "prisma": {"migrate": 2, "db": 2}, "supabase": {"": 2},
    "firebase": {}, "stripe": {}, "tmux": {}, "bazel": {}, "buck2": {}, "swift": {}, "flutter": {}, "dart": {}, "zig": {},
    "mise": {"run": 2}, "asdf": {}, "nvm": {}, "pyenv": {}, "changeset": {}, "moon": {"run": 2}, "trunk": {}, "buf": {},
    "playwright": {}, "vitest": {}, "tsx": {}, "bd": {"dep": 2}, "sqlx": {"": 2}, "meta": {}, "coverage": {}, "twine": {},
}  # fmt: skip

# Global flags that take a value and may stand before the sub-command.
VALUED = {
    "git": {"-C", "-c", "--git-dir", "--work-tree"}, "npm": {"--prefix", "-w", "--workspace"},
    "pnpm": {"--filter", "-F", "-C", "--dir"}, "yarn": {"--cwd"}, "bun": {"--cwd", "--filter"},
    "docker": {"--context", "-H", "--host"}, "kubectl": {"-n", "--namespace", "--context"}, "gh": {"-R", "--repo"},
    "make": {"-C", "-f", "-j"}, "cargo": {"--manifest-path"}, "uv": {"--project", "--directory"}, "mvn": {"-f", "-pl"},
    "docker-compose": {"-f", "-p"}, "just": {"-f", "--justfile"}, "aws": {"--profile", "--region"}, "tmux": {"-L", "-S"},
}  # fmt: skip

# Programs that run the program behind them.
WRAPPERS: dict[tuple[str, ...], Wrapper] = {
    tuple(wrapper.example.split()[: wrapper.names]): wrapper
    for wrapper in (
        Wrapper(
            "uv run --with x pytest -q", "--directory --env-file --extra --group -p --project --python --with", names=2
        ),
        Wrapper("npx --yes pytest -q", "-p --package"),
        Wrapper("bunx pytest -q"),
        Wrapper("uvx --from x pytest -q", "--from --with"),
        Wrapper("pnpm exec pytest -q", names=2),
        Wrapper("pnpm dlx pytest -q", names=2),
        Wrapper("yarn dlx pytest -q", names=2),
        Wrapper("npm exec pytest -q", names=2),
        Wrapper("yarn exec pytest -q", names=2),
        Wrapper("poetry run pytest -q", names=2),
        Wrapper("pipenv run pytest -q", names=2),
        Wrapper("pdm run pytest -q", names=2),
        Wrapper("hatch run pytest -q", names=2),
        Wrapper("rye run pytest -q", names=2),
        Wrapper("pixi run -e a pytest -q", "-e", names=2),
        Wrapper("mise exec pytest -q", names=2),
        Wrapper("conda run --no-capture-output -n a pytest -q", "--cwd -n --name -p --prefix", names=2),
        Wrapper("bundle exec pytest -q", names=2),
        Wrapper("mamba run pytest -q", "-n -p", names=2),
        Wrapper("micromamba run pytest -q", "-n -p", names=2),
        Wrapper("timeout -k 5 60s pytest -q", "-k --kill-after -s --signal", own=1),
        Wrapper("gtimeout 60 pytest -q", "-k -s", own=1),
        Wrapper("sudo -u www pytest -q", "-g -u"),
        Wrapper("env -u A B=1 pytest -q", "-C -u"),
        Wrapper("time pytest -q"),
        Wrapper("nice -n 10 pytest -q", "-n"),
        Wrapper("ionice pytest -q", "-c -n"),
        Wrapper("nohup pytest -q"),
        Wrapper("stdbuf -o L pytest -q", "-e -i -o"),
        Wrapper("xvfb-run -s x pytest -q", "-n -s"),
        Wrapper("command pytest -q"),
        Wrapper("exec pytest -q"),
        Wrapper("setsid pytest -q"),
        Wrapper("caffeinate pytest -q"),
        Wrapper("doppler run -p a -- pytest -q", "-c -p", names=2),
        Wrapper("dotenv -f .env pytest -q", "-e -f"),
        Wrapper("corepack pytest -q"),
        Wrapper("cross-env pytest -q"),
        Wrapper("direnv exec . pytest -q", own=1, names=2),
    )
}

INTERPRETERS = {
    "python": {"-m", "-W", "-X"}, "node": {"-r", "--require", "--import", "--loader"}, "bash": {"-o"}, "sh": set(),
    "zsh": set(), "ruby": {"-r", "-I"}, "perl": {"-I"}, "deno": set(), "ts-node": {"-P"}, "tsx": set(), "Rscript": set(),
    "julia": set(), "php": set(), "pwsh": set(), "powershell": set(), "osascript": set(), "lua": set(),
}  # fmt: skip
# Modules that are programs of their own: `python -m pytest` is `pytest`.
MODULES = frozenset([
    "pytest", "mypy", "black", "isort", "flake8", "pylint", "pyright", "unittest", "tox", "nox", "build",
])  # fmt: skip
_PROGRAMS = MODULES.union(SUBCOMMANDS, (names[0] for names in WRAPPERS))
CODE_FLAGS = frozenset({"-c", "-e", "--eval", "-p", "--print", "-Command", "-lc", "-"})


def program(word: str) -> str:
    """The name of a program however it was reached; a script of the project keeps its path."""
    path = PurePosixPath(word.replace("\\", "/") if "\\" in word else word)
    if "/" in word and not path.is_absolute() and "bin" not in path.parts[:-1]:
        return word.removeprefix("./")
    name = path.name.removesuffix(".exe") if path.is_absolute() else path.name
    return "python" if (name.startswith("python") and name[6:].replace(".", "").isdigit()) or name == "py" else name


def _skip_flags(words: Sequence[str], valued: Container[str], at: int = 0) -> int:
    """The place behind the flags, and their values, that begin at a place."""
    while at < len(words) and words[at].startswith(("-", "+")) and len(words[at]) > 1:
        at += 2 if words[at] in valued else 1
    return at


def unwrapped(words: Sequence[str]) -> int:
    """How many words at the start are environment, wrappers, and their arguments."""
    at = 0
    while at < len(words):
        word = words[at]
        if word.partition("=")[1] and word.partition("=")[0].isidentifier():
            at += 1
            continue
        name = program(word)
        wrapper = next((key for key in ((name, *words[at + 1 : at + 2]), (name,)) if key in WRAPPERS), None)
        if wrapper is None or (
            name == "command" and words[at + 1 : at + 2] in (["-v"], ["-V"])
        ):  # it asks where, and runs nothing
            return at
        row = WRAPPERS[wrapper]
        behind = _skip_flags(words, row.valued.split(), at + row.names) + row.own
        if behind < len(words) and words[behind] == "--":
            behind += 1
        if behind >= len(words):  # nothing is wrapped: the wrapper itself is the program
            return at
        at = behind
    return 0


def context(words: Sequence[str]) -> tuple[int, int, str]:
    """Words that only say where and how to look: how many to leave out, from which place on, and the folder they name.

    `git -C DIR status` is `git status` in DIR.
    """
    at = unwrapped(words)
    if at < len(words) - 1 and words[at] in SHORTENERS:
        return at, 2 if words[at + 1] in SHORTENERS[words[at]] and at < len(words) - 2 else 1, ""
    if words[at : at + 2] and program(words[at]) == "git" and words[at + 1 : at + 2] == ["-C"] and len(words) > at + 2:
        return at + 1, 2, words[at + 2]
    return at, 0, ""


def head(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Program and sub-command of a command, and the arguments behind them. `words` are values without quotes.

    Code given on the command line is not looked into: the caller puts its hash behind.
    """
    words = words[unwrapped(words) :]
    while module := _module(words):
        words = words[module:]
        words = words[unwrapped(words) :]
    if not words:
        return "", ()
    name = program(words[0])
    rest = list(words[1:])
    if name in INTERPRETERS:
        return _script(name, rest)
    if name not in SUBCOMMANDS and name.rpartition("/")[2] not in SUBCOMMANDS:
        return _repairing(name, rest), tuple(rest)
    base = name.rpartition("/")[2]
    rest = rest[_skip_flags(rest, VALUED.get(base, set())) :]
    depths = SUBCOMMANDS[base]
    depth = depths.get(rest[0] if rest else "", depths.get("", 1))
    taken = [name]
    while rest and len(taken) <= depth:
        rest = rest[_skip_flags(rest, VALUED.get(base, set())) :] if len(taken) > 1 else rest
        if not rest or not rest[0] or not (rest[0][0].isalnum() or rest[0][0] == "_") or "=" in rest[0]:
            break
        taken.append(rest.pop(0))
    return _repairing(" ".join(taken), rest), tuple(rest)


def _module(words: Sequence[str]) -> int:
    """Where the program begins in `python -m PROGRAM`; 0 where it is something else."""
    if not words or program(words[0]) != "python":
        return 0
    flags = words[1 : _skip_flags(words, INTERPRETERS["python"], 1)]
    at = flags.index("-m") + 2 if "-m" in flags else 0
    return at if at < len(words) and words[at] in _PROGRAMS else 0


def _repairing(head: str, arguments: Sequence[str]) -> str:
    flag = next((word for word in arguments if head in REPAIRS.get(word, ())), "")
    return f"{head} {flag}" if flag else head


def _script(name: str, rest: list[str]) -> tuple[str, tuple[str, ...]]:
    """An interpreter: what it runs is the head."""
    if name == "python" and "-m" in (flags := rest[: _skip_flags(rest, INTERPRETERS[name])]):
        at = flags.index("-m") + 1
        return (f"{name} -m {rest[at]}", tuple(rest[at + 1 :])) if at < len(rest) else (name, ())
    behind = _skip_flags(rest, INTERPRETERS[name])
    if any(word in CODE_FLAGS for word in rest[: behind + 1]) or behind >= len(rest):
        return (f"{name} -", tuple(rest)) if rest else (name, ())
    script = rest[behind]
    path = PurePosixPath(script)
    shown = path.name if path.is_absolute() else script.removeprefix("./")
    return f"{name} {shown}", tuple(rest[behind + 1 :])


def effect(head: str, arguments: Sequence[str]) -> Effect:
    """What a command does as far as its line tells."""
    name = head.partition(" ")[0]
    if name in LOOK:
        return "work" if _writes(name, arguments) or _runs_work(name, arguments) else "look"
    if "--help" in arguments or arguments[:1] == ("--version",) or arguments == ("-h",):
        return "look"
    if head in INSPECT or name in INSPECT:
        return "work" if _writes(name, arguments) else "inspect"
    flags = LISTS.get(head)
    if flags is not None and all(a.partition("=")[0] in flags for a in arguments[:1]):
        return "inspect"
    return "work"


def _writes(name: str, arguments: Sequence[str]) -> bool:
    """Whether a flag is given that writes: as a word, with its value (`-XPOST`), or last of a cluster (`-sd`)."""
    for at, word in enumerate(arguments if name in WRITES else ()):
        flag, _, value = word.partition("=")
        if flag not in WRITES[name]:
            cluster = CLUSTERS[name].fullmatch(word) if name in CLUSTERS else None
            if cluster is None:
                continue
            value = cluster[1]
        if (value or "".join(arguments[at + 1 : at + 2])) not in _HARMLESS:
            return True
    return False


def _runs_work(name: str, arguments: Sequence[str]) -> bool:
    """Whether a program that runs another on what it finds does more than look thereby; if in doubt it does."""
    runs = [at + 1 for at, word in enumerate(arguments) if word in RUNNING] if name in FINDERS else []
    if name == "xargs":
        runs = [_skip_flags(arguments, XARGS)]
    if len(runs) != 1 or any(word.endswith("xargs") for word in arguments):
        return bool(runs)
    inner, rest = head(arguments[runs[0] :])
    return bool(inner) and effect(inner, rest) == "work"
