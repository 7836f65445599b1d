import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, demo_corpus
from layerstats.errors import ArgumentError, DataError
from layerstats.models import CommandClassifier
from layerstats.probes.maximization import Hearing, SpectrumPrior, hearing_of, open_prior
from layerstats.probes.maximization.speech_spectrum import SpeechSpectrum, read_spectrum, speech_spectrum

SAMPLES, RATE_HZ = 2048, 16000
HEARING = Hearing(("sample",), (SAMPLES,), {}, torch.float64)


def generators(count):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


@pytest.fixture(scope="module")
def spectrum():
    return speech_spectrum(demo_corpus(words=["wash", "dark"], voices=8))


@pytest.fixture(scope="module")
def prior(spectrum):
    return SpectrumPrior(HEARING, spectrum)


def test_without_an_envelope_the_magnitudes_are_those_of_speech(prior, spectrum):
    variables = prior.start("noise", None, generators(3), 0.1)
    variables[:, prior.synthesis.sizes[0] :] = 0
    magnitudes = np.abs(np.fft.rfft(prior.waveforms(variables).numpy()))
    expected = spectrum.magnitudes_of(SAMPLES, RATE_HZ)
    # Of the constant and of half the rate, a real signal has no phase: all but these are held.
    assert np.allclose(magnitudes[:, 1:-1], expected[1:-1], rtol=1e-9)


def test_an_envelope_smears_the_magnitudes_and_leaves_the_energy_of_wide_bands(prior, spectrum):
    variables = prior.start("noise", None, generators(20), 3.0)
    power = np.abs(np.fft.rfft(prior.waveforms(variables).numpy())) ** 2
    bands = power.mean(axis=0)[:1024].reshape(16, 64).sum(axis=1)
    expected = (spectrum.magnitudes_of(SAMPLES, RATE_HZ) ** 2)[:1024].reshape(16, 64).sum(axis=1)
    heights = prior.synthesis.envelopes(variables[:, prior.synthesis.sizes[0] :])
    assert heights.amax() > 2
    assert np.allclose(heights.square().mean(dim=1), 1)
    assert np.abs(10 * np.log10(bands / expected)).max() < 3


def test_the_spectrum_is_the_mean_over_clips_by_the_definition(spectrum):
    clips = Clips(demo_corpus(words=["wash", "dark"], voices=8), 22050, 22050, 0.0)
    plain = np.mean([np.abs(np.fft.fft(clips.waveform(token)))[:11026] for token in clips.tokens["token"]], axis=0)
    assert np.allclose(spectrum.magnitudes_of(22050, 22050)[1:], plain[1:], rtol=1e-5, atol=1e-5)
    assert spectrum.tokens == 16


def test_neither_rate_nor_silence_changes_a_spectrum():
    speech = demo_corpus(words=["wash"], voices=4)
    one = speech_spectrum(speech)
    other = speech_spectrum(speech, rate_hz=16000, samples=32000)
    heard = slice(100, 6000, 50)
    grid = np.arange(8000.0)[heard]
    first, second = (np.interp(grid, each.frequency_hz, each.magnitude) for each in (one, other))
    assert np.corrcoef(first, second)[0, 1] > 0.99
    assert abs(first.sum() / second.sum() - 1) < 0.05


def test_natural_speech_comes_back_but_for_its_magnitudes(spectrum):
    """Its envelope and phases carry most of what a network hears: mel features agree."""
    network = CommandClassifier(outputs=2).eval()
    prior = SpectrumPrior(hearing_of(network), spectrum)
    clips = Clips(demo_corpus(words=["wash", "dark"], voices=2), 22050, 22050, 0.0)
    waveforms = torch.from_numpy(clips.waveforms(slice(0, 4)))
    again = prior.render(prior.start("data", waveforms, [], 0.1))
    pairs = zip(network.features(waveforms), again, strict=True)
    assert min(np.corrcoef(one.ravel(), two.ravel())[0, 1] for one, two in pairs) > 0.9


def test_gradients_are_finite_differences(prior):
    variables = prior.start("noise", None, generators(2), 0.5)
    weights = torch.randn(2, SAMPLES, dtype=torch.float64, generator=torch.Generator().manual_seed(5))

    def score(given):
        return (weights * prior.render(given)).sum(dim=1).sin()

    given = variables.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(score(given).sum(), given)
    phases = prior.synthesis.sizes[0]
    for place in (1, 200, 700, phases, phases + 2, variables.shape[1] - 1):
        step = torch.zeros_like(variables)
        step[:, place] = 1e-5
        finite = (score(variables + step) - score(variables - step)) / 2e-5
        assert torch.allclose(slopes[:, place], finite, rtol=1e-5, atol=1e-8)


def test_gradients_through_the_front_end_are_finite_differences(spectrum):
    network = CommandClassifier(outputs=2).double().eval()
    prior = SpectrumPrior(hearing_of(network), spectrum)
    variables = prior.start("noise", None, generators(1), 0.5)
    direction = torch.randn(variables.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    given = variables.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(network(prior.render(given))[0, 0], given)
    score = [network(prior.render(variables + step * direction))[0, 0].item() for step in (-1e-7, 1e-7)]
    assert (slopes * direction).sum().item() == pytest.approx((score[1] - score[0]) / 2e-7, rel=1e-3)


def test_a_start_does_not_depend_on_its_batch(prior):
    together = prior.start("noise", None, generators(3), 0.1)
    alone = prior.start("noise", None, [torch.Generator().manual_seed(2)], 0.1)
    assert torch.equal(together[2:], alone)
    assert torch.allclose(prior.render(together)[2:], prior.render(alone), atol=1e-12)


def test_provenance_tells_spectra_apart(prior, spectrum):
    other = SpectrumPrior(HEARING, speech_spectrum(demo_corpus(words=["ask"], voices=4)))
    assert prior.attrs["tokens"] == 16
    assert prior.attrs["hash"] != other.attrs["hash"]
    assert prior.attrs["hash"] == SpectrumPrior(HEARING, spectrum).attrs["hash"]


def test_a_file_gives_the_same_spectrum(prior, spectrum, tmp_path):
    spectrum.to_frame().to_csv(tmp_path / "speech.csv", index=False)
    read = read_spectrum(tmp_path / "speech.csv")
    assert read.source == "speech.csv"
    opened = open_prior("spectrum", HEARING, source=str(tmp_path / "speech.csv"))
    assert opened.attrs["hash"] == read.sha256 != spectrum.sha256
    assert np.allclose(read.magnitudes_of(SAMPLES, RATE_HZ), spectrum.magnitudes_of(SAMPLES, RATE_HZ), rtol=1e-6)


@pytest.mark.parametrize(
    ("frequency", "magnitude", "message"),
    [
        ([0.0, 0.0], [1.0, 1.0], "increasing order"),
        ([0.0, 8000.0], [1.0, -1.0], "not negative"),
        ([0.0, 8000.0], [0.0, 0.0], "not all 0"),
        ([0.0, 8000.0], [np.nan, 1.0], "finite"),
    ],
)
def test_what_is_no_spectrum_is_refused(frequency, magnitude, message):
    with pytest.raises(DataError, match=message):
        SpeechSpectrum(np.array(frequency), np.array(magnitude), "one", 0, "")


def test_a_spectrum_that_ends_too_low_is_refused():
    narrow = SpeechSpectrum(np.arange(0.0, 4000.0), np.ones(4000), "telephone", 0, "")
    with pytest.raises(DataError, match="'telephone' ends at 3999 Hz, but the network hears up to 8000 Hz"):
        SpectrumPrior(HEARING, narrow)


def test_by_name_it_is_the_built_in_speech():
    assert open_prior("spectrum?envelope_s=0.05", HEARING).attrs["source"] == "demo"
    with pytest.raises(ArgumentError, match="nowhere"):
        open_prior("spectrum?source=nowhere.csv", HEARING)


def test_parameters_out_of_range_are_refused(spectrum):
    with pytest.raises(ArgumentError, match="envelope_s"):
        SpectrumPrior(HEARING, spectrum, envelope_s=0)
