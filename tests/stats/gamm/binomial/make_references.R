# Draw random binomial models, fit them by mgcv::bam(discrete = FALSE), and write models, rows and answers next to this
# file. Run again after a change: Rscript make_references.R
suppressPackageStartupMessages(library(mgcv))
folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(folder, "..", "differential", "simulate.R"))
source(file.path(folder, "..", "differential", "answers.R"))

formulas <- c(
  "y ~ s(x, k = 6)",
  "y ~ word + s(x, by = word, k = 5)",
  "y ~ word * rate + s(x, bs = 'cr', k = 6)",
  "y ~ word_o + s(x, k = 6) + s(x, by = word_o, k = 6)",
  "y ~ s(x, k = 5) + s(u, bs = 'ps', k = 7) + stress",
  "y ~ te(x, u, k = c(4, 4))",
  "y ~ s(x, k = 5) + s(u, k = 5) + ti(x, u, k = c(4, 4))",
  "y ~ word + s(x, k = 6) + s(token, bs = 're')",
  "y ~ word + s(x, k = 5) + s(speaker, bs = 're') + s(item, bs = 're')",
  "y ~ word_o + s(x, k = 6) + s(x, by = word_o, k = 6) + s(x, token, bs = 'fs', m = 1, k = 4)",
  "y ~ word + s(x, by = word, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)",
  "y ~ s(x, k = 6) + s(x, token, bs = 'fs', m = 1, k = 5)",
  "y ~ s(x, k = 5) + s(x, speaker, bs = 'fs', m = 1, k = 4) + s(token, bs = 're')",
  "y ~ word + s(x, k = 5) + s(token, bs = 're') + s(token, x, bs = 're')",
  "y ~ s(x, k = 6) + s(x, by = d, k = 5) + s(speaker, bs = 're')",
  "y ~ stress + s(x, k = 5) + s(x, speaker, by = stress, bs = 'fs', m = 1, k = 4)")

draw <- function(number) {
  set.seed(7000 + number)
  list(
    id = sprintf("binomial-%02d", number), formula = formulas[(number - 1) %% length(formulas) + 1],
    # The other methods hand the working model to gam().
    method = if (number %% 7 == 0) "REML" else if (number %% 7 == 4) "ML" else "fREML",
    rho = 0, weighted = chance(0.4),
    tokens = between(18, 36), samples = between(9, 14), speakers = between(4, 7), words = between(2, 3), items = 12,
    grid = pick("balanced", "lengths", "gappy", "grids"), coarse = chance(0.3), x_scale = pick(1, 10), x_shift = 0,
    true_rho = 0, truth = "smooth", token_spread = runif(1, 0.2, 0.8), speaker_spread = runif(1, 0.2, 0.8),
    noise = 0, scale = runif(1, 0.5, 1.2), offset = runif(1, -1, 0.5))
}

# Weighted models have proportions of 2 to 12 trials a row, the others a 0 or 1.
simulate_rows <- function(specification) {
  frame <- simulate_frame(within(specification, weighted <- FALSE))
  chances <- plogis(simulate_response(frame, specification))
  frame$w <- if (specification$weighted) sample(2:12, nrow(frame), TRUE) else 1
  frame$y <- rbinom(nrow(frame), frame$w, chances) / frame$w
  columns <- c(setdiff(all.vars(as.formula(specification$formula)), "word_o"), "word", "token", "sample", "w")
  kept <- frame[unique(intersect(names(frame), columns))]
  numbers <- setdiff(names(kept)[vapply(kept, is.numeric, TRUE)], "y")
  kept[numbers] <- lapply(kept[numbers], signif, digits = 5)
  kept
}

code_rows <- function(rows) {
  text <- names(rows)[vapply(rows, is.character, TRUE)]
  rows[text] <- lapply(rows[text], function(values) factor(values, levels = sort(unique(values))))
  rows$word_o <- factor(rows$word, ordered = TRUE)
  contrasts(rows$word_o) <- "contr.treatment"
  rows
}

# bam() stops where the deviance changes by 1e-7; that is further from its fixed point than what is to be compared.
bam_fit <- function(specification, data) {
  arguments <- list(as.formula(specification$formula), data = data, method = specification$method,
                    family = quote(binomial()), control = list(epsilon = 1e-12))
  if (specification$weighted) arguments <- c(arguments, weights = quote(w))
  do.call(mgcv::bam, arguments)
}

answer_model <- function(number) {
  specification <- draw(number)
  rows <- simulate_rows(specification)
  answers <- answer(specification, code_rows(rows))
  message(specification$id, " ", specification$formula, ": ", answers$convergence)
  fit <- bam_fit(specification, code_rows(rows))
  chosen <- unique(round(seq(1, nrow(rows), length.out = 10)))
  predicted <- predict(fit, code_rows(rows)[chosen, ], type = "response", se.fit = TRUE)
  residual <- residuals(fit)[chosen]
  values <- rbind(answers$values[!answers$values$quantity %in% c("seconds"), ],
                  quantity("probability", chosen - 1, predicted$fit),
                  quantity("probability_std_error", chosen - 1, predicted$se.fit),
                  quantity("residual", chosen - 1, residual))
  list(
    models = cbind(as.data.frame(specification[c("id", "formula", "method", "weighted")]), rows = nrow(rows),
                   convergence = answers$convergence),
    rows = cbind(model = specification$id, rows),
    answers = cbind(model = specification$id, values))
}

together <- function(tables) {
  columns <- Reduce(union, lapply(tables, names))
  do.call(rbind, lapply(tables, function(table) {
    table[setdiff(columns, names(table))] <- NA
    table[columns]
  }))
}

save_table <- function(name, table) {
  numbers <- vapply(table, is.double, TRUE)
  table[numbers] <- lapply(table[numbers], function(column) {
    ifelse(is.na(column), "", formatC(column, digits = 15, format = "g", width = 1))
  })
  connection <- gzfile(file.path(folder, paste0(name, ".csv.gz")), "w", compression = 9)
  on.exit(close(connection))
  write.csv(table, connection, row.names = FALSE, na = "")
}

made <- lapply(1:48, answer_model)
for (name in c("models", "rows", "answers")) save_table(name, together(lapply(made, `[[`, name)))
