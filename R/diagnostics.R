# Is the model adequate: residuals along the series, size of the bases.

# Autocorrelation of residuals at lags 0 to max_lag, over pairs of rows of one series.
# Whitened residuals (those of the AR(1) model) where rho is not 0.
gamm_autocorrelation <- function(fit, max_lag = 10) {
  residuals <- whitened_residuals(fit)
  start <- if (is.null(fit$start)) c(TRUE, rep(FALSE, length(residuals) - 1)) else fit$start
  lag <- 0:max_lag
  data.frame(lag = lag, autocorrelation = vapply(lag, function(l) lag_correlation(residuals, start, l), numeric(1)))
}

# Mean product of residuals `lag` rows apart in the same series, over their mean square.
lag_correlation <- function(residuals, start, lag) {
  series <- cumsum(start)
  first <- seq_len(length(residuals) - lag)
  first <- first[series[first] == series[first + lag]]
  if (length(first) == 0) return(NaN)
  mean(residuals[first] * residuals[first + lag]) / mean(residuals^2)
}

whitened_residuals <- function(fit) {
  if (fit$rho != 0) as.numeric(fit$model$std.rsd) else as.numeric(stats::residuals(fit$model))
}

# mgcv's check of the basis dimensions: term, k, edf, k_index, p_value.
gamm_k_check <- function(fit, seed = 0) {
  set.seed(seed)
  table <- mgcv::k.check(fit$model)
  data.frame(term = rownames(table), k = table[, 1], edf = table[, 2], k_index = table[, 3], p_value = table[, 4],
             row.names = NULL)
}
