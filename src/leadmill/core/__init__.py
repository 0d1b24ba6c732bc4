"""The vocabulary every package speaks.

Stands at the bottom: it imports the standard library and msgspec, nothing else, and every other package may import
any of its modules. It promises plain values, types and pure functions: no clock, no input or output, no randomness
that is not an argument.
"""
