"""Tests with people: their design, the page that asks, and what comes back."""
