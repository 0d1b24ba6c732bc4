"""The demo business as files: its configuration with the addresses filled in, and the keys that go with it.

Called by ``python -m leadmill_demo --write DIR`` and by whoever loads the demo into a Leadmill.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

WORLD_PORT = 8081
SMTP_PORT = 8082
HOST = "127.0.0.1"


class Prepared(NamedTuple):
    """The demo business on disk: ``business`` is what ``leadmill apply`` reads, ``keys`` the file of its keys,
    ``environ`` the variables that Leadmill needs to apply it and to deliver."""

    business: Path
    keys: Path
    environ: dict[str, str]


def render(world_port: int = WORLD_PORT) -> str:
    """``business.toml`` for stand-ins on this port.

    The same machine goes by two names, because Leadmill rests a failing host as a whole: the buyers that are down now
    and then live on ``localhost``, the others on 127.0.0.1.
    """
    text = files("leadmill_demo").joinpath("business.toml").read_text(encoding="utf-8")
    return text.replace("{world}", f"http://{HOST}:{world_port}").replace("{ailing}", f"http://localhost:{world_port}")


def environment(smtp_port: int = SMTP_PORT) -> dict[str, str]:
    """The demo's keys, and the settings that send Leadmill's mail into the demo's inbox."""
    keys = read_env(files("leadmill_demo").joinpath("demo.env").read_text(encoding="utf-8"))
    return keys | {
        "LEADMILL_SMTP_HOST": HOST,
        "LEADMILL_SMTP_PORT": str(smtp_port),
        "LEADMILL_SMTP_TLS": "none",
        "LEADMILL_MAIL_FROM": "hello@brookmill.example.com",
        "LEADMILL_ALLOW_LOOPBACK": "true",
    }


def read_env(text: str) -> dict[str, str]:
    """The variables of a file of ``NAME=value`` lines; blank lines and ``#`` comments are passed over. Raises
    ValueError naming the line that is neither."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        if not equals or not name.strip().isidentifier():
            raise ValueError(f"line {number} is not NAME=value")
        found[name.strip()] = value.strip().strip('"')
    return found


def write_env(variables: Mapping[str, str]) -> str:
    """The text of such a file; no value needs quoting, so that a shell reads it too."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def prepare(folder: Path, world_port: int = WORLD_PORT, smtp_port: int = SMTP_PORT) -> Prepared:
    """Write ``business.toml`` and ``demo.env`` into ``folder``, which is made where it is missing; the files are
    written anew, since the ports may have changed."""
    folder.mkdir(parents=True, exist_ok=True)
    environ = environment(smtp_port)
    business, keys = folder / "business.toml", folder / "demo.env"
    business.write_text(render(world_port), encoding="utf-8")
    keys.write_text(write_env(environ), encoding="utf-8")
    return Prepared(business, keys, environ)
