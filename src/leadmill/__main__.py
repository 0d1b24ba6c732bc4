"""``python -m leadmill``: the same program as the command ``leadmill``."""

from leadmill.main import cli

if __name__ == "__main__":
    cli()
