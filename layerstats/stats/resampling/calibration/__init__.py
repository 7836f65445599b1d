"""How often the tests of difference smooths err, and how often their intervals cover, where the truth is known."""

from layerstats.stats.resampling.calibration.recipes import RECIPES, Recipe
from layerstats.stats.resampling.calibration.running import (
    block_sums,
    calibrate,
    run_blocks,
    run_study,
    shares_of,
    world_named,
)
from layerstats.stats.resampling.calibration.study import calibrate_block
from layerstats.stats.resampling.calibration.worlds import TRUTHS, WORLDS, World

__all__ = [
    "RECIPES",
    "TRUTHS",
    "WORLDS",
    "Recipe",
    "World",
    "block_sums",
    "calibrate",
    "calibrate_block",
    "run_blocks",
    "run_study",
    "shares_of",
    "world_named",
]
