"""``leadmill key rotate-master``: another master key, while everything goes on."""

import asyncio
import secrets
from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.core.faults import BadInput
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, out, run, settings
from leadmill.interfaces.house import House, Opener
from leadmill.runtime.rotation import Rotated, begin, end, follow, rewrap, under_way
from leadmill.runtime.vault import ENVIRONMENT, fingerprint, read_key, replace_master, set_aside

NEW = "LEADMILL_NEW_MASTER_KEY"
"""The variable that may hold the key to go over to; where the master key comes from the environment it must."""


def add_rotation(keys: typer.Typer, opener: Opener) -> None:
    """Add the command to the family of keys."""

    @keys.command("rotate-master", epilog="Example: leadmill key rotate-master")
    def rotate(
        settle: Annotated[
            float, typer.Option(min=0, max=600, help="Seconds in which every process takes the new key up.")
        ] = 5.0,
        hold: Annotated[
            bool, typer.Option("--hold", help="Let the old key lead to the new one until the command runs again.")
        ] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Go over to another master key: every data key is wrapped anew while leads come in. Repeat it where it was
        broken off. The look-up hashes stay as they are."""

        async def act(house: House) -> int:
            done = await _rotate(house, settle, hold)
            if as_json:
                document(done)
            else:
                rest = "the old key is of no use any more" if done.ended else "the old key still works: run it again"
                out.print(f"{done.rewrapped:,} keys wrapped anew under {done.fingerprint}; {rest}", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


async def _rotate(house: House, settle: float, hold: bool) -> Rotated:
    from_environment = bool(house.environ.get(ENVIRONMENT, "").strip())
    given = house.environ.get(NEW, "").strip()
    db, vault = house.db, house.vault
    async with db.begin() as tx:
        resumed = await under_way(tx, vault)
    if not resumed:
        if from_environment and not given:
            raise BadInput("cli.master.unnamed", f"the key comes from {ENVIRONMENT}: put the new one into {NEW}")
        new = read_key(given, NEW) if given else secrets.token_bytes(32)
        if fingerprint(new) == fingerprint(vault.master):
            raise BadInput("cli.master.same", "the new master key is the one in force")
        await rewrap(db, vault)  # what an earlier change left
        async with db.begin() as tx:
            await begin(tx, vault, new, house.clock())
            note_act(tx, Act(house.clock(), COMMAND_LINE, "master_changed", fingerprint(new)))
        err.print(f"The new master key is {fingerprint(new)}; every process takes it up.", markup=False)
        if not from_environment:
            aside = set_aside(house.settings.home)
            err.print(f"{aside} holds the old one: backups made before open with it.", markup=False)
        async with db.begin() as tx:
            await follow(tx, vault)
    if not from_environment:
        replace_master(house.settings.home, vault.master)
    await asyncio.sleep(settle)
    done = 0
    while fresh := await rewrap(db, vault, _tell):
        done += fresh
    if not hold:
        async with db.begin() as tx:
            await end(tx, vault)
    if from_environment:
        err.print(f"Put the content of {NEW} into {ENVIRONMENT}, wherever Leadmill starts.", markup=False)
    return Rotated(done, fingerprint(vault.master), ended=not hold)


def _tell(done: int) -> None:
    if done:
        err.print(f"{done:,} keys wrapped anew", markup=False)
