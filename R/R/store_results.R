# What was made of recordings and networks: outcomes, judgements, ratings, averages, sums.

#' Outcomes of maximizations
#'
#' @inheritParams tokens
#' @param name,set_up,network,null The one of that name, or the only one of which all is true; `summary(store)$outcomes`
#'   lists them. Nulls are chosen by their names.
#' @param variable Read this one instead, for instance `"codes_after"`, as an array whose first dimension is named after
#'   the starts.
#' @return A data frame with a row a start: its labels, what is known by start alone, and the scores of each class
#'   (`scores_after_yes`).
#' @examples
#' store <- open_store(example_store())
#' summary(store)$outcomes
#' outcomes(store)[, c("start", "target", "steps")]
#' dim(outcomes(store, variable = "codes_after"))
#' @export
outcomes <- function(store, name = NULL, set_up = NULL, network = NULL, null = NULL, variable = NULL) {
  store <- as_store(store)
  folder <- chosen_block(store, "outcomes", list(name = name, set_up = set_up, network = network, null = null))
  if (!is.null(variable)) return(block_array(folder, variable))
  about <- zarr_metadata(folder)$attributes
  columns <- list()
  for (column in c(unlist(about$axis_labels), unlist(about$variables))) {
    dimensions <- dimension_names(file.path(folder, column))
    if (identical(dimensions, "start")) columns[[column]] <- read_array(file.path(folder, column))
    if (!identical(dimensions, c("start", "class")) || !dir.exists(file.path(folder, "class"))) next
    scores <- block_array(folder, column)
    for (class in colnames(scores)) columns[[paste(column, class, sep = "_")]] <- unname(scores[, class])
  }
  data.frame(columns, check.names = FALSE, stringsAsFactors = FALSE)
}

#' Judgements, ratings and averages
#'
#' @inheritParams tokens
#' @param name The table, by name; by default the only one. `summary(store)` lists them.
#' @param outcomes,set_up,network,judge,null Of judgements of outcomes: the ones of which all is true.
#' @return `judgements()`: what a judge says of clips (`token, judge, response, score`, and what else the table has), or
#'   of outcomes (`outcomes, start, judge, response, score`: a row a start and response of a judge that scores all of
#'   them, else a row a start). `ratings()`: what listeners say of clips: `token, rater, rating, ...`. `averages()`: sums over
#'   windows: `label, count, ...`.
#' @examples
#' store <- open_store(example_store())
#' head(judgements(store, "words"))
#' head(ratings(store))
#' @export
judgements <- function(store, name = NULL, outcomes = NULL, set_up = NULL, network = NULL, judge = NULL, null = NULL) {
  store <- as_store(store)
  asked <- list(name = name, outcomes = outcomes, set_up = set_up, network = network, judge = judge, null = null)
  of_outcomes <- !is.null(c(outcomes, set_up, network, judge, null))
  tables <- table_names(store, "judgements")
  blocks <- block_names(store, "judgements")
  if (!of_outcomes && is.null(name) && length(tables) && length(tables) + length(blocks) > 1) {
    stop("Say which judgements to read (name = ...). There are: ", listed_names(c(tables, blocks)), ".", call. = FALSE)
  }
  of_clips <- !of_outcomes && length(tables) && (is.null(name) || name %in% tables)
  if (of_clips) return(result_table(store, "judgements", name))
  judged_outcomes(chosen_block(store, "judgements", asked))
}

judged_outcomes <- function(folder) {
  about <- zarr_metadata(folder)$attributes
  start <- read_array(file.path(folder, "start"))
  response <- read_array(file.path(folder, "response"))
  scored <- "score" %in% unlist(about$variables)
  responses <- if (scored) length(response) else 1
  # In R's order: (response, start).
  score <- if (scored) as.vector(read_array(file.path(folder, "score"))) else rep(NA_real_, length(start))
  score[is.nan(score)] <- NA
  if (!scored) response[response == ""] <- NA
  data.frame(outcomes = about$outcomes, start = rep(start, each = responses), judge = about$judge,
             response = if (scored) rep(response, length(start)) else response, score = score, stringsAsFactors = FALSE)
}

#' @rdname judgements
#' @export
ratings <- function(store, name = NULL) result_table(as_store(store), "ratings", name)

#' @rdname judgements
#' @export
averages <- function(store, name = NULL) result_table(as_store(store), "averages", name)

#' Sums over windows
#'
#' @inheritParams tokens
#' @param name,recording The ones of that name, or the only ones of windows of that recording.
#' @param variable For instance `"relevance_sum"` (speaker, letter, alignment, frequency, lag) or `"coverage"` (speaker,
#'   letter, alignment, lag): a mean is a sum divided by the coverage. Labels without a dimension of their name
#'   (`"frequency_hz"`, `"lag_s"`) are read likewise. `NULL`: all of them as a data frame.
#' @return An array; or a data frame with a row a speaker, letter, alignment, frequency and lag that any window covers:
#'   `speaker, letter, alignment, frequency_hz, lag_s, coverage` and the sums, which may be large.
#' @export
window_sums <- function(store, name = NULL, recording = NULL, variable = "relevance_sum") {
  folder <- chosen_block(as_store(store), "sums", list(name = name, recording = recording))
  if (is.null(variable)) summed_windows(folder) else block_array(folder, variable)
}

summed_windows <- function(folder) {
  labels <- lapply(stats::setNames(nm = c("speaker", "letter", "alignment", "frequency_hz", "lag_s")),
                   function(name) read_array(file.path(folder, name)))
  names <- unlist(zarr_metadata(folder)$attributes$variables)
  is_sum <- function(name) length(dimension_names(file.path(folder, name))) == 5
  # In R's order: (lag, alignment, letter, speaker) and (lag, frequency, alignment, ...).
  coverage <- read_array(file.path(folder, "coverage"))
  place <- arrayInd(which(coverage > 0), dim(coverage))
  frequencies <- length(labels$frequency_hz)
  frequency <- rep(seq_len(frequencies), nrow(place))
  place <- place[rep(seq_len(nrow(place)), each = frequencies), , drop = FALSE]
  columns <- list(speaker = labels$speaker[place[, 4]], letter = labels$letter[place[, 3]],
                  alignment = labels$alignment[place[, 2]], frequency_hz = labels$frequency_hz[frequency],
                  lag_s = labels$lag_s[place[, 1]], coverage = coverage[place])
  cells <- cbind(place[, 1], frequency, place[, -1, drop = FALSE])
  for (name in Filter(is_sum, names)) columns[[name]] <- read_array(file.path(folder, name))[cells]
  data.frame(columns, check.names = FALSE, stringsAsFactors = FALSE)
}
