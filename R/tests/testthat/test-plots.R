# What figures show: their data and their looks. That they look as the Python package's is seen by eye.

skip_if_not_installed("ggplot2")

model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6), words,
                  ordered = list(word_ordered = c("word", "A")), series = "trajectory", order = "time")
found <- difference(model, "word", "B", "A")

test_that("the strip of a difference lies where the interval excludes zero", {
  figure <- ggplot2::autoplot(found, value_label = "F2 (Hz)")
  layers <- ggplot2::ggplot_build(figure)$data
  strip <- Filter(function(layer) "xmin" %in% names(layer) && nrow(layer) == nrow(found$regions), layers)[[1]]
  expect_equal(strip[c("xmin", "xmax")], found$regions[c("start", "end")], ignore_attr = TRUE)
  expect_equal(unique(strip$fill), "black")
  expect_equal(layers[[1]]$fill[1], "#cccccc")
  expect_equal(figure$labels$title, "B - A")
  expect_equal(figure$labels$y, "Difference in\nF2 (Hz)")
  expect_equal(plot_difference(found, value_label = "F2 (Hz)")$data, figure$data)
  expect_error(plot_smooths(model), "plot_smooths(curves(model", fixed = TRUE)
  expect_error(plot_difference(found$curve, transform(found$regions, level_1 = "C")), "regions without a curve")
  stacked <- do.call(rbind, lapply(c("conv1", "conv2"), function(layer) cbind(found$curve, layer = layer)))
  expect_equal(nrow(ggplot2::ggplot_build(plot_difference(stacked))$layout$layout), 2)
})

test_that("groups have the same colours and lines in every figure", {
  data <- ggplot2::ggplot_build(ggplot2::autoplot(curves(model, "word")))$data
  expect_equal(unique(data[[2]]$colour), c("#000000", "#E69F00"))
  expect_equal(unique(data[[2]]$linetype), c("solid", "42"))
  many <- data.frame(group = rep(letters[1:9], each = 2), time = c(0, 1), fit = 1:18, conf_low = 0, conf_high = 19, layer = "a")
  expect_error(plot_smooths(many, "group", layout = "overlay"), "At most 8 groups")
  expect_equal(nrow(ggplot2::ggplot_build(plot_smooths(many, "group"))$layout$layout), 9)
  expect_equal(nrow(ggplot2::ggplot_build(plot_phone_curves(many[1:4, ]))$layout$layout), 1)
})

test_that("points of effects are filled where they are significant, and layers that fail checks are marked", {
  effects <- data.frame(layer = c("conv1", "conv10", "conv2"), effect_size = c(0.4, 0.9, NA), low = 0, high = 1,
                        p = c(0.01, 0.3, NA), model_checks = c("", "fails normality", NA))
  null <- data.frame(layer = rep(effects$layer, 5), effect_size = seq(0.1, 0.2, length.out = 15))
  figure <- plot_effect_by_layer(effects, null, p_column = "p", interval = c("low", "high"))
  built <- ggplot2::ggplot_build(figure)
  points <- Filter(function(layer) "shape" %in% names(layer) && nrow(layer) == 2, built$data)[[1]]
  expect_equal(points$fill, c("black", "white"))
  expect_equal(built$layout$panel_params[[1]]$x$get_labels(), c("conv1", "conv10\u00a7", "conv2"))
  expect_error(plot_effect_by_layer(effects, transform(null, layer = "fc"), "p", c("low", "high")), "effects at 'fc'")
  expect_error(plot_effect_by_layer(effects), "no column 'joint_p_adjusted'")
})

test_that("plot() draws, whatever is plotted", {
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  expect_identical(plot(found), found)
  expect_silent(plot(curves(model)))
  expect_silent(plot(autocorrelation(model)))
  expect_silent(plot(model, pages = 1))
  expect_silent(print(plot_residual_checks(model, most_points = 100)))
  expect_equal(plot_residual_checks(model, most_points = 100)$labels$caption, "100 of 1200 residuals, evenly by rank.")
})
