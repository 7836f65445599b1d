"""Averages of aligned windows (Krug & Stober 2018, NAvAI), with what can be said of them with certainty.

=====================  ======================================================================================
``aligned_windows``    windows, their labels, and where each is aligned under every label
``stored_windows``     windows of a store
``events``             phones and words of whole tokens
``pattern_surfaces``   smooth surfaces of patterns, for the eye only
``speech_and_network`` one test at two alignments: what is in speech, and what the network chooses
``stored_maps``        maps of a layer on disk
``stored_alignments``  which alignments a store knows, and what they are called
``told_phones``        the phone that the letter of a window stands for: its names, onset and centre
``letter_delay``       how long after a phone its letter is told
``pattern_tests``      tests of whole maps by permutation, the alignment recomputed
``pattern_panels``     what a figure of one label shows
``averaging``          how windows are averaged
``speaker_sums``       what the windows of a speaker come to by label
``counted_windows``    the same of windows, a store, or its stored sums
``speaker_bootstrap``  patterns with other speakers
``aligned_averages``   averages by label, and what sets each label apart
``pattern_profiles``   patterns along time or frequency, with bands
``untrained_patterns`` what untrained networks find in the same windows
``noise_windows``      worlds with known truth: noise that a small network listens to
``shuffled_speech``    worlds with known truth: real speech whose letters are shuffled
``average_calibration``how often tests and intervals err in them
=====================  ======================================================================================
"""

from layerstats.stats.averages.aligned_averages import AlignedAverages, aligned_averages
from layerstats.stats.averages.aligned_windows import AlignedWindows
from layerstats.stats.averages.events import read_events
from layerstats.stats.averages.letter_delay import LetterDelay, letter_delay
from layerstats.stats.averages.pattern_panels import panel_averages, pattern_panels
from layerstats.stats.averages.pattern_profiles import pattern_profile
from layerstats.stats.averages.pattern_surfaces import PatternSurfaces, pattern_surfaces
from layerstats.stats.averages.pattern_tests import PatternTests, pattern_tests
from layerstats.stats.averages.speech_and_network import SpeechAndNetwork, speech_and_network
from layerstats.stats.averages.stored_alignments import StoredAlignment, alignment_name, stored_alignments
from layerstats.stats.averages.stored_windows import read_windows
from layerstats.stats.averages.untrained_patterns import UntrainedPatterns, untrained_patterns

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
