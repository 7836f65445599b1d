# Recordings in R: what `layerstats export` wrote, as data frames. Needs ncdf4 for netCDF, nothing for CSV.
# source("R/read_store.R"); store <- read_store("store.nc"); str(store$activations)

# path: a netCDF file, or a folder of CSV tables. layers: names of layers, or NULL for all.
# Returns list(tokens, phones, activations): one row per clip; one per phone; and the tidy table with a row per
# layer, token and sample (token, word, speaker, split, layer, sample, time_s, value). Where untrained networks were
# exported too, also untrained: the same with their seed.
read_store <- function(path, layers = NULL) {
  if (!file.exists(path)) stop("There is nothing at '", path, "'.", call. = FALSE)
  store <- if (dir.exists(path)) read_store_csv(path) else read_store_netcdf(path, layers)
  if (!is.null(layers)) {
    check_layers(layers, unique(store$activations$layer))
    for (name in intersect(c("activations", "untrained"), names(store))) {
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
  untrained <- if (file.exists(file.path(folder, "untrained.csv"))) "untrained"
  sapply(c("tokens", "phones", "activations", untrained), read_table, simplify = FALSE)
}

read_store_netcdf <- function(path, layers = NULL) {
  if (!requireNamespace("ncdf4", quietly = TRUE)) {
    stop("The R package 'ncdf4' is needed to read netCDF. Install it (Debian: apt install r-cran-ncdf4), ",
         "or export the store as CSV.", call. = FALSE)
  }
  file <- ncdf4::nc_open(path)
  on.exit(ncdf4::nc_close(file))
  recording <- ncdf4::ncatt_get(file, 0, "recording")$value
  means <- grep(paste0("^", recording, "/[^/]+/mean$"), names(file$var), value = TRUE)
  names(means) <- substring(dirname(means), nchar(recording) + 2)
  check_layers(layers, names(means))
  # The tokens label an axis, so they stand at the top of the file.
  tokens <- data.frame(token = netcdf_values(file, "token"), netcdf_table(file, "tokens"), stringsAsFactors = FALSE)
  wanted <- if (is.null(layers)) names(means) else layers
  activations <- lapply(wanted, function(layer) netcdf_layer(file, dirname(means[[layer]]), layer, tokens))
  phones <- netcdf_table(file, "phones")
  names(phones)[names(phones) == "phone_token"] <- "token"
  c(list(tokens = tokens, phones = phones, activations = do.call(rbind, activations)),
    netcdf_untrained(file, wanted, tokens))
}

# list(untrained), or an empty list where there are none.
netcdf_untrained <- function(file, layers, tokens) {
  groups <- unique(dirname(dirname(grep("^untrained/seed_[0-9]+/[^/]+/mean$", names(file$var), value = TRUE))))
  # An untrained recording that was exported by itself is the file's main one.
  groups <- setdiff(groups, ncdf4::ncatt_get(file, 0, "recording")$value)
  if (length(groups) == 0) return(list())
  blocks <- lapply(groups, function(group) {
    seed <- as.integer(sub("^.*_", "", group))
    values <- do.call(rbind, lapply(layers, function(layer) netcdf_layer(file, file.path(group, layer), layer, tokens)))
    cbind(values, seed = seed)
  })
  list(untrained = do.call(rbind, blocks))
}

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

netcdf_layer <- function(file, folder, layer, tokens) {
  # ncdf4 turns dimensions round: (sample, token), so that samples run fastest, as in the tidy table.
  value <- ncdf4::ncvar_get(file, paste0(folder, "/mean"), collapse_degen = FALSE)
  sample <- netcdf_values(file, paste0(folder, "/sample"))
  time_s <- netcdf_values(file, paste0(folder, "/time_s"))
  row <- rep(seq_len(nrow(tokens)), each = length(sample))
  data.frame(tokens[row, c("token", "word", "speaker", "split")], layer = layer,
             sample = rep(sample, nrow(tokens)), time_s = rep(time_s, nrow(tokens)), value = as.vector(value),
             row.names = NULL, stringsAsFactors = FALSE)
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
