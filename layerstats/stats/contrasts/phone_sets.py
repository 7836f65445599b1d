"""Two sets of phones and their direction, from one way of writing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from layerstats.errors import ArgumentError

PhoneSet = tuple[str, ...]


def parse_phone_set(phones: str | Collection[str]) -> PhoneSet:
    """Return the phones of one set: ``"p,t,k"`` or a sequence of labels.

    Raises
    ------
    ArgumentError
        The set is empty or names a phone twice.

    Examples
    --------
    >>> parse_phone_set("p, t, k")
    ('p', 't', 'k')
    """
    labels = phones.split(",") if isinstance(phones, str) else list(phones)
    labels = [str(label).strip() for label in labels]
    if not labels or not all(labels):
        raise ArgumentError(f"A set of phones is labels separated by commas, for instance 'p,t,k', but got {phones!r}.")
    if len(set(labels)) < len(labels):
        raise ArgumentError(f"A set of phones names each phone once, but got {phones!r}.")
    return tuple(labels)


def parse_phone_contrast(contrast: str) -> tuple[PhoneSet, PhoneSet]:
    """Return the two sets of a contrast such as ``"s:sh"`` or ``"p,t,k:b,d,g"``; the first minus the second.

    Raises
    ------
    ArgumentError
        There are not two sets separated by one colon, or they share a phone.

    Examples
    --------
    >>> parse_phone_contrast("p,t,k:b,d,g")
    (('p', 't', 'k'), ('b', 'd', 'g'))
    """
    sides = contrast.split(":")
    if len(sides) != 2:
        raise ArgumentError(
            f"A contrast is two sets of phones separated by a colon, for instance 's:sh' or 'p,t,k:b,d,g', "
            f"but got {contrast!r}."
        )
    first, second = parse_phone_set(sides[0]), parse_phone_set(sides[1])
    check_disjoint(first, second)
    return first, second


def check_disjoint(first: Iterable[str], second: Iterable[str]) -> None:
    """Raise `ArgumentError` where the two sets share a phone."""
    shared = sorted(set(first) & set(second))
    if shared:
        raise ArgumentError(f"The two sets of a contrast must not share phones, but both hold {', '.join(shared)}.")
