"""The command line: one file a command, heavy imports inside the functions."""

from layerstats.cli.arguments import listed, name_and_numbers, whole_numbers
from layerstats.cli.script import run_script

__all__ = ["listed", "name_and_numbers", "run_script", "whole_numbers"]
