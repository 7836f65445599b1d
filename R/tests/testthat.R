library(testthat)
library(layerstats)

test_check("layerstats")
