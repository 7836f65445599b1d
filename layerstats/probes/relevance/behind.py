"""Scores that were taken behind a sigmoid or softmax: found in the graph by which they came about."""

from __future__ import annotations

from torch import Tensor

# Operations that move values about, or average them, on the way from what a network gave to the score of a token.
_PASSING = (
    *("Index", "Gather", "Select", "Slice", "View", "Permute", "Transpose", "Squeeze", "Unsqueeze", "Clone", "Alias"),
    *("Mean", "Cat", "Stack", "AsStrided", "Expand", "ToCopy", "Reshape", "Unbind", "Split", "Identity"),
)
_SQUASHING = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid", "LogSigmoid": "log_sigmoid"}


def squashed_by(scores: Tensor) -> str | None:
    """Return "softmax", "sigmoid", ... where the scores come right behind one; None where they do not.

    Examples
    --------
    >>> import torch
    >>> logits = torch.zeros(2, 3, requires_grad=True)
    >>> squashed_by(torch.nn.functional.softmax(logits, dim=1)[:, 0]), squashed_by(logits[:, 0])
    ('softmax', None)
    """
    node = scores.grad_fn
    while node is not None:
        # Operations that carry relevance back say their names themselves.
        name = getattr(getattr(node, "call", None), "name", "")
        kind = type(node).__name__.removeprefix("Unsafe").rstrip("0123456789").removesuffix("Backward")
        if kind in _SQUASHING or name in _SQUASHING.values():
            return _SQUASHING.get(kind, name)
        if not kind.startswith(_PASSING) and name not in ("mean", "sum"):
            return None
        node = next((before for before, _ in node.next_functions if before is not None), None)
    return None


def squashed_note(kind: str | None) -> str | None:
    """Return what to say of such a score; None where there is nothing to say."""
    if kind is None:
        return None
    return (
        f"The score is taken behind a {kind}: where it saturates its gradient fades, and its relevance is as much "
        "about the other classes as about this one. Take what goes into it: start='logit', or a unit of the layer "
        "before."
    )
