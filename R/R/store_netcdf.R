# What `layerstats export --to netcdf` wrote: one file with the groups of the store.

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
  check_known_values("layer", layers, names(means))
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
  kinds <- paste0("^(", paste(table_kinds, collapse = "|"), ")/[^/]+/")
  groups <- unique(dirname(grep(kinds, names(file$var), value = TRUE)))
  tables <- lapply(groups, function(group) {
    table <- netcdf_table(file, group)
    names(table) <- sub(paste0("^", dirname(group), "_token$"), "token", names(table))
    table
  })
  stats::setNames(tables, gsub("/", "_", groups))
}

# All variables of a group, which share one dimension, as columns.
netcdf_table <- function(file, group) {
  variables <- grep(paste0("^", group, "/"), names(file$var), value = TRUE)
  if (length(variables) == 0) return(data.frame())
  columns <- lapply(variables, function(name) netcdf_values(file, name))
  names(columns) <- basename(variables)
  as.data.frame(columns, stringsAsFactors = FALSE)
}

# The tidy table of a layer; where clips are as long as their tokens (ragged), without the NaN behind their ends.
netcdf_layer <- function(file, variable, layer, tokens) {
  folder <- dirname(variable)
  # ncdf4 turns dimensions round: (sample, token), so that samples run fastest, as in the tidy table.
  value <- as.vector(ncdf4::ncvar_get(file, variable, collapse_degen = FALSE))
  sample <- netcdf_values(file, paste0(folder, "/sample"))
  time_s <- netcdf_values(file, paste0(folder, "/time_s"))
  row <- rep(seq_len(nrow(tokens)), each = length(sample))
  frame <- data.frame(tokens[row, token_columns], layer = layer, sample = rep(sample, nrow(tokens)),
                      time_s = rep(time_s, nrow(tokens)), value = value, row.names = NULL, stringsAsFactors = FALSE)
  ragged <- ncdf4::ncatt_get(file, variable, "ragged")$hasatt
  if (ragged) taken_rows(frame, !is.na(frame$value)) else frame
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
