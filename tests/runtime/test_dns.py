"""Whether a domain takes mail, asked of a real name server."""

import asyncio

import pytest

from leadmill.core.faults import BadInput
from leadmill.runtime.dns import Dns, MailHosts, read_servers
from tests.runtime.nameserver import NameServer, name_server

ZONE = {
    "mail.example": {"MX": ["10 mx1.mail.example.", "20 mx2.mail.example."]},
    "bare.example": {"A": ["192.0.2.1"]},
    "six.example": {"AAAA": ["2001:db8::1"]},
    "null.example": {"MX": ["0 ."]},
    "empty.example": {"TXT": ['"nothing here"']},
}
PATIENT = 20.0
"""Seconds that an answer is given where one is expected: the machine may stall."""


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asking(server: NameServer, budget: float = PATIENT, clock: Clock | None = None, failures: int = 3) -> Dns:
    return Dns(budget, [("127.0.0.1", server.port)], failures=failures, rest=30.0, monotonic=clock or Clock())


@pytest.mark.parametrize(
    ("domain", "takes", "why"),
    [
        ("mail.example", True, "mx"),
        ("bare.example", True, "address"),
        ("six.example", True, "address"),
        ("null.example", False, "null_mx"),
        ("empty.example", False, "no_host"),
        ("missing.example", False, "no_domain"),
    ],
)
async def test_a_domain_takes_mail_as_its_records_say(domain: str, takes: bool, why: str) -> None:
    async with name_server(ZONE) as server:
        found = await asking(server).mail_hosts(domain)
    assert (found.takes, found.why) == (takes, why)


async def test_answers_are_kept_as_long_as_their_records_say() -> None:
    clock = Clock()
    async with name_server(ZONE, ttl=600, minimum=90) as server:
        dns = asking(server, clock=clock)
        assert dns.remembered("mail.example") is None
        first = await dns.mail_hosts("mail.example")
        assert (first.seconds, first.age) == (600.0, 0.0)
        await dns.mail_hosts("missing.example")
        clock.now += 100
        again = await dns.mail_hosts("mail.example")
        assert (again.takes, again.seconds, again.age) == (True, 500.0, 100.0)
        assert dns.remembered("missing.example") is None
        await dns.mail_hosts("missing.example")
        clock.now += 501
        await dns.mail_hosts("mail.example")
    assert server.asked["mail.example", "MX"] == 2
    assert server.asked["missing.example", "MX"] == 2


async def test_however_many_want_to_know_a_domain_is_asked_about_once() -> None:
    async with name_server(ZONE) as server:
        dns = asking(server)
        first = asyncio.create_task(dns.mail_hosts("mail.example"))
        others = [asyncio.create_task(dns.mail_hosts("mail.example")) for _ in range(20)]
        await asyncio.sleep(0)
        first.cancel()  # whoever asked first goes away
        found = await asyncio.gather(*others)
    assert {one.takes for one in found} == {True}
    assert server.asked["mail.example", "MX"] == 1


async def test_a_domain_whose_servers_fail_is_unknown_and_left_in_peace_for_a_while() -> None:
    clock = Clock()
    async with name_server(ZONE) as server:
        server.failing.add("lame.example")
        dns = asking(server, clock=clock)
        assert await dns.mail_hosts("lame.example") == MailHosts(None, "no_answer")
        asked = server.asked["lame.example", "MX"]
        assert await dns.mail_hosts("lame.example") == MailHosts(None, "no_answer")
        assert server.asked["lame.example", "MX"] == asked
        assert (await dns.mail_hosts("mail.example")).takes is True
        clock.now += 31
        await dns.mail_hosts("lame.example")
        assert server.asked["lame.example", "MX"] > asked


async def test_where_no_server_answers_nobody_waits_after_the_first_few() -> None:
    clock = Clock()
    async with name_server(ZONE) as server:
        server.silent.add("*")
        dns = asking(server, budget=0.05, clock=clock, failures=2)
        for number in range(2):
            assert (await dns.mail_hosts(f"d{number}.example")).why == "no_answer"
        asked = server.asked.total()
        for number in range(50):
            assert await dns.mail_hosts(f"e{number}.example") == MailHosts(None, "resting")
        assert server.asked.total() == asked
        server.silent.clear()
        clock.now += 31
    # The budget of a machine that stalls: one of its own, with a server that answers.
    async with name_server(ZONE) as server:
        dns = asking(server, clock=clock)
        assert (await dns.mail_hosts("mail.example")).takes is True


async def test_a_rested_asker_tries_again_with_one_question() -> None:
    clock = Clock()
    async with name_server(ZONE) as server:
        server.failing.update(("a.example", "b.example"))
        dns = asking(server, clock=clock, failures=2)
        await dns.mail_hosts("a.example")
        await dns.mail_hosts("b.example")
        assert (await dns.mail_hosts("mail.example")).why == "resting"
        clock.now += 31
        assert (await dns.mail_hosts("mail.example")).takes is True
        assert (await dns.mail_hosts("bare.example")).takes is True


@pytest.mark.parametrize("domain", ["a..b", "x" * 64 + ".example", ".".join(["abcdefgh"] * 40)])
async def test_what_is_no_domain_is_unknown_and_nobodys_fault(domain: str) -> None:
    async with name_server(ZONE) as server:
        dns = asking(server, failures=1)
        assert await dns.mail_hosts(domain) == MailHosts(None, "malformed")
        assert (await dns.mail_hosts("mail.example")).takes is True


async def test_closing_gives_up_what_is_being_asked() -> None:
    async with name_server(ZONE) as server:
        server.silent.add("*")
        dns = asking(server)
        task = asyncio.create_task(dns.mail_hosts("mail.example"))
        await server.heard.wait()
        await dns.close()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_name_servers_are_addresses_with_a_port_perhaps() -> None:
    assert read_servers(" 192.0.2.53 , 2001:db8::53@5353 ") == (("192.0.2.53", 53), ("2001:db8::53", 5353))
    assert read_servers("") == ()
    for text in ("ns.example.com", "192.0.2.53@dns", "192.0.2.999"):
        with pytest.raises(BadInput, match="LEADMILL_DNS_SERVERS"):
            read_servers(text)
