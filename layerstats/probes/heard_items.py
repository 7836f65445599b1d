"""Natural and maximized items as a network hears them, side by side: tokens of one table, a condition each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import nn

from layerstats.checks import check_columns, check_count
from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.corpora.phones import empty_phones
from layerstats.errors import ArgumentError, DataError
from layerstats.probes.maximization import Hearing, Prior, hearing_of, open_prior, rendered
from layerstats.probes.maximization.places import differentiating
from layerstats.probes.maximization.plan import features_of
from layerstats.probes.maximization.rendering import stored_hearing
from layerstats.probes.recording.batches import consecutive, read_batches

COLUMNS = ("token", "word", "speaker", "split", "condition", "pair")


@dataclass(frozen=True, eq=False)
class HeardItems:
    """Items as one kind of network hears them.

    Parameters
    ----------
    tokens : DataFrame
        A row an item: ``token`` (unique), ``word, speaker, split``, ``condition`` ("natural", "maximized", "before",
        ...) and ``pair``: items that belong together, such as a token and what was made of it, have one name here.
    heard : ndarray
        float32, (item, time, mel) or (item, sample).
    hearing : Hearing
        What the network hears.

    Raises
    ------
    DataError
        A column is missing, a token is there twice, or there are not as many items as rows.
    """

    tokens: pd.DataFrame
    heard: np.ndarray
    hearing: Hearing

    def __post_init__(self) -> None:
        check_columns(self.tokens, COLUMNS, "the table of items")
        if self.tokens["token"].duplicated().any():
            twice = self.tokens.loc[self.tokens["token"].duplicated(), "token"].iloc[0]
            raise DataError(f"The item {twice!r} is there twice. Give starts of other sets another condition.")
        if self.heard.shape != (len(self.tokens), *self.hearing.shape):
            raise DataError(
                f"{len(self.tokens)} items of this network are {(len(self.tokens), *self.hearing.shape)}, but got an "
                f"array of shape {self.heard.shape}."
            )

    def __len__(self) -> int:
        return len(self.tokens)

    def joined(self, *others: HeardItems) -> HeardItems:
        """Return these items and others of the same front end.

        Raises
        ------
        ArgumentError
            The others are of another front end.
        """
        for one in others:
            self.hearing.check_same(one.hearing, "One of the sets of items")
        parts = [self, *others]
        tokens = pd.concat([one.tokens for one in parts], ignore_index=True)
        return HeardItems(tokens, np.concatenate([one.heard for one in parts]), self.hearing)


def natural_items(
    network: nn.Module,
    corpus: Corpus | Clips,
    *,
    through: str | Prior | None = None,
    condition: str | None = None,
    batch_size: int = 64,
    device: str = "auto",
) -> HeardItems:
    """Return natural tokens as a network hears them.

    Parameters
    ----------
    network : torch.nn.Module
        With a front end, or of waveforms.
    corpus : Corpus or Clips
        The speech; a Corpus is heard as `clips_for(network, corpus)`.
    through : str or Prior, optional
        A prior whose network encodes and decodes them, "autoencoder:FILE": what maximized codes are to be compared with
        where the prior's own smoothing is not meant. Their condition is "reconstructed" then.
    condition : str, optional
        By default "natural", or "reconstructed".
    batch_size : int
        Tokens at once.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Raises
    ------
    ArgumentError
        The network's hearing is not known, or the prior cannot encode.
    AudioError
        The audio of a token cannot be used.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import CommandClassifier
    >>> items = natural_items(CommandClassifier(outputs=2), demo_corpus(words=["wash"], voices=2))
    >>> items.heard.shape, items.tokens["condition"].tolist()
    ((2, 90, 80), ['natural', 'natural'])
    """
    check_count("batch_size", batch_size)
    hearing = hearing_of(network)
    clips = corpus if isinstance(corpus, Clips) else clips_for(network, corpus)
    prior = open_prior(through, hearing) if isinstance(through, str) else through
    if prior is not None and (not prior.latent or prior.takes_waveforms or "data" not in prior.starts):
        raise ArgumentError(f"The prior {prior.name!r} does not encode what is heard: only an autoencoder's does.")
    clips.one_length("A table of what is heard")
    batches = consecutive(0, len(clips.tokens), batch_size)
    parts = []
    with differentiating([network, *(() if prior is None else prior.modules)], device) as place, torch.no_grad():
        for _, waveforms in read_batches(clips, batches):
            given = torch.from_numpy(waveforms).to(place, hearing.dtype)
            heard = features_of(network, hearing, given)
            if prior is not None:
                heard = prior.render(prior.start("data", heard, [torch.Generator() for _ in waveforms], 0.0))
            parts.append(heard.float().cpu().numpy())
    tokens = clips.tokens.loc[:, ["token", "word", "speaker", "split"]].reset_index(drop=True)
    name = condition or ("natural" if prior is None else "reconstructed")
    tokens = tokens.assign(condition=name, pair=tokens["token"])
    if name != "natural":
        tokens = tokens.assign(token=f"{name}/" + tokens["token"].astype(str))
    return HeardItems(tokens, np.concatenate(parts), hearing)


def outcome_items(
    outcome: xr.Dataset,
    tokens: pd.DataFrame | None = None,
    *,
    which: str = "after",
    condition: str | None = None,
    starts: int | None = None,
    prior: str | Prior | None = None,
    device: str = "auto",
) -> HeardItems:
    """Return stored starts as their target network hears them.

    Parameters
    ----------
    outcome : Dataset
        As `Experiment.outcome` gives it.
    tokens : DataFrame, optional
        ``token, speaker``: the natural tokens that starts began from, needed where they did.
    which : {"after", "before"}
        After maximization, or before: zero steps.
    condition : str, optional
        By default "maximized" (or the name of the null that the outcomes are), and "before".
    starts : int, optional
        The first so many of every target.
    prior : str or Prior, optional
        Decodes stored codes, see `rendered`.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Raises
    ------
    ArgumentError
        Codes were given no prior, or `starts` is not positive.
    DataError
        Starts began from tokens that the table lacks.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder
    >>> from layerstats.probes import maximize_activations
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     outcome = maximize_activations(network, ["0", "1"], f"{folder}/s.zarr", starts=2, steps=3).outcome()
    ...     items = outcome_items(outcome, starts=1)
    >>> items.tokens["condition"].tolist(), items.heard.shape
    (['maximized', 'maximized'], (2, 16384))
    """
    number = outcome["number"].to_numpy()
    if starts is not None:
        check_count("starts", starts)
    rows = np.flatnonzero(number < starts) if starts is not None else np.arange(len(number))
    chosen = outcome.isel(start=rows)
    began, names = (chosen[name].to_numpy().astype(object).astype(str) for name in ("token", "start"))
    told = str(outcome.attrs.get("null", "")) or "maximized"
    name = condition or (told if which == "after" else "before")
    table = pd.DataFrame(
        {
            "token": [f"{name}/{start}" for start in names],
            "word": chosen["target"].to_numpy().astype(object).astype(str),
            "speaker": _speakers(began, names, tokens),
            "split": "",
            "condition": name,
            "pair": np.where(began == "", names, began),
        }
    )
    heard = rendered(outcome, rows, which, prior=prior, device=device)
    return HeardItems(table, heard, stored_hearing(outcome.attrs))


def _speakers(began: np.ndarray, names: np.ndarray, tokens: pd.DataFrame | None) -> list[str]:
    """Return the speakers of the tokens that starts began from; starts from noise are speakers of their own."""
    known = {} if tokens is None else dict(zip(tokens["token"], tokens["speaker"], strict=True))
    lost = sorted({str(token) for token in began if token and token not in known})
    if lost:
        raise DataError(
            f"Starts began from {len(lost)} natural tokens that the tokens table lacks, for instance {lost[0]!r}. Give "
            "the tokens of the corpus that was maximized, so that their speakers are known."
        )
    return [str(known[token]) if token else str(own) for token, own in zip(began, names, strict=True)]


class HeardClips(Clips):
    """Items in the place of clips, for the recorder: what it takes for waveforms is all that is heard, in one row.

    Parameters
    ----------
    items : HeardItems
        The items.
    rate_hz : int
        Of the waveforms that the network's front end takes.
    attrs : mapping
        What recordings say of them.
    """

    def __init__(self, items: HeardItems, rate_hz: int, attrs: dict[str, object]) -> None:
        rows = np.ascontiguousarray(items.heard.reshape(len(items), -1), dtype=np.float32)
        told = {"items": items, "rows": rows, "tokens": items.tokens, "phones": empty_phones(), "told": attrs}
        for name, value in {**told, "rate_hz": rate_hz, "samples": rows.shape[1], "damaged": "error"}.items():
            object.__setattr__(self, name, value)

    @property
    def attrs(self) -> dict[str, object]:
        """What was heard, as a flat dict for a store."""
        return dict(self.__dict__["told"])

    def check_audio(self) -> None:
        """Raise `DataError` where an item holds NaN."""
        bad = ~np.isfinite(self.__dict__["rows"]).all(axis=1)
        if bad.any():
            raise DataError(f"What is heard of the item {self.tokens['token'].iloc[int(bad.argmax())]!r} holds NaN.")

    def waveforms(self, selection: slice | Sequence[int] | np.ndarray) -> np.ndarray:
        """Return all that is heard of items, (item, value)."""
        return self.__dict__["rows"][selection]

    def content_hash(self) -> str:
        """Hash of the items and of their table."""
        digest = hashlib.sha256(self.tokens.to_csv(index=False).encode())
        digest.update(self.__dict__["rows"].tobytes())
        return digest.hexdigest()
