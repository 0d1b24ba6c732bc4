"""The console's pages answer, say who may see them, and hold what the store holds."""

from leadmill.parties import Role
from tests.interfaces.stage import Stage, solar


async def test_every_page_of_the_console_answers(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.ADMIN)
    tabs = [f"/leads/{taken['lead_id']}?tab={tab}" for tab in ("why", "deliveries", "consent", "events", "raw")]
    pages = ["/leads", "/review", "/nurture", "/orders", "/sources", "/buyers", "/teams", "/deliveries", "/imports", "/users"]
    for path in [*pages, *tabs, f"/leads/{taken['lead_id']}/drawer", "/docs", "/openapi.json", "/f/solar-quote"]:
        reply = await client.get(path)
        assert reply.status == 200, (path, reply.text[:2000])
