"""Reading agreements, and what lacks. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import cast

from leadmill.core.reading import Table, nearest
from leadmill.parties import Buyer
from leadmill.privacy.agreements.model import COVERS, NEEDS, Agreement, Covers, Partner, Standing

_CODE = "config.agreement.malformed"
_SHA = re.compile(r"[0-9a-f]{64}")
SOON = timedelta(days=60)
"""How long before its end an agreement is named."""


def read_agreement(raw: object) -> Agreement:
    """An ``[[agreement]]`` table. Raises BadInput ``config.agreement.malformed``."""
    table = Table(raw, "agreement", _CODE)
    ident = table.name()
    table.where = f"agreement {ident}"
    named = [partner for partner in NEEDS if table.has(partner)]
    if len(named) != 1:
        table.refuse(f"say with whom, by one of {', '.join(NEEDS)}")
    partner = named[0]
    signed, ends = table.day("signed"), table.day("ends", None)
    if signed is None or (ends is not None and ends < signed):
        table.refuse("must not be before it was signed" if signed else "is missing", "ends" if signed else "signed")
    covers = table.texts("covers")
    for one in covers:
        if one not in COVERS:
            table.refuse(f"'{one[:60]}' is nothing that agreements settle here; {nearest(one, COVERS)}", "covers")
    found = Agreement(
        id=ident,
        partner=partner,
        party=table.name(partner),
        title=table.text("title", ""),
        version=table.text("version"),
        signed=signed,
        ends=ends,
        covers=tuple(cast(Covers, one) for one in dict.fromkeys(covers)),
        document=table.text("document", ""),
        sha256=table.text("sha256", "").lower(),
        retired=table.flag("retired", False),
    )
    table.close()
    if found.sha256 and not _SHA.fullmatch(found.sha256):
        table.refuse("must be 64 hexadecimal digits", "sha256")
    return found


def in_force(agreements: Iterable[Agreement], partner: Partner, party: str, day: date | None = None) -> str:
    """The version of the agreement with a partner that was signed last, empty where there is none; with ``day`` only
    one that stands on it."""
    found = [
        one
        for one in agreements
        if one.partner == partner and one.party == party and not one.retired and (day is None or one.stands(day))
    ]
    return max(found, key=lambda one: (one.signed, one.id)).version if found else ""


def review(
    agreements: Iterable[Agreement],
    buyers: Mapping[str, Buyer],
    others: Sequence[tuple[Partner, str, str]],
    day: date,
) -> list[Standing]:
    """How it stands with every buyer and with ``others`` (partner, id and name) that something personal goes to: those
    with whom something lacks first, then those whose agreement ends soon."""
    declared = list(agreements)
    found = [_buyer(declared, each, day) for each in buyers.values()]
    found += [_standing(declared, partner, ident, name, day) for partner, ident, name in others]
    return sorted(found, key=lambda one: (not one.lacking, not one.soon, one.partner, one.id))


def _buyer(declared: Sequence[Agreement], buyer: Buyer, day: date) -> Standing:
    """A buyer's contract counts as an agreement on privacy where it says so: it is what the policy goes by."""
    contract = buyer.contract
    stands = contract is not None and contract.signed <= day and (contract.ends is None or day <= contract.ends)
    bound = contract is not None and stands and contract.privacy_terms
    says = ""
    if contract is not None:
        says = f"contract of {contract.signed}{'' if contract.privacy_terms else ', without privacy terms'}"
    found = _standing(
        declared,
        "buyer",
        buyer.id,
        buyer.name,
        day,
        also=("privacy",) if bound else (),
        ends=contract.ends if contract is not None and stands else None,
    )
    return Standing(
        **{name: getattr(found, name) for name in Standing.__struct_fields__ if name not in ("refused", "contract")},
        refused=not bound,
        contract=says,
    )


def _standing(
    declared: Sequence[Agreement],
    partner: Partner,
    ident: str,
    name: str,
    day: date,
    also: tuple[Covers, ...] = (),
    ends: date | None = None,
) -> Standing:
    theirs = [one for one in declared if one.partner == partner and one.party == ident and not one.retired]
    standing = sorted((one for one in theirs if one.stands(day)), key=lambda one: one.signed, reverse=True)
    covers = tuple(key for key in COVERS if key in also or any(key in one.covers for one in standing))
    last = min((each for each in (ends, *(one.ends for one in standing)) if each is not None), default=None)
    return Standing(
        partner=partner,
        id=ident,
        name=name,
        agreements=tuple(standing),
        covers=covers,
        lacking=tuple(key for key in NEEDS[partner] if key not in covers),
        ends=last,
        soon=last is not None and last - day <= SOON,
        lapsed=not standing and any(one.ends is not None and one.ends < day for one in theirs),
    )
