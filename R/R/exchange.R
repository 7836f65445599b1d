# Values that go to Python and come back without loss; layerstats/cli/r_requests/exchange.py says how they are laid out.

# Writes NAME.json and NAME.bin.
write_exchange <- function(stem, value) {
  numbers <- new.env()
  numbers$pieces <- list()
  numbers$count <- 0
  text <- enc2utf8(exchange_json(value, numbers))
  bytes <- file(paste0(stem, ".bin"), "wb")
  on.exit(close(bytes))
  for (piece in numbers$pieces) writeBin(piece, bytes, endian = "little")
  # As bytes: a connection would write text in the encoding of the locale.
  writeBin(charToRaw(text), paste0(stem, ".json"))
}

exchange_json <- function(value, numbers) {
  if (is.null(value)) return("null")
  if (is.data.frame(value) || is.list(value)) {
    inner <- vapply(unclass(value), exchange_json, "", numbers = numbers)
    kind <- if (is.data.frame(value)) "frame" else "list"
    names <- if (is.null(names(value))) "null" else json_texts(names(value))
    rows <- if (is.data.frame(value)) paste0(", \"rows\": ", format(nrow(value), scientific = FALSE)) else ""
    return(paste0("{\"kind\": \"", kind, "\", \"names\": ", names, rows, ", \"values\": [", paste(inner, collapse = ", "), "]}"))
  }
  if (is.factor(value)) return(exchange_levels(as.integer(value), levels(value), "factor", is.ordered(value), numbers))
  if (is.character(value)) {
    value <- enc2utf8(value)
    levels <- unique(value[!is.na(value)])
    return(exchange_levels(match(value, levels), levels, "text", FALSE, numbers))
  }
  kind <- if (is.logical(value)) "logical" else if (is.integer(value)) "integer" else "number"
  if (!is.numeric(value) && !is.logical(value)) {
    stop("A value of class '", class(value)[1], "' cannot be sent to Python.", call. = FALSE)
  }
  shape <- if (is.null(dim(value))) "" else paste0(", \"shape\": [", paste(dim(value), collapse = ", "), "]")
  paste0("{\"kind\": \"", kind, "\", ", exchange_numbers(value, numbers), shape, "}")
}

exchange_levels <- function(codes, levels, kind, ordered, numbers) {
  paste0("{\"kind\": \"", kind, "\", ", exchange_numbers(codes, numbers), ", \"levels\": ", json_texts(levels),
         ", \"ordered\": ", if (ordered) "true" else "false", "}")
}

# Where the numbers of a vector will lie in the binary file; NA is written as NaN.
exchange_numbers <- function(value, numbers) {
  at <- numbers$count
  numbers$count <- at + length(value)
  numbers$pieces[[length(numbers$pieces) + 1]] <- as.double(value)
  paste0("\"at\": ", format(at, scientific = FALSE), ", \"length\": ", format(length(value), scientific = FALSE))
}

json_texts <- function(texts) {
  texts <- gsub("\\", "\\\\", enc2utf8(texts), fixed = TRUE)
  texts <- gsub("\"", "\\\"", texts, fixed = TRUE)
  for (code in c(1:31, 127)) {
    texts <- gsub(rawToChar(as.raw(code)), sprintf("\\u%04x", code), texts, fixed = TRUE)
  }
  if (length(texts) == 0) "[]" else paste0("[", paste0("\"", texts, "\"", collapse = ", "), "]")
}

# Reads what Python wrote.
read_exchange <- function(stem) {
  file <- paste0(stem, ".bin")
  numbers <- readBin(file, "double", file.size(file) / 8, endian = "little")
  text <- readBin(paste0(stem, ".json"), "raw", file.size(paste0(stem, ".json")))
  exchange_value(parse_json(rawToChar(text)), numbers)
}

exchange_value <- function(node, numbers) {
  if (is.null(node)) return(NULL)
  if (node$kind %in% c("list", "frame")) {
    values <- lapply(node$values, exchange_value, numbers = numbers)
    if (!is.null(node$names)) names(values) <- unlist(node$names)
    if (node$kind == "list") return(values)
    return(structure(values, row.names = .set_row_names(node$rows), class = "data.frame"))
  }
  vector <- numbers[node$at + seq_len(node$length)]
  if (node$kind == "text") return(as.character(unlist(node$levels))[vector])
  if (node$kind == "integer" && all(abs(vector) < 2^31, na.rm = TRUE)) vector <- as.integer(vector)
  if (node$kind == "logical") vector <- as.logical(vector)
  if (!is.null(node$shape)) dim(vector) <- unlist(node$shape)
  vector
}
