"""Ways to fit a GAMM; `registry` lists them in order of preference."""
