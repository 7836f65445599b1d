"""Whether a fitted model can be believed: its residuals, its bases, and mgcv's answer to the same question."""
