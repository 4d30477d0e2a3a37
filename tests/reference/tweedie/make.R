# The likeliest power of a Tweedie model by R mgcv, with the data it was fitted to.
#
#     Rscript make.R > problems.json
#
# For each power: coefficients by glm, whose deviance needs no dispersion; then the
# likelihood of mgcv's density, largest over the dispersion, and over the power.
# `weight` divides the dispersion of a row. The data is drawn here.
suppressPackageStartupMessages(library(mgcv))
set.seed(21)
n <- 250
X <- round(matrix(rnorm(n * 3), n, 3), 4)
weight <- round(runif(n, 0.5, 2), 3)
mu <- exp(1 + drop(X %*% c(0.5, -0.3, 0)))
draw <- function(p, phi) {
  counts <- rpois(n, mu^(2 - p) / (phi * (2 - p)))
  amounts <- function(k, m) if (k == 0) 0 else {
    sum(rgamma(k, (2 - p) / (p - 1), scale = phi * (p - 1) * m^(p - 1)))
  }
  signif(mapply(amounts, counts, mu), 6)
}
numbers <- function(x) paste0("[", paste(sprintf("%.15g", x), collapse = ", "), "]")
one <- function(p, phi, w) {
  y <- draw(p, phi)
  fit <- function(power) {
    glm(y ~ X, family = Tweedie(power, link = "log"), weights = w,
        control = glm.control(epsilon = 1e-14, maxit = 200))
  }
  at <- function(log.phi, power, m) {
    sum(mapply(function(y, m, w) ldTweedie(y, m, power, exp(log.phi) / w)[1], y, m, w))
  }
  profile <- function(power) {
    m <- fitted(fit(power))
    optimize(at, log(phi) + c(-2, 2), power = power, m = m, maximum = TRUE, tol = 1e-8)
  }
  power <- optimize(function(power) profile(power)$objective, c(1.1, 1.9),
                    maximum = TRUE, tol = 1e-8)$maximum
  best <- profile(power)
  sprintf('    {"y": %s,\n     "weight": %s,\n     "power": %.10g, "dispersion": %.10g, "log_likelihood": %.12g,\n     "coef": %s}',
          numbers(y), numbers(w), power, exp(best$maximum), best$objective,
          numbers(coef(fit(power))))
}
fits <- c(one(1.3, 1, rep(1, n)), one(1.6, 2, weight), one(1.8, 0.5, weight))
rows <- apply(X, 1, numbers)
cat("{\n  \"made_by\": \"R mgcv ", as.character(packageVersion("mgcv")),
    "\",\n  \"accuracy\": \"power and dispersion to 1e-6: a flat maximum, by values\",\n",
    "  \"X\": [\n    ", paste(rows, collapse = ",\n    "), "\n  ],\n  \"fits\": [\n",
    paste(fits, collapse = ",\n"), "\n  ]\n}\n", sep = "")
