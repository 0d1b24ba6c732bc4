"""“Data map” and “Agreements”: what is held of whom and where it goes, and what was agreed with whoever gets it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from litestar import get
from litestar.di import NamedDependency

from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.personal import agreements_now, installed, map_now
from leadmill.privacy import COVERS, KINDS_OF_DATA, Column, DataMap, Goes, Standing, read_notes
from leadmill.runtime.records import history

_SHOWN_KINDS = ("personal", "sensitive", "sealed", "hash", "pseudonym", "secret")
_MOST_VERSIONS = 5
_FEW = 3
"""So many recipients stand by their names; more are a number that opens."""


@get("/data-map", include_in_schema=False)
async def map_page(desk: NamedDependency[Desk]) -> Page:
    """Where data goes, field by field of a vertical; and every table with what it holds."""
    drawn = map_now(desk.wiring.rules, installed())
    verticals = sorted((name, each.title) for name, each in desk.wiring.rules.verticals.items())
    asked = desk.request.query_params.get("vertical")
    chosen = asked if asked in desk.wiring.rules.verticals else verticals[0][0] if verticals else ""
    return desk.show(
        "datamap.html",
        "data-map",
        verticals=verticals,
        chosen=chosen,
        fields=[
            {"use": one, "goes": _grouped(one.goes)}
            for one in drawn.fields
            if one.vertical == chosen and one.kind != "operational"
        ],
        others=sum(one.vertical == chosen and one.kind == "operational" for one in drawn.fields),
        goes=_ways(drawn.goes),
        recipients=len(drawn.goes),
        tables=_tables(drawn),
        kinds=KINDS_OF_DATA,
        columns=len(drawn.columns),
    )


def _grouped(goes: Sequence[str]) -> list[dict[str, Any]]:
    """Recipients such as ``buyer helio`` by kind: a few by their names, many as a number that opens."""
    found: dict[str, list[str]] = {}
    for each in goes:
        kind, _, ident = each.partition(" ")
        found.setdefault(kind, []).append(ident)
    return [_group(kind, idents) for kind, idents in found.items()]


def _group(kind: str, idents: list[str]) -> dict[str, Any]:
    many = f"{len(idents):,} {kind}s"
    return {"says": many if len(idents) > _FEW else ", ".join(idents), "idents": idents if len(idents) > _FEW else []}


def _ways(goes: Sequence[Goes]) -> list[dict[str, Any]]:
    """Everybody who gets the same by the same way as one line; whoever lacks an agreement is counted."""
    found: dict[tuple[str, str, bool, tuple[str, ...]], list[Goes]] = {}
    for each in goes:
        found.setdefault((each.kind, each.by, each.everything, each.fields), []).append(each)
    return [
        {
            **_group(kind, [each.id for each in them]),
            "kind": kind,
            "by": by,
            "everything": everything,
            "fields": fields,
            "where": sorted({each.where for each in them if each.where}),
            "agreed": sum(bool(each.agreement) for each in them),
            "lacking": sum(not each.agreement for each in them),
        }
        for (kind, by, everything, fields), them in found.items()
    ]


def _tables(drawn: DataMap) -> list[dict[str, Any]]:
    """Each table once, those with something personal first."""
    notes, found = read_notes(), []
    for name, group in groupby(drawn.columns, key=lambda one: one.table):
        columns = list(group)
        found.append(
            {
                "name": name,
                "why": notes[name].why,
                "whose": notes[name].whose,
                "stays": columns[0].stays,
                "kinds": [(kind, _of_kind(columns, kind)) for kind in _SHOWN_KINDS if _of_kind(columns, kind)],
                "others": sum(one.kind not in _SHOWN_KINDS for one in columns),
            }
        )
    order = ("consumers", "operators", "parties", "house")
    return sorted(found, key=lambda one: (order.index(str(one["whose"])), one["name"]))


def _of_kind(columns: list[Column], kind: str) -> list[str]:
    return [f"{one.name} ({one.holds})" if one.holds else one.name for one in columns if one.kind == kind]


@get("/agreements", include_in_schema=False)
async def agreements_page(desk: NamedDependency[Desk]) -> Page:
    """How it stands with everybody who gets or handles personal data, what lacks first."""
    found = agreements_now(desk.wiring.rules, installed(), desk.now.date())
    async with desk.wiring.db.begin(still=True) as tx:
        versions = {each.id: await history(tx, "agreement", each.id) for one in found for each in one.agreements}
    return desk.show(
        "agreements.html",
        "agreements",
        rows=[_row(one) for one in found],
        gaps=sum(bool(one.lacking) for one in found),
        soon=sum(one.soon for one in found),
        covers=COVERS,
        versions={ident: each[1 : _MOST_VERSIONS + 1] for ident, each in versions.items()},
        today=desk.now.date(),
    )


def _row(one: Standing) -> dict[str, Any]:
    return {
        "partner": one.partner,
        "id": one.id,
        "name": one.name,
        "agreements": one.agreements,
        "contract": one.contract,
        "covers": one.covers,
        "lacking": one.lacking,
        "ends": one.ends,
        "soon": one.soon,
        "lapsed": one.lapsed,
        "refused": one.refused,
        "href": "/buyers" if one.partner == "buyer" else "/providers" if one.partner == "provider" else None,
    }


ROUTES = [map_page, agreements_page]
