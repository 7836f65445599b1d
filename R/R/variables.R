# The variables of a model's terms: which columns they use, and their values in new rows as they were at the fit.

# Functions of all rows that give a value or a few; at the fit they are what they are, whatever rows come later.
all_row_summaries <- c("mean", "sd", "var", "median", "min", "max", "range", "sum", "prod", "length", "quantile", "IQR",
                       "mad", "nlevels", "levels")
factor_makers <- c("factor", "as.factor", "ordered", "as.ordered", "interaction", "droplevels", "relevel", "cut", "addNA")

# For each variable of a formula that is not a column of `data`, by its text: the call that gives its values in new rows.
frozen_variables <- function(formula, data) {
  parts <- mgcv::interpret.gam(formula)
  texts <- unique(unlist(c(
    lapply(as.list(attr(stats::delete.response(stats::terms(parts$pf)), "variables"))[-1], deparse1),
    lapply(parts$smooth.spec, smooth_variables)
  )))
  texts <- setdiff(texts, names(data))
  lapply(stats::setNames(nm = texts), function(text) {
    call <- freeze(str2lang(text), data)
    check_frozen(text, call, data)
    call
  })
}

# Refuse a variable that has other values in some rows than in all of them.
check_frozen <- function(text, call, data) {
  rows <- unique(round(seq(1, nrow(data), length.out = 5)))
  all_rows <- eval(str2lang(text), data, globalenv())
  expected <- if (is.matrix(all_rows)) all_rows[rows, ] else if (length(all_rows) == 1) all_rows else all_rows[rows]
  found <- eval(call, data[rows, , drop = FALSE], globalenv())
  if (!isTRUE(all.equal(as.vector(expected), as.vector(found)))) {
    stop(text, " has values that depend on the other rows, and would be another variable in new data. Make a column of ",
         "it first.", call. = FALSE)
  }
}

# What a smooth is a function of, as mgcv calls it, the `by` variable last.
smooth_variables <- function(smooth) c(smooth$term, if (smooth$by != "NA") smooth$by)

# An expression whose value in a row does not depend on the other rows: scale(x) becomes scale(x, center = 1.5, ...).
freeze <- function(expression, data) {
  if (!is.call(expression)) return(expression)
  name <- called_function(expression)
  if (name %in% all_row_summaries) return(eval(expression, data, globalenv()))
  expression[-1] <- lapply(as.list(expression)[-1], freeze, data = data)
  if (name %in% c("scale", "poly", "ns", "bs")) {
    # R knows these by their bare names.
    return(stats::makepredictcall(eval(expression, data, globalenv()), bare_call(expression, name)))
  }
  if (name == "cut") expression <- frozen_cut(expression, data)
  if (name %in% factor_makers) expression <- frozen_factor(expression, data)
  expression
}

# "f" of f(x) and of package::f(x).
called_function <- function(expression) {
  called <- expression[[1]]
  if (is.call(called) && identical(called[[1]], as.name("::"))) called <- called[[3]]
  if (is.name(called)) as.character(called) else ""
}

bare_call <- function(expression, name) {
  expression[[1]] <- if (name %in% c("ns", "bs")) call("::", as.name("splines"), as.name(name)) else as.name(name)
  expression
}

# A number of intervals becomes their limits, as in cut.default().
frozen_cut <- function(expression, data) {
  arguments <- as.list(match.call(base::cut.default, expression))
  breaks <- eval(arguments$breaks, data, globalenv())
  if (length(breaks) != 1) return(expression)
  values <- eval(arguments$x, data, globalenv())
  limits <- range(values, na.rm = TRUE)
  width <- diff(limits)
  if (width == 0) width <- abs(limits[1])
  breaks <- seq(limits[1], limits[2], length.out = breaks + 1)
  breaks[c(1, length(breaks))] <- c(limits[1] - width / 1000, limits[2] + width / 1000)
  arguments$breaks <- breaks
  as.call(c(as.name("cut"), arguments[-1]))
}

# Levels are those of the fit, also where new rows have some of them only.
frozen_factor <- function(expression, data) {
  value <- eval(expression, data, globalenv())
  if (!is.factor(value)) return(expression)
  if (called_function(expression) %in% c("factor", "ordered") && !is.null(expression$labels) && is.null(expression$levels)) {
    # Labels go with levels one by one.
    expression$levels <- levels(factor(eval(expression[[2]], data, globalenv())))
  }
  bquote(factor(as.character(.(expression)), levels = .(levels(value)), ordered = .(is.ordered(value))))
}

# `newdata` with a column for each variable of the smooths that is an expression: mgcv looks for such a column first.
with_variables <- function(newdata, smooths, frozen) {
  for (text in intersect(unique(unlist(lapply(smooths, smooth_variables))), names(frozen))) {
    newdata[[text]] <- checked_variable(text, eval(frozen[[text]], newdata, globalenv()), nrow(newdata))
  }
  newdata
}

checked_variable <- function(text, value, rows) {
  if (is.factor(value) && anyNA(value)) {
    stop("The new data have a level of ", text, " that the model has not seen. Its levels are ",
         paste(levels(value), collapse = ", "), ".", call. = FALSE)
  }
  if (is.factor(value)) value else if (length(value) == 1) rep(as.numeric(value), rows) else as.numeric(value)
}

# The terms of the parametric part with R's labels, evaluated in new rows as at the fit.
frozen_terms <- function(model, frozen) {
  terms <- stats::delete.response(model$pterms)
  variables <- as.list(attr(terms, "variables"))[-1]
  predicted <- lapply(variables, function(variable) {
    call <- frozen[[deparse1(variable)]]
    if (is.null(call)) variable else call
  })
  attr(terms, "predvars") <- as.call(c(as.name("list"), predicted))
  terms
}

# Columns of `data` that expressions use.
columns_in <- function(texts, data) {
  intersect(unique(unlist(lapply(texts, function(text) all.vars(str2lang(text))))), names(data))
}

# For each parametric term, by its label, the columns that it uses.
parametric_terms <- function(model, data) {
  terms <- stats::delete.response(model$pterms)
  variables <- vapply(as.list(attr(terms, "variables"))[-1], deparse1, character(1))
  labels <- attr(terms, "term.labels")
  factors <- attr(terms, "factors")
  used <- lapply(seq_along(labels), function(term) columns_in(variables[factors[, term] > 0], data))
  offsets <- variables[attr(terms, "offset")]
  stats::setNames(c(used, lapply(offsets, columns_in, data = data)), c(labels, offsets))
}

# A random effect: each level's deviation is penalised.
is_random <- function(smooth) {
  random <- c("random.effect", "fs.interaction", "mrf.smooth")
  inherits(smooth, random) || any(vapply(smooth$margin, inherits, logical(1), what = random))
}

# The label of a smooth without its `by`: "s(x)".
smooth_base_label <- function(smooth) {
  suffix <- if (smooth$by == "NA") "" else paste0(":", smooth$by, smooth$by.level)
  substr(smooth$label, 1, nchar(smooth$label) - nchar(suffix))
}

# Which smooth of the formula a fitted one belongs to, counted from 1.
written_position <- function(model) {
  written <- mgcv::interpret.gam(stats::formula(model))$smooth.spec
  key <- function(label, by) paste0(label, ":", by)
  match(vapply(model$smooth, function(smooth) key(smooth_base_label(smooth), smooth$by), character(1)),
        vapply(written, function(smooth) key(smooth$label, smooth$by), character(1)))
}
