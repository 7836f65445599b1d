#' The difference between the curves of two levels, and where it is not zero
#'
#' Always `level_1` minus `level_2`; reversed, exactly the sign flips. Random terms are left out.
#'
#' @param fit A model of [gamm_fit()].
#' @param factor_columns The factor, or several that are set together. Columns that are functions of them in the data, such
#'   as ordered copies or indicators, follow by themselves.
#' @param level_1,level_2 Levels of the factor, or a level of each factor.
#' @param at A list: the grid of the covariate to go along, `list(time = seq(0, 1, 0.01))`, and single values at which other
#'   columns are held (else the median, or the first level).
#' @param include_parametric Whether the difference of the parametric terms counts; without it, it is one of shapes.
#' @param interval `"simultaneous"` over the curve (Ruppert, Wand and Carroll 2003, section 6.5) or `"pointwise"`.
#' @param conf_level Confidence level.
#' @param draws,seed Draws from the posterior distribution for a simultaneous interval, and their seed.
#' @return A list of class `layerstats_difference` with `curve` (`smooth, level_1, level_2`, the covariate, `diff, std_error,
#'   conf_low, conf_high, interval, conf_level`), `regions` (`level_1, level_2, start, end, sign, interval, conf_level`: where
#'   the interval excludes zero, ends interpolated linearly), `covariate` and `critical_value`. It prints as its regions;
#'   `plot()` draws it.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6), words,
#'                   ordered = list(word_ordered = c("word", "A")))
#' found <- difference(model, "word", "B", "A")
#' found
#' head(found$curve)
#' @export
difference <- function(fit, factor_columns, level_1, level_2, at = list(), include_parametric = TRUE,
                       interval = c("simultaneous", "pointwise"), conf_level = 0.95, draws = 10000, seed = 0) {
  interval <- match.arg(interval)
  if (is_structured(fit)) {
    return(structured_difference(fit, factor_columns, level_1, level_2, at, include_parametric, interval, conf_level, draws,
                                 seed))
  }
  random <- random_terms(fit$model)
  levels <- lapply(list(level_1, level_2), function(level) rep_len(as.character(level), length(factor_columns)))
  grid <- reference_grid(fit, at, factor_columns, levels, random)
  design_1 <- gamm_design(fit, grid$rows[[1]], random)
  design_2 <- gamm_design(fit, grid$rows[[2]], random)
  contrast <- design_1$matrix - design_2$matrix
  if (!include_parametric) contrast[, !design_1$terms %in% smooth_labels(fit$model)] <- 0
  if (all(contrast == 0)) {
    stop("The model says of '", paste(level_1, collapse = ":"), "' and '", paste(level_2, collapse = ":"), "' nothing ",
         "by which they could differ: random terms are left out of differences", call. = FALSE)
  }
  estimate <- estimate_curve(contrast, design_1$coefficients, design_1$covariance, interval, conf_level, draws, seed)
  used <- unique(design_1$terms[colSums(contrast != 0) > 0])
  curve <- data.frame(smooth = smooth_name(fit$model, used, grid$covariate), level_1 = paste(level_1, collapse = ":"),
                      level_2 = paste(level_2, collapse = ":"), grid$rows[[1]][grid$covariate],
                      estimate[c("diff", "std_error", "conf_low", "conf_high")], interval = interval,
                      conf_level = conf_level, check.names = FALSE)
  structure(list(curve = curve, regions = curve_regions(curve, grid$covariate), covariate = grid$covariate,
                 critical_value = estimate$critical_value), class = "layerstats_difference")
}

#' @export
print.layerstats_difference <- function(x, digits = 3, ...) {
  first <- x$curve[1, ]
  cat("Difference of curves along ", x$covariate, ": ", first$level_1, " - ", first$level_2, "\n", sep = "")
  kind <- paste0(first$interval, " ", format(100 * first$conf_level), " % interval")
  if (nrow(x$regions) == 0) {
    cat("The ", kind, " excludes zero nowhere.\n", sep = "")
  } else {
    cat("The ", kind, " excludes zero here:\n", sep = "")
    print(x$regions[c("start", "end", "sign")], digits = digits, row.names = FALSE)
  }
  invisible(x)
}

# A linear function of the coefficients with its interval (Ruppert, Wand and Carroll 2003, section 6.5).
estimate_curve <- function(matrix, coefficients, covariance, interval, conf_level, draws, seed) {
  spread <- matrix %*% covariance %*% t(matrix)
  std_error <- sqrt(pmax(diag(spread), 0))
  critical <- if (interval == "pointwise") {
    stats::qnorm((1 + conf_level) / 2)
  } else {
    simultaneous_critical_value(spread, conf_level, draws, seed)
  }
  diff <- as.numeric(matrix %*% coefficients)
  list(diff = diff, std_error = std_error, conf_low = diff - critical * std_error,
       conf_high = diff + critical * std_error, critical_value = critical)
}

# Quantile of the largest absolute standardised deviation of a curve with covariance `spread`.
simultaneous_critical_value <- function(spread, conf_level, draws, seed) {
  scale <- sqrt(pmax(diag(spread), 0))
  # A point that is fixed by construction has only rounding error for a variance.
  moving <- scale > 1e-10 * max(scale)
  if (!any(moving)) return(stats::qnorm((1 + conf_level) / 2))
  correlation <- spread[moving, moving, drop = FALSE] / outer(scale[moving], scale[moving])
  parts <- eigen((correlation + t(correlation)) / 2, symmetric = TRUE)
  kept <- parts$values > 1e-12 * parts$values[1]
  vectors <- parts$vectors[, kept, drop = FALSE]
  # The symmetric root does not depend on the signs of eigenvectors.
  root <- vectors %*% (sqrt(parts$values[kept]) * t(vectors))
  # The generators are named, so that a session's own choice does not change the interval.
  keep_random_numbers()
  set.seed(seed, kind = "Mersenne-Twister", normal.kind = "Inversion")
  normal <- matrix(stats::rnorm(draws * nrow(root)), nrow = draws, byrow = TRUE)
  largest <- apply(abs(normal %*% root), 1, max)
  stats::quantile(largest, conf_level, names = FALSE)
}

# Stretches where the interval excludes zero, ends interpolated linearly: level_1, level_2, start, end, sign, ...
curve_regions <- function(curve, covariate) {
  place <- curve[[covariate]]
  found <- rbind(stretches_above_zero(place, curve$conf_low, "positive"),
                 stretches_above_zero(place, -curve$conf_high, "negative"))
  found <- found[order(found$start), , drop = FALSE]
  head <- curve[rep(1, nrow(found)), ]
  data.frame(level_1 = head$level_1, level_2 = head$level_2, found, interval = head$interval,
             conf_level = head$conf_level, row.names = NULL)
}

stretches_above_zero <- function(place, value, sign) {
  runs <- rle(value > 0)
  last <- cumsum(runs$lengths)[runs$values]
  first <- last - runs$lengths[runs$values] + 1
  crossing <- function(left) place[left] + value[left] / (value[left] - value[left + 1]) * (place[left + 1] - place[left])
  data.frame(start = ifelse(first == 1, place[1], crossing(pmax(first - 1, 1))),
             end = ifelse(last == length(place), place[length(place)], crossing(pmin(last, length(place) - 1))),
             sign = rep(sign, length(first)))
}
