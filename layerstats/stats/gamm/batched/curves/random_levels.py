"""What the levels of a random term are: single tokens, a speaker's tokens of one label, or all tokens of a speaker."""

TOKEN, CELL, SPEAKER = "token", "cell", "speaker"
