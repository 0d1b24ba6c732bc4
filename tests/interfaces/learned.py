"""A learned model in the house, with the card of a real training beside it: ``model_card.json`` is one, rounded."""

import json
from pathlib import Path
from typing import Any

from leadmill.flow.scorecards import Author, add_model, place_model
from leadmill.interfaces.house import House
from leadmill.learning import Column, Form, Kind
from leadmill.learning.artefact import write_folder
from leadmill.learning.model import NumberFeature

CARD: dict[str, Any] = json.loads(Path(__file__).with_name("model_card.json").read_text())


def unfair() -> dict[str, Any]:
    """The card of a model that fails its limits of fairness."""
    audit = {**CARD["fairness"]["audits"][0], "passes": False, "says": ["at the best 10 % group male passes 0.61"]}
    return {**CARD, "fairness": {**CARD["fairness"], "passes": False, "audits": [audit]}}


async def learn(
    house: House,
    at: Path,
    ident: str = "bills-1",
    vertical: str = "solar",
    state: str | None = None,
    card: dict[str, Any] | None = CARD,
    column: str = "monthly_bill",
) -> str:
    """Register a small model, at a place where one is named; its digest. The lower the bill the less it gives."""
    feature = NumberFeature(column, Kind.NUMBER, "value", (100.0, 200.0), (-0.8, 0.2, 0.7), 0.0)
    form = Form(
        target="converted",
        positive="true",
        base_rate=0.31,
        columns=(Column(column, Kind.NUMBER),),
        features=(feature,),
        intercept=-0.8 - len(ident) / 1000,  # each name another digest
    )
    write_folder(at / ident, form, b"", json.dumps(card or {}).encode(), "a model")
    by = Author("test", house.clock(), house.mint, house.vault.keyed_hash, house.book.walk().rules)
    async with house.db.begin() as tx:
        made = await add_model(tx, at / ident, ident, vertical, "trained on last year's leads", by)
        if state is not None:
            await place_model(tx, ident, state, None, "to be heard", by)
    await house.book.refresh(house.db)
    return made.digest
