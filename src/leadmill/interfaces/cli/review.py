"""``leadmill review``: the review desk on the command line: the queue, decisions, overriding, and how far people agree.

Whoever decides is named by ``--as`` with the address they sign in with, and has the rights they have there. Nothing
personal is shown: what a lead says is told by ``leadmill explain`` and on the pages.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from msgspec import Struct

from leadmill.core.faults import NotFound
from leadmill.core.reasons import State
from leadmill.flow.overriding import hold_lead, mark_lead, override
from leadmill.flow.reviewing import decide_case, gather_cases, terms_of
from leadmill.interfaces.cases import ReviewOut, checked_case, seated, told_case
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, out, run, settings, table
from leadmill.interfaces.house import House, Opener
from leadmill.parties import find_sign_in, read_address
from leadmill.review import (
    CHOICES,
    FEWEST,
    HOLDS,
    MARKS,
    OVERRIDES,
    RECENT,
    REJECTS,
    CaseFilter,
    ReviewTerms,
    Trend,
    by_reason,
    by_reviewer,
    trend,
)
from leadmill.review.service import Reviewer, take, take_next, undo
from leadmill.review.store import find_case, list_cases, pairs_since
from leadmill.runtime.db import Tx

Case = Annotated[str, typer.Argument(metavar="CASE", help="A case's id, as `leadmill review list` tells it.")]
LeadId = Annotated[str, typer.Argument(metavar="LEAD", help="A lead's id.")]
As = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who decides: the address they sign in with.")]
Why = Annotated[str, typer.Option(help="In a few words; sealed with the person's key.")]
_SPAN = timedelta(days=90)


class Overridden(Struct, frozen=True):
    """Where a lead stands after it was overridden."""

    lead_id: str
    state: str


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the family ``review``."""
    family = typer.Typer(help="The review desk: what waits for a person, and what was decided.", no_args_is_help=True)
    app.add_typer(family, name="review")
    _add_looking(family, opener)
    _add_deciding(family, opener)
    _add_overriding(family, opener)


def _add_looking(family: typer.Typer, opener: Opener) -> None:
    @family.command("list", epilog="Example: leadmill review list --overdue")
    def queue(
        reason: Annotated[str | None, typer.Option(help="Only cases of this reason.")] = None,
        vertical: Annotated[str | None, typer.Option(help="Only cases of this vertical.")] = None,
        source: Annotated[str | None, typer.Option(help="Only cases of this source.")] = None,
        overdue: Annotated[bool, typer.Option("--overdue", help="Only cases that are overdue.")] = False,
        limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most to list.")] = 50,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """List the cases that wait, the most urgent first: why, by when, what is at stake, who has them."""

        async def act(house: House) -> int:
            now = house.clock()
            narrow = CaseFilter(reason=reason, vertical=vertical, source_id=source, overdue=now if overdue else None)
            async with house.db.begin() as tx:
                await gather_cases(tx, house.kit, now)
                found = [told_case(one, now) for one in await list_cases(tx, narrow, now, limit=limit)]
            if as_json:
                document(found)
                return 0
            rows = [
                [
                    one.review_id,
                    f"{one.due_at:%Y-%m-%d %H:%M}" + (" overdue" if one.overdue else ""),
                    one.reason,
                    one.rule or "–",
                    one.vertical,
                    "–" if one.worth is None else f"{one.worth} {one.currency}",
                    one.stage,
                    one.holder or "–",
                ]
                for one in found
            ]
            table("Cases", ["case", "due (UTC)", "reason", "rule", "vertical", "at stake", "stage", "held by"], rows)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("show", epilog="Example: leadmill review show rev_01k…")
    def show(case: Case, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Tell a case: why its lead waits, by which rule, by when, and what came of it."""

        async def act(tx: Tx, house: House, _: Reviewer | None) -> ReviewOut:
            one = await find_case(tx, checked_case(case))
            if one is None:
                raise NotFound("review.case.unknown", "there is no such case")
            return told_case(one, house.clock())

        _with(opener, home, database_url, as_json, None, act)

    @family.command("agreement", epilog="Example: leadmill review agreement")
    def agreement(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Tell how far two who decided the same cases agree, of the last ninety days and of the last thirty."""

        async def act(house: House) -> int:
            now = house.clock()
            async with house.db.begin(still=True) as tx:
                pairs = await pairs_since(tx, now - _SPAN)
            late = now - RECENT
            whole, reasons, people = trend(pairs, late), by_reason(pairs, late), by_reviewer(pairs, late)
            if as_json:
                document({"all": whole, "reasons": reasons, "reviewers": people})
                return 0
            rows = [_row("every case", whole)]
            rows += [_row(name, one) for name, one in reasons.items()]
            rows += [_row(name, one) for name, one in people.items()]
            heads = ["", "pairs", "agreed", "share", "kappa", "AC1", "last 30 days"]
            table("Agreement", heads, rows, right={1, 2, 3, 4, 5, 6})
            if whole.whole.skewed:
                err.print("Nearly all was decided alike: kappa misleads, read the share and AC1.")
            if whole.whole.pairs < FEWEST:
                err.print(f"Fewer than {FEWEST} pairs say too little.")
            return 0

        run(opener, settings(home, database_url), act)


def _row(name: str, found: Trend) -> list[str]:
    one, late = found.whole, found.recent
    return [
        name,
        f"{one.pairs:,}",
        f"{one.agreed:,}",
        _within(one.raw, one.raw_limits),
        _within(one.kappa, one.kappa_limits),
        _within(one.ac1, one.ac1_limits),
        _within(late.raw, None) + (" drifts" if found.drifts else ""),
    ]


def _within(value: float | None, limits: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" + (f" ({limits[0]:.2f} to {limits[1]:.2f})" if limits is not None else "")


def _add_deciding(family: typer.Typer, opener: Opener) -> None:
    @family.command("next", epilog="Example: leadmill review next --as mara@example.com")
    def following(
        by: As,
        vertical: Annotated[str, typer.Option(help="Only a case of this vertical.")] = "",
        reason: Annotated[str, typer.Option(help="Only a case of this reason.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take the most urgent case that nobody has."""

        async def act(tx: Tx, house: House, who: Reviewer) -> ReviewOut | None:
            now = house.clock()
            await gather_cases(tx, house.kit, now)
            one = await take_next(tx, who, _terms(house), now, vertical, reason)
            return told_case(one, now) if one is not None else None

        _with(opener, home, database_url, as_json, by, act)

    @family.command("decide", epilog="Example: leadmill review decide rev_01k… reject --ground machine --as mara@a.com")
    def decide(
        case: Case,
        choice: Annotated[str, typer.Argument(metavar="CHOICE", help=f"One of {', '.join(CHOICES)}.")],
        by: As,
        ground: Annotated[str, typer.Option(help=f"Why it is rejected: {', '.join(REJECTS)}.")] = "",
        why: Why = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take a case that nobody else has, and decide it. It is carried out once it can be taken back no more."""

        async def act(tx: Tx, house: House, who: Reviewer) -> ReviewOut:
            now = house.clock()
            one = await take(tx, checked_case(case), who, _terms(house), now)
            done = await decide_case(tx, house.kit, one.id, one.turn, who, choice, ground, why, now)
            return told_case(done, now)

        _with(opener, home, database_url, as_json, by, act)

    @family.command("undo", epilog="Example: leadmill review undo rev_01k… --as mara@example.com")
    def take_back(
        case: Case, by: As, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Take one's latest decision back, until it is carried out; the case is one's own again."""

        async def act(tx: Tx, house: House, who: Reviewer) -> ReviewOut:
            now = house.clock()
            return told_case(await undo(tx, checked_case(case), who, _terms(house), now), now)

        _with(opener, home, database_url, as_json, by, act)


def _add_overriding(family: typer.Typer, opener: Opener) -> None:
    @family.command(
        "override", epilog="Example: leadmill review override lead_01k… --ground rule_wrong --as mara@a.com"
    )
    def bring_back(
        lead: LeadId,
        by: As,
        ground: Annotated[str, typer.Option(help=f"One of {', '.join(OVERRIDES)}.")],
        why: Why = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Bring a lead back that our own judgement rejected or put off; the law is asked anew."""

        async def act(tx: Tx, house: House, who: Reviewer) -> Overridden:
            settled = await override(tx, house.kit, lead, who, ground, why, house.clock())
            return Overridden(lead, settled.state.value)

        _with(opener, home, database_url, as_json, by, act)

    @family.command("hold", epilog="Example: leadmill review hold lead_01k… --ground complaint --as mara@example.com")
    def hold(
        lead: LeadId,
        by: As,
        ground: Annotated[str, typer.Option(help=f"One of {', '.join(HOLDS)}.")],
        why: Why = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Have a lead wait on the desk that could still be sold; nothing sells it meanwhile."""

        async def act(tx: Tx, house: House, who: Reviewer) -> Overridden:
            await hold_lead(tx, house.kit, lead, who, ground, why, house.clock())
            return Overridden(lead, State.REVIEW.value)

        _with(opener, home, database_url, as_json, by, act)

    @family.command("mark", epilog="Example: leadmill review mark lead_01k… --ground made_up --as mara@example.com")
    def mark(
        lead: LeadId,
        by: As,
        ground: Annotated[str, typer.Option(help=f"One of {', '.join(MARKS)}.")],
        why: Why = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Mark a lead as what it was found to be: it is rejected where nobody has it, and stays sold where somebody
        does."""

        async def act(tx: Tx, house: House, who: Reviewer) -> Overridden:
            state = await mark_lead(tx, house.kit, lead, who, ground, why, house.clock())
            return Overridden(lead, state.value)

        _with(opener, home, database_url, as_json, by, act)


def _terms(house: House) -> Callable[[str], ReviewTerms]:
    return lambda vertical: terms_of(house.kit, vertical)


def _with(
    opener: Opener,
    home: str | None,
    database_url: str | None,
    as_json: bool,
    by: str | None,
    act: Callable[[Tx, House, Any], Awaitable[Struct | None]],
) -> NoReturn:
    """Open the house, do it as somebody in one transaction, and tell what came of it."""

    async def inside(house: House) -> int:
        async with house.db.begin() as tx:
            who: Reviewer | None = None
            if by is not None:
                found = await find_sign_in(tx, read_address(by))
                who = seated(found[0] if found is not None else None)
            told = await act(tx, house, who)
        if as_json:
            document(told)
        elif told is None:
            out.print("There is none.")
        else:
            for name, value in msgspec.structs.asdict(told).items():
                if value not in (None, ""):
                    out.print(f"{name}: {value}", markup=False)
        return 0

    run(opener, settings(home, database_url), inside)
