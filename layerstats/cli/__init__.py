"""The command line: one file a command, heavy imports inside the functions."""

from layerstats.cli.script import run_script

__all__ = ["run_script"]
