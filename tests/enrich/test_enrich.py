"""The station ``Enrich`` and the providers it asks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from leadmill.capture import Lead, Value
from leadmill.core.case import NOTHING, Case, Heard
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Transient
from leadmill.core.verdicts import ASIDE, Pass, Stop
from leadmill.enrich import Consult, Enrich, ProviderAnswer, ProviderAsk, VerifyOfOld
from leadmill.enrich.service import ask_providers
from leadmill.facts import Dossier, Fact, Verify
from tests.facts.places import NOW, reference


def case_of(fields: dict[str, Value], vertical: str = "solar") -> Case:
    lead = Lead(
        id="lead_1",
        vertical=vertical,
        source_id="acme",
        received_at=datetime(2026, 3, 4, 14, 59, tzinfo=UTC),
        fields=fields,
        context={},
    )
    case = Case(lead.id, [lead])
    case.learn(Verify(reference()).judge(case, NOTHING, NOW).learned)
    return case


class LineCheck:
    """A provider that knows whether anybody answers a number."""

    name = "linecheck"
    topics: Mapping[str, Sequence[str]] = {"phone.reachable": ("phone",)}

    def ask(self, topic: str, params: Mapping[str, str]) -> HttpAsk | None:
        return None if params["phone"] == "skip me" else HttpAsk("GET", f"https://line.example/{len(params['phone'])}")

    def read(self, topic: str, reply: HttpReply, params: Mapping[str, str]) -> list[Fact]:
        answers = reply.body == b"yes"
        return [Fact("phone.valid", answers, "pass" if answers else "fail", self.name, 95, 2)]


USES = {"linecheck": Consult(LineCheck(), verticals=("solar",))}


def test_a_provider_is_asked_only_where_it_is_configured_and_has_what_it_needs() -> None:
    step = Enrich(USES)
    assert step.wants(case_of({"phone": "510 283 4567", "email": "ann@example.com"})) == [
        ProviderAsk("linecheck", "phone.reachable", (("phone", "510 283 4567"),))
    ]
    assert step.wants(case_of({"email": "ann@example.com"})) == []
    assert step.wants(case_of({"phone": "510 283 4567"}, vertical="legal")) == []
    assert Enrich().wants(case_of({"phone": "510 283 4567"})) == ()


async def test_what_a_provider_says_counts_for_more_than_the_number_plan() -> None:
    async def perform(ask: HttpAsk) -> HttpReply:
        return HttpReply(200, body=b"no")

    step = Enrich(USES)
    case = case_of({"phone": "510 283 4567"})
    (ask,) = step.wants(case)
    assert isinstance(ask, ProviderAsk)
    answer = await ask_providers(USES, perform)(ask)
    verdict = step.judge(case, Heard({ask: answer}), NOW)
    assert isinstance(verdict, Stop)
    assert verdict.because.code == "facts.contact.unusable"


async def test_a_provider_that_fails_leaves_its_topic_unknown_and_the_lead_goes_on() -> None:
    async def down(ask: HttpAsk) -> HttpReply:
        raise Transient("http.server.unreachable")

    async def broken(ask: HttpAsk) -> HttpReply:
        raise RuntimeError("a bug")

    case = case_of({"phone": "510 283 4567"})
    step = Enrich(USES)
    (ask,) = step.wants(case)
    assert isinstance(ask, ProviderAsk)
    for perform, code in ((down, "http.server.unreachable"), (broken, "facts.provider.broken")):
        answer = await ask_providers(USES, perform)(ask)
        assert answer.fault == code
        verdict = step.judge(case, Heard({ask: answer}), NOW)
        assert isinstance(verdict, Pass)
        dossier = verdict.learned[0]
        assert isinstance(dossier, Dossier)
        assert dossier.outcome("phone.reachable") == "unknown"
        assert "phone.reachable" not in dossier.values
    missing = await ask_providers({}, down)(ask)
    assert missing.fault == "facts.provider.missing"


async def test_a_provider_with_nothing_to_ask_costs_no_request() -> None:
    async def never(ask: HttpAsk) -> HttpReply:
        raise AssertionError("asked")

    answer = await ask_providers(USES, never)(ProviderAsk("linecheck", "phone.reachable", (("phone", "skip me"),)))
    assert answer == ProviderAnswer("linecheck", "phone.reachable")


def test_a_lead_nobody_is_asked_about_leaves_no_trace_here() -> None:
    case = case_of({"phone": "510 283 4567"})
    assert Enrich().judge(case, NOTHING, NOW) is ASIDE


def test_a_page_on_which_facts_heard_the_providers_is_decided_as_it_was() -> None:
    case = case_of({"phone": "510 283 4567"})
    said = ProviderAnswer("linecheck", "phone.reachable", [Fact("phone.valid", False, "fail", "linecheck", 95, 2)])
    step = VerifyOfOld(Verify(reference()), [said])
    (ask,) = step.wants(case)
    verdict = step.judge(case, Heard({ask: said}), NOW)
    assert (step.name, isinstance(verdict, Stop)) == ("facts", True)
    (dossier,) = verdict.learned
    assert isinstance(dossier, Dossier)
    assert dossier.facts == [*case[Dossier].facts, *said.facts]
