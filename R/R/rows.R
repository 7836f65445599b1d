# A table made ready for a fit: complete, factors coded, rows in order of series.

# Rows in order of series (series keep the order of their first row) and the rows where a series starts.
# series: names of the columns that identify one; order: name of the column that orders its rows.
series_rows <- function(data, series, order) {
  if (is.null(order)) {
    stop("'series' and 'order' belong together, but 'order' is missing: the column that orders the rows of a series.",
         call. = FALSE)
  }
  missing <- setdiff(c(series, order), names(data))
  if (length(missing)) stop("Column '", missing[1], "' (named in 'series' and 'order') is not in the data.", call. = FALSE)
  key <- interaction(data[series], drop = TRUE, lex.order = TRUE)
  code <- match(key, unique(key))
  position <- base::order(code, data[[order]])
  code <- code[position]
  start <- c(TRUE, diff(code) != 0)
  repeated <- which(!start & c(FALSE, diff(data[[order]][position]) == 0))
  if (length(repeated)) {
    stop(length(repeated), " rows are duplicated within their series, the first at ", order, " = ",
         data[[order]][position][repeated[1]], ". A series has one row at each '", order, "'.", call. = FALSE)
  }
  list(position = position, start = start)
}

# Dates and durations, which R's models take as numbers.
is_time <- function(values) inherits(values, c("Date", "POSIXct", "difftime"))

# Strings and logicals become factors with sorted levels; `factors` states other levels (the first is the reference),
# `ordered` adds ordered copies, as in list(WordOrd = c("Word", "ask")), with treatment contrasts.
code_factors <- function(data, factors = list(), ordered = list()) {
  notes <- character()
  sources <- vapply(ordered, function(copy) copy[[1]], character(1))
  for (column in names(data)) {
    values <- data[[column]]
    stated <- factors[[column]]
    if (is.factor(values) && is.null(stated)) {
      data[[column]] <- used_levels(values, column)
    } else if (!(is.numeric(values) || is_time(values)) || column %in% c(names(factors), sources)) {
      # Sorted by code point, as in Python, whatever the locale.
      # Numbers in the order of numbers, 2 before 10.
      present <- if (is.numeric(values)) sort(unique(values)) else sorted_by_code_point(unique(as.character(values)))
      levels <- as.character(if (is.null(stated)) present else stated)
      unknown <- setdiff(unique(as.character(values)), levels)
      if (length(unknown)) stop("Column '", column, "' holds '", unknown[1], "', which is not among its levels.", call. = FALSE)
      data[[column]] <- droplevels(factor(values, levels = levels))
      if (is.null(stated)) {
        notes <- c(notes, paste0(column, " is a factor with levels in sorted order: ", paste(levels, collapse = ", "), "."))
      }
    }
  }
  for (name in names(ordered)) {
    data[[name]] <- ordered_copy(data[[ordered[[name]][1]]], ordered[[name]][2])
  }
  list(data = data, notes = notes)
}

# Where R does not know letters beyond ASCII (LC_ALL=C), the bytes of UTF-8 sort as its letters do.
sorted_by_code_point <- function(texts) {
  latin <- Encoding(texts) == "latin1"
  texts[latin] <- enc2utf8(texts[latin])
  bytes <- texts
  Encoding(bytes) <- "bytes"
  texts[!is.na(texts)][base::order(bytes[!is.na(texts)], method = "radix")]
}

# Without levels that have no rows; contrasts that were set stay.
used_levels <- function(values, column) {
  unused <- setdiff(levels(values), unique(as.character(values)))
  if (length(unused) == 0) return(values)
  chosen <- attr(values, "contrasts")
  if (is.matrix(chosen)) {
    stop("Level '", unused[1], "' of ", column, " has no rows, but contrasts of all levels were set. Drop the level with ",
         "droplevels(), and set the contrasts of those that are left.", call. = FALSE)
  }
  values <- droplevels(values)
  attr(values, "contrasts") <- chosen
  values
}

# The same factor with `reference` first, as an ordered factor: its `by` smooths are differences from the reference.
ordered_copy <- function(values, reference) {
  if (!reference %in% levels(values)) {
    stop("'", reference, "' is not a level; the levels are ", paste(levels(values), collapse = ", "), ".", call. = FALSE)
  }
  copy <- factor(values, levels = c(reference, setdiff(levels(values), reference)), ordered = TRUE)
  stats::contrasts(copy) <- "contr.treatment"
  copy
}

check_complete <- function(data) {
  for (column in names(data)) {
    bad <- if (is.numeric(data[[column]])) !is.finite(data[[column]]) else is.na(data[[column]])
    if (any(bad)) {
      stop("NaN or infinite values present in required column '", column, "' (", sum(bad), " of ", nrow(data),
           " rows). Either impute or drop these rows (na = \"omit\").", call. = FALSE)
    }
  }
}
