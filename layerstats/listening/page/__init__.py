"""The page that asks: static, self-contained, and what it hands out."""

from layerstats.listening.page.content import PageLinks
from layerstats.listening.page.submission import (
    IDENTIFIERS,
    MTURK_FIELD,
    SUBMISSION_COLUMNS,
    GivenAnswer,
    HeadphoneCheck,
    Submission,
    parse_submission,
    submission_rows,
)
from layerstats.listening.page.write import write_page

__all__ = [
    "IDENTIFIERS",
    "MTURK_FIELD",
    "SUBMISSION_COLUMNS",
    "GivenAnswer",
    "HeadphoneCheck",
    "PageLinks",
    "Submission",
    "parse_submission",
    "submission_rows",
    "write_page",
]
