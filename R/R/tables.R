# Tables of a fit, named as in layerstats/tables/glossary/gamm.toml and common.toml.

#' Tables of a fitted model
#'
#' The columns have the names that they have in Python, in the shell and in files; [tidy()][tidy.layerstats_gamm] and
#' [glance()][glance.layerstats_gamm] give the spelling of 'broom'. The numbers are those of 'mgcv''s `summary()`.
#'
#' @param fit A model of [gamm_fit()].
#' @param summary The summary of `fit$model`, where it is at hand.
#' @return `gamm_parametric()`: a row a parametric coefficient, `term, estimate, std_error, statistic, p_value, conf_low,
#'   conf_high`, with the limits of the 95 % interval. `gamm_smooths()`: a row a smooth, `term, edf, ref_df, statistic,
#'   p_value`. `gamm_glance()`: one row about the whole model; `score` is minus the log (restricted) likelihood that was
#'   minimised.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words)
#' gamm_parametric(model)
#' gamm_smooths(model)
#' gamm_glance(model)
#' @name gamm_tables
NULL

#' @rdname gamm_tables
#' @export
gamm_parametric <- function(fit, summary = base::summary(fit$model)) {
  if (is_structured(fit)) return(fit$parametric)
  table <- summary$p.table
  if (is.null(table)) table <- matrix(numeric(0), 0, 4)
  # The statistic is z where the scale is known.
  freedom <- if (identical(colnames(table)[3], "z value")) Inf else summary$residual.df
  margin <- stats::qt(0.975, freedom) * table[, 2]
  # A coefficient that was left out has no interval.
  margin[table[, 2] == 0] <- NA
  data.frame(term = as.character(rownames(table)), estimate = table[, 1], std_error = table[, 2], statistic = table[, 3],
             p_value = table[, 4], conf_low = table[, 1] - margin, conf_high = table[, 1] + margin, row.names = NULL)
}

#' @rdname gamm_tables
#' @export
gamm_smooths <- function(fit, summary = base::summary(fit$model)) {
  if (is_structured(fit)) return(fit$smooths)
  table <- summary$s.table
  if (is.null(table)) table <- matrix(numeric(0), 0, 4)
  data.frame(term = as.character(rownames(table)), edf = table[, 1], ref_df = table[, 2], statistic = table[, 3],
             p_value = table[, 4], row.names = NULL)
}

#' @rdname gamm_tables
#' @export
gamm_glance <- function(fit, summary = base::summary(fit$model)) {
  if (is_structured(fit)) return(fit$glance)
  model <- fit$model
  likelihood <- stats::logLik(model)
  data.frame(
    nobs = stats::nobs(model),
    df = attr(likelihood, "df"),
    df_residual = stats::df.residual(model),
    log_lik = as.numeric(likelihood),
    aic = stats::AIC(model),
    bic = stats::BIC(model),
    deviance = stats::deviance(model),
    deviance_explained = summary$dev.expl,
    # Families without a mean, as ordered categories, have none.
    adj_r_squared = if (is.null(summary$r.sq)) NA_real_ else summary$r.sq,
    scale = summary$scale,
    score = as.numeric(model$gcv.ubre),
    method = fit$method,
    rho = fit$rho
  )
}
