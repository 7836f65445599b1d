"""Ascents through the priors whose result is a waveform."""

import pytest
import torch

from layerstats.models import CommandClassifier, InfoWaveGAN, running, seeded
from layerstats.probes.maximization import (
    AscentSettings,
    CiwganPrior,
    Objective,
    SpectrumPrior,
    ascend,
    hearing_of,
    read_unit,
    speech_spectrum,
)

LABELS = ("yes", "no", "up")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    with seeded(1):
        return CommandClassifier(outputs=3).double().eval()


@pytest.fixture(scope="module", params=["spectrum", "ciwgan"])
def prior(request, network):
    from layerstats.corpora import demo_corpus

    if request.param == "spectrum":
        return SpectrumPrior(hearing_of(network), speech_spectrum(demo_corpus(words=["wash"], voices=4)))
    with seeded(2):
        return CiwganPrior(hearing_of(network), InfoWaveGAN(codes=3, latent=10, width=1))


def climb(network, prior, targets, seeds, **settings):
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    objective = Objective(network, [read_unit(target, network, LABELS) for target in targets])
    with running(network, CPU, differentiate=True):
        start = prior.start(prior.starts[0], None, generators, 0.1)
        return ascend(objective, prior, start, AscentSettings(rate=prior.rate, **settings), generators)


def test_a_start_is_the_same_alone_and_in_a_batch(network, prior):
    targets = ["yes", "no", "up"]
    together = climb(network, prior, targets, range(3), steps=3)
    for row, target in enumerate(targets):
        alone = climb(network, prior, [target], [row], steps=3)
        torch.testing.assert_close(alone.variables_after[0], together.variables_after[row], rtol=0, atol=1e-10)


def test_steps_raise_the_target_and_no_steps_change_nothing(network, prior):
    found = climb(network, prior, ["yes", "no", "up"], range(3), steps=5)
    assert (found.objective_after > found.objective_before).all()
    assert (found.displacement_heard > 0).all()
    none = climb(network, prior, ["yes", "no", "up"], range(3), steps=0)
    assert torch.equal(none.heard_before, none.heard_after)


def test_the_waveform_is_what_was_heard(network, prior):
    found = climb(network, prior, ["yes"], [0], steps=2)
    with torch.no_grad():
        waveforms = prior.waveforms(found.variables_after)
        assert torch.equal(network.features(waveforms), found.heard_after)
    assert waveforms.shape == (1, 22050)
