# Recordings in R, as data frames: a store itself, or what `layerstats export` wrote of it. Needs nothing but base R, and
# ncdf4 for netCDF. docs/store-format.md says what a store is made of.
# store <- read_store("speech.zarr"); str(store$activations)

# path: a store (schema version 3), a netCDF file, or a folder of CSV tables. layers: names of layers, or NULL for all.
# recording: of a store, the name of the recording to read (read_recordings(path) lists them); by default the main one.
# untrained: of a store, whether to read the same of untrained networks too.
# Returns list(tokens, phones, activations): one row per clip; one per phone; and the tidy table with a row per
# layer, token and sample (token, word, speaker, split, layer, sample, time_s, value), which is called after its quantity
# where that is another. Where untrained networks were read, also untrained: the same with their seed. Tables of results
# are further elements, for instance judgements_words. Outcomes of maximizations and judgements of them may be large:
# read_outcomes(path), read_judgements(path) and read_sums(path) read those of a store.
read_store <- function(path, layers = NULL, recording = NULL, untrained = FALSE) {
  if (!file.exists(path)) stop("There is nothing at '", path, "'.", call. = FALSE)
  if (file.exists(file.path(path, "zarr.json"))) return(read_store_zarr(path, layers, recording, untrained))
  store <- if (dir.exists(path)) read_store_csv(path) else read_store_netcdf(path, layers)
  if (!is.null(layers)) {
    tidy <- Filter(function(name) "layer" %in% names(store[[name]]), names(store))
    check_layers(layers, unique(store[[tidy[1]]]$layer))
    for (name in tidy) {
      store[[name]] <- store[[name]][store[[name]]$layer %in% layers, , drop = FALSE]
      rownames(store[[name]]) <- NULL
    }
  }
  store
}

read_store_csv <- function(folder) {
  read_table <- function(name) {
    file <- file.path(folder, paste0(name, ".csv"))
    if (!file.exists(file)) stop("The folder '", folder, "' has no ", name, ".csv; export the store anew.", call. = FALSE)
    # Only an empty field is missing: "NA" may be a speaker or a label.
    utils::read.csv(file, na.strings = "", stringsAsFactors = FALSE, encoding = "UTF-8")
  }
  others <- sub("\\.csv$", "", list.files(folder, pattern = "\\.csv$"))
  values <- if ("activations" %in% others || length(setdiff(others, c("tokens", "phones"))) == 0) "activations"
  sapply(unique(c("tokens", "phones", values, others)), read_table, simplify = FALSE)
}

read_store_netcdf <- function(path, layers = NULL) {
  if (!requireNamespace("ncdf4", quietly = TRUE)) {
    stop("The R package 'ncdf4' is needed to read netCDF. Install it (Debian: apt install r-cran-ncdf4), ",
         "or export the store as CSV.", call. = FALSE)
  }
  file <- ncdf4::nc_open(path)
  on.exit(ncdf4::nc_close(file))
  recording <- paste0("recordings/", ncdf4::ncatt_get(file, 0, "recording")$value)
  series <- netcdf_series(file)
  means <- series[dirname(dirname(series)) == recording]
  names(means) <- basename(dirname(means))
  check_layers(layers, names(means))
  # The tokens label an axis, so they stand at the top of the file.
  tokens <- data.frame(token = netcdf_values(file, "token"), netcdf_table(file, "tokens"), stringsAsFactors = FALSE)
  wanted <- if (is.null(layers)) names(means) else layers
  activations <- lapply(wanted, function(layer) netcdf_layer(file, means[[layer]], layer, tokens))
  phones <- netcdf_table(file, "phones")
  names(phones)[names(phones) == "phone_token"] <- "token"
  quantity <- ncdf4::ncatt_get(file, 0, "quantity")$value
  values <- stats::setNames(list(do.call(rbind, activations)), values_name(quantity))
  c(list(tokens = tokens, phones = phones), values, netcdf_untrained(file, series, recording, wanted, tokens),
    netcdf_results(file))
}

# The variable that stands for each layer: its mean over channels, or what was recorded in its place.
netcdf_series <- function(file) {
  grep("^recordings/[^/]+/[^/]+/(mean|root_mean_square|sum)$", names(file$var), value = TRUE)
}

# list(untrained), or an empty list where there are none; they are the recordings after the main one.
netcdf_untrained <- function(file, series, recording, layers, tokens) {
  others <- setdiff(unique(dirname(dirname(series))), recording)
  if (length(others) == 0) return(list())
  blocks <- lapply(others, function(other) {
    said <- lapply(c("seed", "network_seed"), function(name) {
      ncdf4::ncatt_get(file, series[dirname(dirname(series)) == other][1], name)
    })
    seed <- Filter(function(attribute) attribute$hasatt, said)[[1]]$value
    values <- lapply(layers, function(layer) {
      netcdf_layer(file, series[dirname(series) == file.path(other, layer)], layer, tokens)
    })
    cbind(do.call(rbind, values), seed = seed)
  })
  list(untrained = do.call(rbind, blocks))
}

# Tables of results, by kind and name.
netcdf_results <- function(file) {
  kinds <- paste0("^(", paste(RESULT_KINDS, collapse = "|"), ")/[^/]+/")
  groups <- unique(dirname(grep(kinds, names(file$var), value = TRUE)))
  tables <- lapply(groups, function(group) {
    table <- netcdf_table(file, group)
    names(table) <- sub(paste0("^", dirname(group), "_token$"), "token", names(table))
    table
  })
  stats::setNames(tables, gsub("/", "_", groups))
}

RESULT_KINDS <- c("judgements", "averages", "ratings")

values_name <- function(quantity) if (identical(quantity, "activation")) "activations" else quantity

check_layers <- function(layers, known) {
  unknown <- setdiff(layers, known)
  if (length(unknown)) {
    stop("There is no layer '", unknown[1], "'. There are: ", paste(known, collapse = ", "), ".", call. = FALSE)
  }
}

# All variables of a group, which share one dimension, as columns.
netcdf_table <- function(file, group) {
  variables <- grep(paste0("^", group, "/"), names(file$var), value = TRUE)
  if (length(variables) == 0) return(data.frame())
  columns <- lapply(variables, function(name) netcdf_values(file, name))
  names(columns) <- basename(variables)
  as.data.frame(columns, stringsAsFactors = FALSE)
}

netcdf_layer <- function(file, variable, layer, tokens) {
  folder <- dirname(variable)
  # ncdf4 turns dimensions round: (sample, token), so that samples run fastest, as in the tidy table.
  value <- ncdf4::ncvar_get(file, variable, collapse_degen = FALSE)
  sample <- netcdf_values(file, paste0(folder, "/sample"))
  time_s <- netcdf_values(file, paste0(folder, "/time_s"))
  tidy_layer(layer, tokens, sample, time_s, value, ncdf4::ncatt_get(file, variable, "ragged")$hasatt)
}

# value: (sample, token), in R's order; where clips are as long as their tokens (ragged), NaN behind their ends.
tidy_layer <- function(layer, tokens, sample, time_s, value, ragged) {
  row <- rep(seq_len(nrow(tokens)), each = length(sample))
  frame <- data.frame(tokens[row, c("token", "word", "speaker", "split")], layer = layer,
             sample = rep(sample, nrow(tokens)), time_s = rep(time_s, nrow(tokens)), value = as.vector(value),
             row.names = NULL, stringsAsFactors = FALSE)
  if (ragged) frame <- frame[!is.na(frame$value), ]
  rownames(frame) <- NULL
  frame
}

netcdf_values <- function(file, name) {
  values <- as.vector(ncdf4::ncvar_get(file, name))
  has <- function(attribute, wanted) identical(ncdf4::ncatt_get(file, name, attribute)$value, wanted)
  if (is.character(values)) {
    Encoding(values) <- "UTF-8"
    if (has("missing", "empty")) values[values == ""] <- NA
  }
  if (has("dtype", "bool")) as.logical(values) else values
}

# ---- A store itself: Zarr v3 -----------------------------------------------------------------------------------------

# What a store holds: one row per recording, with what each says of itself.
read_recordings <- function(path) {
  check_schema(path)
  folders <- list.files(file.path(path, "recordings"), full.names = TRUE)
  folders <- folders[file.exists(file.path(folders, "zarr.json")) & !grepl("\\.partial$", folders)]
  about <- c("quantity", "network", "network_kind", "part", "network_seed", "trained", "rule", "seed", "complete")
  rows <- lapply(folders, function(folder) {
    told <- zarr_metadata(folder)$attributes
    values <- lapply(about, function(name) if (is.null(told[[name]])) NA else told[[name]])
    row <- data.frame(recording = basename(folder), stats::setNames(values, about), stringsAsFactors = FALSE)
    # Weights that were drawn have a seed of their own.
    if (is.na(row$network_seed) || (!row$trained && !is.na(row$seed))) row$network_seed <- row$seed
    row$layers <- paste(unlist(told$layers), collapse = ", ")
    row$variables <- paste(unlist(told$variables), collapse = ", ")
    row
  })
  if (length(rows) == 0) return(data.frame(recording = character(0), stringsAsFactors = FALSE))
  table <- do.call(rbind, rows)
  # The main recording first.
  table[order(table$recording != "activations", table$recording), , drop = FALSE]
}

# A variable of a layer as it was recorded, for instance maps: an array with the dimensions (token, channel, sample).
read_variable <- function(path, recording, layer, variable) {
  check_schema(path)
  folder <- file.path(path, "recordings", recording, layer, variable)
  if (!dir.exists(folder)) stop("There is no '", variable, "' in '", dirname(folder), "'.", call. = FALSE)
  values <- read_array(folder)
  values <- if (length(dim(values)) > 1) aperm(values) else values
  names <- unlist(zarr_metadata(folder)$dimension_names)
  if (length(names) > 1) dimnames(values) <- stats::setNames(vector("list", length(names)), names)
  values
}

# Vectors of phones at a layer: the table of phones with the columns of their tokens (token_onset_s where phones have
# onset_s too), duration_s of the phone, and vector, a matrix with a row a phone and a column a channel.
# recording: by default the main one. vectors[vectors$label == "s", ]$vector are those of one label.
read_phone_vectors <- function(path, layer, recording = NULL) {
  check_schema(path)
  about <- chosen_recording(read_recordings(path), recording)
  folder <- file.path(path, "recordings", about$recording)
  check_layers(layer, unlist(zarr_metadata(folder)$attributes$layers))
  if (!dir.exists(file.path(folder, layer, "phones"))) {
    stop("The recording '", about$recording, "' has no vectors of phones. Record them: layerstats record ... --phones.",
         call. = FALSE)
  }
  phones <- zarr_table(file.path(path, "phones"))
  tokens <- zarr_table(file.path(path, "tokens"))
  phones$duration_s <- phones$offset_s - phones$onset_s
  of_token <- tokens[match(phones$token, tokens$token), names(tokens) != "token", drop = FALSE]
  both <- names(of_token) %in% names(phones)
  names(of_token)[both] <- paste0("token_", names(of_token)[both])
  vectors <- cbind(phones, of_token)
  rownames(vectors) <- NULL
  vectors$vector <- unname(read_variable(path, about$recording, layer, "phones"))
  vectors
}

# The row of the recording of that name, or of the main one.
chosen_recording <- function(recordings, recording) {
  if (is.null(recording)) {
    recording <- if (nrow(recordings) == 1 || "activations" %in% recordings$recording) recordings$recording[1] else ""
  }
  if (!recording %in% recordings$recording) {
    stop("Say which recording to read (recording = ...). There are: ", paste(recordings$recording, collapse = ", "), ".",
         call. = FALSE)
  }
  about <- recordings[recordings$recording == recording, ]
  if (!about$complete) stop("The recording '", recording, "' is half-written; finish it first.", call. = FALSE)
  about
}

read_store_zarr <- function(path, layers, recording, untrained) {
  recordings <- read_recordings(path)
  clips <- list(tokens = zarr_table(file.path(path, "tokens")), phones = zarr_table(file.path(path, "phones")))
  # A store may hold nothing but results.
  if (nrow(recordings) == 0) return(c(clips, zarr_results(path)))
  about <- chosen_recording(recordings, recording)
  recording <- about$recording
  tokens <- clips$tokens
  known <- unlist(zarr_metadata(file.path(path, "recordings", recording))$attributes$layers)
  check_layers(layers, known)
  wanted <- if (is.null(layers)) known else layers
  read <- function(name) {
    do.call(rbind, lapply(wanted, function(layer) zarr_layer(file.path(path, "recordings", name, layer), layer, tokens)))
  }
  values <- stats::setNames(list(read(recording)), values_name(about$quantity))
  store <- c(clips, values)
  if (untrained) {
    alike <- recordings$quantity == about$quantity & !recordings$trained & recordings$complete
    others <- recordings[alike & recordings$recording != recording, ]
    others <- others[order(others$network_seed), ]
    blocks <- Map(function(name, seed) cbind(read(name), seed = seed), others$recording, others$network_seed)
    store$untrained <- do.call(rbind, unname(blocks))
  }
  c(store, zarr_results(path))
}

zarr_results <- function(path) {
  folders <- unlist(lapply(file.path(path, RESULT_KINDS), zarr_groups))
  # Judgements of outcomes lie beside those of clips, and are no tables.
  folders <- Filter(function(folder) is.null(zarr_metadata(folder)$attributes$shard_starts), folders)
  stats::setNames(lapply(folders, zarr_table), paste(basename(dirname(folders)), basename(folders), sep = "_"))
}

zarr_groups <- function(folder) {
  folders <- list.dirs(folder, recursive = FALSE)
  folders[file.exists(file.path(folders, "zarr.json")) & !grepl("\\.partial$", folders)]
}

# Outcomes of a maximization: one row per start, with its labels, what is known by start alone, and the scores of each
# class (scores_after_yes). name: by default the only ones there are. variable: read this one instead, for instance
# codes_after, as an array whose first dimension is named after the starts.
read_outcomes <- function(path, name = NULL, variable = NULL) {
  folder <- block_group(path, "outcomes", name)
  if (!is.null(variable)) return(block_array(folder, variable))
  about <- zarr_metadata(folder)$attributes
  columns <- list()
  for (column in c(unlist(about$axis_labels), unlist(about$variables))) {
    dimensions <- unlist(zarr_metadata(file.path(folder, column))$dimension_names)
    if (identical(dimensions, "start")) columns[[column]] <- read_array(file.path(folder, column))
    if (!identical(dimensions, c("start", "class"))) next
    scores <- block_array(folder, column)
    for (class in colnames(scores)) columns[[paste(column, class, sep = "_")]] <- unname(scores[, class])
  }
  data.frame(columns, check.names = FALSE, stringsAsFactors = FALSE)
}

# What a judge says of outcomes: outcomes, start, judge, response, score; a row per start and response of a judge that
# scores all of them, else a row per start. name: by default the only ones there are.
read_judgements <- function(path, name = NULL) {
  folder <- block_group(path, "judgements", name)
  about <- zarr_metadata(folder)$attributes
  start <- read_array(file.path(folder, "start"))
  response <- read_array(file.path(folder, "response"))
  scored <- "score" %in% unlist(about$variables)
  responses <- if (scored) length(response) else 1
  score <- if (scored) as.vector(t(block_array(folder, "score"))) else rep(NA_real_, length(start))
  score[is.nan(score)] <- NA
  if (!scored) response[response == ""] <- NA
  data.frame(outcomes = about$outcomes, start = rep(start, each = responses), judge = about$judge,
             response = if (scored) rep(response, length(start)) else response, score = score, stringsAsFactors = FALSE)
}

# Sums over windows: a variable, for instance relevance_sum (speaker, letter, alignment, frequency, lag) or coverage
# (speaker, letter, alignment, lag), as an array; a mean is a sum divided by the coverage. Labels without a dimension of
# their name (frequency_hz, lag_s) are read likewise. name: by default the only ones there are.
read_sums <- function(path, name = NULL, variable = "relevance_sum") {
  block_array(block_group(path, "sums", name), variable)
}

block_group <- function(path, kind, name) {
  check_schema(path)
  folders <- zarr_groups(file.path(path, kind))
  # Tables of results may lie beside them.
  is_block <- function(about) !is.null(about$shard_starts) || !is.null(about$shard_speakers)
  folders <- Filter(function(folder) is_block(zarr_metadata(folder)$attributes), folders)
  there <- basename(as.character(folders))
  if (is.null(name) && length(there) == 1) name <- there
  if (is.null(name) || !name %in% there) {
    stop("Say which ", kind, " to read (name = ...). There are: ", paste(there, collapse = ", "), ".", call. = FALSE)
  }
  folder <- file.path(path, kind, name)
  if (!zarr_metadata(folder)$attributes$complete) stop("'", name, "' is half-written; finish it first.", call. = FALSE)
  folder
}

block_array <- function(folder, variable) {
  if (!dir.exists(file.path(folder, variable))) {
    stop("There is no '", variable, "' in '", folder, "'.", call. = FALSE)
  }
  values <- read_array(file.path(folder, variable))
  if (is.null(dim(values))) return(values)
  values <- aperm(values)
  dimensions <- unlist(zarr_metadata(file.path(folder, variable))$dimension_names)
  # A dimension that has a label of its own name is called by it.
  labels <- lapply(dimensions, function(name) {
    if (dir.exists(file.path(folder, name))) read_array(file.path(folder, name))
  })
  dimnames(values) <- stats::setNames(labels, dimensions)
  values
}

zarr_layer <- function(folder, layer, tokens) {
  variables <- unlist(zarr_metadata(folder)$attributes$variables)
  is_series <- function(name) {
    identical(unlist(zarr_metadata(file.path(folder, name))$dimension_names), c("token", "sample"))
  }
  # A mean over channels where there is one, else what was recorded in its place.
  series <- Filter(is_series, unique(c(intersect(c("mean", "root_mean_square"), variables), variables)))
  if (length(series) == 0) {
    stop("Layer '", layer, "' has no series (token, sample); read_variable() reads ", paste(variables, collapse = ", "), ".",
         call. = FALSE)
  }
  time_s <- read_array(file.path(folder, "time_s"))
  ragged <- isTRUE(zarr_metadata(dirname(folder))$attributes$ragged)
  tidy_layer(layer, tokens, seq_along(time_s) - 1L, time_s, read_array(file.path(folder, series[1])), ragged)
}

zarr_table <- function(folder) {
  names <- unlist(zarr_metadata(folder)$attributes$columns)
  columns <- lapply(names, function(name) {
    values <- read_array(file.path(folder, name))
    missing <- zarr_metadata(file.path(folder, name))$attributes$missing
    if (identical(missing, "empty")) values[values == ""] <- NA
    if (is.numeric(values)) values[is.nan(values)] <- NA
    values
  })
  data.frame(stats::setNames(columns, names), check.names = FALSE, stringsAsFactors = FALSE)
}

check_schema <- function(path) {
  root <- paste(readLines(file.path(path, "zarr.json"), encoding = "UTF-8", warn = FALSE), collapse = "")
  found <- regmatches(root, regexpr('"schema_version": *[0-9]+', root))
  if (length(found) == 0) stop("'", path, "' is not a store of layerstats.", call. = FALSE)
  version <- as.integer(sub("^.*: *", "", found))
  if (version < 3) {
    stop("'", path, "' is of schema version ", version, ", which R does not read. Copy it: layerstats upgrade ", path,
         " NEW; or export it: layerstats export.", call. = FALSE)
  }
  if (version > 3) stop("'", path, "' is of schema version ", version, "; this reads version 3.", call. = FALSE)
}

zarr_metadata <- function(folder) {
  file <- file.path(folder, "zarr.json")
  if (!file.exists(file)) stop("The store is damaged: there is no '", file, "'.", call. = FALSE)
  parse_json(paste(readLines(file, encoding = "UTF-8", warn = FALSE), collapse = "\n"))
}

# All values of an array, its dimensions turned round: the last one runs fastest in Zarr, the first one in R.
read_array <- function(folder) {
  about <- zarr_metadata(folder)
  shape <- as.integer(unlist(about$shape))
  grid <- as.integer(unlist(about$chunk_grid$configuration$chunk_shape))
  values <- array(zarr_fill(about), rev(shape))
  if (prod(shape) == 0) return(as.vector(values))
  codecs <- about$codecs
  sharded <- codecs[[1]]$name == "sharding_indexed"
  inner <- if (sharded) as.integer(unlist(codecs[[1]]$configuration$chunk_shape)) else grid
  if (sharded) codecs <- codecs[[1]]$configuration$codecs
  for (place in grid_places(ceiling(shape / grid))) {
    file <- file.path(folder, "c", paste(place, collapse = "/"))
    if (!file.exists(file)) stop("The store is damaged: '", file, "' is missing.", call. = FALSE)
    content <- readBin(file, "raw", file.size(file))
    chunks <- if (sharded) shard_chunks(content, grid / inner) else list(list(place = place * 0, bytes = content))
    for (chunk in chunks) {
      first <- place * grid + chunk$place * inner
      size <- pmin(inner, shape - first)
      # A shard may reach beyond the end of the array.
      if (any(size <= 0)) next
      decoded <- array(decode_chunk(chunk$bytes, codecs, about$data_type, prod(inner)), rev(inner))
      kept <- do.call(`[`, c(list(decoded), lapply(rev(size), seq_len), drop = FALSE))
      where <- Map(function(start, length) start + seq_len(length), rev(first), rev(size))
      values <- do.call(`[<-`, c(list(values), unname(where), list(value = kept)))
    }
  }
  if (about$data_type == "int64" && all(abs(values) < 2^31)) storage.mode(values) <- "integer"
  if (length(shape) == 1) as.vector(values) else values
}

# All places of a grid, counted from 0, the last axis fastest.
grid_places <- function(counts) {
  places <- as.matrix(expand.grid(lapply(rev(counts), function(count) seq_len(count) - 1)))
  lapply(seq_len(nrow(places)), function(row) as.integer(rev(unname(places[row, ]))))
}

# The chunks of a shard: its last bytes are two whole numbers of 64 bits a chunk (offset, length) and a checksum.
shard_chunks <- function(content, counts) {
  places <- grid_places(counts)
  end <- length(content) - 4
  index <- read_int64(content[(end - 16 * length(places) + 1):end])
  offsets <- index[c(TRUE, FALSE)]
  lengths <- index[c(FALSE, TRUE)]
  # All bits set: the chunk was never written.
  written <- offsets >= 0 & lengths >= 0
  lapply(which(written), function(i) list(place = places[[i]], bytes = content[offsets[i] + seq_len(lengths[i])]))
}

decode_chunk <- function(bytes, codecs, type, count) {
  for (codec in rev(codecs)) {
    bytes <- switch(codec$name,
      gzip = memDecompress(bytes, "gzip"),
      crc32c = bytes[seq_len(length(bytes) - 4)],
      bytes = decode_numbers(bytes, type, count),
      `vlen-utf8` = decode_text(bytes),
      stop("Arrays with the codec '", codec$name, "' are not read.", call. = FALSE))
  }
  bytes
}

decode_numbers <- function(bytes, type, count) {
  switch(type,
    float32 = readBin(bytes, "double", count, size = 4, endian = "little"),
    float64 = readBin(bytes, "double", count, size = 8, endian = "little"),
    int64 = read_int64(bytes),
    bool = bytes != as.raw(0),
    stop("Arrays of type '", type, "' are not read.", call. = FALSE))
}

# R has no whole numbers of 64 bits: doubles hold them exactly up to 2^53.
read_int64 <- function(bytes) {
  halves <- readBin(bytes, "integer", length(bytes) / 4, size = 4, endian = "little")
  low <- halves[c(TRUE, FALSE)]
  high <- halves[c(FALSE, TRUE)]
  # NA is what R calls -2^31.
  low <- ifelse(is.na(low), 2^31, ifelse(low < 0, low + 2^32, low))
  ifelse(is.na(high), -2^31, high) * 2^32 + low
}

# How many texts there are, and each with its length before it.
decode_text <- function(bytes) {
  sizes <- function(at) readBin(bytes[at + 1:4], "integer", 1, size = 4, endian = "little")
  texts <- character(sizes(0))
  at <- 4
  for (i in seq_along(texts)) {
    size <- sizes(at)
    texts[i] <- rawToChar(bytes[at + 4 + seq_len(size)])
    at <- at + 4 + size
  }
  Encoding(texts) <- "UTF-8"
  texts
}

zarr_fill <- function(about) {
  if (about$data_type == "string") "" else if (about$data_type == "bool") FALSE else NA_real_
}

# JSON as lists; the metadata of a store need no more than this.
parse_json <- function(text) {
  pattern <- '"(\\\\.|[^"\\\\])*"|[][{},:]|-?[0-9][0-9.eE+-]*|true|false|null'
  tokens <- regmatches(text, gregexpr(pattern, text, perl = TRUE))[[1]]
  at <- 0
  following <- function() {
    at <<- at + 1
    tokens[at]
  }
  value <- function(token) {
    switch(substr(token, 1, 1),
      `{` = members(),
      `[` = items(),
      `"` = json_text(token),
      t = TRUE,
      f = FALSE,
      n = NULL,
      as.numeric(token))
  }
  members <- function() {
    found <- list()
    token <- following()
    while (token != "}") {
      if (token == ",") token <- following()
      name <- json_text(token)
      following()
      # A list in a list, so that null is kept out and not an error.
      found[name] <- list(value(following()))
      token <- following()
    }
    found
  }
  items <- function() {
    found <- list()
    token <- following()
    while (token != "]") {
      if (token == ",") token <- following()
      found <- c(found, list(value(token)))
      token <- following()
    }
    found
  }
  value(following())
}

json_text <- function(token) {
  text <- substr(token, 2, nchar(token) - 1)
  if (!grepl("\\", text, fixed = TRUE)) return(text)
  escaped <- gregexpr("\\\\(u[0-9a-fA-F]{4}|.)", text, perl = TRUE)
  plain <- function(code) {
    kind <- substr(code, 2, 2)
    switch(kind, u = intToUtf8(strtoi(substr(code, 3, 6), 16L)), n = "\n", t = "\t", r = "\r", b = "\b", f = "\f", kind)
  }
  regmatches(text, escaped) <- list(vapply(regmatches(text, escaped)[[1]], plain, ""))
  text
}
