"""What the page is told of a design: what it needs to ask, and nothing that would give an answer away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design import ListeningDesign
from layerstats.listening.design.design_checks import SOUND_COLUMNS
from layerstats.listening.page.headphone_check import ATTEMPTS, NEEDED
from layerstats.listening.page.submission import FORMAT, MTURK_FIELD, SUBMISSION_COLUMNS
from layerstats.listening.page.texts import page_texts


@dataclass(frozen=True)
class PageLinks:
    """Where a page sends answers, and where it sends people.

    Attributes
    ----------
    post_to
        Address that takes the answers as JSON; None where the rater downloads them.
    assign_from
        Address that says which session a rater does; None where the page draws one, if its own address names none.
    completion_code
        The code that everybody is shown after the submission, such as Prolific's. Whoever reads the page's source
        finds it there. By default the page draws one for each rater, which is stored with the answers.
    completion_url
        A link that is shown after the submission; it stands in the page's source as well.

    Examples
    --------
    >>> PageLinks(completion_code="C1A2B3").post_to is None
    True
    """

    post_to: str | None = None
    assign_from: str | None = None
    completion_code: str | None = None
    completion_url: str | None = None

    def __post_init__(self) -> None:
        for name in ("post_to", "assign_from", "completion_url"):
            _check_address(name, getattr(self, name))
        code = self.completion_code
        if code is not None and not (0 < len(code) <= 64 and code.isprintable()):
            raise ArgumentError(f"completion_code must be 1 to 64 characters in one line, but got {code!r}.")


def _check_address(name: str, address: str | None) -> None:
    if address is None:
        return
    try:
        split = urlsplit(address)
        # Browsers send nothing to an address with a password, and policies know hosts in ASCII only.
        wrong = "@" in split.netloc or bool(split.scheme) != bool(split.hostname) or not split.netloc.isascii()
        scheme = "none" if wrong else split.scheme
    except ValueError:
        scheme = "none"
    # These characters would end the source in the page's policy.
    odd = not address or any(sign.isspace() or sign in ";,'\"\\" for sign in address)
    if odd or scheme not in ("", "http", "https") or (name == "completion_url" and not scheme):
        raise ArgumentError(f"{name} must be an address such as https://example.org/answers, but got {address!r}.")


def page_content(
    design: ListeningDesign,
    sounds: Mapping[tuple[str, str], str],
    headphone_trials: list[dict[str, Any]] | None,
    embedded: Mapping[str, str] | None,
    links: PageLinks,
) -> dict[str, Any]:
    """Return what the page is told, as JSON holds it.

    Parameters
    ----------
    design : ListeningDesign
        The test.
    sounds : mapping of (str, str) to str
        What the page knows each sound of the design as, by its column of the clips and its file: an address, or a key
        of `embedded`.
    headphone_trials : list of dict, optional
        `sound` and `quietest` of each trial of the headphone check; None where it is left out.
    embedded : mapping of str to str, optional
        Sounds as data addresses; None where they are files beside the page.
    links : PageLinks
        Where answers and people are sent.

    Returns
    -------
    dict
        Without conditions, right answers, or which trials are catch trials and references.
    """
    numbers = {clip: number for number, clip in enumerate(design.clips["clip"].tolist())}
    return {
        "format": FORMAT,
        "mturk_field": MTURK_FIELD,
        "columns": list(SUBMISSION_COLUMNS),
        "design_hash": design.hash,
        "title": design.title,
        "task": design.task,
        "question": design.question,
        "typed": design.task == "identification" and not design.alternatives,
        "choices": _choices(design),
        "clips": [_clip(row, design.task, sounds) for row in design.clips.to_dict("records")],
        "sessions": _sessions(design, numbers),
        "texts": page_texts(design.texts),
        "headphones": headphone_trials and {"trials": headphone_trials, "needed": NEEDED, "attempts": ATTEMPTS},
        "embedded": None if embedded is None else dict(embedded),
        "post_to": links.post_to,
        "assign_from": links.assign_from,
        "completion_code": links.completion_code,
        "completion_url": links.completion_url,
    }


def _choices(design: ListeningDesign) -> list[dict[str, Any]]:
    if design.task == "opinion":
        if not design.scale:
            raise DataError("The design asks for opinions but has no scale: give the points that can be chosen.")
        return [{"value": point.value, "label": point.label, "anchor": point.anchor} for point in design.scale]
    return [{"value": alternative, "label": alternative, "anchor": ""} for alternative in design.alternatives]


def _clip(row: Mapping[Any, Any], task: str, sounds: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    prompt = row.get("prompt")
    return {
        "clip": str(row["clip"]),
        "sounds": [sounds[column, str(row[column])] for column in SOUND_COLUMNS[task]],
        "prompt": None if prompt is None or pd.isna(prompt) else str(prompt),
        "training": row["role"] == "training",
    }


def _sessions(design: ListeningDesign, numbers: Mapping[str, int]) -> dict[str, list[list[int]]]:
    """Return the trials of each session in their order: which clip, and whether its sounds are swapped."""
    trials = design.trials.sort_values(["session", "position"], kind="stable")
    swapped = trials["swapped"].tolist() if "swapped" in trials else [False] * len(trials)
    sessions: dict[str, list[list[int]]] = {}
    for session, clip, swap in zip(trials["session"].tolist(), trials["clip"].tolist(), swapped, strict=True):
        own = sessions.setdefault(str(int(session)), [])
        own.append([numbers[clip], int(not pd.isna(swap) and bool(swap))])
    return sessions
