"""The review desk in the console and over the API: the queue, a case, decisions by form, and who may do what."""

import re
from typing import Any

from leadmill.interfaces.worker import workers
from leadmill.parties import Role
from leadmill.parties.store import list_operators
from tests.interfaces.client import Client
from tests.interfaces.stage import PEOPLE, Stage, solar


async def held(stage: Stage, number: int) -> str:
    """A lead that waits, and its id."""
    answer = await stage.send(solar(number, monthly_bill=4000))
    assert answer["status"] == "review", answer
    return str(answer["lead_id"])


async def post(client: Client, path: str, **fields: str) -> Any:
    page = await client.get("/review")
    secret = re.search(r'name="_csrf" value="([^"]+)"', page.text)
    assert secret is not None
    return await client.post(path, {"_csrf": secret[1], **fields})


def turn_of(text: str) -> str:
    found = re.search(r'name="turn" value="(\d+)"', text)
    assert found is not None
    return found[1]


async def test_a_case_is_taken_decided_and_taken_back_by_form_and_an_old_page_is_told_so(stage: Stage) -> None:
    lead_id = await held(stage, 1)
    await held(stage, 2)
    desk = await stage.signed_in(Role.OPERATOR)
    queue = (await desk.get("/review")).text
    assert "scoring.points.review" in queue and "bill-implausible" in queue and "Ana Ruiz" in queue
    took = await post(desk, "/review/next")
    place = took.headers["location"].partition("?")[0]
    page = (await desk.get(place)).text
    assert lead_id in page and "You have it until" in page and "Consent" in page
    assert 'data-key="a"' in page and 'data-key="r"' in page and 'data-key="j"' in page
    turn = turn_of(page)
    other = await stage.signed_in(Role.ADMIN)
    theirs = (await other.get(place)).text
    assert f"{PEOPLE[Role.OPERATOR][1]} has this case" in theirs and "Unlock it" in theirs
    refused = await post(other, f"{place}/decide", turn=turn, choice="approve")
    assert refused.status == 409 and "review.case.stale" in refused.text
    nothing = await post(desk, f"{place}/decide", turn=turn, choice="reject")
    assert nothing.status == 400 and "review.decision.malformed" in nothing.text
    decided = await post(desk, f"{place}/decide", turn=turn, choice="reject", ground="machine", note="A script.")
    following = (await desk.get(decided.headers["location"])).text
    assert "Rejected; it is carried out in a moment." in following and "You have it until" in following
    undone = await post(desk, f"{place}/undo")
    assert undone.headers["location"].startswith(place)
    turn = turn_of((await desk.get(place)).text)
    await post(desk, f"{place}/decide", turn=turn, choice="approve")
    clock = stage.house.clock
    assert "Approved by" in (await desk.get(place)).text
    async with stage.house.db.begin() as tx:
        await tx.conn.execute("UPDATE job SET run_at = $1 WHERE kind = 'review.carry'", clock())
    await workers(stage.house)[0].drain()
    async with stage.house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT state FROM lead WHERE id = $1", lead_id) in ("sold", "unsold")
        assert await tx.conn.fetchval("SELECT count(*) FROM lead_read WHERE lead_id = $1", lead_id) >= 2
    assert "too few to tell" not in (await desk.get("/review/agreement")).text


async def test_who_may_not_review_sees_initials_and_decides_nothing(stage: Stage) -> None:
    await held(stage, 1)
    analyst = await stage.signed_in(Role.ANALYST)
    queue = (await analyst.get("/review")).text
    assert "A. R." in queue and "Ana Ruiz" not in queue and "Take the next" not in queue
    place = re.search(r"/review/rev_\w+", queue)
    assert place is not None
    page = (await analyst.get(place[0])).text
    assert "Ana Ruiz" not in page and "Take it" not in page
    assert (await post(analyst, "/review/next")).status == 403
    assert (await post(analyst, f"{place[0]}/take")).status == 403


async def test_a_program_lists_takes_decides_and_takes_back_over_the_api(stage: Stage) -> None:
    lead_id = await held(stage, 1)
    client, program = stage.client(), {"authorization": f"Bearer {stage.operator_key}"}
    listed = (await client.get("/v1/reviews", **program)).json
    (one,) = listed["items"]
    assert (one["lead_id"], one["reason"], one["stage"], one["holder"]) == (
        lead_id,
        "scoring.points.review",
        "open",
        None,
    )
    took = await client.post_json("/v1/reviews/next", {}, **program)
    assert took.status == 200 and took.json["case"]["review_id"] == one["review_id"]
    assert (await client.post_json("/v1/reviews/next", {"vertical": "legal"}, **program)).json == {"case": None}
    path = f"/v1/reviews/{one['review_id']}"
    given = {"turn": took.json["case"]["turn"], "decision": "reject", "ground": "unqualified"}
    answer = await client.post_json(f"{path}/decision", given, **program)
    assert (answer.status, answer.json["stage"], answer.json["decision"]) == (200, "decided", "reject")
    stale = await client.post_json(f"{path}/decision", given, **program)
    assert (stale.status, stale.json["code"]) == (409, "review.case.over")
    undone = await client.post_json(f"{path}/undo", {}, **program)
    assert (undone.status, undone.json["stage"]) == (200, "open")
    assert (await client.get("/v1/reviews/agreement", **program)).json["pairs"] == 0
    assert (await client.get("/v1/reviews?cursor=x", **program)).json["code"] == "flow.cursor.malformed"


async def test_a_program_hands_over_puts_back_puts_off_unlocks_and_overrides_over_the_api(stage: Stage) -> None:
    lead_id = await held(stage, 1)
    client, program = stage.client(), {"authorization": f"Bearer {stage.operator_key}"}
    took = (await client.post_json("/v1/reviews/next", {}, **program)).json["case"]
    path, turn = f"/v1/reviews/{took['review_id']}", took["turn"]
    async with stage.house.db.begin() as tx:
        people = {each.role: each for each in await list_operators(tx)}
    colleague = people[Role.OPERATOR].id
    given = await client.post_json(f"{path}/hand-over", {"to": colleague, "turn": turn}, **program)
    assert (given.status, given.json["holder"], given.json["turn"]) == (200, colleague, turn + 1)
    stale = await client.post_json(f"{path}/release", {"turn": turn}, **program)
    assert (stale.status, stale.json["code"]) == (409, "review.case.stale")
    nobody = await client.post_json(f"{path}/hand-over", {"to": people[Role.ANALYST].id}, **program)
    assert (nobody.status, nobody.json["code"]) == (404, "review.reviewer.unknown")
    unlocked = await client.post_json(f"{path}/unlock", {}, **program)
    assert (unlocked.status, unlocked.json.get("code")) == (403, "review.case.supervised")
    assigned = await client.post_json(f"{path}/hand-over", {"to": colleague}, **program)
    assert (assigned.status, assigned.json["code"]) == (403, "review.case.supervised")
    desk = await stage.signed_in(Role.ADMIN)
    assert (await post(desk, f"/review/{took['review_id']}/unlock")).status == 303
    took = (await client.post_json("/v1/reviews/next", {}, **program)).json["case"]
    wrong = await client.post_json(f"{path}/snooze", {"turn": took["turn"], "hours": 0}, **program)
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "/hours")
    off = await client.post_json(f"{path}/snooze", {"turn": took["turn"], "hours": 4}, **program)
    assert off.status == 200 and off.json["holder"] is None and off.json["snoozed_until"] is not None
    assert (await client.post_json("/v1/reviews/next", {}, **program)).json == {"case": None}
    barred = await client.post_json(
        f"/v1/reviews/leads/{lead_id}/override", {"act": "hold", "ground": "complaint"}, **program
    )
    assert (barred.status, barred.json["code"]) == (403, "review.case.supervised")


async def test_a_lead_that_waits_is_decided_on_the_desk_and_one_that_could_be_sold_is_held_from_its_page(
    stage: Stage,
) -> None:
    waits = await held(stage, 1)
    desk = await stage.signed_in(Role.ADMIN)
    await desk.get("/review")
    page = (await desk.get(f"/leads/{waits}")).text
    assert "Decide it on the desk" in page and ">Approve<" not in page and "Hold it" not in page
    refused = await post(desk, f"/leads/{waits}/approve")
    assert refused.status == 409 and "review.case.taken" in refused.text
    thin = solar(3)
    thin["fields"] = {"first_name": "Jo", "email": "jo.thin@gmail.com", "zip": "94110"}
    put_off = str((await stage.send(thin))["lead_id"])
    page = (await desk.get(f"/leads/{put_off}")).text
    assert "Override this decision" in page and "Hold it" in page and "Mark it" in page
    operator = await stage.signed_in(Role.OPERATOR)
    assert "Hold it" not in (await operator.get(f"/leads/{put_off}")).text
    assert (await post(operator, f"/leads/{put_off}/override", act="hold", ground="complaint")).status == 403
    done = await post(desk, f"/leads/{put_off}/override", act="hold", ground="complaint", why="A letter came.")
    assert done.headers["location"].endswith("done=lead_held")
    assert "A person held it before it was sold: Somebody complained" in (await desk.get("/review")).text
    other = await held(stage, 2)
    listed = (await desk.get("/review")).text
    place = re.search(rf'id="{other}".*?(/review/rev_\w+)', listed, re.DOTALL)
    assert place is not None
    assert "Assign it" in (await desk.get(place[1])).text
    async with stage.house.db.begin() as tx:
        to = next(each for each in await list_operators(tx) if each.role is Role.OPERATOR)
    await post(desk, f"{place[1]}/assign", to=to.id)
    mine = await post(operator, "/review/next")
    assert mine.headers["location"].startswith(place[1]), "what was given to one comes first"
