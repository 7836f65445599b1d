"""The column glossary, tables as people have them, and frames as CSV, LaTeX and HTML."""

from layerstats.tables.answers import ANSWER_COLUMNS, PROBLEM_COLUMNS, ROLES, TASKS, Answers, check_ratings
from layerstats.tables.check import check_frame
from layerstats.tables.format import format_value
from layerstats.tables.glossary import Column, Glossary, glossary
from layerstats.tables.latex import escape_latex
from layerstats.tables.printing import PrintedResult, text_table
from layerstats.tables.read import read_table
from layerstats.tables.regression import write_regression_table
from layerstats.tables.write import TableFiles, write_csv, write_table

__all__ = [
    "ANSWER_COLUMNS",
    "PROBLEM_COLUMNS",
    "ROLES",
    "TASKS",
    "Answers",
    "Column",
    "Glossary",
    "PrintedResult",
    "TableFiles",
    "check_frame",
    "check_ratings",
    "escape_latex",
    "format_value",
    "glossary",
    "read_table",
    "text_table",
    "write_csv",
    "write_regression_table",
    "write_table",
]
