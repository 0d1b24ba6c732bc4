"""What dates and ages say: whether a person can be so old, and whether a date can be meant.

Called by :func:`leadmill.facts.rules.find_facts`. Of which age a vertical wants people is for its pack to say.
"""

import re
from datetime import date, datetime

from leadmill.facts.model import OURS, Fact
from leadmill.facts.rules.fields import Values, text_of

OLDEST = 110
"""Years over which nobody fills in a form. One person in ten million is older."""
OF_AGE = 18
_FIRST_YEAR = 1900
_AHEAD = 50
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def age_at(born: str, today: date) -> int | None:
    """Whole years from an ISO date to ``today``; None where it is no date."""
    try:
        day = date.fromisoformat(born[:10])
    except ValueError:
        return None
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


def person_facts(fields: Values, now: datetime) -> list[Fact]:
    """The age, whether the date of birth can be one, and whether both agree."""
    facts: list[Fact] = []
    born = text_of(fields, "date_of_birth")
    age = None
    if born:
        age = age_at(born, now.date())
        known = age is not None and 0 <= age <= OLDEST
        age = age if known else None
        facts.append(Fact("person.age", age, "pass" if known else "fail", OURS))
        facts.append(Fact("birth.plausible", known, "pass" if known else "fail", OURS))
        if known and born[4:10] == "-01-01":
            # One person in 365 is born that day, and many who do not know theirs are written down for it.
            facts.append(Fact("birth.placeholder", True, "unknown", OURS, 60))
    stated = fields.get("age")
    told = stated if isinstance(stated, int) and not isinstance(stated, bool) else None
    if age is not None and told is not None:
        # Whoever was asked some weeks ago may have had a birthday since.
        same = abs(age - told) <= 1
        facts.append(Fact("agree.age", same, "pass" if same else "fail", OURS, 90))
    years = age if age is not None else told
    if years is not None:
        facts.append(Fact("person.adult", years >= OF_AGE, "pass" if years >= OF_AGE else "fail", OURS))
    return facts


def date_facts(fields: Values, now: datetime) -> list[Fact]:
    """Which dates cannot be meant: before 1900, or more than fifty years ahead."""
    odd = [
        name
        for name, value in fields.items()
        if isinstance(value, str)
        and len(value) == 10
        and name != "date_of_birth"
        and _DATE.fullmatch(value)
        and not _FIRST_YEAR <= int(value[:4]) <= now.year + _AHEAD
    ]
    return [Fact("dates.odd", sorted(odd), "fail", OURS, 90)] if odd else []
