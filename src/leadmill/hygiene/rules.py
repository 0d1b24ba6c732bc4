"""Pure rules of hygiene: what is believed of a contact point by what came back from it, and how facts age.

Called by the station, the report and the pages. A standing depends on which observations there are, not on the order
in which they were heard, and fades as they grow old.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from leadmill.facts import Dossier, Fact, Outcome, Win, read_email, read_phone
from leadmill.hygiene.model import CHANNELS, KINDS, Channel, Observed, Seen, Standing, Upkeep
from leadmill.identity import email_key

KeyedHash = Callable[[str, str], bytes]
"""The vault's: a purpose and a text to a secret hash of sixteen bytes."""

_DAY = timedelta(days=1)
_HALF = 50
_UNKNOWN = Standing()


def point_of(keyed_hash: KeyedHash, contact: str, country: str = "US") -> tuple[Channel, bytes] | None:
    """The contact point of an e-mail address or a phone number: the key that identity knows its person by. None for a
    text that is neither."""
    if "@" in contact:
        email = read_email(contact)
        return ("email", keyed_hash("email", email_key(email.lookup))) if email else None
    phone = read_phone(contact, country)
    return ("phone", keyed_hash("phone", phone.e164)) if phone else None


def faded(weight: float, age: timedelta, half_life: float) -> float:
    """What is left of a weight after ``age``, where half is left after ``half_life`` days; all of it before."""
    return weight * float(0.5 ** (max(age / _DAY, 0.0) / half_life))


def standing_of(seen: Iterable[Seen], upkeep: Upkeep, now: datetime) -> Standing:
    """What is believed of one point.

    The last word that is good or bad decides whose side counts: an address that bounced is bad until something arrives
    there, and what had arrived before it bounced says nothing any more. Of one moment both count. Weak words count
    where nothing good came after them; enough of them within some days weigh together what one bad word does.
    """
    found = sorted({one for one in seen if one.kind in KINDS}, key=lambda one: (one.at, one.kind, one.source))
    if not found:
        return _UNKNOWN
    senses = {kind: known.sense for kind, known in KINDS.items()}
    last_good = max((one.at for one in found if senses[one.kind] == "good"), default=None)
    last_bad = max((one.at for one in found if senses[one.kind] == "bad"), default=None)
    good = [one for one in found if senses[one.kind] == "good" and (last_bad is None or one.at >= last_bad)]
    bad = [one for one in found if senses[one.kind] == "bad" and (last_good is None or one.at >= last_good)]
    weak = [one for one in found if senses[one.kind] == "weak" and (last_good is None or one.at > last_good)]
    complaints = [one.at for one in found if one.kind == "complained"]
    speaks_for = sum(_left(one, upkeep, now) for one in good)
    speaks_against = sum(_left(one, upkeep, now) for one in (*bad, *weak)) + _together(weak, upkeep, now)
    prior_for, prior_against = upkeep.prior
    belief = (prior_for + speaks_for) / (prior_for + prior_against + speaks_for + speaks_against)
    outcome, confidence = _verdict(belief, upkeep)
    told = {"pass": good, "fail": bad or weak}.get(outcome, found)
    newest = told[-1] if told else found[-1]
    return Standing(
        outcome=outcome,
        confidence=confidence,
        at=newest.at,
        source=newest.source,
        good=speaks_for,
        bad=speaks_against,
        complained=complaints[-1] if complaints else None,
    )


def _left(one: Seen, upkeep: Upkeep, now: datetime) -> float:
    return faded(upkeep.weights.get(one.kind, 0.0), now - one.at, upkeep.half_lives.get(one.kind, 1.0))


def _together(weak: Sequence[Seen], upkeep: Upkeep, now: datetime) -> float:
    """What weak words weigh beyond their own: nothing until there are enough of them in the days before the last."""
    if not weak:
        return 0.0
    last = weak[-1]
    near = {one.at for one in weak if last.at - one.at <= upkeep.weak_days * _DAY}
    if len(near) < upkeep.weak_least:
        return 0.0
    return faded(upkeep.weak_weight, now - last.at, upkeep.half_lives.get(last.kind, 1.0))


def _verdict(belief: float, upkeep: Upkeep) -> tuple[Outcome, int]:
    if belief * 100 >= upkeep.pass_from:
        return "pass", round(belief * 100)
    if belief * 100 <= upkeep.fail_to:
        return "fail", round((1 - belief) * 100)
    return "unknown", 0


_VALUES: Mapping[Outcome, bool | None] = {"pass": True, "fail": False, "unknown": None}


def facts_of(observed: Observed, upkeep: Upkeep, now: datetime) -> list[Fact]:
    """The facts that an answer gives: ``email.reachable`` and ``phone.reachable`` where anything came back, and
    ``email.complained`` where the person complained."""
    found = []
    for channel in CHANNELS:
        seen: tuple[Seen, ...] = getattr(observed, channel)
        if not seen:
            continue
        one = standing_of(seen, upkeep, now)
        reachable = _VALUES[one.outcome]
        found.append(
            Fact(f"{channel}.reachable", reachable, one.outcome, one.source, one.confidence, observed_at=one.at)
        )
        if one.complained is not None:
            found.append(Fact(f"{channel}.complained", True, "fail", one.source, 100, observed_at=one.complained))
    return found


def confidence_at(fact: Fact, upkeep: Upkeep, now: datetime) -> int:
    """How sure a fact is today that was found out at its ``observed_at``: what is above 50 per cent fades."""
    half_life = upkeep.facts.get(fact.key)
    if half_life is None or fact.observed_at is None or fact.value is None or fact.confidence <= _HALF:
        return fact.confidence
    return _HALF + round(faded(fact.confidence - _HALF, now - fact.observed_at, half_life))


def remembered(dossier: Dossier, observed: Observed, upkeep: Upkeep, now: datetime) -> Dossier:
    """The dossier with facts as sure as their age leaves them, and with what came back from the lead's points, whose
    word counts before that of others where it says anything; a person's correction counts before it. The same dossier
    where nothing is new."""
    facts = dossier.facts
    for place, fact in enumerate(dossier.facts):
        if fact.observed_at is None:  # found out today, as most are
            continue
        sure = confidence_at(fact, upkeep, now)
        if sure != fact.confidence:
            facts = [*facts] if facts is dossier.facts else facts
            facts[place] = msgspec.structs.replace(fact, confidence=sure)
    own = facts_of(observed, upkeep, now) if observed.email or observed.phone else []
    if not own and facts is dossier.facts:
        return dossier
    wins = dict(dossier.wins)
    for place, fact in enumerate(own, len(facts)):
        if fact.value is not None and dossier.won(fact.key) != "correction":
            wins[fact.key] = Win(place, "authority")
    return msgspec.structs.replace(dossier, facts=[*facts, *own], wins=wins)


def status_kind(status: str) -> str | None:
    """What an SMTP reply says of the address it was given for; None where it says nothing of it (RFC 5321 4.2, RFC 3463
    and RFC 7504).

    ``status`` is a code of three digits, an enhanced one (``5.1.1``), or both. The enhanced one counts where there is
    one: its second number says what failed. Addresses that do not exist and mailboxes that are shut are bounces; full
    mailboxes, machines and networks fail for now; what was refused for the message or for us says nothing.
    """
    words = status.split()
    enhanced = next((word for word in words if word.count(".") == 2), "")
    code = next((word for word in words if word.isdecimal() and len(word) == 3), "")
    if enhanced:
        family, subject, detail = enhanced.split(".")
        if family == "2":
            return "delivered"
        if subject == "1" and family == "5":
            return None if detail in _SENDERS else "bounced"
        if (subject, detail, family) == ("2", "1", "5"):
            return "bounced"
        return "deferred" if subject in ("1", "2", "3", "4") else None
    if code in _GONE:
        return "bounced"
    return "deferred" if code in _FULL or code.startswith("4") else None


_SENDERS = frozenset(("7", "8"))
"""Details of the addressing status that are about the sender's address."""
_GONE = frozenset(("550", "551", "553", "521", "556"))
_FULL = frozenset(("552",))


def kind_of(word: str, upkeep: Upkeep, status: str = "") -> str | None:
    """The kind that a service's word stands for, held against the ``status`` it gives with it; None for a word that
    says nothing of a contact point."""
    plain = "_".join("".join(sign if sign.isalnum() else " " for sign in word.strip().lower()).split())
    kind = plain if plain in KINDS else upkeep.words.get(plain)
    if kind == "bounced" and _STATUS.search(status):
        return status_kind(status)
    return kind


_STATUS = re.compile(r"\b[45](\d\d|\.[1-9]\d{0,2}\.\d{1,3})\b")
"""A status that says what failed, which those of the form 5.0.x do not."""
