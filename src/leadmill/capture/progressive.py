"""What a form still asks of a person who comes back. Pure.

Called by the pages that serve and take a hosted form. A question is left out where the person answered it before, not
too long ago and in a way that the vertical still understands. Some are asked of everybody: those that the form says,
sensitive ones, and the phone number wherever the consent is for calls or texts, because an agreement in writing must
name the number that it is for (47 CFR 64.1200(f)(9)).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from leadmill.capture.formed import Form, FormField, Progressive
from leadmill.capture.mapping import read_value
from leadmill.capture.model import FieldSpec, Lead, TakenAnswer, Vertical
from leadmill.core.faults import BadInput

_CALLED = ("first_name", "last_name", "full_name", "date_of_birth")
_REACHED = ("email", "phone")
"""What tells persons apart. Where an answer to one of these is another than before, it is not known who sits there."""

_NO_ANSWER: tuple[object, ...] = (None, "", [])


class Asking(Struct, frozen=True):
    """What one page asks. ``left`` are the questions that were answered before, ``later`` those that wait for the
    next time; ``asked`` are all others. Each in the order of the form."""

    asked: tuple[str, ...]
    left: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


def answers_of(
    lead: Lead, taken_over: Iterable[str], corrected: Iterable[TakenAnswer], sensitive: frozenset[str]
) -> list[TakenAnswer]:
    """What a person said of themselves with a lead, and what was put right about it since. What the lead took over
    itself counts with the lead it came from, or an answer would never grow old; what is ``sensitive`` is not kept in
    mind."""
    fixed = {item.name: item for item in corrected}
    own = {*lead.fields} - {*taken_over} - fixed.keys()
    found = [
        TakenAnswer(name, lead.fields[name], lead.id, lead.received_at)
        for name in lead.fields
        if name in own and lead.fields[name] not in _NO_ANSWER
    ]
    return [item for item in (*found, *fixed.values()) if item.name not in sensitive]


def latest(answers: Iterable[TakenAnswer]) -> dict[str, TakenAnswer]:
    """The last answer to each question; of two of one moment, the one of the younger lead."""
    found: dict[str, TakenAnswer] = {}
    for item in answers:
        held = found.get(item.name)
        if held is None or (item.at, item.lead_id) > (held.at, held.lead_id):
            found[item.name] = item
    return found


def to_ask(form: Form, vertical: Vertical, known: Mapping[str, TakenAnswer], now: datetime) -> Asking:
    """What a page of the form asks at ``now`` of a person of whom this is known; of nobody in particular, everything
    but what waits for the next time."""
    fields = {field.field: field for step in form.steps for field in step.fields}
    if form.progressive is None:
        return Asking(tuple(fields))
    rules = form.progressive
    always = _always(form, rules)
    left = {
        name
        for name, field in fields.items()
        if name not in always and _holds(field, vertical.fields[name], rules, known.get(name), now)
    }
    missing = [name for name in fields if name not in left]
    later: frozenset[str] = frozenset()
    if rules.ask is not None:
        needed = {name for name in missing if fields[name].required or name in always}
        if not left & {"email", "phone"}:
            needed |= {"email", "phone"}  # somebody must be reached; those that the form has
        free = [name for name in missing if name not in needed]
        counted = [name for name in missing if name in needed and name not in always]
        later = frozenset(free[max(rules.ask - len(counted), 0 if counted else 1) :])
    return Asking(
        tuple(name for name in missing if name not in later),
        tuple(name for name in fields if name in left),
        tuple(name for name in missing if name in later),
    )


def another_person(
    form: Form, vertical: Vertical, known: Mapping[str, TakenAnswer], given: Mapping[str, object], now: datetime
) -> bool:
    """Whether somebody else seems to answer than the one who is remembered: a name or a birth date is given otherwise
    than before, or an address or a number that is not old."""
    fields = {field.field: field for step in form.steps for field in step.fields}
    for name in _CALLED + _REACHED:
        held, said = known.get(name), given.get(name)
        if held is None or held.value in _NO_ANSWER or said in _NO_ANSWER or name not in fields:
            continue
        if name in _REACHED and held.at <= now - _age(fields[name], form.progressive or Progressive()):
            continue
        try:
            if _plain(name, held.value) != _plain(name, read_value(vertical.fields[name], said)):
                return True
        except BadInput:
            continue  # told of beside the question
    return False


def _plain(name: str, value: object) -> str:
    text = "".join(filter(str.isalnum, str(value).casefold()))
    return text[-10:] if name == "phone" else text


def _always(form: Form, rules: Progressive) -> frozenset[str]:
    spoken = form.consent is not None and bool({"call", "text"} & {*form.consent.channels})
    return frozenset((*rules.always, *(("phone",) if spoken else ())))


def _holds(field: FormField, spec: FieldSpec, rules: Progressive, answer: TakenAnswer | None, now: datetime) -> bool:
    if answer is None or answer.value in _NO_ANSWER or spec.sensitive is not None:
        return False
    if answer.at <= now - _age(field, rules):
        return False
    try:
        return read_value(spec, answer.value) not in _NO_ANSWER
    except BadInput:
        return False


def _age(field: FormField, rules: Progressive) -> timedelta:
    return timedelta(days=rules.fresh_for if field.fresh_for is None else field.fresh_for)
