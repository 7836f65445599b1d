# Random data: tokens of speakers and words, sampled over time, with AR(1) residuals.

pick <- function(...) sample(list(...), 1)[[1]]
between <- function(low, high) low + sample.int(high - low + 1, 1) - 1
chance <- function(probability) runif(1) < probability
named <- function(letter, number) sprintf(paste0(letter, "%0", nchar(max(number)), "d"), number)

# A curve of one token, speaker or word on [0, 1]: a few cosines whose amplitudes fall off.
random_curve <- function(x, spread) {
  amplitude <- rnorm(4) * spread / (1:4)
  colSums(amplitude * t(outer(x, 0:3, function(time, order) cos(pi * order * time))))
}

# How long each token is and where on [0, 1] its samples stand.
token_times <- function(tokens, samples, grid) {
  lapply(seq_len(tokens), function(token) {
    regular <- seq(0, 1, length.out = samples)
    switch(grid,
      balanced = regular,
      lengths = regular[seq_len(between(max(3, samples %/% 2), samples))],
      gappy = regular[sort(sample(samples, max(3, rbinom(1, samples, 0.85))))],
      grids = if (token %% 2) regular else sort(runif(between(max(3, samples %/% 2), samples))),
      stop("unknown grid ", grid))
  })
}

simulate_frame <- function(options) {
  times <- token_times(options$tokens, options$samples, options$grid)
  token <- rep(seq_along(times), lengths(times))
  speaker <- rep_len(seq_len(options$speakers), options$tokens)
  # Every speaker says every word where there are tokens enough.
  word <- ((seq_len(options$tokens) - 1) %/% options$speakers) %% options$words + 1
  words <- c("dark", "ask", "suit", "greasy", "wash")[seq_len(options$words)]
  # A covariate of tokens that has few values, as years or sizes do, or as many as there are tokens.
  rate <- if (options$coarse) sample(c(2.5, 3, 4, 4.5, 6, 7, 8.25), options$tokens, TRUE) else rnorm(options$tokens, 5)
  dummy <- rbinom(options$tokens, 1, 0.5)
  dummy[1:2] <- 0:1
  stress <- rep_len(c("weak", "strong"), options$tokens)[sample(options$tokens)]
  item <- sample(rep_len(seq_len(options$items), length(token)))
  frame <- data.frame(
    token = named("t", seq_len(options$tokens))[token],
    speaker = named("s", seq_len(options$speakers))[speaker[token]],
    word = words[word[token]],
    stress = stress[token],
    item = named("i", seq_len(options$items))[item],
    sample = unlist(lapply(times, seq_along)),
    x = unlist(times) * options$x_scale + options$x_shift,
    rate = rate[token],
    z = rnorm(length(token)),
    u = runif(length(token)),
    d = dummy[token],
    w = if (options$weighted) runif(length(token), 0.3, 3) else 1)
  frame$speaker_word <- paste(frame$speaker, frame$word, sep = ".")
  frame$x01 <- unlist(times)
  frame
}

# Residuals of unit variance, AR(1) within tokens.
correlated_noise <- function(token, rho) {
  noise <- rnorm(length(token))
  for (row in seq_along(noise)[-1]) {
    if (token[row] == token[row - 1]) noise[row] <- rho * noise[row - 1] + sqrt(1 - rho^2) * noise[row]
  }
  noise
}

by_level <- function(frame, column, spread) {
  value <- numeric(nrow(frame))
  for (level in unique(frame[[column]])) {
    rows <- frame[[column]] == level
    value[rows] <- random_curve(frame$x01[rows], spread)
  }
  value
}

simulate_response <- function(frame, options) {
  signal <- switch(options$truth,
    smooth = sin(2 * pi * frame$x01) + 0.6 * frame$x01 + by_level(frame, "word", 0.5) +
      0.3 * sin(frame$rate) + 0.4 * frame$z * frame$u + 0.3 * cos(4 * frame$u),
    linear = 1 + 2 * frame$x01 + 0.5 * (frame$word == frame$word[1]) - 0.2 * frame$rate + 0.1 * frame$u,
    none = 0)
  random <- if (options$truth == "none") 0 else {
    by_level(frame, "token", options$token_spread) + by_level(frame, "speaker", options$speaker_spread) +
      by_level(frame, "speaker_word", options$speaker_spread / 2) + 0.3 * rnorm(options$items)[factor(frame$item)]
  }
  noise <- options$noise * correlated_noise(frame$token, options$true_rho) / sqrt(frame$w)
  options$offset + options$scale * (signal + random + noise)
}

# Successes of each row: proportions of 2 to 12 trials where rows have weights, else 0 or 1.
simulate_successes <- function(frame, options) {
  chances <- plogis(simulate_response(frame, options))
  frame$w <- if (options$weighted) sample(2:12, nrow(frame), TRUE) else 1
  frame$y <- rbinom(nrow(frame), frame$w, chances) / frame$w
  frame
}

# The columns that a model needs, rounded to what the file keeps, so that mgcv sees what is in the file.
simulate_data <- function(options, columns) {
  frame <- simulate_frame(options)
  if (options$family == "binomial") {
    frame <- simulate_successes(frame, options)
  } else {
    frame$y <- simulate_response(frame, options)
  }
  kept <- frame[intersect(names(frame), columns)]
  numbers <- setdiff(names(kept)[vapply(kept, is.numeric, TRUE)], "y")
  kept[numbers] <- lapply(kept[numbers], signif, digits = 4)
  kept$y <- signif(kept$y, if (options$offset > 1e3) 11 else if (options$noise < 0.05) 7 else 5)
  kept
}
