"""The packs that come with Leadmill, and the finding of packs."""

import json
from pathlib import Path

import pytest

from leadmill.capture import Lexicon, read_verticals, vertical_names
from leadmill.capture.readers import fold
from leadmill.core.faults import BadInput, Permanent
from leadmill.core.predicates import fields_of, parse
from leadmill.flow.planning import plain_verticals
from leadmill.runtime.packs import digest_of, load_packs, read_pack

PACKS = load_packs()
VERTICALS = read_verticals(PACKS)
NAMES = sorted(VERTICALS)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_every_vertical_of_the_contract_is_there():
    assert set(NAMES) >= {
        "mortgage", "insurance_auto", "insurance_health", "insurance_medicare", "legal", "solar", "education",
        "home_services", "b2b",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_vertical_knows_at_least_twenty_fields_of_its_own(name):
    assert len(PACKS.verticals[name].file("fields.toml")["fields"]) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_no_name_in_a_vertical_means_two_things(name):
    vertical = VERTICALS[name]
    taken: dict[str, str] = {}
    for section, specs in (("fields", vertical.fields), ("context", vertical.context), ("consent", vertical.consent)):
        for field, spec in specs.items():
            for word in {fold(alias) for alias in (*spec.aliases, *([field] if section != "consent" else []))}:
                assert taken.setdefault(word, f"{section}.{field}") == f"{section}.{field}", word


@pytest.mark.parametrize("name", NAMES)
def test_no_answer_of_a_choice_means_two_things(name):
    for spec in VERTICALS[name].fields.values():
        taken: dict[str, str] = {}
        for choice in spec.choices:
            for word in (choice.value, *choice.synonyms):
                assert taken.setdefault(fold(word), choice.value) == choice.value, (spec.name, word)


@pytest.mark.parametrize("name", NAMES)
def test_a_scorecard_looks_only_at_fields_that_exist(name):
    card = PACKS.verticals[name].file("scorecard.toml")
    for rule in [*card["points"], *card.get("review", [])]:
        for field in fields_of(parse(rule["when"], rule["id"])):
            assert "." in field or field in VERTICALS[name].fields, (rule["id"], field)
    ids = [rule["id"] for rule in [*card["points"], *card.get("review", [])]]
    assert len(ids) == len(set(ids))
    groups = {group["id"] for group in card["groups"]}
    assert {rule["group"] for rule in card["points"]} <= groups


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("home-services", "home_services"),
        ("Home Services", "home_services"),
        ("insurance-auto", "insurance_auto"),
        ("auto_insurance", "insurance_auto"),
        ("Medicare", "insurance_medicare"),
        ("SOLAR", "solar"),
        ("refi", "mortgage"),
    ],
)
def test_a_vertical_is_known_by_its_usual_names(said, meant):
    assert Lexicon(VERTICALS).vertical(said) == meant


def test_a_digest_covers_names_and_bytes():
    one = digest_of({"a": b"1", "b": b"2"})
    assert one == digest_of({"b": b"2", "a": b"1"})
    assert len({one, digest_of({"a": b"12", "b": b""}), digest_of({"ab": b"1", "": b"2"}), digest_of({"a": b"1"})}) == 4


def test_a_later_pack_replaces_an_earlier_one_whole(tmp_path):
    first = write(
        tmp_path / "one",
        {"common/fields.toml": "", "verticals/x/pack.toml": "title = 'old'", "verticals/x/more.toml": ""},
    )
    second = write(tmp_path / "two", {"verticals/x/pack.toml": "title = 'new'"})
    found = load_packs(first, second)
    assert found.verticals["x"].files == {"pack.toml": {"title": "new"}}
    assert set(found.digests) == {"verticals/x", "common/common"}


def test_a_folder_without_packs_is_refused(tmp_path):
    for root in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(Permanent, match=r"packs\.folder\.missing"):
            load_packs(root)


def test_a_pack_that_is_no_toml_is_refused_with_its_place(tmp_path):
    write(tmp_path, {"x/pack.toml": "title = \nx = 1"})
    with pytest.raises(Permanent, match=r"packs\.file\.malformed.*verticals/x/pack\.toml.*line 1"):
        read_pack("verticals", tmp_path / "x")


PACK = "title = 'Pets'\ndedupe_window_days = 7\n"


@pytest.mark.parametrize(
    ("pack", "fields", "says"),
    [
        (PACK + "colour = 'red'", "[fields.a]", "colour"),
        (PACK + "required = ['nme']", "[fields.a]", "nme"),
        ("dedupe_window_days = 7", "[fields.a]", "title"),
        (PACK, "[fields.a]\ntype = 'string'", "type"),
        (PACK, "[fields.a]\ntype = 'choice'", "choices"),
        (PACK, "[fields.a]\nalias = ['b']", "did you mean 'aliases'"),
        (PACK, "[fields.a]\nmin = 'x'", "number"),
        (PACK, "[field.a]", "fields"),
    ],
)
def test_a_pack_that_says_something_unknown_is_refused(tmp_path, pack, fields, says):
    root = write(tmp_path, {"verticals/pets/pack.toml": pack, "verticals/pets/fields.toml": fields})
    root = write(root, {"common/fields.toml": "objects = []\n[fields]\n[consent]\n[context]\n[control]\n"})
    with pytest.raises(BadInput, match=says):
        read_verticals(load_packs(root))


def test_a_required_field_of_a_pack_is_required_of_a_lead(tmp_path):
    root = write(tmp_path, {
        "verticals/pets/pack.toml": PACK + "required = ['email', 'species']",
        "verticals/pets/fields.toml": "[fields.species]",
        "common/fields.toml": "objects = []\n[fields.email]\n[consent]\n[context]\n[control]\n",
    })  # fmt: skip
    assert read_verticals(load_packs(root))["pets"].required == ("email", "species")


def test_the_packs_hold_no_personal_address():
    text = json.dumps({name: pack.files for name, pack in PACKS.verticals.items()}, default=str)
    assert "@" not in text


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ({"vertical": "home-services"}, {"vertical": "home_services"}),
        ({"vertical": "no such"}, {"vertical": "no such"}),
        ({"verticals": ["Auto Insurance", "solar", 1]}, {"verticals": ["insurance_auto", "solar", 1]}),
        (
            {"reps": [{"id": "a", "products": ["home-services"]}, "x"]},
            {"reps": [{"id": "a", "products": ["home_services"]}, "x"]},
        ),
        ({"vertical": 1, "reps": "x"}, {"vertical": 1, "reps": "x"}),
    ],
)
def test_a_record_may_name_a_vertical_by_any_of_its_names(raw, meant):
    assert plain_verticals(raw, vertical_names(VERTICALS)) == meant
