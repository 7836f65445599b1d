"""The command line: one file a command, heavy imports inside the functions."""

from layerstats.cli.arguments import among, listed, name_and_numbers, pairs_among, whole_numbers
from layerstats.cli.long_work import LongWork
from layerstats.cli.script import run_script

__all__ = ["LongWork", "among", "listed", "name_and_numbers", "pairs_among", "run_script", "whole_numbers"]
