"""``leadmill review`` as it is typed: the queue, a decision and taking it back, each by somebody with a name."""

import asyncio
import json
from pathlib import Path

from leadmill.main import open_house
from leadmill.parties import Role, add_operator
from leadmill.runtime.settings import read_settings
from tests.flow.stage import BUSINESS, apply, submission
from tests.interfaces.command import leadmill

ANN = "ann@example.com"


async def prepared(url: str, home: Path) -> str:
    """A house in which a lead waits; its id."""
    async with open_house(read_settings({}, home=home, database_url=url)) as house:
        await apply(house, {**BUSINESS, "review": [{"id": "all", "undo_seconds": 3600}]})
        async with house.db.begin() as tx:
            for name, role in (("ann", Role.COMPLIANCE), ("dan", Role.ANALYST)):
                await add_operator(
                    tx, house.mint, email=f"{name}@example.com", name=name, role=role, password="a long good phrase",
                    now=house.clock(),
                )  # fmt: skip
        return (await house.mill.take(submission(house, 1, monthly_bill=4000))).lead_id


def test_a_case_is_listed_taken_decided_and_taken_back_by_who_is_named(empty_database_url: str, tmp_path: Path) -> None:
    lead_id = asyncio.run(prepared(empty_database_url, tmp_path))

    def run(*words: str) -> tuple[int, str]:
        done = leadmill(empty_database_url, tmp_path, "review", *words)
        return done.exit_code, done.stdout if done.exit_code == 0 else done.stderr

    (one,) = json.loads(run("list", "--json")[1])
    case = one["review_id"]
    assert (one["lead_id"], one["reason"], one["holder"]) == (lead_id, "scoring.points.review", None)
    status, said = run("next", "--as", "dan@example.com")
    assert status == 2 and "review.reviewer.unknown" in said
    assert json.loads(run("next", "--as", ANN, "--json")[1])["review_id"] == case
    decided = json.loads(run("decide", case, "reject", "--ground", "machine", "--why", "x", "--as", ANN, "--json")[1])
    assert (decided["stage"], decided["decision"], decided["ground"]) == ("decided", "reject", "machine")
    assert json.loads(run("undo", case, "--as", ANN, "--json")[1])["stage"] == "open"
    assert "scoring.points.review" in run("show", case)[1]
    assert json.loads(run("agreement", "--json")[1])["all"]["whole"]["pairs"] == 0
