#' What speech networks encode, and at which layer
#'
#' [gamm_fit()] fits generalised additive mixed models by 'mgcv' and reports them as tidy tables; [difference()], [curves()]
#' and [derivatives()] say where curves differ, rise or bend; [autocorrelation()], [k_check()] and [residual_checks()] whether
#' the model may be believed; [read_store()] reads what networks do with speech, without 'Python'. The numbers are those of
#' the 'Python' package of the same name.
#'
#' @keywords internal
#' @importFrom stats anova coef deviance df.residual family fitted formula logLik nobs predict residuals vcov
#' @importFrom mgcv bam
"_PACKAGE"

# Columns of the frames that figures are drawn from, named in aes().
utils::globalVariables(c(
  "autocorrelation", "band", "bottom", "curve_of", "end", "group", "high", "lag", "look", "low", "panel", "place",
  "slope", "spread", "start", "top", "x", "y"
))

#' Second formants of two words
#'
#' What ten simulated speakers say, four times each: trajectories of the second formant, of which those of word B are some
#' 80 Hz higher in the middle. Neighbouring measurements share their errors.
#'
#' @format A data frame with 1,200 rows: `speaker`, `word` ("A" or "B"), `repetition`, `trajectory` (the name of a series),
#'   `time` (0 to 1) and `f2` (Hz).
"words"
