# The R package without installing it: source("R/layerstats.R") loads what stands in R/ beside this file. The workers of the
# Python package are loaded so; people install it (R CMD INSTALL R) and write library(layerstats).

# So that formulas find ns() and bs().
library(splines)
# Families of mgcv look for its functions among what is attached. Stores are read without it.
if (requireNamespace("mgcv", quietly = TRUE)) suppressPackageStartupMessages(library(mgcv))

local({
  # source() keeps the name of the file that it reads in its frame.
  files <- unlist(lapply(sys.frames(), function(frame) if (is.character(frame$ofile)) frame$ofile))
  if (length(files) == 0) stop("Load this file with source(\"R/layerstats.R\"), so that the folder R/R is found.")
  folder <- file.path(dirname(normalizePath(files[length(files)])), "R")
  # What the package hands on of others is not there without installing it.
  for (file in setdiff(list.files(folder, pattern = "\\.R$"), c("reexports.R", "layerstats-package.R"))) {
    source(file.path(folder, file), local = globalenv())
  }
})
