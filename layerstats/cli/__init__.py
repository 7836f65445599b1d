"""The command line: one file a command, heavy imports inside the functions."""

from layerstats.cli.arguments import listed, whole_numbers
from layerstats.cli.script import run_script

__all__ = ["listed", "run_script", "whole_numbers"]
