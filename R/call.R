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
      list(value = eval(call, environment)),
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
