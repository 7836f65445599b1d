# Stores in R itself; that numbers are Python's is held by tests/store/test_store_in_r.py.

test_that("a store says what it holds, and is read", {
  store <- open_store(example_store())
  expect_output(print(store), "12 tokens of 4 speakers, 36 phones")
  expect_equal(recordings(store)$recording, c("activations", "epsilon", "untrained_00", "vectors"))
  expect_equal(layers(store)$samples, c(64, 16))
  all <- activations(store)
  expect_equal(nrow(all), 12 * (64 + 16))
  chosen <- activations(store, "conv2", word = "ask", time_s = c(0, 0.5))
  wanted <- all[all$layer == "conv2" & all$word == "ask" & all$time_s < 0.5, ]
  expect_equal(chosen, wanted, ignore_attr = "row.names")
  maps <- read_variable(store, "activations", "conv1", "maps")
  expect_equal(dim(maps), c(12, 3, 64))
  long <- activations(store, "conv1", values = "maps")
  expect_equal(long$value[long$token == "tok03" & long$channel == 1], maps[4, 2, ])
  expect_equal(rowMeans(matrix(long$value, ncol = 3, byrow = TRUE)), all$value[all$layer == "conv1"], tolerance = 1e-6)
})

test_that("results are read, and what is ambiguous is asked for", {
  store <- open_store(example_store())
  expect_equal(ratings(store)$rating, c(3, 5))
  expect_equal(nrow(outcomes(store)), 12)
  expect_equal(dim(outcomes(store, variable = "codes_after")), c(12, 6))
  expect_equal(unique(relevance(store)$layer), "conv1")
  expect_equal(dim(phone_vectors(store, "conv1", "vectors", phone = "k")$vector), c(8, 3))
  expect_error(activations(store, word = "aks"), "no word 'aks'. There are: ask, wash, dark.", fixed = TRUE)
  expect_error(activations(store, recording = "x"), "no recording 'x'")
})

test_that("a file that was cut off is damage, never values that are missing", {
  expect_error(open_store(12), "needed, as text, but got 12")
  content <- as.raw(1:60 %% 7 + 192)
  file <- tempfile()
  writeBin(content, file)
  expect_error(file_chunks(file, c(1, 2)), "damaged.*its index is wrong")
  # An index of ones: no chunk of the file was written.
  writeBin(as.raw(rep(255, 36)), file)
  expect_length(file_chunks(file, c(1, 2)), 0)
})

test_that("what is read from a path is the same", {
  path <- example_store()
  read <- read_store(path, "conv1", untrained = TRUE)
  expect_equal(read$activations, activations(path, "conv1"))
  expect_equal(read$untrained$value, activations(path, "conv1", "untrained_00")$value)
  expect_equal(read$ratings_people, ratings(path))
  expect_equal(read_outcomes(path), outcomes(path))
})

test_that("JSON is read as it is written", {
  read <- parse_json('{"a": [1, -2.5e3, null, true], "b": {"c": "x\\"\\u00e9\\ud83d\\ude00\\n"}, "d": [], "e": {}}')
  expect_identical(read$a, list(1, -2500, NULL, TRUE))
  expect_identical(read$b$c, "x\"\u00e9\U1F600\n")
  expect_identical(read$d, list())
  expect_error(parse_json('{"a": [1, 2'), "ends too early")
  expect_error(parse_json('{"a" 1}'), "should be")
})
