"""Other scanners of model files, each in an environment of its own, asked about every file of a folder."""

import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import NamedTuple

_PICKLESCAN = """
import json, pathlib, sys
from picklescan.scanner import scan_file_path
found = []
for path in pathlib.Path(sys.argv[1]).iterdir():
    try:
        result = scan_file_path(str(path))
        if result.issues_count or result.scan_err:
            found.append(path.name)
    except Exception:
        found.append(path.name)
print(json.dumps(found))
"""
_MODELSCAN = """
import json, pathlib, sys
from modelscan.modelscan import ModelScan
found = []
for path in pathlib.Path(sys.argv[1]).iterdir():
    try:
        if ModelScan().scan(str(path))["issues"]:
            found.append(path.name)
    except Exception:
        found.append(path.name)
print(json.dumps(found))
"""
_MODELAUDIT = """
import json, pathlib, subprocess, sys
tool = pathlib.Path(sys.executable).with_name("modelaudit")
command = [tool, "scan", "--format", "json", "--no-cache", "--quiet", sys.argv[1]]
said = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
serious = [one for one in said["issues"] if one["severity"] in ("warning", "critical")]
names = {path.name for path in pathlib.Path(sys.argv[1]).iterdir()}
print(json.dumps([name for name in names if any(f"/{name}" in (one["location"] or "") for one in serious)]))
"""
PROGRAMS = {"modelscan": _MODELSCAN, "picklescan": _PICKLESCAN, "modelaudit": _MODELAUDIT}


class Opinion(NamedTuple):
    """The names of the files that a scanner would not let pass, and the seconds that it took."""

    blocked: frozenset[str]
    seconds: float


def _environment(home: Path, tool: str) -> Path:
    """The interpreter of an environment with the tool in it, made when it is first needed."""
    python = home / tool / "bin" / "python"
    if not (home / tool / ".ready").exists():
        venv.create(home / tool, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", tool]
        subprocess.run(install, check=True)
        (home / tool / ".ready").touch()
    return python


def ask(tool: str, home: Path, folder: Path) -> Opinion:
    """What a scanner says of a folder; an error on a file counts as blocking it."""
    python = _environment(home, tool)
    began = time.perf_counter()
    command = [str(python), "-c", PROGRAMS[tool], str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        sys.stderr.write(done.stderr[-2_000:])
        raise RuntimeError(f"{tool} did not say anything about {folder}")
    return Opinion(frozenset(json.loads(done.stdout)), seconds)
