"""The code that a Q-network reads in every token, or the word that a classifier hears."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_positive
from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.errors import ArgumentError, DataError
from layerstats.models import device_for, part, running
from layerstats.probes.inputs import call, first_tensor
from layerstats.probes.recording.batches import consecutive, read_batches
from layerstats.probes.recording.ready import check_ready


def read_codes(
    model: nn.Module,
    corpus: Corpus | Clips,
    *,
    labels: Sequence[str] | None = None,
    batch_size: int = 64,
    device: str = "auto",
) -> pd.DataFrame:
    """Read the code of every token: the likeliest category, or the likelier value of every bit.

    Parameters
    ----------
    model : torch.nn.Module
        An InfoWaveGAN, whose Q-network is asked, or a network that takes (token, sample) and gives (token, output).
        The outputs of a fiwGAN are bits, those of any other network are categories.
    corpus : Corpus or Clips
        The speech; a Corpus is heard as `clips_for(model, corpus)` says.
    labels : sequence of str, optional
        Names of the categories in order, for instance `card.outputs` of a words classifier; by default "0", "1", ...
    batch_size : int
        Tokens that are run at once.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    DataFrame
        A row a token: `token, word, speaker, split, code, certainty`. `code` is text, "3" or in bits "01101";
        `certainty` is its probability by the network, for bits the product of theirs.

    Raises
    ------
    ArgumentError
        There are not as many labels as outputs.
    DataError
        The network's outputs are NaN or infinite.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import InfoWaveGAN
    >>> speech = demo_corpus(words=["ask", "wash"], voices=1)
    >>> codes = read_codes(InfoWaveGAN("fiwgan", codes=3, width=1), speech)
    >>> list(codes.columns), codes["code"].str.len().tolist()
    (['token', 'word', 'speaker', 'split', 'code', 'certainty'], [3, 3])
    """
    check_positive("batch_size", batch_size)
    clips = clips_for(part(model), corpus)
    logits = network_outputs(part(model), clips, batch_size, device)
    bits = getattr(model, "kind", None) == "fiwgan"
    if labels is not None and (bits or len(labels) != logits.shape[1]):
        outputs = f"{logits.shape[1]} {'bits' if bits else 'outputs'}"
        raise ArgumentError(
            f"The 'labels' parameter must name every category, but got {len(labels)} names for {outputs}."
        )
    codes, certainty = _bits(logits) if bits else _categories(logits, labels)
    tokens = clips.tokens[["token", "word", "speaker", "split"]].reset_index(drop=True)
    return tokens.assign(code=pd.Series(codes, dtype="str"), certainty=certainty)


def network_outputs(model: nn.Module, clips: Clips, batch_size: int, device: str) -> Tensor:
    """Return the outputs of a network for every clip, (token, output), on the CPU in double precision.

    Raises
    ------
    ArgumentError
        They are not (token, output).
    DataError
        Some are NaN or infinite.
    """
    check_ready(model)
    clips.one_length("Reading codes")
    place = device_for(model, device)
    with running(model, place):
        batches = [
            _outputs(call(model, torch.from_numpy(clip).to(place)), len(clip))
            for _, clip in read_batches(clips, consecutive(0, len(clips.tokens), batch_size))
        ]
    outputs = torch.cat(batches).double()
    bad = ~torch.isfinite(outputs).all(dim=1).numpy()
    if bad.any():
        raise DataError(
            f"The network's outputs are NaN or infinite for {int(bad.sum())} of {len(bad)} tokens, first for "
            f"{clips.tokens['token'].to_numpy()[bad][0]!r}. Its weights may be damaged, or training may have diverged."
        )
    return outputs


def _outputs(output: object, tokens: int) -> Tensor:
    tensor = first_tensor(output)
    if tensor is None or tensor.ndim != 2 or len(tensor) != tokens or tensor.is_complex():
        found = type(output).__name__ if tensor is None else f"{tensor.dtype} of shape {tuple(tensor.shape)}"
        raise ArgumentError(
            f"A network whose codes are read must give real numbers (token, output), but for {tokens} tokens this one "
            f"gave {found}."
        )
    return tensor.cpu()


def _categories(logits: Tensor, labels: Sequence[str] | None) -> tuple[list[str], np.ndarray]:
    certainty, best = torch.softmax(logits, dim=1).max(dim=1)
    names = [str(number) for number in range(logits.shape[1])] if labels is None else list(labels)
    return [names[index] for index in best.tolist()], certainty.numpy()


def _bits(logits: Tensor) -> tuple[list[str], np.ndarray]:
    codes = ["".join(map(str, row)) for row in (logits > 0).int().tolist()]
    return codes, torch.sigmoid(logits.abs()).prod(dim=1).numpy()
