"""The step ``Verify`` and the providers it may ask."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from leadmill.capture import Lead, Value
from leadmill.core.case import NOTHING, Case, Heard
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Transient
from leadmill.core.verdicts import Pass, Stop
from leadmill.facts import Consult, Dossier, Fact, ProviderAnswer, ProviderAsk, Verify, ask_providers
from tests.facts.places import NOW, reference


def case_of(fields: dict[str, Value], context: dict[str, Value] | None = None, vertical: str = "solar") -> Case:
    lead = Lead(
        id="lead_1",
        vertical=vertical,
        source_id="acme",
        received_at=datetime(2026, 3, 4, 14, 59, tzinfo=UTC),
        fields=fields,
        context=context or {},
    )
    return Case(lead.id, [lead])


@pytest.mark.parametrize(
    ("fields", "context", "code"),
    [
        ({"email": "ann@example.com", "phone": "nonsense"}, {}, None),
        ({"email": "nonsense", "phone": "510-283-4567"}, {}, None),
        ({"email": "ann@example.com"}, {}, None),
        ({"email": "nonsense", "phone": "123"}, {}, "facts.contact.unusable"),
        ({}, {}, "facts.contact.unusable"),
        ({"email": "ann@example.com"}, {"user_agent": "python-requests/2.31"}, "facts.visitor.bot"),
    ],
)
def test_a_lead_nobody_can_reach_and_one_from_a_program_stop(
    fields: dict[str, Value], context: dict[str, Value], code: str | None
) -> None:
    verdict = Verify(reference()).judge(case_of(fields, context), NOTHING, NOW)
    if code is None:
        assert isinstance(verdict, Pass)
    else:
        assert isinstance(verdict, Stop)
        assert verdict.because.code == code
    assert isinstance(verdict.learned[0], Dossier)
    assert verdict.learned[0].at == NOW
    assert verdict.learned[0].reference == reference().digest


def test_the_reason_says_what_is_wrong_without_the_values() -> None:
    verdict = Verify(reference()).judge(case_of({"email": "ann(at)example.com"}), NOTHING, NOW)
    assert isinstance(verdict, Stop)
    assert "malformed" in verdict.because.message
    assert "ann" not in verdict.because.message


def test_a_dossier_survives_the_journal() -> None:
    verdict = Verify(reference()).judge(case_of({"email": "ann@gmail.com", "phone": "510 283 4567"}), NOTHING, NOW)
    dossier = verdict.learned[0]
    assert isinstance(dossier, Dossier)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(dossier), type=Dossier)
    assert again == dossier
    assert again.values == dossier.values
    assert not [word for line in dossier.tell() for word in ("ann@", "283") if word in line]


def test_the_surest_fact_counts_and_an_unknown_one_never_hides_a_known_one() -> None:
    dossier = Dossier(
        [
            Fact("a", 1, "pass", "x", 80),
            Fact("a", 2, "fail", "y", 90),
            Fact("a", None, "unknown", "z", 100),
            Fact("b", None, "unknown", "z"),
        ]
    )
    assert dossier.value("a") == 2
    assert dossier.outcome("a") == "fail"
    assert dossier.outcome("b") == dossier.outcome("never asked") == "unknown"
    assert dossier.values == {"a": 2}


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
    step = Verify(reference(), USES)
    assert step.wants(case_of({"phone": "510 283 4567", "email": "ann@example.com"})) == [
        ProviderAsk("linecheck", "phone.reachable", (("phone", "510 283 4567"),))
    ]
    assert step.wants(case_of({"email": "ann@example.com"})) == []
    assert step.wants(case_of({"phone": "510 283 4567"}, vertical="legal")) == []
    assert Verify(reference()).wants(case_of({"phone": "510 283 4567"})) == ()


async def test_what_a_provider_says_counts_for_more_than_the_number_plan() -> None:
    async def perform(ask: HttpAsk) -> HttpReply:
        return HttpReply(200, body=b"no")

    step = Verify(reference(), USES)
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
    step = Verify(reference(), USES)
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
