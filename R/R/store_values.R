# Values of layers as tidy tables.

#' Activations and relevances of a store
#'
#' @inheritParams tokens
#' @param layer Layers by name; all by default.
#' @param recording The recording, by name (see [recordings()]). By default `activations()` reads the one that the store
#'   shows, and `relevance()` the only one of relevances.
#' @param phone Phones by label: the table keeps to the samples whose `time_s` lies in such a phone (onset <= time <
#'   offset), as it does where a condition is on a column of the phones.
#' @param time_s `c(start, end)`: the samples of a window in seconds of the clip, the end excluded.
#' @param values A variable by token and sample, for instance `"maps"` for every channel (adds the column `channel`) or
#'   `"input"` (adds `frequency`). By default the average over channels or, of relevances, what was added up over them.
#' @param columns More columns of the tokens, for instance `"duration_s"`, or of the phones where these are asked for.
#' @return A data frame: `token, word, speaker, split, layer, sample, time_s, value`, in this order of sorting: layer,
#'   token, phone, sample. Where phones are asked for also `phone, phone_index, phone_onset_s, phone_offset_s`. Samples
#'   and channels count from 0. The same as `to_frame()` of the Python package.
#' @examples
#' store <- open_store(example_store())
#' head(activations(store, layer = "conv1", word = "ask"))
#' head(activations(store, phone = "s", time_s = c(0, 0.5)))
#' head(activations(store, layer = "conv1", values = "maps"))
#' @export
activations <- function(store, layer = NULL, recording = NULL, ..., phone = NULL, time_s = NULL, values = NULL,
                        columns = character()) {
  store <- as_store(store)
  tidy_values(store, chosen_recording(store, recording), layer, list(...), phone, time_s, values, columns)
}

#' @rdname activations
#' @export
relevance <- function(store, layer = NULL, recording = NULL, ..., phone = NULL, time_s = NULL, values = NULL,
                      columns = character()) {
  store <- as_store(store)
  tidy_values(store, recording_of(store, "relevance", recording), layer, list(...), phone, time_s, values, columns)
}

phone_names <- c(label = "phone", phone_index = "phone_index", onset_s = "phone_onset_s", offset_s = "phone_offset_s")
token_columns <- c("token", "word", "speaker", "split")

tidy_values <- function(store, recording, layer, wanted, phone, time_s, values, columns) {
  rows <- selected_rows(store, wanted, phone)
  if (length(rows$tokens) == 0) {
    stop("Nothing is selected: no token meets all conditions of the query. Widen it.", call. = FALSE)
  }
  layer <- selected_layers(store, recording, layer)
  values <- if (is.null(values)) series_variable(store, recording, layer[1]) else values
  chosen <- list(tokens = taken_rows(store_table(store, "tokens"), rows$tokens), rows = rows$tokens,
                 phones = if (rows$asks_for_phones) taken_rows(store_table(store, "phones"), rows$phones),
                 window = time_window(time_s), ragged = isTRUE(recording_attributes(store, recording)$ragged))
  extra <- extra_columns(chosen, columns)
  blocks <- lapply(layer, function(name) {
    folder <- file.path(recording_folder(store, recording), name)
    layer_table(chosen, folder, name, values, extra)
  })
  table <- do.call(rbind, blocks)
  if (nrow(table) == 0) {
    stop("Nothing is selected: no sample of these layers lies in the time window or intervals of phones. Widen the ",
         "query, or choose a layer with a smaller hop.", call. = FALSE)
  }
  rownames(table) <- NULL
  table
}

# The series (token, sample) that stands for a layer: its mean where there is one, else what was recorded in its place.
series_variable <- function(store, recording, layer) {
  folder <- file.path(recording_folder(store, recording), layer)
  variables <- unlist(layer_attributes(store, recording, layer)$variables)
  usual <- intersect(c("mean", "root_mean_square"), variables)
  is_series <- function(name) identical(dimension_names(file.path(folder, name)), c("token", "sample"))
  series <- Filter(is_series, unique(c(usual, variables)))
  if (length(series) == 0) {
    stop("The recording '", recording, "' of '", store$path, "' has no series (token, sample). Its variables are ",
         paste(variables, collapse = ", "), "; read_variable() reads them.", call. = FALSE)
  }
  series[1]
}

extra_columns <- function(chosen, columns) {
  of_tokens <- intersect(setdiff(columns, token_columns), names(chosen$tokens))
  of_phones <- setdiff(columns, c(token_columns, of_tokens))
  unknown <- setdiff(of_phones, names(chosen$phones))
  if (length(unknown)) {
    stop("There is no column '", unknown[1], "'. There are: ",
         paste(c(names(chosen$tokens), names(chosen$phones)), collapse = ", "), ".", call. = FALSE)
  }
  own <- intersect(of_tokens, c("layer", "sample", "time_s", "value", if (!is.null(chosen$phones)) phone_names))
  if (length(own)) {
    stop("The column '", own[1], "' of the tokens cannot stand beside that of the table.", call. = FALSE)
  }
  list(tokens = of_tokens, phones = setdiff(of_phones, names(phone_names)))
}

layer_table <- function(chosen, folder, layer, variable, extra) {
  dimensions <- if (dir.exists(file.path(folder, variable))) dimension_names(file.path(folder, variable))
  if (is.null(dimensions)) {
    stop("The layer '", layer, "' has no '", variable, "'.", if (variable == "maps") " Record it with maps.",
         call. = FALSE)
  }
  if (dimensions[1] != "token" || dimensions[length(dimensions)] != "sample" || length(dimensions) > 3) {
    stop("Of '", variable, "' with the dimensions ", paste(dimensions, collapse = ", "), " there is no tidy table; ",
         "read_variable() reads it.", call. = FALSE)
  }
  time_s <- read_array(file.path(folder, "time_s"))
  window <- samples_within(time_s, chosen$window[1], chosen$window[2])
  # (sample, channel, token) in R's order.
  read <- read_array(file.path(folder, variable), chosen$rows)
  if (length(dimensions) == 2) dim(read) <- c(dim(read)[1], 1, dim(read)[2])
  place <- sample_rows(chosen, time_s, window)
  if (chosen$ragged) {
    # NaN follows the last sample of clips that are shorter.
    ends <- apply(!is.na(read), 3, function(values) sum(rowSums(matrix(values, dim(read)[1])) > 0))
    kept <- place$sample <= ends[place$token]
    place <- lapply(place, function(one) one[kept])
  }
  layer_frame(chosen, layer, place, time_s, read, if (length(dimensions) == 3) dimensions[2], extra)
}

# For every row of a table: which of the selected tokens and phones, and which sample, counted from 1.
sample_rows <- function(chosen, time_s, window) {
  if (is.null(chosen$phones)) {
    samples <- window$first + seq_len(window$end - window$first) - 1
    count <- nrow(chosen$tokens)
    return(list(token = rep(seq_len(count), each = length(samples)), sample = rep(samples, count)))
  }
  within <- samples_within(time_s, chosen$phones$onset_s, chosen$phones$offset_s)
  first <- pmin(pmax(within$first, window$first), window$end)
  end <- pmin(pmax(within$end, window$first), window$end)
  phone <- rep(seq_along(first), end - first)
  token <- match(chosen$phones$token, chosen$tokens$token)
  list(token = token[phone], phone = phone, sample = sequence(end - first, first))
}

layer_frame <- function(chosen, layer, place, time_s, read, channel, extra) {
  size <- dim(read)
  channels <- if (is.null(channel)) 1 else size[2]
  # Channels run fastest, as in the tables of the Python package.
  place <- lapply(place, rep, each = channels)
  along <- rep(seq_len(channels), length.out = length(place$sample))
  frame <- as.list(chosen$tokens[token_columns])
  frame <- c(lapply(frame, `[`, place$token), list(layer = rep(layer, length(along))))
  if (!is.null(channel)) frame[[channel]] <- along - 1L
  frame$sample <- as.integer(place$sample - 1)
  frame$time_s <- time_s[place$sample]
  frame$value <- read[place$sample + size[1] * (along - 1 + size[2] * (place$token - 1))]
  if (!is.null(chosen$phones)) {
    for (name in names(phone_names)) frame[[phone_names[[name]]]] <- chosen$phones[[name]][place$phone]
    for (name in extra$phones) frame[[name]] <- chosen$phones[[name]][place$phone]
  }
  for (name in extra$tokens) frame[[name]] <- chosen$tokens[[name]][place$token]
  data.frame(frame, check.names = FALSE, stringsAsFactors = FALSE)
}

#' Vectors of phones
#'
#' The channels of a layer, averaged over the samples of each phone.
#'
#' @inheritParams tokens
#' @param layer The layer.
#' @param recording The recording, by name; by default the one that the store shows.
#' @return The table of phones with the columns of their tokens (`token_onset_s` where phones have `onset_s` too),
#'   `duration_s` of the phone, and `vector`, a matrix with a row a phone and a column a channel.
#' @examples
#' store <- open_store(example_store())
#' vectors <- phone_vectors(store, "conv1", recording = "vectors", phone = "s")
#' vectors[, c("token", "label", "speaker", "duration_s")]
#' dim(vectors$vector)
#' @export
phone_vectors <- function(store, layer, recording = NULL, ..., phone = NULL) {
  store <- as_store(store)
  recording <- chosen_recording(store, recording)
  layer <- selected_layers(store, recording, layer)
  if (length(layer) != 1) stop("Vectors are of one layer: give one, as in layer = \"conv1\".", call. = FALSE)
  folder <- file.path(recording_folder(store, recording), layer, "phones")
  if (!dir.exists(folder)) {
    stop("The recording '", recording, "' has no vectors of phones. Record them: layerstats record ... --phones.",
         call. = FALSE)
  }
  rows <- selected_rows(store, list(...), phone)
  if (length(rows$phones) == 0) stop("No phone meets all conditions. Widen the query.", call. = FALSE)
  vectors <- taken_rows(store_table(store, "phones"), rows$phones)
  tokens <- store_table(store, "tokens")
  vectors$duration_s <- vectors$offset_s - vectors$onset_s
  of_token <- tokens[match(vectors$token, tokens$token), names(tokens) != "token", drop = FALSE]
  both <- names(of_token) %in% names(vectors)
  names(of_token)[both] <- paste0("token_", names(of_token)[both])
  vectors <- cbind(vectors, of_token)
  rownames(vectors) <- NULL
  vectors$vector <- t(read_array(folder, rows$phones))
  vectors
}

#' A variable of a layer as it was recorded
#'
#' @inheritParams phone_vectors
#' @param variable Its name, for instance `"maps"`.
#' @return An array with the dimensions of the store, (token, channel, sample) for instance, of all tokens.
#' @examples
#' store <- open_store(example_store())
#' dim(read_variable(store, "activations", "conv1", "maps"))
#' @export
read_variable <- function(store, recording, layer, variable) {
  store <- as_store(store)
  folder <- file.path(recording_folder(store, chosen_recording(store, recording)), layer, variable)
  if (!dir.exists(folder)) stop("There is no '", variable, "' in '", dirname(folder), "'.", call. = FALSE)
  values <- read_array(folder)
  names <- dimension_names(folder)
  if (length(names) > 1) {
    values <- aperm(values)
    dimnames(values) <- stats::setNames(vector("list", length(names)), names)
  }
  values
}
