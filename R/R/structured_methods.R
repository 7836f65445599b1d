# What R asks of a model, for models of the structured engine.

#' @export
print.layerstats_structured <- function(x, ...) {
  cat(x$summary, "\n", sep = "")
  invisible(x)
}

#' @export
summary.layerstats_structured <- function(object, ...) {
  structure(object[c("parametric", "smooths", "rho", "notes", "summary")], class = "summary.layerstats_structured")
}

#' @export
print.summary.layerstats_structured <- function(x, ...) {
  cat(x$summary, "\n", sep = "")
  invisible(x)
}

#' @export
fitted.layerstats_structured <- function(object, ...) stats::setNames(object$fitted, object$position)

#' @export
anova.layerstats_structured <- function(object, ...) {
  stop("Models of the structured engine have no anova(): tidy() has the tests of smooths, tidy(parametric = TRUE) those of ",
       "coefficients, and compare() holds two models against each other.", call. = FALSE)
}

#' @export
residuals.layerstats_structured <- function(object, type = c("deviance", "response", "whitened"), ...) {
  type <- match.arg(type)
  if (type == "response" && !startsWith(object$family, "gaussian")) {
    stop("Of this model there are residuals of the types \"deviance\" and \"whitened\".", call. = FALSE)
  }
  stats::setNames(if (type == "whitened") object$whitened else object$residuals, object$position)
}

#' @export
coef.layerstats_structured <- function(object, ...) {
  stats::setNames(object$parametric$estimate, object$parametric$term)
}

#' @export
vcov.layerstats_structured <- function(object, ...) {
  stop("The covariance of all coefficients is not kept by the structured engine: predict(type = \"lpmatrix\") gives that of ",
       "the terms that are asked for, in its attribute 'covariance'.", call. = FALSE)
}

#' @export
logLik.layerstats_structured <- function(object, ...) {
  structure(object$glance$log_lik, df = object$glance$df, nobs = object$glance$nobs, class = "logLik")
}

#' @export
nobs.layerstats_structured <- function(object, ...) object$glance$nobs

#' @export
deviance.layerstats_structured <- function(object, ...) object$glance$deviance

#' @export
df.residual.layerstats_structured <- function(object, ...) object$glance$df_residual

#' @export
formula.layerstats_structured <- function(x, ...) read_formula(x$task$formula)

#' @export
family.layerstats_structured <- function(object, ...) {
  family <- read_family(object$family)
  if (is.function(family)) family() else family
}

#' @export
predict.layerstats_structured <- function(object, newdata = NULL, type = c("link", "response", "lpmatrix"),
                                          se.fit = FALSE, exclude = NULL, unconditional = FALSE, ...) {
  type <- match.arg(type)
  rows <- if (is.null(newdata)) object$task$data[object$position, , drop = FALSE] else as.data.frame(newdata)
  rows <- rows[intersect(names(rows), names(object$task$data))]
  sent <- Map(sent_column, rows, names(rows))
  sent <- structure(sent, row.names = .set_row_names(nrow(rows)), class = "data.frame")
  present <- if (length(sent)) stats::complete.cases(sent) else rep(TRUE, nrow(rows))
  sent <- sent[present, , drop = FALSE]
  if (type == "lpmatrix" || unconditional) return(predicted_by_design(object, sent, exclude, unconditional, type, se.fit))
  value <- error <- stats::setNames(rep(NA_real_, nrow(rows)), rownames(rows))
  if (any(present)) {
    predicted <- ask_model("predict", object, new_data = sent, exclude = as.character(exclude), scale = type)
    value[present] <- predicted$fit
    error[present] <- predicted$std_error
  }
  if (se.fit) list(fit = value, se.fit = error) else value
}

predicted_by_design <- function(object, rows, exclude, unconditional, type, se.fit) {
  design <- ask_model("design", object, new_data = rows, exclude = as.character(exclude), unconditional = unconditional)
  if (type == "lpmatrix") {
    return(structure(design$matrix, coefficients = design$coefficients, covariance = design$covariance,
                     terms = design$terms))
  }
  if (type == "response") stop("With unconditional = TRUE there are predictions of the type \"link\".", call. = FALSE)
  value <- as.numeric(design$matrix %*% design$coefficients)
  if (!se.fit) return(value)
  list(fit = value, se.fit = sqrt(pmax(rowSums((design$matrix %*% design$covariance) * design$matrix), 0)))
}

#' @export
glance.layerstats_structured <- function(x, ...) {
  table <- broom_spelling(x$glance)
  table$df <- sum(x$smooths$edf) + sum(x$parametric$std_error > 0, na.rm = TRUE)
  first <- c("df", "logLik", "AIC", "BIC", "deviance", "df.residual", "nobs", "adj.r.squared")
  table[c(first, setdiff(names(table), first))]
}

#' @export
augment.layerstats_structured <- function(x, data = NULL, newdata = NULL, type.predict = "link",
                                          type.residuals = "deviance", ...) {
  if (!is.null(newdata)) {
    predicted <- stats::predict(x, newdata, type = type.predict, se.fit = TRUE, ...)
    return(cbind(as.data.frame(newdata), .fitted = unname(predicted$fit), .se.fit = unname(predicted$se.fit)))
  }
  whole <- is.null(data)
  data <- as.data.frame(if (whole) x$task$data else data)
  if (nrow(data) != x$rows) {
    stop("The table that the model was fitted to has ", x$rows, " rows, but 'data' has ", nrow(data), ". Give new rows as ",
         "'newdata'.", call. = FALSE)
  }
  data$.fitted <- data$.se.fit <- data$.resid <- NA_real_
  data <- data[c(setdiff(names(data), c(".fitted", ".se.fit", ".resid")), ".fitted", ".se.fit", ".resid")]
  predicted <- stats::predict(x, type = type.predict, se.fit = TRUE, ...)
  data$.fitted[x$position] <- predicted$fit
  data$.se.fit[x$position] <- predicted$se.fit
  data$.resid[x$position] <- stats::residuals(x, type = type.residuals)
  if (whole) data[sort(x$position), , drop = FALSE] else data
}

#' @export
plot.layerstats_structured <- function(x, ...) draw_figure(x, autoplot.layerstats_gamm(x, ...))

# The verbs of this package that ask more than R's generics do; each has a line for these models.

structured_difference <- function(fit, factor_columns, level_1, level_2, at, include_parametric, interval, conf_level,
                                  draws, seed) {
  found <- ask_model("difference", fit, factor_columns = factor_columns, level_1 = as.character(level_1),
                     level_2 = as.character(level_2), at = sent_places(at), include_parametric = include_parametric,
                     interval = interval, conf_level = conf_level, draws = as.integer(draws), seed = as.integer(seed))
  structure(found, class = "layerstats_difference")
}

structured_curves <- function(fit, factor_columns, at, interval, conf_level, draws, seed) {
  found <- ask_model("curves", fit, factor_columns = factor_columns, at = sent_places(at), interval = interval,
                     conf_level = conf_level, draws = as.integer(draws), seed = as.integer(seed))
  covariate <- setdiff(names(found), c("smooth", factor_columns, "fit", "std_error", "conf_low", "conf_high", "interval",
                                       "conf_level"))
  structure(found, covariate = covariate, factor_columns = factor_columns, class = c("layerstats_curves", "data.frame"))
}

structured_derivatives <- function(fit, factor_columns, at, order, interval, conf_level, unconditional, draws, seed) {
  found <- ask_model("derivatives", fit, factor_columns = factor_columns, at = sent_places(at), order = as.integer(order),
                     interval = interval, conf_level = conf_level, unconditional = unconditional,
                     draws = as.integer(draws), seed = as.integer(seed))
  structure(found, class = "layerstats_derivatives")
}
