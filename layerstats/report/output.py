"""Where an analysis puts its tables and figures."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.files import explaining
from layerstats.report.claimed import Claimed, ClaimTables, claimed
from layerstats.report.manifest import Entry, Manifest, read_manifest, write_manifest
from layerstats.report.sounds import write_sounds
from layerstats.tables import TableFiles, write_csv, write_regression_table, write_table
from layerstats.tables.readable_names import readable_name
from layerstats.tables.write import one_sentence

if TYPE_CHECKING:
    from plotnine import ggplot

    from layerstats.corpora import Corpus
    from layerstats.plots import FigureFiles


class Output:
    """A folder of results: each call writes files and notes title and caption for the page.

    Parameters
    ----------
    directory
        Made where it does not exist. An analysis that runs again replaces what it made before, name by name; two
        analyses that run at the same time need two folders.
    title
        Heading of the folder's part of the page. Results of another title, or of another provenance, stay in the
        folder and leave the page.
    provenance
        Facts about how the results were made, for instance the store and the seed.

    Raises
    ------
    FileError
        If the folder cannot be made or written to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     output = Output(folder, title="Words")
    ...     files = output.table(pd.DataFrame({"term": ["wordB"], "edf": [7.3]}), "smooths", "Smooth terms")
    ...     files.csv.name, sorted(path.name for path in Path(folder).iterdir())
    ('smooths.csv', ['manifest.json', 'smooths.csv', 'smooths.html', 'smooths.tex'])
    >>> str(output).endswith(": 1 table")
    True
    """

    def __init__(
        self, directory: str | Path, *, title: str = "", provenance: Mapping[str, object] | None = None
    ) -> None:
        self.directory = Path(directory)
        self._written: dict[str, set[str]] = {"table": set(), "figure": set(), "text": set(), "sounds": set()}
        self._claimed = Claimed()
        with explaining(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
        known = read_manifest(self.directory) or Manifest()
        facts = {name: str(value) for name, value in (provenance or {}).items()}
        # Else results of one store or model would stand on the page as those of another.
        if title not in ("", known.title) or any(known.provenance.get(name) != value for name, value in facts.items()):
            known = Manifest()
        write_manifest(
            self.directory,
            replace(known, title=title or known.title or self.directory.name, provenance={**known.provenance, **facts}),
        )

    def __str__(self) -> str:
        """Say where results were written, and how many."""
        names = {"table": "table", "figure": "figure", "text": "note", "sounds": "sound list"}
        counts = [(len(self._written[kind]), name) for kind, name in names.items()]
        said = [f"{count} {name}{'s' * (count != 1)}" for count, name in counts if count]
        return f"{self.directory}: {', '.join(said) or 'nothing was written'}"

    def table(
        self,
        frame: pd.DataFrame,
        name: str,
        title: str,
        caption: str = "",
        *,
        kind: str | None = None,
        user_columns: Collection[str] = (),
        columns: Sequence[str] | None = None,
        labels: Mapping[str, str] | None = None,
        spreadsheet: bool = False,
    ) -> TableFiles:
        """Write a table as `NAME.csv`, `NAME.tex` and `NAME.html`; for the arguments see `tables.write_table`.

        Raises
        ------
        DataError
            If the frame does not agree with the glossary.
        ArgumentError
            If `name` cannot be the name of a file.
        """
        title = readable_name(title)
        files = write_table(
            frame,
            self._stem(name),
            title=title,
            caption=caption,
            kind=kind,
            user_columns=user_columns,
            columns=columns,
            labels=labels,
            spreadsheet=spreadsheet,
        )
        self._note_table(files, name, title, caption, len(frame))
        return files

    def regression(
        self,
        parametric: pd.DataFrame,
        smooths: pd.DataFrame,
        name: str,
        title: str,
        caption: str = "",
    ) -> TableFiles:
        """Write the regression table of one GAMM; see `tables.write_regression_table`."""
        files = write_regression_table(parametric, smooths, self._stem(name), title=title, caption=caption)
        self._note_table(files, name, title, caption, len(parametric) + len(smooths))
        return files

    def figure(
        self,
        figure: ggplot,
        name: str,
        title: str,
        caption: str = "",
        *,
        alt: str = "",
        width: float | None = None,
        height: float | None = None,
    ) -> FigureFiles:
        """Write a figure as `NAME.png` and `NAME.svg`.

        Parameters
        ----------
        alt
            What the figure shows, for those who cannot see it; by default its title, what is drawn, and where it is
            highest and lowest (see `plots.describe_figure`). The caption stands beside it for everybody.
        width, height
            In inches; by default those that the figure was made for.
        """
        from layerstats.plots.describe import describe_figure
        from layerstats.plots.save import save_figure

        title = readable_name(title)
        files = save_figure(figure, self._stem(name), width, height)
        shown = figure.theme.getp("figure_size")[0] if width is None else width
        described = alt or one_sentence(title, describe_figure(figure))
        self._note(
            Entry("figure", name, title, caption, _names(asdict(files)), alt=described, width=float(shown)),
        )
        return files

    def claims(self, claims: ClaimTables, *, title: str = "Claims") -> TableFiles:
        """Write what is claimed as `claims.csv`, `.tex` and `.html` and `sensitivity.csv`, and put it on the page.

        Claims of a second call stand after those of the first.

        Parameters
        ----------
        claims
            Such as what `layerstats.stats.claims` returns.
        title
            Of their table.

        Returns
        -------
        TableFiles
            Where the table of claims was written.

        Raises
        ------
        DataError
            If a table lacks a column or holds what it must not, or two claims have one key.
        """
        self._claimed = claimed(claims, self._claimed)
        table, sensitivity = self._claimed.frames()
        caption = " ".join(self._claimed.notes)
        # Beside the ends of the null the word alone would head two columns.
        labels = {"null": "Null from"}
        files = write_table(table, self._stem("claims"), title=title, caption=caption, kind="claims", labels=labels)
        write_csv(sensitivity, self.directory / "sensitivity.csv")
        names = {**_names(asdict(files)), "sensitivity": "sensitivity.csv"}
        self._note(Entry("table", "claims", title, caption, names, rows=len(table)))
        known = read_manifest(self.directory) or Manifest()
        write_manifest(self.directory, replace(known, claims=self._claimed))
        return files

    def sounds(
        self, frame: pd.DataFrame, corpus: Corpus, name: str, title: str, caption: str = "", *, share: bool = False
    ) -> TableFiles:
        """Put sounds of tokens on the page, each with its waveform and phones, and their table beside them.

        A longer token is cut to what lies about its phone, or to its first three seconds, and says so. Where the
        corpus does not permit it (`corpus.sharing`) no sound is copied, and the page says why.

        Parameters
        ----------
        frame : columns `token, word, speaker, why`
            Such as what `layerstats.stats.tokens_of_interest` returns.
        corpus
            The speech that was recorded.
        name, title, caption
            As of tables.
        share
            Your word that sounds may be passed on, where nothing is known of the corpus.

        Raises
        ------
        DataError
            A column is missing, or the corpus has none of the tokens.
        """
        stem = self._stem(name)
        known = read_manifest(self.directory) or Manifest()
        before = {sound.file for entry in known.entries if entry.name == name for sound in entry.sounds} - {""}
        copied = corpus.sharing.permits(told=share)
        heard = write_sounds(frame, corpus, stem, copied=copied)
        files = write_table(frame, stem, title=title, caption=caption)
        for file in before - {sound.file for sound in heard}:
            (self.directory / Path(file).name).unlink(missing_ok=True)
        told = "Sounds: shared by whoever made this page." if corpus.sharing.allowed is None and copied else ""
        text = "\n\n".join(filter(None, (caption, told or corpus.sharing.said)))
        self._note(Entry("sounds", name, title, text, _names(asdict(files)), rows=len(frame), sounds=tuple(heard)))
        return files

    def text(self, name: str, title: str, text: str) -> None:
        """Put a note on the page; an empty line begins a new paragraph."""
        self._stem(name)
        self._note(Entry("text", name, title, text))

    def _stem(self, name: str) -> Path:
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise ArgumentError(
                "Invalid value for the 'name' parameter. Allowed are letters, digits, '_', '-' and '.', but got "
                f"{name!r} instead."
            )
        return self.directory / name

    def _note_table(self, files: TableFiles, name: str, title: str, caption: str, rows: int) -> None:
        self._note(Entry("table", name, title, caption, _names(asdict(files)), rows=rows))

    def _note(self, entry: Entry) -> None:
        taken = [kind for kind, names in self._written.items() if kind != entry.kind and entry.name in names]
        if taken:
            raise ArgumentError(
                f"The name {entry.name!r} is that of a {taken[0]} already, and the page would show only one of them. "
                f"Give the {entry.kind} another name."
            )
        self._written[entry.kind].add(entry.name)
        # Read again each time: another Output of the same folder may have written since.
        known = read_manifest(self.directory) or Manifest()
        write_manifest(self.directory, known.with_entry(entry))


def _names(files: Mapping[str, Path]) -> dict[str, str]:
    return {kind: path.name for kind, path in files.items()}
