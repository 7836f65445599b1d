"""`layerstats doctor`: what works here, and the command that mends what does not."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import version
from textwrap import shorten
from typing import Annotated

import typer

from layerstats import __version__
from layerstats.errors import LayerstatsError

# The extras of pyproject.toml: what each is for, and the modules that it brings. A test holds them to pyproject.toml.
EXTRAS = {
    "r": ("the reference engine mgcv, from Python", "rpy2"),
    "speech": ("reading and making sounds, forced alignment", "soundfile soxr espeakng_loader pocketsphinx"),
    "tables": ("tables of Excel and SPSS", "openpyxl pyreadstat"),
    "networks": ("networks: recording, training, maximization", "torch safetensors jiwer"),
    "cluster": ("workers on other machines (--client)", "distributed"),
    "pretrained": ("Whisper, wav2vec2, HuBERT, WavLM", "transformers"),
    "projections": ("planes of codes (t-SNE)", "sklearn"),
    "representations": ("linear probes of phones", "sklearn"),
    "docs": ("building the documentation (make docs)", "sphinx pydata_sphinx_theme myst_parser numpydoc"),
    "test": ("running the tests (make test)", "pytest hypothesis praatio parselmouth mne captum"),
    "lint": ("checking the code (make lint)", "ruff pyright importlinter"),
}
# What R needs beyond mgcv, and for what.
R_PACKAGES = {
    "generics": "tidy(), glance() and augment() of the R package",
    "ggplot2": "figures of the R package",
    "ncdf4": "stores that were exported as netCDF",
    "jsonlite": "the structured engine from R",
    "knitr": "the vignette of the R package",
    "rmarkdown": "the vignette of the R package",
    "testthat": "the tests of the R package",
}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it works, what was found, the command that mends it."""

    what: str
    works: bool
    found: str
    mend: str = ""


def examine() -> list[Finding]:
    """Look at R and its packages, the GPU, the aligner, every extra, LaTeX and a browser; never raises."""
    versions = _r_versions()
    return [
        _package_finding(),
        *_r_findings(versions),
        *_r_package_findings(versions),
        *_torch_findings(),
        *_speech_findings(),
        *_extra_findings(),
        *_program_findings(),
    ]


def _package_finding() -> Finding:
    named = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas", "xarray", "zarr"))
    return Finding("layerstats", True, f"{__version__}; Python {platform.python_version()}, {named}")


def _extra_findings() -> list[Finding]:
    findings = []
    for extra, (purpose, modules) in EXTRAS.items():
        missing = [module for module in modules.split() if importlib.util.find_spec(module) is None]
        found = f"without {', '.join(missing)}" if missing else "all there"
        findings.append(
            Finding(f"extra {extra}", not missing, f"{found}; {purpose}", f"pip install 'layerstats[{extra}]'")
        )
    return findings


def _r_versions() -> dict[str, str]:
    """Ask R itself for its version and those of its packages, in one process: R is there without rpy2, too."""
    names = ",".join(f"'{name}'" for name in ("mgcv", "lme4", "ordinal", *R_PACKAGES))
    code = (
        f"for (name in c({names})) if (nzchar(system.file(package = name))) "
        "cat(name, packageDescription(name)$Version, '\\n'); cat('R', as.character(getRversion()))"
    )
    try:
        told = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        told = ""
    rows = [line.split() for line in told.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def _r_package_findings(versions: dict[str, str]) -> list[Finding]:
    return [
        Finding(
            f"R package {name}",
            name in versions,
            f"{'there' if name in versions else 'not found'}; {purpose}",
            f"apt-get install r-cran-{name.lower()}",
        )
        for name, purpose in R_PACKAGES.items()
    ]


def _program_findings() -> list[Finding]:
    latex = shutil.which("pdflatex")
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    return [
        Finding(
            "LaTeX",
            latex is not None,
            f"{latex or 'not found'}; setting the tables (.tex) of a paper",
            "apt-get install texlive-latex-recommended texlive-latex-extra",
        ),
        Finding(
            "browser",
            browser is not None,
            f"{browser or 'not found'}; tests that open the pages (any browser shows them)",
            "apt-get install chromium",
        ),
    ]


def _r_findings(versions: dict[str, str]) -> list[Finding]:
    from layerstats.rbridge.status import r_status

    status = r_status()
    blas_is_fast = status.blas is not None and "openblas" in status.blas.lower()
    wanted = {
        "R": ("not found", "apt-get install r-base-core"),
        "mgcv": ("not found", "apt-get install r-cran-mgcv"),
        "lme4": ("not found; shares of variance are computed without it", "apt-get install r-cran-lme4"),
        "ordinal": ("not found; mixed models of ratings are fitted without it", "apt-get install r-cran-ordinal"),
    }
    there = [
        Finding(what, what in versions, versions.get(what, absent), mend) for what, (absent, mend) in wanted.items()
    ]
    return [
        *there,
        Finding(
            "rpy2",
            status.rpy2_version is not None,
            status.rpy2_version or "not found; models are fitted with mgcv from R only",
            "pip install 'layerstats[r]'",
        ),
        Finding(
            "fast BLAS for R",
            blas_is_fast,
            status.blas or "not known without rpy2",
            "apt-get install libopenblas0-pthread   (about five times faster GAMMs)",
        ),
    ]


def _torch_findings() -> list[Finding]:
    if importlib.util.find_spec("torch") is None:
        return [Finding("torch", False, "not found", "pip install torch==2.13.0 && pip install 'layerstats[networks]'")]
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none; the CPU is used"
    return [
        Finding("torch", True, torch.__version__),
        Finding("GPU", torch.cuda.is_available(), gpu, "optional: a CUDA build of torch and a driver"),
    ]


def _speech_findings() -> list[Finding]:
    findings = []
    for what, module in (("audio reading", "soundfile"), ("resampling", "soxr")):
        there = importlib.util.find_spec(module) is not None
        findings.append(Finding(what, there, module if there else "not found", "pip install 'layerstats[speech]'"))
    findings.append(_trial("forced aligner", _try_aligner))
    findings.append(_trial("speech synthesis", _try_synthesis))
    return findings


def _trial(what: str, attempt) -> Finding:
    """Run a small attempt of the real thing: a package that imports may still not work."""
    try:
        return Finding(what, True, attempt())
    except (LayerstatsError, ImportError, OSError, RuntimeError) as error:
        return Finding(what, False, shorten(str(error), 80, placeholder=" ..."), "pip install 'layerstats[speech]'")


def _try_aligner() -> str:
    import pocketsphinx

    pocketsphinx.Decoder(loglevel="FATAL", lm=None)
    return "pocketsphinx with its English model"


def _try_synthesis() -> str:
    from layerstats.corpora import demo_corpus

    corpus = demo_corpus(words=["ask"], voices=1)
    seconds = float(corpus.tokens["duration_s"].iloc[0])
    return f"espeak-ng; one word of {1000 * seconds:.0f} ms"


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say what works here: R and its packages, GPU, aligner, every extra, and the command that mends what does not."""
    findings = examine()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
        return
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        typer.echo(f"{'yes' if finding.works else 'no ':3}  {finding.what:{width}}  {finding.found}")
        if not finding.works and finding.mend:
            typer.echo(f"     {'':{width}}  mend: {finding.mend}")
