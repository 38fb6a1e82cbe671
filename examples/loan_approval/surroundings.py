"""What a team has around its model: `python surroundings.py --output DIR`.

DIR receives `repository`, a git repository with the programs of this folder, and `advisories`, a mirror with a few
records of the form that osv.dev publishes. As a mirror is as old as its newest record, one more says when this one was
written; who copies the archive of PyPI every day needs none. Prints the commit that versions are made with.
"""

import argparse
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = ("README.md", "data.py", "model.yaml", "train.py")
WHO = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false")


def mirror(output: Path) -> None:
    """The advisories of this folder, and one that says when they were copied."""
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(HERE / "advisories", output)
    written = {"id": "EXAMPLE-written", "modified": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    (output / "EXAMPLE-written.json").write_text(json.dumps(written) + "\n", encoding="utf-8")


def commit(programs: Path, output: Path) -> str:
    """The programs of a folder as the one commit of a new repository."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy(programs / name, output)
    git(output, "init", "--quiet")
    git(output, "add", "--all")
    git(output, *WHO, "commit", "--quiet", "--no-verify", "-m", f"Train {programs.name}")
    return git(output, "rev-parse", "HEAD")


def git(repository: Path, *words: str) -> str:
    """What git says."""
    try:
        asked = subprocess.run(["git", "-C", repository, *words], capture_output=True, text=True, check=True)  # noqa: S607
    except FileNotFoundError:
        raise SystemExit("git is not installed: code comes from a commit") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"git {words[0]}: {error.stderr}") from None
    return asked.stdout.strip()


def main() -> None:
    """Make both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--programs", type=Path, default=HERE, help="the folder that the repository is made of")
    chosen = parser.parse_args()
    mirror(chosen.output / "advisories")
    print(commit(chosen.programs, chosen.output / "repository"))


if __name__ == "__main__":
    main()
