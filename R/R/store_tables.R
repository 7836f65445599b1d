# Tables of a store, and what lies in it in blocks of starts or speakers.

# A table as a data frame; missing text and numbers are NA.
zarr_table <- function(folder) {
  names <- unlist(zarr_metadata(folder)$attributes$columns)
  columns <- lapply(names, function(name) {
    values <- read_array(file.path(folder, name))
    missing <- zarr_metadata(file.path(folder, name))$attributes$missing
    if (identical(missing, "empty")) values[values == ""] <- NA
    if (is.numeric(values)) values[is.nan(values)] <- NA
    values
  })
  if (length(unique(lengths(columns))) > 1) {
    stop("The store is damaged: '", folder, "' has columns of different lengths.", call. = FALSE)
  }
  data.frame(stats::setNames(columns, names), check.names = FALSE, stringsAsFactors = FALSE)
}

table_kinds <- c("judgements", "averages", "ratings")
block_kinds <- c("outcomes", "judgements", "sums")

# Judgements of outcomes lie beside those of clips; they, outcomes and sums are no tables.
is_in_blocks <- function(folder) {
  about <- zarr_metadata(folder)$attributes
  !is.null(about$shard_starts) || !is.null(about$shard_speakers)
}

table_names <- function(store, kind) {
  folders <- zarr_groups(file.path(store$path, kind))
  basename(as.character(Filter(function(folder) !is_in_blocks(folder), folders)))
}

block_names <- function(store, kind) {
  basename(as.character(Filter(is_in_blocks, zarr_groups(file.path(store$path, kind)))))
}

# A table of results by its name, or the only one of its kind.
result_table <- function(store, kind, name = NULL) {
  there <- table_names(store, kind)
  if (is.null(name) && length(there) == 1) name <- there
  if (length(there) == 0) stop("'", store$path, "' holds no ", kind, ".", call. = FALSE)
  if (is.null(name) || !name %in% there) {
    said <- if (is.null(name)) paste0("Say which table of ", kind, " to read (name = ...).") else
      paste0("'", store$path, "' has no table '", name, "' of ", kind, ".")
    stop(said, " There are: ", listed_names(there), ".", call. = FALSE)
  }
  zarr_table(file.path(store$path, kind, name))
}

listed_names <- function(names) if (length(names)) paste0("'", names, "'", collapse = ", ") else "none"

# The folder of the one group in blocks of which all is true; those that are no null, where there are some.
chosen_block <- function(store, kind, wanted) {
  asked <- Filter(Negate(is.null), wanted)
  there <- block_names(store, kind)
  if (length(there) == 0) stop("'", store$path, "' holds no ", kind, ".", call. = FALSE)
  about <- lapply(there, function(name) {
    c(zarr_metadata(file.path(store$path, kind, name))$attributes, name = name)
  })
  fits <- vapply(about, function(one) all(vapply(names(asked), function(attribute) {
    identical(one[[attribute]], asked[[attribute]])
  }, TRUE)), TRUE)
  is_null <- vapply(about, function(one) !is.null(one$null) && one$null != "", TRUE)
  found <- which(fits)
  if (length(found) > 1 && !"null" %in% names(asked) && any(!is_null[found])) found <- found[!is_null[found]]
  if (length(found) != 1) {
    described <- paste0(names(asked), " = \"", unlist(asked), "\"", collapse = ", ")
    stop(if (!length(asked)) paste0("Say which ", kind, " to read (name = ...).") else
         paste0("Not one but ", length(found), " ", kind, " of '", store$path, "' are so (", described, ")."),
         " There are: ", listed_names(if (length(found)) there[found] else there), ".", call. = FALSE)
  }
  if (!isTRUE(about[[found]]$complete)) {
    stop("'", there[found], "' is half-written. Run the call that wrote it again and it goes on from there.",
         call. = FALSE)
  }
  file.path(store$path, kind, there[found])
}

# An array of a group in blocks, its dimensions in the order of the store's, named by their labels where there are some.
block_array <- function(folder, variable) {
  if (!dir.exists(file.path(folder, variable))) {
    stop("There is no '", variable, "' in '", folder, "'.", call. = FALSE)
  }
  values <- read_array(file.path(folder, variable))
  if (is.null(dim(values))) return(values)
  values <- aperm(values)
  dimensions <- dimension_names(file.path(folder, variable))
  labels <- lapply(dimensions, function(name) {
    if (dir.exists(file.path(folder, name))) read_array(file.path(folder, name))
  })
  dimnames(values) <- stats::setNames(labels, dimensions)
  values
}
