"""Who people are and which keys are theirs, as configured: for the worker, the actuator, and those who only look."""

from activities.adapters.yaml_directory import YamlDirectory
from activities.channel_ports import AddressBook
from activities.ports import Directory, Editions
from models.errors import InvalidInputError
from worker.settings import DATABASE, Settings


def directory_of(settings: Settings, database: str) -> Directory:
    """The directory; `database` is the URL for this process's account."""
    return published_directory(settings, database) if settings.directory == DATABASE else directory_files(settings)


def address_book_of(settings: Settings, database: str) -> AddressBook:
    """Where people are reached."""
    return published_directory(settings, database) if settings.directory == DATABASE else directory_files(settings)


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
