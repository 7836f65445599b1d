"""A quantity as a user would add one: a name, its variables, and what is kept of a layer."""

from layerstats.probes import Quantity, Variable, maps


class Silence(Quantity):
    """Share of a layer's channels that do not reach a threshold."""

    name = "silence"
    variables = (
        Variable("share", long_name="share of silent channels"),
        Variable("by_channel", ("token", "channel"), long_name="share of the clip in which a channel is silent"),
    )

    def __init__(self, threshold=0.0):
        self.threshold = threshold

    def reduce(self, values, axes):
        silent = (maps(values, axes).abs() <= self.threshold).float()
        return {"share": silent.mean(dim=1), "by_channel": silent.mean(dim=2)}
