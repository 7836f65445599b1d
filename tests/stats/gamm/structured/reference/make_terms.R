# Terms beyond those of the random models, fitted by mgcv::bam: t2(), shrinkage, shared smoothing parameters, isotropic
# smooths, and designs without full rank.
#
#   Rscript make_terms.R
#
# Writes terms_rows.csv.gz (the data), terms_cases.csv (formula, method, rho) and terms_answers.csv.gz (what mgcv says).

suppressPackageStartupMessages(library(mgcv))

set.seed(21)
tokens <- 29
number <- rep(seq_len(tokens), sample(7:11, tokens, replace = TRUE))
rows <- data.frame(
  token = sprintf("t%02d", number),
  x = ave(number, number, FUN = seq_along),
  word = letters[number %% 3 + 1],
  speaker = sprintf("s%d", number %% 6),
  sex = c("f", "m")[number %% 2 + 1]
)
n <- nrow(rows)
rows$v <- round(runif(n), 2)
rows$z <- round(runif(n, 1, 3), 2)
rows$u <- round(rnorm(n), 3)
rows$twice <- 2 * rows$v + 1
rows$present <- ifelse(rows$word == "b" & rows$sex == "f", "m", rows$sex)
rows$y <- signif(sin(rows$x / 3) * rows$v + 0.4 * (rows$word == "b") * rows$z + 0.3 * cos(rows$u) +
                   rnorm(tokens, 0, 0.3)[number] + rnorm(n, 0, 0.25), 6)

models <- c(
  "y ~ t2(v, z)",
  "y ~ t2(v, z, bs = c('cr', 'ps'), k = c(6, 4))",
  "y ~ t2(v, z, bs = 'tp', k = 4) + s(token, bs = 're')",
  "y ~ t2(v, z, u, bs = 'tp', k = 3)",
  "y ~ word + t2(v, z, by = word, k = 4)",
  "y ~ word + t2(v, z, k = 4) + t2(v, z, by = word_o, k = 4)",
  "y ~ t2(v, z, by = u, k = 4)",
  "y ~ t2(v, z, bs = 'tp', m = c(1, 2), k = 5)",
  "y ~ s(v, bs = 'ts') + s(z, bs = 'ts', k = 6)",
  "y ~ word + s(v, bs = 'ts', by = word, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)",
  "y ~ s(u, bs = 'ts', m = 1, k = 7)",
  "y ~ word + s(x, by = word, id = 1, k = 6) + s(token, bs = 're')",
  "y ~ word + s(v, k = 6, bs = 'cr', id = 'a') + s(v, by = word_o, id = 'a') + s(z, k = 5)",
  "y ~ s(v, k = 5, id = 1) + s(z, id = 1) + s(u, id = 1)",
  "y ~ word + te(v, z, by = word, k = 4, id = 2)",
  "y ~ s(v, z)",
  "y ~ word + s(v, z, by = word, k = 12) + s(token, bs = 're')",
  "y ~ s(v, z, k = 15, m = 3)",
  "y ~ s(v, z, u, k = 30)",
  "y ~ s(v, z, bs = 'ts', k = 12)",
  "y ~ word + v + twice + s(x, k = 5)",
  "y ~ v + I(2 * v) + s(v, k = 5)",
  "y ~ word + x + s(x, by = word, k = 4)",
  "y ~ v + twice + te(x, z, k = 4) + s(token, bs = 're')",
  "y ~ word + v + twice + s(x, k = 4) + s(x, token, bs = 'fs', m = 1, k = 4)",
  "y ~ word + speaker + s(x, k = 5)",
  "y ~ word * present + s(x, k = 5)",
  "y ~ 0 + word + sex + speaker + s(x, k = 4)",
  "y ~ word * present + v + twice + s(x, k = 5) + s(token, bs = 're')"
)
cases <- data.frame(case = seq_along(models), formula = models, method = "fREML", rho = 0)
also <- function(chosen, method, rho) transform(cases[chosen, ], method = method, rho = rho)
cases <- rbind(cases, also(c(1, 3, 5, 9, 12, 16, 21, 26, 27), "ML", 0), also(c(3, 12, 17, 21, 25), "fREML", 0.4),
               also(c(1, 9, 13, 16), "REML", 0))
cases$case <- seq_len(nrow(cases))

frame <- rows
for (column in c("token", "word", "speaker", "sex", "present")) frame[[column]] <- factor(frame[[column]])
frame$word_o <- as.ordered(frame$word)
contrasts(frame$word_o) <- "contr.treatment"
start <- c(TRUE, rows$token[-1] != rows$token[-n])

fit_case <- function(case) {
  model <- bam(as.formula(case$formula), data = frame, method = case$method, rho = case$rho, AR.start = start)
  table <- summary(model)
  answer <- function(quantity, term, value) {
    data.frame(case = case$case, quantity = quantity, term = as.character(term), value = signif(as.numeric(value), 12))
  }
  chosen <- unique(round(seq(1, n, length.out = 12)))
  moved <- transform(frame[chosen, ], v = 0.95 * v, z = z + 0.1)
  predicted <- predict(model, moved, se.fit = TRUE)
  rbind(
    answer("score", "", model$gcv.ubre),
    answer("scale", "", model$sig2),
    answer("df", "", attr(logLik(model), "df")),
    answer("estimate", rownames(table$p.table), table$p.table[, 1]),
    answer("std_error", rownames(table$p.table), table$p.table[, 2]),
    answer("edf", rownames(table$s.table), table$s.table[, 1]),
    answer("ref_df", rownames(table$s.table), table$s.table[, 2]),
    answer("p_value", rownames(table$s.table), table$s.table[, 4]),
    answer("smoothing", names(model$sp), model$sp),
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
compressed(rows, "terms_rows.csv.gz")
write.csv(cases, "terms_cases.csv", row.names = FALSE)
compressed(answers, "terms_answers.csv.gz")
