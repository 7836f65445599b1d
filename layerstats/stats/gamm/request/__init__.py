"""What an engine is asked to fit, made of a user's table and options."""
