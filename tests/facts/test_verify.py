"""The step ``Verify``."""

from datetime import UTC, datetime

import msgspec
import pytest

from leadmill.capture import Lead, Value
from leadmill.core.case import NOTHING, Case
from leadmill.core.verdicts import Pass, Stop
from leadmill.facts import Dossier, Fact, Verify
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
