"""The program, as ``python -m leadmill`` and as the command ``leadmill``.

Wiring a house takes two seconds before the first word is read. A command that needs no house starts without it.
"""

import importlib
import sys

_SCORING = "leadmill.interfaces.cli.scoring_alone"
ALONE = {
    "resolve": "leadmill.interfaces.cli.alone",
    "policy": "leadmill.interfaces.cli.policy_alone",
    "scoring train": _SCORING,
    "scoring evaluate": _SCORING,
    "scoring predict": _SCORING,
}
"""Commands that need no house, by their first word or two, and the module whose ``cli`` has them."""
HOUSED = ("--vertical", "--vertical-pack")
"""Options with which they need one after all."""


def start() -> None:
    """Run the command of the arguments."""
    words = sys.argv[1:3]
    alone = ALONE.get(" ".join(words[:1])) or ALONE.get(" ".join(words))
    if alone == _SCORING and any(word.partition("=")[0] in HOUSED for word in sys.argv[3:]):
        alone = None
    importlib.import_module(alone or "leadmill.main").cli()


if __name__ == "__main__":
    start()
