"""Every error of ours. Each knows what to do about it and whether retrying helps.

ModelopsError
  InvalidInputError           the caller must change something
    MalformedError              bytes that are not even of the form that was asked for
    TemplateError               carries every diagnostic at once
    DigestMismatchError         the bytes are not the bytes that were promised
    SignatureError              signed by nobody, or by nobody whose key counts
    MissingColumnError          data without a column that the model needs
    UnmeasuredError             data of which nothing can be measured; `state` says in which way
    UnknownNameError            a model, template, person, trainer ... nobody has heard of
    ConflictError               it exists already, and differs
    NotPermittedError           the world is not in the state that this effect demands
    RefusedError                a lifecycle or a rule says no to a person; nothing was changed
  TrainingError               the training program itself failed
  PipelineError               a run of somebody's pipeline failed, or left nothing that can be used
  SmokeTestError              a deployed version did not answer as it must; what served before still serves
  UnavailableError            an outside system does not answer: retrying helps
"""

from datetime import timedelta
from typing import ClassVar

from models.diagnostics import Diagnostic, render
from models.statistics.figures import Unmeasured


class ModelopsError(Exception):
    """What happened and where (`str(error)`), and what to do about it (`remedy`)."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class InvalidInputError(ModelopsError):
    """The caller must change something."""


class MalformedError(InvalidInputError):
    """Bytes that are not even of the form that was asked for, whatever they say."""


class TemplateError(InvalidInputError):
    """A template that must not govern anything, with every diagnostic at once."""

    def __init__(self, file: str, diagnostics: tuple[Diagnostic, ...]) -> None:
        problems = "1 problem" if len(diagnostics) == 1 else f"{len(diagnostics)} problems"
        super().__init__(f"{file}: {problems}\n{render(diagnostics)}", remedy="mend the file where it says")
        self.diagnostics = diagnostics


class DigestMismatchError(InvalidInputError):
    """The bytes found are not the bytes that were promised."""


class SignatureError(InvalidInputError):
    """Something that is signed by nobody, or by nobody whose key counts."""


class MissingColumnError(InvalidInputError):
    """A data set lacks a column that the model's data contract names."""


class UnmeasuredError(InvalidInputError):
    """Data of which nothing can be measured."""

    def __init__(self, state: Unmeasured, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.state = state


class UnknownNameError(InvalidInputError):
    """A name that nobody has registered."""


class ConflictError(InvalidInputError):
    """Something of that name exists already, and differs."""


class NotPermittedError(InvalidInputError):
    """An effect was asked for that the recorded facts do not allow."""


class RefusedError(InvalidInputError):
    """A lifecycle or a rule says no to what a person asked for; nothing was changed."""


class TrainingError(ModelopsError):
    """The training program itself failed."""


class PipelineError(ModelopsError):
    """A run of somebody's pipeline failed, did not end, or left nothing that can be used."""


class SmokeTestError(ModelopsError):
    """A deployed version did not answer as it must; what served before still serves."""


class UnavailableError(ModelopsError):
    """An outside system does not answer. `pause` is how long it wants to be left alone, if it says so."""

    retryable: ClassVar[bool] = True

    def __init__(self, message: str, remedy: str = "", pause: timedelta | None = None) -> None:
        super().__init__(message, remedy)
        self.pause = pause
