# What 'broom' promises of a model, in its spelling. The verbs of this package have the names of the glossary (std_error).

BROOM_NAMES <- c(std_error = "std.error", p_value = "p.value", conf_low = "conf.low", conf_high = "conf.high",
                 conf_level = "conf.level", ref_df = "ref.df", adj_r_squared = "adj.r.squared", log_lik = "logLik",
                 aic = "AIC", bic = "BIC", df_residual = "df.residual", diff = "estimate", derivative = "estimate")

broom_spelling <- function(table) {
  known <- names(table) %in% names(BROOM_NAMES)
  names(table)[known] <- BROOM_NAMES[names(table)[known]]
  class(table) <- "data.frame"
  table
}

#' A model as tidy tables, in the spelling of 'broom'
#'
#' As the methods that 'broom' has for models of 'mgcv': `std.error` here is `std_error` in the verbs of this package.
#'
#' @param x A model of [gamm_fit()], or a result of [difference()], [curves()] or [derivatives()].
#' @param parametric Whether to give the parametric coefficients instead of the smooths.
#' @param conf.int,conf.level Whether to give intervals of parametric coefficients, and at which level.
#' @param ... Not used.
#' @return A data frame. Of smooths `term, edf, ref.df, statistic, p.value`; of parametric coefficients `term, estimate,
#'   std.error, statistic, p.value`, with `conf.int = TRUE` also `conf.low, conf.high`; of a difference, of curves or of derivatives their
#'   curve with `estimate, std.error, conf.low, conf.high`.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6), words)
#' tidy(model)
#' tidy(model, parametric = TRUE, conf.int = TRUE)
#' @export
tidy.layerstats_gamm <- function(x, parametric = FALSE, conf.int = FALSE, conf.level = 0.95, ...) {
  if (!parametric) return(broom_spelling(gamm_smooths(x)))
  table <- gamm_parametric(x)
  if (conf.level != 0.95) {
    # The limits at 95 % say how many standard errors they are away, whatever the distribution.
    margin <- stats::qt((1 + conf.level) / 2, residual_freedom(x)) * table$std_error
    table$conf_low <- table$estimate - margin
    table$conf_high <- table$estimate + margin
  }
  if (!conf.int) table <- table[setdiff(names(table), c("conf_low", "conf_high"))]
  broom_spelling(table)
}

# Of the t distribution of coefficients; infinite where the scale is known.
residual_freedom <- function(fit) {
  if (is_structured(fit)) return(if (startsWith(fit$family, "gaussian")) fit$glance$df_residual else Inf)
  summary <- summary(fit$model)
  if (identical(colnames(summary$p.table)[3], "z value")) Inf else summary$residual.df
}

#' @rdname tidy.layerstats_gamm
#' @export
tidy.layerstats_difference <- function(x, ...) broom_spelling(x$curve)

#' @rdname tidy.layerstats_gamm
#' @export
tidy.layerstats_curves <- function(x, ...) {
  names(x)[names(x) == "fit"] <- "estimate"
  broom_spelling(as.data.frame(x))
}

#' @rdname tidy.layerstats_gamm
#' @export
tidy.layerstats_derivatives <- function(x, ...) broom_spelling(x$curve)

#' A model in one row, in the spelling of 'broom'
#'
#' [gamm_glance()] is the same with the names of this package.
#'
#' @param x A model of [gamm_fit()].
#' @param ... Not used.
#' @return A data frame with one row: `df` (the sum of the effective degrees of freedom, as 'broom' has it), `logLik`, `AIC`,
#'   `BIC`, `deviance`, `df.residual`, `nobs`, `adj.r.squared`, `npar` as in 'broom'; then `deviance_explained`, `scale`,
#'   `score`, `method` and `rho`.
#' @examples
#' glance(gamm_fit(f2 ~ word + s(time, k = 6), words))
#' @export
glance.layerstats_gamm <- function(x, ...) {
  table <- broom_spelling(gamm_glance(x))
  table$df <- sum(x$model$edf)
  table$npar <- length(stats::coef(x$model))
  first <- c("df", "logLik", "AIC", "BIC", "deviance", "df.residual", "nobs", "adj.r.squared", "npar")
  table[c(first, setdiff(names(table), first))]
}

# Leverages and Cook's distances as mgcv has them for gam(); bam() does not keep leverages, which are the variance of a
# fitted value over that of its row.
row_influence <- function(fit) {
  model <- fit$model
  hat <- if (inherits(model, "bam")) {
    error <- predict_rows(fit, given_rows(fit), NULL, FALSE)$se.fit
    in_given_order(fit, model$weights) * error^2 / model$sig2
  } else {
    in_given_order(fit, stats::influence(model))
  }
  # Some families, as ordered categories, have no Pearson residuals.
  residuals <- tryCatch(stats::residuals(fit, type = "pearson"), error = function(condition) NA_real_)
  list(hat, (residuals / (1 - hat))^2 * hat / (model$sig2 * sum(model$edf)))
}

#' Rows with what the model says of them
#'
#' @param x A model of [gamm_fit()].
#' @param data The table that the model was fitted to; by default the columns that it uses. Rows that were left out get `NA`.
#' @param newdata New rows, as for [predict()][predict.layerstats_gamm]; then only `.fitted` and `.se.fit` are added.
#' @param type.predict,type.residuals Types of predictions and residuals.
#' @param ... Passed on to [predict()][predict.layerstats_gamm], for instance `exclude`.
#' @return A data frame: the rows with `.fitted`, `.se.fit`, `.resid`, `.hat` and `.cooksd`. The last two are `NA` where the
#'   model has AR(1) residuals: a row's influence is then not its own.
#' @examples
#' head(augment(gamm_fit(f2 ~ word + s(time, k = 6), words)))
#' @export
augment.layerstats_gamm <- function(x, data = NULL, newdata = NULL, type.predict = "link", type.residuals = "deviance", ...) {
  rows <- if (is.null(newdata)) NULL else as.data.frame(newdata)
  predicted <- stats::predict(x, newdata = rows, type = type.predict, se.fit = TRUE, ...)
  if (!is.null(rows)) return(cbind(rows, .fitted = unname(predicted$fit), .se.fit = unname(predicted$se.fit)))
  said <- data.frame(.fitted = predicted$fit, .se.fit = predicted$se.fit, .resid = stats::residuals(x, type = type.residuals),
                     .hat = NA_real_, .cooksd = NA_real_)
  if (x$rho == 0) said[c(".hat", ".cooksd")] <- row_influence(x)
  if (is.null(data)) return(cbind(given_rows(x), said))
  data <- as.data.frame(data)
  if (nrow(data) != x$rows) {
    stop("The table that the model was fitted to has ", x$rows, " rows, but 'data' has ", nrow(data), ". Give new rows as ",
         "'newdata'.", call. = FALSE)
  }
  said <- said[match(seq_len(x$rows), sort(x$position)), ]
  rownames(said) <- rownames(data)
  cbind(data, said)
}
