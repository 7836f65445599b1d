# What bam() says here and now: reads folders from standard input, one a line, each with a model and its data; writes
# answers.csv there, and a line on standard output when it has.
suppressPackageStartupMessages(library(mgcv))
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])), "answers.R"))

answer_folder <- function(folder) {
  specification <- read.csv(file.path(folder, "model.csv"), colClasses = c(reference = "character"))
  data <- code_factors(read.csv(file.path(folder, "data.csv")), specification$reference)
  # As strict as bam() is by default.
  values <- suppressWarnings(model_values(bam_fit(specification, data, epsilon = 1e-7), data))
  values$value <- sprintf("%a", values$value)
  write.csv(values, file.path(folder, "answers.csv"), row.names = FALSE)
}

input <- file("stdin", "r")
while (length(folder <- readLines(input, 1))) {
  failure <- tryCatch({ answer_folder(folder); "done" }, error = conditionMessage)
  cat(gsub("\n", " ", failure), "\n", sep = "")
}
