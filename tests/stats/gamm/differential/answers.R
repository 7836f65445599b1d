# Fit one model by mgcv's bam() and write down what it says, as a long table.

quantity <- function(name, term, value) data.frame(quantity = name, term = as.character(term), value = as.numeric(value))

is_random <- function(smooth) inherits(smooth, "random.effect") || inherits(smooth, "fs.interaction")

code_factors <- function(data, reference) {
  text <- names(data)[vapply(data, is.character, TRUE)]
  data[text] <- lapply(data[text], function(values) factor(values, levels = sort(unique(values))))
  # Levels in another order than the alphabet's, to be kept.
  if ("word" %in% text) data$word <- factor(data$word, levels = intersect(c("dark", "ask", "suit", "greasy", "wash"), data$word))
  if (reference != "") {
    data$word_o <- factor(data$word, levels = c(reference, setdiff(levels(data$word), reference)), ordered = TRUE)
    contrasts(data$word_o) <- "contr.treatment"
  }
  data
}

# epsilon: of binomial models; by default the fixed point of the working models, and not the place where the deviance
# changes by 1e-7, where bam() stops.
bam_fit <- function(specification, data, epsilon = 1e-12) {
  data$start <- c(TRUE, data$token[-1] != data$token[-nrow(data)])
  arguments <- list(as.formula(specification$formula), data = data, method = specification$method)
  # bam() looks its variables up in the data.
  if (specification$rho != 0) arguments <- c(arguments, rho = specification$rho, AR.start = quote(start))
  if (specification$weighted) arguments <- c(arguments, weights = quote(w))
  if (specification$family == "binomial") {
    arguments <- c(arguments, family = quote(binomial()), list(control = list(epsilon = epsilon)))
  }
  do.call(mgcv::bam, arguments)
}

# What mgcv divided penalties by. Smoothing parameters per scale are those of the penalties as integrals or sums, whatever
# the coordinates of the basis; the scale is a norm in coordinates that rounding errors may choose.
penalty_scales <- function(fit) {
  own <- !duplicated(vapply(fit$smooth, function(smooth) if (is.null(smooth$id)) smooth$label else paste("id", smooth$id), ""))
  unlist(lapply(fit$smooth[own], function(smooth) smooth$S.scale))
}

fit_tables <- function(fit) {
  table <- summary(fit)
  parametric <- table$p.table
  smooths <- table$s.table
  rbind(
    quantity("estimate", rownames(parametric), parametric[, 1]),
    quantity("std_error", rownames(parametric), parametric[, 2]),
    quantity("p_value", rownames(parametric), parametric[, 4]),
    quantity("edf", rownames(smooths), smooths[, 1]),
    quantity("ref_df", rownames(smooths), smooths[, 2]),
    quantity("smooth_statistic", rownames(smooths), smooths[, 3]),
    quantity("smooth_p_value", rownames(smooths), smooths[, 4]),
    quantity("smoothing_parameter", seq_along(fit$sp), fit$sp / penalty_scales(fit)),
    quantity("adj_r_squared", "", table$r.sq),
    quantity("deviance_explained", "", table$dev.expl))
}

fit_numbers <- function(fit) {
  likelihood <- logLik(fit)
  rbind(
    quantity("score", "", fit$gcv.ubre),
    quantity("scale", "", fit$sig2),
    quantity("edf_total", "", sum(fit$edf)),
    quantity("df", "", attr(likelihood, "df")),
    quantity("log_lik", "", likelihood),
    quantity("aic", "", AIC(fit)),
    quantity("deviance", "", deviance(fit)))
}

# At rows spread over the table: predictions with all terms and without the random ones, and residuals.
fit_rows <- function(fit, data) {
  rows <- unique(round(seq(1, nrow(data), length.out = 10)))
  labels <- vapply(Filter(is_random, fit$smooth), function(smooth) smooth$label, "")
  whole <- predict(fit, data[rows, ], se.fit = TRUE)
  fixed <- predict(fit, data[rows, ], se.fit = TRUE, exclude = labels)
  residual <- if (is.null(fit$std.rsd)) residuals(fit) else fit$std.rsd
  response <- if (fit$family$family == "binomial") predict(fit, data[rows, ], se.fit = TRUE, type = "response")
  rbind(
    quantity("fitted", rows - 1, whole$fit),
    quantity("fitted_std_error", rows - 1, whole$se.fit),
    quantity("fixed", rows - 1, fixed$fit),
    quantity("fixed_std_error", rows - 1, fixed$se.fit),
    quantity("residual", rows - 1, residual[rows]),
    if (!is.null(response)) quantity("probability", rows - 1, response$fit),
    if (!is.null(response)) quantity("probability_std_error", rows - 1, response$se.fit))
}

# An orthonormal basis of what is orthogonal to `rows`, by reflections in the order of mgcv's. Zeros are zeros, and the
# first element of each coordinate that is not zero is positive.
orthogonal_to <- function(rows) {
  clean <- function(rows) ifelse(abs(rows) < 1e-9 * sqrt(rowSums(rows^2)), 0, rows)
  size <- ncol(rows)
  signs <- apply(clean(rows), 2, function(column) if (any(column != 0) && column[column != 0][1] < 0) -1 else 1)
  rows <- clean(rows) * rep(signs, each = nrow(rows))
  basis <- diag(signs)
  for (step in seq_len(nrow(rows))) {
    last <- size - step + 1
    kept <- seq_len(last)
    mirror <- clean(rows[step, kept, drop = FALSE])[1, ]
    length <- sqrt(sum(mirror^2))
    mirror[last] <- mirror[last] + if (mirror[last] < 0) -length else length
    reflection <- diag(last) - 2 * outer(mirror, mirror) / sum(mirror^2)
    rows[, kept] <- rows[, kept] %*% reflection
    basis[, kept] <- basis[, kept] %*% reflection
  }
  basis[, seq_len(size - nrow(rows)), drop = FALSE]
}

# Thin plates of one covariate. On symmetric grids coordinates are reflected along vectors with zeros, and rounding
# errors in their place choose the signs of reflections.
with_exact_coordinates <- function(construct) {
  force(construct)
  function(object, data, knots) {
    result <- construct(object, data, knots)
    order <- if (result$p.order[1] == 0) 2 else result$p.order[1]
    knot <- as.numeric(result$Xu)
    if (result$dim > 1 || result$drop.null > 0 || length(knot) > 1000) return(result)
    size <- ncol(result$X)
    inner <- seq_len(size - order)
    constant <- gamma(0.5 - order) / (2^(2 * order) * sqrt(pi) * factorial(order - 1))
    radial <- eigen(constant * abs(outer(knot, knot, "-"))^(2 * order - 1), symmetric = TRUE)
    chosen <- sort(order(-abs(radial$values))[seq_len(size)])
    vectors <- radial$vectors[, chosen]
    polynomials <- outer(knot, seq_len(order) - 1, "^")
    free <- orthogonal_to(crossprod(polynomials, vectors))
    # In the rows of the data, by the nearest knot: it differs by rounding errors.
    covariate <- as.numeric(data[[result$term]]) - as.numeric(result$shift)
    nearest <- max.col(-abs(outer(covariate, knot, "-")), "first")
    functions <- cbind(vectors %*% (radial$values[chosen] * free), polynomials)[nearest, ]
    scale <- sqrt(colMeans(functions^2))
    result$UZ <- t(t(rbind(
      cbind(vectors %*% free, matrix(0, length(knot), order)),
      cbind(matrix(0, order, size - order), diag(order)))) / scale)
    result$X <- t(t(functions) / scale)
    penalty <- matrix(0, size, size)
    penalty[inner, inner] <- crossprod(free, radial$values[chosen] * free)
    penalty <- (penalty + t(penalty)) / 2 / outer(scale, scale)
    shrink <- attr(object, "shrink")
    if (!is.null(shrink)) {
      axes <- eigen(penalty, symmetric = TRUE)
      axes$values[-inner] <- axes$values[size - order] * shrink
      penalty <- axes$vectors %*% (axes$values * t(axes$vectors))
    }
    result$S[[1]] <- penalty
    result
  }
}

# The null space of a factor smooth along what the first coordinates have in it: LAPACK returns these eigenvectors of a
# repeated eigenvalue but for rounding errors, which turn them in some models.
with_exact_axes <- function(parameterise) {
  force(parameterise)
  function(X, S, rank = NULL, type = 0, ...) {
    result <- parameterise(X, S, rank = rank, type = type, ...)
    if (type == 1 && result$rank < ncol(X) - 1) {
      free <- (result$rank + 1):ncol(X)
      vectors <- qr.R(qr(X, tol = .Machine$double.eps^0.8)) %*% result$P[, free]
      turn <- qr.Q(qr(t(vectors[seq_along(free), ])))
      result$X[, free] <- result$X[, free] %*% turn
      result$P[, free] <- result$P[, free] %*% turn
    }
    result
  }
}

# bs = "cs": of the two functions that it shrinks, the one along the first coordinate is shrunk more.
with_ordered_shrinkage <- function(construct) {
  force(construct)
  function(object, data, knots) {
    result <- construct(object, data, knots)
    shrink <- attr(object, "shrink")
    if (!is.null(shrink)) {
      attr(object, "shrink") <- NULL
      plain <- construct(object, data, knots)$S[[1]]
      lines <- qr.Q(qr(cbind(1, result$xp)))
      axes <- lines %*% qr.Q(qr(t(lines[1:2, ])))
      least <- eigen(plain, symmetric = TRUE)$values[ncol(plain) - 2]
      result$S[[1]] <- plain + axes %*% (least * c(shrink, shrink^2) * t(axes))
    }
    result
  }
}

# bam() leaves out the function that varies least, to centre the others. Where several tie, the first of them.
with_first_of_equals <- function(construct) {
  replaced <- function(code, old, new) {
    if (identical(code, old)) return(new)
    if (is.call(code)) for (place in seq_along(code)) {
      if (is.call(code[[place]])) code[[place]] <- replaced(code[[place]], old, new)
    }
    code
  }
  changed <- construct
  body(changed) <- replaced(body(construct), quote(vcol == min(vcol)), quote(vcol <= min(vcol) + 1e-9 * max(vcol)))
  stopifnot(!identical(body(changed), body(construct)))
  changed
}

# Smoothing parameters to start from that are 3,000 times smaller.
with_low_start <- function(initial) {
  force(initial)
  function(...) initial(...) / 3000
}

# Evaluate `expression` while functions of mgcv are replaced.
with_mgcv <- function(changed, expression) {
  kept <- lapply(setNames(nm = names(changed)), function(name) getFromNamespace(name, "mgcv"))
  on.exit(for (name in names(kept)) assignInNamespace(name, kept[[name]], "mgcv"))
  for (name in names(changed)) assignInNamespace(name, changed[[name]], "mgcv")
  expression
}

# mgcv's optimisers with tolerances that only rounding reaches; bam() lets its caller set none of them.
tight_optimisers <- list(fast.REML.fit = mgcv:::fast.REML.fit, gam.control = mgcv::gam.control)
formals(tight_optimisers$fast.REML.fit)$conv.tol <- 1e-13
formals(tight_optimisers$gam.control)$newton <- quote(list(conv.tol = 1e-12))

# What mgcv leaves to rounding errors, each choice made in one way.
choices <- list(
  coordinates = list(smooth.construct.tp.smooth.spec = with_exact_coordinates(mgcv:::smooth.construct.tp.smooth.spec)),
  axes = list(nat.param = with_exact_axes(mgcv:::nat.param)),
  shrinkage = list(smooth.construct.cr.smooth.spec = with_ordered_shrinkage(mgcv:::smooth.construct.cr.smooth.spec)),
  centring = list(smoothCon = with_first_of_equals(mgcv::smoothCon)))
low_start <- list(initial.sp = with_low_start(mgcv:::initial.sp))

# The fit of the response less its mean, and the mean put back: a large offset costs bam() digits.
centred_fit <- function(specification, data) {
  mean <- mean(data$y)
  fit <- bam_fit(specification, transform(data, y = y - mean(y)))
  fit$coefficients[["(Intercept)"]] <- fit$coefficients[["(Intercept)"]] + mean
  for (part in c("fitted.values", "linear.predictors", "y")) fit[[part]] <- fit[[part]] + mean
  fit
}

# Whether rounding errors can move the answer: axes of factor smooths, degrees of shrinkage, large offsets; with REML and ML,
# which go by coordinates in places, any basis. bam() is then made to choose in one way.
hangs_on_rounding <- function(fit, specification) {
  several <- vapply(fit$smooth, function(smooth) inherits(smooth, "fs.interaction") && length(smooth$S) > 2, TRUE)
  shrunk <- vapply(fit$smooth, function(smooth) inherits(smooth, c("ts.smooth", "cs.smooth")), TRUE)
  specification$method != "fREML" || any(several) || any(shrunk) || abs(mean(fit$y)) > 100 * sd(fit$y)
}

# The fit with all choices made, if any matters; of the optima from two starts the lower.
determined_fit <- function(specification, data, tight) {
  changes <- c(tight_optimisers, do.call(c, unname(choices)))
  fit <- if (hangs_on_rounding(tight, specification)) with_mgcv(changes, centred_fit(specification, data)) else tight
  other <- with_mgcv(c(changes, low_start), centred_fit(specification, data))
  if (other$gcv.ubre < fit$gcv.ubre - 1e-6) other else fit
}

model_values <- function(fit, data) rbind(fit_numbers(fit), fit_tables(fit), fit_rows(fit, data))

# What moves the score of mgcv's optimum: each choice alone, the mean, the start.
causes <- function(specification, data) {
  score <- function(changes, fitted = bam_fit) {
    as.numeric(with_mgcv(c(tight_optimisers, changes), fitted(specification, data))$gcv.ubre)
  }
  rbind(
    quantity("score_with", c(names(choices), "start"), vapply(c(choices, start = list(low_start)), score, 0)),
    quantity("score_with", "mean", score(NULL, centred_fit)))
}

answer <- function(specification, data) {
  warned <- character()
  fit <- withCallingHandlers(bam_fit(specification, data), warning = function(condition) {
    warned <<- c(warned, conditionMessage(condition))
    invokeRestart("muffleWarning")
  })
  values <- cbind(model_values(fit, data), tight = NA, determined = NA)
  suppressWarnings({
    tight <- with_mgcv(tight_optimisers, bam_fit(specification, data))
    values$tight <- model_values(tight, data)$value
    if (specification$family == "gaussian") {
      determined <- model_values(determined_fit(specification, data, tight), data)$value
      moved <- abs(determined - values$tight)
      if (moved[values$quantity == "score"] > 1e-6) {
        values <- rbind(cbind(values[c("quantity", "term", "value", "tight")], determined), 
                        cbind(causes(specification, data), tight = NA, determined = NA))
      } else if (moved[values$quantity == "df"] > 1e-3) {
        values$determined <- determined
      }
    }
  })
  list(values = values, convergence = paste(c(fit$outer.info$conv, unique(trimws(warned))), collapse = "; "))
}
