# A character that R's pdf() has too, as a dagger is not.
CHECK_MARK <- "\u00a7"

#' Draw how large a contrast is at each layer
#'
#' Beside the same contrast in untrained networks, where they are given.
#'
#' @param effects A data frame with a row a layer: `layer`, `effect_size` and the columns named below. Layers whose column
#'   `model_checks`, where there is one, names a failed check carry a paragraph sign.
#' @param untrained `layer`, `effect_size`: a row for each untrained network and layer, drawn to the right of the trained
#'   network, with a box from five networks on.
#' @param p_column An adjusted p-value: points are filled where it is below `alpha`. `NULL` leaves all points filled.
#' @param interval Columns of the ends of the interval, or `NULL`.
#' @param alpha Level of significance.
#' @param value_label Title of the vertical axis.
#' @return A figure of 'ggplot2'.
#' @examples
#' effects <- data.frame(layer = paste0("conv", 1:3), effect_size = c(0.4, 0.9, 0.2), effect_conf_low = c(0.2, 0.6, 0),
#'                       effect_conf_high = c(0.6, 1.2, 0.4), joint_p_adjusted = c(0.01, 0.001, 0.3))
#' untrained <- data.frame(layer = rep(effects$layer, 6), effect_size = 0.1 + (1:18) / 60)
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot_effect_by_layer(effects, untrained)
#' @export
plot_effect_by_layer <- function(effects, untrained = NULL, p_column = "joint_p_adjusted",
                                 interval = c("effect_conf_low", "effect_conf_high"), alpha = 0.05, value_label = NULL) {
  need_ggplot2()
  effects <- checked_frame(effects, c("layer", "effect_size", p_column, interval), "plot_effect_by_layer")
  with_null <- !is.null(untrained) && nrow(untrained) > 0
  layers <- levels(in_order(effects$layer))
  below <- paste0("trained, adjusted p < ", alpha)
  above <- paste0("trained, adjusted p >= ", alpha)
  # A missing p-value is no sign of significance.
  look <- if (is.null(p_column)) "trained" else ifelse(!is.na(effects[[p_column]]) & effects[[p_column]] < alpha, below, above)
  data <- data.frame(x = match(as.character(effects$layer), layers) - (if (with_null) 0.15 else 0), y = effects$effect_size,
                     look = look)
  figure <- ggplot2::ggplot(data[!is.na(data$y), ], ggplot2::aes(x, y))
  if (with_null) figure <- figure + untrained_points(checked_frame(untrained, c("layer", "effect_size"), "plot_effect_by_layer"),
                                                     layers)
  if (!is.null(interval)) {
    bars <- stats::na.omit(cbind(data, low = effects[[interval[1]]], high = effects[[interval[2]]]))
    figure <- figure + ggplot2::geom_errorbar(ggplot2::aes(ymin = low, ymax = high), data = bars, width = 0.12, linewidth = 0.5)
  }
  shown <- intersect(c("trained", below, above, "untrained"), c(data$look, if (with_null) "untrained"))
  failing <- as.character(effects$layer[grepl("^fails", effects$model_checks)])
  label <- if (with_null) "Effect size of means (SD of tokens)" else "Effect size of curves (SD of tokens)"
  figure + ggplot2::geom_point(ggplot2::aes(fill = look, shape = look, size = look), stroke = 0.5) +
    effect_looks(shown, below, above) +
    ggplot2::scale_x_continuous(breaks = seq_along(layers), labels = paste0(layers, ifelse(layers %in% failing, CHECK_MARK, "")),
                                minor_breaks = NULL, limits = c(0.5, length(layers) + 0.5), expand = c(0, 0)) +
    ggplot2::expand_limits(y = 0) +
    ggplot2::labs(x = "Layer", y = if (is.null(value_label)) label else value_label,
                  caption = if (length(failing)) paste(CHECK_MARK, "Checks of the model's residuals fail.")) +
    paper_theme() +
    ggplot2::theme(legend.key.width = ggplot2::unit(12, "pt"), legend.position = if (length(shown) > 1) "top" else "none")
}

effect_looks <- function(shown, below, above) {
  fills <- stats::setNames(c("black", "black", "white", "#8c8c8c"), c("trained", below, above, "untrained"))
  shapes <- stats::setNames(c(21, 21, 21, 23), names(fills))
  sizes <- stats::setNames(c(2.6, 2.6, 2.6, 1.2), names(fills))
  list(ggplot2::scale_fill_manual(values = fills, breaks = shown, name = ""),
       ggplot2::scale_shape_manual(values = shapes, breaks = shown, name = ""),
       ggplot2::scale_size_manual(values = sizes, breaks = shown, name = ""))
}

# Points of untrained networks, spread sideways by rank (no random numbers), and a box behind them.
untrained_points <- function(untrained, layers) {
  strangers <- setdiff(as.character(untrained$layer), layers)
  if (length(strangers)) {
    stop("Untrained networks have effects at '", strangers[1], "', but the trained network has only ",
         paste(layers, collapse = ", "), ". Record the same layers of both.", call. = FALSE)
  }
  place <- match(as.character(untrained$layer), layers) + 0.2
  data <- data.frame(x = place, y = untrained$effect_size, look = "untrained", place = place)
  rank <- stats::ave(data$y, place, FUN = function(values) rank(values, ties.method = "first"))
  data$x <- data$x + 0.09 * (((rank - 1) %% 3) - 1)
  boxed <- data[stats::ave(data$y, place, FUN = length) >= 5, ]
  list(
    if (nrow(boxed)) ggplot2::geom_boxplot(ggplot2::aes(x = place, group = place), data = boxed, width = 0.36,
                                           outlier.shape = NA, linewidth = 0.35, colour = "#7f7f7f", fill = "white"),
    ggplot2::geom_point(ggplot2::aes(fill = look, shape = look, size = look), data = data, colour = "#7f7f7f", stroke = 0.25)
  )
}
