"""The structured engine from R: the numbers of Python's own call, whatever the table looks like, and plain words."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from layerstats.cli.r_requests.exchange import read_value, write_value
from layerstats.errors import DataError
from layerstats.resources import bundled
from layerstats.stats.gamm import curves, derivatives, difference, fit

pytestmark = pytest.mark.r
LOADED = f"""
source("{bundled("R", "layerstats.R")}")
folder <- commandArgs(TRUE)
for (name in c("tidy", "glance", "augment")) assign(name, getExportedValue("generics", name))
told <- function(call) tryCatch(call, error = conditionMessage)
data <- if (file.exists(file.path(folder, "data.json"))) read_exchange(file.path(folder, "data"))
"""
FORMULA = "`F2 (Hz)` ~ word + s(`time (ms)`, k = 6) + s(`time (ms)`, by = ordered_word, k = 6) + s(speaker, bs = 're')"


def run_r(code, folder, **environment):
    script = folder / "script.R"
    script.write_text(LOADED + code, encoding="utf-8")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LAYERSTATS_PYTHON": sys.executable, **environment}
    command = ["Rscript", "--vanilla", script, folder]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done


def table(seed=0, tokens=24, points=15):
    """Words and speakers with names that are no names in R, NA and rows out of order."""
    random = np.random.default_rng(seed)
    token = np.repeat(np.arange(tokens), points)
    time_ms = np.tile(np.linspace(0, 100, points), tokens)
    word = np.array(['a"sk', "wä\nsh"], dtype=object)[token % 2]
    shape = np.sin(time_ms / 20) + (token % 2) * time_ms / 100 + random.normal(0, 0.4, tokens)[token]
    frame = pd.DataFrame(
        {
            "F2 (Hz)": 1500 + 100 * (shape + random.normal(0, 0.2, len(token))),
            "time (ms)": time_ms,
            "word": word,
            "speaker": [f"s{number:02d}" for number in token // 2],
            "token": token.astype(str),
        }
    )
    return frame.iloc[random.permutation(len(frame))].reset_index(drop=True)


OPTIONS = {"rho": "auto", "series": "token", "order": "time (ms)"}
IN_R = f"""
model <- gamm_fit({FORMULA}, data, engine = "structured", rho = "auto", series = "token", order = "time (ms)",
                  factors = list(word = c("w\\u00e4\\nsh", "a\\"sk")),
                  ordered = list(ordered_word = c("word", "a\\"sk")))
"""


def model_of(data):
    levels = ["wä\nsh", 'a"sk']
    return fit(
        FORMULA,
        data,
        engine="structured",
        factors={"word": levels},
        ordered={"ordered_word": ("word", levels[1])},
        **OPTIONS,
    )


def same(found, expected, tolerance=1e-12):
    pd.testing.assert_frame_equal(
        found, expected.reset_index(drop=True), check_dtype=False, check_exact=False, rtol=tolerance, atol=tolerance
    )


def test_everything_said_of_a_model_is_what_python_says(tmp_path):
    data = table()
    write_value(tmp_path / "data", data)
    run_r(
        f"""{IN_R}
        rows <- data[1:4, ]
        at <- list(`time (ms)` = seq(0, 100, 10))
        found <- difference(model, "word", "a\\"sk", "w\\u00e4\\nsh", at = at, draws = 500)
        rows_missing <- rows
        rows_missing$`time (ms)`[2] <- NA
        design <- predict(model, rows, type = "lpmatrix", exclude = "s(speaker)")
        stopifnot(inherits(model, "layerstats_gamm"), is.na(predict(model, rows_missing)[2]),
                  identical(unname(predict(model, rows_missing)[-2]), unname(predict(model, rows)[-2])),
                  isTRUE(all.equal(as.numeric(design %*% attr(design, "coefficients")),
                                   unname(predict(model, rows, exclude = "s(speaker)")))),
                  inherits(found, "layerstats_difference"), nobs(model) == nrow(data),
                  all.equal(AIC(model), model$glance$aic), inherits(curves(model, "word"), "layerstats_curves"),
                  is.numeric(tidy(model)$p.value), glance(model)$nobs == nrow(data),
                  isTRUE(all.equal(unname(fitted(model) + residuals(model)), data$`F2 (Hz)`)),
                  isTRUE(all.equal(augment(model, data)$.fitted, unname(fitted(model)))))
        write_exchange(file.path(folder, "r"), list(
            parametric = model$parametric, smooths = model$smooths, glance = model$glance,
            predicted = as.data.frame(predict(model, rows, se.fit = TRUE)), curve = found$curve,
            regions = found$regions,
            curves = as.data.frame(unclass(curves(model, "word", at = at)), check.names = FALSE),
            slopes = derivatives(model, "word", at = at, draws = 500)$curve, fitted = fitted(model),
            whitened = residuals(model, "whitened"), lags = as.data.frame(unclass(autocorrelation(model, 3))),
            bases = k_check(model), checks = residual_checks(model), notes = model$notes, printed = model$summary))
        """,
        tmp_path,
    )
    read = read_value(tmp_path / "r")
    model = model_of(data)
    at = {"time (ms)": np.arange(0, 101, 10.0)}
    found = difference(model, "word", 'a"sk', "wä\nsh", at=at, draws=500)
    predicted = model.predict(data.iloc[:4])[["fit", "std_error"]].set_axis(["fit", "se.fit"], axis=1)
    expected = {
        "parametric": model.parametric,
        "smooths": model.smooths,
        "glance": model.glance,
        "predicted": predicted,
        "curve": found.curve,
        "regions": found.regions,
        "curves": curves(model, "word", at=at),
        "slopes": derivatives(model, "word", at=at, draws=500).curve,
        "lags": model.autocorrelation(3),
        "bases": model.k_check(),
        "checks": model.residual_checks(),
    }
    for name, frame in expected.items():
        same(read[name], frame)
    np.testing.assert_allclose(read["fitted"], model.fitted, rtol=1e-12)
    np.testing.assert_allclose(read["whitened"], model.residuals, rtol=1e-9, atol=1e-12)
    assert read["notes"].tolist() == list(model.notes)
    assert "Smooth terms" in read["printed"][0]


def test_mgcv_says_the_same_in_r(tmp_path):
    data = table(1).rename(columns={"F2 (Hz)": "f2", "time (ms)": "time"})
    data["trial"] = (data["f2"] > data["f2"].median()).astype(int)
    write_value(tmp_path / "data", data)
    said = run_r(
        """
        formula <- f2 ~ word + s(time, k = 6) + s(time, by = copy, k = 6) + s(speaker, bs = "re")
        both <- lapply(c("structured", "mgcv"), function(engine) {
          gamm_fit(formula, data, engine = engine, rho = 0.3, series = "token", order = "time",
                   ordered = list(copy = c("word", "a\\"sk")))
        })
        near <- function(a, b, most = 1e-5) stopifnot(isTRUE(all.equal(unname(a), unname(b), tolerance = most)))
        near(coef(both[[1]]), coef(both[[2]])[1:2])
        near(tidy(both[[1]])$edf, tidy(both[[2]])$edf, 1e-4)
        near(fitted(both[[1]]), fitted(both[[2]]))
        near(difference(both[[1]], "word", "a\\"sk", "w\\u00e4\\nsh")$curve$conf_low,
             difference(both[[2]], "word", "a\\"sk", "w\\u00e4\\nsh")$curve$conf_low, 1e-4)
        near(predict(both[[1]], data[5:9, ]), predict(both[[2]], data[5:9, ]))
        binomial <- lapply(c("structured", "mgcv"), function(engine) {
          gamm_fit(trial ~ s(time, k = 5) + s(speaker, bs = "re"), data, engine = engine, family = binomial())
        })
        near(fitted(binomial[[1]]), fitted(binomial[[2]]), 1e-3)
        cat("same\\n")
        """,
        tmp_path,
    )
    assert "same" in said.stdout


def test_models_outlive_their_session_and_their_process(tmp_path):
    write_value(tmp_path / "data", table(2))
    first = run_r(
        f"""{IN_R}
        saveRDS(model, file.path(folder, "model.rds"))
        before <- predict(model, data[1:3, ])
        tools::pskill(python_worker$running$process, 9)
        Sys.sleep(0.5)
        after <- predict(model, data[1:3, ])
        stopifnot(identical(before, after))
        saveRDS(before, file.path(folder, "before.rds"))
        """,
        tmp_path,
    )
    assert "The Python process had ended" in first.stderr
    assert "fitted again" in first.stderr
    second = run_r(
        """
        model <- readRDS(file.path(folder, "model.rds"))
        print(model)
        stopifnot(identical(predict(model, data[1:3, ]), readRDS(file.path(folder, "before.rds"))))
        """,
        tmp_path,
    )
    assert "Fitted by structured" in second.stdout
    assert "fitted again" in second.stderr


def test_what_is_wrong_is_said_in_words(tmp_path):
    data = table(3).rename(columns={"F2 (Hz)": "f2", "time (ms)": "time"})
    write_value(tmp_path / "data", data)
    from_one = data.set_axis(pd.RangeIndex(1, len(data) + 1))  # as R counts rows
    with pytest.raises(DataError) as gap:
        fit("f2 ~ s(time)", from_one.assign(f2=from_one["f2"].where(from_one.index != 4)), engine="structured")
    calls = {
        'gamm_fit(f2 ~ s(time), replace(data, "f2", replace(data$f2, 4, NA)), engine = "structured")': str(gap.value),
        'gamm_fit(f2 ~ s(time), replace(data, "f2", replace(data$f2, 4, Inf)), engine = "structured")': "infinite",
        'gamm_fit(f2 ~ s(height), data, engine = "structured")': "height",
        'gamm_fit(f2 ~ s(time), data[0, ], engine = "structured")': "no rows",
        'gamm_fit(f2 ~ s(time), data, family = "scat", engine = "structured")': "cannot fit this model",
        '{ data$l <- as.list(data$f2); gamm_fit(l ~ s(time), data, engine = "structured") }': "Column 'l' is a list",
        '{ data$m <- cbind(data$f2, 1); gamm_fit(m ~ s(time), data, engine = "structured") }': "Column 'm' is a matrix",
        '{ data$g <- factor(rep(NA, nrow(data)), character()); gamm_fit(f2 ~ g, data, engine = "structured") }': "'g'",
        'gamm_fit(f2 ~ ordered(word) + s(time), data, engine = "structured")': "",
        '{ data$w <- factor(data$word, ordered = TRUE); gamm_fit(f2 ~ w + s(time), data, engine = "structured") }': (
            "column 'w' has other contrasts than treatment ones"
        ),
        'gamm_fit(f2 ~ s(time), data, engine = "fast")': "engine",
        '{ options(layerstats.python = "no-such-python"); stop_python(); gamm_fit(f2 ~ s(time), data, engine = '
        '"structured") }': "is no Python that has the package layerstats. Install it there",
    }
    code = "".join(f'cat(told({{ {call}; "fitted" }}), "\\n----\\n")\n' for call in calls)
    said = run_r(code, tmp_path).stdout.split("\n----\n")
    for message, (call, expected) in zip(said, calls.items(), strict=False):
        assert expected in message, call


def test_tables_of_every_kind_are_understood(tmp_path):
    data = table(4).rename(columns={"F2 (Hz)": "f2", "time (ms)": "time"})
    write_value(tmp_path / "data", data)
    run_r(
        """
        plain <- gamm_fit(f2 ~ word + s(time), data, engine = "structured")
        tibble <- structure(data, class = c("tbl_df", "tbl", "data.frame"))
        stopifnot(identical(coef(gamm_fit(f2 ~ word + s(time), tibble, engine = "structured")), coef(plain)))
        days <- transform(data, time = as.Date("2026-01-01") + time)
        dated <- gamm_fit(f2 ~ word + s(time), days, engine = "structured")
        stopifnot(isTRUE(all.equal(fitted(dated), fitted(plain))), is.numeric(predict(dated, days[1:2, ])))
        truth <- gamm_fit(f2 ~ long + s(time), transform(data, long = word == "a\\"sk"), engine = "structured")
        stopifnot(identical(names(coef(truth)), c("(Intercept)", "longTRUE")))
        whole <- gamm_fit(f2 ~ s(time) + s(speaker, bs = "re"), transform(data, speaker = as.integer(factor(speaker))),
                          factors = list(speaker = NULL), engine = "structured")
        gap <- replace(data, "f2", replace(data$f2, 7, NA))
        less <- gamm_fit(f2 ~ word + s(time), gap, na = "omit", engine = "structured")
        stopifnot(length(fitted(less)) == nrow(data) - 1, !"7" %in% names(fitted(less)),
                  is.na(augment(less, gap)$.fitted[7]))
        auto <- gamm_fit(f2 ~ word + s(time), data, engine = "auto")
        stopifnot(inherits(auto, "layerstats_structured"))
        """,
        tmp_path,
    )


def test_auto_takes_mgcv_where_there_is_no_python(tmp_path):
    write_value(tmp_path / "data", table(5).rename(columns={"F2 (Hz)": "f2", "time (ms)": "time"}))
    run_r(
        """
        model <- gamm_fit(f2 ~ word + s(time), data, engine = "auto")
        stopifnot(!inherits(model, "layerstats_structured"), any(grepl("Fitted by mgcv", model$notes)))
        """,
        tmp_path,
        LAYERSTATS_PYTHON="/nothing/python",
    )


def test_an_interrupt_ends_python_too(tmp_path):
    write_value(tmp_path / "data", table(6).rename(columns={"F2 (Hz)": "f2", "time (ms)": "time"}))
    (tmp_path / "script.R").write_text(
        LOADED
        + """
        model <- gamm_fit(f2 ~ s(time), data, engine = "structured")
        process <- python_worker$running$process
        # Python holds still, as in a fit that takes long.
        tools::pskill(process, tools::SIGSTOP)
        cat(process, "\\n")
        tryCatch({
          file.create(file.path(folder, "asked"))
          predict(model, data[1, ])
        }, interrupt = function(condition) cat("interrupted\\n"))
        stopifnot(is.null(python_worker$running))
        again <- gamm_fit(f2 ~ s(time), data, engine = "structured")
        stopifnot(identical(coef(again), coef(model)))
        cat("went on\\n")
        """
    )
    environment = {**os.environ, "LAYERSTATS_PYTHON": sys.executable}
    command = ["Rscript", "--vanilla", str(tmp_path / "script.R"), str(tmp_path)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)
    limit = time.monotonic() + 120
    while not (tmp_path / "asked").exists() and time.monotonic() < limit and running.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    # To R alone, as a window with a stop button does.
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=120)
    process, *rest = said.split("\n")
    assert rest[:2] == ["interrupted", "went on"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)
