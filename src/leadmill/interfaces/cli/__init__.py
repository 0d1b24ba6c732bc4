"""The command line: one file a family of commands. Translates words into verbs and their results into text or JSON."""
