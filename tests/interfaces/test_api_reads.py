"""Reading leads through the API: masked by role, noted, explained, and never quicker than the truth."""

from leadmill.parties import reads_of
from tests.interfaces.stage import SOURCE_KEY, Stage, solar


async def test_a_lead_that_was_sent_can_be_read_listed_and_explained(stage: Stage) -> None:
    taken = await stage.send(solar())
    assert taken["status"] == "sold", taken
    client, key = stage.client(), f"Bearer {stage.operator_key}"
    listed = (await client.get("/v1/leads", authorization=key)).json
    assert [item["lead_id"] for item in listed["items"]] == [taken["lead_id"]]
    assert listed["items"][0]["fields"]["email"] == "ana.ruiz@gmail.com"
    one = (await client.get(f"/v1/leads/{taken['lead_id']}", authorization=key)).json
    assert one == listed["items"][0]
    events = (await client.get(f"/v1/leads/{taken['lead_id']}/events", authorization=key)).json
    assert [item["event"] for item in events["items"]][0] == "lead.received"
    story = (await client.get(f"/v1/leads/{taken['lead_id']}/explain", authorization=key)).json
    assert [order["order_id"] for order in story["orders"] if order["code"] is None] == ["helio-ca"]
    assert story["money"]
