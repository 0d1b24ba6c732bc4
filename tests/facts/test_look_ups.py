"""What is looked up about a lead: by a real name server and real files of IP addresses."""

from datetime import timedelta
from pathlib import Path

import pytest

from leadmill.capture import Lead
from leadmill.core.case import NOTHING, Case, Heard
from leadmill.core.verdicts import Pass
from leadmill.facts import Dossier, LookedUp, LookUp, Verify
from leadmill.facts.model import IpSeen, MailSeen
from leadmill.facts.rules.network import distance_km, ip_facts, read_records
from leadmill.facts.service import look_ups
from leadmill.runtime.dns import Dns
from leadmill.runtime.ipfiles import IpFiles
from tests.facts.places import NOW, reference
from tests.runtime.mmdb import write_mmdb
from tests.runtime.nameserver import name_server

OAKLAND = {
    "country": {"iso_code": "US"},
    "subdivisions": [{"iso_code": "CA"}],
    "city": {"names": {"en": "Oakland", "de": "Oakland"}},
    "location": {"latitude": 37.8, "longitude": -122.27, "time_zone": "America/Los_Angeles", "accuracy_radius": 20},
}


def case_of(fields: dict[str, object], context: dict[str, object] | None = None) -> Case:
    lead = Lead(
        id="lead_1",
        vertical="solar",
        source_id="acme",
        received_at=NOW,
        fields=fields,  # type: ignore[arg-type]
        context=context or {},  # type: ignore[arg-type]
    )
    return Case("lead_1", [lead])


@pytest.mark.parametrize(
    ("fields", "context", "ask"),
    [
        ({"email": "Ann@GMAIL.com"}, {}, LookUp("gmail.com")),
        ({"email": "ann@bücher.shop"}, {}, LookUp("xn--bcher-kva.shop")),
        ({"email": "ann@gmail.com"}, {"ip": "8.8.8.8"}, LookUp("gmail.com", "8.8.8.8")),
        ({"email": "ann@example.com"}, {"ip": "8.8.8.8"}, LookUp("", "8.8.8.8")),
        ({"email": "ann@example.com"}, {"ip": "10.0.0.7"}, None),
        ({"email": "no address"}, {}, None),
        ({"phone": "510 283 4567"}, {}, None),
    ],
)
def test_only_a_domain_and_a_public_address_are_asked_about(
    fields: dict[str, object], context: dict[str, object], ask: LookUp | None
) -> None:
    assert list(Verify(reference()).wants(case_of(fields, context))) == ([] if ask is None else [ask])


async def test_what_the_name_server_says_is_a_fact_with_its_time_and_its_end() -> None:
    step = Verify(reference())
    async with name_server({"mill.dev": {"MX": ["10 mx.mill.dev."]}}, ttl=600) as server:
        dns = Dns(20.0, [("127.0.0.1", server.port)])
        call = look_ups(dns, IpFiles([]), lambda: NOW)
        for domain, value, outcome in (("mill.dev", True, "pass"), ("missing.dev", False, "fail")):
            case = case_of({"email": f"ann@{domain}"})
            (ask,) = step.wants(case)
            assert isinstance(ask, LookUp)
            answer = await call(ask)
            assert domain not in " ".join(answer.tell())
            verdict = step.judge(case, Heard({ask: answer}), NOW)
            assert isinstance(verdict, Pass)
            dossier = verdict.learned[0]
            assert isinstance(dossier, Dossier)
            fact = dossier.by_key["email.mx"]
            assert (fact.value, fact.outcome, fact.source, fact.observed_at) == (value, outcome, "dns", NOW)
            assert fact.expires_at is not None and NOW < fact.expires_at <= NOW + timedelta(hours=1)


async def test_where_nobody_answers_it_stays_unknown() -> None:
    async with name_server({}) as server:
        server.silent.add("*")
        call = look_ups(Dns(0.05, [("127.0.0.1", server.port)]), IpFiles([]), lambda: NOW)
        answer = await call(LookUp("mill.dev", "8.8.8.8"))
    assert answer == LookedUp(MailSeen(None, "no_answer"))
    step, case = Verify(reference()), case_of({"email": "ann@mill.dev"})
    dossier = step.judge(case, Heard({LookUp("mill.dev"): answer}), NOW).learned[0]
    assert isinstance(dossier, Dossier)
    assert dossier.outcome("email.mx") == "unknown"
    assert "email.mx" not in dossier.values


async def test_turned_off_nothing_is_asked_and_nothing_said() -> None:
    call = look_ups(None, IpFiles([]), lambda: NOW)
    assert await call(LookUp("mill.dev", "8.8.8.8")) == LookedUp()
    step, case = Verify(reference()), case_of({"email": "ann@mill.dev"})
    for heard in (NOTHING, Heard({LookUp("mill.dev"): LookedUp()})):
        dossier = step.judge(case, heard, NOW).learned[0]
        assert isinstance(dossier, Dossier)
        assert "email.mx" not in dossier.by_key


async def test_the_files_place_an_address_and_it_is_held_against_the_lead(tmp_path: Path) -> None:
    files = IpFiles(
        [
            write_mmdb(tmp_path / "city.mmdb", {"8.8.0.0/16": OAKLAND}, "GeoLite2-City"),
            write_mmdb(
                tmp_path / "asn.mmdb",
                {"8.8.0.0/16": {"autonomous_system_number": 14061, "autonomous_system_organization": "DIGITALOCEAN"}},
            ),
            write_mmdb(tmp_path / "anon.mmdb", {"8.8.8.0/24": {"is_anonymous": True, "is_tor_exit_node": True}}),
        ]
    )
    call = look_ups(None, files, lambda: NOW)
    step = Verify(reference())
    for state, zip_code, agrees in (("CA", "94501", True), ("NY", "10025", False)):
        case = case_of({"phone": "510 283 4567", "state": state, "zip": zip_code}, {"ip": "8.8.8.8"})
        (ask,) = step.wants(case)
        assert isinstance(ask, LookUp)
        dossier = step.judge(case, Heard({ask: await call(ask)}), NOW).learned[0]
        assert isinstance(dossier, Dossier)
        values = dossier.values
        assert (values["ip.country"], values["ip.state"], values["ip.city"]) == ("US", "CA", "Oakland")
        assert (values["ip.zone"], values["ip.asn"]) == ("America/Los_Angeles", 14061)
        assert (values["ip.hosting"], values["ip.anonymous"]) == (True, True)
        assert dossier.outcome("ip.hosting") == dossier.outcome("ip.anonymous") == "fail"
        assert (values["agree.ip_country"], values["agree.ip_state"]) == (True, agrees)
        assert values["agree.ip_zip"] is agrees
    assert (await call(LookUp("", "::ffff:8.8.8.8"))).ip == (await call(LookUp("", "8.8.8.8"))).ip
    assert (await call(LookUp("", "9.9.9.9"))).ip is None


def test_records_of_any_shape_are_read_for_what_they_have() -> None:
    assert read_records([]) is None
    assert read_records([{"country": "US", "subdivisions": [], "location": None, "city": {"names": 7}}]) is None
    assert read_records([{"traits": {"is_hosting_provider": True}}]) == IpSeen(hosting=True)
    assert read_records([{"country": {"iso_code": "CA"}}, {"country": {"iso_code": "US"}}]) == IpSeen(country="CA")
    assert read_records([{"is_anonymous_vpn": False}]) == IpSeen(anonymous=False)


def test_an_address_without_a_place_is_held_against_nothing() -> None:
    assert ip_facts(IpSeen(), {}, reference()) == []
    keys = {fact.key for fact in ip_facts(IpSeen(country="US", region="CA"), {}, reference())}
    assert keys == {"ip.country", "ip.state"}


def test_distances_are_the_surfaces() -> None:
    assert round(distance_km(40.7, -74.0, 34.05, -118.25)) == pytest.approx(3936, abs=5)
    assert distance_km(10, 10, 10, 10) == 0
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)
