"""Tests with people: their design, the page that asks, and what comes back."""

from layerstats.listening.simulated_raters import RaterWorld, has_simulated_raters, simulate_answers

__all__ = ["RaterWorld", "has_simulated_raters", "simulate_answers"]
