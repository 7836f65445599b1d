"""Relevance as a quantity of the recorder: whatever takes recordings of activations takes those of relevances."""

from __future__ import annotations

from collections.abc import Sequence

from layerstats.checks import check_choice
from layerstats.probes.gradients import OWN_WORD, Gradient, Target

METHODS = ("gradient", "input_x_gradient")


class Relevance(Gradient):
    """How much of a score of the network rests on each value of its layers and its input.

    Parameters
    ----------
    target : int, str or callable
        Whose relevance, as for `Gradient`: the number of an output, its name, "own_word" (the output named as the word
        of the token), or a function of (output, rows of the tokens table) that returns a score a token.
    labels : sequence of str, optional
        Names of the network's outputs in order, for instance `card.outputs`.
    method : {"gradient", "input_x_gradient"}
        The gradient of the score (sensitivity; Gevrey et al. 2003), or that times what the layer gives (Shrikumar et
        al. 2017).
    summary : str or sequence of str
        What is stored of the channels, of {"mean", "root_mean_square"}; both by default.
    maps : bool
        Store all channels too, (token, channel, sample).

    Raises
    ------
    ArgumentError
        There is no such method, or the target is neither an output nor a function.

    Examples
    --------
    >>> Relevance("ask", ["ask", "wash"], method="input_x_gradient").attributes()["method"]
    'input_x_gradient'
    """

    def __init__(
        self,
        target: Target = OWN_WORD,
        labels: Sequence[str] | None = None,
        *,
        method: str = "gradient",
        summary: str | Sequence[str] = ("mean", "root_mean_square"),
        maps: bool = False,
    ) -> None:
        check_choice("method", method, METHODS)
        super().__init__(target, labels, times_activation=method == "input_x_gradient", summary=summary, maps=maps)
        self.method = method

    @property
    def recording(self) -> str:
        """How its recording is called unless the caller says otherwise: as the method."""
        return self.method
