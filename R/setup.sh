#!/bin/sh
# Make R with mgcv, lme4 and ordinal available where that is possible; say once what is missing where it is not.
# sh R/setup.sh [LOG]: what apt says goes into the log.
set -u
log="${1:-/dev/null}"
wanted="r-base-core r-cran-mgcv r-cran-nlme r-cran-ncdf4 r-cran-lme4 r-cran-ordinal libopenblas0-pthread"

has() { command -v Rscript >/dev/null 2>&1 && Rscript -e 'for (p in commandArgs(TRUE)) library(p, character.only = TRUE)' "$@" >/dev/null 2>&1; }

has mgcv nlme lme4 ordinal && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    reason="this system has no apt"
elif [ "$(id -u)" -eq 0 ]; then
    reason="apt could not install it"; as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    reason="apt could not install it"; as_root="sudo -n"
else
    reason="installing it needs root"
fi
if [ "${as_root+set}" = set ]; then
    echo "R with mgcv, lme4 and ordinal, with apt: about 60 s ..."
    begun=$(date +%s)
    $as_root apt-get -o DPkg::Lock::Timeout=300 update -qq >>"$log" 2>&1 &&
        DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $wanted >>"$log" 2>&1
    if has mgcv nlme lme4 ordinal; then echo "    done in $(($(date +%s) - begun)) s"; exit 0; fi
    [ "$log" = /dev/null ] || echo "What apt said is in $log" >&2
fi
if has mgcv nlme; then
    echo "lme4 or ordinal is not here ($reason): mixed models of counts and categories are fitted without them, from the same likelihood." >&2
else
    echo "R with mgcv is not here ($reason): going on without it, with the engines that need no R." >&2
fi
echo "To add it: sudo apt-get install $wanted" >&2
exit 0
