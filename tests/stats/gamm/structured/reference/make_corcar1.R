# A random intercept with residuals correlated by the time between rows, by nlme::lme and gls with corCAR1.
#
#   Rscript make_corcar1.R
#
# Writes corcar1_rows.csv and corcar1_answers.csv. `step` times are whole, `time` is not.

suppressPackageStartupMessages(library(nlme))
set.seed(12)
one_token <- function(number) {
  step <- sort(sample(1:14, 9))
  time <- signif(0.1 * step + runif(9, -0.04, 0.04), 4)
  noise <- function(x, rho, unit) {
    e <- rnorm(1)
    for (i in seq_along(x)[-1]) {
      r <- rho^((x[i] - x[i - 1]) / unit)
      e[i] <- r * e[i - 1] + sqrt(1 - r^2) * rnorm(1)
    }
    e
  }
  level <- rnorm(1, 0, 0.5)
  word <- c("a", "b")[number %% 2 + 1]
  mean <- 1 + 0.5 * (word == "b") + level
  data.frame(token = sprintf("t%02d", number), word = word, step = step, time = time,
             y_step = signif(mean + 0.1 * step + 0.4 * noise(step, 0.6, 1), 6),
             y_time = signif(mean + time + 0.4 * noise(time, 0.6, 0.1), 6))
}
rows <- do.call(rbind, lapply(1:30, one_token))
control <- lmeControl(opt = "nlminb", tolerance = 1e-12, msTol = 1e-15, maxIter = 500, msMaxIter = 500)
answer <- function(order, method, kind) {
  data <- data.frame(rows, x = rows[[order]], y = rows[[paste0("y_", order)]])
  data$word <- factor(data$word)
  fitted <- if (kind == "lme") {
    lme(y ~ word + x, random = ~ 1 | token, data = data, correlation = corCAR1(form = ~ x | token), method = method,
        control = control)
  } else {
    gls(y ~ word + x, data = data, correlation = corCAR1(form = ~ x | token), method = method,
        control = glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500))
  }
  effects <- if (kind == "lme") fixef(fitted) else coef(fitted)
  errors <- sqrt(diag(vcov(fitted)))
  data.frame(
    order = order, method = method, kind = kind,
    quantity = c("rho", "log_lik", names(effects), paste("error", names(effects))),
    value = signif(c(coef(fitted$modelStruct$corStruct, unconstrained = FALSE), logLik(fitted), effects, errors), 10)
  )
}
choices <- expand.grid(order = c("step", "time"), method = c("REML", "ML"), kind = c("lme", "gls"), stringsAsFactors = FALSE)
answers <- do.call(rbind, Map(answer, choices$order, choices$method, choices$kind))
write.csv(rows, "corcar1_rows.csv", row.names = FALSE)
write.csv(answers, "corcar1_answers.csv", row.names = FALSE)
