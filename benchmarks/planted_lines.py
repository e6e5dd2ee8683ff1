"""Workflows of real command lines to plant in sessions, with the truth about each of their words.

How they get into session files is said in `planted_sessions`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meta.rendering import quote

_NOUNS = [
    "parser",
    "router",
    "cache",
    "loader",
    "schema",
    "token",
    "report",
    "ledger",
    "index",
    "worker",
    "mailer",
    "basket",
    "catalog",
    "invoice",
]
_VERBS = ["Fix", "Add", "Drop", "Rename", "Speed-up", "Guard", "Simplify", "Document"]
_HOLE = re.compile(r"\{(\w+)\}")

Make = Callable[[random.Random], str]


def _path(r: random.Random) -> str:
    return f"{r.choice(('src', 'lib', 'app/core'))}/{r.choice(_NOUNS)}_{r.randrange(40)}.py"


def _message(r: random.Random) -> str:
    text = f"{r.choice(_VERBS)} the {r.choice(_NOUNS)} of {r.choice(_NOUNS)} {r.randrange(90)}"
    return r.choice(
        (text, text, f'{text} ("{r.choice(_NOUNS)}" only)', f"{text}\n\nIt's needed by #{r.randrange(999)}.")
    )


KINDS: dict[str, Make] = {
    "path": _path,
    "test": lambda r: f"tests/test_{r.choice(_NOUNS)}_{r.randrange(40)}.py",
    "int": lambda r: str(r.randrange(2, 5000)),
    "word": lambda r: f"{r.choice(_NOUNS)}-{r.choice(_NOUNS)}{r.randrange(50)}",
    "version": lambda r: f"{r.randrange(9)}.{r.randrange(30)}.{r.randrange(30)}",
    "message": _message,
    "id": lambda r: f"{r.getrandbits(40):010x}",
    "number": lambda r: str(r.randrange(10_000, 99_999)),
    "host": lambda r: f"{r.choice(_NOUNS)}{r.randrange(9)}.example.org",
}
DERIVED: dict[str, Callable[[str], str]] = {
    "base": lambda text: text.rpartition("/")[2],
    "stem": lambda text: text.rpartition("/")[2].partition(".")[0],
    "dir": lambda text: text.rpartition("/")[0],
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A workflow. In a line `{slot}` is a value: its kind is the slot's name without digits.

    `{base_path}` follows from `{path}`. `printed` are the slots that a step prints, by the number of the step.
    """

    name: str
    lines: tuple[str, ...]
    printed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One command line of one run: its words as written, and for each the slot in it ("" where it is constant)."""

    words: tuple[str, ...]
    slots: tuple[str, ...]
    output: str

    @property
    def text(self) -> str:
        return " ".join(self.words)


def _p(name: str, lines: str, **printed: int) -> Planted:
    return Planted(name, tuple(line.strip() for line in lines.strip().splitlines()), tuple(printed.items()))


WORKFLOWS: tuple[Planted, ...] = (
    _p("fix", "ruff check --fix {path}\nruff format {path}\nmypy {path}\ngit commit -am {message}"),
    _p("release", "bump-my-version bump --new-version {version}\npython -m build\ntwine upload dist/shop-{version}.tar.gz\n"
       "git tag v{version}"),
    _p("pull", "git checkout -b {word}\ngit push -u origin {word}\ngh pr create --title {message} --head {word}"),
    _p("merge", "gh pr checkout {number}\nnpm run lint\nnpm test\ngh pr merge {number} --squash"),
    _p("image", "docker build -t registry.example.org/shop:{version} .\ndocker push registry.example.org/shop:{version}\n"
       "kubectl set image deployment/shop shop=registry.example.org/shop:{version}\nkubectl rollout restart deployment/shop"),
    _p("bench", "cargo build --release\nhyperfine --warmup {int} ./target/release/shop\ncargo bench --bench {word}"),
    _p("migrate", "alembic revision --autogenerate -m {message}\nalembic upgrade head"),
    _p("train", "python scripts/prepare.py --seed {int} --out data/{word}.parquet\n"
       "python scripts/train.py --data data/{word}.parquet --epochs {int2}\npython scripts/evaluate.py --data data/{word}.parquet"),
    _p("job", "sbatch --time={int} jobs/train.sh\nscontrol show job {number}\nsacct -j {number} --format=State", number=0),
    _p("queue", "./bin/jobctl submit --file {path}\n./bin/jobctl wait {id}\n./bin/jobctl fetch {id} --out results/{id}.json", id=0),
    _p("notebook", "jupytext --to notebook {path}\njupyter nbconvert --execute {path} --output-dir out/{stem_path}"),
    _p("locale", "pybabel extract -o messages.pot {path}\npybabel update -i messages.pot -l {word}\npybabel compile -l {word}"),
    _p("protobuf", "protoc --python_out=gen {path}\nblack gen/{stem_path}_pb2.py\nisort gen/{stem_path}_pb2.py"),
    _p("deploy", "terraform init\nterraform plan -var host={host} -out {word}.plan\nterraform apply {word}.plan"),
    _p("sync", "rsync -az dist/ deploy@{host}:/srv/shop\nssh deploy@{host} systemctl restart shop\ncurl -fsS https://{host}/health"),
    _p("go", "go mod tidy\ngo vet ./...\ngo test -run {word} ./...\ngolangci-lint run"),
    _p("site", "hugo new posts/{word}.md\nhugo --minify\nnetlify deploy --prod --message {message}"),
    _p("dump", "pg_dump -d shop -f backups/{word}.sql\ngzip backups/{word}.sql\naws s3 cp backups/{word}.sql.gz s3://shop-backups/"),
    _p("coverage", "coverage run -m pytest {test}\ncoverage xml -o reports/{stem_test}.xml\ncodecov upload-process --file reports/{stem_test}.xml"),
    _p("kaggle", "python solve.py --fold {int} --out subs/{word}.csv\n"
       "kaggle competitions submit -c titanic -f subs/{word}.csv -m {message}"),
    _p("gate", "pnpm install\npnpm run typecheck\npnpm run lint\npnpm run build\npnpm run e2e"),
    _p("helm", "helm lint charts/{word}\nhelm package charts/{word} --version {version}\nhelm push {word}-{version}.tgz oci://registry.example.org"),
    _p("fuzz", "cmake -B build -DSEED={int}\ncmake --build build\n./build/fuzz -runs={int2}\nctest --test-dir build"),
    _p("issue", "gh issue create --title {message} --label bug\ngh issue develop {number} --name fix-{number}\n"
       "git switch fix-{number}\nbd create {message}", number=0),
    _p("assets", "svgo {path} -o public/{base_path}\nwebpack --mode production --env tag={word}\nsentry-cli releases new {word}\n"
       "sentry-cli releases finalize {word}\nfirebase deploy --only hosting -m {message}\ngit stash drop"),
)  # fmt: skip


def _value(slot: str, r: random.Random, values: dict[str, str]) -> str:
    if slot not in values:
        how, _, source = slot.partition("_")
        values[slot] = (
            DERIVED[how](_value(source, r, values)) if how in DERIVED else KINDS[slot.rstrip("0123456789")](r)
        )
    return values[slot]


def origin(slot: str) -> str:
    """The slot that a slot follows from, itself where it follows from none."""
    how, _, source = slot.partition("_")
    return source if how in DERIVED else slot


def played(workflow: Planted, r: random.Random) -> tuple[Line, ...]:
    """One run of a workflow with fresh values."""
    values: dict[str, str] = {}
    return tuple(_line(workflow, k, r, values) for k in range(len(workflow.lines)))


def _line(workflow: Planted, k: int, r: random.Random, values: dict[str, str]) -> Line:
    words, slots = [], []
    for token in workflow.lines[k].split():
        hole = _HOLE.search(token)
        if hole is None:
            words.append(token)
        elif hole.group() == token:
            value = _value(hole[1], r, values)
            style = (
                "bare"
                if quote(value, "bare") == value
                else "heredoc"
                if "\n" in value and r.random() < 0.5
                else "double"
            )
            words.append(quote(value, "double" if style == "double" else "heredoc" if style == "heredoc" else "bare"))
        else:
            words.append(_HOLE.sub(lambda match: _value(match[1], r, values), token))
        slots.append("+".join(_HOLE.findall(token)))
    printed = [f"Created {slot} {_value(slot, r, values)} (ok)" for slot, step in workflow.printed if step == k]
    output = "\n".join([f"started in {r.randrange(900)} ms", *printed, "done"])
    return Line(tuple(words), tuple(slots), output)


def shuffled(lines: Sequence[Line], r: random.Random) -> list[Line]:
    return r.sample(list(lines), len(lines))
