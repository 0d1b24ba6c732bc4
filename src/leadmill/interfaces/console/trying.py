"""What a lead would score if something about it were otherwise: shown on its page, kept nowhere.

Called by :mod:`leadmill.interfaces.console.lead`. The lead is rated by the card and the models in force, on what was
known of it when it was last rated; nothing derived from a changed value is found out anew.
"""

from typing import Any

from leadmill.capture import read_value
from leadmill.core.faults import BadInput
from leadmill.core.predicates import Value
from leadmill.facts import Dossier
from leadmill.flow.memory import Recalled
from leadmill.interfaces.console.desk import Desk
from leadmill.interfaces.console.telling import read
from leadmill.scoring import Rate, Score

_MOST = 200
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def tried_on(desk: Desk, recalled: Recalled) -> dict[str, Any] | None:
    """The form and, where a field was changed in the address, the two scores beside one another; None where the lead
    was never rated or its person was forgotten."""
    rated = any(each.event.step == Rate.name for chapter in recalled.chapters for each in chapter.stations)
    lead = recalled.lead
    if lead is None or recalled.submission is None or not rated:
        return None
    case = recalled.case_before(Rate.name)
    if Dossier not in case:
        return None
    walk = desk.wiring.kit.walk()
    rate = next(step for step in walk.together if isinstance(step, Rate))
    values = rate.seen_of(case)
    asked = desk.request.query_params
    field, given = asked.get("field", "").strip()[:120], asked.get("value", "").strip()[:_MOST]
    card = walk.rules.cards.get(lead.vertical)
    panel = walk.rules.models.panels.get(lead.vertical)
    known = set(card.asked if card is not None else ()) | (panel.columns if panel is not None else frozenset())
    found: dict[str, Any] = {
        "field": field,
        "value": given,
        "known": sorted(known - {"score"}),
        "fault": None,
        "was": None,
        "now": None,
        "lines": [],
        "held": "",
    }
    if not field:
        return found
    if field not in known and field not in values:
        found["fault"] = f"Neither the card nor a model looks at {field}."
        return found
    spec = walk.rules.verticals[lead.vertical].fields.get(field)
    try:
        value = read_value(spec, given) if spec is not None and given else _plain(given)
    except BadInput as fault:
        found["fault"] = f"That cannot be {field}: {fault.detail}."
        return found
    at = desk.now
    was = rate.try_on(lead.vertical, lead.id, values, at).score
    now = rate.try_on(lead.vertical, lead.id, {**values, field: value}, at).score
    held = values.get(field)
    hidden = not desk.sees and isinstance(held, str | list)
    found |= {
        "was": was,
        "now": now,
        "lines": _beside(was, now),
        "held": "" if held is None else "hidden" if hidden else read(held, spec),
    }
    return found


def _plain(given: str) -> Value:
    """A value as typed: nothing, a truth, a number, else a text."""
    if not given:
        return None
    if given.casefold() in _TRUTHS:
        return _TRUTHS[given.casefold()]
    try:
        return int(given)
    except ValueError:
        pass
    try:
        number = float(given)
    except ValueError:
        return given
    return number if number == number and abs(number) < 2**63 else given


def _beside(was: Score, now: Score) -> list[dict[str, Any]]:
    """Every contribution of either, with what each gave."""
    before = {item.rule: item for item in was.contributions}
    after = {item.rule: item for item in now.contributions}
    return [
        {
            "says": (after.get(rule) or before[rule]).says,
            "was": before[rule].points if rule in before else 0,
            "now": after[rule].points if rule in after else 0,
        }
        for rule in dict.fromkeys((*before, *after))
    ]
