"""A lead as its page tells it: who, what is known and from whom, the story in chapters.

Pure: takes what ``flow`` recalled and the reader's rights, gives plain values for the templates. Sentences come from
the evidence and the events themselves; only headings are made here.
"""

from collections import Counter
from datetime import datetime

import msgspec
from msgspec import Struct

from leadmill.capture import FieldSpec, Lead, Submission, Value
from leadmill.consent import Proof
from leadmill.core.reasons import State
from leadmill.core.verdicts import Rule
from leadmill.facts import GROUPS, PROVIDERS, Dossier, Fact, Outcome, heading
from leadmill.flow.biography import Biography, Candidate, Passage
from leadmill.flow.model import LeadRow
from leadmill.flow.rules import Rules
from leadmill.interfaces.console.lists import recipient_name, recipient_names, source_name, vertical_title
from leadmill.interfaces.masks import mask
from leadmill.interfaces.pages import money, words

_TITLES = {
    "capture": "Fields read",
    "consent": "Consent",
    "facts": "Facts checked",
    "enrich": "Providers asked",
    "certificates": "Certificates",
    "keep_certificates": "Certificates kept",
    "identity": "Person recognised",
    "hygiene": "What came back before",
    "fraud": "Looked at with suspicion",
    "scoring": "Rated",
    "policy": "Checked against the rules",
    "market": "Offered to the market",
    "delivery": "Delivery planned",
    "billing": "Money posted",
    "followup": "Follow-up planned",
    "lead.received": "Received",
    "lead.settled": "Settled",
    "lead.resumed": "Walked on",
    "lead.reviewed": "Looked at by a person",
    "review.decided": "Decided at the review desk",
    "lead.labelled": "Remembered",
    "delivery.accepted": "Delivered",
    "delivery.rejected": "Refused by the buyer",
    "delivery.retried": "Delivery failed, tried again",
    "delivery.retrying": "Delivery failed, tried again",
    "delivery.dead": "Delivery given up",
    "delivery.resent": "Sent again",
    "delivery.cancelled": "Delivery called off",
    "sale.cancelled": "Sale taken back",
    "billing.sale_reversed": "Money taken back",
    "message.sent": "Message sent",
    "message.retrying": "Message failed, tried again",
    "message.failed": "Message given up",
    "contact.observed": "Something came back",
    "consent.replay": "Recording of the visit",
    "lead.reverified": "Asked about again",
    "certificate.kept": "Asked to keep certificates",
    "outcome.reported": "Outcome reported",
    "outcome.corrected": "Outcome corrected",
    "answer": "Answer owed",
    "source.told": "Source told",
}
_TONES = {"pass": "pass", "hold": "hold", "stop": "stop"}
_CONTACT = ("first_name", "last_name", "email", "phone", "address", "city", "state", "zip", "country", "date_of_birth")
_ABOUT: dict[str, tuple[str, ...]] = {
    "first_name": ("name.",),
    "last_name": ("name.",),
    "email": ("email.",),
    "phone": ("phone.",),
    "address": ("address.", "agree.address_zip"),
    "city": ("agree.zip_city",),
    "state": ("agree.zip_state", "agree.phone_state"),
    "zip": ("zip.",),
    "date_of_birth": ("birth.", "person.age", "agree.age"),
    "user_agent": ("agent.",),
}
"""Beginnings of the keys of facts that are about a field."""
_HARMLESS = frozenset(
    [
        "phone.type",
        "phone.country",
        "phone.state",
        "phone.zones",
        "phone.area_code",
        "zip.state",
        "zip.zone",
        "zip.kind",
        "state.code",
        "address.kind",
        "dates.odd",
        "ip.family",
        "ip.country",
        "ip.state",
        "ip.zone",
    ]
)
_MARKS = {"pass": ("ok", "✓", "in order"), "fail": ("bad", "✕", "not in order"), "unknown": ("faint", "?", "not known")}


class Shown(Struct, frozen=True):
    """A field or fact on the page: its value, whether it is in order, and who says so."""

    key: str
    title: str
    value: str
    tone: str = ""
    verdict: str = ""
    provenance: str = ""
    about: str = ""
    mark: tuple[str, str, str] | None = None
    """A fact's outcome: the tone of its sign, the sign, and what it means."""


class Group(Struct, frozen=True):
    """Fields under a heading; ``folded`` shows the heading alone until it is opened, with how many facts have which
    outcome."""

    title: str
    facts: list[Shown]
    folded: bool = False
    tally: list[tuple[tuple[str, str, str], int]] = []


class Chapter(Struct, frozen=True):
    """One thing that happened, as the story tells it: what was ``heard``, then what was made of it. ``elapsed`` counts
    from the lead's arrival."""

    title: str
    tone: str
    heard: list[str]
    said: list[str]
    rules: list[Rule]
    verdict: str | None = None
    code: str | None = None
    message: str | None = None
    elapsed: str = ""
    elapsed_says: str = ""
    orders: list[Candidate] = []


def summary(row: LeadRow, rules: Rules, story: Biography) -> str:
    """The lead in one sentence."""
    what = f"A {vertical_title(rules, row.vertical).lower()} lead from {source_name(rules, row.source_id)}"
    to = recipient_names(rules, row.recipient)
    if row.state is State.SOLD and to:
        price = f" for {money(row.price, row.currency)}" if row.price is not None else ""
        return f"{what}, sold to {to}{price}."
    if row.state is State.ASSIGNED and to:
        return f"{what}, kept in-house with {to}."
    ended = next((item for item in reversed(story.passages) if item.message), None)
    return f"{what}, {row.state.value}: {ended.message}" if ended else f"{what}, {row.state.value}."


def chapters(story: Biography, lead: Lead | None, rules: Rules) -> list[Chapter]:
    """The story in order; the orders considered stand in the market's last chapter, what was mapped in the first."""
    began = story.lead.received_at
    last_market = max((at for at, item in enumerate(story.passages) if item.title == "market"), default=-1)
    told = list(lead.tell()) if lead else []
    orders = [msgspec.structs.replace(each, name=recipient_name(rules, each.recipient)) for each in story.candidates]
    return [
        _chapter(item, began, orders if at == last_market else [], told if item.title == "capture" else [])
        for at, item in enumerate(story.passages)
        if _tells(item) or (item.title == "capture" and told)
    ]


def _tells(item: Passage) -> bool:
    # Steps after the verdict say nothing where there was nothing to do.
    return bool(item.learned or item.heard or item.message or item.rules or item.title in ("lead.settled", "market"))


def _chapter(item: Passage, began: datetime, orders: list[Candidate], told: list[str]) -> Chapter:
    is_event = item.verdict not in _TONES
    said = [*told, *item.learned]
    if orders:
        # Each refusal has a row of its own below.
        said = said[:1] + [line for line in said[1:] if not any(f"({order.order_id})" in line for order in orders)]
    verdict = item.verdict if item.title == "lead.settled" else None
    if verdict:
        said = []
    millis = (item.at - began).total_seconds() * 1000
    return Chapter(
        title=_TITLES.get(item.title) or words(item.title.replace(".", " ")),
        tone="event" if is_event else _TONES[item.verdict or "pass"],
        heard=item.heard,
        said=said,
        # A rule that a sentence has named with its citation is not told twice.
        rules=[rule for rule in item.rules if not any(rule.id in line for line in said)],
        verdict=verdict,
        code=item.code,
        message=None if verdict else item.message,  # the step that stopped it has said so
        elapsed=elapsed(millis),
        elapsed_says=f"Judged in {item.micros / 1000:.2f} ms" if item.micros else "",
        orders=orders,
    )


def elapsed(millis: float) -> str:
    """A span since the lead's arrival: ``+31 ms``, ``+4.2 s``, ``+3 h``."""
    if millis < 1000:
        return f"+{max(0, round(millis))} ms"
    for limit, unit, size in ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600)):
        if millis / 1000 < limit:
            return f"+{millis / 1000 / size:.1f} {unit}"
    return f"+{millis / 86_400_000:.1f} d"


def groups(lead: Lead | None, dossier: Dossier | None, rules: Rules, seen: bool) -> list[Group]:
    """What the lead says and what was found out, each with who says so; personal values masked unless ``seen``."""
    if lead is None:
        return []
    vertical = rules.verticals.get(lead.vertical)
    specs = vertical.fields if vertical else {}
    facts = dossier.by_key if dossier else {}
    own = [name for name in lead.fields if name not in _CONTACT]
    found = [
        Group(
            "Person", [_field(name, lead.fields[name], specs, facts, seen) for name in _CONTACT if name in lead.fields]
        ),
        Group(
            vertical.title if vertical else lead.vertical,
            [_field(name, lead.fields[name], specs, facts, seen) for name in own],
        ),
        *_facts(facts, seen),
        Group(
            "Came along",
            [_plain(name, value, seen, name in ("ip", "user_agent")) for name, value in lead.context.items()],
        ),
        Group("Not known to the vertical", [_plain(name, value, seen, True) for name, value in lead.extra.items()]),
    ]
    return [group for group in found if group.facts]


def _facts(facts: dict[str, Fact], seen: bool) -> list[Group]:
    """The facts under the headings of the page that lists their keys, what is not in order first."""
    under: dict[str, list[Fact]] = {}
    for key in sorted(facts, key=lambda key: (_ORDER.index(facts[key].outcome), key)):
        under.setdefault(heading(key), []).append(facts[key])
    found = []
    for title in (*GROUPS, PROVIDERS):
        counts = Counter(fact.outcome for fact in under.get(title, ()))
        tally = [(_MARKS[outcome], counts[outcome]) for outcome in _ORDER if counts[outcome]]
        found.append(
            Group(f"Facts: {title.lower()}", [_fact(fact, seen) for fact in under.get(title, ())], True, tally)
        )
    return found


_ORDER: tuple[Outcome, ...] = ("fail", "unknown", "pass")


def _field(name: str, value: Value, specs: dict[str, FieldSpec], facts: dict[str, Fact], seen: bool) -> Shown:
    spec = specs.get(name)
    hidden = not seen and (spec is None or spec.personal or spec.sensitive is not None)
    checked = [fact for key, fact in facts.items() if key.startswith(_ABOUT.get(name, _NOTHING))]
    failed = [fact for fact in checked if fact.outcome == "fail"]
    passed = [fact for fact in checked if fact.outcome == "pass"]
    best = (failed or passed)[:1]
    return Shown(
        key=name,
        title=(spec.title if spec and spec.title else words(name)),
        value=read(mask(name, value) if hidden else value, spec),
        tone="bad" if failed else "ok" if passed else "",
        verdict=", ".join(map(_wrong, failed)) or ("in order" if passed else ""),
        provenance=", ".join(dict.fromkeys(fact.source for fact in best)),
    )


_NOTHING = ("\0",)


def _wrong(fact: Fact) -> str:
    said = words(fact.key.partition(".")[2]).lower()
    return f"not {said}" if fact.value is False else said


def _fact(fact: Fact, seen: bool) -> Shown:
    # A text found out may be the address itself, and providers add keys of their own.
    hidden = not seen and isinstance(fact.value, str | list) and fact.key not in _HARMLESS
    value = mask(fact.key.partition(".")[0], fact.value) if hidden else fact.value
    tail = fact.key.partition(".")[2]
    about = f"{fact.source}, confidence {fact.confidence} %"
    return Shown(
        key=fact.key,
        title=words(tail if tail and len(GROUPS.get(heading(fact.key), ())) == 1 else fact.key.replace(".", " ")),
        value="unknown" if fact.value is None else read(value),
        mark=_MARKS[fact.outcome],
        about=about
        + (f", {fact.observed_at:%Y-%m-%d %H:%M:%S} UTC" if fact.observed_at else "")
        + (f", holds until {fact.expires_at:%Y-%m-%d %H:%M} UTC" if fact.expires_at else ""),
    )


def _plain(name: str, value: Value, seen: bool, personal: bool) -> Shown:
    return Shown(key=name, title=words(name), value=read(mask(name, value) if personal and not seen else value))


def read(value: Value, spec: FieldSpec | None = None) -> str:
    """A value as a person reads it: a choice by its label, money with its sign."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(read(each, spec) for each in value)
    if spec is not None and spec.type == "choice":
        return next((choice.label for choice in spec.choices if choice.value == value), str(value))
    if isinstance(value, int | float) and spec is not None and spec.type == "money":
        return f"${value:,.2f}".removesuffix(".00")
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def proof_shown(proof: Proof | None, seen: bool) -> dict[str, object] | None:
    """The consent proof, the person's address and browser masked unless ``seen``; None where there is none."""
    if proof is None or proof.kind == "none":
        return None
    return {
        "kind": proof.kind,
        "version": proof.version,
        "given_at": proof.given_at,
        "sellers": proof.sellers,
        "channels": proof.channels,
        "refused": proof.refused,
        "box_default": proof.box_default,
        "url": proof.url if seen else mask("url", proof.url),
        "ip": proof.ip if seen else mask("ip", proof.ip),
        "user_agent": proof.user_agent if seen else mask("user_agent", proof.user_agent),
        "origin": proof.origin,
        "certificates": proof.certificates,
        "text_sha256": proof.text_sha256,
        "text": proof.text,
        "doubts": proof.doubts,
    }


def raw_shown(submission: Submission | None) -> dict[str, object] | None:
    """The submission as it came, for who may read it."""
    if submission is None:
        return None
    return {
        "content_type": submission.content_type,
        "size": len(submission.body),
        "digest": submission.digest,
        "remote_ip": submission.remote_ip,
        "headers": submission.headers,
        "text": submission.body[:65_536].decode("utf-8", "replace"),
    }


def undelivered(row: LeadRow) -> str:
    """Why a lead has no delivery."""
    if row.state is State.ASSIGNED:
        return "The lead stays in-house; its rep was told."
    return f"The lead is {row.state.value}; only sold leads are handed over."
