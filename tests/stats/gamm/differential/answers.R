# Fit one model by mgcv's bam() and write down what it says, as a long table.

quantity <- function(name, term, value) data.frame(quantity = name, term = as.character(term), value = as.numeric(value))

is_random <- function(smooth) inherits(smooth, "random.effect") || inherits(smooth, "fs.interaction")

bam_fit <- function(specification, data) {
  data$start <- c(TRUE, data$token[-1] != data$token[-nrow(data)])
  arguments <- list(as.formula(specification$formula), data = data, method = specification$method)
  # bam() looks its variables up in the data.
  if (specification$rho != 0) arguments <- c(arguments, rho = specification$rho, AR.start = quote(start))
  if (specification$weighted) arguments <- c(arguments, weights = quote(w))
  # The fixed point of the working models, and not the place where the deviance changes by 1e-7.
  if (specification$family == "binomial") arguments <- c(arguments, family = quote(binomial()), control = quote(list(epsilon = 1e-12)))
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

# At rows spread over the table: predictions with all terms and without the random ones, and residuals.
fit_rows <- function(fit, data) {
  rows <- unique(round(seq(1, nrow(data), length.out = 10)))
  labels <- vapply(Filter(is_random, fit$smooth), function(smooth) smooth$label, "")
  whole <- predict(fit, data[rows, ], se.fit = TRUE)
  fixed <- predict(fit, data[rows, ], se.fit = TRUE, exclude = labels)
  residual <- if (is.null(fit$std.rsd)) residuals(fit) else fit$std.rsd
  response <- if (fit$family$family == "binomial") predict(fit, data[rows, ], se.fit = TRUE, type = "response")
  rbind(
    quantity("fitted", rows - 1, whole$fit),
    quantity("fitted_std_error", rows - 1, whole$se.fit),
    quantity("fixed", rows - 1, fixed$fit),
    quantity("fixed_std_error", rows - 1, fixed$se.fit),
    quantity("residual", rows - 1, residual[rows]),
    if (!is.null(response)) quantity("probability", rows - 1, response$fit),
    if (!is.null(response)) quantity("probability_std_error", rows - 1, response$se.fit))
}

# The natural parameterisation of a factor smooth with the null space along what its first coordinates have in it.
# LAPACK returns these eigenvectors but for rounding errors, which turn them in some models.
with_fixed_axes <- function(parameterise) {
  force(parameterise)
  function(X, S, rank = NULL, type = 0, ...) {
    result <- parameterise(X, S, rank = rank, type = type, ...)
    if (type == 1 && result$rank < ncol(X) - 1) {
      free <- (result$rank + 1):ncol(X)
      vectors <- qr.R(qr(X, tol = .Machine$double.eps^0.8)) %*% result$P[, free]
      turn <- qr.Q(qr(t(vectors[seq_along(free), ])))
      result$X[, free] <- result$X[, free] %*% turn
      result$P[, free] <- result$P[, free] %*% turn
    }
    result
  }
}

# Evaluate `expression` while functions of mgcv are replaced.
with_mgcv <- function(changed, expression) {
  kept <- lapply(setNames(nm = names(changed)), function(name) getFromNamespace(name, "mgcv"))
  on.exit(for (name in names(kept)) assignInNamespace(name, kept[[name]], "mgcv"))
  for (name in names(changed)) assignInNamespace(name, changed[[name]], "mgcv")
  expression
}

# mgcv's optimisers with tolerances that only rounding reaches; bam() lets its caller set none of them.
tight_optimisers <- list(fast.REML.fit = mgcv:::fast.REML.fit, gam.control = mgcv::gam.control)
formals(tight_optimisers$fast.REML.fit)$conv.tol <- 1e-13
formals(tight_optimisers$gam.control)$newton <- quote(list(conv.tol = 1e-12))
fixed_axes <- list(nat.param = with_fixed_axes(mgcv:::nat.param))

model_values <- function(fit, data) rbind(fit_numbers(fit), fit_tables(fit), fit_rows(fit, data))

# The score where time is counted in other units: the same model, with other rounding errors.
score_in_other_units <- function(specification, data) {
  scores <- NULL
  for (unit in c(1.7, -1)) scores <- c(scores, bam_fit(specification, transform(data, x = unit * x))$gcv.ubre)
  quantity("score_other_units", c(1.7, -1), scores)
}

answer <- function(specification, data) {
  warned <- character()
  fit <- withCallingHandlers(bam_fit(specification, data), warning = function(condition) {
    warned <<- c(warned, conditionMessage(condition))
    invokeRestart("muffleWarning")
  })
  values <- cbind(model_values(fit, data), tight = NA, fixed_axes = NA)
  suppressWarnings({
    tight <- with_mgcv(tight_optimisers, bam_fit(specification, data))
    values$tight <- model_values(tight, data)$value
    several <- vapply(fit$smooth, function(smooth) inherits(smooth, "fs.interaction") && length(smooth$S) > 2, TRUE)
    if (any(several)) {
      fixed <- with_mgcv(c(tight_optimisers, fixed_axes), bam_fit(specification, data))
      if (abs(fixed$gcv.ubre - tight$gcv.ubre) > 1e-6) values$fixed_axes <- model_values(fixed, data)$value
      values <- rbind(values, cbind(score_in_other_units(specification, data), tight = NA, fixed_axes = NA))
    }
  })
  list(values = values, convergence = paste(c(fit$outer.info$conv, unique(trimws(warned))), collapse = "; "))
}
