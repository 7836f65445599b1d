"""What reviewers of a listening test ask, answered as far as its design, its answers and its cleaning tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from layerstats.checks import check_choice
from layerstats.listening.design.listening_design import ListeningDesign
from layerstats.stats import CleanedAnswers
from layerstats.tables import check_frame

UNKNOWN = "Not known from the files: say it."


@dataclass(frozen=True, eq=False)
class _Test:
    """What is known of a test."""

    answers: pd.DataFrame
    design: ListeningDesign | None
    cleaned: CleanedAnswers | None

    @property
    def tested(self) -> pd.DataFrame:
        """Return the answers that count."""
        table = self.answers if self.cleaned is None else self.cleaned.table
        return table.loc[(table["role"] == "test").to_numpy()] if "role" in table else table

    def said(self, column: str) -> pd.Series:
        """Return what a column says of each rater."""
        if column not in self.answers:
            return pd.Series(dtype=object)
        return pd.Series(self.answers.dropna(subset=[column]).drop_duplicates("rater")[column])


# From a test to (answer, source), or None where nothing is known.
_Filled = tuple[str, str] | None


def reviewer_checklist(
    answers: pd.DataFrame,
    *,
    design: ListeningDesign | None = None,
    cleaned: CleanedAnswers | None = None,
    said: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Fill in what reviewers of listening tests are advised to ask (after Cooper et al. 2025, in our words).

    Parameters
    ----------
    answers : DataFrame
        The table of `read_answers`, before cleaning.
    design : ListeningDesign, optional
        What was asked of whom.
    cleaned : CleanedAnswers, optional
        From `layerstats.stats.clean`.
    said : mapping, optional
        Answers of the authors by item, for what no file knows: ``{"payment": "..."}``. They stand beside what is known.

    Returns
    -------
    DataFrame
        ``item, asked, answer, source``: the source is "design", "answers", "cleaning", "analysis" (what layerstats does
        with any test), "authors", or "unknown".

    Raises
    ------
    ArgumentError
        `said` names an item that there is not.

    Examples
    --------
    >>> given = pd.DataFrame({"rater": ["ann", "bob"], "clip": ["a", "a"], "rating": [4, 5], "condition": "new"})
    >>> found = reviewer_checklist(given, said={"payment": "12 pounds an hour."}).set_index("item")
    >>> found.loc[["raters", "payment", "recruitment"], "answer"].tolist()
    ['2 raters, all of whom count.', '12 pounds an hour.', 'Not known from the files: say it.']
    """
    for item in said or {}:
        check_choice("said", item, list(ITEMS))
    test = _Test(answers, design, cleaned)
    rows = []
    for item, (asked, fill) in ITEMS.items():
        filled = fill(test)
        parts = [] if filled is None else [filled]
        if said and item in said:
            parts.append((said[item], "authors"))
        parts = parts or [(UNKNOWN, "unknown")]
        answer, source = " ".join(part[0] for part in parts), ", ".join(part[1] for part in parts)
        rows.append({"item": item, "asked": asked, "answer": answer, "source": source})
    return check_frame(pd.DataFrame(rows))


def _unknown(test: _Test) -> _Filled:
    return None


def _task(test: _Test) -> _Filled:
    if test.design is not None:
        return f'{test.design.task}: "{test.design.question}"', "design"
    tasks = sorted(set(test.answers["task"].astype(str))) if "task" in test.answers else []
    return (f"{', '.join(tasks)}.", "answers") if tasks else None


def _scale(test: _Test) -> _Filled:
    if test.design is None:
        return None
    if test.design.scale:
        points = [f"{p.value} {p.label}{f' ({p.anchor})' if p.anchor else ''}" for p in test.design.scale]
        return f"{'; '.join(points)}.", "design"
    return f"{', '.join(test.design.alternatives) or 'typed'}.", "design"


def _conditions(test: _Test) -> _Filled:
    if "condition" not in test.tested:
        return None
    clips = test.tested.drop_duplicates("clip").groupby("condition").size()
    return f"{', '.join(f'{name} ({count} clips)' for name, count in clips.items())}.", "answers"


def _references(test: _Test) -> _Filled:
    if test.design is None:
        return None
    roles = test.design.clips["role"].astype(str).tolist()
    kinds = {"reference": "hidden references", "catch": "catch trials", "training": "training clips"}
    return f"{', '.join(f'{roles.count(role)} {name}' for role, name in kinds.items())}.", "design"


def _loudness(test: _Test) -> _Filled:
    if test.design is None:
        return None
    made = {
        "rms": "To one root mean square of what is not silent.",
        "peak": "To one largest sample.",
        "none": "Not to one loudness: sounds are as loud as in their files.",
    }
    return made[test.design.loudness], "design"


def _prompt(test: _Test) -> _Filled:
    if test.design is None:
        return None
    shown = "prompt" in test.design.clips and bool(test.design.clips["prompt"].notna().to_numpy().any())
    return ("Yes: ratings are of primed speech." if shown else "No."), "design"


def _raters(test: _Test) -> _Filled:
    every, kept = len(set(test.answers["rater"])), len(set(test.tested["rater"]))
    return (
        f"{every} raters, {f'{kept} of whom count' if kept < every else 'all of whom count'}.",
        "answers" if test.cleaned is None else "cleaning",
    )


def _languages(test: _Test) -> _Filled:
    said = test.said("native_language").astype(str).str.strip().str.casefold()
    return (f"{', '.join(f'{name} {n}' for name, n in said.value_counts().items())}.", "answers") if len(said) else None


def _headphones(test: _Test) -> _Filled:
    passed = test.said("headphones_passed")
    if passed.empty:
        return None
    right = passed.astype(str).str.casefold().isin(["true", "1", "1.0", "yes"]).sum()
    return f"Headphones were checked by listening: {int(right)} of {len(passed)} raters passed.", "answers"


def _votes(test: _Test) -> _Filled:
    by_clip = test.tested.groupby("clip")["rater"].nunique()
    by_rater = test.tested.groupby("rater")["clip"].nunique()
    if by_clip.empty:
        return None
    return (
        f"{len(by_clip)} clips with {by_clip.min()} to {by_clip.max()} raters each (mean {by_clip.mean():.1f}); a "
        f"rater heard {by_rater.min()} to {by_rater.max()} clips.",
        "answers",
    )


def _order(test: _Test) -> _Filled:
    if test.design is None:
        return None
    return (
        f"{test.design.sessions} sessions, each in an order of its own, drawn with the seed {test.design.seed}; no "
        "clip twice for a rater.",
        "design",
    )


def _exclusions(test: _Test) -> _Filled:
    if test.cleaned is None:
        return None
    masks = test.cleaned.masks
    rows = zip(masks["rule"], masks["answers"], masks["raters"], strict=True)
    return f"{'; '.join(f'{rule}: {n} answers of {raters} raters' for rule, n, raters in rows)}.", "cleaning"


def _fixed_before(test: _Test) -> _Filled:
    if test.cleaned is None or not test.cleaned.notes:
        return None
    return test.cleaned.notes[0], "cleaning"


def _contrasts(test: _Test) -> _Filled:
    if test.design is None or not test.design.contrasts:
        return None
    margin = test.design.equivalence_margin
    also = "" if margin is None else f" Equivalent within {margin:g} points."
    return f"Fixed in the design: {'; '.join(test.design.contrasts)}.{also}", "design"


def _always(answer: str) -> Callable[[_Test], _Filled]:
    return lambda test: (answer, "analysis")


def _place(test: _Test, place: str) -> _Filled:
    text = "" if test.design is None else str(test.design.texts.get(place, "")).strip()
    return (f'The page said: "{text}"', "design") if text else None


def _note(test: _Test, word: str) -> _Filled:
    notes = [] if test.design is None else [note for note in test.design.notes if word in note.casefold()]
    return (" ".join(notes), "design") if notes else None


ITEMS: Mapping[str, tuple[str, Callable[[_Test], _Filled]]] = {
    "claim": ("Which claim does the test support, and does what is asked measure it?", _unknown),
    "task": ("What were raters asked, word by word?", _task),
    "scale": ("Which answers could they give, and what did these mean to them?", _scale),
    "instructions": ("What were they told beforehand?", lambda test: _place(test, "instructions")),
    "word shown": ("Did raters see what was said?", _prompt),
    "conditions": ("What was compared, with how many clips?", _conditions),
    "baselines": ("Are the systems compared described so that others can make them again?", _unknown),
    "references": ("Were there natural references, anchors, and trials that tell who listens?", _references),
    "material": ("Where do clips come from, how were they chosen, and were they unseen in training?", _unknown),
    "loudness": ("Were clips brought to one loudness and one rate?", _loudness),
    "raters": ("How many people listened, and how many of them count?", _raters),
    "recruitment": ("How were they found, and who could take part?", _unknown),
    "native language": ("What is their native language?", _languages),
    "expertise": ("Are they experts, or naive?", _unknown),
    "payment": ("What were they paid, and how long did it take?", _unknown),
    "ethics": ("Was the test approved, and did they consent?", lambda test: _place(test, "consent")),
    "listening": ("In what surroundings and through what did they listen?", _headphones),
    "answers a clip": ("How many answers has each clip, and how many clips heard a rater?", _votes),
    "order": ("In which order were clips heard?", _order),
    "size": ("Why so many raters and clips: what difference can be found?", lambda test: _note(test, "power")),
    "exclusions": ("Whose answers were left out, by which rules?", _exclusions),
    "fixed before": ("Were these rules fixed before anyone looked?", _fixed_before),
    "comparisons": ("Which comparisons were planned?", _contrasts),
    "uncertainty": (
        "Do intervals and tests know that raters and clips are samples?",
        _always("Intervals are for other raters and other clips; p-values are adjusted by family, which is named."),
    ),
    "other tests": (
        "Are scores compared with those of other tests?",
        _always("They cannot be: what is called good depends on what else is heard, the instructions, and who rates."),
    ),
    "availability": ("Can clips, answers and page be had?", _unknown),
}  # fmt: skip
