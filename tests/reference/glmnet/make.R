# Solutions of R glmnet in its own convention, with the data they were fitted to.
#
#     Rscript make.R > problems.json
#
# Families as words and as objects, columns standardised or not, weights, offset, penalty
# factors that do not sum to p, one of them infinite. The data is drawn here, so that the
# file stands alone.
suppressPackageStartupMessages(library(glmnet))
set.seed(35)
n <- 40
p <- 4
X <- round(matrix(rnorm(n * p), n, p) %*% diag(c(1, 3, 0.5, 2)), 4)
offset <- round(runif(n, -0.5, 0.5), 4)
weights <- round(runif(n, 0.5, 3), 4)
eta <- drop(X %*% c(0.6, -0.1, 0.8, 0.2)) + offset
responses <- list(
  gaussian = round(5 * (eta + rnorm(n)), 4),
  binomial = rbinom(n, 1, plogis(eta)),
  poisson = rpois(n, exp(0.5 + 0.5 * eta)),
  gamma = round(rgamma(n, 3, 3 / exp(eta)), 4) + 0.01
)
factors <- list(plain = rep(1, p), uneven = c(0.5, 1, 3, 2), excluding = c(1, Inf, 0.5, 2))
kinds <- list(
  gaussian = "gaussian", binomial = "binomial", poisson = "poisson",
  gaussian_object = gaussian(), gamma_object = Gamma(link = "log")
)
numbers <- function(x) {
  paste0("[", paste(ifelse(is.infinite(x), "Infinity", sprintf("%.17g", x)),
                    collapse = ", "), "]")
}
# Objects stop by the change of the objective, which the residual is the root of; so this
# asks for no change at all, and R warns where rounding does not let it have that.
glmnet.control(fdev = 0, epsnr = 1e-30, mxitnr = 2000)
one <- function(kind, mix, standardize, factor) {
  y <- responses[[sub("_object", "", kind)]]
  strength <- if (grepl("gaussian", kind)) 0.4 else 0.05
  fit <- glmnet(X, y, family = kinds[[kind]], weights = weights, offset = offset,
                alpha = mix, lambda = strength * c(4, 2, 1), standardize = standardize,
                penalty.factor = factors[[factor]], thresh = 1e-20, maxit = 1e7)
  sprintf(paste0('    {"kind": "%s", "lambda": %s, "alpha": %s, "standardize": %s, ',
                 '"penalty.factor": %s, "coef": %s}'),
          kind, strength, mix, tolower(standardize), numbers(factors[[factor]]),
          numbers(as.vector(coef(fit))[2 * (p + 1) + seq_len(p + 1)]))
}
fits <- c()
for (kind in names(kinds)) for (mix in c(1, 0.4, 0)) for (standardize in c(TRUE, FALSE))
  for (factor in names(factors)) fits <- c(fits, one(kind, mix, standardize, factor))
cat("{\n  \"made_by\": \"R glmnet ", as.character(packageVersion("glmnet")),
    "\",\n  \"X\": [\n    ", paste(apply(X, 1, numbers), collapse = ",\n    "),
    "\n  ],\n  \"offset\": ", numbers(offset), ",\n  \"weights\": ", numbers(weights),
    ",\n  \"y\": {\n    ",
    paste(sprintf('"%s": %s', names(responses), sapply(responses, numbers)),
          collapse = ",\n    "),
    "\n  },\n  \"fits\": [\n", paste(fits, collapse = ",\n"), "\n  ]\n}\n", sep = "")
