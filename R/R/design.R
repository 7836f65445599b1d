# The linear predictor of new rows, for the terms that are kept.

# newdata  complete and coded like the data of the fit; columns that only excluded terms need may be absent
# exclude  labels of smooths ("s(Sample):Worddark") or parametric terms ("Word", "(Intercept)")
# unconditional  TRUE for the covariance with the uncertainty of the smoothing parameters (mgcv's Vc)
# Returns matrix (row, coefficient), coefficients, covariance (Bayesian) and the term of each coefficient. The columns of
# excluded terms are never made, so that a model with thousands of random coefficients stays cheap.
gamm_design <- function(fit, newdata, exclude = character(), unconditional = FALSE) {
  model <- if (inherits(fit, "layerstats_gamm")) c(unclass(fit$model), fit["variables"]) else fit
  blocks <- list(parametric_block(model, newdata, exclude))
  smooths <- Filter(function(smooth) !smooth$label %in% exclude, model$smooth)
  newdata <- with_variables(newdata, smooths, model$variables)
  for (smooth in smooths) {
    blocks <- c(blocks, list(list(
      matrix = mgcv::PredictMat(smooth, newdata),
      columns = smooth$first.para:smooth$last.para,
      terms = rep(smooth$label, smooth$last.para - smooth$first.para + 1)
    )))
  }
  columns <- unlist(lapply(blocks, `[[`, "columns"))
  design <- list(
    matrix = do.call(cbind, lapply(blocks, function(block) unname(block$matrix))),
    coefficients = unname(model$coefficients[columns]),
    covariance = unname((if (unconditional) model$Vc else model$Vp)[columns, columns, drop = FALSE]),
    terms = unlist(lapply(blocks, `[[`, "terms"))
  )
  add_offset(design, model, newdata, exclude)
}

# An offset is a column whose coefficient is known to be 1.
add_offset <- function(design, model, newdata, exclude) {
  terms <- stats::delete.response(model$pterms)
  label <- as.character(attr(terms, "variables"))[-1][attr(terms, "offset")]
  if (length(label) == 0 || label %in% exclude) return(design)
  offset <- stats::model.offset(parametric_frame(model, newdata))
  list(
    matrix = unname(cbind(design$matrix, offset)),
    coefficients = c(design$coefficients, 1),
    covariance = rbind(cbind(design$covariance, 0), 0),
    terms = c(design$terms, "offset")
  )
}

parametric_frame <- function(model, newdata) {
  # The contrasts are those of the model.
  newdata[] <- lapply(newdata, `attr<-`, "contrasts", NULL)
  stats::model.frame(frozen_terms(model, model$variables), newdata, xlev = model$xlevels, na.action = stats::na.pass)
}

parametric_block <- function(model, newdata, exclude) {
  frame <- parametric_frame(model, newdata)
  terms <- attr(frame, "terms")
  matrix <- stats::model.matrix(terms, frame, contrasts.arg = model$contrasts)
  labels <- c("(Intercept)", attr(terms, "term.labels"))[attr(matrix, "assign") + 1]
  dropped <- attr(model$nsdf, "drop.ind")
  if (!is.null(dropped)) {
    matrix <- matrix[, -dropped, drop = FALSE]
    labels <- labels[-dropped]
  }
  kept <- which(!labels %in% exclude)
  list(matrix = matrix[, kept, drop = FALSE], columns = kept, terms = labels[kept])
}

# What of a fit gamm_design needs: without residuals, model frame and the other covariance matrices.
design_part <- function(fit) {
  c(fit$model[c("coefficients", "Vp", "smooth", "pterms", "xlevels", "contrasts", "nsdf")], fit["variables"])
}
