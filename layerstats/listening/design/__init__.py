"""What is asked of whom: clips, sessions, and the rules that are fixed before anyone listens."""

from layerstats.listening.design.listening_design import ListeningDesign, ScalePoint

__all__ = ["ListeningDesign", "ScalePoint"]
