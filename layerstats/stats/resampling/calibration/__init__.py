"""How often the tests of difference smooths err, and how often their intervals cover, where the truth is known."""

from layerstats.stats.resampling.calibration.study import RECIPES, calibrate
from layerstats.stats.resampling.calibration.worlds import TRUTHS, WORLDS, World

__all__ = ["RECIPES", "TRUTHS", "WORLDS", "World", "calibrate"]
