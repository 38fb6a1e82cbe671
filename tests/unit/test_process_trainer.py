"""Training by a child process: what is passed, what comes back, and that nothing outlives it."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.adapters.process_trainer import ProcessTrainer
from models.canonical import digest_bytes
from models.errors import TrainingError, UnknownNameError
from models.evidence import EffectKey
from models.inventory import Column, DataContract, Protected, Reference, Source, Submission

PINNED = Reference(uri="file:///data.csv", digest="sha256:" + "0" * 64)
PREVIOUS = Submission(
    artifact=PINNED,
    source=Source(repository="r", commit="a" * 40),
    training_data=(PINNED,),
    holdout=PINNED,
    dependencies=PINNED,
    contract=DataContract(
        inputs=(Column(name="x"),),
        outputs=(Column(name="p"),),
        label="y",
        protected=(Protected(column="race", reference="white"),),
    ),
    developer="ana",
    submitter="ana",
)
START = """
import json, os, subprocess, sys, time
request = json.load(open(sys.argv[2])); output = sys.argv[4]
pin = {"uri": "file:///new", "digest": "sha256:" + "1" * 64}
result = {"artifact": pin, "source": request["source"], "training_data": [*request["training"], request["window"]],
          "holdout": request["holdout"], "dependencies": pin, "contract": request["contract"],
          "developer": "mallory", "submitter": "mallory", "notes": ",".join(sorted(os.environ))}
"""
END = "\njson.dump(result, open(output + '/result.json', 'w'))\n"
SLEEPER = (
    "\nimport pathlib\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "pathlib.Path('pid').write_text(str(child.pid))\n"
)

KEY = EffectKey(model="loans", visit=1, step="train")

Make = Callable[..., ProcessTrainer]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A trainer called `trainer` that runs the given program text."""

    def build(text: str, timeout: float = 60, beat: Callable[[str], None] | None = None) -> ProcessTrainer:
        program = tmp_path / "program.py"
        program.write_text(START + text, encoding="utf-8")
        more = {} if beat is None else {"beat": beat}
        return ProcessTrainer({"trainer": program}, tmp_path / "runs", sys.executable, timeout, **more)

    return build


@pytest.fixture
def window(tmp_path: Path) -> Path:
    path = tmp_path / "window.csv"
    path.write_text("x,y\n1,1\n", encoding="utf-8")
    return path


def lives(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def survives(tmp_path: Path) -> bool:
    """Whether the ten-minute sleeper that a program started is still there once the kill had time to arrive."""
    pid = int(next((tmp_path / "runs").glob("*/pid")).read_text(encoding="utf-8"))
    for _ in range(100):
        if not lives(pid):
            return False
        time.sleep(0.1)
    return True


def test_train(make: Make, window: Path) -> None:
    """The program gets the previous version and the pinned window; the trainer submits the challenger in its name."""
    made = make(END).train("trainer", PREVIOUS, window, KEY)
    pinned = Reference(uri=window.as_uri(), digest=digest_bytes(window.read_bytes()))
    assert made.training_data == (PINNED, pinned)
    assert (made.developer, made.submitter, made.trainer) == ("ana", "trainer", "trainer")
    assert made.source == PREVIOUS.source


def test_environment(make: Make, window: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the worker's environment reaches the program."""
    monkeypatch.setenv("SIGNING_KEY", "secret")
    names = set(make(END).train("trainer", PREVIOUS, window, KEY).notes.split(","))
    assert {"HOME", "PATH"} <= names
    assert "SIGNING_KEY" not in names


def test_unknown(make: Make) -> None:
    """An unknown trainer is refused with the names of the known ones."""
    with pytest.raises(UnknownNameError, match="'nobody' is not registered with this worker; known: trainer"):
        make(END).train("nobody", PREVIOUS, None, KEY)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sys.stderr.write('first\\nno convergence\\n'); sys.exit(3)", "(?s)ended with code 3: .*no convergence"),
        ("", "wrote no .*result.json"),
        ("del result['contract']" + END, "contract: Field required"),
        ("result['holdout'] = pin" + END, "changed the hold-out"),
        ("result['contract']['label'] = 'z'" + END, "changed the label"),
        ("result['contract']['threshold'] = 0.0" + END, "changed the threshold: was 0.5, is 0.0"),
        ("result['contract']['inputs'] = [{'name': 'z'}]" + END, "changed the inputs"),
        ("result['contract']['outputs'] = [{'name': 'z'}]" + END, "changed the outputs"),
        ("result['contract']['protected'] = []" + END, "changed the protected columns"),
    ],
)
def test_failure(make: Make, window: Path, text: str, problem: str) -> None:
    """A program that fails, says nothing or changes what it is judged by has not trained anything."""
    with pytest.raises(TrainingError, match=problem):
        make(text).train("trainer", PREVIOUS, window, KEY)


def test_timeout(make: Make, window: Path, tmp_path: Path) -> None:
    """A program that takes too long is killed, together with what it started."""
    with pytest.raises(TrainingError, match="did not finish within 2 s"):
        make(SLEEPER + "time.sleep(600)", timeout=2).train("trainer", PREVIOUS, window, KEY)
    assert not survives(tmp_path)


def test_cancellation(make: Make, window: Path, tmp_path: Path) -> None:
    """What the heartbeat raises goes through, after the program and what it started were killed."""

    def beat(progress: str) -> None:
        if any(tmp_path.glob("runs/*/pid")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(SLEEPER + "time.sleep(600)", beat=beat).train("trainer", PREVIOUS, window, KEY)
    assert not survives(tmp_path)


def test_progress(make: Make, window: Path) -> None:
    """The last whole line that the program has printed is heard, as plain text, while it runs."""
    heard = set[str]()
    told = "print('1 of 2\\x1b[0m'); print('fold 2 of 2'); print('not y', end=''); time.sleep(1)\n"
    make(told + END, beat=heard.add).train("trainer", PREVIOUS, window, KEY)
    assert heard - {""} <= {"1 of 2[0m", "fold 2 of 2"}
    assert "fold 2 of 2" in heard


def test_killed_worker(make: Make, tmp_path: Path) -> None:
    """A program dies with its worker, even if that is killed without warning."""
    make("open('pid', 'w').write(str(os.getpid())); time.sleep(600)")
    code = (
        "import sys; from pathlib import Path; from activities.adapters.process_trainer import ProcessTrainer;"
        "from tests.unit.test_process_trainer import KEY, PREVIOUS; folder = Path(sys.argv[1]);"
        "trainer = ProcessTrainer({'trainer': folder / 'program.py'}, folder / 'runs', sys.executable, 60);"
        "trainer.train('trainer', PREVIOUS, None, KEY)"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=Path(__file__).parents[2])
    while not any(path.read_text() for path in tmp_path.glob("runs/*/pid")):
        assert worker.poll() is None
        time.sleep(0.05)
    worker.kill()
    worker.wait()
    assert not survives(tmp_path)


def test_leftovers(make: Make, window: Path, tmp_path: Path) -> None:
    """A program that ended well leaves no process behind."""
    make(SLEEPER + END).train("trainer", PREVIOUS, window, KEY)
    assert not survives(tmp_path)
