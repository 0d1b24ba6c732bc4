"""Whole files, resolved from themselves alone."""

import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from benchmarks.persons import Made, companies, consumers, few, historical
from leadmill.linkage import Clusters, Field, Kind, prepare, resolve, weigh
from leadmill.linkage.model import Levels
from leadmill.linkage.pairs import compare_pairs
from leadmill.linkage.table import read_table
from leadmill.linkage.weighing import compare

CONSUMERS = {
    "first_name": Kind.GIVEN_NAME,
    "last_name": Kind.FAMILY_NAME,
    "street": Kind.STREET,
    "zip": Kind.POSTCODE,
    "city": Kind.CITY,
    "phone": Kind.PHONE,
    "birth_date": Kind.DATE,
    "email": Kind.EMAIL,
}
HISTORICAL = {
    "first_name": Kind.GIVEN_NAME,
    "surname": Kind.FAMILY_NAME,
    "dob": Kind.DATE,
    "birth_place": Kind.CITY,
    "postcode_fake": Kind.POSTCODE,
    "gender": Kind.SEX,
    "occupation": Kind.CATEGORY,
}
COMPANIES = {"company": Kind.TEXT, "city": Kind.CITY, "website": Kind.TEXT}


NO_CONTACT = ["birth_date", "email", "phone"]
NO_PLACE = ["email", "street", "zip", "city", "phone"]


def only(*names: str) -> list[str]:
    """The columns that a file of these alone has not."""
    return [name for name in CONSUMERS if name not in names]


def many(chance: random.Random) -> int:
    """From three to eight records of a person."""
    return chance.randint(3, 8)


def pairwise(truth: Sequence[str], found: Sequence[int]) -> tuple[float, float]:
    """Precision and recall over all pairs of records; 1 where there are none."""

    def pairs(groups: Sequence[object]) -> int:
        return sum(count * (count - 1) // 2 for count in Counter(groups).values())

    both = pairs(list(zip(truth, found, strict=True)))
    told, real = pairs(list(found)), pairs(list(truth))
    return both / told if told else 1.0, both / real if real else 1.0


def fields_of(made: Made, kinds: dict[str, Kind]) -> list[Field]:
    return [Field(name, kinds[name]) for name in made.columns if name in kinds]


def resolved(made: Made, kinds: dict[str, Kind]) -> tuple[Clusters, float, float]:
    found = resolve({name: [row[name] for row in made.rows] for name in made.columns}, fields_of(made, kinds))
    return found, *pairwise(made.truth, found.clusters.tolist())


@pytest.mark.parametrize(
    ("made", "kinds", "precision", "recall"),
    [
        pytest.param(consumers(500), CONSUMERS, 0.97, 0.98, id="consumers and their households"),
        pytest.param(consumers(500, gaps=0.4), CONSUMERS, 0.9, 0.8, id="four values in ten missing"),
        pytest.param(consumers(150, copies=many), CONSUMERS, 0.99, 0.98, id="many records each"),
        pytest.param(consumers(500, without=NO_CONTACT), CONSUMERS, 0.85, 0.85, id="names and places only"),
        pytest.param(consumers(500, without=NO_PLACE), CONSUMERS, 0.97, 0.82, id="names and dates only"),
        pytest.param(
            consumers(500, without=only("first_name", "last_name", "phone", "email")),
            CONSUMERS,
            0.98,
            0.98,
            id="families that share a phone, their homes not told",
        ),
        pytest.param(
            consumers(500, without=only("first_name", "last_name", "phone")), CONSUMERS, 0.93, 0.87, id="names, phone"
        ),
        pytest.param(
            consumers(500, without=only("first_name", "last_name", "email")), CONSUMERS, 0.96, 0.92, id="names, e-mail"
        ),
        pytest.param(
            consumers(500, without=only("phone", "email")), CONSUMERS, 0.97, 0.9, id="nothing but phone and e-mail"
        ),
        pytest.param(companies(400), COMPANIES, 0.9, 0.92, id="companies"),
        pytest.param(historical(120), HISTORICAL, 0.9, 0.88, id="noisy people of history"),
    ],
)
def test_a_file_is_told_apart_without_an_example(
    made: Made, kinds: dict[str, Kind], precision: float, recall: float
) -> None:
    _, right, found = resolved(made, kinds)
    assert right >= precision
    assert found >= recall


def test_where_everybody_is_once_hardly_anybody_is_taken_for_another() -> None:
    made = consumers(1500, seed=3, copies=lambda chance: 1)
    found, _, _ = resolved(made, CONSUMERS)
    assert len(set(found.clusters.tolist())) >= 0.99 * len(made.rows)


@pytest.mark.parametrize(("persons", "each"), [(5, 3), (20, 1), (20, 3), (3, 12)])
def test_a_handful_of_records_is_told_apart_too(persons: int, each: int) -> None:
    _, precision, recall = resolved(consumers(persons, copies=lambda chance: each), CONSUMERS)
    assert precision == 1
    assert recall > 0.85


def test_copies_to_the_letter_are_one_person_if_they_say_enough() -> None:
    made = consumers(200, seed=5, gaps=0.0, copies=few)
    rows = made.rows + [made.rows[0]] * 60
    found, _, _ = resolved(Made(made.columns, rows, [*made.truth, *[made.truth[0]] * 60]), CONSUMERS)
    assert len(set(found.clusters[-60:].tolist()) | {int(found.clusters[0])}) == 1


def test_records_that_say_nothing_stand_alone() -> None:
    made = consumers(200, seed=5)
    rows = made.rows + [dict.fromkeys(made.columns, "")] * 5
    found, _, _ = resolved(Made(made.columns, rows, [*made.truth, *"abcde"]), CONSUMERS)
    counts = Counter(found.clusters.tolist())
    assert [counts[cluster] for cluster in found.clusters[-5:].tolist()] == [1] * 5


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_records_are_no_trouble(count: int) -> None:
    rows = consumers(5, gaps=0.0, copies=lambda chance: 1).rows[:count]
    found = resolve(
        {name: [row[name] for row in rows] for name in CONSUMERS}, [Field(*one) for one in CONSUMERS.items()]
    )
    assert found.clusters.tolist() == list(range(count))


@pytest.mark.parametrize("column", ["email", "phone"])
def test_who_has_one_address_or_number_is_one_person_where_nothing_else_is_told(column: str) -> None:
    made = consumers(400, seed=4, gaps=0.0, without=only(column))
    found, precision, _ = resolved(made, CONSUMERS)
    written = [row[column] for row in made.rows]
    assert all(
        len(set(found.clusters[[at for at, one in enumerate(written) if one == value]])) == 1 for value in written
    )
    assert precision > (0.98 if column == "email" else 0.75)  # homes have phones


def test_placeholders_that_hundreds_share_tie_nobody_together() -> None:
    made = consumers(500, seed=9)
    chance = random.Random(5)
    for row in made.rows:
        row["phone"] = "0000000000" if chance.random() < 0.2 else row["phone"]
        row["email"] = "none@none.com" if chance.random() < 0.15 else row["email"]
    _, precision, recall = resolved(made, CONSUMERS)
    assert precision > 0.98
    assert recall > 0.95


def test_hundreds_of_records_are_one_person_alone_in_a_file() -> None:
    _, _, recall = resolved(consumers(1, copies=lambda chance: 300), CONSUMERS)
    assert recall > 0.98


@pytest.mark.parametrize(("persons", "others"), [(1, 400), (3, 0)])
def test_hundreds_of_records_are_one_person_among_others(persons: int, others: int) -> None:
    large, small = consumers(persons, seed=5, copies=lambda chance: 200), consumers(max(1, others), seed=6)
    truth = [*large.truth, *(f"small {one}" for one in small.truth)]
    found, precision, recall = resolved(Made(large.columns, large.rows + small.rows, truth), CONSUMERS)
    assert precision > 0.99
    assert recall > 0.95
    split = len(large.rows)
    precision, recall = pairwise(small.truth, found.clusters[split:].tolist())
    assert precision > 0.95
    assert recall > 0.97


@pytest.mark.parametrize("value", ["", "always the same"])
def test_a_constant_or_empty_column_changes_little(value: str) -> None:
    made = consumers(300, seed=8)
    rows = [{**row, "notes": value} for row in made.rows]
    _, precision, recall = resolved(Made([*made.columns, "notes"], rows, made.truth), {**CONSUMERS, "notes": Kind.TEXT})
    assert min(precision, recall) > 0.96


def test_a_column_of_numbers_that_never_repeat_changes_little() -> None:
    made = consumers(300, seed=8)
    chance = random.Random(1)
    rows = [{**row, "number": str(chance.randrange(10**9))} for row in made.rows]
    kinds = {**CONSUMERS, "number": Kind.IDENTIFIER}
    _, precision, recall = resolved(Made([*made.columns, "number"], rows, made.truth), kinds)
    assert min(precision, recall) > 0.96


def test_the_same_seed_gives_the_same_result() -> None:
    made = historical(60, seed=4)
    first, second = (resolved(made, HISTORICAL)[0] for _ in range(2))
    assert first.clusters.tolist() == second.clusters.tolist()
    assert first.probabilities.tolist() == second.probabilities.tolist()
    assert first.model == second.model


def test_the_order_of_the_records_hardly_matters() -> None:
    made = consumers(300, seed=9)
    order = list(range(len(made.rows)))
    random.Random(2).shuffle(order)
    first = resolved(made, CONSUMERS)[0].clusters
    second = resolved(Made(made.columns, [made.rows[at] for at in order], made.truth), CONSUMERS)[0].clusters
    precision, recall = pairwise([str(first[at]) for at in order], second.tolist())
    assert min(precision, recall) > 0.995


def test_a_probability_says_how_sure_a_record_is_of_its_cluster() -> None:
    made = consumers(500, seed=6, gaps=0.3)
    found, _, _ = resolved(made, CONSUMERS)
    assert ((found.probabilities >= 0) & (found.probabilities <= 1)).all()
    sizes = Counter(found.clusters.tolist())
    together = [found.probabilities[at] for at, cluster in enumerate(found.clusters.tolist()) if sizes[cluster] > 1]
    assert min(together) >= 0.2
    assert float(np.mean(together)) > 0.9


def test_the_learned_model_weighs_one_pair_as_it_weighs_the_file() -> None:
    made = historical(60, seed=4)
    fields = fields_of(made, HISTORICAL)
    found, _, _ = resolved(made, HISTORICAL)
    records = [prepare(fields, row) for row in made.rows]
    for place in range(0, len(found.links), max(1, len(found.links) // 500)):
        a, b = records[found.links.left[place]], records[found.links.right[place]]
        assert weigh(found.model, a, b, found.frequencies).bits == pytest.approx(
            float(found.link_bits[place]), abs=0.01
        )


def test_pairs_by_the_thousand_fall_on_the_levels_of_each_pair() -> None:
    made = consumers(200, seed=2, gaps=0.2)
    for row in made.rows[::7]:
        row["first_name"], row["last_name"] = row["last_name"], row["first_name"]
    fields = fields_of(made, CONSUMERS)
    found, _, _ = resolved(made, CONSUMERS)
    table = read_table({name: [row[name] for row in made.rows] for name in made.columns}, fields)
    seen = compare_pairs(found.model, table, found.links)
    records = [prepare(fields, row) for row in made.rows]
    assert seen.swapped.any()
    for place in range(len(found.links)):
        alone = compare(found.model, records[found.links.left[place]], records[found.links.right[place]])
        swapped = tuple(np.flatnonzero(seen.swapped[:, place]).tolist())
        assert Levels(tuple(seen.levels[:, place].tolist()), swapped) == alone


def test_what_was_learned_can_be_kept() -> None:
    found, _, _ = resolved(consumers(100), CONSUMERS)
    assert msgspec.json.decode(msgspec.json.encode(found.model), type=type(found.model)) == found.model
    assert found.frequencies.unseen.keys() == CONSUMERS.keys()


def test_links_are_shown_between_all_copies_of_two_records() -> None:
    rows = consumers(30, seed=5, gaps=0.0, copies=lambda chance: 1).rows
    changed = {**rows[0], "first_name": f"{rows[0]['first_name']}e"}
    made = Made(list(rows[0]), [rows[0], changed, rows[0], *rows[1:]], ["x"] * (len(rows) + 2))
    found, _, _ = resolved(made, CONSUMERS)
    shown = {tuple(sorted(pair)) for pair in zip(found.links.left.tolist(), found.links.right.tolist(), strict=True)}
    assert {(0, 1), (0, 2), (1, 2)} <= shown
    assert len(shown) == len(found.links) == len(found.link_bits)
