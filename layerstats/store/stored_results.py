"""What was made of recordings and networks: tables of results, outcomes of maximizations, judgements of these, sums."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from layerstats.store.outcomes import chosen, dataset_of, listed
from layerstats.store.reading import StoreFiles
from layerstats.store.result_tables import read_result_table, result_tables
from layerstats.store.schema import JUDGEMENTS, OUTCOMES, SUMS


class StoredResults:
    """The results in a store, whatever of its clips is selected; part of an `Experiment`."""

    _files: StoreFiles

    @property
    def tables(self) -> pd.DataFrame:
        """One row per table of results: `kind` (judgements, ratings, ...), `name, rows, columns, key, created_at`."""
        return result_tables(self._files.path)

    def table(self, kind: str, name: str) -> pd.DataFrame:
        """Return a table of results, whatever is selected; its provenance is in `attrs` of the frame.

        Parameters
        ----------
        kind
            "judgements" (of the store's clips; those of outcomes: see `judgement`), "averages" or "ratings".
        name
            Name of the table, as in `tables`.

        Raises
        ------
        ArgumentError
            There is no such kind.
        StoreError
            There is no such table, or it is damaged.
        """
        return read_result_table(self._files.path, kind, name)

    @property
    def outcomes(self) -> pd.DataFrame:
        """One row per set of outcomes of maximizations: `name, set_up, network, starts, written, complete, ...`."""
        return listed(self._files.path, OUTCOMES)

    def outcome(
        self,
        name: str | None = None,
        *,
        set_up: str | None = None,
        network: str | None = None,
        null: str | None = None,
    ) -> xr.Dataset:
        """Return the outcomes of a maximization, read when used, whatever is selected.

        Parameters
        ----------
        name, set_up, network
            The one of that name, or the only one of which all is true; nulls are chosen by their names.

        Returns
        -------
        xarray.Dataset
            `steps, stalled, displacement, ... (start)`, `codes_before, codes_after (start, code)` or `features_before,
            features_after (start, ...)`, `scores_before, scores_after (start, class)`; `start`, `target`, `number`,
            `seed`, `token` and `class` label the axes, and provenance is in the attributes. Of half-written ones, where
            `incomplete="allow"` was said, it has the starts that are there.

        Raises
        ------
        ArgumentError
            None or several are so; the message lists what there is.
        StoreError
            They are half-written or damaged.
        """
        return self._blocks(OUTCOMES, {"name": name, "set_up": set_up, "network": network, "null": null})

    @property
    def judgements(self) -> pd.DataFrame:
        """One row per judge of outcomes: `name, outcomes, set_up, network, judge, starts, written, complete, ...`."""
        return listed(self._files.path, JUDGEMENTS)

    def judgement(
        self,
        name: str | None = None,
        *,
        outcomes: str | None = None,
        set_up: str | None = None,
        network: str | None = None,
        judge: str | None = None,
        null: str | None = None,
    ) -> xr.Dataset:
        """Return what a judge says of outcomes, read when used, whatever is selected.

        Parameters
        ----------
        name, outcomes, set_up, network, judge, null
            The one of that name, or the only one of which all is true; nulls as for `outcome`.

        Returns
        -------
        xarray.Dataset
            `score (start, response)` of a judge that scores everything it can say, `response (start)` of any other.

        Raises
        ------
        ArgumentError, StoreError
            As for `outcome`.
        """
        wanted = {"name": name, "outcomes": outcomes, "set_up": set_up, "network": network, "judge": judge}
        wanted["null"] = null
        return self._blocks(JUDGEMENTS, wanted)

    @property
    def sums(self) -> pd.DataFrame:
        """One row per set of sums over windows: `name, recording, quantity, method, speakers, complete, ...`."""
        return listed(self._files.path, SUMS)

    def window_sums(self, name: str | None = None, *, recording: str | None = None) -> xr.Dataset:
        """Return sums over windows by speaker and letter, read when used, whatever is selected.

        Parameters
        ----------
        name, recording
            The ones of that name, or the only ones of windows of that recording.

        Returns
        -------
        xarray.Dataset
            `<quantity>_sum, <quantity>_sum_of_squares (speaker, letter, alignment, frequency, lag)` and `coverage
            (speaker, letter, alignment, lag)`, the number of windows that have this lag: a mean is a sum divided by it.

        Raises
        ------
        ArgumentError, StoreError
            As for `outcome`.
        """
        return self._blocks(SUMS, {"name": name, "recording": recording})

    def _blocks(self, kind: str, wanted: dict[str, str | None]) -> xr.Dataset:
        return dataset_of(chosen(self._files.path, kind, wanted, allow_incomplete=self._files.allow_incomplete))
