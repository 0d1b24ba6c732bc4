"""The stations ``Enrich``, ``EnrichAgain`` and ``Correct``: whom they ask about a lead, and whose word counts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.capture import FieldSpec, Lead, Value, Vertical
from leadmill.core.case import NOTHING, Case, Heard
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.verdicts import ASIDE, Hold, Pass, Stop
from leadmill.enrich import (
    AskedAgain,
    Authority,
    ChainAnswer,
    ChainAsk,
    Consulted,
    Correct,
    Correction,
    Corrections,
    CorrectionsMade,
    Enrich,
    EnrichAgain,
    Enrichment,
    Installed,
    LinkAsk,
    ProviderAnswer,
    Said,
    VerifyOfOld,
    assemble,
    corrected,
    original,
    read_chain,
    read_provider,
)
from leadmill.enrich.model import CorrectAsk
from leadmill.facts import Checks, Dossier, Fact, Verify
from leadmill.flow.book import Book
from leadmill.flow.pipeline import build_walk
from leadmill.flow.quoting import build_ping_walk
from leadmill.runtime.packs import load_packs
from tests.facts.places import NOW, reference


class LineCheck:
    """A provider that knows whether anybody answers a number, and looks at the ZIP where there is one."""

    name = "linecheck"
    topics: Mapping[str, Sequence[str]] = {"phone": ("phone", "zip?"), "mailbox": ("email",), "age": ("date_of_birth",)}

    def ask(self, topic: str, params: Mapping[str, str]) -> HttpAsk | None:
        return HttpAsk("GET", "https://line.example/")

    def read(self, topic: str, reply: HttpReply, params: Mapping[str, str]) -> list[Fact]:
        return []


INSTALLED = {"linecheck": Installed(LineCheck(), frozenset({"phone", "email", "zip", "date_of_birth"}))}
SOLAR = Vertical(name="solar", title="Solar", fields={})


def declared(*chains: dict[str, Any], authority: Mapping[str, tuple[str, ...]] | None = None) -> Enrichment:
    return assemble(
        [read_provider({"id": name, "plugin": "linecheck"}, INSTALLED) for name in ("linecheck", "other")],
        [
            read_chain({"id": f"chain-{n}", "topic": "phone", "ask": ["linecheck"], **raw})
            for n, raw in enumerate(chains)
        ],
        [Authority(name, sources) for name, sources in (authority or {}).items()],
    )


def case_of(fields: dict[str, Value], vertical: str = "solar", **more: Any) -> Case:
    lead = Lead(
        id="lead_1",
        vertical=vertical,
        source_id="acme",
        received_at=datetime(2026, 3, 4, 14, 59, tzinfo=UTC),
        fields=fields,
        **more,
    )
    case = Case(lead.id, [lead])
    case.learn(Verify(reference()).judge(case, NOTHING, NOW).learned)
    return case


GOOD: dict[str, Value] = {"phone": "510 283 4567", "email": "Ann@Example.com", "zip": "94601", "state": "CA"}


def says(ask: ChainAsk, *facts: Fact, provider: str = "linecheck", **more: Any) -> ChainAnswer:
    known = any(fact.value is not None for fact in facts)
    return ChainAnswer(ask.chain, ask.topic, [Said(provider, "known" if known else "unknown", list(facts), **more)])


# Asking


def test_a_provider_is_told_the_normal_form_of_what_it_needs_and_nothing_else() -> None:
    step = Enrich(declared({}), {"solar": SOLAR})
    (ask,) = step.wants(case_of(GOOD | {"first_name": "Ann"}))
    link = LinkAsk("linecheck", (("phone", "+15102834567"), ("zip", "94601")))
    assert ask == ChainAsk("chain-0", "phone", (link,))
    (ask,) = step.wants(case_of({"phone": "510 283 4567"}))
    assert ask == ChainAsk("chain-0", "phone", (LinkAsk("linecheck", (("phone", "+15102834567"),)),))


@pytest.mark.parametrize(
    ("chain", "asked"),
    [
        ({}, True),
        ({"verticals": ["solar"]}, True),
        ({"verticals": ["legal"]}, False),
        ({"sources": ["acme"]}, True),
        ({"sources": ["other"]}, False),
        ({"where": [{"field": "phone.valid", "eq": True}]}, True),
        ({"where": [{"field": "phone.valid", "eq": False}]}, False),
        ({"where": [{"field": "context.channel", "eq": "web"}]}, True),
        ({"where": [{"field": "source", "eq": "acme"}, {"field": "state", "in": ["CA", "AZ"]}]}, True),
        ({"where": [{"field": "monthly_bill", "gte": 100}]}, False),
    ],
)
def test_a_chain_bears_on_the_leads_that_it_names(chain: dict[str, Any], asked: bool) -> None:
    case = case_of(GOOD, context={"channel": "web"})
    assert bool(Enrich(declared(chain)).wants(case)) is asked


def test_why_a_provider_of_a_chain_is_not_asked_is_part_of_the_question() -> None:
    links = [{"provider": "linecheck", "where": [{"field": "state", "eq": "NV"}]}, "other", "gone"]
    secret = msgspec.structs.replace(SOLAR, withhold=("phone",))
    step = Enrich(declared({"ask": links}), {"solar": SOLAR, "legal": secret})

    def skips(case: Case) -> list[str | None]:
        (ask,) = step.wants(case)
        assert isinstance(ask, ChainAsk)
        return [link.skip for link in ask.links]

    assert skips(case_of(GOOD)) == ["enrich.condition.unmet", None, "enrich.provider.missing"]
    assert skips(case_of({"email": "ann@example.com"}))[1] == "enrich.field.missing"
    assert skips(case_of(GOOD, vertical="legal"))[1] == "enrich.field.withheld"
    (ask,) = Enrich(declared({"topic": "nonsense"})).wants(case_of(GOOD))
    assert isinstance(ask, ChainAsk)
    assert ask.links[0].skip == "enrich.topic.unknown"


def test_nobody_is_told_what_a_vertical_holds_for_sensitive_or_withholds_whole() -> None:
    sensitive = Vertical(
        name="solar", title="", fields={"date_of_birth": FieldSpec(name="date_of_birth", sensitive="age")}
    )
    case = case_of(GOOD | {"date_of_birth": "1980-01-01"})
    for vertical, skip in ((SOLAR, None), (sensitive, "enrich.field.withheld")):
        (ask,) = Enrich(declared({"topic": "age"}), {"solar": vertical}).wants(case)
        assert isinstance(ask, ChainAsk)
        assert ask.links[0].skip == skip
    closed = msgspec.structs.replace(SOLAR, withhold=("*",))
    (ask,) = Enrich(declared({}), {"solar": closed}).wants(case)
    assert isinstance(ask, ChainAsk)
    assert ask.links == (LinkAsk("linecheck", skip="enrich.field.withheld"),)
    # What a provider could do without is simply not told.
    shy = msgspec.structs.replace(SOLAR, withhold=("zip",))
    (ask,) = Enrich(declared({}), {"solar": shy}).wants(case)
    assert isinstance(ask, ChainAsk)
    assert ask.links == (LinkAsk("linecheck", (("phone", "+15102834567"),)),)


def test_a_test_lead_costs_nothing() -> None:
    assert Enrich(declared({})).wants(case_of(GOOD, test=True)) == []


def test_a_ping_meets_no_station_that_asks_providers() -> None:
    stations = build_ping_walk(build_walk(Book(load_packs(), reference(), {}, lambda *_: b"").walk().rules)).alone
    assert stations
    assert not [step for step in stations if isinstance(step, Enrich | EnrichAgain)]


def test_a_lead_nobody_is_asked_about_leaves_no_trace() -> None:
    case = case_of(GOOD)
    assert Enrich().wants(case) == ()
    assert Enrich().judge(case, NOTHING, NOW) is ASIDE
    assert Enrich(declared({"verticals": ["legal"]})).judge(case, NOTHING, NOW) is ASIDE


# Whose word counts


def test_what_a_provider_says_stands_beside_our_facts_and_the_surest_counts() -> None:
    step, case = Enrich(declared({})), case_of(GOOD)
    (ask,) = step.wants(case)
    assert isinstance(ask, ChainAsk)
    answer = says(ask, Fact("phone.type", "voip", "pass", "linecheck", 95), cost=50_000, took_ms=12)
    verdict = step.judge(case, Heard({ask: answer}), NOW)
    assert isinstance(verdict, Pass)
    dossier, told = verdict.learned
    assert isinstance(dossier, Dossier)
    assert isinstance(told, Consulted)
    assert dossier.facts[:-1] == case[Dossier].facts
    assert not told.personal
    assert [(one.provider, one.kind, one.knew, one.cost) for one in told.items] == [("linecheck", "known", 1, 50_000)]


def test_a_lead_stops_where_a_provider_knows_that_nobody_can_be_reached() -> None:
    step, case = Enrich(declared({})), case_of({"phone": "510 283 4567"})
    (ask,) = step.wants(case)
    assert isinstance(ask, ChainAsk)
    verdict = step.judge(case, Heard({ask: says(ask, Fact("phone.valid", False, "fail", "linecheck", 101))}), NOW)
    assert isinstance(verdict, Stop)
    assert verdict.because.code == "facts.contact.unusable"


def test_a_vertical_stops_or_holds_a_lead_for_what_a_provider_says_failed() -> None:
    failed = Fact("phone.reachable", False, "fail", "linecheck", 95)
    for checks, kind in (
        (Checks(("phone.reachable",)), Stop),
        (Checks((), ("phone.reachable",)), Hold),
        (Checks(), Pass),
    ):
        step, case = Enrich(declared({}), checks={"solar": checks}), case_of(GOOD)
        (ask,) = step.wants(case)
        assert isinstance(ask, ChainAsk)
        assert isinstance(step.judge(case, Heard({ask: says(ask, failed)}), NOW), kind)


def test_the_authority_for_a_field_counts_before_whoever_is_surer_and_it_is_recorded() -> None:
    case = case_of(GOOD)
    own = case[Dossier].by_key["phone.type"]
    facts = [Fact("phone.type", "voip", "pass", "linecheck", 60), Fact("phone.type", "mobile", "pass", "other", 99)]
    for sources, value, by in (
        (("linecheck",), "voip", "authority"),
        (("nobody", "other", "linecheck"), "mobile", "authority"),
        (("own", "other"), own.value, "authority"),
        ((), own.value if own.confidence >= 99 else "mobile", "sure"),
    ):
        authority = {"phone.type": sources} if sources else {}
        step = Enrich(declared({}, authority=authority))
        (ask,) = step.wants(case)
        assert isinstance(ask, ChainAsk)
        answer = ChainAnswer(ask.chain, ask.topic, [Said("linecheck", "known", facts)])
        dossier = step.judge(case, Heard({ask: answer}), NOW).learned[0]
        assert isinstance(dossier, Dossier)
        assert (dossier.value("phone.type"), dossier.won("phone.type")) == (value, by)
        again = msgspec.msgpack.decode(msgspec.msgpack.encode(dossier), type=Dossier)
        assert again.values == dossier.values


def test_an_authority_that_does_not_know_leaves_the_word_to_the_next() -> None:
    case = case_of(GOOD)
    step = Enrich(declared({}, authority={"phone.carrier": ("linecheck", "other")}))
    (ask,) = step.wants(case)
    assert isinstance(ask, ChainAsk)
    facts = [
        Fact("phone.carrier", None, "unknown", "linecheck", 0),
        Fact("phone.carrier", "Copper & Post", "pass", "other", 50),
    ]
    answer = ChainAnswer(ask.chain, ask.topic, [Said("linecheck", "known", facts)])
    dossier = step.judge(case, Heard({ask: answer}), NOW).learned[0]
    assert isinstance(dossier, Dossier)
    assert dossier.by_key["phone.carrier"].source == "other"


# Correcting


def correction(name: str, value: Value, of: Any = "field", was: Value = None) -> Correction:
    return Correction(name, value, of, "op_ana", "told by phone", NOW, was)


def put_right(case: Case, *made: Correction, enrichment: Enrichment | None = None) -> Case:
    """The case after a correction."""
    step = Correct(Verify(reference()), enrichment or declared({}))
    (ask,) = step.wants(case)
    verdict = step.judge(case, Heard({ask: CorrectionsMade(list(made))}), NOW)
    assert isinstance(verdict, Pass)
    after = Case(case.lead_id, case.evidence())
    after.learn(verdict.learned)
    return after


def test_a_corrected_field_is_the_leads_and_what_follows_from_it_is_found_out_anew() -> None:
    case = case_of({"phone": "nonsense", "email": "ann@example.com"})
    after = put_right(case, correction("phone", "510 283 4567"))
    assert after[Lead].fields["phone"] == "510 283 4567"
    assert after[Dossier].value("phone.valid") is True
    assert case[Dossier].value("phone.valid") is not True
    (item,) = after[Corrections].items
    assert (item.was, item.by, item.why) == ("nonsense", "op_ana", "told by phone")
    assert not [line for line in after[Corrections].tell() if "510" in line or "nonsense" in line]


def test_what_a_provider_said_of_the_old_value_is_gone_and_the_rest_stays() -> None:
    case = case_of(GOOD)
    dossier = case[Dossier]
    said = [
        Fact("phone.reachable", False, "fail", "linecheck", 95),
        Fact("email.deliverable", True, "pass", "linecheck", 95),
    ]
    case.learn([msgspec.structs.replace(dossier, facts=dossier.facts + said)])
    after = put_right(case, correction("phone", "510 283 4568"))
    assert after[Dossier].value("phone.reachable") is None
    assert after[Dossier].value("email.deliverable") is True


def test_a_corrected_fact_outranks_whatever_anybody_says_later() -> None:
    enrichment = declared({}, authority={"phone.type": ("linecheck",)})
    after = put_right(case_of(GOOD), correction("phone.type", "fixed", "fact"), enrichment=enrichment)
    assert after[Dossier].by_key["phone.type"].source == "operator"
    for step in (Enrich(enrichment), EnrichAgain(enrichment, {})):
        (ask,) = step.wants(after)
        assert isinstance(ask, ChainAsk)
        answer = says(ask, Fact("phone.type", "mobile", "pass", "linecheck", 100))
        dossier = step.judge(after, Heard({ask: answer}), NOW).learned[0]
        assert isinstance(dossier, Dossier)
        assert (dossier.value("phone.type"), dossier.won("phone.type")) == ("fixed", "correction")
        assert len([fact for fact in dossier.facts if fact.source == "operator"]) == 1


def test_a_correction_is_kept_when_the_lead_walks_on_through_its_facts() -> None:
    after = put_right(case_of(GOOD), correction("phone.type", "fixed", "fact"), correction("zip", "94602"))
    after.learn(Verify(reference()).judge(after, NOTHING, NOW).learned)
    assert after[Dossier].value("phone.type") != "fixed"
    verdict = Enrich().judge(after, NOTHING, NOW)
    (dossier,) = verdict.learned
    assert isinstance(dossier, Dossier)
    assert dossier.value("phone.type") == "fixed"
    assert after[Lead].fields["zip"] == "94602"


def test_a_field_corrected_twice_remembers_what_the_lead_itself_had_said() -> None:
    after = put_right(put_right(case_of(GOOD), correction("zip", "94602")), correction("zip", "94603"))
    (item,) = after[Corrections].items
    assert (item.value, item.was) == ("94603", "94601")


VALUES: st.SearchStrategy[Value] = st.one_of(st.none(), st.text(max_size=5), st.integers(0, 9), st.booleans())


@given(
    st.dictionaries(st.sampled_from(["zip", "city", "phone", "bill"]), st.text(min_size=1, max_size=5)),
    st.lists(st.tuples(st.sampled_from(["zip", "city", "phone", "bill"]), VALUES), max_size=6),
)
def test_what_a_lead_said_can_always_be_had_back(fields: dict[str, Value], made: list[tuple[str, Value]]) -> None:
    lead = Lead(id="l", vertical="solar", source_id="a", received_at=NOW, fields=fields)
    case, now = Case("l", [lead]), lead
    case.learn(Verify(reference()).judge(case, NOTHING, NOW).learned)
    for name, value in made:
        case = put_right(case, correction(name, value))
        now = case[Lead]
    corrections = case.get(Corrections) or Corrections()
    assert original(now, corrections) == lead
    assert corrected(lead, corrections) == now
    for name, value in dict(made).items():
        assert now.fields.get(name) == value


# Asking again


def test_a_lead_is_looked_at_again_on_the_topics_asked_for_and_fresh_answers_take_the_old_ones_place() -> None:
    enrichment = declared({}, {"topic": "mailbox"})
    step, case = EnrichAgain(enrichment, {}), case_of(GOOD)
    assert len(step.wants(case)) == 2
    dossier = case[Dossier]
    old = Fact("phone.reachable", True, "pass", "linecheck", 95)
    case.learn([msgspec.structs.replace(dossier, facts=[*dossier.facts, old]), AskedAgain(("phone",))])
    (ask,) = step.wants(case)
    assert isinstance(ask, ChainAsk)
    verdict = step.judge(case, Heard({ask: says(ask, Fact("phone.reachable", False, "fail", "linecheck", 80))}), NOW)
    newer = verdict.learned[0]
    assert isinstance(newer, Dossier)
    assert newer.value("phone.reachable") is False
    assert len([fact for fact in newer.facts if fact.key == "phone.reachable"]) == 1


def test_a_page_on_which_facts_heard_the_providers_is_decided_as_it_was() -> None:
    case = case_of({"phone": "510 283 4567"})
    said = ProviderAnswer("linecheck", "phone.reachable", [Fact("phone.valid", False, "fail", "linecheck", 101, 2)])
    step = VerifyOfOld(Verify(reference()), [said])
    (ask,) = step.wants(case)
    verdict = step.judge(case, Heard({ask: said}), NOW)
    assert (step.name, isinstance(verdict, Stop)) == ("facts", True)
    (dossier,) = verdict.learned
    assert isinstance(dossier, Dossier)
    assert dossier.facts == [*case[Dossier].facts, *said.facts]
    assert CorrectAsk() == CorrectAsk()
