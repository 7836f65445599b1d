"""The column glossary, and frames as CSV, LaTeX and HTML."""

from layerstats.tables.check import check_frame
from layerstats.tables.glossary import Column, Glossary, glossary

__all__ = ["Column", "Glossary", "check_frame", "glossary"]
