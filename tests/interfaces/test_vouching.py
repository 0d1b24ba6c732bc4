"""What vendors said of a lead's certificates, on its page and in its explanation."""

from datetime import UTC, datetime, timedelta

import pytest

from leadmill.certificates import CertificateRead, Certificates, certificates_of, facts_of
from leadmill.consent import Proof
from leadmill.core.case import Case, Evidence
from leadmill.core.reasons import State
from leadmill.enrich import Consultation, Consulted
from leadmill.facts import Dossier, Fact
from leadmill.flow.memory import Chapter, Recalled, Station
from leadmill.flow.model import LeadRow, StepTaken
from leadmill.interfaces.console.vouching import certificates_shown
from leadmill.parties import Role
from tests.flow.stage import apply
from tests.interfaces.stage import CONSENT, Stage, solar

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def recalled(*asked: Consultation) -> Recalled:
    row = LeadRow(
        id="lead_1", person_id="p_1", vertical="solar", source_id="acme", channel="json", state=State.SOLD, reason=None,
        score=None, region=None, received_at=NOON, price=None, currency=None, recipient=None, test=False, revision=1,
        import_id=None, sealed=b"",
    )  # fmt: skip
    station = Station(StepTaken(at=NOON, step="enrich", verdict="pass"), [], [Consulted(list(asked))])
    return Recalled(row, None, None, [Chapter(NOON, [], [station])])


def held(read: CertificateRead | None) -> dict[type[Evidence], Evidence]:
    facts = facts_of("trustedform", read) if read is not None else []
    dossier = Dossier([Fact(f.key, f.value, f.outcome, "tf", 100, 0, NOON) for f in facts], NOON)
    proof = Proof(kind="written", certificates={"trustedform": "x"})
    return {Proof: proof, Dossier: dossier, Certificates: Certificates(certificates_of(Case("l", [proof, dossier])))}


GOOD = CertificateRead(standing="good", phone=True, email=True, created_at=NOON - timedelta(days=3), recorded=True)


@pytest.mark.parametrize(
    ("read", "says", "tone"),
    [
        (GOOD, "Genuine, of this person", "ok"),
        (CertificateRead(standing="good", phone=False), "Of somebody else", "bad"),
        (CertificateRead(standing="good"), "Genuine", "warn"),
        (CertificateRead(standing="good", expires_at=NOON), "Expired", "bad"),
        (CertificateRead(standing="gone"), "Expired or never issued", "bad"),
        (None, "Not vouched for", "warn"),
    ],
)
def test_a_certificate_is_shown_as_its_vendor_vouches_for_it(
    read: CertificateRead | None, says: str, tone: str
) -> None:
    (shown,) = certificates_shown(recalled(), held(read), NOON)
    assert (shown.title, shown.says, shown.tone) == ("TrustedForm", says, tone)


def test_what_asking_cost_is_told_of_the_walk_and_of_keeping_together() -> None:
    asked = [
        Consultation("tf", topic, "c", "known", cost=cost)
        for topic, cost in (("certificate", 80_000), ("retain", 20_000), ("phone", 5_000))
    ]
    (shown,) = certificates_shown(recalled(*asked), held(GOOD), NOON)
    assert shown.cost == "0.1000"
    assert ("Made", "2026-11-17 12:00 UTC, 3 days ago") in shown.facts
    assert ("Phone number", "the one that was typed") in shown.facts


def test_of_a_forgotten_person_what_was_said_on_the_walk_is_left() -> None:
    left: dict[type[Evidence], Evidence] = {Certificates: held(GOOD)[Certificates]}
    assert [one.says for one in certificates_shown(recalled(), left, NOON)] == ["Genuine, of this person"]
    assert certificates_shown(recalled(), {}, NOON) == []


async def test_the_leads_page_and_its_explanation_tell_what_became_of_a_token(stage: Stage) -> None:
    provider = {"id": "tf", "plugin": "trustedform", "options": {"key": {"env": "TF_KEY"}}}
    chain = {"id": "certificates", "topic": "certificate", "ask": ["tf"]}
    await apply(stage.house, {"provider": [provider], "chain": [chain]})
    token = "https://cert.trustedform.com.evil.example/eb9fc4dd9bed9ad451a5648946cf4bf09b5bb947"
    lead = solar() | {"consent": CONSENT | {"trustedform": token, "jornaya": "58990313-03FB-43B8-AD0B-08CEF791D49B"}}
    taken = await stage.send(lead)
    client = await stage.signed_in(Role.ANALYST)
    page = (await client.get(f"/leads/{taken['lead_id']}?tab=consent")).text
    for said in ("Certificates by vendors", "TrustedForm", "No token of its vendor", "Jornaya", "Not vouched for"):
        assert said in page, said
    told = await stage.client().get(
        f"/v1/leads/{taken['lead_id']}/explain", authorization=f"Bearer {stage.operator_key}"
    )
    assert "The trustedform certificate is no token of its vendor." in told.text
    assert "A jornaya token came; its vendor gave no word on it, so it proves nothing." in told.text
