"""A store says which commit the working directory had when it was begun."""

from __future__ import annotations

import subprocess

from layerstats.store.provenance import git_revision, software


def git(folder, *arguments: str) -> str:
    about = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    run = subprocess.run(["git", "-C", folder, *about, *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_the_revision_is_that_of_the_directory_at_the_time(tmp_path, monkeypatch):
    outside, repository = tmp_path / "outside", tmp_path / "repository"
    outside.mkdir()
    repository.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    git(repository, "init", "--quiet")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "first")
    monkeypatch.chdir(repository)
    assert git_revision() == git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "second")
    assert software()["git_revision"] == git(repository, "rev-parse", "HEAD")
    monkeypatch.chdir(outside)
    assert git_revision() is None
