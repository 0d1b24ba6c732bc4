"""The API against its own description: what fits ``/openapi.json`` and what does not gets an answer described there."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leadmill.interfaces.api.openapi import describe
from tests.abuse.running import CELLA, GATE, Mill, lead

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [(path, verb) for path, verbs in describe({}, "1")["paths"].items() for verb in verbs]
EXAMPLES = 50
RUNS = [
    pytest.param(path, verb, mode, id=f"{verb} {path} {mode.value}")
    for path, verb in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or path.startswith("/v1")  # the others ask nothing that could be wrong
]


@pytest.fixture(scope="module")
def described(mill: Mill) -> Any:
    """The description as the program serves it."""
    return schemathesis.openapi.from_url(f"{base(mill)}/openapi.json")


def base(mill: Mill) -> str:
    return f"http://127.0.0.1:{mill.port}"


def key_for(mill: Mill, path: str, verb: str) -> str:
    if verb == "post":
        return GATE if path in ("/v1/leads", "/v1/ping", "/v1/post") else CELLA
    return mill.keys["operator"]


@pytest.mark.parametrize(("path", "verb", "mode"), RUNS)
def test_every_answer_is_a_described_one(
    mill: Mill, described: Any, path: str, verb: str, mode: GenerationMode
) -> None:
    headers = {"authorization": f"Bearer {key_for(mill, path, verb)}"}

    @given(case=described[path][verb].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        reply = case.call(base_url=base(mill), headers=headers)
        case.validate_response(reply, checks=CHECKS, headers=headers)

    ask()


def test_the_answers_about_a_real_lead_are_as_described(mill: Mill, described: Any) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    buyer = mill.caller(CELLA)
    assert buyer.post("/v1/outcomes", {"disposition": "contacted", "lead_id": taken}).status == 201
    for path in ("/v1/leads/{lead_id}", "/v1/leads/{lead_id}/events", "/v1/leads/{lead_id}/explain"):
        for key in ("operator", "analyst"):
            case = described[path]["get"].Case(path_parameters={"lead_id": taken}, media_type="application/json")
            reply = case.call(base_url=base(mill), headers={"authorization": f"Bearer {mill.keys[key]}"})
            assert reply.status_code == 200
            case.validate_response(reply, checks=CHECKS)


@pytest.mark.parametrize(("path", "verb"), [each for each in OPERATIONS if each[0].startswith("/v1")])
def test_without_a_key_every_request_gets_the_described_refusal(
    mill: Mill, described: Any, path: str, verb: str
) -> None:
    more: dict[str, Any] = {"body": {}} if verb == "post" else {}
    case = described[path][verb].Case(
        path_parameters=dict.fromkeys(
            ("lead_id", "person_id", "notice_id", "request_id", "review_id", "vertical", "model_id", "alert_id"),
            "any_1",
        ),
        media_type="application/json",
        **more,
    )
    reply = case.call(base_url=base(mill))
    assert reply.status_code == 401
    case.validate_response(reply, checks=CHECKS)
