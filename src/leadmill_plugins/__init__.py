"""The providers that come in the box.

Each is registered by an entry point exactly like a stranger's plug-in, is a pure conversation that opens no
socket, and speaks only the words of `leadmill.core`. Leadmill itself never imports this package.
"""
