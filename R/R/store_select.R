# Which tokens, phones and samples are meant.

#' Tokens and phones of a store
#'
#' @param store A store of [open_store()], or its path.
#' @param ... Conditions on any column of the tokens or the phones, `word = "ask"`, `speaker = c("s1", "s2")`,
#'   `phone_class = "plosive"`, `previous = "#"` (the edge of a token): one value or several, all have to be met. A
#'   column that both tables have is that of the tokens; `phone_` before its name asks for the phones'
#'   (`phone_onset_s`).
#' @param phone Phones by label. Tokens without such a phone drop out.
#' @return The rows of the table, with all of its columns.
#' @examples
#' store <- open_store(example_store())
#' tokens(store, word = "ask")
#' phones(store, phone = "s")
#' @export
tokens <- function(store, ..., phone = NULL) {
  store <- as_store(store)
  taken_rows(store_table(store, "tokens"), selected_rows(store, list(...), phone)$tokens)
}

#' @rdname tokens
#' @export
phones <- function(store, ..., phone = NULL) {
  store <- as_store(store)
  taken_rows(store_table(store, "phones"), selected_rows(store, list(...), phone)$phones)
}

taken_rows <- function(table, rows) {
  table <- table[rows, , drop = FALSE]
  rownames(table) <- NULL
  table
}

# Rows of the tokens and of the phones that meet all conditions, and whether phones were asked for.
selected_rows <- function(store, wanted, phone = NULL) {
  tokens <- store_table(store, "tokens")
  phones <- store_table(store, "phones")
  wanted <- conditions_by_table(wanted, tokens, phones)
  if (!is.null(phone)) wanted$phones <- c(list(label = phone), wanted$phones)
  of_tokens <- which(matching_rows(tokens, wanted$tokens, "tokens"))
  token_of_phone <- match(phones$token, tokens$token)
  of_phones <- which(matching_rows(phones, wanted$phones, "phones") & token_of_phone %in% of_tokens)
  if (length(wanted$phones)) of_tokens <- intersect(of_tokens, token_of_phone[of_phones])
  list(tokens = of_tokens, phones = of_phones, asks_for_phones = length(wanted$phones) > 0)
}

conditions_by_table <- function(wanted, tokens, phones) {
  wanted <- Filter(Negate(is.null), wanted)
  if (length(wanted) && (is.null(names(wanted)) || any(names(wanted) == ""))) {
    stop("Conditions need the name of a column, as in word = \"ask\".", call. = FALSE)
  }
  found <- list(tokens = list(), phones = list())
  for (column in names(wanted)) {
    bare <- sub("^phone_", "", column)
    if (column %in% names(tokens)) found$tokens[column] <- wanted[column]
    else if (column %in% names(phones)) found$phones[column] <- wanted[column]
    else if (bare %in% names(phones)) found$phones[bare] <- wanted[column]
    else stop("Nothing can be selected by '", column, "': the store has no such column. Of tokens there are: ",
              paste(names(tokens), collapse = ", "), "; of phones: ", paste(names(phones), collapse = ", "), ".",
              call. = FALSE)
  }
  found
}

matching_rows <- function(table, wanted, what) {
  rows <- rep(TRUE, nrow(table))
  for (column in names(wanted)) {
    values <- wanted[[column]]
    if (is.factor(values)) values <- as.character(values)
    if (nrow(table) == 0) stop("Nothing can be selected by '", column, "': the store has no ", what, ".", call. = FALSE)
    if (anyNA(values)) {
      stop("Rows without a '", column, "' cannot be selected: give the values that are wanted.", call. = FALSE)
    }
    check_known_values(column, values, unique(table[[column]][!is.na(table[[column]])]))
    rows <- rows & table[[column]] %in% values
  }
  rows
}

check_known_values <- function(name, wanted, known) {
  unknown <- setdiff(wanted, known)
  if (length(unknown) == 0) return(invisible())
  shown <- paste(utils::head(known, 40), collapse = ", ")
  if (length(known) > 40) shown <- paste0(shown, ", ... (", length(known), ")")
  stop("The store has no ", name, " ", listed_names(unknown), ". There are: ", if (length(known)) shown else "none",
       ".", call. = FALSE)
}

# The layers that are meant, in the order given.
selected_layers <- function(store, recording, layer = NULL) {
  known <- unlist(recording_attributes(store, recording)$layers)
  check_known_values("layer", layer, known)
  if (is.null(layer)) known else unique(as.character(layer))
}

# The first sample at or after `start` and the first at or after `end`, counted from 1: samples start <= time < end.
samples_within <- function(time_s, start, end) {
  before <- function(place) ifelse(is.na(place), length(time_s), findInterval(place, time_s, left.open = TRUE))
  first <- before(start) + 1
  list(first = first, end = pmax(first, before(end) + 1))
}

time_window <- function(time_s) {
  if (is.null(time_s)) return(c(-Inf, Inf))
  if (!is.numeric(time_s) || length(time_s) != 2 || anyNA(time_s) || time_s[1] >= time_s[2]) {
    stop("A time window needs a start before its end (seconds), as in time_s = c(0, 0.1), but got ", deparse1(time_s),
         ".", call. = FALSE)
  }
  time_s
}
