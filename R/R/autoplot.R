#' Plot results
#'
#' `autoplot()` (of 'ggplot2') gives the figure, `plot()` draws it. `plot()` of a model draws its smooths as 'mgcv' does;
#' `autoplot()` of a model draws the curves of the levels of `factor_columns`.
#'
#' @param x,object A result of [gamm_fit()], [difference()], [curves()] or [autocorrelation()].
#' @param factor_columns,at See [curves()].
#' @param ... Passed on: to [mgcv::plot.gam()], [plot_difference()], [plot_smooths()] or [plot_autocorrelation()], for instance
#'   `value_label = "F2 (Hz)"`.
#' @return `autoplot()` a figure of 'ggplot2'; `plot()` its argument, invisibly.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words)
#' plot(model)
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(difference(model, "word", "B", "A"), value_label = "F2 (Hz)")
#' @export
plot.layerstats_gamm <- function(x, ...) {
  plot(x$model, ...)
  invisible(x)
}

#' @rdname plot.layerstats_gamm
#' @exportS3Method ggplot2::autoplot
autoplot.layerstats_gamm <- function(object, factor_columns = character(), at = list(), ...) {
  plot_smooths(curves(object, factor_columns, at), ...)
}

#' @rdname plot.layerstats_gamm
#' @exportS3Method ggplot2::autoplot
autoplot.layerstats_difference <- function(object, ...) plot_difference(object$curve, object$regions, object$covariate, ...)

#' @rdname plot.layerstats_gamm
#' @exportS3Method ggplot2::autoplot
autoplot.layerstats_curves <- function(object, ...) plot_smooths(object, ...)

#' @rdname plot.layerstats_gamm
#' @exportS3Method ggplot2::autoplot
autoplot.layerstats_autocorrelation <- function(object, ...) plot_autocorrelation(object, ...)

draw_figure <- function(x, figure) {
  print(figure)
  invisible(x)
}

#' @rdname plot.layerstats_gamm
#' @export
plot.layerstats_difference <- function(x, ...) draw_figure(x, autoplot.layerstats_difference(x, ...))

#' @rdname plot.layerstats_gamm
#' @export
plot.layerstats_curves <- function(x, ...) draw_figure(x, plot_smooths(x, ...))

#' @rdname plot.layerstats_gamm
#' @export
plot.layerstats_autocorrelation <- function(x, ...) draw_figure(x, plot_autocorrelation(x, ...))
