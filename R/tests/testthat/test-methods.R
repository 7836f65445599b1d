# What R asks of a fitted model, held against mgcv and broom.

words_model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6) + s(speaker, bs = "re"), words,
                        ordered = list(word_ordered = c("word", "A")), series = "trajectory", order = "time")

test_that("methods are those of the model of mgcv, rows in the order of the table", {
  shuffled <- words[rev(seq_len(nrow(words))), ]
  turned <- gamm_fit(f2 ~ word + s(time, k = 6), shuffled, series = "trajectory", order = "time")
  expect_equal(unname(fitted(turned) + residuals(turned)), as.numeric(shuffled$f2))
  expect_equal(names(fitted(turned))[1:2], c("1", "2"))
  expect_equal(coef(words_model), coef(words_model$model))
  expect_equal(vcov(words_model, unconditional = TRUE), vcov(words_model$model, unconditional = TRUE))
  expect_equal(c(AIC(words_model), BIC(words_model)), c(AIC(words_model$model), BIC(words_model$model)))
  expect_equal(nobs(words_model), nrow(words))
  expect_equal(deviance(words_model), deviance(words_model$model))
  expect_equal(df.residual(words_model), df.residual(words_model$model))
  expect_equal(deparse1(formula(words_model)), deparse1(formula(words_model$model)))
  expect_equal(family(words_model)$family, "gaussian")
})

test_that("predictions are those of mgcv, and of rows as people have them", {
  rows <- data.frame(word = c("B", "A", NA), time = c(0.2, 0.9, 0.5), speaker = "s03")
  complete <- transform(rows[1:2, ], word = factor(word, c("A", "B")))
  complete$word_ordered <- factor(complete$word, ordered = TRUE)
  theirs <- predict(words_model$model, complete, se.fit = TRUE)
  ours <- predict(words_model, rows, se.fit = TRUE)
  expect_equal(ours$fit[1:2], theirs$fit, ignore_attr = TRUE)
  expect_equal(ours$se.fit[1:2], theirs$se.fit, ignore_attr = TRUE)
  expect_true(is.na(ours$fit[3]))
  random <- random_terms(words_model)
  expect_equal(random, "s(speaker)")
  expect_equal(predict(words_model, rows[1:2, c("word", "time")], exclude = random),
               predict(words_model$model, complete, exclude = random), ignore_attr = TRUE)
  expect_equal(predict(words_model), fitted(words_model))
  expect_error(predict(words_model, transform(rows, word = "C")), "holds 'C', which the model has not seen")
  expect_error(predict(words_model, rows["time"], exclude = random), "Column 'word' is missing")
  expect_error(predict(words_model, rows, exclude = "s(x)"), "not a term of the model")
  counts <- gamm_fit(cbind(repetition, 4 - repetition) ~ s(time, k = 4), words, family = "binomial", fun = "gam")
  expect_equal(predict(counts, words[1:3, ], "response"), predict(counts$model, words[1:3, ], type = "response"),
               ignore_attr = TRUE)
  expect_equal(dim(predict(words_model, type = "lpmatrix")), c(nrow(words), length(coef(words_model))))
})

test_that("tidy, glance and augment are broom's where both have a column", {
  skip_if_not_installed("broom")
  # bam() keeps no leverages, which broom asks for.
  by_gam <- gamm_fit(f2 ~ word + s(time, k = 6) + s(speaker, bs = "re"), words, fun = "gam")
  theirs <- function(verb, ..., model = words_model$model) as.data.frame(get(verb, asNamespace("broom"))(model, ...))
  same_columns <- function(ours, theirs) {
    shared <- intersect(names(ours), names(theirs))
    expect_equal(as.data.frame(ours)[shared], theirs[shared], ignore_attr = TRUE)
    shared
  }
  expect_setequal(same_columns(tidy(words_model), theirs("tidy.gam")), c("term", "edf", "ref.df", "statistic", "p.value"))
  coefficients <- theirs("tidy.gam", parametric = TRUE)
  expect_setequal(same_columns(tidy(words_model, parametric = TRUE), coefficients),
                  c("term", "estimate", "std.error", "statistic", "p.value"))
  limits <- tidy(words_model, parametric = TRUE, conf.int = TRUE, conf.level = 0.9)
  expect_equal(limits$conf.low, limits$estimate - qt(0.95, summary(words_model$model)$residual.df) * limits$std.error)
  expect_true(all(c("df", "logLik", "AIC", "BIC", "deviance", "df.residual", "nobs") %in%
                    same_columns(glance(words_model), theirs("glance.gam"))))
  # broom's rows are those of the fit, here in the order of the table already.
  expect_true(all(c(".fitted", ".se.fit", ".resid", ".hat", ".cooksd") %in%
                    same_columns(augment(by_gam), theirs("augment.gam", model = by_gam$model))))
  by_bam <- gamm_fit(f2 ~ word + s(time, k = 6) + s(speaker, bs = "re"), words)
  expect_equal(augment(by_bam)[c(".hat", ".cooksd")], augment(by_gam)[c(".hat", ".cooksd")], tolerance = 1e-3)
})

test_that("augment keeps the columns and rows of the table that it is given", {
  gaps <- transform(words, f2 = replace(f2, 4, NA), note = "x")
  model <- gamm_fit(f2 ~ word + s(time, k = 6), gaps, na = "omit")
  whole <- augment(model, data = gaps)
  expect_equal(names(whole), c(names(gaps), ".fitted", ".se.fit", ".resid", ".hat", ".cooksd"))
  expect_equal(which(is.na(whole$.resid)), 4)
  expect_equal(whole$.resid[-4], (gaps$f2 - whole$.fitted)[-4])
  expect_equal(nrow(augment(model)), nrow(words) - 1)
  expect_equal(names(augment(model, newdata = data.frame(word = "A", time = 0.5)))[3:4], c(".fitted", ".se.fit"))
  expect_error(augment(model, data = words[1:3, ]), "has 1200 rows, but 'data' has 3")
})

test_that("curves are predictions without random terms, derivatives their slopes", {
  found <- curves(words_model, "word", at = list(time = c(0.2, 0.200001, 0.8)))
  expect_equal(names(found), c("smooth", "word", "time", "fit", "std_error", "conf_low", "conf_high", "interval", "conf_level"))
  expect_equal(found$fit, predict(words_model, found, exclude = "s(speaker)"), ignore_attr = TRUE)
  expect_equal(found$conf_high - found$fit, qnorm(0.975) * found$std_error)
  slopes <- derivatives(words_model, "word", at = list(time = c(0.2, 0.8)))$curve
  expect_equal(slopes$derivative[1], (found$fit[2] - found$fit[1]) / 1e-6, tolerance = 1e-4)
  # A straight line has one slope, the coefficient, and no curvature.
  line <- gamm_fit(f2 ~ time, words)
  expect_equal(derivatives(line, at = list(time = c(0, 0.5, 1)))$curve$derivative, rep(coef(line)[["time"]], 3))
  expect_error(derivatives(line, order = 3), "1 or 2, but got 3")
  expect_error(curves(words_model, "time"), "'time' is not a factor of the model")
  expect_output(print(derivatives(words_model, "word")), "s\\(time\\) +A")
  both <- difference(words_model, "word", "B", "A")
  expect_output(print(both), "simultaneous 95 % interval excludes zero here")
  expect_equal(tidy(both)$estimate, both$curve$diff)
})

test_that("what is drawn at random leaves the session's random numbers alone", {
  set.seed(1)
  before <- .Random.seed
  difference(words_model, "word", "B", "A")
  k_check(words_model)
  expect_identical(.Random.seed, before)
  expect_identical(RNGkind()[1], "Mersenne-Twister")
})

test_that("checks of residuals find what was made wrong", {
  passed <- residual_checks(words_model)
  expect_equal(names(passed), c("check", "estimate", "implied", "statistic", "p_value", "passed", "note"))
  # Neighbouring measurements share their errors, and this model knows nothing of it.
  expect_equal(passed$check[!passed$passed][1], "autocorrelation")
  skewed <- transform(words, f2 = exp((f2 - 1500) / 40))
  expect_false(residual_checks(gamm_fit(f2 ~ word + s(time, k = 6), skewed))$passed[1])
})

test_that("tables of all kinds are taken, with names and levels as people write them", {
  odd <- transform(words, word = factor(ifelse(word == "A", "it's \"A\" (old)", "\u00e9 + b:c"), c("\u00e9 + b:c", "it's \"A\" (old)")))
  names(odd)[names(odd) == "time"] <- strrep("long_name_", 12)
  long <- as.name(strrep("long_name_", 12))
  formula <- eval(bquote(f2 ~ word + s(.(long), k = 5)))
  plain <- gamm_fit(f2 ~ word + s(time, k = 5), transform(words, word = factor(word, c("B", "A"))))
  model <- gamm_fit(formula, odd)
  expect_equal(unname(coef(model)), unname(coef(plain)))
  spaced <- transform(odd, x = f2)
  names(spaced)[names(spaced) == "x"] <- "second formant (Hz)"
  expect_error(gamm_fit(`second formant (Hz)` ~ word, spaced), "cannot use for a response: rename it")
  found <- difference(model, "word", "\u00e9 + b:c", "it's \"A\" (old)")
  expect_equal(found$curve$diff, difference(plain, "word", "B", "A")$curve$diff)
  expect_output(print(model), "95 % intervals")
  if (requireNamespace("tibble", quietly = TRUE)) expect_equal(coef(gamm_fit(formula, tibble::as_tibble(odd))), coef(model))
  if (requireNamespace("dplyr", quietly = TRUE)) expect_equal(coef(gamm_fit(formula, dplyr::group_by(odd, word))), coef(model))
  if (requireNamespace("data.table", quietly = TRUE)) {
    expect_equal(coef(gamm_fit(formula, data.table::as.data.table(odd))), coef(model))
  }
})

test_that("a model without smooths has all verbs", {
  model <- gamm_fit(f2 ~ word * time, words)
  linear <- lm(f2 ~ word * time, words)
  expect_equal(coef(model), coef(linear))
  expect_equal(nrow(gamm_smooths(model)), 0)
  expect_equal(nrow(tidy(model)), 0)
  expect_output(print(model), "wordB:time")
  expect_equal(predict(model, words[1:4, ]), predict(linear, words[1:4, ]), ignore_attr = TRUE)
  slope <- difference(model, "word", "B", "A", at = list(time = c(0, 1)))$curve$diff
  expect_equal(diff(slope), coef(linear)[["wordB:time"]])
  expect_equal(nrow(glance(model)), 1)
})

test_that("settings of smooths may be variables, as in mgcv, and models are updated and tested", {
  settings <- function() {
    size <- 5
    gamm_fit(f2 ~ word + s(time, k = size), words)
  }
  model <- settings()
  expect_equal(coef(model), coef(gamm_fit("f2 ~ word + s(time, k = 5)", words)))
  expect_equal(names(coef(update(model, . ~ . - word)))[1:2], c("(Intercept)", "s(time).1"))
  expect_equal(anova(model)$pTerms.table, anova(model$model)$pTerms.table)
  small <- update(model, . ~ . - word)
  expect_equal(anova(small, model, test = "F")$F, anova(small$model, model$model, test = "F")$F)
})

test_that("what cannot be is said", {
  expect_error(gamm_fit(~word, words), "has no response")
  expect_error(difference(words_model, "time", 0, 1), "'time' is not a factor of the model. Its factors are: ")
  expect_error(gamm_fit(f2 ~ word, transform(words, word = replace(word, 3, NA))), "na = \"omit\"")
  sorted <- cut(words$f2, quantile(words$f2, 0:3 / 3), labels = FALSE, include.lowest = TRUE)
  categories <- gamm_fit(category ~ word, cbind(words, category = sorted), family = "ocat(R = 3)", fun = "gam", method = "REML")
  expect_equal(rowSums(predict(categories, words[1:2, ], type = "response")), c(1, 1), ignore_attr = TRUE)
  expect_true(all(is.na(augment(categories)$.cooksd)))
})

test_that("mistakes in arguments are said, whatever the engine", {
  expect_error(gamm_fit(f2 ~ word, words[0, ]), "have no rows")
  expect_error(gamm_fit(f2 ~ word + s(time, k = 4), words[words$word == "A", ]), "'word' has one level ('A')", fixed = TRUE)
  below <- transform(words, weight = replace(rep(1, nrow(words)), 2, -1))
  expect_error(gamm_fit(f2 ~ word, below, weights = "weight"), "zero, but 1 of them are not positive")
  expect_error(gamm_fit(f2 ~ word, words, rho = 1.2, series = "trajectory", order = "time"), "between -1 and 1, but got 1.2")
  expect_error(gamm_fit(f2 ~ word, words, series = "trajectory"), "'order' is missing")
  expect_error(gamm_fit(f2 ~ word, words, weights = words$f2), "'weights' is the name of a column")
  expect_error(gamm_fit(f2 ~ word, words, family = "gausian"), "'gausian' is no family")
})

test_that("levels are sorted by code point where R does not know their letters, as with LC_ALL=C", {
  expect_identical(sorted_by_code_point(c("b\u00e9", "bz", NA, "b\u00e6", "\U1D11E", "\uFFFD")),
                   c("bz", "b\u00e6", "b\u00e9", "\uFFFD", "\U1D11E"))
  before <- Sys.getlocale("LC_CTYPE")
  on.exit(Sys.setlocale("LC_CTYPE", before))
  Sys.setlocale("LC_CTYPE", "C")
  # As read.csv() has them then: bytes without a mark.
  unmarked <- rawToChar(as.raw(c(0x62, 0xc3, 0xa6)))
  expect_identical(sorted_by_code_point(c(unmarked, "boot", "bit")), c("bit", "boot", unmarked))
})

test_that("curves have broom's spelling too", {
  found <- curves(words_model, "word")
  expect_equal(tidy(found)$estimate, found$fit)
  expect_true(all(c("std.error", "conf.low", "conf.high", "word", "time") %in% names(tidy(found))))
})
