"""A lead taken through ``Recognise`` as the runner does it: ask, hear, judge, keep."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from leadmill.capture import Lead, Vertical
from leadmill.core.case import Case, Heard
from leadmill.core.ids import Mint
from leadmill.core.verdicts import Verdict
from leadmill.facts import Dossier, Fact
from leadmill.identity import FindPerson, Identity, Keys, Recognise, hear_find_person, keep_identity
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
VAULT = Vault(b"k" * 32)
VERTICALS = {
    "solar": Vertical(name="solar", title="Solar", fields={}, dedupe_window_days=30),
    "legal": Vertical(name="legal", title="Legal", fields={}, dedupe_window_days=0),
    "mortgage": Vertical(name="mortgage", title="Mortgage", fields={}, dedupe_window_days=7),
}
STEP = Recognise(VERTICALS, VAULT.keyed_hash)


def case_of(
    lead_id: str,
    email: str | None = None,
    phone: str | None = None,
    *,
    vertical: str = "solar",
    days: float = 0,
    name: tuple[str, str] | None = None,
    test: bool = False,
    more: Mapping[str, str] | None = None,
) -> Case:
    """A lead ``days`` after NOW with these valid contact details, and ``more`` fields."""
    fields = {"first_name": name[0], "last_name": name[1], **(more or {})} if name else {**(more or {})}
    facts = [Fact("email.lookup", email, "pass", "t")] if email else []
    facts += [Fact("phone.e164", phone, "pass", "t")] if phone else []
    lead = Lead(
        id=lead_id,
        vertical=vertical,
        source_id="acme",
        received_at=NOW + timedelta(days=days),
        fields={**fields},
        test=test,
    )
    return Case(lead_id, [lead, Dossier(facts, NOW)])


async def recognise(tx: Tx, cases: Sequence[Case], keys: Keys, mint: Mint) -> list[Verdict]:
    """The verdicts on a group of leads."""
    asks = [ask for case in cases for ask in STEP.wants(case) if isinstance(ask, FindPerson)]
    answer = await hear_find_person(VAULT, keys, mint)(tx, asks)
    verdicts = []
    for case, ask in zip(cases, asks, strict=True):
        verdict = STEP.judge(case, Heard({ask: answer(ask)}), case[Lead].received_at)
        case.learn(verdict.learned)
        keep_identity(tx, case, case[Identity], case[Lead].received_at)
        verdicts.append(verdict)
    return verdicts
