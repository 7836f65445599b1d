"""How arguments are written on the command line."""

from __future__ import annotations

from layerstats.errors import ArgumentError


def listed(text: str | None) -> list[str] | None:
    """Take a comma-separated list apart; None stays None.

    Examples
    --------
    >>> listed("ask, wash")
    ['ask', 'wash']
    """
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]


def whole_numbers(name: str, text: str) -> list[int]:
    """Take a comma-separated list of whole numbers apart.

    Raises
    ------
    ArgumentError
        If something else is in it; `name` is the option's.

    Examples
    --------
    >>> whole_numbers("plan", "20,40")
    [20, 40]
    """
    items = listed(text) or []
    if not all(item.isdecimal() for item in items):
        raise ArgumentError(f"--{name} takes whole numbers separated by commas, as in 20,40, but got {text!r} instead.")
    return [int(item) for item in items]
