# A store as one sees it in an analysis: what it holds.

#' Open a store of layerstats
#'
#' Reads what a store holds without Python. Values stay on disk until a verb asks for them.
#'
#' @param path The directory.
#' @param recording The recording that verbs read unless told otherwise: by default `activations`, else the only one.
#' @return An object of class `layerstats_store`, which prints what the store holds.
#'   [summary()][summary.layerstats_store] of it has the same as data frames.
#' @seealso [activations()], [relevance()], [phone_vectors()], [tokens()], [outcomes()], [judgements()], [ratings()]
#' @examples
#' store <- open_store(example_store())
#' store
#' head(activations(store, layer = "conv1", word = "ask"))
#' @export
open_store <- function(path, recording = NULL) {
  if (!is.character(path) || length(path) != 1 || is.na(path)) {
    stop("The path of a store is needed, as text, but got ", deparse1(path), ".", call. = FALSE)
  }
  path <- path.expand(path)
  about <- root_attributes(path)
  store <- structure(list(path = path, version = about$schema_version, attributes = about, recording = NULL,
                          cache = new.env(parent = emptyenv())), class = "layerstats_store")
  names <- recording_names(store)
  usual <- if ("activations" %in% names) "activations" else if (length(names) == 1) names
  store$recording <- if (is.null(recording)) usual else chosen_recording(store, recording)
  store
}

# Verbs take a store or its path.
as_store <- function(store) {
  if (inherits(store, "layerstats_store")) return(store)
  if (is.character(store) && length(store) == 1) return(open_store(store))
  stop("A store is needed, as open_store() returns it, or its path, but got an object of class '", class(store)[1],
       "'.", call. = FALSE)
}

# The tables of tokens and phones are read once.
store_table <- function(store, name) {
  if (is.null(store$cache[[name]])) store$cache[[name]] <- zarr_table(file.path(store$path, name))
  store$cache[[name]]
}

# The name of the recording that is meant, which is finished.
chosen_recording <- function(store, recording = NULL) {
  there <- recording_names(store)
  if (is.null(recording)) recording <- store$recording
  if (length(there) == 0) {
    stop("'", store$path, "' holds no recordings: `layerstats record NETWORK STORE` makes some.", call. = FALSE)
  }
  recording <- sub("^untrained/seed_", "untrained_", recording)
  if (length(recording) != 1 || !recording %in% there) {
    stop(if (length(recording) != 1) "Say which recording to read (recording = ...)." else
         paste0("The store has no recording '", recording, "'."), " There are: ", listed_names(there), ".",
         call. = FALSE)
  }
  if (!isTRUE(recording_attributes(store, recording)$complete)) {
    stop("The recording '", recording, "' of '", store$path, "' is half-written: ",
         length(written_rows(store, recording)), " of ", nrow(store_table(store, "tokens")), " tokens. Run the call ",
         "that recorded it again and it goes on from there.", call. = FALSE)
  }
  recording
}

# The only finished recording of a quantity, unless one is named.
recording_of <- function(store, quantity, recording = NULL) {
  if (!is.null(recording)) return(chosen_recording(store, recording))
  there <- recording_names(store)
  told <- lapply(there, function(name) recording_attributes(store, name))
  is_so <- vapply(told, function(one) identical(one$quantity, quantity), TRUE)
  trained <- is_so & vapply(told, function(one) isTRUE(one$trained), TRUE)
  found <- there[if (any(trained)) trained else is_so]
  if (length(found) != 1) {
    said <- if (length(found)) paste0("Several recordings are of ", quantity, ": say which to read (recording = ...).")
    else paste0("No recording of '", store$path, "' is of ", quantity, ".")
    stop(said, " There are: ", listed_names(if (length(found)) found else there), ".", call. = FALSE)
  }
  chosen_recording(store, found)
}

# Rows of the tokens whose values are there.
written_rows <- function(store, recording) {
  about <- recording_attributes(store, recording)
  count <- nrow(store_table(store, "tokens"))
  if (isTRUE(about$complete)) return(seq_len(count))
  if (store$version <= 2) return(seq_len(about$tokens_written))
  shards <- seq_len(ceiling(count / about$shard_tokens)) - 1
  folder <- recording_folder(store, recording)
  arrays <- unlist(lapply(unlist(about$layers), function(layer) {
    file.path(folder, layer, unlist(layer_attributes(store, recording, layer)$variables))
  }))
  arrays <- Filter(function(array) dimension_names(array)[1] == "token", arrays)
  there <- Filter(function(shard) {
    all(vapply(arrays, function(array) {
      place <- c(shard, rep(0, length(dimension_names(array)) - 1))
      file.exists(file.path(array, "c", paste(place, collapse = "/")))
    }, TRUE))
  }, if (length(arrays)) shards)
  rows <- unlist(lapply(there, function(shard) shard * about$shard_tokens + seq_len(about$shard_tokens)))
  rows[rows <= count]
}

recording_columns <- c("quantity", "network", "network_kind", "part", "network_seed", "trained", "rule", "complete",
                       "tokens", "layers", "variables", "maps", "seed", "model_hash", "key", "created_at")

#' The recordings of a store, and their layers
#'
#' @param store A store of [open_store()], or its path.
#' @param recording The recording, by name; by default the one that the store shows.
#' @return `recordings()`: one row a recording, with what it says of itself: `recording, quantity, network,
#'   network_kind, part, network_seed, trained, rule, complete, tokens, layers, variables, maps, seed, model_hash, key,
#'   created_at`.
#'   `layers()`: one row a layer: `layer, samples, channels` and what is known of its geometry.
#' @examples
#' store <- open_store(example_store())
#' recordings(store)[, c("recording", "quantity", "trained")]
#' layers(store)
#' @export
recordings <- function(store) {
  store <- as_store(store)
  rows <- lapply(recording_names(store), function(name) {
    about <- recording_attributes(store, name)
    seeds <- list(about$network_seed, about$seed)
    # Weights that were drawn have a seed of their own.
    if (!about$trained) seeds <- rev(seeds)
    variables <- unlist(about$variables)
    about$network_seed <- Filter(Negate(is.null), seeds)[1][[1]]
    about$tokens <- length(written_rows(store, name))
    about$layers <- length(about$layers)
    about$variables <- paste(variables, collapse = ", ")
    about$maps <- "maps" %in% variables
    values <- lapply(recording_columns, function(column) if (is.null(about[[column]])) NA else about[[column]])
    data.frame(recording = name, stats::setNames(values, recording_columns), stringsAsFactors = FALSE)
  })
  if (length(rows)) do.call(rbind, rows) else data.frame(recording = character(0), stringsAsFactors = FALSE)
}

layer_columns <- c("activation", "slope", "hop_s", "receptive_field_s", "offset_s", "geometry", "context")

#' @rdname recordings
#' @export
layers <- function(store, recording = NULL) {
  store <- as_store(store)
  recording <- chosen_recording(store, recording)
  rows <- lapply(unlist(recording_attributes(store, recording)$layers), function(layer) {
    about <- layer_attributes(store, recording, layer)
    folder <- file.path(recording_folder(store, recording), layer)
    sizes <- unlist(lapply(unlist(about$variables), function(variable) {
      shape <- unlist(zarr_metadata(file.path(folder, variable))$shape)
      stats::setNames(shape, dimension_names(file.path(folder, variable)))
    }))
    size <- function(dimension) if (dimension %in% names(sizes)) as.integer(sizes[[dimension]]) else NA_integer_
    channels <- if (is.null(about$channels)) NA else about$channels
    told <- lapply(layer_columns, function(column) if (is.null(about[[column]])) NA else about[[column]])
    data.frame(layer = layer, samples = size("sample"),
               channels = as.integer(if ("channel" %in% names(sizes)) size("channel") else channels),
               output_axes = paste(unlist(about$output_axes), collapse = ","), stats::setNames(told, layer_columns),
               stringsAsFactors = FALSE)
  })
  do.call(rbind, rows)
}

#' What a store holds
#'
#' @param object,x A store of [open_store()].
#' @param ... Not used.
#' @return `summary()`: a list of data frames: `words` (`word, tokens, speakers`, most tokens first), `columns` (columns
#'   of text of tokens and phones, with their levels where these are few), `recordings`, `layers` (of the recording that
#'   the store shows), `tables` (of results), `outcomes`, `judgements` (of outcomes) and `sums`, each a row a set.
#' @examples
#' store <- open_store(example_store())
#' summary(store)$words
#' @export
summary.layerstats_store <- function(object, ...) {
  tokens <- store_table(object, "tokens")
  structure(list(
    path = object$path, tokens = nrow(tokens), speakers = length(unique(tokens$speaker)),
    phones = nrow(store_table(object, "phones")), attributes = object$attributes, words = counted_words(tokens),
    columns = text_columns(object), recordings = recordings(object),
    layers = if (!is.null(object$recording)) layers(object), tables = result_listing(object),
    outcomes = block_listing(object, "outcomes"), judgements = block_listing(object, "judgements"),
    sums = block_listing(object, "sums")), class = "summary.layerstats_store")
}

counted_words <- function(tokens) {
  words <- sorted_by_code_point(unique(tokens$word))
  of_word <- factor(tokens$word, words)
  speakers <- tapply(tokens$speaker, of_word, function(names) length(unique(names)))
  table <- data.frame(word = words, tokens = as.integer(table(of_word)), speakers = as.integer(speakers),
                      stringsAsFactors = FALSE)
  table <- table[order(-table$tokens, seq_len(nrow(table))), , drop = FALSE]
  rownames(table) <- NULL
  table
}

text_columns <- function(store, most_levels = 12) {
  rows <- lapply(c("tokens", "phones"), function(name) {
    frame <- store_table(store, name)
    texts <- setdiff(names(frame)[vapply(frame, is.character, TRUE)], "token")
    lapply(texts, function(column) {
      levels <- sorted_by_code_point(unique(frame[[column]]))
      data.frame(table = name, column = column, levels = length(levels),
                 are = if (length(levels) <= most_levels) paste(levels, collapse = ", ") else "",
                 stringsAsFactors = FALSE)
    })
  })
  do.call(rbind, unlist(rows, recursive = FALSE))
}

result_listing <- function(store) {
  rows <- lapply(table_kinds, function(kind) lapply(table_names(store, kind), function(name) {
    about <- zarr_metadata(file.path(store$path, kind, name))$attributes
    columns <- unlist(about$columns)
    shape <- zarr_metadata(file.path(store$path, kind, name, columns[1]))$shape
    data.frame(kind = kind, name = name, rows = as.integer(unlist(shape)), columns = paste(columns, collapse = ", "),
               key = about$key, created_at = about$created_at, stringsAsFactors = FALSE)
  }))
  do.call(rbind, unlist(rows, recursive = FALSE))
}

listed_of_blocks <- list(
  outcomes = c("set_up", "network", "null", "prior", "objective", "complete", "created_at"),
  judgements = c("outcomes", "set_up", "network", "judge", "null", "complete", "created_at"),
  sums = c("recording", "quantity", "method", "rules", "complete", "created_at"))

block_listing <- function(store, kind) {
  rows <- lapply(block_names(store, kind), function(name) {
    folder <- file.path(store$path, kind, name)
    about <- zarr_metadata(folder)$attributes
    unit <- if (kind == "sums") "speaker" else "start"
    count <- as.integer(unlist(zarr_metadata(file.path(folder, unit))$shape))
    values <- lapply(listed_of_blocks[[kind]], function(column) if (is.null(about[[column]])) NA else about[[column]])
    data.frame(name = name, stats::setNames(list(count), paste0(unit, "s")),
               stats::setNames(values, listed_of_blocks[[kind]]), stringsAsFactors = FALSE)
  })
  do.call(rbind, rows)
}

#' @rdname summary.layerstats_store
#' @export
print.layerstats_store <- function(x, ...) {
  print(summary(x), ...)
  invisible(x)
}

#' @export
print.summary.layerstats_store <- function(x, ...) {
  cat("A store of layerstats: ", x$path, "\n", x$tokens, " tokens of ", x$speakers, " speakers, ", x$phones,
      " phones; schema version ", x$attributes$schema_version, "\n", sep = "")
  for (heading in c("words", "columns", "recordings", "tables", "outcomes", "judgements", "sums", "layers")) {
    table <- x[[heading]]
    if (is.null(table) || nrow(table) == 0) next
    cat("\n", toupper(substr(heading, 1, 1)), substring(heading, 2), "\n", sep = "")
    told <- !vapply(table, function(column) all(is.na(column) | column == ""), TRUE)
    print(utils::head(table[setdiff(names(table)[told], c("key", "model_hash"))], 30), row.names = FALSE)
    if (nrow(table) > 30) cat("and", nrow(table) - 30, "more\n")
  }
  invisible(x)
}
