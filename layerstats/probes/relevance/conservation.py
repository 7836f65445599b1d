"""How much relevance each operation lost or made, and an error where a rule promises that none is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from layerstats.errors import NetworkError
from layerstats.probes.relevance.operations.call import OperationCall


class Account:
    """Relevance that operations were given and handed on, by token.

    Parameters
    ----------
    tokens : int
        Size of the batch.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.lost: dict[str, Tensor] = {}

    def begin(self) -> None:
        """Begin anew, for another score."""
        self.lost = {}

    def add(self, call: OperationCall, name: str, given: Sequence[Tensor], handed: Sequence[Tensor | None]) -> None:
        """Count what a call lost: given minus handed on.

        Raises
        ------
        NetworkError
            Relevance is not a number, or not conserved where the rule of the call promises it.
        """
        if len(given) == 1 and handed[0] is given[0] and all(part is None for part in handed[1:]):
            # All is handed on as it came: there is nothing to count.
            self.lost.setdefault(name, torch.zeros(self.tokens, dtype=torch.float64, device=given[0].device))
            return
        before = sum((self._by_token(part) for part in given), torch.zeros(()))
        after = sum((self._by_token(part) for part in handed if part is not None), torch.zeros(()))
        lost = before - after
        if not bool(torch.isfinite(lost).all()):
            raise NetworkError(
                f"Relevance is NaN or infinite after {call.name!r} in {call.place}. An input or a weight "
                "is NaN, or the shares are so large that they overflow: choose a rule with a "
                "larger epsilon, or dtype=torch.float64."
            )
        self.lost[name] = self.lost.get(name, torch.zeros(())) + lost
        self._check_promise(call, lost, given, handed)

    def errors(self, start: Tensor, input: Tensor | None) -> dict[str, Tensor]:
        """Return what each operation lost, in parts of the start, and "total".

        Parameters
        ----------
        start : Tensor
            (token,), the relevance that was handed back.
        input : Tensor or None
            Relevance of the input, to which "total" refers; None where relevance was not handed so far.
        """
        whole = start.detach().double()
        lost = dict(self.lost)
        lost["total"] = sum(lost.values(), torch.zeros_like(whole)) if input is None else whole - self._by_token(input)
        return {name: torch.where(whole == 0, 0.0, value / whole) for name, value in lost.items()}

    def _check_promise(
        self, call: OperationCall, lost: Tensor, given: Sequence[Tensor], handed: Sequence[Tensor | None]
    ) -> None:
        if not call.promised:
            return
        # All tokens together: which axis they are on does not matter then.
        lost_in_all = float(lost.sum()) - sum(float(part.double().sum()) for part in call.unshared)
        # Shares may be much larger than what is shared, and cancel: rounding is relative to them.
        size = sum(float(part.abs().sum()) for part in (*given, *handed) if part is not None)
        tolerance = 1e-3 if given[0].dtype != torch.float64 else 1e-6
        if abs(lost_in_all) > tolerance * size:
            raise NetworkError(
                f"The rule {call.rule} promises that {call.name!r} in {call.place} conserves relevance, but of "
                f"{size:.3g} (absolute values, given and handed on) {lost_in_all:.3g} is lost."
            )

    def _by_token(self, relevance: Tensor) -> Tensor:
        values = relevance.detach()
        if values.ndim > 1 and len(values) != self.tokens and values.shape[1] == self.tokens:
            values = values.transpose(0, 1)  # time first, as attention of torch has it
        if values.ndim and len(values) and len(values) % self.tokens == 0:
            return values.reshape(self.tokens, -1).sum(1).double()
        # The first axis is not that of tokens: each has the same part of the whole.
        return (values.sum().double() / self.tokens).expand(self.tokens)
