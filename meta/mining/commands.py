"""What programs are, as data: their sub-commands, wrappers, and whether they work, inspect, or only look.

Nothing is parsed here; a row carries command lines that the tests run through the normaliser.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

Effect = Literal["work", "inspect", "look"]

# Programs that only show files and text, or do nothing at all. As the end of a pipeline they are how output is looked at.
LOOK = frozenset(
    [
        "awk",
        "base64",
        "basename",
        "bat",
        "cat",
        "cd",
        "clear",
        "cmp",
        "column",
        "comm",
        "cut",
        "date",
        "diff",
        "dir",
        "dirname",
        "du",
        "echo",
        "egrep",
        "env",
        "expr",
        "false",
        "fd",
        "fdfind",
        "fgrep",
        "file",
        "find",
        "fold",
        "grep",
        "head",
        "hexdump",
        "history",
        "id",
        "jq",
        "less",
        "ls",
        "lsof",
        "man",
        "md5sum",
        "more",
        "nl",
        "od",
        "popd",
        "printenv",
        "printf",
        "ps",
        "pushd",
        "pwd",
        "read",
        "realpath",
        "rg",
        "sed",
        "set",
        "sha1sum",
        "sha256sum",
        "shasum",
        "sleep",
        "sort",
        "stat",
        "strings",
        "tac",
        "tail",
        "test",
        "tr",
        "tree",
        "true",
        "type",
        "uname",
        "uniq",
        "uptime",
        "wc",
        "which",
        "whereis",
        "whoami",
        "xargs",
        "xxd",
        "yq",
        "zcat",
        ":",
        "[",
        "Get-ChildItem",
        "Get-Content",
        "Select-String",
        "Test-Path",
        "Write-Output",
        "Write-Host",
        "Get-Location",
        "Get-Item",
        "Select-Object",
        "Where-Object",
        "Out-String",
        "Measure-Object",
        "Resolve-Path",
        "Set-Location",
        "Start-Sleep",
        "gci",
        "gc",
        "sls",
        "select",
        "where",
    ]
)

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

# Flags that make another step of a check: the repair of what it finds.
REPAIRS = {
    "--fix": {"ruff check", "eslint", "golangci-lint run", "stylelint", "oxlint", "cargo clippy", "standard"},
    "--write": {"prettier", "biome check", "biome lint", "biome format"},
    "-A": {"rubocop"},
    "-a": {"rubocop"},
}

# Proxies that only shorten the output of the program behind them: like `| tail`, no part of the command.
SHORTENERS = frozenset({"rtk"})

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
    "playwright": {}, "vitest": {}, "tsx": {}, "bd": {"dep": 2}, "sqlx": {"": 2}, "meta": {},
}  # fmt: skip

# Global flags that take a value and may stand before the sub-command.
VALUED = {
    "git": {"-C", "-c", "--git-dir", "--work-tree"}, "npm": {"--prefix", "-w", "--workspace"},
    "pnpm": {"--filter", "-F", "-C", "--dir"}, "yarn": {"--cwd"}, "bun": {"--cwd", "--filter"},
    "docker": {"--context", "-H", "--host"}, "kubectl": {"-n", "--namespace", "--context"}, "gh": {"-R", "--repo"},
    "make": {"-C", "-f", "-j"}, "cargo": {"--manifest-path"}, "uv": {"--project", "--directory"}, "mvn": {"-f", "-pl"},
    "docker-compose": {"-f", "-p"}, "just": {"-f", "--justfile"}, "aws": {"--profile", "--region"}, "tmux": {"-L", "-S"},
}  # fmt: skip

# Programs that run the program behind them, with their flags that take a value, and how many words of their own follow.
WRAPPERS: dict[tuple[str, ...], tuple[frozenset[str], int]] = {
    ("uv", "run"): (frozenset({"--with", "--project", "--extra", "--group", "--python", "-p", "--directory", "--env-file"}), 0),
    ("npx",): (frozenset({"-p", "--package"}), 0), ("bunx",): (frozenset(), 0), ("uvx",): (frozenset({"--from", "--with"}), 0),
    ("pnpm", "exec"): (frozenset(), 0), ("pnpm", "dlx"): (frozenset(), 0), ("yarn", "dlx"): (frozenset(), 0),
    ("npm", "exec"): (frozenset(), 0), ("yarn", "exec"): (frozenset(), 0), ("poetry", "run"): (frozenset(), 0),
    ("pipenv", "run"): (frozenset(), 0), ("pdm", "run"): (frozenset(), 0), ("hatch", "run"): (frozenset(), 0),
    ("rye", "run"): (frozenset(), 0), ("pixi", "run"): (frozenset({"-e"}), 0), ("mise", "exec"): (frozenset(), 0),
    ("conda", "run"): (frozenset({"-n", "-p", "--name", "--prefix", "--cwd"}), 0), ("bundle", "exec"): (frozenset(), 0),
    ("mamba", "run"): (frozenset({"-n", "-p"}), 0), ("micromamba", "run"): (frozenset({"-n", "-p"}), 0),
    ("timeout",): (frozenset({"-s", "--signal", "-k", "--kill-after"}), 1), ("gtimeout",): (frozenset({"-s", "-k"}), 1),
    ("sudo",): (frozenset({"-u", "-g"}), 0), ("env",): (frozenset({"-u", "-C"}), 0), ("time",): (frozenset(), 0),
    ("nice",): (frozenset({"-n"}), 0), ("ionice",): (frozenset({"-c", "-n"}), 0), ("nohup",): (frozenset(), 0),
    ("stdbuf",): (frozenset({"-o", "-e", "-i"}), 0), ("xvfb-run",): (frozenset({"-n", "-s"}), 0),
    ("command",): (frozenset(), 0), ("exec",): (frozenset(), 0), ("setsid",): (frozenset(), 0), ("caffeinate",): (frozenset(), 0),
    ("doppler", "run"): (frozenset({"-p", "-c"}), 0), ("dotenv",): (frozenset({"-e", "-f"}), 0), ("corepack",): (frozenset(), 0),
    ("cross-env",): (frozenset(), 0), ("direnv", "exec"): (frozenset(), 1),
}  # fmt: skip

INTERPRETERS = {
    "python": {"-m", "-W", "-X"}, "node": {"-r", "--require", "--import", "--loader"}, "bash": {"-o"}, "sh": set(),
    "zsh": set(), "ruby": {"-r", "-I"}, "perl": {"-I"}, "deno": set(), "ts-node": {"-P"}, "tsx": set(), "Rscript": set(),
    "julia": set(), "php": set(), "pwsh": set(), "powershell": set(), "osascript": set(), "lua": set(),
}  # fmt: skip
CODE_FLAGS = frozenset({"-c", "-e", "--eval", "-p", "--print", "-Command", "-lc", "-"})


def program(word: str) -> str:
    """The name of a program however it was reached; a script of the project keeps its path."""
    path = PurePosixPath(word.replace("\\", "/") if "\\" in word else word)
    if "/" in word and not path.is_absolute() and "bin" not in path.parts[:-1]:
        return word.removeprefix("./")
    name = path.name.removesuffix(".exe") if path.is_absolute() else path.name
    return "python" if (name.startswith("python") and name[6:].replace(".", "").isdigit()) or name == "py" else name


def _skip_flags(words: Sequence[str], valued: frozenset[str] | set[str]) -> int:
    """How many words at the start are flags and their values."""
    at = 0
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
        if wrapper is None:
            return at
        valued, own = WRAPPERS[wrapper]
        behind = at + len(wrapper)
        behind += _skip_flags(words[behind:], valued) + own
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
        return at, 1, ""
    if words[at : at + 2] and program(words[at]) == "git" and words[at + 1 : at + 2] == ["-C"] and len(words) > at + 2:
        return at + 1, 2, words[at + 2]
    return at, 0, ""


def head(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Program and sub-command of a command, and the arguments behind them. `words` are values without quotes.

    Code given on the command line is not looked into: the caller puts its hash behind.
    """
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


def _repairing(head: str, arguments: Sequence[str]) -> str:
    flag = next((word for word in arguments if head in REPAIRS.get(word, ())), "")
    return f"{head} {flag}" if flag else head


def _script(name: str, rest: list[str]) -> tuple[str, tuple[str, ...]]:
    """An interpreter: what it runs is the head."""
    if name == "python" and "-m" in rest[: 1 + _skip_flags(rest, INTERPRETERS[name])]:
        behind = rest[rest.index("-m") + 1 :]
        return head(behind) if behind else (name, ())
    flags = _skip_flags(rest, INTERPRETERS[name])
    if any(word in CODE_FLAGS for word in rest[: flags + 1]) or flags >= len(rest):
        return (f"{name} -", tuple(rest)) if rest else (name, ())
    script = rest[flags]
    path = PurePosixPath(script)
    shown = path.name if path.is_absolute() else script.removeprefix("./")
    return f"{name} {shown}", tuple(rest[flags + 1 :])


def effect(head: str, arguments: Sequence[str]) -> Effect:
    """What a command does as far as its line tells."""
    name = head.partition(" ")[0]
    if name in LOOK:
        return "look" if not (name == "sed" and any(a == "-i" or a.startswith("-i.") for a in arguments)) else "work"
    if any(a in ("--version", "--help", "-h") for a in arguments[:1]):
        return "look"
    if head in INSPECT or name in INSPECT:
        written = {"-X", "-d", "--data", "-o", "-O", "-F", "-T", "--request"}
        return "work" if name in ("curl", "wget") and written.intersection(arguments) else "inspect"
    flags = LISTS.get(head)
    if flags is not None and all(a.partition("=")[0] in flags for a in arguments[:1]):
        return "inspect"
    return "work"
