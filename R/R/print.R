# A fitted model at the console: as R's summary of it, with intervals of coefficients and what was decided for the user.

print.layerstats_gamm <- function(x, digits = max(3, getOption("digits") - 3), ...) {
  print(summary(x), digits = digits, ...)
  invisible(x)
}

# mgcv's summary, with the tables of gamm_parametric() and gamm_smooths(), and the notes.
summary.layerstats_gamm <- function(object, ...) {
  summary <- summary(object$model, ...)
  structure(
    list(mgcv = summary, parametric = gamm_parametric(object, summary), smooths = gamm_smooths(object, summary),
         rho = object$rho, notes = object$notes),
    class = "summary.layerstats_gamm"
  )
}

print.summary.layerstats_gamm <- function(x, digits = max(3, getOption("digits") - 3), ...) {
  print(x$mgcv, digits = digits, signif.stars = FALSE, ...)
  limits <- x$parametric
  if (nrow(limits)) {
    cat("\n95 % intervals of the parametric coefficients:\n")
    print(data.frame(from = limits$conf_low, to = limits$conf_high, row.names = limits$term), digits = digits)
  }
  if (x$rho != 0) cat("\nAR(1) residuals with rho =", format(x$rho, digits = digits), "\n")
  for (note in x$notes) cat("\nNote:", note, "\n")
  invisible(x)
}

# mgcv's plot of the smooths.
plot.layerstats_gamm <- function(x, ...) plot(x$model, ...)
