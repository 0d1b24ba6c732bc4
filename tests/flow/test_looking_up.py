"""What a lead hears on its walk about its mail domain and its IP address, and that a replay hears it again."""

import asyncio

import msgspec

from leadmill.facts import Dossier, LookedUp, LookUp
from leadmill.facts.service import look_ups
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
