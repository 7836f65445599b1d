"""Generalised additive mixed models behind one `fit()`."""
