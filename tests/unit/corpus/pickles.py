"""Pickles that run code, by the opcodes and the packings that they use."""

import bz2
import gzip
import lzma
import pickle
import zipfile
import zlib
from pathlib import Path

import numpy as np

from tests.unit.corpus.cases import Case, Payload, call, joblibbed, name, npy, pickled, text, zipped
from tests.unit.corpus.onnx_models import linear


def live_pickles(marker: Path) -> dict[str, bytes]:
    """Pickles, by the opcodes that they use, each of which really makes the marker when it is loaded."""
    path, line = str(marker), f"S'{marker}'\n".encode()
    old = b"cposix\nmkdir\n(" + line + b"tR"
    files = {f"protocol-{protocol}": pickle.dumps(Payload(marker), protocol) for protocol in range(6)}
    files |= {f"nested-{protocol}": pickle.dumps({"model": [Payload(marker)]}, protocol) for protocol in (0, 2, 5)}
    return files | {
        "global-reduce": old + b".",
        "no-end": old,
        "inst": b"(" + line + b"iposix\nmkdir\n.",
        "obj": b"(cposix\nmkdir\n" + line + b"o.",
        "build": b"cfunctools\npartial\n(cbuiltins\nprint\ntR(cposix\nmkdir\n(" + line + b"t}Ntb)R.",
        "memo": pickled(b"\x8c\x05posix\x940\x8c\x05mkdir\x940\x8c\x04list0h\x00h\x01\x93(" + text(path) + b"tR"),
        "computed": pickled(b"cbuiltins\nstr\n(C\x05posix\x8c\x05asciitR\x8c\x05mkdir\x93(" + text(path) + b"tR"),
        "get-put": b"\x80\x04Vposix\np7\n0Vmkdir\np8\n0g7\ng8\n\x93(" + text(path) + b"tR.",
        "dup": pickled(b"\x8c\x05posix2N0\x8c\x05mkdir\x93(" + text(path) + b"tR"),
        "dotted": pickled(call(name("os", "path.os.mkdir"), text(path))),
        "header-late": b"]0\x80\x04" + pickle.dumps(Payload(marker), 4)[2:],
        "then-onnx": old + b"." + linear(),
        "then-zip": old + b"." + zipped({"readme.txt": b"nothing"}),
        "getattr": pickled(call(call(name("builtins", "getattr"), _module("os"), text("mkdir")), text(path))),
        "eval": pickled(call(name("builtins", "eval"), text(f"__import__('os').mkdir('{path}')"))),
        "exec": pickled(call(name("builtins", "exec"), text(f"import os; os.mkdir('{path}')"))),
        "python-2-names": b"\x80\x02c__builtin__\neval\n(X" + _long(f"__import__('os').mkdir('{path}')") + b"tR.",
        "map": pickled(_consumed(call(name("builtins", "map"), name("os", "mkdir"), b"(" + text(path) + b"t"))),
        "operator": pickled(call(call(name("operator", "methodcaller"), text("mkdir"), text(path)), _module("os"))),
        "runstring": pickled(
            call(name("timeit", "timeit"), text("pass"), text(f"import os; os.makedirs('{path}', exist_ok=True)"))
        ),
        "partial": pickled(call(name("functools", "partial"), name("os", "mkdir"), text(path)) + b")R"),
    }


def _long(value: str) -> bytes:
    return len(value).to_bytes(4, "little") + value.encode()


def _module(module: str) -> bytes:
    return call(name("importlib", "import_module"), text(module))


def _consumed(iterable: bytes) -> bytes:
    return call(name("builtins", "list"), iterable)


_DANGEROUS = """
os system|os popen|posix system|nt system|subprocess Popen|subprocess check_output|builtins exec|builtins compile
builtins open|builtins __import__|builtins getattr|builtins globals|importlib import_module|runpy run_path
runpy _run_code|sys setrecursionlimit|shutil rmtree|socket create_connection|ctypes CDLL|webbrowser open|pty spawn
code InteractiveInterpreter|bdb Bdb|pdb run|cProfile run|profile run|trace Trace|doctest debug_script|pydoc locate
pickle loads|_pickle loads|marshal loads|shelve open|types FunctionType|types CodeType|operator attrgetter
functools reduce|functools partial|itertools starmap|tempfile mktemp|pathlib Path|urllib.request urlopen
http.client HTTPSConnection|ftplib FTP|smtplib SMTP|multiprocessing.util _exithandlers|asyncio run|logging.config listen
venv create|zipimport zipimporter|pkgutil resolve_name|distutils.spawn spawn|idlelib.run manage_socket
copyreg add_extension|gc get_objects|weakref finalize|atexit register|signal signal|inspect getsource|ast literal_eval
""".replace("\n", "|")
_UNLISTED = """
numpy load|numpy.testing._private.utils runstring|numpy.f2py.crackfortran getlincoef|numpy loadtxt|numpy memmap
numpy.lib._npyio_impl load|torch load|torch.hub load|torch.jit load|torch._utils _rebuild_from_type_v2
joblib load|joblib.numpy_pickle_compat ZNDArrayWrapper|joblib.numpy_pickle_compat NDArrayWrapper|joblib.memory Memory
pandas eval|pandas.io.pickle read_pickle|pandas.core.computation.eval eval|sklearn.utils._testing set_random_state
sklearn.datasets._base load_files|sklearn.externals.joblib load|xgboost.core Booster|keras.models load_model
transformers.pipelines pipeline|__main__ Model|mymodels.classifier Model|scipy.io._mmio mmread|tensorflow.io read_file
""".replace("\n", "|")


def imports(marker: Path) -> dict[str, Case]:
    """Calls of names that are not on the list, each with the marker's path."""
    cases = {}
    for listed, verdict in ((_DANGEROUS, "malicious"), (_UNLISTED, "unknown")):
        for full in filter(None, listed.split("|")):
            module, one = full.split()
            data = pickled(call(name(module, one), text(str(marker))))
            cases[f"import-{module}.{one}"] = Case(data, verdict, f"'{module}.{one}'")
    return cases


def opcodes(marker: Path) -> dict[str, Case]:
    """The live pickles, and what stands around them."""
    cases = {one: Case(data, "malicious", "posix.mkdir") for one, data in live_pickles(marker).items()}
    words = {"build": "functools.partial", "computed": "put together while loading", "dotted": "os.path.os.mkdir"}
    words |= {"getattr": "builtins.getattr", "eval": "builtins.eval", "exec": "builtins.exec", "map": "builtins.map"}
    words |= {"python-2-names": "builtins.eval", "operator": "operator.methodcaller", "runstring": "timeit.timeit"}
    words |= {"partial": "functools.partial"}
    cases |= {one: cases[one]._replace(words=said) for one, said in words.items()}
    evil = pickle.dumps(Payload(marker), 4)
    return cases | {
        "behind-a-harmless-pickle": Case(pickle.dumps([1]) + evil, "malicious", "posix.mkdir"),
        "extension": Case(b"\x80\x02\x82\x07)R.", "malicious", "copyreg.extension-7"),
        "extension-2": Case(b"\x80\x02\x83\x07\x01)R.", "malicious", "copyreg.extension-263"),
        "behind-raw-array": Case(joblibbed([np.arange(50.0), Payload(marker)]), "malicious", "posix.mkdir"),
    }


def packed(marker: Path) -> dict[str, Case]:
    """The same pickle, packed in every way that some loader unpacks."""
    evil = pickle.dumps(Payload(marker), 4)
    files = {
        "zlib": zlib.compress(evil),
        "gzip": gzip.compress(evil),
        "bz2": bz2.compress(evil),
        "xz": lzma.compress(evil),
        "lzma": lzma.compress(evil, lzma.FORMAT_ALONE),
        "gzip-cut-off": gzip.compress(evil + bytes(range(256)) * 20)[:-40],
        "gzip-twice": gzip.compress(gzip.compress(evil)),
        "gzip-second-member": gzip.compress(pickle.dumps([1])) + gzip.compress(evil),
        **{f"joblib-{kind}": joblibbed([np.arange(50.0), Payload(marker)], (kind, 3)) for kind in ("zlib", "gzip")},
        **{
            f"joblib-{kind}": joblibbed([np.arange(50.0), Payload(marker)], (kind, 3)) for kind in ("bz2", "lzma", "xz")
        },
        "torch": zipped({"archive/data.pkl": evil, "archive/version": b"3\n"}),
        "torch-deflated": zipped({"archive/data.pkl": evil}, zipfile.ZIP_DEFLATED),
        "torch-behind-elf": b"\x7fELF" + zipped({"archive/data.pkl": evil}),
        "zip-in-gzip": gzip.compress(zipped({"model.bin": evil})),
        "zip-in-zip": zipped({"inner.zip": zipped({"model.bin": evil})}),
        "npy-object": npy(np.array([Payload(marker)], dtype=object)),
        "npz-object": zipped({"weights.npy": npy(np.array([Payload(marker)], dtype=object))}),
        "joblib-object-array": joblibbed({"a": np.array([Payload(marker), 1], dtype=object)}),
        "pickled-within-bytes": pickle.dumps({"cache": evil}),
        "pickled-within-bytes-protocol-2": pickle.dumps({"cache": evil}, 2),
        "pickled-within-bytes-twice": pickle.dumps({"cache": pickle.dumps([evil])}),
    }
    cases = {one: Case(data, "malicious", "posix.mkdir") for one, data in files.items()}
    wrong_sum = files["torch"].replace(b"mkdir", b"mkdiR", 1)
    return cases | {"torch-wrong-checksum": Case(wrong_sum, "error", "no pickle")}
