"""Rules of attention, products and softmax are the definitions of Achtibat et al. (2024), message by message."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

EPSILON = 1e-3


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


@pytest.mark.parametrize(
    "product",
    [torch.matmul, torch.bmm, lambda a, b: a @ b, lambda a, b: torch.einsum("tij,tjk->tik", a, b),
     lambda a, b: torch.baddbmm(torch.zeros(1, 1, 1, dtype=a.dtype), a, b, beta=0)],
)  # fmt: skip
def test_both_factors_of_a_matrix_product_get_half(definitions, relevance_of, product):
    first, second, given = normal(2, 3, 4), normal(2, 4, 5), normal(2, 3, 5)
    of_first, of_second = relevance_of(product, [first, second], given, f"epsilon({EPSILON})")
    for token in range(2):
        # Half to each factor and then epsilon, or both at once: Eq. 14 has 2 z + epsilon, here it is 2 (z + epsilon).
        expected = definitions.matrix_product_relevance(first[token], second[token], given[token], 2 * EPSILON)
        np.testing.assert_allclose(of_first[token], expected[0], rtol=1e-10)
        np.testing.assert_allclose(of_second[token], expected[1], rtol=1e-10)


@pytest.mark.parametrize("rule", ["epsilon(0.001)", "gamma(0.3)", "z_plus", "flat", "alpha_beta(2, 1)"])
def test_a_constant_factor_is_weights_of_a_linear_layer(relevance_of, rule):
    given, weight, relevance = normal(3, 5, 4), torch.from_numpy(normal(6, 4)), normal(3, 5, 6)
    expected = relevance_of(lambda values: F.linear(values, weight), [given], relevance, rule)[0]
    after = relevance_of(lambda values: values @ weight.T, [given], relevance, rule)[0]
    before = relevance_of(lambda values: (weight @ values.mT).mT, [given], relevance, rule)[0]
    bias = torch.zeros(6, dtype=torch.float64)
    added = relevance_of(
        lambda values: torch.addmm(bias, values.flatten(0, 1), weight.T, beta=0).unflatten(0, (3, 5)),
        [given],
        relevance,
        rule,
    )[0]
    for found in (after, before, added):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10 if rule == "z_plus" else 1e-5)


@pytest.mark.parametrize("function", [F.softmax, torch.softmax, lambda values, axis: torch.nn.Softmax(axis)(values)])
def test_softmax_is_the_first_order_at_the_input(definitions, relevance_of, function):
    values, given = normal(3, 6), normal(3, 6, seed=1)
    found = relevance_of(lambda x: function(x, -1), [values], given)[0]
    expected = [definitions.softmax_relevance(*each) for each in zip(values, given, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_log_softmax_is_the_first_order_at_the_input(relevance_of):
    values, given = normal(1, 6), normal(1, 6, seed=1)
    found = relevance_of(lambda x: F.log_softmax(x, -1), [values], given, "lrp_0")[0]
    rows = torch.from_numpy(values[0])
    jacobian = torch.func.jacrev(lambda x: x.log_softmax(0))(rows)
    expected = (jacobian * rows * torch.from_numpy(given[0])[:, None] / rows.log_softmax(0)[:, None]).sum(0)
    np.testing.assert_allclose(found[0], expected, rtol=1e-10)


def heads(query, key, value, mask):
    return F.scaled_dot_product_attention(query, key, value, torch.from_numpy(mask))


def causal(query, key, value, _mask):
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)


def written_out(query, key, value, mask):
    scores = query / query.shape[-1] ** 0.5 @ key.transpose(-2, -1)
    return F.softmax(scores + torch.from_numpy(mask), dim=-1) @ value


def chosen(query, key, value, mask):
    return F.scaled_dot_product_attention(query, key, value, torch.from_numpy(np.isfinite(mask)))


LATER = np.where(np.triu(np.ones((5, 5)), 1) > 0, -np.inf, 0.0)
NEAR = -0.3 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))


@pytest.mark.parametrize(
    ("attention", "mask", "added"),
    [
        (heads, np.zeros((5, 5)), True),
        (heads, LATER, True),
        (heads, NEAR, True),
        (causal, LATER, False),
        (chosen, LATER, False),
        (written_out, LATER, True),
    ],
)
def test_attention_of_a_head_is_product_softmax_and_product(definitions, relevance_of, attention, mask, added):
    query, key, value, given = (normal(2, 3, 5, 4, seed=seed) for seed in range(4))
    found = relevance_of(lambda *inputs: attention(*inputs, mask), [query, key, value], given, f"epsilon({EPSILON})")
    for place in np.ndindex(2, 3):
        expected = definitions.attention_relevance(
            query[place], key[place], value[place], given[place], EPSILON, mask, added=added, halves=2 * EPSILON
        )
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours[place], theirs, rtol=1e-8, atol=1e-12)


def test_keys_for_several_heads_get_the_sum_of_what_each_gives(relevance_of):
    query, key, value, given = normal(1, 4, 5, 3), normal(1, 2, 5, 3), normal(1, 2, 5, 3, seed=1), normal(1, 4, 5, 3)
    shared = relevance_of(
        lambda *inputs: F.scaled_dot_product_attention(*inputs, enable_gqa=True), [query, key, value], given
    )
    each = relevance_of(F.scaled_dot_product_attention, [query, key.repeat(2, axis=1), value.repeat(2, axis=1)], given)
    np.testing.assert_allclose(shared[0], each[0])
    for ours, theirs in zip(shared[1:], each[1:], strict=True):
        np.testing.assert_allclose(ours, theirs.reshape(1, 2, 2, 5, 3).sum(2))


def test_a_constant_softmax_leaves_all_to_the_values(relevance_of):
    """Ali et al. 2022: attention weights are weights, so that all is conserved."""
    query, key, value, given = (normal(2, 3, 5, 4, seed=seed) for seed in range(4))
    found = relevance_of(
        lambda *inputs: F.scaled_dot_product_attention(inputs[0], inputs[1], inputs[2]),
        [query, key, value], given, "lrp_0", rules={"softmax": "constant"},
    )  # fmt: skip
    assert not found[0].any()
    assert not found[1].any()
    np.testing.assert_allclose(found[2].sum((1, 2, 3)), given.sum((1, 2, 3)))


def test_factors_of_a_product_of_values_get_half_each_and_gates_none_when_they_are_constants(relevance_of):
    signal, gate, given = normal(2, 6), normal(2, 6, seed=1), normal(2, 6, seed=2)
    both = relevance_of(lambda a, b: a * b.sigmoid(), [signal, gate], given)
    np.testing.assert_allclose(both, [given / 2, given / 2])
    gated = relevance_of(lambda a, b: a * b.sigmoid(), [signal, gate], given, rules={"sigmoid": "constant"})
    np.testing.assert_allclose(gated, [given, 0 * given])
    linear_unit = relevance_of(lambda a, b: F.glu(torch.cat([a, b], 1), 1), [signal, gate], given)
    np.testing.assert_allclose(linear_unit, both)


def test_what_divides_gets_none(relevance_of):
    values, given = normal(2, 6), normal(2, 6, seed=1)
    found = relevance_of(lambda a: a / (1 + a.norm(dim=1, keepdim=True)), [values], given)[0]
    np.testing.assert_allclose(found, given)
    found = relevance_of(lambda a: F.normalize(a, dim=1), [values], given)[0]
    np.testing.assert_allclose(found, given)


def test_a_size_is_shared_by_squares(relevance_of):
    values, given = normal(2, 6), normal(2, 1)
    found = relevance_of(lambda a: a.norm(dim=1, keepdim=True), [values], given, "lrp_0")[0]
    np.testing.assert_allclose(found, given * values**2 / (values**2).sum(1, keepdims=True))
