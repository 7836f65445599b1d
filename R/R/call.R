# What a worker of the Python package calls: a function by name, its warnings and errors caught.

# name: "function" or "package::function"; arguments: named list.
# Returns list(value, warnings) or list(error, call, warnings).
layerstats_call <- function(name, arguments) {
  warnings <- character()
  # Arguments go in by name, not by value: an error then quotes "data = data" rather than 80,000 rows.
  environment <- list2env(as.list(arguments), parent = globalenv())
  call <- as.call(c(str2lang(name), lapply(stats::setNames(nm = names(arguments)), as.name)))
  # No result may depend on what this worker did before.
  set.seed(0)
  outcome <- tryCatch(
    withCallingHandlers(
      {
        check_code_arguments(arguments)
        list(value = eval(call, environment))
      },
      warning = function(condition) {
        warnings <<- c(warnings, conditionMessage(condition))
        invokeRestart("muffleWarning")
      },
      message = function(condition) invokeRestart("muffleMessage")
    ),
    error = function(condition) {
      where <- conditionCall(condition)
      list(error = conditionMessage(condition), call = if (is.null(where)) name else deparse(where, nlines = 1)[1])
    }
  )
  c(outcome, list(warnings = unique(warnings)))
}

# What may be evaluated of the text that comes from Python: names, constants, and calls of these functions. Python looks
# at formulas too; here they are seen as R's parser sees them. The same list as FORMULA_FUNCTIONS in
# layerstats/stats/gamm/formula/functions.py.
formula_functions <- c(
  "abs", "acos", "acosh", "addNA", "as.character", "as.double", "as.factor", "as.integer", "as.logical",
  "as.numeric", "as.ordered", "as.vector", "asin", "asinh", "atan", "atan2", "atanh", "beta", "bs", "C", "c",
  "cbind", "ceiling", "choose", "contr.helmert", "contr.poly", "contr.SAS", "contr.sum", "contr.treatment",
  "cos", "cosh", "cospi", "cut", "dnorm", "droplevels", "endsWith", "exp", "expm1", "factor", "factorial",
  "findInterval", "floor", "gamma", "I", "ifelse", "interaction", "IQR", "is.element", "is.na", "lbeta",
  "length", "levels", "lgamma", "list", "log", "log10", "log1p", "log2", "logb", "mad", "match", "max", "mean",
  "median", "min", "nchar", "nlevels", "ns", "offset", "ordered", "paste", "paste0", "plogis", "pmax", "pmin",
  "pnorm", "poly", "prod", "qlogis", "qnorm", "quantile", "range", "relevel", "rep", "round", "s", "scale",
  "sd", "seq", "seq_len", "sign", "signif", "sin", "sinh", "sinpi", "sqrt", "startsWith", "substr", "substring",
  "sum", "t2", "tan", "tanh", "tanpi", "te", "ti", "tolower", "toupper", "trunc", "var", "xor"
)
formula_operators <- c("~", "+", "-", "*", "/", "^", ":", "(", "|", "&", "||", "&&", "!", "<", ">", "<=", ">=", "==",
                       "!=", "%in%", "%%", "%/%")
formula_packages <- c("mgcv", "splines", "base", "stats")
family_functions <- c("gaussian", "binomial", "quasibinomial", "betar", "poisson", "quasipoisson", "nb", "tw", "Gamma",
                      "inverse.gaussian", "scat", "ocat")

# Which functions the text of an argument may call.
code_arguments <- list(formula = c(formula_functions, formula_operators),
                       expression = c(formula_functions, formula_operators), family = family_functions)

check_code_arguments <- function(arguments) {
  for (name in intersect(names(code_arguments), names(arguments))) {
    for (text in Filter(is.character, arguments[name])) check_code(str2lang(text), code_arguments[[name]])
  }
}

# Stops where code calls anything but these functions; evaluates nothing.
check_code <- function(code, functions) {
  if (is.call(code)) {
    name <- allowed_function(code, functions)
    if (name == "C") check_contrasts(code)
    for (argument in as.list(code)[-1]) check_code(argument, functions)
  } else if (!is.name(code) && !is.atomic(code) && !is.null(code)) {
    refuse_code(code)
  }
}

# The function that a call names.
allowed_function <- function(code, functions) {
  called <- code[[1]]
  if (is.call(called) && identical(called[[1]], as.name("::")) && as.character(called[[2]]) %in% formula_packages) {
    called <- called[[3]]
  }
  if (!is.name(called) || !as.character(called) %in% functions) refuse_code(code)
  as.character(called)
}

# C() calls the function that it is given, by its name or as text.
check_contrasts <- function(code) {
  given <- as.list(match.call(stats::C, code))$contr
  name <- as.character(if (is.call(given)) given[[1]] else given)
  if (!is.null(given) && !is.numeric(given) && !any(startsWith(name, "contr."))) refuse_code(code)
}

refuse_code <- function(code) {
  stop("'", deparse1(code), "' is not code that a formula may hold.", call. = FALSE)
}
