"""The pages hold together: links lead somewhere, the tour names every package, words stay plain."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import KINDS, ROOT, blocks_of, links_of, pages, prose_of, where

PICTURES = {
    f"{name}{look}.png"
    for name in ("leads", "lead", "orders", "deliveries", "auctions", "buyer", "import", "form")
    for look in ("", "-dark")
}
LOUD = re.compile(
    r"\b(?:blazing|seamless\w*|cutting.edge|best.in.class|world.class|revolutionary|game.chang\w+|unparalleled|"
    r"effortless\w*|supercharge\w*|leverag\w+|robust|powerful|state.of.the.art|next.gen\w*)\b",
    re.IGNORECASE,
)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]")


def by_name(path: Path) -> str:
    return where(path)


@pytest.mark.parametrize("page", pages(), ids=by_name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    lost = []
    for target in links_of(page):
        place = (page.parent / target).resolve()
        if place.parent == ROOT / "docs" / "pictures":
            # The browser tests take these; where there is no browser there may be none yet.
            if place.name not in PICTURES:
                lost.append(target)
        elif not place.exists():
            lost.append(target)
    assert not lost, f"{where(page)}: {', '.join(lost)}"


def test_the_first_page_shows_every_picture_in_both_looks() -> None:
    shown = {Path(target).name for target in links_of(ROOT / "README.md") if "pictures/" in target}
    assert shown == PICTURES


def architecture() -> list[str]:
    """The packages in the order a lead travels, as the import contracts have it, without those still to come."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["id"] == "order")
    names = [layer.strip("()") for layer in reversed(layers)]
    package = ROOT / "src" / "leadmill"
    return [name for name in names if (package / name).is_dir() or name == "main"]


def test_the_tour_visits_every_package_in_the_order_a_lead_travels() -> None:
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    visited = re.findall(r"^## `(\w+)`", tour, re.MULTILINE)
    assert visited == architecture()
    beside = tour.partition("## Beside the packages")[2]
    for folder in (ROOT / "src").iterdir():
        if folder.is_dir() and not folder.name.startswith((".", "__")) and folder.name != "leadmill":
            assert f"`{folder.name}`" in beside
    assert "`packs`" in beside


def test_every_package_of_the_tour_names_the_file_where_it_decides() -> None:
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    for part in re.split(r"^## ", tour, flags=re.MULTILINE)[1:]:
        found = re.match(r"`(\w+)`", part)
        if found is not None:
            files = re.findall(r"\(\.\./src/leadmill/([\w./]+\.py)\)", part)
            assert any(file.split("/")[0].removesuffix(".py") == found[1] for file in files), found[1]
            assert all((ROOT / "src" / "leadmill" / file).is_file() for file in files)


def test_every_page_of_the_docs_can_be_reached_from_the_first_one() -> None:
    reached: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        for target in links_of(page):
            place = (page.parent / target).resolve()
            todo.extend(sorted(place.glob("*.md")) if place.is_dir() else [place])
    docs = {page for page in pages() if page.is_relative_to(ROOT / "docs")}
    assert not docs - reached, sorted(map(where, docs - reached))


@pytest.mark.parametrize("page", pages(), ids=by_name)
def test_pages_speak_plainly(page: Path) -> None:
    text = prose_of(page)
    assert not LOUD.findall(text)
    assert not EMOJI.findall(text)


def test_decisions_are_numbered_without_a_gap_and_say_what_they_are() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(record.name[:4]) for record in records]
    assert numbers == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# {record.name[:4]} "), where(record)
        assert re.search(r"^Status: (?:accepted|superseded)", text, re.MULTILINE), where(record)


@pytest.mark.parametrize("page", pages(), ids=by_name)
def test_a_fence_says_only_what_a_test_understands(page: Path) -> None:
    for block in blocks_of(page):
        if block.kind:
            assert f"{block.language} {block.kind.partition(' ')[0]}" in KINDS, block.name
