"""Ratings and other answers of listeners: cleaning, means, agreement, mixed models of categories, tests."""
