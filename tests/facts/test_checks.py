"""Which failed facts stop a lead of a vertical, or send it to a person."""

from datetime import UTC, datetime

import pytest

from leadmill.capture import Lead
from leadmill.core.case import NOTHING, Case
from leadmill.core.faults import BadInput
from leadmill.core.reasons import State
from leadmill.core.verdicts import Hold, Pass, Stop, Verdict
from leadmill.facts import Checks, Dossier, Fact, Verify, doubted_for, read_checks
from leadmill.facts.checks import read_table
from leadmill.runtime.packs import load_packs
from tests.facts.places import reference

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
BOT = "curl/8.5.0"


def judged(checks: Checks | None, **fields: str) -> Verdict:
    lead = Lead(
        id="lead_1", vertical="solar", source_id="acme", received_at=NOW, fields={"phone": "510 283 4567", **fields}
    )
    step = Verify(reference(), {} if checks is None else {"solar": checks})
    return step.judge(Case("lead_1", [lead]), NOTHING, NOW)


def test_a_vertical_that_says_nothing_stops_programs_alone() -> None:
    assert isinstance(judged(None, first_name="Asdf", email="a@mailinator.com", zip="94501", state="NY"), Pass)
    verdict = judged(None, user_agent=BOT)
    assert isinstance(verdict, Stop)
    assert verdict.because.code == "facts.visitor.bot"


def test_a_vertical_names_what_stops_its_leads_and_what_a_person_looks_at() -> None:
    checks = Checks(("agent.bot", "email.disposable"), ("name.keyboard", "agree.zip_state"))
    stop = judged(checks, email="a@mailinator.com", first_name="Asdf")
    assert isinstance(stop, Stop)
    assert (stop.because.code, stop.because.reason.state) == ("facts.check.failed", State.REJECTED)
    assert "email.disposable" in stop.because.message
    assert any(isinstance(one, Dossier) for one in stop.learned)
    hold = judged(checks, first_name="Asdf", zip="94501", state="NY")
    assert isinstance(hold, Hold)
    assert (hold.because.code, hold.because.reason.state) == ("facts.check.doubted", State.REVIEW)
    assert "name.keyboard, agree.zip_state" in hold.because.message
    assert isinstance(judged(checks, first_name="Ann", zip="94501", state="CA"), Pass)


def test_what_is_unknown_neither_stops_nor_holds() -> None:
    everything = tuple(sorted({"email.mx", "ip.hosting", "phone.personal", "address.complete", "name.famous"}))
    assert isinstance(judged(Checks(everything), address="???", first_name="Michael", last_name="Jordan"), Pass)
    assert isinstance(judged(Checks((), everything), address="???"), Pass)


def test_what_a_person_has_seen_is_not_shown_again() -> None:
    checks = Checks((), ("name.keyboard", "phone.reachable"))
    before = Dossier([Fact("name.keyboard", True, "fail", "ours")])
    after = Dossier([*before.facts, Fact("phone.reachable", False, "fail", "linecheck")])
    assert doubted_for(before, checks, before) is None
    why = doubted_for(after, checks, before)
    assert why is not None and "phone.reachable" in why.message and "name.keyboard" not in why.message


def test_a_table_names_facts_that_there_are() -> None:
    assert read_table({"review": ["email.mx"]}, "solar") == Checks(("agent.bot",), ("email.mx",))
    assert read_table({"stop": []}, "solar") == Checks((), ())
    assert read_table({"stop": ["phone.reachable"]}, "solar").stop == ("phone.reachable",)
    for raw in ({"stop": ["email.mxx"]}, {"review": ["disposable"]}, {"hold": ["email.mx"]}, {"stop": "email.mx"}):
        with pytest.raises(BadInput, match=r"solar/pack\.toml, facts"):
            read_table(raw, "solar")


def test_the_packs_tables_are_read() -> None:
    for name, checks in read_checks(load_packs()).items():
        assert isinstance(checks, Checks), name
