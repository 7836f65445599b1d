# Standard deviations beyond which a residual is counted as an outlier; lags that are checked.
FAR_RESIDUAL <- 4
CHECKED_LAGS <- 3
# In large tables everything is significant: a check fails only where what it estimates is also large.
LARGE_CHECKS <- c(normality = 3, `equal variance` = 0.05, outliers = 0.005, autocorrelation = 0.2)

#' Are residuals what the model says?
#'
#' Normal (Jarque-Bera), of equal variance (Breusch-Pagan on the fitted values, as studentised by Koenker), without outliers,
#' and independent within series; whitened where the model has AR(1) residuals. A check fails where its p-value is below .01
#' and the estimate is large enough to matter: excess kurtosis beyond 3, 5 % of the variance of squared residuals that fitted
#' values explain, 0.5 % of residuals beyond 4 standard deviations, an autocorrelation further than 0.2 from what the model
#' itself implies (smooths take up a part of the errors, and what they leave alternates).
#'
#' @param fit A model of [gamm_fit()].
#' @return A data frame with a row a check, `check, estimate, implied, statistic, p_value, passed, note`.
#'   [plot_residual_checks()] draws the residuals.
#' @examples
#' residual_checks(gamm_fit(f2 ~ word + s(time, k = 6), words, series = "trajectory", order = "time"))
#' @export
residual_checks <- function(fit) {
  if (is_structured(fit)) return(ask_model("residual_checks", fit))
  fitted <- as.numeric(fit$model$fitted.values)
  residuals <- whitened_residuals(fit)
  rows <- list(check_normality(residuals), check_equal_variance(fitted, residuals), check_outliers(residuals))
  if (!is.null(fit$start)) {
    implied <- implied_autocorrelation(fit, CHECKED_LAGS)
    implied[is.na(implied)] <- 0
    rows <- c(rows, lapply(seq_len(CHECKED_LAGS), function(lag) check_autocorrelation(residuals, fit$start, lag, implied[lag])))
  }
  table <- do.call(rbind, Filter(Negate(is.null), rows))
  limit <- LARGE_CHECKS[sub(" at lag.*", "", table$check)]
  off <- table$estimate - ifelse(is.na(table$implied), 0, table$implied)
  table$passed <- !(table$p_value < 0.01 & abs(off) > limit)
  # What cannot be computed is no failure.
  table$passed[is.na(table$passed)] <- TRUE
  table[c("check", "estimate", "implied", "statistic", "p_value", "passed", "note")]
}

check_row <- function(check, estimate, statistic, p_value, note, implied = NA_real_) {
  data.frame(check = check, estimate = estimate, implied = implied, statistic = statistic, p_value = p_value, note = note)
}

check_normality <- function(residuals) {
  deviations <- residuals - mean(residuals)
  variance <- mean(deviations^2)
  skewness <- mean(deviations^3) / variance^1.5
  kurtosis <- mean(deviations^4) / variance^2 - 3
  statistic <- length(residuals) / 6 * (skewness^2 + kurtosis^2 / 4)
  note <- paste0("skewness ", format(skewness, digits = 3), ", excess kurtosis ", format(kurtosis, digits = 3))
  check_row("normality", kurtosis, statistic, stats::pchisq(statistic, 2, lower.tail = FALSE), note)
}

check_equal_variance <- function(fitted, residuals) {
  if (diff(range(fitted)) == 0) {
    return(check_row("equal variance", NA_real_, NA_real_, NA_real_, "the fitted values are all equal"))
  }
  correlation <- stats::cor(fitted, residuals^2)
  statistic <- length(residuals) * correlation^2
  check_row("equal variance", correlation^2, statistic, stats::pchisq(statistic, 1, lower.tail = FALSE),
            paste("variance", if (correlation > 0) "grows" else "falls", "with the fitted value"))
}

check_outliers <- function(residuals) {
  deviations <- abs(residuals - mean(residuals)) / sqrt(mean((residuals - mean(residuals))^2))
  beyond <- sum(deviations > FAR_RESIDUAL)
  # Of the largest, corrected for their number.
  p_value <- min(1, 2 * stats::pnorm(-max(deviations)) * length(residuals))
  check_row("outliers", beyond / length(residuals), max(deviations), p_value,
            paste(beyond, "residuals beyond", FAR_RESIDUAL, "standard deviations"))
}

check_autocorrelation <- function(residuals, start, lag, implied) {
  # Series of two points have no second lag.
  pairs <- if (lag < length(residuals)) length(lag_pairs(start, lag)) else 0
  if (pairs == 0) return(NULL)
  value <- lag_correlation(residuals, start, lag)
  statistic <- (value - implied) * sqrt(pairs)
  check_row(if (lag == 1) "autocorrelation" else paste("autocorrelation at lag", lag), value, statistic,
            2 * stats::pnorm(-abs(statistic)), paste0("within series, ", pairs, " pairs"), implied)
}

# What the autocorrelation of whitened residuals is on average where the model is right: the covariance of residuals is
# proportional to I - A, A being the influence matrix of the whitened data (Wood 2017, section 6.2). Up to 96 series, evenly
# spaced, stand for all. NA where errors are not Gaussian.
implied_autocorrelation <- function(fit, lags) {
  if (is.null(fit$start) || stats::family(fit$model)$family != "gaussian") return(rep(NA_real_, lags))
  first <- which(fit$start)
  last <- c(first[-1] - 1, length(fit$start))
  chosen <- unique(round(seq(1, length(first), length.out = min(96, length(first)))))
  sums <- numeric(lags + 1)
  for (series in chosen) {
    rows <- first[series]:last[series]
    design <- gamm_design(fit, fit$data[rows, , drop = FALSE])
    matrix <- whiten_rows(design$matrix * sqrt(fit$model$prior.weights[rows]), fit$rho)
    used <- colSums(matrix != 0) > 0
    own <- matrix[, used, drop = FALSE]
    kept <- diag(length(rows)) - own %*% (design$covariance[used, used] / fit$model$sig2) %*% t(own)
    apart <- col(kept) - row(kept)
    sums <- sums + vapply(0:lags, function(lag) sum(kept[apart == lag]), numeric(1))
  }
  implied <- sums[-1] / sums[1]
  ifelse(sums[-1] == 0, NA_real_, implied)
}

# The rows of one series without what they share with the row before.
whiten_rows <- function(matrix, rho) {
  if (rho == 0 || nrow(matrix) == 1) return(matrix)
  before <- matrix[-nrow(matrix), , drop = FALSE]
  matrix[-1, ] <- (matrix[-1, , drop = FALSE] - rho * before) / sqrt(1 - rho^2)
  matrix
}
