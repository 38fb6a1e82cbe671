"""Follows pickles through a stream of bytes, with what stands between their opcodes: frames, and joblib's arrays.

Frames are read as the standard library's two unpicklers do, arrays as joblib 1.2 and newer does.
"""

import io
import pickletools

from activities.adapters.artifact_inspection.inert import Made, Mapping
from activities.adapters.artifact_inspection.opcodes import EFFECTS
from activities.adapters.artifact_inspection.pickle_machine import Machine, Persistent
from activities.adapters.artifact_inspection.states import array_bytes
from activities.adapters.artifact_inspection.tracing import Notes

_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
_PADDING_AT_MOST = 16
_OPCODES_AT_MOST = 30_000_000


class Stream:
    """Bytes that hold pickles. `joblib` says whether arrays behind their wrappers are skipped, as joblib alone does."""

    def __init__(self, data: bytes, notes: Notes, joblib: bool = True, stored: Persistent | None = None) -> None:
        self.notes = notes
        self.opcodes = 0
        self.position = 0
        self.wrapped = False
        self.inner: list[tuple[int, bytes]] = []
        self._stream = io.BytesIO(data)
        self._length = len(data)
        self._joblib = joblib
        self._stored = stored

    def follow(self, start: int = 0) -> object:
        """What the pickle at `start` builds; ValueError where unpickling would fail, at `position`."""
        self._stream.seek(start)
        return self._one(self._joblib)

    def tell(self) -> int:
        """Where the pickle that was followed ends."""
        return self._stream.tell()

    def _one(self, joblib: bool) -> object:
        machine, frame_end = Machine(self.notes, self._stored), 0
        for opcode, argument, at in pickletools.genops(self._stream):
            machine.at = self.position = at or 0
            machine.opcodes, self.opcodes = machine.opcodes + 1, self.opcodes + 1
            if self.opcodes > _OPCODES_AT_MOST:
                raise ValueError("there are too many opcodes")
            if opcode.name in ("FRAME", "STOP"):
                frame_end = self._leave(frame_end)
            if opcode.name == "STOP":
                break
            if opcode.name == "FRAME":
                frame_end = self._stream.tell() + int(argument or 0)
            elif opcode.name != "BUILD":
                EFFECTS[opcode.name](machine, argument)
                self._keep(machine.stack[-1] if opcode.name == "REDUCE" else argument)
            elif isinstance(made := machine.build(), Made) and made.is_by(_WRAPPER) and joblib:
                frame_end = self._leave(frame_end)
                self._array(made)
                machine.stack[-1] = Made(made.by)
        return machine.result()

    def _leave(self, frame_end: int) -> int:
        if self._stream.tell() < frame_end:
            what = "would go on reading elsewhere: a frame reaches over the end of a pickle or the begin of an array"
            self.notes.add(self.position, what, code=True)
        return 0

    def _keep(self, argument: object) -> None:
        """Bytes that are a pickle themselves are looked at later."""
        if isinstance(argument, bytes | bytearray) and argument[:1] == b"\x80" and argument[-1:] == b".":
            self.inner.append((self.position, bytes(argument)))

    def _array(self, wrapper: Made) -> None:
        self.wrapped = True
        size = array_bytes(wrapper)
        if size is None:
            self.notes.add(self.position, "would read an array that joblib (1.2 or newer) does not write")
            raise ValueError("the array's size is not known")
        if _is_of_objects(wrapper):
            self._one(joblib=False)
            return
        padding = (self._stream.read(1) or b"\0")[0]
        if not 1 <= padding <= _PADDING_AT_MOST or self._stream.read(padding) != b"\xff" * padding:
            self.notes.add(self.position, "would skip bytes that joblib does not write", code=True)
        end = self._stream.tell() + size
        if end > self._length:
            raise ValueError("the array is cut off")
        self._stream.seek(end)


def _is_of_objects(wrapper: Made) -> bool:
    described = (wrapper.state.texts() or {}).get("dtype") if isinstance(wrapper.state, Mapping) else None
    return isinstance(described, Made) and str(described.arguments[0]).lstrip("<>|=").startswith("O")
