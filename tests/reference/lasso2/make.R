# Constrained lassos by R lasso2, with the data they were fitted to.
#
#     Rscript make.R > problems.json
#
# `bound` is the most that sum |coef_j| may be, of columns as they are
# (standardize = FALSE). The data is drawn here, so that the file stands alone.
suppressPackageStartupMessages(library(lasso2))
set.seed(20)
n <- 40
p <- 5
X <- round(matrix(rnorm(n * p), n, p) %*% chol(0.5 + 0.5 * diag(p)), 4)
eta <- drop(X %*% c(1, -0.7, 0.4, 0, 0))
responses <- list(
  gaussian = round(2 + eta + rnorm(n), 4),
  binomial = rbinom(n, 1, plogis(eta)),
  poisson = rpois(n, exp(0.5 + 0.6 * eta))
)
numbers <- function(x) paste0("[", paste(sprintf("%.15g", x), collapse = ", "), "]")
one <- function(family, bound) {
  data <- data.frame(y = responses[[family]], X)
  fit <- if (family == "gaussian") {
    l1ce(y ~ ., data, standardize = FALSE, bound = bound, absolute.t = TRUE)
  } else {
    kind <- switch(family, binomial = binomial(), poisson = poisson())
    gl1ce(y ~ ., data, family = kind, standardize = FALSE, bound = bound,
          epsilon = 1e-14, maxit = 1000)
  }
  sprintf('    {"family": "%s", "bound": %s, "Lagrangian": %.15g, "coef": %s}', family,
          bound, fit$Lagrangian, numbers(coef(fit)))
}
fits <- unlist(lapply(names(responses), function(f) {
  sapply(c(0.3, 0.8, 1.2), function(bound) one(f, bound))
}))
rows <- apply(X, 1, numbers)
cat("{\n  \"made_by\": \"R lasso2 ", as.character(packageVersion("lasso2")),
    "\",\n  \"X\": [\n    ", paste(rows, collapse = ",\n    "), "\n  ],\n  \"y\": {\n    ",
    paste(sprintf('"%s": %s', names(responses), sapply(responses, numbers)),
          collapse = ",\n    "),
    "\n  },\n  \"fits\": [\n", paste(fits, collapse = ",\n"), "\n  ]\n}\n", sep = "")
