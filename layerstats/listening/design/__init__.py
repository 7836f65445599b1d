"""What is asked of whom: clips, sessions, and the rules that are fixed before anyone listens."""

from layerstats.listening.design.listening_design import ListeningDesign, ScalePoint
from layerstats.listening.design.make import make_design
from layerstats.listening.design.stored_design import read_design

__all__ = ["ListeningDesign", "ScalePoint", "make_design", "read_design"]
