"""What a lead hears on its walk about its mail domain and its IP address, and that a replay hears it again."""

import asyncio

import msgspec

from leadmill.enrich import Consulted
from leadmill.facts import Dossier, LookedUp, LookUp
from leadmill.facts.service import look_ups
from leadmill.flow.aside import correct_lead, enrich_lead
from leadmill.flow.memory import recalled_between
from leadmill.flow.replay import replay
from leadmill.flow.runner import Mill
from leadmill.interfaces.house import House
from leadmill.runtime.dns import Dns
from leadmill.runtime.ipfiles import IpFiles
from tests.flow.stage import BUSINESS, apply, hearing, submission
from tests.runtime.nameserver import name_server


async def dossiers(house: House) -> list[Dossier]:
    found = []
    async for _, recalled in recalled_between(house.db, house.pen, None, None):
        for chapter in recalled.chapters:
            found += [one for at in chapter.stations for one in at.learned if isinstance(one, Dossier)]
    return found


async def test_leads_wait_for_the_name_server_together_and_are_decided_again_without_one(house: House) -> None:
    await apply(house, BUSINESS)
    async with name_server({"mill.dev": {"MX": ["10 mx.mill.dev."]}}) as server:
        dns = Dns(20.0, [("127.0.0.1", server.port)])
        kit = hearing(house, callers={LookUp: look_ups(dns, IpFiles([]), house.clock)})
        kit = msgspec.structs.replace(kit, ears=msgspec.structs.replace(kit.ears, waits=True))
        mill = Mill(kit)
        domains = ["mill.dev", "mill.dev", "gone.dev", "mill.dev"]
        await asyncio.gather(
            *(mill.take(submission(house, n, email=f"ann.{n}@{domain}")) for n, domain in enumerate(domains))
        )
        assert server.asked["mill.dev", "MX"] == server.asked["gone.dev", "MX"] == 1
    found = await dossiers(house)
    assert sorted(str(one.value("email.mx")) for one in found) == ["False", "True", "True", "True"]
    again = await replay(house.db, house.pen, house.book)
    assert (again.leads, again.skipped, again.differences) == (4, 0, [])


async def test_a_mail_domain_is_asked_about_again_where_a_look_names_it_and_a_correction_keeps_what_was_heard(
    house: House,
) -> None:
    await apply(house, BUSINESS)
    records = {"mill.dev": {"MX": ["10 mx.mill.dev."]}}
    async with name_server(records) as server:
        asking = look_ups(Dns(20.0, [("127.0.0.1", server.port)]), IpFiles([]), house.clock)
        kit = hearing(house, callers={LookUp: asking})
        kit = msgspec.structs.replace(kit, ears=msgspec.structs.replace(kit.ears, waits=True))
        settled = await Mill(kit).take(submission(house, 1, email="ann@mill.dev"))
    async with house.db.begin() as tx:  # nobody looked anything up for it
        await correct_lead(tx, house.kit, settled.lead_id, {"first_name": "Anna"}, "op_ana", "she says", house.clock())
    corrected = (await dossiers(house))[-1].by_key["email.mx"]
    assert (corrected.value, corrected.confidence, corrected.source) == (True, 95, "dns")
    async with name_server({"mill.dev": {"MX": ["0 ."]}}) as server:
        asking = look_ups(Dns(20.0, [("127.0.0.1", server.port)]), IpFiles([]), house.clock)
        kit = hearing(house, callers={LookUp: asking})
        assert await enrich_lead(kit, settled.lead_id, (), "op_ana", "all chains") is None
        told = await enrich_lead(kit, settled.lead_id, ("mail_domain",), "op_ana", "grown old")
    assert told == Consulted()
    assert [fact.value for fact in (await dossiers(house))[-1].facts if fact.key == "email.mx"] == [False]
    async with house.db.begin() as tx:
        await correct_lead(tx, house.kit, settled.lead_id, {"email": "ann@other.dev"}, "op_ana", "new", house.clock())
    assert "email.mx" not in (await dossiers(house))[-1].by_key
    again = await replay(house.db, house.pen, house.book)
    assert (again.leads, again.skipped, again.differences) == (1, 0, [])


async def test_turned_off_a_lead_hears_nothing_and_is_decided_again_all_the_same(house: House) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1, email="ann@mill.dev"))
    (dossier,) = await dossiers(house)
    assert "email.mx" not in dossier.by_key
    async for _, recalled in recalled_between(house.db, house.pen, None, None):
        heard = [answer for chapter in recalled.chapters for at in chapter.stations for answer in at.heard]
        assert LookedUp() in heard
    again = await replay(house.db, house.pen, house.book)
    assert (again.leads, again.skipped, again.differences) == (1, 0, [])
