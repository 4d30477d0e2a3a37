# Relaxed lassos by R glmnet, with the data they were fitted to.
#
#     Rscript make.R > problems.json
#
# `gamma` is the share of the penalised fit. Columns are taken as they are
# (standardize = FALSE). The data is drawn here, so that the file stands alone.
suppressPackageStartupMessages(library(glmnet))
glmnet.control(fdev = 0, epsnr = 1e-14, mxitnr = 500)
set.seed(22)
n <- 60
p <- 8
X <- round(matrix(rnorm(n * p), n, p) %*% chol(0.4 + 0.6 * diag(p)), 4)
eta <- drop(X %*% c(1, -0.7, 0.4, rep(0, p - 3)))
weight <- round(runif(n, 0.5, 2), 3)
offset <- round(rnorm(n, 0, 0.3), 4)
responses <- list(
  gaussian = round(2 + eta + offset + rnorm(n), 4),
  binomial = rbinom(n, 1, plogis(0.8 * eta + offset)),
  poisson = rpois(n, exp(0.5 + 0.5 * eta + offset))
)
numbers <- function(x) paste0("[", paste(sprintf("%.15g", x), collapse = ", "), "]")
one <- function(family, share) {
  # Refits repeat the call, so its arguments have to be values.
  fit <- function(lambda) do.call(glmnet, list(
    x = X, y = responses[[family]], family = family, weights = weight,
    offset = offset, lambda = lambda, standardize = FALSE, thresh = 1e-18,
    maxit = 1e7, relax = TRUE
  ))
  largest <- max(glmnet(X, responses[[family]], family, weights = weight,
                        offset = offset, standardize = FALSE)$lambda)
  path <- signif(largest * c(0.9, share), 6)
  found <- fit(path)
  gammas <- c(0, 0.5, 1)
  coefs <- sapply(gammas, function(g) {
    # The blend of glmnet takes 1e-5 for 0; its own relaxed coefficients do not.
    numbers(if (g == 0) as.numeric(coef(found$relaxed)[, 2]) else
              as.numeric(coef(found, gamma = g)[, 2]))
  })
  sprintf('    {"family": "%s", "alpha": %.10g, "coef": {%s}}', family, path[2],
          paste(sprintf('"%s": %s', gammas, coefs), collapse = ",\n      "))
}
fits <- unlist(lapply(names(responses), function(f) {
  sapply(c(0.5, 0.1), function(share) one(f, share))
}))
rows <- apply(X, 1, numbers)
cat("{\n  \"made_by\": \"R glmnet ", as.character(packageVersion("glmnet")),
    "\",\n  \"accuracy\": \"thresh = 1e-18; coefficients good to about 1e-7\",\n",
    "  \"X\": [\n    ", paste(rows, collapse = ",\n    "), "\n  ],\n  \"weight\": ",
    numbers(weight), ",\n  \"offset\": ", numbers(offset), ",\n  \"y\": {\n    ",
    paste(sprintf('"%s": %s', names(responses), sapply(responses, numbers)),
          collapse = ",\n    "),
    "\n  },\n  \"fits\": [\n", paste(fits, collapse = ",\n"), "\n  ]\n}\n", sep = "")
