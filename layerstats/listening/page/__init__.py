"""The page that asks: static, self-contained, and what it hands out."""

from layerstats.listening.page.submission import (
    IDENTIFIERS,
    SUBMISSION_COLUMNS,
    GivenAnswer,
    HeadphoneCheck,
    Submission,
    parse_submission,
    submission_rows,
)

__all__ = [
    "IDENTIFIERS",
    "SUBMISSION_COLUMNS",
    "GivenAnswer",
    "HeadphoneCheck",
    "Submission",
    "parse_submission",
    "submission_rows",
]
