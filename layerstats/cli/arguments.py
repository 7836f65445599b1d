"""How arguments are written on the command line."""

from __future__ import annotations


def listed(text: str | None) -> list[str] | None:
    """Take a comma-separated list apart; None stays None.

    Examples
    --------
    >>> listed("ask, wash")
    ['ask', 'wash']
    """
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]
