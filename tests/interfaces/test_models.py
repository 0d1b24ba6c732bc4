"""A learned model in the console: its card told, its place tried and given with a reason, refused where law or fairness
bar it."""

from pathlib import Path
from typing import Any

from leadmill.access import acts_of
from leadmill.parties import Role, scope_of
from tests.interfaces.learned import CARD, learn, unfair
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_console_doors import secret
from tests.interfaces.test_trials import work

PAGE = "/scores/solar/models/bills-1"


async def test_a_models_page_tells_its_card_and_the_places_it_has_had(stage: Stage, tmp_path: Path) -> None:
    await learn(stage.house, tmp_path, state="shadow")
    await stage.send(solar(1))
    client = await stage.signed_in(Role.ANALYST)
    assert f'href="{PAGE}"' in (await client.get("/scores/solar")).text
    page = (await client.get(PAGE)).text
    for says in (
        "is heard about every lead and decides about none",
        "it was heard about 1 and decided about 0",
        "Calibration error",
        "On rows held back by time",
        "In the order of time, each block by those before",
        'class="calibration"',
        "contract_date",
        "Within the limits",
        "trained on last year&#39;s leads",
    ):
        assert says in page, says
    assert page.count('class="effect"') > 10
    assert "Give it this place" not in page
    assert (await client.post(f"{PAGE}/place", {"_csrf": await secret(client), "state": "champion"})).status == 403
    for path in ("/scores/solar/models/none", "/scores/mortgage/models/bills-1", "/scores/none/models/bills-1"):
        assert (await client.get(path)).status == 404


async def test_a_model_without_a_card_or_with_a_foreign_one_says_so(stage: Stage, tmp_path: Path) -> None:
    await learn(stage.house, tmp_path, "bare", card=None)
    await learn(stage.house, tmp_path, "foreign", card={"columns": 4})
    client = await stage.signed_in(Role.ANALYST)
    for ident in ("bare", "foreign"):
        assert "It came without a card" in (await client.get(f"/scores/solar/models/{ident}")).text


async def test_a_place_is_tried_first_and_given_with_a_reason_that_is_written_down(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.send(solar(1, monthly_bill=90))
    await learn(stage.house, tmp_path)
    await learn(stage.house, tmp_path, "older", state="champion")
    client = await stage.signed_in(Role.OPERATOR)
    asked = {"_csrf": await secret(client), "state": "champion", "share": "", "why": ""}
    trial = (await client.post(f"{PAGE}/try", asked)).headers["location"]
    await work(stage)
    assert "Put it in force" in (await client.get(trial)).text
    for change, says in (
        ({"state": "challenger"}, "needs a share"),
        ({"state": "challenger", "share": "many"}, "per cent"),
        ({"state": "king"}, "there is no place"),
        ({"why": " "}, "scoring.model.unexplained"),
    ):
        refused = await client.post(f"{PAGE}/place", {**asked, "why": "it ranks better", **change})
        assert (refused.status, says in refused.text) == (422, True), says
    adopted = await client.post(f"{trial}/adopt", {"_csrf": asked["_csrf"], "why": "as tried"})
    assert adopted.headers["location"].startswith("/scores/solar")
    page = (await client.get("/scores/solar")).text
    assert "as tried" in page and "bills-1 took its place" in page
    for form in (
        {"state": "challenger", "share": "12.5", "why": "a part first"},
        {"state": "retired", "why": "drifted"},
    ):
        given = await client.post(f"{PAGE}/place", {**asked, **form})
        assert given.headers["location"] == f"{PAGE}?done=model_placed", given.text
    page = (await client.get(PAGE)).text
    assert "12.5 %" in page and "drifted" in page and "Give it this place" not in page
    async with stage.house.db.begin() as tx:
        operator = await tx.conn.fetchval("SELECT id FROM operator WHERE email = 'omar@example.com'")
        acts = [one.about for one in await acts_of(tx, str(operator), 20) if one.what == "rating_changed"]
    assert acts[:2] == ["bills-1", "bills-1"] and len(acts) == 3


async def test_what_law_or_fairness_bars_is_refused_a_place_with_its_code(stage: Stage, tmp_path: Path) -> None:
    await learn(stage.house, tmp_path, "unfair", card=unfair())
    await learn(stage.house, tmp_path, "aged", vertical="mortgage", column="age")
    client = await stage.signed_in(Role.OPERATOR)
    form = {"_csrf": await secret(client), "state": "champion", "why": "it ranks better"}
    for path, code in (
        ("solar/models/unfair", "scoring.model.unfair"),
        ("mortgage/models/aged", "scoring.model.unlawful"),
    ):
        refused = await client.post(f"/scores/{path}/place", form)
        assert refused.status == 422 and code in refused.text
        assert 'value="it ranks better"' in refused.text


async def test_programs_read_cards_and_models_give_places_and_learn_why_a_lead_has_its_score(
    stage: Stage, tmp_path: Path
) -> None:
    digest = await learn(stage.house, tmp_path, state="shadow")
    lead = (await stage.send(solar(1, monthly_bill=90)))["lead_id"]
    client, program = stage.client(), {"authorization": f"Bearer {stage.operator_key}"}

    async def read(path: str) -> Any:
        reply = await client.get(path, **program)
        assert reply.status == 200, reply.text
        return reply.json

    cards = {one["vertical"]: one for one in (await read("/v1/scorecards"))["items"]}
    card = await read("/v1/scorecards/solar")
    assert card["digest"] == cards["solar"]["digest"] and card["card"]["points"]
    assert [one["in_force"] for one in card["versions"]] == [True]
    assert (await client.get("/v1/scorecards/none", **program)).json["code"] == "scoring.vertical.unknown"
    assert [one["model_id"] for one in (await read("/v1/models?vertical=solar"))["items"]] == ["bills-1"]
    assert (await read("/v1/models?vertical=legal"))["items"] == []

    path = "/v1/models/bills-1/place"
    wanted = {"state": "champion", "share": "0.25", "why": "ranks better"}
    for body, code in (
        ({**wanted, "why": " "}, "api.body.invalid"),
        ({**wanted, "share": "2"}, "scoring.model.malformed"),
    ):
        assert (await client.post_json(path, body, **program)).json["code"] == code
    missing = await client.post_json("/v1/models/none/place", wanted, **program)
    assert (missing.status, missing.json["code"]) == (404, "scoring.model.missing")
    analyst = await client.post_json(path, wanted, authorization=f"Bearer {stage.analyst_key}")
    assert (analyst.status, analyst.json["code"]) == (403, "api.right.missing")
    placed = await client.post_json(path, wanted, idempotency_key="one", **program)
    assert (placed.status, placed.json["state"], placed.json["share"]) == (200, "champion", "0.25")
    assert (await client.post_json(path, wanted, idempotency_key="one", **program)).json == placed.json
    model = await read("/v1/models/bills-1")
    assert (model["digest"], model["columns"], model["fair"]) == (digest, ["monthly_bill"], True)
    assert model["figures"]["auc"] == CARD["holdout"]["figures"]["auc"]
    assert [one["state"] for one in model["places"]] == ["champion", "shadow", "candidate"]

    rating = (await read(f"/v1/leads/{lead}"))["rating"]
    assert rating["start"] + sum(one["points"] for one in rating["contributions"]) == rating["points"]
    assert [(one["model_id"], one["decided"]) for one in rating["models"]] == [("bills-1", False)]
    page = (await (await stage.signed_in(Role.ANALYST)).get(f"/leads/{lead}")).text
    told = page.partition('class="panel scored"')[2]
    assert f"{rating['points']}</span> points, tier {rating['tier']}" in told
    assert "What models say beside it (1)" in told and "bills-1" in told


def test_a_program_held_to_reading_scores_places_no_model() -> None:
    assert scope_of("GET", "/v1/models/bills-1") == scope_of("GET", "/v1/scorecards/solar") == "scoring:read"
    assert scope_of("POST", "/v1/models/bills-1/place") == "scoring:write"
