"""Senders of other systems change nothing but the host: their addresses, names and answers."""

from tests.interfaces.stage import CONSENT, SOURCE_KEY, Stage

PERSON = {
    "first_name": "Ana",
    "last_name": "Ruiz",
    "email_address": "ana.ruiz@gmail.com",
    "phone_home": "4156012300",
    "zip_code": "94110",
    "state": "CA",
    "monthly_bill": "240",
    "homeowner": "yes",
    "tcpa_text": CONSENT["text"],
    "sellers": "; ".join(CONSENT["sellers"]),
    "box_default": "unchecked",
    "ip_address": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "landing_page_url": "https://example.com/solar",
    "vertical": "solar",
}


async def test_a_sender_of_another_system_sells_by_its_own_address_and_key(stage: Stage) -> None:
    reply = await stage.client().post(
        "/post.do", {**PERSON, "lp_campaign_id": "5f3", "lp_campaign_key": SOURCE_KEY, "lp_response": "JSON"}
    )
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json["result"] == "success", reply.text
    assert reply.json["lead_id"].startswith("lead_")
    assert float(reply.json["price"]) > 0
