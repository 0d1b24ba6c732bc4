"""The verbs of policy that need no lead on its walk: check cases, and explain a rule.

Called by ``leadmill policy``, by the benchmark and by whoever asks the law about something in particular.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.reading import nearest
from leadmill.facts import Reference, load_reference
from leadmill.policy.cases import bases, read_case, read_lines
from leadmill.policy.decide import Engine, Result
from leadmill.policy.lawbooks import law_of
from leadmill.policy.model import Law
from leadmill.policy.replies import words_of
from leadmill.policy.telling import Told, ids_of, pages, tell
from leadmill.runtime.packs import BUILT_IN, load_packs

__all__ = [
    "Checked",
    "Engine",
    "Result",
    "Told",
    "bases",
    "check_cases",
    "explain_rule",
    "law_pages",
    "open_engine",
    "read_case",
    "read_laws",
]


class Checked(Struct, frozen=True):
    """A line's answer. ``fault`` says what was wrong with a line that could not be read; its result is a review.
    ``differs`` says in words what the line expected otherwise, empty where it expected nothing or just this."""

    line: int
    result: Result
    fault: str = ""
    differs: str = ""


def read_laws(more: Iterable[Path] = ()) -> list[Law]:
    """The laws of the built-in packs and of those in further folders, which replace packs of the same name. Raises the
    faults of the packs."""
    found = load_packs(BUILT_IN, *more).laws
    return [law_of(found[name]) for name in sorted(found)]


def open_engine(cache: Path, more: Iterable[Path] = (), reference: Reference | None = None) -> Engine:
    """The engine by the laws of :func:`read_laws`; ``cache`` keeps the file of places. Raises the faults of the packs
    and of the reference data."""
    found = load_packs(BUILT_IN, *more).laws
    laws = [law_of(found[name]) for name in sorted(found)]
    return Engine(laws, reference or load_reference(cache), words_of(found))


def check_cases(engine: Engine, lines: Iterable[bytes]) -> Iterator[Checked]:
    """Decide each line. One that cannot be read gets a review, since what is not known never passes."""
    for number, raw in read_lines(lines):
        if isinstance(raw, BadInput):
            yield Checked(number, engine.unread(None), raw.detail)
            continue
        try:
            result = engine.decide(read_case(raw))
        except BadInput as fault:
            yield Checked(number, engine.unread(raw.get("id")), fault.detail)
            continue
        yield Checked(number, result, differs=_difference(raw.get("expect"), result))


def _difference(expect: object, result: Result) -> str:
    if not isinstance(expect, Mapping):
        return ""
    wanted, until, rules = expect.get("decision"), expect.get("until"), expect.get("rules") or ()
    if wanted != result.decision:
        return f"expected {wanted}, decided {result.decision}"
    if isinstance(until, str) and (not isinstance(result.until, str) or until[:16] != result.until[:16]):
        return f"expected until {until}, decided {result.until or 'none'}"
    if wanted != "allow" and rules and not set(rules).intersection(result.rules):
        return f"expected one of {', '.join(rules)}, decided by {', '.join(result.rules)}"
    return ""


def explain_rule(laws: Iterable[Law], ident: str) -> list[Told]:
    """Everything that the packs say under a rule's id. Raises NotFound ``policy.rule.unknown`` with the nearest id."""
    known = list(laws)
    found = [told for law in known for told in tell(law) if ident.upper() in (told.id.upper(), *told.also)]
    if not found:
        every = {name for law in known for name in ids_of(law)}
        raise NotFound("policy.rule.unknown", f"no pack has a rule {ident}; {nearest(ident.upper(), every)}")
    return found


def law_pages(laws: Iterable[Law]) -> dict[str, str]:
    """The pages of ``docs/law`` by file name."""
    return pages(list(laws))
