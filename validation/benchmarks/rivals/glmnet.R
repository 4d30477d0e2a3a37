# The process of glmnet: requests and replies as in worker.py, the problem as in
# protocol.py. Run: Rscript glmnet.R FOLDER [cold]

suppressWarnings(suppressMessages({
  library(Matrix)
  library(glmnet)
}))

# A stored NumPy array: a text header, then the numbers; no copy for Fortran order.
read_npy <- function(folder, name) {
  file <- file(file.path(folder, paste0(name, ".npy")), "rb")
  on.exit(close(file))
  start <- readBin(file, "raw", 10)
  size <- as.integer(start[9]) + 256L * as.integer(start[10])
  header <- rawToChar(readBin(file, "raw", size))
  shape <- sub(".*'shape': \\(([^)]*)\\).*", "\\1", header)
  shape <- as.numeric(strsplit(gsub("[ ]", "", shape), ",")[[1]])
  kind <- if (grepl("<i4", header)) "integer" else "double"
  values <- readBin(file, kind, prod(shape), size = if (kind == "integer") 4 else 8)
  if (length(shape) == 2) {
    in_columns <- grepl("'fortran_order': True", header)
    values <- matrix(values, shape[1], shape[2], byrow = !in_columns)
  }
  values
}

memory <- function(what) {
  status <- tryCatch(readLines("/proc/self/status"), error = function(e) "")
  line <- grep(paste0("^", what), status, value = TRUE)
  if (length(line)) 1024 * as.numeric(gsub("[^0-9]", "", line)) else 0
}

forget_peak <- function() {
  try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)
}

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
lines <- strsplit(readLines(file.path(folder, "facts.txt")), " ")
facts <- setNames(lapply(lines, `[`, 2), sapply(lines, `[`, 1))
mix <- as.numeric(facts$l1_ratio)
y <- read_npy(folder, "y")
alphas <- read_npy(folder, "alphas")
offset <- if (facts$has_offset == "True") read_npy(folder, "offset")
if (facts$storage == "dense") {
  X <- read_npy(folder, "X")
} else {
  X <- new("dgCMatrix", x = read_npy(folder, "data"), i = read_npy(folder, "indices"),
           p = read_npy(folder, "indptr"),
           Dim = as.integer(c(facts$n_obs, facts$n_features)))
}

# The strengths are all wanted, so the path must not end early.
glmnet.control(fdev = 0, devmax = 1)

# Its Gaussian family divides the ridge part by the standard deviation of y.
scale <- if (facts$family == "gaussian") sqrt(mean((y - mean(y))^2)) else 1
total <- mix + (1 - mix) * scale

options_at <- function(alphas, tol) {
  options <- list(x = X, y = y, family = facts$family, alpha = mix / total,
                  lambda = alphas * total, standardize = FALSE, offset = offset)
  if (tol != "default") {
    options <- c(options, list(thresh = as.numeric(tol), maxit = 1e8))
  }
  options
}

fit <- function(alphas, tol) {
  answer <- do.call(glmnet, options_at(alphas, tol))
  if (length(answer$lambda) < length(alphas)) {
    stop(sprintf("only %d of %d strengths; jerr %d", length(answer$lambda),
                 length(alphas), answer$jerr))
  }
  answer
}

cross_validate <- function(alphas, tol) {
  options <- options_at(alphas, tol)
  # Folds are numbered from 1.
  options$foldid <- read_npy(folder, "folds") + 1L
  options$type.measure <- "deviance"
  do.call(cv.glmnet, options)$cvm
}

store <- function(answer, task, file) {
  values <- answer
  if (task != "cv") values <- rbind(answer$a0, as.matrix(answer$beta))
  writeBin(as.double(values), file)
}

timed <- function(request) {
  task <- request[1]
  work <- if (task == "cv") cross_validate else fit
  strengths <- head(alphas, as.integer(request[4]))
  forget_peak()
  before <- memory("VmRSS")
  start <- proc.time()
  repeats <- as.integer(request[3])
  for (k in seq_len(repeats)) answer <- work(strengths, request[2])
  spent <- (proc.time() - start) / repeats
  grown <- max(memory("VmHWM") - before, 0)
  reply(sprintf("done %.9f %.9f %.0f", spent[["elapsed"]],
                spent[["user.self"]] + spent[["sys.self"]], grown))
  store(answer, task, request[5])
  "stored"
}

reply <- function(text) {
  cat("@@ ", text, "\n", sep = "")
  flush(stdout())
}

if (length(arguments) > 1) {
  store(fit(alphas, "default"), "fit", file.path(folder, "cold"))
} else {
  reply(sprintf("ready glmnet %s, R %s.%s", packageVersion("glmnet"), R.version$major,
                R.version$minor))
  input <- file("stdin", "r")
  while (length(line <- readLines(input, n = 1))) {
    reply(tryCatch(
      timed(strsplit(line, " ")[[1]]),
      error = function(e) paste("failed", gsub("\n", " ", conditionMessage(e)))
    ))
  }
}
