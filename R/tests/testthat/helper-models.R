# Everything is held against direct calls of mgcv, or against a definition written out.

same <- function(a, b, tolerance = 1e-8) isTRUE(all.equal(a, b, tolerance = tolerance, check.attributes = FALSE))
holds <- function(...) for (claim in list(...)) expect_true(all(claim))

set.seed(3)
tokens <- 24
points <- 20
data <- expand.grid(sample = 0:(points - 1), token = sprintf("t%02d", 1:tokens), stringsAsFactors = FALSE)
data$word <- ifelse(as.integer(factor(data$token)) %% 2 == 0, "wash", "ask")
noise <- unlist(lapply(1:tokens, function(i) as.numeric(arima.sim(list(ar = 0.6), points, sd = 0.3))))
data$value <- sin(data$sample / 4) + (data$word == "wash") * (0.5 + data$sample / 20) + noise
shuffled <- data[sample(nrow(data)), ]

formula <- 'value ~ word + s(sample) + s(sample, by = wordOrd) + s(token, bs = "re")'
fit <- gamm_fit(formula, shuffled, rho = 0.6, series = "token", order = "sample", ordered = list(wordOrd = c("word", "ask")))

# The same model by hand.
hand <- fit$data
hand$value <- fit$model$y
start <- fit$start
direct <- mgcv::bam(as.formula(formula), data = hand, rho = 0.6, AR.start = start)
summary <- summary(direct)
grid <- list(sample = seq(0, 19, length.out = 30))
own <- data[data$token %in% unique(data$token)[1:8], ]
