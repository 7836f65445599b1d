# What the Python package asks of a worker: a fit as tables, with the model on disk; the design of new rows from there.

# path: file for the part of the model that predictions need, so that any worker can make them.
bridge_fit <- function(path, formula, data, start, rho, method, weights, family, fun, discrete) {
  fit <- fit_model(formula, data, start, rho, method, weights, family, fun, discrete)
  summary <- summary(fit$model)
  saveRDS(design_part(fit$model), path, compress = FALSE)
  saveRDS(fit$model$Vc, corrected_path(path), compress = FALSE)
  list(
    parametric = gamm_parametric(fit, summary),
    smooths = gamm_smooths(fit, summary),
    glance = gamm_glance(fit, summary),
    parts = smooth_parts(fit$model),
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

# For each smooth: label, coefficients, null_dimension, edf.
smooth_parts <- function(model) {
  data.frame(
    label = vapply(model$smooth, function(smooth) smooth$label, character(1)),
    coefficients = vapply(model$smooth, function(smooth) smooth$last.para - smooth$first.para + 1, numeric(1)),
    null_dimension = vapply(model$smooth, function(smooth) as.numeric(smooth$null.space.dim), numeric(1)),
    edf = vapply(model$smooth, function(smooth) sum(model$edf[smooth$first.para:smooth$last.para]), numeric(1))
  )
}

bridge_design <- function(path, newdata, exclude, unconditional = FALSE) {
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
    blas = as.character(extSoftVersion()[["BLAS"]]),
    lapack = La_library()
  )
}
