"""``leadmill policy check`` and ``leadmill policy explain``: the law asked about cases, and about itself.

Needs no house and no database, so it starts without them (:mod:`leadmill.__main__`).
"""

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from leadmill.interfaces.cli.speaking import FINDINGS, Json, document, err, guarded, out
from leadmill.policy.service import Checked, Told, check_cases, explain_rule, open_engine, read_laws
from leadmill.runtime.settings import read_settings

_SHOWN = 20
"""Lines that are told one by one."""

_Home = Annotated[
    str | None,
    typer.Option("--home", metavar="DIR", help="Folder whose cache keeps the places.", show_default="./.leadmill"),
]


def add_to(app: typer.Typer, opener: object = None) -> None:
    """Add the family to the program; ``opener`` stays closed."""
    policy = typer.Typer(help="Ask the law packs.", no_args_is_help=True)
    app.add_typer(policy, name="policy")

    @policy.callback()
    def top() -> None:
        """Ask the law packs."""

    @policy.command("check", epilog="Example: leadmill policy check cases.jsonl --out results.jsonl")
    def check(
        cases: Annotated[Path, typer.Argument(metavar="CASES.jsonl", help="One case a line.")],
        out_file: Annotated[Path, typer.Option("--out", metavar="RESULTS.jsonl", help="Where one result a case goes.")],
        expect: Annotated[
            bool, typer.Option("--expect", help="Hold each result against what its line expects; a difference is told.")
        ] = False,
        home: _Home = None,
        as_json: Json = False,
    ) -> None:
        """Decide every case: allow, deny, review, or defer and until when, with the rules that speak for it.

        Lines that cannot be read get a review and end the command with status 1.
        """
        raise typer.Exit(guarded(lambda: _check(cases, out_file, expect, home, as_json)))

    @policy.command("explain", epilog="Example: leadmill policy explain TEL-04")
    def explain(
        rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id, such as TEL-04 or ST-TX.")],
        as_json: Json = False,
    ) -> None:
        """Tell what the packs say under a rule's id: when it speaks, what it decides, since when, and by what law."""
        raise typer.Exit(guarded(lambda: _explain(rule, as_json)))


def _check(cases: Path, out_file: Path, expect: bool, home: str | None, as_json: bool) -> int:
    chosen = read_settings(os.environ, **({"home": home} if home else {}))
    engine = open_engine(chosen.home / "cache", chosen.packs)
    counts: dict[str, int] = {}
    told: list[Checked] = []
    encoder = msgspec.json.Encoder()
    with cases.open("rb") as lines, out_file.open("wb") as results:
        for checked in check_cases(engine, lines):
            results.write(encoder.encode(checked.result) + b"\n")
            counts[checked.result.decision] = counts.get(checked.result.decision, 0) + 1
            if checked.fault or (expect and checked.differs):
                told.append(checked)
    if as_json:
        findings = [{"line": one.line, "id": one.result.id, "says": one.fault or one.differs} for one in told]
        document({"cases": sum(counts.values()), "decisions": counts, "findings": findings, "out": str(out_file)})
    else:
        for one in told[:_SHOWN]:
            err.print(f"line {one.line} ({one.result.id}): {one.fault or one.differs}", markup=False)
        if len(told) > _SHOWN:
            err.print(f"{len(told) - _SHOWN:,} more", markup=False)
        words = ", ".join(f"{count:,} {decision}" for decision, count in sorted(counts.items()))
        out.print(f"{sum(counts.values()):,} cases: {words or 'none'}. The results: {out_file}", markup=False)
    return FINDINGS if told else 0


def _explain(ident: str, as_json: bool) -> int:
    found = explain_rule(read_laws(read_settings(os.environ).packs), ident)
    if as_json:
        document([_document(told) for told in found])
        return 0
    for told in found:
        also = f" ({', '.join(told.also)})" if told.also else ""
        out.print(f"{told.id}{also}: {told.decision}. {told.says}", markup=False)
        for name in ("where", "when", "stands", "citation", "pack"):
            out.print(f"  {name:9} {getattr(told, name)}", markup=False)
        if told.obligations:
            out.print(f"  {'asks':9} {', '.join(told.obligations)}", markup=False)
    return 0


def _document(told: Told) -> dict[str, Any]:
    return msgspec.structs.asdict(told)
