"""Alerts of models at work and what is measured of them, on their pages and by the API."""

from pathlib import Path

import msgspec

from leadmill.parties import Role
from leadmill.scoring.watch import WatchedVertical
from leadmill.scoring.watch.alerting import Finding
from leadmill.scoring.watch.store import keep_findings, keep_watched
from tests.interfaces.learned import learn
from tests.interfaces.stage import Stage
from tests.interfaces.test_console_doors import secret
from tests.interfaces.test_watching import WHOLE

FOUND = [
    Finding("column_drift", "alarm", "bills-1", "timeframe", "the index is 0.41 over 900 leads"),
    Finding("silent", "watch", "", "helio", "answered for 60% of leads within 14 days, lately for 2% of 150"),
]


def measured_of(digest: str) -> WatchedVertical:
    """What is measured of the one model that is registered under this digest."""
    return msgspec.structs.replace(WHOLE, models=[msgspec.structs.replace(WHOLE.models[0], digest=digest)])


async def watched(stage: Stage, at: Path, found: list[Finding]) -> None:
    digest = await learn(stage.house, at, state="shadow")
    async with stage.house.db.begin() as tx:
        await keep_watched(tx, measured_of(digest), stage.house.clock())
        await keep_findings(tx, "solar", found, stage.house.clock(), stage.house.mint)


async def test_what_is_measured_stands_on_the_pages_and_an_alert_is_put_away_with_what_was_found(
    stage: Stage, tmp_path: Path
) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    assert "Nothing to look at" in (await client.get("/scores/alerts")).text
    await watched(stage, tmp_path, FOUND)
    model = (await client.get("/scores/solar/models/bills-1")).text
    told = model.partition('id="watch"')[2].partition("</section>")[0]
    for says in ("Scores: moving", "Calibration: off", "Drifted", "the index is 0.41", "this one is better"):
        assert says in told, says
    assert told.count('class="pairs"') == 3 and told.count('class="calibration"') == 1
    vertical = (await client.get("/scores/solar")).text
    assert "more converted" in vertical and "SunCo Inc" in vertical.partition('id="lags"')[2]
    page = (await client.get("/scores/alerts")).text
    assert page.index("timeframe") < page.index("Helio Solar LLC")
    form = page.partition('action="/scores/alerts/')[2]
    path = f"/scores/alerts/{form.partition('/acknowledge')[0]}/acknowledge"
    refused = await client.post(path, {"_csrf": await secret(client), "why": " "})
    assert refused.status == 422 and "say what you found" in refused.text
    done = await client.post(path, {"_csrf": await secret(client), "why": "a new campaign"})
    assert done.headers["location"] == "/scores/alerts?done=alert_acknowledged"
    assert "timeframe" not in (await client.get("/scores/alerts")).text
    looked = (await client.get("/scores/alerts?show=acknowledged")).text
    assert "a new campaign" in looked and "Omar Haddad" in looked
    assert "None has ended by itself" in (await client.get("/scores/alerts?show=ended")).text
    assert (await client.get("/scores/alerts?show=none")).status == 404
    assert (
        await client.post("/scores/alerts/nothing/acknowledge", {"_csrf": await secret(client), "why": "x"})
    ).status == 404
    analyst = await stage.signed_in(Role.ANALYST)
    assert "Acknowledge:" not in (await analyst.get("/scores/alerts")).text


async def test_programs_read_alerts_and_measures_and_say_what_they_found(stage: Stage, tmp_path: Path) -> None:
    client, program = stage.client(), {"authorization": f"Bearer {stage.operator_key}"}
    assert (await client.get("/v1/scoring/watch/solar", **program)).json == {"at": None, "watched": None}
    await watched(stage, tmp_path, FOUND)
    measured = (await client.get("/v1/scoring/watch/solar", **program)).json["watched"]
    assert [one["model"] for one in measured["models"]] == ["bills-1"]
    assert (await client.get("/v1/scoring/watch/none", **program)).status == 404
    one, two = (await client.get("/v1/scoring/alerts?vertical=solar", **program)).json["items"]
    assert (one["kind"], one["severity"], two["subject"]) == ("column_drift", "alarm", "helio")
    assert (await client.get("/v1/scoring/alerts?vertical=legal", **program)).json["items"] == []
    path = f"/v1/scoring/alerts/{two['alert_id']}/acknowledge"
    assert (await client.post_json(path, {"why": ""}, **program)).json["code"] == "api.body.invalid"
    analyst = await client.post_json(path, {"why": "x"}, authorization=f"Bearer {stage.analyst_key}")
    assert (analyst.status, analyst.json["code"]) == (403, "api.right.missing")
    looked = (await client.post_json(path, {"why": "on holiday"}, **program)).json
    assert looked["acknowledged"] and looked["why"] == "on holiday"
    assert [each["alert_id"] for each in (await client.get("/v1/scoring/alerts", **program)).json["items"]] == [
        one["alert_id"]
    ]
    assert len((await client.get("/v1/scoring/alerts?every=true", **program)).json["items"]) == 2
    missing = await client.post_json("/v1/scoring/alerts/nothing/acknowledge", {"why": "x"}, **program)
    assert (missing.status, missing.json["code"]) == (404, "scoring.alert.unknown")
