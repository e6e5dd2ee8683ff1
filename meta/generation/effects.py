"""What a step may do beside reading: a small table of command lines, each row with its effect.

The table serves the reviewer and the switches of a tool. It is no sandbox: what is allowed to run is decided elsewhere.
"""

from __future__ import annotations

import re

from meta.model import WorkflowStep
from meta.rendering import template

DEFAULT = "write-project"
NEEDS_CONSENT = ("destroy", "spend")
_START = (
    r"(?:^|[;&|(`]\s*|\b(?:sudo|env|xargs|nohup|time|exec)\s+(?:-\S+\s+)*|\btimeout\s+\S+\s+|-c\s+[\"']\s*|\w=\S*\s+)"
)
_ROWS = (
    ("destroy", r"(?:rm|rmdir|shred|dd|mkfs\S*|wipefs|truncate|dropdb|dropuser)\b"),
    (
        "destroy",
        r"git (?:reset --hard|clean|branch (?:-\S+ )*(?:-D|--delete)|stash (?:drop|clear)|checkout (?:-f|--force))\b",
    ),
    ("destroy", r"git push\b.*(?: -f\b| --force| --delete\b| \+\S| :\S)"),
    ("destroy", r"(?:docker|podman) (?:\w+ )?(?:rm|rmi|prune|kill)\b"),
    ("destroy", r"(?:kubectl|oc) delete\b|helm (?:uninstall|delete)\b|terraform destroy\b|pulumi destroy\b"),
    ("destroy", r"(?:find\b.* -delete\b|rsync\b.* --delete|redis-cli\b.* flush)"),
    (
        "destroy",
        r"gh (?:repo|release|secret) delete\b|aws s3 r[mb]\b|aws\b.* (?:delete|terminate)-|gcloud\b.* delete\b",
    ),
    ("spend", r"(?:aws ec2 run-instances|gcloud\b.* instances create|az vm create|vastai create|runpodctl create)\b"),
    ("spend", r"(?:terraform|pulumi) (?:apply|up)\b|kaggle competitions submit\b|modal run\b|sky launch\b"),
    ("network", r"(?:curl|wget|ssh|scp|sftp|rsync|nc|ftp|telnet|ping|dig)\b"),
    ("network", r"git (?:push|pull|fetch|clone|ls-remote|remote update|submodule update)\b"),
    (
        "network",
        r"(?:gh|glab|kaggle|aws|gcloud|az|kubectl|helm|terraform|pulumi|vastai|runpodctl|modal|sky|flyctl|heroku)\b",
    ),
    (
        "network",
        r"(?:docker|podman) (?:\w+ )?(?:push|pull|login)\b|(?:npm|pnpm|yarn|cargo|uv|poetry|twine) (?:publish|upload)\b",
    ),
    (
        "network",
        r"(?:pip3?|uv|uv pip|npm|pnpm|yarn|bun|poetry|cargo|gem|brew|apt|apt-get) (?:install|add|sync|ci|update)\b",
    ),
    ("read", r"git (?:status|diff|log|show|rev-parse|blame|describe|branch$|ls-files)\b(?!.*[>|])"),
    ("read", r"(?:ls|cat|head|tail|grep|rg|wc|pwd|which|stat|file|du|df|ps|date|uname)\b(?!.*[>|])"),
)
_TABLE = tuple((effect, re.compile(_START + f"(?:{pattern})", re.MULTILINE)) for effect, pattern in _ROWS)


def effects(step: WorkflowStep) -> tuple[str, ...]:
    """The effects of a command step, sorted; none for other steps."""
    if step.kind != "command":
        return ()
    line = re.sub(r"\bgit (?:-C \S+ )+", "git ", template(step))
    found = {effect for effect, pattern in _TABLE if pattern.search(line)}
    return tuple(sorted(found - {"read"} or found or {DEFAULT}))
