"""How far codes lie from the decision boundary of a network, to first order."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from layerstats.checks import check_choice, check_count
from layerstats.errors import DataError, NetworkError, StoreError
from layerstats.models import dtype_of, part
from layerstats.probes.inputs import call, first_tensor
from layerstats.probes.maximization import Prior
from layerstats.probes.maximization.places import differentiating
from layerstats.probes.maximization.rendering import prior_of
from layerstats.probes.recording.key import model_hash


def boundary_distance(
    network: nn.Module,
    outcome: xr.Dataset,
    *,
    which: str = "before",
    prior: str | Prior | None = None,
    batch_size: int = 32,
    device: str = "auto",
) -> np.ndarray:
    """Return how far the codes of starts lie from where their class and its rival are equally likely.

    The margin, the difference of the target's logit and of the largest other one, is divided by the length of its
    gradient with respect to the codes: the distance to the boundary were the margin linear (Moosavi-Dezfooli et al.
    2016, DeepFool, Eq. 6). It is negative where the network hears another class.

    Parameters
    ----------
    network : torch.nn.Module
        The target network of the outcomes.
    outcome : Dataset
        As `Experiment.outcome` gives it, with codes.
    which : {"before", "after"}
        Of which codes.
    prior : str or Prior
        Decodes them, "autoencoder:FILE".
    batch_size : int
        Starts at once.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    ndarray
        (start,) in the units of the codes; missing where the gradient is zero.

    Raises
    ------
    DataError
        The outcomes have no codes.
    StoreError
        The network has other weights than the outcomes were made with, or the prior has.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import CommandClassifier, MelAutoencoder, seeded
    >>> from layerstats.probes import maximize_activations
    >>> from layerstats.probes.maximization import AutoencoderPrior, hearing_of
    >>> with seeded(0):
    ...     network = CommandClassifier(outputs=2, channels=(1, 1, 1), hidden=(2, 2, 2))
    ...     prior = AutoencoderPrior(hearing_of(network), MelAutoencoder(codes=4, channels=(1, 1, 1, 1)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     options = {"prior": prior, "starts": 2, "steps": 2}
    ...     outcome = maximize_activations(network, ["0", "1"], f"{folder}/s.zarr", **options).outcome()
    ...     boundary_distance(network, outcome, prior=prior).shape
    (4,)
    """
    check_choice("which", which, ("before", "after"))
    check_count("batch_size", batch_size)
    network = part(network)
    if f"codes_{which}" not in outcome:
        raise DataError(f"These outcomes have no codes: their prior {outcome.attrs.get('prior')!r} optimises none.")
    if model_hash(network) != outcome.attrs.get("network_hash"):
        raise StoreError(
            f"The network has other weights than the target network {outcome.attrs.get('network')!r} of these "
            "outcomes. Give the checkpoint that was maximized."
        )
    opened = prior_of(outcome.attrs, prior)
    classes = list(outcome["class"].to_numpy().astype(object).astype(str))
    targets = [classes.index(name) for name in outcome["target"].to_numpy().astype(object).astype(str)]
    codes = outcome[f"codes_{which}"].to_numpy()
    dtype = dtype_of(opened.modules[0])
    parts = [np.zeros(0)]
    with differentiating([network, *opened.modules], device) as place:
        for first in range(0, len(codes), batch_size):
            given = torch.from_numpy(codes[first : first + batch_size]).to(place, dtype).requires_grad_()
            wanted = torch.tensor(targets[first : first + batch_size], device=place)
            margin = _margin(network, opened.render(given).to(dtype_of(network)), wanted)
            (gradient,) = torch.autograd.grad(margin.sum(), given)
            length = gradient.flatten(1).norm(dim=1)
            distance = torch.where(length > 0, margin / length, torch.nan)
            parts.append(distance.detach().double().cpu().numpy())
    return np.concatenate(parts)


def _margin(network: nn.Module, heard: Tensor, targets: Tensor) -> Tensor:
    """Return the target's logit less the largest other one, (start,)."""
    logits = first_tensor(call(network, heard))
    if logits is None or logits.ndim != 2:
        raise NetworkError("A network with a decision boundary gives logits (token, class), but this one does not.")
    own = torch.nn.functional.one_hot(targets, logits.shape[1]).bool()
    return logits[own] - logits.masked_fill(own, -torch.inf).amax(dim=1)
