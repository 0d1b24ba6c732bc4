"""The ``delivery`` table is read strictly, and a complaint says what to write instead."""

from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.delivery import Secret, read_delivery
from leadmill.runtime.dialect import Picked, ReplyRule
from leadmill.runtime.plugins import find_plugins

COURIERS = find_plugins(("leadmill.couriers",)).of("leadmill.couriers")
URL = "https://buyer.example/leads"


def test_the_contracts_own_example_reads() -> None:
    raw = {"courier": "http", "url": "http://127.0.0.1:9001/leads", "format": "json", "secret": {"env": "HELIO_HOOK"}}
    spec = read_delivery(raw, couriers=COURIERS)
    assert (spec.courier, spec.secret, spec.sign, spec.format) == ("http", "HELIO_HOOK", "standard-webhook", "json")


def test_every_key_reads() -> None:
    spec = read_delivery(
        {
            "courier": "http",
            "url": URL,
            "method": "PUT",
            "format": "form",
            "fields": {
                "a": "first_name",
                "b": {"from": "consent.text", "style": "upper", "default": "-", "values": {"x": 1}},
            },
            "constants": {"k": {"env": "K"}, "n": 7},
            "headers": {"X-A": "b", "X-B": {"env": "B"}},
            "auth": {"kind": "basic", "user": "me", "password": {"env": "PW"}},
            "accept": [{"path": "ok", "equals": True}, {"status": [200, 202]}],
            "reject": [{"regex": "^NO"}],
            "retry": [{"xpath": "//later"}],
            "reason": "why",
            "price": "/r/p",
            "buyer_lead_id": "id",
            "timeout_ms": 500,
            "retries": [1, 2],
        },
        couriers=COURIERS,
    )
    assert spec.fields["b"] == Picked("consent.text", {"x": 1}, "upper", "-")
    assert spec.constants == {"k": Secret("K"), "n": 7}
    assert (spec.sign, spec.sign_name, spec.secret) == ("basic", "me", "PW")
    assert spec.reply.accept == (ReplyRule(path="ok", equals=("true",)), ReplyRule(status=(200, 202)))
    assert spec.retries == (1, 2)


def test_a_webhook_is_tried_for_about_three_days_and_a_lead_for_hours() -> None:
    webhook = read_delivery({"courier": "webhook", "url": URL, "secret": {"env": "S"}}, couriers=COURIERS)
    lead = read_delivery({"courier": "http", "url": URL}, couriers=COURIERS)
    assert 2.5 * 86_400 < sum(webhook.retries) < 3.5 * 86_400
    assert 2 * 3_600 < sum(lead.retries) < 3 * 3_600


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"courier": "http", "url": URL, "fomat": "json"}, "did you mean 'format'"),
        ({"courier": "htpp", "url": URL}, "did you mean 'http'"),
        ({"courier": "http"}, "url: is missing"),
        ({"courier": "http", "url": "buyer.example"}, "whole address"),
        ({"courier": "http", "url": "https://u:p@b.example/"}, "user and password"),
        ({"courier": "http", "url": URL, "secret": "hunter2"}, "never the secret itself"),
        ({"courier": "http", "url": URL, "headers": {"A": ["x"]}}, "headers, A"),
        ({"courier": "http", "url": URL, "auth": {"kind": "bearer", "token": "abc"}}, "never the secret itself"),
        ({"courier": "http", "url": URL, "auth": {"kind": "beaer"}}, "bearer, basic, header"),
        ({"courier": "webhook", "url": URL, "auth": {"kind": "bearer", "token": {"env": "T"}}}, "either"),
        ({"courier": "http", "url": URL, "fields": {"A": "fist name"}}, "must name a value"),
        ({"courier": "http", "url": URL, "fields": {"A": "buyer.name"}}, "must name a value"),
        ({"courier": "http", "url": URL, "fields": {"A": {"from": "zip", "stile": "upper"}}}, "did you mean 'style'"),
        ({"courier": "http", "url": URL, "fields": {"A": "zip", "A.B": "city"}}, "value and a group at once"),
        ({"courier": "http", "url": URL, "format": "xml", "fields": {"1st": "zip"}}, "XML element"),
        ({"courier": "http", "url": URL, "format": "csv"}, "json, form or xml"),
        ({"courier": "http", "url": URL, "method": "GET"}, "must be form"),
        ({"courier": "http", "url": URL, "accept": [{"path": "a", "regex": "b"}]}, "one of path"),
        ({"courier": "http", "url": URL, "accept": [{"regex": "("}]}, "no regular expression"),
        ({"courier": "http", "url": URL, "accept": [{"xpath": "/a["}]}, "not closed"),
        ({"courier": "http", "url": URL, "accept": [{"status": 500}]}, "200 to 499"),
        ({"courier": "http", "url": URL, "accept": [{"status": 200, "equals": "x"}]}, "belongs to path"),
        ({"courier": "http", "url": URL, "retries": [0]}, "whole seconds"),
        ({"courier": "http", "url": URL, "timeout_ms": 9_999_999}, "from 50"),
        ({"courier": "webhook", "url": URL}, "signing secret"),
        ({"courier": "email"}, "to: is missing"),
        ({"courier": "email", "to": "x@y.example", "constants": {"k": {"env": "K"}}}, "holds no secrets"),
        ({"courier": "file", "path": "leads.json"}, "every lead would be one file"),
        ({"courier": "file", "path": "../{lead_id}"}, "below the drop folder"),
        ("http", "must be a table"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_what_to_write_instead(raw: Any, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_delivery(raw, couriers=COURIERS)
    assert caught.value.code == "config.delivery.malformed"
    assert says in caught.value.detail
