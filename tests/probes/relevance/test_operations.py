"""Operations that are linear in what they get, each against its matrix; sums; and operations that others add."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from layerstats.errors import NetworkError
from layerstats.probes.relevance import register_expansion, register_routed, register_rule, relevance_by_rules
from layerstats.probes.relevance.operations import registry


class Written(nn.Module):
    """A network that is a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, values):
        return self.function(values)


def weights(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


LINEAR = {
    "conv2d": (lambda x: F.conv2d(x, weights(4, 2, 2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), (2, 6, 7)),
    "conv2d same": (lambda x: F.conv2d(x, weights(4, 1, 3, 3), padding="same", groups=2), (2, 5, 6)),
    "conv3d": (lambda x: F.conv3d(x, weights(2, 2, 2, 2, 2), stride=(1, 2, 1)), (2, 3, 4, 3)),
    "conv_transpose2d": (
        lambda x: F.conv_transpose2d(x, weights(2, 3, 2, 3), stride=2, padding=(0, 1), output_padding=(1, 0)),
        (2, 4, 3),
    ),
    "linear in time": (lambda x: F.linear(x, weights(3, 4)), (5, 4)),
    "mean": (lambda x: x.mean((1, 2)), (3, 4, 2)),
    "sum": (lambda x: torch.sum(x, dim=-1, keepdim=True), (3, 4)),
    "cumsum": (lambda x: x.cumsum(1), (6, 2)),
    "diff": (lambda x: x.diff(dim=1), (6, 2)),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, (2, 3), stride=2, padding=1), (2, 6, 7)),
    "adaptive": (lambda x: F.adaptive_avg_pool1d(x, 3), (2, 8)),
    "interpolate": (lambda x: F.interpolate(x, scale_factor=2, mode="linear"), (2, 5)),
    "difference": (lambda x: x[:, :2] - x[:, 2:], (4, 3)),
    "sum of three": (lambda x: sum([x[:, 0], x[:, 1], x[:, 2]]), (3, 4)),
    "broadcast sum": (lambda x: torch.add(x[:, :1], x[:, 1:], alpha=3), (4, 3)),
    "stack": (lambda x: torch.stack([x, 2 * x]).sum(0), (4,)),
}  # fmt: skip


@pytest.mark.parametrize("name", LINEAR)
def test_linear_operations_share_by_their_matrix(name):
    function, shape = LINEAR[name]
    inputs = torch.randn(2, *shape, dtype=torch.float64)
    given = torch.randn(function(inputs)[0].numel(), dtype=torch.float64)

    def start(output):
        # Relevance of each output in proportion to what it is and to a number: shares of a weighted sum.
        return (output.flatten(1) * given).sum(1)

    found = relevance_by_rules(Written(function), inputs, start, "lrp_0").values["input"]
    for token, relevance in zip(inputs, found, strict=True):
        matrix = torch.autograd.functional.jacobian(lambda x: function(x[None])[0].flatten(), token).flatten(1)
        # LRP-0 of z_j given_j from R = sum_j z_j given_j leaves x_i sum_j given_j w_ji.
        torch.testing.assert_close(relevance.flatten(), token.flatten() * (given @ matrix))


@pytest.mark.parametrize(
    ("function", "share"),
    [
        (lambda x: 3 - x, lambda x: -x / (3 - x)),
        (lambda x: x - 3, lambda x: x / (x - 3)),
        (lambda x: 0 + x, lambda x: x / x),
        (lambda x: torch.add(x, 2.0, alpha=4), lambda x: x / (x + 8)),
        (lambda x: x.add_(0.5), lambda x: (x - 0.5) / x),
        (lambda x: x - 0.5 * x, lambda x: torch.ones_like(x)),
        (lambda x: (x * -2.0) / 4, lambda x: torch.ones_like(x)),
    ],
)
def test_constants_keep_their_share(function, share):
    inputs = torch.tensor([[1.0], [5.0]], dtype=torch.float64)
    network = Written(lambda values: function(values * 1.0))
    found = relevance_by_rules(network, inputs, lambda output: output[:, 0], "lrp_0", start_value="one")
    # `share` of one that works in place sees what became of the values.
    after = inputs + 0.5 if network(inputs).equal(inputs + 0.5) else inputs
    torch.testing.assert_close(found.values["input"], share(after))


def test_relevance_goes_back_to_where_values_came_from():
    inputs = torch.tensor([[1.0, 5.0, 2.0, 4.0]])

    def moves(values):
        pooled = F.max_pool1d(values[:, None], 2)[:, 0]  # 5, 4
        padded = F.pad(pooled, (1, 1))
        padded[:, 3] = values[:, 0]  # 0, 5, 4, 1
        turned = torch.cat([padded[:, 1:], values[:, :1].expand(-1, 2)], 1).flip(1)  # 1, 1, 1, 4, 5
        return turned.reshape(-1, 5, 1).transpose(1, 2).squeeze(1)

    found = relevance_by_rules(Written(moves), inputs, lambda output: output.sum(1), "lrp_0")
    assert found.values["input"].tolist() == [[3.0, 5.0, 0.0, 4.0]]
    assert found.start.tolist() == [12.0]


def test_functions_that_torch_makes_of_others_are_looked_into():
    weight = weights(2, 6)
    inputs = torch.randn(3, 6, dtype=torch.float64)

    def start(output):
        return output[:, 0]

    found = relevance_by_rules(
        Written(lambda values: F.linear(F.hardtanh(F.glu(torch.cat([values, values], 1))), weight)), inputs, start
    )
    plain = relevance_by_rules(
        Written(lambda values: F.linear(F.hardtanh(values * values.sigmoid()), weight)), inputs, start
    )
    torch.testing.assert_close(found.values["input"], plain.values["input"])


@pytest.fixture
def own_operations(monkeypatch):
    for name in ("_OPERATIONS", "_EXPANSIONS"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    monkeypatch.setattr(registry, "_ROUTED", set(registry._ROUTED))


def test_operations_can_be_given_rules(own_operations):
    inputs = torch.tensor([[1.0, 2.0]])

    def find(function, **options):
        return relevance_by_rules(Written(function), inputs, lambda output: output[:, 0], "lrp_0", **options)

    for name, function in (("sinc", torch.sinc), ("msort", torch.msort), ("xlogy", torch.xlogy)):
        arguments = 2 if name == "xlogy" else 1
        with pytest.raises(NetworkError, match=rf"register_rule\('{name}'\)"):
            find(lambda values, f=function, n=arguments: f(*[values] * n))

    @register_rule("sinc", kind="wave")
    def half(call, relevance):
        assert call.place == "Written"
        torch.testing.assert_close(call.output, torch.sinc(call.inputs[0]))
        return relevance / 2

    found = find(torch.sinc)
    assert (found.values["input"] / found.start).tolist() == [[0.5, 0.0]]
    assert found.conservation_error["sinc"].tolist() == [0.5]
    whole = find(torch.sinc, rules={"wave": "pass"})
    assert (whole.values["input"] / whole.start).tolist() == [[1.0, 0.0]]
    own = find(torch.sinc, rules={"sinc": lambda call, relevance: relevance / 4})
    assert (own.values["input"] / own.start).tolist() == [[0.25, 0.0]]
    register_routed("msort")
    assert find(lambda values: torch.msort(values.T).T).values["input"].tolist() == [[1.0, 0.0]]
    register_expansion("xlogy", lambda first, second: first * second.log())
    torch.testing.assert_close(
        find(lambda values: torch.xlogy(values + 0.5, values + 1)).values["input"],
        find(lambda values: (values + 0.5) * (values + 1).log()).values["input"],
    )


def test_a_rule_that_returns_another_shape_is_refused(own_operations):
    register_rule("sinc")(lambda call, relevance: relevance.sum())
    with pytest.raises(
        NetworkError, match=r"rule of 'sinc' in Written must return .* of shape \(1, 2\), but it returned \(\)"
    ):
        relevance_by_rules(Written(torch.sinc), torch.ones(1, 2), lambda output: output[:, 0])
