# Steps of finite differences, of the range of the covariate: where truncation and rounding are about as small.
DERIVATIVE_STEPS <- c(1e-5, 1e-4)

#' How steeply curves rise or fall, and how they bend
#'
#' The derivative of the curve of each level along a covariate, without random terms: the design matrix is replaced by its
#' central finite difference, as in Simpson's 'gratia'. At the ends of the data the difference is taken just inside of them.
#'
#' @inheritParams curves
#' @param order 1 for the slope, 2 for the curvature.
#' @param interval `"simultaneous"` over each curve, or `"pointwise"`.
#' @param unconditional Whether intervals hold the uncertainty of the smoothing parameters too.
#' @return A list of class `layerstats_derivatives` with `curve` (`smooth`, the factors, the covariate, `order, derivative,
#'   std_error, conf_low, conf_high, interval, conf_level`), `regions` (`smooth`, the factors, `order, start, end, sign, interval,
#'   conf_level`: where the interval excludes zero) and `covariate`. It prints as its regions.
#' @examples
#' derivatives(gamm_fit(f2 ~ word + s(time, k = 6), words))
#' @export
derivatives <- function(fit, factor_columns = character(), at = list(), order = 1,
                        interval = c("simultaneous", "pointwise"), conf_level = 0.95, unconditional = FALSE, draws = 10000,
                        seed = 0) {
  interval <- match.arg(interval)
  if (is_structured(fit)) {
    return(structured_derivatives(fit, factor_columns, at, order, interval, conf_level, unconditional, draws, seed))
  }
  if (!order %in% 1:2) stop("The 'order' of a derivative is 1 or 2, but got ", order, ".", call. = FALSE)
  combinations <- level_combinations(fit, factor_columns)
  grid <- reference_grid(fit, at, factor_columns, combinations, random_terms(fit$model))
  name <- smooth_name(fit$model, labels_along(fit, grid$covariate), grid$covariate)
  pieces <- Map(function(levels, rows) {
    design <- derivative_design(fit, rows, grid$covariate, order, unconditional)
    estimate <- estimate_curve(design$matrix, design$coefficients, design$covariance, interval, conf_level, draws, seed)
    estimate <- c(list(order = order, derivative = estimate$diff), estimate[2:4])
    curve <- curve_table(name, factor_columns, levels, rows[grid$covariate], estimate, interval, conf_level)
    list(curve = curve, regions = derivative_regions(curve, factor_columns, grid$covariate))
  }, combinations, grid$rows)
  both <- function(part) do.call(rbind, unname(lapply(pieces, `[[`, part)))
  structure(list(curve = both("curve"), regions = both("regions"), covariate = grid$covariate),
            class = "layerstats_derivatives")
}

# The design of `rows` with its matrix differentiated along the covariate.
derivative_design <- function(fit, rows, covariate, order, unconditional) {
  limits <- range(as.numeric(fit$data[[covariate]]))
  step <- DERIVATIVE_STEPS[order] * diff(limits)
  place <- as.numeric(rows[[covariate]])
  # Bases have kinks at the ends of the data: cubic ones go on as straight lines.
  inside <- limits[1] <= place & place <= limits[2]
  place[inside] <- pmin(pmax(place[inside], limits[1] + step), limits[2] - step)
  stencil <- list(c(`-0.5` = -1, `0.5` = 1), c(`-1` = 1, `0` = -2, `1` = 1))[[order]]
  matrix <- 0
  for (shift in names(stencil)) {
    rows[[covariate]] <- place + as.numeric(shift) * step
    design <- gamm_design(fit, rows, random_terms(fit$model), unconditional)
    matrix <- matrix + stencil[[shift]] * design$matrix
  }
  design$matrix <- matrix / step^order
  design
}

derivative_regions <- function(curve, factor_columns, covariate) {
  place <- curve[[covariate]]
  found <- rbind(stretches_above_zero(place, curve$conf_low, "positive"),
                 stretches_above_zero(place, -curve$conf_high, "negative"))
  found <- found[order(found$start), , drop = FALSE]
  head <- curve[rep(1, nrow(found)), ]
  data.frame(head[c("smooth", factor_columns, "order")], found, head[c("interval", "conf_level")], check.names = FALSE,
             row.names = NULL)
}

#' @export
print.layerstats_derivatives <- function(x, digits = 3, ...) {
  first <- x$curve[1, ]
  kind <- paste0(first$interval, " ", format(100 * first$conf_level), " % interval")
  cat("Derivatives of order ", first$order, " along ", x$covariate, "; ", kind, "s exclude zero ",
      if (nrow(x$regions)) "here:\n" else "nowhere.\n", sep = "")
  if (nrow(x$regions)) print(x$regions[setdiff(names(x$regions), c("order", "interval", "conf_level"))], digits = digits,
                             row.names = FALSE)
  invisible(x)
}
