"""`layerstats study`: simulations with known truth, of how often tests err and intervals cover."""

from __future__ import annotations

from layerstats.cli.analyses import studies
from layerstats.cli.lazy_group import lazy_app

app = lazy_app(
    "study",
    "Simulate data of which the truth is known: how often do tests err, and how often do intervals cover?",
    {"Studies": studies},
    add_completion=False,
)
