"""Tests with people: their design, the page that asks, and what comes back."""

from layerstats.listening.simulated_raters import RaterWorld, simulate_answers

__all__ = ["RaterWorld", "simulate_answers"]
