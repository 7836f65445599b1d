#' The curve of each level of a factor
#'
#' Along a covariate, without random terms.
#'
#' @param fit A model of [gamm_fit()].
#' @param factor_columns The factor, or several: every combination of levels in the data gets a curve. None: one curve.
#' @inheritParams difference
#' @param interval `"pointwise"`, or `"simultaneous"` over each curve.
#' @return A data frame: `smooth`, the factors, the covariate, `fit, std_error, conf_low, conf_high, interval, conf_level`.
#'   `plot()` draws it.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6), words,
#'                   ordered = list(word_ordered = c("word", "A")))
#' head(curves(model, "word"))
#' @export
curves <- function(fit, factor_columns = character(), at = list(), interval = c("pointwise", "simultaneous"),
                   conf_level = 0.95, draws = 10000, seed = 0) {
  interval <- match.arg(interval)
  if (is_structured(fit)) return(structured_curves(fit, factor_columns, at, interval, conf_level, draws, seed))
  random <- random_terms(fit$model)
  combinations <- level_combinations(fit, factor_columns)
  grid <- reference_grid(fit, at, factor_columns, combinations, random)
  name <- smooth_name(fit$model, labels_along(fit, grid$covariate), grid$covariate)
  pieces <- Map(function(levels, rows) {
    design <- gamm_design(fit, rows, random)
    estimate <- estimate_curve(design$matrix, design$coefficients, design$covariance, interval, conf_level, draws, seed)
    names(estimate)[1] <- "fit"
    curve_table(name, factor_columns, levels, rows[grid$covariate], estimate[1:4], interval, conf_level)
  }, combinations, grid$rows)
  structure(do.call(rbind, unname(pieces)), covariate = grid$covariate, factor_columns = factor_columns,
            class = c("layerstats_curves", "data.frame"))
}

curve_table <- function(name, factor_columns, levels, covariate, estimate, interval, conf_level) {
  columns <- c(list(smooth = name), stats::setNames(as.list(levels), factor_columns), covariate, estimate,
               list(interval = interval, conf_level = conf_level))
  as.data.frame(lapply(columns, rep_len, nrow(covariate)), optional = TRUE, stringsAsFactors = FALSE)
}

# The combinations of levels that the data hold, in the order of levels; one empty one without factors.
level_combinations <- function(fit, columns) {
  for (column in columns) check_factor(fit, column)
  if (length(columns) == 0) return(list(character()))
  present <- unique(fit$data[columns])
  present <- present[do.call(order, unname(present)), , drop = FALSE]
  lapply(seq_len(nrow(present)), function(row) vapply(present[row, , drop = FALSE], as.character, "", USE.NAMES = FALSE))
}

# Labels of the smooths along the covariate that are not random.
labels_along <- function(fit, covariate) {
  smooths <- Filter(function(smooth) !is_random(smooth), fit$model$smooth)
  along <- Filter(function(smooth) covariate %in% columns_in(smooth_variables(smooth), fit$data), smooths)
  vapply(along, function(smooth) smooth$label, character(1))
}
