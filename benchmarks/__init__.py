"""The benchmarks of ``leadmill bench``: each measures its figure beside the machine's or a peer's in one run.

Run as modules by ``leadmill.interfaces.cli.bench``, from a checkout of the repository; not part of the installed
program. ``docs/performance.md`` tells the method and what was seen.
"""
