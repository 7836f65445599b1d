"""The command line: one file a command, heavy imports inside the functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.on_demand import on_demand

if TYPE_CHECKING:
    from layerstats.cli.arguments import all_or_among, among, listed, name_and_numbers, pairs_among, whole_numbers
    from layerstats.cli.long_work import LongWork
    from layerstats.cli.script import run_script

__all__ = [
    "LongWork",
    "all_or_among",
    "among",
    "listed",
    "name_and_numbers",
    "pairs_among",
    "run_script",
    "whole_numbers",
]

_ROOMS = dict.fromkeys(
    ("all_or_among", "among", "listed", "name_and_numbers", "pairs_among", "whole_numbers"), "arguments"
)
__getattr__ = on_demand(__name__, {**_ROOMS, "LongWork": "long_work", "run_script": "script"})
