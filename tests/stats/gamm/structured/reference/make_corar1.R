# A random intercept with AR(1) residuals by nlme::lme, for the test of rho by REML and ML.
#
#   Rscript make_corar1.R
#
# Writes corar1_rows.csv and corar1_answers.csv.

suppressPackageStartupMessages(library(nlme))
set.seed(11)
groups <- 30
samples <- 8
data <- expand.grid(x = seq_len(samples), token = factor(sprintf("t%02d", seq_len(groups))))
data$word <- factor(ifelse(as.integer(data$token) %% 2 == 0, "b", "a"))
noise <- as.vector(replicate(groups, as.numeric(arima.sim(list(ar = 0.5), samples)))) * 0.4
data$y <- signif(1 + 0.5 * (data$word == "b") + 0.1 * data$x + rep(rnorm(groups, 0, 0.5), each = samples) + noise, 6)
answers <- lapply(c("REML", "ML"), function(method) {
  model <- lme(y ~ word + x, random = ~ 1 | token, data = data, correlation = corAR1(form = ~ x | token), method = method,
               control = lmeControl(opt = "optim", reltol = 1e-14, maxIter = 500, msMaxIter = 500))
  data.frame(
    method = method,
    quantity = c("rho", "log_lik", names(fixef(model))),
    value = signif(c(coef(model$modelStruct$corStruct, unconstrained = FALSE), logLik(model), fixef(model)), 10)
  )
})
write.csv(data, "corar1_rows.csv", row.names = FALSE)
write.csv(do.call(rbind, answers), "corar1_answers.csv", row.names = FALSE)
