"""A contrast: which levels of which column are compared, and the labelled series that this makes of a source."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError
from layerstats.stats.contrasts.levels import Level, check_constant, read_column, read_levels
from layerstats.stats.gamm.data.factors import level_names
from layerstats.stats.series import MIN_SAMPLES, SAMPLES, VARIANTS, Series, Variant, phone_series, word_series

if TYPE_CHECKING:
    from layerstats.store import Experiment

Unit = Literal["token", "phone"]
PHONE = "label"
# What series hold besides, under these names.
_TAKEN = {"token", "speaker", "layer", "sample", "time", "time_s", "value", "onset_s", "duration_s"}
_TAKEN |= {"phone", "phone_index", "phone_token", "phone_onset_s", "phone_offset_s"}


@dataclass(frozen=True)
class Contrast:
    """Levels of a column of tokens or phones, compared: always the first minus the last.

    Made by `Contrast.read` from the string that scripts take, or by `between`, `of_phones` and `of_words`.

    Attributes
    ----------
    column
        Of the tokens table (``word, sex, dialect``, or whatever the corpus knows), or, where series are phones, of the
        phones table (``label, phone_class, position, previous``) or else the tokens table.
    levels
        Two levels or more, each with a name and the values it stands for. The last is the reference: with two levels
        the contrast is ``level_1 - level_2``, with more each of the others minus the last.
    unit
        What a series is: a "token", or the interval of a "phone".
    variant
        Which samples of a token: "padded", "word" or "duration", see `word_series`. Of phones the samples under them.

    Examples
    --------
    >>> Contrast.read("p,t,k:b,d,g").name
    'p,t,k - b,d,g'
    >>> Contrast.read("dialect=north(dr1,dr2):south(dr5)").levels[0]
    Level(name='north', members=('dr1', 'dr2'))
    >>> Contrast.between("sex", "F", "M") == Contrast.read("sex=F:M")
    True
    """

    column: str
    levels: tuple[Level, ...]
    unit: Unit = "token"
    variant: Variant = "padded"

    def __post_init__(self) -> None:
        """Refuse levels that share values, and options that do not exist."""
        check_choice("unit", self.unit, ("token", "phone"))
        check_choice("variant", self.variant, VARIANTS)
        if self.unit == "phone" and self.variant != "padded":
            raise ArgumentError(f"Series of phones have no variant, but got variant={self.variant!r}.")
        if self.unit == "phone" and self.column == "phone":
            object.__setattr__(self, "column", PHONE)
        object.__setattr__(self, "levels", read_levels(self.levels))

    @classmethod
    def read(cls, contrast: str | Contrast) -> Contrast:
        """Return the contrast that a string names.

        Parameters
        ----------
        contrast
            ``"s:sh"`` and ``"p,t,k:b,d,g"``: phones. ``"sex=F:M"``: a column of the tokens, one series a token.
            ``"phones.position=initial:final"``, ``"phones.sex=F:M"``: a column of phones, or of their tokens, one
            series a phone. A level may have a name of its own: ``"dialect=north(dr1,dr2):south(dr5)"``. Values that
            hold commas, colons or parentheses need `between`. A contrast is returned as it is.

        Raises
        ------
        ArgumentError
            It cannot be read.
        """
        if isinstance(contrast, Contrast):
            return contrast
        if not isinstance(contrast, str):
            raise ArgumentError(
                f"A contrast is a string such as 's:sh' or 'sex=F:M', or a Contrast, but got {contrast!r}."
            )
        column, phones, levels = read_column(contrast)
        return cls(column or PHONE, read_levels(levels), "phone" if phones else "token")

    @classmethod
    def between(
        cls,
        column: str,
        *levels: str | float | Collection[str | float] | Level,
        unit: Unit = "token",
        variant: Variant = "padded",
    ) -> Contrast:
        """Return the contrast between levels of any column, each a value, a set of values, or a `Level`.

        Examples
        --------
        >>> Contrast.between("age", 30, 20) == Contrast.read("age=30:20")
        True
        """
        return cls(column, read_levels([_alone(level) for level in levels]), unit, variant)

    @classmethod
    def of_phones(cls, set_1: str | Collection[str], set_2: str | Collection[str] | None = None) -> Contrast:
        """Return the contrast between two sets of phones: ``"s", "sh"``, ``"p,t,k", "b,d,g"`` or ``"p,t,k:b,d,g"``."""
        if set_2 is None and not isinstance(set_1, str):
            raise ArgumentError(f"A contrast needs two sets of phones, but got only {set_1!r}.")
        levels = read_levels(set_1 if isinstance(set_1, str) and set_2 is None else [set_1, set_2 or ()])
        if len(levels) != 2:
            raise ArgumentError(f"A contrast of phones is between two sets of them, but got {set_1!r}.")
        return cls(PHONE, levels, "phone")

    @classmethod
    def of_words(cls, *words: str, variant: Variant = "padded") -> Contrast:
        """Return the contrast between words; the last is the reference."""
        if len(set(words)) < max(2, len(words)):
            raise ArgumentError(f"A contrast of words needs two different words or more, but got {words!r}.")
        return cls.between("word", *words, variant=variant)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the levels, the reference last."""
        return tuple(level.name for level in self.levels)

    @property
    def level_1(self) -> str:
        """Name of the first level."""
        return self.levels[0].name

    @property
    def level_2(self) -> str:
        """Name of the last level, the reference."""
        return self.levels[-1].name

    @property
    def name(self) -> str:
        """As tables and titles write it: ``"s - sh"``, ``"8 words"``, ``"3 levels of dialect"``."""
        if len(self.levels) == 2:
            return f"{self.level_1} - {self.level_2}"
        return f"{len(self.levels)} {'words' if self.column == 'word' else f'levels of {self.column}'}"

    @property
    def text(self) -> str:
        """The string that `read` reads; without the variant."""
        levels = ":".join(level.text for level in self.levels)
        if self.unit == "phone":
            return levels if self.column == PHONE else f"phones.{self.column}={levels}"
        return f"{self.column}={levels}"

    @property
    def group(self) -> str:
        """The column of series that holds the names of levels, as models and their tables write it.

        Where every level is one value, the column itself; else, for phones and for speakers, a ``_set`` of its values.
        """
        if self.column == PHONE and self.unit == "phone":
            return "phone_set"
        plain = re.sub(r"\W", "_", self.column)
        as_it_is = plain not in _TAKEN and all(level.members == (level.name,) for level in self.levels)
        return plain if as_it_is else f"{plain}_set"

    @property
    def reference_first(self) -> list[str]:
        """Names as a model codes them.

        Two levels always in the order of the alphabet, whichever way round they were asked for: reversed, a result
        changes its sign and nothing else. Of more the last is the reference.
        """
        if len(self.levels) == 2:
            return sorted(self.names)
        return [self.level_2, *self.names[:-1]]

    @property
    def sign(self) -> float:
        """What takes the model's difference, its other level minus its reference, to ``level_1 - level_2``."""
        return 1.0 if self.level_2 == self.reference_first[0] else -1.0

    @property
    def items(self) -> tuple[str, ...]:
        """What else differs between the series and may repeat: words, and labels of phones.

        None where these themselves are compared.
        """
        if self.column in ("word", PHONE):
            return ()
        return ("phone", "word") if self.unit == "phone" else ("word",)

    def reversed(self) -> Contrast:
        """Return the contrast with its levels in the other order."""
        return replace(self, levels=self.levels[::-1])

    def series(
        self,
        source: Experiment | pd.DataFrame,
        layer: str | None = None,
        *,
        samples: int | None = SAMPLES,
        min_samples: int = MIN_SAMPLES,
    ) -> Series:
        """Return the series of all levels at a layer, each labelled by its level in the column `group`.

        Parameters
        ----------
        source
            An experiment, or its tidy table with the columns of `word_series` or `phone_series` and the contrast's own.
        layer, samples, min_samples
            As in `word_series`.

        Raises
        ------
        ArgumentError
            A layer, column or value does not exist.
        DataError
            As in `word_series`.
        """
        options: dict[str, Any] = {"samples": samples, "min_samples": min_samples}
        if isinstance(source, pd.DataFrame):
            name = "phone" if self.column == PHONE and self.unit == "phone" else self.column
            check_columns(source, [name], "the series")
            labels = self.levels_of(source.loc[:, name])
            check_constant(source, labels, name, ["token", *(["phone_index"] if self.unit == "phone" else [])])
            kept = source.assign(**{self.group: labels}).loc[labels.notna().to_numpy()]
            if self.unit == "phone":
                return phone_series(kept, layer, **options)
            return word_series(kept, layer, variant=self.variant, **options)
        intervals = self.intervals(source)
        chosen = self.narrow(source)
        if self.unit == "phone":
            one, keys = phone_series(chosen, layer, **options), ["token", "phone_index"]
        else:
            one, keys = word_series(chosen, layer, variant=self.variant, **options), ["token"]
        level_of = intervals.set_index(keys)[self.group]
        places = pd.MultiIndex.from_frame(one.frame.loc[:, keys]) if len(keys) > 1 else pd.Index(one.frame[keys[0]])
        labels = level_of.reindex(places).to_numpy(dtype=object) if len(one.frame) else np.array([], dtype=object)
        return replace(one, frame=one.frame.assign(**{self.group: labels.astype(str)}))

    def narrow(self, experiment: Experiment) -> Experiment:
        """Return the part of an experiment that has one of the levels; of phones, with a phone query."""
        table = self._table(experiment)
        labels = self.levels_of(table.loc[:, self.column])
        chosen = table.loc[labels.notna().to_numpy()]
        name, values = self.column, pd.unique(chosen.loc[:, self.column]).tolist()
        if self._is_of_phones(experiment):
            # A column that both tables have is the phones' here.
            name = f"phone_{name}" if name in experiment.tokens.columns else name
        elif name in ("layer", "phone", "time_s"):
            # By these names `select` knows something else.
            name, values = "token", chosen["token"].tolist()
        wanted: dict[str, Any] = {name: values}
        narrowed = experiment.select(**wanted)
        if self.unit == "token" or narrowed.has_phone_query:
            return narrowed
        return narrowed.select(phone=pd.unique(narrowed.phones.loc[:, "label"]).tolist())

    def intervals(self, experiment: Experiment) -> pd.DataFrame:
        """Return where the series of all levels lie in the clips, without reading any values.

        Returns
        -------
        pandas.DataFrame
            A row a series: ``token, word, speaker``, of phones also ``phone, phone_index``, the column `group`, and
            ``onset_s, offset_s``, seconds on the clip's axis: infinite where a series is the whole clip.
        """
        chosen = self.narrow(experiment)
        table = chosen.tokens
        if self.unit == "phone":
            phones = chosen.phones
            # A column that both tables have is the phones'.
            about = ["token", *(c for c in table.columns if c != "token" and c not in phones.columns)]
            table = phones.merge(table.loc[:, about], on="token").assign(phone=lambda merged: merged["label"])
        elif self.variant == "word":
            check_columns(table, ["onset_s", "duration_s"], "the tokens table")
            table = table.assign(offset_s=table["onset_s"] + table["duration_s"])
        else:
            table = table.assign(onset_s=-np.inf, offset_s=np.inf)
        labels = self.levels_of(table.loc[:, self.column]).astype(str)
        names = ["token", "word", "speaker", *(["phone", "phone_index"] if self.unit == "phone" else [])]
        kept = [name for name in names if name != self.group]
        ends = table.loc[:, ["onset_s", "offset_s"]]
        return pd.concat([table.loc[:, kept], labels.rename(self.group), ends], axis=1).reset_index(drop=True)

    def _is_of_phones(self, experiment: Experiment) -> bool:
        return self.unit == "phone" and self.column in experiment.phones.columns

    def _table(self, experiment: Experiment) -> pd.DataFrame:
        """Return the table that holds the column."""
        if self._is_of_phones(experiment):
            return experiment.phones
        if self.column in experiment.tokens.columns:
            return experiment.tokens
        known = ", ".join(map(str, experiment.tokens.columns))
        phones = list(map(str, experiment.phones.columns))
        if self.unit == "phone":
            raise ArgumentError(
                f"There is no column {self.column!r}. Phones have: {', '.join(phones)}; tokens have: {known}."
            )
        hint = f" Phones have it: write 'phones.{self.text}'." if self.column in phones else ""
        raise ArgumentError(f"There is no column {self.column!r} of tokens. There are: {known}.{hint}")

    def levels_of(self, values: pd.Series) -> pd.Series:
        """Return the name of the level of each value of the column, missing where it is of none.

        Raises
        ------
        ArgumentError
            A value of a level does not occur; the message lists those that do.
        """
        different = values.dropna().drop_duplicates()
        names = level_names(different)
        known = set(names)
        missing = [value for level in self.levels for value in level.members if value not in known]
        if missing:
            what = "phone" if self.column == PHONE else self.column
            listed = ", ".join(sorted(map(str, known))[:60])
            none = "none: the corpus has no phones, align it first" if self.unit == "phone" else "none at all"
            raise ArgumentError(
                f"There is no {what} {', '.join(map(repr, missing))} in the data. There are: {listed or none}."
            )
        level_of = {value: level.name for level in self.levels for value in level.members}
        return values.map(dict(zip(different, names.map(level_of), strict=True)))


def _alone(level: str | float | Collection[str | float] | Level) -> Collection[object] | Level:
    """Return a value by itself as a level; others as they are."""
    if isinstance(level, str):
        return Level(level, (level,))
    return level if isinstance(level, Level | Collection) else [level]


def one_contrast(
    contrast: str | Contrast | None,
    words: Collection[str] | None = None,
    phones: str | Sequence[str | Collection[str]] | None = None,
) -> Contrast:
    """Return the contrast of two levels that one of these arguments names.

    Raises
    ------
    ArgumentError
        None or several are given, it has more than two levels, or duration stands beside it in a model.
    """
    if sum(argument is not None for argument in (contrast, words, phones)) != 1:
        raise ArgumentError(
            "A contrast is either between two 'words', between two sets of 'phones', or any other 'contrast' "
            '("sex=F:M"): give one of them.'
        )
    if contrast is not None:
        one = Contrast.read(contrast)
    elif words is not None:
        if isinstance(words, str) or len(words) != 2 or len(set(words)) != 2:
            raise ArgumentError(f"The 'words' parameter must be two different words, but got {words!r} instead.")
        one = Contrast.of_words(*words)
    elif isinstance(phones, str):
        one = Contrast.of_phones(phones)
    else:
        if len(phones or ()) != 2:
            raise ArgumentError(f"The 'phones' parameter must be two sets of phones, but got {phones!r} instead.")
        one = Contrast.of_phones(*(phones or ()))
    if len(one.levels) != 2 or one.variant == "duration":
        raise ArgumentError(
            f"This takes contrasts of two levels without a model of duration, but got {one.text!r} with variant "
            f"{one.variant!r}."
        )
    return one
