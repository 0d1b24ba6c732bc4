"""The pure rules: names as they are compared, dates, licences of unknown states, who is cleared."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from leadmill.core.reasons import because
from leadmill.parties import Team, read_buyer
from leadmill.policy import Clearance, clear_recipient, read_law
from leadmill.policy.model import RECIPIENT
from leadmill.policy.rules import day_in, in_force, missing_licence, named_in, names_of, plain
from tests.policy.leads import NOW, buyer

PLAIN = [
    ("Helio Solar LLC", "helio solar llc"),
    ("  HELIO   solar,\tL.L.C. ", "helio solar llc"),
    ("O'Neil & Sons, Inc.", "oneil and sons inc"),
    ("O’Neil and Sons Inc", "oneil and sons inc"),
    ("Sun-Power/West (CA)", "sun power west ca"),
    ("Élan Énergie", "élan énergie"),
    ("«Straße» 24", "strasse 24"),
    ("A.B.C. Homes", "abc homes"),
    ("snake_case co", "snake case co"),
    ("...", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "wanted"), PLAIN)
def test_names_are_compared_without_case_signs_and_spaces(text: str, wanted: str) -> None:
    assert plain(text) == wanted


DAYS = [
    # zone, moment in UTC, date
    (None, datetime(2026, 3, 5, 4, 0, tzinfo=UTC), date(2026, 3, 5)),
    ("America/Los_Angeles", datetime(2026, 3, 5, 7, 59, tzinfo=UTC), date(2026, 3, 4)),
    ("America/Los_Angeles", datetime(2026, 3, 5, 8, 0, tzinfo=UTC), date(2026, 3, 5)),
    ("America/Los_Angeles", datetime(2026, 7, 5, 7, 0, tzinfo=UTC), date(2026, 7, 5)),  # an hour less in summer
    ("America/New_York", datetime(2026, 1, 1, 4, 59, tzinfo=UTC), date(2025, 12, 31)),
    ("Pacific/Honolulu", datetime(2026, 3, 5, 9, 59, tzinfo=UTC), date(2026, 3, 4)),
    ("Pacific/Guam", datetime(2026, 3, 4, 14, 0, tzinfo=UTC), date(2026, 3, 5)),
    ("Nowhere/City", datetime(2026, 3, 5, 4, 0, tzinfo=UTC), date(2026, 3, 5)),
    ("../../etc/passwd", datetime(2026, 3, 5, 4, 0, tzinfo=UTC), date(2026, 3, 5)),
    ("", datetime(2026, 3, 5, 4, 0, tzinfo=UTC), date(2026, 3, 5)),
]


@pytest.mark.parametrize(("zone", "now", "day"), DAYS)
def test_a_day_is_that_of_where_the_lead_lives(zone: str | None, now: datetime, day: date) -> None:
    assert day_in(zone, now) == day


NAMED = [
    # name, brands, sellers listed, text shown, named?
    ("Helio Solar LLC", [], [], "I agree that Helio Solar LLC may call me.", True),
    ("Helio Solar LLC", [], [], "I agree that HELIO SOLAR, L.L.C., may call me.", True),
    ("Helio Solar LLC", [], [], "Helio Solar LLC", True),
    ("Helio Solar LLC", ["Helio"], [], "I agree that Helio may call me.", True),
    ("Helio Solar LLC", ["Helio"], [], "I agree that Heliotrope may call me.", False),
    ("Helio Solar LLC", [], [], "I agree that Helio Solar may call me.", False),
    ("Helio Solar LLC", [], ["helio solar llc."], "I agree.", True),
    ("Helio Solar LLC", [], ["Helio Solar LLC Partners"], "I agree.", False),
    ("Helio Solar LLC", [], ["Solar LLC"], "I agree.", False),
    ("Sun", [], [], "Call me on Sunday about solar.", False),
    ("Sun", [], [], "I agree that Sun may call me.", True),
    ("Sun", [], ["Sunrun"], "I agree.", False),
    ("Art Co", [], [], "Smart Co may call me.", False),
    ("Art Co", [], [], "Art Company may call me.", False),
    ("O'Neil & Sons", [], [], "O’Neil and Sons may call me.", True),
    ("E.ON", [], [], "E.ON may call me; e on may not.", True),
    ("...", [], [], "I agree to everything. ...", False),
    ("...", [], ["", "..."], "I agree.", False),
    ("Helio Solar LLC", [], [], "", False),
]


@pytest.mark.parametrize(("name", "brands", "sellers", "text", "named"), NAMED)
def test_a_recipient_is_named_by_its_whole_name_or_brand(
    name: str, brands: list[str], sellers: list[str], text: str, named: bool
) -> None:
    recipient = read_buyer({"id": "b", "name": name, "brands": brands})
    shown = frozenset(map(plain, sellers))
    assert named_in(names_of(recipient), shown, f" {plain(text)} ") is named


def licence(**more: Any) -> dict[str, Any]:
    return {"id": "L-1", "citation": "c", "verticals": ["solar"], "kinds": ["K"], "says": "No licence.", **more}


UNKNOWN_STATE = [
    ([], True),
    ([{"kind": "K", "number": "1", "states": ["CA"]}], True),
]


@pytest.mark.parametrize(("licences", "refused"), UNKNOWN_STATE)
def test_where_the_state_is_unknown_a_licence_of_one_state_does_not_do(
    licences: list[dict[str, Any]], refused: bool
) -> None:
    recipient = read_buyer({"id": "b", "name": "B", "licences": licences})
    for rule in (licence(), licence(states=["CA"])):
        law = read_law("mine", "", {}, {"licence": [rule]})
        found = missing_licence([law], recipient, "solar", None, NOW.date())
        assert (found is not None) is refused


def test_other_verticals_and_states_need_no_licence() -> None:
    law = read_law("mine", "", {}, {"licence": [licence(states=["CA"], effective_from="2026-09-01")]})
    recipient = buyer(licences=[])
    day = date(2026, 9, 1)
    assert missing_licence([law], recipient, "solar", "CA", day) is not None
    assert missing_licence([law], recipient, "solar", "CA", date(2026, 8, 31)) is None
    assert missing_licence([law], recipient, "solar", "NV", day) is None
    assert missing_licence([law], recipient, "mortgage", "CA", day) is None


FORCE = [
    (None, None, True),
    ("2026-03-04", None, True),
    ("2026-03-05", None, False),
    (None, "2026-03-05", True),
    (None, "2026-03-04", False),
    ("2026-03-01", "2026-03-04", False),
]


@pytest.mark.parametrize(("begins", "ends", "stands"), FORCE)
def test_a_rule_stands_from_its_first_day_until_before_its_last(
    begins: str | None, ends: str | None, stands: bool
) -> None:
    days = {name: day for name, day in (("effective_from", begins), ("effective_to", ends)) if day}
    rule = {"id": "X", "citation": "c", "scope": "lead", "says": "No.", "when": [], **days}
    law = read_law("mine", "", {}, {"rule": [rule]})
    assert in_force(law.rules[0], NOW.date()) is stands


def test_whoever_was_not_judged_is_not_cleared() -> None:
    refusal = because(RECIPIENT, says="No.", rule="X-1", citation="c")
    clearance = Clearance(channels={}, cleared=["helio", "west"], refused={"bright": refusal})
    assert clear_recipient(clearance, buyer("helio"), NOW) is None
    assert clear_recipient(clearance, Team(id="west", name="West"), NOW) is None
    assert clear_recipient(clearance, buyer("bright"), NOW) == refusal
    strange = clear_recipient(clearance, buyer("new"), NOW)
    assert strange is not None
    assert (strange.code, strange.detail) == ("policy.recipient.unknown", {"recipient": "new"})
