"""What maximization does to the cues of a word: mel trajectories, formant bands, centre of gravity, duration."""

from layerstats.stats.exaggeration.cue_testing import CueTests, cue_tests
from layerstats.stats.exaggeration.exaggerated_curves import Exaggeration, measure_exaggeration
from layerstats.stats.exaggeration.named_cues import Cue, read_cues

__all__ = ["Cue", "CueTests", "Exaggeration", "cue_tests", "measure_exaggeration", "read_cues"]
