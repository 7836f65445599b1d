#' Compare two models of the same data
#'
#' Twice the difference of the scores is referred to a chi-square distribution whose degrees of freedom are counted:
#' parametric coefficients, unpenalised dimensions of smooths, smoothing parameters. REML scores are refused where the fixed
#' effects differ: fit both models with `method = "ML"`.
#'
#' @param fit_1,fit_2 Models of [gamm_fit()], in either order.
#' @return A data frame with a row a model, `model, score, edf, score_difference, df_difference, statistic, p_value, aic`; the
#'   test stands in the row of the larger one.
#' @examples
#' small <- gamm_fit(f2 ~ s(time, k = 6), words, method = "ML")
#' large <- gamm_fit(f2 ~ word + s(time, k = 6), words, method = "ML")
#' compare(small, large)
#' @export
compare <- function(fit_1, fit_2) {
  if (is_structured(fit_1) != is_structured(fit_2)) {
    stop("Models of different engines cannot be compared: fit both with the same 'engine'.", call. = FALSE)
  }
  if (is_structured(fit_1)) return(ask_model("compare", list(fit_1, fit_2)))
  fits <- list(fit_1, fit_2)
  if (fit_1$method != fit_2$method) {
    stop("Scores of different methods cannot be compared: '", fit_1$method, "' and '", fit_2$method, "'.", call. = FALSE)
  }
  if (length(fit_1$model$y) != length(fit_2$model$y) || any(fit_1$model$y != fit_2$model$y)) {
    stop("Models of different data cannot be compared: fit both to the same rows.", call. = FALSE)
  }
  check_same_likelihood(fit_1, fit_2)
  if (fit_1$method != "ML" && !identical(fixed_part(fit_1), fixed_part(fit_2))) {
    stop(fit_1$method, " scores of models with different fixed effects cannot be compared. Fit both with method = 'ML'.",
         call. = FALSE)
  }
  size <- vapply(fits, count_parameters, numeric(1))
  table <- data.frame(
    model = vapply(fits, function(fit) deparse1(stats::formula(fit$model)), character(1)),
    score = vapply(fits, function(fit) as.numeric(fit$model$gcv.ubre), numeric(1)),
    edf = size, score_difference = NA_real_, df_difference = NA_real_, statistic = NA_real_, p_value = NA_real_,
    aic = vapply(fits, function(fit) stats::AIC(fit$model), numeric(1))
  )
  larger <- which.max(size)
  gain <- table$score[3 - larger] - table$score[larger]
  extra <- size[larger] - size[3 - larger]
  table$score_difference[larger] <- gain
  table$df_difference[larger] <- extra
  if (extra > 0 && gain > 0) {
    table$statistic[larger] <- 2 * gain
    table$p_value[larger] <- stats::pchisq(2 * gain, extra, lower.tail = FALSE)
  }
  table
}

# Refuses models that are not two descriptions of the same data by the same kind of likelihood.
check_same_likelihood <- function(fit_1, fit_2) {
  family <- function(fit) paste(stats::family(fit$model)$family, stats::family(fit$model)$link)
  offset <- function(fit) if (is.null(fit$model$offset)) 0 * fit$model$y else fit$model$offset
  if (deparse1(stats::formula(fit_1$model)[[2]]) != deparse1(stats::formula(fit_2$model)[[2]])) {
    stop("Models of different responses cannot be compared.", call. = FALSE)
  }
  if (family(fit_1) != family(fit_2)) {
    stop("Models of different families cannot be compared: ", family(fit_1), " and ", family(fit_2), ".", call. = FALSE)
  }
  if (any(fit_1$model$prior.weights != fit_2$model$prior.weights)) {
    stop("Models with different prior weights cannot be compared: fit both with the same 'weights'.", call. = FALSE)
  }
  if (any(offset(fit_1) != offset(fit_2))) {
    stop("Models with different offsets are not nested in each other: give both the same offset().", call. = FALSE)
  }
  if (fit_1$rho != fit_2$rho) {
    stop("Models with different AR(1) parameters are not nested in each other: rho = ", format(fit_1$rho), " and ",
         format(fit_2$rho), ". Fit both with the same number as 'rho'.", call. = FALSE)
  }
  if (fit_1$rho != 0 && any(fit_1$start != fit_2$start)) {
    stop("Models whose series differ cannot be compared: fit both with the same 'series' and 'order'.", call. = FALSE)
  }
  if (stats::family(fit_1$model)$family != "gaussian" && any(inherits(fit_1$model, "bam"), inherits(fit_2$model, "bam"))) {
    stop("Outside the Gaussian family the score of bam() belongs to a working model, and each model has another. Fit both ",
         "with fun = \"gam\", or compare the AIC of their glance tables.", call. = FALSE)
  }
}

count_parameters <- function(fit) {
  model <- fit$model
  free <- vapply(model$smooth, function(smooth) as.numeric(smooth$null.space.dim), numeric(1))
  nrow(summary(model, re.test = FALSE)$p.table) + sum(free) + length(model$sp)
}

# Parametric terms and smooths that are not random, as written.
fixed_part <- function(fit) {
  terms <- attr(stats::terms(stats::formula(fit$model), specials = c("s", "te", "ti", "t2")), "term.labels")
  sort(terms[!grepl("bs *= *\"(re|fs|mrf)\"", terms)])
}
