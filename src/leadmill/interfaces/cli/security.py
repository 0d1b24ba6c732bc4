"""``leadmill security``: who read what, and who may come in."""

from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act, review, span
from leadmill.access.model import ACTS, BreachReport
from leadmill.access.service import breach_report, read_standing, sign_review
from leadmill.core.faults import NotFound
from leadmill.interfaces.cli.frame import (
    FINDINGS,
    DatabaseUrl,
    HomeDir,
    Json,
    document,
    out,
    run,
    settings,
    table,
)
from leadmill.interfaces.house import House, Opener
from leadmill.interfaces.reads import leads_named
from leadmill.parties import read_address
from leadmill.parties.store import find_sign_in

_MOST = 1_000_000
_SHOWN = 50


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    security = typer.Typer(help="Who read what, and who may come in.", no_args_is_help=True)
    app.add_typer(security, name="security")

    @security.command("breach-report", epilog="Example: leadmill security breach-report --since 2026-11-01 --json")
    def breach(
        since: Annotated[str, typer.Option(help="From this day or moment on (UTC).")],
        until: Annotated[str, typer.Option(help="Up to this day or moment (UTC).", show_default="now")] = "",
        whose: Annotated[str, typer.Option("--of", metavar="ID", help="Only of this lead or person.")] = "",
        reader: Annotated[str, typer.Option("--by", metavar="ID", help="Only by this operator or key.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Tell who was shown whose records, when, and what was done about access meanwhile."""

        async def act(house: House) -> int:
            begin, end = span(since, until, house.clock())
            async with house.db.begin() as tx:
                found = await breach_report(
                    tx, begin, end, reader=reader or None, lead_ids=await leads_named(tx, whose), most=_MOST
                )
                note_act(tx, Act(house.clock(), COMMAND_LINE, "breach_report", whose))
            document(found) if as_json else _tell(found)
            return 0

        run(opener, settings(home, database_url), act)

    @security.command("access-review", epilog="Example: leadmill security access-review --sign-as mara@example.com")
    def access(
        sign_as: Annotated[str, typer.Option(metavar="EMAIL", help="Sign the review as this operator.")] = "",
        note: Annotated[str, typer.Option(help="What was found and done about it; kept with the signature.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Tell who may come in, what they may do, when they last did, and what to look at; ends with 1 if anything."""

        async def act(house: House) -> int:
            now = house.clock()
            async with house.db.begin() as tx:
                found = review(await read_standing(tx), house.entrance.policy, now)
                if sign_as:
                    signer = await find_sign_in(tx, read_address(sign_as))
                    if signer is None:
                        raise NotFound("parties.operator.unknown", "nobody signs in with this address")
                    await sign_review(tx, house.mint, found, signer[0].id, note, now)
            if as_json:
                document(found)
                return FINDINGS if found.remarks else 0
            table(
                "People",
                ["e-mail", "role", "second factor", "last signed in", "to look at"],
                [
                    [
                        each.email + (" (locked out)" if each.disabled else ""),
                        each.role.value,
                        ", ".join(
                            filter(
                                None,
                                (
                                    "code app" if each.totp else "",
                                    f"{each.passkeys} passkeys" if each.passkeys else "",
                                    "elsewhere" if each.outside else "",
                                ),
                            )
                        )
                        or "–",
                        f"{each.signed_in_at:%Y-%m-%d}" if each.signed_in_at else "–",
                        "; ".join(each.remarks) or "–",
                    ]
                    for each in found.operators
                ],
            )
            table(
                "Keys",
                ["id", "owner", "kind", "last used", "to look at"],
                [
                    [
                        each.id,
                        each.owner,
                        each.role.value if each.role else each.kind,
                        f"{each.seen_at:%Y-%m-%d}" if each.seen_at else "–",
                        "; ".join(each.remarks) or "–",
                    ]
                    for each in found.keys
                ],
            )
            if sign_as:
                out.print("Signed.")
            return FINDINGS if found.remarks else 0

        run(opener, settings(home, database_url), act)


def _tell(found: BreachReport) -> None:
    table(
        f"Who was shown what, {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC",
        ["who", "what", "times", "leads", "first", "last"],
        [
            [
                found.names.get(each.reader, each.reader),
                each.what,
                f"{each.reads:,}",
                f"{each.leads:,}",
                f"{each.first:%Y-%m-%d %H:%M}",
                f"{each.last:%Y-%m-%d %H:%M}",
            ]
            for each in found.readers
        ],
        right={2, 3},
    )
    for one in found.acts[:_SHOWN]:
        who = found.names.get(one.who, one.who)
        out.print(f"{one.at:%Y-%m-%d %H:%M} {who} {ACTS.get(one.what, one.what)} {one.about}", markup=False)
    if not found.readers:
        out.print("Nobody was shown a record.")
