# Mixed models of ordered categories by other packages: ordinal's clmm() and clm(), mgcv's gam() with family ocat.

# response    (row,) the category of each row, from 1
# fixed       matrix (row, coefficient) without an intercept, or NULL; scale: of the log of the scale, or NULL
# terms       a list of random terms, each list(group = (row,) number of the level, columns = matrix (row, effect)); effects
#             of one term are correlated
# Returns parameters: thresholds, coefficients, those of the scale, and of each term the lower triangle, row by row, of a
# root whose product with its transpose is the covariance of a level's effects; covariance of these; modes and mode_errors,
# a matrix (level, effect) a term; log_lik, max_gradient (each derivative times its standard error), condition, iterations,
# version.
ordered_by_ordinal <- function(response, fixed, scale, terms, link, threshold) {
  made <- ordered_formula(response, fixed, terms, function(name, effects) {
    paste0("(0 + ", paste(effects, collapse = " + "), " | ", name, ")")
  })
  if (length(terms) == 0) return(ordered_without_random(made, scale, link, threshold))
  model <- ordinal::clmm(made$formula, made$data, link = link, threshold = threshold)
  # The package sorts terms by its own rule: they are known by the names of their effects.
  order <- match(vapply(made$effects, function(effects) effects[1], ""),
                 vapply(model$ST, function(ST) colnames(ST)[1], ""))
  inverse <- tryCatch(solve(model$Hessian), error = function(condition) NaN * model$Hessian)
  list(
    parameters = I(as.numeric(c(model$alpha, model$beta, unlist(lapply(model$ST[order], root_elements))))),
    covariance = ordinal_covariance(model, inverse, order),
    modes = ordinal_modes(model$ranef, model$ST, order, made$levels),
    mode_errors = ordinal_modes(sqrt(pmax(ordinal_variances(model), 0)), model$ST, order, made$levels),
    log_lik = as.numeric(model$logLik), max_gradient = largest_gradient(model$gradient, inverse),
    condition = hessian_condition(model$Hessian), iterations = as.numeric(model$optRes$iterations),
    version = utils::packageDescription("ordinal")$Version
  )
}

ordered_without_random <- function(made, scale, link, threshold) {
  data <- made$data
  scales <- ~1
  if (!is.null(scale)) {
    names <- paste0("w", seq_len(ncol(scale)))
    data[names] <- as.data.frame(scale)
    scales <- stats::reformulate(names)
  }
  model <- ordinal::clm(made$formula, scale = scales, data = data, link = link, threshold = threshold)
  list(
    parameters = I(as.numeric(c(model$alpha, model$beta, model$zeta))), covariance = unname(model$vcov),
    modes = list(), mode_errors = list(), log_lik = as.numeric(model$logLik),
    max_gradient = largest_gradient(model$gradient, model$vcov), condition = hessian_condition(model$Hessian),
    iterations = as.numeric(model$niter[[1]]), version = utils::packageDescription("ordinal")$Version
  )
}

largest_gradient <- function(gradient, covariance) max(abs(gradient) * sqrt(pmax(diag(as.matrix(covariance)), 0)))

# A formula, its data, the names of each term's effects and the number of its levels; written(group, effects) is a term.
ordered_formula <- function(response, fixed, terms, written) {
  data <- data.frame(y = factor(response))
  if (!is.null(fixed)) data[paste0("x", seq_len(ncol(fixed)))] <- as.data.frame(fixed)
  right <- if (is.null(fixed)) "1" else names(data)[-1]
  effects <- list()
  levels <- integer(0)
  for (number in seq_along(terms)) {
    term <- terms[[number]]
    group <- paste0("g", number)
    effects[[number]] <- paste0("z", number, "_", seq_len(ncol(term$columns)))
    data[[group]] <- factor(term$group)
    levels[number] <- nlevels(data[[group]])
    data[effects[[number]]] <- as.data.frame(term$columns)
    right <- c(right, written(group, effects[[number]]))
  }
  list(formula = stats::as.formula(paste("y ~", paste(right, collapse = " + "))), data = data, effects = effects,
       levels = levels)
}

# The lower triangle, row by row, of what ordinal calls ST, the root itself, with a diagonal that is not negative.
root_elements <- function(ST) {
  root <- ST %*% diag(ifelse(diag(ST) < 0, -1, 1), nrow(ST))
  t(root)[upper.tri(root, diag = TRUE)]
}

# The inverse of the Hessian, of roots row by row.
ordinal_covariance <- function(model, inverse, order) {
  fixed <- length(model$alpha) + length(model$beta)
  sizes <- vapply(model$ST, function(ST) nrow(ST) * (nrow(ST) + 1) / 2, 1)
  # A standard deviation at zero is not in the Hessian, which names the elements that it has ST1, ST2, ...
  named <- grep("^ST[0-9]+$", rownames(model$Hessian)[-seq_len(fixed)], value = TRUE)
  known <- c(seq_len(fixed), fixed + as.integer(sub("ST", "", named)))
  covariance <- matrix(0, fixed + sum(sizes), fixed + sum(sizes))
  covariance[known, known] <- as.matrix(inverse)
  starts <- fixed + cumsum(c(0, sizes))
  jacobian <- matrix(0, nrow(covariance), ncol(covariance))
  jacobian[seq_len(fixed), seq_len(fixed)] <- diag(fixed)
  row <- fixed
  for (place in order) {
    own <- starts[place] + seq_len(sizes[place])
    jacobian[row + seq_len(sizes[place]), own] <- root_jacobian(model$ST[[place]])
    row <- row + sizes[place]
  }
  unname(jacobian %*% covariance %*% t(jacobian))
}

# Derivatives of a root's lower triangle, row by row, in its parameters: its diagonal, then the rest column by column.
root_jacobian <- function(ST) {
  size <- nrow(ST)
  signs <- ifelse(diag(ST) < 0, -1, 1)
  places <- do.call(rbind, lapply(seq_len(size), function(row) cbind(row, seq_len(row))))
  parameters <- rbind(cbind(seq_len(size), seq_len(size)), which(lower.tri(ST), arr.ind = TRUE))
  own <- match(paste(places[, 1], places[, 2]), paste(parameters[, 1], parameters[, 2]))
  jacobian <- matrix(0, nrow(places), nrow(places))
  jacobian[cbind(seq_along(own), own)] <- signs[places[, 2]]
  jacobian
}

# The conditional variances of random effects, which come as a matrix where there are slopes.
ordinal_variances <- function(model) {
  if (length(dim(model$condVar)) == 2) Matrix::diag(model$condVar) else model$condVar
}

# Values of random effects, which ordinal has one term after another, effect by effect, as matrices in the order of terms.
ordinal_modes <- function(values, ST, order, levels) {
  sizes <- vapply(ST, nrow, 1L)
  by_place <- integer(length(ST))
  by_place[order] <- levels
  starts <- cumsum(c(0, sizes * by_place))
  lapply(order, function(place) {
    matrix(as.numeric(values)[starts[place] + seq_len(sizes[place] * by_place[place])], ncol = sizes[place])
  })
}

# The ratio of the largest to the smallest eigenvalue; infinite where the Hessian is not positive definite.
hessian_condition <- function(hessian) {
  values <- eigen(hessian, symmetric = TRUE, only.values = TRUE)$values
  if (min(values) <= 0) Inf else max(values) / min(values)
}

# mgcv's ordered categories: as ordered_by_ordinal(), of effects that are not correlated. Fixed effects, thresholds and
# random effects are at their joint mode for given variances, and the first threshold is -1: thresholds are reported less
# the intercept.
ordered_by_mgcv <- function(response, fixed, terms, method) {
  made <- ordered_formula(response, fixed, terms, function(name, effects) {
    paste0("s(", name, ", by = ", effects, ", bs = \"re\")")
  })
  data <- made$data
  data$y <- as.integer(data$y)
  categories <- max(data$y)
  model <- mgcv::gam(made$formula, family = mgcv::ocat(R = categories), data = data, method = method)
  count <- if (is.null(fixed)) 0 else ncol(fixed)
  ends <- model$family$getTheta(TRUE)
  deviations <- mgcv_deviations(model)
  spread <- sqrt(diag(model$Vp))
  list(
    parameters = I(c(ends - unname(stats::coef(model)[1]), unname(stats::coef(model)[1 + seq_len(count)]), deviations)),
    covariance = mgcv_covariance(model, ends, count, deviations),
    modes = lapply(model$smooth, function(smooth) matrix(stats::coef(model)[smooth$first.para:smooth$last.para])),
    mode_errors = lapply(model$smooth, function(smooth) matrix(spread[smooth$first.para:smooth$last.para])),
    log_lik = -as.numeric(model$gcv.ubre),
    max_gradient = largest_gradient(model$outer.info$grad, solve(model$outer.info$hess)),
    condition = hessian_condition(model$outer.info$hess), iterations = as.numeric(max(model$outer.info$iter, 0)),
    version = utils::packageDescription("mgcv")$Version
  )
}

# The standard deviation of each random effect.
mgcv_deviations <- function(model) {
  vapply(seq_along(model$smooth), function(number) {
    smooth <- model$smooth[[number]]
    as.numeric(sqrt(model$sig2 / model$sp[number] * smooth$S.scale))
  }, numeric(1))
}

# Covariance of thresholds, coefficients and standard deviations. Coefficients given the thresholds of the family and the
# smoothing parameters have Vp; these have V.sp, and db.drho says how they move coefficients.
mgcv_covariance <- function(model, ends, count, deviations) {
  outer <- model$V.sp
  moves <- model$db.drho[seq_len(count + 1), , drop = FALSE]
  fixed <- model$Vp[seq_len(count + 1), seq_len(count + 1), drop = FALSE] + moves %*% outer %*% t(moves)
  mixed <- moves %*% outer
  joint <- rbind(cbind(fixed, mixed), cbind(t(mixed), outer))
  free <- length(ends) - 1
  # The distances of thresholds are exponentials of the family's parameters.
  steps <- lower.tri(matrix(0, length(ends), free)) * rep(diff(ends), each = length(ends))
  jacobian <- matrix(0, length(ends) + count + length(deviations), ncol(joint))
  jacobian[seq_along(ends), 1] <- -1
  jacobian[seq_along(ends), count + 1 + seq_len(free)] <- steps
  if (count) jacobian[cbind(length(ends) + seq_len(count), 1 + seq_len(count))] <- 1
  place <- length(ends) + count
  for (number in seq_along(deviations)) {
    jacobian[place + number, count + 1 + free + number] <- -deviations[number] / 2
  }
  unname(jacobian %*% joint %*% t(jacobian))
}
