"""How a judge hears outcomes of maximizations: what the target network heard, or the sound of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from layerstats.errors import ArgumentError, StoreError
from layerstats.judges.people import People
from layerstats.judges.protocol import Judge, NetworkJudge

# Of what is heard without sound being made of it.
DIRECT = ("features", "waveforms")


def hearing_of_judge(judge: Judge, attrs: Mapping[Any, Any]) -> str:
    """Return "features" or "waveforms" (what the target network heard, as it is), "sound", or "elsewhere" of people.

    A network judge hears features where its front end has the settings of the target network's. The filters follow
    from the settings, and every checkpoint is refused in which they do not.

    Parameters
    ----------
    judge : Judge
        Who judges.
    attrs : mapping
        Attributes of the outcomes.

    Raises
    ------
    ArgumentError
        The settings differ, or are not known: features of other settings mean other sounds.
    """
    if isinstance(judge, People):
        return "elsewhere"
    if not isinstance(judge, NetworkJudge):
        return "sound"
    theirs = json.loads(str(attrs.get("front_end") or "{}"))
    dims, shape = list(attrs.get("heard_dims", ())), list(attrs.get("heard_shape", ()))
    own = judge.front_end
    if own is None:
        samples = getattr(getattr(judge, "network", None), "configuration", {}).get("samples")
        return "waveforms" if dims == ["sample"] and shape == [samples] else "sound"
    if dims == ["sample"]:
        return "sound"
    names = sorted(own.keys() | theirs.keys())
    apart = [name for name in names if own.get(name) != theirs.get(name)]
    if apart:
        said = "; ".join(
            f"{name} is {own.get(name)!r} there and {theirs.get(name)!r} in the outcomes" for name in apart
        )
        raise ArgumentError(
            f"The judge {judge.name!r} has other settings of its front end than the target network "
            f"{attrs['network']!r}: {said}. Features of other settings mean other sounds: leave it out, or choose "
            "outcomes of networks with its settings (set_ups=, networks=)."
        )
    return "features"


def check_responses(judge: Judge, attrs: Mapping[Any, Any], classes: Sequence[str], targets: Sequence[str]) -> None:
    """Raise `ArgumentError` where a judge cannot say the targets, or is a network with other labels than the target's.

    Only names matter, never the order of outputs. A judge that says none of the words, and is no network, answers
    another question; what people said is all that they said, not all that they could.
    """
    if not judge.responses or isinstance(judge, People):
        return
    place = f"the outcomes {attrs['set_up']!r} of {attrs['network']!r}"
    if isinstance(judge, NetworkJudge) and judge.front_end is not None and set(judge.responses) != set(classes):
        missing, more = sorted(set(classes) - set(judge.responses)), sorted(set(judge.responses) - set(classes))
        said = [f"it lacks {', '.join(map(repr, missing))}"] if missing else []
        said += [f"it knows {', '.join(map(repr, more))} besides"] if more else []
        raise ArgumentError(
            f"The judge {judge.name!r} has other labels than the target network of {place}: {'; '.join(said)}. "
            "Networks that judge each other must be trained on the same words."
        )
    unsayable = sorted(set(targets) - set(judge.responses))
    of_words = isinstance(judge, NetworkJudge) or set(judge.responses) & set(classes)
    # Units of layers are no words, and nobody can say them.
    if set(targets) <= set(classes) and unsayable and of_words:
        raise ArgumentError(
            f"The judge {judge.name!r} cannot say {', '.join(map(repr, unsayable))}, which were maximized in {place}. "
            "Leave it out, or choose other outcomes (set_ups=, networks=)."
        )


def check_weights(judge: Judge, attrs: Mapping[Any, Any]) -> None:
    """Raise `StoreError` where a judge is called as the target network and has other weights."""
    theirs = attrs.get("network_hash")
    if not isinstance(judge, NetworkJudge) or judge.name != attrs["network"] or theirs is None or attrs.get("null"):
        return
    if judge.network_hash != theirs:
        raise StoreError(
            f"The outcomes {attrs['set_up']!r} were made for a network {judge.name!r} with other weights than those of "
            "this judge of the same name. Give the checkpoint that they were made for, or rename the other."
        )
