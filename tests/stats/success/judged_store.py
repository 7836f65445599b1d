"""A small store of outcomes and judgements, and what is in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.store import JudgementWriter, OutcomeWriter, outcome_variables

CLASSES = ["no", "up", "yes"]
NETWORKS = ["n0", "n1"]


def softmax(rng, targets, strength):
    scores = rng.random((len(targets), len(CLASSES)))
    scores[np.arange(len(targets)), [CLASSES.index(target) for target in targets]] += strength
    return (scores / scores.sum(axis=1, keepdims=True)).astype("float32")


class Written:
    """A store of two networks and a null, and what is in it."""

    def __init__(self, path, labels=CLASSES, change=None, set_ups=("smooth",)):
        self.path, self.scores, self.said, self.before = path, {}, {}, {}
        rng = np.random.default_rng(0)
        targets = np.repeat(["no", "yes"], 5)
        self.starts = pd.DataFrame({"target": targets, "number": np.tile(np.arange(5), 2)})
        self.starts["start"] = [f"{a}_{b:05}" for a, b in zip(targets, self.starts["number"], strict=True)]
        self.starts = self.starts.assign(seed=np.arange(10) + 2**40, token="")
        sets = [(one, "", 0.8) for one in set_ups] + [(f"{one}_zero", "zero_steps", 0.0) for one in set_ups]
        for name, null, strength in sets:
            for network in NETWORKS:
                place = f"{name}.{network}"
                self.before[place] = softmax(rng, targets, 0.0)
                self.scores[place, network] = softmax(rng, targets, strength)
                self.write_outcomes(place, network, null, name.removesuffix("_zero"))
                other = NETWORKS[1 - NETWORKS.index(network)]
                self.scores[place, other] = softmax(rng, targets, strength / 2)
                self.said[place] = rng.choice([*CLASSES, "(nothing)"], 10).astype(object)
                if change is not None:
                    change(self.scores[place, other])
                self.write_judgements(place, other, list(labels), self.scores[place, other])
                self.write_judgements(place, "pocketsphinx", None, self.said[place])

    def write_outcomes(self, place, network, null, set_up):
        variables = outcome_variables({"code": 2}, classes=3)
        attrs = {"set_up": set_up, "network": network, "null": null, "labels": "true", "trained": True}
        coords = {"class": ("class", CLASSES)}
        with OutcomeWriter(
            self.path, place, self.starts, variables, key="k", attrs=attrs, coords=coords, shard_starts=4
        ) as writer:
            for rows in writer.missing():
                values = {
                    one.name: np.zeros(
                        (len(self.starts), *(one.sizes[name] for name in one.dimensions[1:])), dtype=one.dtype
                    )[rows]
                    for one in variables
                }
                values["scores_before"] = self.before[place][rows]
                values["scores_after"] = self.scores[place, network][rows]
                writer.write(rows, values)
            writer.finish()

    def write_judgements(self, place, judge, responses, values):
        with JudgementWriter(self.path, place, judge, responses, key="k") as writer:
            for rows in writer.missing():
                writer.write(rows, {"response" if responses is None else "score": values[rows]})
            writer.finish()
