"""Ascent against the published loop, finite differences, and the same starts alone."""

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError, DataError, NetworkError
from layerstats.models import running
from layerstats.probes.maximization import AscentSettings, Objective, ascend, read_unit

CPU = torch.device("cpu")
PRIORS = ("none", "smooth", "autoencoder")
TARGETS = {"log_probability": "no", "probability": "no", "logit": "no", "activation": "conv1:2:1/0"}


def objective(network, targets, name="log_probability", labels=("yes", "no", "up")):
    return Objective(network, [read_unit(target, network, labels) for target in targets], name)


def climb(nets, network, prior, targets, seeds, settings, name="log_probability"):
    generators = nets.generators(seeds)
    with running(network, CPU, differentiate=True):
        start = prior.start(prior.starts[0], None, generators, 0.1)
        return ascend(objective(network, targets, name), prior, start, settings, generators)


@pytest.mark.parametrize("kind", PRIORS)
@pytest.mark.parametrize("name", TARGETS)
def test_a_step_follows_the_gradient_found_by_finite_differences(nets, kind, name):
    network, prior = nets.classifier(), nets.prior(kind)
    found = climb(nets, network, prior, [TARGETS[name]], [5], AscentSettings(steps=1, rate=0.3), name)
    measure = objective(network.eval(), [TARGETS[name]], name)

    def gained(flat):
        with torch.no_grad():
            variables = flat.reshape(found.variables_before.shape)
            heard = prior.render(variables)
            penalty = prior.penalty(variables, heard)
            return float(measure(heard).objective - (0 if penalty is None else penalty))

    x, width = found.variables_before.flatten(), 1e-6
    steps = torch.eye(len(x), dtype=torch.float64) * width
    gradient = torch.tensor([(gained(x + step) - gained(x - step)) / (2 * width) for step in steps])
    expected = x + 0.3 * gradient / (gradient.square().mean().sqrt() + 1e-5)
    torch.testing.assert_close(found.variables_after.flatten(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["none", "autoencoder"])
def test_the_published_loop_written_plainly_gives_the_same(nets, kind):
    network, prior = nets.classifier(), nets.prior(kind)
    rate = {"none": 0.01, "autoencoder": 0.1}[kind]
    found = climb(nets, network, prior, ["up"] * 4, range(4), AscentSettings(rate=rate), "probability")
    network.eval()
    for row in range(4):
        x = found.variables_before[row : row + 1].clone()
        for _ in range(20):
            x.requires_grad_()
            heard = prior.autoencoder.decode(x) if kind == "autoencoder" else x
            probability = torch.softmax(network(heard), 1)[0, 2]
            (gradient,) = torch.autograd.grad(probability, x)
            gradient = gradient / (torch.sqrt(torch.mean(torch.square(gradient))) + 1e-5)
            x = (x + rate * gradient).detach()
        torch.testing.assert_close(found.variables_after[row], x[0], rtol=0, atol=1e-12)
        assert found.steps[row] == 20
        assert found.objective_after[row] > found.objective_before[row]


@pytest.mark.parametrize("optimiser", ["gradient_rms", "adam"])
@pytest.mark.parametrize("kind", PRIORS)
def test_a_start_does_not_depend_on_the_others(nets, kind, optimiser):
    network, prior = nets.classifier(), nets.prior(kind)
    targets = ["yes", "no", "up", "no", "yes"]
    settings = AscentSettings(optimiser=optimiser, rate=0.03, until=0.36)
    together = climb(nets, network, prior, targets, range(5), settings)
    assert len(set(together.steps.tolist())) > 1
    for row, target in enumerate(targets):
        alone = climb(nets, network, prior, [target], [row], settings)
        assert alone.steps == together.steps[row]
        torch.testing.assert_close(alone.variables_after[0], together.variables_after[row], rtol=0, atol=1e-10)


def test_adam_is_that_of_torch(nets):
    network, prior = nets.classifier(), nets.prior("none")
    found = climb(nets, network, prior, ["yes"], [1], AscentSettings("adam", rate=0.05, steps=7))
    x = found.variables_before.clone().requires_grad_()
    adam = torch.optim.Adam([x], lr=0.05, maximize=True)
    for _ in range(7):
        adam.zero_grad()
        torch.log_softmax(network.eval()(x), 1)[0, 0].backward()
        adam.step()
    torch.testing.assert_close(found.variables_after, x.detach(), rtol=0, atol=1e-9)


def test_starts_end_when_their_probability_is_reached(nets):
    network, prior = nets.classifier(), nets.prior("none")
    found = climb(nets, network, prior, ["yes", "no", "up"], range(3), AscentSettings(rate=0.05, until=0.7, steps=200))
    reached = torch.softmax(found.logits_after, 1)[range(3), range(3)]
    assert (reached >= 0.7).all()
    assert (found.steps < 200).all()
    one_less = climb(nets, network, prior, ["yes"], [0], AscentSettings(rate=0.05, steps=int(found.steps[0]) - 1))
    assert torch.softmax(one_less.logits_after, 1)[0, 0] < 0.7


def test_a_start_that_is_there_already_takes_no_step(nets):
    network, prior = nets.classifier(), nets.prior("none")
    found = climb(nets, network, prior, ["yes"], [0], AscentSettings(until=1e-9))
    assert found.steps.tolist() == [0]
    assert torch.equal(found.variables_before, found.variables_after)


@pytest.mark.parametrize("kind", PRIORS)
def test_zero_steps_change_nothing(nets, kind):
    network, prior = nets.classifier(torch.float32), nets.prior(kind, torch.float32)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    found = climb(nets, network, prior, ["yes", "no"], [0, 1], AscentSettings(steps=0))
    assert torch.equal(found.variables_before, found.variables_after)
    assert torch.equal(found.heard_before, found.heard_after)
    assert torch.equal(found.logits_before, found.logits_after)
    assert found.displacement.tolist() == [0, 0]
    assert found.stalled.tolist() == [False, False]
    climb(nets, network, prior, ["yes", "no"], [0, 1], AscentSettings())
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert network.training
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())


class Saturated(nn.Module):
    """Logits so far apart that the probability of the second class has no gradient, and its logarithm has one."""

    def forward(self, features):
        answer = features.flatten(1).sum(1)
        return torch.stack([30 - answer, answer - 30, answer * 0 - 60], 1)


def test_starts_without_gradient_are_counted_as_stalled(nets):
    prior, settings = nets.prior("none"), AscentSettings()
    stalled = climb(nets, Saturated(), prior, ["no", "yes"], [0, 1], settings, "probability")
    # The first is what the network says already: its probability has no gradient either, and it is not stuck.
    assert stalled.stalled.tolist() == [True, False]
    assert (stalled.displacement < 1e-3).all()
    moving = climb(nets, Saturated(), prior, ["no", "yes"], [0, 1], settings, "log_probability")
    assert moving.stalled.tolist() == [False, False]
    assert moving.displacement[0] > 0.5


def test_a_random_direction_goes_as_far_as_the_ascent(nets):
    network, prior = nets.classifier(), nets.prior("autoencoder")
    ascent = climb(nets, network, prior, ["yes", "no"], [0, 1], AscentSettings(rate=0.1))
    null = climb(nets, network, prior, ["yes", "no"], [0, 1], AscentSettings(rate=0.1, direction="random"))
    again = climb(nets, network, prior, ["no"], [1], AscentSettings(rate=0.1, direction="random"))
    torch.testing.assert_close(null.displacement, ascent.displacement, rtol=1e-12, atol=0)
    assert torch.equal(null.variables_before, ascent.variables_before)
    assert (null.objective_after < ascent.objective_after).all()
    torch.testing.assert_close(null.variables_after[1], again.variables_after[0], rtol=0, atol=1e-12)
    assert not torch.allclose(null.variables_after, ascent.variables_after, atol=0.1)


def test_paths_hold_every_step(nets):
    network, prior = nets.classifier(), nets.prior("none")
    found = climb(nets, network, prior, ["yes", "no"], [0, 1], AscentSettings(rate=0.02, steps=5, paths=True))
    assert found.objective_path.shape == found.displacement_path.shape == (2, 6)
    for steps in (0, 2, 5):
        shorter = climb(nets, network, prior, ["yes", "no"], [0, 1], AscentSettings(rate=0.02, steps=steps))
        torch.testing.assert_close(found.objective_path[:, steps], shorter.objective_after)
        torch.testing.assert_close(found.displacement_path[:, steps], shorter.displacement)
    ended = climb(nets, network, prior, ["yes"], [0], AscentSettings(steps=5, until=1e-9, paths=True))
    assert torch.equal(ended.objective_path, ended.objective_before[:, None].expand(1, 6))


def test_bounds_are_kept(nets):
    network = nets.classifier()
    prior = type(nets.prior("none"))(nets.prior("none").hearing, bounds=(0, 1))
    found = climb(nets, network, prior, ["yes"], [0], AscentSettings(rate=0.2))
    assert found.variables_before.min() == 0
    assert found.variables_after.max() == 1


def test_broken_scores_are_refused(nets):
    network, prior = nets.classifier(), nets.prior("none")
    with torch.no_grad():
        network.logits.bias[2] = float("nan")
    with pytest.raises(DataError, match="NaN or infinite in 2 of 2 starts, first in row 0"):
        climb(nets, network, prior, ["yes", "no"], [0, 1], AscentSettings(steps=2))


@pytest.mark.parametrize("module", [lambda x: x.detach(), lambda x: (x > 0).double()])
def test_a_target_without_gradient_is_refused(nets, module):
    class Cut(nn.Module):
        def forward(self, features):
            return module(features.flatten(1))

    with pytest.raises(NetworkError, match="does not depend on the network's input by operations"):
        climb(nets, Cut(), nets.prior("none"), ["yes"], [0], AscentSettings())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"rate": 0}, "rate"),
        ({"until": 1.5}, "until"),
        ({"optimiser": "sgd"}, "gradient_rms"),
        ({"direction": "up"}, "gradient"),
        ({"direction": "random", "paths": True}, "no path"),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        AscentSettings(**options)
