"""The priors that a name stands for: a prior in a file of its own joins by one line here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import get_type_hints
from urllib.parse import parse_qsl

from layerstats.checks import check_choice, read_as
from layerstats.errors import ArgumentError
from layerstats.probes.maximization.hearing import Hearing
from layerstats.probes.maximization.priors.autoencoder import open_autoencoder
from layerstats.probes.maximization.priors.ciwgan import open_ciwgan
from layerstats.probes.maximization.priors.none import NoPrior
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.priors.smooth import SmoothPrior
from layerstats.probes.maximization.priors.spectrum import open_spectrum

# Each is called with the hearing, with the checkpoint where it has a parameter of that name, and with options.
PRIORS: dict[str, Callable[..., Prior]] = {
    "none": NoPrior,
    "smooth": SmoothPrior,
    "spectrum": open_spectrum,
    "autoencoder": open_autoencoder,
    "ciwgan": open_ciwgan,
}


def open_prior(name: str, hearing: Hearing, **options: object) -> Prior:
    """Make the prior that a name stands for.

    Parameters
    ----------
    name : str
        "none", "smooth", "spectrum", or "autoencoder:FILE" or "ciwgan:FILE" with a checkpoint. Options may follow a
        question mark: "smooth?l2=0.01&total_variation=0", "spectrum?source=speech.csv".
    hearing : Hearing
        What the network hears (`hearing_of`).
    **options
        Parameters of the prior's class, for instance `bounds=(0, 1)`.

    Raises
    ------
    ArgumentError
        There is no such prior or option, a checkpoint is missing or too much, or it does not fit the network.

    Examples
    --------
    >>> hearing = Hearing(("time", "mel"), (90, 80))
    >>> open_prior("smooth?l2=0.01", hearing).attrs
    {'l2': 0.01, 'total_variation': 0.001}
    """
    spec, _, written = name.partition("?")
    kind, colon, file = spec.partition(":")
    check_choice("prior", kind, PRIORS)
    opener = PRIORS[kind]
    wants_file = is_read_from_checkpoint(kind)
    if wants_file and not file:
        raise ArgumentError(f"The prior {kind!r} is read from a checkpoint: {kind}:FILE, but got {name!r}.")
    if colon and not wants_file:
        raise ArgumentError(f"The prior {kind!r} takes no file, but got {name!r}.")
    given = {**_options(kind, opener, written), **options}
    known = options_of(kind)
    unknown = [option for option in given if option not in known]
    if unknown:
        listed = f"Its options are: {', '.join(known)}" if known else "It has no options"
        raise ArgumentError(f"The prior {kind!r} has no option {', '.join(map(repr, unknown))}. {listed}.")
    return opener(hearing, file, **given) if wants_file else opener(hearing, **given)


def is_read_from_checkpoint(kind: str) -> bool:
    """Tell whether priors of a kind are read from a checkpoint."""
    return "checkpoint" in inspect.signature(PRIORS[kind]).parameters


def options_of(kind: str) -> list[str]:
    """List the options of priors of a kind."""
    parameters = inspect.signature(PRIORS[kind]).parameters
    return [name for name in parameters if name not in ("hearing", "checkpoint")]


def _options(kind: str, opener: Callable[..., Prior], written: str) -> dict[str, object]:
    """Return the options behind the question mark, read as the parameters are annotated."""
    if not written:
        return {}
    hints = get_type_hints(opener.__init__ if inspect.isclass(opener) else opener)
    pairs = parse_qsl(written, keep_blank_values=True)
    if not pairs:
        raise ArgumentError(f"Options of a prior are written name=value&name=value, but got {written!r}.")
    return {
        option: read_as(hints[option], value, f"option {option!r} of the prior {kind!r}") if option in hints else value
        for option, value in pairs
    }
