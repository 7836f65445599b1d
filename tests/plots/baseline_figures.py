"""A small figure of every kind, of numbers that are written here: nothing is fitted, so that nothing can turn its sign.

Each function is named after what it draws; a second picture of one kind has its own name after two underscores. Its
docstring says what the picture shows, to whoever does not see it: the gallery of the site shows both, and their lines.
"""

import numpy as np
import pandas as pd

from layerstats import plots

RATE_HZ = 4000
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def autocorrelation():
    """Autocorrelation of residuals at lags 0 to 8 in two layers: in conv4 it stays above the limits up to lag 4, in
    conv5 it is negative at lag 1."""
    lags = np.arange(9)
    parts = [
        pd.DataFrame({"lag": lags, "autocorrelation": rho**lags, "limit": 0.12, "implied": implied, "layer": layer})
        for layer, rho, implied in (("conv4", 0.6, 0.0), ("conv5", -0.4, np.where(lags == 1, -0.2, 0.0)))
    ]
    return plots.autocorrelation(pd.concat(parts))


def bit_by_feature():
    """A grid of four phonetic features by three bits with the association in each cell: four cells beyond 0.6 are
    framed."""
    features = ("voiced", "nasal", "sibilant", "front vowel")
    values = np.array([[0.82, -0.1, 0.0, 0.33], [-0.71, 0.05, 0.45, -0.2], [0.12, 0.64, -0.9, 0.0]])
    rows = [
        (bit + 1, feature, values[bit, place], 0.01 if abs(values[bit, place]) > 0.6 else 0.4)
        for bit in range(3)
        for place, feature in enumerate(features)
    ]
    return plots.bit_by_feature(pd.DataFrame(rows, columns=["bit", "feature", "association", "p_adjusted"]))


def channel_effects():
    """Minus the logarithm of each channel's p-value against its difference in level, in two layers: five channels of
    23 are filled, as significant ones."""
    number = np.arange(24)
    p_value = 10.0 ** -np.where(number % 4 == 0, number / 2, 1 / (1 + number))
    frame = pd.DataFrame(
        {
            "layer": np.where(number < 12, "conv4", "conv5"),
            "level_1": "s",
            "level_2": "sh",
            "level_difference": np.where(number == 5, np.nan, 0.1 * (number % 12 - 5.5) * (1 + number % 4)),
            "token_sd": 1.0,
            "joint_p_value": np.where(number == 5, np.nan, p_value),
            "joint_p_fdr": np.minimum(3 * p_value, 1),
        }
    )
    return plots.channel_effects(frame)


def _code_points():
    number = np.arange(24)
    word = np.array(["no", "one", "yes"])[number % 3]
    before = pd.DataFrame({"start_name": [f"start_{n}" for n in number], "word": word, "speaker": number % 4})
    before = before.assign(speaker="p" + before["speaker"].astype(str), misclassified=number % 4 < 2, moment="before")
    before = before.assign(axis_1=np.cos(1.7 * number) + number % 3, axis_2=np.sin(1.7 * number))
    after = before.assign(moment="after", axis_1=before["axis_1"] * 0.4 + 2 * (number % 3), axis_2=before["axis_2"] + 1)
    return pd.concat([before, after], ignore_index=True)


def code_arrows():
    """Arrows of twelve codes from hollow to filled points in the plane, coloured by three words; codes of one word end
    near each other."""
    return plots.code_arrows(_code_points(), explained=np.array([0.41, 0.18]))


def code_arrows__speakers():
    """Arrows of all 24 codes from before to after maximization, coloured by four speakers, who are spread over all
    places."""
    note = "t-SNE of 48 codes, perplexity 5, seed 0."
    return plots.code_arrows(_code_points(), "speaker", misclassified=False, note=note)


def code_by_word():
    """A grid of three words by three codes with counts of tokens: 18 of ask have code 0, 15 of wash code 1, 10 of dark
    code 2, framed as theirs."""
    shares = {"ask": (0.9, 0.1, 0.0), "dark": (0.2, 0.3, 0.5), "wash": (0.0, 0.75, 0.25)}
    rows = [
        (word, str(code), round(20 * share), share, "test")
        for word, each in shares.items()
        for code, share in enumerate(each)
    ]
    contingency = pd.DataFrame(rows, columns=["word", "code", "tokens", "share", "split"])
    return plots.code_by_word(contingency, pd.DataFrame({"word": list(shares), "code": ["0", "2", "1"]}))


def _difference_curve(level_2, layer, height):
    time_ms = np.linspace(0, 1000, 41)
    diff = height * np.sin(time_ms / 160)
    frame = pd.DataFrame({"time_ms": time_ms, "diff": diff, "level_1": "ask", "level_2": level_2, "layer": layer})
    bands = [
        frame.assign(conf_low=diff - width, conf_high=diff + width, interval=interval, conf_level=0.95)
        for interval, width in (("simultaneous", 0.6), ("pointwise", 0.4))
    ]
    return pd.concat(bands)


def condition_means():
    """Means of people and networks over four stages, a panel a network: networks stay level, people fall by half at
    the final stage."""
    stages = ("natural", "conv1", "conv3", "final")
    rows = [
        (network, observer, stage, level * (0.5 if observer == "human" and stage == "final" else 1))
        for network, level in (("resnet", 0.8), ("alexnet", 0.9))
        for observer in ("human", "network")
        for stage in stages
    ]
    frame = pd.DataFrame(rows, columns=["network", "observer", "stage", "estimate"])
    frame = frame.assign(conf_low=frame["estimate"] - 0.08, conf_high=frame["estimate"] + 0.04)
    return plots.condition_means(frame, "stage", "observer", "network")


def difference():
    """A difference curve of ask minus wash over a second with two bands, above zero at first and below later; black
    strips mark both stretches."""
    regions = pd.DataFrame({"start": [100.0, 620.0], "end": [400.0, 880.0], "level_1": "ask", "level_2": "wash"})
    regions = regions.assign(layer="conv5", interval="simultaneous")
    return plots.difference(_difference_curve("wash", "conv5", 1.0), regions)


def difference__sound():
    """Differences of ask and wash in two layers, and above them the waveform and phones of a token of each, ask
    uppermost."""
    curves = pd.concat([_difference_curve("wash", layer, 1.0) for layer in LAYERS[3:]])
    return plots.difference(curves, above=_sounds({"ask": ["ae", "s", "k"], "wash": ["w", "aa", "sh"]}))


def difference__grid():
    """Difference curves of three pairs of words in two layers, each with its bands about a line at zero."""
    pairs = ("wash", "dark", "year")
    curves = [
        _difference_curve(word, layer, place - number)
        for place, word in enumerate(pairs)
        for number, layer in enumerate(LAYERS[:2])
    ]
    return plots.difference(pd.concat(curves))


def displacement_by_margin():
    """How far 60 codes moved against how sure the network was before: the surer, the less, with the decision boundary
    dashed."""
    number = np.arange(60)
    margin = 4 * np.sin(number) + 1.5
    moved = 3 * np.exp(-0.15 * margin) + 0.4 * np.cos(5 * number)
    frame = pd.DataFrame({"margin": margin, "displacement": moved, "misclassified": margin < 0})
    return plots.displacement_by_margin(frame)


def double_difference():
    """The contrast of s and sh among women and among men in two layers, and below it the difference between the two,
    above zero in the middle of conv2."""
    time = np.linspace(0, 1, 41)
    frame = pd.DataFrame({"time": time, "diff": 1.5 * np.sin(3 * time)})

    def band(layer, height, **more):
        diff = height * frame["diff"]
        return frame.assign(layer=layer, diff=diff, conf_low=diff - 0.5, conf_high=diff + 0.5, **more)

    sides = [
        band(layer, height * place, by_level=side, level_1="s", level_2="sh")
        for place, layer in enumerate(LAYERS[:2], start=1)
        for side, height in (("f", 1.0), ("m", 0.3))
    ]
    double = [band(layer, 0.7 * place, level_1="f", level_2="m") for place, layer in enumerate(LAYERS[:2], start=1)]
    regions = pd.DataFrame({"layer": [LAYERS[1]], "start": [0.2], "end": [0.8]})
    return plots.double_difference(pd.concat(sides), pd.concat(double), regions)


def _effects():
    return pd.DataFrame(
        {
            "layer": LAYERS,
            "effect_size": [0.1, 0.4, 0.9, 1.3, 1.1],
            "effect_conf_low": [0.0, 0.2, 0.7, 1.0, 0.6],
            "effect_conf_high": [0.3, 0.6, 1.2, 1.7, 1.6],
            "joint_p_adjusted": [0.6, 0.08, 0.001, 0.0001, 0.01],
            "model_checks": ["passed", "passed", "passed", "fails normality", "passed"],
        }
    )


def effect_by_layer():
    """Effect sizes with intervals in five layers beside boxes of untrained networks: filled and above them from conv3
    on, one layer marked as failing checks."""
    rows = [(layer, 0.08 * seed + 0.05 * place) for place, layer in enumerate(LAYERS) for seed in range(6)]
    return plots.effect_by_layer(_effects(), pd.DataFrame(rows, columns=["layer", "effect_size"]))


def effect_by_layer__contrasts():
    """Effect sizes without intervals in five layers, a panel for each of three phone contrasts, largest at conv4."""
    contrasts = ["s \N{MINUS SIGN} sh", "p,t,k \N{MINUS SIGN} b,d,g", "nasal \N{MINUS SIGN} liquid"]
    frame = pd.concat([_effects().assign(contrast=name) for name in contrasts])
    return plots.effect_by_layer(frame, facet="contrast", interval=None)


def effect_by_network():
    """Mean effect sizes of four kinds of network over five layers, with intervals and single networks: all grow, the
    Q-network most."""
    names = ("ciwGAN Q-network", "ciwGAN discriminator", "supervised", "untrained")
    rows = [
        (contrast, layer, name, 0.3 * place * (4 - index) / 4 + 0.1)
        for contrast in ("8 words", "s \N{MINUS SIGN} sh")
        for place, layer in enumerate(LAYERS)
        for index, name in enumerate(names)
    ]
    kinds = pd.DataFrame(rows, columns=["contrast", "layer", "network", "effect_size"])
    kinds = kinds.assign(effect_conf_low=kinds["effect_size"] - 0.1, effect_conf_high=kinds["effect_size"] + 0.2)
    networks = [kinds.assign(network_seed=seed, effect_size=kinds["effect_size"] + 0.05 * seed) for seed in (-1, 0, 2)]
    return plots.effect_by_network(kinds, pd.concat(networks))


def exaggeration_curves():
    """Difference curves of maximized minus natural speech over normalised time for two words and three measures, with
    a strip of one natural standard deviation."""
    time = np.linspace(0, 1, 41)
    parts = [
        pd.DataFrame({"time": time, "diff": height * np.sin(4 * time + place), "natural_sd": 1 + time})
        .assign(word=word, measure=measure, level_1="maximized", level_2="natural", interval="simultaneous")
        .assign(conf_low=lambda frame: frame["diff"] - 0.8, conf_high=lambda frame: frame["diff"] + 0.8)
        for place, word in enumerate(("six", "yes"))
        for measure, height in (("F2 band", 1.0), ("friction band", 3.0), ("centre of gravity", 2.0))
    ]
    return plots.exaggeration_curves(pd.concat(parts))


def _judged(words=("go", "no", "yes"), set_ups=("none", "smooth")):
    """Rates of two networks, each other's, a recogniser's and their means, with a null beside."""
    cells = {("n0", "n0"): 0.95, ("n0", "n1"): 0.4, ("n1", "n0"): 0.5, ("n1", "n1"): 0.9}
    cells |= {("n0", "pocketsphinx"): 0.15, ("n1", "pocketsphinx"): 0.2, ("n0", "other networks"): 0.4}
    cells |= {("n1", "other networks"): 0.5, ("all networks", "other networks"): 0.45}
    rows = [
        (set_up, network, judge, min(rate + 0.2 * place * (1 - rate), 1), 0.1 + 0.1 * (network == judge))
        for place, set_up in enumerate(set_ups)
        for (network, judge), rate in cells.items()
    ]
    table = pd.DataFrame(rows, columns=["set_up", "network", "judge", "rate", "null_zero_steps"])
    return table.assign(conf_low=0.9 * table["rate"], conf_high=table["rate"] + 0.4 * (1 - table["rate"]))


def heard_classes():
    """A grid of three target words by four words heard, in per cent: 80, 60 and 85 on the diagonal."""
    words = ("go", "no", "yes")
    shares = ((0.8, 0.2, 0.0), (0.35, 0.6, 0.05), (0.0, 0.1, 0.85))
    rows = [
        (target, response, shares[place][other] if other < 3 else 1 - sum(shares[place]))
        for place, target in enumerate(words)
        for other, response in enumerate((*words, "up"))
    ]
    table = pd.DataFrame(rows, columns=["target", "response", "rate"])
    return plots.heard_classes(table.assign(set_up="smooth", network="n0", judge="n1"))


def heard_classes__scores():
    """A grid of 24 words by 24 words of mean scores, dark along the diagonal and lighter away from it."""
    words = [f"word {number:02}" for number in range(24)]
    rows = [(one, two, np.exp(-0.4 * abs(words.index(one) - words.index(two)))) for one in words for two in words]
    table = pd.DataFrame(rows, columns=["target", "response", "mean_score"])
    table = table.assign(set_up="smooth", network="n0", judge="n1", rate=0.0)
    return plots.heard_classes(table, value="mean_score")


def heard_words():
    """Shares of words heard for each of three codes, a row of panels a judge and a column a code value: clearer the
    larger the value."""
    words = ("ask", "dark", "wash", "other")
    rows = [
        (str(code), value, judge, word, 20, share)
        for code in range(3)
        for value in (1.0, 2.0, 5.0)
        for judge in ("classifier", "pocketsphinx")
        for word, share in zip(words, np.roll([0.5 + value / 12, 0.3 - value / 20, 0.0, 0.1], code), strict=True)
    ]
    columns = ["code", "code_value", "judge", "response", "tokens", "share"]
    return plots.heard_words(pd.DataFrame(rows, columns=columns))


def heard_words__bits():
    """Shares of four words heard for each of 32 five-bit codes at three code values, as stripes that darken with the
    value."""
    codes = [f"{number:05b}" for number in range(32)]
    rows = [
        (code, value, "classifier", word, 20, (number % 4 == place) * 0.2 * value)
        for number, code in enumerate(codes)
        for value in (1.0, 2.0, 5.0)
        for place, word in enumerate(("ask", "dark", "wash", "year"))
    ]
    columns = ["code", "code_value", "judge", "response", "tokens", "share"]
    return plots.heard_words(pd.DataFrame(rows, columns=columns))


def ladder():
    """Share of starts heard as their target along steps and displacement for two judges: with an autoencoder it rises
    to 0.8, without and in random directions it stays low."""
    places = {"steps": (0, 5, 10, 20), "displacement": (0, 2, 4, 8)}
    rates = {
        ("none", ""): (0.05, 0.1, 0.1, 0.08),
        ("autoencoder", ""): (0.1, 0.5, 0.75, 0.8),
        ("autoencoder", "random_direction"): (0.1, 0.12, 0.1, 0.15),
    }
    rows = [
        (set_up, null, judge, along, place, rate * share, max(0, rate * share - 0.08), rate * share + 0.08)
        for (set_up, null), heard in rates.items()
        for judge, share in (("commands_1", 1.0), ("pocketsphinx", 0.5))
        for along, where in places.items()
        for place, rate in zip(where, heard, strict=True)
    ]
    columns = ["set_up", "null", "judge", "along", "place", "rate", "conf_low", "conf_high"]
    return plots.ladder(pd.DataFrame(rows, columns=columns))


def layer_series():
    """A waveform of the word ask with its phones marked, and below it the averaged activation of three layers on the
    same axis of time."""
    time = np.arange(RATE_HZ) / RATE_HZ
    waveform = np.sin(2 * np.pi * 90 * time) * np.exp(-(((time - 0.4) / 0.2) ** 2))
    parts = [
        pd.DataFrame({"layer": layer, "time_s": (np.arange(n) + 0.5) / n}).assign(
            value=lambda frame: np.exp(-(((frame["time_s"] - 0.45) / 0.15) ** 2))
        )
        for layer, n in (("conv1", 500), ("conv4", 64), ("conv5", 16))
    ]
    phones = pd.DataFrame({"label": ["ae", "s", "k"], "onset_s": [0.1, 0.35, 0.6], "offset_s": [0.35, 0.6, 0.7]})
    return plots.layer_series(waveform, RATE_HZ, pd.concat(parts), phones=phones, title="ask, speaker FADG0")


def lexical_measures():
    """Four measures of lexical learning for four networks with intervals: the ciwGAN and the supervised network above
    the grey level of chance, the untrained ones in it."""
    measures = ("assignment accuracy", "adjusted mutual information", "entropy of codes", "entropy within words")
    networks = (("ciwgan", 0, 0.8), ("untrained", 0, 0.2), ("untrained", 1, 0.25), ("supervised", 0, 0.97))
    rows = [(network, seed, measure, estimate) for measure in measures for network, seed, estimate in networks]
    frame = pd.DataFrame(rows, columns=["network", "network_seed", "measure", "estimate"])
    frame = frame.assign(conf_low=frame["estimate"] - 0.1, conf_high=frame["estimate"] + 0.02)
    return plots.lexical_measures(frame.assign(chance=0.15, chance_low=0.1, chance_high=0.22))


def named_cues():
    """Exaggeration of four named cues with intervals in three conditions: one cue is exaggerated, one lies on the
    other side of zero."""
    cues = [("six", "initial [s]"), ("six", "final [s]"), ("two", "burst and aspiration of [t]"), ("no", "back vowel")]
    rows = [
        (word, cue, condition, "natural", (place - 1) * 0.8 * height)
        for condition, height in (("maximized", 1.0), ("before", -0.3), ("random_direction", 0.1))
        for place, (word, cue) in enumerate(cues)
    ]
    frame = pd.DataFrame(rows, columns=["word", "cue", "level_1", "level_2", "exaggeration"])
    return plots.named_cues(frame.assign(conf_low=frame["exaggeration"] - 0.6, conf_high=frame["exaggeration"] + 0.6))


def map_trust():
    """Measures of trust in a map, a panel a measure: shares inside phones, similarity after weights are randomised,
    and curves of deletion and insertion, each beside its baseline."""
    classes = ("all", "plosive", "vowel", "voiceless_fricative")
    rows = [
        (measure, "R", "absolute", baseline, "phone_class" if place else "all", unit, 0.3 + place / 20, chance)
        for measure in ("share inside the phone", "pointing game")
        for baseline, chance in (("shifted phones", 0.07), ("phones of other windows", 0.25))
        for place, unit in enumerate(classes)
    ]
    rows += [
        (
            f"random weights, cascading: {measure}",
            name,
            f"conv{layer}",
            "maps of other tokens",
            "all",
            "all",
            height,
            0.1,
        )
        for measure in ("correlation", "rank correlation, absolute")
        for name, factor in (("R", 1.0), ("R/x", 0.4))
        for layer in (12, 6, 1)
        for height in (factor * layer / 15,)
    ]
    rows += [
        (direction, "R", replacement, order, "all", "all", height, 0.5)
        for direction, height in (("deletion", 0.3), ("insertion", 0.7))
        for replacement in ("mean spectrum", "another utterance")
        for order in ("random order", "energy")
    ]
    columns = ["measure", "map", "condition", "baseline", "by", "unit", "estimate", "baseline_estimate"]
    frame = pd.DataFrame(rows, columns=columns)
    return plots.map_trust(frame.assign(conf_low=frame["estimate"] - 0.05, conf_high=frame["estimate"] + 0.05))


def path_similarity():
    """Path similarity over eight layers in a trained and an untrained network: maximized items rise to 1 in the
    trained one only."""
    layers = ("features", "conv1", "conv2", "conv3", "dense1", "dense2", "dense3", "logits")
    rows = [
        ("commands", 0, trained, layer, condition, height * (0.1 + place / 8) * (1 if trained else 0.3))
        for trained in (True, False)
        for condition, height in (("maximized", 1.2), ("before", 0.1))
        for place, layer in enumerate(layers)
    ]
    columns = ["network", "network_seed", "trained", "layer", "condition", "path_similarity"]
    frame = pd.DataFrame(rows, columns=columns)
    ends = {"conf_low": frame["path_similarity"] - 0.1, "conf_high": frame["path_similarity"] + 0.15}
    return plots.path_similarity(frame.assign(**ends))


def _curves(layers, column, groups, time, name):
    parts = [
        pd.DataFrame(
            {"layer": layer, column: group, name: time, "fit": (1 + place) * np.sin(time / time[-1] * 4 + index)}
        )
        for place, layer in enumerate(layers)
        for index, group in enumerate(groups)
    ]
    frame = pd.concat(parts)
    return frame.assign(conf_low=frame["fit"] - 0.3, conf_high=frame["fit"] + 0.3)


def maximized_features():
    """Mel features before and after maximization and their difference in colour, for two words and two set-ups."""
    time, mel = np.meshgrid(np.arange(30), np.arange(20), indexing="ij")
    before = 0.3 + 0.2 * np.sin(time / 4) * np.cos(mel / 3)
    parts = []
    for set_up, steps in (("none", 0.05 * ((7 * time + 3 * mel) % 5 - 2)), ("autoencoder", 0.3 * np.cos(mel / 2))):
        for target, sign in (("yes", 1), ("no", -1)):
            panels = {"before": before, "after": before + sign * steps, "difference": sign * steps}
            parts += [
                pd.DataFrame({"time_s": time.ravel() * 0.03, "mel": 4 * mel.ravel(), "value": values.ravel()}).assign(
                    set_up=set_up, target=target, features=features
                )
                for features, values in panels.items()
            ]
    return plots.maximized_features(pd.concat(parts))


def optimal_inputs():
    """The input that maximizes each of three units, in colour over time and frequency: a horizontal, a slanting and a
    patterned patch."""
    time, band = np.meshgrid(np.arange(40), np.arange(32), indexing="ij")
    place = {"time_s": time.ravel() * 0.04, "frequency_hz": 30 * 1.19 ** band.ravel()}
    patches = {
        "conv1:3:10": 9 * np.exp(-((time - 12) ** 2) / 20) * np.sin(band / 3),
        "conv2:17:10": 4 * np.exp(-((time - 20) ** 2) / 60) * np.cos(time / 2 + band / 4),
        "conv12:0:0": 0.02 * ((7 * time + 3 * band) % 5 - 2) * (np.abs(time - 20) < 15),
    }
    parts = [pd.DataFrame({**place, "target": unit, "value": values.ravel()}) for unit, values in patches.items()]
    return plots.optimal_inputs(pd.concat(parts))


def _aligned(letters, ways, samples=50):
    lag, band = (axis.ravel() for axis in np.meshgrid(np.arange(samples) - samples // 2, np.arange(20)))
    hz = 700 * (10 ** ((band + 1) * 2840 / 20 / 2595) - 1)
    parts = []
    for shift, letter in enumerate(letters):
        for late, way in enumerate(ways):
            # Few steps, since the files have few colours.
            burst = np.rint(4 * np.exp(-(((lag - 3 * late) / 5) ** 2) - ((band - 6 - 5 * shift) / 3) ** 2)) / 4
            pattern = burst - np.rint(2 * np.exp(-(((lag + 12) / 4) ** 2) - ((band - 15) / 3) ** 2)) / 4
            reached = np.where(lag < 5 * late - samples // 2, np.nan, pattern)
            maps = pd.DataFrame({"lag_s": lag * 0.02, "frequency_hz": hz, "pattern": reached, "claimed": pattern > 0.6})
            parts.append(maps.assign(label=letter, alignment=way))
    return pd.concat(parts)


def _abx_errors(layers):
    rates = [0.3 - 0.05 * number + 0.08 * across for across in (0, 1) for number in range(len(layers))]
    table = pd.DataFrame({"layer": layers * 2, "abx_mode": np.repeat(["within", "across"], len(layers))})
    table = table.assign(error_rate=rates, network_kind="whisper", trained=True)
    return table.assign(conf_low=table["error_rate"] - 0.03, conf_high=table["error_rate"] + 0.04)


def abx_by_layer():
    """ABX error rates with intervals over five layers within and across speakers: they fall from 0.3 to 0.1 while the
    band of untrained networks stays level."""
    table = _abx_errors(["conv1", "conv2", "layers.0", "layers.1", "layers.2"])
    twins = [table.assign(trained=False, error_rate=0.33 + 0.02 * np.sin(twin + table.index)) for twin in range(6)]
    sound = pd.DataFrame({"layer": "features", "abx_mode": ["within", "across"], "error_rate": [0.2, 0.29]})
    networks = pd.concat([table, *twins, sound.assign(network_kind="acoustics", trained=True)])
    return plots.abx_by_layer(table, networks)


def abx_by_layer__one_layer():
    """ABX error rates of one layer within and across speakers beside a band of untrained networks."""
    table = _abx_errors(["conv1"])
    twins = [table.assign(trained=False, error_rate=0.36 + 0.02 * twin) for twin in range(4)]
    return plots.abx_by_layer(table, pd.concat(twins))


def abx_by_layer__one_mode():
    """ABX error rates within speakers in two layers with intervals, joined by a line."""
    return plots.abx_by_layer(_abx_errors(["conv1", "conv2"]).query("abx_mode == 'within'"))


def aligned_maps():
    """Averages of aligned windows of two letters under three alignments, in colour over time and frequency, with a
    burst near the time of alignment."""
    maps = _aligned("ab", ("none", "maximum of the gradient", "maximum of relevance"))
    return plots.aligned_maps(maps, value_label="Difference from the mean", title="Letters")


def aligned_maps__marked():
    """Averages of input and relevance of two letters with the cells outlined that a test may claim."""
    maps = _aligned("ab", ("input", "relevance"))
    maps.loc[maps["alignment"] == "relevance", "pattern"] *= 1e-3
    return plots.aligned_maps(maps, scale="alignment", marked="claimed", caption="Lines: what a test may claim.")


def pattern_profiles():
    """Profiles over time of three letters with bands: of their own windows a peak of 0.5, of other windows one of
    0.1."""
    lag_s = np.arange(-25, 25) * 0.02
    parts = []
    for who, size in (("its windows", 0.5), ("other windows", 0.1)):
        for late, letter in enumerate("abc"):
            curve = size * np.exp(-(((lag_s - 0.05 * late) / 0.1) ** 2))
            frame = pd.DataFrame({"lag_s": lag_s, "pattern": curve, "conf_low": curve - 0.1, "conf_high": curve + 0.1})
            parts.append(frame.assign(label=letter, windows_of=who))
    return plots.pattern_profiles(pd.concat(parts), group="windows_of")


def pattern_profiles__frequency():
    """Profiles over frequency of two letters with bands, with a peak near 1500 Hz."""
    hz = 700 * (10 ** (np.arange(1, 21) * 2840 / 20 / 2595) - 1)
    curve = np.exp(-(((np.arange(20) - 8) / 4) ** 2))
    frame = pd.DataFrame({"frequency_hz": hz, "pattern": curve, "conf_low": curve - 0.2, "conf_high": curve + 0.2})
    both = [frame.assign(label=letter) for letter in "ab"]
    return plots.pattern_profiles(pd.concat(both), x="frequency_hz")


def phone_curves__sound():
    """Predicted curves of s and sh over normalised time in two layers, and above them a waveform of each in the colour
    of its curve."""
    curves = _curves(LAYERS[:2], "group", ("s", "sh"), np.linspace(0, 1, 21), "time")
    return plots.phone_curves(curves, above=_sounds({"s": ["s"], "sh": ["sh"]}, "time"))


def phone_curves__one_layer():
    """Predicted curves of s and sh over normalised time in one layer with bands, which cross near the middle."""
    return plots.phone_curves(_curves(LAYERS[:1], "group", ("s", "sh"), np.linspace(0, 1, 21), "time"))


def phone_shares():
    """Shares of the score of three groups of phones and of what is elsewhere, with untrained networks and shares of
    time beside: monophthongs have .62."""
    groups = ("monophthong", "voiceless_fricative", "voiced_stop", "elsewhere")
    share = np.array([0.62, -0.08, 0.11, 0.02])
    shares = pd.DataFrame({"group": groups, "score_share": share, "conf_low": share - 0.06, "conf_high": share + 0.06})
    shares = shares.assign(duration_share=[0.24, 0.1, 0.05, 0.57])
    networks = pd.DataFrame({"group": groups * 6, "score_share": np.tile(share, 6), "trained": False})
    networks["score_share"] += 0.2 * np.sin(np.arange(24) * 1.3) - 0.1
    both = [frame.assign(network=name) for frame in (shares, networks) for name in ("Q-network", "supervised")]
    return plots.phone_shares(pd.concat(both[:2]), pd.concat(both[2:]), facet="network")


def _spectrogram(word, shift):
    frame, band = (axis.ravel() for axis in np.meshgrid(np.arange(50), np.arange(20), indexing="ij"))
    # Few steps, since the files have few colours.
    formant = np.rint(4 * np.exp(-(((band - 6 - shift - 3 * np.sin(frame / 9)) / 2) ** 2))) / 4
    relevance = np.rint(3 * np.exp(-(((frame - 24) / 5) ** 2) - ((band - 5 - shift) / 2) ** 2)) / 3
    hz = 700 * (10 ** ((band + 1) * 2840 / 20 / 2595) - 1)
    maps = pd.DataFrame({"time_s": 0.01 * frame, "frequency_hz": hz, "input": formant, "word": word})
    ways = {"gradient": relevance * (1 - frame % 3), "epsilon": relevance - 0.4 * np.roll(relevance, 160)}
    return pd.concat([maps.assign(method=method, relevance=values) for method, values in ways.items()])


def relevance_map():
    """The spectrogram of wash in grey and over it the relevance of two methods in colour, with phones marked."""
    phones = pd.DataFrame({"label": ["w", "aa", "sh"], "onset_s": [0.05, 0.14, 0.33], "offset_s": [0.14, 0.33, 0.6]})
    return plots.relevance_map(_spectrogram("wash", 0), phones, beside="method", title="wash, speaker p03")


def relevance_map__sound():
    """Relevance of one method over the spectrogram of wash, and between it and the phones the waveform."""
    phones = pd.DataFrame({"label": ["w", "aa", "sh"], "onset_s": [0.05, 0.14, 0.33], "offset_s": [0.14, 0.33, 0.6]})
    sound = _sounds({"wash": ["w", "aa", "sh"]})
    return plots.relevance_map(_spectrogram("wash", 0), phones, beside="method", above=sound)


def relevance_map__rows():
    """Relevance by two methods over spectrograms of two words, a row a word, with their phones marked."""
    phones = pd.DataFrame(
        {
            "label": ["w", "aa", "ae", "s"],
            "onset_s": [0.05, 0.14, 0.1, 0.3],
            "offset_s": [0.14, 0.33, 0.3, 0.45],
            "word": ["wash", "wash", "ask", "ask"],
        }
    )
    maps = pd.concat([_spectrogram("wash", 0), _spectrogram("ask", 5)])
    return plots.relevance_map(maps, phones, row="word", beside="method", with_input=False)


def phone_curves():
    """Predicted curves of s and sh over normalised time in five layers with bands: s peaks later than sh."""
    return plots.phone_curves(_curves(LAYERS, "group", ("s", "sh"), np.linspace(0, 1, 21), "time"))


def _tokens():
    time_s = (np.arange(32) + 0.5) / 32
    parts = [
        pd.DataFrame({"word": word, "token": f"{word}{number}", "time_s": time_s})
        .assign(value=np.sin(time_s * (3 + place)) + 0.1 * (number - 3.5))
        for place, word in enumerate(("ask", "dark", "wash"))
        for number in range(8)
    ]  # fmt: skip
    return pd.concat(parts)


def raw_series():
    """Series of eight tokens of each of three words as thin lines with their mean over them, a panel a word."""
    return plots.raw_series(_tokens())


def _sounds(phones, along="time_ms"):
    parts, labels = [], []
    for place, (group, names) in enumerate(phones.items()):
        first, length = (0.0, 1.0) if along == "time" else (25.0, 300.0 + 40 * place)
        step = (np.arange(120) + 0.5) / 120
        loud = np.abs(np.sin(np.pi * step * len(names))) * (0.5 + 0.5 * np.cos(3 * step))
        waves = {"low": -loud * (0.9 + 0.1 * np.cos(90 * step)), "high": loud}
        parts.append(pd.DataFrame({"group": group, "x": first + length * step, **waves}))
        ends = first + length * np.linspace(0, 1, len(names) + 1)
        labels.append(pd.DataFrame({"group": group, "label": names, "start": ends[:-1], "end": ends[1:]}))
    tokens = pd.DataFrame({"group": list(phones), "token": [f"{name}_1" for name in phones]})
    tokens = tokens.assign(speaker="f1", why="most typical")
    return plots.SoundsAbove(pd.concat(parts), pd.concat(labels), tokens, along)


def raw_series__sound():
    """Series of eight tokens of each of three words with their mean, and above each word the waveform and the phones of
    its most typical token."""
    sounds = _sounds({"ask": ["ae", "s", "k"], "dark": ["d", "aa", "r", "k"], "wash": ["w", "aa", "sh"]})
    return plots.raw_series(_tokens(), above=sounds)


def receptive_field():
    """Receptive fields and hops of five layers on a logarithmic axis beside the durations of phones, which conv4
    reaches."""
    layers = pd.DataFrame(
        {
            "layer": LAYERS,
            "receptive_field_s": [0.0016, 0.006, 0.026, 0.1, 0.42],
            "hop_s": 0.00025 * 4.0 ** np.arange(5),
        }
    )
    durations = pd.DataFrame({"phone_duration_s": np.linspace(0.04, 0.16, 25)})
    return plots.receptive_field(layers, durations, phones="[s] and [ʃ]")


def residual_checks():
    """Residuals against normal quantiles, nearly on the line, and against fitted values, without a trend."""
    place = np.linspace(-2.5, 2.5, 60)
    frame = pd.DataFrame({"fitted": np.cos(7 * place), "residual": place + 0.05 * place**3})
    return plots.residual_checks(frame, title="conv5")


def smooths():
    """Predicted curves of three words over a second in two layers, with bands."""
    return plots.smooths(_curves(LAYERS[3:], "word", ("ask", "dark", "wash"), np.linspace(20, 1000, 25), "time_ms"))


def smooths__sound():
    """Predicted curves of five words in two layers, and in a row above them the waveform and phones of a token of each
    word."""
    words = {"ask": ["ae", "s", "k"], "dark": ["d", "aa", "r", "k"], "oily": ["oy", "l", "iy"]}
    words |= {"rag": ["r", "ae", "g"], "year": ["y", "ih", "r"]}
    curves = _curves(LAYERS[3:], "word", tuple(words), np.linspace(20, 1000, 25), "time_ms")
    return plots.smooths(curves, above=_sounds(words))


def smooths__many():
    """Predicted curves of eight words in one layer, a panel a word, with those of the others thin behind it."""
    words = ("ask", "carry", "dark", "greasy", "like", "oily", "rag", "year")
    return plots.smooths(_curves(LAYERS[4:], "word", words, np.linspace(0.02, 1, 25), "time_s"))


def training_curves():
    """Nine measures of a training over 20,000 updates, a panel a measure, falling towards zero."""
    from layerstats.plots.training_curves import MEASURES

    step = np.arange(0, 20001, 1000)
    values = {name: np.exp(-step / 4000) * (place + 1) for place, name in enumerate(MEASURES)}
    return plots.training_curves(pd.DataFrame({"step": step, **values}))


def variance_shares():
    """Shares of variance of success of five components with intervals in two set-ups, beside those of untrained
    networks."""
    components = ("network", "judge", "target", "network:target", "residual")
    rows = [
        (set_up, null, component, share, share / 2, share + (1 - share) / 4)
        for set_up in ("smooth from noise", "autoencoder")
        for null, shares in (("", (0.1, 0.05, 0.3, 0.15, 0.4)), ("untrained", (0.0, 0.02, 0.05, 0.0, 0.93)))
        for component, share in zip(components, shares, strict=True)
    ]
    columns = ["set_up", "null", "component", "share", "conf_low", "conf_high"]
    return plots.variance_shares(pd.DataFrame(rows, columns=columns))


def matrix_of_networks():
    """Grids of target networks by judges with success in per cent, its interval and its null, for two set-ups; a
    network's own maximizations are framed."""
    return plots.matrix_of_networks(_judged())


def set_up_differences():
    """Differences in success between two set-ups on three measures with intervals and adjusted p-values: two exclude
    zero."""
    table = pd.DataFrame(
        {
            "set_up_1": "smooth",
            "set_up_2": "none",
            "measure": ["marginal", "marginal", "joint"],
            "judge": ["target network", "other networks", "other networks"],
            "difference": [-0.02, 0.35, 0.3],
            "conf_low": [-0.1, 0.2, 0.1],
            "conf_high": [0.06, 0.5, 0.5],
            "p_adjusted": [0.61, 0.00001, 0.02],
        }
    )
    return plots.set_up_differences(table)


def success_by_class():
    """Success of three words for three judges with intervals, in two set-ups, with small marks of two nulls to the
    left."""
    rows = [
        (set_up, target, judge, 0.3 + 0.15 * place + 0.2 * (set_up == "smooth") - 0.1 * (judge == "pocketsphinx"))
        for set_up in ("none", "smooth")
        for place, target in enumerate(("go", "no", "yes"))
        for judge in ("target network", "other networks", "pocketsphinx")
    ]
    table = pd.DataFrame(rows, columns=["set_up", "target", "judge", "rate"]).assign(measure="marginal")
    ends = {"conf_low": table["rate"] - 0.1, "conf_high": table["rate"] + 0.15, "null_zero_steps": 0.05}
    return plots.success_by_class(table.assign(**ends, null_untrained=table["rate"] / 2))


def judge_agreement():
    """Agreement of two machine judges with people on two measures: commands_1 lies above what permuted clips give,
    pocketsphinx within it."""
    rows = [
        (judge, measure, value, value - 0.2, value + 0.15, -0.21, 0.2, p)
        for measure in ("rank correlation", "kappa")
        for judge, value, p in (("commands_1", 0.55, 0.001), ("pocketsphinx", 0.12, 0.31))
    ]
    columns = ["judge", "measure", "estimate", "conf_low", "conf_high", "null_low", "null_high", "p_adjusted"]
    return plots.judge_agreement(pd.DataFrame(rows, columns=columns), caption="Raters are simulated.")


def _class_means(words):
    rows = [
        (word, set_up, 1.4 + 3 * shift + 2 * np.sin(number) ** 2 / (1 + shift), 0.2 + 0.1 * (number % 3))
        for shift, set_up in ((0.5, "autoencoder"), (0.0, "none"))
        for number, word in enumerate(words)
    ]
    table = pd.DataFrame(rows, columns=["target", "set_up", "estimate", "half"])
    low, high = (table["estimate"] + sign * table["half"] for sign in (-1, 1))
    return table.assign(conf_low=low.clip(1, 5), conf_high=high.clip(1, 5), estimate=table["estimate"].clip(1, 5))


def listener_means():
    """Mean ratings of 24 target words with intervals in two set-ups: those of the autoencoder lie to the right of
    those of none."""
    means = _class_means([f"word {number:02}" for number in range(24)])
    return plots.listener_means(means, "target", "set_up", caption="95 % intervals over raters and clips.")


def listener_means__shares():
    """Shares heard rightly of three words in two panels with a dashed line of chance at a quarter."""
    means = _class_means(["no", "yes", "stop"])
    shares = means.assign(**{name: (means[name] - 1) / 4 for name in ("estimate", "conf_low", "conf_high")})
    return plots.listener_means(
        shares, "target", panel="set_up", limits=(0, 1), title="Share heard rightly", chance=0.25
    )


def _raters(count):
    number = np.arange(count)
    means = 3 + 1.2 * np.sin(number)
    table = pd.DataFrame({"rater": [f"r{one:03}" for one in number], "estimate": means})
    return table.assign(conf_low=(means - 0.4).clip(1), conf_high=(means + 0.4).clip(None, 5))


def rater_means():
    """Mean ratings of twelve raters with intervals in order of strictness, and a line at the mean of all."""
    return plots.rater_means(_raters(12), caption="Raters are simulated.")


def rater_means__many():
    """Mean ratings of ninety raters with intervals in order of strictness, without their names."""
    return plots.rater_means(_raters(90))


def rating_contrasts():
    """Differences between conditions with intervals and adjusted p-values, on the scale of means and on the latent
    one: one excludes zero on both."""
    rows = [
        ("mean", "autoencoder", "none", 0.8, 0.45, 1.1, 0.0004),
        ("mean", "autoencoder", "smooth", 0.1, -0.15, 0.32, 0.41),
        ("latent", "autoencoder", "none", 1.9, 1.1, 2.6, 0.0004),
        ("latent", "autoencoder", "smooth", 0.22, -0.4, 0.8, 0.5),
    ]
    columns = ["scale", "level_1", "level_2", "estimate", "conf_low", "conf_high", "p_adjusted"]
    return plots.rating_contrasts(pd.DataFrame(rows, columns=columns), panel="scale")


def rating_contrasts__margin():
    """Two differences between conditions with a grey margin of equivalence: one lies inside it, the other far
    below."""
    rows = [("new", "old", 0.05, -0.1, 0.2, 0.3), ("new", "natural", -1.2, -1.5, -0.9, 1e-7)]
    columns = ["level_1", "level_2", "estimate", "conf_low", "conf_high", "p_adjusted"]
    return plots.rating_contrasts(pd.DataFrame(rows, columns=columns), margin=0.3)


def rating_shares():
    """Bars of the shares of ratings 1 to 5 for three conditions: natural speech has most fives, none most ones."""
    shares = {"natural": (0, 0.02, 0.1, 0.38, 0.5), "autoencoder": (0.1, 0.2, 0.4, 0.2, 0.1)}
    shares["none"] = (0.6, 0.25, 0.1, 0.05, 0)
    rows = [(name, rating, share) for name, own in shares.items() for rating, share in enumerate(own, start=1)]
    return plots.rating_shares(pd.DataFrame(rows, columns=["condition", "rating", "share"]), "condition")


def _probed(layers):
    share = [0.4 + 0.1 * number for number in range(len(layers))]
    table = pd.DataFrame({"layer": layers, "measure": "balanced accuracy", "estimate": share, "chance": 0.125})
    table = pd.concat([table, table.assign(measure="accuracy", estimate=table["estimate"] + 0.05, chance=np.nan)])
    table = table.assign(conf_low=table["estimate"] - 0.05, conf_high=table["estimate"] + 0.04)
    return table.assign(network_kind="whisper", trained=True).reset_index(drop=True)


def probe_by_layer():
    """Balanced accuracy of a probe over four layers with intervals, rising from .4 to .7 above untrained networks, the
    sound alone and chance."""
    table = _probed(["conv1", "conv2", "layers.0", "layers.1"])
    twins = [table.assign(trained=False, estimate=0.33 + 0.03 * np.sin(twin + table.index)) for twin in range(5)]
    sound = table.iloc[[0, 4]].assign(layer="features", network_kind="acoustics", estimate=[0.45, 0.5])
    return plots.probe_by_layer(table, pd.concat([table, *twins, sound]))


def probe_by_layer__both_measures():
    """Accuracy and balanced accuracy of a probe in two layers with intervals, in two panels."""
    return plots.probe_by_layer(_probed(["conv1", "conv2"]), measure=None)


def _similar(first, second, recording):
    pairs = [(one, other) for number, one in enumerate(first) for other in (second or first[number + 1 :])]
    table = pd.DataFrame(pairs, columns=["layer_1", "layer_2"]).assign(recording_1="activations", recording_2=recording)
    return table.assign(estimate=np.linspace(0.97, -0.02, len(table)))


def similarity_matrix():
    """Shades and numbers of the similarity of every pair of four layers, and of each with mel features."""
    layers = ["conv1", "conv2", "layers.0", "layers.1"]
    pairs = [_similar(layers, None, "activations"), _similar(layers, ["features"], "mel")]
    return plots.similarity_matrix(pd.concat(pairs, ignore_index=True))


def similarity_matrix__two_networks():
    """Shades and numbers of the similarity of three layers of one network with six of another."""
    blocks = [f"transformer.layers.{number}" for number in range(6)]
    return plots.similarity_matrix(_similar(["conv1", "conv2", "conv3"], blocks, "wav2vec2"))


def sensitivity_points():
    """The effects of two contrasts with intervals under seven options of three choices each: the reported analyses are
    filled, and a dotted line goes through them; with words as a sample, the interval of the second reaches zero."""
    options = [("random structure", "smooths of speakers"), ("random structure", "intercepts of speakers")]
    options += [("random structure", "smooths of speakers and words"), ("samples", "32"), ("samples", "16")]
    options += [("unit", "phones"), ("unit", "means of speakers")]
    rows = []
    for key, effect in (("conv2:s-sh", 1.2), ("conv3:s-sh", 0.6)):
        for number, (choice, option) in enumerate(options):
            reported = option in ("smooths of speakers", "32", "phones")
            estimate = effect - 0.05 * number * (not reported)
            spread = 0.7 if "words" in option else 0.3
            numbers = {"estimate": estimate, "conf_low": max(0.0, estimate - spread), "conf_high": estimate + spread}
            rows.append({"claim_key": key, "choice": choice, "option": option, "reported": reported, **numbers})
    return plots.sensitivity_points(pd.DataFrame(rows))
