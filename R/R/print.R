#' A model at the console
#'
#' As 'mgcv''s summary of it, with intervals of the coefficients and notes about what was decided for the user.
#'
#' @param x,object A model of [gamm_fit()], or its summary.
#' @param digits Digits that are printed.
#' @param ... Passed on to [mgcv::summary.gam()] or its print method.
#' @return `summary()`: a list with `mgcv` (the summary of 'mgcv'), `parametric`, `smooths`, `rho` and `notes`.
#' @examples
#' summary(gamm_fit(f2 ~ word + s(time, k = 6), words))
#' @export
print.layerstats_gamm <- function(x, digits = max(3, getOption("digits") - 3), ...) {
  print(summary(x), digits = digits, ...)
  invisible(x)
}

#' @rdname print.layerstats_gamm
#' @export
summary.layerstats_gamm <- function(object, ...) {
  summary <- summary(object$model, ...)
  structure(
    list(mgcv = summary, parametric = gamm_parametric(object, summary), smooths = gamm_smooths(object, summary),
         rho = object$rho, notes = object$notes),
    class = "summary.layerstats_gamm"
  )
}

#' @rdname print.layerstats_gamm
#' @export
print.summary.layerstats_gamm <- function(x, digits = max(3, getOption("digits") - 3), ...) {
  print(x$mgcv, digits = digits, signif.stars = FALSE, ...)
  limits <- x$parametric
  if (nrow(limits)) {
    cat("\n95 % intervals of the parametric coefficients:\n")
    print(data.frame(from = limits$conf_low, to = limits$conf_high, row.names = limits$term), digits = digits)
  }
  if (x$rho != 0) cat("\nAR(1) residuals with rho =", format(x$rho, digits = digits), "\n")
  for (note in x$notes) cat("", strwrap(paste("Note:", note), exdent = 2), sep = "\n")
  invisible(x)
}
