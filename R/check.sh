#!/bin/sh
# Help that is up to date, R CMD build, R CMD check (which installs the package in a library of its own, runs examples, tests
# and the vignette): `make test-r`. Fails on errors and warnings; notes are printed.
set -eu
package=$(cd "$(dirname "$0")" && pwd)

lacks() { Rscript -e 'for (p in commandArgs(TRUE)) if (!requireNamespace(p, quietly = TRUE)) cat("", p)' "$@" 2>/dev/null; }

if ! command -v Rscript >/dev/null 2>&1; then
    echo "SKIPPED: the R package was not checked, since R is not here (Debian: apt-get install r-base-core)." >&2
    exit 0
fi
missing=$(lacks mgcv generics ggplot2 testthat)
if [ -n "$missing" ]; then
    echo "SKIPPED: the R package was not checked, since R lacks$missing (Debian: apt-get install r-cran-NAME)." >&2
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 _R_CHECK_FORCE_SUGGESTS_=false

if [ -z "$(lacks roxygen2)" ]; then
    cp -R "$package" "$work/documented"
    (cd "$work/documented" && Rscript -e 'roxygen2::roxygenise()' >"$work/roxygen.log" 2>&1) || { cat "$work/roxygen.log" >&2; exit 1; }
    if ! diff -r "$package/man" "$work/documented/man" >&2 || ! diff "$package/NAMESPACE" "$work/documented/NAMESPACE" >&2; then
        echo "R/man or R/NAMESPACE is not what the comments say. In R/: Rscript -e 'roxygen2::roxygenise()'" >&2
        exit 1
    fi
else
    echo "SKIPPED: whether R/man and R/NAMESPACE are up to date, since R lacks roxygen2." >&2
fi

build="" check=""
if [ -n "$(lacks knitr rmarkdown)" ] || ! command -v pandoc >/dev/null 2>&1; then
    echo "SKIPPED: the vignette, since knitr, rmarkdown or pandoc is not here." >&2
    build="--no-build-vignettes" check="--ignore-vignettes"
fi
cd "$work"
R CMD build $build "$package"
R CMD check --no-manual $check layerstats_*.tar.gz || { cat layerstats.Rcheck/tests/*.fail 2>/dev/null >&2 || true; exit 1; }
grep -A 8 '\.\.\. NOTE' layerstats.Rcheck/00check.log || true
if grep -q '\.\.\. WARNING' layerstats.Rcheck/00check.log; then
    echo "R CMD check has warnings." >&2
    exit 1
fi
