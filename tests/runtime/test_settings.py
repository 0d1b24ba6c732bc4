"""Settings: where they come from, what is refused, and their page in the documentation."""

import json
from pathlib import Path
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.runtime.packs import BUILT_IN
from leadmill.runtime.settings import Settings, read_settings, reference, unknown_variables

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_without_anything_the_defaults_hold() -> None:
    read = read_settings({})
    assert read.home == Path.cwd() / ".leadmill"
    assert (read.host, read.port, read.database_url, read.workers) == ("127.0.0.1", 8080, None, 1)
    assert (read.allow_loopback, read.allow_private, read.packs) == (True, False, (BUILT_IN,))


def test_an_option_comes_before_the_environment_and_that_before_the_default(tmp_path: Path) -> None:
    environ = {"LEADMILL_PORT": "9000", "LEADMILL_HOST": "0.0.0.0", "LEADMILL_HOME": "/elsewhere"}
    read = read_settings(environ, port=9001, home=tmp_path, workers=None)
    assert (read.port, read.host, read.home, read.workers) == (9001, "0.0.0.0", tmp_path, 1)


def test_an_empty_variable_counts_as_unset() -> None:
    assert read_settings({"LEADMILL_PORT": " ", "LEADMILL_DATABASE_URL": ""}) == read_settings({})


@pytest.mark.parametrize("home", ["", " "])
def test_a_home_left_empty_on_the_command_line_is_not_the_folder_one_stands_in(home: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_settings({"LEADMILL_HOME": "/elsewhere"}, home=home)
    assert caught.value.code == "config.setting.malformed"
    assert caught.value.detail == "--home: names no folder; write . for the one you are in"
    assert read_settings({}, home=".").home == Path.cwd()


READ = [
    ("ALLOW_PRIVATE", "true", True),
    ("ALLOW_PRIVATE", "Yes", True),
    ("ALLOW_LOOPBACK", "0", False),
    ("ALLOW_LOOPBACK", "off", False),
    ("DATABASE_URL", "postgres://u:p@h/d", "postgres://u:p@h/d"),
    ("PUBLIC_URL", "https://leads.example.com/", "https://leads.example.com"),
    ("LOG_LEVEL", "debug", "debug"),
    ("CONNECTIONS", "25", 25),
    ("PACKS", "/a:/b", (BUILT_IN, Path("/a"), Path("/b"))),
]


@pytest.mark.parametrize(("name", "text", "value"), READ)
def test_variables_are_read_by_their_type(name: str, text: str, value: Any) -> None:
    assert getattr(read_settings({f"LEADMILL_{name}": text}), name.lower()) == value


MALFORMED = [
    ("PORT", "65536"),
    ("PORT", "http"),
    ("PORT", "80.5"),
    ("WORKERS", "0"),
    ("CONNECTIONS", "1"),
    ("ALLOW_PRIVATE", "perhaps"),
    ("LOG_LEVEL", "loud"),
    ("DATABASE_URL", "mysql://u:hunter2@h/d"),
    ("PUBLIC_URL", "leads.example.com"),
    ("SMTP_TLS", "ssl"),
]


@pytest.mark.parametrize(("name", "text"), MALFORMED)
def test_what_cannot_be_used_is_refused_by_name_without_its_value(name: str, text: str) -> None:
    with pytest.raises(BadInput, match=r"config\.setting\.malformed") as caught:
        read_settings({f"LEADMILL_{name}": text})
    assert f"LEADMILL_{name}" in caught.value.detail
    assert "hunter2" not in str(caught.value)


def test_all_faults_are_told_at_once_and_an_option_is_named_as_such() -> None:
    with pytest.raises(BadInput) as caught:
        read_settings({"LEADMILL_PORT": "x"}, database_url="mysql://h", log_level="loud")
    assert [fault.pointer for fault in caught.value.errors] == ["/database_url", "/port", "/log_level"]
    assert "--database-url" in caught.value.detail


def test_an_unknown_variable_is_warned_about_with_the_nearest_known_one(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"LEADMILL_PROT": "1", "LEADMILL_MASTER_KEY": "x", "PATH": "/bin"}
    assert unknown_variables(environ) == ["LEADMILL_PROT"]
    read_settings(environ)
    [entry] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert entry["event"] == "LEADMILL_PROT is no setting: did you mean 'LEADMILL_PORT'?"
    assert entry["level"] == "warning"


TLS = [
    ({}, "starttls"),
    ({"smtp_port": 465}, "implicit"),
    ({"smtp_host": "127.0.0.1", "smtp_port": 1025}, "none"),
    ({"smtp_host": "localhost"}, "none"),
    ({"smtp_host": "localhost", "smtp_tls": "starttls"}, "starttls"),
    ({"smtp_host": "mail.example.com", "smtp_tls": "none"}, "none"),
]


@pytest.mark.parametrize(("given", "expected"), TLS)
def test_mail_is_sealed_unless_it_stays_on_this_machine(given: dict[str, Any], expected: str) -> None:
    assert Settings(**{"smtp_host": "mail.example.com"} | given).mail_tls == expected


def test_the_page_lists_every_setting_with_its_meaning_and_is_up_to_date() -> None:
    page = reference()
    for name in Settings.__struct_fields__:
        [line] = [line for line in page.splitlines() if f"`LEADMILL_{name.upper()}` |" in line]
        assert len(line.split("|")[3].strip()) > 10
    assert str(BUILT_IN) not in page
    assert DOCS.read_text() == page
