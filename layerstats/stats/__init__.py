"""Frames and stores to results: additive models and what is inferred from them."""
