"""Which clips a network hears: of its rate, its length or their own, normalised as it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from layerstats.corpora.clips import Clips
from layerstats.corpora.corpus import Corpus
from layerstats.errors import ArgumentError


def clips_for(network: Any, corpus: Corpus | Clips, **options: Any) -> Clips:
    """Return a corpus's tokens as a network hears them.

    Parameters
    ----------
    network : torch.nn.Module
        A network that says what it hears (`hearing`: one of those that `open_network` opens) gets clips of its rate and
        normalisation, each as long as its token, without silences. One with a mel front end gets clips of the front
        end's rate and length without silences; any other the clips of `Clips`, of its own length.
    corpus : Corpus or Clips
        The speech; clips are given back, if they are at the rate that the network hears.
    **options
        Further parameters of `Clips`, such as `too_long`; they overrule the network's own.

    Returns
    -------
    Clips

    Raises
    ------
    ArgumentError
        Clips of another sampling rate than the network hears, or some that are too long or too short for it; or the
        network hears utterances as long as they are, and no `samples` are given.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import CommandClassifier
    >>> clips = clips_for(CommandClassifier(), demo_corpus(words=["wash"], voices=4))
    >>> clips.rate_hz, clips.samples, clips.silence_s
    (22050, 22050, 0.0)
    """
    hearing = getattr(network, "hearing", None)
    front_end = getattr(network, "front_end", None)
    rate_hz = getattr(hearing or front_end, "rate_hz", None)
    if isinstance(corpus, Clips):
        if rate_hz not in (None, corpus.rate_hz):
            by = "network" if hearing is not None else "network's mel front end"
            raise ArgumentError(
                f"The clips of {corpus.corpus.name!r} are at {corpus.rate_hz} Hz, but the {by} "
                f"hears {rate_hz} Hz. Make them with clips_for(network, corpus), or hand over the corpus itself."
            )
        clips = corpus
    else:
        clips = Clips(corpus, **{**_own_options(network, options), **options})
    if hearing is not None:
        _check_lengths(clips, hearing)
    return clips


def _own_options(network: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of `Clips` by which a network hears."""
    hearing, front_end = getattr(network, "hearing", None), getattr(network, "front_end", None)
    configuration = getattr(network, "configuration", None)
    if hearing is not None:
        own = {"rate_hz": hearing.rate_hz, "samples": None, "silence_s": 0.0, "normalisation": hearing.normalisation}
        return own if options.get("samples") is not None else {**own, "longest": hearing.fixed_samples}
    if front_end is not None and getattr(front_end, "rate_hz", None) is not None:
        if front_end.samples == 0 and "samples" not in options:
            raise ArgumentError(
                f"A {type(network).__name__} hears every utterance as long as it is, and the zeros that fill a clip "
                "would change what it makes of it. Pass samples=None (--own-lengths) for clips as long as their "
                "tokens, or samples= for clips of one length all the same."
            )
        return {"rate_hz": front_end.rate_hz, "samples": front_end.samples, "silence_s": 0.0}
    if isinstance(configuration, dict) and "samples" in configuration:
        return {"samples": configuration["samples"]}
    return {}


def _check_lengths(clips: Clips, hearing: Any) -> None:
    """Raise `ArgumentError` where a network of a given length, or of a least one, cannot hear some clips."""
    lengths, least, fixed = clips.lengths(), hearing.least_samples or 1, hearing.fixed_samples
    wrong = np.flatnonzero((lengths < least) | (lengths > (np.inf if fixed is None else fixed)))
    if len(wrong) == 0:
        return
    token, length = clips.tokens["token"].iloc[wrong[0]], lengths[wrong[0]]
    what = f"at least {least}" if length < least else f"at most {fixed}"
    advice = (
        "Choose longer tokens, or clips with more silence (silence_s=) or of one length (samples=)."
        if length < least
        else f"Pass too_long='trim' or too_long='skip' with samples=None and longest={fixed}."
    )
    raise ArgumentError(
        f"The clip of token {token!r} has {length} samples, but the network hears {what} ({len(wrong)} of "
        f"{len(lengths)} clips are so). {advice}"
    )
