# The structured engine, where Python is there; what it says is held by tests/cli/r_requests/test_r_engine.py.

has_python <- function() !inherits(try(layerstats_python(), silent = TRUE), "try-error")

test_that("values are written and read without loss", {
  stem <- tempfile()
  value <- list(numbers = c(0.1, 1 / 3, 5e-324, Inf, NA), whole = c(1L, NA, -3L), truth = c(TRUE, NA),
                texts = c("a \"b\"\n\\", NA, "\u0254"), matrix = matrix(1:6 / 7, 2), none = NULL,
                frame = data.frame(`time (ms)` = c(1.5, 2), word = c("x", NA), check.names = FALSE))
  write_exchange(stem, value)
  read <- read_exchange(stem)
  expect_identical(read$numbers[1:4], value$numbers[1:4])
  expect_true(is.na(read$numbers[5]))
  expect_identical(read[c("truth", "texts", "matrix", "none", "frame")],
                   value[c("truth", "texts", "matrix", "none", "frame")])
})

test_that("a Python without the package is said to be one, and 'auto' goes on without", {
  before <- options(layerstats.python = "no-such-python")
  on.exit(options(before))
  expect_error(gamm_fit(f2 ~ s(time), words, engine = "structured"), "no Python that has the package layerstats")
  model <- gamm_fit(f2 ~ s(time, k = 5), words, engine = "auto")
  expect_match(model$notes, "Fitted by mgcv, since no Python", all = FALSE)
  expect_error(gamm_fit(f2 ~ s(time), words, engine = "fast"), "'engine' is one of")
  expect_error(gamm_fit(f2 ~ s(time), words, gaps = "time"), "for engine = \"structured\"", fixed = TRUE)
})

test_that("the structured engine says what mgcv says", {
  if (!has_python()) skip("no Python with the package layerstats")
  on.exit(stop_python())
  # Rows count from 1, and columns are those of the table, not those that were sent.
  gone <- transform(words, f2 = replace(f2, 5, NA))
  expect_error(gamm_fit(f2 ~ s(time), gone, engine = "structured"), "first at row 5", fixed = TRUE)
  expect_error(gamm_fit(f2 ~ s(tim), words, engine = "structured"), "'tim' of the formula is not in the data")
  fits <- lapply(c("structured", "mgcv"), function(engine) {
    gamm_fit(f2 ~ word + s(time, k = 6) + s(time, by = word_ordered, k = 6) + s(speaker, bs = "re"), words, rho = "auto",
             series = "trajectory", order = "time", ordered = list(word_ordered = c("word", "A")), engine = engine)
  })
  expect_s3_class(fits[[1]], "layerstats_gamm")
  expect_equal(tidy(fits[[1]])$edf, tidy(fits[[2]])$edf, tolerance = 1e-4)
  expect_equal(fitted(fits[[1]]), fitted(fits[[2]]), tolerance = 1e-6)
  bands <- lapply(fits, function(fit) difference(fit, "word", "B", "A")$curve)
  expect_equal(bands[[1]]$conf_low, bands[[2]]$conf_low, tolerance = 1e-4)
  expect_output(print(fits[[1]]), "Fitted by structured")
  expect_equal(dim(predict(fits[[1]], words[1:3, ], type = "lpmatrix"))[1], 3)
})

test_that("a structured model is updated, augmented and asked as one of mgcv, and 'auto' takes families it has not", {
  if (!has_python()) skip("no Python with the package layerstats")
  on.exit(stop_python())
  gaps <- transform(words, f2 = replace(f2, 5, NA))
  models <- lapply(c("structured", "mgcv"), function(engine) {
    gamm_fit(f2 ~ word + s(time, k = 5), gaps, na = "omit", engine = engine)
  })
  tables <- lapply(models, augment)
  columns <- c("f2", ".fitted", ".se.fit", ".resid")
  expect_equal(tables[[1]][columns], tables[[2]][columns], tolerance = 1e-4, ignore_attr = TRUE)
  expect_equal(dim(augment(models[[1]], data = gaps)), c(nrow(words), ncol(words) + 3))
  # update() looks for what the call names where it is called.
  engine <- "structured"
  expect_equal(names(coef(update(models[[1]], . ~ . - word))), "(Intercept)")
  expect_error(anova(models[[1]]), "have no anova")
  expect_equal(nrow(tidy(gamm_fit(f2 ~ word, words, engine = "structured"))), 0)
  expect_equal(glance(gamm_fit(f2 ~ word, words, engine = "structured"))$df, 2)
  ranks <- transform(words, category = cut(f2, quantile(f2, 0:3 / 3), labels = FALSE, include.lowest = TRUE))
  for (family in list("ocat(R = 3)", mgcv::ocat(R = 3))) {
    expect_match(gamm_fit(category ~ word, ranks, family = family, engine = "auto")$notes[1], "since the engine 'structured'")
  }
})
