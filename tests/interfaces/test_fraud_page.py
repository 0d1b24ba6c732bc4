"""The page of signals: what was raised, what came back, and the way to those who wait."""

from typing import Any

from leadmill.parties import Role
from tests.interfaces.stage import Stage, solar

MACHINE: dict[str, Any] = {"webdriver": True, "key_count": 0, "paste_count": 0, "fill_count": 0}


def by_machine(number: int, **context: Any) -> dict[str, Any]:
    """A lead whose form says how it was filled in."""
    body = solar(number)
    return {**body, "context": {**body["context"], **context}}


async def test_the_page_tells_each_signal_and_what_became_of_its_leads(stage: Stage) -> None:
    held = await stage.send(by_machine(1, **MACHINE))
    sold = await stage.send(by_machine(2, webdriver=True))
    assert (held["status"], sold["status"]) == ("review", "sold")
    client = await stage.signed_in(Role.OPERATOR)
    page = (await client.get("/fraud")).text
    assert "2 leads were looked at: 1 held for a person, 0 rejected" in page
    row = page.partition("<code>form.webdriver</code>")[2].partition("</tr>")[0]
    assert "The browser says that a program drives it." in row
    assert [part.partition("</td>")[0] for part in row.split('<td class="num">')[1:]] == ["75", "2", "1", "0", "1", "0"]
    assert "times the usual" in row and 'class="interval"' in row
    assert "<code>form.untouched</code>" in page and "None sold yet" in page
    assert page.count("3 in 1 hour, 5 in 24 hours, 12 in 30 days") == 2


async def test_the_page_narrows_to_a_vertical_and_says_what_counts_there(stage: Stage) -> None:
    await stage.send(by_machine(1, webdriver=True))
    client = await stage.signed_in(Role.ANALYST)
    page = (await client.get("/fraud?vertical=mortgage&days=7")).text
    assert "No lead was looked at in these days" in page and "form.webdriver" not in page
    assert '<td>Mortgage</td><td class="num">90</td><td class="num">never</td>' in page
    assert "<td>Solar</td>" not in page
    assert (await client.get("/fraud?vertical=nonsense&days=x")).status == 200


async def test_who_waits_for_what_speaks_against_them_is_one_list_away(stage: Stage) -> None:
    held = await stage.send(by_machine(1, **MACHINE))
    other = await stage.send(solar(2, monthly_bill=4000))
    assert (held["status"], other["status"]) == ("review", "review")
    client = await stage.signed_in(Role.OPERATOR)
    listed = (await client.get("/review?reason=fraud.lead.review")).text
    assert held["lead_id"] in listed and other["lead_id"] not in listed and "Reason is" in listed
    lead = (await client.get(f"/leads/{held['lead_id']}")).text
    # The address of these leads is one that no visitor can have.
    assert "form.webdriver, 75: The browser says" in lead and "ip.public, 15:" in lead
    assert "Looked at with suspicion" in lead and "92 of 100 speaks against it: review." in lead
