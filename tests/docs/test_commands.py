"""Every command that a page tells to run exists, with the options and addresses it is given."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from leadmill.capture import read_verticals
from leadmill.interfaces.api.openapi import describe
from leadmill.main import cli
from leadmill.runtime.packs import load_packs
from tests.docs.pages import ROOT, Block, blocks, pages, prose_of, where

PROGRAM: Any = typer.main.get_command(cli)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OPENAPI = describe(read_verticals(load_packs()), "0")
PATHS = {re.sub(r"\{\w+\}", "*", path): set(verbs) for path, verbs in OPENAPI["paths"].items()}
FILES = {"leads.csv", "leads.xlsx", "map.toml", "business.toml", "forms.toml", "cheaper.toml", "clusters.csv"}
FILES |= {"do-not-contact.csv"}
"""Names that stand for a reader's own files."""


def lines_of(block: Block) -> Iterator[list[str]]:
    """The commands of a block, split into words; continued lines are one, comments are left out."""
    for line in re.sub(r"\\\n\s*", " ", block.text).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def check_leadmill(words: list[str]) -> None:
    """Every word is a command, one of its options or an argument it takes."""
    command: Any = PROGRAM
    rest = list(words)
    while (commands := getattr(command, "commands", None)) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in commands, f"leadmill {' '.join(words)}: no such command"
        command = commands[name]
    options = {option: param for param in command.params for option in param.opts if option.startswith("-")}
    free = [param for param in command.params if param.param_type_name == "argument"]
    given = 0
    while rest:
        word, equals, _ = rest.pop(0).partition("=")
        if word.startswith("-") and word != "--help":
            assert word in options, f"leadmill {' '.join(words)}: no option {word}"
            if not options[word].is_flag and not equals:
                assert rest, f"leadmill {' '.join(words)}: {word} needs a value"
                rest.pop(0)
        elif word != "--help":
            given += 1
    assert given <= len(free) or any(param.nargs == -1 for param in free), f"leadmill {' '.join(words)}: too many words"


def check_curl(words: list[str]) -> None:
    """The address is a route, the method one it has, the body a file of the project, the options well known."""
    verb, path, rest = "get", "", list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-H", "-d", "-X"):
            value = rest.pop(0)
            if word == "-d":
                verb = "post"
                assert (ROOT / value.removeprefix("@")).is_file(), value
            elif word == "-X":
                verb = value.lower()
            else:
                assert re.match(r"[A-Z][\w-]+: .", value), value
        elif word.startswith("http://127.0.0.1:8080"):
            path = word.removeprefix("http://127.0.0.1:8080").partition("?")[0]
        else:
            assert word in ("-s", "-i"), word
    assert verb in PATHS[path]


def check_files(words: list[str]) -> None:
    """What looks like a file of the project is one."""
    for word in words:
        if re.fullmatch(r"@?[\w./-]+\.(?:toml|csv|xlsx|json)", word) and word not in FILES:
            assert (ROOT / word.removeprefix("@")).is_file(), word


@pytest.mark.parametrize("block", blocks("bash", "run"), ids=lambda block: block.name)
def test_what_a_page_tells_to_run_can_be_run(block: Block) -> None:
    for words in lines_of(block):
        program = words[0].removeprefix(".venv/bin/")
        check_files(words[1:])
        if program == "leadmill":
            check_leadmill(words[1:])
        elif program == "curl":
            check_curl(words[1:])
        else:
            assert program == "export", words
            assert re.fullmatch(r"[A-Z_]+=\S+", words[1])


def test_the_parser_of_this_test_knows_a_wrong_option() -> None:
    with pytest.raises(AssertionError, match="no option --porte"):
        check_leadmill(["serve", "--porte", "9"])
    with pytest.raises(AssertionError, match="too many words"):
        check_leadmill(["verify", "everything"])
    with pytest.raises(AssertionError, match="no such command"):
        check_leadmill(["sell", "everything"])
    with pytest.raises(KeyError):
        check_curl(["http://127.0.0.1:8080/v2/leads"])


def test_make_has_every_target_that_a_page_names() -> None:
    named: set[str] = set()
    for block in blocks("sh"):
        for words in lines_of(block):
            if words[0] == "make":
                named |= {word for word in words[1:] if "=" not in word}
    for page in pages():
        named |= set(re.findall(r"`make ([a-z-]+)", prose_of(page)))
    assert {"run", "test"} <= named
    assert named <= TARGETS, named - TARGETS


def test_every_command_named_in_a_sentence_exists() -> None:
    looked_at = 0
    for page in pages():
        for said in re.findall(r"`leadmill ([^`]+)`", prose_of(page)):
            words = shlex.split(said.replace("…", ""))
            # Placeholders of a sentence stand in capitals; benchmarks have options of their own.
            if words[0] != "bench":
                words = [word for word in words if word != "/"]
                check_leadmill(words)
            looked_at += 1
    assert looked_at > 5


def test_every_command_of_the_program_is_named_in_some_page() -> None:
    everything = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    visible = [name for name, command in PROGRAM.commands.items() if not command.hidden]
    unsaid = [name for name in visible if not re.search(rf"leadmill`?,? {name}\b|`{name}`", everything)]
    assert not unsaid, unsaid


def test_the_first_page_runs_something() -> None:
    assert [block for block in blocks("bash", "run") if where(block.page) == "README.md"]
