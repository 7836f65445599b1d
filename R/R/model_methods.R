# What R asks of any fitted model. Values of rows stand in the order of the table that was given.

#' Fitted values and residuals
#'
#' A value for each row of the table that the model was fitted to, in its order, named by the number of the row; rows that
#' were left out have none.
#'
#' @param object A model of [gamm_fit()].
#' @param type As in [mgcv::residuals.gam()], or `"whitened"`: what is left of the residuals without their AR(1) part.
#' @param ... Not used.
#' @return A named numeric vector.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words)
#' head(residuals(model))
#' all.equal(unname(fitted(model) + residuals(model)), as.numeric(words$f2))
#' @export
residuals.layerstats_gamm <- function(object, type = "deviance", ...) {
  values <- if (type == "whitened") whitened_residuals(object) else stats::residuals(object$model, type = type)
  in_given_order(object, values)
}

#' @rdname residuals.layerstats_gamm
#' @export
fitted.layerstats_gamm <- function(object, ...) in_given_order(object, stats::fitted(object$model))

# Values, or rows of a matrix, that stand in the order of the fit.
in_given_order <- function(fit, values) {
  order <- order(fit$position)
  if (is.matrix(values)) {
    values <- values[order, , drop = FALSE]
    rownames(values) <- sort(fit$position)
    return(values)
  }
  stats::setNames(as.numeric(values)[order], sort(fit$position))
}

#' Coefficients, covariance, likelihood of a model
#'
#' These are those of the model of 'mgcv' that stands in `$model`.
#'
#' @param object,x A model of [gamm_fit()].
#' @param ... Passed on, for instance `unconditional = TRUE` to [mgcv::vcov.gam()].
#' @return What R's models give: `coef()` a named vector, `vcov()` the Bayesian covariance of the coefficients, `logLik()` with
#'   its degrees of freedom, so that `AIC()` and `BIC()` work, `nobs()`, `deviance()` and `df.residual()` a number,
#'   `formula()` and `family()` what the model was asked.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words)
#' coef(model)[1:2]
#' sqrt(diag(vcov(model)))[1:2]
#' AIC(model)
#' @name model_methods
NULL

#' @rdname model_methods
#' @export
coef.layerstats_gamm <- function(object, ...) stats::coef(object$model, ...)

#' @rdname model_methods
#' @export
vcov.layerstats_gamm <- function(object, ...) stats::vcov(object$model, ...)

#' @rdname model_methods
#' @export
logLik.layerstats_gamm <- function(object, ...) stats::logLik(object$model, ...)

#' @rdname model_methods
#' @export
nobs.layerstats_gamm <- function(object, ...) stats::nobs(object$model, ...)

#' @rdname model_methods
#' @export
deviance.layerstats_gamm <- function(object, ...) stats::deviance(object$model, ...)

#' @rdname model_methods
#' @export
df.residual.layerstats_gamm <- function(object, ...) stats::df.residual(object$model, ...)

#' @rdname model_methods
#' @export
formula.layerstats_gamm <- function(x, ...) stats::formula(x$model, ...)

#' @rdname model_methods
#' @export
family.layerstats_gamm <- function(object, ...) stats::family(object$model, ...)

#' Tests of the terms of a model, or of several models
#'
#' Those of 'mgcv'; [compare()] says what may be compared.
#'
#' @param object A model of [gamm_fit()].
#' @param ... More models, and arguments of [mgcv::anova.gam()].
#' @return As [mgcv::anova.gam()].
#' @examples
#' anova(gamm_fit(f2 ~ word + s(time, k = 6), words))
#' @export
anova.layerstats_gamm <- function(object, ...) {
  others <- lapply(list(...), function(other) if (inherits(other, "layerstats_gamm")) other$model else other)
  do.call(stats::anova, c(list(object$model), others))
}
