"""Providers, chains and authority as a business declares them: what is read, and what is refused with its place."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.enrich import Installed, Limit, read_authority, read_chain, read_provider
from leadmill.enrich.limits import window
from tests.enrich.conftest import FACTS, INSTALLED

OPTIONS: dict[str, Any] = {
    "url": "https://line.example/v1",
    "topics": {"phone": ["phone"]},
    "tells": {"number": "phone"},
    "facts": FACTS,
}


def provider(**more: Any) -> dict[str, Any]:
    return {"id": "linecheck", "plugin": "http", "options": OPTIONS, **more}


def test_a_provider_is_read_whole() -> None:
    spec = read_provider(
        provider(
            price="0.004",
            charge="request",
            keep="90d",
            keep_unknown="12h",
            timeout_ms=800,
            limits=[{"per": "second", "asks": 10}, {"per": "day", "asks": 9000, "spend": "20.00"}],
        ),
        INSTALLED,
    )
    assert (spec.price, spec.charge, spec.keep, spec.timeout_ms) == (4_000, "request", "90d", 800)
    assert spec.limits == (Limit("second", 10), Limit("day", 9_000, 20_000_000))
    assert spec.live is not None
    assert dict(spec.live.topics) == {"phone": ("phone",)}


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        (provider(price=0.004), "config.provider.malformed", "price"),
        (provider(price="0.0000001"), "config.provider.malformed", "six places"),
        (provider(price="-1"), "config.provider.malformed", "price"),
        (provider(keep="30"), "config.provider.malformed", "span"),
        (provider(limits=[{"per": "week", "asks": 1}]), "config.provider.malformed", "per"),
        (provider(limits=[{"per": "day"}]), "config.provider.malformed", "limits nothing"),
        (
            provider(limits=[{"per": "day", "asks": 1}, {"per": "day", "asks": 2}]),
            "config.provider.malformed",
            "another",
        ),
        (provider(plugin="htp"), "config.reference.unknown", "did you mean 'http'?"),
        (provider(prize="1"), "config.provider.malformed", "did you mean 'price'?"),
        (provider(id="own"), "config.provider.malformed", "our own facts"),
        (provider(options={**OPTIONS, "url": "line.example"}), "config.provider.malformed", "whole address"),
        (provider(options={**OPTIONS, "facts": []}), "config.provider.malformed", "finds nothing"),
        (provider(options={**OPTIONS, "tells": {}}), "config.provider.malformed", "told under no name"),
        (provider(options={**OPTIONS, "tells": {"n": "phone", "e": "email"}}), "config.provider.malformed", "no topic"),
        (
            provider(options={**OPTIONS, "auth": {"kind": "bearer", "token": "s3cret"}}),
            "config.provider.malformed",
            "never the secret itself",
        ),
        (
            provider(options={**OPTIONS, "topics": {"phone": ["date_of_birth"]}, "tells": {"d": "date_of_birth"}}),
            "config.provider.card",
            "its card does not let that leave",
        ),
        (provider(options={**OPTIONS, "facts": [{"key": "Nope", "path": "x"}]}), "config.provider.malformed", "key"),
    ],
)
def test_a_provider_that_could_not_work_is_refused(raw: dict[str, Any], code: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_provider(raw, INSTALLED)
    assert caught.value.code == code
    assert says in caught.value.detail
    assert "s3cret" not in caught.value.detail


def test_a_plug_in_without_a_card_is_told_nothing() -> None:
    bare = {"http": Installed(INSTALLED["http"].plugin)}
    with pytest.raises(BadInput) as caught:
        read_provider(provider(), bare)
    assert caught.value.code == "config.provider.card"


def test_a_retired_provider_needs_no_plug_in() -> None:
    assert read_provider(provider(plugin="gone", retired=True), INSTALLED).live is None


def test_a_chain_is_read_whole() -> None:
    chain = read_chain(
        {
            "id": "phones",
            "topic": "phone",
            "verticals": ["solar"],
            "sources": ["acme"],
            "where": [{"field": "phone.valid", "eq": True}],
            "ask": ["linecheck", {"provider": "numberly", "where": [{"field": "state", "in": ["CA"]}]}],
            "wants": ["phone.reachable"],
            "within_ms": 1500,
            "spend": "0.10",
            "limits": [{"per": "day", "spend": "50.00"}],
        }
    )
    assert [link.provider for link in chain.links] == ["linecheck", "numberly"]
    assert (chain.spend, chain.limits, chain.wants) == (
        100_000,
        (Limit("day", None, 50_000_000),),
        ("phone.reachable",),
    )


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"ask": []}, "names nobody"),
        ({"ask": ["a", "a"]}, "names a twice"),
        ({"ask": [{"where": []}]}, "is missing"),
        ({"ask": ["a"], "within": 5}, "did you mean 'within_ms'?"),
        ({"ask": ["a"], "within_ms": 10}, "whole number from 50"),
    ],
)
def test_a_chain_that_could_not_work_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_chain({"id": "phones", "topic": "phone", **more})
    assert caught.value.code == "config.chain.malformed"
    assert says in caught.value.detail


def test_a_condition_that_is_none_is_refused_with_its_place() -> None:
    for more in ({"where": [{"field": "x"}], "ask": ["a"]}, {"ask": [{"provider": "a", "where": [{"field": "x"}]}]}):
        with pytest.raises(BadInput) as caught:
            read_chain({"id": "phones", "topic": "phone", **more})
        assert caught.value.code == "config.predicate.malformed"
        assert "chain phones" in caught.value.detail


def test_authority_is_a_list_of_sources() -> None:
    assert read_authority({"id": "phone.type", "sources": ["linecheck", "own"]}).sources == ("linecheck", "own")
    with pytest.raises(BadInput) as caught:
        read_authority({"id": "phone.type", "sources": "linecheck"})
    assert caught.value.code == "config.authority.malformed"


@pytest.mark.parametrize(
    ("plugin", "options", "text", "says"),
    [
        ("company", {"file": "nowhere.csv"}, None, "cannot be read"),
        ("company", {}, None, "is missing"),
        ("company", None, "name,size\nAcme,1\n", "must name the column domain"),
        ("company", None, "domain,Size of it\na.example,1\n", "lower-case letters"),
        ("company", None, "domain,name\na.example\n", "line 2: has another number of columns"),
        ("demography", None, "zcta,happiness\n94601,1\n", "has a column 'happiness'"),
        ("demography", None, "zcta,population\n94601,many\n", "line 2: holds a text"),
        ("geography", {"places": {"a": [91, 0]}}, None, "lies nowhere"),
        ("geography", {"within": 5}, None, "needs places"),
        ("geography", {"places": {"a": "b"}}, None, "a latitude and a longitude"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(
    plugin: str, options: dict[str, Any] | None, text: str | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text or "")
    with pytest.raises(BadInput) as caught:
        read_provider(
            {"id": "it", "plugin": plugin, "options": {"file": str(path)} if options is None else options}, INSTALLED
        )
    assert caught.value.code == "config.provider.malformed"
    assert says in caught.value.detail


@pytest.mark.parametrize(
    ("per", "starts", "ends"),
    [
        ("second", datetime(2026, 2, 28, 23, 59, 30, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 31, tzinfo=UTC)),
        ("minute", datetime(2026, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        ("hour", datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        ("day", datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        ("month", datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_windows_are_those_of_utc(per: Any, starts: datetime, ends: datetime) -> None:
    assert window(per, datetime(2026, 2, 28, 23, 59, 30, 5, tzinfo=UTC)) == (starts, ends)
    assert window("all", starts)[0].year == 1970
