"""The program, as ``python -m leadmill`` and as the command ``leadmill``.

Wiring a house takes two seconds before the first word is read. A command that needs no house starts without it.
"""

import importlib
import sys

ALONE = {"resolve": "leadmill.interfaces.cli.alone", "policy": "leadmill.interfaces.cli.policy_alone"}
"""Commands that need no house, and the module whose ``cli`` has them."""


def start() -> None:
    """Run the command of the arguments."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    importlib.import_module(ALONE.get(word, "leadmill.main")).cli()


if __name__ == "__main__":
    start()
