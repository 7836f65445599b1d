"""What a recording will take, from a few tokens of it."""
