# The look of all figures, the same as that of the Python package: readable in black and white, at the width of a paper.

# Okabe and Ito's colours, which colour-blind readers tell apart, ordered so that neighbours differ in luminance.
GROUP_COLOURS <- c("#000000", "#E69F00", "#0072B2", "#56B4E9", "#D55E00", "#CC79A7", "#009E73", "#8c8c8c")
GROUP_LINETYPES <- c("solid", "42", "12", "4212", "72", "31111111", "14", "5111111111")

#' The look of all figures
#'
#' @return A theme of 'ggplot2': letters of 8 to 9 points, legends above, no minor grid.
#' @examples
#' if (requireNamespace("ggplot2", quietly = TRUE)) {
#'   ggplot2::ggplot(words, ggplot2::aes(time, f2, group = trajectory)) + ggplot2::geom_line() + paper_theme()
#' }
#' @export
paper_theme <- function() {
  need_ggplot2()
  text <- "#1a1a1a"
  ggplot2::theme_bw(base_size = 9) + ggplot2::theme(
    text = ggplot2::element_text(colour = text),
    axis.text = ggplot2::element_text(size = 8, colour = text),
    axis.title = ggplot2::element_text(size = 9),
    strip.text = ggplot2::element_text(size = 8, margin = ggplot2::margin(2, 3, 2, 3)),
    strip.background = ggplot2::element_rect(fill = "#f2f2f2", colour = NA),
    panel.border = ggplot2::element_rect(colour = "#7f7f7f", fill = NA, linewidth = 0.4),
    panel.grid.major = ggplot2::element_line(colour = "#e6e6e6", linewidth = 0.35),
    panel.grid.minor = ggplot2::element_blank(),
    panel.spacing = ggplot2::unit(9, "pt"),
    legend.position = "top",
    legend.title = ggplot2::element_blank(),
    legend.text = ggplot2::element_text(size = 8),
    legend.key = ggplot2::element_blank(),
    legend.key.width = ggplot2::unit(24, "pt"),
    legend.background = ggplot2::element_blank(),
    legend.margin = ggplot2::margin(2, 0, 0, 0),
    legend.box.spacing = ggplot2::unit(4, "pt"),
    plot.title = ggplot2::element_text(size = 10, hjust = 0),
    plot.caption = ggplot2::element_text(size = 7, hjust = 0, colour = "#4d4d4d")
  )
}

need_ggplot2 <- function() {
  if (!requireNamespace("ggplot2", quietly = TRUE)) {
    stop("Figures need the R package 'ggplot2'. Install it: install.packages(\"ggplot2\") (Debian: apt install r-cran-ggplot2).",
         call. = FALSE)
  }
}

# The same colour, line type and shape for a group in every figure.
group_scales <- function(groups) {
  if (length(groups) > length(GROUP_COLOURS)) {
    stop("At most ", length(GROUP_COLOURS), " groups can be told apart in one panel, but got ", length(groups),
         ". Choose fewer, or give each a panel of its own (layout = \"facets\").", call. = FALSE)
  }
  colours <- stats::setNames(GROUP_COLOURS[seq_along(groups)], groups)
  list(
    ggplot2::scale_colour_manual(values = colours, breaks = groups),
    ggplot2::scale_fill_manual(values = colours, breaks = groups),
    ggplot2::scale_linetype_manual(values = stats::setNames(GROUP_LINETYPES[seq_along(groups)], groups), breaks = groups)
  )
}

# An axis for a covariate whose labels do not run into those of the panel beside it.
time_scale <- function(name, panels_beside) {
  few <- panels_beside > 2
  if (name == "time") return(ggplot2::scale_x_continuous(breaks = c(0, 0.5, 1), labels = c("0", "0.5", "1")))
  ggplot2::scale_x_continuous(n.breaks = if (few) 3 else 5, expand = ggplot2::expansion(if (few) 0.09 else 0.04))
}

axis_title <- function(name) {
  if (name %in% c("time_s", "time_ms")) return("Time (ms)")
  if (name == "time") "Normalised time" else name
}

# Seconds of a clip are drawn in milliseconds.
on_axis <- function(values, name) if (name == "time_s") 1000 * values else values

# A factor in the order of first appearance; a factor keeps its own.
in_order <- function(values) {
  if (is.factor(values)) droplevels(values) else factor(as.character(values), levels = unique(as.character(values)))
}

checked_frame <- function(frame, columns, figure) {
  frame <- as.data.frame(frame)
  missing <- setdiff(columns, names(frame))
  if (length(missing)) {
    stop("The table for ", figure, "() has no column '", missing[1], "'. Its columns are: ", paste(names(frame), collapse = ", "),
         ".", call. = FALSE)
  }
  if (nrow(frame) == 0) stop("There is nothing to draw: the table for ", figure, "() has no rows.", call. = FALSE)
  frame
}

# The column that curves run along: as told, or a column of time.
curve_covariate <- function(frame, x, figure) {
  if (is.null(x)) x <- attr(frame, "covariate")
  if (is.null(x)) x <- intersect(c("time_ms", "time_s", "time"), names(frame))[1]
  if (is.na(x) || !x %in% names(frame)) {
    stop("Say which column the curves run along: ", figure, "(..., x = \"column\").", call. = FALSE)
  }
  x
}
