# Random models with smooths that contain each other, fitted by mgcv::bam: what gam.side() leaves of the larger ones.
#
#   Rscript make_contained.R
#
# Writes contained_rows.csv.gz (the data), contained_cases.csv (formula, method, rho) and contained_answers.csv.gz.

suppressPackageStartupMessages(library(mgcv))

set.seed(73)
tokens <- 26
number <- rep(seq_len(tokens), sample(8:12, tokens, replace = TRUE))
rows <- data.frame(token = sprintf("t%02d", number), x = ave(number, number, FUN = seq_along), word = letters[number %% 3 + 1])
n <- nrow(rows)
for (variable in c("v", "z", "u")) rows[[variable]] <- round(runif(n), 3)
rows$w <- round(runif(n, 0.5, 2), 2)
rows$y <- signif(sin(5 * rows$v) * rows$z + 0.3 * rows$x * (rows$word == "b") / 10 + cos(4 * rows$u) +
                   rnorm(tokens, 0, 0.3)[number] + rnorm(n, 0, 0.3), 6)
frame <- transform(rows, token = factor(token), word = factor(word))
start <- c(TRUE, rows$token[-1] != rows$token[-n])

pick <- function(...) sample(c(...), 1)
univariate <- function(variable, by = "") sprintf("s(%s%s, bs = '%s', k = %d)", variable, by, pick("tp", "cr", "ps"), sample(5:8, 1))
product <- function(variables, by = "", smallest = 3) {
  sprintf("te(%s%s, bs = '%s', k = %d)", paste(variables, collapse = ", "), by, pick("tp", "cr", "ps"), sample(smallest:5, 1))
}
draw <- function(kind) {
  pair <- sample(c("v", "z", "u"), 2)
  if (kind %% 4 == 0) pair <- c("x", "v")
  by <- if (kind %% 5 == 2) ", by = word" else if (kind %% 5 == 4) ", by = w" else ""
  terms <- switch(kind %% 4 + 1,
    c("word", univariate(pair[1], by), product(pair, by)),
    c(univariate(pair[1], by), univariate(pair[2], by), product(pair, by)),
    c("word", univariate(pair[1]), sprintf("s(%s, %s, k = %d)", pair[1], pair[2], sample(10:20, 1))),
    c(product(pair, by), product(c(pair[1], setdiff(c("v", "z", "u"), pair)[1]), by)))
  random <- pick("", "s(token, bs = 're')", "s(x, token, bs = 'fs', m = 1, k = 4)")
  # A P-spline of order two needs five functions.
  formula <- paste("y ~", paste(c(terms, random[random != ""]), collapse = " + "))
  data.frame(formula = gsub("bs = 'ps', k = [34])", "bs = 'ps', k = 5)", formula))
}
cases <- do.call(rbind, lapply(1:14, draw))
cases$method <- rep(c("fREML", "fREML", "REML", "ML"), length.out = nrow(cases))
cases$rho <- ifelse(seq_len(nrow(cases)) %% 3 == 0, 0.4, 0)
cases <- cbind(case = seq_len(nrow(cases)), cases)

fit_case <- function(case) {
  model <- suppressWarnings(
    bam(as.formula(case$formula), data = frame, method = case$method, rho = case$rho, AR.start = start))
  table <- summary(model)
  answer <- function(quantity, term, value) {
    data.frame(case = case$case, quantity = quantity, term = as.character(term), value = signif(as.numeric(value), 12))
  }
  chosen <- unique(round(seq(1, n, length.out = 12)))
  predicted <- predict(model, transform(frame[chosen, ], v = 0.95 * v, z = 0.1 + 0.8 * z), se.fit = TRUE)
  rbind(
    answer("score", "", model$gcv.ubre),
    answer("scale", "", model$sig2),
    answer("df", "", attr(logLik(model), "df")),
    answer("coefficients", "", length(coef(model))),
    answer("estimate", rownames(table$p.table), table$p.table[, 1]),
    answer("std_error", rownames(table$p.table), table$p.table[, 2]),
    answer("edf", rownames(table$s.table), table$s.table[, 1]),
    answer("ref_df", rownames(table$s.table), table$s.table[, 2]),
    answer("p_value", rownames(table$s.table), table$s.table[, 4]),
    answer("fitted", chosen, fitted(model)[chosen]),
    answer("predicted", chosen, predicted$fit),
    answer("predicted_error", chosen, predicted$se.fit)
  )
}
answers <- do.call(rbind, lapply(split(cases, cases$case), fit_case))
compressed <- function(table, name) {
  connection <- gzfile(name, "wt")
  write.csv(table, connection, row.names = FALSE)
  close(connection)
}
compressed(rows, "contained_rows.csv.gz")
write.csv(cases, "contained_cases.csv", row.names = FALSE)
compressed(answers, "contained_answers.csv.gz")
