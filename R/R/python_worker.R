# The Python process that fits models by the structured engine: started when it is first needed, kept for the session.

python_worker <- new.env(parent = emptyenv())

# Seconds that Python may take to start.
PYTHON_START_S <- 120

#' The Python that fits models by the structured engine
#'
#' `gamm_fit(engine = "structured")` asks a Python that has the package layerstats. It is, in this order: the option
#' `layerstats.python`, the environment variable `LAYERSTATS_PYTHON`, the Python of the command `layerstats` on the `PATH`,
#' `python3` and `python` there. It is started once a session, and ends with it.
#'
#' @return `layerstats_python()`: its path, or an error that says what to install. `stop_python()`: nothing; the next fit
#'   starts it anew.
#' @examples
#' python <- try(layerstats_python(), silent = TRUE)
#' stop_python()
#' @export
layerstats_python <- function() {
  said <- c(getOption("layerstats.python"), Sys.getenv("LAYERSTATS_PYTHON"))
  said <- said[nzchar(said)]
  if (length(said)) {
    python <- Sys.which(said[1])
    if (!has_layerstats(python)) {
      stop("'", said[1], "', named by the option 'layerstats.python' or by LAYERSTATS_PYTHON, is no Python that has the ",
           "package layerstats. Install it there: ", said[1], " -m pip install layerstats", call. = FALSE)
    }
    return(unname(python))
  }
  if (!is.null(python_worker$python)) return(python_worker$python)
  for (python in unique(c(command_python(Sys.which("layerstats")), Sys.which(c("python3", "python"))))) {
    if (has_layerstats(python)) {
      python_worker$python <- python
      return(python)
    }
  }
  stop("The structured engine needs Python with the package layerstats, and none was found on the PATH. Install it (",
       "pip install layerstats), or say where it is: options(layerstats.python = \"/path/to/python\"). Without Python: ",
       "engine = \"mgcv\".", call. = FALSE)
}

# The Python that a command of it is run by: its first line names it.
command_python <- function(command) {
  if (!nzchar(command)) return(character())
  first <- readLines(command, n = 1, warn = FALSE)
  if (!startsWith(first, "#!") || grepl(" ", first) || !grepl("python", basename(first))) return(character())
  sub("^#!", "", first)
}

has_layerstats <- function(python) {
  if (!nzchar(python)) return(FALSE)
  # With what it needs; a folder of that name where R happens to be is not meant.
  code <- paste("import importlib.util as u, sys; sys.path = [place for place in sys.path if place];",
                "sys.exit(not all(map(u.find_spec, ('layerstats', 'pandas', 'scipy'))))")
  suppressWarnings(system2(python, c("-c", shQuote(code)), stdout = FALSE, stderr = FALSE)) == 0
}

#' @rdname layerstats_python
#' @export
stop_python <- function() {
  worker <- python_worker$running
  python_worker$running <- NULL
  if (is.null(worker) || worker$session != Sys.getpid()) return(invisible())
  # Closing waits for the process, which may be in the middle of a fit, and has nothing to lose.
  if (!file.exists(worker$ended)) tools::pskill(worker$process, tools::SIGKILL)
  try(close(worker$requests), silent = TRUE)
  unlink(worker$folder, recursive = TRUE)
  invisible()
}

start_python <- function() {
  python <- layerstats_python()
  folder <- tempfile("layerstats-python-")
  dir.create(folder)
  place <- function(name) file.path(folder, name)
  # From a folder of its own: Python would take files where R is for modules.
  python <- file.path(normalizePath(dirname(python)), basename(python))
  command <- paste0("cd ", shQuote(folder), "; ", shQuote(python), " -m layerstats.cli.r_requests ", shQuote(folder), " 2> ", shQuote(place("errors")),
                    "; { echo $? > ", shQuote(place("ended")), "; } 2> /dev/null")
  worker <- list(folder = folder, ended = place("ended"), errors = place("errors"), session = Sys.getpid(), process = NA)
  worker$requests <- pipe(command, "w")
  begin <- proc.time()[["elapsed"]]
  while (!file.exists(place("ready"))) {
    if (file.exists(worker$ended) || proc.time()[["elapsed"]] - begin > PYTHON_START_S) {
      stop("Python did not start ('", python, "'): ", last_lines(worker$errors), call. = FALSE)
    }
    Sys.sleep(0.02)
  }
  worker$process <- as.integer(readLines(place("ready"), warn = FALSE))
  worker$count <- 0
  worker
}

last_lines <- function(file) {
  lines <- if (file.exists(file)) readLines(file, warn = FALSE)
  if (length(lines)) paste(utils::tail(lines, 3), collapse = "\n") else "it said nothing."
}

# The running process; a session that was forked off has one of its own.
running_python <- function() {
  worker <- python_worker$running
  if (!is.null(worker) && worker$session == Sys.getpid() && file.exists(worker$ended)) {
    message("The Python process had ended (", last_lines(worker$errors), "). A new one is started.")
    stop_python()
    worker <- NULL
  }
  if (is.null(worker) || worker$session != Sys.getpid()) python_worker$running <- start_python()
  python_worker$running
}

# One question and its answer. Where it is interrupted, Python is stopped.
ask_python <- function(request) {
  worker <- running_python()
  python_worker$running$count <- number <- worker$count + 1
  place <- function(name) file.path(worker$folder, paste0(name, "-", number))
  finished <- FALSE
  on.exit(if (!finished) stop_python())
  write_exchange(place("request"), request)
  writeLines(as.character(number), worker$requests)
  flush(worker$requests)
  pause <- 0.001
  while (!file.exists(place("done"))) {
    if (file.exists(worker$ended) && !file.exists(place("done"))) {
      stop("The Python process ended while it was fitting: ", last_lines(worker$errors), " The same call starts a new one.",
           call. = FALSE)
    }
    Sys.sleep(pause)
    pause <- min(2 * pause, 0.05)
  }
  reply <- read_exchange(place("reply"))
  unlink(Sys.glob(paste0(worker$folder, "/*-", number, c("", ".json", ".bin"))))
  finished <- TRUE
  for (text in unlist(reply$warnings)) warning(text, call. = FALSE)
  if (is.null(reply$error)) return(reply$value)
  stop(structure(class = c(paste0("layerstats_", reply$kind), "layerstats_error", "error", "condition"),
                 list(message = reply$error, call = NULL)))
}
