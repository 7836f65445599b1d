#' Fit a generalised additive mixed model
#'
#' Fits a model of 'mgcv' to a table with a row a measurement, for instance a point of a curve: codes text as factors, puts
#' rows in order of their series, finds the autocorrelation of residuals, and says in notes what it decided.
#'
#' @param formula A formula of 'mgcv', or its text: terms `s()`, `te()`, `ti()`, `t2()` are found without attaching 'mgcv'.
#' @param data A data frame, or what [as.data.frame()] makes one of: a tibble, also grouped, or a data.table.
#' @param method How smoothing parameters are chosen: `"fREML"`, `"REML"` or `"ML"` (to compare models with different fixed
#'   effects).
#' @param rho AR(1) parameter of the residuals within series, or `"auto"`: the lag-1 autocorrelation of the residuals of the
#'   same model without it.
#' @param series Names of the columns that identify a series.
#' @param order Name of the column that orders the rows of a series. Rows need not be sorted.
#' @param factors Levels of factors, the first is the reference: `list(word = c("ask", "dark"))`. Text without an entry here
#'   gets sorted levels; a factor keeps its own.
#' @param ordered Ordered copies of factors for difference smooths, with treatment contrasts:
#'   `list(word_ordered = c("word", "ask"))` makes `word_ordered` of `word` with the reference `"ask"`.
#' @param weights Name of a column of prior weights.
#' @param family A family, or its name: `"gaussian"`, `"binomial"`, `"scat"`, `"ocat(R = 4)"`, ...
#' @param fun `"bam"` or `"gam"`.
#' @param discrete Whether `bam()` discretises covariates.
#' @param knots Knots, as for 'mgcv'.
#' @param engine `"mgcv"`; `"structured"`, the engine of the Python package, which fits models with a random part for each
#'   token or speaker in milliseconds with the same results (see [layerstats_python()]); or `"auto"`, that engine where
#'   Python is there and it expresses the model, else 'mgcv', which a note then says.
#' @param gaps Of the structured engine: `"adjacent"`, neighbouring rows of a series are one step apart, or `"time"`, as far
#'   as `order` says. It also takes `rho = "reml"`: estimated with the smoothing parameters.
#' @param na `"error"`: no value that the model needs may be missing; `"omit"`: rows where one is are left out, and counted.
#' @return An object of class `layerstats_gamm` with [print()], [summary()], [predict()][predict.layerstats_gamm],
#'   [tidy()][tidy.layerstats_gamm], [plot()][plot.layerstats_gamm] and the other methods that R's models have. `$model` is
#'   the model of 'mgcv', for whatever else is done with those. Fitted values and residuals stand in the order of `data`.
#' @seealso [difference()], [curves()], [derivatives()], [compare()]; [autocorrelation()], [k_check()],
#'   [residual_checks()].
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6) + s(speaker, bs = "re"), words,
#'                   ordered = list(word_ordered = c("word", "A")), rho = "auto", series = "trajectory", order = "time")
#' model
#' difference(model, "word", "B", "A")
#' @export
gamm_fit <- function(formula, data, method = "fREML", rho = 0, series = NULL, order = NULL, factors = list(),
                     ordered = list(), weights = NULL, family = "gaussian", fun = "bam", discrete = FALSE,
                     knots = NULL, na = "error", engine = "mgcv", gaps = "adjacent") {
  formula <- read_formula(formula)
  na <- match.arg(na, c("error", "omit"))
  check_options(data, rho, weights)
  asked <- list(method = method, rho = rho, series = series, order = order, factors = factors, ordered = ordered,
                weights = weights, family = family, fun = fun, discrete = discrete, knots = knots, na = na, gaps = gaps)
  data <- as.data.frame(data)
  used <- used_columns(formula, data, factors, ordered, weights)
  structured <- fit_of_engine(engine, formula, data, asked)
  if (is_structured(structured)) {
    structured$call <- match.call()
    return(structured)
  }
  check_names(formula)
  if (!identical(rho, 0) && is.null(series)) {
    stop("AR(1) residuals need to know what a series is: give 'series' and 'order'.", call. = FALSE)
  }
  needed <- intersect(c(used, weights, series, order), names(data))
  present <- if (na == "omit") stats::complete.cases(data[needed]) else rep(TRUE, nrow(data))
  if (!any(present)) stop("Every row of the data has a missing value.", call. = FALSE)
  omitted <- sum(!present)
  position <- which(present)
  data <- data[present, , drop = FALSE]
  check_complete(data[c(used, weights)])
  start <- NULL
  if (!is.null(series)) {
    rows <- series_rows(data, series, order)
    data <- data[rows$position, , drop = FALSE]
    position <- position[rows$position]
    start <- rows$start
  }
  coded <- code_factors(data[used], factors, ordered)
  check_level_counts(coded$data)
  weights <- if (is.null(weights)) NULL else data[[weights]]
  check_weights(weights)
  refit <- function(rho) {
    fit_model(formula, coded$data, start, rho, method, weights, family, fun, discrete, knots)
  }
  if (identical(rho, "auto")) {
    rho <- max(-0.99, min(0.99, lag_correlation(stats::residuals(refit(0)$model), start, 1)))
  }
  fit <- refit(rho)
  fit$notes <- c(structured, if (omitted) paste0(omitted, " of ", length(present), " rows with missing values were left out."),
                 coded$notes)
  fit$ordered <- ordered
  # Where the rows of the fit stand in the table that was given.
  fit$position <- position
  fit$rows <- length(present)
  # For update().
  fit$call <- match.call()
  fit
}

# Mistakes that mgcv would report in its own terms, or not at all.
check_options <- function(data, rho, weights) {
  if (NROW(as.data.frame(data)) == 0) stop("The data have no rows.", call. = FALSE)
  if (is.numeric(rho) && !(length(rho) == 1 && abs(rho) < 1)) {
    stop("'rho' is \"auto\" or a number between -1 and 1, but got ", deparse1(rho), ".", call. = FALSE)
  }
  if (!is.null(weights) && !(is.character(weights) && length(weights) == 1)) {
    stop("'weights' is the name of a column of the data, but got an object of class '", class(weights)[1],
         "'. Make a column of it first.", call. = FALSE)
  }
}

# mgcv pastes the names of a smooth's columns and of the response into code, where `time (ms)` is none.
check_names <- function(formula) {
  response <- if (length(formula) == 3) formula[[2]]
  if (is.name(response) && make.names(response) != as.character(response)) {
    stop("Column '", response, "' has a name that mgcv cannot use for a response: rename it, for instance to '",
         make.names(response), "'.", call. = FALSE)
  }
  for (call in smooth_calls(formula[[length(formula)]])) {
    strange <- Filter(function(name) make.names(name) != name, all.vars(call))
    if (length(strange)) {
      stop("Column '", strange[1], "' has a name that mgcv cannot use in ", deparse1(call[[1]]), "(): rename it, for instance ",
           "to '", make.names(strange[1]), "'.", call. = FALSE)
    }
  }
}

# The calls of s(), te(), ti() and t2() in a formula.
smooth_calls <- function(expression) {
  if (!is.call(expression)) return(list())
  if (called_function(expression) %in% c("s", "te", "ti", "t2")) return(list(expression))
  unlist(lapply(as.list(expression)[-1], smooth_calls), recursive = FALSE)
}

# The fit itself: data are complete, sorted and coded. start: TRUE where a series begins, or NULL.
fit_model <- function(formula, data, start = NULL, rho = 0, method = "fREML", weights = NULL, family = "gaussian",
                      fun = "bam", discrete = FALSE, knots = NULL) {
  formula <- read_formula(formula)
  columns <- data
  call <- list(str2lang(paste0("mgcv::", match.arg(fun, c("bam", "gam")))),
               formula = quote(formula), data = quote(data), family = quote(read_family(family)))
  # mgcv calls the same criterion REML in gam() and fREML in bam().
  call$method <- if (fun == "gam" && method == "fREML") "REML" else method
  if (!is.null(weights)) {
    data$.weights <- weights
    call$weights <- quote(.weights)
  }
  if (rho != 0) {
    if (fun == "gam") stop("gam() has no AR(1) residuals. Use fun = \"bam\".", call. = FALSE)
    data$.start <- start
    call$rho <- rho
    call$AR.start <- quote(.start)
  }
  if (fun == "bam" && discrete) call <- c(call, discrete = TRUE, nthreads = 1)
  if (!is.null(knots)) call$knots <- quote(knots)
  variables <- frozen_variables(formula, columns)
  begin <- proc.time()[["elapsed"]]
  model <- eval(as.call(call))
  structure(
    list(model = model, data = columns, variables = variables, start = start, rho = rho,
         method = method, notes = character(), seconds = proc.time()[["elapsed"]] - begin),
    class = "layerstats_gamm"
  )
}

# A formula whose environment holds nothing, so that a saved model does not carry a copy of the data.
read_formula <- function(formula) {
  if (inherits(formula, "formula")) formula <- with_smooth_settings(formula, environment(formula))
  formula <- stats::as.formula(formula)
  if (length(formula) < 3) stop("The formula has no response: ", deparse1(formula), ".", call. = FALSE)
  environment(formula) <- globalenv()
  formula
}

# k and the like of smooths, where they are variables of whoever wrote the formula, as numbers.
with_smooth_settings <- function(expression, where) {
  if (!is.call(expression)) return(expression)
  settings <- if (called_function(expression) %in% c("s", "te", "ti", "t2")) c("k", "m", "bs", "fx", "sp", "d", "id", "np")
  for (place in which(names(expression) %in% settings)) {
    if (length(all.vars(expression[[place]]))) expression[[place]] <- eval(expression[[place]], where)
  }
  # Others may be empty, as in x[, 1].
  for (place in which(vapply(as.list(expression), is.call, logical(1)))) {
    expression[[place]] <- with_smooth_settings(expression[[place]], where)
  }
  expression
}

read_family <- function(family) {
  if (!is.character(family)) return(family)
  tryCatch(eval(str2lang(family), asNamespace("mgcv")), error = function(condition) {
    stop("'", family, "' is no family of R or 'mgcv': ", conditionMessage(condition), ".", call. = FALSE)
  })
}

# The columns that a formula and its options name, which are in the data.
used_columns <- function(formula, data, factors, ordered, weights) {
  sources <- vapply(ordered, function(copy) copy[[1]], character(1))
  # Words of R are columns where there are such.
  words <- setdiff(c("T", "F", "pi", paste0("contr.", c("treatment", "sum", "helmert", "poly", "SAS"))), names(data))
  used <- setdiff(unique(c(all.vars(formula), sources, names(factors))), c(names(ordered), words))
  missing <- setdiff(c(used, weights), names(data))
  if (length(missing)) stop("Column '", missing[1], "' of the formula is not in the data.", call. = FALSE)
  used
}

check_level_counts <- function(data) {
  for (column in names(data)) {
    if (is.factor(data[[column]]) && nlevels(data[[column]]) == 1) {
      stop("The factor '", column, "' has one level ('", levels(data[[column]]), "'). A model needs two levels or more: ",
           "leave '", column, "' out of the formula, or add data.", call. = FALSE)
    }
  }
}

check_weights <- function(weights) {
  below <- sum(weights < 0)
  if (below) {
    stop("'weights' must be positive numbers, or zero, but ", below, " of them are not positive.", call. = FALSE)
  }
}
