"""``leadmill certificate``: a lead's certificate of consent as a file of its own, and whether such a file is as it was
made."""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.consent import Flaw, Paper, core_of, flaws_of, is_contact, key_of, more_of, take_apart
from leadmill.core.faults import BadInput
from leadmill.flow.certifying import make_certificate, replay_events
from leadmill.interfaces.certificates import more_about, paper_of
from leadmill.interfaces.cli.frame import FINDINGS, DatabaseUrl, HomeDir, Json, document, guarded, out, run, settings
from leadmill.interfaces.house import House, Opener
from leadmill.parties.store import note_reads
from leadmill.runtime.checkpoints import public_keys, read, read_witness, signing_key

_FILE = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A certificate's file.")]


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    family = typer.Typer(help="Certificates of consent as files that prove themselves.", no_args_is_help=True)
    app.add_typer(family, name="certificate")

    @family.command("export", epilog="Example: leadmill certificate export lead_01k9x2m4… --out consent.html")
    def export(
        lead_id: Annotated[str, typer.Argument(metavar="LEAD", help="The lead's id.")],
        to: Annotated[Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="Where to write it.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Write a lead's certificate of consent into one signed page, with the snapshot and the recording in it."""

        async def act(house: House) -> int:
            now = house.clock()
            async with house.db.begin() as tx:
                made = await make_certificate(tx, house.pen, lead_id)
                events = await replay_events(tx, house.pen, made.row)
                key = await signing_key(tx, house.vault, now)
                note_reads(tx, COMMAND_LINE, [lead_id], "certificate export", now)
                note_act(tx, Act(now, COMMAND_LINE, "exported", lead_id))
            more = more_about(made, house.settings.public_url, now, secrets.token_bytes)
            page = paper_of(made, events, more, key)
            _write(to, page)
            told = {
                "lead_id": lead_id,
                "file": str(to),
                "bytes": len(page),
                "sight": made.core.sight,
                "digest": made.digest,
                "key": key.public_key().public_bytes_raw().hex(),
            }
            if as_json:
                document(told)
            else:
                out.print(f"{to}: {len(page):,} bytes, {made.core.sight}, digest {made.digest}", markup=False)
                out.print(f"Signed by {told['key']}", markup=False)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("verify", epilog="Example: leadmill certificate verify consent.html --phone 415-555-0199")
    def verify(
        file: _FILE,
        key: Annotated[str, typer.Option(help="The public key that must have signed it, hex.")] = "",
        email: Annotated[str, typer.Option(help="An e-mail address that it must be about.")] = "",
        phone: Annotated[str, typer.Option(help="A phone number that it must be about.")] = "",
        home: HomeDir = None,
        as_json: Json = False,
    ) -> None:
        """Say whether a certificate's file is as it was made, and where it is not. Opens no database and asks nobody.
        Without --key, the key is the one that the checkpoints in the home folder name, where there are any."""

        def act() -> int:
            wanted = key or _own_key(settings(home, None).home)
            paper = take_apart(_text(file))
            flaws = flaws_of(paper, wanted)
            given = [(kind, value) for kind, value in (("email", email), ("phone", phone)) if value]
            contacts = more_of(paper).contacts if given and not flaws else {}
            for kind, value in given if not flaws else []:
                held = contacts.get(kind)
                if held is None or not is_contact(value, kind, held):
                    flaws.append(Flaw("more", f"it is not about this {kind}"))
            _tell(paper, flaws, wanted, as_json)
            return FINDINGS if flaws else 0

        raise typer.Exit(guarded(act))

    @family.command("key", epilog="Example: leadmill certificate key")
    def key_of_the_house(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Print the public key that certificates are signed with, to be given to whoever checks them."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                await signing_key(tx, house.vault, house.clock())
                keys = await public_keys(tx)
            if as_json:
                document({"keys": keys})
            else:
                for each in keys:
                    out.print(each, markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _tell(paper: Paper, flaws: list[Flaw], wanted: str, as_json: bool) -> None:
    signed = key_of(paper)
    if as_json:
        core = core_of(paper) if not flaws else None
        document(
            {
                "holds": not flaws,
                "flaws": flaws,
                "key": signed,
                "key_expected": wanted or None,
                "lead_id": core.lead_id if core else None,
                "sight": core.sight if core else None,
                "text_sha256": core.disclosure.text_sha256 if core else None,
            }
        )
        return
    for flaw in flaws:
        out.print(f"{flaw.part}: {flaw.says}", markup=False)
    if flaws:
        out.print("This is not the certificate as it was made.")
        return
    core = core_of(paper)
    out.print(f"{core.lead_id}: as it was made ({core.sight}), answered {core.received_at:%Y-%m-%d %H:%M:%S} UTC.")
    out.print(f"Signed by {signed}" + ("" if wanted else "; ask its maker whether that is their key."), markup=False)


def _own_key(home: Path) -> str:
    """The key of the last checkpoint that the home folder keeps; nothing where it keeps none."""
    kept = read_witness(home)
    return read(kept[-1].body).key if kept else ""


def _text(file: Path) -> str:
    data = file.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadInput("consent.paper.malformed", "this is no certificate of consent") from None


def _write(to: Path, page: bytes) -> None:
    """Whole or not at all, readable by its owner alone."""
    handle, draft = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(page)
        Path(draft).replace(to)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
