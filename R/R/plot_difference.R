# Below bands of both kinds of interval the wider one.
BAND_FILLS <- c(simultaneous = "#cccccc", pointwise = "#8c8c8c", bootstrap = "#cccccc")

#' Draw difference curves
#'
#' With their bands, and a black strip at the foot of the panel where the interval excludes zero.
#'
#' @param curve What [difference()] gives, or the `curve` of it, or several stacked: a panel for each pair of levels, and for
#'   each `layer` where there is that column. Rows of both kinds of interval may be there; the wider band is drawn behind.
#' @param regions The `regions` that go with it, or `NULL`.
#' @param x The column that the curves run along; by default `time_ms`, `time_s` or `time`.
#' @param value_label What the curves are of, with units.
#' @return A figure of 'ggplot2'. `plot()` of a difference draws it too.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6), words,
#'                   ordered = list(word_ordered = c("word", "A")))
#' found <- difference(model, "word", "B", "A")
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot_difference(found$curve, found$regions, value_label = "F2 (Hz)")
#' @export
plot_difference <- function(curve, regions = NULL, x = NULL, value_label = "response") {
  need_ggplot2()
  if (inherits(curve, "layerstats_difference")) {
    if (is.null(regions)) regions <- curve$regions
    if (is.null(x)) x <- curve$covariate
    curve <- curve$curve
  }
  x <- curve_covariate(curve, x, "plot_difference")
  curve <- checked_frame(curve, c("level_1", "level_2", x, "diff", "conf_low", "conf_high", "interval"), "plot_difference")
  panels <- difference_panels(curve)
  data <- data.frame(panels, x = on_axis(curve[[x]], x), y = curve$diff, low = curve$conf_low, high = curve$conf_high,
                     band = curve$interval)
  kinds <- intersect(names(BAND_FILLS), data$band)
  figure <- ggplot2::ggplot(data[data$band == kinds[1], ], ggplot2::aes(x, y))
  for (kind in kinds) {
    figure <- figure + ggplot2::geom_ribbon(ggplot2::aes(ymin = low, ymax = high, fill = band), data = data[data$band == kind, ],
                                            alpha = 0.8)
  }
  figure <- figure + ggplot2::geom_hline(yintercept = 0, linetype = "dashed", linewidth = 0.4)
  if (!is.null(regions) && nrow(regions)) {
    kind <- unique(regions$interval)
    figure <- figure + region_strips(regions, data, x) +
      ggplot2::labs(caption = paste0("Black strip: the ", if (length(kind) == 1) paste0(kind, " "),
                                     "interval of the difference excludes zero."))
  }
  level <- unique(curve$conf_level)
  labels <- paste0(kinds, if (length(level) == 1) paste0(" ", format(100 * level), " %"), " interval")
  titles <- Filter(function(names) length(names) == 1 && nzchar(names), lapply(panels, levels))
  figure + ggplot2::geom_line(linewidth = 0.75) +
    ggplot2::scale_fill_manual(values = BAND_FILLS, breaks = kinds, labels = labels, name = "") +
    difference_facets(panels, x) +
    ggplot2::labs(x = axis_title(x), y = paste0("Difference in\n", inside_a_title(value_label)),
                  title = if (length(titles)) paste(unlist(titles), collapse = ", ")) +
    paper_theme()
}

difference_panels <- function(frame) {
  layer <- if ("layer" %in% names(frame)) in_order(frame$layer) else factor(rep("", nrow(frame)))
  data.frame(pair = in_order(paste(frame$level_1, "-", frame$level_2)), panel = layer)
}

# Panels of one layer may share a vertical axis, so every panel's strip lies at the same height.
region_strips <- function(regions, data, x) {
  panels <- difference_panels(as.data.frame(regions))
  known <- paste(data$pair, data$panel)
  unknown <- setdiff(paste(panels$pair, panels$panel), known)
  if (length(unknown)) {
    stop("There are regions without a curve: ", unknown[1], ". Give curves and regions of the same contrasts.", call. = FALSE)
  }
  place <- match(as.character(panels$panel), levels(data$panel))
  low <- tapply(data$low, data$panel, min)[place]
  high <- tapply(data$high, data$panel, max)[place]
  strips <- data.frame(pair = factor(panels$pair, levels(data$pair)), panel = factor(panels$panel, levels(data$panel)),
                       start = on_axis(regions$start, x), end = on_axis(regions$end, x),
                       bottom = as.numeric(low - 0.08 * (high - low)), top = as.numeric(low - 0.03 * (high - low)))
  ggplot2::geom_rect(ggplot2::aes(xmin = start, xmax = end, ymin = bottom, ymax = top), data = strips, inherit.aes = FALSE,
                     fill = "black")
}

difference_facets <- function(panels, x) {
  pairs <- nlevels(panels$pair)
  layers <- nlevels(panels$panel)
  if (pairs > 1 && layers > 1) {
    if (pairs > 8) {
      stop("A grid of pairs and layers shows at most 8 pairs, but got ", pairs, ". Draw one layer at a time, or fewer pairs.",
           call. = FALSE)
    }
    return(list(ggplot2::facet_grid(ggplot2::vars(panel), ggplot2::vars(pair), scales = "free_y"), time_scale(x, pairs)))
  }
  if (pairs == 1 && layers == 1) return(time_scale(x, 1))
  columns <- min(max(pairs, layers), if (max(pairs, layers) <= 9) 3 else 4)
  facets <- if (pairs > 1) ggplot2::facet_wrap(ggplot2::vars(pair), ncol = columns)
            else ggplot2::facet_wrap(ggplot2::vars(panel), ncol = columns, scales = "free_y")
  list(facets, time_scale(x, columns))
}

# A label's first word is small, unless it is a name such as F2.
inside_a_title <- function(label) {
  if (grepl("^.[a-z]", label)) paste0(tolower(substr(label, 1, 1)), substring(label, 2)) else label
}
