# Models, held against direct calls of mgcv.

test_that("rows were sorted: 24 series of 20 rows, each with samples 0 to 19", {
  holds(sum(start) == tokens, all(hand$sample == rep(0:(points - 1), tokens)), is.ordered(hand$wordOrd))
  # Strings became factors with sorted levels.
  holds(identical(levels(hand$word), c("ask", "wash")), any(grepl("word is a factor with levels in sorted order", fit$notes)))
})

test_that("tables are mgcv's, and a model prints as its summary", {
  parametric <- gamm_parametric(fit)
  holds(identical(names(parametric), c("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")),
            identical(parametric$term, rownames(summary$p.table)), same(as.matrix(parametric[2:5]), summary$p.table))
  # The interval holds what the test does not reject: at its ends the p-value is .05.
  at_ends <- abs(parametric$estimate - parametric$conf_low) / parametric$std_error
  holds(same(2 * pt(-at_ends, summary$residual.df), rep(0.05, nrow(parametric))))
  # A model prints as its summary, with intervals and notes and without stars.
  printed <- capture.output(print(fit))
  holds(any(grepl("95 % intervals of the parametric coefficients", printed)), any(grepl("Approximate significance", printed)),
            any(grepl("Note: word is a factor with levels", printed)), !any(grepl("***", printed, fixed = TRUE)))
  pdf(NULL)
  plot(fit, select = 1)
  invisible(dev.off())
  smooths <- gamm_smooths(fit)
  holds(identical(names(smooths), c("term", "edf", "ref_df", "statistic", "p_value")),
            identical(smooths$term, rownames(summary$s.table)), same(as.matrix(smooths[-1]), summary$s.table))
  glance <- gamm_glance(fit)
  holds(same(glance$aic, AIC(direct)), same(glance$score, as.numeric(direct$gcv.ubre)),
            same(glance$adj_r_squared, summary$r.sq), glance$rho == 0.6, glance$nobs == nrow(data))
})

test_that("the design of kept terms is the part of mgcv's own matrix; excluded terms need no columns", {
  rows <- hand[c(1, 50, 300), ]
  design <- gamm_design(fit, rows[setdiff(names(rows), "token")], exclude = "s(token)")
  whole <- predict(direct, rows, type = "lpmatrix")
  kept <- !grepl("s(token)", colnames(whole), fixed = TRUE)
  holds(same(design$matrix, whole[, kept]), same(design$coefficients, coef(direct)[kept]),
            same(design$covariance, vcov(direct)[kept, kept]),
            identical(unique(design$terms), c("(Intercept)", "word", "s(sample)", "s(sample):wordOrdwash")))
  corrected <- gamm_design(fit, rows, exclude = "s(token)", unconditional = TRUE)$covariance
  holds(same(corrected, vcov(direct, unconditional = TRUE)[kept, kept]), !same(corrected, design$covariance))
  everything <- gamm_design(fit, rows)
  holds(same(as.numeric(everything$matrix %*% everything$coefficients), as.numeric(predict(direct, rows))))
})

test_that("an offset counts in full", {
  shifted <- gamm_fit("value ~ s(sample) + offset(2 * sample)", data)
  design <- gamm_design(shifted, data[1:5, ])
  holds(same(as.numeric(design$matrix %*% design$coefficients), as.numeric(predict(shifted$model, data[1:5, ]))))
})

test_that("a difference is that of two predictions, with the standard error of their contrast", {
  grid <- list(sample = seq(0, 19, length.out = 30))
  difference <- difference(fit, "word", "wash", "ask", at = grid, interval = "pointwise")
  row <- function(word) {
    data.frame(sample = grid$sample, token = "t01", word = factor(word, levels(hand$word)),
               wordOrd = factor(word, levels(hand$wordOrd), ordered = TRUE))
  }
  contrast <- predict(direct, row("wash"), type = "lpmatrix") - predict(direct, row("ask"), type = "lpmatrix")
  holds(same(difference$curve$diff, as.numeric(contrast %*% coef(direct))),
            same(difference$curve$std_error, sqrt(diag(contrast %*% vcov(direct) %*% t(contrast)))))
  reversed <- difference(fit, "word", "ask", "wash", at = grid)
  forward <- difference(fit, "word", "wash", "ask", at = grid)
  holds(identical(reversed$curve$conf_low, -forward$curve$conf_high), forward$critical_value > difference$critical_value)
  # The curves differ by 0.5 or more everywhere, and at the end by 1.45.
  holds(nrow(forward$regions) >= 1, all(forward$regions$sign == "positive"),
            forward$regions$end[nrow(forward$regions)] == 19)
  shape <- difference(fit, "word", "wash", "ask", at = grid, include_parametric = FALSE)
  holds(same(forward$curve$diff - shape$curve$diff, rep(coef(direct)[["wordwash"]], 30)))
})

test_that("what is made of the compared factor follows it: an indicator, word and dose in one column", {
  made <- data
  made$is_wash <- as.numeric(made$word == "wash")
  made$dose <- ifelse(as.integer(factor(made$token)) %% 3 == 0, "lo", "hi")
  made$cell <- paste(made$word, made$dose, sep = ".")
  made$wash_sample <- made$is_wash * made$sample
  indicator <- gamm_fit("value ~ word + s(sample, k = 6) + s(sample, by = is_wash, k = 6)", made)
  by_rows <- function(fit, row_1, row_2) {
    rows <- lapply(list(row_1, row_2), function(row) data.frame(sample = grid$sample, row))
    as.numeric(predict(fit$model, rows[[1]]) - predict(fit$model, rows[[2]]))
  }
  holds(same(difference(indicator, "word", "wash", "ask", at = grid)$curve$diff,
                 by_rows(indicator, list(word = "wash", is_wash = 1), list(word = "ask", is_wash = 0))))
  crossed <- gamm_fit("value ~ word * dose + s(sample, by = cell, k = 6)", made)
  for (dose in c("hi", "lo")) {
    holds(same(difference(crossed, "word", "wash", "ask", at = c(grid, dose = dose))$curve$diff,
                   by_rows(crossed, list(word = "wash", dose = dose, cell = paste0("wash.", dose)),
                           list(word = "ask", dose = dose, cell = paste0("ask.", dose)))))
  }
  along <- gamm_fit("value ~ word + sample + wash_sample", made)
  expect_error(difference(along, "word", "wash", "ask", at = grid), "'wash_sample' is a function of 'sample' and word")
  made$size <- c(10, 2, 1)[as.integer(factor(made$token)) %% 3 + 1]
  holds(identical(levels(gamm_fit("value ~ so", made, ordered = list(so = c("size", "2")))$data$size), c("1", "2", "10")))
})

test_that("where the interval excludes zero, ends are interpolated", {
  stretches <- stretches_above_zero(0:5, c(1, -1, 1, 1, -3, 2), "positive")
  holds(same(stretches$start, c(0, 1.5, 4.6)), same(stretches$end, c(0.5, 3.25, 5)))
})

test_that("autocorrelation within series: by definition, and rho = 'auto' finds what was simulated", {
  auto <- gamm_fit(formula, shuffled, rho = "auto", series = "token", order = "sample",
                   ordered = list(wordOrd = c("word", "ask")))
  plain <- gamm_fit(formula, shuffled, series = "token", order = "sample", ordered = list(wordOrd = c("word", "ask")))
  residuals <- matrix(residuals(plain$model), nrow = points)
  products <- residuals[-1, ] * residuals[-points, ]
  lag_1 <- sum(products) / sqrt(sum(residuals[-1, ]^2) * sum(residuals[-points, ]^2))
  holds(same(autocorrelation(plain)$autocorrelation[2], lag_1), same(auto$rho, lag_1), abs(auto$rho - 0.6) < 0.15)
  holds(abs(autocorrelation(auto)$autocorrelation[2]) < 0.1)
})

test_that("comparison by ML; REML scores of other fixed effects are refused", {
  small <- gamm_fit("value ~ s(sample)", data, method = "ML")
  large <- gamm_fit("value ~ word + s(sample)", data, method = "ML")
  comparison <- compare(small, large)
  expect_error(compare(small, gamm_fit("value ~ word + s(sample)", cbind(data, w = 2), method = "ML", weights = "w")), "weights")
  expect_error(compare(small, gamm_fit("value ~ word + s(sample)", data, method = "ML", rho = 0.3, series = "token",
                                       order = "sample")), "rho = 0 and 0.3")
  expect_error(compare(small, gamm_fit("value ~ word + s(sample) + offset(sample)", data, method = "ML")), "offset")
  late <- cbind(data, late = as.numeric(data$sample > 9))
  expect_error(compare(gamm_fit("late ~ s(value)", late, method = "ML", family = "binomial"),
                       gamm_fit("late ~ word + s(value)", late, method = "ML")), "families")
  gain <- as.numeric(small$model$gcv.ubre - large$model$gcv.ubre)
  holds(same(comparison$statistic[2], 2 * gain), comparison$df_difference[2] == 1,
            same(comparison$p_value[2], pchisq(2 * gain, 1, lower.tail = FALSE)))
  expect_error(compare(gamm_fit("value ~ s(sample)", data), gamm_fit("value ~ word + s(sample)", data)), "different fixed effects")
})

test_that("bases: mgcv's own check", {
  set.seed(0)
  check <- mgcv::k.check(direct)
  holds(same(as.matrix(k_check(fit)[-1]), check, tolerance = 1e-6))
})

test_that("bad input", {
  expect_error(gamm_fit("value ~ s(nowhere)", data), "'nowhere' of the formula is not in the data")
  expect_error(gamm_fit("value ~ s(sample", data), "unexpected|parse")
  expect_error(gamm_fit("value ~ s(sample)", transform(data, value = replace(value, 3, NA))), "NaN or infinite values .* 'value'")
  expect_error(gamm_fit("value ~ s(sample)", rbind(data, data[1, ]), rho = 0.5, series = "token", order = "sample"), "duplicated")
  expect_error(gamm_fit("value ~ s(sample)", data, rho = 0.5), "what a series is")
  expect_error(gamm_fit("value ~ s(`sample no`)", cbind(data, `sample no` = data$sample)), "'sample no' has a name that mgcv")
})

test_that("rows with missing values are left out where that is asked for, of series too", {
  gaps <- transform(data, value = replace(value, c(3, 50), NA), sample = replace(sample, 70, NA))
  expect_error(gamm_fit("value ~ s(sample)", gaps), "NaN or infinite values")
  kept <- data[-c(3, 50, 70), ]
  omitted <- gamm_fit("value ~ s(sample)", gaps, na = "omit", rho = 0.3, series = "token", order = "sample")
  complete <- gamm_fit("value ~ s(sample)", kept, rho = 0.3, series = "token", order = "sample")
  holds(same(coef(omitted$model), coef(complete$model)), identical(omitted$notes[1],
            paste0("3 of ", nrow(data), " rows with missing values were left out.")), nrow(omitted$data) == nrow(kept))
  expect_error(difference(fit, "word", "wash", "water"), "'water' is not a level of word")
  expect_error(gamm_fit("value ~ s(sample)", data, fun = "gam", rho = 0.5, series = "token", order = "sample"), "no AR\\(1\\)")
})

test_that("contrasts that were set stay", {
  own <- data[data$token %in% unique(data$token)[1:8], ]
  own$ordered_word <- as.ordered(own$word)
  contrasts(own$ordered_word) <- "contr.treatment"
  own$summed <- factor(own$word)
  contrasts(own$summed) <- contr.sum(2)
  for (formula in list(value ~ ordered_word + s(sample, k = 5), value ~ summed + s(sample, k = 5))) {
    set <- gamm_fit(formula, own)
    holds(identical(gamm_parametric(set)$term, rownames(summary(mgcv::bam(formula, data = own))$p.table)),
              same(as.numeric(gamm_design(set, own[c(2, 40), ])$matrix %*% coef(set$model)),
                   as.numeric(set$model$fitted.values[c(2, 40)])))
  }
  own$third <- factor(own$word, levels = c("ask", "wash", "rag"))
  contrasts(own$third) <- contr.sum(3)
  expect_error(gamm_fit(value ~ third + s(sample, k = 5), own), "Level 'rag' of third has no rows")
})

test_that("terms that are expressions: differences and predictions are those of mgcv", {
  expressions <- gamm_fit(value ~ factor(word) + s(log(sample + 1), by = factor(word), k = 5) + s(scale(sample), k = 4), own)
  grid <- difference(expressions, "word", "wash", "ask", at = list(sample = c(0, 10, 19)))$curve
  predicted <- as.numeric(predict(expressions$model, transform(own, word = factor(word))))
  observed <- match(c("wash 0", "ask 0", "wash 10", "ask 10", "wash 19", "ask 19"), paste(own$word, own$sample))
  holds(same(grid$diff, -diff(predicted[observed])[c(1, 3, 5)]))
})

test_that("a difference that is nothing but random terms is none; dates and durations are numbers, as in R", {
  formula <- value ~ s(sample, k = 5) + s(sample, word, bs = "fs", m = 1, k = 4)
  expect_warning(alone <- gamm_fit(formula, transform(own, word = factor(word))), "repeated 1-d smooths")
  expect_error(difference(alone, "word", "wash", "ask", at = list(sample = c(0, 10, 19))), "random terms are left out")
  timed <- transform(own, day = as.Date("2020-01-01") + sample, waited = as.difftime(sample, units = "secs"))
  for (formula in list(value ~ day, value ~ waited)) {
    holds(same(gamm_parametric(gamm_fit(formula, timed))$estimate, coef(stats::lm(formula, timed))))
  }
})
