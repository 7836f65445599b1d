# Where the columns of a reference grid stand: those that are functions of the compared factors in the data follow them.

# columns   to place; compared: factors; levels: a list of combinations of their levels; given: values that were said
# Returns list(held, dependent): values for all levels, and for each combination the values of what follows it.
place_columns <- function(data, columns, compared, levels, given) {
  count <- vapply(columns, function(column) length(unique(data[[column]])), numeric(1))
  # Factors before numbers, those with fewer levels first: the others may be made of them.
  held <- keys <- list()
  dependent <- lapply(levels, function(own) list())
  for (column in columns[order(!vapply(data[columns], is.factor, logical(1)), count)]) {
    values <- data[[column]]
    code <- is.factor(values) || count[[column]] <= 12
    value <- given[[column]]
    sources <- if (is.null(value)) column_sources(data, column, compared, levels, if (code) names(keys))
    if (length(sources)) {
      for (i in seq_along(levels)) {
        at <- c(stats::setNames(as.list(levels[[i]]), compared), keys)[sources]
        dependent[[i]][[column]] <- value_at(data, column, at)
      }
      next
    }
    if (is.null(value)) value <- default_value(values)
    held[[column]] <- if (is.factor(values)) known_level(values, as.character(value), column) else value
    if (code) keys[[column]] <- if (is.factor(values)) as.character(value) else value
  }
  list(held = held, dependent = dependent)
}

# The columns that `column` is a function of, as few as there are; none where it is not.
column_sources <- function(data, column, compared, levels, keys) {
  for (i in seq_along(compared)) {
    own <- vapply(levels, `[`, character(1), i)
    if (is_function(data[as.character(data[[compared[i]]]) %in% own, , drop = FALSE], column, compared[i])) return(compared[i])
  }
  together <- data[at_any(data, compared, levels), , drop = FALSE]
  if (nrow(together) == 0) return(NULL)
  if (length(compared) > 1 && is_function(together, column, compared)) return(compared)
  # A cell with one row is a function of anything.
  for (key in keys) if (is_function(data, column, key, repeated = TRUE)) return(key)
  sources <- c(compared, keys)
  if (length(keys) == 0 || !is_function(together, column, sources, repeated = TRUE)) return(NULL)
  for (source in sources) {
    fewer <- setdiff(sources, source)
    if (length(fewer) && is_function(together, column, fewer, repeated = TRUE)) sources <- fewer
  }
  sources
}

is_function <- function(data, column, sources, repeated = FALSE) {
  cells <- unique(data[sources])
  nrow(unique(data[c(sources, column)])) == nrow(cells) && (!repeated || nrow(data) >= 1.5 * nrow(cells))
}

# A number that is constant along the covariate or a multiple of it counts as a function of it too.
is_function_of_covariate <- function(data, column, covariate) {
  if (is_function(data, column, covariate, repeated = TRUE)) return(TRUE)
  if (is.factor(data[[column]])) return(FALSE)
  left <- stats::lm.fit(cbind(1, data[[covariate]]), data[[column]])$residuals
  max(abs(left)) <= 1e-9 * max(abs(data[[column]]))
}

# Refuses columns that change along the covariate, and so cannot be held while a curve is drawn.
check_covariate <- function(data, terms, covariate, placed, compared, levels, given) {
  moving <- c(compared, names(placed$dependent[[1]]))
  apart <- lapply(levels, function(own) data[at_any(data, compared, list(own)), , drop = FALSE])
  together <- data[at_any(data, compared, levels), , drop = FALSE]
  for (column in setdiff(names(placed$held), names(given))) {
    if (length(unique(together[[column]])) < 2) next
    alone <- is_function_of_covariate(together, column, covariate)
    each <- all(vapply(apart, is_function_of_covariate, logical(1), column, covariate))
    meets <- any(vapply(terms, function(term) column %in% term && any(moving %in% term), logical(1)))
    if ((each && !alone) || (alone && meets)) {
      stop("'", column, "' is a function of '", covariate, "'", if (!alone) paste0(" and ", paste(compared, collapse = ", ")),
           " in the data, and cannot be held while a curve is drawn. Write it in the formula as that function, or say ",
           "where to hold it: at = list(", column, " = value).", call. = FALSE)
    }
  }
}

value_at <- function(data, column, at) {
  found <- data[[column]][at_any(data, names(at), list(at))]
  if (length(found) == 0) {
    stop("'", column, "' follows ", paste(names(at), collapse = ", "), " in the data, but no row has ",
         paste(names(at), unlist(at), sep = " = ", collapse = " and "), ". Say where others are held in 'at'.", call. = FALSE)
  }
  found[1]
}

# Rows where the columns are at one of these combinations of values.
at_any <- function(data, columns, combinations) {
  rows <- lapply(combinations, function(own) {
    Reduce(`&`, Map(function(column, value) as.character(data[[column]]) == as.character(value), columns, own),
           rep(TRUE, nrow(data)))
  })
  Reduce(`|`, rows)
}

default_value <- function(values) {
  if (is.factor(values)) return(levels(values)[1])
  middle <- stats::median(values)
  few <- length(unique(values)) <= 12
  # A code is held at one that there is.
  if (few && !middle %in% values) sort(values)[(length(values) + 1) %/% 2] else middle
}
