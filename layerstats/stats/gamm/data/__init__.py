"""A user's table made ready for any engine: complete, rows in order of series, factors coded."""
