# Models of the structured engine: fitted by Python, used in R as those of mgcv are.

# The structured engine's model, where it is asked for; NULL or a note where mgcv is to fit it.
fit_of_engine <- function(engine, formula, data, asked) {
  if (!is.character(engine) || length(engine) != 1 || !engine %in% c("mgcv", "structured", "auto")) {
    stop("'engine' is one of \"mgcv\", \"structured\" and \"auto\", but got ", deparse1(engine), ".", call. = FALSE)
  }
  if (engine == "structured") return(structured_fit(formula, data, asked))
  reason <- if (engine == "auto") structured_or_reason(formula, data, asked)
  if (is_structured(reason)) return(reason)
  if (identical(asked$rho, "reml") || asked$gaps != "adjacent") {
    stop("rho = \"reml\" and gaps = \"time\" are for engine = \"structured\"", if (!is.null(reason)) ", but ", reason, ".",
         call. = FALSE)
  }
  if (!is.null(reason)) paste0("Fitted by mgcv, since ", reason, if (!endsWith(reason, ".")) ".")
}

# What gamm_fit(engine = "structured") does.
structured_fit <- function(formula, data, options) {
  formula <- read_formula(formula)
  data <- as.data.frame(data)
  check_structured_family(options$family)
  task <- list(formula = deparse1(formula), data = sent_columns(formula, data, options), options = sent_options(options))
  # Of this session and no other, which may read the model from a file.
  python_worker$fits <- sum(python_worker$fits, 1)
  key <- paste(Sys.getpid(), format(as.numeric(Sys.time()), digits = 17), python_worker$fits)
  told <- ask_python(list(ask = "fit", model = key, formula = task$formula, data = task$data, arguments = task$options))
  for (text in told$warnings) warning(text, call. = FALSE)
  # Columns of a table without rows come as text.
  told$smooths[-1] <- lapply(told$smooths[-1], as.numeric)
  fit <- c(list(engine = "structured", key = key, task = task), told[setdiff(names(told), c("warnings", "positions"))])
  fit <- c(fit, list(warnings = told$warnings, position = told$positions, rows = nrow(data), method = options$method))
  structure(fit, class = c("layerstats_structured", "layerstats_gamm"))
}

# A fit by the structured engine where Python is there and the engine expresses the model; else the reason.
structured_or_reason <- function(formula, data, options) {
  found <- tryCatch(layerstats_python(), error = function(condition) NULL)
  if (is.null(found)) return("no Python with the package layerstats was found")
  tryCatch(structured_fit(formula, data, options),
           layerstats_UnsupportedModelError = function(condition) sub("^The ", "the ", conditionMessage(condition)),
           layerstats_contrasts = function(condition) conditionMessage(condition))
}

is_structured <- function(fit) inherits(fit, "layerstats_structured")

# The columns that a fit may need, as Python takes them.
sent_columns <- function(formula, data, options) {
  sources <- unlist(lapply(options$ordered, function(copy) copy[[1]]))
  used <- c(all.vars(formula), sources, names(options$factors), options$weights, options$series, options$order)
  used <- intersect(unique(used), names(data))
  if (anyDuplicated(names(data)[names(data) %in% used])) {
    stop("Several columns of the data are called '", used[duplicated(names(data)[names(data) %in% used])][1], "'.",
         call. = FALSE)
  }
  check_contrasts_are_treatment(formula, data)
  response <- all.vars(formula[[2]])
  binomial <- startsWith(family_text(options$family), "binomial")
  columns <- lapply(stats::setNames(nm = used), function(name) {
    sent_column(data[[name]], name, name %in% response && binomial)
  })
  structure(columns, row.names = .set_row_names(nrow(data)), class = "data.frame")
}

sent_column <- function(values, name, successes = FALSE) {
  if (is.list(values) || length(dim(values)) > 1) {
    stop("Column '", name, "' is a ", if (is.list(values)) "list" else "matrix", ", of which a model can be made no ",
         "better than of a column of columns: give it a number or a text a row.", call. = FALSE)
  }
  # R's models take dates and durations as numbers.
  if (is_time(values)) return(as.numeric(values))
  # Of two levels, the second is success.
  if (successes && is.factor(values)) return(as.numeric(droplevels(values)) - 1)
  if (successes && is.logical(values)) return(as.numeric(values))
  if (is.logical(values)) return(factor(values, c(FALSE, TRUE)))
  if (is.factor(values)) return(factor(as.character(values), levels(values), ordered = is.ordered(values)))
  if (is.character(values)) return(values)
  if (is.numeric(values)) return(if (is.integer(values)) as.integer(values) else as.numeric(values))
  stop("Column '", name, "' is of class '", class(values)[1], "', of which no model can be made.", call. = FALSE)
}

# The structured engine has treatment contrasts; outside smooths others give other coefficients.
check_contrasts_are_treatment <- function(formula, data) {
  usual <- getOption("contrasts")
  for (name in intersect(all.vars(without_smooths(formula[[length(formula)]])), names(data))) {
    values <- data[[name]]
    if (is.numeric(values) || is_time(values)) next
    chosen <- attr(values, "contrasts")
    if (is.null(chosen)) chosen <- usual[[if (is.ordered(values)) 2 else 1]]
    if (identical(chosen, "contr.treatment")) next
    if (is.matrix(chosen) && isTRUE(all.equal(unname(chosen), unname(stats::contr.treatment(nlevels(values)))))) next
    stop(structure(class = c("layerstats_contrasts", "error", "condition"), list(call = NULL, message = paste0(
      "column '", name, "' has other contrasts than treatment ones, and the structured engine has no others. Set ",
      "contrasts(data$", name, ") <- \"contr.treatment\", or use engine = \"mgcv\""))))
  }
}

# A formula's right side with the calls of smooths taken out.
without_smooths <- function(expression) {
  if (!is.call(expression)) return(expression)
  if (called_function(expression) %in% c("s", "te", "ti", "t2")) return(quote(1))
  as.call(c(expression[[1]], lapply(as.list(expression)[-1], without_smooths)))
}

sent_options <- function(options) {
  plain <- function(one) if (is.null(one)) NULL else unname(unlist(one))
  named <- function(values) if (length(values)) lapply(as.list(values), plain)
  Filter(Negate(is.null), list(
    engine = "structured", method = options$method, rho = if (!identical(options$rho, 0)) options$rho,
    series = options$series, order = options$order, gaps = options$gaps, factors = named(options$factors),
    ordered = named(options$ordered), weights = options$weights, knots = named(options$knots),
    family = family_text(options$family), `function` = options$fun, discrete = options$discrete, na = options$na))
}

# Families of 'mgcv' that Python does not even know by name are left to it.
check_structured_family <- function(family) {
  text <- family_text(family)
  if (sub("[ (].*", "", text) %in% c("gaussian", "binomial")) return(invisible())
  stop(structure(class = c("layerstats_UnsupportedModelError", "layerstats_error", "error", "condition"), list(
    call = NULL, message = paste0("The engine 'structured' cannot fit this model: it fits the families 'gaussian' and ",
                                  "'binomial', not '", text, "'"))))
}

# A family as its name with the link: R's objects say both.
family_text <- function(family) {
  if (is.function(family)) family <- family()
  if (is.character(family)) return(family)
  paste0(family$family, "(link = \"", family$link, "\")")
}

# What Python says of a model; where Python has not got it (any more), it is fitted there again: it ended, this session
# read the model from a file, or many others were fitted since.
ask_model <- function(ask, fits, ...) {
  if (is_structured(fits)) fits <- list(fits)
  arguments <- Filter(Negate(is.null), list(...))
  if (length(arguments) == 0) arguments <- NULL
  request <- list(ask = ask, model = vapply(fits, `[[`, "", "key"), arguments = arguments)
  tryCatch(ask_python(request), layerstats_NoModel = function(condition) {
    message("Python has not got this model any more: it is fitted again.")
    for (fit in fits) {
      task <- fit$task
      suppressWarnings(ask_python(list(ask = "fit", model = fit$key, formula = task$formula, data = task$data,
                                       arguments = task$options)))
    }
    ask_python(request)
  })
}

# The grids of `at` as Python takes them.
sent_places <- function(at) if (length(at)) lapply(at, function(values) if (is.factor(values)) as.character(values) else values)
