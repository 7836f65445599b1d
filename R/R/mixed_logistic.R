# Mixed logistic models of counts with crossed random intercepts, by lme4: variances of the restricted likelihood.

# successes, failures   counts by row
# levels                data.frame with a column of levels for each random intercept
# Returns variances (in the order of the columns), intercept, deviance (minus twice the log restricted likelihood by
# Laplace's method), gradient (its largest element in the standard deviations that are not zero), evaluations, version.
# glmer() itself does not integrate the intercept out. With nAGQ = 0 its deviance function stands at the joint mode of
# intercept and effects; the log determinant of the intercept, ldRX2(), is what is missing to the restricted likelihood.
mixed_logistic <- function(successes, failures, levels) {
  model <- mixed_logistic_deviance(successes, failures, levels)
  # The deviation of each term in the order of lme4, which sorts terms by their number of levels.
  fit <- lme4::nloptwrap(rep(0.5, model$count), model$deviance, rep(0, model$count), rep(30, model$count),
                         control = list(xtol_abs = 1e-8, ftol_abs = 1e-10, maxeval = 20000))
  # Once more from where it ended: a search without derivatives may stop early.
  again <- lme4::nloptwrap(fit$par, model$deviance, rep(0, model$count), rep(30, model$count),
                           control = list(xtol_abs = 1e-8, ftol_abs = 1e-10, maxeval = 20000))
  deviance <- model$deviance(again$par)
  list(
    variances = I(as.numeric(again$par[model$order]^2)),
    intercept = model$intercept(),
    deviance = as.numeric(deviance),
    gradient = max(abs(central_gradient(model$deviance, again$par, again$par > 1e-3)), 0),
    evaluations = fit$feval + again$feval,
    version = utils::packageDescription("lme4")$Version
  )
}

# The deviance at given variances, one row of `variances` a value.
mixed_logistic_values <- function(successes, failures, levels, variances) {
  model <- mixed_logistic_deviance(successes, failures, levels)
  back <- order(model$order)
  I(apply(variances, 1, function(row) model$deviance(sqrt(row)[back])))
}

# Returns deviance (a function of the standard deviations in the order of lme4), order (their places in the order of
# the columns), count, intercept.
mixed_logistic_deviance <- function(successes, failures, levels) {
  data <- as.data.frame(lapply(levels, as.factor), col.names = paste0("term", seq_along(levels)))
  data$successes <- successes
  data$failures <- failures
  terms <- paste0("(1 | ", names(data)[seq_along(levels)], ")", collapse = " + ")
  formula <- stats::as.formula(paste("cbind(successes, failures) ~ 1 +", terms))
  # A level a row is a model of counts like others: it is their spread beyond the binomial.
  control <- lme4::glmerControl(check.nobs.vs.nlev = "ignore", check.nobs.vs.nRE = "ignore", tolPwrss = 1e-10)
  laplace <- lme4::glmer(formula, data, family = stats::binomial(), control = control, nAGQ = 0, devFunOnly = TRUE)
  inside <- environment(laplace)
  list(
    deviance = function(deviations) laplace(deviations) + inside$pp$ldRX2() - log(2 * pi),
    order = match(names(data)[seq_along(levels)],
                  names(lme4::glFormula(formula, data, family = stats::binomial(), control = control)$reTrms$cnms)),
    count = length(levels),
    intercept = function() as.numeric(inside$pp$beta(1))
  )
}

central_gradient <- function(fn, at, which, step = 1e-4) {
  vapply(base::which(which), function(place) {
    ahead <- behind <- at
    ahead[place] <- at[place] + step
    behind[place] <- at[place] - step
    (fn(ahead) - fn(behind)) / (2 * step)
  }, numeric(1))
}
