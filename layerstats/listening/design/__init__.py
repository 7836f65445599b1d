"""What is asked of whom: clips, sessions, and the rules that are fixed before anyone listens."""

from layerstats.listening.design.design_checks import PAGE_COLUMNS
from layerstats.listening.design.listening_design import ListeningDesign, ScalePoint
from layerstats.listening.design.make import make_design
from layerstats.listening.design.stored_design import read_design

__all__ = ["PAGE_COLUMNS", "ListeningDesign", "ScalePoint", "make_design", "read_design"]
