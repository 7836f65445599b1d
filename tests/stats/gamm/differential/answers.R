# Fit one model by mgcv's bam() and write down what it says, as a long table.

quantity <- function(name, term, value) data.frame(quantity = name, term = as.character(term), value = as.numeric(value))

is_random <- function(smooth) inherits(smooth, "random.effect") || inherits(smooth, "fs.interaction")

# How far from its optimum the fit stopped: what a Newton step would still gain, and the flattest direction.
convergence <- function(outer) {
  if (is.null(outer$grad) || is.null(outer$hess)) return(NULL)
  gradient <- as.numeric(outer$grad)
  hessian <- as.matrix(outer$hess)
  spectrum <- eigen((hessian + t(hessian)) / 2, symmetric = TRUE)
  turned <- crossprod(spectrum$vectors, gradient)
  curved <- abs(spectrum$values) > 1e-10
  rbind(
    quantity("gradient", "", max(abs(gradient))),
    quantity("newton_gain", "", sum(turned[curved]^2 / abs(spectrum$values[curved])) / 2),
    quantity("least_curvature", "", min(diag(hessian))),
    quantity("iterations", "", outer$iter))
}

bam_fit <- function(specification, data) {
  data$start <- c(TRUE, data$token[-1] != data$token[-nrow(data)])
  arguments <- list(as.formula(specification$formula), data = data, method = specification$method)
  # bam() looks its variables up in the data.
  if (specification$rho != 0) arguments <- c(arguments, rho = specification$rho, AR.start = quote(start))
  if (specification$weighted) arguments <- c(arguments, weights = quote(w))
  do.call(mgcv::bam, arguments)
}

fit_tables <- function(fit) {
  table <- summary(fit)
  parametric <- table$p.table
  smooths <- table$s.table
  rbind(
    quantity("estimate", rownames(parametric), parametric[, 1]),
    quantity("std_error", rownames(parametric), parametric[, 2]),
    quantity("p_value", rownames(parametric), parametric[, 4]),
    quantity("edf", rownames(smooths), smooths[, 1]),
    quantity("ref_df", rownames(smooths), smooths[, 2]),
    quantity("smooth_statistic", rownames(smooths), smooths[, 3]),
    quantity("smooth_p_value", rownames(smooths), smooths[, 4]),
    quantity("smoothing_parameter", seq_along(fit$sp), fit$sp),
    quantity("adj_r_squared", "", table$r.sq),
    quantity("deviance_explained", "", table$dev.expl))
}

fit_numbers <- function(fit) {
  likelihood <- logLik(fit)
  rbind(
    quantity("score", "", fit$gcv.ubre),
    quantity("scale", "", fit$sig2),
    quantity("edf_total", "", sum(fit$edf)),
    quantity("df", "", attr(likelihood, "df")),
    quantity("log_lik", "", likelihood),
    quantity("aic", "", AIC(fit)),
    quantity("deviance", "", deviance(fit)))
}

# Predictions at rows spread over the table, with all terms and without the random ones.
fit_predictions <- function(fit, data) {
  rows <- unique(round(seq(1, nrow(data), length.out = 10)))
  labels <- vapply(Filter(is_random, fit$smooth), function(smooth) smooth$label, "")
  whole <- predict(fit, data[rows, ], se.fit = TRUE)
  fixed <- predict(fit, data[rows, ], se.fit = TRUE, exclude = labels)
  rbind(
    quantity("fitted", rows - 1, whole$fit),
    quantity("fitted_std_error", rows - 1, whole$se.fit),
    quantity("fixed", rows - 1, fixed$fit),
    quantity("fixed_std_error", rows - 1, fixed$se.fit))
}

# Evaluate `expression` while mgcv's optimisers run until rounding stops them. bam() hands them no tolerance of ours.
converged_tightly <- function(expression) {
  optimiser <- mgcv:::fast.REML.fit
  control <- mgcv::gam.control
  on.exit({
    assignInNamespace("fast.REML.fit", optimiser, "mgcv")
    assignInNamespace("gam.control", control, "mgcv")
  })
  tight_optimiser <- optimiser
  formals(tight_optimiser)$conv.tol <- 1e-13
  tight_control <- control
  formals(tight_control)$newton <- quote(list(conv.tol = 1e-12))
  assignInNamespace("fast.REML.fit", tight_optimiser, "mgcv")
  assignInNamespace("gam.control", tight_control, "mgcv")
  expression
}

model_values <- function(fit, data) rbind(fit_numbers(fit), fit_tables(fit), fit_predictions(fit, data))

# The score where time is counted in other units: the same model, with other rounding errors.
score_in_other_units <- function(specification, data) {
  if (!grepl('"fs"', specification$formula, fixed = TRUE)) return(NULL)
  quantity("score_other_units", "", bam_fit(specification, transform(data, x = 1.7 * x))$gcv.ubre)
}

answer <- function(specification, data) {
  warned <- character()
  seconds <- system.time(fit <- withCallingHandlers(bam_fit(specification, data), warning = function(condition) {
    warned <<- c(warned, conditionMessage(condition))
    invokeRestart("muffleWarning")
  }))[["elapsed"]]
  values <- model_values(fit, data)
  suppressWarnings({
    values$tight <- model_values(converged_tightly(bam_fit(specification, data)), data)$value
    aside <- rbind(convergence(fit$outer.info), score_in_other_units(specification, data),
                   quantity("seconds", "", round(seconds, 2)))
  })
  aside$tight <- NA
  list(values = rbind(values, aside), convergence = paste(c(fit$outer.info$conv, unique(trimws(warned))), collapse = "; "))
}
