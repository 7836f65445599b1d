# Is the model adequate: residuals along the series, size of the bases.

#' Autocorrelation of residuals
#'
#' Within series, never across; of whitened residuals where the model has AR(1) residuals.
#'
#' @param fit A model of [gamm_fit()].
#' @param max_lag The largest lag, in rows.
#' @return A data frame with a row a lag, `lag, autocorrelation, limit, pairs`; `limit` is the half width of the band in which
#'   95 % of the values of white noise lie. `plot()` draws it.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words, rho = 0.5, series = "trajectory", order = "time")
#' autocorrelation(model, max_lag = 4)
#' @export
autocorrelation <- function(fit, max_lag = 20) {
  if (is_structured(fit)) {
    table <- ask_model("autocorrelation", fit, max_lag = as.integer(max_lag))
    return(structure(table, class = c("layerstats_autocorrelation", "data.frame")))
  }
  residuals <- whitened_residuals(fit)
  start <- if (is.null(fit$start)) seq_along(residuals) == 1 else fit$start
  lag <- 0:min(max_lag, length(residuals) - 1)
  pairs <- vapply(lag, function(l) length(lag_pairs(start, l)), numeric(1))
  lag <- lag[cumsum(pairs == 0) == 0]
  value <- vapply(lag, function(l) lag_correlation(residuals, start, l), numeric(1))
  table <- data.frame(lag = lag, autocorrelation = value, limit = 1.959964 / sqrt(pairs[lag + 1]), pairs = pairs[lag + 1])
  structure(table, class = c("layerstats_autocorrelation", "data.frame"))
}

# Rows that have another row `lag` further on in the same series.
lag_pairs <- function(start, lag) {
  series <- cumsum(start)
  first <- seq_len(length(series) - lag)
  first[series[first] == series[first + lag]]
}

# Correlation of residuals `lag` rows apart in the same series; residuals have mean zero and are not centred again.
lag_correlation <- function(residuals, start, lag) {
  first <- lag_pairs(start, lag)
  early <- residuals[first]
  late <- residuals[first + lag]
  sum(early * late) / sqrt(sum(early^2) * sum(late^2))
}

whitened_residuals <- function(fit) {
  if (is_structured(fit)) return(fit$whitened)
  if (fit$rho != 0) as.numeric(fit$model$std.rsd) else as.numeric(stats::residuals(fit$model))
}

# As in mgcv's k.check(), which leaves the `by` variable out: coordinates, those of a tensor product scaled by how steeply
# it climbs along each.
smooth_places <- function(model, smooth, data) {
  smooth$by <- "NA"
  data <- with_variables(data, list(smooth), model$variables)
  values <- lapply(smooth$term, function(term) data[[term]])
  # Of a factor smooth the covariate alone.
  values <- values[seq_len(min(smooth$dim, length(values)))]
  if (any(vapply(values, is.factor, logical(1)))) return(NULL)
  places <- do.call(cbind, lapply(values, as.numeric))
  if (is.null(smooth$margin)) return(places)
  coefficients <- model$coefficients[smooth$first.para:smooth$last.para]
  base <- mgcv::PredictMat(smooth, data) %*% coefficients
  for (column in seq_len(ncol(places))) {
    step <- diff(range(places[, column])) / 1000
    moved <- data
    moved[[smooth$term[column]]] <- places[, column] + step
    steepness <- mean(abs(mgcv::PredictMat(smooth, moved) %*% coefficients - base)) / step
    shifted <- places[, column] - min(places[, column])
    places[, column] <- steepness * shifted / max(shifted)
  }
  places
}

#' Were the bases large enough?
#'
#' The check of 'mgcv' ([mgcv::k.check()]), whose p-values are simulated.
#'
#' @param fit A model of [gamm_fit()].
#' @param seed Seed of the random numbers.
#' @return A data frame with a row a smooth, `term, k, edf, k_index, p_value`. A small p-value with an edf near k asks for a
#'   larger `k` in the formula.
#' @examples
#' k_check(gamm_fit(f2 ~ word + s(time, k = 6), words))
#' @export
k_check <- function(fit, seed = 0) {
  if (is_structured(fit)) return(ask_model("k_check", fit, seed = as.integer(seed)))
  keep_random_numbers()
  set.seed(seed)
  table <- mgcv::k.check(fit$model)
  data.frame(term = rownames(table), k = table[, 1], edf = table[, 2], k_index = table[, 3], p_value = table[, 4],
             row.names = NULL)
}

# A verb with random numbers of its own leaves the session's where they were.
keep_random_numbers <- function(frame = parent.frame()) {
  before <- globalenv()[[".Random.seed"]]
  back <- function() if (is.null(before)) rm(".Random.seed", envir = globalenv()) else assign(".Random.seed", before, globalenv())
  do.call(on.exit, list(as.call(list(back)), add = TRUE), envir = frame)
}
