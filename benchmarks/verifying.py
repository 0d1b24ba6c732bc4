"""What the station ``facts`` costs a lead, and which part of it costs what.

Called by the intake's benchmark. Believable leads with every common field walk through ``Verify`` in this process,
as they do in the program, with nothing to wait for: no name server is asked. CPU time, the median of rounds.
"""

import gc
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.figures import median
from benchmarks.leads import solar_lead
from leadmill.capture import Lead
from leadmill.core.case import Case, Heard
from leadmill.facts import Dossier, LookedUp, Reference, Verify, load_reference
from leadmill.facts.rules import (
    email_facts,
    person_facts,
    place_facts,
    read_address,
    read_name,
    read_phone,
    visitor_facts,
)
from leadmill.facts.rules.address import address_facts
from leadmill.facts.rules.name import name_facts
from leadmill.facts.rules.network import to_look_up
from leadmill.facts.rules.phone import known_facts

GOAL_US = 350.0
_LEADS = 1_500
_WARM = 500
_ROUNDS = 5


class Verifying(Struct, frozen=True):
    """Microseconds of CPU a lead: the whole station, and its parts. ``size`` is a dossier's in the journal, in bytes,
    ``facts`` how many it holds."""

    step_us: float
    parts_us: dict[str, float]
    facts: float
    size: float


def _lead(number: int) -> Lead:
    raw = solar_lead(number)
    fields = {**raw["fields"], "address_2": f"Apt {number % 40}", "date_of_birth": f"19{50 + number % 50}-05-17"}
    context = {**raw["context"], "time_zone": "America/Los_Angeles", "session_seconds": 40 + number % 90}
    now = datetime.now(UTC)
    return Lead(id=f"lead_{number}", vertical="solar", source_id="b", received_at=now, fields=fields, context=context)


def _per_lead(work: Callable[[Lead], object], leads: Sequence[Lead]) -> float:
    """Microseconds a lead of the median round; each round has leads of its own, so that no memory of a lead helps."""
    for lead in leads[:_WARM]:
        work(lead)
    rounds = []
    for number in range(_ROUNDS):
        fresh = leads[_WARM + number * _LEADS :][:_LEADS]
        gc.collect()
        began = time.process_time()
        for lead in fresh:
            work(lead)
        rounds.append((time.process_time() - began) / len(fresh) * 1e6)
    return median(rounds)


def _parts(reference: Reference, now: datetime) -> dict[str, Callable[[Lead], object]]:
    def phone(lead: Lead) -> object:
        found = read_phone(str(lead.fields["phone"]))
        return found and known_facts(found, reference)

    def name(lead: Lead) -> object:
        first, last = str(lead.fields["first_name"]), str(lead.fields["last_name"])
        return name_facts(read_name(first, last), f"{first} {last}", reference)

    return {
        "e-mail": lambda lead: email_facts(str(lead.fields["email"]), reference),
        "phone": phone,
        "place": lambda lead: place_facts(lead.fields, "CA", reference, None),
        "address": lambda lead: address_facts(read_address(str(lead.fields["address"]), str(lead.fields["address_2"]))),
        "name": name,
        "person": lambda lead: person_facts(lead.fields, now),
        "visitor": lambda lead: visitor_facts(lead.fields, lead.context, reference),
        "what to look up": lambda lead: to_look_up(lead.fields, lead.context),
    }


def measure_facts(cache: Path) -> Verifying:
    """The figures, with the reference data in a folder."""
    reference, now = load_reference(cache), datetime.now(UTC)
    step, nothing = Verify(reference), LookedUp()
    dossiers: list[Dossier] = []

    def walk(lead: Lead) -> None:
        case = Case(lead.id, [lead])
        heard = Heard(dict.fromkeys(step.wants(case), nothing))
        dossiers.extend(one for one in step.judge(case, heard, now).learned if isinstance(one, Dossier))

    enough = _WARM + _ROUNDS * _LEADS
    whole = _per_lead(walk, [_lead(number) for number in range(enough)])
    parts = {
        title: _per_lead(work, [_lead(number) for number in range(at * enough, (at + 1) * enough)])
        for at, (title, work) in enumerate(_parts(reference, now).items(), 1)
    }
    sizes = [len(msgspec.msgpack.encode(one)) for one in dossiers]
    counts = [len(one.facts) for one in dossiers]
    return Verifying(whole, parts, sum(counts) / len(counts), sum(sizes) / len(sizes))


def tell_facts(found: Verifying) -> str:
    """The line of the intake's benchmark."""
    parts = ", ".join(f"{title} {each:.0f}" for title, each in sorted(found.parts_us.items(), key=lambda one: -one[1]))
    return (
        f"facts step, µs a lead {found.step_us:.0f}   (goal at most {GOAL_US:.0f}; {parts}; {found.facts:.0f} facts in"
        f" {found.size:,.0f} bytes)"
    )
