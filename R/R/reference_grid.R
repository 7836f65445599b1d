# Rows at which curves are compared: one covariate along a grid, everything else held.

# compared: factors, and `levels` a list of combinations of their levels; random: labels of terms that are left out.
# Returns list(covariate, rows): for each combination the rows of the grid.
reference_grid <- function(fit, at, compared, levels, random) {
  needed <- fixed_columns(fit, random)
  unknown <- setdiff(names(at), needed)
  if (length(unknown)) stop("'", unknown[1], "' in 'at' is not one of ", paste(needed, collapse = ", "), ".", call. = FALSE)
  for (column in compared) check_factor(fit, column)
  covariate <- grid_covariate(fit, at, random)
  values <- fit$data[[covariate]]
  grid <- if (is.null(at[[covariate]])) seq(min(values), max(values), length.out = 100) else at[[covariate]]
  given <- at[setdiff(names(at), covariate)]
  set <- lapply(levels, function(own) {
    stats::setNames(Map(function(column, level) known_level(fit$data[[column]], level, column), compared, own), compared)
  })
  placed <- place_columns(fit$data, setdiff(needed, c(covariate, compared)), compared, levels, given)
  smooths <- Filter(function(smooth) !smooth$label %in% random, fit$model$smooth)
  terms <- c(parametric_terms(fit$model, fit$data),
             lapply(smooths, function(smooth) columns_in(smooth_variables(smooth), fit$data)))
  check_covariate(fit$data, terms, covariate, placed, compared, levels, given)
  rows <- Map(function(own, follows) {
    rows <- stats::setNames(data.frame(grid), covariate)
    values <- c(placed$held, own, follows)
    for (column in names(values)) rows[[column]] <- values[[column]]
    rows
  }, set, placed$dependent)
  list(covariate = covariate, rows = rows)
}

check_factor <- function(fit, column) {
  if (!is.factor(fit$data[[column]])) {
    stop("'", column, "' is not a factor of the model. Its factors are: ",
         paste(names(Filter(is.factor, fit$data)), collapse = ", "), ".", call. = FALSE)
  }
}

known_level <- function(values, level, column) {
  if (!level %in% levels(values)) {
    stop("'", level, "' is not a level of ", column, "; its levels are ", paste(levels(values), collapse = ", "), ".",
         call. = FALSE)
  }
  factor(level, levels = levels(values), ordered = is.ordered(values))
}

# Columns that the terms which are not random use.
fixed_columns <- function(fit, random) {
  smooths <- Filter(function(smooth) !smooth$label %in% random, fit$model$smooth)
  used <- columns_in(unlist(lapply(smooths, smooth_variables)), fit$data)
  unique(c(unlist(parametric_terms(fit$model, fit$data)), used))
}

grid_covariate <- function(fit, at, random) {
  along <- names(at)[lengths(at) > 1]
  if (length(along) == 1) return(along)
  numbers <- names(fit$data)[vapply(fit$data, is.numeric, logical(1))]
  smooths <- Filter(function(smooth) !smooth$label %in% random, fit$model$smooth)
  candidates <- setdiff(intersect(columns_in(unlist(lapply(smooths, `[[`, "term")), fit$data), numbers), names(at))
  if (length(candidates) != 1 || length(along) > 1) {
    stop("Say which covariate to go along: at = list(column = grid). The smooths have these: ",
         paste(candidates, collapse = ", "), ".", call. = FALSE)
  }
  candidates
}

smooth_labels <- function(model) vapply(model$smooth, function(smooth) smooth$label, character(1))

#' Labels of the random terms of a model
#'
#' @param model A model of [gamm_fit()], or of 'mgcv'.
#' @return A character vector: the smooths with `bs = "re"`, `"fs"` or `"mrf"`, as the table of smooths names them.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(speaker, bs = "re"), words)
#' random_terms(model)
#' head(predict(model, words, exclude = random_terms(model)))
#' @export
random_terms <- function(model) {
  if (is_structured(model)) return(model$random_terms)
  if (inherits(model, "layerstats_gamm")) model <- model$model
  smooth_labels(model)[vapply(model$smooth, is_random, logical(1))]
}

# How the formula calls the smooths behind `labels`, or the covariate where there are none.
smooth_name <- function(model, labels, covariate) {
  found <- Filter(function(smooth) smooth$label %in% labels, model$smooth)
  if (length(found) == 0) return(covariate)
  paste(unique(vapply(found, smooth_base_label, character(1))), collapse = " + ")
}
