# The statistics of layerstats in R: source("R/layerstats.R") loads everything that stands beside this file.
# The Python package calls the same functions, so that numbers do not depend on the language one works in.

suppressPackageStartupMessages(library(mgcv))

local({
  # source() keeps the name of the file that it reads in its frame.
  files <- unlist(lapply(sys.frames(), function(frame) if (is.character(frame$ofile)) frame$ofile))
  if (length(files) == 0) stop("Load this file with source(\"R/layerstats.R\"), so that its siblings are found.")
  folder <- dirname(normalizePath(files[length(files)]))
  for (file in c("call.R", "rows.R", "variables.R", "fit.R", "tables.R", "design.R", "dependent_columns.R",
                 "reference_grid.R", "difference.R", "compare.R", "diagnostics.R", "mixed_logistic.R",
                 "ordered_mixed.R", "print.R", "bridge.R")) {
    source(file.path(folder, file), local = globalenv())
  }
})
