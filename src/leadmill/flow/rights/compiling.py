"""The answer to somebody who asks what is held of them: compiled from everything stored under their key.

Called by the job that carries requests out. Reads each lead as it was written, with what was found out and agreed to,
and who got it. Whoever is known to a reasonable degree alone is told the categories; the very data is for whoever is
known to a high one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from leadmill.capture import FieldSpec, Lead
from leadmill.consent import Proof
from leadmill.facts import Dossier
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall
from leadmill.flow.rules import Rules
from leadmill.flow.store import leads_of_persons
from leadmill.followup import messages_of
from leadmill.market import LegState, sales_of
from leadmill.optouts import opt_outs_of
from leadmill.privacy import (
    Agreed,
    Enquiry,
    Piece,
    PrivacyAnswer,
    PrivacyRequest,
    Recipient,
    categories_of,
    category_of,
    never_shown,
    sees_pieces,
)
from leadmill.runtime.db import Tx

_ACRONYMS = {"ip": "IP", "zip": "ZIP", "url": "URL", "utm": "UTM"}
_MOST = 500
"""Leads of one human being in one answer."""


async def compile_answer(
    tx: Tx, kit: Kit, request: PrivacyRequest, persons: Iterable[str], now: datetime
) -> PrivacyAnswer:  # fmt: skip
    """What is held of these persons, who are one."""
    rules = kit.walk().rules
    ids = (await leads_of_persons(tx, list(persons)))[-_MOST:]
    recalled = await recall(tx, kit.pen, ids)
    enquiries: list[Enquiry] = []
    recipients: list[Recipient] = []
    withheld: dict[str, None] = {}
    opted_out: dict[str, datetime] = {}
    messages = 0
    for lead_id in ids:
        one = recalled[lead_id]
        if one.lead is None or one.row.test:
            continue
        enquiries.append(_enquiry(rules, one, one.lead, withheld))
        recipients += await recipients_of(tx, rules, lead_id, enquiries[-1].interest)
        messages += sum(
            each.addressee == "person" and each.done_at is not None for each in await messages_of(tx, lead_id)
        )
        opted_out |= {each.id: each.at for each in await opt_outs_of(tx, lead_id)}
    return PrivacyAnswer(
        request_id=request.id,
        kind=request.kind,
        at=now,
        held=bool(enquiries),
        categories=categories_of(enquiries, recipients),
        recipients=recipients,
        enquiries=enquiries if sees_pieces(request.level) else [],
        withheld=list(withheld),
        opted_out=sorted(opted_out.values()),
        messages=messages,
    )


async def recipients_of(tx: Tx, rules: Rules, lead_id: str, interest: str) -> list[Recipient]:
    """Who has a lead: by name, so that whoever asks can go to them (ORS 646A.574 asks for it)."""
    return [
        Recipient(
            name=getattr(rules.roster.recipient(leg.buyer_id or leg.team_id or ""), "name", None)
            or leg.buyer_id
            or leg.team_id
            or "",
            sold=leg.buyer_id is not None,
            interest=interest,
            at=leg.at,
            lead_id=lead_id,
        )
        for leg in await sales_of(tx, lead_id)
        if leg.state is not LegState.CANCELLED
    ]


def _enquiry(rules: Rules, one: Recalled, lead: Lead, withheld: dict[str, None]) -> Enquiry:
    case = one.case_before()
    vertical = rules.verticals.get(lead.vertical)
    specs = vertical.fields if vertical else {}
    source = rules.roster.sources.get(lead.source_id)
    whose = source.name if source is not None else lead.source_id
    pieces = [
        *_told(lead.fields, specs, "you", lead, withheld),
        *_told(lead.context, {}, "your browser, or the page you used", lead, withheld),
        *_told(lead.extra, {}, whose, lead, withheld),
        *_found(case.get(Dossier), one.row.received_at, withheld),
    ]
    proof = case.get(Proof)
    return Enquiry(
        lead_id=lead.id,
        at=lead.received_at,
        interest=vertical.title if vertical else lead.vertical,
        source=whose,
        pieces=pieces,
        agreement=Agreed(
            text=proof.text, at=proof.given_at, page=proof.url, companies=proof.sellers, ways=proof.channels
        )
        if proof is not None and proof.kind == "written"
        else None,
    )


def _told(
    values: Mapping[str, object], specs: Mapping[str, FieldSpec], source: str, lead: Lead, withheld: dict[str, None]
) -> Iterable[Piece]:
    for name, value in values.items():
        spec = specs.get(name)
        title = spec.title if spec is not None and spec.title else _words(name)
        if value is None or value == "":
            continue
        if never_shown(name):
            withheld[title] = None
            continue
        yield Piece(
            name=name,
            title=title,
            value=value if isinstance(value, str | int | float | bool) else [str(each) for each in _listed(value)],
            category=category_of(name, sensitive=spec is not None and spec.sensitive is not None),
            source=source,
            at=lead.received_at,
        )


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else [value]


def _found(dossier: Dossier | None, received_at: datetime, withheld: dict[str, None]) -> Iterable[Piece]:
    for key, fact in dossier.by_key.items() if dossier is not None else ():
        if fact.value is None or fact.value == "":
            continue
        title = _words(key.replace(".", " "))
        if never_shown(key):
            withheld[title] = None
            continue
        yield Piece(
            name=key,
            title=title,
            value=fact.value,
            category=category_of(key, found_out=True),
            source="checks of ours" if fact.source == "leadmill" else fact.source,
            at=fact.observed_at or (dossier.at if dossier is not None else None) or received_at,
        )


def _words(name: str) -> str:
    plain = " ".join(_ACRONYMS.get(word, word) for word in name.replace("_", " ").split())
    return plain[:1].upper() + plain[1:]
