"""The column glossary: every column that layerstats emits, in one file a room. `check_frame` holds frames to it.

A column stands in the file of the room that gives it, in `common.toml` where several do. Its entries are:

kind
    text, number, integer or boolean.
units
    Empty where there are none; s, ms, Hz, samples, tokens, ...
description
    One line for the reader of the CSV.
label
    Heading in print.
minimum, maximum
    Bounds that a value may reach.
choices
    The only values that a text column may hold.
style
    How print shows it: estimate (4 decimals), p, score (2 decimals), integer, seconds, text. By default estimate for
    numbers, integer for integers, text otherwise.
paper
    What LaTeX does where a page is too narrow: keep it (always), leave it out (if room, the default; last: before
    those), never print it (never), say it in the note where it is the same in all rows (setting), or print both ends of
    an interval in one column (ends), headed joined_label.

`[[ordered]]` names pairs of columns that must be in order, row by row, where a frame has both; `[frames]` says what a
frame of a kind must have at least.
"""

from layerstats.tables.glossary.columns import Column, Glossary, glossary, read_glossary

__all__ = ["Column", "Glossary", "glossary", "read_glossary"]
