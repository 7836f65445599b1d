# What the Python package asks of a worker: a fit as tables, with the model on disk; the design of new rows from there.

# path: file for the part of the model that predictions need, so that any worker can make them.
bridge_fit <- function(path, formula, data, start, rho, method, weights, family, fun, discrete, knots) {
  bridge_session()
  fit <- fit_model(formula, data, start, rho, method, weights, family, fun, discrete, knots)
  summary <- summary(fit$model)
  saveRDS(design_part(fit), path, compress = FALSE)
  saveRDS(fit$model$Vc, corrected_path(path), compress = FALSE)
  list(
    parametric = gamm_parametric(fit, summary),
    smooths = gamm_smooths(fit, summary),
    glance = gamm_glance(fit, summary),
    parts = smooth_parts(fit$model),
    part_columns = lapply(fit$model$smooth, function(smooth) I(columns_in(smooth_variables(smooth), fit$data))),
    part_covariates = lapply(fit$model$smooth, function(smooth) I(columns_in(smooth$term, fit$data))),
    parametric_terms = lapply(parametric_terms(fit$model, fit$data), I),
    smoothing_parameters = I(as.numeric(fit$model$sp)),
    thresholds = I(category_thresholds(fit$model)),
    fitted = I(as.numeric(fit$model$fitted.values)),
    residuals = I(as.numeric(stats::residuals(fit$model))),
    whitened = I(whitened_residuals(fit)),
    versions = list(R = paste(R.version$major, R.version$minor, sep = "."),
                    mgcv = utils::packageDescription("mgcv")$Version),
    corrected = !is.null(fit$model$Vc),
    seconds = fit$seconds
  )
}

# Where the linear predictor passes from one ordered category to the next; none for other families.
category_thresholds <- function(model) {
  if (startsWith(model$family$family, "Ordered Categorical")) model$family$getTheta(TRUE) else numeric(0)
}

# For each smooth: label, coefficients, null_dimension, edf, and what it is: the label without `by`, the `by` variable, the
# smooth of the formula that it belongs to, whether it is random.
smooth_parts <- function(model) {
  data.frame(
    label = vapply(model$smooth, function(smooth) smooth$label, character(1)),
    coefficients = vapply(model$smooth, function(smooth) smooth$last.para - smooth$first.para + 1, numeric(1)),
    null_dimension = vapply(model$smooth, function(smooth) as.numeric(smooth$null.space.dim), numeric(1)),
    edf = vapply(model$smooth, function(smooth) sum(model$edf[smooth$first.para:smooth$last.para]), numeric(1)),
    name = vapply(model$smooth, smooth_base_label, character(1)),
    by = vapply(model$smooth, function(smooth) if (smooth$by == "NA") "" else smooth$by, character(1)),
    position = if (length(model$smooth)) written_position(model) else integer(0),
    random = vapply(model$smooth, is_random, logical(1))
  )
}

# What a formula may rely on, whatever the settings of this machine.
bridge_session <- function() {
  options(contrasts = c("contr.treatment", "contr.poly"))
}

# The values of an expression, such as a response.
bridge_values <- function(expression, data) {
  bridge_session()
  I(rep_len(as.numeric(eval(str2lang(expression), data, globalenv())), nrow(data)))
}

# Where the rows of `data` lie for mgcv's k.check() of a smooth, (row, covariate); NULL where the smooth is of factors.
bridge_places <- function(path, label, data) {
  bridge_session()
  model <- saved_model(path)
  smooth <- Find(function(smooth) smooth$label == label, model$smooth)
  smooth_places(model, smooth, data)
}

bridge_design <- function(path, newdata, exclude, unconditional = FALSE) {
  bridge_session()
  model <- saved_model(path)
  if (unconditional) model$Vc <- readRDS(corrected_path(path))
  design <- gamm_design(model, newdata, as.character(unlist(exclude)), unconditional)
  design[c("coefficients", "terms")] <- lapply(design[c("coefficients", "terms")], I)
  design
}

# The second covariance matrix lies by itself: it can be large, and is seldom asked for.
corrected_path <- function(path) paste0(path, ".corrected")

# The model read last stays in memory: a prediction is often followed by another of the same model.
saved_model <- local({
  last_path <- NULL
  last_model <- NULL
  function(path) {
    if (!identical(path, last_path)) {
      last_model <<- readRDS(path)
      last_path <<- path
    }
    last_model
  }
})

# Versions of R and its packages, and the linear algebra library in use.
bridge_versions <- function() {
  list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    mgcv = utils::packageDescription("mgcv")$Version,
    lme4 = if (requireNamespace("lme4", quietly = TRUE)) utils::packageDescription("lme4")$Version,
    ordinal = if (requireNamespace("ordinal", quietly = TRUE)) utils::packageDescription("ordinal")$Version,
    blas = as.character(extSoftVersion()[["BLAS"]]),
    lapack = La_library()
  )
}
