#' Draw the autocorrelation of residuals
#'
#' @param frame The result of [autocorrelation()], or several stacked, with a column for panels.
#' @param facet The column that panels stand for, where the frame has it.
#' @return A figure of 'ggplot2': a line for each lag, dashed the limits that independent errors stay within.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words, series = "trajectory", order = "time")
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot_autocorrelation(autocorrelation(model, 10))
#' @export
plot_autocorrelation <- function(frame, facet = "layer") {
  need_ggplot2()
  frame <- checked_frame(frame, c("lag", "autocorrelation"), "plot_autocorrelation")
  data <- data.frame(x = frame$lag, y = frame$autocorrelation,
                     panel = if (facet %in% names(frame)) in_order(frame[[facet]]) else factor(""))
  last <- max(data$x)
  figure <- ggplot2::ggplot(data, ggplot2::aes(x, y)) +
    ggplot2::geom_hline(yintercept = 0, linewidth = 0.35) +
    ggplot2::geom_segment(ggplot2::aes(xend = x), yend = 0, linewidth = 0.5) +
    ggplot2::geom_point(size = 0.9) +
    ggplot2::scale_x_continuous(breaks = seq(0, last, max(1, round(last / 5)))) +
    ggplot2::labs(x = "Lag (samples)", y = "Autocorrelation of residuals") + paper_theme()
  if ("limit" %in% names(frame)) {
    # At lag 0 it is always 1.
    limits <- data.frame(data, high = frame$limit, low = -frame$limit)[data$x > 0, ]
    figure <- figure + ggplot2::geom_line(ggplot2::aes(y = low), data = limits, linetype = "dashed", linewidth = 0.35) +
      ggplot2::geom_line(ggplot2::aes(y = high), data = limits, linetype = "dashed", linewidth = 0.35)
  }
  if (nlevels(data$panel) > 1) figure + ggplot2::facet_wrap(ggplot2::vars(panel), ncol = min(nlevels(data$panel), 3)) else figure
}

#' Draw residuals against normal quantiles and against fitted values
#'
#' @param fit A model of [gamm_fit()], or a data frame with `fitted` and `residual`.
#' @param most_points Of more observations only so many are drawn, evenly by rank, extremes included; the figure says so.
#' @param title For instance the layer.
#' @return A figure of 'ggplot2'.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words)
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot_residual_checks(model)
#' @export
plot_residual_checks <- function(fit, most_points = 3000, title = NULL) {
  need_ggplot2()
  frame <- fit
  if (inherits(fit, "layerstats_gamm")) {
    frame <- data.frame(fitted = as.numeric(if (is_structured(fit)) fit$fitted else fit$model$fitted.values),
                        residual = whitened_residuals(fit))
  }
  pairs <- stats::na.omit(checked_frame(frame, c("fitted", "residual"), "plot_residual_checks")[c("fitted", "residual")])
  pairs <- pairs[order(pairs$residual), ]
  count <- nrow(pairs)
  if (count < 3 || stats::sd(pairs$residual) == 0) {
    stop("Residuals cannot be checked: there are ", count, ", and all are the same.", call. = FALSE)
  }
  kept <- unique(as.integer(seq(1, count, length.out = min(most_points, count))))
  names <- c("against normal quantiles", "against fitted values")
  panel <- function(name) factor(names[name], levels = names)
  drawn <- pairs$residual[kept]
  data <- rbind(data.frame(x = stats::qnorm((kept - 0.5) / count), y = drawn, panel = panel(1)),
                data.frame(x = pairs$fitted[kept], y = drawn, panel = panel(2)))
  line <- data.frame(slope = stats::sd(pairs$residual), y = mean(pairs$residual), panel = panel(1))
  ggplot2::ggplot(data, ggplot2::aes(x, y)) +
    ggplot2::geom_point(size = 0.8, alpha = min(max(600 / length(kept), 0.15), 0.8), stroke = 0) +
    ggplot2::geom_abline(ggplot2::aes(slope = slope, intercept = y), data = line, linetype = "dashed", linewidth = 0.5) +
    ggplot2::geom_hline(ggplot2::aes(yintercept = y), data = data.frame(y = 0, panel = panel(2)), linetype = "dashed",
                        linewidth = 0.5) +
    ggplot2::facet_wrap(ggplot2::vars(panel), scales = "free_x", ncol = 2) +
    ggplot2::labs(x = "Normal quantile (left), fitted value (right)", y = "Residual", title = title,
                  caption = if (length(kept) < count) paste(length(kept), "of", count, "residuals, evenly by rank.")) +
    paper_theme()
}
