# Draw random models, fit them by mgcv::bam(discrete = FALSE), and write models, data and answers next to this file.
#   Rscript make_models.R [models per category, 15] [binomial models, 48] [processes, 2]
suppressPackageStartupMessages(library(mgcv))
folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
for (file in c("simulate.R", "categories.R", "answers.R")) source(file.path(folder, file))

arguments <- commandArgs(trailingOnly = TRUE)
each <- if (length(arguments)) as.integer(arguments[1]) else 15L
binomial_models <- if (length(arguments) > 1) as.integer(arguments[2]) else 48L
processes <- if (length(arguments) > 2) as.integer(arguments[3]) else 2L

specify <- function(category, number) {
  # Models do not depend on each other: each has its own seed.
  set.seed(1000 * match(category, names(categories)) + number)
  options <- draw_options()
  drawn <- categories[[category]]()
  options[names(drawn$options)] <- drawn$options
  ordered <- grepl("word_o", drawn$formula, fixed = TRUE)
  c(list(id = sprintf("%s-%02d", category, number), category = category, formula = drawn$formula,
         reference = if (ordered) drawn$reference else ""), options)
}

specify_binomial <- function(number) {
  set.seed(100000 + number)
  drawn <- draw_binomial(number)
  reference <- if (grepl("word_o", drawn$formula, fixed = TRUE)) "dark" else ""
  c(list(id = sprintf("binomial-%02d", number), category = "binomial", reference = reference), drawn)
}

columns_of <- function(specification) {
  used <- all.vars(as.formula(specification$formula))
  if (specification$reference != "") used <- c(setdiff(used, "word_o"), "word")
  c(used, "token", "sample", if (specification$weighted) "w")
}

make_model <- function(specification) {
  data <- simulate_data(specification, columns_of(specification))
  answers <- tryCatch(answer(specification, code_factors(data, specification$reference)), error = function(failure) {
    message(specification$id, " is left out: ", specification$formula, ": ", conditionMessage(failure))
    NULL
  })
  if (is.null(answers)) return(NULL)
  shown <- c("id", "category", "family", "formula", "method", "rho", "weighted", "reference", "grid", "truth")
  list(
    models = cbind(as.data.frame(specification[shown]), rows = nrow(data), convergence = answers$convergence),
    data = cbind(model = specification$id, data),
    answers = cbind(model = specification$id, answers$values))
}

make_all <- function(make, number) parallel::mclapply(seq_len(number), make, mc.cores = processes, mc.preschedule = FALSE)

made <- list()
for (category in names(categories)) {
  begin <- proc.time()[["elapsed"]]
  made <- c(made, make_all(function(number) make_model(specify(category, number)), each))
  message(category, ": ", round(proc.time()[["elapsed"]] - begin), " s")
}
made <- c(made, make_all(function(number) make_model(specify_binomial(number)), binomial_models))
made <- Filter(Negate(is.null), made)

together <- function(tables) {
  columns <- Reduce(union, lapply(tables, names))
  do.call(rbind, lapply(tables, function(table) {
    table[setdiff(columns, names(table))] <- NA
    table[columns]
  }))
}

save_table <- function(name, table, digits) {
  numbers <- vapply(table, is.double, TRUE)
  table[numbers] <- lapply(table[numbers], function(column) ifelse(is.na(column), "", formatC(column, digits = digits, format = "g", width = 1)))
  connection <- gzfile(file.path(folder, paste0(name, ".csv.gz")), "w", compression = 9)
  on.exit(close(connection))
  write.csv(table, connection, row.names = FALSE, na = "")
}

save_table("models", together(lapply(made, `[[`, "models")), 7)
save_table("data", together(lapply(made, `[[`, "data")), 12)
save_table("answers", together(lapply(made, `[[`, "answers")), 12)
message(length(made), " models")
