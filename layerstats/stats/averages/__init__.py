"""Averages of aligned windows (Krug & Stober 2018, NAvAI), with what can be said of them with certainty.

=====================  ======================================================================================
``reading``            windows and whole tokens of a store, and where each is aligned under every label
``averaging``          how windows are averaged
``speaker_sums``       what the windows of a speaker come to by label
``counted_windows``    the same of windows, a store, or its stored sums
``speaker_bootstrap``  patterns with other speakers
``aligned_averages``   averages by label, and what sets each label apart
``pattern_profiles``   patterns along time or frequency, with bands
``pattern_surfaces``   smooth surfaces of patterns, for the eye only
``testing``            tests of whole maps by permutation, the alignment recomputed
``pattern_panels``     what a figure of one label shows
``speech_and_network`` one test at two alignments: what is in speech, and what the network chooses
``calibration``        how often tests and intervals err, where the truth is known
=====================  ======================================================================================
"""

from layerstats.stats.averages.aligned_averages import AlignedAverages, aligned_averages
from layerstats.stats.averages.pattern_panels import means_and_patterns, panel_averages, pattern_panels
from layerstats.stats.averages.pattern_profiles import pattern_profile
from layerstats.stats.averages.pattern_surfaces import PatternSurfaces, pattern_surfaces
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.reading.events import read_events
from layerstats.stats.averages.reading.letter_delay import LetterDelay, letter_delay
from layerstats.stats.averages.reading.stored_alignments import StoredAlignment, alignment_name, stored_alignments
from layerstats.stats.averages.reading.stored_windows import read_windows
from layerstats.stats.averages.speech_and_network import SpeechAndNetwork, speech_and_network
from layerstats.stats.averages.testing.pattern_tests import PatternTests, pattern_tests
from layerstats.stats.averages.testing.untrained_patterns import UntrainedPatterns, untrained_patterns

__all__ = [
    "AlignedAverages",
    "AlignedWindows",
    "LetterDelay",
    "PatternSurfaces",
    "PatternTests",
    "SpeechAndNetwork",
    "StoredAlignment",
    "UntrainedPatterns",
    "aligned_averages",
    "alignment_name",
    "letter_delay",
    "means_and_patterns",
    "panel_averages",
    "pattern_panels",
    "pattern_profile",
    "pattern_surfaces",
    "pattern_tests",
    "read_events",
    "read_windows",
    "speech_and_network",
    "stored_alignments",
    "untrained_patterns",
]
