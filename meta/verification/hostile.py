"""Whether a value stays a value: text that would do harm in a shell reaches the program as it was given.

The values are tried in `trials`, together with the recorded runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meta import rendering
from meta.model import Binding, Check, Group, Hole, Occurrence, Parameter, Part, Workflow
from meta.policy.steps import openings
from meta.verification import trials
from meta.verification.trials import Outcome

_TEXT = ("str", "path", "list", "secret")
TOKEN = "metavalue"  # an ordinary value, for comparison
HOSTILE = (
    "two  words",
    """it's a "quote" and `another`""",
    "$(touch pwned)",
    "`touch pwned`; touch pwned && touch pwned | touch pwned",
    "one\ntouch pwned",
    "naïve ☃ \U0001f600",
    "back\\slash $HOME ~ * {a,b} !x #y",
)
OPTION = "--output=pwned"  # must be refused where a program would take it for an option
_MAY_BE_REFUSED = ("one\ntouch pwned", OPTION)  # a tool may be stricter than the shell


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile value for some parameters of a recorded run, beside the same run with an ordinary value.

    `refused` tells that the value must not be accepted.
    """

    parameters: tuple[str, ...]
    value: str
    bindings: Mapping[str, Binding]
    plain: Mapping[str, Binding]
    refused: bool = False


def attacks(workflow: Workflow) -> list[Attack]:
    """Every hostile value for every parameter that takes text; those of one recorded run are attacked together.

    An option where a value stands by itself must be refused, so there each parameter is attacked alone.
    """
    guarded = {name for name, signs in openings(workflow).items() if "-" in signs}
    left = [p for p in workflow.parameters if p.type in _TEXT and p.source != "derived" and not _is_shell(workflow, p)]
    found: list[Attack] = []
    while left:
        base = _base(workflow, left)
        if base is None:
            break
        together = [p for p in left if p.name in base.bindings]
        left = [p for p in left if p not in together]
        found += [_attack(together, base, value) for value in HOSTILE]
        found += [_attack([p], base, OPTION, refused=True) for p in together if p.name in guarded]
        if free := [p for p in together if p.name not in guarded]:
            found.append(_attack(free, base, OPTION))
    return found


def _base(workflow: Workflow, parameters: list[Parameter]) -> Occurrence | None:
    """The recorded run that uses most of the parameters, one without failures and a long one where there is a choice."""

    def rank(run: Occurrence) -> tuple[int, bool, int]:
        return sum(p.name in run.bindings for p in parameters), not run.bindings.get("failed"), len(run.commands)

    best = max(workflow.occurrences, key=rank, default=None)
    return best if best is not None and rank(best)[0] else None


def _attack(parameters: list[Parameter], base: Occurrence, value: str, *, refused: bool = False) -> Attack:
    kept = {name: bound for name, bound in base.bindings.items() if name != "failed"}

    def bound(text: str) -> dict[str, Binding]:
        return {**kept, **{p.name: [text] if p.type == "list" else text for p in parameters}}

    return Attack(tuple(p.name for p in parameters), value, bound(value), bound(TOKEN), refused)


def _is_shell(workflow: Workflow, parameter: Parameter) -> bool:
    """Whether the parameter is text for the shell by its nature: a glob, an expansion, a redirection."""

    def inside(parts: tuple[Part, ...]) -> bool:
        return any(
            (isinstance(part, Group) and inside(part.parts))
            or (isinstance(part, Hole) and part.parameter == parameter.name and part.style == "shell")
            for part in parts
        )

    return any(inside(step.parts) for step in workflow.steps)


def check(workflow: Workflow, attacks: list[Attack], outcomes: list[Outcome]) -> Check:
    """The check "hostile values". `outcomes` are two for each attack: with the ordinary value, with the hostile one."""
    exempt = sorted(p.name for p in workflow.parameters if _is_shell(workflow, p))
    note = [f"not tried, shell text by nature: {', '.join(exempt)}"] if exempt else []
    if not attacks:
        return Check("hostile values", None if exempt else True, "; ".join(note) or "it takes no text")
    refused, failed, wrong = 0, 0, []
    for attack, plain, hostile in zip(attacks, outcomes[::2], outcomes[1::2], strict=True):
        if hostile.code and not hostile.run and attack.value in _MAY_BE_REFUSED:
            refused += len(attack.parameters)
        elif attack.refused:
            failed += 1
            wrong.append(f"{attack.value!r} for {attack.parameters[0]}: it is taken for an option")
        elif reason := _harm(workflow, attack, plain, hostile):
            failed += len(attack.parameters)
            wrong.append(f"{attack.value!r} for {', '.join(attack.parameters)}: {reason}")
    total = sum(len(attack.parameters) for attack in attacks)
    detail = f"{total - refused - failed} of {total} values arrived unchanged" + (
        f", {refused} refused" if refused else ""
    )
    return Check("hostile values", not wrong, "; ".join([detail, *note, *wrong[:3]]))


def _harm(workflow: Workflow, attack: Attack, plain: Outcome, hostile: Outcome) -> str:
    """How a hostile value did something else than an ordinary one; "" where it did not."""
    try:
        lines = rendering.commands(workflow.steps, workflow.parameters, attack.bindings)
    except rendering.UnboundError:  # no rule derives another value from this one
        return "" if hostile.code and not hostile.run else "it was accepted although a value cannot be derived"
    expected = "\n".join(lines) + "\n"
    if hostile.early:
        return "the dry run ran something"
    if hostile.stdout != expected:
        return trials.difference(expected, hostile)
    if not trials.same(hostile.run, hostile.shell, trials.order(workflow)):
        return "the tool runs something else than it prints"
    if any(p.derivation and p.derivation.source in attack.parameters for p in workflow.parameters):
        shapes = [sorted((call[0], len(call)) for call in outcome.run) for outcome in (plain, hostile)]
        return "" if shapes[0] == shapes[1] else "it became more than a value"
    swapped = tuple(tuple(word.replace(TOKEN, attack.value) for word in call) for call in plain.run)
    return "" if sorted(hostile.run) == sorted(swapped) else "it reaches the program changed"
