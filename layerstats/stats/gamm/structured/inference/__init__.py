"""Tests of terms: quadratic forms, their spectra and tails, and the parts of a model that they are made of."""
