"""The laws in words: what ``leadmill policy explain`` says of a rule, and the pages of ``docs/law``.

Made from the packs as they are read, so that no page says what no rule does. Pure.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from leadmill.core.predicates import describe, parse
from leadmill.policy.contacts import CONTACTS
from leadmill.policy.dealings import DEALINGS
from leadmill.policy.families import FAMILIES
from leadmill.policy.model import Law, LawRule, LicenceRule
from leadmill.policy.provisions import Cap, Deadline, Provision, Sensitive, Wait, Window

_HEAD = "This page is written from the packs by `python scripts/laws.py`.\n"
_COUNTED = {
    "calendar": "days",
    "business": "business days, Monday to Friday without holidays",
    "saturdays": "business days, Saturdays counted",
}


class Told(Struct, frozen=True):
    """One rule or provision in words. ``where`` says in which states, verticals and actions, ``when`` its conditions,
    ``stands`` since when and how, ``kind`` what sort of provision it is."""

    id: str
    also: tuple[str, ...]
    pack: str
    kind: str
    decision: str
    says: str
    citation: str
    where: str
    when: str
    stands: str
    obligations: tuple[str, ...] = ()


def ids_of(law: Law) -> set[str]:
    """Every id that the pack's rules go by."""
    return {ident for told in tell(law) for ident in (told.id, *told.also)}


def tell(law: Law) -> Iterator[Told]:
    """Everything in a pack, in its order."""
    for rule in law.rules:
        yield _of_rule(law, rule)
    for licence in law.licences:
        yield _of_licence(law, licence)
    for one in law.provisions:
        yield _of_provision(law, one)


def _of_rule(law: Law, rule: LawRule) -> Told:
    when = describe(parse(list(rule.when))) if rule.when else "always"
    if rule.absent:
        missing = " or ".join(rule.absent)
        when = f"{missing} is missing" if not rule.when else f"{when}, and {missing} is missing"
    where = _where(rule.actions or ((f"the walk: {rule.scope}",)), rule.verticals, rule.states, rule.reached)
    return Told(
        rule.id, rule.also, law.name, "rule", rule.decision, rule.says, rule.citation, where, when, _stands(rule),
        rule.obligations,
    )  # fmt: skip


def _of_licence(law: Law, rule: LicenceRule) -> Told:
    needs = f"{' or '.join(rule.kinds)} active in the state{' of the property' if rule.place == 'property' else ''}"
    if rule.classes:
        needs += f", class {' or '.join(rule.classes)}"
    if rule.lines:
        needs += f", line {' or '.join(rule.lines)}"
    if rule.fresh_hours:
        needs += f", looked up within {rule.fresh_hours} hours (else review)"
    where = _where(("route", "sell") if rule.cases else ("the walk: recipient",), rule.verticals, rule.states, ())
    stands = f"from {rule.effective_from}" if rule.effective_from else "in force"
    return Told(rule.id, (), law.name, "licence", "deny", rule.says, rule.citation, where, f"without {needs}", stands)


def _of_provision(law: Law, one: Provision) -> Told:
    decision = "defer" if isinstance(one, Window | Wait) else "deny"
    when = f"{_measure(one)}; when {describe(one.when)}"
    also = ("ST-CAP",) if isinstance(one, Cap) else ()
    kind = type(one).__name__.lower()
    where = _where(one.actions, one.verticals, one.states, ())
    return Told(one.id, also, law.name, kind, decision, one.says, one.citation, where, when, _stands(one))


def _measure(one: Provision) -> str:
    match one:
        case Window():
            hours = [f"weekdays {_span(one.weekday)}", f"Saturdays {_span(one.saturday)}"]
            hours.append(f"Sundays {_span(one.sunday)}")
            if one.holiday != "as usual":
                hours.append(f"holidays {_span(one.holiday)}")
            return f"outside {', '.join(hours)}"
        case Cap():
            return f"at the {one.most + 1}th in {one.hours} hours"
        case Wait():
            return f"for {one.days} {_COUNTED[one.counting]} after {one.since}"
        case Deadline():
            more = f", {one.more} more after a notice" if one.more else ""
            return f"after {one.days} {_COUNTED[one.counting]}{more}"
        case Sensitive():
            of = f" of {' or '.join(one.categories)}" if one.categories else ""
            besides = f", {' and '.join(one.besides)} data excepted" if one.besides else ""
            needs = {"opt_in": "without an opt-in", "notice": "without a notice", "banned": "always"}[one.needs]
            return f"sensitive data{of}{besides}: {needs}"


def _span(span: object) -> str:
    return f"{span[0]:%H:%M} to {span[1]:%H:%M}" if isinstance(span, tuple) else "closed"


def _where(actions: Sequence[str], verticals: Sequence[str], states: Sequence[str], reached: Sequence[str]) -> str:
    parts = [", ".join(actions)]
    if verticals:
        parts.append(f"verticals {', '.join(verticals)}")
    if states:
        parts.append(f"states {', '.join(states)}")
    if reached:
        parts.append(f"where {', '.join(reached)} may be called")
    return "; ".join(parts)


def _stands(one: LawRule | Provision) -> str:
    words = []
    if one.effective_from:
        words.append(f"from {one.effective_from}")
    if one.effective_to:
        words.append(f"to before {one.effective_to}")
    if isinstance(one, LawRule):
        if one.zone:
            words.append(f"by the date in {one.zone}")
        if one.status != "in_force":
            words.append(one.status.replace("_", " "))
        words += [f"{switch.status.replace('_', ' ')} from {switch.from_day}" for switch in one.switches]
    return ", ".join(words) or "in force"


# Pages


def pages(laws: Sequence[Law]) -> dict[str, str]:
    """The pages by file name: one a pack, one of names, and the list of them."""
    made = {f"{law.name}.md": _page(law) for law in laws}
    rows = [f"| [{law.name}]({law.name}.md) | {law.title} | {sum(1 for _ in tell(law))} |" for law in laws]
    made["README.md"] = "\n".join(
        [
            "# Law",
            "",
            _HEAD,
            "What the law packs say, rule by rule. The facts were written down for engineers; have counsel check them.",
            "`leadmill policy explain RULE` tells one rule, `leadmill policy check` decides cases",
            "([how they are written](../policy.md)). The names that conditions look at are [listed](names.md).",
            "",
            "| pack | holds | rules |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )
    made["names.md"] = _names(laws)
    return made


def _page(law: Law) -> str:
    lines = [f"# {law.title}", "", _HEAD]
    for ident, group in groupby(sorted(tell(law), key=lambda told: told.id), key=lambda told: told.id):
        lines += [f"## {ident}", "", "| decision | says | in | when | stands | citation |", "| --- " * 6 + "|"]
        lines += [
            f"| {told.decision} | {_cell(told.says)} | {_cell(told.where)} | {_cell(told.when)} | {told.stands} "
            f"| {_cell(told.citation)} |"
            for told in group
        ]
        lines.append("")
    return "\n".join(lines)


def _names(laws: Sequence[Law]) -> str:
    lines = ["# Names of evidence of cases", "", _HEAD]
    lines += [
        "A name leads into the case's document (`channel.caller_id.assigned`); `given.` before it asks whether it is",
        "there. These are worked out:",
        "",
        "| name | holds |",
        "| --- | --- |",
    ]
    lines += [f"| `{name}` | {derived.holds} |" for name, derived in sorted((CONTACTS | DEALINGS).items())]
    lines += ["", "Terms, which are conditions with a name:", "", "| name | holds | when |", "| --- | --- | --- |"]
    terms = [term for law in laws for term in law.terms]
    lines += [f"| `{term.name}` | whether {term.says} | {_cell(describe(term.when))} |" for term in terms]
    lines += [
        "",
        "Kinds of evidence that may be wholly absent from a lead, and who insists on them says so",
        "([what is demanded](../policy.md#what-is-demanded)):",
        "",
        "| kind | holds | names |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| `{kind}` | {family.holds} | {', '.join(f'`{name}`' for name in family.names)} |"
        for kind, family in FAMILIES.items()
    ]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
