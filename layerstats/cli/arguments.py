"""How arguments are written on the command line."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from layerstats.errors import ArgumentError


def listed(text: str | None) -> list[str] | None:
    """Take a comma-separated list apart; None stays None.

    Examples
    --------
    >>> listed("ask, wash")
    ['ask', 'wash']
    """
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]


def all_or_among(name: str, text: str, known: Collection[str]) -> list[str]:
    """Return all there is for "all", nothing for "none", or those of a comma-separated list; see `among`.

    Examples
    --------
    >>> all_or_among("sensitivity", "all", ["conv1", "conv2"]), all_or_among("sensitivity", "none", ["conv1"])
    (['conv1', 'conv2'], [])
    """
    if text in ("all", "none"):
        return list(known) if text == "all" else []
    return among(name, text, known)


def among(name: str, text: str, known: Collection[str]) -> list[str]:
    """Take a comma-separated list of what there is apart.

    Raises
    ------
    ArgumentError
        If something is in it that is not known; `name` is the option's.

    Examples
    --------
    >>> among("letters", "a, t", ["a", "s", "t"])
    ['a', 't']
    """
    from layerstats.checks import check_choice

    items = listed(text) or []
    for item in items:
        check_choice(name, item, known)
    return items


def pairs_among(name: str, text: str, known: Collection[str]) -> list[tuple[str, str]]:
    """Take pairs of what there is apart.

    Raises
    ------
    ArgumentError
        If something is no pair, a pair of the same, or not known; `name` is the option's.

    Examples
    --------
    >>> pairs_among("pairs", "a:e, t:d", "adet")
    [('a', 'e'), ('t', 'd')]
    """
    from layerstats.checks import check_choice

    found = []
    for item in listed(text) or []:
        first, _, second = item.partition(":")
        if not first or not second or first == second or ":" in second:
            raise ArgumentError(f"--{name} takes two letters each, as a:e, but one is {item!r}.")
        for one in (first, second):
            check_choice(name, one, known)
        found.append((first, second))
    return found


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


def name_and_numbers(text: str) -> tuple[str, dict[str, Any]]:
    """Take NAME?OPTION=NUMBER&OPTION=NUMBER apart.

    Raises
    ------
    ArgumentError
        If something else than a number is given.

    Examples
    --------
    >>> name_and_numbers("adapted?epsilon=0.001")
    ('adapted', {'epsilon': 0.001})
    """
    name, _, numbers = text.partition("?")
    pairs = [one.partition("=") for one in numbers.split("&") if one]
    try:
        return name, {key.strip(): float(value) for key, _, value in pairs}
    except ValueError:
        raise ArgumentError(f"Numbers are given as in {name}?epsilon=0.001, but got {text!r} instead.") from None


def scale_of(text: str) -> tuple[int, int]:
    """Take a scale as it is written on the command line.

    Raises
    ------
    ArgumentError
        It is not written so.

    Examples
    --------
    >>> scale_of("1-5"), scale_of("-3-3")
    ((1, 5), (-3, 3))
    """
    low, _, high = text.strip().rpartition("-")
    try:
        return int(low), int(high)
    except ValueError:
        raise ArgumentError(f"--scale takes the lowest and the highest rating, as 1-5, but got {text!r}.") from None


def part_of(text: str | None) -> tuple[int, int] | None:
    """Take apart which of how many parts of a recording a job makes; None where nothing is said.

    Raises
    ------
    ArgumentError
        It is not written so, or there is no such part.

    Examples
    --------
    >>> part_of("3/64")
    (3, 64)
    """
    from layerstats.checks import check_part  # which numpy comes with

    if text is None:
        return None
    number, _, count = text.partition("/")
    if not (number.strip().isdecimal() and count.strip().isdecimal()):
        raise ArgumentError(f"--shard takes a part and how many there are, as 3/64, but got {text!r} instead.")
    part = int(number), int(count)
    check_part(part)
    return part
