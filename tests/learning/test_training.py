"""From rows with outcomes to a model in a folder: honest figures, exact reasons, refusals with their reason."""

import hashlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from leadmill.core.faults import BadInput, Fault
from leadmill.learning import Model, pack_model, read_model
from leadmill.learning.artefact import digest_of
from leadmill.learning.boosting import Setting
from leadmill.learning.building import Naming, build
from leadmill.learning.design import draft_features, lay_out, read_by_trees
from leadmill.learning.figures import auc
from leadmill.learning.fitting import Effort, Recipe
from leadmill.learning.kinds import profile
from leadmill.learning.model import Manifest, NumberFeature
from leadmill.learning.picture import picture
from leadmill.learning.service import Asked, evaluate, look_at, predict, read_table, train
from leadmill.learning.training import Trained
from tests.learning.made import Columns, leads, table, with_outcome, write

LIGHT = Effort(tries=1, folds=3, seeds=1, threads=1, seed=5)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROWS = 600
RECIPE = Recipe(8.0, Setting(), 40, 0.5, 1)
Made = tuple[Path, Model, Trained, Columns]


def silent(stage: str, done: int, total: int | None) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One model for all tests here: visits rising, a leak, a group to audit, a few rows without an outcome."""
    folder = tmp_path_factory.mktemp("learning")
    columns, labels = leads(ROWS)
    whole = with_outcome(columns, labels)
    whole["Tags"] = ["signed" if label else "open" for label in labels]
    whole["day"] = [f"2026-{1 + row // 60:02d}-{1 + row % 28:02d}" for row in range(ROWS)]
    whole["won"][:10] = [""] * 10
    read = read_table(write(folder / "leads.csv", whole), silent)
    asked = Asked(target="won", monotone={"visits": 1}, protected=("group",), time="day", effort=LIGHT)
    trained, card = train(read, asked, look_at(read.table, asked), folder / "model", NOW, silent)
    assert card["data"]["without_outcome"] == 10
    return folder, read_model(folder / "model"), trained, columns


def row_of(columns: Columns, row: int) -> dict[str, str]:
    return {name: cells[row] for name, cells in columns.items()}


def test_a_leak_is_left_out_and_the_rest_learned(made: Made) -> None:
    _, model, trained, _ = made
    assert "Tags" in trained.look.left_out
    assert {"visits", "source", "work"} <= {column.name for column in model.columns}
    assert "group" not in {column.name for column in model.columns}
    assert 0.65 < trained.held.auc < 0.95


def test_one_row_scores_as_it_does_among_many(made: Made) -> None:
    _, model, _, columns = made
    many = model.score_columns(columns, ROWS, 1)
    alone = [model.score(row_of(columns, row)).probability for row in range(0, ROWS, 30)]
    assert np.allclose(alone, many[::30], atol=1e-12)


def test_numbers_and_their_texts_score_alike(made: Made) -> None:
    _, model, _, _ = made
    assert model.score({"visits": 3.5, "source": "Referral "}) == model.score({"visits": "3.5", "source": "referral"})


def test_effects_add_up_to_the_score(made: Made) -> None:
    _, model, _, columns = made
    for row in (0, 17, 333):
        values = row_of(columns, row)
        assert sum(model.effects(values).values()) + model.form.intercept == pytest.approx(
            model.score(values).log_odds, abs=1e-9
        )


def test_what_speaks_against_a_low_score_comes_first(made: Made) -> None:
    _, model, _, _ = made
    low = model.reasons({"visits": "0.1", "source": "banner", "work": ""}, 3)
    high = model.reasons({"visits": "12", "source": "referral", "work": "employed"}, 3)
    assert low[0].effect < 0 < high[0].effect
    assert high[0].says == f"visits is 12, which multiplies the odds by {np.exp(high[0].effect):.2f}."


def test_a_monotone_column_never_turns(made: Made) -> None:
    _, model, _, _ = made
    for source in ("search", "referral", "", "never seen"):
        chances = [model.score({"visits": x / 4, "source": source, "work": "student"}).probability for x in range(80)]
        assert all(after >= before - 1e-12 for before, after in pairwise(chances))


def test_what_was_never_seen_and_what_is_missing_is_counted(made: Made) -> None:
    _, model, _, _ = made
    found = model.score({"visits": "2", "source": "carrier pigeon"})
    assert (found.unseen, found.missing >= 1) == (1, True)


def test_the_same_seed_makes_the_same_model() -> None:
    columns, labels = leads(300)
    whole = table(columns)
    used = [profile(name, column) for name, column in whole.columns.items()]
    names = Naming("won", "yes")
    first, second = (build(whole, used, labels, {}, LIGHT, names, silent, RECIPE).model() for _ in range(2))
    assert first.digest == second.digest


def test_the_card_tells_the_tests_in_time_and_the_audit(made: Made) -> None:
    folder, model, trained, _ = made
    assert model.card["digest"] == model.digest
    assert model.card["holdout"]["by"] == "time"
    assert trained.chronological is not None
    assert [one["attribute"] for one in model.card["fairness"]["audits"]] == ["group"]
    text = (folder / "model" / "card.md").read_text(encoding="utf-8")
    assert "## Suspected of knowing the outcome" in text
    assert "### group" in text


def test_a_packed_model_is_the_same_and_an_altered_one_is_refused(made: Made, tmp_path: Path) -> None:
    folder, model, _, columns = made
    packed = pack_model(folder / "model")
    values = row_of(columns, 4)
    assert read_model(packed).score(values) == model.score(values)
    for name in ("model.json", "manifest.json", "card.json"):
        copy = tmp_path / name
        copy.mkdir()
        for file in (folder / "model").iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        (copy / name).write_bytes((copy / name).read_bytes().replace(b"1", b"2", 1))
        with pytest.raises(BadInput) as refused:
            read_model(copy)
        assert refused.value.code in ("learning.model.altered", "learning.model.version")
    for nothing in (tmp_path / "none", b"no zip"):
        with pytest.raises(BadInput) as missing:
            read_model(nothing)
        assert missing.value.code == "learning.model.none"


def test_a_later_file_is_scored_and_held_against_its_outcomes(made: Made) -> None:
    folder, model, _, _ = made
    columns, labels = leads(500, seed=9)
    read = read_table(write(folder / "later.csv", with_outcome(columns, labels)), silent)
    found = evaluate(model, read, silent, ("group",), against=model, refit_every=260, label_delay=50, effort=LIGHT)
    assert found.figures.auc == pytest.approx(auc(labels, model.score_columns(columns, 500, 1)))
    assert found.against is not None
    assert found.against.auc == found.figures.auc
    assert found.rolling is not None
    assert (found.rolling.first, found.rolling.fits) == (260, 1)
    done = predict(model, read, folder / "scores.csv", silent)
    lines = (folder / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert (done.rows, len(lines), lines[0]) == (500, 501, "row,score,reasons")
    assert done.absent == ("day",) or done.absent == ()


@pytest.mark.parametrize(
    ("rows", "change", "said", "code"),
    [
        (900, {}, {"target": "none"}, "learning.target.none"),
        (900, {}, {"exclude": ("none",)}, "learning.column.unknown"),
        (900, {}, {"time": "won"}, "learning.option.malformed"),
        (900, {}, {"monotone": {"source": 1}}, "learning.option.malformed"),
        (150, {}, {}, "learning.rows.few"),
        (900, {"won": "yes"}, {}, "learning.target.single"),
        (900, {"won": "rare"}, {}, "learning.events.few"),
        (900, {"won": "three"}, {}, "learning.target.values"),
        (900, {}, {"positive": "perhaps"}, "learning.target.values"),
        (900, {}, {"exclude": ("visits", "source", "work", "group")}, "learning.columns.none"),
    ],
)
def test_too_little_is_refused_with_the_reason(rows: int, change: Columns, said: dict, code: str) -> None:
    columns, labels = leads(rows)
    whole = with_outcome(columns, labels)
    match change.get("won"):
        case "yes":
            whole["won"] = ["yes"] * rows
        case "rare":
            whole["won"] = ["yes"] * 9 + ["no"] * (rows - 9)
        case "three":
            whole["won"] = ["yes", "no", "later"] * (rows // 3)
    with pytest.raises(Fault) as refused:
        look_at(table(whole), Asked(**{"target": "won", **said}))
    assert refused.value.code == code


def test_a_folder_of_the_first_format_is_read_as_it_was(made: Made, tmp_path: Path) -> None:
    folder, model, _, columns = made
    old = tmp_path / "old"
    form = msgspec.structs.replace(
        model.form,
        format=1,
        features=tuple(
            msgspec.structs.replace(one, slope=0.0, low=0.0, high=0.0, middle=0.0)
            if isinstance(one, NumberFeature)
            else one
            for one in model.form.features
        ),
    )
    plain = msgspec.to_builtins(form)
    for one in plain["features"]:
        for name in ("slope", "low", "high", "middle"):
            one.pop(name, None)
    body, trees = msgspec.json.encode(plain), (folder / "model" / "trees.txt").read_bytes()
    files = {"model.json": body, "trees.txt": trees}
    old.mkdir()
    for name, each in files.items():
        (old / name).write_bytes(each)
    sums = {name: hashlib.sha256(each).hexdigest() for name, each in files.items()}
    (old / "manifest.json").write_bytes(msgspec.json.encode(Manifest(1, digest_of(body, trees), sums)))
    read = read_model(pack_model(old))
    assert read.form == form
    assert 0.0 < read.score(row_of(columns, 0)).probability < 1.0


def test_a_number_that_acts_evenly_is_learned_as_a_slope_that_ends_where_rows_do() -> None:
    draw = np.random.default_rng(31)
    value = draw.normal(50, 10, 3_000)
    labels = (draw.random(3_000) < 1.0 / (1.0 + np.exp(-(value - 50) / 5))).astype(np.float64)
    columns = {"even": [f"{one:.4f}" for one in value]}
    whole = table(columns)
    told = [profile(name, column) for name, column in whole.columns.items()]
    recipe = Recipe(32.0, Setting(), 10, 0.0, 1, 64.0)
    model = build(whole, told, labels, {}, LIGHT, Naming("won", "yes"), silent, recipe).model()
    z = [model.score({"even": one}).log_odds for one in (40, 45, 50, 55, 60, 500, 5_000)]
    assert [round(later - earlier) for earlier, later in pairwise(z[:5])] == [1, 1, 1, 1]
    assert z[5] == z[6]
    several = {"even": ["40", "52.5", "", "9999"]}
    alone = [model.score({"even": one}).probability for one in several["even"]]
    np.testing.assert_allclose(model.score_columns(several, 4, 1), alone, rtol=1e-12)


def test_levels_of_many_rows_read_one_rate_each_and_small_ones_never_their_own() -> None:
    draw = np.random.default_rng(32)
    rows = 1_000
    level = np.where(np.arange(rows) < 900, np.arange(rows) % 3, 3 + np.arange(rows) % 10)
    labels = (draw.random(rows) < 0.3).astype(np.float64)
    whole = table({"c": [f"l{one}" for one in level]})
    design = lay_out(whole, draft_features(whole, [profile("c", whole.columns["c"])]))
    every, folds = np.arange(rows), np.arange(rows) % 5
    here, _, _ = read_by_trees(design, labels, every, every[:1], folds)
    assert [len(np.unique(here[level == one])) for one in range(3)] == [1, 1, 1]
    other = labels.copy()
    other[950] = 1.0 - other[950]
    again, _, _ = read_by_trees(design, other, every, every[:1], folds)
    assert again[950, 0] == here[950, 0]


def test_the_picture_is_the_same_each_time_and_well_formed(made: Made) -> None:
    folder, model, _, _ = made
    drawn = (folder / "model" / "calibration.svg").read_text(encoding="utf-8")
    assert drawn == picture(model.card)
    assert "calibration.svg" in (folder / "model" / "card.md").read_text(encoding="utf-8")
    card = dict(model.card, target='<script>"&\x07', importance=[{"column": "a<b", "mean_effect": 0.0}])
    root = ElementTree.fromstring(picture(card))
    assert root.tag.endswith("svg")
    assert "a&lt;b" in picture(card)
    bands = [{"rows": 40, "score": 0.004, "rate": 0.0}]
    ElementTree.fromstring(picture(dict(card, holdout=dict(card["holdout"], calibration=bands))))


def test_a_folder_that_holds_something_else_is_left_alone(made: Made, tmp_path: Path) -> None:
    folder, _, _, _ = made
    (tmp_path / "thesis.txt").write_text("years of work")
    read = read_table(folder / "leads.csv", silent)
    asked = Asked(target="won", protected=("group",), effort=LIGHT)
    with pytest.raises(BadInput) as refused:
        train(read, asked, look_at(read.table, asked), tmp_path, NOW, silent)
    assert refused.value.code == "learning.folder.taken"
