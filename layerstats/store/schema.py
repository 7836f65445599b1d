"""What a store is made of: names, versions, units. `docs/store-format.md` says the same in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from layerstats.errors import ArgumentError, StoreError

SCHEMA_VERSION = 3
PACKAGE_VERSION = version("layerstats")

TOKENS = "tokens"
PHONES = "phones"
RECORDINGS = "recordings"
# What a recording is called unless its caller says otherwise.
MAIN_RECORDING = "activations"
# Groups of results. They hold tables, but for outcomes of maximizations, judgements of these, and sums over windows:
# arrays in blocks.
OUTCOMES = "outcomes"
JUDGEMENTS = "judgements"
SUMS = "sums"
RESULT_KINDS = (OUTCOMES, JUDGEMENTS, SUMS, "averages", "ratings")
# Dimensions along which arrays of these are cut into blocks; no layer has them.
BLOCK_UNITS = {OUTCOMES: "start", JUDGEMENTS: "start", SUMS: "speaker"}

# What is stored of a layer's channels; the first unless the recording says otherwise.
SUMMARIES = ("mean", "root_mean_square")

# Labels that readers put beside the variables of a layer: its samples by number, its tokens and phones by their tables.
LABELS = ("sample", "word", "speaker", "split", "phone_token", "label")

# Dimensions of the variables of a layer that have a name of their own; others are free.
USUAL_DIMENSIONS = {
    "mean": ("token", "sample"),
    "root_mean_square": ("token", "sample"),
    "maps": ("token", "channel", "sample"),
    "phones": ("phone", "channel"),
    "input": ("token", "frequency", "sample"),
}

TOKEN_COLUMNS = ("token", "word", "speaker", "split")
PHONE_COLUMNS = ("token", "phone_index", "label", "onset_s", "offset_s")

DESCRIPTIONS = {
    "token": "identifier of the clip",
    "word": "word that is spoken",
    "speaker": "speaker or voice",
    "split": "part of the corpus (train or test)",
    "onset_s": "onset on the time axis of the clip",
    "offset_s": "offset on the time axis of the clip",
    "duration_s": "duration of the stretch of speech",
    "phone_index": "position of the phone among those of its token, from 0",
    "label": "phone label",
    "phone_class": "class of the phone",
    "previous": "label of the preceding phone, empty at the beginning",
    "following": "label of the following phone, empty at the end",
    "position": "position of the phone in the word",
    "time_s": "centre of the receptive field on the time axis of the clip",
    "mean": "activation averaged over channels",
    "root_mean_square": "root mean square of the activation over channels",
    "maps": "activation",
    "phones": "average over the samples of a phone",
    "input": "input of the network",
    "start": "identifier of the start of a maximization",
    "seed": "seed of random numbers",
    "steps": "steps that were taken",
    "stalled": "whether it stalled (1) or not (0)",
    "displacement": "distance from the beginning to the end of what is optimised",
    "displacement_heard": "distance from the beginning to the end of what the network hears",
    "objective_before": "objective at the beginning",
    "objective_after": "objective at the end",
    "scores_before": "probability of each class at the beginning",
    "scores_after": "probability of each class at the end",
    "judge": "who judges",
    "response": "what the judge says",
    "score": "score of the response",
    "coverage": "windows that have this lag",
    "lag_s": "time from where windows are aligned",
    "frequency_hz": "centre of the frequency band",
    "sum": "relevance summed over frequency",
    "by_frequency": "relevance summed over time",
    "conservation_error": "relevance that is lost or made on the way, as a share of the start",
    "completeness_error": "difference between the sum of relevance and that of the scores, as a share of the latter",
    "scale": "largest relevance, by which all was divided",
    "aligned_sample": "sample at which a window is aligned under a letter",
    "peak_s": "time of the greatest relevance on the time axis of the clip",
}

Scalar = str | bool | int | float
Attribute = Scalar | list[Scalar]


def unit_and_name(column: str) -> dict[str, str]:
    """Return `units` and `long_name` of a column or variable.

    Examples
    --------
    >>> unit_and_name("duration_s")
    {'units': 's', 'long_name': 'duration of the stretch of speech'}
    """
    units = "s" if column.endswith("_s") else "Hz" if column.endswith("_hz") else "1"
    return {"units": units, "long_name": DESCRIPTIONS.get(column, column.replace("_", " "))}


def check_name(what: str, name: str) -> None:
    """Raise `ArgumentError` unless `name` can be the name of a finished node (Zarr v3, "Node names").

    Examples
    --------
    >>> check_name("layer", "zarr.json")
    Traceback (most recent call last):
    layerstats.errors.ArgumentError: A layer cannot be called 'zarr.json': names are not empty, ...
    """
    wrong = not name or name.startswith("__") or not name.strip(".") or name.endswith(".partial")
    # Zarr takes a backslash for a slash; metadata lie in files called zarr.json.
    if wrong or name == "zarr.json" or any(character in name for character in "/\\\0"):
        raise ArgumentError(
            f"A {what} cannot be called {name!r}: names are not empty, have no '/', '\\\\' or NUL, do not begin with "
            "'__', do not end in '.partial', are not made of dots only and not 'zarr.json'."
        )


def check_schema(attributes: Mapping[str, object], path: Path) -> None:
    """Raise `StoreError` where a store is not ours or of a schema that is newer than this package."""
    found = attributes.get("schema_version")
    if found is None:
        raise StoreError(f"{path} is a Zarr directory but not a store of layerstats: it has no 'schema_version'.")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise StoreError(
            f"The store {path} is damaged: its schema_version is {found!r}, which is no whole number from 1. Restore "
            "its zarr.json from a copy, or remove the store and record again."
        )
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {found} (written by layerstats {attributes.get('layerstats_version')}), and "
            f"layerstats {PACKAGE_VERSION} reads up to version {SCHEMA_VERSION}. Update it: pip install -U layerstats"
        )


def check_current(attributes: Mapping[str, object], path: Path) -> None:
    """Raise `StoreError` where a store is of an earlier schema: those are read, and not written into."""
    found = attributes.get("schema_version")
    if found != SCHEMA_VERSION:
        raise StoreError(
            f"{path} is of schema version {found} and is read only; writing needs version {SCHEMA_VERSION}. Copy it: "
            f"layerstats upgrade {path} NEW, and go on with NEW."
        )


def clean_attributes(attributes: Mapping[str, object]) -> dict[str, Attribute]:
    """Return attributes as flat JSON: numpy scalars become Python's, None and NaN are left out.

    Raises
    ------
    ArgumentError
        Where a value is neither text, number, truth value nor a list of these: netCDF knows no others.

    Examples
    --------
    >>> import numpy as np
    >>> clean_attributes({"slope": np.float64(0.2), "axes": ("token", "sample"), "seed": None})
    {'slope': 0.2, 'axes': ['token', 'sample']}
    """
    cleaned: dict[str, Attribute] = {}
    for name, value in attributes.items():
        if isinstance(value, list | tuple | np.ndarray):
            items = [_scalar(name, item) for item in value]
            cleaned[name] = [item for item in items if item is not None]
        elif (scalar := _scalar(name, value)) is not None:
            cleaned[name] = scalar
    return cleaned


def _scalar(name: str, value: object) -> Scalar | None:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ArgumentError(
        f"The attribute {name!r} must be text, a finite number, a truth value or a flat list of these, "
        f"but got {value!r}."
    )
