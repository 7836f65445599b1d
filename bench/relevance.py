"""Relevance of windows of letters: in forward and gradient passes, against Captum and window by window, and memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BATCH = 32
WINDOWS = 128
SENTENCE = "the quick fox jumped over a lazy dog near the old home of many people who like to hear a long story"
MEMORY = """
import resource
import sys
sys.path.insert(0, sys.argv[1])
from relevance import letters, windows_of
from layerstats.probes import record_letter_relevance
network = letters()
speech, windows = windows_of(network, int(sys.argv[2]))
record_letter_relevance(network, speech, sys.argv[3], method="epsilon", windows=windows, batch_size=32, device="cpu")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def letters():
    """Return the shipped network that reads letters."""
    from layerstats.models import load_checkpoint
    from layerstats.resources import bundled

    return load_checkpoint(bundled("data", "checkpoints", "wav2letter.safetensors"))[0].eval()


def windows_of(network, count: int):
    """Return speech and so many windows of it, a speaker after the other."""
    from layerstats.corpora import demo_corpus
    from layerstats.probes import emitted_letters

    voices = max(2, -(-count // 20))
    speech = demo_corpus(sentences=[SENTENCE], voices=voices, said_by=voices)
    windows = emitted_letters(network, speech, frames="all", device="cpu")
    # Every one as far from the next as runs are.
    return speech, windows.iloc[::2].iloc[:count].reset_index(drop=True)


def seconds(run: Callable[[], object], runs: int = 5) -> float:
    """Return the median processor time of a call."""
    run()
    taken = []
    for _ in range(runs):
        begun = time.process_time()
        run()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def captum_epsilon(network):
    """Return relevance of windows (token, mel, time) for outputs by Captum's epsilon rule, set by hand."""
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import EpsilonRule
    from torch import nn

    parts = [module for layer in network.layers() for module in layer.modules() if not any(module.children())]
    bare = nn.Sequential(*(part for part in parts if not isinstance(part, nn.ZeroPad1d)), nn.Flatten())
    explain = LRP(bare)

    def attributed(heard, targets):
        # Captum takes the rules away again after each call.
        for module in bare:
            if isinstance(module, nn.Conv1d | nn.BatchNorm1d | nn.Flatten):
                module.rule = EpsilonRule()
        return explain.attribute(heard.clone(), target=targets)

    return attributed


def passes(network, speech, windows) -> None:
    """Print what relevance of a batch costs in forward and gradient passes."""
    import torch

    from layerstats.probes.relevance import attribute
    from layerstats.probes.relevance.window_speech import WindowSpeech

    heard = WindowSpeech(network, speech, windows, torch.device("cpu")).heard(range_of(windows))
    names = network.alphabet.letters
    targets = windows["letter"].tolist()[: len(heard)]
    index = torch.tensor([names.index(letter) for letter in targets])

    def forward():
        with torch.no_grad():
            return network(heard)

    def gradient():
        given = heard.clone().requires_grad_()
        network(given)[torch.arange(len(heard)), 0, index].sum().backward()

    for weight in network.parameters():
        weight.requires_grad_(False)
    bare, slope = seconds(forward), seconds(gradient)
    print(f"gradient of {len(heard)} windows: {slope / bare:.2f} forward passes")
    for rule in ("epsilon", "adapted"):
        took = seconds(lambda rule=rule: attribute(network, heard, targets, rule, labels=names))
        print(f"{rule}: {took / bare:.2f} forward passes, {took / slope:.2f} gradient passes (aim 1.1)")
    took = seconds(lambda: attribute(network, heard, targets, "adapted", labels=names, dtype="float32"))
    print(f"adapted with z in float32: {took / bare:.2f} forward passes, {took / slope:.2f} gradient passes")
    explain = captum_epsilon(network)
    took = seconds(lambda: explain(heard.transpose(1, 2), index))
    print(f"Captum's epsilon rule: {took / bare:.2f} forward passes, {took / slope:.2f} gradient passes")


def range_of(windows):
    """Return the rows of the first utterance, a batch at most."""
    import numpy as np

    count = int((windows["utterance"] == windows["utterance"].iloc[0]).sum())
    return np.arange(min(BATCH, count))


def rates(network, speech, windows) -> None:
    """Print windows a second: with one pass over an utterance, window by window, and by Captum."""
    import torch

    from layerstats.probes.relevance.window_quantity import WindowRelevance
    from layerstats.probes.relevance.window_speech import WindowSpeech

    held = WindowSpeech(network, speech, windows, torch.device("cpu"))
    rows = slice(0, len(windows))
    names = network.alphabet.letters
    explain = captum_epsilon(network)
    numbers = torch.tensor([names.index(letter) for letter in held.windows["letter"]])
    found = {}

    def measured(method: str, batch: int, shared: bool, aligned: bool = False) -> Callable[[], None]:
        options = {"start": None, "maps": False, "shared": shared, "alignments": aligned, "options": {}}
        relevance = WindowRelevance(held, network, "emitted", method, **options)

        def run() -> None:
            for some in held.groups(rows, batch):
                measure = relevance.measure_aligned if aligned else relevance.measure
                relevance.reduced(measure(some)[0])

        return run

    def captum() -> None:
        for some in held.groups(rows, BATCH):
            explain(held.heard(some).transpose(1, 2), numbers[torch.from_numpy(some)])

    for method in ("epsilon", "adapted"):
        found[f"{method}, shared pass"] = seconds(measured(method, BATCH, True), 3)
        found[f"{method}, shared pass, aligned under 26 letters"] = seconds(measured(method, BATCH, True, True), 1)
        found[f"{method}, batches without it"] = seconds(measured(method, BATCH, False), 3)
    found["epsilon, window by window"] = seconds(measured("epsilon", 1, False), 3)
    found["epsilon, Captum in batches"] = seconds(captum, 3)
    for name, took in found.items():
        print(f"{name}: {len(windows) / took:.0f} windows a second of one core")
    ours = found["epsilon, shared pass"]
    print(f"against Captum: {found['epsilon, Captum in batches'] / ours:.2f} x (aim 4)")
    print(f"against window by window: {found['epsilon, window by window'] / ours:.2f} x")


def memory(counts: tuple[int, ...] = (128, 1024)) -> None:
    """Print the most memory that recordings of few and of many windows take."""
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", MEMORY, str(Path(__file__).parent), str(count), f"{folder}/s.zarr"]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(f"memory with {count} windows: {said.strip()} MB")


def main() -> None:
    """Measure and print."""
    import torch

    from layerstats.models import Wav2Letter, seeded

    torch.set_num_threads(1)
    shipped = letters()
    speech, windows = windows_of(shipped, WINDOWS)
    with seeded(0):
        published = Wav2Letter().eval()
    for name, network, count in (("shipped", shipped, WINDOWS), ("published", published, BATCH)):
        some = windows.iloc[:count]
        width, top = (network.configuration[one] for one in ("width", "top"))
        print(f"-- {name} widths ({width}, {top}): {count} windows of {some['utterance'].nunique()} utterances")
        network.padding = "valid"
        passes(network, speech, some)
        rates(network, speech, some)
    memory()


if __name__ == "__main__":
    main()
