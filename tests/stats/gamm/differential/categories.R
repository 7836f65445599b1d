# What each category of models looks like: a function that draws a formula and the options of its data.
# Categories differ in their terms; rho, weights, method and balance vary within all of them.

draw_options <- function() {
  rho <- if (chance(0.35)) round(runif(1, 0.2, 0.8), 2) else 0
  samples <- between(8, 22)
  list(
    tokens = between(10, 45), samples = samples, speakers = between(3, 8), words = between(2, 4), items = 12,
    grid = pick("balanced", "balanced", "lengths", "gappy", "grids"), coarse = chance(0.3),
    x_scale = pick(1, 1, samples - 1, 100), x_shift = pick(0, 0, 1, -3),
    weighted = chance(0.2), rho = rho, true_rho = if (rho > 0) rho else pick(0, 0, 0.4),
    method = pick("fREML", "fREML", "fREML", "REML", "ML"),
    truth = "smooth", token_spread = runif(1, 0.1, 0.5), speaker_spread = runif(1, 0.1, 0.5),
    noise = runif(1, 0.1, 0.6), scale = pick(1, 1, 100), offset = pick(0, 0, 5, -20), family = "gaussian")
}

# A model: a formula, changes to the options, and the factor that the ordered copy word_o is of.
model <- function(formula, ..., reference = NULL) list(formula = formula, options = list(...), reference = reference)
plus <- function(...) paste("y ~", paste(c(...), collapse = " + "))
basis <- function() pick("", "", ', bs = "cr"', ', bs = "ps"')
size <- function(low = 5, high = 8) pick("", sprintf(", k = %d", between(low, high)))
sized <- function(low, high) sprintf(", k = %d", between(low, high))
smooth <- function(variable = "x", by = NULL, low = 5, high = 8) {
  paste0("s(", variable, if (!is.null(by)) paste0(", by = ", by), basis(), sized(low, high), ")")
}
# k below the samples of the shortest grid and small enough for a dense fit within a second or two.
token_smooth <- function(by = NULL, low = 3, high = 5, m = pick("", ", m = 1", ", m = 1", ", m = 1", ", m = 1", ", m = 2"), factor = "token") {
  paste0("s(x, ", factor, ', bs = "fs"', if (!is.null(by)) paste0(", by = ", by), m, sized(low, high), ")")
}
word_terms <- function() {
  pick(c("word", smooth(), smooth(by = "word_o")), c("word", smooth(by = "word")), c("word", smooth()))
}

categories <- list(
  parametric = function() {
    terms <- pick("word * rate", "word * stress", "word + stress + rate", "word:stress + rate", "word + z * rate",
                  "word * z + stress", "stress / word", "rate + I(rate^2)", "stress * word * z", "word + word:z")
    model(plus(terms, smooth()))
  },
  univariate = function() {
    k <- between(3, 8)
    terms <- pick(c(smooth(low = 5, high = 8)),
                  c(paste0("s(x, k = ", k, ")")),
                  c(paste0('s(x, bs = "cr", k = ', k, ")")),
                  c("s(x)", "s(z)"),
                  c(smooth(), smooth("u"), smooth("z")),
                  c("s(u, k = 20)"),
                  c('s(u, bs = "cr", k = 20)', "s(z)"),
                  c('s(u, bs = "ps", k = 20)', "rate"),
                  c('s(x, bs = "ps", m = c(2, 1), k = 7)', 's(z, bs = "ps", m = c(1, 2))'),
                  c("s(x, m = 1, k = 7)", "s(z)"),
                  c('s(x, bs = "ts", k = 7)', 's(u, bs = "cs")'))
    model(plus(terms), samples = between(11, 25))
  },
  by_factor = function() {
    terms <- pick(c("word", smooth(by = "word")), c("word", smooth(by = "word"), smooth("u")),
                  c("word * stress", smooth(by = "word"), smooth(by = "stress")),
                  c("word", smooth("x"), smooth("u", by = "word")),
                  c("word", "s(u, by = word, id = 1, k = 6)"),
                  c("word", "s(u, by = word)", "s(z, by = stress)", "stress"))
    model(plus(terms))
  },
  by_ordered = function() {
    terms <- pick(c("word", smooth(), smooth(by = "word_o")), c("word_o", smooth(), smooth(by = "word_o")),
                  c("word_o", "s(u)", "s(u, by = word_o)", smooth()),
                  c("word_o + stress", smooth(), smooth(by = "word_o"), smooth("u", by = "stress")))
    model(plus(terms), reference = pick("dark", "ask"))
  },
  by_numeric = function() {
    terms <- pick(c(smooth(), smooth(by = "d")), c("d", smooth(), smooth(by = "d")),
                  c(smooth(), smooth(by = "z")), c("word", smooth(by = "word"), smooth(by = "rate")),
                  c("rate", smooth("u"), smooth("u", by = "z"), smooth("x", by = "d")))
    model(plus(terms))
  },
  tensor_two = function() {
    k <- sprintf("k = c(%d, %d)", between(4, 6), between(3, 5))
    type <- pick("", "", ', bs = "tp"', ', bs = c("tp", "cr")')
    terms <- pick(paste0("te(x, u, ", k, type, ")"), paste0("te(x, z, ", k, type, ")"), paste0("t2(x, u, ", k, ")"),
                  c(paste0("ti(x, k = 6", ")"), "ti(u, k = 6)", paste0("ti(x, u, ", k, ")")),
                  c("word", paste0("te(x, u, by = word, ", k, ")")),
                  c("word", paste0("te(x, rate, ", k, ")")),
                  c("s(x, k = 6)", "s(u, k = 6)", paste0("ti(x, u, ", k, type, ")")),
                  c("d", "te(x, u, k = 4)", "ti(x, u, by = d, k = 4)"),
                  'te(x, u, bs = "ps", k = c(6, 5))', "te(x, u)", c("s(x, k = 5)", "te(x, u, k = 4)"),
                  c("word", "t2(x, z, k = 5)", "s(u)"))
    model(plus(terms), coarse = FALSE)
  },
  tensor_three = function() {
    terms <- pick("te(x, u, z, k = c(4, 3, 3))", "t2(x, u, z, k = 3)", "te(x, u, z, k = 3, bs = \"cr\")",
                  c("te(x, u, k = 4)", "ti(x, u, z, k = 3)"),
                  c("s(x, k = 5)", "s(u, k = 5)", "s(z, k = 5)", "ti(x, u, z, k = c(4, 3, 3))"))
    model(plus(terms), method = pick("fREML", "fREML", "ML"))
  },
  random_effect = function() {
    terms <- pick('s(speaker, bs = "re")', c('s(speaker, bs = "re")', 's(speaker, z, bs = "re")'),
                  c('s(token, bs = "re")', 's(token, x, bs = "re")'),
                  c('s(token, bs = "re")', 's(speaker, bs = "re")'),
                  c('s(speaker, word, bs = "re")', 's(token, bs = "re")'),
                  c('s(token, bs = "re")', 's(speaker, x, bs = "re")', 's(speaker, bs = "re")'),
                  c('s(speaker, by = word, bs = "re")', 's(item, bs = "re")'),
                  c('s(speaker, by = d, bs = "re")', 's(token, z, bs = "re")'))
    model(plus(word_terms(), terms), reference = "dark")
  },
  factor_smooth = function() {
    deep <- chance(0.3)
    terms <- if (deep) pick('s(x, token, bs = "fs")', 's(x, token, bs = "fs", m = 1)') else token_smooth()
    model(plus(word_terms(), terms), reference = "dark", tokens = if (deep) between(10, 18) else between(10, 45),
          samples = if (deep) between(14, 25) else between(8, 22))
  },
  factor_smooth_basis = function() {
    terms <- pick('s(x, token, bs = "fs", xt = "cr", k = 5)', 's(x, token, bs = "fs", xt = "cr", m = 1, k = 4)',
                  's(x, token, bs = "fs", xt = "ps", k = 6)', 's(x, token, bs = "fs", m = 1, k = 4)')
    model(plus(word_terms(), terms), reference = "dark", tokens = between(10, 30), samples = between(10, 20))
  },
  nested = function() {
    terms <- pick(c(token_smooth(), token_smooth(factor = "speaker")),
                  c(token_smooth(m = ", m = 1"), token_smooth(factor = "speaker", m = ", m = 1", high = 6)),
                  c('s(token, bs = "re")', token_smooth(factor = "speaker")),
                  c(token_smooth(), 's(speaker, bs = "re")'),
                  c(token_smooth(high = 4), token_smooth(factor = "speaker"), 's(item, bs = "re")'))
    model(plus(word_terms(), terms), reference = "dark", tokens = between(16, 40))
  },
  speaker_word = function() {
    terms <- pick(token_smooth(factor = "speaker", by = "word"), token_smooth(factor = "speaker_word"),
                  c(token_smooth(factor = "speaker", by = "d"), token_smooth(factor = "speaker")),
                  c(token_smooth(factor = "speaker", by = "word_o"), token_smooth(factor = "speaker")),
                  c(token_smooth(factor = "speaker_word", high = 4), 's(token, bs = "re")'),
                  c(token_smooth(high = 4), token_smooth(factor = "speaker", by = "word", high = 4)))
    model(plus(word_terms(), terms), reference = "dark", tokens = between(20, 45))
  },
  crossed = function() {
    many <- between(60, 260)
    terms <- pick(c('s(item, bs = "re")', 's(speaker, bs = "re")'),
                  c('s(item, bs = "re")', token_smooth(factor = "speaker")),
                  c('s(item, bs = "re")', 's(item, z, bs = "re")'),
                  c('s(item, bs = "re")', 's(token, bs = "re")'),
                  c('s(item, bs = "re")', 's(token, x, bs = "re")', 's(speaker, bs = "re")'))
    model(plus(word_terms(), terms), reference = "dark", items = many, tokens = 45, samples = between(14, 22),
          method = pick("fREML", "fREML", "REML"))
  },
  autoregressive = function() {
    rho <- round(runif(1, 0.2, 0.8), 2)
    model(plus("word", smooth(), smooth(by = "word_o"), pick(token_smooth(), 's(token, bs = "re")')),
          reference = "dark", rho = rho, true_rho = rho, grid = pick("balanced", "lengths", "gappy"))
  },
  weights = function() {
    model(plus(word_terms(), pick(token_smooth(), token_smooth(factor = "speaker"), 's(token, bs = "re")', "z")),
          reference = "dark", weighted = TRUE)
  },
  recipe = function() {
    rho <- pick(0, round(runif(1, 0.2, 0.7), 2))
    model(plus("word_o", smooth(), smooth(by = "word_o"), token_smooth(m = ", m = 1"),
               pick(token_smooth(factor = "speaker", m = ", m = 1"), token_smooth(factor = "speaker_word", m = ", m = 1"))),
          reference = "dark", words = 2, rho = rho, true_rho = max(rho, 0.2), tokens = between(20, 50))
  },
  large = function() {
    model(plus("word", smooth(), smooth(by = "word_o"), pick(token_smooth(high = 3), 's(token, bs = "re")')),
          reference = "dark", tokens = between(50, 70), samples = between(16, 21), method = "fREML")
  },
  linear = function() {
    terms <- pick(c("word", smooth(), smooth(by = "word_o")), c("word", smooth(by = "word")), c("s(x)", "s(u)"),
                  c("word", smooth(), 's(speaker, bs = "re")'), c("word", smooth(), token_smooth(high = 4)))
    model(plus(terms), truth = "linear", reference = "dark", samples = between(12, 22), token_spread = 0,
          speaker_spread = 0)
  },
  noise = function() {
    terms <- pick(c("word", smooth(), smooth(by = "word_o")), c("s(x)", "s(u)"), c("te(x, u, k = 4)"),
                  c("word", smooth(), 's(speaker, bs = "re")'), c("word", smooth(), token_smooth(high = 4)),
                  c(token_smooth(factor = "speaker")))
    model(plus(terms), truth = "none", reference = "dark", samples = between(12, 22))
  },
  deterministic = function() {
    terms <- pick(c("word", smooth(by = "word", high = 8), token_smooth(high = 5)),
                  c("word", smooth(by = "word"), smooth("u"), 's(speaker, bs = "re")'), c("word", smooth(), token_smooth()))
    model(plus(terms), noise = pick(1e-2, 1e-3, 1e-4), samples = between(12, 20), tokens = between(10, 25))
  },
  offset = function() {
    model(plus(word_terms(), pick(token_smooth(), "rate")), reference = "dark", offset = pick(1e4, 1e5),
          tokens = between(10, 30))
  },
  few = function() {
    terms <- pick(c("s(x, k = 4)"), c("word", "s(x, k = 5)"), c("s(x, k = 4)", 's(token, bs = "re")'),
                  c("s(x, k = 5)", 's(x, token, bs = "fs", m = 1, k = 3)'), c("word", 's(x, by = word, bs = "cr", k = 4)'))
    model(plus(terms), tokens = between(4, 7), samples = between(6, 10), speakers = 2, words = 2)
  }
)

binomial_formulas <- c(
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

# The options of a binomial model; the formulas in turn.
draw_binomial <- function(number) {
  list(
    formula = binomial_formulas[(number - 1) %% length(binomial_formulas) + 1], family = "binomial",
    # The other methods hand the working model to gam().
    method = if (number %% 7 == 0) "REML" else if (number %% 7 == 4) "ML" else "fREML", rho = 0, weighted = chance(0.4),
    tokens = between(18, 36), samples = between(9, 14), speakers = between(4, 7), words = between(2, 3), items = 12,
    grid = pick("balanced", "lengths", "gappy", "grids"), coarse = chance(0.3), x_scale = pick(1, 10), x_shift = 0,
    true_rho = 0, truth = "smooth", token_spread = runif(1, 0.2, 0.8), speaker_spread = runif(1, 0.2, 0.8),
    noise = 0, scale = runif(1, 0.5, 1.2), offset = runif(1, -1, 0.5))
}
