"""Relevance by its definitions: matrices of all contributions, one layer after the other, in float64.

A network here is a list of steps, of which each is a module. Linear ones are written out as a matrix, with a
normalisation that follows (or, after an activation, goes before) multiplied into it.
"""

from __future__ import annotations

import torch
from torch import nn

LINEAR = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
MOVING = (nn.MaxPool1d, nn.ConstantPad1d, nn.Flatten, nn.Identity, nn.Dropout)
AVERAGES = (nn.AvgPool1d, nn.AdaptiveAvgPool1d)


def matrix_of(step, values):
    """Matrix and bias of an affine step at the shape of `values`, one token, both flat."""
    zero = torch.zeros_like(values)
    matrix = torch.autograd.functional.jacobian(lambda x: step(x), zero)
    outputs = step(zero)
    return matrix.reshape(outputs.numel(), values.numel()), outputs.reshape(-1)


def share(rule, p, intercept, z, relevance, normalised, **numbers):
    """Relevance of inputs by the definition of a rule, from contributions p (output, input), one output at a time."""
    total = torch.zeros(p.shape[1], dtype=p.dtype)
    mean = z.abs().mean()
    for j in range(len(z)):
        up, down = p[j].clamp(min=0), p[j].clamp(max=0)
        if rule == "lrp_0":
            parts = p[j] / z[j]
        elif rule == "epsilon":
            parts = p[j] / (z[j] + numbers["epsilon"] * (1 if z[j] >= 0 else -1))
        elif rule == "epsilon_relative":
            parts = p[j] / (z[j] + numbers["epsilon"] * mean * (1 if z[j] >= 0 else -1))
        elif rule == "gamma":
            own = up if z[j] > 0 else down
            own_bias = intercept[j].clamp(min=0) if z[j] > 0 else intercept[j].clamp(max=0)
            parts = (p[j] + numbers["gamma"] * own) / (z[j] + numbers["gamma"] * (own.sum() + own_bias))
        elif rule in ("alpha_beta", "z_plus"):
            alpha, beta = (numbers["alpha"], numbers["beta"]) if rule == "alpha_beta" else (1.0, 0.0)
            counted = intercept[j] if numbers.get("bias", rule == "alpha_beta") else torch.zeros(())
            positive, negative = up.sum() + counted.clamp(min=0), down.sum() + counted.clamp(max=0)
            parts = torch.zeros_like(p[j])
            if positive != 0:
                parts = parts + alpha * up / positive
            if negative != 0:
                parts = parts - beta * down / negative
        elif rule == "adapted":
            parts = p[j] / (z[j].abs() + numbers["epsilon"]) * normalised[j].sign()
        else:
            raise AssertionError(rule)
        total = total + torch.nan_to_num(parts * relevance[j], nan=0.0) if z[j] == 0 else total + parts * relevance[j]
    return total


def merged_pieces(steps):
    """Steps as pieces (norm before or None, moves in between, linear step, norm after or None), or single steps."""
    pieces, position, before, moves = [], 0, None, []
    while position < len(steps):
        step = steps[position]
        following = steps[position + 1] if position + 1 < len(steps) else None
        if isinstance(step, LINEAR):
            after = following if isinstance(following, NORMS) else None
            pieces.append((before, moves, step, after))
            before, moves = None, []
            position += 2 if after is not None else 1
            continue
        if isinstance(step, NORMS):
            before, moves = step, []
        elif isinstance(step, MOVING) and before is not None:
            moves = [*moves, step]
        else:
            assert before is None, "a norm that is not before a linear step has another test"
            pieces.append(step)
        position += 1
    assert before is None
    return pieces


@torch.no_grad()
def relevance(steps, token, start, rule, sign=False, **numbers):
    """Relevance of one token's input (1, ...) for output `start`, from relevance 1."""
    pieces = [*steps] if sign else merged_pieces(steps)
    values, at = token, []
    for piece in pieces:
        at.append(values)
        if isinstance(piece, tuple):
            before, moves, step, after = piece
            for part in (before, *moves, step, after):
                values = values if part is None else part(values)
        else:
            values = piece(values)
    found = torch.zeros(values.numel(), dtype=values.dtype)
    found[start] = 1.0
    for number in reversed(range(len(pieces))):
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        found = _back(pieces[number], at[number], found, rule, following if sign else None, numbers)
    return found.reshape(token.shape)


def _back(piece, values, found, rule, following, numbers):
    if isinstance(piece, tuple):
        before, moves, step, after = piece
        moved = values if before is None else before(values)
        path = torch.eye(moved.numel(), dtype=values.dtype)
        flat_shift = torch.zeros(moved.numel(), dtype=values.dtype)
        scale = torch.ones(moved.numel(), dtype=values.dtype)
        if before is not None:
            zero = before(torch.zeros_like(values))
            scale, flat_shift = (before(torch.ones_like(values)) - zero).reshape(-1), zero.reshape(-1)
        for move in moves:
            routed = torch.autograd.functional.jacobian(move, moved)
            moved = move(moved)
            path = routed.reshape(moved.numel(), -1) @ path
        matrix, bias = matrix_of(step, moved)
        bias = bias + matrix @ (path @ flat_shift)
        matrix = matrix @ path * scale
        z = step(moved)
        if after is not None:
            zero = after(torch.zeros_like(z))
            gain = (after(torch.ones_like(z)) - zero).reshape(-1)
            matrix, bias, z = gain[:, None] * matrix, gain * bias + zero.reshape(-1), after(z)
        z = z.reshape(-1)
        return share(rule, matrix * values.reshape(-1), bias, z, found, z, **numbers)
    if isinstance(piece, LINEAR):
        matrix, bias = matrix_of(piece, values)
        z = piece(values)
        normalised = following(z) if isinstance(following, NORMS) else z
        return share(rule, matrix * values.reshape(-1), bias, z.reshape(-1), found, normalised.reshape(-1), **numbers)
    if isinstance(piece, AVERAGES):
        matrix, bias = matrix_of(piece, values)
        z = piece(values).reshape(-1)
        own = rule if rule.startswith("epsilon") else "epsilon" if rule == "adapted" else "lrp_0"
        return share(own, matrix * values.reshape(-1), bias, z, found, z, **numbers)
    if isinstance(piece, MOVING):
        outputs = piece(values).numel()
        return torch.autograd.functional.jacobian(piece, values).reshape(outputs, -1).T @ found
    return found  # activations, and under the sign rule normalisations, hand everything on
