"""Relevance by the definitions of the papers, one message at a time in float64: slow, and written from the equations.

Achtibat et al. 2024 (AttnLRP): softmax (Prop. 3.1), products (Props. 3.2, 3.3), normalisation (Prop. 3.4).
Arras et al. 2017, 2019: cells with gates, whose relevance all goes to the signal.
"""

import itertools

import numpy as np


def stabilised(value, epsilon):
    """A denominator moved away from zero."""
    return value + epsilon * (1.0 if value >= 0 else -1.0)


def softmax(values):
    """Softmax of a vector."""
    raised = np.exp(values - values[np.isfinite(values)].max())
    return raised / raised.sum()


def softmax_relevance(values, relevance):
    """Eq. 4 with the Jacobian of softmax, J_ji = s_j (1[i = j] - s_i): R_i = sum_j J_ji x_i R_j / s_j, for one row."""
    shares = softmax(values)
    found = np.zeros_like(values)
    for receiver, sender in itertools.product(range(len(values)), repeat=2):
        # What is masked gets nothing, and sends nothing.
        if np.isfinite(values[receiver]) and np.isfinite(values[sender]):
            derivative = shares[sender] * ((receiver == sender) - shares[receiver])
            found[receiver] += derivative * values[receiver] * relevance[sender] / shares[sender]
    return found


def matrix_product_relevance(first, second, relevance, epsilon):
    """Prop. 3.3: every product a_ji v_ip of an output sends half of its share to each factor, for two matrices."""
    product = first @ second
    found = np.zeros_like(first), np.zeros_like(second)
    for row, inner, column in itertools.product(*map(range, (*first.shape, second.shape[1]))):
        share = first[row, inner] * second[inner, column] / stabilised(2 * product[row, column], epsilon)
        found[0][row, inner] += share * relevance[row, column]
        found[1][inner, column] += share * relevance[row, column]
    return found


def linear_relevance(values, weight, bias, relevance, epsilon):
    """The epsilon rule (Bach et al. 2015, Eq. 58) of one vector; the bias keeps its share."""
    found = np.zeros_like(values)
    for output in range(len(weight)):
        total = sum(weight[output] * values) + (0 if bias is None else bias[output])
        for receiver in range(len(values)):
            share = weight[output, receiver] * values[receiver] / stabilised(total, epsilon)
            found[receiver] += share * relevance[output]
    return found


def normalisation_relevance(values, weight, bias, relevance, epsilon, *, variance_epsilon=1e-5, centred=True):
    """Prop. 3.4, one group: the root of the variance is a constant; what remains is linear and has the epsilon rule."""
    mean = values.mean() if centred else 0.0
    root = np.sqrt(((values - mean) ** 2).mean() + variance_epsilon)
    found = np.zeros_like(values)
    for output in range(len(values)):
        total = weight[output] * (values[output] - mean) / root + bias[output]
        for receiver in range(len(values)):
            coefficient = (receiver == output) - (1 / len(values) if centred else 0.0)
            message = weight[output] * coefficient * values[receiver] / root
            found[receiver] += message * relevance[output] / stabilised(total, epsilon)
    return found


def attention_relevance(query, key, value, relevance, epsilon, mask, *, added, halves):
    """Relevance of queries, keys and values of one head: products, softmax and product, from the last to the first."""
    query = query / np.sqrt(query.shape[1])
    product = query @ key.T
    scores = product + mask
    weights = np.stack([softmax(row) for row in scores])
    of_weights, of_value = matrix_product_relevance(weights, value, relevance, halves)
    of_scores = np.stack([softmax_relevance(row, given) for row, given in zip(scores, of_weights, strict=True)])
    of_product = np.zeros_like(of_scores)
    for place in zip(*np.nonzero(np.isfinite(scores)), strict=True):
        # A mask that is added keeps its share of the sum; one that chooses has none.
        share = product[place] / stabilised(scores[place], epsilon) if added else 1.0
        of_product[place] = share * of_scores[place]
    of_query, of_key = matrix_product_relevance(query, key.T, of_product, halves)
    return of_query, of_key.T, of_value


def sigmoid(values):
    """The logistic function."""
    return 1 / (1 + np.exp(-values))


def share_of_sum(parts, relevance, epsilon):
    """Split the relevance of a sum of vectors among its parts, by the epsilon rule."""
    denominators = np.array([stabilised(total, epsilon) for total in sum(parts)])
    return [part * relevance / denominators for part in parts]


def lstm_cell_relevance(inputs, hidden, cell, weights, relevance, epsilon):
    """Relevance of input, hidden and cell state of one step of an LSTM (Arras et al. 2017, section 3.1)."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    gates = weight_ih @ inputs + bias_ih + weight_hh @ hidden + bias_hh
    ingate, forget, candidate, _ = np.split(gates, 4)
    size = len(hidden)
    of_hidden, of_cell = relevance  # the gate of the output gets none, and tanh passes all
    parts = [sigmoid(forget) * cell, sigmoid(ingate) * np.tanh(candidate)]
    kept, new = share_of_sum(parts, of_hidden + of_cell, epsilon)
    rows = slice(2 * size, 3 * size)
    both = np.concatenate([weight_ih[rows], weight_hh[rows]], axis=1)
    heard = linear_relevance(np.concatenate([inputs, hidden]), both, (bias_ih + bias_hh)[rows], new, epsilon)
    return heard[: len(inputs)], heard[len(inputs) :], kept


def gru_cell_relevance(inputs, hidden, weights, relevance, epsilon):
    """Relevance of input and hidden state of one step of a GRU: gates get none."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    of_inputs = np.split(weight_ih @ inputs + bias_ih, 3)
    of_hidden = np.split(weight_hh @ hidden + bias_hh, 3)
    reset, update = (sigmoid(of_inputs[gate] + of_hidden[gate]) for gate in range(2))
    candidate = np.tanh(of_inputs[2] + reset * of_hidden[2])
    new, kept = share_of_sum([(1 - update) * candidate, update * hidden], relevance, epsilon)
    size = len(hidden)
    both = np.concatenate([weight_ih[2 * size :], reset[:, None] * weight_hh[2 * size :]], axis=1)
    bias = bias_ih[2 * size :] + reset * bias_hh[2 * size :]
    heard = linear_relevance(np.concatenate([inputs, hidden]), both, bias, new, epsilon)
    return heard[: len(inputs)], heard[len(inputs) :] + kept


def rnn_cell_relevance(inputs, hidden, weights, relevance, epsilon):
    """Relevance of input and hidden state of one step of a plain recurrent cell: its function passes all."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    both = np.concatenate([weight_ih, weight_hh], axis=1)
    heard = linear_relevance(np.concatenate([inputs, hidden]), both, bias_ih + bias_hh, relevance, epsilon)
    return heard[: len(inputs)], heard[len(inputs) :]
