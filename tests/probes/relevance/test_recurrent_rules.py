"""Cells that remember hand relevance back as Arras et al. (2017, 2019) define it, step by step."""

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.errors import NetworkError
from layerstats.probes.relevance import relevance_by_rules

EPSILON = 1e-3
RULE = f"epsilon({EPSILON})"
KINDS = [(nn.LSTM, nn.LSTMCell), (nn.GRU, nn.GRUCell), (nn.RNN, nn.RNNCell)]


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def frozen(network):
    """A network whose weights are constants, in float64."""
    return network.double().requires_grad_(False)


def by_steps(definitions, network, values, relevance):
    """Relevance of a sequence (time, channel), given that of each hidden state, one cell after the other."""
    weights = [parameter.detach().numpy() for parameter in network.parameters()][:4]
    size = network.hidden_size
    hidden, cell, before = np.zeros(size), np.zeros(size), []
    for inputs in values:
        before.append((inputs, hidden, cell))
        hidden, cell = run_cell(definitions, type(network), weights, inputs, hidden, cell)
    of_hidden, of_cell, found = np.zeros(size), np.zeros(size), []
    for given, (inputs, hidden, cell) in zip(relevance[::-1], before[::-1], strict=True):
        if isinstance(network, nn.LSTM):
            of_input, of_hidden, of_cell = definitions.lstm_cell_relevance(
                inputs, hidden, cell, weights, (of_hidden + given, of_cell), EPSILON
            )
        else:
            rule = definitions.gru_cell_relevance if isinstance(network, nn.GRU) else definitions.rnn_cell_relevance
            of_input, of_hidden = rule(inputs, hidden, weights, of_hidden + given, EPSILON)
        found.append(of_input)
    return np.stack(found[::-1])


def run_cell(definitions, kind, weights, inputs, hidden, cell):
    """One step forward, by the equations of torch's documentation."""
    given, remembered = weights[0] @ inputs + weights[2], weights[1] @ hidden + weights[3]
    if kind is nn.LSTM:
        ingate, forget, candidate, outgate = np.split(given + remembered, 4)
        cell = definitions.sigmoid(forget) * cell + definitions.sigmoid(ingate) * np.tanh(candidate)
        return definitions.sigmoid(outgate) * np.tanh(cell), cell
    if kind is nn.GRU:
        gates = [definitions.sigmoid(a + b) for a, b in zip(np.split(given, 3), np.split(remembered, 3), strict=True)]
        candidate = np.tanh(np.split(given, 3)[2] + gates[0] * np.split(remembered, 3)[2])
        return (1 - gates[1]) * candidate + gates[1] * hidden, cell
    return np.tanh(given + remembered), cell


@pytest.mark.parametrize("kind", [layer for layer, _ in KINDS])
@pytest.mark.parametrize("batch_first", [True, False])
def test_a_layer_of_cells_goes_back_step_by_step(definitions, relevance_of, kind, batch_first):
    torch.manual_seed(1)
    network = frozen(kind(4, 3, batch_first=batch_first))
    values, given = normal(2, 6, 4), normal(2, 6, 3)

    def run(x):
        return network(x)[0] if batch_first else network(x.transpose(0, 1))[0].transpose(0, 1)

    found = relevance_of(run, [values], given, RULE)[0]
    for token in range(2):
        expected = by_steps(definitions, network, values[token], given[token])
        np.testing.assert_allclose(found[token], expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(("layer", "cell"), KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_cells_called_one_by_one_are_the_layer(relevance_of, layer, cell, bias):
    torch.manual_seed(1)
    network, single = frozen(layer(4, 3, bias=bias)), frozen(cell(4, 3, bias=bias))
    single.load_state_dict({name.removesuffix("_l0"): value for name, value in network.state_dict().items()})
    values, given = normal(2, 5, 4), normal(2, 5, 3)

    def one_by_one(x):
        state, found = None, []
        for inputs in x.unbind(1):
            state = single(inputs, state)
            found.append(state[0] if layer is nn.LSTM else state)
        return torch.stack(found, 1)

    of_layer = relevance_of(lambda x: network(x.transpose(0, 1))[0].transpose(0, 1), [values], given, RULE)[0]
    np.testing.assert_allclose(relevance_of(one_by_one, [values], given, RULE)[0], of_layer, rtol=1e-9)


@pytest.mark.parametrize("kind", [layer for layer, _ in KINDS])
def test_layers_and_directions_are_one_after_the_other(relevance_of, kind):
    torch.manual_seed(1)
    network = frozen(kind(4, 3, num_layers=2, bidirectional=True, batch_first=True))
    values, given = normal(2, 5, 4), normal(2, 5, 6)
    single = {}
    for name in ("l0", "l0_reverse", "l1", "l1_reverse"):
        single[name] = frozen(kind(4 if "l0" in name else 6, 3, batch_first=True))
        weights = {key.replace(name, "l0"): v for key, v in network.state_dict().items() if key.endswith(name)}
        single[name].load_state_dict(weights)

    def written(x):
        for layer in ("l0", "l1"):
            backwards = single[f"{layer}_reverse"](x.flip(1))[0].flip(1)
            x = torch.cat([single[layer](x)[0], backwards], 2)
        return x

    expected = relevance_of(written, [values], given, RULE)[0]
    np.testing.assert_allclose(relevance_of(lambda x: network(x)[0], [values], given, RULE)[0], expected, rtol=1e-9)


def test_the_last_states_carry_relevance_too(relevance_of):
    torch.manual_seed(1)
    network = frozen(nn.LSTM(4, 3, batch_first=True))
    values, given = normal(2, 5, 4), normal(2, 3)
    by_output = relevance_of(lambda x: network(x)[0][:, -1], [values], given, RULE)[0]
    by_state = relevance_of(lambda x: network(x)[1][0][0], [values], given, RULE)[0]
    np.testing.assert_allclose(by_state, by_output)
    # What comes of a cell state comes of the hidden state, whose gate gets none and whose function hands on all.
    of_cell = relevance_of(lambda x: network(x)[1][1][0], [values], given, RULE)[0]
    np.testing.assert_allclose(of_cell, by_output)


@pytest.mark.parametrize("kind", [layer for layer, _ in KINDS])
def test_without_biases_all_is_conserved(kind):
    """A state of nothing has nothing to keep, so that all goes to the input."""
    torch.manual_seed(1)
    network = nn.Sequential(Last(kind(4, 5, bias=False, batch_first=True)), nn.Linear(5, 2, bias=False)).double()
    found = relevance_by_rules(network, torch.randn(3, 7, 4).double(), lambda output: output[:, 0], "epsilon(1e-12)")
    assert found.conservation_error["total"].abs().max() < 1e-6
    assert list(found.conservation_error) == ["1", "0.cells", "total"]


class Last(nn.Module):
    def __init__(self, cells):
        super().__init__()
        self.cells = cells

    def forward(self, values):
        return self.cells(values)[0][:, -1]


def test_what_has_no_rule_is_told():
    with pytest.raises(NetworkError, match="with projections"):
        relevance_by_rules(Last(nn.LSTM(4, 5, proj_size=3)), torch.randn(2, 6, 4), lambda output: output[:, 0])
