"""What a name says by itself, and that real names are taken for real."""

import random
from functools import cache
from pathlib import Path

import names
import pytest

from leadmill.facts.letters import Letters, is_odd, is_repetition, is_walk, learn
from leadmill.facts.rules import find_facts, read_name
from leadmill.facts.rules.name import name_facts
from tests.facts.places import NOW, reference

FLAGS = ("placeholder", "gibberish", "keyboard", "profane", "famous", "repeated", "digits", "contact", "company")


def facts_of(first: str, last: str = "", full: str = "") -> dict[str, tuple[object, str]]:
    given = {"first_name": first, "last_name": last, "full_name": full}
    found = find_facts({key: value for key, value in given.items() if value}, {}, reference(), NOW)
    return {fact.key: (fact.value, fact.outcome) for fact in found}


def raised(first: str, last: str = "") -> set[str]:
    return {key.removeprefix("name.") for key, _ in facts_of(first, last).items() if key.removeprefix("name.") in FLAGS}


@cache
def census(file: str) -> list[str]:
    lines = (Path(names.__file__).parent / file).read_text("ascii").splitlines()
    return [line.split()[0].lower() for line in lines]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("Ana", "Lopez", None), ("ana", "lopez", "")),
        (("José", "Núñez", None), ("jose", "nunez", "")),
        (("Mary-Ann", "O'Brien", None), ("mary ann", "obrien", "")),
        (("Dr. Karen", "St. John", None), ("karen", "st john", "")),
        (("Robert", "Smith Jr.", None), ("robert", "smith", "jr")),
        (("Robert", "Smith, III", None), ("robert", "smith", "iii")),
        (("Robert Jr", "Smith", None), ("robert", "smith", "jr")),
        (("Junior", "Diaz", None), ("junior", "diaz", "")),
        (("Łukasz", "Gröning", None), ("lukasz", "groning", "")),
        ((None, None, "Ana Maria Lopez"), ("ana", "maria lopez", "")),
        ((None, None, "Lopez, Ana"), ("ana", "lopez", "")),
        ((None, None, "Ana Lopez, Jr."), ("ana", "lopez", "jr")),
        ((None, None, "Mr. Ng"), ("ng", "", "")),
        (("Ana", None, "Somebody Else"), ("ana", "", "")),
        ((None, None, None), ("", "", "")),
        (("王", "小明", None), ("王", "小明", "")),
    ],
)
def test_a_name_has_one_form_for_comparison(
    given: tuple[str | None, str | None, str | None], expected: tuple[str, str, str]
) -> None:
    name = read_name(*given)
    assert (name.first, name.last, name.suffix) == expected
    assert name.sure is not (given[2] is not None and not given[0])


@pytest.mark.parametrize(
    ("first", "last", "flags"),
    [
        ("Test", "Lead", {"placeholder"}),
        ("Ann", "test", {"placeholder"}),
        ("asdf", "asdf", {"placeholder", "keyboard", "repeated"}),
        ("12345", "", {"placeholder", "digits"}),
        ("Qwerty", "Uiop", {"placeholder", "keyboard"}),
        ("Lkjhg", "Poiuy", {"keyboard"}),
        ("dfgdfg", "Smith", {"keyboard"}),
        ("aaaa", "Smith", {"keyboard"}),
        ("Xkqjzw", "Bvrtplk", {"gibberish"}),
        ("Ann", "Hgfjkdq", {"gibberish"}),
        ("Fuck", "Off", {"profane"}),
        ("Mickey", "Mouse", {"famous"}),
        ("John", "Doe", {"famous"}),
        ("Thomas", "Thomas", {"repeated"}),
        ("Ann3", "Lee", {"digits"}),
        ("ann@example.com", "", {"contact"}),
        ("Ann", "510 283 4567", {"contact"}),
        ("https://shop.example", "Lee", {"contact"}),
        ("Helio", "Solar LLC", {"company"}),
    ],
)
def test_what_nobody_is_called_is_seen(first: str, last: str, flags: set[str]) -> None:
    assert raised(first, last) == flags


REAL = """
Dick Van Dyke; Robert Cockburn; Ann Scunthorpe; Gaylord Focker; Fanny Cummings; Willy Wanker-Smythe; Randy Butt; Long
Dong Nguyen; Phuc Dat Bich; Kike Hernandez; Shota Imanaga; Guro Reiten; Quim Torra; Antonio Bastardo; Rick Santorum;
Fuk Wah Lam; Siu Fuk Cheung; Jon Tester; Christopher Null; Kristi Sample; Ellen Guest; Tess Client; Bo Ng; Xu Li; Wu
Yi; Ho Vu; Aj Mclean; Jo Ek; Io Oo; Nguyen Thi Xuan; Tran Quynh; Ngozi Okonjo-Iweala; Kwame Nkrumah; Chukwuemeka
Nwachukwu; Oluwaseun Adebayo; Thabo Mbeki; Nomzamo Mxenge; Srinivasan Venkataraghavan; Aishwarya Bhattacharjee;
Mukherjee Chakraborty; Jaswinder Singh; Priya Krishnamurthy; Vijay Jhaveri; Krzysztof Szczepanski; Grzegorz
Brzeczyszczykiewicz; Wojciech Przybylski; Zdzislaw Chrzan; Hrvoje Brkic; Vrbka Krc; Srdjan Djokovic; Zhang Xiuying;
Xochitl Quetzal; Cuauhtemoc Ixtlilxochitl; Kealiikanakaoleohaililani Kahanu; Nainoa Ng; Siobhan Mcqueeney; Rhys Llwyd;
Tadhg Og; Aoife Nic Dhonnchadha; Bjork Gudmundsdottir; Hjalmar Thorvaldsson; Kjersti Tveit; Saoirse Ronan; Abdulrahman
Al-Qahtani; Muhammad Qureshi; Iqbal Rizvi; Khadijah Shaikh; Yitzhak Tzvi; Mkrtchyan Hrachya; Giorgi Mchedlishvili;
Tbiliso Gvritishvili; Dwyane Wright; Phyllis Lynch; Schwartz Schmidt; Trew Ewert; Were Poe; Aaron Aab; Lee Lee; Ann
O'Shea; D'Angelo Jones; Mary J; J R Smith; Nosipho Ntshangase; Yvgeny Shcherbakov; Ksenia Vdovina; Jnana Prakash;
Hsiao Tsz; Tjhin Hendra; Njoku Mbonu; Owusu Kyei; Yaw Nsiah; Fyodor Dostoevsky; Mstislav Rostropovich
"""


def test_names_from_everywhere_are_taken_for_names() -> None:
    wrong = {}
    for text in REAL.replace("\n", " ").split(";"):
        first, _, last = text.strip().partition(" ")
        found = facts_of(first, last)
        if found["name.plausible"] != (True, "pass"):
            wrong[text.strip()] = raised(first, last)
    assert not wrong


def test_of_the_census_names_fewer_than_one_in_two_hundred_is_doubted() -> None:
    places = reference()
    for file, first in (("dist.all.last", False), ("dist.male.first", True), ("dist.female.first", True)):
        everyone = census(file)
        doubted = []
        for name in everyone:
            given, family = (name, "miller") if first else ("mary", name)
            found = name_facts(read_name(given, family), f"{given} {family}", places)
            if any(fact.outcome == "fail" for fact in found):
                doubted.append(name)
        assert len(doubted) <= 0.005 * len(everyone), doubted[:50]


def test_the_letters_tell_names_that_they_were_not_learned_from_apart_from_struck_keys() -> None:
    everyone = [name for name in census("dist.all.last") if name.isalpha()]
    letters = Letters(learn(everyone[::2]))
    unseen = everyone[1::2]
    doubted = [name for name in unseen if is_odd(name, letters) or is_walk(name) or is_repetition(name)]
    assert len(doubted) <= 0.005 * len(unseen), doubted[:50]
    rng = random.Random(7)
    struck = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(6, 10))) for _ in range(2_000)]
    mashed = ["".join(rng.choices(rng.choice(("asdfghjkl", "qwertyuiop", "zxcvbnm")), k=8)) for _ in range(2_000)]
    assert sum(is_odd(word, letters) for word in struck) > 0.6 * len(struck)
    assert sum(is_odd(word, letters) for word in mashed) > 0.7 * len(mashed)


def test_figures_that_others_share_their_name_with_are_left_open() -> None:
    for first, last in (("Michael", "Jordan"), ("Peter", "Parker"), ("James", "Bond")):
        found = facts_of(first, last)
        assert found["name.famous"] == (None, "unknown")
        assert found["name.plausible"] == (True, "pass")


def test_a_name_in_other_letters_is_judged_by_nothing() -> None:
    assert raised("Юлия", "Щербакова") == raised("王", "小明") == set()
