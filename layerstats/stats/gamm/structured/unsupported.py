"""How the structured engine says that a model is not one of its own."""

from __future__ import annotations


class Unsupported(Exception):
    """Something that the structured engine does not express; the message names it ("the basis 'gp'")."""
