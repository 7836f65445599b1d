"""Statistics for what speech networks encode, layer by layer."""
