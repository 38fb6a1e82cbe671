"""All hostile files, by family."""

from collections.abc import Callable
from pathlib import Path

from tests.unit.corpus import archives, definitions, lies, model_formats, onnx_models, pickles, weights
from tests.unit.corpus.cases import Case

FAMILIES: dict[str, Callable[[Path], dict[str, Case]]] = {
    "imports": pickles.imports,
    "opcodes": pickles.opcodes,
    "packed": pickles.packed,
    "rebuilt": lambda _: lies.rebuilt(),
    "stated": lambda _: lies.stated(),
    "streams": lies.streams,
    "onnx": lambda _: onnx_models.hostile_onnx(),
    "zips": lambda _: archives.zips(),
    "tars": archives.tars,
    "polyglots": archives.polyglots,
    "others": lambda _: archives.others(),
    "keras": model_formats.keras_cases,
    "skops": model_formats.skops_cases,
    "torch": model_formats.torch_cases,
    "safetensors": lambda _: weights.safetensors_cases(),
    "gguf": lambda _: weights.gguf_cases(),
    "texts": lambda _: weights.text_cases(),
    "definitions": lambda _: definitions.definition_cases(),
}


def hostile_files(marker: Path) -> dict[str, Case]:
    """Every file that must not pass, by its family and name; some would make the marker if they were loaded."""
    return {f"{family}/{name}": case for family, made in FAMILIES.items() for name, case in made(marker).items()}
