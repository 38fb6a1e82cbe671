"""What a file is, told by its content and never by its name alone."""

from collections.abc import Callable

from activities.adapters.artifact_inspection.compressed import compression, unpack
from activities.adapters.artifact_inspection.findings import DO_NOT_LOAD, FORMATS, Finding, Word, shown, worst
from activities.adapters.artifact_inspection.gguf_file import MAGIC as GGUF
from activities.adapters.artifact_inspection.gguf_file import inspect_gguf
from activities.adapters.artifact_inspection.hdf5_file import MAGIC as HDF5
from activities.adapters.artifact_inspection.hdf5_file import inspect_hdf5
from activities.adapters.artifact_inspection.keras_model import CONFIG, WEIGHTS, inspect_keras
from activities.adapters.artifact_inspection.numpy_file import MAGIC as NPY
from activities.adapters.artifact_inspection.numpy_file import inspect_npy
from activities.adapters.artifact_inspection.onnx_model import inspect_onnx, looks_like_onnx
from activities.adapters.artifact_inspection.pickle_file import inspect_pickle
from activities.adapters.artifact_inspection.safetensors_file import inspect_safetensors, looks_like_safetensors
from activities.adapters.artifact_inspection.skops_model import SCHEMA, inspect_skops
from activities.adapters.artifact_inspection.surroundings import Surroundings
from activities.adapters.artifact_inspection.tar_archive import is_tar, open_tar
from activities.adapters.artifact_inspection.text_file import inspect_text, is_companion, is_text
from activities.adapters.artifact_inspection.torch_model import inspect_torch, pickle_of
from activities.adapters.artifact_inspection.zip_archive import Archive, is_zip, open_zip

_DEPTH = 3
_ZIP = b"PK\x03\x04"
_NO_MODEL = ("text", "json", "empty")
_MAGICS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x7fELF", "elf", "a Linux program"),
    (0, b"MZ", "pe", "a Windows program"),
    (0, b"\xcf\xfa\xed\xfe", "macho", "a macOS program"),
    (0, b"\xca\xfe\xba\xbe", "class", "a Java or macOS program"),
    (4, b"ORTM", "ort", "a model in onnxruntime's own ORT format"),
    (4, b"TFL3", "tflite", "a TensorFlow Lite model"),
    (0, b"\x04\x22\x4d\x18", "lz4", "an LZ4-compressed file: save it with compress='zlib'"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "a Zstandard-compressed file"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "a 7-Zip archive"),
    (0, b"Rar!", "rar", "a RAR archive"),
    (0, b"BZ", "bzip2", "a damaged bzip2 file"),
)


def _unknown(format_: str, noun: str) -> Finding:
    return Finding(format_, "unknown", (f"The file is {noun}. {FORMATS}",))


def _inspect_compressed(data: bytes, kind: str, where: str, depth: int) -> Finding:
    content = unpack(data)
    inner = inspect(content.data, f" of the {kind} data{where}", depth + 1) if content.data else None
    if inner and inner.verdict == "malicious":
        return inner._replace(format="joblib" if inner.format == "pickle" else kind)
    if content.problem:
        return Finding(kind, "error", (f"What is in the {kind} data{where} {content.problem}.",))
    if inner and inner.format in ("pickle", "tar"):
        return inner._replace(format="joblib" if inner.format == "pickle" else f"tar.{kind}")
    if inner and inner.verdict == "error":
        return inner._replace(format=kind)
    return _unknown(kind, f"compressed with {kind}, and only joblib's pickles and tar archives may be")


def _inspect_members(archive: Archive, where: str, depth: int, raw: str = "") -> list[tuple[str, bytes, Finding]]:
    """The finding on each file of an archive; those below `raw` are data whatever they look like."""
    found = []
    for member in archive.members:
        name = f"the archive's '{shown(member.name)}'"
        if raw and member.name.startswith(raw) and not member.content.problem:
            continue
        inner = inspect(member.content.data, f" of {name}{where}", depth + 1, member.name)
        if inner.verdict != "malicious" and member.content.problem:
            inner = Finding("unrecognised", "error", (f"What is in {name}{where} {member.content.problem}.",))
        found.append((member.name, member.content.data, inner))
    return found


def _refused(archive: Archive, found: list[Finding]) -> Finding | None:
    if archive.problems:
        verdict: Word = "malicious" if archive.evil else "error"
        found = [*found, Finding("zip", verdict, (*archive.problems, *((DO_NOT_LOAD,) if archive.evil else ())))]
    bad = worst([*found, Finding("zip", "clean")])
    return bad if bad.verdict in ("malicious", "error") else None


def _inspect_zip(data: bytes, where: str, depth: int) -> Finding:
    archive = open_zip(data)
    files = {member.name: member.content.data for member in archive.members}
    pickled = pickle_of(files)
    raw = pickled.removesuffix("data.pkl") + "data/" if pickled else ""
    found = _inspect_members(archive, where, depth, raw)
    serious = _refused(archive, [one for name, _, one in found if name != pickled])
    if pickled:
        format_, judged = "torch", inspect_torch(files, where)
        serious = judged if judged.verdict == "malicious" else serious
    elif SCHEMA in files:
        format_, judged = "skops", _among(found, (SCHEMA,), inspect_skops(files))
    elif CONFIG in files and WEIGHTS in files:
        format_, judged = "keras", _among(found, (CONFIG, "metadata.json"), inspect_keras(files))
    else:
        format_, judged = "npz" if _all_arrays(files) else "zip", together(found)
    return (serious or judged)._replace(format=format_)


def _all_arrays(files: dict[str, bytes]) -> bool:
    return bool(files) and all(name.endswith(".npy") for name in files)


def _among(found: list[tuple[str, bytes, Finding]], texts: tuple[str, ...], judged: Finding) -> Finding:
    """What was judged by its texts, if the other files of the archive are clean."""
    others = [one for name, _, one in found if name not in texts and one.format != "empty"]
    return worst([judged, *others])


def together(found: list[tuple[str, bytes, Finding]]) -> Finding:
    """The finding on files that lie together: clean if at least one is a model and the others may lie beside it."""
    left = [one for name, data, one in found if one.verdict != "clean" and not is_companion(one, name, data)]
    if left:
        return worst(left)
    if any(one.verdict == "clean" and one.format != "tokenizer" for _, _, one in found):
        return Finding("archive", "clean")
    return _unknown("archive", "an archive in which there is no model")


def _inspect_tar(data: bytes, where: str, depth: int) -> Finding:
    archive = open_tar(data)
    found = _inspect_members(archive, where, depth)
    return (_refused(archive, [one for _, _, one in found]) or together(found))._replace(format="tar")


def _inspect_plain(data: bytes, where: str, depth: int, name: str, around: Surroundings) -> Finding:
    """The finding on bytes that do not begin as a zip archive does."""
    if looks_like_onnx(data):
        return inspect_onnx(data, around)
    if finding := inspect_pickle(data, where):
        return finding
    if kind := compression(data):
        return _inspect_compressed(data, kind, where, depth)
    for offset, magic, format_, noun in _MAGICS:
        if data[offset : offset + len(magic)] == magic:
            return _unknown(format_, noun)
    readers: tuple[tuple[bool, Callable[[], Finding]], ...] = (
        (data.startswith(NPY), lambda: inspect_npy(data, where)),
        (data.startswith(HDF5), lambda: inspect_hdf5(data)),
        (data.startswith(GGUF), lambda: inspect_gguf(data)),
        (is_tar(data), lambda: _inspect_tar(data, where, depth)),
        (looks_like_safetensors(data), lambda: inspect_safetensors(data)),
        (is_text(data), lambda: inspect_text(data, name)),
    )
    return next((read() for fits, read in readers if fits), _unknown("unrecognised", "of no kind that is known here"))


def inspect(
    data: bytes, where: str = "", depth: int = 0, name: str = "", around: Surroundings | None = None
) -> Finding:
    """The finding on some bytes. `where` ends each place that is named, as in ` of the gzip data`.

    The name can only make a finding worse: a text that by its name is code is no data.
    """
    if not data:
        return Finding("empty", "unknown", ("The file is empty.",))
    if depth > _DEPTH:
        return Finding("unrecognised", "unknown", (f"The file is packed more than {_DEPTH} times over.",))
    if data.startswith(_ZIP):
        return _inspect_zip(data, where, depth) if is_zip(data) else _unknown("zip", "a damaged zip archive")
    finding = _inspect_plain(data, where, depth, name, around or Surroundings())
    if finding.verdict == "malicious" or not is_zip(data):
        return finding
    hidden = _inspect_zip(data, where, depth)
    reason = (
        f"The file begins as {finding.format} and is a zip archive as well, so two programs would read it differently."
    )
    reasons = hidden.reasons if hidden.verdict == "malicious" else (DO_NOT_LOAD,)
    return Finding(finding.format, "malicious", (reason, *reasons))
