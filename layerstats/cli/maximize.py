"""`layerstats maximize`: inputs that maximize what units of a network give, kept in a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.network_file import NETWORK_HELP, load_network
from layerstats.cli.sharing import CLIENT_HELP, WORKERS_HELP
from layerstats.cli.speech import CORPUS_HELP, DAMAGED_HELP, TOO_LONG_HELP, open_speech, tell_damage

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from torch import nn

    from layerstats.cli.progress import Steps
    from layerstats.corpora import Clips
    from layerstats.probes.maximization import Hearing, Prior
    from layerstats.store import Experiment

_PRIOR_HELP = (
    "none, smooth, spectrum, autoencoder:FILE or ciwgan:FILE; options follow a question mark, as in 'smooth?l2=0.01'."
)
_NULL_HELP = (
    "Nulls with the same options beside it, separated by commas: zero_steps, random_direction, untrained (or "
    "untrained:3, so many networks), shuffled:FILE (a checkpoint), natural:CORPUS."
)


def maximize(
    checkpoint: Annotated[str, typer.Argument(help=NETWORK_HELP)],
    store: Annotated[Path, typer.Argument(help="Zarr store to write or to go on with.")],
    targets: Annotated[
        str | None,
        typer.Option(help="Classes, channels (conv2:5) or single values (conv2:5:10/3), separated by commas."),
    ] = None,
    starts: Annotated[int, typer.Option(help="Starts of every target.")] = 100,
    prior: Annotated[str | None, typer.Option(help=_PRIOR_HELP)] = None,
    objective: Annotated[
        str | None, typer.Option(help="log_probability (usual), probability or logit of classes; else activation.")
    ] = None,
    optimiser: Annotated[str | None, typer.Option(help="gradient_rms (usual) or adam.")] = None,
    rate: Annotated[float | None, typer.Option(help="Length of a step: .01, of codes .1, of adam .05 usually.")] = None,
    steps: Annotated[int | None, typer.Option(help="Exactly so many, at most with --until; 20 usually.")] = None,
    until: Annotated[float | None, typer.Option(help="Probability at which a start takes no more steps.")] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            "--from", help="noise, xavier_uniform, data, codes, or own (codes as the prior's network has them)."
        ),
    ] = None,
    corpus: Annotated[str | None, typer.Option(help=f"Of starts from data. {CORPUS_HELP}")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split of the corpus, for instance test.")] = None,
    match: Annotated[str | None, typer.Option(help="Begin from tokens of the own word of a target, or any.")] = None,
    clip: Annotated[bool, typer.Option("--clip", help="Keep features between 0 and 1 (none and smooth).")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Keep objective and displacement after every step.")] = False,
    settings: Annotated[str | None, typer.Option(help="Published: soomro2019, or krug2018 (neurons).")] = None,
    null: Annotated[str | None, typer.Option(help=_NULL_HELP)] = None,
    set_up: Annotated[str | None, typer.Option(help="Name of the set-up; the prior's usually.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the network; that of its file usually.")] = None,
    seed: Annotated[int, typer.Option(help="From which every start has its own.")] = 0,
    block: Annotated[str, typer.Option(help="3/64: the fourth of 64 parts, from 0, for machines that share.")] = "0/1",
    batch_size: Annotated[int | None, typer.Option(help="Starts at once; as many as suit the device usually.")] = None,
    hears: Annotated[
        str | None, typer.Option(help="What a network of your own hears, such as time=90,mel=80 or sample=16000.")
    ] = None,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    workers: Annotated[int, typer.Option(help=WORKERS_HELP)] = 1,
    client: Annotated[str | None, typer.Option(help=CLIENT_HELP)] = None,
    again: Annotated[
        str | None, typer.Option(help="Make this stored start again, alone, and say by how much it differs.")
    ] = None,
) -> None:
    """Maximize units of a network from many starts; whoever is killed goes on where it stopped."""
    from layerstats.cli.progress import steps as steps_shown
    from layerstats.errors import ArgumentError
    from layerstats.parallel import connected
    from layerstats.probes import make_again, maximize_activations, record_nulls
    from layerstats.probes.maximization import usual_prior
    from layerstats.store import open_store, outcome_name

    prior = prior or usual_prior(settings)
    with steps_shown() as step, connected(client) as cluster:
        step("loading the network")
        network, card = load_network(checkpoint)
        clips = None if corpus is None else _clips(step, network, corpus, split, too_long, damaged)
        hearing = None if hears is None else _hearing(network, hears)
        opened = _clipped(network, prior, hearing) if clip else prior
        if again is not None:
            step(f"making {again} again")
            about = {"prior": None if prior == "none" else opened, "corpus": clips, "card": card, "hearing": hearing}
            there = open_store(store, incomplete="allow")
            set_up, name = _meant(there, set_up, name, prior, checkpoint)
            made = make_again(network, store, again, set_up=set_up, network_name=name, device=device, **about)
            told = _made_again(there.outcome(set_up=set_up, network=name).sel(start=[again]), made)
        else:
            chosen = listed(targets)
            if not chosen:
                raise ArgumentError("Say with --targets what is maximized, for instance --targets yes,no or conv2:5.")
            nulls = None
            if null is not None:
                # Read as what starts begin from is: the same split, the same choice of damaged audio.
                nulls = _nulls(null, _part(block), lambda what: _clips(step, network, what, split, too_long, damaged))
            step("maximizing")
            options: dict[str, Any] = {
                "starts": starts,
                "prior": opened,
                "settings": settings,
                "objective": objective,
                "optimiser": optimiser,
                "rate": rate,
                "steps": steps,
                "until": until,
                "start_from": start_from,
                "match": match,
                "paths": paths or None,
                "corpus": clips,
                "set_up": set_up,
                "network_name": name or _stem(checkpoint),
                "seed": seed,
                "batch_size": batch_size,
                "card": card,
                "hearing": hearing,
                "device": device,
                "workers": workers,
                "client": cluster,
            }
            experiment = maximize_activations(network, chosen, store, block=_part(block), progress=step.move, **options)
            told = _told(experiment, outcome_name(set_up or _kind(prior), name or _stem(checkpoint)))
            if nulls is not None:
                step("maximizing nulls")
                experiment = record_nulls(network, chosen, store, progress=step.move, **nulls, **options)
                told += _told_nulls(experiment, set_up or _kind(prior))
    typer.echo(f"{store}: {told}")


def _clips(step: Steps, network: nn.Module, corpus: str, split: str | None, too_long: str, damaged: str) -> Clips:
    from layerstats.corpora import clips_for
    from layerstats.models import part

    speech = open_speech(step, corpus, None, damaged).subset(split=split)
    clips = clips_for(part(network), speech, too_long=too_long, damaged=damaged)
    tell_damage(clips)
    return clips


def _hearing(network: nn.Module, hears: str) -> Hearing:
    from layerstats.errors import ArgumentError
    from layerstats.models import dtype_of
    from layerstats.probes.maximization import Hearing

    axes = [axis.partition("=") for axis in listed(hears) or []]
    if not axes or not all(name and length.isdecimal() for name, _, length in axes):
        raise ArgumentError(f"--hears takes axes with lengths, as in time=90,mel=80, but got {hears!r} instead.")
    return Hearing(
        tuple(name for name, _, _ in axes), tuple(int(length) for _, _, length in axes), dtype=dtype_of(network)
    )


def _clipped(network: nn.Module, prior: str, hearing: Hearing | None) -> Prior:
    from layerstats.models import part
    from layerstats.probes.maximization import hearing_of, open_prior

    return open_prior(prior, hearing or hearing_of(part(network)), bounds=(0.0, 1.0))


def _stem(network: str) -> str:
    """Return what a network is called by its file, or by the function that makes it."""
    file, _, function = network.rpartition(":")
    return function if file.endswith(".py") else Path(network).stem


def _kind(prior: str) -> str:
    """Return what a set-up is called by its prior."""
    return prior.partition("?")[0].partition(":")[0]


def _meant(
    experiment: Experiment, set_up: str | None, name: str | None, prior: str, checkpoint: str
) -> tuple[str | None, str | None]:
    """Return set-up and network of --again: where the store holds several, those of this prior and this file."""
    there = experiment.outcomes
    several = there.loc[there["null"] == "", ["set_up", "network"]].nunique()
    if set_up is None and several["set_up"] > 1:
        set_up = _kind(prior)
    if name is None and several["network"] > 1:
        name = _stem(checkpoint)
    return set_up, name


def _told_nulls(experiment: Experiment, set_up: str) -> str:
    there = experiment.outcomes
    names = there.loc[(there["null"] != "") & (there["set_up"] == set_up), "name"]
    return f"; nulls of {set_up}: {', '.join(names)}"


def _part(block: str) -> tuple[int, int]:
    from layerstats.errors import ArgumentError

    number, slash, parts = block.partition("/")
    if not (slash and number.isdecimal() and parts.isdecimal()):
        raise ArgumentError(f"--block takes a part and how many there are, as in 3/64, but got {block!r} instead.")
    return int(number), int(parts)


def _nulls(text: str, part: tuple[int, int], read_clips: Callable[[str], Clips]) -> dict[str, Any]:
    """Return the arguments of `record_nulls` that `--null` says; what is wrong is told before anything has run."""
    from layerstats.errors import ArgumentError
    from layerstats.probes.maximization import check_nulls

    if part != (0, 1):
        raise ArgumentError("Nulls are made as a whole: leave out --block, or run --null without it.")
    arguments: dict[str, Any] = {"nulls": []}
    for item in listed(text) or []:
        kind, _, what = item.partition(":")
        arguments["nulls"].append(kind)
        if kind == "untrained" and what:
            if not what.isdecimal():
                raise ArgumentError(f"--null untrained takes how many networks, as in untrained:3, but got {item!r}.")
            arguments["untrained_seeds"] = range(int(what))
        elif kind == "shuffled" and what:
            arguments["shuffled"] = what
        elif kind == "natural" and what:
            arguments["natural"] = read_clips(what)
    if not arguments["nulls"]:
        raise ArgumentError(f"--null takes nulls separated by commas, as in zero_steps,untrained:3, but got {text!r}.")
    check_nulls(**arguments)
    return arguments


def _told(experiment: Experiment, name: str) -> str:
    """Say in one line what became of the starts."""
    outcome = experiment.outcome(name)
    starts, targets = outcome.sizes["start"], list(dict.fromkeys(outcome["target"].to_numpy().tolist()))
    heard = ""
    if "scores_after" in outcome and outcome.attrs["objective"] != "activation":
        answers = outcome["class"].to_numpy()[outcome["scores_after"].to_numpy().argmax(axis=1)]
        heard = f", {int((answers == outcome['target'].to_numpy()).sum())} heard as their target by the network itself"
    stalled = int(outcome["stalled"].sum())
    complete = experiment.outcomes.set_index("name").loc[name, "complete"]
    more = "" if complete else "; other parts are missing"
    return f"{name}, {starts} starts of {len(targets)} targets{heard}, {stalled} stalled{more}"


def _made_again(there: xr.Dataset, made: xr.Dataset) -> str:
    """Say in one line by how much a start that was made again differs from the stored one."""
    import numpy as np

    name = "codes_after" if "codes_after" in made else "features_after"
    apart = float(np.abs(made[name].to_numpy() - there[name].to_numpy()).max())
    before = made[name.replace("after", "before")]
    same = np.array_equal(before.to_numpy(), there[name.replace("after", "before")].to_numpy())
    begun = "from the same start" if same else "from another start"
    objectives = f"{there['objective_after'].item():.6g} there, {made['objective_after'].item():.6g} now"
    return f"{made['start'].item()} made again {begun}: objective {objectives}; {name} differ by at most {apart:.2g}"
