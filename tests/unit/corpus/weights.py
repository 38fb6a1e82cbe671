"""Weights with nothing around them: safetensors and GGUF, and the templates that some carry."""

import json
import struct

from tests.unit.corpus.cases import Case

_ONE = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
SOUND = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m.content | trim }}{% endfor %}"
_EVIL = (
    "{{ ().__class__.__base__.__subclasses__() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ ''|attr('_'~'_class_'~'_') }}",
    "{{ cycler.next('x') }}",
    "{% import 'os' as os %}",
    "{{ messages|map(attribute='__class__')|list }}",
    "{{ messages[0]['__class__'] }}",
    "{{ messages['_' ~ '_class_' ~ '_'] }}",
    "{{ '%c%c' | format(95, 95) }}",
    "{{ messages[0][key]('id') }}",
    "{% set range = messages[0][key] %}{{ range(9) }}",
    "{{ 'tool_calls'[4] }}",
    "{{ messages|selectattr(messages[0].x)|list }}",
    "{{ self.mro() }}",
    "{% include '/etc/passwd' %}",
    "{{ unfinished",
)


def safetensors(header: object, data: bytes = bytes(4)) -> bytes:
    """A header before some bytes."""
    told = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(told)) + told + data


def gguf(
    facts: dict[str, str] | None = None, kind: int = 0, offset: int = 0, data: bytes = bytes(32), version: int = 3
) -> bytes:
    """A file of one tensor of eight numbers, with some texts."""
    facts = facts or {"general.name": "small"}
    told = b"".join(_text(key) + struct.pack("<I", 8) + _text(value) for key, value in facts.items())
    tensor = _text("w") + struct.pack("<IQIQ", 1, 8, kind, offset)
    head = b"GGUF" + struct.pack("<IQQ", version, 1, len(facts)) + told + tensor
    return head + bytes(-len(head) % 32) + data


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def safetensors_cases() -> dict[str, Case]:
    """Headers that do not describe the bytes behind them."""

    def one(**changed: object) -> dict[str, object]:
        return {"w": {**_ONE["w"], **changed}}

    bad = {
        "shape": safetensors(one(shape=[2])),
        "negative": safetensors(one(shape=[-1])),
        "no-number": safetensors(one(shape=["1"])),
        "type": safetensors(one(dtype="PICKLE")),
        "over-the-end": safetensors(one(shape=[2], data_offsets=[0, 8])),
        "gap": safetensors(one(data_offsets=[4, 8]), bytes(8)),
        "overlap": safetensors(_ONE | {"v": _ONE["w"]}),
        "behind": safetensors(_ONE, bytes(4) + b"hidden"),
        "twice": safetensors(b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{}}'),
        "metadata": safetensors(_ONE | {"__metadata__": {"x": 1}}),
        "no-json": safetensors(b"{]"),
        "deep": safetensors(b'{"a":' + b"[" * 100_000),
        "header-length": struct.pack("<Q", 1 << 20) + b"{}" + bytes(90),
        "extra-key": safetensors(one(loader="os.system")),
    }
    return {f"safetensors-{name}": Case(data, "error", "is not sound") for name, data in bad.items()}


def gguf_cases() -> dict[str, Case]:
    """Lengths that are not so, and templates that reach for code."""
    bad = {
        "version": gguf(version=9),
        "kind": gguf(kind=99),
        "short": gguf(data=bytes(16)),
        "behind": gguf(data=bytes(80)),
        "offset": gguf(offset=64),
        "cut-off": gguf()[:40],
        "counts": b"GGUF" + struct.pack("<IQQ", 3, 1 << 62, 1 << 62),
        "text-length": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 62) + bytes(40),
    }
    cases = {f"gguf-{name}": Case(data, "error", "is not sound") for name, data in bad.items()}
    for number, template in enumerate(_EVIL):
        cases[f"gguf-template-{number}"] = Case(gguf({"tokenizer.chat_template": template}), "malicious", "at byte")
    named = gguf({"tokenizer.chat_template.tool_use": _EVIL[0]})
    return cases | {"gguf-named-template": Case(named, "malicious", "tool_use")}


def text_cases() -> dict[str, Case]:
    """Settings of tokenizers whose template or code would act."""

    def settings(**more: object) -> bytes:
        return json.dumps({"tokenizer_class": "T", **more}).encode()

    several = [{"name": "default", "template": SOUND}, {"name": "tools", "template": _EVIL[1]}]
    return {
        "tokenizer-template": Case(settings(chat_template=_EVIL[0]), "malicious", "layout of messages"),
        "tokenizer-templates": Case(settings(chat_template=several), "malicious", "layout of messages"),
        "tokenizer-code": Case(settings(auto_map={"AutoTokenizer": ["x.T", None]}), "malicious", "run Python code"),
        "tokenizer-twice": Case(b'{"tokenizer_class": "T", "tokenizer_class": "U"}', "unknown", "twice"),
        "yaml-object": Case(b"model: !!python/object/apply:os.system [id]\n", "malicious", "make Python objects"),
    }
