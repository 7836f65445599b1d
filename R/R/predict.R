#' Predict from a model
#'
#' @param object A model of [gamm_fit()].
#' @param newdata New rows, as the table of the fit had them: text or factors, ordered copies follow their factor by
#'   themselves, columns that only excluded terms need may be absent. A row with a missing value is predicted as `NA`. Without
#'   it, the rows of the fit in the order of the table that was given.
#' @param type `"link"` or `"response"`; with `newdata` as complete as the table of the fit also `"terms"` or `"lpmatrix"`, as
#'   in [mgcv::predict.gam()].
#' @param se.fit Whether to give standard errors too.
#' @param exclude Labels of terms to leave out, for instance [random_terms()] of the model.
#' @param unconditional Whether standard errors hold the uncertainty of the smoothing parameters too.
#' @param ... Not used.
#' @return A vector, or with `se.fit = TRUE` a list with `fit` and `se.fit`.
#' @examples
#' model <- gamm_fit(f2 ~ word + s(time, k = 6) + s(speaker, bs = "re"), words)
#' predict(model, data.frame(word = c("A", "B"), time = 0.5), exclude = random_terms(model), se.fit = TRUE)
#' @export
predict.layerstats_gamm <- function(object, newdata = NULL, type = c("link", "response", "terms", "lpmatrix"),
                                    se.fit = FALSE, exclude = NULL, unconditional = FALSE, ...) {
  type <- match.arg(type)
  unknown <- setdiff(exclude, c(smooth_labels(object$model), term_labels(object$model)))
  if (length(unknown)) {
    stop("'", unknown[1], "' in 'exclude' is not a term of the model. Its terms are ",
         paste(c(term_labels(object$model), smooth_labels(object$model)), collapse = ", "), ".", call. = FALSE)
  }
  newdata <- if (is.null(newdata)) given_rows(object) else as.data.frame(newdata)
  # Families with several predictors or categories have a way of their own.
  own <- type %in% c("terms", "lpmatrix") || (type == "response" && !is.null(stats::family(object$model)$predict))
  if (own) {
    newdata <- with_variables(complete_new_data(object, newdata, exclude), object$model$smooth, object$variables)
    return(stats::predict(object$model, newdata, type = type, se.fit = se.fit, exclude = exclude,
                          unconditional = unconditional))
  }
  predicted <- predict_rows(object, newdata, exclude, unconditional)
  if (type == "response") {
    family <- stats::family(object$model)
    predicted$se.fit <- predicted$se.fit * abs(family$mu.eta(predicted$fit))
    predicted$fit <- family$linkinv(predicted$fit)
  }
  if (se.fit) predicted else predicted$fit
}

term_labels <- function(model) c("(Intercept)", attr(model$pterms, "term.labels"))

# The linear predictor of complete rows with its standard error; NA in the others.
predict_rows <- function(fit, newdata, exclude, unconditional) {
  newdata <- complete_new_data(fit, newdata, exclude)
  present <- stats::complete.cases(newdata)
  value <- error <- stats::setNames(rep(NA_real_, nrow(newdata)), rownames(newdata))
  # Some at a time, since a row has a column for each coefficient.
  for (block in split(which(present), (seq_len(sum(present)) - 1) %/% 2000)) {
    design <- gamm_design(fit, newdata[block, , drop = FALSE], as.character(exclude), unconditional)
    value[block] <- as.numeric(design$matrix %*% design$coefficients)
    error[block] <- sqrt(pmax(rowSums((design$matrix %*% design$covariance) * design$matrix), 0))
  }
  list(fit = value, se.fit = error)
}

# The columns that the kept terms need, coded as at the fit.
complete_new_data <- function(fit, newdata, exclude = NULL) {
  needed <- fixed_columns(fit, exclude)
  excluded <- setdiff(exclude, smooth_labels(fit$model))
  if (length(excluded)) {
    parametric <- parametric_terms(fit$model, fit$data)
    kept <- c(unlist(parametric[setdiff(names(parametric), excluded)]),
              columns_in(unlist(lapply(Filter(function(smooth) !smooth$label %in% exclude, fit$model$smooth),
                                       smooth_variables)), fit$data))
    # The frame of the parametric part has all of its columns; those that count for nothing may hold anything.
    for (column in setdiff(needed, kept)) if (!column %in% names(newdata)) newdata[[column]] <- fit$data[[column]][1]
  }
  coded <- lapply(stats::setNames(nm = needed), function(column) new_values(fit, newdata, column))
  data.frame(coded, check.names = FALSE, row.names = rownames(newdata), stringsAsFactors = FALSE)
}

# A column of new rows; an ordered copy is made of its factor.
new_values <- function(fit, newdata, column) {
  copied <- fit$ordered[[column]]
  given <- if (!is.null(copied) && copied[1] %in% names(newdata)) copied[1] else column
  if (!given %in% names(newdata)) {
    stop("Column '", if (is.null(copied)) column else copied[1], "' is missing from the new data. The model needs it: ",
         deparse1(stats::formula(fit$model)), ".", call. = FALSE)
  }
  values <- newdata[[given]]
  known <- fit$data[[column]]
  if (!is.factor(known)) return(values)
  unknown <- setdiff(as.character(values[!is.na(values)]), levels(known))
  if (length(unknown)) {
    stop("Column '", given, "' of the new data holds '", unknown[1], "', which the model has not seen. Its levels are ",
         paste(levels(known), collapse = ", "), ".", call. = FALSE)
  }
  coded <- factor(as.character(values), levels = levels(known), ordered = is.ordered(known))
  attr(coded, "contrasts") <- attr(known, "contrasts")
  coded
}

# The rows of the fit in the order of the table that was given.
given_rows <- function(fit) {
  rows <- fit$data[order(fit$position), , drop = FALSE]
  rownames(rows) <- sort(fit$position)
  rows
}
