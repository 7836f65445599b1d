"""Permutation, bootstrap and simulation of additive models, as thousands of refits a minute."""
