"""Every channel of a layer: time against a loop over the structured engine, time and memory against their number."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

TOKENS, SAMPLES = 1067, 16
# Not `ru_maxrss`, which begins with the memory of the process that started this one.
GROWTH = """
import re
import sys
import time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from channels import contrasts
from layerstats.store import open_store
experiment = open_store(sys.argv[2])
begin = time.process_time()
contrasts(experiment)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(time.process_time() - begin, int(peak) // 1024)
"""


def simulate(path: Path, channels: int, seed: int = 0) -> Path:
    """Write a store of two words by 100 speakers whose channels differ in level, in shape, in both, or not at all."""
    import numpy as np
    import pandas as pd

    from layerstats.store import LayerSpec, RecordingWriter, usual_variables

    rng = np.random.default_rng(seed)
    time_s = (np.arange(SAMPLES) + 0.5) * 0.064
    wash = np.arange(TOKENS) % 2
    tokens = pd.DataFrame(
        {
            "token": [f"t{number:05}" for number in range(TOKENS)],
            "word": np.where(wash == 1, "wash", "ask"),
            "speaker": [f"p{number % 100:03}" for number in range(TOKENS)],
            "split": "test",
        }
    )
    level, shape = rng.normal(size=(2, channels, 1)) * (rng.random((2, channels, 1)) < 0.3) * 0.1
    phase, size = rng.normal(size=(channels, 1)), rng.uniform(0.2, 2, size=(channels, 1))
    layer = LayerSpec("conv4", time_s, usual_variables(channels))
    with RecordingWriter(path, "activations", tokens, None, [layer], key="bench", shard_tokens=64) as writer:
        for block in writer.missing():
            some = wash[block, None, None]
            rows = (len(some), channels, 1)
            curves = np.sin(5 * time_s + phase) + some * (level + shape * np.sin(6.1 * time_s))
            curves = curves + 0.3 * rng.normal(size=rows) + 0.3 * rng.normal(size=rows) * np.cos(7 * time_s + phase)
            noise = rng.normal(size=(*rows[:2], SAMPLES))
            noise[..., 1:] += 0.5 * noise[..., :-1]
            values = (size * (curves + 0.2 * noise)).astype(np.float32)
            writer.write(block, {"conv4": {"mean": values.mean(axis=1), "maps": values}})
        writer.finish()
    return path


def contrasts(experiment, speakers: Literal["auto", "none"] = "none", **options):
    """Test the two words in every channel."""
    from layerstats.stats import channel_contrasts

    return channel_contrasts(experiment, "conv4", words=("wash", "ask"), speakers=speakers, **options)


def loop(experiment, result, channels: int) -> float:
    """Fit the same model with the structured engine, channel by channel; return seconds a channel."""
    from layerstats.stats import word_series
    from layerstats.stats.contrasts.models import level_and_shape_model
    from layerstats.stats.gamm import fit

    frame = experiment.to_frame("conv4", values="maps")
    spent, largest = 0.0, 0.0
    for channel in range(channels):
        series = word_series(frame.loc[frame["channel"] == channel].drop(columns="channel"))
        model = level_and_shape_model(series, "word", ["ask", "wash"], speakers="none")
        named = {"factors": model.factors, "ordered": model.ordered, "series": "token", "order": "sample"}
        begin = time.perf_counter()
        fitted = fit(model.formula, model.data, engine="structured", rho=result.attrs["rho"], **named)
        spent += time.perf_counter() - begin
        largest = max(largest, abs(fitted.glance["score"][0] - float(result["score"][channel])))
    print(f"  largest difference in REML over {channels} channels: {largest:.1e}", flush=True)
    return spent / channels


def against_mgcv(experiment, tokens: int = 100) -> None:
    """Print what one channel takes by mgcv, with few enough tokens for it, and what every channel takes here."""
    from layerstats.stats import word_series
    from layerstats.stats.contrasts.models import level_and_shape_model
    from layerstats.stats.gamm import fit
    from layerstats.stats.gamm.engines.mgcv import MgcvEngine

    if MgcvEngine().available() is not None:
        print("without R there is no comparison with mgcv", flush=True)
        return
    some = experiment.select(token=list(experiment.tokens["token"][:tokens]))
    frame = some.to_frame("conv4", values="maps")
    series = word_series(frame.loc[frame["channel"] == 0].drop(columns="channel"))
    model = level_and_shape_model(series, "word", ["ask", "wash"], speakers="none")
    named = {"factors": model.factors, "ordered": model.ordered, "series": "token", "order": "sample"}
    theirs = fit(model.formula, model.data, engine="mgcv", rho=0.3, **named).seconds
    begin = time.perf_counter()
    channels = contrasts(some, rho=0.3, workers=1).sizes["channel"]
    ours = (time.perf_counter() - begin) / channels
    print(
        f"{tokens} tokens: mgcv {theirs:.2f} s a channel, here {ours * 1e3:.2f} ms a channel of {channels}, "
        f"{theirs / ours:.0f} times faster",
        flush=True,
    )


def main() -> None:
    """Print everything."""
    from layerstats.store import open_store

    with tempfile.TemporaryDirectory() as folder:
        experiment = open_store(simulate(Path(folder) / "1024.zarr", 1024))
        few = open_store(simulate(Path(folder) / "16.zarr", 16))
        looped = loop(few, contrasts(few), 16)
        plans: list[tuple[int, Literal["auto", "none"]]] = [(1, "none"), (2, "none"), (2, "auto")]
        for workers, speakers in plans:
            begin, cpu = time.perf_counter(), time.process_time()
            result = contrasts(experiment, workers=workers, speakers=speakers)
            seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
            print(
                f"1,024 channels, {TOKENS} x {SAMPLES}, speakers={speakers!r}, all tests, reading, {workers} threads: "
                f"{seconds:.1f} s ({cpu:.1f} CPU-s), {1024 / seconds:.0f} channels/s, {looped * 1024 / seconds:.0f} "
                f"times a loop over the structured engine ({1 / looped:.1f} channels/s); "
                f"{int((result['status'] == 'fitted').sum())} fitted, steps {float(result['iterations'].mean()):.1f}",
                flush=True,
            )
        against_mgcv(experiment)
        growth(Path(folder))


def growth(folder: Path) -> None:
    """Print and draw time and peak memory against the number of channels, each in a process of its own."""
    import pandas as pd

    rows = []
    for channels in (128, 512, 2048):
        path = simulate(folder / f"growth_{channels}.zarr", channels)
        command = [sys.executable, "-c", GROWTH, str(Path(__file__).parent), str(path)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        seconds, peak = float(told[0]), int(told[1])
        rows.append({"channels": channels, "measure": "processor time (s)", "value": seconds})
        rows.append({"channels": channels, "measure": "peak memory of the process (MB)", "value": peak})
        print(f"{channels} channels: {seconds:.2f} CPU-s, peak memory {peak} MB", flush=True)
    print(draw(pd.DataFrame(rows)), flush=True)


def draw(frame) -> Path:
    """Write the figure of the growth, on logarithmic axes."""
    import plotnine as p9
    from gamm import RESULTS

    from layerstats.plots import paper_theme, save_figure

    figure = (
        p9.ggplot(frame, p9.aes("channels", "value"))
        + p9.geom_line()
        + p9.geom_point(size=2)
        + p9.facet_wrap("measure", nrow=1)
        + p9.scale_x_log10()
        # Both panels from 1 to 1,000, so that what is flat looks flat.
        + p9.scale_y_log10(limits=(1, 1000))
        + p9.labs(x="channels", y="")
        + paper_theme()
        + p9.theme(figure_size=(6, 3))
    )
    return save_figure(figure, RESULTS / "channels_growth").png


if __name__ == "__main__":
    main()
