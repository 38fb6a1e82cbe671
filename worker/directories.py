"""Who people are and which keys are theirs, as configured: for the worker, the actuator, and those who only look."""

from collections.abc import Callable

from activities.adapters.yaml_directory import YamlDirectory
from activities.ports import Directory, Editions
from models.errors import InvalidInputError
from models.people import People
from worker.settings import DATABASE, Settings


def directory_of(settings: Settings, database: str) -> Directory:
    """The directory; `database` is the URL for this process's account."""
    return published_directory(settings, database) if settings.directory == DATABASE else directory_files(settings)


def people_of(settings: Settings, database: str) -> Callable[[], People]:
    """Everybody, as known at each call."""
    if settings.directory != DATABASE:
        return directory_files(settings).people
    published = published_directory(settings, database)
    return lambda: published.newest().people


def directory_files(settings: Settings) -> YamlDirectory:
    """The files: where the directory is published, the administrator's working copy."""
    return YamlDirectory(settings.people, settings.registry, settings.audience)


def published_directory(settings: Settings, database: str) -> Editions:
    """What administrators have published; InvalidInputError if it is not said who they are. Files need no SQL."""
    from activities.adapters.sql_directory import SqlDirectory

    if not settings.administrators:
        raise InvalidInputError(
            "MODELOPS_ADMINISTRATORS: without it nothing in the directory of the database could be believed",
            "set it to the administrators' public keys, a JSON list; `modelops key create` tells them",
        )
    return SqlDirectory(database, settings.administrators, settings.audience)
