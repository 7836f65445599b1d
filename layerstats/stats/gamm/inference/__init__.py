"""A fitted model and what is inferred from it: curves, differences, derivatives, tests, comparisons."""
