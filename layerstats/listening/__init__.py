"""Tests with people: their design, the page that asks, and what comes back."""

from layerstats.listening.design import ListeningDesign, ScalePoint, make_design, read_design
from layerstats.listening.formats import FORMAT_NAMES, read_answers
from layerstats.listening.simulated_raters import RaterWorld, has_simulated_raters, simulate_answers

__all__ = [
    "FORMAT_NAMES",
    "ListeningDesign",
    "RaterWorld",
    "ScalePoint",
    "has_simulated_raters",
    "make_design",
    "read_answers",
    "read_design",
    "simulate_answers",
]
