# What R says of the simulated designs: ordinal::clmm, lme4::glmer of two categories, and mgcv's ocat.
# Rscript clmm_reference.R FOLDER OUT.csv, with FOLDER as `python clmm_designs.py FOLDER` fills it.
suppressMessages({library(ordinal); library(lme4); library(mgcv)})
arguments <- commandArgs(trailingOnly = TRUE)
designs <- read.csv(file.path(arguments[1], "designs.csv"))
rows <- list()
add <- function(name, source, quantity, term, estimate, std_error = NA)
  rows[[length(rows) + 1]] <<- data.frame(name, source, quantity, term, estimate, std_error)

of_clmm <- function(design, data) {
  data$rating <- factor(data$rating)
  fit <- tryCatch(
    suppressWarnings(clmm(as.formula(design$formula), data, link = design$link, threshold = design$threshold,
                          control = clmm.control(gradTol = 1e-8, grtol = 1e-9))),
    error = function(problem) NULL)
  if (is.null(fit)) return(add(design$name, "clmm", "failed", "", NA))
  add(design$name, "clmm", "log_lik", "", as.numeric(logLik(fit)))
  add(design$name, "clmm", "gradient", "", max(abs(fit$gradient)))
  errors <- tryCatch(sqrt(diag(vcov(fit))), error = function(problem) rep(NA, length(coef(fit))))
  found <- coef(fit)
  count <- length(fit$alpha)
  for (place in seq_along(found)) {
    kind <- if (place <= count) "threshold" else if (place <= count + length(fit$beta)) "coefficient" else "skip"
    if (kind != "skip") add(design$name, "clmm", kind, names(found)[place], found[place], errors[place])
  }
  for (group in names(VarCorr(fit))) {
    deviations <- attr(VarCorr(fit)[[group]], "stddev")
    for (place in seq_along(deviations))
      add(design$name, "clmm", "std_dev", paste(group, names(deviations)[place]), deviations[place])
  }
}

of_glmer <- function(design, data) {
  data$rating <- as.integer(data$rating == max(data$rating))
  fit <- glmer(as.formula(design$formula), data, family = binomial(design$link),
               control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10, optCtrl = list(maxfun = 1e5, rhoend = 1e-9)))
  add(design$name, "glmer", "log_lik", "", as.numeric(logLik(fit)))
  errors <- sqrt(diag(as.matrix(vcov(fit, use.hessian = TRUE))))
  for (term in names(fixef(fit))) {
    threshold <- term == "(Intercept)"
    add(design$name, "glmer", if (threshold) "threshold" else "coefficient", if (threshold) "1|2" else term,
        fixef(fit)[[term]] * (if (threshold) -1 else 1), errors[[term]])
  }
  for (group in names(VarCorr(fit)))
    add(design$name, "glmer", "std_dev", paste(group, "(Intercept)"), attr(VarCorr(fit)[[group]], "stddev"))
}

# Laplace's approximation in mgcv, by its own marginal likelihood; thresholds are relative to the first, which is -1.
of_ocat <- function(design, data) {
  data$rater <- factor(data$rater)
  data$clip <- factor(data$clip)
  written <- gsub("\\(1 \\| (\\w+)\\)", "s(\\1, bs = \"re\")", design$formula)
  fit <- gam(as.formula(written), data = data, family = ocat(R = max(data$rating)), method = "ML",
             control = gam.control(epsilon = 1e-10))
  add(design$name, "ocat", "log_lik", "", -as.numeric(fit$gcv.ubre))
  for (term in setdiff(rownames(summary(fit, re.test = FALSE)$p.table), "(Intercept)")) {
    row <- summary(fit, re.test = FALSE)$p.table[term, ]
    add(design$name, "ocat", "coefficient", term, row[[1]], row[[2]])
  }
}

for (place in seq_len(nrow(designs))) {
  design <- designs[place, ]
  data <- read.csv(file.path(arguments[1], paste0(design$name, ".csv")))
  if (length(unique(data$rating)) == 2) of_glmer(design, data) else of_clmm(design, data)
  by_intercepts <- !grepl("level \\|", design$formula) && length(unique(data$rating)) > 2
  if (by_intercepts && design$link == "logit" && design$threshold == "flexible") of_ocat(design, data)
  cat(design$name, "\n")
}
found <- do.call(rbind, rows)
found$estimate <- signif(found$estimate, 10)
found$std_error <- signif(found$std_error, 8)
write.csv(found, arguments[2], row.names = FALSE, quote = TRUE)
