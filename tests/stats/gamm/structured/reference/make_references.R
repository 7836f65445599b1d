# Random models fitted by mgcv::bam, for the differential tests of the structured engine.
#
#   Rscript make_references.R [number of models] [folder]
#
# Writes three tables: cases.csv.gz (one row a model), rows.csv.gz (its data), answers.csv.gz (what mgcv says).
# A model is a random choice of terms, bases, sizes, balance, AR(1), weights and method; its seed is its number.

suppressPackageStartupMessages(library(mgcv))

pick <- function(choices) choices[[sample.int(length(choices), 1)]]

make_data <- function(balanced) {
  tokens <- sample(8:16, 1)
  samples <- sample(9:13, 1)
  speakers <- sample(3:5, 1)
  words <- letters[seq_len(sample(2:3, 1))]
  token <- data.frame(
    token = sprintf("t%02d", seq_len(tokens)),
    word = rep(words, length.out = tokens),
    speaker = sprintf("s%d", sort(rep(seq_len(speakers), length.out = tokens))),
    z = round(runif(tokens, 1, 3), 2)
  )
  data <- merge(data.frame(x = seq_len(samples)), token)
  data$v <- round(runif(nrow(data)), 2)
  data$w <- round(runif(nrow(data), 0.5, 2), 2)
  data$d <- as.numeric(data$word == words[2])
  if (!balanced) data <- data[runif(nrow(data)) > 0.25, ]
  data <- data[order(data$token, data$x), ]
  data$start <- c(TRUE, data$token[-1] != data$token[-nrow(data)])
  curve <- function(level, size) size * sin(data$x / samples * (3 + level) + level)
  by_level <- function(factor, size) {
    number <- as.integer(factor(factor))
    level <- rnorm(max(number), 0, size)
    slope <- rnorm(max(number), 0, size)
    level[number] + slope[number] * cos(3 * data$x / samples + number)
  }
  noise <- rnorm(nrow(data))
  persistence <- pick(c(0, 0.3, 0.6))
  for (row in which(!data$start)) {
    noise[row] <- persistence * noise[row - 1] + sqrt(1 - persistence^2) * noise[row]
  }
  y <- curve(0, 1) + curve(as.integer(factor(data$word)), pick(c(0, 0.4, 0.8))) + by_level(data$token, pick(c(0.1, 0.4))) +
    by_level(data$speaker, pick(c(0.1, 0.5))) + pick(c(0, 0.5)) * data$z * data$x / samples + 0.3 * data$v^2
  data$y <- signif(y + pick(c(0.1, 0.3)) * noise + pick(c(0, 10)), 6)
  data
}

make_formula <- function() {
  basis <- pick(c("tp", "tp", "cr", "ps"))
  k <- sample(4:8, 1)
  s <- function(variable, by = NULL) {
    sprintf('s(%s, %sbs = "%s", k = %d)', variable, if (is.null(by)) "" else paste0("by = ", by, ", "), basis, k)
  }
  fixed <- pick(c(
    sprintf("word + %s + %s", s("x"), s("x", "word_o")),
    sprintf("word + %s + %s", s("x"), s("x", "word_o")),
    sprintf("word + %s", s("x", "word")),
    s("x"),
    sprintf("%s + %s", s("x"), s("x", "d")),
    sprintf("word * v + %s", s("x", "word")),
    sprintf("word + %s + s(v, k = 4)", s("x")),
    sprintf('word + te(x, v, bs = "%s", k = c(5, 4))', pick(c("cr", "tp", "ps"))),
    sprintf('%s + s(v, bs = "cr", k = 5) + ti(x, v, k = c(4, 4))', s("x")),
    "word + te(x, v, by = word, k = c(4, 4))",
    sprintf("s(x, m = 1, k = %d) + word", k)
  ))
  random <- pick(c(
    "", "", 's(token, bs = "re")', 's(speaker, bs = "re")', 's(speaker, bs = "re") + s(speaker, x, bs = "re")',
    's(x, token, bs = "fs", m = 1, k = 4)', 's(x, token, bs = "fs", m = 1, k = 5)',
    's(x, token, bs = "fs", m = 1, k = 4) + s(x, speaker, bs = "fs", m = 1, k = 5)',
    's(x, token, bs = "fs", m = 1, k = 4) + s(speaker, bs = "re")',
    's(x, speaker, bs = "fs", m = 1, k = 5)', 's(x, speaker, by = word, bs = "fs", m = 1, k = 4)',
    's(token, bs = "re") + s(x, speaker, bs = "fs", m = 1, k = 4)',
    's(speaker, word, bs = "re")'
  ))
  paste("y ~", fixed, if (nchar(random)) paste("+", random) else "")
}

fit_case <- function(number) {
  set.seed(number)
  case <- list(case = number, balanced = runif(1) < 0.5)
  data <- make_data(case$balanced)
  case$formula <- make_formula()
  case$method <- pick(c("fREML", "fREML", "fREML", "ML", "REML"))
  case$rho <- pick(c(0, 0, 0.3, 0.6))
  case$weighted <- runif(1) < 0.25
  frame <- data
  for (column in c("word", "speaker", "token")) frame[[column]] <- factor(frame[[column]])
  frame$word_o <- as.ordered(frame$word)
  contrasts(frame$word_o) <- "contr.treatment"
  if (!case$weighted) frame$w <- rep(1, nrow(frame))
  model <- bam(as.formula(case$formula), data = frame, method = case$method, rho = case$rho, AR.start = frame$start,
               weights = frame$w)
  table <- summary(model)
  answer <- function(quantity, term, value) {
    data.frame(case = number, quantity = quantity, term = as.character(term), value = signif(as.numeric(value), 12))
  }
  chosen <- unique(round(seq(1, nrow(data), length.out = 12)))
  predicted <- predict(model, frame[chosen, ], se.fit = TRUE)
  likelihood <- logLik(model)
  answers <- rbind(
    answer("score", "", model$gcv.ubre),
    answer("scale", "", model$sig2),
    answer("deviance", "", deviance(model)),
    answer("deviance_explained", "", table$dev.expl),
    answer("adj_r_squared", "", table$r.sq),
    answer("log_lik", "", likelihood),
    answer("df", "", attr(likelihood, "df")),
    answer("estimate", rownames(table$p.table), table$p.table[, 1]),
    answer("std_error", rownames(table$p.table), table$p.table[, 2]),
    answer("p_parametric", rownames(table$p.table), table$p.table[, 4]),
    answer("edf", rownames(table$s.table), table$s.table[, 1]),
    answer("ref_df", rownames(table$s.table), table$s.table[, 2]),
    answer("p_smooth", rownames(table$s.table), table$s.table[, 4]),
    answer("fitted", chosen, predicted$fit),
    answer("fitted_error", chosen, predicted$se.fit),
    answer("whitened", chosen, if (case$rho == 0) residuals(model)[chosen] else model$std.rsd[chosen])
  )
  list(case = as.data.frame(case), rows = cbind(case = number, data[setdiff(names(data), "start")]), answers = answers)
}

arguments <- commandArgs(TRUE)
number <- if (length(arguments)) as.integer(arguments[1]) else 300
folder <- if (length(arguments) > 1) arguments[2] else "."
write_table <- function(parts, name) {
  connection <- gzfile(file.path(folder, paste0(name, ".csv.gz")), "wt")
  write.csv(do.call(rbind, parts), connection, row.names = FALSE, quote = TRUE)
  close(connection)
}
# A model that mgcv itself cannot fit (more coefficients than data, say) is passed over: the next seed takes its place.
fits <- list()
seed <- 0
while (length(fits) < number) {
  seed <- seed + 1
  fit <- tryCatch(fit_case(seed), error = function(e) NULL)
  if (is.null(fit)) next
  fits[[length(fits) + 1]] <- fit
}
write_table(lapply(fits, `[[`, "case"), "cases")
write_table(lapply(fits, `[[`, "rows"), "rows")
write_table(lapply(fits, `[[`, "answers"), "answers")
