# All of a recording at once, and what `layerstats export` wrote of it.

#' Read recordings: a store itself, or an export of it
#'
#' For a part of a store [open_store()] and its verbs are quicker: they read what is asked for.
#'
#' @param path A store, a netCDF file (needs the package ncdf4), or a folder of CSV tables.
#' @param layers Names of layers, or `NULL` for all.
#' @param recording Of a store, the name of the recording to read; by default the main one.
#' @param untrained Of a store, whether to read the same of untrained networks too.
#' @return A list of data frames: `tokens`, one row a clip; `phones`, one row a phone; and `activations`, a row a layer,
#'   token and sample (`token, word, speaker, split, layer, sample, time_s, value`), which is called after its quantity
#'   where that is another. Where untrained networks were read, also `untrained`: the same with their seed. Tables of
#'   results are further elements, for instance `judgements_words`.
#' @examples
#' read <- read_store(example_store(), layers = "conv1")
#' names(read)
#' head(read$activations)
#' @export
read_store <- function(path, layers = NULL, recording = NULL, untrained = FALSE) {
  if (!file.exists(path)) stop("There is nothing at '", path, "'.", call. = FALSE)
  if (file.exists(file.path(path, "zarr.json"))) return(read_whole_store(path, layers, recording, untrained))
  store <- if (dir.exists(path)) read_store_csv(path) else read_store_netcdf(path, layers)
  if (!is.null(layers)) {
    tidy <- Filter(function(name) "layer" %in% names(store[[name]]), names(store))
    check_known_values("layer", layers, unique(store[[tidy[1]]]$layer))
    for (name in tidy) store[[name]] <- taken_rows(store[[name]], store[[name]]$layer %in% layers)
  }
  store
}

read_whole_store <- function(path, layers, recording, untrained) {
  store <- open_store(path)
  clips <- list(tokens = store_table(store, "tokens"), phones = store_table(store, "phones"))
  # A store may hold nothing but results.
  if (length(recording_names(store)) == 0) return(c(clips, all_results(store)))
  recording <- chosen_recording(store, recording)
  about <- recordings(store)
  quantity <- about$quantity[about$recording == recording]
  values <- stats::setNames(list(activations(store, layers, recording)), values_name(quantity))
  if (untrained) {
    others <- about[about$quantity == quantity & !about$trained & about$complete & about$recording != recording, ]
    others <- others[order(others$network_seed), ]
    blocks <- Map(function(name, seed) cbind(activations(store, layers, name), seed = seed), others$recording,
                  others$network_seed)
    values$untrained <- do.call(rbind, unname(blocks))
  }
  c(clips, values, all_results(store))
}

values_name <- function(quantity) if (identical(quantity, "activation")) "activations" else quantity

# All tables of results, by kind and name.
all_results <- function(store) {
  tables <- lapply(table_kinds, function(kind) {
    names <- table_names(store, kind)
    found <- lapply(names, function(name) result_table(store, kind, name))
    stats::setNames(found, paste(rep(kind, length(names)), names, sep = "_"))
  })
  do.call(c, tables)
}

read_store_csv <- function(folder) {
  read_table <- function(name) {
    file <- file.path(folder, paste0(name, ".csv"))
    if (!file.exists(file)) {
      stop("The folder '", folder, "' has no ", name, ".csv; export the store anew.", call. = FALSE)
    }
    # Only an empty field is missing: "NA" may be a speaker or a label.
    utils::read.csv(file, na.strings = "", stringsAsFactors = FALSE, encoding = "UTF-8")
  }
  others <- sub("\\.csv$", "", list.files(folder, pattern = "\\.csv$"))
  values <- if ("activations" %in% others || length(setdiff(others, c("tokens", "phones"))) == 0) "activations"
  sapply(unique(c("tokens", "phones", values, others)), read_table, simplify = FALSE)
}

#' A small store to try things with
#'
#' Twelve clips of three words by four speakers, with what two layers do with them, relevances, an untrained network,
#' vectors of phones, outcomes of a maximization, judgements and ratings: random numbers, all of them.
#'
#' @return The path of the store, in the session's temporary folder.
#' @examples
#' open_store(example_store())
#' @export
example_store <- function() {
  path <- file.path(tempdir(), "layerstats-example", "small.zarr")
  if (!file.exists(file.path(path, "zarr.json"))) {
    archive <- system.file("extdata", "small.zarr.zip", package = "layerstats", mustWork = TRUE)
    utils::unzip(archive, exdir = dirname(path))
  }
  path
}

#' Verbs that read from a path
#'
#' Kept for scripts that use them; [open_store()] and its verbs do more.
#'
#' @param path A store.
#' @param name,variable,layer,recording As for [outcomes()], [window_sums()] and [phone_vectors()].
#' @return `read_recordings()`: as [recordings()]. `read_outcomes()`: as [outcomes()]. `read_judgements()`: as
#'   [judgements()] of outcomes. `read_sums()`: as [window_sums()]. `read_phone_vectors()`: as [phone_vectors()].
#' @examples
#' read_recordings(example_store())[, 1:3]
#' @export
read_recordings <- function(path) recordings(path)

#' @rdname read_recordings
#' @export
read_outcomes <- function(path, name = NULL, variable = NULL) outcomes(path, name, variable = variable)

#' @rdname read_recordings
#' @export
read_judgements <- function(path, name = NULL) judgements(path, name)

#' @rdname read_recordings
#' @export
read_sums <- function(path, name = NULL, variable = "relevance_sum") window_sums(path, name, variable = variable)

#' @rdname read_recordings
#' @export
read_phone_vectors <- function(path, layer, recording = NULL) phone_vectors(path, layer, recording)
