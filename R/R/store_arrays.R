# The arrays of a store: Zarr v3 as docs/store-format.md says, in base R.

# The values of an array, its dimensions turned round: the last one runs fastest in Zarr, the first one in R.
# rows: which of the first dimension, ascending, from 1; only the files that hold them are read.
read_array <- function(folder, rows = NULL) {
  about <- zarr_metadata(folder)
  shape <- as.numeric(unlist(about$shape))
  grid <- as.numeric(unlist(about$chunk_grid$configuration$chunk_shape))
  if (is.null(rows)) rows <- seq_len(shape[1])
  kept <- c(length(rows), shape[-1])
  values <- rep(empty_value(about$data_type), prod(kept))
  if (length(values) > 0) {
    codecs <- about$codecs
    sharded <- codecs[[1]]$name == "sharding_indexed"
    inner <- if (sharded) as.numeric(unlist(codecs[[1]]$configuration$chunk_shape)) else grid
    if (sharded) codecs <- codecs[[1]]$configuration$codecs
    wanted <- split(seq_along(rows), (rows - 1) %/% grid[1])
    for (place in chunk_places(as.numeric(names(wanted)), ceiling(shape / grid)[-1])) {
      file <- file.path(folder, "c", paste(format(place, scientific = FALSE, trim = TRUE), collapse = "/"))
      for (chunk in file_chunks(file, if (sharded) grid / inner)) {
        first <- place * grid + chunk$place * inner
        # A shard may reach beyond the end of the array.
        size <- pmin(inner, shape - first)
        if (any(size <= 0)) next
        here <- wanted[[format(place[1], scientific = FALSE)]]
        here <- here[rows[here] > first[1] & rows[here] <= first[1] + size[1]]
        if (length(here) == 0) next
        decoded <- decoded_chunk(chunk$bytes, codecs, about$data_type, prod(inner), file)
        ends <- c(lapply(seq_along(size)[-1], function(axis) seq_len(size[axis])))
        whole <- length(here) == inner[1] && all(size == inner)
        if (!whole) decoded <- decoded[linear_index(c(list(rows[here] - first[1]), ends), inner)]
        # By one index: an array that do.call() assigns to by its dimensions is copied for every chunk.
        values[linear_index(c(list(here), Map(`+`, ends, first[-1])), kept)] <- decoded
      }
    }
  }
  if (about$data_type == "int64" && all(abs(values) < 2^31, na.rm = TRUE)) storage.mode(values) <- "integer"
  if (length(shape) > 1) dim(values) <- rev(kept)
  values
}

# Where the places of a block lie in an array of that shape whose last axis runs fastest; counted from 1, in the order
# of the block's own values.
linear_index <- function(places, shape) {
  if (prod(shape) < 2^31) {
    shape <- as.integer(shape)
    places <- lapply(places, as.integer)
  }
  index <- places[[1]] - 1L
  for (axis in seq_along(places)[-1]) {
    index <- rep(index * shape[axis], each = length(places[[axis]])) + (places[[axis]] - 1L)
  }
  index + 1L
}

# The places of files: those of the first axis, all of the others, counted from 0, the last axis fastest.
chunk_places <- function(first, counts) {
  axes <- c(lapply(rev(counts), function(count) seq_len(count) - 1), list(first))
  places <- as.matrix(expand.grid(axes))
  lapply(seq_len(nrow(places)), function(row) rev(unname(places[row, ])))
}

# The chunks of a file, still encoded. counts: of a shard, how many chunks it has along each axis.
file_chunks <- function(file, counts = NULL) {
  if (!file.exists(file)) stop("The store is damaged: '", file, "' is missing.", call. = FALSE)
  content <- readBin(file, "raw", file.size(file))
  if (is.null(counts)) return(list(list(place = 0, bytes = content)))
  # The last bytes of a shard are two whole numbers of 64 bits a chunk (offset, length) and a checksum.
  places <- chunk_places(seq_len(counts[1]) - 1, counts[-1])
  end <- length(content) - 4
  begin <- end - 16 * length(places)
  if (begin < 0) stop_damaged(file, "it is too short")
  index <- read_int64(content[(begin + 1):end])
  offsets <- index[c(TRUE, FALSE)]
  lengths <- index[c(FALSE, TRUE)]
  # All bits set: the chunk was never written.
  written <- !(offsets == -1 & lengths == -1)
  # What is left of a file that was cut off can look like any numbers.
  if (any(offsets[written] < 0 | lengths[written] < 0 | (offsets + lengths)[written] > begin)) stop_damaged(file, "its index is wrong")
  lapply(which(written), function(i) list(place = places[[i]], bytes = content[offsets[i] + seq_len(lengths[i])]))
}

stop_damaged <- function(file, why) {
  stop("The store is damaged: '", file, "' cannot be read (", why, "). Restore it from a copy, or record again.",
       call. = FALSE)
}

decoded_chunk <- function(bytes, codecs, type, count, file) {
  values <- tryCatch(decode_chunk(bytes, codecs, type, count),
                     unread = function(condition) stop(conditionMessage(condition), call. = FALSE),
                     error = function(condition) stop_damaged(file, conditionMessage(condition)))
  if (length(values) < count) stop_damaged(file, "it has too few values")
  values
}

decode_chunk <- function(bytes, codecs, type, count) {
  for (codec in rev(codecs)) {
    bytes <- switch(codec$name,
      gzip = memDecompress(bytes, "gzip"),
      zstd = decompress_zstd(bytes),
      crc32c = bytes[seq_len(length(bytes) - 4)],
      bytes = decode_numbers(bytes, type, count),
      `vlen-utf8` = decode_text(bytes),
      stop_unread("Arrays with the codec '", codec$name, "' are not read."))
  }
  bytes
}

# What is right, and not read here.
stop_unread <- function(...) {
  stop(structure(class = c("unread", "error", "condition"), list(message = paste0(...), call = NULL)))
}

# Stores of versions 1 and 2 are encoded so; R itself decodes it from 4.5 on.
decompress_zstd <- function(bytes) {
  if ("zstd" %in% eval(formals(memDecompress)$type)) return(memDecompress(bytes, "zstd"))
  if (Sys.which("zstd") == "") {
    stop_unread("Stores of schema versions 1 and 2 need zstd, which this R does not have. Install the program zstd ",
                "(Debian: apt install zstd), or copy the store: layerstats upgrade OLD NEW.")
  }
  file <- tempfile()
  on.exit(unlink(file))
  writeBin(bytes, file)
  decoded <- pipe(paste("zstd -dcq", shQuote(file)), "rb")
  on.exit(close(decoded), add = TRUE)
  pieces <- list()
  while (length(piece <- readBin(decoded, "raw", 2^20))) pieces[[length(pieces) + 1]] <- piece
  do.call(c, pieces)
}

decode_numbers <- function(bytes, type, count) {
  switch(type,
    float32 = readBin(bytes, "double", count, size = 4, endian = "little"),
    float64 = readBin(bytes, "double", count, size = 8, endian = "little"),
    int64 = read_int64(bytes),
    bool = bytes != as.raw(0),
    stop_unread("Arrays of type '", type, "' are not read."))
}

# R has no whole numbers of 64 bits: doubles hold them exactly up to 2^53.
read_int64 <- function(bytes) {
  halves <- readBin(bytes, "integer", length(bytes) / 4, size = 4, endian = "little")
  low <- as.numeric(halves[c(TRUE, FALSE)])
  high <- as.numeric(halves[c(FALSE, TRUE)])
  # NA is what R calls -2^31.
  low[is.na(low)] <- -2^31
  high[is.na(high)] <- -2^31
  low[low < 0] <- low[low < 0] + 2^32
  high * 2^32 + low
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

empty_value <- function(type) {
  if (type == "string") "" else if (type == "bool") FALSE else NA_real_
}
