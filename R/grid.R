# Rows at which curves are compared: one covariate along a grid, everything else held.

# compared: factors that the caller sets; random: labels of terms that are left out.
reference_grid <- function(fit, at, compared, random) {
  needed <- fixed_columns(fit, random)
  unknown <- setdiff(names(at), needed)
  if (length(unknown)) stop("'", unknown[1], "' in 'at' is not one of ", paste(needed, collapse = ", "), ".", call. = FALSE)
  covariate <- grid_covariate(fit, at, random)
  values <- fit$data[[covariate]]
  grid <- if (is.null(at[[covariate]])) seq(min(values), max(values), length.out = 100) else at[[covariate]]
  rows <- stats::setNames(data.frame(grid), covariate)
  for (column in setdiff(needed, c(covariate, compared))) {
    held <- at[[column]]
    values <- fit$data[[column]]
    if (is.factor(values)) {
      if (is.null(held) && any(copies_of(fit$data, column) %in% c(compared, names(rows)))) next
      rows[[column]] <- known_level(values, if (is.null(held)) levels(values)[1] else held, column)
      for (copy in setdiff(copies_of(fit$data, column), names(rows))) {
        rows[[copy]] <- known_level(fit$data[[copy]], as.character(rows[[column]][1]), copy)
      }
    } else {
      rows[[column]] <- if (is.null(held)) stats::median(values) else held
    }
  }
  list(covariate = covariate, rows = rows)
}

# `rows` with the factors at `levels`; ordered copies follow.
set_levels <- function(data, rows, columns, levels) {
  for (i in seq_along(columns)) {
    for (name in c(columns[i], setdiff(copies_of(data, columns[i]), columns))) {
      rows[[name]] <- known_level(data[[name]], rep_len(levels, length(columns))[i], name)
    }
  }
  rows
}

known_level <- function(values, level, column) {
  if (!level %in% levels(values)) {
    stop("'", level, "' is not a level of ", column, "; its levels are ", paste(levels(values), collapse = ", "), ".",
         call. = FALSE)
  }
  factor(level, levels = levels(values), ordered = is.ordered(values))
}

# Other factors that hold the same level as `column` in every row, such as ordered copies.
copies_of <- function(data, column) {
  same <- vapply(data, function(other) {
    is.factor(other) && setequal(levels(other), levels(data[[column]])) &&
      all(as.character(other) == as.character(data[[column]]))
  }, logical(1))
  setdiff(names(data)[same], column)
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

random_terms <- function(model) {
  smooth_labels(model)[vapply(model$smooth, is_random, logical(1))]
}

# How the formula calls the smooths behind `labels`, or the covariate where there are none.
smooth_name <- function(model, labels, covariate) {
  found <- Filter(function(smooth) smooth$label %in% labels, model$smooth)
  if (length(found) == 0) return(covariate)
  paste(unique(vapply(found, smooth_base_label, character(1))), collapse = " + ")
}
