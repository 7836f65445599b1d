"""Tables and figures of listeners, which say of simulated raters that they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd
from plotnine import ggplot, labs

from layerstats.report.output import Output
from layerstats.stats import claims_of

SIMULATED = "Simulated raters: nobody listened."
# As sentences of claims name them.
WHO = {True: "simulated raters (nobody listened)", False: "listeners"}


class ListenerOutput:
    """An `Output` whose titles and captions say where raters are simulated.

    Parameters
    ----------
    output
        Where tables and figures go.
    simulated
        Whether nobody listened; see `has_simulated_raters`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     output = Output(folder, title="Ratings")
    ...     listeners = ListenerOutput(output, simulated=True)
    ...     listeners.table(pd.DataFrame({"rater": ["r1"], "rating": [4.0]}), "ratings", "Ratings")
    ...     "simulated raters" in Path(folder, "ratings.html").read_text()
    True
    """

    def __init__(self, output: Output, *, simulated: bool) -> None:
        self.output, self.simulated = output, simulated

    def table(
        self, frame: pd.DataFrame, name: str, title: str, caption: str = "", user_columns: Collection[str] = ()
    ) -> None:
        """Write a table; one without rows is left out."""
        if len(frame):
            title, caption = self._title(title), self._caption(caption)
            # Names of raters, clips and conditions are what strangers wrote.
            self.output.table(frame, name, title, caption, user_columns=user_columns, spreadsheet=True)

    def figure(self, figure: ggplot, name: str, title: str, caption: str = "") -> None:
        """Write a figure, which says by itself that raters are simulated."""
        if self.simulated:
            below = figure.labels.get("caption", "")
            figure = figure + labs(caption=f"{below}\n{SIMULATED}".strip())
        self.output.figure(figure, name, self._title(title), self._caption(caption))

    def claims(self, result: object, **options: Any) -> None:
        """Put what a result claims on the page, in sentences that name simulated raters; see `claims_of`."""
        self.output.claims(claims_of(result, raters=WHO[self.simulated], **options), title=self._title("Claims"))

    def text(self, name: str, title: str, text: str) -> None:
        """Put a note on the page; an empty one is left out."""
        if text:
            self.output.text(name, title, text)

    def _title(self, title: str) -> str:
        return f"{title} (simulated raters)" if self.simulated else title

    def _caption(self, caption: str) -> str:
        return f"{SIMULATED} {caption}".strip() if self.simulated else caption
