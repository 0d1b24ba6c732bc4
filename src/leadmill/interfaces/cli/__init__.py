"""The command line: one file a family of commands. Translates words into verbs and their results into text or JSON."""

from leadmill.interfaces.cli.program import program

__all__ = ["program"]
