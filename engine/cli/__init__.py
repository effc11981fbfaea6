"""The command line: one file per command, thin, over public names of the rooms below."""

from __future__ import annotations


def main() -> None:
    """`ringdown …`: exit status 0 fine, 1 something wrong was found, 2 used wrongly."""
    import sys

    from engine.cli.app import run

    sys.exit(run())
