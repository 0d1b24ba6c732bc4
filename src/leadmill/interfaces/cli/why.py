"""``leadmill explain``, ``leadmill verify``, ``leadmill replay``: why, whether it holds, and what else might have
been."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.core.money import Money
from leadmill.flow.asking import ask_after
from leadmill.flow.audit import export
from leadmill.flow.biography import Biography, Passage, read_biography
from leadmill.flow.configure import changed_rules, read_files
from leadmill.flow.replay import Replayed, replay
from leadmill.flow.verify import verify
from leadmill.flow.whatif import Sums, WhatIf, replay_with
from leadmill.interfaces.cli.frame import (
    FINDINGS,
    DatabaseUrl,
    HomeDir,
    Json,
    document,
    err,
    out,
    run,
    settings,
    table,
)
from leadmill.interfaces.house import House, Opener
from leadmill.parties import note_reads


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""

    @app.command("explain", epilog="Example: leadmill explain lead_01k9x2m4…")
    def explain(
        lead_id: Annotated[str, typer.Argument(help="The lead's id.")],
        order: Annotated[
            str | None, typer.Option(metavar="ID", help="Only why this order did not get it, named or not.")
        ] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Tell a lead's whole story: each step, what it heard, its verdict, the rules, the orders, the money."""

        async def act(house: House) -> int:
            if order is not None:
                async with house.db.begin() as tx:
                    found = await ask_after(tx, house.pen, house.book, lead_id, order)
                    note_reads(tx, COMMAND_LINE, [lead_id], "explain", house.clock())
                if as_json:
                    document(found)
                else:
                    why = found.message or "got the lead"
                    out.print(f"{found.order_id} of {found.name}: {why}", markup=False)
                return 0
            async with house.db.begin() as tx:
                story = await read_biography(tx, house.pen, lead_id)
                note_reads(tx, COMMAND_LINE, [lead_id], "explain", house.clock())
            document(plain_biography(story)) if as_json else _tell(story)
            return 0

        run(opener, settings(home, database_url), act)

    @app.command("verify", epilog="Example: leadmill verify --export proof.jsonl.gz")
    def check(
        to: Annotated[
            Path | None,
            typer.Option("--export", metavar="FILE", help="Also write the proof for docs/verify_offline.py."),
        ] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Check the chains, seals and checkpoints, the ledger's sums, caps and budgets, leads against their events."""

        async def act(house: House) -> int:
            report = await verify(house.db, house.pen, house.clock(), house.settings.home)
            written = None
            if to is not None:
                async with house.db.begin() as tx:
                    note_act(tx, Act(house.clock(), COMMAND_LINE, "exported", "proof"))
                written = await export(house.db, house.vault, house.settings.home, to, house.clock())
                err.print(
                    f"{written.file}: {written.pages} pages, {written.rows} rows; key {written.key}", markup=False
                )
            if as_json:
                document({"checked": report.checked, "findings": report.findings, "export": written})
            else:
                for line in report.checked:
                    counted = f"{line.count:,} checked, " if line.count is not None else ""
                    out.print(f"{line.name}: {counted}{line.findings} findings")
                for finding in report.findings:
                    out.print(f"[bold]{finding.code}[/] {finding.where}: {finding.detail}")
                out.print("Everything holds." if not report.findings else f"{len(report.findings)} findings.")
            return FINDINGS if report.findings else 0

        run(opener, settings(home, database_url), act)

    @app.command("replay", epilog="Example: leadmill replay --since 2026-11-01 --with cheaper.toml")
    def again(
        since: Annotated[datetime | None, typer.Option(help="Leads received from this moment on (UTC).")] = None,
        until: Annotated[datetime | None, typer.Option(help="Leads received before this moment (UTC).")] = None,
        with_file: Annotated[
            Path | None, typer.Option("--with", metavar="FILE.toml", help="Decide under this order book instead.")
        ] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Decide recorded leads again: under the rules of their time, or with another order book."""

        async def act(house: House) -> int:
            begin, end = _utc(since), _utc(until)
            if with_file is not None:
                other = changed_rules(read_files([with_file]), house.packs)
                other_found = await replay_with(house.db, house.pen, house.book, other, begin, end, ears=house.kit.ears)
                document(other_found) if as_json else _compare(other_found)
                return 0
            found = await replay(house.db, house.pen, house.book, begin, end)
            document(found) if as_json else _differences(found)
            return FINDINGS if found.differences else 0

        run(opener, settings(home, database_url), act)


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.astimezone().replace(tzinfo=None).astimezone()


def plain_biography(story: Biography) -> dict[str, object]:
    """A biography as a document, without the sealed bytes."""
    lead = story.lead
    return {
        "lead_id": lead.id,
        "state": lead.state.value,
        "reason": lead.reason,
        "vertical": lead.vertical,
        "source": lead.source_id,
        "received_at": lead.received_at,
        "score": lead.score,
        "recipient": lead.recipient,
        "price": Money(lead.price, lead.currency or "USD").decimal() if lead.price is not None else None,
        "currency": lead.currency,
        "revision": lead.revision,
        "forgotten": story.forgotten,
        "steps": story.passages,
        "orders": story.candidates,
        "money": [
            {
                "id": item.id,
                "at": item.at,
                "debit": item.debit,
                "credit": item.credit,
                "amount": item.amount.decimal(),
                "currency": item.amount.currency,
                "kind": item.kind,
            }
            for item in story.money
        ],
    }


def _tell(story: Biography) -> None:
    lead = story.lead
    out.print(f"[bold]{lead.id}[/] {lead.vertical} from {lead.source_id}, {lead.received_at:%Y-%m-%d %H:%M:%S} UTC")
    ending = f"[bold]{lead.state.value}[/]" + (f" to {lead.recipient}" if lead.recipient else "")
    if lead.price is not None and lead.currency:
        ending += f" for {Money(lead.price, lead.currency)}"
    out.print(ending + (f" ({lead.reason})" if lead.reason else ""))
    if story.forgotten:
        out.print("The person was forgotten: what was heard is gone, what was decided remains.")
    for passage in story.passages:
        _passage(passage)
    if story.candidates:
        out.print()
        rows = [
            [item.order_id, item.name, item.price or item.shared_price or "in-house", item.message or "got the lead"]
            for item in story.candidates
        ]
        table("Orders considered", ["order", "recipient", "price", "why"], rows, right={2})
    if story.money:
        out.print()
        rows = [[item.kind, item.debit, item.credit, str(item.amount)] for item in story.money]
        table("Money", ["for", "from", "to", "amount"], rows, right={3})


def _passage(passage: Passage) -> None:
    head = f"\n{passage.at:%H:%M:%S.%f}"[:-3] + f"  [bold]{passage.title}[/]"
    if passage.verdict:
        head += f"  {passage.verdict}"
    out.print(head + (f"  ({passage.code})" if passage.code else ""))
    if passage.message:
        out.print(f"    {passage.message}", markup=False)
    for line in passage.heard:
        out.print(f"    heard: {line}", markup=False)
    for line in passage.learned:
        out.print(f"    {line}", markup=False)
    for rule in passage.rules:
        out.print(f"    rule {rule.id}: {rule.says} [{rule.citation}]", markup=False)


def _differences(found: Replayed) -> None:
    err.print(f"{found.leads:,} leads, {found.steps:,} steps, {found.skipped:,} skipped")
    for step in found.differences[:50]:
        out.print(f"{step.lead_id} {step.step}: was {step.was}, now {step.now}")
    out.print(f"{len(found.differences)} differences")


def _compare(found: WhatIf) -> None:
    err.print(f"{found.leads:,} leads, {found.skipped:,} skipped")
    rows = []
    for item in found.changes[:50]:
        was, now = f"{item.was} {item.was_recipient or ''}", f"{item.now} {item.now_recipient or ''}"
        about = "about " if item.guessed else ""
        rows.append([item.lead_id, was, now, about + _minor(item.now_price - item.was_price)])
    title = f"{found.changed:,} leads would go elsewhere"
    table(title, ["lead", "was", "would be", "difference"], rows, right={3})
    for title, by in (("By recipient", found.by_recipient), ("By source", found.by_source)):
        rows = [_sums(who, one) for who, one in [*sorted(by.items()), ("all", found.total)]]
        columns = [title[3:], "leads", "would be", "money", "would be", "difference"]
        table(title, columns, rows, right={1, 2, 3, 4, 5})
    if found.guessed:
        out.print(f"{found.guessed:,} sales stand on bids that were never heard; ± holds the truth 95 times in 100.")


def _sums(who: str, one: Sums) -> list[str]:
    off = f" ± {_minor(one.error)}" if one.error else ""
    return [
        who,
        f"{one.leads_was:,}",
        f"{one.leads_now:,}",
        _minor(one.was),
        _minor(one.now),
        _minor(one.now - one.was) + off,
    ]


def _minor(amount: int) -> str:
    return f"{amount / 100:,.2f}"
