"""Built-in providers of facts: a service configured by data, and three that read files or reference data."""
