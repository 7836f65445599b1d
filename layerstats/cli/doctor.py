"""`layerstats doctor`: what works here, and the command that mends what does not."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import typer

from layerstats.errors import LayerstatsError


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it works, what was found, the command that mends it."""

    what: str
    works: bool
    found: str
    mend: str = ""


def examine() -> list[Finding]:
    """Look at R, the GPU, the aligner and the optional packages; never raises."""
    return [*_r_findings(), *_torch_findings(), *_speech_findings()]


def _r_findings() -> list[Finding]:
    from layerstats.rbridge.status import r_status

    status = r_status()
    blas_is_fast = status.blas is not None and "openblas" in status.blas.lower()
    return [
        Finding("R", status.r_version is not None, status.r_version or "not found", "apt-get install r-base-core"),
        Finding(
            "mgcv", status.mgcv_version is not None, status.mgcv_version or "not found", "apt-get install r-cran-mgcv"
        ),
        Finding(
            "lme4",
            status.lme4_version is not None,
            status.lme4_version or "not found; shares of variance are computed without it",
            "apt-get install r-cran-lme4",
        ),
        Finding(
            "ordinal",
            status.ordinal_version is not None,
            status.ordinal_version or "not found; mixed models of ratings are fitted without it",
            "apt-get install r-cran-ordinal",
        ),
        Finding(
            "rpy2",
            status.rpy2_version is not None,
            status.rpy2_version or "not found",
            "pip install 'layerstats[r]'",
        ),
        Finding(
            "fast BLAS for R",
            blas_is_fast,
            status.blas or "unknown",
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
        return Finding(what, False, str(error).splitlines()[0][:80], "pip install 'layerstats[speech]'")


def _try_aligner() -> str:
    import pocketsphinx

    pocketsphinx.Decoder(loglevel="FATAL", lm=None)
    return "pocketsphinx with its English model"


def _try_synthesis() -> str:
    from layerstats.corpora import demo_corpus

    corpus = demo_corpus(words=["ask"], voices=1)
    seconds = float(corpus.tokens["duration_s"].iloc[0])
    return f"espeak-ng; one word of {1000 * seconds:.0f} ms"


def doctor() -> None:
    """Say what works here: R, mgcv, lme4, rpy2, GPU, aligner, and the command that mends what does not."""
    findings = examine()
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        typer.echo(f"{'yes' if finding.works else 'no ':3}  {finding.what:{width}}  {finding.found}")
        if not finding.works and finding.mend:
            typer.echo(f"     {'':{width}}  mend: {finding.mend}")
