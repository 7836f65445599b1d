# Random formulas and the model matrices that mgcv makes of their parametric part: Rscript make_formulas.R, from here.
#
# Writes rows.csv (the data) and formulas.csv.gz: the formula, the names of the columns, and for each column its products
# with two vectors of weights, which no other column of these data has.

suppressMessages(library(mgcv))
set.seed(9)
options(contrasts = c("contr.treatment", "contr.poly"))

rows <- expand.grid(a = c("k", "l"), b = c("p", "q", "r"), c = c("u", "v"), copy = 1:2)
rows$copy <- NULL
rows$x <- round(stats::rnorm(nrow(rows)), 3)
rows$z <- round(stats::rnorm(nrow(rows)), 3)
rows$n <- sample(1:9, nrow(rows), replace = TRUE)
rows$t <- seq_len(nrow(rows)) / nrow(rows)
rows$y <- round(stats::rnorm(nrow(rows)), 3)
write.csv(rows, "rows.csv", row.names = FALSE, quote = FALSE)
weights <- cbind(sin(seq_len(nrow(rows))), cos(2 * seq_len(nrow(rows))))

one <- function(...) sample(c(...), 1)

variable <- function() {
  one("a", "b", "c", "a", "b", "c", "x", "z", "x", "n", "log(n)", "I(x^2)", "I(z*.50)", "log(n + 1e3)", "sqrt(n)")
}

term <- function(depth) {
  if (depth == 0 || stats::runif(1) < 0.25) return(variable())
  left <- term(depth - 1)
  right <- term(depth - 1)
  switch(
    one("+", ":", ":", "*", "*", "/", "%in%", "^", "-", "()"),
    "+" = paste0("(", left, " + ", right, ")"),
    ":" = paste0(group(left), ":", group(right)),
    "*" = paste0("(", left, "*", group(right), ")"),
    "/" = paste0("(", group(left), "/", group(right), ")"),
    "%in%" = paste0("(", group(left), " %in% ", group(right), ")"),
    "^" = paste0("(", left, " + ", right, ")^", one(2, 3)),
    "-" = paste0("(", left, " - ", right, ")"),
    "()" = paste0("(", left, ")")
  )
}

# A name or a call stays as it is.
group <- function(text) if (grepl("^[a-z]$", text)) text else paste0("(", text, ")")

formula_text <- function() {
  terms <- replicate(sample(1:4, 1), term(sample(0:2, 1)))
  if (stats::runif(1) < 0.5) terms <- append(terms, "s(t, k = 5)", sample(0:length(terms), 1))
  if (stats::runif(1) < 0.35) terms <- append(terms, one("0", "-1", "1"), sample(0:length(terms), 1))
  text <- paste(terms, collapse = " + ")
  if (stats::runif(1) < 0.2) text <- paste(text, "-", term(1))
  paste("y ~", gsub("+ -1", "- 1", text, fixed = TRUE))
}

answer <- function(text) {
  parts <- tryCatch(interpret.gam(stats::as.formula(text)), error = function(condition) NULL)
  if (is.null(parts) || !parts$pfok) return(NULL)
  matrix <- tryCatch(stats::model.matrix(parts$pf, rows), error = function(condition) NULL)
  if (is.null(matrix) || ncol(matrix) > 40) return(NULL)
  products <- crossprod(weights, matrix)
  data.frame(
    formula = text,
    names = paste(colnames(matrix), collapse = "|"),
    first = paste(sprintf("%.12g", products[1, ]), collapse = "|"),
    second = paste(sprintf("%.12g", products[2, ]), collapse = "|")
  )
}

found <- list()
while (length(found) < 400) {
  text <- formula_text()
  new <- answer(text)
  if (!is.null(new) && !text %in% vapply(found, `[[`, character(1), "formula")) found <- c(found, list(new))
}
output <- gzfile("formulas.csv.gz", "w")
write.csv(do.call(rbind, found), output, row.names = FALSE)
close(output)
