"""Tests with people: their design, the page that asks, and what comes back."""

from layerstats.listening.checklist import reviewer_checklist
from layerstats.listening.design import ListeningDesign, ScalePoint, make_design, read_design
from layerstats.listening.formats import FORMAT_NAMES, MturkBatch, read_answers, write_mturk, write_praat
from layerstats.listening.page import PageLinks, write_page
from layerstats.listening.server import ListeningServer, ReceivedAnswers
from layerstats.listening.simulated_raters import RaterWorld, has_simulated_raters, simulate_answers

__all__ = [
    "FORMAT_NAMES",
    "ListeningDesign",
    "ListeningServer",
    "MturkBatch",
    "PageLinks",
    "RaterWorld",
    "ReceivedAnswers",
    "ScalePoint",
    "has_simulated_raters",
    "make_design",
    "read_answers",
    "read_design",
    "reviewer_checklist",
    "simulate_answers",
    "write_mturk",
    "write_page",
    "write_praat",
]
