"""Judgements in a store, a table a judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from layerstats.corpora import Clips, Corpus
from layerstats.judges.judging import DEFAULT_JUDGES, opened
from layerstats.judges.protocol import Judge, check_judgements
from layerstats.store import content_hash, create_or_resume, open_store, store_table
from layerstats.store.schema import Attribute, check_name, clean_attributes

KIND = "judgements"


def record_judgements(
    speech: Corpus | Clips,
    store: str | Path,
    judges: Sequence[str | Judge] = DEFAULT_JUDGES,
    *,
    words: Sequence[str] | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> Path:
    """Ask judges what every token is, and keep what they say in a store.

    The table of a judge is called by its name. A judge whose answer is there, from the same clips, is not asked again.

    Parameters
    ----------
    speech : Corpus or Clips
        The speech; a Corpus is heard as `Clips(corpus)`.
    store : path
        The store: made where it is not there, and otherwise one of the same clips, for instance with recordings.
    judges : sequence of str or Judge
        As for `judge_speech`.
    words : sequence of str, optional
        What judges without words of their own may hear.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    overwrite : bool
        Replace the judgements of a judge of the same name that is another one, or heard other clips.

    Returns
    -------
    Path
        The store.

    Raises
    ------
    ArgumentError
        There is no such judge, or two of one name.
    DataError
        A judge gives something else than its protocol says.
    StoreError
        The store holds other clips, or another judge's answer under this name.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     speech = demo_corpus(words=["wash"], voices=["en-us+m3"])
    ...     path = record_judgements(speech, f"{folder}/heard.zarr", ["pocketsphinx"])
    ...     open_store(path).table("judgements", "pocketsphinx")["response"].tolist()
    ['wash']
    """
    clips = speech if isinstance(speech, Clips) else Clips(speech)
    asked = opened(judges, None if words is None else tuple(words), device)
    # Before hours of listening, not after them.
    about = {judge.name: _attributes(judge) for judge in asked}
    heard = clips.content_hash()
    path = create_or_resume(store, clips.tokens, clips.phones, attrs={**clips.attrs, "corpus_hash": heard})
    for judge in asked:
        key = content_hash({"judge": dict(judge.attrs), "clips": heard})
        there = open_store(path).tables
        if key in set(there.loc[(there["kind"] == KIND) & (there["name"] == judge.name), "key"]):
            continue
        judgements = check_judgements(judge.judge(clips), judge, clips.tokens["token"].tolist())
        store_table(path, KIND, judge.name, judgements, key=key, attrs=about[judge.name], overwrite=overwrite)
    return path


def _attributes(judge: Judge) -> dict[str, Attribute]:
    """Return what a store says of a judge, or raise `ArgumentError` where it cannot say it."""
    check_name("table", judge.name)
    return clean_attributes({f"judge_{name}": value for name, value in judge.attrs.items()})
