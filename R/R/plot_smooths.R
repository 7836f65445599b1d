#' Draw the curves of levels
#'
#' @param curves The result of [curves()], or several stacked, with a column `layer` for panels.
#' @param by The column that tells curves apart; by default the factors that were given to [curves()].
#' @param x The column that the curves run along; by default that of [curves()], `time_ms`, `time_s` or `time`.
#' @param layout `"overlay"` all curves of a layer in one panel, `"facets"` a panel for each with the others in grey behind it,
#'   `"auto"` overlays up to four.
#' @param value_label Title of the vertical axis, with units.
#' @return A figure of 'ggplot2'. `plot()` of curves draws it too.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6), words,
#'                   ordered = list(word_ordered = c("word", "A")))
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot_smooths(curves(model, "word"), value_label = "F2 (Hz)")
#' @export
plot_smooths <- function(curves, by = NULL, x = NULL, layout = c("auto", "overlay", "facets"), value_label = "Response") {
  need_ggplot2()
  layout <- match.arg(layout)
  if (inherits(curves, "layerstats_gamm")) {
    stop("plot_smooths() draws curves: plot_smooths(curves(model, \"factor\")). plot(model) draws every smooth.",
         call. = FALSE)
  }
  x <- curve_covariate(curves, x, "plot_smooths")
  if (is.null(by)) by <- attr(curves, "factor_columns")
  curves <- checked_frame(curves, c(by, x, "fit", "conf_low", "conf_high"), "plot_smooths")
  group <- if (length(by)) in_order(do.call(paste, c(lapply(curves[by], as.character), sep = ":"))) else factor(rep("", nrow(curves)))
  # One factor keeps the order of its levels.
  if (length(by) == 1) group <- in_order(curves[[by]])
  panel <- if ("layer" %in% names(curves)) in_order(curves$layer) else factor(rep("", nrow(curves)))
  data <- data.frame(x = on_axis(curves[[x]], x), y = curves$fit, low = curves$conf_low, high = curves$conf_high, group, panel)
  overlaid <- layout == "overlay" || (layout == "auto" && nlevels(group) <= 4)
  titled <- nlevels(panel) == 1 && nzchar(levels(panel))
  (if (overlaid) overlaid_smooths(data, x) else faceted_smooths(data, x)) +
    ggplot2::labs(x = axis_title(x), y = value_label, title = if (titled) levels(panel)) +
    paper_theme() + (if (nlevels(group) == 1) ggplot2::theme(legend.position = "none"))
}

overlaid_smooths <- function(data, x) {
  columns <- min(nlevels(data$panel), 3)
  figure <- ggplot2::ggplot(data, ggplot2::aes(x, y)) +
    ggplot2::geom_ribbon(ggplot2::aes(ymin = low, ymax = high, fill = group), alpha = 0.2, colour = NA) +
    ggplot2::geom_line(ggplot2::aes(colour = group, linetype = group), linewidth = 0.65) +
    group_scales(levels(data$group)) + time_scale(x, columns)
  if (columns > 1) figure + ggplot2::facet_wrap(ggplot2::vars(panel), scales = "free_y", ncol = columns) else figure
}

faceted_smooths <- function(data, x) {
  # Without the group in it, these are repeated in every panel.
  behind <- data[c("x", "y", "panel")]
  behind$curve_of <- data$group
  several <- nlevels(data$panel) > 1
  facets <- if (several) ggplot2::facet_grid(ggplot2::vars(panel), ggplot2::vars(group), scales = "free_y")
            else ggplot2::facet_wrap(ggplot2::vars(group), ncol = 4)
  ggplot2::ggplot(data, ggplot2::aes(x, y)) +
    ggplot2::geom_line(ggplot2::aes(group = curve_of), data = behind, colour = "#a6a6a6", linewidth = 0.25) +
    ggplot2::geom_ribbon(ggplot2::aes(ymin = low, ymax = high), fill = "black", alpha = 0.2) +
    ggplot2::geom_line(linewidth = 0.75) + facets + time_scale(x, if (several) nlevels(data$group) else 4)
}

#' Draw the curves of sets of phones, layer by layer
#'
#' @param curves A data frame with `layer`, `time` (0: the phone begins, 1: it ends), `fit`, `conf_low`, `conf_high` and the
#'   column `by`.
#' @param by The column that tells the sets of phones apart.
#' @param value_label Title of the vertical axis, with units.
#' @return A figure of 'ggplot2'.
#' @examples
#' curve <- data.frame(layer = "conv1", group = rep(c("s", "sh"), each = 11), time = seq(0, 1, 0.1),
#'                     fit = c(sin(0:10 / 4), cos(0:10 / 4)))
#' curve$conf_low <- curve$fit - 0.2
#' curve$conf_high <- curve$fit + 0.2
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot_phone_curves(curve)
#' @export
plot_phone_curves <- function(curves, by = "group", value_label = "Activation (mean over channels)") {
  need_ggplot2()
  curves <- checked_frame(curves, c("layer", "time", "fit", "conf_low", "conf_high", by), "plot_phone_curves")
  data <- data.frame(x = curves$time, y = curves$fit, low = curves$conf_low, high = curves$conf_high,
                     group = in_order(curves[[by]]), panel = in_order(curves$layer))
  panels <- nlevels(data$panel)
  columns <- min(panels, if (panels %in% c(3, 5, 6)) 3 else 4)
  ggplot2::ggplot(data, ggplot2::aes(x, y)) +
    ggplot2::geom_ribbon(ggplot2::aes(ymin = low, ymax = high, fill = group), alpha = 0.25, colour = NA) +
    ggplot2::geom_line(ggplot2::aes(colour = group, linetype = group), linewidth = 0.75) +
    ggplot2::facet_wrap(ggplot2::vars(panel), scales = "free_y", ncol = columns) +
    time_scale("time", columns) + group_scales(levels(data$group)) +
    ggplot2::labs(x = "Normalised time (0: phone begins, 1: phone ends)", y = value_label) + paper_theme()
}
