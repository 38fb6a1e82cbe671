"""What a file is, told by its content and never by its name."""

from activities.adapters.artifact_inspection.archives import Unpacked, compression, is_zip, members, unpack
from activities.adapters.artifact_inspection.findings import EXPORT, ONNX_ONLY, Finding, shown
from activities.adapters.artifact_inspection.onnx_model import inspect_onnx, looks_like_onnx
from activities.adapters.artifact_inspection.pickles import inspect_pickle

_DEPTH = 3
_MAGICS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x7fELF", "elf", "a Linux program"),
    (0, b"MZ", "pe", "a Windows program"),
    (0, b"#!", "script", "a script"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5", "an HDF5 file, as Keras writes"),
    (0, b"GGUF", "gguf", "a GGUF file of language model weights"),
    (4, b"ORTM", "ort", "a model in onnxruntime's own ORT format"),
    (4, b"TFL3", "tflite", "a TensorFlow Lite model"),
    (0, b"PK\x03\x04", "zip", "a damaged zip archive"),
    (257, b"ustar", "tar", "a tar archive"),
    (0, b"\x04\x22\x4d\x18", "lz4", "an LZ4-compressed file"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "a Zstandard-compressed file"),
)


def _unknown(format_: str, noun: str) -> Finding:
    return Finding(format_, "unknown", (f"The file is {noun.removesuffix('.')}. {ONNX_ONLY}",))


def _is_safetensors(data: bytes) -> bool:
    header = int.from_bytes(data[:8], "little")
    return data[8:9] == b"{" and 2 <= header <= len(data) - 8


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n\f" for character in text)


def _inspect_npy(data: bytes, where: str) -> Finding:
    wide = data[6:7] >= b"\x02"
    start = 12 if wide else 10
    end = start + int.from_bytes(data[8:start], "little")
    if b"O'" not in data[start:end] and b'O"' not in data[start:end]:
        return _unknown("npy", "a NumPy array, which is data and not a model")
    finding = inspect_pickle(data[end:], f" of the pickle inside the NumPy file{where}")
    return (finding or Finding("npy", "unknown", (EXPORT,)))._replace(format="npy")


def _inspect_within(name: str, content: Unpacked, where: str, depth: int) -> Finding | None:
    """A finding on something packed: never `clean`, for what was judged is not what was submitted."""
    if depth >= _DEPTH:
        return Finding("unrecognised", "unknown", (f"The file is packed more than {_DEPTH} times over. {ONNX_ONLY}",))
    inner = inspect(content.data, f" of {name}{where}", depth + 1) if content.data else None
    if inner and inner.verdict == "malicious":
        return inner
    if content.problem:
        return Finding("unrecognised", "error", (f"What is in {name}{where} {content.problem}. {ONNX_ONLY}",))
    return inner


def _inspect_compressed(data: bytes, kind: str, where: str, depth: int) -> Finding:
    inner = _inspect_within(f"the {kind} data", unpack(data), where, depth)
    if inner and inner.format == "pickle":
        return inner._replace(format="joblib")
    if inner and inner.verdict in ("malicious", "error"):
        return inner._replace(format=kind)
    return _unknown(kind, f"compressed with {kind}")


def _inspect_zip(data: bytes, where: str, depth: int) -> Finding:
    names, worst = set[str](), dict[str, Finding]()
    for member in members(data):
        names.add(member.name)
        name = f"the archive's '{shown(member.name)}'" if member.name else "the archive"
        inner = _inspect_within(name, member.content, where, depth)
        if inner and inner.verdict != "clean":
            worst.setdefault(inner.verdict, inner)
    if any(name.endswith("data.pkl") for name in names):
        format_, noun = "torch", f"a PyTorch file, and {EXPORT}"
    elif "model.weights.h5" in names:
        format_, noun = "keras", "a Keras model"
    elif names and all(name.endswith(".npy") for name in names):
        format_, noun = "npz", "an archive of NumPy arrays"
    else:
        format_, noun = "zip", "a zip archive"
    serious = worst.get("malicious") or worst.get("error")
    return serious._replace(format=format_) if serious else _unknown(format_, noun)


def _inspect_magic(data: bytes) -> Finding | None:
    for offset, magic, format_, noun in _MAGICS:
        if data[offset : offset + len(magic)] == magic:
            return _unknown(format_, noun)
    if _is_safetensors(data):
        return _unknown("safetensors", "a safetensors file, which holds weights without the model around them")
    return None


def inspect(data: bytes, where: str = "", depth: int = 0) -> Finding:
    """The finding on some bytes. `where` ends each place that is named, as in ` of the gzip data`."""
    if not data:
        return Finding("empty", "unknown", (f"The file is empty. Export the model again. {ONNX_ONLY}",))
    if looks_like_onnx(data):
        return inspect_onnx(data)
    if finding := inspect_pickle(data, where):
        return finding
    if data.startswith(b"\x93NUMPY"):
        return _inspect_npy(data, where)
    if kind := compression(data):
        return _inspect_compressed(data, kind, where, depth)
    finding = _inspect_magic(data)
    if is_zip(data):
        zipped = _inspect_zip(data, where, depth)
        return finding if finding and finding.format != "zip" and zipped.verdict != "malicious" else zipped
    if finding:
        return finding
    if _is_text(data):
        return _unknown("text", "plain text")
    return _unknown("unrecognised", "of no kind that is known here")
