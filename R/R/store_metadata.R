# What the files of a store say of themselves: JSON, and where things lie by the version of the schema.

# Stops where there is no store at `path`, or one of a later schema; the root's attributes.
root_attributes <- function(path) {
  if (!file.exists(path)) stop("There is nothing at '", path, "'.", call. = FALSE)
  if (!file.exists(file.path(path, "zarr.json"))) {
    stop("'", path, "' is not a store of layerstats: it has no zarr.json.", call. = FALSE)
  }
  about <- zarr_metadata(path)$attributes
  version <- about$schema_version
  if (is.null(version)) stop("'", path, "' is not a store of layerstats: it has no 'schema_version'.", call. = FALSE)
  if (!is.numeric(version) || version != round(version) || version < 1) {
    stop("The store '", path, "' is damaged: its schema_version is ", format(version),
         ", which is no whole number from 1.", call. = FALSE)
  }
  if (version > newest_schema) {
    stop("'", path, "' is of schema version ", version, "; this reads up to version ", newest_schema,
         ". Install a later version of this package.", call. = FALSE)
  }
  if (!isTRUE(about$complete)) {
    stop("The tables of '", path, "' are half-written. Run the recording again: it will write them anew.",
         call. = FALSE)
  }
  about
}

newest_schema <- 3

# Where a recording lies; up to version 2 there were a main one and untrained networks only.
recording_folder <- function(store, name) {
  if (store$version > 2) return(file.path(store$path, "recordings", name))
  if (grepl("^untrained_[0-9]+$", name)) name <- sub("^untrained_", "untrained/seed_", name)
  file.path(store$path, name)
}

# All recordings, the main one first.
recording_names <- function(store) {
  if (store$version > 2) {
    names <- basename(zarr_groups(file.path(store$path, "recordings")))
  } else {
    seeds <- basename(zarr_groups(file.path(store$path, "untrained")))
    seeds <- seeds[grepl("^seed_[0-9]+$", seeds)]
    names <- c(if (file.exists(file.path(store$path, "activations", "zarr.json"))) "activations",
               sub("^seed_", "untrained_", seeds[order(as.numeric(sub("^seed_", "", seeds)))]))
  }
  # The order of the alphabet is that of the characters, wherever this runs.
  if (store$version > 2) names <- sorted_by_code_point(names)
  names[order(names != "activations")]
}

# The attributes of a recording; those that version 3 added are said of earlier ones too.
recording_attributes <- function(store, name) {
  about <- zarr_metadata(recording_folder(store, name))$attributes
  if (store$version > 2) return(about)
  summary <- if (is.null(about$summary)) "mean" else about$summary
  new <- list(quantity = "activation", trained = !grepl("^untrained_", name),
              variables = as.list(c(summary, if (isTRUE(about$maps)) "maps")))
  utils::modifyList(about, new)
}

# The attributes of a layer.
layer_attributes <- function(store, recording, layer) {
  about <- zarr_metadata(file.path(recording_folder(store, recording), layer))$attributes
  if (store$version <= 2) about$variables <- recording_attributes(store, recording)$variables
  about
}

# The names of the dimensions of an array; arrays of version 1 may lack them.
dimension_names <- function(folder) {
  names <- unlist(zarr_metadata(folder)$dimension_names)
  usual <- list(time_s = "sample", mean = c("token", "sample"), root_mean_square = c("token", "sample"),
                maps = c("token", "channel", "sample"))
  if (is.null(names)) usual[[basename(folder)]] else names
}

# The finished groups in a folder.
zarr_groups <- function(folder) {
  folders <- list.dirs(folder, recursive = FALSE)
  folders[file.exists(file.path(folders, "zarr.json")) & !grepl("\\.partial$", folders)]
}

zarr_metadata <- function(folder) {
  file <- file.path(folder, "zarr.json")
  if (!file.exists(file)) stop("The store is damaged: there is no '", file, "'.", call. = FALSE)
  text <- readBin(file, "raw", file.size(file))
  tryCatch(parse_json(rawToChar(text)), error = function(condition) {
    stop("The store is damaged: '", file, "' cannot be read (", conditionMessage(condition), ").", call. = FALSE)
  })
}

# JSON as lists; the metadata of a store need no more than this.
parse_json <- function(text) {
  pattern <- '"(\\\\.|[^"\\\\])*+"|[][{},:]|-?[0-9][0-9.eE+-]*|true|false|null|[^ \\t\\r\\n]'
  # By bytes: in long texts of several bytes a character R would count from the beginning for every token.
  tokens <- regmatches(text, gregexpr(pattern, text, perl = TRUE, useBytes = TRUE))[[1]]
  Encoding(tokens) <- "UTF-8"
  at <- 0
  following <- function() {
    at <<- at + 1
    if (at > length(tokens)) stop("it ends too early", call. = FALSE)
    tokens[at]
  }
  expected <- function(token, wanted) {
    if (token != wanted) stop("there is ", token, " where ", wanted, " should be", call. = FALSE)
  }
  value <- function(token) {
    switch(token, `{` = members(), `[` = items(), true = TRUE, false = FALSE, null = NULL,
      if (startsWith(token, '"')) json_text(token) else json_number(token))
  }
  members <- function() {
    found <- list()
    token <- following()
    while (token != "}") {
      name <- json_text(token)
      expected(following(), ":")
      # A list in a list, so that null is kept and no error.
      found[name] <- list(value(following()))
      token <- following()
      if (token == ",") token <- following() else expected(token, "}")
    }
    found
  }
  items <- function() {
    found <- list()
    token <- following()
    while (token != "]") {
      found[length(found) + 1] <- list(value(token))
      token <- following()
      if (token == ",") token <- following() else expected(token, "]")
    }
    found
  }
  value(following())
}

json_number <- function(token) {
  number <- suppressWarnings(as.numeric(token))
  if (is.na(number)) stop("there is ", token, " where a value should be", call. = FALSE)
  number
}

json_text <- function(token) {
  if (!startsWith(token, '"') || nchar(token) < 2) stop("there is ", token, " where text should be", call. = FALSE)
  text <- substr(token, 2, nchar(token) - 1)
  if (!grepl("\\", text, fixed = TRUE)) return(text)
  escaped <- gregexpr("\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\\\(u[0-9a-fA-F]{4}|.)", text,
                      perl = TRUE)
  regmatches(text, escaped) <- list(vapply(regmatches(text, escaped)[[1]], json_character, ""))
  text
}

# What an escape stands for; characters beyond 16 bits are two of them.
json_character <- function(code) {
  digits <- function(from) strtoi(substr(code, from, from + 3), 16L)
  if (nchar(code) == 12) return(intToUtf8(65536 + (digits(3) - 55296) * 1024 + digits(9) - 56320))
  kind <- substr(code, 2, 2)
  switch(kind, u = intToUtf8(digits(3)), n = "\n", t = "\t", r = "\r", b = "\b", f = "\f", kind)
}
