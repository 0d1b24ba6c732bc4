"""What vendors say as facts, facts as certificates, and whether those are what a recipient requires."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.capture import Lead
from leadmill.certificates import (
    Certificate,
    CertificateRead,
    Certificates,
    Vouch,
    as_evidence,
    best_of,
    certificates_of,
    facts_of,
    lacking,
    wanted_of,
)
from leadmill.consent import Proof
from leadmill.core.case import NOTHING, Case
from leadmill.core.conversation import HttpAsk
from leadmill.core.faults import BadInput
from leadmill.core.reading import Table
from leadmill.core.verdicts import ASIDE, Pass
from leadmill.enrich import Installed, plan, read_chain, read_provider
from leadmill.enrich.declared import assemble
from leadmill.enrich.rules import still_true
from leadmill.facts import Dossier, Fact
from leadmill.parties import Requirement, read_requirement
from leadmill.runtime.plugins import find_plugins
from tests.certificates.stand import INSTALLED

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLUGINS = {plugin.name: plugin for plugin in find_plugins(("leadmill.certificates",)).found}
URL = "https://cert.trustedform.com/eb9fc4dd9bed9ad451a5648946cf4bf09b5bb947"


def case_of(*tokens: str, facts: tuple[Fact, ...] = ()) -> Case:
    proof = Proof(kind="written", certificates=dict.fromkeys(tokens, "x"))
    return Case("lead_1", [proof, Dossier(list(facts), NOON)])


def said(vendor: str = "trustedform", at: datetime = NOON, **read: Any) -> tuple[Fact, ...]:
    """The facts of an answer, as whoever asked hands them on."""
    found = facts_of(vendor, CertificateRead(**{"standing": "good", **read}))
    return tuple(Fact(f.key, f.value, f.outcome, "tf-account", f.confidence, 0, at) for f in found)


def test_a_token_that_nobody_asked_about_proves_nothing() -> None:
    (found,) = certificates_of(case_of("trustedform"))
    assert found == Certificate(vendor="trustedform")
    assert as_evidence(found, NOON) is None
    assert lacking(Requirement(), [found], NOON) == "nobody has the word of trustedform on the token that came"
    assert "proves nothing" in found.tell()


def test_what_a_vendor_says_comes_back_from_the_facts_as_it_was_said() -> None:
    facts = said(
        phone=True, email=True, created_at=NOON - 2 * HOUR, expires_at=NOON + 70 * HOUR, recorded=True,
        page="quotes.example.com",
    )  # fmt: skip
    (found,) = certificates_of(case_of("trustedform", facts=facts))
    assert (found.standing, found.matched, found.by, found.asked_at) == ("good", True, "tf-account", NOON)
    assert found.age(NOON) == 2 * HOUR
    assert as_evidence(found, NOON) == {
        "vendor": "trustedform",
        "created_at": "2026-11-20T10:00:00+00:00",
        "matched": True,
        "rendered_request": True,
    }
    assert {fact.key: fact.outcome for fact in facts}["certificate.trustedform.matched"] == "pass"
    assert found.tell() == (
        "The trustedform certificate is genuine: of this person, made 2026-11-20 10:00 UTC, gone on 2026-11-23 10:00"
        " UTC unless kept."
    )


def test_a_certificate_is_kept_from_the_moment_its_vendor_said_so() -> None:
    kept = said(at=NOON + HOUR, kept=True, kept_until=NOON + 5 * 365 * 24 * HOUR, recorded=True)
    (found,) = certificates_of(case_of("trustedform", facts=(*said(created_at=NOON - HOUR), *kept)))
    assert as_evidence(found, NOON + HOUR) == {
        "vendor": "trustedform",
        "created_at": "2026-11-20T11:00:00+00:00",
        "retained_at": "2026-11-20T13:00:00+00:00",
        "rendered_request": True,
    }
    assert found.stands(NOON + 1000 * HOUR) == "good"


def test_one_that_is_not_kept_ends_when_its_vendor_lets_go_of_it() -> None:
    (found,) = certificates_of(
        case_of("trustedform", facts=said(created_at=NOON, expires_at=NOON + 72 * HOUR, recorded=True))
    )
    assert (found.stands(NOON + 71 * HOUR), found.stands(NOON + 72 * HOUR)) == ("good", "expired")
    assert as_evidence(found, NOON + 73 * HOUR) == {
        "vendor": "trustedform",
        "created_at": "2026-11-20T12:00:00+00:00",
        "rendered_request": True,
    }


def test_a_certificate_of_which_only_the_name_is_known_says_nothing_but_that_it_is_somebody_elses() -> None:
    (bare,) = certificates_of(case_of("jornaya", facts=said("jornaya", phone=True)))
    (other,) = certificates_of(case_of("jornaya", facts=said("jornaya", phone=False)))
    assert as_evidence(bare, NOON) is None
    assert as_evidence(other, NOON) == {"vendor": "jornaya", "matched": False}


def test_the_age_of_a_token_follows_from_when_its_vendor_was_asked() -> None:
    (found,) = certificates_of(case_of("jornaya", facts=said("jornaya", age_seconds=3600)))
    assert found.created_at == NOON - HOUR


@pytest.mark.parametrize("standing", ["gone", "missing", "withdrawn", "spent", "sandbox", "malformed"])
def test_what_a_vendor_does_not_stand_by_is_no_evidence(standing: str) -> None:
    facts = said(standing=standing)
    (found,) = certificates_of(case_of("trustedform", facts=facts))
    assert as_evidence(found, NOON) is None
    assert facts[0].outcome == "fail"
    assert lacking(Requirement(matched=False), [found], NOON) is not None


@pytest.mark.parametrize(
    ("required", "known", "lacks"),
    [
        (Requirement(), {"phone": True}, None),
        (Requirement(), {"phone": True, "email": False}, "is of another phone number or e-mail address"),
        (Requirement(), {}, "was not compared"),
        (Requirement(matched=False), {}, None),
        (Requirement(certificate=("jornaya",)), {"phone": True}, "none came with the lead"),
        (Requirement(certificate=("jornaya", "trustedform")), {"phone": True}, None),
        (Requirement(max_age_days=30), {"phone": True}, "nobody knows"),
        (Requirement(max_age_days=30), {"phone": True, "created_at": NOON - 30 * 24 * HOUR}, None),
        (Requirement(max_age_days=30), {"phone": True, "created_at": NOON - 31 * 24 * HOUR}, "is 31 days old"),
        (Requirement(), {"phone": True, "expires_at": NOON - HOUR}, "is expired"),
    ],
)
def test_who_requires_a_certificate_says_what_it_lacks(
    required: Requirement, known: Mapping[str, Any], lacks: str | None
) -> None:
    found = lacking(required, certificates_of(case_of("trustedform", facts=said(**known))), NOON)
    assert found is None if lacks is None else lacks in str(found)


def test_of_several_one_that_is_enough_is_enough() -> None:
    facts = (*said(phone=False), *said("jornaya", phone=True))
    both = certificates_of(case_of("trustedform", "jornaya", facts=facts))
    assert lacking(Requirement(), both, NOON) is None
    assert lacking(Requirement(certificate=("trustedform",)), both, NOON) is not None
    best = best_of(both, NOON)
    assert best is not None
    assert best.vendor == "jornaya"
    assert best_of([], NOON) is None
    facts = (*said(phone=False), *said("jornaya"))
    best = best_of(certificates_of(case_of("trustedform", "jornaya", facts=facts)), NOON)
    assert best is not None
    assert best.matched is False, "nothing hides that one is somebody else's"


def test_a_requirement_is_read_strictly() -> None:
    def read(raw: Any) -> Requirement | None:
        return read_requirement(Table({"require": raw}, "order helio"))

    assert read({"certificate": "trustedform", "max_age_days": 30}) == Requirement(
        certificate=("trustedform",), max_age_days=30
    )
    assert read({"certificate": "any", "matched": False}) == Requirement(matched=False)
    assert wanted_of(Requirement(certificate=("jornaya", "trustedform"), max_age_days=3)) == (
        "a certificate of jornaya or trustedform, at most 3 days old"
    )
    wrongs: list[dict[str, Any]] = [
        {},
        {"certificate": []},
        {"certificate": ["any", "jornaya"]},
        {"certificate": "Trusted Form"},
        {"certificate": "any", "max_age_days": 0},
        {"certificate": "any", "age": 3},
    ]
    for wrong in wrongs:
        with pytest.raises(BadInput):
            read(wrong)
    assert read_requirement(Table({}, "order helio")) is None


def test_the_station_tells_what_vendors_said_and_leaves_no_trace_without_a_token() -> None:
    verdict = Vouch().judge(case_of("trustedform", facts=said(phone=True)), NOTHING, NOON)
    assert isinstance(verdict, Pass)
    (learned,) = verdict.learned
    assert isinstance(learned, Certificates)
    assert [one.standing for one in learned.items] == ["good"]
    assert Vouch().judge(case_of(), NOTHING, NOON) is ASIDE
    assert Vouch().judge(Case("lead_1"), NOTHING, NOON) is ASIDE


def test_a_vendor_is_told_no_more_than_its_card_lets_leave() -> None:
    live = read_provider({"id": "jornaya", "options": {"account": {"env": "A"}, "audit": {"env": "B"}}}, INSTALLED).live
    assert live is not None
    assert set(live.topics["certificate"]) == {"consent.jornaya", "email?", "phone?", "lead.source?"}
    assert "retain" not in live.topics
    narrow = {"jornaya": Installed(INSTALLED["jornaya"].plugin, frozenset({"consent.jornaya", "email", "lead.source"}))}
    with pytest.raises(BadInput) as caught:
        read_provider({"id": "jornaya", "options": {"account": {"env": "A"}}}, narrow)
    assert caught.value.code == "config.provider.card"


def test_keeping_is_asked_for_by_name_alone() -> None:
    provider = read_provider({"id": "trustedform", "options": {"key": {"env": "K"}}}, INSTALLED)
    chains = [read_chain({"id": topic, "topic": topic, "ask": ["trustedform"]}) for topic in ("certificate", "retain")]
    lead = Lead(
        id="lead_1", vertical="solar", source_id="acme", received_at=NOON, fields={"email": "a@example.com"},
        consent={"trustedform": URL},
    )  # fmt: skip
    declared, dossier = assemble([provider], chains, []), Dossier([], NOON)
    assert [ask.topic for ask in plan(declared, lead, dossier, None)] == ["certificate"]
    (asked,) = plan(declared, lead, dossier, None, topics=("retain",))
    assert dict(asked.links[0].params) == {
        "consent.trustedform": URL, "email": "a@example.com", "lead.id": "lead_1", "lead.source": "acme",
    }  # fmt: skip


def test_who_gets_another_number_is_compared_anew() -> None:
    kept = still_true(said(phone=True, created_at=NOON, kept=True), ["phone"], ["tf-account"])
    assert {fact.key.rpartition(".")[2] for fact in kept} == {"standing", "created_at", "kept"}
    assert len(still_true(said(phone=True), ["zip"], ["tf-account"])) == 3


TOKENS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["", "x", "../..", "%2e%2e/a", "@127.0.0.1/", ":80/", ".evil.example/", "\\@x/", "//x/", "?a", "#"])
    .flatmap(lambda tail: st.sampled_from([URL + tail, f"https://cert.trustedform.com{tail}{URL[-40:]}"])),
)  # fmt: skip


@given(TOKENS)
def test_no_token_leads_a_request_anywhere_but_to_its_vendor(token: str) -> None:
    live = PLUGINS["trustedform"].provider.make("trustedform", {"key": {"env": "K"}})
    asked = live.ask("match", {"token": token, "email": "a@example.com"})
    if isinstance(asked, HttpAsk):
        parts = urlsplit(asked.url)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "cert.trustedform.com", "", "")
        assert parts.path.count("/") == 1
        assert ".." not in parts.path
    else:
        assert asked == CertificateRead(standing="malformed")
