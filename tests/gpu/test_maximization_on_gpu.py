"""Maximization on a GPU is that of the CPU, and leaves the networks where they were."""

import numpy as np
import pytest
import torch

from layerstats.models import CommandClassifier, MelAutoencoder, ModelCard, seeded
from layerstats.probes.maximization import (
    AutoencoderPrior,
    Objective,
    hearing_of,
    make_again,
    maximize_activations,
    plan_maximization,
)
from layerstats.probes.maximization.ascent import _Run

pytestmark = pytest.mark.gpu

WORDS = ("yes", "no", "up")


def networks(dtype=torch.float64):
    with seeded(4):
        network = CommandClassifier(3, (4, 6, 8), (16, 16, 16)).to(dtype)
        return network, MelAutoencoder(9, (4, 4, 4, 4)).to(dtype)


def planned(device, dtype=torch.float64, prior=None, **options):
    network, autoencoder = networks(dtype)
    prior = prior or AutoencoderPrior(hearing_of(network), autoencoder)
    return plan_maximization(network, WORDS, starts=5, labels=WORDS, prior=prior, device=device, **options)


@pytest.mark.parametrize("options", [{}, {"until": 0.34}, {"optimiser": "adam"}, {"direction": "random"}])
@pytest.mark.parametrize("prior", [None, "smooth"])
def test_a_gpu_gives_what_the_cpu_gives(prior, options):
    found = {}
    for device in ("cpu", "cuda"):
        plan = planned(device, prior=prior, **options)
        with plan.ready() as place:
            plan.check(place)
            found[device] = plan.run(slice(None), place)
    assert np.ptp(found["cpu"]["displacement"]) > 0
    for name, values in found["cpu"].items():
        np.testing.assert_allclose(found["cuda"][name], values, rtol=0, atol=1e-6, err_msg=name)


def test_the_networks_stay_where_they_were_and_a_start_is_made_again(tmp_path):
    network, autoencoder = networks()
    places = [tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers())]
    prior, card = AutoencoderPrior(hearing_of(network), autoencoder), ModelCard("small", "", outputs=WORDS)
    options = {"starts": 4, "prior": prior, "card": card, "device": "cuda"}
    experiment = maximize_activations(network, WORDS, tmp_path / "s.zarr", **options)
    assert [tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers())] == places
    assert all(tensor.device.type == "cpu" for tensor in prior.autoencoder.state_dict().values())
    stored = experiment.outcome().sel(start=["up_00002"])
    again = make_again(network, tmp_path / "s.zarr", "up_00002", prior=prior, card=card, device="cpu")
    np.testing.assert_allclose(again["codes_after"], stored["codes_after"], rtol=0, atol=1e-6)


def test_steps_wait_for_nothing():
    plan = planned("cuda", torch.float32)
    with plan.ready() as place:
        plan.run(slice(0, 3), place)
        before = torch.cuda.get_sync_debug_mode()
        generators = [torch.Generator().manual_seed(0)]
        start = plan.prior.start("codes", None, generators, 0.1)
        run = _Run(Objective(plan.network, [plan.units["yes"]], device=place), plan.prior, plan.settings.ascent)
        torch.cuda.set_sync_debug_mode("error")
        try:
            run.climb(start)
        finally:
            torch.cuda.set_sync_debug_mode(before)
