"""The command line: one file a command or a family of them. Translates words into verbs and their results into text or JSON."""
